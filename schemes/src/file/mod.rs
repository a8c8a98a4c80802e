//! From a text to a checked [`Scheme`]: every section in a file of its own, all mistakes told together.
//!
//! - [`node`]: values with places; [`fields`]: tables; [`value`]: instants, lengths, conditions; [`names`]: references;
//! - [`choice`], [`head`], [`parties`], [`calendar`], [`instrument`], [`bounds`] (its limits and stages), [`offer`], [`price`] (what it costs, how it is drawn), [`rule`], [`amount`] (how much a rule gives), [`step`], [`expect`]: the sections.

mod amount;
mod bounds;
mod calendar;
mod choice;
mod coupon;
mod expect;
mod fields;
mod head;
mod instrument;
mod names;
mod node;
mod offer;
mod parties;
mod price;
mod rule;
mod step;
mod value;

use toml::de::DeTable;

pub use self::choice::Plain;
use self::node::Reader;
pub(crate) use self::{
    choice::Choices, fields::Fields, instrument::PARTY_KINDS, names::Names, node::Node,
};
use crate::{
    cast::Cast,
    mistake::{Mistake, Mistakes},
    scheme::{Issued, Offered, Ruled, Scheme},
};

/// The version of the file format.
const FORMAT: u64 = 1;
/// Largest file, in bytes.
const FILE_BYTES_MAX: usize = 1024 * 1024;

/// Reads and checks a scheme file. `file` is its name, for messages.
///
/// # Errors
/// All mistakes in it.
pub fn read(file: &str, text: &str) -> Result<Scheme, Mistakes> {
    read_with(file, text, Otherwise::default())
}

/// What is read otherwise than it stands in the file.
#[derive(Clone, Copy, Default, Debug)]
pub struct Otherwise<'a> {
    /// Other values for some choices, by name.
    pub set: &'a [(String, String)],
    /// The year in which it begins: every date of the file is so many years later or earlier. What is 29 February becomes 28
    /// February where there is none.
    pub begins_in: Option<u32>,
}

/// As [`read`], with something otherwise.
///
/// # Errors
/// All mistakes in it, and choices that it does not have.
pub fn read_with(file: &str, text: &str, otherwise: Otherwise<'_>) -> Result<Scheme, Mistakes> {
    if text.len() > FILE_BYTES_MAX {
        let what = format!("a scheme file has at most {FILE_BYTES_MAX} bytes");
        return Err(Mistakes::new(file, text, vec![Mistake::new(0..0, what)]));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mistake = |error: &toml::de::Error| {
            Mistake::new(error.span().unwrap_or(0..0), format!("not TOML: {}", error.message()))
        };
        return Err(Mistakes::new(file, text, errors.iter().map(mistake).collect()));
    }
    // Choices first: everything else may stand on them.
    let none = Choices::default();
    let first = Reader::new(&none, 0);
    let top = Fields::new(0..0, table.get_ref(), &first);
    let choices = top.may("choices").and_then(|node| node.fields());
    let choices = choices.map(|fields| choice::read(&fields, otherwise.set)).unwrap_or_default();
    drop(top);
    let years = otherwise.begins_in.map_or(0, |year| years_to(table.get_ref(), year));
    let reader = Reader::new(&choices, years);
    let scheme = sections(&reader, Fields::new(0..0, table.get_ref(), &reader));
    choices.check_used(&reader);
    let mut mistakes = first.mistakes();
    mistakes.extend(reader.mistakes());
    match (scheme, mistakes.is_empty()) {
        (Some(scheme), true) => Ok(Scheme { choices: choices.into_list(), ..scheme }),
        _ => Err(Mistakes::new(file, text, mistakes)),
    }
}

/// How many years later than the file says a year is.
fn years_to(top: &DeTable<'_>, year: u32) -> i64 {
    let head = top.get("scheme").and_then(|head| head.get_ref().as_table());
    let begins = head.and_then(|head| head.get("begins")).and_then(|at| at.get_ref().as_str());
    // Where it is no instant, reading it says so.
    let begins = begins.and_then(value::instant);
    begins.map_or(0, |begins| i64::from(year) - i64::from(begins.day().civil().0))
}

fn sections<'a>(reader: &'a Reader<'a>, top: Fields<'a>) -> Option<Scheme> {
    top.need("format").and_then(|node| node.whole(FORMAT..=FORMAT));
    let _read_before = top.has("choices") && top.may("choices").is_some();
    let head = top.need("scheme").and_then(|node| node.fields()).and_then(head::read);
    let mut cast = Cast::of_institutions();
    if let Some(fields) = top.need("parties").and_then(|node| node.fields()) {
        parties::read(&fields, &mut cast);
    }
    if let Some(fields) = top.may("groups").and_then(|node| node.fields()) {
        parties::read_groups(&fields, &mut cast);
    }
    let calendars = top.may("calendars").and_then(|node| node.fields());
    let calendars = calendars.map(|fields| calendar::read(&fields)).unwrap_or_default();
    let mut instruments: Vec<Issued> = Vec::new();
    let tables = |key| top.need(key).and_then(|node| node.list()).unwrap_or_default();
    for fields in tables("instrument").iter().filter_map(Node::fields) {
        instruments.extend(instrument::read(fields, (&cast, &calendars), &instruments));
    }
    let mut offers: Vec<Offered> = Vec::new();
    let declared = top.may("offer").and_then(|node| node.list()).unwrap_or_default();
    for fields in declared.iter().filter_map(Node::fields) {
        let names = Names::new(&cast, &instruments, &offers, &[]);
        let offer = offer::read(fields, &names);
        drop(names);
        offers.extend(offer);
    }
    price::check_drawn(reader, &cast, &offers);
    let mut rules: Vec<Ruled> = Vec::new();
    let declared = top.may("rule").and_then(|node| node.list()).unwrap_or_default();
    for fields in declared.iter().filter_map(Node::fields) {
        let names = Names::new(&cast, &instruments, &offers, &rules);
        let rule = rule::read(fields, &names);
        drop(names);
        rules.extend(rule);
    }
    let names = Names { calendars: &calendars, ..Names::new(&cast, &instruments, &offers, &rules) };
    let scenario = top.need("scenario").and_then(|node| node.fields());
    let items = scenario.as_ref().and_then(|fields| fields.need("steps")).map(|node| node.list());
    let items = items.flatten().unwrap_or_default();
    let steps: Vec<_> = items.iter().filter_map(|node| step::read(node, &names)).collect();
    let tables = tables("expect");
    let expects = tables.iter().filter_map(Node::fields);
    let expects: Vec<_> = expects.filter_map(|fields| expect::read(fields, &names)).collect();
    if let (Some(head), Some(scenario)) = (&head, &scenario) {
        for refusal in &head.refusals {
            if !steps.iter().any(|step| step.refusal == Some(*refusal)) {
                let what = format!(
                    "no step shows the refusal `{}`; add one, or leave it out of policy.refusals",
                    refusal.name()
                );
                reader.note(Mistake::new(scenario.at(), what));
            }
        }
    }
    scenario.into_iter().for_each(Fields::finish);
    top.finish();
    drop(names);
    Some(Scheme {
        head: head?,
        choices: Vec::new(),
        cast,
        calendars,
        instruments,
        offers,
        rules,
        steps,
        expects,
    })
}
