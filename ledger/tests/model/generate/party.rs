//! Random registrations, attributes and officers.

use musubi_ledger::party::{Attribute, AttributeTest};

use super::{
    super::common::*,
    Generator, PARTIES, Step,
    keys::{ByKeys, together},
    pick,
    ring::party,
};

/// Who may come during a day. The first four take part in payments.
pub(super) const NEWCOMERS: [(&str, PartyKind); 6] = [
    ("gina", PartyKind::Person),
    ("hugo", PartyKind::Person),
    ("kiosk", PartyKind::Merchant),
    ("bank", PartyKind::External),
    ("mint", PartyKind::Issuer),
    ("bureau", PartyKind::Registrar),
];

/// Somebody who is perhaps not there yet.
pub(super) fn newcomer(choice: u16) -> &'static str {
    NEWCOMERS[usize::from(choice) % 4].0
}

pub(super) fn residents() -> Counterparty {
    let test = AttributeTest { name: "resident".into(), any_of: vec!["yes".into()] };
    Counterparty::Attribute(PartyKind::Person, test)
}

impl Generator {
    /// Now and then, something about who is who.
    pub(super) fn about_parties(&mut self, world: &World, step: &Step) -> Option<ByKeys> {
        Some(match step[0] / 64 % 20 {
            4 => self.registration(world, step),
            5 if step[5] % 3 < 2 => attestation(world, step),
            5 => office(step),
            _ => return None,
        })
    }

    fn registration(&mut self, world: &World, step: &Step) -> ByKeys {
        let missing = |new: &&(&str, PartyKind)| party(world, new.0).is_none();
        let open: Vec<(&str, PartyKind)> = NEWCOMERS.iter().filter(missing).copied().collect();
        let again = step[1].is_multiple_of(8);
        let new = if again { pick(&NEWCOMERS, step[2]) } else { pick(&open, step[2]) };
        let (name, kind) = new.unwrap_or(("ivy", PartyKind::Person));
        let official = [PartyKind::Issuer, PartyKind::Registrar].contains(&kind);
        let mut op = register(name, kind);
        op.organisation = official.then(|| id("operator"));
        op.attributes = attributes(world, step[4] % 4);
        let mut names = vec![name.to_owned()];
        if step[3].is_multiple_of(3) {
            names.push(self.ring.mint(name));
        }
        misfit(&mut op, &mut names, step[5] % 32);
        names.iter().for_each(|name| self.ring.know(name));
        op.keys = names.iter().map(|name| key(name).public()).collect();
        let mut signers = if official { together(step) } else { vec![registrar(world, &op)] };
        signers.extend(names.iter().map(|new| proves(name, new)));
        (Operation::RegisterParty(op), signers)
    }
}

/// What can be wrong with a registration.
fn misfit(op: &mut RegisterParty, names: &mut Vec<String>, how: u16) {
    match how {
        0 => op.tag = None,
        1 => op.tag = Some(tag("alice")),
        2 => op.kind = PartyKind::Group,
        3 => names.clear(),
        4 => names.push("eve".into()),
        5 => op.organisation = Some(id("shop")),
        6 => op.registrar = id("issuer"),
        7 => op.registrar = id("ghost"),
        8 => op.party = id("alice"),
        9 => names.extend(["a", "b", "c", "d"].map(Into::into)),
        10 => op.registrar = id("bureau"),
        _ => {}
    }
}

/// An officer of the registrar that the registration names; of the bureau somebody who may be one.
fn registrar(world: &World, op: &RegisterParty) -> By {
    let bureau = party(world, "bureau").is_some_and(|p| !p.officers.is_empty());
    match op.registrar == id("bureau") && bureau {
        true => officer("bureau", "dave"),
        false => officer("registrar", "r1"),
    }
}

fn attributes(world: &World, choice: u16) -> Vec<Attribute> {
    let resident = Attribute { until: Some(world.now.plus(DAY)), ..attribute("resident", "yes") };
    let band = attribute("age-band", "60s");
    match choice {
        0 => vec![band, resident],
        1 => vec![attribute("resident", "yes")],
        2 => vec![attribute("household", "h1"), attribute("resident", "no")],
        _ => Vec::new(),
    }
}

fn attestation(world: &World, step: &Step) -> ByKeys {
    let who = match step[1] % 8 {
        0 => newcomer(step[2]),
        _ => pick(&PARTIES, step[2]).unwrap(),
    };
    let mut attributes = attributes(world, step[4] % 13 % 4);
    match step[3] % 16 {
        0 => attributes.reverse(),
        1 => attributes.push(attribute("shop", "not a word")),
        _ => {}
    }
    let by = ["registrar", "registrar", "registrar", "bureau", "issuer"][usize::from(step[5] % 5)];
    let signer = if by == "bureau" { "dave" } else { "r2" };
    let op = Attest { party: id(who), registrar: id(by), attributes };
    (Operation::Attest(op), vec![officer(by, signer)])
}

/// New officers. Those of the issuer and of the city stay: they have more to do than is modelled.
fn office(step: &Step) -> ByKeys {
    let of = ["registrar", "registrar", "partner", "bureau", "alice"][usize::from(step[1] % 5)];
    let all = ["r1", "r2", "r3", "dave", "frank"];
    let chosen = all.iter().enumerate().filter(|(at, _)| step[2] >> at & 1 == 1);
    let mut named: Vec<&str> = chosen.map(|(_, name)| *name).collect();
    match step[4] % 24 {
        0 => named.push("shop"),
        1 => named.push("ghost"),
        2 => named.truncate(1),
        _ => {}
    }
    let mut officers = ids(&named);
    if step[4] % 24 == 3 {
        officers.reverse();
    }
    let signers = match (of, step[3] % 8) {
        ("registrar", 0..=4) => vec![officer(of, "r1"), officer(of, "r2")],
        (_, 5) => vec![officer(of, "r3"), governs("city")],
        _ => together(step),
    };
    (Operation::SetOfficers(SetOfficers { party: id(of), officers }), signers)
}
