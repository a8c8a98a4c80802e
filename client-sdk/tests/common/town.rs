//! A town with three organisations, a registrar, an issuer, residents, a shop and a group.

use std::{collections::BTreeMap, fs, path::Path};

use musubi_sdk::{
    Composer, HalfSigned, Slot,
    ledger::{
        amount::Amount,
        api::Checkpoints,
        batch::{Batch, NodeId},
        calendar::Span,
        execute::{Block, Chain, MemoryState, check_items},
        genesis::{
            FirstInstrument, FirstParty, Genesis, Node, Organisation, Parameters, RULES_VERSION,
        },
        id::{DocumentHash, InstrumentId, PartyId, PersonTag, Salt, TxId},
        instrument::{Regime, Terms, TransferRule, Validity},
        keys::SecretKey,
        lot::OriginKind,
        operation::{Citation, GrantAllowance, Leg},
        party::PartyKind,
        state::{ReadState, Row, RowKey},
        time::Time,
        tlog::{Algorithm, Checkpoint, NoteSignature, SignedNote, VerifierKey},
        transaction::Transaction,
    },
};

pub const CITY: PartyId = PartyId([1; 16]);
pub const OPERATOR: PartyId = PartyId([2; 16]);
pub const PARTNER: PartyId = PartyId([3; 16]);
pub const REGISTRAR: PartyId = PartyId([4; 16]);
pub const ISSUER: PartyId = PartyId([5; 16]);
pub const CLERK: PartyId = PartyId([6; 16]);
pub const SECOND_CLERK: PartyId = PartyId([7; 16]);
pub const BANKER: PartyId = PartyId([8; 16]);
pub const ALICE: PartyId = PartyId([10; 16]);
pub const BOB: PartyId = PartyId([11; 16]);
pub const CAROL: PartyId = PartyId([12; 16]);
pub const SHOP: PartyId = PartyId([20; 16]);
pub const GROUP: PartyId = PartyId([30; 16]);

/// Midnight of 2026-11-22 in Japan and ten hours.
pub const BEGIN: Time = Time(1_795_273_200_000 + 36_000_000);

/// A party's (first) key.
pub fn key(party: PartyId) -> SecretKey {
    SecretKey::from_seed(&[party.0[0]; 32])
}

pub fn node_key(node: u8) -> SecretKey {
    SecretKey::from_seed(&[100 + node; 32])
}

pub fn coin() -> InstrumentId {
    "MEBUKU".parse().unwrap()
}

pub fn yen(amount: u64) -> Leg {
    Leg { instrument: coin(), amount: Amount(amount) }
}

pub fn genesis() -> Genesis {
    let party = |party: PartyId, kind, officers: Vec<PartyId>| FirstParty {
        party,
        kind,
        keys: match kind {
            PartyKind::Operator => Vec::new(),
            _ => vec![key(party).public()],
        },
        tag: (kind == PartyKind::Person).then_some(PersonTag([party.0[0]; 32])),
        organisation: match party {
            REGISTRAR => Some(CITY),
            ISSUER => Some(OPERATOR),
            _ => None,
        },
        officers,
        attributes: Vec::new(),
    };
    let persons = [CLERK, SECOND_CLERK, BANKER, ALICE, BOB, CAROL];
    let mut parties = vec![
        party(CITY, PartyKind::Operator, vec![]),
        party(OPERATOR, PartyKind::Operator, vec![]),
        party(PARTNER, PartyKind::Operator, vec![]),
        party(REGISTRAR, PartyKind::Registrar, vec![CLERK, SECOND_CLERK]),
        party(ISSUER, PartyKind::Issuer, vec![SECOND_CLERK, BANKER]),
    ];
    parties.extend(persons.map(|id| party(id, PartyKind::Person, vec![])));
    parties.push(party(SHOP, PartyKind::Merchant, vec![]));
    let organisations = [(CITY, "City"), (OPERATOR, "Operator"), (PARTNER, "Partner")];
    Genesis {
        name: "musubi.example/town".into(),
        scheme: "maebashi".into(),
        time: BEGIN,
        rules_version: RULES_VERSION,
        salt: Salt([9; 16]),
        parameters: Parameters {
            recovery_delay_ms: 3_600_000,
            successor_notice_ms: 3_600_000,
            driven_time: false,
        },
        organisations: organisations
            .iter()
            .map(|(party, name)| Organisation {
                party: *party,
                name: (*name).into(),
                governance: key(*party).public(),
            })
            .collect(),
        nodes: (1..=3u8)
            .map(|node| Node {
                id: NodeId(u64::from(node)),
                organisation: PartyId([node; 16]),
                transport: SecretKey::from_seed(&[150 + node; 32]).public(),
                node: node_key(node).public(),
                cosigner: SecretKey::from_seed(&[200 + node; 32]).public(),
            })
            .collect(),
        parties,
        instruments: vec![FirstInstrument { instrument: coin(), terms: terms() }],
    }
}

