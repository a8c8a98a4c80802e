//! A small town for benchmarks: persons with money, shops that accept it, and batches of signed payments.

use musubi_ledger::{
    amount::Amount,
    batch::{Batch, NodeId},
    execute::{Block, Chain, MemoryState, check_items},
    genesis::{
        FirstInstrument, FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION,
    },
    id::{DocumentHash, InstrumentId, PartyId, PersonTag, RuleId, Salt, TxId},
    instrument::{Regime, Terms, TransferRule},
    keys::SecretKey,
    limits,
    lot::OriginKind,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{
        Citation, GrantAllowance, GrantMandate, Leg, Movement, OpenRun, Operation, PutRule, TopUp,
    },
    party::PartyKind,
    rule::RuleTerms,
    run::{RunLine, plan::RunPlan},
    state::ReadState,
    time::Time,
    transaction::{Body, Purpose, Role, Side, Transaction},
};

/// Which of two costs a payment has: both parties sign it, or the shop's standing mandate is cited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    /// Payer and shop sign.
    BothSign,
    /// The payer signs; the shop's QR names its mandate.
    StaticQr,
}

/// The town.
pub struct Town {
    /// The genesis document.
    pub genesis: Genesis,
    /// The chain, funded.
    pub chain: Chain,
    /// Its state.
    pub state: MemoryState,
    /// Blocks executed and not taken away yet, each with its batch's entry bytes.
    pub blocks: Vec<(Block, Vec<u8>)>,
    mandates: Vec<TxId>,
    persons: usize,
    shops: usize,
    issuer: PartyId,
    index: u64,
    time: u64,
    counter: u64,
}

const START: u64 = 1_800_000_000_000;
const MONEY: &str = "MONEY";

/// A key by role and number.
#[must_use]
pub fn key(role: u8, number: usize) -> SecretKey {
    let mut seed = [role; 32];
    seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
    SecretKey::from_seed(&seed)
}

