//! `[parties]` and `[groups]`.

use musubi_ledger::{
    amount::Amount,
    group::{Band, Group, GroupPolicy, RoleGrant, Roles},
    id::PartyId,
    limits,
    party::PartyKind,
};

use super::{fields::Fields, names::parties_of, node::Node};
use crate::cast::{Cast, Drawn, GroupPlan, Member, place_id};

/// Most parties of one set: what a scenario plays in seconds.
const SET_MAX: u64 = 20_000;

const KINDS: [(&str, PartyKind); 3] = [
    ("person", PartyKind::Person),
    ("merchant", PartyKind::Merchant),
    ("external", PartyKind::External),
];

pub(super) fn read(fields: &Fields<'_>, cast: &mut Cast) {
    for (at, name, node) in fields.all() {
        let Some(party) = node.fields() else { continue };
        if !is_name(name) {
            fields.reader().note(crate::Mistake::new(
                at,
                "a name is 1 to 32 of a-z, 0-9 and -, beginning with a letter",
            ));
            continue;
        }
        if cast.named(name).is_some() {
            let what = format!("{name} is there already: every network has its institutions");
            fields.reader().note(crate::Mistake::new(at, what));
            continue;
        }
        let stands = party.stands();
        if let Some((member, count)) = read_one(party) {
            cast.declare(name, vec![Member { stands, ..member }; count]);
        }
    }
}

pub(super) fn is_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(plain)
}

fn count(fields: &Fields<'_>) -> Option<usize> {
    match fields.may("count") {
        None => Some(1),
        Some(node) => node.whole(1..=SET_MAX).and_then(|count| usize::try_from(count).ok()),
    }
}

fn read_one(fields: Fields<'_>) -> Option<(Member, usize)> {
    let kind = fields.need("kind").and_then(|node| node.one_of(&KINDS));
    let count = count(&fields);
    let keyless = fields.may("keyless");
    let later = fields.may("later").and_then(|node| node.flag()).unwrap_or(false);
    let attributes = fields.attributes();
    for key in ["organisation", "officers"] {
        fields.later(key, "a scheme's issuers are the network's");
    }
    let drawn = drawn(&fields);
    let (kind, count) = (kind?, count?);
    if drawn.is_some() && (kind != PartyKind::Person || keyless.is_some() || later) {
        return fields.wrong("who is drawn is a person, and the file says no more than how many");
    }
    if let Some(node) = &keyless
        && node.flag() == Some(true)
        && kind != PartyKind::Person
    {
        node.wrong::<()>("only persons are without a key: a medium pays for them");
    }
    fields.finish();
    let member = Member {
        name: String::new(),
        kind,
        institution: false,
        keyless: keyless.and_then(|node| node.flag()).unwrap_or(false),
        attributes,
        group: None,
        later,
        drawn,
        stands: true,
    };
    Some((member, count))
}

/// `won` or `lost`: who stands here is known when an offer's lottery is drawn.
fn drawn(fields: &Fields<'_>) -> Option<Drawn> {
    match (fields.may("won"), fields.may("lost")) {
        (Some(_), Some(both)) => both.wrong("`won` or `lost`, not both"),
        (Some(node), None) => Some(Drawn { offer: node.text()?, won: true, at: node.at() }),
        (None, Some(node)) => Some(Drawn { offer: node.text()?, won: false, at: node.at() }),
        (None, None) => None,
    }
}

pub(super) fn read_groups(fields: &Fields<'_>, cast: &mut Cast) {
    for (at, name, node) in fields.all() {
        let Some(group) = node.fields() else { continue };
        if !is_name(name) || cast.named(name).is_some() {
            let what = format!("{name} is no name for a group, or is taken");
            fields.reader().note(crate::Mistake::new(at, what));
            continue;
        }
        let stands = group.stands();
        if let Some(members) = read_group(group, cast) {
            let members = members.into_iter().map(|member| Member { stands, ..member });
            cast.declare(name, members.collect());
        }
    }
}

