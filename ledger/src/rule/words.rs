//! Parts of rules in plain words: what people who sign one read, and who reads a catalogue.

use super::{
    cap::{Cap, CapOf, Period, Scope},
    split::Split,
};
use crate::id::PartyId;

/// A cap: `at most 500 for one payer, a day`. `most` is [`Cap::most`] as its reader writes amounts and numbers.
#[must_use]
pub fn cap(cap: &Cap, most: &str) -> String {
    let times = match cap.of {
        CapOf::Given => "",
        CapOf::Times => " times",
    };
    let scope = match cap.scope {
        Scope::Event => return format!("at most {most}{times} at once"),
        Scope::Payer => "for one payer",
        Scope::Household => "for one household",
        Scope::Payee => "at one payee",
        Scope::All => "for all together",
    };
    let per = match cap.per {
        Period::Ever => "in all",
        Period::Day => "a day",
        Period::Month => "a month",
        Period::FiscalYear => "a fiscal year",
    };
    format!("at most {most}{times} {scope}, {per}")
}

/// The legs of a split: `3 part to TOWN, 1 part and the rest to FUND`.
pub fn legs(split: &Split, name: impl Fn(PartyId) -> String) -> String {
    let legs = split.legs.iter().enumerate().map(|(at, leg)| {
        let rest = if at == usize::from(split.remainder) { " and the rest" } else { "" };
        format!("{} part{rest} to {}", leg.weight, name(leg.to))
    });
    legs.collect::<Vec<_>>().join(", ")
}
