//! `profile.toml`: which network this home talks to, and what was learned about it.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use musubi_sdk::ChainId;

use super::{error::CliError, files};

/// The file's name inside a home.
pub(crate) const FILE: &str = "profile.toml";

/// A home's settings. What the command line or environment gives wins over it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// Base URLs of nodes, tried in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) nodes: Vec<String>,
    /// The reader token, without which balances and histories are closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    /// The scheme's printed prefix, as a node said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scheme: Option<String>,
    /// The chain that this home signs for; a node of another one is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chain: Option<ChainId>,
    /// The instrument that is meant when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instrument: Option<String>,
    /// The identity that acts when `--as` is absent.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
    /// Decimal places of instruments, as first told: they never change, so a node that tells others is
    /// wrong. The last field, since TOML wants tables behind values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) decimals: BTreeMap<String, u8>,
}

impl Profile {
    /// Reads a home's profile; an empty one if it has none yet.
    pub(crate) fn load(home: &Path) -> Result<Self, CliError> {
        files::load_toml(&home.join(FILE))
    }

    /// Writes it, readable by its owner alone: it holds a token.
    pub(crate) fn save(&self, home: &Path) -> Result<(), CliError> {
        files::save_toml(&home.join(FILE), self)
    }

    /// Whether all of these nodes are its own; only they may learn its token.
    pub(crate) fn has_all(&self, nodes: &[String]) -> bool {
        let plain = |url: &String| url.trim_end_matches('/').to_owned();
        let own: Vec<String> = self.nodes.iter().map(plain).collect();
        nodes.iter().all(|node| own.contains(&plain(node)))
    }

    /// Takes over what `other` knows and this one does not; a token only with the nodes that it opens.
    pub(crate) fn fill_from(&mut self, other: Self) {
        if self.nodes.is_empty() {
            self.nodes.clone_from(&other.nodes);
        }
        if other.has_all(&self.nodes) {
            self.token = self.token.take().or(other.token);
        }
        self.scheme = self.scheme.take().or(other.scheme);
        self.chain = self.chain.or(other.chain);
        self.instrument = self.instrument.take().or(other.instrument);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_profile_comes_back_and_only_gaps_are_filled() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Profile::load(home.path()).unwrap(), Profile::default());
        let mut profile = Profile {
            nodes: vec!["http://127.0.0.1:1".into()],
            chain: Some(ChainId([3; 32])),
            ..Profile::default()
        };
        profile.save(home.path()).unwrap();
        assert_eq!(Profile::load(home.path()).unwrap(), profile);
        let other = |node: &str| Profile {
            nodes: vec![node.into()],
            token: Some("t".into()),
            instrument: Some("MEBUKU".into()),
            ..Profile::default()
        };
        profile.fill_from(other("http://127.0.0.1:2"));
        assert_eq!(profile.nodes, ["http://127.0.0.1:1"]);
        assert_eq!(profile.instrument.as_deref(), Some("MEBUKU"));
        assert_eq!(profile.token, None, "another network's token is not this one's");
        profile.fill_from(other("http://127.0.0.1:1/"));
        assert_eq!(profile.token.as_deref(), Some("t"));
    }

    #[test]
    fn a_misspelt_setting_is_named() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join(FILE), "node = []\n").unwrap();
        let error = Profile::load(home.path()).unwrap_err();
        assert_eq!(error.code, "bad_file");
        assert!(error.what.contains("node"), "{}", error.what);
    }
}
