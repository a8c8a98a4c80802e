//! Reading a function and its arguments.

use musubi_ledger::{
    calendar::Span, code::Code, id::InstrumentId, instrument::Validity, lot::OriginKind,
    offer::Price,
};

use super::{Ask, Asked, Did, Flow, Has, Key, known::unknown};
use crate::{
    cast::Unfound,
    file::{Choices, Names, PARTY_KINDS, Plain},
    mistake::nearest,
};

/// A function with its arguments.
pub(super) fn read(
    name: &str,
    arguments: &[&str],
    names: &Names<'_>,
    choices: &Choices,
) -> Result<Ask, String> {
    let source = Source { name, arguments, names };
    let flow = |flow| {
        source.counted(1..=2)?;
        let origin = arguments.get(1).map(|text| origin(text)).transpose()?;
        Ok(Ask::Flow(flow, source.instrument(0)?, origin))
    };
    let has = |has| {
        source.counted(1..=2)?;
        Ok(Ask::Has(has, source.parties(0)?, source.instrument_if(1)?))
    };
    let dues = |asked| {
        source.counted(1..=2)?;
        Ok(Ask::Dues(asked, source.parties(0)?, source.instrument_if(1)?))
    };
    match name {
        "issued" => flow(Flow::Issued),
        "imported" => flow(Flow::Imported),
        "lapsed" => flow(Flow::Lapsed),
        "redeemed" => flow(Flow::Redeemed),
        "expired" => flow(Flow::Expired),
        "corrected" => flow(Flow::Corrected),
        "outstanding" => flow(Flow::Outstanding),
        "usable" => source.counted(1..=1).and_then(|()| source.instrument(0)).map(Ask::Usable),
        "spendable" => has(Has::Spendable),
        "held" => has(Has::Held),
        "claim" => has(Has::Claim),
        "receivable" => has(Has::Receivable),
        "paid" => {
            source.counted(2..=3)?;
            Ok(Ask::Paid(source.parties(0)?, source.parties(1)?, source.instrument_if(2)?))
        }
        "received" => {
            source.counted(1..=2)?;
            Ok(Ask::Received(source.parties(0)?, source.instrument_if(1)?))
        }
        "refused" => source.counted(1..=1).and_then(|()| code(arguments[0])).map(Ask::Refused),
        "applied" => source.counted(1..=1).and_then(|()| source.step()).map(Ask::Applied),
        "given" => source.rule(Did::Given),
        "fired" => source.rule(Did::Fired),
        "capped" => source.rule(Did::Capped),
        "taken_back" => source.rule(Did::TakenBack),
        "taken" => {
            source.counted(1..=1)?;
            source.offer().map(Ask::Taken)
        }
        "price" => {
            source.counted(1..=1)?;
            let price = match names.offers[source.offer()?].terms.gives.price() {
                Some(Price::Outside(outside)) => outside.yen,
                Some(Price::Exchange(exchange)) => exchange.amount,
                None => return Err(format!("{} costs nothing", arguments[0])),
            };
            Ok(Ask::Declared(price.0.into()))
        }
        "tier" => {
            source.counted(2..=2)?;
            match source.parties(0)?[..] {
                [one] => Ok(Ask::Stage(one, source.instrument(1)?)),
                _ => Err(format!("{} is not one party", arguments[0])),
            }
        }
        "count" => source.count(),
        "open_dues" => dues(Asked::Open),
        "in_cash" => dues(Asked::InCash),
        "under" => source.counted(1..=1).and_then(|()| source.parties(0)).map(Ask::Under),
        "kpi1" => source.key(Key::Groups),
        "kpi5" => source.key(Key::Registrants),
        "kpi6" => source.key(Key::Merchants),
        "kpi7" => source.key(Key::Settlement),
        "kpi_moved" => source.key(Key::GroupMoves),
        "face" => source.declared(|issued| Some(i128::from(issued.terms.face))),
        "step" => source.declared(|issued| Some(i128::from(issued.terms.step.0))),
        "days" => source.declared(|issued| match issued.terms.validity {
            Validity::After(Span::Days(days)) | Validity::Sliding(Span::Days(days)) => {
                Some(i128::from(days))
            }
            _ => None,
        }),
        "choice" => source.counted(1..=1).and_then(|()| chosen(arguments[0], choices)),
        _ => Err(unknown(name)),
    }
}

struct Source<'s> {
    name: &'s str,
    arguments: &'s [&'s str],
    names: &'s Names<'s>,
}

