//! Steps 2 and 3 of `docs/PROOFS.md`: the policy, and whether a checkpoint is final by it.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signature, VerifyingKey};

use super::{Refusal, base64, decimal, hash, require};

/// A checkpoint that the policy calls final.
pub(super) struct Final {
    pub(super) size: u64,
    pub(super) root: [u8; 32],
    /// Who cosigned, and when by their clocks.
    pub(super) cosigned: Vec<(String, u64)>,
}

/// A key of the policy: `name+id+base64(type ‖ key)`.
#[derive(Clone)]
struct Key {
    name: String,
    id: [u8; 4],
    kind: u8,
    key: VerifyingKey,
}

#[derive(Default)]
struct Policy {
    logs: Vec<Key>,
    witnesses: BTreeMap<String, Key>,
    /// How many of which names a group needs.
    groups: BTreeMap<String, (usize, Vec<String>)>,
    quorum: String,
}

fn key(text: &str) -> Result<Key, Refusal> {
    let mut fields = text.splitn(3, '+');
    let mut field = || fields.next().ok_or("a key of the policy");
    let (name, id, typed) = (field()?.to_owned(), field()?, base64(field()?)?);
    let computed = hash(&[name.as_bytes(), b"\n", &typed]);
    require(hex::encode(&computed[..4]) == id, "a key's id")?;
    let bytes: [u8; 32] = typed[1..].try_into().map_err(|_| "a key's length")?;
    let key = VerifyingKey::from_bytes(&bytes).map_err(|_| "a key")?;
    Ok(Key { name, id: computed[..4].try_into().unwrap(), kind: typed[0], key })
}

fn read(text: &str) -> Result<Policy, Refusal> {
    let mut policy = Policy::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["log", vkey] => policy.logs.push(key(vkey)?),
            ["witness", name, vkey] => drop(policy.witnesses.insert((*name).into(), key(vkey)?)),
            ["group", name, count, members @ ..] => {
                let needed = match *count {
                    "any" => 1,
                    "all" => members.len(),
                    count => decimal(count)? as usize,
                };
                let members = members.iter().map(|member| (*member).to_owned()).collect();
                policy.groups.insert((*name).into(), (needed, members));
            }
            ["quorum", name] => policy.quorum = (*name).into(),
            _ => return Err(format!("a line of the policy: {line}")),
        }
    }
    Ok(policy)
}

impl Policy {
    /// Whether a witness signed, or enough of a group's members count.
    fn counts(&self, name: &str, signed: &BTreeSet<String>) -> bool {
        match self.groups.get(name) {
            None => signed.contains(name),
            Some((needed, members)) => {
                members.iter().filter(|member| self.counts(member, signed)).count() >= *needed
            }
        }
    }
}

/// What is signed by a key of this kind, and the signature itself.
fn signed(key: &Key, text: &str, bytes: &[u8]) -> Option<(Vec<u8>, Signature, u64)> {
    match key.kind {
        1 => Some((text.as_bytes().to_vec(), Signature::from_slice(bytes).ok()?, 0)),
        4 => {
            let (time, signature) = bytes.split_first_chunk::<8>()?;
            let time = u64::from_be_bytes(*time);
            let message = format!("cosignature/v1\ntime {time}\n{text}").into_bytes();
            Some((message, Signature::from_slice(signature).ok()?, time))
        }
        _ => None,
    }
}

pub(super) fn check(note: &str, policy: &str) -> Result<Final, Refusal> {
    let policy = read(policy)?;
    let (text, lines) = note.rsplit_once("\n\n").ok_or("no signatures")?;
    let text = format!("{text}\n");
    let lines = lines.strip_suffix('\n').ok_or("the last line is cut off")?;
    let keys: Vec<&Key> = policy.logs.iter().chain(policy.witnesses.values()).collect();
    let (mut by_log, mut cosigned) = (false, Vec::new());
    for line in lines.split('\n') {
        let line = line.strip_prefix("— ").ok_or("a signature line")?;
        let (name, encoded) = line.split_once(' ').ok_or("a signature line")?;
        let bytes = base64(encoded)?;
        let (id, signature) = bytes.split_first_chunk::<4>().ok_or("a signature line")?;
        let Some(key) = keys.iter().find(|key| key.name == name && key.id == *id) else { continue };
        let (message, signature, time) = signed(key, &text, signature).ok_or("a signature")?;
        let valid = key.key.verify_strict(&message, &signature).is_ok();
        require(valid, "a signature of a key of the policy does not verify")?;
        match key.kind {
            1 => by_log = true,
            _ => cosigned.push((name.to_owned(), time)),
        }
    }
    require(by_log, "no validator signed as the log")?;
    let names = cosigned.iter().map(|(name, _)| name.clone()).collect();
    require(policy.counts(&policy.quorum, &names), "no quorum cosigned")?;
    let fields: Vec<&str> = text.strip_suffix('\n').unwrap().split('\n').collect();
    let [origin, size, root, ..] = fields.as_slice() else { return Err("a checkpoint".into()) };
    require(policy.logs.iter().all(|log| log.name == *origin), "another log's checkpoint")?;
    let root = base64(root)?.try_into().map_err(|_| "the root")?;
    Ok(Final { size: decimal(size)?, root, cosigned })
}
