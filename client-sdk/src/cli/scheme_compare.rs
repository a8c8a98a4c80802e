//! Whether what a scheme wants is on the ledger already, and how it is otherwise there.

use musubi_schemes::configuration::Allowed;
use musubi_sdk::{
    PublicKey, Time,
    ledger::{
        instrument::{Instrument, Life, Terms},
        offer::{Offer, OfferTerms},
        rule::{Rule, RuleTerms},
        state::Allowance,
    },
};
use serde_json::Value;

/// How an instrument of the ledger is otherwise than wanted, a line each.
pub(super) fn instrument(there: &Instrument, wanted: &Terms, now: Time) -> Vec<String> {
    let mut lines = fields(&value(&there.terms), &value(wanted));
    let life = there.life_at(now);
    if life != Life::Open {
        lines.push(format!("it is {} there, not open", value(&life)));
    }
    lines
}

/// How a rule of the ledger is otherwise than wanted, a line each.
pub(super) fn rule(there: &Rule, wanted: &RuleTerms) -> Vec<String> {
    let mut lines = fields(&value(&there.terms), &value(wanted));
    lines.extend(there.ended.map(|ended| format!("it ends there at {ended}")));
    lines
}

/// How an offer of the ledger is otherwise than wanted, a line each.
pub(super) fn offer(there: &Offer, wanted: &OfferTerms) -> Vec<String> {
    let mut lines = fields(&value(&there.terms), &value(wanted));
    lines.extend(there.ended.map(|ended| format!("it ends there at {ended}")));
    lines
}

/// How an allowance of the ledger is otherwise than wanted, a line each. An end that the file does not name is as it is.
pub(super) fn allowance(
    there: &Allowance,
    wanted: &Allowed,
    key: PublicKey,
    now: Time,
) -> Vec<String> {
    let sums = [
        ("total", there.total, wanted.total),
        ("per_wallet", there.per_wallet, wanted.per_wallet),
        ("per_day", there.per_day, wanted.per_day),
    ];
    let sums = sums.into_iter().filter(|(_, there, wanted)| there != wanted);
    let mut lines: Vec<String> =
        sums.map(|(name, there, wanted)| differs(name, &there, &wanted)).collect();
    if there.key != key {
        lines.push(differs("key", &there.key, &key));
    }
    match wanted.until {
        Some(until) if until != there.end => lines.push(differs("until", &there.end, &until)),
        _ if there.end <= now => lines.push(format!("it ended there at {}", there.end)),
        _ => {}
    }
    if let Some(revoked) = there.revoked {
        lines.push(format!("it was revoked there at {revoked}"));
    }
    lines
}

fn differs(name: &str, there: &dyn std::fmt::Display, wanted: &dyn std::fmt::Display) -> String {
    format!("{name} is {there} on the ledger, {wanted} in the file")
}

/// The fields of two documents of one shape that are not equal.
fn fields(there: &Value, wanted: &Value) -> Vec<String> {
    let (Some(there), Some(wanted)) = (there.as_object(), wanted.as_object()) else {
        return Vec::new();
    };
    let pairs = wanted.iter().map(|(name, wanted)| (name, there.get(name), wanted));
    let unequal = pairs.filter(|(_, there, wanted)| *there != Some(*wanted));
    unequal
        .map(|(name, there, wanted)| differs(name, there.unwrap_or(&Value::Null), wanted))
        .collect()
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).expect("terms have a JSON form: the API shows them")
}

#[cfg(test)]
mod tests {
    use musubi_sdk::{
        Amount, PartyId,
        ledger::{
            id::DocumentHash,
            instrument::{Regime, Validity},
        },
    };

    use super::*;

    fn terms() -> Terms {
        Terms::plain(PartyId([1; 16]), Regime::Public, DocumentHash([2; 32]))
    }

    #[test]
    fn what_is_otherwise_is_named_and_what_is_equal_is_not() {
        let there = Instrument::new(terms(), Life::Open, Time(5));
        assert_eq!(instrument(&there, &terms(), Time(5)), Vec::<String>::new());
        let wanted = Terms { step: Amount(100), ..terms() };
        let lines = instrument(&there, &wanted, Time(5));
        assert_eq!(lines, [r#"step is "1" on the ledger, "100" in the file"#]);
        let wanted = Terms { validity: Validity::At(Time(9)), ..terms() };
        assert_eq!(instrument(&there, &wanted, Time(5)).len(), 1);
        let draft = Instrument::new(terms(), Life::Draft, Time(5));
        assert_eq!(instrument(&draft, &terms(), Time(5)), [r#"it is "draft" there, not open"#]);
    }

    #[test]
    fn an_allowance_that_ended_or_was_revoked_is_none() {
        let key = PublicKey([7; 32]);
        let wanted = Allowed {
            instrument: "TOWN".parse().expect("a code"),
            issuer: 0,
            total: Amount(10),
            per_wallet: Amount(5),
            per_day: Amount(6),
            until: None,
        };
        let there = Allowance {
            instrument: wanted.instrument,
            issuer: PartyId([1; 16]),
            key,
            total: Amount(10),
            per_wallet: Amount(5),
            per_day: Amount(6),
            end: Time(100),
            granted_by: Vec::new(),
            revoked: None,
            used: Amount(3),
            day: musubi_sdk::ledger::time::Day(0),
            used_today: Amount(3),
        };
        let none = Vec::<String>::new();
        assert_eq!(
            allowance(&there, &wanted, key, Time(9)),
            none,
            "what is used of it is no difference"
        );
        assert_eq!(allowance(&there, &wanted, key, Time(100)).len(), 1);
        let revoked = Allowance { revoked: Some(Time(8)), ..there.clone() };
        assert_eq!(allowance(&revoked, &wanted, key, Time(9)).len(), 1);
        let more = Allowed { total: Amount(11), until: Some(Time(99)), ..wanted };
        let lines = allowance(&there, &more, PublicKey([8; 32]), Time(9));
        assert_eq!(lines[0], "total is 10 on the ledger, 11 in the file");
        assert_eq!(lines.len(), 3);
    }
}
