//! What must hold of groups and bodies.

use std::collections::BTreeSet;

use musubi_ledger::{
    execute::MemoryState,
    id::PartyId,
    state::{Row, RowKey},
};

/// Bodies name the groups that name them.
pub fn check_bodies(state: &MemoryState) {
    let mut named: BTreeSet<(PartyId, PartyId)> = BTreeSet::new();
    let mut names: BTreeSet<(PartyId, PartyId)> = BTreeSet::new();
    for (key, row) in state.rows() {
        match (key, row) {
            (RowKey::Child(body, group), Row::Child) => {
                named.insert((*body, *group));
            }
            (RowKey::Group(group), Row::Group(row)) => {
                names.extend(row.parent.map(|body| (body, *group)));
            }
            _ => {}
        }
    }
    assert_eq!(named, names, "a body's groups are those that lie under it");
}
