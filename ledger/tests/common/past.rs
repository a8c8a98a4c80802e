//! What a node keeps of the past, without any art: everything. Statements are put together from it by
//! looking at all of it.

use std::collections::BTreeMap;

use musubi_ledger::{
    digest::StatePath,
    execute::{Block, Chain, Entry, MemoryState},
    hash::Hash,
    id::PartyId,
    leaf::SealBody,
    proof::{
        statement::{Cause, Line, Statement},
        wallet::{WalletAtSeal, WalletProof},
    },
    state::{ReadState, Row, RowKey},
    time::Time,
    tlog::{
        Algorithm, Checkpoint, NodeReader, NoteSignature, SignedNote, VerifierKey,
        proof::prove_inclusion,
    },
    wallet::Wallet,
};

use super::{genesis, key};

/// One seal and every wallet's state there.
struct Sealed {
    body: SealBody,
    index: u64,
    root: Hash,
    wallets: BTreeMap<PartyId, (Wallet, StatePath)>,
}

/// Everything that was.
#[derive(Default)]
pub struct Past {
    seals: Vec<Sealed>,
    entries: Vec<(Entry, Cause)>,
    nodes: BTreeMap<(u8, u64), Hash>,
    /// Time and items of each block behind block 0.
    pub batches: Vec<(Time, Vec<Vec<u8>>)>,
}

/// Where a statement's closing state is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// At the last seal before the end, with the last seal of all as bound.
    Before,
    /// At the last seal of all: only right if nothing happened since the end.
    Last,
}

impl NodeReader for Past {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.nodes.get(&(level, index)).copied()
    }
}

impl Past {
    /// Takes a block.
    pub fn record(&mut self, chain: &Chain, state: &MemoryState, block: &Block, items: &[Vec<u8>]) {
        for node in &block.nodes {
            self.nodes.insert((node.level, node.index), node.hash);
        }
        for entry in &block.entries {
            let cause = match entry.item {
                Some(item) => Cause::Transaction(items[item as usize].clone()),
                None => match entry.due {
                    Some(due) => Cause::System(due),
                    None => continue, // the genesis leaf
                },
            };
            self.entries.push((entry.clone(), cause));
        }
        if block.head.height > 0 {
            self.batches.push((block.seal.time, items.to_vec()));
        }
        let mut wallets = BTreeMap::new();
        for (key, row) in state.rows() {
            if let (RowKey::Wallet(party), Row::Wallet(wallet)) = (key, row) {
                let path = chain.prove_wallet(wallet.serial).unwrap();
                wallets.insert(*party, (Wallet::clone(wallet), path));
            }
        }
        assert!(state.row(&RowKey::Meta).is_some());
        let index = block.head.size - 1;
        self.seals.push(Sealed { body: block.seal, index, root: block.root, wallets });
    }

    /// Number of seals.
    pub fn seals(&self) -> usize {
        self.seals.len()
    }

    /// A seal's body.
    pub fn seal(&self, at: usize) -> &SealBody {
        &self.seals[at].body
    }

    /// The wallet of a party at a seal.
    pub fn wallet(&self, at: usize, party: &PartyId) -> Option<&Wallet> {
        self.seals[at].wallets.get(party).map(|(wallet, _)| wallet)
    }

    /// The leaves that touched a wallet in a period.
    pub fn leaves(&self, party: &PartyId, from: Time, to: Time) -> Vec<&Entry> {
        let inside = |time: Time| time >= from && time < to;
        let entries = self.entries.iter().map(|(entry, _)| entry);
        entries.filter(|e| inside(e.leaf.time) && e.outcome.wallets().contains(party)).collect()
    }

    /// The newest checkpoint, signed by the city's node and cosigned by `cosigners`.
    pub fn note(&self, cosigners: &[&str]) -> String {
        let genesis = genesis();
        let seal = self.seals.last().unwrap();
        let text = Checkpoint::new(&genesis.origin(), seal.index + 1, seal.root).unwrap();
        let text = text.to_string();
        let mut note = SignedNote::new(text.clone()).unwrap();
        let log = key("city/node");
        let named =
            VerifierKey::new(&genesis.origin(), Algorithm::Ed25519, &log.public().0).unwrap();
        note.add(NoteSignature::sign(&text, &named, |bytes| log.sign(bytes).0)).unwrap();
        for cosigner in cosigners {
            let secret = key(&format!("{cosigner}/cosigner"));
            let node = genesis.nodes.iter().find(|n| n.cosigner == secret.public()).unwrap();
            let name = format!("{}/node/{}", genesis.name, node.id.0);
            let named =
                VerifierKey::new(&name, Algorithm::CosignatureV1, &secret.public().0).unwrap();
            let signed = NoteSignature::cosign(&text, &named, 1_800_000_000, |b| secret.sign(b).0);
            note.add(signed).unwrap();
        }
        note.to_string()
    }

    /// A wallet at a seal, under the newest checkpoint.
    pub fn state(&self, at: usize, party: &PartyId) -> Option<WalletAtSeal> {
        let seal = &self.seals[at];
        let (wallet, path) = seal.wallets.get(party)?;
        let mut shown = WalletAtSeal::show(party, wallet, path.clone(), (seal.body, seal.index));
        shown.inclusion = self.inclusion(seal.index);
        Some(shown)
    }

    /// A wallet's newest state, proved.
    pub fn proof(&self, party: &PartyId) -> WalletProof {
        let wallet = self.state(self.seals.len() - 1, party).unwrap();
        WalletProof { checkpoint: self.note(&["city", "partner"]), wallet }
    }

    fn inclusion(&self, index: u64) -> Vec<Hash> {
        let size = self.seals.last().unwrap().index + 1;
        prove_inclusion(self, index, size).unwrap()
    }

    /// A statement, put together as its rules say.
    pub fn statement(&self, party: &PartyId, from: Time, to: Time, closing: Closing) -> Statement {
        let opening = self.last_before(from).and_then(|at| self.state(at, party));
        let lines = self.entries.iter().filter(|(entry, _)| {
            entry.outcome.wallets().contains(party)
                && entry.leaf.time >= from
                && entry.leaf.time < to
        });
        let lines = lines.map(|(entry, cause)| self.line(entry, cause)).collect();
        let last = self.seals.len() - 1;
        let before = self.last_before(to).unwrap();
        let (at, bound) = match closing {
            Closing::Before if before < last => (before, Some(last)),
            _ => (last, None),
        };
        let after = match bound {
            Some(_) => self.leaves(party, to, Time(u64::MAX)).iter().map(|e| e.leaf).collect(),
            None => Vec::new(),
        };
        Statement {
            party: *party,
            from,
            to,
            checkpoint: self.note(&["city", "operator", "partner"]),
            opening: opening.filter(|wallet| wallet.header.leaves > 0),
            lines,
            closing: self.state(at, party).unwrap(),
            bound: bound.map(|at| self.state(at, party).unwrap().without_lots()),
            after,
        }
    }

    /// One line.
    pub fn line(&self, entry: &Entry, cause: &Cause) -> Line {
        Line {
            leaf: entry.leaf,
            index: entry.index,
            inclusion: self.inclusion(entry.index),
            outcome: entry.outcome.clone(),
            cause: cause.clone(),
        }
    }

    /// All lines of everybody.
    pub fn lines(&self) -> Vec<Line> {
        self.entries.iter().map(|(entry, cause)| self.line(entry, cause)).collect()
    }

    fn last_before(&self, time: Time) -> Option<usize> {
        self.seals.iter().rposition(|seal| seal.body.time < time)
    }
}
