//! `musubi-testnet up`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use musubi_sdk::entropy;
use tokio::signal::unix::{SignalKind, signal};

use crate::network::{Network, PARAMETERS, Settings};

/// Starts a network of real validators and keeps it running until Ctrl-C or SIGTERM.
#[derive(Args, Clone, Debug)]
pub struct UpArgs {
    /// How many validators, each of its own organisation.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=9))]
    pub validators: u8,
    /// How many replicas: the first follows the validators, each further one the replica before it.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=4))]
    pub replicas: u8,
    /// Folder of the network; one that is there already is started again.
    #[arg(long)]
    pub dir: PathBuf,
    /// A new network begins without instruments: `musubi scheme apply` defines a scheme's.
    #[arg(long)]
    pub bare: bool,
    /// Print the JSON line alone, nothing for people on stderr.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// If the network does not start, a node ends by itself, or one does not stop cleanly.
pub async fn run(args: &UpArgs) -> anyhow::Result<()> {
    let mut stop = Stop::listen()?;
    let settings = Settings {
        dir: args.dir.clone(),
        validators: usize::from(args.validators),
        seed: u64::from_le_bytes(entropy::bytes()),
        parameters: PARAMETERS,
    };
    let mut network = match args.bare {
        true => Network::start_bare(&settings, None)?,
        false => Network::start(&settings)?,
    };
    tokio::select! {
        ready = all_ready(&mut network, args.replicas) => ready?,
        () = stop.wait() => return network.stop().await,
    }
    println!("{}", serde_json::to_string(&network.summary())?);
    if !args.json {
        eprintln!("ready; Ctrl-C stops all nodes");
    }
    watch(&mut network, &mut stop).await
}

/// Waits for the validators, then for replicas of them.
async fn all_ready(network: &mut Network, replicas: u8) -> anyhow::Result<()> {
    network.ready().await?;
    for _ in 0..replicas {
        network.start_replica()?;
    }
    network.replicas_ready().await
}

/// Keeps an eye on the nodes until the signal to stop, then stops them.
///
/// # Errors
/// If a node ends by itself or does not stop cleanly.
pub async fn watch(network: &mut Network, stop: &mut Stop) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = stop.wait() => return network.stop().await,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        if let Err(death) = network.check_alive() {
            // The others are stopped in order; what is reported is what happened first.
            let _ = network.stop().await;
            return Err(death);
        }
    }
}

/// Ctrl-C or SIGTERM.
#[derive(Debug)]
pub struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn listen() -> std::io::Result<Self> {
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Self { interrupt: signal(interrupt)?, terminate: signal(terminate)? })
    }

    /// Waits for either.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
