//! `[scheme]`: what it is, where it comes from, when its scenario begins.

use super::fields::Fields;
use crate::scheme::{Head, Refusal};

const PRIMITIVES: [(&str, &str); 9] = [
    ("P1", "P1"),
    ("P2", "P2"),
    ("P3", "P3"),
    ("P4", "P4"),
    ("P5", "P5"),
    ("P6", "P6"),
    ("P7", "P7"),
    ("P8", "P8"),
    ("P9", "P9"),
];

pub(super) fn read(fields: Fields<'_>) -> Option<Head> {
    let text = |key| fields.need(key).and_then(|node| node.text());
    let number = |key| fields.need(key).and_then(|node| node.whole(0..=u64::MAX));
    let name = fields.need("name").and_then(|node| {
        let name = node.text()?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=32).contains(&name.len()) && name.bytes().all(plain);
        if fits { Some(name) } else { node.wrong("a scheme's name is 1 to 32 of a-z, 0-9 and -") }
    });
    let (title, municipality, row) = (text("title"), text("municipality"), text("row"));
    let (cost, population) = (number("cost_thousand"), number("population"));
    let begins = fields.need("begins").and_then(|node| node.time());
    let summary = text("summary");
    let texts = |key| {
        let items = fields.may(key).and_then(|node| node.list()).unwrap_or_default();
        items.iter().filter_map(|item| item.text()).collect::<Vec<String>>()
    };
    let notes = texts("notes");
    let primitives = fields.need("primitives").and_then(|node| node.list()).unwrap_or_default();
    let primitives = primitives.iter().filter_map(|item| item.one_of(&PRIMITIVES));
    let primitives = primitives.map(str::to_owned).collect();
    let refusals = fields.may("policy").and_then(|node| policy(&node.fields()?));
    fields.finish();
    Some(Head {
        name: name?,
        title: title?,
        municipality: municipality?,
        row: row?,
        cost_thousand: cost?,
        population: population?,
        begins: begins?,
        summary: summary?,
        primitives,
        notes,
        refusals: refusals.unwrap_or_else(|| Refusal::ALL.to_vec()),
    })
}

fn policy(fields: &Fields<'_>) -> Option<Vec<Refusal>> {
    let words = Refusal::ALL.map(|refusal| (refusal.name(), refusal));
    let items = fields.need("refusals")?.list()?;
    Some(items.iter().filter_map(|item| item.one_of(&words)).collect())
}
