//! Groups that begin, change, pay, and end.

use musubi_ledger::group::{Group, GroupPolicy};

use super::*;

type Grant = (&'static str, bool, bool);

/// Mostly the small ones: much else depends on the club.
const GROUPS: [&str; 12] = [
    "choir", "team", "band", "choir", "team", "band", "choir", "team", "band", "choir", "club",
    "alice",
];
const SHAPES: [&[Grant]; 9] = [
    &[("eve", true, false), ("bob", false, true)],
    &[("frank", true, true), ("carol", true, true), ("bob", false, true)],
    &[("alice", true, false), ("bob", false, true), ("carol", true, true)],
    &[("eve", true, true)],
    &[("eve", true, false), ("frank", false, true), ("dave", true, true)],
    &[("alice", true, false), ("carol", false, true)],
    &[("shop", true, false), ("bob", false, true)],
    &[("eve", false, false), ("bob", false, true)],
    &[],
];
const BANDS: [&[(u64, u8)]; 8] = [
    &[],
    &[(1, 1)],
    &[(1, 1), (1_000, 2)],
    &[(500, 2)],
    &[(1, 1), (100_000, 2)],
    &[(100, 1), (50, 2)],
    &[(1, 2), (500, 1)],
    &[(1, 9)],
];

/// A group as it is, in names: its representative, and who has which roles.
struct Known {
    name: &'static str,
    representative: &'static str,
    roles: Vec<Grant>,
}

impl Known {
    fn find(world: &World, name: &'static str) -> Option<Self> {
        let Some(Row::Group(group)) = world.state.row(&RowKey::Group(id(name))) else {
            return None;
        };
        let group: &Group = &group;
        let named = |p: PartyId| PERSONS.into_iter().find(|name| id(name) == p).unwrap_or("dave");
        let roles = group.roles.iter();
        let grant = roles.map(|g| (named(g.person), g.roles.drafts, g.roles.approves));
        Some(Self { name, representative: named(group.representative), roles: grant.collect() })
    }

    /// Everybody who can speak for it, the representative first.
    fn everybody(&self) -> Vec<By> {
        let mut all = vec![represents(self.name, self.representative)];
        for (person, drafts, _) in &self.roles {
            if *person != self.representative {
                all.push(speaks(self.name, (person, *drafts, false)));
            }
        }
        all
    }

    /// A drafter and all others who approve.
    fn payers(&self) -> Vec<By> {
        let drafter = self.roles.iter().find(|grant| grant.1).map_or("eve", |grant| grant.0);
        let others = self.roles.iter().filter(|grant| grant.2 && grant.0 != drafter);
        let mut all = vec![drafts(self.name, drafter)];
        all.extend(others.map(|grant| approves(self.name, grant.0)));
        all
    }
}

fn speaks(group: &str, (person, drafts, _): Grant) -> By {
    if drafts { member(group, person) } else { checker(group, person) }
}

fn rules_of(choice: u16) -> GroupPolicy {
    let mut made = policy(pick(&BANDS, choice % 11).unwrap());
    made.exclusive_roles = choice.is_multiple_of(7);
    made.proposal_hours = [72, 72, 24, 72, 72, 72, 0, 72][usize::from(choice / 16 % 8)];
    made
}

pub(super) fn by_group(world: &World, step: &Step) -> Made {
    let name = pick(&GROUPS, step[1]).unwrap();
    let Some(known) = Known::find(world, name) else {
        return create(name, step);
    };
    match step[0] / 1024 % 16 {
        0 => create(name, step),
        1..=3 => change(&known, step),
        4 if name != "club" || step[2].is_multiple_of(8) => close(&known, step),
        5..=7 => install(world, &known, step),
        8..=11 => receive(&known, step),
        _ => payout(world, &known, step),
    }
}

fn receive(known: &Known, step: &Step) -> Made {
    let payer = pick(&["alice", "bob", "carol", "frank"], step[2]).unwrap();
    let amount = pick(&AMOUNTS, step[3] % 9).unwrap();
    let mut all = known.everybody();
    let mut receiver = all.swap_remove(usize::from(step[5]) % all.len());
    receiver.side = Side::Credit;
    (pay(payer, known.name, amount), vec![debit(payer), receiver], None)
}

fn payout(world: &World, known: &Known, step: &Step) -> Made {
    let payee = pick(&PARTIES, step[2]).unwrap();
    let amount = pick(&AMOUNTS, step[3] % 7).unwrap();
    let mut signers = known.payers();
    if step[5].is_multiple_of(3) {
        let deadline = world.now.plus([2, 20, 71, 73][usize::from(step[4] % 4)] * 3_600_000);
        signers.truncate(1 + usize::from(step[4] % 2));
        return (propose(known.name, payee, amount, deadline), signers, None);
    }
    signers.push(takes(payee));
    (pay(known.name, payee, amount), signers, None)
}

fn create(name: &'static str, step: &Step) -> Made {
    let shape = pick(&SHAPES, step[2] % 13).unwrap();
    let representative = pick(&["dave", "frank", "dave", "eve", "shop"], step[3] % 9).unwrap();
    let registrar = if step[3].is_multiple_of(16) { "city" } else { "registrar" };
    let mut granted = roles(shape);
    if step[4].is_multiple_of(16) {
        granted.reverse();
    }
    let op = CreateGroup {
        group: id(name),
        registrar: id(registrar),
        representative: id(representative),
        roles: granted,
        policy: rules_of(step[4]),
    };
    let mut signers = vec![represents(name, representative), officer("registrar", "r1")];
    if let Some(first) = shape.iter().find(|grant| grant.0 != representative) {
        signers.push(speaks(name, *first));
    }
    (Operation::CreateGroup(op), signers, None)
}

fn change(known: &Known, step: &Step) -> Made {
    let representative = pick(&["eve", "frank", "alice", "shop"], step[3] % 7).unwrap();
    let mut op =
        ChangeGroup { group: id(known.name), roles: None, policy: None, representative: None };
    let mut signers = known.everybody();
    let least = signers.len().min(2);
    signers.truncate(least.max(usize::from(step[5] % 5)));
    if step[4].is_multiple_of(2) {
        op.roles = Some(roles(pick(&SHAPES, step[2] % 13).unwrap()));
    }
    if (step[4] / 2).is_multiple_of(3) {
        op.policy = Some(rules_of(step[3]));
    }
    if (step[4] / 8).is_multiple_of(4) {
        op.representative = Some(id(representative));
        signers.push(own(representative));
    }
    (Operation::ChangeGroup(op), signers, None)
}

fn close(known: &Known, step: &Step) -> Made {
    let mut signers = known.everybody();
    signers.truncate(1 + usize::from(step[5] % 5));
    (Operation::CloseGroup { group: id(known.name) }, signers, None)
}

fn install(world: &World, known: &Known, step: &Step) -> Made {
    let ahead = [NOTICE, NOTICE + DAY, NOTICE + 2 * SECOND, NOTICE + DAY, NOTICE + 3 * DAY];
    let op = InstallSuccessors {
        group: id(known.name),
        representative: id(pick(&["frank", "dave", "mart"], step[3] % 5).unwrap()),
        roles: roles(pick(&SHAPES, step[2] % 13).unwrap()),
        effective: world.now.plus(pick(&ahead, step[4]).unwrap()),
    };
    let signers = vec![officer("registrar", "r2"), officer("registrar", "r3")];
    (Operation::InstallSuccessors(op), signers, None)
}

/// A group joins a body, or leaves it.
pub(super) fn parent(step: &Step) -> Made {
    let group = pick(&["club", "choir", "club", "alice"], step[1]).unwrap();
    let body = pick(&["city", "choir", "club", "city", "bob"], step[2]).unwrap();
    let two = [member(group, "alice"), checker(group, "bob")];
    let speaks = match body {
        "city" => officer("city", "c1"),
        "bob" => own("bob"),
        group => checker(group, "bob"),
    };
    let (parent, signers) = match step[3] % 4 {
        0 => (None, two.to_vec()),
        1 => (None, vec![speaks]),
        _ => (Some(id(body)), [&two[..], &[speaks]].concat()),
    };
    (Operation::SetParent(SetParent { group: id(group), parent }), signers, None)
}
