//! Random operations about keys.

use musubi_ledger::{
    party::{KeyStatus, PartyStatus},
    state::{Proposal, ProposalConsent, ProposalStatus},
};

use super::{
    super::common::*, Generator, Step, gives, medium::KEYLESS, name_of, pick, ring::party, takes,
};

const OWNERS: [&str; 17] = [
    "alice", "bob", "carol", "dave", "eve", "frank", "shop", "alice", "bob", "frank", "club",
    "partner", "ghost", "granny", "i1", "c1", "p1",
];

/// An operation, and who should sign it.
pub(super) type ByKeys = (Operation, Vec<By>);

impl Generator {
    /// Now and then, something about keys.
    pub(super) fn about_keys(&mut self, world: &World, step: &Step) -> Option<ByKeys> {
        let who = pick(&OWNERS, step[1]).unwrap();
        Some(match step[0] / 64 % 20 {
            0 => self.add_key(step, who),
            1 => self.rotate_key(world, step, who),
            2 => self.revoke_key(world, step, who),
            3 if step[5] % 8 < 5 => self.recover(world, step, who),
            3 => stop_or_lift(world, step, who),
            6 | 7 => return self.follow_up(world, step),
            _ => return None,
        })
    }

    /// What an open proposal still wants, or (a key may be compromised since) what it once got.
    fn follow_up(&self, world: &World, step: &Step) -> Option<ByKeys> {
        let is_open =
            |(_, p): &(TxId, Proposal)| p.status == ProposalStatus::Open && world.now < p.deadline;
        let all = self.proposals.iter().filter_map(|id| proposal(world, *id)).filter(is_open);
        let open: Vec<(TxId, Proposal)> = all.collect();
        let (id, proposal) = open.get(usize::from(step[1]) % open.len().max(1))?;
        let m = &proposal.movement;
        let mut wanted = gives(name_of(m.from), step[5]);
        wanted.push(takes(name_of(m.to)));
        if !step[2].is_multiple_of(4) {
            let given = |by: &By| {
                let slot = |c: &ProposalConsent| (c.side, c.role) == (by.side, by.role);
                proposal.consents.iter().any(slot)
            };
            wanted.retain(|by| !given(by));
        }
        wanted.truncate(1 + usize::from(step[3] % 2));
        Some((decide(*id, Decision::Consent), wanted))
    }

    /// Nearly as many keys as one may have, so that a day meets the limit.
    pub(super) fn many_keys(&mut self, world: &mut World, who: &str) -> Vec<Transaction> {
        let mut add = || {
            let new = self.ring.mint(who);
            let op = AddKey { party: id(who), key: key(&new).public() };
            world.transaction(who, Operation::AddKey(op), &[own(who), proves(who, &new)])
        };
        (0..30).map(|_| add()).collect()
    }

    /// Mostly a new one, sometimes somebody's.
    fn new_key(&mut self, step: &Step, who: &str) -> String {
        if step[3].is_multiple_of(9) { self.ring.any(step[2]) } else { self.ring.mint(who) }
    }

    fn add_key(&mut self, step: &Step, who: &str) -> ByKeys {
        let new = self.new_key(step, who);
        let mut signers = match who {
            "partner" => together(step),
            "club" => vec![own("club").key("alice")],
            _ => vec![own(who)],
        };
        if !step[4].is_multiple_of(9) {
            signers.push(proves(who, &new));
        }
        (Operation::AddKey(AddKey { party: id(who), key: key(&new).public() }), signers)
    }

    fn rotate_key(&mut self, world: &World, step: &Step, who: &str) -> ByKeys {
        let wanted = [KeyStatus::Active, KeyStatus::Rotated];
        let wanted = if step[2].is_multiple_of(8) { &wanted[1..] } else { &wanted[..1] };
        let old = pick(&self.ring.of(world, who, wanted), step[4]).unwrap_or("eve").to_owned();
        let new = self.new_key(step, who);
        let mut signers = vec![proves(who, &old), proves(who, &new)];
        match step[5] % 12 {
            0 => signers[0] = own(who),
            1 => drop(signers.pop()),
            // Any slot will do.
            2 => signers[0] = debit(who).key(&old),
            _ => {}
        }
        let op = RotateKey { party: id(who), old: key(&old).public(), new: key(&new).public() };
        (Operation::RotateKey(op), signers)
    }

