//! The book of what validators sign: INV-13, and what is final. It counts voices by itself, from the policies
//! that blocks set; that signatures verify is looked at where a node's last word is.

use std::collections::{BTreeMap, BTreeSet};

use musubi_ledger::{
    execute::Block,
    genesis::Genesis,
    hash::Hash,
    id::PartyId,
    policy::{FinalCheckpoint, Member, Trusted, WitnessPolicy, cosigner_name},
    state::{Row, RowKey},
    tlog::{checkpoint::Checkpoint, note::SignedNote, signature::NoteSignature},
};
use musubi_storage::Store;

use super::{Holds, Violation, broken, chain::ChainBook};

const SIGNS: &str = "I27 a validator signs what it has executed, one root a size, never backwards";
const DURABLE: &str = "I27 nothing signed is sent before it is durable";
const FINAL: &str = "I28 final is what the quorum has cosigned";

/// The book.
pub(crate) struct FinalityBook {
    genesis: Genesis,
    policies: Vec<Policy>,
    signers: Vec<Signer>,
    /// What validators have sent, by place and size: the checkpoint's root and their lines.
    sent: BTreeMap<(usize, u64), (Hash, Vec<NoteSignature>)>,
    cosignatures: u64,
    finals: BTreeSet<u64>,
}

/// A witness policy: whose lines count for which organisation.
struct Policy {
    /// The smallest size for which it holds.
    from: u64,
    voices: Vec<(String, u32, PartyId)>,
}

/// One validator.
#[derive(Clone, Default)]
struct Signer {
    /// Sizes written, not synced.
    staged: Vec<u64>,
    /// The largest that survives a power cut.
    durable: u64,
    /// The largest that anybody has been sent.
    sent: u64,
    /// The newest final checkpoint of this process.
    last_final: u64,
    /// The newest policy that a final checkpoint of its has confirmed, counted from 0.
    confirmed: usize,
}

