//! A snapshot, by `docs/FORMAT.md` (sections 8, 10, 11 and 21): what its manifest says once it is believed, and that
//! its rows are those of the state that the seal names. BLAKE3 beside what proofs need.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Refusal, climb, hash, note, opening::Cursor, require, vector};

type Hash = [u8; 32];

/// Where a ledger stands at the seal.
struct Said {
    height: u64,
    time: u64,
    size: u64,
    root: Hash,
    term: u64,
    index: u64,
    state: Hash,
    final_size: u64,
}

/// The three steps of section 21, and what then follows.
fn believe(bytes: &[u8], policy: &str, chain: &[u8]) -> Result<Said, Refusal> {
    let mut fields = Cursor(bytes);
    require(fields.number(1)? == 1, "the version")?;
    let body = [&[1], fields.take(90)?].concat();
    let (index, count) = (fields.number(8)?, fields.number(8)?);
    let path = (0..count).map(|_| fields.array()).collect::<Result<Vec<Hash>, Refusal>>()?;
    let length = fields.number(8)? as usize;
    let entry = fields.take(length)?;
    let length = fields.number(8)? as usize;
    let checkpoint = std::str::from_utf8(fields.take(length)?).map_err(|_| "a text")?;
    require(fields.0.is_empty(), "something is left over")?;

    let last = note::check(checkpoint, policy)?;
    let mut seal = Cursor(&body[1..]);
    let (height, time, named) = (seal.number(8)?, seal.number(8)?, seal.array::<32>()?);
    seal.take(4 + 4 + 2)?;
    let state = seal.array()?;
    let (of, at) = (height.to_le_bytes(), time.to_le_bytes());
    let parts: [&[u8]; 6] = [&[1, 3, 0, 0, 0], &of, &at, &hash(&[&body]), &[0; 2], &[0; 64]];
    let leaf = parts.concat();
    require(climb(&leaf, index, last.size, &path)? == last.root, "the path")?;
    require(hash(&[entry]) == named, "the seal names another entry")?;

    let mut batch = Cursor(entry);
    require(batch.number(1)? == 1 && batch.take(32)? == chain, "another chain's entry")?;
    let (term, place) = (batch.number(8)?, batch.number(8)?);
    let root = climb(&leaf, index, index + 1, &before(index, last.size, &path))?;
    let (size, final_size) = (index + 1, last.size);
    Ok(Said { height, time, size, root, term, index: place, state, final_size })
}

/// The hashes of a path that join on the left: of the complete subtrees before the leaf.
fn before(mut index: u64, size: u64, path: &[Hash]) -> Vec<Hash> {
    let (mut last, mut path, mut found) = (size - 1, path.iter(), Vec::new());
    while last > 0 {
        if index % 2 == 1 {
            found.extend(path.next());
        } else if index < last {
            path.next();
        }
        (index, last) = (index / 2, last / 2);
    }
    found
}

/// A storage key and a row's bytes.
type KeyedRow<'p> = (&'p [u8], &'p [u8]);

/// All rows of all pages.
fn rows(pages: &[Vec<u8>]) -> Result<Vec<KeyedRow<'_>>, Refusal> {
    let mut rows: Vec<KeyedRow<'_>> = Vec::new();
    for (page, left) in pages.iter().zip((0..pages.len()).rev()) {
        let (head, mut rest) = page.split_at_checked(2).ok_or("no page")?;
        require(head == [1, u8::from(left == 0)], "the head of a page")?;
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let (part, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
            rest = after;
            Some(part)
        };
        while let Some(key) = part() {
            require(rows.last().is_none_or(|(last, _)| *last < key), "the order")?;
            rows.push((key, part().ok_or("a key without a row")?));
        }
        require(rest.is_empty(), "half a row")?;
    }
    Ok(rows)
}

