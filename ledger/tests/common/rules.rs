//! Rules in the words of a test.

use musubi_ledger::{
    amount::Amount,
    execute::MemoryState,
    id::{RuleId, TxId},
    lot::OriginKind,
    operation::{EndRule, Operation, PutRule},
    rule::{
        Base, Give, Giver, Post, Recipient, RuleTerms, Share, Trigger,
        cap::{Cap, CapOf, Over, Period, Scope},
        formula::{Formula, Rate},
        split::{Leg, Split},
        when::When,
    },
    state::{Judged, ReadState, Row, RowKey},
    time::Time,
};

use super::{
    names::{By, id, instrument, officer},
    world::World,
};

/// A rule's id.
pub fn rule_id(of: &str, number: u16) -> RuleId {
    RuleId { instrument: instrument(of), number }
}

/// So many hundredths, rounded down.
pub fn percent(num: u32) -> Formula {
    Formula::Rate(Rate::floor(num, 100))
}

/// Free value for the payer, from its issuer.
pub fn give(of: &str) -> Give {
    Give {
        instrument: instrument(of),
        origin: OriginKind::Free,
        funder: id("issuer"),
        campaign: 0,
        to: Recipient::Payer,
    }
}

/// A rule that always gives the payer so much of everything that moved.
pub fn rewards(on: Trigger, formula: Formula, of: &str) -> RuleTerms {
    RuleTerms {
        on,
        when: When::always(Time(0)),
        base: Base::Tender,
        formula,
        post: Post::Give(give(of)),
        caps: Vec::new(),
        over: Over::Truncate,
    }
}

/// A split among parties by weight.
pub fn split(legs: &[(&str, u32)], remainder: u8) -> Split {
    let leg = |(to, weight): &(&str, u32)| Leg { to: id(to), weight: *weight };
    Split { legs: legs.iter().map(leg).collect(), remainder }
}

/// A rule that passes on a part of every purchase.
pub fn shares(from: Giver, formula: Formula, split: Split) -> RuleTerms {
    let post = Post::Share(Share { from, split });
    RuleTerms { post, ..rewards(Trigger::Purchase, formula, "MEBUKU") }
}

/// A cap on what is given.
pub fn cap(scope: Scope, per: Period, most: u64) -> Cap {
    Cap { scope, per, of: CapOf::Given, most: Amount(most) }
}

/// Puts a rule.
pub fn put(of: &str, number: u16, terms: RuleTerms) -> Operation {
    Operation::PutRule(PutRule { id: rule_id(of, number), terms })
}

/// Ends a rule.
pub fn end_rule(of: &str, number: u16, at: Time) -> Operation {
    Operation::EndRule(EndRule { id: rule_id(of, number), at })
}

/// Two officers of the issuer.
pub fn issuers() -> [By; 2] {
    [officer("issuer", "i1"), officer("issuer", "i2")]
}

impl World {
    /// Puts a rule that must be applied.
    #[track_caller]
    pub fn rule(&mut self, of: &str, number: u16, terms: RuleTerms) -> TxId {
        self.apply("i1", put(of, number, terms), &issuers())
    }

    /// A payment with both sides' live consent, which must be applied.
    #[track_caller]
    pub fn sale(&mut self, from: &str, to: &str, of: &str, amount: u64) -> TxId {
        let op = super::operations::pay_in(from, to, &[(of, amount)]);
        self.apply(from, op, &[super::names::debit(from), super::names::credit(to)])
    }

    /// A refund that must be applied.
    #[track_caller]
    pub fn gives_back(&mut self, original: TxId, who: &str, of: &str, amount: u64) {
        let op = super::operations::give_back(original, of, amount);
        self.apply(who, op, &[super::names::debit(who)]);
    }
}

/// What rules gave for something is told in full, and no more of it undone (INV-15).
pub fn check_derived(judged: &Judged) {
    for derived in judged.settled.iter().flat_map(|settled| &settled.derived) {
        let sum = |of: fn(&musubi_ledger::state::SettledLot) -> Amount| -> u64 {
            derived.parts.iter().map(|part| of(&part.lot).0).sum()
        };
        assert_eq!(sum(|lot| lot.amount), derived.given.0, "INV-15: parts are the whole");
        assert_eq!(sum(|lot| lot.undone), derived.undone.0, "INV-15: parts undone are the whole");
        assert!(derived.undone <= derived.given && derived.left <= derived.base, "INV-15");
        if derived.left.is_zero() {
            assert_eq!(derived.undone, derived.given, "INV-15: nothing stays without its cause");
        }
    }
}

/// Books hold what was put and still lives, bits stand for books, caps were never exceeded (INV-14).
pub fn check_rule(state: &MemoryState, key: &RowKey, row: &Row) {
    let rule_of = |id| match state.row(&RowKey::Rule(id)) {
        Some(Row::Rule(rule)) => rule,
        other => panic!("a rule is kept for ever, found {other:?}"),
    };
    match (key, row) {
        (RowKey::RuleUse(id, scope, _), Row::RuleUse(uses)) => {
            for cap in rule_of(*id).terms.caps.iter().filter(|cap| cap.scope == *scope) {
                for count in uses.counts.iter().filter(|count| count.per == cap.per) {
                    let used = match cap.of {
                        CapOf::Given => count.given.0,
                        CapOf::Times => count.times,
                    };
                    assert!(used <= cap.most.0, "INV-14: {id:?} {cap:?} {count:?}");
                }
            }
        }
        (RowKey::RuleBook(instrument, trigger), Row::RuleBook(book)) => {
            assert!(!book.rules.is_empty() && book.rules.windows(2).all(|w| w[0].0 < w[1].0));
            for (number, rule) in &book.rules {
                let id = RuleId { instrument: *instrument, number: *number };
                assert_eq!((rule, rule.terms.on), (&*rule_of(id), *trigger));
            }
        }
        (RowKey::Instrument(id), Row::Instrument(instrument)) => {
            for trigger in Trigger::ALL {
                let book = state.row(&RowKey::RuleBook(*id, trigger)).is_some();
                assert_eq!(book, instrument.triggers & trigger.bit() != 0, "{id} {trigger:?}");
            }
        }
        _ => super::documents::check_document(state, key, row),
    }
}