impl FinalityBook {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let mut book = Self {
            genesis: genesis.clone(),
            policies: Vec::new(),
            signers: vec![Signer::default(); genesis.nodes.len()],
            sent: BTreeMap::new(),
            cosignatures: 0,
            finals: BTreeSet::new(),
        };
        book.policy(0, &WitnessPolicy::of_genesis(genesis));
        book
    }

    fn policy(&mut self, from: u64, policy: &WitnessPolicy) {
        let trusted = Trusted::new(&self.genesis.origin(), policy).expect("a judged policy");
        let keys = trusted.keys()[policy.logs.len()..].iter();
        let voices = keys.zip(&policy.witnesses).filter_map(|(key, witness)| {
            let Member::Organisation(party) = witness.member else { return None };
            Some((witness.name.clone(), key.id(), party))
        });
        self.policies.push(Policy { from, voices: voices.collect() });
    }

    /// Takes a new block: it may set a policy.
    pub(crate) fn take(&mut self, block: &Block) {
        for (key, row) in &block.changes {
            if let (RowKey::Policy(_), Some(Row::Policy(row))) = (key, row)
                && let Some(item) = block.items.iter().find(|item| Some(item.id) == row.set_by)
                && let Some(leaf) = item.leaf
            {
                self.policy(leaf + 1, &row.policy);
            }
        }
    }

    /// A node signs, and has shown it to nobody yet.
    pub(crate) fn signs(&self, node: usize, (size, root): (u64, Hash), chain: &ChainBook) -> Holds {
        if chain.seal(node, size) != Some(root) {
            let seen = format!("node {} signs {size}, no seal that it has recorded", node + 1);
            return broken(SIGNS, seen);
        }
        let sent = self.signers[node].sent;
        if size < sent {
            return broken(SIGNS, format!("node {} signs {size} after {sent}", node + 1));
        }
        Ok(())
    }

    /// A node sends what it signed: for the first time, and for ever.
    pub(crate) fn cosigns(&mut self, node: usize, note: &str, chain: &ChainBook) -> Holds {
        let (note, checkpoint) = read(node, note)?;
        let (size, root) = (checkpoint.size(), *checkpoint.root());
        self.signs(node, (size, root), chain)?;
        let name = cosigner_name(&self.genesis, self.genesis.nodes[node].id);
        let own = |line: &&NoteSignature| line.name() == name || line.name() == checkpoint.origin();
        if note.signatures().iter().filter(own).count() != note.signatures().len() {
            return broken(SIGNS, format!("node {} signs for another: {note}", node + 1));
        }
        let signer = &mut self.signers[node];
        if signer.durable < size {
            let durable = signer.durable;
            let seen = format!("node {} sends {size}, durable is {durable}", node + 1);
            return broken(DURABLE, seen);
        }
        signer.sent = size;
        let lines = note.signatures().to_vec();
        self.cosignatures += lines.iter().filter(|line| line.name() == name).count() as u64;
        let (known, sent) = self.sent.entry((node, size)).or_insert((root, Vec::new()));
        if *known != root {
            return broken(SIGNS, format!("node {} signs two roots at {size}", node + 1));
        }
        // The same size again, at another time, is another line: who forgot what it signed sends one.
        sent.extend(lines);
        Ok(())
    }

    /// A node holds a checkpoint for final. I28: it has executed it; every cosignature was sent by whose it is;
    /// they are enough by each policy that counts.
    pub(crate) fn is_final(
        &mut self,
        node: usize,
        found: &FinalCheckpoint,
        chain: &ChainBook,
    ) -> Holds {
        let (size, root) = (found.checkpoint.size(), *found.checkpoint.root());
        let wrong = |what: String| broken(FINAL, format!("node {}, size {size}: {what}", node + 1));
        if chain.seal(node, size) != Some(root) {
            return wrong("it has recorded no such seal".into());
        }
        if size < self.signers[node].last_final {
            return wrong(format!("{} was final before", self.signers[node].last_final));
        }
        for line in found.note.signatures() {
            let sent = |at| self.sent.get(&(at, size)).is_some_and(|(_, sent)| sent.contains(line));
            if !(0..self.signers.len()).any(sent) {
                return wrong(format!("nobody has sent the line of {}", line.name()));
            }
        }
        let newest = self.policies.iter().rposition(|policy| policy.from <= size).unwrap_or(0);
        // The first over a change satisfies the policies before and after it.
        for number in self.signers[node].confirmed.min(newest)..=newest {
            let (have, of) = self.policies[number].count(found.note.signatures());
            if 2 * have <= of {
                return wrong(format!("{have} of {of} organisations, policy {}", number + 1));
            }
        }
        let signer = &mut self.signers[node];
        signer.last_final = size;
        signer.confirmed = signer.confirmed.max(newest);
        self.finals.insert(size);
        Ok(())
    }

    /// A node has written its signed checkpoint, not yet durably.
    pub(crate) fn staged(&mut self, node: usize, size: u64) {
        self.signers[node].staged.push(size);
    }

    pub(crate) fn synced(&mut self, node: usize) {
        let signer = &mut self.signers[node];
        let staged = signer.staged.drain(..).max().unwrap_or(0);
        signer.durable = signer.durable.max(staged);
    }

    /// I15: a start finds the newest checkpoint that was synced, or a newer one that was written.
    pub(crate) fn started(&mut self, node: usize, store: &Store, lost: bool) -> Holds {
        let signer = &mut self.signers[node];
        let found = store.latest_checkpoint().ok().flatten().map_or(0, |(size, _)| size);
        let written = signer.staged.drain(..).any(|size| size == found);
        let expected = found == signer.durable || (found > signer.durable && written);
        if !lost && !expected {
            let (node, durable) = (node + 1, signer.durable);
            let seen = format!("node {node} finds checkpoint {found}; durable was {durable}");
            return broken("I15 the signed checkpoint survives", seen);
        }
        signer.durable = found;
        signer.last_final = 0;
        Ok(())
    }

    /// I28, at the end: the last final checkpoint of a node is its head, verifies, and so does the way to its
    /// policy from genesis.
    pub(crate) fn finally(&self, node: usize, store: &Store) -> Holds {
        let checked = || -> Result<u64, String> {
            let policies = store.policy_bundle().map_err(|error| error.to_string())?;
            let policies =
                policies.verify(&self.genesis.chain()).map_err(|error| error.to_string())?;
            if policies.all().count() != self.policies.len() {
                return Err(format!("{} policies are confirmed", policies.all().count()));
            }
            let note = store.final_checkpoint().map_err(|error| error.to_string())?;
            let found = policies.check(note.unwrap_or_default().as_bytes());
            Ok(found.map_err(|error| error.to_string())?.checkpoint.size())
        };
        let (head, _) = store.head();
        match checked() {
            Ok(size) if size == head.size => Ok(()),
            Ok(size) => broken(FINAL, format!("node {} ends at {size}, {}", node + 1, head.size)),
            Err(error) => broken(FINAL, format!("node {} ends with: {error}", node + 1)),
        }
    }

    /// Cosignatures sent, checkpoints that became final, and changes of policy that were confirmed.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let confirmed = self.signers.iter().map(|signer| signer.confirmed).max();
        [self.cosignatures, self.finals.len() as u64, confirmed.unwrap_or(0) as u64]
    }
}

impl Policy {
    /// How many of its organisations these lines speak for, and how many it has.
    fn count(&self, lines: &[NoteSignature]) -> (usize, usize) {
        let signed = |name: &str, id: u32| {
            lines.iter().any(|line| line.name() == name && line.key_id() == id)
        };
        let have = self.voices.iter().filter(|(name, id, _)| signed(name, *id));
        let have: BTreeSet<PartyId> = have.map(|(_, _, party)| *party).collect();
        let all: BTreeSet<PartyId> = self.voices.iter().map(|(_, _, party)| *party).collect();
        (have.len(), all.len())
    }
}

fn read(node: usize, note: &str) -> Result<(SignedNote, Checkpoint), Violation> {
    let wrong = |seen: String| Violation {
        invariant: "I21 messages decode",
        seen: format!("node {}: {seen}", node + 1),
    };
    let note: SignedNote = note.parse().map_err(|error| wrong(format!("{error}")))?;
    let checkpoint = note.text().parse().map_err(|error| wrong(format!("{error}")))?;
    Ok((note, checkpoint))
}
