//! `musubi-node`: runs a validator or a replica, and makes the files that it starts from.

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode};

mod recover_cli;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use musubi_node::{
    config::{Config, Start},
    directory, init, run,
};
use recover_cli::Recover;

/// One allocator for Rust and for RocksDB (its C++ side too): the system's keeps an arena per thread, and holds
/// on to what the threads of a database free in turn (docs/adr/0011).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[derive(Parser)]
#[command(name = "musubi-node", version, about = "A validator or replica of a Musubi ledger")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the node
    Run {
        /// Its configuration, as written by `init config` or `init replica`
        #[arg(long)]
        config: PathBuf,
        /// Stop cleanly when standard input ends, so that the node does not outlive its parent: a
        /// parent keeps a pipe open, and the system closes it when the parent dies, however it does
        #[arg(long)]
        stop_with_stdin: bool,
    },
    /// Make the data directory of a validator that has never run. Once, at the network's beginning: a
    /// validator that lost its disk is known to the others, and does not return by this
    Format {
        /// The node's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Make keys, the genesis document, a configuration
    #[command(subcommand)]
    Init(Init),
    /// Begin a new epoch on the best surviving log, when a quorum of disks is lost
    #[command(subcommand)]
    Recover(Recover),
    /// Re-check all of a stopped node's directory against its own seals
    Verify {
        /// The node's configuration
        #[arg(long)]
        config: PathBuf,
    },
}

#[derive(Subcommand)]
enum Init {
    /// Make this node's three keys and print their public halves as JSON
    Keys {
        /// The node's folder; keys go to its subfolder `keys`
        #[arg(long)]
        dir: PathBuf,
    },
    /// Turn a genesis draft (JSON) into the document that all nodes share
    Genesis {
        /// The draft
        #[arg(long)]
        draft: PathBuf,
        /// Where to write the document
        #[arg(long)]
        out: PathBuf,
    },
    /// Write this node's configuration into its folder
    Config(ConfigArgs),
    /// Write a replica's configuration into its folder; it needs no keys
    Replica(ReplicaArgs),
}

#[derive(Args)]
struct ReplicaArgs {
    /// The replica's folder
    #[arg(long)]
    dir: PathBuf,
    /// The genesis document, which this replica trusts and nothing else; it is copied
    #[arg(long)]
    genesis: PathBuf,
    /// Address of the HTTP API
    #[arg(long)]
    http: SocketAddr,
    /// A validator or replica to follow, as http://HOST:PORT; repeat for more, the first is asked first
    #[arg(long = "upstream", required = true)]
    upstream: Vec<String>,
    /// File with the reader token that they want; it is copied
    #[arg(long)]
    token_file: PathBuf,
    /// Where to begin without data: at a snapshot under a final checkpoint, or at the genesis document, replaying
    /// everything
    #[arg(long, value_enum, default_value_t)]
    start: Start,
    /// A reader, as NAME=TOKEN; only the token's hash is written
    #[arg(long = "reader", value_parser = reader)]
    readers: Vec<(String, String)>,
    /// Write logs as JSON
    #[arg(long)]
    json_log: bool,
}

#[derive(Args)]
struct ConfigArgs {
    /// The node's folder
    #[arg(long)]
    dir: PathBuf,
    /// The genesis document; it is copied
    #[arg(long)]
    genesis: PathBuf,
    /// The node's id in the genesis document
    #[arg(long)]
    node: u64,
    /// The recovery that began the present epoch, signed; it is copied
    #[arg(long)]
    recovery: Option<PathBuf>,
    /// Address for the other validators
    #[arg(long)]
    listen: SocketAddr,
    /// Address of the HTTP API
    #[arg(long)]
    http: SocketAddr,
    /// Another validator, as ID=ADDRESS; repeat for each
    #[arg(long = "member", value_parser = member)]
    members: Vec<(u64, SocketAddr)>,
    /// A reader, as NAME=TOKEN; only the token's hash is written
    #[arg(long = "reader", value_parser = reader)]
    readers: Vec<(String, String)>,
    /// Write logs as JSON
    #[arg(long)]
    json_log: bool,
}

fn member(text: &str) -> Result<(u64, SocketAddr), String> {
    let parsed = text
        .split_once('=')
        .and_then(|(id, address)| Some((id.parse().ok()?, address.parse().ok()?)));
    parsed.ok_or_else(|| "expected ID=ADDRESS, such as 2=10.0.0.2:7000".into())
}

fn reader(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, token)) if !name.is_empty() && token.len() >= 16 => {
            Ok((name.into(), token.into()))
        }
        _ => Err("expected NAME=TOKEN with a token of at least 16 characters".into()),
    }
}

fn main() -> ExitCode {
    match dispatch(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`: it panics where standard error cannot be written, as on a full disk.
            let _ = writeln!(std::io::stderr(), "musubi-node: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Run { config, stop_with_stdin } => {
            let loaded = Config::load(&config)?;
            let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
            threads.context("cannot start the runtime")?.block_on(run::run(loaded, stop_with_stdin))
        }
        Command::Verify { config } => run::verify(&Config::load(&config)?),
        Command::Format { config } => {
            let loaded = Config::load(&config)?;
            directory::format(&loaded)?;
            println!("formatted {}", loaded.config.data.display());
            Ok(())
        }
        Command::Recover(command) => recover_cli::run(command),
        Command::Init(Init::Keys { dir }) => {
            let keys = init::make_keys(&dir.join("keys"))?;
            println!("{}", serde_json::to_string_pretty(&keys)?);
            Ok(())
        }
        Command::Init(Init::Genesis { draft, out }) => {
            let chain = init::make_genesis(&draft, &out)?;
            println!("chain {chain}");
            Ok(())
        }
        Command::Init(Init::Config(args)) => {
            let path = init::make_config(&init::Setup {
                folder: args.dir,
                genesis: args.genesis,
                node: args.node,
                listen: args.listen,
                http: args.http,
                members: args.members,
                recovery: args.recovery,
                readers: args.readers,
                operators: Vec::new(),
                json_log: args.json_log,
            })?;
            println!("wrote {}", path.display());
            Ok(())
        }
        Command::Init(Init::Replica(args)) => {
            let path = init::make_replica(&init::ReplicaSetup {
                folder: args.dir,
                genesis: args.genesis,
                http: args.http,
                upstream: args.upstream,
                token_file: args.token_file,
                start: args.start,
                readers: args.readers,
                json_log: args.json_log,
            })?;
            println!("wrote {}", path.display());
            Ok(())
        }
    }
}