fn terms() -> Terms {
    Terms {
        transfer: TransferRule::PeerToPeer,
        validity: Validity::After(Span::Days(180)),
        redemption_days: 60,
        ..Terms::plain(ISSUER, Regime::PrepaidThird, DocumentHash([7; 32]))
    }
}

/// A chain with everything that a node would publish of it.
pub struct Town {
    pub genesis: Genesis,
    pub chain: Chain,
    pub state: MemoryState,
    pub time: Time,
    pub entries: Vec<Vec<u8>>,
    pub seals: Vec<Vec<u8>>,
    pub leaves: Vec<Vec<u8>>,
    pub blocks: Vec<Block>,
}

impl Town {
    pub fn open() -> Self {
        Self::of(genesis())
    }

    /// The town of a document.
    pub fn of(genesis: Genesis) -> Self {
        genesis.check().unwrap();
        let (chain, block) = Chain::open(&genesis);
        let mut town = Self {
            genesis,
            chain,
            state: MemoryState::default(),
            time: BEGIN,
            entries: Vec::new(),
            seals: Vec::new(),
            leaves: Vec::new(),
            blocks: Vec::new(),
        };
        town.record(block);
        town
    }

    pub fn composer(&self) -> Composer {
        Composer::new(self.chain.id(), self.time)
    }

    /// Orders and executes items as one block, a second later, cut by node 1.
    pub fn block(&mut self, items: Vec<Vec<u8>>) -> &Block {
        self.block_after(1_000, items)
    }

    pub fn block_after(&mut self, ms: u64, items: Vec<Vec<u8>>) -> &Block {
        let index = 2 * self.blocks.len() as u64;
        self.block_at((1, index), 1, ms, items)
    }

    /// Orders and executes items as one block at a Raft term and index, cut by a node.
    pub fn block_at(
        &mut self,
        place: (u64, u64),
        leader: u8,
        ms: u64,
        items: Vec<Vec<u8>>,
    ) -> &Block {
        self.time = self.time.plus(ms);
        let leader = (NodeId(leader.into()), &node_key(leader));
        let batch = Batch::sign(self.chain.id(), place, self.time, items, leader);
        let bytes = batch.encode();
        let checked = check_items(&self.chain.id(), RULES_VERSION, &batch.items, &|_| false);
        let block = self.chain.execute(&self.state, &batch, Batch::entry_hash(&bytes), &checked);
        self.entries.push(bytes);
        self.record(block);
        self.blocks.last().unwrap()
    }

    /// Orders transactions and expects these codes.
    pub fn judge(&mut self, transactions: &[&Transaction], codes: &[&str]) {
        let items = transactions.iter().map(|t| t.encode()).collect();
        let block = self.block(items);
        let got: Vec<&str> = block.items.iter().map(|item| item.code.name()).collect();
        assert_eq!(got, codes);
    }

    fn record(&mut self, block: Block) {
        self.state.apply(&block.changes);
        self.leaves.extend(block.entries.iter().map(|e| e.leaf.encode()));
        self.leaves.push(block.seal.leaf().encode());
        self.seals.push(block.seal.encode());
        self.blocks.push(block);
    }

    pub fn spendable(&self, party: PartyId) -> u64 {
        match self.state.row(&RowKey::Wallet(party)) {
            Some(Row::Wallet(wallet)) => wallet.spendable(coin(), self.time).0,
            _ => 0,
        }
    }

    /// Node `node`'s signed checkpoint at the end of block `height`.
    pub fn note(&self, node: u8, height: usize) -> (u64, String) {
        let block = &self.blocks[height];
        self.note_of(&self.genesis.origin(), node, (block.head.size, block.root))
    }

