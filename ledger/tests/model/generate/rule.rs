//! Random rules: rewards, bonuses, shares and fees, with every kind of cap, and their end.

use musubi_ledger::{
    id::RuleId,
    predicate::Predicate,
    rule::{
        Base, Give, Giver, Post, Recipient, RuleTerms, Share, Trigger,
        cap::{Cap, CapOf, Over, Period, Scope},
        formula::{Formula, Rate, Rounding, Steps, Threshold},
        split::{Leg as Weighed, Split},
        when::{Reached, When},
    },
};

use super::{issuer::officials, *};

fn rate(num: u32, den: u32, rounding: Rounding, carry: bool) -> Formula {
    Formula::Rate(Rate { num, den, rounding, carry })
}

fn formula(choice: u16) -> Formula {
    let line = |from, give| Threshold { from: Amount(from), give: Amount(give) };
    match choice % 9 {
        0 => rate(1, 100, Rounding::Floor, false),
        1 => rate(3, 7, Rounding::Ceil, false),
        2 => rate(1, 3, Rounding::HalfUp, false),
        3 | 4 => rate(15, 100, Rounding::Floor, true),
        5 => Formula::Fixed(Amount(30)),
        6 => Formula::Steps(Steps { every: Amount(50), give: Amount(7) }),
        7 => Formula::Table(vec![line(50, 5), line(500, 80), line(900, 80)]),
        _ => rate(1, 0, Rounding::Floor, false),
    }
}

fn split(choice: u16) -> Split {
    let leg = |(to, weight)| Weighed { to: id(to), weight };
    let legs = match choice % 5 {
        0 => vec![("mart", 1), ("operator", 1)],
        1 => vec![("club", 3)],
        2 => vec![("issuer", 1), ("shop", 2), ("partner", 4)],
        3 => vec![("alice", 1)],
        _ => vec![("mart", 2), ("issuer", 1), ("club", 1)],
    };
    let remainder = u8::try_from(choice % 7 % 3).unwrap();
    Split { legs: legs.into_iter().map(leg).collect(), remainder }
}

fn caps(choice: u16) -> Vec<Cap> {
    let cap = |scope, per, of, most| Cap { scope, per, of, most: Amount(most) };
    let all = [
        cap(Scope::Event, Period::Ever, CapOf::Given, 40),
        cap(Scope::Payer, Period::Day, CapOf::Given, 60),
        cap(Scope::Payer, Period::Month, CapOf::Times, 3),
        cap(Scope::Household, Period::Month, CapOf::Given, 90),
        cap(Scope::Payee, Period::FiscalYear, CapOf::Given, 200),
        cap(Scope::All, Period::Ever, CapOf::Given, 400),
    ];
    all.into_iter().enumerate().filter(|(at, _)| choice & (1 << at) != 0).map(|c| c.1).collect()
}

fn when(world: &World, choice: u16) -> When {
    let usual = When::always(Time(world.now.0 - 1));
    let resident = || Some(Predicate::is("resident", &["yes"]));
    match choice % 16 {
        0 => When { until: Some(world.now.plus(DAY)), ..usual },
        1 => When { purpose: Some(Purpose::DUES), ..usual },
        2 => When { payer: resident(), ..usual },
        3 => When { payee: resident(), ..usual },
        4 => When { payee_is: Some(id("shop")), ..usual },
        5 => When { least: Amount(500), ..usual },
        6 => When { multiple: Some(Amount(100)), ..usual },
        7 => {
            let tier = Reached { instrument: instrument("POINT"), from: Amount(5_000) };
            When { tier: Some(tier), ..usual }
        }
        8 => When { origins: vec![OriginKind::Free, OriginKind::Paid], ..usual },
        9 => When { until: Some(Time(world.now.0 - 1)), from: Time(0), ..usual },
        _ => usual,
    }
}

