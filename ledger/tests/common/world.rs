//! The city at work: transactions in, blocks executed, verdicts out.

use std::collections::BTreeMap;

use musubi_ledger::{
    amount::Amount,
    batch::{Batch, NodeId},
    code::Code,
    execute::{Block, Chain, MemoryState, check_items},
    genesis::RULES_VERSION,
    hash::sha256,
    id::{Salt, TxId},
    instrument::{Terms, Totals},
    lot::OriginKind,
    operation::{Citation, CreateGroup, Operation},
    outcome::Outcome,
    party::PartyKind,
    state::{DueKind, Judged, ReadState, Row, RowKey, Shared},
    time::Time,
    transaction::{Body, Purpose, Transaction},
    wallet::{Holding, Wallet},
};

use super::{
    archive::Archive,
    genesis::genesis,
    names::{By, credit, id, instrument, issues, key, member, officer, proves, represents},
    operations::{allowance, define, policy, register, roles, top_up},
    past::Past,
    scan::scan,
};

/// The city.
pub struct World {
    pub chain: Chain,
    pub state: MemoryState,
    pub now: Time,
    pub allowances: BTreeMap<&'static str, TxId>,
    pub last: Block,
    /// What a node would keep of the past, if asked for.
    pub past: Option<Past>,
    pub archive: Archive,
    /// Whether expiry is never swept, only judged.
    pub unswept: bool,
    counter: u64,
}

/// A state in which lots and claims never become due.
struct Unswept<'s>(&'s MemoryState);

impl ReadState for Unswept<'_> {
    fn row(&self, key: &RowKey) -> Option<Row> {
        self.0.row(key)
    }

    fn due(&self, until: Time, limit: usize) -> Vec<RowKey> {
        let all = self.0.due(until, usize::MAX).into_iter();
        let swept =
            |key: &RowKey| matches!(key, RowKey::Due(_, DueKind::Lots | DueKind::Claims, _));
        all.filter(|key| !swept(key)).take(limit).collect()
    }
}

impl World {
    /// Nothing but the genesis block.
    pub fn bare() -> Self {
        let genesis = genesis();
        let (chain, last) = Chain::open(&genesis);
        let mut state = MemoryState::default();
        state.apply(&last.changes);
        scan(&state, &last);
        let mut archive = Archive::default();
        archive.keep(&last, &[]);
        let (now, allowances) = (genesis.time, BTreeMap::new());
        let (past, unswept, counter) = (None, false, 0);
        Self { chain, state, now, allowances, last, archive, past, unswept, counter }
    }

    /// As [`World::new`], with a past to prove things from.
    pub fn with_past() -> Self {
        let mut world = Self::bare();
        let mut past = Past::default();
        past.record(&world.chain, &world.state, &world.last, &[]);
        world.past = Some(past);
        world.peopled()
    }

    /// The past that is kept.
    pub fn past(&self) -> &Past {
        self.past.as_ref().unwrap()
    }

    /// Persons `alice` to `frank`, shops `shop` and `mart`, a group `club` (alice drafts, bob approves,
    /// carol does both, dave represents it; two approvers from 100,000 on), and an allowance for every
    /// instrument. Nobody holds anything yet.
    pub fn new() -> Self {
        Self::bare().peopled()
    }

    fn peopled(mut self) -> Self {
        let world = &mut self;
        for person in ["alice", "bob", "carol", "dave", "eve", "frank"] {
            world.register(person, PartyKind::Person);
        }
        for shop in ["shop", "mart"] {
            world.register(shop, PartyKind::Merchant);
        }
        let club = CreateGroup {
            group: id("club"),
            registrar: id("registrar"),
            representative: id("dave"),
            roles: roles(&[("alice", true, false), ("bob", false, true), ("carol", true, true)]),
            policy: policy(&[(1, 1), (100_000, 2)]),
        };
        let signers =
            [officer("registrar", "r1"), represents("club", "dave"), member("club", "alice")];
        world.apply("dave", Operation::CreateGroup(club), &signers);
        for name in ["COIN", "MEBUKU", "POINT", "VOUCHER"] {
            let end = world.now.plus(365 * 86_400_000);
            let cap = 1_000_000_000;
            let signers = [officer("issuer", "i1"), officer("city", "c1")];
            let granted = world.apply("i1", allowance(name, cap, cap, cap, end), &signers);
            world.allowances.insert(name, granted);
        }
        self
    }

