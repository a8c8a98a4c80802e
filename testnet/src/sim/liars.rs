//! `musubi-testnet sim --malice`: runs with a liar, and reports what evidence the others got hold of.

use anyhow::bail;
use comfy_table::{Table, presets};

use super::{Malice, Run, Simulator, command::Seeds};

/// Runs seeds with each kind of liar of this name, or with `all`, or with `none`: then every node watches,
/// and nobody may be named. Whether all held: evidence of the right kind, against nobody else.
pub(super) fn run(name: &str, seeds: Seeds, steps: u64) -> anyhow::Result<bool> {
    let liars: Vec<Option<Malice>> = match (name, Malice::named(name)) {
        ("none", _) => vec![None],
        ("all", _) => Malice::ALL.into_iter().map(Some).collect(),
        (_, Some(malice)) => vec![Some(malice)],
        (_, None) => {
            let names: Vec<&str> = Malice::ALL.iter().map(|malice| malice.name()).collect();
            bail!("nobody lies like `{name}`; there are: none, all, {}", names.join(", "));
        }
    };
    let simulator = Simulator::new();
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["node 1's lie", "seeds", "with evidence", "all honest nodes have it"]);
    let mut holds = true;
    for malice in liars {
        let (mut evident, mut everywhere) = (0, 0);
        for seed in seeds.from..=seeds.to {
            let run = simulator.run_watched(seed, steps, malice)?;
            if let Some(violation) = &run.violation {
                println!("seed {seed}: {}: {}", violation.invariant, violation.seen);
                holds = false;
            }
            evident += u64::from(!run.found.is_empty());
            everywhere += u64::from(is_everywhere(&run));
        }
        holds &= malice.is_none() || evident > 0;
        let count = 1 + seeds.to - seeds.from;
        let name = malice.map_or("none", Malice::name);
        table.add_row([name, &count.to_string(), &evident.to_string(), &everywhere.to_string()]);
    }
    println!("{table}");
    Ok(holds)
}

/// Whether every validator but the liar keeps a file.
fn is_everywhere(run: &Run) -> bool {
    let holders: std::collections::BTreeSet<u64> = run.found.iter().map(|found| found.by).collect();
    holders.len() + 1 == run.options.validators
}