/// A rule, and who signs besides the issuer's officers.
fn terms(world: &World, step: &Step) -> (RuleTerms, Vec<By>) {
    let mut more = Vec::new();
    let on =
        [Trigger::Purchase, Trigger::TopUp, Trigger::Transfer, Trigger::Take, Trigger::Purchase];
    let mut on = pick(&on, step[1]).unwrap();
    let bases = [Base::Tender, Base::PaidLots, Base::Gross, Base::AfterDiscount];
    let mut base = pick(&bases, step[2]).unwrap();
    let post = match step[3] % 16 {
        0..=3 => {
            let from = if step[4].is_multiple_of(3) { Giver::Payer } else { Giver::Payee };
            if !step[4].is_multiple_of(7) {
                base = Base::Tender;
            }
            Post::Share(Share { from, split: split(step[4]) })
        }
        4 => {
            (on, base) = (Trigger::Redeem, Base::RunTotal);
            Post::Fee(split(step[4]))
        }
        n => {
            let funder = match n {
                5 | 6 => {
                    more.push(debit("shop"));
                    "shop"
                }
                7 => {
                    more.extend([drafts("club", "alice"), approves("club", "bob")]);
                    "club"
                }
                8 => "alice",
                _ => "issuer",
            };
            let to = match step[4] % 5 {
                0 => Recipient::Payee,
                1 => Recipient::Party(id(pick(&PARTIES, step[4] / 5).unwrap())),
                _ => Recipient::Payer,
            };
            let instrument =
                instrument(pick(&["POINT", "MEBUKU", "COIN", "GIFT"], step[2]).unwrap());
            let origin = if n == 9 { OriginKind::Grant } else { OriginKind::Free };
            Post::Give(Give { instrument, origin, funder: id(funder), campaign: 7, to })
        }
    };
    let over = pick(&[Over::Truncate, Over::Truncate, Over::Skip, Over::Refuse], step[5]).unwrap();
    let terms = RuleTerms {
        on,
        when: when(world, step[5] / 4),
        base,
        formula: formula(step[6]),
        post,
        caps: caps(step[1] / 4),
        over,
    };
    (terms, more)
}

pub(super) fn rule(world: &World, step: &Step) -> Made {
    let watched = pick(&["MEBUKU", "COIN", "POINT", "MEBUKU", "VOUCHER", "NONE"], step[1] / 256);
    let id = RuleId { instrument: instrument(watched.unwrap()), number: step[3] / 16 % 9 };
    let mut signers = officials(step[4] / 8);
    if step[2].is_multiple_of(5) {
        let at = Time(
            world.now.0 + u64::from(step[4] % 3) * DAY - u64::from(step[4].is_multiple_of(13)),
        );
        if step[3].is_multiple_of(4) {
            signers = vec![debit("shop")];
        }
        let number = id.number + 100 * (step[4] / 16 % 2);
        let id = RuleId { number, ..id };
        return (Operation::EndRule(EndRule { id, at }), signers, None);
    }
    let (terms, more) = terms(world, step);
    signers.extend(more);
    (Operation::PutRule(PutRule { id, terms }), signers, None)
}

/// Rules that every day begins with, so that most of what happens meets some.
pub(super) fn first_rules(world: &mut World) -> Vec<Transaction> {
    let two = [officer("issuer", "i1"), officer("issuer", "i2")];
    let give = |to: &str| Give {
        instrument: instrument(to),
        origin: OriginKind::Free,
        funder: id("issuer"),
        campaign: 0,
        to: Recipient::Payer,
    };
    let rule = |on, formula, post, caps| RuleTerms {
        on,
        when: When::always(Time(0)),
        base: Base::Tender,
        formula,
        post,
        caps,
        over: Over::Truncate,
    };
    let share = |from, choice| Post::Share(Share { from, split: split(choice) });
    let hundredth = rate(2, 100, Rounding::Floor, false);
    let carried = rate(3, 400, Rounding::Floor, true);
    let fee = rule(Trigger::Redeem, formula(1), Post::Fee(split(4)), vec![]);
    let rules = [
        ("MEBUKU", rule(Trigger::Purchase, carried, Post::Give(give("MEBUKU")), caps(0b101010))),
        ("MEBUKU", rule(Trigger::Purchase, hundredth.clone(), share(Giver::Payee, 2), vec![])),
        ("MEBUKU", rule(Trigger::Transfer, formula(5), Post::Give(give("POINT")), caps(0b000100))),
        ("COIN", rule(Trigger::TopUp, formula(2), Post::Give(give("COIN")), caps(0b011000))),
        ("COIN", rule(Trigger::Purchase, hundredth.clone(), share(Giver::Payee, 4), vec![])),
        ("COIN", rule(Trigger::Transfer, hundredth, share(Giver::Payer, 0), caps(0b001000))),
        ("POINT", rule(Trigger::Purchase, formula(6), Post::Give(give("COIN")), vec![])),
        ("MEBUKU", RuleTerms { base: Base::RunTotal, ..fee.clone() }),
        ("POINT", RuleTerms { base: Base::RunTotal, ..fee }),
    ];
    let numbered = (100..).zip(rules).map(|(number, (watched, terms))| {
        let id = RuleId { instrument: instrument(watched), number };
        world.transaction("i1", Operation::PutRule(PutRule { id, terms }), &two)
    });
    numbered.collect()
}
