//! Musubi's build, test and demo commands: `cargo xtask <command>`.
//!
//! The one entry point for people and for CI. It owns everything about a build that Cargo itself does
//! not know: system packages, the RocksDB library outside the tree, and the rules that the source must
//! keep (dependencies, architecture). It depends on three small crates, so that it is there in seconds.

mod arch;
mod binaries;
mod deps;
mod prerequisites;
mod process;
mod rocksdb_cache;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

/// What a user may ask for: its name, one line of help, and the function that does it.
struct Command {
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    run: fn(&Workspace, &[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "build",
        arguments: "",
        help: "build musubi-node, musubi, musubi-testnet and musubi-bench",
        run: |workspace, _| binaries::build(workspace).map(drop),
    },
    Command {
        name: "demo",
        arguments: "[--payments N] [--seed N] [--replicas N] [--json FILE] [--keep]",
        help: "build, then run a city's day on three validators",
        run: binaries::demo,
    },
    Command {
        name: "test",
        arguments: "",
        help: "format, lints, dependencies, architecture, wasm32 and every test",
        run: |workspace, _| test::run(workspace),
    },
    Command {
        name: "deps",
        arguments: "",
        help: "check the dependencies only (versions, advisories, licences)",
        run: |workspace, _| deps::run(workspace),
    },
    Command {
        name: "arch",
        arguments: "",
        help: "check the architecture only (who may know whom)",
        run: |workspace, _| arch::run(workspace),
    },
    Command {
        name: "bench",
        arguments: "[--json FILE] [--transfers N] [--payers N] [--payees N] [--seed N] | --audit [--dir DIR] | --micro [filter]",
        help: "build, then measure three validators end to end; --audit: an audit; --micro: stage by stage",
        run: binaries::bench,
    },
    Command {
        name: "env",
        arguments: "",
        help: "print the environment that makes plain cargo use the cached RocksDB",
        run: |workspace, _| rocksdb_cache::print_environment(workspace),
    },
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprint!("error: there is no command `{name}`\n\n{}", usage());
        return ExitCode::from(2);
    };
    let rest: Vec<String> = arguments.collect();
    if command.arguments.is_empty() && !rest.is_empty() {
        eprintln!("error: `cargo xtask {name}` takes no arguments, but got `{}`", rest.join(" "));
        return ExitCode::from(2);
    }
    match Workspace::find().and_then(|workspace| (command.run)(&workspace, &rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = String::from("usage: cargo xtask <command>\n\n");
    for command in COMMANDS {
        text += &format!("  {:<6} {}\n", command.name, command.help);
        if !command.arguments.is_empty() {
            text += &format!("  {:<6}   {}\n", "", command.arguments);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_names_every_command_once() {
        let text = usage();
        for command in COMMANDS {
            assert_eq!(
                text.matches(command.help).count(),
                1,
                "{} is missing from:\n{text}",
                command.name
            );
        }
    }
}
