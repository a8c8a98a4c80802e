//! What clients are told, held against the books.

use musubi_ledger::{code::Code, id::TxId};

use super::{Checker, Holds, Verdict, broken};

impl Checker {
    /// A client hears a verdict.
    pub(crate) fn acknowledged(&mut self, id: TxId, verdict: Verdict) -> Holds {
        if self.blind {
            return Ok(());
        }
        self.acknowledged.insert(id);
        match self.chain.verdict(&id) {
            Some(known) if known == verdict => Ok(()),
            known => broken(
                "I8 an acknowledged verdict stands",
                format!("a client was told {verdict:?} about {id}, the log says {known:?}"),
            ),
        }
    }

    /// A client hears that a transaction expired without a verdict.
    pub(crate) fn expired(&mut self, id: TxId) -> Holds {
        if self.blind {
            return Ok(());
        }
        self.expired.insert(id);
        match self.chain.verdict(&id) {
            Some(Verdict { code: Code::Applied, height, .. }) => broken(
                "I23 absence after expiry is final",
                format!("a client was told that {id} expired, it was applied at height {height}"),
            ),
            _ => Ok(()),
        }
    }
}