    /// Node `node`'s signed checkpoint of the log `origin`.
    pub fn note_of(&self, origin: &str, node: u8, at: (u64, [u8; 32])) -> (u64, String) {
        let checkpoint = Checkpoint::new(origin, at.0, at.1).unwrap();
        let secret = node_key(node);
        let public = secret.public();
        let key = VerifierKey::new(origin, Algorithm::Ed25519, &public.0).unwrap();
        let mut note = SignedNote::new(checkpoint.to_string()).unwrap();
        let line = NoteSignature::sign(note.text(), &key, |text| secret.sign(text).0);
        note.add(line).unwrap();
        (u64::from(node), note.to_string())
    }

    /// All three nodes' checkpoints; node 3 is one block behind.
    pub fn notes(&self) -> Vec<(u64, String)> {
        let last = self.blocks.len() - 1;
        vec![self.note(1, last), self.note(2, last), self.note(3, last.saturating_sub(1))]
    }

    /// Writes the record as `download` would.
    pub fn write(&self, directory: &Path) {
        let prefixed = |records: &[Vec<u8>], bytes: usize| -> Vec<u8> {
            let mut content = Vec::new();
            for record in records {
                content.extend(&(record.len() as u64).to_be_bytes()[8 - bytes..]);
                content.extend(record);
            }
            content
        };
        let notes = Checkpoints { notes: self.notes() };
        let files = BTreeMap::from([
            ("genesis.bin", self.genesis.encode()),
            ("entries.bin", prefixed(&self.entries, 4)),
            ("seals.bin", prefixed(&self.seals, 2)),
            ("leaves.bin", prefixed(&self.leaves, 2)),
            ("checkpoints.json", serde_json::to_vec(&notes).unwrap()),
        ]);
        for (name, content) in files {
            fs::write(directory.join(name), content).unwrap();
        }
    }

    /// The issuer's allowance, granted.
    pub fn allowance(&self) -> Transaction {
        let grant = GrantAllowance {
            instrument: coin(),
            key: key(ISSUER).public(),
            total: Amount(10_000_000),
            per_wallet: Amount(1_000_000),
            per_day: Amount(5_000_000),
            end: BEGIN.plus(30 * 86_400_000),
        };
        let draft = self.composer().grant_allowance(BANKER, grant);
        sign(
            draft.half_signed(),
            &[(Slot::officer(ISSUER), BANKER), (Slot::officer(REGISTRAR), CLERK)],
        )
    }

    pub fn top_up(&self, allowance: TxId, to: PartyId, amount: u64) -> Transaction {
        let funding = musubi_sdk::draft::Funding {
            allowance,
            issuer: ISSUER,
            origin: OriginKind::Paid,
            funder: to,
            campaign: 0,
            payment: DocumentHash(musubi_sdk::entropy::bytes()),
        };
        let composer = self.composer();
        let draft = composer.top_up(to, Amount(amount), funding, Citation::Live);
        sign(draft.half_signed(), &[(Slot::issuer(ISSUER), ISSUER), (Slot::payee(to), to)])
    }

    /// A payment between two holders, both signing.
    pub fn pay(&self, from: PartyId, to: PartyId, amount: u64) -> Transaction {
        let draft = self.composer().pay(from, to, &[yen(amount)]);
        sign(draft.half_signed(), &[(Slot::payer(from), from), (Slot::payee(to), to)])
    }
}

/// Signs in several slots, each with the first key of the party given beside it.
pub fn sign(half: HalfSigned, slots: &[(Slot, PartyId)]) -> Transaction {
    let signed = slots.iter().fold(half, |half, (slot, by)| half.sign(*slot, &key(*by)).unwrap());
    signed.complete()
}

