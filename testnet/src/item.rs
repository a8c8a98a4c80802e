//! From an intent to signed bytes: a [`Scribe`] writes bodies, a [`Task`] is a body with those who will
//! sign it and what it must come to, an [`Item`] is ready to be submitted.

use std::num::NonZero;

use musubi_ledger::{
    code::Code,
    genesis::RULES_VERSION,
    hash::sha256,
    id::{ChainId, PartyId, Reference, Salt, TxId},
    operation::Operation,
    time::Time,
    transaction::{Body, Purpose, Transaction},
};
use musubi_sdk::Slot;

use crate::{city::institutions::Key, random::Dice};

/// How long a generated body stays valid: longer than any run.
const WINDOW_MS: u64 = 6 * 3_600_000;

/// What an item must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This code, be it a verdict, a void item or a refusal at the door.
    Code(Code),
    /// It was submitted and applied before: its old verdict again, and no second leaf.
    Replay,
}

impl Expected {
    /// The code that the answer must bear.
    #[must_use]
    pub fn code(self) -> Code {
        match self {
            Self::Code(code) => code,
            Self::Replay => Code::Applied,
        }
    }
}

/// A signed transaction (or garbage) with what it must come to.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is, for tables.
    pub kind: &'static str,
    /// Its id; the hash of the bytes where they are no transaction.
    pub id: TxId,
    /// Canonical bytes.
    pub bytes: Vec<u8>,
    /// What it must come to.
    pub expected: Expected,
}

/// What is done to a transaction after everybody signed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// Nothing.
    None,
    /// One bit of the first signature is turned.
    Signature,
}

/// A body and its signers.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it is, for tables.
    pub kind: &'static str,
    /// What it must come to.
    pub expected: Expected,
    /// What is signed, or the bytes themselves.
    pub content: Content,
}

/// What a task becomes an item from.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all tasks are of the large kind")]
pub enum Content {
    /// A body, its signers, and a fault.
    Body(Body, Vec<(Slot, Key)>, Spoil),
    /// Bytes as they are: garbage, or an earlier item again.
    Bytes(TxId, Vec<u8>),
    /// An earlier task of the same list of waves again: (wave, place).
    Again(usize, usize),
}

/// Writes bodies for one chain at one time; everything else comes from its dice.
#[derive(Clone, Debug)]
pub struct Scribe {
    chain: ChainId,
    /// When the bodies are written: a clock's time near the block time at which they will be judged.
    pub now: Time,
    /// All chance.
    pub dice: Dice,
    prefix: String,
    written: u64,
}

impl Scribe {
    /// References begin with `prefix`: one per purpose, so that none is used twice.
    #[must_use]
    pub fn new(chain: ChainId, now: Time, dice: Dice, prefix: impl Into<String>) -> Self {
        Self { chain, now, dice, prefix: prefix.into(), written: 0 }
    }

    /// A body of `sender`'s.
    pub fn body(&mut self, sender: PartyId, operation: Operation) -> Body {
        self.written += 1;
        let reference = format!("{}-{}", self.prefix, self.written);
        let reference: Reference = reference.parse().expect("a short visible text");
        Body {
            chain: self.chain,
            rules_version: RULES_VERSION,
            sender,
            reference,
            salt: Salt(self.dice.bytes()),
            expires: self.now.plus(WINDOW_MS),
            purpose: Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation,
        }
    }
}

impl Task {
    /// A task that must be applied.
    #[must_use]
    pub fn good(kind: &'static str, body: Body, signers: Vec<(Slot, Key)>) -> Self {
        Self {
            kind,
            expected: Expected::Code(Code::Applied),
            content: Content::Body(body, signers, Spoil::None),
        }
    }

    /// A task that must not be.
    #[must_use]
    pub fn bad(kind: &'static str, code: Code, body: Body, signers: Vec<(Slot, Key)>) -> Self {
        Self { expected: Expected::Code(code), ..Self::good(kind, body, signers) }
    }

    /// The id that it will have, if it has one of its own.
    #[must_use]
    pub fn id(&self) -> Option<TxId> {
        match &self.content {
            Content::Body(body, ..) => Some(body.id()),
            Content::Bytes(..) | Content::Again(..) => None,
        }
    }

    fn sign(self) -> Result<Item, (usize, usize, &'static str, Expected)> {
        let Self { kind, expected, content } = self;
        let (id, bytes) = match content {
            Content::Body(body, signers, spoil) => {
                let sign =
                    |(slot, key): &(Slot, Key)| body.sign(slot.side, slot.role, slot.party, key);
                let mut signatures: Vec<_> = signers.iter().map(sign).collect();
                if spoil == Spoil::Signature {
                    signatures[0].bytes.0[7] ^= 1;
                }
                (body.id(), Transaction::new(body, signatures).encode())
            }
            Content::Bytes(id, bytes) => (id, bytes),
            Content::Again(wave, place) => return Err((wave, place, kind, expected)),
        };
        Ok(Item { kind, id, bytes, expected })
    }
}

impl Content {
    /// Bytes that are no transaction.
    #[must_use]
    pub fn garbage(bytes: Vec<u8>) -> Self {
        Self::Bytes(TxId(sha256(&bytes)), bytes)
    }
}

/// Signs all tasks of all waves, on `threads` threads. The result does not depend on their number.
///
/// # Panics
/// If a task repeats one that does not come before it: a fault of the generator.
#[must_use]
pub fn sign_all(waves: Vec<Vec<Task>>, threads: NonZero<usize>) -> Vec<Vec<Item>> {
    let sizes: Vec<usize> = waves.iter().map(Vec::len).collect();
    let mut tasks: Vec<Task> = waves.into_iter().flatten().collect();
    let share = tasks.len().div_ceil(threads.get()).max(1);
    let mut shares = Vec::new();
    while !tasks.is_empty() {
        shares.push(tasks.drain(..share.min(tasks.len())).collect::<Vec<_>>());
    }
    let signed: Vec<_> = std::thread::scope(|scope| {
        let sign = |share: Vec<Task>| {
            scope.spawn(|| share.into_iter().map(Task::sign).collect::<Vec<_>>())
        };
        let running: Vec<_> = shares.into_iter().map(sign).collect();
        running.into_iter().flat_map(|t| t.join().expect("signing does not fail")).collect()
    });
    let mut signed = signed.into_iter();
    let mut out: Vec<Vec<Item>> = Vec::with_capacity(sizes.len());
    for size in sizes {
        let mut wave: Vec<Item> = Vec::with_capacity(size);
        for item in signed.by_ref().take(size) {
            wave.push(item.unwrap_or_else(|(wave, place, kind, expected)| {
                let earlier: &Item = &out[wave][place];
                Item { kind, expected, ..earlier.clone() }
            }));
        }
        out.push(wave);
    }
    out
}
