//! One scheme file, played on a network of its own.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use musubi_ledger::hash::sha256;
use musubi_schemes::{self as schemes, Otherwise, Report, Scheme, mistake::line_of};
use serde_json::{Value, json};

use super::OnNetwork;

/// What became of a scheme file.
#[derive(Debug)]
pub struct Played {
    /// The file.
    pub file: PathBuf,
    /// The scheme's name; the file's, where it could not be read.
    pub name: String,
    /// What its town calls it; empty where the file could not be read.
    pub title: String,
    /// What the scenario came to, if it was played to its end.
    pub report: Option<Report>,
    /// What is not as the file says, each with file and line; or why it could not be played.
    pub differences: Vec<String>,
    /// Blocks of its chain, all of them executed again.
    pub blocks: u64,
    /// Leaves of its log, all of them under a final checkpoint with the root of that execution.
    pub leaves: u64,
    /// How long it took, with the network's start and stop.
    pub took: Duration,
}

impl Played {
    /// Whether it was played, and all was as its file says.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.differences.is_empty() && self.report.as_ref().is_some_and(Report::ok)
    }

    /// As a document: `name`, `title`, `file`, `ok`; how many `steps` and `checks` there were, and `refusals` of each kind;
    /// `differences`, `blocks`, `leaves`, `seconds`; in `report` each step and each check with what it came to.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let report = self.report.as_ref();
        json!({
            "name": self.name,
            "title": self.title,
            "file": self.file.display().to_string(),
            "ok": self.ok(),
            "steps": report.map_or(0, |report| report.steps.len()),
            "checks": report.map_or(0, |report| report.checks.len()),
            "refusals": report.map(|report| &report.refusals),
            "differences": self.differences,
            "blocks": self.blocks,
            "leaves": self.leaves,
            "seconds": self.took.as_secs(),
            "report": report.map(Report::to_json),
        })
    }
}

/// Reads a file and plays it on a fresh network in `dir`, which is made.
#[must_use]
pub fn play(file: &Path, set: &[(String, String)], dir: &Path) -> Played {
    let begun = Instant::now();
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut played = Played {
        file: file.to_owned(),
        name,
        title: String::new(),
        report: None,
        differences: Vec::new(),
        blocks: 0,
        leaves: 0,
        took: Duration::ZERO,
    };
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"));
    let read = text.and_then(|text| {
        let scheme = schemes::read_with(&shown, &text, Otherwise { set, ..Otherwise::default() })?;
        Ok((text, scheme))
    });
    match read {
        Err(error) => played.differences.push(format!("{error:#}")),
        Ok((text, scheme)) => {
            played.name.clone_from(&scheme.head.name);
            played.title.clone_from(&scheme.head.title);
            if let Err(error) = on_network(&scheme, dir, &mut played) {
                played.differences.push(format!("{shown}: {error:#}"));
            }
            let differences = played.report.iter().flat_map(Report::differences);
            let told =
                differences.map(|(at, what)| format!("{shown}:{}: {what}", line_of(&text, at)));
            let told: Vec<String> = told.collect();
            played.differences.extend(told);
        }
    }
    played.took = begun.elapsed();
    played
}

fn on_network(scheme: &Scheme, dir: &Path, played: &mut Played) -> anyhow::Result<()> {
    // One scheme, one set of institutions' keys.
    let hash = sha256(scheme.head.name.as_bytes());
    let seed = u64::from_le_bytes(std::array::from_fn(|at| hash[at]));
    let mut stage = OnNetwork::bare(dir, seed, scheme.head.begins)?;
    played.report = Some(schemes::run(scheme, &mut stage)?);
    // What was measured is what was executed here: all of it is final on the network, with our root.
    stage.blocks()?;
    (played.blocks, played.leaves) = (stage.height(), stage.confirmed());
    stage.stop()
}
