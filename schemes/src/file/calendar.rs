//! `[calendars]`: when merchants' claims are cut off and paid out.

use musubi_ledger::{
    calendar::Roll,
    cutoff::{Cycle, MonthDay, SettlementCalendar},
};

use super::{fields::Fields, node::Node, parties::is_name};
use crate::scheme::Calendar;

const ROLLS: [(&str, Roll); 3] =
    [("stays", Roll::None), ("previous", Roll::Previous), ("next", Roll::Next)];

/// Reads all of them.
pub(super) fn read(fields: &Fields<'_>) -> Vec<Calendar> {
    fields.all().into_iter().filter_map(|(_, name, node)| one(name, &node)).collect()
}

fn one(name: &str, node: &Node<'_>) -> Option<Calendar> {
    let fields = node.fields()?;
    let cycles = fields.need("cycles").map(|node| node.some()).unwrap_or_default();
    let cycles = cycles.iter().map(cycle).collect::<Option<Vec<Cycle>>>();
    let roll = fields.may("roll").map_or(Some(Roll::Next), |node| node.one_of(&ROLLS));
    let holidays = fields.may("holidays").map(|node| node.some()).unwrap_or_default();
    let holidays = holidays.iter().map(Node::day).collect::<Option<Vec<_>>>();
    fields.finish();
    if !is_name(name) {
        return node.wrong("a name is 1 to 32 of a-z, 0-9 and -, beginning with a letter");
    }
    let mut days = SettlementCalendar { cycles: cycles?, roll: roll?, holidays: holidays? };
    days.holidays.sort_unstable();
    days.holidays.dedup();
    match days.well_formed() {
        true => Some(Calendar { name: name.to_owned(), days }),
        false => node.wrong("there is a cycle, and each payout comes after its cut-off"),
    }
}

fn cycle(node: &Node<'_>) -> Option<Cycle> {
    let fields = node.fields()?;
    let cut = fields.need("cut").and_then(|node| month_day(&node));
    let pay = fields.need("pay").and_then(|node| month_day(&node));
    let months = fields.may("months").map_or(Some(0), |node| node.whole(0..=12));
    fields.finish();
    Some(Cycle { cut: cut?, pay: pay?, months: u8::try_from(months?).ok()? })
}

/// `15`, or `"end"`.
fn month_day(node: &Node<'_>) -> Option<MonthDay> {
    if node.plain_text() == Some("end") {
        return Some(MonthDay::End);
    }
    node.whole(1..=31).and_then(|number| u8::try_from(number).ok()).map(MonthDay::Number)
}
