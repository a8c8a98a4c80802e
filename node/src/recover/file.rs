//! The file that organisations sign and validators are configured with: the recovery and all before it.

use std::path::Path;

use anyhow::{Context, bail};
use musubi_consensus::{Ended, MemberKey, Position};
use musubi_ledger::{
    epoch::FIRST_EPOCH,
    genesis::{Genesis, Node},
    policy::Recovery,
    time::Time,
    transaction::Transaction,
};
use serde::{Deserialize, Serialize};

/// A recovery on its way, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryFile {
    /// What the batch is stamped with that carries it, so that applying it twice gives the same bytes.
    pub time: Time,
    /// The recoveries before it, oldest first.
    pub earlier: Vec<Transaction>,
    /// The recovery, with the signatures so far.
    pub recovery: Transaction,
}

/// The recoveries of a ledger, each signed by its governance quorum, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Recoveries {
    /// What they say.
    pub list: Vec<Recovery>,
    /// The file they came in.
    pub file: Option<RecoveryFile>,
}

impl RecoveryFile {
    /// Reads a file; nothing in it is checked.
    ///
    /// # Errors
    /// If it cannot be read, or is no such file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is no recovery of `musubi-node recover`", path.display()))
    }

    /// Checks that the governance quorum signed it and all before it, and that they are one after another.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(self, genesis: &Genesis) -> anyhow::Result<Recoveries> {
        let mut list: Vec<Recovery> = Vec::new();
        for transaction in self.earlier.iter().chain([&self.recovery]) {
            let number = FIRST_EPOCH + 1 + u32::try_from(list.len()).unwrap_or(u32::MAX);
            let recovery = Recovery::signed(transaction, genesis)
                .with_context(|| format!("the recovery to epoch {number}"))?;
            let follows =
                list.last().is_none_or(|before| before.begins.size < recovery.begins.size);
            if recovery.begins.epoch != number || !follows {
                bail!("the recovery to epoch {number} does not follow on the one before it");
            }
            list.push(recovery);
        }
        Ok(Recoveries { list, file: Some(self) })
    }
}

impl Recoveries {
    /// The epoch in force.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.list.last().map_or(FIRST_EPOCH, |last| last.begins.epoch)
    }

    /// The validators of the epoch in force.
    #[must_use]
    pub fn validators<'a>(&'a self, genesis: &'a Genesis) -> &'a [Node] {
        self.list.last().map_or(&genesis.nodes, |last| &last.begins.validators)
    }

    /// The epochs that are over, as consensus must know them.
    #[must_use]
    pub fn ended(&self, genesis: &Genesis) -> Vec<Ended> {
        let validators = self.list.iter().map(|recovery| &recovery.begins.validators);
        let before = [&genesis.nodes].into_iter().chain(validators);
        let ended = |(nodes, recovery): (&Vec<Node>, &Recovery)| Ended {
            members: members(nodes),
            last: Position { index: recovery.begins.last_index, term: recovery.begins.last_term },
            opener: recovery.begins.opener,
            recovery: recovery.id,
        };
        before.zip(&self.list).map(ended).collect()
    }
}

/// Validators as consensus knows them.
#[must_use]
pub fn members(nodes: &[Node]) -> Vec<MemberKey> {
    nodes.iter().map(|node| MemberKey { node: node.id, batch_key: node.node }).collect()
}
