//! The trace: every event of a run, as a running 64-bit hash and, if asked for, as lines of text.
//!
//! Hash and lines are made of the same facts, so two runs with one hash are the same run.

use std::io::{self, Write};

/// Where events are noted.
pub(crate) struct Trace {
    hash: u64,
    events: u64,
    sink: Option<Box<dyn Write>>,
    failed: Option<io::Error>,
}

/// A fact about an event: its name and its value.
pub(crate) type Fact = (&'static str, u64);

impl Trace {
    /// A trace that keeps its hash alone, or also writes a line per event to `sink`.
    pub(crate) fn new(sink: Option<Box<dyn Write>>) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, events: 0, sink, failed: None }
    }

    /// Notes an event at node `at` (0 for none; nodes count from 1).
    pub(crate) fn note(&mut self, now: u64, at: usize, what: &'static str, facts: &[Fact]) {
        self.events += 1;
        self.mix(now);
        self.mix(at as u64);
        self.mix(digest(what.as_bytes()));
        for (_, value) in facts {
            self.mix(*value);
        }
        if let Some(sink) = &mut self.sink {
            let written = write_line(&mut **sink, (now, at, what), facts);
            if let Err(error) = written {
                self.sink = None;
                self.failed = Some(error);
            }
        }
    }

    /// The hash so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events were noted.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// Ends the lines.
    ///
    /// # Errors
    /// The first line that could not be written.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match (self.failed.take(), &mut self.sink) {
            (Some(error), _) => Err(error),
            (None, Some(sink)) => sink.flush(),
            (None, None) => Ok(()),
        }
    }

    fn mix(&mut self, value: u64) {
        self.hash = (self.hash ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

fn write_line(
    sink: &mut dyn Write,
    (now, at, what): (u64, usize, &str),
    facts: &[Fact],
) -> io::Result<()> {
    write!(sink, "{now} n{at} {what}")?;
    for (name, value) in facts {
        write!(sink, " {name}={value:x}")?;
    }
    writeln!(sink)
}

/// 64 bits that stand for bytes: quick, and for comparing only.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
    }
    hash
}
