//! `take`, `entitle`, `put_offer`, `end_offer`: what may be taken, and by which right.

use musubi_ledger::{
    amount::Amount,
    hash::sha256,
    id::DocumentHash,
    keys::SecretKey,
    offer::{Price, entitlement_id},
    operation::{Cause, EndOffer, Entitle, Happening, Operation, Payment, Showing, Take},
    time::Time,
    transaction::{Role, Side},
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};
use crate::{
    play::{After, Signer},
    scheme::Shown,
};

/// The block that carries an end may be a moment later than now.
const SOON_MS: u64 = 3_600_000;

#[derive(Debug)]
struct PutOne {
    offer: usize,
}

pub(super) fn put(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("offer")?;
    let offer = names.offer(&node)?;
    if !names.offers[offer].later {
        return node.wrong("this offer is there from the start, or say later = true at it");
    }
    Some(Box::new(PutOne { offer }))
}

impl Verb for PutOne {}
impl Sealed for PutOne {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        play.put_offer(self.offer).map(|act| vec![act])
    }
}

#[derive(Debug)]
struct EndOne {
    offer: usize,
    at: Option<Time>,
}

pub(super) fn end(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let offer = fields.need("offer").and_then(|node| names.offer(&node));
    let at = fields.may("from").map(|node| node.time());
    let at = match at {
        Some(at) => Some(at?),
        None => None,
    };
    Some(Box::new(EndOne { offer: offer?, at }))
}

impl Verb for EndOne {}
impl Sealed for EndOne {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let offer = play.offer(self.offer)?;
        let at = self.at.unwrap_or_else(|| play.stage.now().plus(SOON_MS));
        let officers = play.officers("issuer", 2);
        let body = play.body(officers[0].3, Operation::EndOffer(EndOffer { offer, at }));
        Ok(vec![Act::new(body, officers)])
    }
}

#[derive(Debug)]
struct Entitled {
    offer: usize,
    to: Vec<usize>,
    /// What happened; each its own if left out.
    event: Option<String>,
    units: u32,
    until: Option<Time>,
}

pub(super) fn entitle(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("offer")?;
    let offer = names.offer(&node);
    let to = fields.need("to").and_then(|node| names.parties(&node));
    let event = fields.may("event").and_then(|node| node.text());
    let units = fields.may("units").map_or(Some(1), |node| node.whole(1..=1_000_000));
    let until = fields.end();
    let offer = offer?;
    if !matches!(names.offers[offer].shown, Shown::Right(..)) {
        return node.wrong("nobody needs a right to this offer: say `given_by` at it");
    }
    let units = u32::try_from(units?).ok()?;
    Some(Box::new(Entitled { offer, to: to?, event, units, until }))
}

impl Verb for Entitled {}
impl Sealed for Entitled {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let offered = &play.scheme.offers[self.offer];
        let Shown::Right(by, officers) = offered.shown else {
            unreachable!("checked when it was read")
        };
        let until = self.until.unwrap_or(offered.terms.until);
        let offer = play.offer(self.offer)?;
        let name = play.scheme.cast.members[by].name.clone();
        let mut acts = Vec::new();
        for at in &self.to {
            let reference = match &self.event {
                Some(event) => sha256(event.as_bytes()),
                None => play.fresh_hash("event"),
            };
            let happening =
                Happening { party: play.party(*at), reference: DocumentHash(reference) };
            let causes = vec![Cause::Event(happening)];
            let entitle = Entitle { offer, causes, units: self.units, until };
            let signers = play.officers(&name, usize::from(officers));
            let body = play.body(signers[0].3, Operation::Entitle(entitle));
            let right = entitlement_id(&offer, &reference);
            acts.push(Act::new(body, signers).then(After::Right(self.offer, *at, right)));
        }
        Ok(acts)
    }
}

#[derive(Debug)]
struct Taken {
    offer: usize,
    to: Vec<usize>,
    units: u32,
    live: bool,
    /// Another code than the offer's, or another's right: what must be refused.
    code: Option<String>,
    right_of: Option<usize>,
    /// The same outside payment for all, which only one of them may use.
    funding: Option<String>,
}

