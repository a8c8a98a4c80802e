//! `musubi-testnet sim`.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
    time::Instant,
};

use anyhow::{Context, bail};
use clap::Args;
use comfy_table::{Table, presets};

use super::{Bug, Run, STEPS, Simulator, Stats, liars};

/// Runs simulated networks, each decided by its seed, and holds the invariants of docs/TESTING.md
/// after each step.
#[derive(Args, Clone, Debug)]
pub struct SimArgs {
    /// Seeds to run, both ends included.
    #[arg(long, value_name = "FROM..TO", default_value = "1..200")]
    pub seeds: Seeds,
    /// Runs this seed alone, and prints what it decided and its trace hash.
    #[arg(long, conflicts_with = "seeds")]
    pub seed: Option<u64>,
    /// Events of each seed's foul phase.
    #[arg(long, default_value_t = STEPS)]
    pub steps: u64,
    /// Writes the trace of the one seed to this file, a line per event.
    #[arg(long, value_name = "FILE", requires = "seed")]
    pub trace: Option<PathBuf>,
    /// Runs with a planted bug, or with each of `all`, and fails if one escapes. Needs a build with
    /// the feature `planted-bugs`.
    #[arg(long, value_name = "NAME")]
    pub planted: Option<String>,
    /// Runs with node 1 lying in this way, in each of `all`, or with nobody lying for `none`, and fails unless
    /// the others get evidence that names node 1 and nobody else.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["planted", "seed"])]
    pub malice: Option<String>,
}

/// A range of seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no range of seeds: write 1..200");
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.parse().map_err(|_| wrong());
        let seeds = Self { from: number(from)?, to: number(to)? };
        if seeds.from <= seeds.to { Ok(seeds) } else { Err(wrong()) }
    }
}

/// Runs the command. Success only if nothing was violated, everything needed took place, and no
/// planted bug escaped.
///
/// # Errors
/// A file that cannot be written, or a bug's name that is unknown.
pub fn run(args: &SimArgs) -> anyhow::Result<ExitCode> {
    let holds = match (&args.planted, args.seed) {
        _ if args.malice.is_some() => {
            let name = args.malice.as_deref().unwrap_or("all");
            liars::run(name, args.seeds, args.steps)?
        }
        (None, None) => many(args.seeds, args.steps)?,
        (None, Some(seed)) => one(seed, args, None)?,
        (Some(name), seed) => {
            let bugs = named(name)?;
            match (seed, &bugs[..]) {
                (Some(seed), [bug]) => !one(seed, args, Some(*bug))?,
                (Some(seed), _) => planted(&bugs, Seeds { from: seed, to: seed }, args.steps)?,
                (None, _) => planted(&bugs, args.seeds, args.steps)?,
            }
        }
    };
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one seed. Whether all held.
fn one(seed: u64, args: &SimArgs, bug: Option<Bug>) -> anyhow::Result<bool> {
    let sink = match &args.trace {
        Some(path) => {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            Some(Box::new(BufWriter::new(file)) as Box<dyn Write>)
        }
        None => None,
    };
    let run = Simulator::new().run(seed, args.steps, bug, sink)?;
    println!("{}\n{}", run.options, run.stats.table());
    println!("trace hash {:016x} over {} events", run.trace_hash, run.stats.events);
    Ok(report(&run, bug))
}

fn many(seeds: Seeds, steps: u64) -> anyhow::Result<bool> {
    let (simulator, started) = (Simulator::new(), Instant::now());
    let mut total = Stats::default();
    for seed in seeds.from..=seeds.to {
        let run = simulator.run(seed, steps, None, None)?;
        if !report(&run, None) {
            return Ok(false);
        }
        total.add(&run.stats);
        if total.seeds.is_multiple_of(10) {
            println!(
                "seed {seed}: {} crashes, {} lost writes, {} leader changes, {} blocks, {} final so far, {} s",
                total.crashes,
                total.lost_writes,
                total.leader_changes(),
                total.blocks,
                total.finals,
                started.elapsed().as_secs()
            );
        }
    }
    println!("{}", total.table());
    let missing = total.missing();
    if !missing.is_empty() {
        println!("these seeds prove nothing: no {}", missing.join(", no "));
    }
    Ok(missing.is_empty())
}

/// Prints a violation with the command that repeats it. Whether there was none.
fn report(run: &Run, bug: Option<Bug>) -> bool {
    let Some(violation) = &run.violation else {
        return true;
    };
    let Run { options, .. } = run;
    let planted = bug.map_or(String::new(), |bug| format!(" --planted {}", bug.name()));
    println!("seed {} violates: {}", options.seed, violation.invariant);
    println!("  {}", violation.seen);
    println!(
        "repeat it: musubi-testnet sim --seed {} --steps {} --trace trace.txt{planted}",
        options.seed, options.steps
    );
    false
}

/// The planted bugs of that name, which this build must be able to run.
fn named(name: &str) -> anyhow::Result<Vec<Bug>> {
    let bugs = match (name, Bug::named(name)) {
        ("all", _) => Bug::ALL.to_vec(),
        (_, Some(bug)) => vec![bug],
        (_, None) => {
            let names: Vec<&str> = Bug::ALL.iter().map(|bug| bug.name()).collect();
            bail!("no planted bug is called `{name}`; there are: all, {}", names.join(", "));
        }
    };
    if !cfg!(feature = "planted-bugs") {
        bail!(
            "this build plants no bugs: cargo run -p musubi-testnet --features planted-bugs -- sim \
             --planted {name}"
        );
    }
    Ok(bugs)
}

/// Runs with each bug until a seed catches it. Whether none escaped.
fn planted(bugs: &[Bug], seeds: Seeds, steps: u64) -> anyhow::Result<bool> {
    let simulator = Simulator::new();
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["planted bug", "caught by seed", "as"]);
    let mut escaped = Vec::new();
    for &bug in bugs {
        match first_catch(&simulator, bug, seeds, steps)? {
            Some(run) => {
                let invariant = run.violation.as_ref().map_or("", |violation| violation.invariant);
                table.add_row([bug.name(), &run.options.seed.to_string(), invariant]);
                println!("{} is caught by seed {}", bug.name(), run.options.seed);
            }
            None => {
                table.add_row([bug.name(), "none", "escaped"]);
                escaped.push(bug.name());
            }
        }
    }
    println!("{table}");
    if !escaped.is_empty() {
        println!("escaped through {} seeds: {}", 1 + seeds.to - seeds.from, escaped.join(", "));
    }
    Ok(escaped.is_empty())
}

/// The first of these seeds that catches a bug.
///
/// # Errors
/// None as yet: no trace is written.
pub fn first_catch(
    simulator: &Simulator,
    bug: Bug,
    seeds: Seeds,
    steps: u64,
) -> std::io::Result<Option<Run>> {
    for seed in seeds.from..=seeds.to {
        let run = simulator.run(seed, steps, Some(bug), None)?;
        if run.violation.is_some() {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_seeds_include_both_ends() {
        assert_eq!("1..200".parse(), Ok(Seeds { from: 1, to: 200 }));
        assert_eq!("7..7".parse(), Ok(Seeds { from: 7, to: 7 }));
        for wrong in ["", "7", "9..3", "a..b", "1...2", "-1..2"] {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_bug_has_a_name_of_its_own() {
        for bug in Bug::ALL {
            assert_eq!(Bug::named(bug.name()), Some(bug));
        }
        assert_eq!(Bug::named("all"), None);
    }
}
