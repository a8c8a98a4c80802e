//! Replicas of a network: `musubi-node` processes that trust its genesis document and nothing else.
//!
//! The first follows the validators, each further one the replica before it.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use musubi_node::{
    config::Start,
    init::{self, ReplicaSetup},
};
use musubi_sdk::{Client, ClientConfig, entropy};

use super::{Network, READY_WITHIN, ports, process::Process};

/// A replica's process and addresses.
#[derive(Debug)]
pub struct Replica {
    /// From 1.
    pub number: usize,
    /// Where its API is.
    pub http: SocketAddr,
    /// Whom it follows.
    pub upstream: Vec<String>,
    /// Its log.
    pub log: PathBuf,
    pub(super) process: Option<Process>,
}

impl Replica {
    /// Its process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.http)
    }
}

impl Network {
    /// Starts one replica more, on the folder that it had in an earlier run, if it had one. It is not ready
    /// yet.
    ///
    /// # Errors
    /// If its files or process cannot be made.
    pub fn start_replica(&mut self) -> anyhow::Result<()> {
        let number = self.replicas.len() + 1;
        let folder = self.dir.join(format!("replica-{number}"));
        std::fs::create_dir_all(&folder)?;
        let chance = u16::from_le_bytes(entropy::bytes());
        let free = ports::free(1, chance)?;
        let http = *free.first().context("one was asked for")?;
        let upstream = match self.replicas.last() {
            Some(before) => vec![before.url()],
            None => self.urls(),
        };
        // Made anew at every start: addresses are.
        for old in ["node.toml", "upstream.token"].map(|name| folder.join(name)) {
            if old.exists() {
                std::fs::remove_file(&old)?;
            }
        }
        let token_file = self.dir.join("reader-token");
        std::fs::write(&token_file, &self.reader_token)?;
        let config = init::make_replica(&ReplicaSetup {
            folder,
            genesis: self.dir.join("genesis.bin"),
            http,
            upstream: upstream.clone(),
            token_file,
            start: Start::Genesis,
            readers: vec![("testnet".into(), self.reader_token.clone())],
            json_log: false,
        })?;
        let log = self.dir.join(format!("replica-{number}.log"));
        let process = Some(Process::node(&config, &log, None)?);
        self.replicas.push(Replica { number, http, upstream, log, process });
        Ok(())
    }

    /// Waits until every replica says that it is ready.
    ///
    /// # Errors
    /// If one ends, or time runs out; both name the log to look at.
    pub async fn replicas_ready(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + READY_WITHIN;
        for at in 0..self.replicas.len() {
            let client = self.client_of_replica(at)?;
            while !client.ready(0).await.unwrap_or(false) {
                self.check_alive()?;
                if Instant::now() > until {
                    let log = self.replicas[at].log.display();
                    bail!("replica {} was not ready in time; see {log}", at + 1);
                }
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        }
        Ok(())
    }

    /// A client that asks one replica alone, by its place.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn client_of_replica(&self, at: usize) -> anyhow::Result<Client> {
        let config = ClientConfig::new([self.replicas[at].url()]);
        Ok(Client::new(config.with_token(&self.reader_token))?)
    }

    /// The replicas.
    #[must_use]
    pub fn replicas(&self) -> &[Replica] {
        &self.replicas
    }
}
