//! A resume point: where an audit stands, in a file of its own, so that it can go on after being killed.
//!
//! ```text
//! "musubi-audit-resume/1\n" ‖ u32 length ‖ header (JSON) ‖ SHA-256 of the header ‖ rows
//! row = u32 length ‖ key ‖ u32 length ‖ row, as storage keeps them; lengths big-endian
//! ```
//!
//! The file is believed in nothing that the record can tell. Its rows must have the state digest that the
//! record's seal names; the record up to there is walked through again: each entry must be the one whose hash
//! its seal names, each seal the one whose hash its leaf is, and all leaves together must give the log whose
//! frontier the file has. Only that those entries were executed, and the counts of the report, are the earlier
//! run's word; [`Report::resumed`](super::Report::resumed) says so.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    num::NonZero,
    path::Path,
};

use musubi_ledger::{
    digest::{SetDigest, WalletTree},
    execute::{Chain, Head},
    hash::{Hash, sha256},
    id::ChainId,
    state::{Row, RowKey},
    tlog::frontier::Frontier,
    transaction::Transaction,
};
use serde::{Deserialize, Serialize};

use super::{
    auditor::Auditor,
    directory::FileError,
    fault::Fault,
    finals::Change,
    finding::{Finding, Part},
    order::Order,
    run::AuditError,
    state::State,
    tally::Tally,
};
use crate::durable_file;

const MAGIC: &[u8] = b"musubi-audit-resume/1\n";
/// Longest header, key or row that is read.
const LONGEST: usize = 1 << 20;
/// Rows that are digested at a time, on all threads.
const ROWS: usize = 1 << 16;

/// Everything but the rows.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    chain: ChainId,
    head: Head,
    order: Order,
    /// Roots of the log's complete subtrees, hex, largest first.
    peaks: Vec<String>,
    /// State digest, hex.
    state: String,
    rows: usize,
    tally: Tally,
    /// Changes of the witness policy so far.
    changes: Vec<Change>,
    /// Recoveries so far.
    #[serde(default)]
    recoveries: Vec<Transaction>,
}

/// A resume point that was read, to be compared with the record.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) chain: Chain,
    pub(super) state: State,
    pub(super) digest: Hash,
    pub(super) order: Order,
    pub(super) tally: Tally,
    pub(super) changes: Vec<Change>,
    pub(super) recoveries: Vec<Transaction>,
}

fn refused(what: impl Into<String>) -> AuditError {
    Finding::new(Part::Resume, Fault::Resume(what.into())).into()
}

/// Writes where the audit stands, in place of what the file held.
///
/// A crash right here leaves the point before, or this one.
///
/// # Errors
/// [`AuditError::File`].
pub(super) fn write(path: &Path, auditor: &mut Auditor) -> Result<(), AuditError> {
    let log = auditor.chain.log();
    let header = Header {
        chain: auditor.chain.id(),
        head: auditor.chain.head(),
        order: auditor.order,
        peaks: log.peaks().iter().map(hex::encode).collect(),
        state: hex::encode(auditor.chain.state_digest()),
        rows: auditor.state.len(),
        tally: auditor.tally.clone(),
        changes: auditor.changes.clone(),
        recoveries: auditor.recoveries.clone(),
    };
    let header = serde_json::to_vec(&header).map_err(io::Error::other);
    let written = header.and_then(|header| {
        durable_file::replace_with(path, |file| {
            file.write_all(MAGIC)?;
            put(file, &header)?;
            file.write_all(&sha256(&header))?;
            for (key, row) in auditor.state.rows() {
                put(file, &key.to_bytes())?;
                put(file, &row.encode())?;
            }
            for (key, row) in auditor.state.past() {
                put(file, key)?;
                put(file, row)?;
            }
            Ok(())
        })
    });
    Ok(written.map_err(FileError::of(path))?)
}

fn put(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(bytes)
}

