//! Where the record comes from, and what parties are called.

use std::{
    io::{IsTerminal, Write},
    path::PathBuf,
};

use clap::Args;
use musubi_sdk::{
    ChainId, Client, ClientConfig,
    audit::{self, Options, Progress},
};

use crate::{
    error::ReportError,
    names::Names,
    source::{Scope, Source},
};

#[derive(Debug, Args)]
pub(super) struct Input {
    /// A record that `musubi audit --download` wrote, without any node
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A node's base URL; of several, the first is read
    #[arg(long, global = true, value_name = "URL", env = "MUSUBI_NODE", value_delimiter = ',')]
    node: Vec<String>,
    /// The reader token, which must allow reading entries
    #[arg(long, global = true, env = "MUSUBI_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The chain that it must be; without one, the report says so
    #[arg(long, global = true, value_name = "HEX", env = "MUSUBI_CHAIN")]
    chain: Option<ChainId>,
    /// Up to and with this block alone, as if the log ended there: makes a report again when the log has grown. All of the
    /// record is verified nevertheless
    #[arg(long, global = true, value_name = "BLOCK")]
    height: Option<u64>,
    /// What parties are called: a TOML file with [names], or an address book of `musubi`
    #[arg(long, global = true, value_name = "FILE", env = "MUSUBI_NAMES")]
    names: Option<PathBuf>,
}

impl Input {
    /// Audits the record and keeps what a report needs of it.
    pub(super) async fn read(&self, scope: Scope) -> Result<(Source, Names), ReportError> {
        let from = match (&self.dir, self.node.first()) {
            (Some(folder), _) => audit::Source::directory(folder)?,
            (None, Some(node)) => {
                let mut config = ClientConfig::new([node.as_str()]);
                config.token.clone_from(&self.token);
                audit::Source::node(Client::new(config).map_err(audit::AuditError::from)?)
            }
            (None, None) => {
                let what = "neither a record nor a node was named";
                let next = "give --dir DIR (from `musubi audit --download DIR`) or --node URL";
                return Err(ReportError::asked("no_source", what, next));
            }
        };
        let options = Options { expected: self.chain, ..Options::default() };
        let talks = std::io::stderr().is_terminal();
        let scope = scope.up_to(self.height);
        let source = Source::read(from, options, scope, |progress| tell(talks, progress)).await?;
        if talks {
            eprintln!();
        }
        let names = self.names(&source.genesis.scheme)?;
        Ok((source, names))
    }

    /// The chain that it must be.
    pub(super) fn chain(&self) -> Option<ChainId> {
        self.chain
    }

    /// What parties are called.
    pub(super) fn names(&self, scheme: &str) -> Result<Names, ReportError> {
        match &self.names {
            Some(file) => Names::read(file, scheme),
            None => Ok(Names::none(scheme)),
        }
    }
}

fn tell(talks: bool, progress: &Progress) {
    if talks {
        let _ = write!(std::io::stderr(), "\rblock {} of {}", progress.height, progress.target);
    }
}
