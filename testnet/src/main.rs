//! `musubi-testnet`: local networks, the demo, the simulator.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use musubi_testnet::{demo, scenario, sim, up, year};

#[derive(Parser)]
#[command(
    name = "musubi-testnet",
    version,
    about = "Local Musubi networks and what is done to them"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Up(up::UpArgs),
    Demo(demo::DemoArgs),
    Sim(sim::command::SimArgs),
    Year(year::YearArgs),
    Scenario(scenario::command::ScenarioArgs),
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("musubi-testnet: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = || {
        let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        built.context("cannot start the runtime")
    };
    match command {
        Command::Up(args) => runtime()?.block_on(up::run(&args)).map(|()| ExitCode::SUCCESS),
        Command::Demo(args) => runtime()?.block_on(demo::run(&args)),
        Command::Sim(args) => sim::command::run(&args),
        Command::Scenario(args) => scenario::command::run(&args),
        Command::Year(args) => year::run(&args).map(|()| ExitCode::SUCCESS),
    }
}