/// A town after a short day: every kind of block that an audit meets.
pub fn a_day() -> Town {
    let mut town = Town::open();
    let allowance = town.allowance();
    let standing = town.composer().standing_acceptance(&[yen(50_000)], None);
    let standing = town.composer().grant_mandate(SHOP, SHOP, standing);
    let standing = sign(standing.half_signed(), &[(Slot::payee(SHOP), SHOP)]);
    town.judge(&[&allowance, &standing, &group(&town)], &["applied"; 3]);
    let allowance = allowance.body.id();
    let up = [ALICE, BOB].map(|to| town.top_up(allowance, to, 20_000));
    town.judge(&[&up[0], &up[1]], &["applied"; 2]);
    day_of_payments(&mut town, standing.body.id());
    payout(&mut town);
    // A request that nobody answers, and an idle block behind its due time: a system leaf.
    let due = town.time.plus(3_600_000);
    let request = town.composer().request(SHOP, SHOP, None, &[yen(5)], due);
    let request = sign(request.half_signed(), &[(Slot::payee(SHOP), SHOP)]);
    town.judge(&[&request], &["applied"]);
    town.block_after(7_200_000, Vec::new());
    town.block(Vec::new());
    town
}

fn day_of_payments(town: &mut Town, standing: TxId) {
    let purchase = town.composer().pay_with_mandate(ALICE, SHOP, &[yen(1_280)], standing);
    let purchase = sign(purchase.half_signed(), &[(Slot::payer(ALICE), ALICE)]);
    let gift = town.pay(ALICE, BOB, 300);
    let greedy = town.pay(CAROL, BOB, 1);
    let mut forged = town.pay(ALICE, CAROL, 10_000);
    forged.signatures[0].bytes.0[5] ^= 1;
    let mut items: Vec<Vec<u8>> =
        [&purchase, &gift, &greedy, &gift, &forged].iter().map(|t| t.encode()).collect();
    items.push(b"rubbish".to_vec());
    let block = town.block(items);
    let got: Vec<&str> = block.items.iter().map(|item| item.code.name()).collect();
    let expected = [
        "applied",
        "applied",
        "insufficient_funds",
        "already_judged",
        "bad_signature",
        "malformed",
    ];
    assert_eq!(got, expected);
    let refund = town.composer().refund(SHOP, purchase.body.id(), &[yen(280)]);
    let refund = sign(refund.half_signed(), &[(Slot::payer(SHOP), SHOP)]);
    let week = town.time.plus(10 * 86_400_000);
    let redeem = town.composer().redeem(SHOP, yen(500), week);
    let redeem = sign(redeem.half_signed(), &[(Slot::payer(SHOP), SHOP)]);
    town.judge(&[&refund, &redeem], &["applied"; 2]);
}

fn group(town: &Town) -> Transaction {
    use musubi_sdk::ledger::{
        group::{GroupPolicy, RoleGrant, Roles},
        operation::CreateGroup,
        transaction::Role,
    };
    let roles = |person, drafts| RoleGrant { person, roles: Roles { drafts, approves: !drafts } };
    let group = CreateGroup {
        group: GROUP,
        registrar: REGISTRAR,
        representative: ALICE,
        roles: vec![roles(BOB, false), roles(ALICE, true)],
        policy: GroupPolicy { exclusive_roles: false, bands: Vec::new(), proposal_hours: 72 },
    };
    let draft = town.composer().create_group(CLERK, group);
    sign(
        draft.half_signed(),
        &[
            (Slot::officer(REGISTRAR), CLERK),
            (Slot::member(GROUP, Role::Representative), ALICE),
            (Slot::member(GROUP, Role::Approver), BOB),
        ],
    )
}

fn payout(town: &mut Town) {
    use musubi_sdk::ledger::transaction::Role;
    let dues = town.composer().pay(ALICE, GROUP, &[yen(3_000)]);
    let dues = sign(
        dues.half_signed(),
        &[(Slot::payer(ALICE), ALICE), (Slot::receiver(GROUP, Role::Drafter), ALICE)],
    );
    let deadline = town.time.plus(86_400_000);
    let composer = town.composer();
    let proposal = composer.propose_payout(ALICE, GROUP, CAROL, &[yen(2_000)], deadline);
    let proposal = sign(proposal.half_signed(), &[(Slot::drafter(GROUP), ALICE)]);
    town.judge(&[&dues, &proposal], &["applied"; 2]);
    let id = proposal.body.id();
    let approve = town.composer().consent(BOB, id);
    let approve = sign(approve.half_signed(), &[(Slot::approver(GROUP), BOB)]);
    let accept = town.composer().consent(CAROL, id);
    let accept = sign(accept.half_signed(), &[(Slot::payee(CAROL), CAROL)]);
    town.judge(&[&approve, &accept], &["applied"; 2]);
    assert_eq!(town.spendable(CAROL), 2_000);
}
