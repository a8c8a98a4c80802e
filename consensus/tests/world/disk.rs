//! A disk with one ordered log of writes: a crash keeps what was synced and a prefix of the rest.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use musubi_consensus::{HardState, LogEntry, LogFault, LogReader, Persist, Position, Recovered};
use musubi_ledger::time::Time;

use super::Outcome;

/// What is durable.
#[derive(Clone, Default)]
pub(crate) struct Image {
    pub(crate) hard_state: HardState,
    pub(crate) entries: BTreeMap<u64, LogEntry>,
    pub(crate) applied_index: u64,
    pub(crate) applied_time: Time,
    /// Data of executed entries, by index: the state.
    pub(crate) executed: BTreeMap<u64, Vec<u8>>,
}

enum Write {
    Persist(Persist),
    Record { entry: LogEntry, time: Time },
}

#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) image: Arc<Mutex<Image>>,
    pending: VecDeque<Write>,
}

impl Disk {
    pub(crate) fn write(&mut self, persist: Persist) {
        self.pending.push_back(Write::Persist(persist));
    }

    /// Records an executed entry; not synced by itself.
    pub(crate) fn record(&mut self, entry: LogEntry, time: Time) {
        self.pending.push_back(Write::Record { entry, time });
    }

    pub(crate) fn idle(&self) -> bool {
        !self.pending.iter().any(|write| matches!(write, Write::Persist(_)))
    }

    /// Syncs up to `persists` persists and all records between; gives the last persist's number.
    pub(crate) fn sync(&mut self, persists: usize) -> Option<u64> {
        let mut number = None;
        let mut done = 0;
        while done < persists
            && let Some(write) = self.pending.pop_front()
        {
            if let Write::Persist(persist) = &write {
                number = Some(persist.number);
                done += 1;
            }
            self.apply(write);
        }
        number
    }

    /// A power cut: some prefix of what was not synced survives. Gives the number of lost writes.
    pub(crate) fn crash(&mut self, choice: u64) -> u64 {
        let kept = choice % (self.pending.len() as u64 + 1);
        for _ in 0..kept {
            let write = self.pending.pop_front().unwrap();
            self.apply(write);
        }
        let lost = self.pending.len() as u64;
        self.pending.clear();
        lost
    }

    fn apply(&mut self, write: Write) {
        let mut image = self.image.lock().unwrap();
        match write {
            Write::Persist(persist) => {
                if let Some(from) = persist.truncate_from {
                    image.entries.split_off(&from);
                }
                for entry in persist.entries {
                    image.entries.insert(entry.index, entry);
                }
                if let Some(state) = persist.hard_state {
                    let commit = state.commit.max(image.hard_state.commit);
                    image.hard_state = HardState { commit, ..state };
                }
            }
            Write::Record { entry, time } => {
                image.applied_index = entry.index;
                image.applied_time = time;
                image.hard_state.commit = image.hard_state.commit.max(entry.index);
                image.executed.insert(entry.index, entry.data);
            }
        }
    }

    /// What a start finds, checked as storage checks it.
    pub(crate) fn recover(&self) -> Outcome<Recovered> {
        let image = self.image.lock().unwrap();
        let mut before = Position::default();
        for entry in image.entries.values() {
            if entry.index != before.index + 1 || entry.term < before.term {
                return Err(format!("the log is broken at {entry:?} after {before:?}"));
            }
            before = entry.position();
        }
        Ok(Recovered {
            hard_state: image.hard_state,
            first_index: 1,
            last: before,
            applied_index: image.applied_index,
            applied_time: image.applied_time,
            due: None,
        })
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.image))
    }
}

/// Reads only what is durable.
pub(crate) struct Reader(Arc<Mutex<Image>>);

impl LogReader for Reader {
    fn entries(&self, from: u64, until: u64, max_bytes: u64) -> Result<Vec<LogEntry>, LogFault> {
        let image = self.0.lock().unwrap();
        let mut bytes = 0;
        let mut entries = Vec::new();
        for (_, entry) in image.entries.range(from..until) {
            bytes += entry.data.len() as u64;
            if bytes > max_bytes && !entries.is_empty() {
                break;
            }
            entries.push(entry.clone());
        }
        Ok(entries)
    }

    fn term(&self, index: u64) -> Result<Option<u64>, LogFault> {
        Ok(self.0.lock().unwrap().entries.get(&index).map(|entry| entry.term))
    }
}