    /// Registers a party with the key of its name.
    pub fn register(&mut self, name: &str, kind: PartyKind) {
        let operation = Operation::RegisterParty(register(name, kind));
        let signers = [officer("registrar", "r1"), proves(name, name)];
        self.apply("r1", operation, &signers);
    }

    /// Gives `to` paid value by a top-up.
    pub fn fund(&mut self, to: &str, of: &'static str, amount: u64) -> TxId {
        self.issue(to, of, amount, OriginKind::Paid, 0)
    }

    /// Gives `to` value of any origin; `club` receives by alice.
    pub fn issue(
        &mut self,
        to: &str,
        of: &'static str,
        amount: u64,
        origin: OriginKind,
        campaign: u32,
    ) -> TxId {
        self.counter += 1;
        let mut op = top_up(self.allowances[of], to, amount, &format!("bank {}", self.counter));
        op.origin = origin;
        op.campaign = campaign;
        let holder = match to {
            "club" => super::names::receives("club", "alice"),
            _ => credit(to),
        };
        self.apply("issuer", Operation::TopUp(op), &[issues(), holder])
    }

    /// A body by `sender` that expires in an hour, under a fresh reference.
    pub fn body(&mut self, sender: &str, operation: Operation) -> Body {
        self.counter += 1;
        let mut salt = [0; 16];
        salt.copy_from_slice(&sha256(&self.counter.to_le_bytes())[..16]);
        Body {
            chain: self.chain.id(),
            rules_version: RULES_VERSION,
            sender: id(sender),
            reference: format!("test-{}", self.counter).parse().unwrap(),
            salt: Salt(salt),
            expires: self.now.plus(3_600_000),
            purpose: Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation,
        }
    }

    /// A signed transaction.
    pub fn transaction(
        &mut self,
        sender: &str,
        operation: Operation,
        signers: &[By],
    ) -> Transaction {
        sign(self.body(sender, operation), signers)
    }

    /// Executes a block of these transactions, a second later, and scans the state.
    pub fn block(&mut self, transactions: &[Transaction]) -> Vec<Code> {
        let items = transactions.iter().map(Transaction::encode).collect();
        self.block_of_items(items)
    }

    /// Executes a block of raw items.
    pub fn block_of_items(&mut self, items: Vec<Vec<u8>>) -> Vec<Code> {
        let index = self.chain.head().height + 1;
        self.block_at((1, index), (NodeId(1), "city/node"), items)
    }

    /// Executes a block of raw items that stands at a place of the Raft log, by its term and index.
    pub fn block_at(
        &mut self,
        place: (u64, u64),
        (leader, key_name): (NodeId, &str),
        items: Vec<Vec<u8>>,
    ) -> Vec<Code> {
        self.now = self.now.plus(1_000);
        let batch = Batch::sign(self.chain.id(), place, self.now, items, (leader, &key(key_name)));
        let bytes = batch.encode();
        let batch = Batch::decode(&bytes).unwrap();
        let checked = check_items(&self.chain.id(), RULES_VERSION, &batch.items, &|_| false);
        let entry = Batch::entry_hash(&bytes);
        let lazy = Unswept(&self.state);
        let state: &dyn ReadState = if self.unswept { &lazy } else { &self.state };
        let block = self.chain.execute(state, &batch, entry, &checked);
        self.state.apply(&block.changes);
        scan(&self.state, &block);
        self.archive.keep(&block, &batch.items);
        if let Some(past) = &mut self.past {
            past.record(&self.chain, &self.state, &block, &batch.items);
        }
        self.last = block;
        self.last.items.iter().map(|item| item.code).collect()
    }

