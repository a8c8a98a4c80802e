//! What bad attempts came to: each must get its code, and get it in the right place.

use serde::Serialize;

use crate::{
    day::Bad,
    item::Item,
    load::{Delivered, Place},
};

/// A kind of bad attempt and what came of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BadAttempts {
    /// Which.
    pub(super) kind: &'static str,
    /// How many.
    pub(super) sent: u64,
    /// The code that each must get.
    pub(super) expected_code: String,
    /// The code that all got; several, if they differ.
    pub(super) got: String,
    /// Where each must end.
    pub(super) expected_place: String,
    /// Where they ended.
    pub(super) place: String,
}

/// Which kind of bad attempt an item is, if it is one.
#[must_use]
pub(super) fn kind(item: &Item) -> Option<Bad> {
    Bad::ALL.iter().copied().find(|bad| bad.name() == item.kind)
}

/// Where a kind of bad attempt must end.
#[must_use]
pub(super) fn places(bad: Bad) -> &'static [Place] {
    match bad {
        // Seen without looking at what an earlier item of the same stream could change.
        Bad::ForgedSignature
        | Bad::Expired
        | Bad::WindowTooLong
        | Bad::OtherChain
        | Bad::Garbage => &[Place::Door],
        // Seen in the state at the door; a node that is behind the others lets it in, and it is void.
        Bad::ReferenceReuse | Bad::WrongSigner => &[Place::Door, Place::Void],
        // Whoever passed it on could have attached such signatures: it binds nobody.
        Bad::OneSided | Bad::PayeeApproves => &[Place::Void],
        Bad::Replay => &[Place::Applied],
        Bad::SelfApproval
        | Bad::Overspend
        | Bad::OverMandate
        | Bad::OverRefund
        | Bad::Zero
        | Bad::ShopPaysPerson
        | Bad::OverAllowance
        | Bad::OverClaim
        | Bad::UnknownPayee
        | Bad::UnknownMandate => &[Place::Rejected],
    }
}

/// Whether an item got what it must get, where it must get it.
#[must_use]
pub(super) fn as_expected(delivered: &Delivered) -> bool {
    let Delivered { item, answer } = delivered;
    let wanted = kind(item).map_or(&[Place::Applied][..], places);
    answer.code == item.expected.code().name() && wanted.contains(&answer.place)
}

/// Bad attempts by kind.
#[must_use]
pub(super) fn attempts(delivered: &[Delivered]) -> Vec<BadAttempts> {
    let of = |bad: &Bad| {
        let all: Vec<_> = delivered.iter().filter(|d| d.item.kind == bad.name()).collect();
        BadAttempts {
            kind: bad.name(),
            sent: all.len() as u64,
            expected_code: bad.code().name().into(),
            got: joined(all.iter().map(|d| d.answer.code.clone())),
            expected_place: joined(places(*bad).iter().map(|place| name(*bad, *place))),
            place: joined(all.iter().map(|d| name(*bad, d.answer.place))),
        }
    };
    Bad::ALL.iter().map(of).collect()
}

fn name(bad: Bad, place: Place) -> String {
    match (bad, place) {
        (Bad::Replay, Place::Applied) => "the old verdict again".into(),
        (_, place) => format!("{place:?}").to_lowercase(),
    }
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use musubi_ledger::{
        code::{Code, Standing},
        id::TxId,
    };

    use super::*;
    use crate::{item::Expected, load::Answer};

    fn delivered(bad: Option<Bad>, code: Code, place: Place) -> Delivered {
        let kind = bad.map_or("dues", Bad::name);
        let expected = Expected::Code(bad.map_or(Code::Applied, Bad::code));
        let item = Item { kind, id: TxId([1; 32]), bytes: Vec::new(), expected };
        let latency = Duration::ZERO;
        let answer = Answer { code: code.name().into(), place, latency, acked: Instant::now() };
        Delivered { item, answer }
    }

    #[test]
    fn the_right_code_in_the_wrong_place_is_wrong() {
        assert!(as_expected(&delivered(None, Code::Applied, Place::Applied)));
        assert!(!as_expected(&delivered(None, Code::Expired, Place::Rejected)));
        for bad in Bad::ALL {
            for place in [Place::Applied, Place::Rejected, Place::Void, Place::Door] {
                let found = as_expected(&delivered(Some(*bad), bad.code(), place));
                assert_eq!(found, places(*bad).contains(&place), "{bad:?} {place:?}");
                assert!(!as_expected(&delivered(Some(*bad), Code::TooManyKeys, place)));
            }
        }
    }

    #[test]
    fn places_are_those_that_the_codes_can_have() {
        for bad in Bad::ALL {
            let code = bad.code();
            for place in places(*bad) {
                let can = match place {
                    Place::Applied => code.standing() == Standing::Applied,
                    Place::Rejected => code.standing() == Standing::Rejected,
                    Place::Void => code.standing() == Standing::Void || code.about_signatures(),
                    Place::Door => code != Code::Applied,
                };
                assert!(can, "{bad:?} as {place:?}");
            }
        }
    }

    #[test]
    fn attempts_are_summed_up_by_kind() {
        let bad = Bad::Overspend;
        let all = [
            delivered(Some(bad), bad.code(), Place::Rejected),
            delivered(Some(bad), Code::Applied, Place::Applied),
            delivered(None, Code::Applied, Place::Applied),
        ];
        let attempts = attempts(&all);
        assert_eq!(attempts.len(), Bad::ALL.len());
        let found = attempts.iter().find(|a| a.kind == bad.name()).expect("every kind is there");
        assert_eq!((found.sent, found.got.as_str()), (2, "applied, insufficient_funds"));
        assert_eq!(
            (found.place.as_str(), found.expected_place.as_str()),
            ("applied, rejected", "rejected")
        );
        assert!(attempts.iter().filter(|a| a.kind != bad.name()).all(|a| a.sent == 0));
    }
}
