//! Data directories. A validator's: `musubi-node format` makes it, once, at the network's beginning; `run` only
//! ever opens one that is there.
//!
//! A directory is made by an explicit step because a validator that comes up with an empty one has forgotten all
//! that it promised. What keeps even a formatted one from returning under a known id is in consensus
//! (`amnesia`): the others remember the directory before it.

use std::path::Path;

use anyhow::{Context, bail};
use musubi_consensus::Identity;
use musubi_ledger::batch::NodeId;
use musubi_storage::{
    Directory, Incoming, OpenError, OpenSettings, Opened, Store, rocks::RocksOptions,
};

use crate::config::Loaded;

/// Makes the data directory of a validator that has never run, from the genesis document.
///
/// # Errors
/// If there is anything in it already, or it cannot be written.
pub fn format(loaded: &Loaded) -> anyhow::Result<()> {
    let path = &loaded.config.data;
    if !is_empty(path)? {
        bail!(
            "{} is not empty: format makes the directory of a validator that has never run. What is there may be \
             promises that this validator must keep: do not delete it",
            path.display()
        );
    }
    let directory = Directory::on_disk(path, &RocksOptions::default())?;
    let id = random_id()?;
    // A crash in here leaves a directory that is not empty and holds no ledger: it is to be deleted, and can
    // be, since nothing was promised in it; `run` says so.
    let opened = Store::create(directory, &loaded.genesis, id, &settings(loaded))
        .with_context(|| format!("cannot format {}", path.display()))?;
    opened.store.claim(NodeId(loaded.config.node))?;
    Ok(())
}

/// Opens the data directory.
///
/// # Errors
/// If there is none, or it is refused.
pub fn open(loaded: &Loaded) -> anyhow::Result<Opened> {
    let path = &loaded.config.data;
    if is_empty(path)? {
        bail!(
            "{} is empty ({}). At the network's beginning make it with `musubi-node format --config FILE`. If \
             this validator has run before, its disk is lost and with it what it promised: do not format it; \
             the others go on without it (docs/OPERATING.md, \"A validator that has forgotten\")",
            path.display(),
            OpenError::Empty.code()
        );
    }
    let refused = || format!("the data directory {} is refused", path.display());
    let directory = Directory::on_disk(path, &RocksOptions::default())?;
    let opened = Store::open(directory, &settings(loaded)).with_context(refused)?;
    if opened.store.is_following()? {
        bail!(
            "{} is a replica's directory: it never voted, and a validator needs one of its own",
            path.display()
        );
    }
    opened.store.claim(NodeId(loaded.config.node)).with_context(refused)?;
    Ok(opened)
}

/// A replica's data directory.
pub enum ReplicaDirectory {
    /// With a ledger in it.
    Ledger(Box<Opened>),
    /// With none: nothing, or half a snapshot.
    Blank(Box<Directory>),
}

/// Opens the data directory of a replica, which promises nothing: where there is none, one is made, without a
/// ledger in it.
///
/// # Errors
/// If it is refused, or is a validator's.
pub fn open_replica(loaded: &Loaded) -> anyhow::Result<ReplicaDirectory> {
    let path = &loaded.config.data;
    std::fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
    let refused = || format!("the data directory {} is refused", path.display());
    let mut directory = Directory::on_disk(path, &RocksOptions::default())?;
    if directory.is_blank().with_context(refused)? {
        return Ok(ReplicaDirectory::Blank(Box::new(directory)));
    }
    let opened = Store::open(directory, &settings(loaded)).with_context(refused)?;
    opened.store.follow().context("this directory cannot be a replica's")?;
    Ok(ReplicaDirectory::Ledger(Box::new(opened)))
}

/// Puts the genesis block, and nothing else, into a replica's directory without a ledger.
///
/// # Errors
/// If it cannot be written.
pub fn replica_from_genesis(loaded: &Loaded, directory: Directory) -> anyhow::Result<Opened> {
    // Half a snapshot of an earlier attempt goes.
    let directory = Incoming::begin(directory)?.abandon()?;
    let opened = Store::create(directory, &loaded.genesis, random_id()?, &settings(loaded))?;
    opened.store.follow()?;
    Ok(opened)
}

/// A new directory's id.
///
/// # Errors
/// If the system gives no randomness.
pub fn random_id() -> anyhow::Result<[u8; 16]> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).context("the system gave no randomness")?;
    Ok(id)
}

/// How this node's directories are opened.
#[must_use]
pub fn settings(loaded: &Loaded) -> OpenSettings {
    OpenSettings {
        chain: Some(loaded.genesis.chain()),
        cached_rows: loaded.config.tuning.cached_rows,
        ..OpenSettings::default()
    }
}

/// Bytes free on the disk of a data directory; none known reads as plenty.
#[must_use]
pub fn disk_free(path: &Path) -> u64 {
    let found = rustix::fs::statvfs(path);
    found.map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether there is nothing at `path`, not even a directory.
fn is_empty(path: &Path) -> anyhow::Result<bool> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Who this process is, on the directory just opened.
///
/// # Errors
/// If the directory's memory of others is damaged, or the system gives no randomness.
pub fn identity(opened: &Opened) -> anyhow::Result<Identity> {
    let (found, cosigned) = opened.store.promised();
    let mut life = [0; 8];
    getrandom::fill(&mut life).context("the system gave no randomness")?;
    Ok(Identity {
        directory: opened.directory,
        boot: opened.boot,
        // 0 stands for no identity; that chance is one in 2^64.
        life: u64::from_le_bytes(life).max(1),
        found,
        cosigned,
        remembered: opened.store.pledges()?,
    })
}
