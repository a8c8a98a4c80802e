//! Time that a test sets, on chains whose genesis document says `driven_time`; a real chain has none (ADR 0020).
//!
//! Such a clock is an anchor and this machine's clock since then: it runs by itself, and only an operator's request sets
//! it, forward. Both halves of the anchor are kept in `<data>/driven-time`, so that a node that starts again goes on
//! where its fellows are. The file is made beside the directory by whoever makes the network, equal for all of its nodes.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock},
};

use anyhow::{Context, bail, ensure};
use musubi_ledger::time::{Day, Time};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock;

/// The file's name in the data directory.
pub const FILE: &str = "driven-time";

/// How far this machine's clock may have been set back since the file was written.
const SLACK_MS: u64 = 60_000;

/// When a driven clock was set, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchors {
    /// What it was set to.
    pub driven: Time,
    /// What this machine's clock said then.
    pub machine: Time,
}

impl Anchors {
    /// What the driven clock says when this machine's says `machine`. Before the anchor, it stands still.
    #[must_use]
    pub fn at(self, machine: Time) -> Time {
        self.driven.plus(machine.0.saturating_sub(self.machine.0))
    }
}

/// Why a driven clock is not set.
#[derive(Debug, Error)]
pub enum DriveError {
    /// It goes forward alone.
    #[error("it is {now} here, which is later than {to}")]
    Past {
        /// What it was to be set to.
        to: Time,
        /// What it says.
        now: Time,
    },
    /// Beyond what anybody means.
    #[error("it goes no further than to the year 9000")]
    TooFar,
    /// The anchors cannot be kept: nothing has changed.
    #[error("its file cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

/// A clock that a test sets.
#[derive(Debug)]
pub struct DrivenTime {
    data: PathBuf,
    anchors: RwLock<Anchors>,
    /// Held while the clock is set: what is written last is what counts.
    setting: Mutex<()>,
}

impl DrivenTime {
    /// Takes the clock up where the file says that it stands.
    ///
    /// # Errors
    /// If there is no file, or it is damaged; says what to do.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
                "this chain has driven time, by its genesis document, and {} is not there: it is a test's. Whoever made \
                 the network wrote that file for every node (musubi-testnet does); take a fellow's on this machine. If \
                 this should be a real network, its genesis document is not",
                path.display()
            ),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        let anchors: Anchors = serde_json::from_slice(&text).with_context(|| {
            format!("{} is damaged: take a fellow's on this machine", path.display())
        })?;
        let machine = clock::machine();
        ensure!(
            anchors.machine <= machine.plus(SLACK_MS),
            "{} was written at {}, and this machine's clock says {machine}: one of them is wrong",
            path.display(),
            anchors.machine
        );
        tracing::warn!(now = %anchors.at(machine), "this is a test's chain: its clocks are driven, no time on it is to be believed");
        Ok(Self { data: data.into(), anchors: RwLock::new(anchors), setting: Mutex::new(()) })
    }

    /// What it says when this machine's clock says `machine`.
    #[must_use]
    pub fn at(&self, machine: Time) -> Time {
        self.anchors.read().unwrap_or_else(PoisonError::into_inner).at(machine)
    }

    /// Sets it forward to `to`, durably: nobody is given the new time before the file has it. Returns what it says now.
    ///
    /// # Errors
    /// [`DriveError`]; then it goes on as before.
    pub fn set(&self, to: Time) -> Result<Time, DriveError> {
        self.set_at(to, clock::machine())
    }

    fn set_at(&self, to: Time, machine: Time) -> Result<Time, DriveError> {
        let _setting = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        if to > latest() {
            return Err(DriveError::TooFar);
        }
        let now = self.at(machine);
        if to < now {
            return Err(DriveError::Past { to, now });
        }
        let anchors = Anchors { driven: to, machine };
        write(&self.data, anchors)?;
        *self.anchors.write().unwrap_or_else(PoisonError::into_inner) = anchors;
        tracing::info!(from = %now, %to, "the clock was set forward");
        Ok(to)
    }
}

/// The calendar ends with the year 9999; whatever is reckoned ahead from here still has its date.
fn latest() -> Time {
    Day::of_civil(9000, 1, 1).expect("a date of the calendar").begin()
}

/// Writes the file, durably and whole. A crash in here leaves the old one, or the new one, and perhaps a hidden draft that
/// the next writing replaces.
///
/// # Errors
/// If it cannot be written: the old one stands.
pub fn write(data: &Path, anchors: Anchors) -> std::io::Result<()> {
    let draft = data.join(format!(".{FILE}.new"));
    let mut file = File::create(&draft)?;
    file.write_all(&serde_json::to_vec(&anchors)?)?;
    file.sync_all()?;
    std::fs::rename(&draft, data.join(FILE))?;
    File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests;