fn party(role: u8, number: usize) -> PartyId {
    let mut id = [role; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    PartyId(id)
}

fn money() -> InstrumentId {
    MONEY.parse().expect("a valid code")
}

const PERSON: u8 = 1;
const SHOP: u8 = 2;
const OFFICE: u8 = 3;

impl Town {
    /// A town of `persons` with 1,000,000 each, and `shops` with standing mandates.
    #[must_use]
    pub fn new(persons: usize, shops: usize) -> Self {
        let genesis = genesis(persons, shops);
        genesis.check().expect("the town's genesis holds together");
        let (chain, block) = Chain::open(&genesis);
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        let issuer = party(OFFICE, 2);
        let mut town = Self {
            genesis,
            chain,
            state,
            blocks: Vec::new(),
            mandates: Vec::new(),
            persons,
            shops,
            issuer,
            index: 0,
            time: START,
            counter: 0,
        };
        town.open_shops();
        town.fund();
        town
    }

    fn open_shops(&mut self) {
        let mut items = Vec::new();
        for shop in 0..self.shops {
            let terms = MandateTerms {
                direction: Direction::Credit,
                instruments: vec![money()],
                counterparty: Counterparty::Any,
                purpose: None,
                per_use: Amount(100_000),
                per_day: None,
                per_counterparty: None,
                total: None,
                uses: None,
                staff: Vec::new(),
                from: Time(0),
                until: None,
            };
            let grantor = party(SHOP, shop);
            let body = self.body(grantor, Operation::GrantMandate(GrantMandate { grantor, terms }));
            self.mandates.push(body.id());
            let signature = body.sign(Side::Credit, Role::Holder, grantor, &key(SHOP, shop));
            items.push(Transaction::new(body, vec![signature]).encode());
        }
        self.run_all(items);
    }

    fn fund(&mut self) {
        let grant = GrantAllowance {
            instrument: money(),
            key: key(OFFICE, 2).public(),
            total: Amount(u64::MAX / 4),
            per_wallet: Amount(1 << 40),
            per_day: Amount(u64::MAX / 4),
            end: Time(START * 2),
        };
        let officer = party(OFFICE, 10);
        let body = self.body(officer, Operation::GrantAllowance(grant));
        let allowance = body.id();
        let sign = |n: usize, office: usize| {
            body.sign(Side::Authority, Role::Officer, party(OFFICE, office), &key(OFFICE, n))
        };
        let signatures = vec![sign(10, 2), sign(11, 3)];
        self.run_all(vec![Transaction::new(body, signatures).encode()]);
        let mut items = Vec::new();
        for person in 0..self.persons {
            let holder = party(PERSON, person);
            let mut funding = [0; 32];
            funding[..8].copy_from_slice(&(person as u64).to_le_bytes());
            let top_up = TopUp {
                allowance,
                to: holder,
                amount: Amount(1_000_000),
                origin: OriginKind::Paid,
                funder: holder,
                campaign: 0,
                funding: DocumentHash(funding),
                credit: Citation::Live,
            };
            let body = self.body(self.issuer, Operation::TopUp(top_up));
            let signatures = vec![
                body.sign(Side::Debit, Role::Issuer, self.issuer, &key(OFFICE, 2)),
                body.sign(Side::Credit, Role::Holder, holder, &key(PERSON, person)),
            ];
            items.push(Transaction::new(body, signatures).encode());
        }
        self.run_all(items);
    }

    /// Puts rules on the money, numbered from 1.
    pub fn put_rules(&mut self, rules: Vec<RuleTerms>) {
        let officer = party(OFFICE, 10);
        let mut items = Vec::new();
        for (number, terms) in (1..).zip(rules) {
            let id = RuleId { instrument: money(), number };
            let body = self.body(officer, Operation::PutRule(PutRule { id, terms }));
            let sign =
                |n: usize| body.sign(Side::Authority, Role::Officer, self.issuer, &key(OFFICE, n));
            let signatures = vec![sign(10), sign(12)];
            items.push(Transaction::new(body, signatures).encode());
        }
        self.run_all(items);
    }

    /// Opens a run for so many lines, persons in turn, and gives its signed chunks: canonical bytes.
    ///
    /// # Panics
    /// If there are more lines than a run may have.
    pub fn grants(&mut self, count: usize) -> Vec<Vec<u8>> {
        let line = |n: usize| RunLine {
            to: party(PERSON, n % self.persons),
            amount: Amount(1),
            salt: Salt([1; 16]),
            old: None,
        };
        let plan = RunPlan::new((0..count).map(line).collect()).expect("a run's lines");
        let officer = party(OFFICE, 10);
        let manifest = OpenRun {
            instrument: money(),
            origin: OriginKind::Grant,
            funder: self.issuer,
            campaign: 0,
            root: plan.root(),
            count: plan.count(),
            total: plan.total(),
            until: Time(START * 2),
            import: None,
        };
        let body = self.body(officer, Operation::OpenRun(manifest));
        let run = body.id();
        let sign =
            |n: usize| body.sign(Side::Authority, Role::Officer, self.issuer, &key(OFFICE, n));
        let signatures = vec![sign(10), sign(12)];
        self.run_all(vec![Transaction::new(body, signatures).encode()]);
        let sender = party(SHOP, 0);
        let chunks: Vec<_> = plan.chunks(run).collect();
        let signed = chunks.into_iter().map(|chunk| {
            let body = self.body(sender, Operation::RunChunk(chunk));
            let signature = body.sign(Side::Authority, Role::Holder, sender, &key(SHOP, 0));
            Transaction::new(body, vec![signature]).encode()
        });
        signed.collect()
    }

    fn body(&mut self, sender: PartyId, operation: Operation) -> Body {
        self.counter += 1;
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&self.counter.to_le_bytes());
        Body {
            chain: self.genesis.chain(),
            rules_version: RULES_VERSION,
            sender,
            reference: format!("bench-{}", self.counter).parse().expect("a valid reference"),
            salt: Salt(salt),
            expires: Time(self.time + limits::SUBMISSION_WINDOW_MS / 2),
            purpose: Purpose::PURCHASE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation,
        }
    }

    /// `count` signed payments, persons and shops in turn: canonical bytes.
    pub fn payments(&mut self, count: usize, payment: Payment) -> Vec<Vec<u8>> {
        (0..count).map(|n| self.payment(n, payment)).collect()
    }

    fn payment(&mut self, n: usize, payment: Payment) -> Vec<u8> {
        let (person, shop) = (n % self.persons, n % self.shops);
        let (from, to) = (party(PERSON, person), party(SHOP, shop));
        let credit = match payment {
            Payment::BothSign => Citation::Live,
            Payment::StaticQr => Citation::Mandate(self.mandates[shop]),
        };
        let legs = vec![Leg { instrument: money(), amount: Amount(7) }];
        let movement = Movement { from, to, legs, debit: Citation::Live, credit };
        let body = self.body(from, Operation::Transfer(movement));
        let mut signatures = vec![body.sign(Side::Debit, Role::Holder, from, &key(PERSON, person))];
        if payment == Payment::BothSign {
            signatures.push(body.sign(Side::Credit, Role::Holder, to, &key(SHOP, shop)));
        }
        Transaction::new(body, signatures).encode()
    }

    /// Cuts items into batches and executes them.
    ///
    /// # Panics
    /// If any item is not applied.
    pub fn run_all(&mut self, items: Vec<Vec<u8>>) {
        for chunk in items.chunks(1_000) {
            let batch = self.batch(chunk.to_vec());
            let entry = batch.encode();
            let checked = check_items(&batch.chain, RULES_VERSION, &batch.items, &|_| false);
            let hash = Batch::entry_hash(&entry);
            let block = self.chain.execute(&self.state, &batch, hash, &checked);
            for item in &block.items {
                assert_eq!(item.code.name(), "applied", "a benchmark measures what works");
            }
            self.state.apply(&block.changes);
            self.blocks.push((block, entry));
        }
    }

    /// The next batch with these items.
    pub fn batch(&mut self, items: Vec<Vec<u8>>) -> Batch {
        self.time += 1;
        self.index += 1;
        let leader = (NodeId(1), &key(OFFICE, 30));
        Batch::sign(self.genesis.chain(), (1, self.index), Time(self.time), items, leader)
    }

    /// The state, as rules read it.
    #[must_use]
    pub fn state(&self) -> &dyn ReadState {
        &self.state
    }
}

