//! Drafts that grant: mandates, allowances, instruments, media.

use musubi_ledger::{
    id::{DocumentHash, InstrumentId, MediumId, PartyId, TxId},
    instrument::{InstrumentChange, Terms},
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{
        ChangeInstrument, DefineInstrument, EnrolMedium, GrantAllowance, GrantMandate, Leg,
        Operation,
    },
    time::Time,
};

use super::{Composer, Draft};

impl Composer {
    /// Bounded consent in advance.
    pub fn grant_mandate(&self, sender: PartyId, grantor: PartyId, terms: MandateTerms) -> Draft {
        let grant = GrantMandate { grantor, terms };
        self.draft(sender, Operation::GrantMandate(grant))
    }

    /// Terms of a standing consent to receive up to `per_use` of each of `instruments` at a time, from
    /// anyone, from now on: what a shop's printed code stands on.
    #[must_use]
    pub fn standing_acceptance(&self, per_use: &[Leg], until: Option<Time>) -> MandateTerms {
        let mut instruments: Vec<InstrumentId> = per_use.iter().map(|leg| leg.instrument).collect();
        instruments.sort_unstable();
        instruments.dedup();
        let most = per_use.iter().map(|leg| leg.amount).max();
        MandateTerms {
            direction: Direction::Credit,
            instruments,
            counterparty: Counterparty::Any,
            purpose: None,
            per_use: most.unwrap_or_default(),
            per_day: None,
            per_counterparty: None,
            total: None,
            uses: None,
            staff: Vec::new(),
            from: self.now,
            until,
        }
    }

    /// Ends a mandate.
    pub fn revoke_mandate(&self, sender: PartyId, mandate: TxId) -> Draft {
        self.draft(sender, Operation::RevokeMandate { mandate })
    }

    /// An issuer's right to issue up to a cap.
    pub fn grant_allowance(&self, sender: PartyId, grant: GrantAllowance) -> Draft {
        self.draft(sender, Operation::GrantAllowance(grant))
    }

    /// Ends an allowance.
    pub fn revoke_allowance(&self, sender: PartyId, allowance: TxId) -> Draft {
        self.draft(sender, Operation::RevokeAllowance { allowance })
    }

    /// Defines an instrument: open from now on, or a draft.
    pub fn define_instrument(
        &self,
        sender: PartyId,
        instrument: InstrumentId,
        terms: Terms,
        open: bool,
    ) -> Draft {
        let define = DefineInstrument { instrument, terms, open };
        self.draft(sender, Operation::DefineInstrument(define))
    }

    /// A further step of an instrument's life, its supply or its published terms. `notice` is the hash of what
    /// decided it.
    pub fn change_instrument(
        &self,
        sender: PartyId,
        instrument: InstrumentId,
        change: InstrumentChange,
        notice: DocumentHash,
    ) -> Draft {
        let change = ChangeInstrument { instrument, change, notice };
        self.draft(sender, Operation::ChangeInstrument(change))
    }

    /// Gives a holder a medium; an officer of the registrar sends.
    pub fn enrol_medium(&self, sender: PartyId, enrol: EnrolMedium) -> Draft {
        self.draft(sender, Operation::EnrolMedium(enrol))
    }

    /// Ends a medium.
    pub fn revoke_medium(&self, sender: PartyId, medium: MediumId) -> Draft {
        self.draft(sender, Operation::RevokeMedium { medium })
    }
}
