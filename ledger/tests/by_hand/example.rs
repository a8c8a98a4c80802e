//! The worked example of `docs/PROOFS.md`, as this verifier computes it from the vectors.
//! `UPDATE_VECTORS=1 cargo test -p musubi-ledger --test by_hand` writes it anew.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use super::{hash, note, opening, parts, tagged, vectors, void_codes};

const BEGIN: &str = "<!-- worked example: written by ledger/tests/by_hand/example.rs -->\n";
const END: &str = "<!-- end of the worked example -->\n";

/// Bytes in hex, 32 to a line.
fn dump(bytes: &[u8]) -> String {
    bytes.chunks(32).map(|line| hex::encode(line) + "\n").collect()
}

fn worked() -> String {
    let vectors = vectors();
    let text = |name: &str| vectors[name].as_str().unwrap();
    let file = vectors["proofs"][0]["file"].as_str().unwrap();
    let chain = hex::decode(text("chain")).unwrap();
    let parts = parts(file).unwrap();
    let last = note::check(&parts.checkpoint, text("policy")).unwrap();
    let opened = opening::check(&parts.extra, &chain, &void_codes()).unwrap();
    let leaf = &parts.extra[..119];
    let mut out = String::new();
    let mut block = |heading: &str, content: &str| {
        write!(out, "{heading}\n\n```\n{content}```\n\n").unwrap();
    };
    block(
        "The policy (the trust root; chain id in the line below it):",
        &format!("{}chain {}\n", text("policy"), text("chain")),
    );
    block("The proof file, `ledger/vectors/purchase.tlog-proof`:", file);
    let size = format!("size {}\nroot {}\n", last.size, hex::encode(last.root));
    block(
        "**Steps 2 and 3.** The checkpoint's text is the three lines up to the empty one. It says:",
        &size,
    );
    let mut climb = format!("leaf hash  {}\n", hex::encode(hash(&[&[0], leaf])));
    let (mut node, mut index, mut end) = (hash(&[&[0], leaf]), parts.index, last.size - 1);
    let mut path = parts.path.iter();
    while end > 0 {
        if index % 2 == 1 {
            node = hash(&[&[1], path.next().unwrap(), &node]);
            writeln!(climb, "path left  {}", hex::encode(node)).unwrap();
        } else if index < end {
            node = hash(&[&[1], &node, path.next().unwrap()]);
            writeln!(climb, "path right {}", hex::encode(node)).unwrap();
        } else {
            writeln!(climb, "rises      {}", hex::encode(node)).unwrap();
        }
        (index, end) = (index / 2, end / 2);
    }
    let heading =
        format!("**Step 4.** The first 119 of extra's {} bytes are the leaf:", parts.extra.len());
    block(&heading, &dump(leaf));
    let heading = format!(
        "Index {} in a log of {} leaves. Each line is the hash after that step; the last is the root:",
        parts.index, last.size
    );
    block(&heading, &climb);
    let fields = format!(
        "kind       {:?}\nheight     {}\ntime       {}\nid         {}\ncode       {}\nsignatures {}\noutcome    {}\n",
        &leaf[1..5],
        opened.height,
        opened.time,
        hex::encode(opened.id),
        opened.code,
        hex::encode(&leaf[55..87]),
        hex::encode(&leaf[87..]),
    );
    block("**Step 5.** The leaf's fields:", &fields);
    let heading = format!(
        "Behind the leaf: tag `00000000` (a transaction), the body's length ({}), and the body:",
        opened.body.len()
    );
    block(&heading, &dump(&opened.body));
    let at = 119 + 4 + 8 + opened.body.len();
    let list = 8 + 120 * opened.signers.len();
    let hashes = format!(
        "id                = H(15 ‖ musubi/v1/transaction ‖ body)       = {}\nsignatures' hash  = H(14 ‖ musubi/v1/signatures ‖ {list} bytes)   = {}\nsalt              = {}\noutcome's hash    = H(11 ‖ musubi/v1/outcome ‖ salt ‖ {} bytes) = {}\n",
        hex::encode(tagged("musubi/v1/transaction", &[&opened.body])),
        hex::encode(tagged("musubi/v1/signatures", &[&parts.extra[at..at + list]])),
        hex::encode(&opened.salt),
        opened.outcome.len(),
        hex::encode(tagged("musubi/v1/outcome", &[&opened.salt, &opened.outcome])),
    );
    block(
        "Their hashes, which are the leaf's (the number is the tag's length as one byte, in hex):",
        &hashes,
    );
    block("**Step 6.** The list of signatures, count first:", &dump(&parts.extra[at..at + list]));
    let signature = &parts.extra[at + 8..at + 128];
    let mut message = b"musubi/v1/sign\0\0\x01".to_vec();
    for part in [
        &chain,
        &signature[..1],
        &signature[4..5],
        &signature[8..24],
        &signature[24..56],
        &opened.id,
    ] {
        message.extend_from_slice(part);
    }
    block("What the first of them signs, 131 bytes:", &dump(&message));
    let mut postings = String::new();
    for posting in &opened.postings {
        let sign = if posting.plus { '+' } else { '-' };
        let kind = if posting.account[0] == 0 { "wallet" } else { "issuance" };
        let account = hex::encode(&posting.account[4..]);
        writeln!(postings, "{sign}{} {} {kind} {account}", posting.amount, posting.instrument)
            .unwrap();
    }
    block("**Step 7.** The outcome's bytes:", &dump(&opened.outcome));
    block("Its postings:", &postings);
    out
}

#[test]
fn the_worked_example_is_what_the_vectors_give() {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "docs", "PROOFS.md"].iter().collect();
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    let worked = format!("\n{}", worked());
    if env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{worked}{END}{after}")).unwrap();
        return;
    }
    assert!(kept == worked, "docs/PROOFS.md: the worked example is not what the vectors give");
}
