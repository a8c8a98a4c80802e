//! How much a rule gives: its formula, its caps, and among whom it splits.

use musubi_ledger::{
    amount::Amount,
    limits,
    rule::{
        cap::{Cap, CapOf, Over, Period, Scope},
        formula::{Formula, Rate, Rounding, Steps, Threshold},
        split::{Leg, Split},
    },
};

use super::{fields::Fields, names::Names, node::Node};
use crate::cast::place_id;

const ROUNDINGS: [(&str, Rounding); 3] =
    [("floor", Rounding::Floor), ("ceil", Rounding::Ceil), ("half_up", Rounding::HalfUp)];
const SCOPES: [(&str, Scope); 5] = [
    ("event", Scope::Event),
    ("payer", Scope::Payer),
    ("household", Scope::Household),
    ("payee", Scope::Payee),
    ("all", Scope::All),
];
const PERIODS: [(&str, Period); 4] = [
    ("ever", Period::Ever),
    ("day", Period::Day),
    ("month", Period::Month),
    ("fiscal_year", Period::FiscalYear),
];
const COUNTS: [(&str, CapOf); 2] = [("given", CapOf::Given), ("times", CapOf::Times)];
const OVERS: [(&str, Over); 3] =
    [("truncate", Over::Truncate), ("skip", Over::Skip), ("refuse", Over::Refuse)];

/// One of `percent`, `rate`, `fixed`, `steps` and `table`.
pub(super) fn formula(fields: &Fields<'_>) -> Option<Formula> {
    let rounding =
        fields.may("rounding").map_or(Some(Rounding::Floor), |node| node.one_of(&ROUNDINGS));
    let carry = fields.may("carry").map_or(Some(false), |node| node.flag());
    let rate = |of: Option<(u32, u32)>| {
        let (num, den) = of?;
        Some(Formula::Rate(Rate { num, den, rounding: rounding?, carry: carry? }))
    };
    let percent = |node: Node<'_>| {
        let num = node.whole(0..=100_000).and_then(|number| u32::try_from(number).ok());
        rate(num.map(|num| (num, 100)))
    };
    let found = [
        fields.may("percent").map(percent),
        fields.may("rate").map(|node| rate(fraction(&node))),
        fields.may("fixed").map(|node| node.amount().map(Formula::Fixed)),
        fields.may("steps").map(|node| steps(&node)),
        fields.may("table").map(|node| table(&node)),
    ];
    let formula = match found.into_iter().flatten().collect::<Vec<_>>()[..] {
        [ref one] => one.clone()?,
        _ => {
            return fields
                .wrong("one of `percent`, `rate`, `fixed`, `steps` and `table` says how much");
        }
    };
    if !formula.well_formed() {
        return fields.wrong(
            "what is carried on is rounded down, a table has 1 to 16 lines, and more is never given for less",
        );
    }
    Some(formula)
}

/// `"0.5%"` or `"3/20"`: never a number with a point, so that nobody rounds it on the way.
fn fraction(node: &Node<'_>) -> Option<(u32, u32)> {
    let text = node.text()?;
    let read = match (text.strip_suffix('%'), text.split_once('/')) {
        (Some(percent), _) => decimal(percent),
        (None, Some((num, den))) => num.trim().parse().ok().zip(den.trim().parse().ok()),
        (None, None) => None,
    };
    read.or_else(|| node.wrong(format!("\"{text}\" is no rate such as 1%, 0.5% or 3/20")))
}

fn decimal(percent: &str) -> Option<(u32, u32)> {
    let (whole, part) = percent.split_once('.').unwrap_or((percent, ""));
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fits = !whole.is_empty() && plain(whole) && plain(part) && !percent.ends_with('.');
    let den = 10_u32.checked_pow(u32::try_from(part.len()).ok()?)?.checked_mul(100)?;
    let num = format!("{whole}{part}").parse().ok()?;
    fits.then_some((num, den))
}

fn steps(node: &Node<'_>) -> Option<Formula> {
    let fields = node.fields()?;
    let every = fields.need("every").and_then(|node| node.amount());
    let give = fields.need("give").and_then(|node| node.amount());
    fields.finish();
    Some(Formula::Steps(Steps { every: every?, give: give? }))
}

