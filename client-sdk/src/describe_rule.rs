//! What a rule does, in plain words.

use musubi_ledger::{
    amount::Amount,
    id::{InstrumentId, PartyId},
    predicate::{Predicate, Test},
    rule::{
        Base, Giver, Post, Recipient, RuleTerms, Trigger,
        cap::{Cap, CapOf, Over},
        formula::{Formula, Rounding},
        split::Split,
        when::When,
        words,
    },
    time::Time,
};

use crate::describe::Glossary;

/// What a rule of `watched` does: one line for what it posts, one for each condition and cap.
#[must_use]
pub fn rule_text(watched: InstrumentId, terms: &RuleTerms, glossary: &Glossary) -> Vec<String> {
    let given = match &terms.post {
        Post::Give(give) => give.instrument,
        Post::Share(_) | Post::Fee(_) => watched,
    };
    let amount = |amount| glossary.amount(given, amount);
    let on = match terms.on {
        Trigger::TopUp => "top-up",
        Trigger::Purchase => "purchase",
        Trigger::Transfer => "payment to a person or group",
        Trigger::Redeem => "payout",
        Trigger::Take => "offer taken",
    };
    let how_much = formula(&terms.formula, base(terms.base), &amount);
    let mut lines = vec![format!("On each {on}: {how_much} {}", post(&terms.post, glossary))];
    lines.extend(when(&terms.when, watched, glossary));
    lines.extend(terms.caps.iter().map(|c| cap(c, &amount)));
    if !terms.caps.is_empty() {
        lines.push(match terms.over {
            Over::Truncate => "At a cap: what is left".into(),
            Over::Skip => "At a cap: nothing unless all fits".into(),
            Over::Refuse => "At a cap: the whole transaction is rejected".into(),
        });
    }
    lines
}

fn base(base: Base) -> &'static str {
    match base {
        Base::Gross => "all that is paid before discounts",
        Base::AfterDiscount => "all that is paid",
        Base::PaidLots => "its paid value",
        Base::Tender => "its value",
        Base::RunTotal => "the whole claim",
    }
}

pub(crate) fn formula(formula: &Formula, base: &str, amount: &impl Fn(Amount) -> String) -> String {
    match formula {
        Formula::Rate(rate) => {
            let rounding = match (rate.carry, rate.rounding) {
                (true, _) => "down, the rest kept for the next time",
                (_, Rounding::Floor) => "down",
                (_, Rounding::Ceil) => "up",
                (_, Rounding::HalfUp) => "to the nearest, halves up",
            };
            format!("{}/{} of {base}, rounded {rounding},", rate.num, rate.den)
        }
        Formula::Fixed(fixed) => amount(*fixed),
        Formula::Steps(steps) => {
            format!("{} for each whole {} of {base}", amount(steps.give), steps.every)
        }
        Formula::Table(lines) => {
            let line = |line: &musubi_ledger::rule::formula::Threshold| {
                format!("{} from {}", amount(line.give), line.from)
            };
            format!("{} of {base}", lines.iter().map(line).collect::<Vec<_>>().join(", "))
        }
    }
}

fn post(post: &Post, glossary: &Glossary) -> String {
    let legs = |split: &Split| words::legs(split, |party| glossary.party(&party));
    match post {
        Post::Give(give) => {
            let to = match give.to {
                Recipient::Payer => "the payer".into(),
                Recipient::Payee => "the payee".into(),
                Recipient::Party(party) => glossary.party(&party),
            };
            let (funder, campaign) = (glossary.party(&give.funder), give.campaign);
            let origin = format!("{:?}", give.origin).to_lowercase();
            format!(
                "in {} as {origin} value to {to}, funded by {funder}, campaign {campaign}",
                give.instrument
            )
        }
        Post::Share(share) => {
            let from = match share.from {
                Giver::Payer => "on top from the payer",
                Giver::Payee => "out of what the payee gets",
            };
            format!("{from}: {}", legs(&share.split))
        }
        Post::Fee(split) => format!("as a fee: {}", legs(split)),
    }
}

fn when(when: &When, watched: InstrumentId, glossary: &Glossary) -> Vec<String> {
    let mut lines = vec![match when.from {
        Time::ZERO => "From when it is put".to_owned(),
        from => format!("From {from}"),
    }];
    let mut add = |line: Option<String>| lines.extend(line);
    add(when.until.map(|until| format!("Until {until}")));
    add(when.purpose.map(|purpose| format!("Only for purpose {}", purpose.0)));
    add((!when.origins.is_empty()).then(|| {
        let origins: Vec<String> =
            when.origins.iter().map(|o| format!("{o:?}").to_lowercase()).collect();
        format!("Only {} value counts", origins.join(" and "))
    }));
    add(when.campaign.map(|campaign| format!("Only value of campaign {campaign} counts")));
    add(when.payer.as_ref().map(|test| format!("Only if the payer has {}", predicate(test))));
    add(when.payee.as_ref().map(|test| format!("Only if the payee has {}", predicate(test))));
    add(when.payee_is.map(|payee: PartyId| format!("Only at {}", glossary.party(&payee))));
    let least = (!when.least.is_zero()).then_some(when.least);
    add(least.map(|least| format!("Only from {} on", glossary.amount(watched, least))));
    add(when.multiple.map(|whole| format!("Only whole {}", glossary.amount(watched, whole))));
    add(when.tier.map(|tier| {
        format!("Only if the payer holds {}", glossary.amount(tier.instrument, tier.from))
    }));
    add(when.offer.map(|offer| format!("Only for offer {offer}")));
    lines
}

/// A condition as it is typed.
pub(crate) fn predicate(predicate: &Predicate) -> String {
    let test = |test: &Test| {
        let not = if test.not { "!" } else { "" };
        format!("{not}{}={}", test.name, test.any_of.join(","))
    };
    let all = |tests: &Vec<Test>| tests.iter().map(test).collect::<Vec<_>>().join("&");
    predicate.any.iter().map(all).collect::<Vec<_>>().join("|")
}

fn cap(cap: &Cap, amount: &impl Fn(Amount) -> String) -> String {
    let most = match cap.of {
        CapOf::Given => amount(cap.most),
        CapOf::Times => cap.most.to_string(),
    };
    let line = words::cap(cap, &most);
    let (first, rest) = line.split_at(1);
    first.to_uppercase() + rest
}
