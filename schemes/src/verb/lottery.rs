//! `apply`, `reveal`, `draw`: more who want it than there is of it.

use musubi_ledger::{
    hash::sha256,
    id::{Seed, TxId},
    limits,
    offer::{
        Entitlement, Holder,
        draw::{Draw, Won, winners},
    },
    operation::{Apply, CountDraw, Operation, RevealDraw},
    state::{Row, RowKey},
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};
use crate::{play::After, scheme::Shown};

/// An offer with a lottery, by its place.
fn lottery(fields: &Fields<'_>, names: &Names<'_>) -> Option<usize> {
    let node = fields.need("offer")?;
    let offer = names.offer(&node)?;
    match names.offers[offer].shown {
        Shown::Lottery => Some(offer),
        _ => node.wrong("nothing is drawn for this offer: say `lottery` at it"),
    }
}

#[derive(Debug)]
struct Applied {
    offer: usize,
    to: Vec<usize>,
    units: u32,
}

pub(super) fn apply(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let offer = lottery(fields, names);
    let to = fields.need("to").and_then(|node| names.parties(&node));
    let units = fields.may("units").map_or(Some(1), |node| node.whole(1..=1_000_000));
    let units = u32::try_from(units?).ok()?;
    Some(Box::new(Applied { offer: offer?, to: to?, units }))
}

impl Verb for Applied {}
impl Sealed for Applied {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let offer = play.offer(self.offer)?;
        let mut acts = Vec::new();
        for at in &self.to {
            let apply = Apply { offer, to: play.party(*at), units: self.units };
            let signers = play.authority(*at);
            let body = play.body(signers[0].3, Operation::Apply(apply));
            let right = After::Right(self.offer, *at, body.id());
            acts.push(Act::new(body, signers).then(right));
        }
        Ok(acts)
    }
}

#[derive(Debug)]
struct Revealed {
    offer: usize,
    /// Another seed than the one that was committed to: what must be refused.
    other: Option<String>,
}

pub(super) fn reveal(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let offer = lottery(fields, names);
    let other = fields.may("other").and_then(|node| node.text());
    Some(Box::new(Revealed { offer: offer?, other }))
}

impl Verb for Revealed {}
impl Sealed for Revealed {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let seed = match &self.other {
            Some(text) => Seed(sha256(text.as_bytes())),
            None => play.seed(self.offer),
        };
        let reveal = RevealDraw { offer: play.offer(self.offer)?, seed };
        let officers = play.officers("issuer", 1);
        let body = play.body(officers[0].3, Operation::RevealDraw(reveal));
        Ok(vec![Act::new(body, officers)])
    }
}

#[derive(Debug)]
struct Counted {
    offer: usize,
}

pub(super) fn draw(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    lottery(fields, names).map(|offer| -> Box<dyn Verb> { Box::new(Counted { offer }) })
}

fn entitlement(play: &Play<'_>, id: TxId) -> Result<Entitlement, Fault> {
    match play.stage.state().row(&RowKey::Entitlement(id)) {
        Some(Row::Entitlement(entitlement)) => Ok((*entitlement).clone()),
        _ => Err(Fault::Lacks(format!("{id} is no application"))),
    }
}

/// All who applied, in the order in which they did: application, tier, units.
fn applications(play: &Play<'_>, draw: &Draw) -> Result<Vec<(TxId, u8, u32)>, Fault> {
    let mut all = Vec::new();
    let mut next = draw.newest;
    while let Some(id) = next {
        let entitlement = entitlement(play, id)?;
        let application = entitlement.application.expect("a list has applications alone");
        all.push((id, application.tier, entitlement.units));
        next = application.before;
    }
    all.reverse();
    Ok(all)
}

impl Verb for Counted {}
impl Sealed for Counted {
    /// Replays the draw, proves its last place to the ledger in as many steps as that takes, and tells who is who.
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let offer = play.offer(self.offer)?;
        let (name, stock) = {
            let offered = &play.scheme.offers[self.offer];
            (&offered.name, offered.terms.stock.unwrap_or_default())
        };
        let draw = match play.stage.state().row(&RowKey::Draw(offer)) {
            Some(Row::Draw(draw)) => (*draw).clone(),
            _ => return Err(Fault::Lacks(format!("nobody applied to {name}"))),
        };
        let lacks = || Fault::Lacks(format!("the seed of {name} was not shown"));
        let seed = draw.seed.ok_or_else(lacks)?;
        let all = applications(play, &draw)?;
        let (result, places) = winners(&seed, &all, stock);
        let (mut won, mut lost) = (Vec::new(), Vec::new());
        for (place, units) in places {
            let Holder::Party(party) = entitlement(play, place.application)?.holder else {
                unreachable!("parties apply")
            };
            let side = if units > 0 { &mut won } else { &mut lost };
            side.push((play.place(party)?, place.application));
        }
        play.drawn(self.offer, true, &won)?;
        play.drawn(self.offer, false, &lost)?;
        let Won::UpTo(last) = result else { return Ok(Vec::new()) };
        let count = CountDraw { offer, last: last.place.application };
        let officers = play.officers("issuer", 1);
        let step = |_| {
            let body = play.body(officers[0].3, Operation::CountDraw(count));
            Act::new(body, officers.clone())
        };
        Ok((0..all.len().div_ceil(limits::DRAW_STEP)).map(step).collect())
    }
}