/// Reads a resume point of `chain`; none if there is no such file.
///
/// # Errors
/// [`AuditError::File`], or a finding if it does not hold together.
pub(super) fn read(
    path: &Path,
    chain: ChainId,
    threads: NonZero<usize>,
) -> Result<Option<Point>, AuditError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::of(path)(error).into()),
    };
    let mut file = BufReader::with_capacity(1 << 16, file);
    let header = header(&mut file).ok_or_else(|| refused("it is none, or damaged"))?;
    if header.chain != chain {
        return Err(refused(format!("it is of chain {}", header.chain)));
    }
    let damaged = || refused("its rows are damaged");
    let mut parts = Parts::default();
    let mut left = header.rows;
    while left > 0 {
        let mut page = Vec::with_capacity(left.min(ROWS));
        while page.len() < left.min(ROWS) {
            let key = take(&mut file).ok_or_else(damaged)?;
            page.push((key, take(&mut file).ok_or_else(damaged)?));
        }
        left -= page.len();
        parts.add(&page, threads).ok_or_else(damaged)?;
    }
    if !matches!(file.read(&mut [0]), Ok(0)) {
        return Err(refused("it has more rows than its header says"));
    }
    let (state, wallets, rows) = parts.finish().ok_or_else(damaged)?;
    let peaks = header.peaks.iter().map(|peak| hex::decode(peak).ok()?.try_into().ok());
    let peaks = peaks.collect::<Option<Vec<Hash>>>().ok_or_else(damaged)?;
    let Header { head, order, tally, changes, recoveries, state: named, .. } = header;
    let log = Frontier::from_parts(head.size, peaks).map_err(|e| refused(e.to_string()))?;
    let mut chain = Chain::resume(chain, head, log, wallets, rows);
    let digest = chain.state_digest();
    if hex::encode(digest) != named {
        return Err(refused("its rows do not have the state digest that its header names"));
    }
    Ok(Some(Point { chain, state, digest, order, tally, changes, recoveries }))
}

fn header(file: &mut impl Read) -> Option<Header> {
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic).ok()?;
    let bytes = take(file)?;
    let mut checksum = [0; 32];
    file.read_exact(&mut checksum).ok()?;
    if magic != MAGIC || checksum != sha256(&bytes) {
        return None;
    }
    serde_json::from_slice(&bytes).ok()
}

fn take(file: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    file.read_exact(&mut length).ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    let mut bytes = vec![0; length.min(LONGEST)];
    file.read_exact(&mut bytes).ok()?;
    (bytes.len() == length).then_some(bytes)
}

/// A state being put together again, with its digests.
#[derive(Default)]
struct Parts {
    state: State,
    wallets: Vec<(u64, Hash)>,
    rows: SetDigest,
}

impl Parts {
    fn add(&mut self, page: &[(Vec<u8>, Vec<u8>)], threads: NonZero<usize>) -> Option<()> {
        let share = page.len().div_ceil(threads.get()).max(1);
        let parts: Vec<Option<_>> = std::thread::scope(|scope| {
            let digest = |part| scope.spawn(move || digest(part));
            let running: Vec<_> = page.chunks(share).map(digest).collect();
            running.into_iter().map(|t| t.join().expect("digesting does not panic")).collect()
        });
        for part in parts {
            let (rows, wallets, sum) = part?;
            for (key, row) in rows {
                self.state.insert(key, row);
            }
            self.wallets.extend(wallets);
            self.rows.merge(&sum);
        }
        Some(())
    }

    fn finish(mut self) -> Option<(State, WalletTree, SetDigest)> {
        self.wallets.sort_unstable();
        let in_order = (0..).zip(&self.wallets).all(|(at, (serial, _))| at == *serial);
        let leaves = self.wallets.into_iter().map(|(_, leaf)| leaf).collect();
        in_order.then(|| (self.state, WalletTree::from_leaves(leaves), self.rows))
    }
}

type Digested = (Vec<(RowKey, Row)>, Vec<(u64, Hash)>, SetDigest);

fn digest(page: &[(Vec<u8>, Vec<u8>)]) -> Option<Digested> {
    let (mut rows, mut wallets, mut sum) = (Vec::new(), Vec::new(), SetDigest::new());
    for (bytes, value) in page {
        let key = RowKey::from_bytes(bytes)?;
        let row = Row::decode(value).ok()?;
        match (&key, &row) {
            (RowKey::Wallet(party), Row::Wallet(wallet)) => {
                wallets.push((wallet.serial, wallet.state_leaf(party)));
            }
            (RowKey::Wallet(_), _) => return None,
            _ => sum.add(bytes, value),
        }
        rows.push((key, row));
    }
    Some((rows, wallets, sum))
}