/// The state digest of section 10.
fn digest(rows: &[KeyedRow<'_>]) -> Result<Hash, Refusal> {
    let (mut lanes, mut wallets) = ([0u16; 1_024], BTreeMap::new());
    for (key, value) in rows {
        if let [4, party @ ..] = key {
            let (serial, leaf) = wallet(party, value)?;
            require(wallets.insert(serial, leaf).is_none(), "a serial number twice")?;
            continue;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"musubi/set-digest/element/v1").update(&(key.len() as u64).to_le_bytes());
        let mut bytes = [0; 2_048];
        hasher.update(key).update(value).finalize_xof().fill(&mut bytes);
        for (lane, pair) in lanes.iter_mut().zip(bytes.chunks_exact(2)) {
            *lane = lane.wrapping_add(u16::from_le_bytes([pair[0], pair[1]]));
        }
    }
    let sum: Vec<u8> = lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect();
    let (count, others) = ((wallets.len() as u64).to_le_bytes(), blake3::hash(&sum));
    require(wallets.keys().copied().eq(0..wallets.len() as u64), "a serial number is missing")?;
    let root = tree(wallets.into_values().collect());
    let parts: [&[u8]; 4] = [b"musubi/state-digest/v1", &count, &root, others.as_bytes()];
    Ok(*blake3::hash(&parts.concat()).as_bytes())
}

/// A wallet's serial number and leaf.
fn wallet(party: &[u8], value: &[u8]) -> Result<(u64, Hash), Refusal> {
    let mut fields = Cursor(value);
    require(fields.number(4)? == 4, "no wallet's row")?;
    let (serial, salt) = (fields.take(8)?, fields.take(32)?);
    let standing = fields.take(8 + 32)?;
    let mut salts = [0; 64];
    let derived = blake3::Hasher::new_derive_key("musubi/v1/wallet-part-salts");
    derived.clone().update(salt).finalize_xof().fill(&mut salts);
    let (header_salt, lots_salt) = salts.split_at(32);
    let header = [header_salt, party, serial, standing].concat();
    let header = blake3::derive_key("musubi/v1/wallet-header", &header);
    let lots = blake3::derive_key("musubi/v1/wallet-lots", &[lots_salt, fields.0].concat());
    let leaf = blake3::derive_key("musubi/v1/wallet-leaf", &[header, lots].concat());
    Ok((Cursor(serial).number(8)?, leaf))
}

/// The root over wallets' leaves: paired from the left, an odd last one rising.
fn tree(mut level: Vec<Hash>) -> Hash {
    let keyed = |key, parts: &[&[u8]]| *blake3::keyed_hash(key, &parts.concat()).as_bytes();
    let count = (level.len() as u64).to_le_bytes();
    while level.len() > 1 {
        let pairs = level.chunks(2).map(|pair| match pair {
            [left, right] => keyed(b"musubi/wallet-tree/node/v1......", &[left, right]),
            odd => odd[0],
        });
        level = pairs.collect();
    }
    let empty = || keyed(b"musubi/wallet-tree/empty/v1.....", &[]);
    let top = level.first().copied().unwrap_or_else(empty);
    keyed(b"musubi/wallet-tree/root/v1......", &[&count, &top])
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn the_snapshot_of_the_vectors_is_believed_and_has_its_rows() {
    let vectors: Value = serde_json::from_str(&vector("snapshot.json")).unwrap();
    let (policy, chain) = (vectors["policy"].as_str().unwrap(), bytes(&vectors["chain"]));
    let said = believe(&bytes(&vectors["manifest"]), policy, &chain).unwrap();
    let told = &vectors["says"];
    let numbers = ["height", "time", "size", "term", "index", "final_size"];
    let numbers = numbers.map(|name| told[name].as_u64().unwrap());
    let Said { height, time, size, term, index, final_size, .. } = said;
    assert_eq!([height, time, size, term, index, final_size], numbers);
    assert_eq!(bytes(&told["root"]), said.root);
    assert_eq!(bytes(&told["state"]), said.state);
    assert!(final_size > size, "a checkpoint of the seal itself would have a path of one side");

    let pages: Vec<Vec<u8>> = vectors["pages"].as_array().unwrap().iter().map(bytes).collect();
    let rows = rows(&pages).unwrap();
    assert_eq!(vectors["rows"], rows.len());
    assert_eq!(digest(&rows).unwrap(), said.state);
    assert!(rows.iter().filter(|(key, _)| key[0] == 4).count() > 2, "or the tree has no odd one");
    assert_ne!(digest(&rows[1..]).unwrap(), said.state);

    let refused = vectors["refused"].as_array().unwrap();
    assert!(refused.len() >= 8);
    for case in refused {
        let name = &case["name"];
        assert!(believe(&bytes(&case["bytes"]), policy, &chain).is_err(), "{name} passes");
    }
    assert!(believe(&bytes(&vectors["manifest"]), policy, &[0; 32]).is_err());
}
