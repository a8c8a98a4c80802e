//! Comparing what is published with what re-execution gives, field by field, in words.

use musubi_ledger::{
    codec::CodecError,
    execute::Block,
    hash::Hash,
    leaf::{Leaf, SealBody},
};

use super::{
    fault::Fault,
    finding::{Finding, Part},
};

/// What comparing a block gave.
#[derive(Debug)]
pub(super) struct Compared {
    /// The first difference.
    pub(super) finding: Option<Finding>,
    /// Whether the block ends where ours does, with the same state: what follows can still be compared.
    pub(super) aligned: bool,
}

/// Compares a block's seal and its leaves, in order. `leaves` yields the published ones from the block's
/// first on; as many as ours are taken.
pub(super) fn block<L: AsRef<[u8]>>(
    block: &Block,
    leaves: &mut impl Iterator<Item = L>,
    body: Option<&[u8]>,
    cause: Option<&Fault>,
) -> Compared {
    let seal = match body {
        Some(published) => seal(block, published, cause),
        None => Err(Finding::new(Part::Seal, Fault::Missing).at(block.head.height)),
    };
    let entries = block.entries.iter().map(|e| (e.leaf, e.item));
    let mut finding = None;
    for (index, (leaf, item)) in (block.first_leaf..).zip(entries) {
        let differing = differ(block, index, leaf, item, leaves, cause);
        finding = finding.or(differing);
    }
    let index = block.head.size - 1;
    let last = differ(block, index, block.seal.leaf(), None, leaves, cause);
    let aligned = last.is_none();
    // A seal's body says more than that its hash differs.
    let finding = finding.or(seal.err()).or(last);
    Compared { finding, aligned }
}

fn differ<L: AsRef<[u8]>>(
    block: &Block,
    index: u64,
    leaf: Leaf,
    item: Option<u32>,
    leaves: &mut impl Iterator<Item = L>,
    cause: Option<&Fault>,
) -> Option<Finding> {
    let find = |fault| {
        let finding = Finding::new(Part::Leaf, fault).at(block.head.height);
        Some(finding.leaf(index).item(item))
    };
    let Some(published) = leaves.next() else {
        return find(Fault::Missing);
    };
    if published.as_ref() == leaf.bytes() {
        return None;
    }
    find(differing_leaf(published.as_ref(), &leaf, cause))
}

fn differing_leaf(published: &[u8], ours: &Leaf, cause: Option<&Fault>) -> Fault {
    let what = match Leaf::decode(published) {
        Err(error) => not_decodable(error),
        Ok(theirs) => differences(&[
            field("kind", format!("{:?}", theirs.kind), format!("{:?}", ours.kind)),
            field("height", theirs.height, ours.height),
            field("time", theirs.time.0, ours.time.0),
            field("id", theirs.id, ours.id),
            field("verdict", theirs.code, ours.code),
            field("hash of signatures", hex(&theirs.signatures), hex(&ours.signatures)),
            field("hash of the outcome", hex(&theirs.outcome), hex(&ours.outcome)),
        ]),
    };
    differs(what, cause)
}

/// Compares a seal's body.
fn seal(block: &Block, published: &[u8], cause: Option<&Fault>) -> Result<(), Finding> {
    let ours = &block.seal;
    if published == ours.encode() {
        return Ok(());
    }
    let what = match SealBody::decode(published) {
        Err(error) => not_decodable(error),
        Ok(theirs) => differences(&[
            field("height", theirs.height, ours.height),
            field("time", theirs.time.0, ours.time.0),
            field("hash of the entry", hex(&theirs.entry), hex(&ours.entry)),
            field("items", theirs.items, ours.items),
            field("void items", theirs.void, ours.void),
            field("rules version", theirs.rules_version, ours.rules_version),
            field("state digest", hex(&theirs.state), hex(&ours.state)),
        ]),
    };
    let leaf = block.head.size - 1;
    let finding = Finding::new(Part::Seal, differs(what, cause)).at(block.head.height);
    Err(finding.leaf(leaf))
}

fn differs(what: String, cause: Option<&Fault>) -> Fault {
    let cause = cause.map(|fault| format!("the entry itself: {fault}"));
    Fault::Differs { what, cause }
}

fn not_decodable(error: CodecError) -> String {
    format!("what is published cannot be read: {error}")
}

fn hex(hash: &Hash) -> String {
    hex::encode(hash)
}

fn field(name: &str, theirs: impl ToString, ours: impl ToString) -> Option<String> {
    let (theirs, ours) = (theirs.to_string(), ours.to_string());
    (theirs != ours).then(|| format!("{name} is published as {theirs}, re-execution gives {ours}"))
}

fn differences(fields: &[Option<String>]) -> String {
    let found: Vec<&str> = fields.iter().flatten().map(String::as_str).collect();
    found.join("; ")
}