pub(super) fn take(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let offer = fields.need("offer").and_then(|node| names.offer(&node));
    let to = fields.need("to").and_then(|node| names.parties(&node));
    let units = fields.may("units").map_or(Some(1), |node| node.whole(1..=1_000_000));
    let live = fields
        .may("via")
        .map_or(Some(false), |node| node.one_of(&[("mandate", false), ("live", true)]));
    let code = fields.may("shows").and_then(|node| node.text());
    let funding = fields.may("funding").and_then(|node| node.text());
    let right_of = fields.may("right_of").map(|node| names.party(&node));
    let right_of = match right_of {
        Some(party) => Some(party?),
        None => None,
    };
    let units = u32::try_from(units?).ok()?;
    let (offer, to, live) = (offer?, to?, live?);
    Some(Box::new(Taken { offer, to, units, live, code, right_of, funding }))
}

/// What is shown for an offer: what it asks for, or another code; and the code's key.
pub(super) fn shown(
    play: &Play<'_>,
    at: usize,
    code: Option<&str>,
    whose: usize,
) -> Result<(Showing, Option<SecretKey>), Fault> {
    let offered = &play.scheme.offers[at];
    Ok(match (code, &offered.shown) {
        (Some(code), _) => coded(play, code),
        (None, Shown::Code(code)) => coded(play, code),
        (None, Shown::Right(..) | Shown::Lottery) => {
            let right = play.rights.get(&(at, whose)).copied();
            let name = &play.scheme.cast.members[whose].name;
            let lacks = || Fault::Lacks(format!("{name} has no right to {}", offered.name));
            (Showing::Entitlement(right.ok_or_else(lacks)?), None)
        }
        (None, Shown::Nothing) => (Showing::Nothing, None),
    })
}

fn coded(play: &Play<'_>, code: &str) -> (Showing, Option<SecretKey>) {
    let key = play.code_key(code);
    (Showing::Code(key.public()), Some(key))
}

impl Taken {
    /// What it costs, and who signs for that.
    fn payment(&self, play: &mut Play<'_>, at: usize) -> Result<(Payment, Vec<Signer>), Fault> {
        match play.scheme.offers[self.offer].terms.gives.price() {
            None => Ok((Payment::Nothing, Vec::new())),
            Some(Price::Outside(_)) => {
                let issuer = play.institution("issuer");
                let funding = DocumentHash(match &self.funding {
                    Some(name) => sha256(name.as_bytes()),
                    None => play.fresh_hash("funding"),
                });
                let says = (Side::Debit, Role::Issuer, play.party(issuer), issuer);
                Ok((Payment::Outside(funding), vec![says]))
            }
            Some(Price::Exchange(exchange)) => {
                let whole = exchange.amount.0.saturating_mul(u64::from(self.units));
                Ok((Payment::Value, play.debit(at, Amount(whole), None)?))
            }
        }
    }

    fn act(&self, play: &mut Play<'_>, at: usize) -> Result<Act, Fault> {
        let offered = &play.scheme.offers[self.offer];
        let offer = play.offer(self.offer)?;
        let whose = self.right_of.unwrap_or(at);
        let (showing, code) = shown(play, self.offer, self.code.as_deref(), whose)?;
        let parts = crate::scheme::parts(&offered.terms);
        let mut instruments: Vec<_> = parts.iter().map(|part| part.instrument).collect();
        instruments.dedup();
        let (credit, mut signers) = play.receives(at, &instruments, self.live);
        let to = play.party(at);
        let (payment, pays) = self.payment(play, at)?;
        signers.extend(pays);
        let take = Take { offer, to, units: self.units, showing, payment, credit };
        let sender = play.sender(at);
        if signers.iter().all(|signer| signer.3 != sender) {
            signers.push((Side::Authority, Role::Holder, play.party(sender), sender));
        }
        let act = Act::new(play.body(sender, Operation::Take(take)), signers);
        Ok(match code {
            Some(key) => act.and((Side::Authority, Role::Code, to, key)),
            None => act,
        })
    }
}

impl Verb for Taken {}
impl Sealed for Taken {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        self.to.iter().map(|at| self.act(play, *at)).collect()
    }
}
