//! A chain in this process: the ledger's own rules on a state in memory, without a network or a clock. Three validators
//! stand in its genesis document; one of them cuts all batches.

use musubi_ledger::{
    batch::{Batch, NodeId},
    code::Code,
    execute::{Chain, MemoryState, check_items},
    genesis::{FirstParty, Genesis, Node, Organisation, RULES_VERSION},
    hash::tagged,
    id::{ChainId, PartyId, PersonTag, Salt},
    keys::SecretKey,
    party::PartyKind,
    state::ReadState,
    time::Time,
};

use super::{Actor, PARAMETERS, Seen, Stage, StageError};
use crate::cast::Cast;

/// Between blocks.
const BLOCK_MS: u64 = 1_000;
/// Most of one batch, so that it stays below its limits whatever the items are.
const BATCH_ITEMS: usize = 400;
const BATCH_BYTES: usize = 400_000;

/// A chain in this process.
#[derive(Debug)]
pub struct InProcess {
    chain: Chain,
    state: MemoryState,
    institutions: Vec<Actor>,
    leader: SecretKey,
    now: Time,
    seen: Vec<Seen>,
    index: u64,
    overdue: bool,
}

impl InProcess {
    /// Opens a chain at `begins`. The same name and instant give the same chain, with the same keys.
    ///
    /// # Panics
    /// Never: the genesis document holds together.
    #[must_use]
    pub fn open(name: &str, begins: Time) -> Self {
        let institutions = institutions(name);
        let genesis = genesis(name, begins, &institutions);
        genesis.check().expect("the document of a chain in process holds together");
        let (chain, block) = Chain::open(&genesis);
        let mut state = MemoryState::default();
        state.apply(&block.changes);
        Self {
            chain,
            state,
            institutions,
            leader: key(name, "node", 1),
            now: begins,
            seen: vec![Seen { block, items: Vec::new() }],
            index: 0,
            overdue: false,
        }
    }

    fn block(&mut self, items: Vec<Vec<u8>>) -> Vec<Code> {
        self.index += 1;
        let signer = (NodeId(1), &self.leader);
        let batch = Batch::sign(self.chain.id(), (1, self.index), self.now, items, signer);
        let entry = Batch::entry_hash(&batch.encode());
        let checked = check_items(&self.chain.id(), RULES_VERSION, &batch.items, &|_| false);
        let block = self.chain.execute(&self.state, &batch, entry, &checked);
        self.state.apply(&block.changes);
        self.now = block.head.time;
        self.overdue = block.overdue;
        let codes = block.items.iter().map(|item| item.code).collect();
        self.seen.push(Seen { block, items: checked });
        codes
    }
}

impl Stage for InProcess {
    fn chain(&self) -> ChainId {
        self.chain.id()
    }

    fn institutions(&self) -> Vec<Actor> {
        self.institutions.clone()
    }

    fn now(&self) -> Time {
        self.now
    }

    fn submit(&mut self, items: Vec<Vec<u8>>) -> Result<Vec<Code>, StageError> {
        let mut codes = Vec::with_capacity(items.len());
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut cut = |stage: &mut Self, batch: &mut Vec<Vec<u8>>| {
            stage.now = stage.now.plus(BLOCK_MS);
            codes.extend(stage.block(std::mem::take(batch)));
        };
        for item in items {
            if batch.len() == BATCH_ITEMS || bytes + item.len() > BATCH_BYTES {
                cut(self, &mut batch);
                bytes = 0;
            }
            bytes += item.len();
            batch.push(item);
        }
        if !batch.is_empty() {
            cut(self, &mut batch);
        }
        Ok(codes)
    }

    fn advance(&mut self, to: Time) -> Result<(), StageError> {
        if to <= self.now {
            return Err(StageError(format!("it is {}, which is not before {to}", self.now)));
        }
        self.now = to;
        self.block(Vec::new());
        while self.overdue {
            self.now = self.now.plus(BLOCK_MS);
            self.block(Vec::new());
        }
        Ok(())
    }

    fn seen(&mut self) -> Result<Vec<Seen>, StageError> {
        Ok(std::mem::take(&mut self.seen))
    }

    fn state(&self) -> &dyn ReadState {
        &self.state
    }
}

fn key(name: &str, whose: &str, number: usize) -> SecretKey {
    let number = (number as u64).to_le_bytes();
    let parts: [&[u8]; 5] = [name.as_bytes(), &[0], whose.as_bytes(), &[0], &number];
    SecretKey::from_seed(&tagged("musubi/v1/scheme-institution", &parts))
}

fn institutions(name: &str) -> Vec<Actor> {
    let cast = Cast::of_institutions();
    let actor = |(at, member): (usize, &crate::cast::Member)| {
        let key = key(name, &member.name, at);
        let mut party = [0; 16];
        party.copy_from_slice(&key.public().0[..16]);
        Actor { party: PartyId(party), key: (!member.keyless).then_some(key) }
    };
    cast.members.iter().enumerate().map(actor).collect()
}

/// The organisations with their nodes, the registrar of the first, the issuer of the second, and their officers.
fn genesis(name: &str, time: Time, actors: &[Actor]) -> Genesis {
    let cast = Cast::of_institutions();
    let places = |wanted: &str| cast.named(wanted).expect("every network has its institutions");
    let ids = |wanted: &str| {
        let mut ids: Vec<PartyId> = actors[places(wanted)].iter().map(|a| a.party).collect();
        ids.sort_unstable();
        ids
    };
    let of_name = |wanted: &str| ids(wanted)[0];
    let of = |wanted: &str| match wanted {
        "registrar" => Some(of_name("city")),
        "issuer" => Some(of_name("operator")),
        "city" | "operator" | "partner" => Some(of_name(wanted)),
        _ => None,
    };
    let mut parties = Vec::new();
    for (member, actor) in cast.members.iter().zip(actors) {
        let officers = format!("{}-officer", member.name);
        let officers = cast.named(&officers).map(|_| ids(&officers)).unwrap_or_default();
        let person = member.kind == PartyKind::Person;
        // An organisation's governance key is its party's key already.
        let own = member.kind != PartyKind::Operator;
        parties.push(FirstParty {
            party: actor.party,
            kind: member.kind,
            keys: actor.key.iter().filter(|_| own).map(SecretKey::public).collect(),
            tag: person.then(|| PersonTag(tagged("musubi/v1/scheme-tag", &[&actor.party.0]))),
            organisation: of(&member.name),
            officers,
            attributes: Vec::new(),
        });
    }
    parties.sort_by_key(|party| party.party);
    let mut organisations = Vec::new();
    let mut nodes = Vec::new();
    for (id, wanted) in (1..).zip(["city", "operator", "partner"]) {
        let actor = &actors[places(wanted).start];
        let governance = actor.key.as_ref().expect("an organisation has a key").public();
        let party = actor.party;
        organisations.push(Organisation { party, name: wanted.to_owned(), governance });
        let [transport, node, cosigner] =
            ["transport", "node", "cosigner"].map(|what| key(name, what, id).public());
        let id = NodeId(id as u64);
        nodes.push(Node { id, organisation: party, transport, node, cosigner });
    }
    organisations.sort_by_key(|organisation| organisation.party);
    let salt = tagged("musubi/v1/scheme-salt", &[name.as_bytes()]);
    Genesis {
        name: format!("scheme.musubi.example/{name}"),
        scheme: "scheme".to_owned(),
        time,
        rules_version: RULES_VERSION,
        salt: Salt(std::array::from_fn(|at| salt[at])),
        parameters: PARAMETERS,
        organisations,
        nodes,
        parties,
        instruments: Vec::new(),
    }
}
