//! What the client was told, summed up: the record must show exactly that.

use std::collections::BTreeMap;

use musubi_ledger::transaction::Transaction;
use musubi_sdk::audit::Report;

use super::story::Sent;
use crate::{
    item::Expected,
    load::{Delivered, Place},
};

/// Everything that was submitted, by its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Applied.
    applied: u64,
    /// Rejected, by code.
    rejected: BTreeMap<String, u64>,
    /// Ordered and void.
    void: u64,
    /// Signatures on all of these.
    signatures: u64,
    /// Most signatures that one of them bears.
    most: u64,
}

impl Told {
    /// Adds what a load was told. A replay's answer is about what was counted before.
    pub(super) fn load(&mut self, delivered: &[Delivered]) {
        for Delivered { item, answer } in delivered {
            if item.expected != Expected::Replay {
                let transaction = Transaction::decode(&item.bytes);
                let signatures = transaction.map_or(0, |t| t.signatures.len() as u64);
                self.add(answer.place, &answer.code, signatures);
            }
        }
    }

    /// Adds what the story was told.
    pub(super) fn story(&mut self, sent: &[Sent]) {
        for sent in sent {
            self.add(sent.place, sent.code.name(), sent.signatures);
        }
    }

    fn add(&mut self, place: Place, code: &str, signatures: u64) {
        match place {
            Place::Applied => self.applied += 1,
            Place::Rejected => *self.rejected.entry(code.into()).or_default() += 1,
            Place::Void => self.void += 1,
            Place::Door => return,
        }
        self.signatures += signatures;
        self.most = self.most.max(signatures);
    }

    /// Applied and rejected.
    pub(super) fn judged(&self) -> u64 {
        self.applied + self.rejected.values().sum::<u64>()
    }

    /// Whether the audit judged what was told, and no more.
    ///
    /// # Errors
    /// What differs, in words.
    pub(super) fn verdicts(&self, audit: &Report) -> Result<(), String> {
        let applied: u64 = audit.kinds.values().sum();
        if applied != self.applied {
            return Err(format!("{applied} applied, {} were acknowledged", self.applied));
        }
        let codes = audit.rejected.keys().chain(self.rejected.keys());
        for code in codes {
            let of = |counts: &BTreeMap<String, u64>| counts.get(code).copied().unwrap_or(0);
            let (found, told) = (of(&audit.rejected), of(&self.rejected));
            if found != told {
                return Err(format!("{found} rejected as {code}, {told} were acknowledged"));
            }
        }
        Ok(())
    }

    /// Whether the audit verified every signature on what was told. What was sent again when its answer
    /// was lost may have been ordered again; it is void then, and its signatures were verified once more.
    ///
    /// # Errors
    /// What differs, in words.
    pub(super) fn signatures(&self, audit: &Report) -> Result<(), String> {
        let void: u64 = audit.void.values().sum();
        let Some(again) = void.checked_sub(self.void) else {
            return Err(format!("{void} void items, {} were told so", self.void));
        };
        let (least, most) = (self.signatures + again, self.signatures + again * self.most);
        if (least..=most).contains(&audit.signatures) {
            return Ok(());
        }
        let bounds = if again == 0 { least.to_string() } else { format!("{least} to {most}") };
        Err(format!("{} were verified, {bounds} were sent", audit.signatures))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::checks::tests::report, *};

    fn told() -> Told {
        let mut told = Told::default();
        told.add(Place::Applied, "applied", 2);
        told.add(Place::Applied, "applied", 1);
        told.add(Place::Rejected, "expired", 3);
        told.add(Place::Void, "missing_consent", 1);
        told.add(Place::Door, "bad_signature", 9);
        told
    }

    #[test]
    fn verdicts_are_compared_by_code() {
        let mut audit = report();
        audit.kinds = [("transfer".into(), 2)].into();
        audit.rejected = [("expired".into(), 1)].into();
        assert_eq!(told().judged(), 3);
        assert_eq!(told().verdicts(&audit), Ok(()));
        audit.rejected = [("expired".into(), 1), ("wrong_kind".into(), 1)].into();
        assert!(told().verdicts(&audit).is_err());
        audit.rejected.clear();
        assert!(told().verdicts(&audit).is_err());
        audit.rejected = [("expired".into(), 1)].into();
        audit.kinds = [("transfer".into(), 3)].into();
        assert!(told().verdicts(&audit).is_err());
    }

    #[test]
    fn signatures_are_exact_unless_something_was_ordered_again() {
        let mut audit = report();
        let mut with = |signatures, void: u64| {
            audit.signatures = signatures;
            audit.void = [("already_judged".into(), void)].into();
            told().signatures(&audit)
        };
        assert_eq!(with(7, 1), Ok(()));
        assert!(with(6, 1).is_err());
        assert!(with(8, 1).is_err());
        assert!(with(7, 0).is_err());
        // Two came again, with one to three signatures each.
        assert!(with(8, 3).is_err());
        assert_eq!(with(9, 3), Ok(()));
        assert_eq!(with(13, 3), Ok(()));
        assert!(with(14, 3).is_err());
    }
}