fn table(node: &Node<'_>) -> Option<Formula> {
    let line = |node: &Node<'_>| {
        let fields = node.fields()?;
        let from = fields.need("from").and_then(|node| node.amount());
        let give = fields.need("give").and_then(|node| node.whole(0..=u64::MAX));
        fields.finish();
        Some(Threshold { from: from?, give: Amount(give?) })
    };
    node.list()?.iter().map(line).collect::<Option<Vec<_>>>().map(Formula::Table)
}

/// `over`.
pub(super) fn over(fields: &Fields<'_>) -> Option<Over> {
    fields.may("over").map_or(Some(Over::Truncate), |node| node.one_of(&OVERS))
}

/// `caps`.
pub(super) fn caps(fields: &Fields<'_>) -> Option<Vec<Cap>> {
    let items = fields.may("caps").map_or(Some(Vec::new()), |node| node.list());
    let caps = items?.iter().map(cap).collect::<Option<Vec<Cap>>>();
    let mut caps = caps?;
    let key = |cap: &Cap| (cap.scope, cap.per, cap.of);
    caps.sort_by_key(key);
    if caps.len() > limits::RULE_CAPS_MAX || caps.windows(2).any(|c| key(&c[0]) == key(&c[1])) {
        let most = limits::RULE_CAPS_MAX;
        return fields.wrong(format!("at most {most} caps, and no two that bound the same"));
    }
    Some(caps)
}

fn cap(node: &Node<'_>) -> Option<Cap> {
    let fields = node.fields()?;
    let scope = fields.need("of").and_then(|node| node.one_of(&SCOPES));
    let per = fields.may("per").map_or(Some(Period::Ever), |node| node.one_of(&PERIODS));
    let of = fields.may("counts").map_or(Some(CapOf::Given), |node| node.one_of(&COUNTS));
    let most = fields.need("most").and_then(|node| node.whole(0..=u64::MAX));
    fields.finish();
    let cap = Cap { scope: scope?, per: per?, of: of?, most: Amount(most?) };
    match cap.well_formed() {
        true => Some(cap),
        false => node.wrong("one event is bounded by what is given for it, in no period"),
    }
}

/// `to` alone, or `legs` with the name of the one that gets what rounding leaves.
pub(super) fn split(fields: &Fields<'_>, names: &Names<'_>) -> Option<Split> {
    let leg = |node: &Node<'_>| {
        let fields = node.fields()?;
        let to = fields.need("to").and_then(|node| names.party(&node));
        let weight = fields.may("weight").map_or(Some(1), |node| node.whole(1..=1_000_000));
        fields.finish();
        Some(Leg { to: place_id(to?), weight: u32::try_from(weight?).ok()? })
    };
    let legs = match (fields.may("to"), fields.may("legs")) {
        (Some(to), None) => vec![Leg { to: place_id(names.party(&to)?), weight: 1 }],
        (None, Some(legs)) => legs.list()?.iter().map(leg).collect::<Option<Vec<Leg>>>()?,
        _ => return fields.wrong("`to` says whose it is, or `legs` of several"),
    };
    let remainder = fields.may("remainder").map(|node| {
        let named = place_id(names.party(&node)?);
        let found = legs.iter().position(|leg| leg.to == named);
        found.or_else(|| node.wrong("`remainder` names one of the legs"))
    });
    let remainder = match remainder {
        Some(named) => named?,
        None if legs.len() == 1 => 0,
        None => return fields.wrong("`remainder` names the leg that gets what rounding leaves"),
    };
    let split = Split { legs, remainder: u8::try_from(remainder).ok()? };
    if split.well_formed() { Some(split) } else { fields.wrong("1 to 4 legs, none of them twice") }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn percentages_are_fractions_of_whole_numbers() {
        for (text, wanted) in
            [("1", (1, 100)), ("0.5", (5, 1_000)), ("12.25", (1_225, 10_000)), ("0", (0, 100))]
        {
            assert_eq!(decimal(text), Some(wanted), "{text}");
        }
        for bad in ["", ".5", "1.", "1,5", "-1", "1.123456789", "+1", "1e3"] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
    }
}
