//! The model and the real state: how it begins, and that both hold the same.

use musubi_ledger::state::Allowance as Allowed;

use super::*;

impl Model {
    /// The city as [`World::new`] leaves it.
    pub(crate) fn new(world: &World) -> Self {
        let mut kinds = BTreeMap::new();
        let mut groups = BTreeMap::new();
        let mut terms = BTreeMap::new();
        let mut lives = BTreeMap::new();
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Party(id), Row::Party(party)) => drop(kinds.insert(*id, party.kind)),
                (RowKey::Group(id), Row::Group(g)) => {
                    groups.insert(*id, Group::new(g.representative, &g.roles, &g.policy));
                }
                (RowKey::Instrument(id), Row::Instrument(of)) => {
                    terms.insert(*id, of.terms.clone());
                    lives.insert(*id, of.life.clone());
                }
                _ => {}
            }
        }
        Self {
            now: world.now.0,
            before: (world.chain.head().height, world.chain.head().size),
            policy: 1,
            kinds,
            register: Register::new(world),
            frozen: BTreeSet::new(),
            closed: BTreeSet::new(),
            groups,
            book: Book::default(),
            owed: BTreeMap::new(),
            media: BTreeMap::new(),
            terms,
            lives,
            issued: BTreeMap::new(),
            counted: BTreeMap::new(),
            allowances: first_allowances(world),
            fundings: BTreeSet::new(),
            mandates: BTreeMap::new(),
            requests: BTreeMap::new(),
            proposals: BTreeMap::new(),
            originals: BTreeMap::new(),
            redemptions: BTreeMap::new(),
            rules: BTreeMap::new(),
            gifts: Vec::new(),
            papers: BTreeMap::new(),
            offers: BTreeMap::new(),
            rights: BTreeMap::new(),
            taken: Vec::new(),
            waiting: BTreeMap::new(),
            delivered: BTreeSet::new(),
            members: BTreeMap::new(),
            cash: BTreeSet::new(),
            runs: BTreeMap::new(),
            judged: BTreeSet::new(),
            references: BTreeSet::new(),
        }
    }

    /// Compares every balance, receivable and key.
    pub(crate) fn compare(&self, world: &World) {
        self.compare_register(world);
        self.compare_rules(world);
        self.compare_documents(world);
        self.compare_offers(world);
        self.compare_runs(world);
        for (key, row) in world.state.rows() {
            match (key, row) {
                (RowKey::Wallet(party), Row::Wallet(wallet)) => self.book.compare(*party, wallet),
                (RowKey::Receivable(party, of), Row::Receivable(amount)) => {
                    assert_eq!(self.owed.get(&(*party, *of)), Some(&amount.0), "{party} {of}");
                }
                (RowKey::Instrument(id), Row::Instrument(of)) => {
                    assert_eq!((&self.terms[id], &self.lives[id]), (&of.terms, &of.life));
                }
                (RowKey::Totals(id), Row::Totals(totals)) => {
                    let issued = self.issued.get(id).copied().unwrap_or(0);
                    assert_eq!(u128::from(issued), totals.issued(), "issued of {id}");
                }
                (RowKey::LimitUse(party, of, id), Row::LimitUse(used)) => {
                    let counted = self.counted.get(&(*party, *of, *id));
                    assert_eq!(counted, Some(&(used.period, used.used.0)));
                }
                _ => {}
            }
        }
        for ((party, of), _) in self.owed.iter().filter(|owed| *owed.1 > 0) {
            assert!(world.state.row(&RowKey::Receivable(*party, *of)).is_some());
        }
    }
}

/// The allowances of [`World::new`].
fn first_allowances(world: &World) -> BTreeMap<TxId, Allowance> {
    let rows = world.state.rows().filter_map(|(key, row)| match (key, row) {
        (RowKey::Allowance(id), Row::Allowance(a)) => Some((*id, a)),
        _ => None,
    });
    let granted = rows.map(|(id, a)| {
        let Allowed { instrument, key, total, per_wallet, per_day, end, .. } = *a.clone();
        (id, Allowance::new(&GrantAllowance { instrument, key, total, per_wallet, per_day, end }))
    });
    granted.collect()
}