impl Source<'_> {
    fn counted(&self, bounds: core::ops::RangeInclusive<usize>) -> Result<(), String> {
        let (name, got) = (self.name, self.arguments.len());
        match bounds.contains(&got) {
            true if self.arguments.iter().any(|argument| argument.is_empty()) => {
                Err(format!("an argument of {name} is empty"))
            }
            true => Ok(()),
            false => Err(format!(
                "{name} takes {} to {} arguments, not {got}",
                bounds.start(),
                bounds.end()
            )),
        }
    }

    fn parties(&self, at: usize) -> Result<Vec<usize>, String> {
        let reference = self.arguments[at];
        let cast = self.names.cast;
        cast.find(reference).map(|found| found.collect()).map_err(|unfound| match unfound {
            Unfound::Form => format!("{reference} is no party such as shop, shop[3] or shop[1..9]"),
            Unfound::Range(name, count) => format!("there are {count} of {name}"),
            Unfound::Name(name) => {
                let declared: Vec<&str> = cast.names().collect();
                let near = nearest(&name, &declared).map(|near| format!("; did you mean {near}?"));
                format!("no party {name}{}", near.unwrap_or_default())
            }
        })
    }

    fn instrument(&self, at: usize) -> Result<InstrumentId, String> {
        let code = self.arguments[at];
        let found = self.names.instruments.iter().find(|issued| issued.id.to_string() == code);
        found.map(|issued| issued.id).ok_or_else(|| {
            format!("no instrument {code}; declared: {}", self.names.codes().join(", "))
        })
    }

    fn instrument_if(&self, at: usize) -> Result<Option<InstrumentId>, String> {
        if at < self.arguments.len() { self.instrument(at).map(Some) } else { Ok(None) }
    }

    fn declared(
        &self,
        figure: impl Fn(&crate::scheme::Issued) -> Option<i128>,
    ) -> Result<Ask, String> {
        self.counted(1..=1)?;
        let id = self.instrument(0)?;
        let issued = self.names.instruments.iter().find(|issued| issued.id == id);
        let figure = issued.and_then(figure);
        figure.map(Ask::Declared).ok_or_else(|| format!("{id} has no {}", self.name))
    }

    fn step(&self) -> Result<String, String> {
        let id = self.arguments[0].to_owned();
        let steps = self.names.steps.borrow();
        if steps.contains(&id) { Ok(id) } else { Err(format!("no step {id}")) }
    }

    fn offer(&self) -> Result<usize, String> {
        let name = self.arguments[0];
        let found = self.names.offers.iter().position(|offer| offer.name == name);
        found.ok_or_else(|| format!("no offer {name}"))
    }

    fn rule(&self, did: Did) -> Result<Ask, String> {
        self.counted(1..=1)?;
        let name = self.arguments[0];
        let rules = self.names.rules;
        let found = rules.iter().find(|rule| rule.name == name);
        found.map(|rule| Ask::Rule(did, rule.id)).ok_or_else(|| {
            let declared: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
            format!("no rule {name}; declared: {}", declared.join(", "))
        })
    }

    fn key(&self, key: Key) -> Result<Ask, String> {
        match self.arguments {
            [] => Ok(Ask::Key(key)),
            _ => Err(format!("{}() counts the whole ledger: it takes no argument", self.name)),
        }
    }

    fn count(&self) -> Result<Ask, String> {
        self.counted(1..=2)?;
        let kind = PARTY_KINDS.iter().find(|(word, _)| *word == self.arguments[0]);
        let kind = kind.map(|(_, kind)| *kind);
        let kind = kind.ok_or_else(|| format!("{} is no kind of party", self.arguments[0]))?;
        let test = match self.arguments.get(1) {
            None => None,
            Some(test) => {
                let (name, value) = test
                    .split_once('=')
                    .ok_or_else(|| format!("{test} is no test such as resident=yes"))?;
                Some((name.trim().to_owned(), value.trim().to_owned()))
            }
        };
        Ok(Ask::Count(kind, test))
    }
}

fn origin(text: &str) -> Result<OriginKind, String> {
    match text {
        "free" => Ok(OriginKind::Free),
        "grant" => Ok(OriginKind::Grant),
        "paid" => Ok(OriginKind::Paid),
        _ => Err(format!("{text} is none of free, grant, paid")),
    }
}

fn code(name: &str) -> Result<Code, String> {
    let found = Code::ALL.iter().find(|code| code.name() == name);
    found.copied().ok_or_else(|| format!("no code {name}"))
}

fn chosen(name: &str, choices: &Choices) -> Result<Ask, String> {
    match choices.take(name) {
        Some(Plain::Int(number)) => Ok(Ask::Declared(*number)),
        Some(_) => Err(format!("the choice {name} is no number")),
        None => Err(format!("no choice {name}")),
    }
}
