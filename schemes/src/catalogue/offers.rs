//! What may be taken of a scheme's offers, in words.

use core::fmt::Write as _;

use musubi_ledger::offer::{Coupon, Gives, Price};

use super::{grouped, terms::condition};
use crate::{
    cast::place_of,
    scheme::{Offered, Scheme, Shown, parts},
};

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
    let mut text = match &offer.terms.gives {
        Gives::Coupon(coupon) => coupon_text(scheme, coupon),
        _ => parts.collect::<Vec<String>>().join(" and "),
    };
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

fn coupon_text(scheme: &Scheme, coupon: &Coupon) -> String {
    let name = |id| scheme.cast.members[place_of(id)].name.clone();
    let mut text = match &coupon.off {
        Some(off) => format!("a coupon of {}", super::rules::formula(off, "the price")),
        None => "a coupon that rules give something back for".into(),
    };
    if let Some(most) = coupon.most {
        let _ = write!(text, ", at most {}", grouped(most.0));
    }
    if !coupon.least.is_zero() {
        let _ = write!(text, ", for a price from {} on", grouped(coupon.least.0));
    }
    if !coupon.at.is_empty() {
        let shops: Vec<String> = coupon.at.iter().map(|shop| name(*shop)).collect();
        let _ = write!(text, ", at {}", shops.join(" and "));
    }
    if let Some(shops) = &coupon.shops {
        let _ = write!(text, ", at shops with {}", condition(shops));
    }
    if coupon.off.is_some() {
        let by = coupon.sponsor().map_or("the shop".into(), name);
        let _ = write!(text, ", borne by {by}");
    }
    text
}
