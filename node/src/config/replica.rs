//! What a replica's configuration has in place of a validator's: whom it follows, with which token, from where.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Config, ConfigError, is_empty, read_text, wrong};
use crate::outgoing;

/// What a node is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Orders and executes, with the others that the genesis document names.
    #[default]
    Validator,
    /// Pulls what validators ordered, checks and executes it by itself, and serves it.
    Replica,
}

/// `[replica]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicaSection {
    /// Validators or other replicas, as `http://host:port`, the first to be asked first.
    pub upstream: Vec<String>,
    /// File with the reader token that the upstreams want, readable by its owner alone.
    pub token_file: PathBuf,
    /// Where a replica without data begins.
    #[serde(default)]
    pub start: Start,
}

/// Where a replica without data begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At a snapshot under a final checkpoint: it has the state, and executes everything from there on.
    #[default]
    Snapshot,
    /// At the genesis document: it replays everything.
    Genesis,
}

/// Whom a replica follows.
pub struct Replica {
    /// Their URLs.
    pub upstream: Vec<String>,
    /// The token that they want.
    pub token: Arc<Zeroizing<String>>,
    /// Where to begin without data.
    pub start: Start,
}

impl Config {
    /// Folder beside the data directory for what a replica refused.
    #[must_use]
    pub fn evidence(&self) -> PathBuf {
        let mut name = self.data.file_name().unwrap_or_default().to_owned();
        name.push("-refused");
        self.data.with_file_name(name)
    }

    /// Each role has its own section, and nothing of the other's.
    pub(super) fn check_role(&self) -> Result<(), ConfigError> {
        let mismatch = |what: &str| Err(ConfigError::Mismatch(what.into()));
        match (self.role, &self.network, &self.replica) {
            (Role::Validator, Some(_), None) if self.node == 0 => {
                mismatch("a validator has the number that the genesis document gives it, 1 or more")
            }
            (Role::Validator, Some(_), None) => Ok(()),
            (Role::Validator, ..) => {
                mismatch("role = \"validator\" needs [network] and takes no [replica]")
            }
            (Role::Replica, None, Some(_)) if self.node != 0 || !is_empty(&self.keys) => {
                mismatch("a replica has neither number nor keys: leave out node and keys")
            }
            (Role::Replica, None, Some(replica)) => check_upstreams(&replica.upstream),
            (Role::Replica, ..) => {
                mismatch("role = \"replica\" needs [replica] and takes no [network]")
            }
        }
    }
}

fn check_upstreams(upstreams: &[String]) -> Result<(), ConfigError> {
    let key = "replica.upstream";
    if upstreams.is_empty() {
        return Err(wrong(key, "[]", "a replica follows at least one validator or replica"));
    }
    for (at, url) in upstreams.iter().enumerate() {
        if outgoing::check_base(url).is_err() || upstreams[..at].contains(url) {
            let why = "it must be http://host:port, without path, each once";
            return Err(wrong(key, format!("{url:?}"), why));
        }
    }
    Ok(())
}

/// Reads a file with a bearer token, readable by its owner alone.
pub(super) fn read_token(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let text = Zeroizing::new(read_text(path)?);
    let token = Zeroizing::new(text.trim().to_owned());
    if is_private(path)? && !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(token);
    }
    Err(ConfigError::TokenFile(path.into()))
}

/// Whether nobody but its owner can read or write a file.
pub(super) fn is_private(path: &Path) -> Result<bool, ConfigError> {
    use std::os::unix::fs::PermissionsExt;
    let found = std::fs::metadata(path);
    let found = found.map_err(|source| ConfigError::Read { path: path.into(), source })?;
    Ok(found.permissions().mode() & 0o077 == 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::{FILE, check};

    const REPLICA: &str = r#"
        role = "replica"
        genesis = "genesis.bin"
        data = "data"
        [replica]
        upstream = ["http://127.0.0.1:8080", "http://10.0.0.2:8080"]
        token_file = "upstream.token"
        start = "genesis"
        [http]
        listen = "127.0.0.1:0"
    "#;

    #[test]
    fn each_role_has_its_own_section() {
        check(REPLICA).unwrap();
        check(&REPLICA.replace("start = \"genesis\"", "start = \"snapshot\"")).unwrap();
        check(&REPLICA.replace("start = \"genesis\"", "")).unwrap();
        assert_eq!(super::Start::default(), super::Start::Snapshot);
        let middle = REPLICA.replace("start = \"genesis\"", "start = \"middle\"");
        assert!(toml::from_str::<super::Config>(&middle).is_err(), "no such start");
        let changed = |from: &str, to: &str| check(&REPLICA.replace(from, to)).expect_err(to);
        let network = "[network]\nlisten = \"127.0.0.1:0\"\n[replica]";
        for (from, to, named) in [
            ("[replica]", network, "takes no [network]"),
            ("role = \"replica\"", "role = \"validator\"", "takes no [replica]"),
            ("data = ", "node = 1\ndata = ", "neither number nor keys"),
            ("data = ", "keys = \"keys\"\ndata = ", "neither number nor keys"),
            ("http://127.0.0.1:8080", "https://127.0.0.1:8080", "replica.upstream"),
            ("http://127.0.0.1:8080", "http://10.0.0.2:8080", "each once"),
            ("\"http://127.0.0.1:8080\", \"http://10.0.0.2:8080\"", "", "at least one"),
        ] {
            let error = changed(from, to).to_string();
            assert!(error.contains(named), "{to}: {error}");
        }
        let error = check(&FILE.replace("node = 1", "")).expect_err("no node").to_string();
        assert!(error.contains("1 or more"), "{error}");
    }
}
