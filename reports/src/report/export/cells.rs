//! Cells of parties that have something in common, and which of them are too small to be shown.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::party::{Party, PartyKind};
use musubi_sdk::{PartyId, Time};

use super::Wanted;
use crate::source::Rows;

/// What is shown of parties.
pub(super) struct Cells {
    kinds: BTreeMap<PartyId, PartyKind>,
    shown: BTreeMap<PartyId, String>,
    few: BTreeSet<PartyKind>,
}

impl Cells {
    /// Of the parties that there are at `now`.
    pub(super) fn new(rows: &Rows, wanted: &Wanted, now: Time) -> Self {
        let mut kinds = BTreeMap::new();
        let mut sizes: BTreeMap<PartyKind, u64> = BTreeMap::new();
        let mut cells: BTreeMap<(PartyKind, String), Vec<PartyId>> = BTreeMap::new();
        for (id, party) in rows.parties() {
            kinds.insert(id, party.kind);
            *sizes.entry(party.kind).or_default() += 1;
            let attributes = attributes(party, wanted, now);
            cells.entry((party.kind, attributes)).or_default().push(id);
        }
        let large = |members: &Vec<PartyId>| members.len() as u64 >= wanted.small;
        let mut shown = BTreeMap::new();
        for ((_, attributes), members) in cells.into_iter().filter(|(_, m)| large(m)) {
            shown.extend(members.into_iter().map(|id| (id, attributes.clone())));
        }
        let few = sizes.into_iter().filter(|(_, size)| *size < wanted.small);
        Self { kinds, shown, few: few.map(|(kind, _)| kind).collect() }
    }

    /// A party's kind, unless too few are of it.
    pub(super) fn kind(&self, party: PartyId) -> Option<String> {
        let kind = self.kinds.get(&party).filter(|kind| !self.few.contains(kind))?;
        Some(name(*kind).into())
    }

    /// A party's attributes, unless too few have them all.
    pub(super) fn attributes(&self, party: PartyId) -> Option<String> {
        self.shown.get(&party).cloned()
    }
}

/// The wanted attributes that a party has, in their order: `age-band=60s;resident=yes`.
fn attributes(party: &Party, wanted: &Wanted, now: Time) -> String {
    let of = |name: &String| party.attribute(name, now).map(|value| format!("{name}={value}"));
    wanted.attributes.iter().filter_map(of).collect::<Vec<_>>().join(";")
}

/// As the API's JSON has it.
fn name(kind: PartyKind) -> &'static str {
    match kind {
        PartyKind::Person => "person",
        PartyKind::Group => "group",
        PartyKind::Merchant => "merchant",
        PartyKind::Issuer => "issuer",
        PartyKind::Registrar => "registrar",
        PartyKind::Operator => "operator",
        PartyKind::External => "external",
    }
}
