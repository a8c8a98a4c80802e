//! `musubi-node recover inspect`: what surviving directories hold, and which of their logs is the best.

use std::path::{Path, PathBuf};

use anyhow::Context;
use musubi_consensus::Position;
use musubi_ledger::{epoch::epoch_of, id::ChainId};
use musubi_storage::{Directory, OpenSettings, Opened, Store, rocks::RocksOptions};

use super::replay::Replayed;

/// What a directory holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Where.
    pub path: PathBuf,
    /// Its chain.
    pub chain: ChainId,
    /// The last entry of its log.
    pub last: Position,
    /// The last of them that is executed.
    pub executed: u64,
    /// Leaves in the log of proof, once all its entries are executed.
    pub size: u64,
    /// Leaves that the newest final checkpoint covers which it has heard of.
    pub final_size: u64,
}

impl Survivor {
    /// Reads an opened directory.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of(path: &Path, opened: &Opened) -> anyhow::Result<Self> {
        let replayed = Replayed::new(opened)?;
        Ok(Self {
            path: path.into(),
            chain: replayed.chain.id(),
            last: opened.recovered.last,
            executed: opened.store.applied().index,
            size: replayed.chain.head().size,
            final_size: opened.store.final_size()?,
        })
    }

    /// Raft's order of logs: of two, the one with the higher last term is the better, then the longer one. The best
    /// holds every entry that any of them knows to be committed.
    fn rank(&self) -> (u64, u64) {
        (self.last.term, self.last.index)
    }

    fn line(&self) -> String {
        format!(
            "{}: epoch {}, last entry {} of term {}, {} executed, {} leaves in all, final up to {}",
            self.path.display(),
            epoch_of(self.last.term),
            self.last.index,
            self.last.term,
            self.executed,
            self.size,
            self.final_size
        )
    }
}

/// Opens the directories, one after another, and says what each holds.
///
/// # Errors
/// If one is refused.
pub fn inspect(paths: &[PathBuf]) -> anyhow::Result<String> {
    let mut found = Vec::new();
    for path in paths {
        let refused = || format!("the directory {} is refused", path.display());
        let directory = Directory::on_disk(path, &RocksOptions::default()).with_context(refused)?;
        let opened = Store::open(directory, &OpenSettings::default()).with_context(refused)?;
        found.push(Survivor::of(path, &opened)?);
    }
    report(&found)
}

fn report(found: &[Survivor]) -> anyhow::Result<String> {
    let best = found.iter().max_by_key(|survivor| survivor.rank()).context("name a directory")?;
    let mut lines: Vec<String> = found.iter().map(Survivor::line).collect();
    if let Some(other) = found.iter().find(|survivor| survivor.chain != best.chain) {
        lines.push(format!("{} is another ledger's", other.path.display()));
    }
    lines.push(format!("best: {}", best.path.display()));
    let most = found.iter().map(|survivor| survivor.final_size).max().unwrap_or(0);
    if most > best.size {
        lines.push(format!(
            "WARNING: a final checkpoint covers {most} leaves, the best log has {}: going on from it drops what \
             was final. Look for another disk first",
            best.size
        ));
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_higher_term_is_better_than_the_longer_log_and_lost_finals_are_named() {
        let survivor = |path: &str, (index, term), size, final_size| Survivor {
            path: path.into(),
            chain: ChainId([1; 32]),
            last: Position { index, term },
            executed: 3,
            size,
            final_size,
        };
        let (long, late) = (survivor("long", (90, 3), 200, 40), survivor("late", (80, 4), 150, 40));
        let text = report(&[long.clone(), late.clone()]).unwrap();
        assert!(text.ends_with("best: late"), "{text}");
        let knows = Survivor { final_size: 151, ..long };
        let text = report(&[knows, late]).unwrap();
        assert!(text.contains("WARNING: a final checkpoint covers 151 leaves"), "{text}");
        assert!(report(&[]).is_err());
    }
}
