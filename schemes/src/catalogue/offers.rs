//! What may be taken of a scheme's offers, in words.

use core::fmt::Write as _;

use musubi_ledger::offer::Price;

use super::{grouped, terms::condition};
use crate::scheme::{Offered, Scheme, Shown, parts};

/// A line for each offer; nothing where there is none.
pub(super) fn list(scheme: &Scheme) -> String {
    let mut text = String::new();
    for offer in scheme.offers.iter().filter(|offer| offer.stands) {
        if text.is_empty() {
            text.push_str("Offers:\n\n");
        }
        let later = if offer.later { " (put by a step)" } else { "" };
        let _ = writeln!(text, "- `{}`{later}: {}", offer.name, gives(scheme, offer));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn gives(scheme: &Scheme, offer: &Offered) -> String {
    let parts = parts(&offer.terms).iter();
    let parts = parts.map(|part| format!("{} of {}", grouped(part.amount.0), part.instrument));
    let mut text = parts.collect::<Vec<String>>().join(" and ");
    match offer.terms.gives.price() {
        None => {}
        Some(Price::Outside(outside)) => {
            let _ = write!(text, " for {} yen", grouped(outside.yen.0));
        }
        Some(Price::Exchange(exchange)) => {
            let (amount, of) = (grouped(exchange.amount.0), exchange.instrument);
            let _ = write!(text, " in exchange for {amount} of {of}");
        }
    }
    match &offer.shown {
        Shown::Nothing => {}
        Shown::Code(_) => text.push_str(" for who shows a code"),
        Shown::Lottery => text.push_str(" for who wins a draw"),
        Shown::Right(by, _) => {
            let _ = write!(text, " by a right that {} gave", scheme.cast.members[*by].name);
        }
    }
    if let Some(who) = &offer.terms.who {
        let _ = write!(text, "; for {}", condition(who));
    }
    if let Some(stock) = offer.terms.stock {
        let _ = write!(text, "; {} in all", grouped(u64::from(stock)));
    }
    for cap in &offer.terms.caps {
        let _ = write!(text, "; {}", super::rules::cap(cap));
    }
    text
}