fn read_group(fields: Fields<'_>, cast: &Cast) -> Option<Vec<Member>> {
    let count = count(&fields)?;
    let persons = |key| {
        let node = fields.need(key)?;
        let places = parties_of(&node, cast)?;
        let persons = places.iter().all(|at| cast.members[*at].kind == PartyKind::Person);
        if !persons {
            return node.wrong("only persons act for a group");
        }
        if places.is_empty() || !places.len().is_multiple_of(count) {
            return node
                .wrong(format!("{} persons cannot be dealt out to {count} groups", places.len()));
        }
        Some(places)
    };
    let representative = persons("representative");
    let (drafters, approvers) = (persons("drafters"), persons("approvers"));
    let policy = policy(&fields);
    let later = fields.may("later").and_then(|node| node.flag()).unwrap_or(false);
    let at = fields.at();
    let reader = fields.reader();
    fields.finish();
    let (representative, drafters, approvers) = (representative?, drafters?, approvers?);
    let policy = policy?;
    let block = |all: &[usize], of: usize| {
        let each = all.len() / count;
        all[of * each..(of + 1) * each].to_vec()
    };
    let mut members = Vec::new();
    for of in 0..count {
        let plan = GroupPlan {
            representative: representative[of * representative.len() / count],
            drafters: block(&drafters, of),
            approvers: block(&approvers, of),
            policy: policy.clone(),
        };
        if plan.roles(place_id).len() > limits::GROUP_ROLES_MAX || !plan.can_pay() {
            reader.note(crate::Mistake::new(
                at,
                "a group needs a drafter and an approver who is somebody else, and where roles are exclusive nobody with both",
            ));
            return None;
        }
        members.push(Member {
            name: String::new(),
            kind: PartyKind::Group,
            institution: false,
            keyless: true,
            attributes: Vec::new(),
            group: Some(plan),
            later,
            drawn: None,
            stands: true,
        });
    }
    Some(members)
}

impl GroupPlan {
    /// The roles, as the ledger has them, where a place in the cast has this id.
    #[must_use]
    pub fn roles(&self, id: impl Fn(usize) -> PartyId) -> Vec<RoleGrant> {
        let mut places: Vec<usize> = self.drafters.iter().chain(&self.approvers).copied().collect();
        places.sort_unstable();
        places.dedup();
        let grant = |at: usize| RoleGrant {
            person: id(at),
            roles: Roles {
                drafts: self.drafters.contains(&at),
                approves: self.approvers.contains(&at),
            },
        };
        let mut roles: Vec<RoleGrant> = places.into_iter().map(grant).collect();
        roles.sort_by_key(|grant| grant.person);
        roles
    }

    fn can_pay(&self) -> bool {
        let roles = self.roles(place_id);
        Group::can_pay(&roles) && Group::roles_well_formed(&roles, &self.policy)
    }
}

fn policy(fields: &Fields<'_>) -> Option<GroupPolicy> {
    let exclusive = fields.may("exclusive").and_then(|node| node.flag()).unwrap_or(false);
    let bands = fields.may("bands").map(|node| {
        let bands = node.list()?.iter().map(band).collect::<Option<Vec<Band>>>()?;
        let policy = GroupPolicy { exclusive_roles: false, bands, proposal_hours: 1 };
        match policy.well_formed() {
            true => Some(policy.bands),
            false => node.wrong("bands ascend, and approvers (1 to 8) never get fewer"),
        }
    });
    let bands = match bands {
        Some(bands) => bands?,
        None => Vec::new(),
    };
    Some(GroupPolicy { exclusive_roles: exclusive, bands, proposal_hours: 7 * 24 })
}

fn band(node: &Node<'_>) -> Option<Band> {
    let fields = node.fields()?;
    let from = fields.need("from").and_then(|node| node.whole(0..=u64::MAX));
    let approvers = fields.need("approvers").and_then(|node| node.whole(1..=8));
    fields.finish();
    Some(Band { from: Amount(from?), approvers: u8::try_from(approvers?).ok()? })
}
