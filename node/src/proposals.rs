//! Which proposals wait for whom.
//!
//! The state keeps every proposal for ever; this index, in memory, holds those that are open, by everybody
//! whom one might concern. It may name too many (roles that are about to end, groups that close) and never
//! too few; [`concerns`] decides by the rows.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use musubi_ledger::{
    group::Group,
    id::{PartyId, TxId},
    judge::{Missing, missing_consents},
    state::{Changes, DueKind, Proposal, ProposalStatus, ReadState, Row, RowKey, Shared, Table},
    time::Time,
    transaction::{Role, Side},
};
use musubi_storage::{Store, StoreError};

/// The open proposals.
#[derive(Debug, Default)]
pub struct OpenProposals(Mutex<Index>);

#[derive(Debug, Default)]
struct Index {
    /// Per open proposal whom it might concern, ascending.
    open: HashMap<TxId, Vec<PartyId>>,
    by_party: HashMap<PartyId, BTreeSet<TxId>>,
}

/// Deadlines read at once when a node starts.
const DEADLINES_PAGE: usize = 512;

impl OpenProposals {
    /// Finds what is open by the deadlines in the state. A proposal has one until it has passed, so this
    /// looks at a few months' proposals at most, not at all there ever were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn find(store: &Store) -> Result<Self, StoreError> {
        let open = Self::default();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = store.rows(Table::Due, &[], after.as_deref(), DEADLINES_PAGE)?;
            for (key, _) in page.rows {
                if let Some(RowKey::Due(_, DueKind::Proposal, id)) = RowKey::due_from_bytes(&key)
                    && let Some(Row::Proposal(proposal)) = store.row(&RowKey::Proposal(TxId(id)))?
                {
                    open.lock().put(TxId(id), &proposal, &**store.state());
                }
                after = Some(key);
            }
            if !page.more {
                return Ok(open);
            }
        }
    }

    /// Takes a block's changes, which `state` already has.
    pub fn apply(&self, changes: &Changes, state: &dyn ReadState) {
        let mut index = self.lock();
        for (key, row) in changes {
            match (key, row) {
                (RowKey::Proposal(id), Some(Row::Proposal(proposal))) => {
                    index.put(*id, proposal, state);
                }
                // Other officers, other roles: what their party has open may concern others now.
                (RowKey::Group(party), _) => index.renew(*party, state),
                (RowKey::Party(party), Some(Row::Party(row))) if !row.officers.is_empty() => {
                    index.renew(*party, state);
                }
                _ => {}
            }
        }
    }

    /// Open proposals that concern `party`, ascending.
    #[must_use]
    pub fn of(&self, party: PartyId, state: &dyn ReadState, now: Time) -> Vec<TxId> {
        let candidates = self.lock().by_party.get(&party).cloned().unwrap_or_default();
        let concerned = |id: &TxId| match state.row(&RowKey::Proposal(*id)) {
            Some(Row::Proposal(proposal)) => concerns(state, &proposal, party, now),
            _ => false,
        };
        candidates.into_iter().filter(concerned).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Index> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Index {
    fn put(&mut self, id: TxId, proposal: &Proposal, state: &dyn ReadState) {
        for party in self.open.remove(&id).unwrap_or_default() {
            if let Some(ids) = self.by_party.get_mut(&party) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_party.remove(&party);
                }
            }
        }
        if proposal.status != ProposalStatus::Open {
            return;
        }
        let watchers = watchers(state, proposal);
        for party in &watchers {
            self.by_party.entry(*party).or_default().insert(id);
        }
        self.open.insert(id, watchers);
    }

    fn renew(&mut self, party: PartyId, state: &dyn ReadState) {
        let ids = self.by_party.get(&party).cloned().unwrap_or_default();
        for id in ids {
            if let Some(Row::Proposal(proposal)) = state.row(&RowKey::Proposal(id)) {
                self.put(id, &proposal, state);
            }
        }
    }
}

/// Everybody whom a proposal might concern before its parties' rows change.
fn watchers(state: &dyn ReadState, proposal: &Proposal) -> Vec<PartyId> {
    let movement = &proposal.movement;
    let mut found = vec![movement.from, movement.to, proposal.proposer];
    for party in [movement.from, movement.to] {
        if let Some(Row::Party(row)) = state.row(&RowKey::Party(party)) {
            found.extend(&row.officers);
        }
        if let Some(group) = group(state, party) {
            found.push(group.representative);
            found.extend(group.roles.iter().map(|grant| grant.person));
            if let Some(successors) = &group.successors {
                found.push(successors.representative);
                found.extend(successors.roles.iter().map(|grant| grant.person));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a proposal waits for somebody, and `party` gives, receives, proposed it, or could give a
/// consent that is missing.
#[must_use]
pub fn concerns(state: &dyn ReadState, proposal: &Proposal, party: PartyId, now: Time) -> bool {
    // What waits for nobody is open in name only: its deadline passed, or its group closes.
    let missing = missing_consents(state, proposal, now);
    if missing.is_empty() {
        return false;
    }
    let movement = &proposal.movement;
    [movement.from, movement.to, proposal.proposer].contains(&party)
        || missing.iter().any(|missing| could_give(state, proposal, missing, party, now))
}

fn could_give(
    state: &dyn ReadState,
    proposal: &Proposal,
    missing: &Missing,
    person: PartyId,
    now: Time,
) -> bool {
    let given = proposal.consents.iter().any(|consent| {
        (consent.side, consent.party, consent.signer) == (missing.side, missing.party, person)
    });
    if given || (missing.role, proposal.movement.to) == (Role::Approver, person) {
        return false;
    }
    match (missing.side, missing.role) {
        (_, Role::Officer) => match state.row(&RowKey::Party(missing.party)) {
            Some(Row::Party(party)) => party.officers.binary_search(&person).is_ok(),
            _ => false,
        },
        (side, role @ (Role::Drafter | Role::Approver)) => {
            let Some(mut group) = group(state, missing.party) else { return false };
            group.seat_successors(now);
            let roles = group.roles_of(&person);
            match (side, role) {
                // Whoever holds any role may receive for the group.
                (Side::Credit, _) => {
                    roles.drafts || roles.approves || group.representative == person
                }
                (_, Role::Drafter) => roles.drafts,
                _ => roles.approves,
            }
        }
        _ => false,
    }
}

fn group(state: &dyn ReadState, id: PartyId) -> Option<Shared<Group>> {
    match state.row(&RowKey::Group(id)) {
        Some(Row::Group(group)) => Some(group),
        _ => None,
    }
}