    fn revoke_key(&mut self, world: &World, step: &Step, who: &str) -> ByKeys {
        use KeyStatus::{Active, Compromised, Revoked, Rotated, Waiting};
        let ended = [Rotated, Revoked, Compromised, Waiting];
        if let (1, Some((holder, lost))) = (step[3] % 4, self.behind_a_card(world, step[1])) {
            let op = RevokeKey { party: id(holder), key: lost, compromised: true };
            return (Operation::RevokeKey(op), vec![officer("registrar", "r3")]);
        }
        let wanted: &[KeyStatus] = if step[3].is_multiple_of(3) { &ended } else { &[Active] };
        let theirs = self.ring.of(world, who, wanted);
        let which = match step[2] % 12 {
            0 => self.ring.any(step[4]),
            _ => pick(&theirs, step[4]).unwrap_or(who).to_owned(),
        };
        // Who has no key left is out of the game for days: not too often.
        let last = theirs.len() < 2 && *wanted == [Active];
        let compromised = if last { step[4].is_multiple_of(16) } else { step[4].is_multiple_of(2) };
        let signers = match (who, step[5] % 8) {
            ("club", _) => vec![checker("club", "bob")],
            ("partner", 0..=3) => vec![officer("partner", "p1")],
            ("partner", _) => together(step),
            (_, 0 | 1) => vec![officer("registrar", "r3")],
            (_, 2) => vec![officer("registrar", "bob")],
            _ => vec![own(who)],
        };
        let op = RevokeKey { party: id(who), key: key(&which).public(), compromised };
        (Operation::RevokeKey(op), signers)
    }

    fn recover(&mut self, world: &World, step: &Step, who: &str) -> ByKeys {
        let who = self.in_need(world, step, who);
        let pending = party(world, &who).is_some_and(|p| p.recovery.is_some());
        let mut signers = match who.as_str() {
            "partner" => together(step),
            _ => vec![officer("registrar", "r1"), officer("registrar", "r2")],
        };
        if step[4] % 8 == 7 {
            signers.truncate(1);
        }
        if pending && step[4].is_multiple_of(4) || step[4] % 16 == 3 {
            let keys = self.ring.of(world, &who, &[KeyStatus::Active]);
            if let (Some(old), true) = (pick(&keys, step[2]), step[5].is_multiple_of(2)) {
                signers = vec![debit(&who).key(old)];
            }
            return (Operation::CancelRecovery { party: id(&who) }, signers);
        }
        let new = self.new_key(step, &who);
        if !step[4].is_multiple_of(13) {
            signers.push(proves(&who, &new));
        }
        let op = Recover { party: id(&who), key: key(&new).public(), evidence: document("check") };
        (Operation::Recover(op), signers)
    }

    /// Who has no key, or waits already, rather than just anybody.
    fn in_need(&self, world: &World, step: &Step, who: &str) -> String {
        let needs = |name: &&&str| {
            let waits = party(world, name).is_some_and(|p| p.recovery.is_some());
            let keyless = self.ring.of(world, name, &[KeyStatus::Active]).is_empty();
            waits || (keyless && !["club", "ghost", KEYLESS].contains(*name))
        };
        let all: Vec<&str> = OWNERS.iter().filter(needs).copied().collect();
        if step[2].is_multiple_of(4) {
            who.into()
        } else {
            pick(&all, step[1]).unwrap_or(who).into()
        }
    }
}

fn proposal(world: &World, id: TxId) -> Option<(TxId, Proposal)> {
    match world.state.row(&RowKey::Proposal(id)) {
        Some(Row::Proposal(proposal)) => Some((id, Proposal::clone(&proposal))),
        _ => None,
    }
}

/// Freezes, or mostly lifts what is frozen.
fn stop_or_lift(world: &World, step: &Step, who: &str) -> ByKeys {
    let is_frozen =
        |name: &&&str| party(world, name).is_some_and(|p| p.status == PartyStatus::Frozen);
    let others = ["registrar", "issuer", "mart"];
    let frozen: Vec<&str> = OWNERS.iter().chain(&others).filter(is_frozen).copied().collect();
    let lifted = pick(&frozen, step[1]).unwrap_or(who);
    let official = |name| ["partner", "registrar", "issuer"].contains(&name);
    if !step[4].is_multiple_of(4) {
        let signers = match official(lifted) {
            true => together(step),
            false => vec![officer("registrar", "r1"), officer("registrar", "r3")],
        };
        return (Operation::Unfreeze { party: id(lifted) }, signers);
    }
    let who = if step[3].is_multiple_of(8) { others[usize::from(step[2] % 3)] } else { who };
    let signers = match who {
        "club" => vec![member("club", "carol")],
        "issuer" => vec![officer("issuer", "i1")],
        "registrar" => vec![officer("registrar", "r2")],
        "partner" => together(step),
        _ => vec![own(who)],
    };
    (super::freeze(who), signers)
}

/// Two organisations, sometimes one.
pub(super) fn together(step: &Step) -> Vec<By> {
    let mut all = vec![governs("city"), governs("operator"), governs("partner")];
    all.remove(usize::from(step[3] % 3));
    if step[5].is_multiple_of(7) {
        all.pop();
    }
    all
}
