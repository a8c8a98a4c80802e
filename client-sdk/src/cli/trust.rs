//! What a verifier believes before it has seen anything: a ledger's policies, followed from its chain id.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use musubi_sdk::{
    ChainId, InstrumentId,
    ledger::policy::{
        BundleError, Cosigned, FinalCheckpoint, Member, PolicyBundle, PolicyChain,
        bundle::BUNDLE_BYTES_MAX,
    },
    proof,
};
use serde_json::{Value, json};

use super::{error::CliError, files, session::Session};

/// What verifying a file offline takes besides the file.
#[derive(Debug, Args)]
pub(crate) struct TrustRoot {
    /// The ledger's policy bundle, from `musubi policy export`
    #[arg(long, value_name = "BUNDLE")]
    policy: PathBuf,
    #[command(flatten)]
    chain: KnownChain,
}

/// A chain id that somebody knows by other means.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct KnownChain {
    /// The chain that it must be: the SHA-256 of the genesis document [default: the profile's; without one, the
    /// report says so]
    #[arg(long, value_name = "CHAIN")]
    chain: Option<ChainId>,
}

/// Where the chain id came from to which everything is traced back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    Given,
    Profile,
    /// From what was to be verified: nobody vouched for it yet.
    Claimed,
}

impl KnownChain {
    /// The chain that somebody vouches for.
    pub(crate) fn known(self, session: &Session) -> Option<ChainId> {
        self.chain.or(session.profile().chain)
    }
}

impl Trust {
    fn name(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Profile => "profile",
            Self::Claimed => "bundle",
        }
    }
}

/// The policies that proofs are checked against, and what they were traced back to.
pub(crate) struct Policies {
    pub(crate) chain: PolicyChain,
    trust: Trust,
}

impl TrustRoot {
    /// Follows the bundle's policies from the trust root.
    pub(crate) fn open(&self, session: &Session) -> Result<Policies, CliError> {
        Policies::read(&self.policy, self.chain, session)
    }
}

impl Policies {
    /// From a file.
    pub(crate) fn read(
        path: &Path,
        given: KnownChain,
        session: &Session,
    ) -> Result<Self, CliError> {
        Self::follow(&files::read_input(path, BUNDLE_BYTES_MAX as u64)?, given, session)
    }

    /// From a node, with the bytes that it gave.
    pub(crate) async fn ask(
        given: KnownChain,
        session: &mut Session,
    ) -> Result<(Self, Vec<u8>), CliError> {
        let bytes = session.client()?.policies().await?;
        Ok((Self::follow(&bytes, given, session)?, bytes))
    }

    fn follow(bytes: &[u8], given: KnownChain, session: &Session) -> Result<Self, CliError> {
        let bundle = PolicyBundle::decode(bytes)?;
        let (chain, trust) = match (given.chain, session.profile().chain) {
            (Some(chain), _) => (chain, Trust::Given),
            (None, Some(chain)) => (chain, Trust::Profile),
            (None, None) => (bundle.chain()?, Trust::Claimed),
        };
        Ok(Self { chain: bundle.verify(&chain)?, trust })
    }

    /// Decimal places as the genesis document has them: enough to show sums offline.
    pub(crate) fn decimals(&self) -> BTreeMap<InstrumentId, u8> {
        proof::glossary(self.chain.genesis()).decimals.into_iter().collect()
    }

    /// Where the chain id came from, in a word for programs.
    pub(crate) fn trust(&self) -> &'static str {
        self.trust.name()
    }

    /// The chain id, and where it came from.
    pub(crate) fn root(&self) -> String {
        let chain = self.chain.chain();
        match self.trust {
            Trust::Given => format!("chain {chain}, as given with --chain"),
            Trust::Profile => format!("chain {chain}, as this home's profile has it"),
            Trust::Claimed => format!(
                "chain {chain}, as the bundle itself says and nobody else: compare it once with one you know by \
                 other means, then give it with --chain"
            ),
        }
    }

    /// The newest policy as other tools of transparency logs read it.
    pub(crate) fn text(&self) -> String {
        self.chain.newest().to_text().trim_end().to_owned()
    }

    /// Who vouches for a checkpoint.
    pub(crate) fn vouched(&self, checkpoint: &FinalCheckpoint) -> String {
        let mut names: Vec<String> = checkpoint.cosigned.iter().map(|c| self.member(c)).collect();
        names.sort_unstable();
        names.dedup();
        format!(
            "the checkpoint of {} leaves that {} cosigned, by witness policy {}",
            checkpoint.checkpoint.size(),
            names.join(", "),
            checkpoint.policy,
        )
    }

    fn member(&self, cosigned: &Cosigned) -> String {
        let organisations = &self.chain.genesis().organisations;
        match cosigned.member {
            Member::Independent => cosigned.name.clone(),
            Member::Organisation(party) => organisations
                .iter()
                .find(|organisation| organisation.party == party)
                .map_or_else(|| party.to_string(), |organisation| organisation.name.clone()),
        }
    }

    /// A checkpoint for programs.
    pub(crate) fn checkpoint_json(&self, checkpoint: &FinalCheckpoint) -> Value {
        let cosigned: Vec<&str> = checkpoint.cosigned.iter().map(|c| c.name.as_str()).collect();
        json!({
            "chain": self.chain.chain(),
            "size": checkpoint.checkpoint.size(),
            "policy": checkpoint.policy,
            "cosigned": cosigned,
        })
    }
}

impl From<BundleError> for CliError {
    fn from(error: BundleError) -> Self {
        let next = "fetch the bundle again with `musubi policy export`, from another organisation's node too";
        Self::new(error.code(), error.to_string()).next(next)
    }
}
