//! Names in steps and expectations: parties, instruments, earlier steps.

use core::cell::RefCell;

use musubi_ledger::{cutoff::SettlementCalendar, id::InstrumentId};

use super::{instrument::calendar, node::Node};
use crate::{
    cast::{Cast, Unfound},
    scheme::{Calendar, Issued, Offered, Ruled},
};

/// What is declared where a step is read.
pub(crate) struct Names<'s> {
    pub(crate) cast: &'s Cast,
    /// For steps alone.
    pub(crate) calendars: &'s [Calendar],
    pub(crate) instruments: &'s [Issued],
    pub(crate) offers: &'s [Offered],
    pub(crate) rules: &'s [Ruled],
    /// Steps so far, also those that are left out: whoever rests on one of these is told so when it is played.
    pub(crate) steps: RefCell<Vec<String>>,
    /// Those that are not.
    pub(crate) played: RefCell<Vec<String>>,
}

/// The places that a reference, or a list of them, means; none of them twice.
pub(crate) fn parties_of(node: &Node<'_>, cast: &Cast) -> Option<Vec<usize>> {
    let mut places = Vec::new();
    for item in node.some() {
        let reference = item.text()?;
        match cast.find(&reference) {
            Ok(found) => places.extend(found),
            Err(Unfound::Name(name)) => return item.unknown("party", &name, cast.names()),
            Err(Unfound::Range(name, count)) => {
                return item.wrong(format!("there are {count} of {name}: {name}[1..{count}]"));
            }
            Err(Unfound::Form) => {
                return item.wrong("a party is written as shop, shop[3] or shop[1..9]");
            }
        }
    }
    let mut seen = places.clone();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() < places.len() { node.wrong("a party stands here twice") } else { Some(places) }
}

impl<'s> Names<'s> {
    pub(super) fn new(
        cast: &'s Cast,
        instruments: &'s [Issued],
        offers: &'s [Offered],
        rules: &'s [Ruled],
    ) -> Self {
        let (steps, played) = Default::default();
        Self { cast, calendars: &[], instruments, offers, rules, steps, played }
    }

    /// An offer's place among the declared ones.
    pub(crate) fn offer(&self, node: &Node<'_>) -> Option<usize> {
        let name = node.text()?;
        let found = self.offers.iter().position(|offer| offer.name == name);
        found.or_else(|| {
            node.unknown("offer", &name, self.offers.iter().map(|offer| offer.name.as_str()))
        })
    }

    /// A calendar.
    pub(crate) fn calendar(&self, node: &Node<'_>) -> Option<SettlementCalendar> {
        calendar(node, self.calendars).map(|at| self.calendars[at].days.clone())
    }

    /// A rule's place among the declared ones.
    pub(crate) fn rule(&self, node: &Node<'_>) -> Option<usize> {
        let name = node.text()?;
        let found = self.rules.iter().position(|rule| rule.name == name);
        found.or_else(|| {
            node.unknown("rule", &name, self.rules.iter().map(|rule| rule.name.as_str()))
        })
    }

    /// One or several parties.
    pub(crate) fn parties(&self, node: &Node<'_>) -> Option<Vec<usize>> {
        parties_of(node, self.cast)
    }

    /// Exactly one.
    pub(crate) fn party(&self, node: &Node<'_>) -> Option<usize> {
        match self.parties(node)?[..] {
            [one] => Some(one),
            _ => node.wrong("one party stands here, not several"),
        }
    }

    /// An instrument.
    pub(crate) fn instrument(&self, node: &Node<'_>) -> Option<InstrumentId> {
        let code = node.text()?;
        let found = self.instruments.iter().find(|issued| issued.id.to_string() == code);
        match found {
            Some(issued) => Some(issued.id),
            None => {
                let codes: Vec<String> = self.codes();
                node.unknown("instrument", &code, codes.iter().map(String::as_str))
            }
        }
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        self.instruments.iter().map(|issued| issued.id.to_string()).collect()
    }

    /// Several instruments, ascending.
    pub(crate) fn several(&self, node: &Node<'_>) -> Option<Vec<InstrumentId>> {
        let found =
            node.some().iter().map(|item| self.instrument(item)).collect::<Option<Vec<_>>>();
        let mut found = found?;
        found.sort_unstable();
        found.dedup();
        if found.is_empty() {
            node.wrong("at least one instrument stands here")
        } else {
            Some(found)
        }
    }

    /// The only instrument, where none is named.
    pub(crate) fn only(
        &self,
        node: Option<Node<'_>>,
        step: &super::Fields<'_>,
    ) -> Option<InstrumentId> {
        match (node, self.instruments) {
            (Some(node), _) => self.instrument(&node),
            (None, [one]) => Some(one.id),
            (None, _) => step.wrong("`instrument` is missing: there are several"),
        }
    }

    /// An earlier step.
    pub(crate) fn step(&self, node: &Node<'_>) -> Option<String> {
        self.step_called(node, &node.text()?)
    }

    /// An earlier step of this name, which stands in `node`.
    pub(crate) fn step_called(&self, node: &Node<'_>, id: &str) -> Option<String> {
        let steps = self.steps.borrow();
        if steps.iter().any(|step| step == id) {
            return Some(id.to_owned());
        }
        node.unknown("earlier step", id, steps.iter().map(String::as_str))
    }
}