    /// Lets time pass, and a block with it.
    pub fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
        self.block(&[]);
    }

    /// Submits what must be applied.
    #[track_caller]
    pub fn apply(&mut self, sender: &str, operation: Operation, signers: &[By]) -> TxId {
        let transaction = self.transaction(sender, operation, signers);
        self.applies(&transaction)
    }

    /// Submits what must be rejected with `code`.
    #[track_caller]
    pub fn reject(&mut self, code: Code, sender: &str, operation: Operation, signers: &[By]) {
        let transaction = self.transaction(sender, operation, signers);
        self.rejects(code, &transaction);
    }

    /// Submits what must be void with `code`.
    #[track_caller]
    pub fn void(&mut self, code: Code, sender: &str, operation: Operation, signers: &[By]) {
        let transaction = self.transaction(sender, operation, signers);
        self.voids(code, &transaction);
    }

    /// As [`World::apply`], with a transaction made before.
    #[track_caller]
    pub fn applies(&mut self, transaction: &Transaction) -> TxId {
        let code = self.block(core::slice::from_ref(transaction))[0];
        assert_eq!(code, Code::Applied, "{:#?}", transaction.body.operation);
        transaction.body.id()
    }

    /// As [`World::reject`]: a verdict without any effect but itself.
    #[track_caller]
    pub fn rejects(&mut self, code: Code, transaction: &Transaction) {
        let got = self.block(core::slice::from_ref(transaction))[0];
        assert_eq!(got, code, "{:#?}", transaction.body.operation);
        assert!(self.last.items[0].leaf.is_some(), "{code} has a leaf");
        assert!(self.judged(transaction.body.id()).is_some(), "{code} binds");
        let only_binds = |key: &RowKey| matches!(key, RowKey::Judged(_) | RowKey::Reference(..));
        if self.last.entries.len() == 1 {
            assert!(self.last.changes.keys().all(only_binds), "{code} has effects");
        }
    }

    /// As [`World::void`]: no leaf, no trace.
    #[track_caller]
    pub fn voids(&mut self, code: Code, transaction: &Transaction) {
        let got = self.block(core::slice::from_ref(transaction))[0];
        assert_eq!(got, code, "{:#?}", transaction.body.operation);
        assert_eq!(self.last.items[0].leaf, None, "{code} has no leaf");
        if self.last.entries.is_empty() {
            assert!(self.last.changes.is_empty(), "{code} leaves no trace");
        }
    }

    /// The verdict on an id.
    pub fn judged(&self, id: TxId) -> Option<Judged> {
        match self.state.row(&RowKey::Judged(id)) {
            Some(Row::Judged(judged)) => Some(Shared::into_value(judged)),
            _ => None,
        }
    }

    /// The wallet of a party.
    pub fn wallet(&self, name: &str) -> Wallet {
        match self.state.row(&RowKey::Wallet(id(name))) {
            Some(Row::Wallet(wallet)) => Shared::into_value(wallet),
            _ => panic!("{name} has a wallet"),
        }
    }

    /// What a party can spend now.
    pub fn spendable(&self, name: &str, of: &str) -> u64 {
        self.wallet(name).spendable(instrument(of), self.now).0
    }

    /// What a party holds in one state, expired or not.
    pub fn holds(&self, name: &str, of: &str, holding: Holding) -> u64 {
        self.wallet(name).total(instrument(of), holding).0
    }

    /// What a party owes an instrument's issuer.
    pub fn owes(&self, name: &str, of: &str) -> u64 {
        match self.state.row(&RowKey::Receivable(id(name), instrument(of))) {
            Some(Row::Receivable(amount)) => amount.0,
            _ => 0,
        }
    }

    /// The outcome of the last block's last leaf before the seal.
    pub fn outcome(&self) -> Outcome {
        self.last.entries.last().unwrap().outcome.clone()
    }

    /// What came and went of an instrument.
    pub fn totals(&self, of: &str) -> Totals {
        match self.state.row(&RowKey::Totals(instrument(of))) {
            Some(Row::Totals(totals)) => *totals,
            _ => Totals::default(),
        }
    }

    /// Opens an instrument with an allowance for it.
    pub fn open(&mut self, name: &'static str, terms: Terms) {
        let two = [officer("issuer", "i1"), officer("issuer", "i2")];
        self.apply("i1", define(name, terms), &two);
        let end = self.now.plus(3_650 * 86_400_000);
        let most = 1 << 40;
        let grant = allowance(name, most, most, most, end);
        let id = self.apply("i1", grant, &[officer("issuer", "i1"), officer("city", "c1")]);
        self.allowances.insert(name, id);
    }

    /// An open-ended allowance's instrument, cited by top-ups.
    pub fn allowance(&self, of: &str) -> TxId {
        self.allowances[of]
    }
}

/// Signs a body.
pub fn sign(body: Body, signers: &[By]) -> Transaction {
    let signatures =
        signers.iter().map(|s| body.sign(s.side, s.role, id(&s.party), &key(&s.key))).collect();
    Transaction::new(body, signatures)
}