fn genesis(persons: usize, shops: usize) -> Genesis {
    let mut parties = vec![
        first(party(OFFICE, 1), PartyKind::Operator, vec![], None, vec![]),
        first(
            party(OFFICE, 2),
            PartyKind::Issuer,
            vec![key(OFFICE, 2).public()],
            Some(1),
            vec![party(OFFICE, 10), party(OFFICE, 12)],
        ),
        first(party(OFFICE, 3), PartyKind::Operator, vec![], None, vec![party(OFFICE, 11)]),
    ];
    for officer in 10..13 {
        parties.push(person(party(OFFICE, officer), key(OFFICE, officer), 0xff, officer));
    }
    for n in 0..persons {
        parties.push(person(party(PERSON, n), key(PERSON, n), PERSON, n));
    }
    for n in 0..shops {
        let keys = vec![key(SHOP, n).public()];
        parties.push(first(party(SHOP, n), PartyKind::Merchant, keys, None, vec![]));
    }
    parties.sort_by_key(|p| p.party);
    let organisation = |n: usize, name: &str| Organisation {
        party: party(OFFICE, n),
        name: name.into(),
        governance: key(OFFICE, 20 + n).public(),
    };
    Genesis {
        name: "bench.example/town".into(),
        scheme: "town".into(),
        time: Time(START),
        rules_version: RULES_VERSION,
        salt: Salt([9; 16]),
        parameters: Parameters {
            recovery_delay_ms: 1_000,
            successor_notice_ms: 1_000,
            driven_time: false,
        },
        organisations: vec![organisation(1, "city"), organisation(3, "operator")],
        nodes: vec![Node {
            id: NodeId(1),
            organisation: party(OFFICE, 1),
            transport: key(OFFICE, 31).public(),
            node: key(OFFICE, 30).public(),
            cosigner: key(OFFICE, 32).public(),
        }],
        parties,
        instruments: vec![FirstInstrument { instrument: money(), terms: terms() }],
    }
}

fn terms() -> Terms {
    Terms {
        transfer: TransferRule::PeerToPeer,
        redemption_days: 30,
        ..Terms::plain(party(OFFICE, 2), Regime::Public, DocumentHash([0; 32]))
    }
}

fn person(id: PartyId, secret: SecretKey, role: u8, number: usize) -> FirstParty {
    let mut tag = [role; 32];
    tag[..8].copy_from_slice(&(number as u64).to_le_bytes());
    let mut person = first(id, PartyKind::Person, vec![secret.public()], None, vec![]);
    person.tag = Some(PersonTag(tag));
    person
}

fn first(
    id: PartyId,
    kind: PartyKind,
    keys: Vec<musubi_ledger::keys::PublicKey>,
    organisation: Option<usize>,
    officers: Vec<PartyId>,
) -> FirstParty {
    FirstParty {
        party: id,
        kind,
        keys,
        tag: None,
        organisation: organisation.map(|n| party(OFFICE, n)),
        officers,
        attributes: Vec::new(),
    }
}
