//! Bulk grants.

use musubi_ledger::{
    id::{PartyId, TxId},
    operation::{EndRun, OpenRun, Operation, RunChunk},
};

use super::{Composer, Draft};

impl Composer {
    /// The manifest of a bulk grant; an officer of the issuer sends.
    pub fn open_run(&self, sender: PartyId, manifest: OpenRun) -> Draft {
        self.draft(sender, Operation::OpenRun(manifest))
    }

    /// Some lines of a run; whoever is on the ledger sends.
    pub fn run_chunk(&self, sender: PartyId, chunk: RunChunk) -> Draft {
        self.draft(sender, Operation::RunChunk(chunk))
    }

    /// Ends a run at once.
    pub fn end_run(&self, sender: PartyId, run: TxId) -> Draft {
        self.draft(sender, Operation::EndRun(EndRun { run }))
    }
}
