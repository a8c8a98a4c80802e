//! Keys that the generator knows by name, and what they are now.

use musubi_ledger::party::{KeyStatus, Party};

use super::{super::common::*, Step, owner, pick};

const FIRST: [&str; 22] = [
    "alice",
    "bob",
    "carol",
    "dave",
    "eve",
    "frank",
    "shop",
    "mart",
    "r1",
    "r2",
    "r3",
    "i1",
    "i2",
    "both",
    "c1",
    "p1",
    "issuer/auto",
    "issuer/spare",
    "city/governance",
    "operator/governance",
    "partner/governance",
    "nobody",
];
const OFFICERS: [&str; 3] = ["r1", "r2", "r3"];

/// Everything that was ever called a key.
pub(super) struct Ring(Vec<(String, PublicKey)>);

impl Ring {
    pub(super) fn new() -> Self {
        let mut ring = Self(Vec::new());
        FIRST.into_iter().for_each(|name| ring.know(name));
        ring
    }

    pub(super) fn know(&mut self, name: &str) {
        if !self.0.iter().any(|known| known.0 == name) {
            self.0.push((name.into(), key(name).public()));
        }
    }

    /// A key that was never used before.
    pub(super) fn mint(&mut self, owner: &str) -> String {
        let name = format!("{owner}/k{}", self.0.len());
        self.know(&name);
        name
    }

    pub(super) fn any(&self, choice: u16) -> String {
        self.0[usize::from(choice) % self.0.len()].0.clone()
    }

    /// Somebody's keys that are now one of these.
    pub(super) fn of(&self, world: &World, who: &str, wanted: &[KeyStatus]) -> Vec<&str> {
        let theirs = self.0.iter().filter(|(_, key)| match world.state.row(&RowKey::Key(*key)) {
            Some(Row::Key(record)) => record.party == id(who) && wanted.contains(&record.status),
            _ => false,
        });
        theirs.map(|(name, _)| name.as_str()).collect()
    }

    /// Names stand for persons: mostly a key of theirs signs that is good now, sometimes the first still.
    pub(super) fn freshen(&self, world: &World, signers: &mut [By], step: &Step) {
        for (at, signer) in (0_u16..).zip(signers) {
            let choice = (step[6] / 24).wrapping_add(step[3]).wrapping_add(at);
            if signer.role == Role::Officer && choice % 16 != 15 {
                self.take_office(world, signer);
            }
            let first = !signer.key.contains('/') || signer.key.ends_with("/governance");
            let good = self.of(world, &owner(&signer.key), &[KeyStatus::Active]);
            let stays = if good.contains(&signer.key.as_str()) {
                choice % 4 < 3
            } else {
                choice % 32 == 31
            };
            if let (true, false, Some(other)) = (first, stays, pick(&good, choice / 8)) {
                signer.key = other.into();
            }
        }
    }

    /// The registrar's first officers stand for whoever holds their office now.
    fn take_office(&self, world: &World, signer: &mut By) {
        let at = OFFICERS.iter().position(|name| *name == signer.key);
        if let (Some(at), "registrar") = (at, signer.party.as_str()) {
            let now = party(world, "registrar").map_or(Vec::new(), |p| p.officers);
            let named = self.0.iter().filter(|known| now.contains(&id(&known.0)));
            let names: Vec<&str> = named.map(|known| known.0.as_str()).collect();
            if !OFFICERS.iter().all(|name| names.contains(name)) {
                signer.key = names[at % names.len()].into();
            }
        }
    }
}

/// A party as it is now.
pub(super) fn party(world: &World, name: &str) -> Option<Party> {
    match world.state.row(&RowKey::Party(id(name))) {
        Some(Row::Party(party)) => Some(Party::clone(&party)),
        _ => None,
    }
}
