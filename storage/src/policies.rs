//! The witness policies and epochs of a log, as its state has them, and the bundle that proves them.

use std::collections::BTreeMap;

use musubi_ledger::{
    epoch::FIRST_EPOCH,
    id::TxId,
    policy::{PolicyBundle, PolicyChain, PolicyStep, Recovery, WitnessPolicy},
    state::{Epoch, Row, RowKey, Shared},
    tlog::{checkpoint::Checkpoint, note::SignedNote, proof::prove_inclusion},
    transaction::Transaction,
};

use crate::{
    Store,
    backend::Family,
    error::StoreError,
    layout::{self, Word},
};

impl Store {
    /// The witness policies up to the newest recorded block, each with the size from which it holds, epoch by epoch;
    /// those that a final checkpoint has confirmed are settled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn policies(&self) -> Result<PolicyChain, StoreError> {
        let mut chain = PolicyChain::of_genesis(&self.genesis()?);
        let founding = self.founding()?;
        for number in 2.. {
            let Some((policy, leaf)) = self.policy(number)? else { break };
            let damaged = |_| StoreError::damaged(format!("witness policy {number}"));
            match founding.get(&number) {
                Some(epoch) => {
                    chain.begin(self.recovery(*epoch, (number, leaf), &chain)?).map_err(damaged)?
                }
                None => chain.push(&policy, leaf + 1).map_err(damaged)?,
            }
            if self.settled(number)?.is_some() {
                chain.settle(leaf + 1);
            }
        }
        Ok(chain)
    }

    /// All confirmed changes of the witness policy and all confirmed recoveries with their proofs, for verifiers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn policy_bundle(&self) -> Result<PolicyBundle, StoreError> {
        let genesis = layout::meta(self.backend(), Word::Genesis)?;
        let last_recovery = self.founding()?.into_keys().max().unwrap_or(0);
        let mut steps = Vec::new();
        for number in 2.. {
            let Some((_, index)) = self.policy(number)? else { break };
            match self.settled(number)? {
                Some(checkpoint) => steps.push(self.policy_step((number, index), checkpoint)?),
                // A recovery came before it was confirmed: it never will be.
                None if number < last_recovery => {}
                None => break,
            }
        }
        Ok(PolicyBundle { genesis, steps })
    }

    /// The row of an epoch that a recovery began.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn epoch(&self, number: u32) -> Result<Option<Shared<Epoch>>, StoreError> {
        match self.row(&RowKey::Epoch(number))? {
            Some(Row::Epoch(row)) => Ok(Some(row)),
            Some(_) => Err(StoreError::damaged(format!("epoch {number}"))),
            None => Ok(None),
        }
    }

    /// The policies that recoveries set, by number.
    fn founding(&self) -> Result<BTreeMap<u32, u32>, StoreError> {
        let mut founding = BTreeMap::new();
        for epoch in FIRST_EPOCH + 1.. {
            let Some(row) = self.epoch(epoch)? else { break };
            founding.insert(row.policy, epoch);
        }
        Ok(founding)
    }

    fn recovery(
        &self,
        epoch: u32,
        (number, leaf): (u32, u64),
        chain: &PolicyChain,
    ) -> Result<Recovery, StoreError> {
        let damaged = || StoreError::damaged(format!("the recovery to epoch {epoch}"));
        let bytes = match self.kept_step(number)? {
            Some(step) => step.transaction,
            None => self.transaction(leaf)?.ok_or_else(damaged)?,
        };
        let transaction = Transaction::decode(&bytes).map_err(|_| damaged())?;
        Recovery::drafted(&transaction, chain.genesis()).map_err(|_| damaged())
    }

    fn policy_step(
        &self,
        (number, index): (u32, u64),
        checkpoint: String,
    ) -> Result<PolicyStep, StoreError> {
        if let Some(step) = self.kept_step(number)? {
            return Ok(step);
        }
        let damaged = || StoreError::damaged(format!("the policy change at leaf {index}"));
        let transaction = self.transaction(index)?.ok_or_else(damaged)?;
        let leaf = self.leaf(index)?.ok_or_else(damaged)?;
        let note = SignedNote::parse(checkpoint.as_bytes()).map_err(|_| damaged())?;
        let size = note.text().parse::<Checkpoint>().map_err(|_| damaged())?.size();
        let path = prove_inclusion(&self.nodes(), index, size).map_err(|_| damaged())?;
        Ok(PolicyStep { transaction, leaf, index, path, checkpoint })
    }

    /// A change from before the log's base: it came with the snapshot, and was verified with it.
    fn kept_step(&self, number: u32) -> Result<Option<PolicyStep>, StoreError> {
        layout::get(self.backend(), Family::Meta, &Word::Step(number).key())
    }

    /// A policy that a transaction set, and that transaction's leaf.
    fn policy(&self, number: u32) -> Result<Option<(WitnessPolicy, u64)>, StoreError> {
        let Some(row) = self.row(&RowKey::Policy(number))? else { return Ok(None) };
        let damaged = || StoreError::damaged(format!("witness policy {number}"));
        let Row::Policy(row) = row else { return Err(damaged()) };
        let set_by: TxId = row.set_by.ok_or_else(damaged)?;
        let judged = self.judged(set_by)?.ok_or_else(damaged)?;
        Ok(Some((row.policy.clone(), judged.leaf)))
    }

    fn settled(&self, number: u32) -> Result<Option<String>, StoreError> {
        layout::get(self.backend(), Family::Meta, &Word::Settled(number).key())
    }
}
