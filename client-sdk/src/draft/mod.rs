//! Writing bodies: a [`Composer`] knows the chain and its time, a [`Draft`] is a body under
//! construction.
//!
//! Everything a body needs besides its operation is filled in: a fresh random reference and salt, and
//! an expiry of now plus the composer's window. One intent, one draft: sending the same draft again is
//! safe, composing it again makes another payment.

mod documents;
mod dues;
mod grants;
mod groups;
mod holds;
mod money;
mod offers;
mod parties;
mod rules;
mod runs;

pub use money::Funding;

use musubi_ledger::{
    api::Info,
    genesis::RULES_VERSION,
    id::{ChainId, DocumentHash, PartyId, Reference, RosterLine, Salt, TxId},
    keys::SecretKey,
    limits,
    operation::Operation,
    time::Time,
    transaction::{Body, Purpose},
};

use crate::{
    entropy,
    halfsigned::{HalfSigned, Slot},
};

/// Composes bodies for one chain at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composer {
    /// The chain.
    pub chain: ChainId,
    /// The rules in force.
    pub rules_version: u16,
    /// Block time, or the caller's clock.
    pub now: Time,
    /// How long a body stays valid, in milliseconds.
    pub window_ms: u64,
}

impl Composer {
    /// An hour: enough for a second device, short enough that absence soon is conclusive.
    pub const WINDOW_MS: u64 = 3_600_000;

    /// For `chain` at `now`, with the usual window and the rules that this software has.
    #[must_use]
    pub fn new(chain: ChainId, now: Time) -> Self {
        Self { chain, rules_version: RULES_VERSION, now, window_ms: Self::WINDOW_MS }
    }

    /// From what a node says about itself: its block time is the only clock that counts.
    #[must_use]
    pub fn from_info(info: &Info) -> Self {
        Self {
            chain: info.chain,
            rules_version: info.rules_version,
            now: info.time,
            window_ms: Self::WINDOW_MS,
        }
    }

    /// With another window, at most the ledger's 24 hours.
    #[must_use]
    pub fn with_window(mut self, window_ms: u64) -> Self {
        self.window_ms = window_ms.min(limits::SUBMISSION_WINDOW_MS);
        self
    }

    /// A draft of any operation, sent by `sender`.
    pub fn draft(&self, sender: PartyId, operation: Operation) -> Draft {
        Draft {
            body: Body {
                chain: self.chain,
                rules_version: self.rules_version,
                sender,
                reference: entropy::reference(""),
                salt: entropy::salt(),
                expires: self.now.plus(self.window_ms),
                purpose: Purpose::NONE,
                memo: None,
                answers: None,
                on_behalf_of: None,
                operation,
            },
        }
    }
}

/// A body under construction; changing it changes its id, so this ends with the first signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Draft {
    body: Body,
}

impl Draft {
    /// Another party that submits it.
    pub fn sender(mut self, sender: PartyId) -> Self {
        self.body.sender = sender;
        self
    }

    /// The sender's own name for this intent, such as an order number.
    pub fn reference(mut self, reference: Reference) -> Self {
        self.body.reference = reference;
        self
    }

    /// What it is for.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.body.purpose = purpose;
        self
    }

    /// Hash of a memo that is kept beside the log.
    pub fn memo(mut self, memo: DocumentHash) -> Self {
        self.body.memo = Some(memo);
        self
    }

    /// The payment request that this answers.
    pub fn answers(mut self, request: TxId) -> Self {
        self.body.answers = Some(request);
        self
    }

    /// The roster line of the member for whom somebody else pays.
    pub fn on_behalf_of(mut self, line: RosterLine) -> Self {
        self.body.on_behalf_of = Some(line);
        self
    }

    /// Another expiry.
    pub fn expires(mut self, expires: Time) -> Self {
        self.body.expires = expires;
        self
    }

    /// A salt of the caller's own: for vectors and replayable load; never twice the same in earnest.
    pub fn salt(mut self, salt: Salt) -> Self {
        self.body.salt = salt;
        self
    }

    /// The id that it will have.
    #[must_use]
    pub fn id(&self) -> TxId {
        self.body.id()
    }

    /// What it says so far.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The finished body.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Finished, not signed yet.
    #[must_use]
    pub fn half_signed(self) -> HalfSigned {
        HalfSigned::new(self.body)
    }

    /// Finished, with a first signature.
    #[must_use]
    pub fn sign(self, slot: Slot, key: &SecretKey) -> HalfSigned {
        HalfSigned::signed_once(self.body, slot, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use musubi_ledger::operation::Operation;

    fn composer() -> Composer {
        Composer::new(ChainId([1; 32]), Time(1_000))
    }

    fn draft() -> Draft {
        let mandate = TxId([2; 32]);
        composer().draft(PartyId([3; 16]), Operation::RevokeMandate { mandate })
    }

    #[test]
    fn every_draft_is_another_intent() {
        let (one, two) = (draft(), draft());
        assert_ne!(one.body().reference, two.body().reference);
        assert_ne!(one.body().salt, two.body().salt);
        assert_ne!(one.id(), two.id());
        assert_eq!(one.clone().id(), one.id());
    }

    #[test]
    fn windows_end_where_the_ledger_says() {
        assert_eq!(draft().body().expires, Time(1_000 + Composer::WINDOW_MS));
        let long = composer().with_window(u64::MAX);
        assert_eq!(long.window_ms, limits::SUBMISSION_WINDOW_MS);
    }
}
