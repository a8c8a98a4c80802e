//! A node's configuration file: TOML, every key known, every value checked before anything starts.

mod files;
mod limits;
mod replica;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use musubi_ledger::{
    batch::NodeId,
    genesis::{Genesis, Node},
    id::PartyId,
    keys::SecretKey,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

pub use files::read_key;
pub use replica::{Replica, ReplicaSection, Role, Start};

use crate::{
    http::{HttpConfig, HttpLimits, ReaderToken},
    recover::Recoveries,
};
use files::{read_genesis, read_recoveries, read_text};
use limits::check_limits;
use replica::read_token;

/// `musubi-node run --config FILE` reads this. Paths are relative to the file's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What this node is.
    #[serde(default)]
    pub role: Role,
    /// A validator's Raft id, as the genesis document lists it; a replica has none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub node: u64,
    /// The genesis document (binary form).
    pub genesis: PathBuf,
    /// Where log, chain and state are kept.
    pub data: PathBuf,
    /// A validator's folder with `transport.key`, `node.key` and `cosigner.key`; a replica has no keys.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub keys: PathBuf,
    /// A validator's network with the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkSection>,
    /// Independent witnesses to which a validator submits the checkpoints that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witness: Vec<WitnessSection>,
    /// The recovery that began the present epoch, signed, with all before it; none in the first epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<PathBuf>,
    /// Whom a replica follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaSection>,
    /// The HTTP API.
    pub http: HttpSection,
    /// Logs.
    #[serde(default)]
    pub log: LogSection,
    /// Limits that an operator may tune.
    #[serde(default)]
    pub tuning: TuningSection,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_empty(path: &Path) -> bool {
    path.as_os_str().is_empty()
}

/// `[network]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSection {
    /// Where to listen for validators.
    pub listen: SocketAddr,
    /// Where the other validators listen.
    #[serde(default)]
    pub member: Vec<MemberSection>,
}

/// `[[network.member]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSection {
    /// Raft id.
    pub node: u64,
    /// Its listening address.
    pub address: SocketAddr,
}

/// `[[witness]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessSection {
    /// Its name in the witness policy.
    pub name: String,
    /// Where it takes checkpoints, `/add-checkpoint` left out: `http://`, through a proxy where it leaves a
    /// trusted network.
    pub url: String,
}

/// `[http]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSection {
    /// Where to serve. Without TLS, so loopback unless `allow_remote` says that something in front
    /// of it terminates TLS.
    pub listen: SocketAddr,
    /// Allows a listening address other than loopback.
    #[serde(default)]
    pub allow_remote: bool,
    /// Who may read about parties.
    #[serde(default)]
    pub reader: Vec<ReaderSection>,
    /// Who may read about parties and erase memos.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operator: Vec<ReaderSection>,
    /// Who may read about one body and the groups under it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub body: Vec<BodySection>,
    /// Limits of the API.
    #[serde(default)]
    pub limits: HttpLimits,
}

impl HttpSection {
    /// What the API is started with.
    ///
    /// # Errors
    /// [`ConfigError::Mismatch`] if a token's hash is no SHA-256.
    pub fn to_http(&self) -> Result<HttpConfig, ConfigError> {
        let token = |kind: &str, name: &str, token_sha256: &str| {
            let bytes = hex::decode(token_sha256).ok();
            let hash: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
            let hash = hash.ok_or_else(|| {
                ConfigError::Mismatch(format!(
                    "http.{kind} `{name}`: token_sha256 must be 64 hexadecimal digits"
                ))
            })?;
            Ok(ReaderToken::from_sha256(name, hash))
        };
        let reader = |kind, of: &ReaderSection| token(kind, &of.name, &of.token_sha256);
        let readers = self.reader.iter().map(|of| reader("reader", of));
        let operators = self.operator.iter();
        let operators = operators.map(|of| reader("operator", of).map(ReaderToken::of_operator));
        let bodies = self.body.iter().map(|of| {
            let known = token("body", &of.name, &of.token_sha256);
            known.map(|token| token.of_body(of.party))
        });
        let tokens = readers.chain(operators).chain(bodies).collect::<Result<_, _>>()?;
        Ok(HttpConfig { listen: self.listen, tokens, limits: self.limits })
    }
}

/// `[[http.reader]]` or `[[http.operator]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderSection {
    /// Name for the access log.
    pub name: String,
    /// Lower-case hex SHA-256 of the bearer token; the token itself is not kept here.
    pub token_sha256: String,
}

/// `[[http.body]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodySection {
    /// Name for the access log.
    pub name: String,
    /// Lower-case hex SHA-256 of the bearer token; the token itself is not kept here.
    pub token_sha256: String,
    /// The body: `party1…`.
    pub party: PartyId,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// `info`, or any filter such as `info,musubi_node=debug`.
    pub filter: String,
    /// One JSON object a line, for collectors; otherwise for people.
    pub json: bool,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { filter: "info,libp2p=warn,yamux=warn".into(), json: false }
    }
}

/// `[tuning]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TuningSection {
    /// Milliseconds between two ticks of Raft's clock: heartbeats every 2, elections after 10 to 20.
    pub tick_ms: u64,
    /// Rows of state kept in memory.
    pub cached_rows: usize,
    /// Transactions that clients of this node may wait for at once.
    pub pending: usize,
    /// Free bytes on disk below which the node reports itself not ready.
    pub disk_free_bytes: u64,
}

impl Default for TuningSection {
    fn default() -> Self {
        Self { tick_ms: 100, cached_rows: 400_000, pending: 65_536, disk_free_bytes: 2 << 30 }
    }
}

/// Why a configuration is not taken.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or a key that does not exist.
    #[error("{path} is not a valid configuration: {source}")]
    Toml {
        /// Which.
        path: PathBuf,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// The genesis document.
    #[error("{path}: {source}")]
    Genesis {
        /// Which.
        path: PathBuf,
        /// Why.
        source: musubi_ledger::genesis::GenesisError,
    },
    /// The recovery.
    #[error("{path}: {why}")]
    Recovery {
        /// Its file.
        path: PathBuf,
        /// Why it does not count.
        why: String,
    },
    /// A key file.
    #[error("{0} must hold one key of 64 hexadecimal digits, readable by its owner alone")]
    KeyFile(PathBuf),
    /// A token file.
    #[error("{0} must hold one token without spaces, readable by its owner alone")]
    TokenFile(PathBuf),
    /// A value that no node can run with.
    #[error("{key} = {value}: {why}")]
    Value {
        /// Its place in the file.
        key: String,
        /// What it is.
        value: String,
        /// What it must be.
        why: String,
    },
    /// This node is not in the genesis document, or its keys are not the listed ones.
    #[error("{0}")]
    Mismatch(String),
}

/// A configuration with everything that it names read and checked.
pub struct Loaded {
    /// The file's content, with absolute paths.
    pub config: Config,
    /// The genesis document.
    pub genesis: Genesis,
    /// The recoveries up to the epoch that this validator takes part in.
    pub recoveries: Recoveries,
    part: Part,
}

/// What the roles differ in.
enum Part {
    Validator(Box<Keys>),
    Replica(Replica),
}

/// A validator's keys.
pub struct Keys {
    /// Key on the wire.
    pub transport: SecretKey,
    /// Key for batches and checkpoints.
    pub node: SecretKey,
    /// Keys for cosignatures: `cosigner.key`, and `cosigner-next.key` while a change is under way.
    pub cosigners: Vec<SecretKey>,
}

impl Loaded {
    /// A validator's keys.
    ///
    /// # Panics
    /// If this is a replica.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        match &self.part {
            Part::Validator(keys) => keys,
            Part::Replica(_) => panic!("a replica has no keys"),
        }
    }

    /// The epoch that this validator takes part in.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.recoveries.epoch()
    }

    /// Its validators, this one included.
    #[must_use]
    pub fn validators(&self) -> &[Node] {
        self.recoveries.validators(&self.genesis)
    }

    /// Whom a replica follows.
    ///
    /// # Panics
    /// If this is a validator.
    #[must_use]
    pub fn replica(&self) -> &Replica {
        match &self.part {
            Part::Replica(replica) => replica,
            Part::Validator(_) => panic!("a validator follows nobody"),
        }
    }
}

impl Config {
    /// Reads a file and everything it names.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file or value.
    pub fn load(path: &Path) -> Result<Loaded, ConfigError> {
        let text = read_text(path)?;
        let parsed: Result<Self, _> = toml::from_str(&text);
        let mut config = parsed
            .map_err(|source| ConfigError::Toml { path: path.into(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for relative in [&mut config.genesis, &mut config.data] {
            *relative = folder.join(&*relative);
        }
        config.check()?;
        if config.role == Role::Validator {
            config.keys = folder.join(&config.keys);
        }
        let genesis = read_genesis(&config.genesis)?;
        let recoveries = read_recoveries(&mut config, folder, &genesis)?;
        let validators = recoveries.validators(&genesis);
        let part = match &mut config.replica {
            Some(replica) => {
                replica.token_file = folder.join(&replica.token_file);
                let token = Arc::new(read_token(&replica.token_file)?);
                let (upstream, start) = (replica.upstream.clone(), replica.start);
                Part::Replica(Replica { upstream, token, start })
            }
            None => {
                let transport = read_key(&config.keys.join("transport.key"))?;
                let node = read_key(&config.keys.join("node.key"))?;
                let next = config.keys.join("cosigner-next.key");
                let mut cosigners = vec![read_key(&config.keys.join("cosigner.key"))?];
                if next.exists() {
                    cosigners.push(read_key(&next)?);
                }
                config.check_keys(validators, &transport, &node)?;
                config.check_members(validators)?;
                Part::Validator(Box::new(Keys { transport, node, cosigners }))
            }
        };
        Ok(Loaded { config, genesis, recoveries, part })
    }

    /// The other validators; none for a replica.
    #[must_use]
    pub fn members(&self) -> &[MemberSection] {
        self.network.as_ref().map_or(&[], |network| &network.member)
    }

    /// Where a validator listens for the others.
    ///
    /// # Panics
    /// If this is a replica's.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        self.network.as_ref().expect("a validator has a network").listen
    }

    /// Checks every value by itself: what a file says must be known to hold before anything starts.
    ///
    /// # Errors
    /// [`ConfigError::Value`] or [`ConfigError::Mismatch`], naming the value.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_http()?;
        for witness in &self.witness {
            let bad = crate::outgoing::check_base(&witness.url).err();
            if let Some(why) = bad {
                return Err(wrong("witness.url", format!("{:?}", witness.url), why.to_string()));
            }
        }
        self.http.to_http()?;
        self.check_role()?;
        let tuning = &self.tuning;
        in_range("tuning.tick_ms", tuning.tick_ms, 10, 1_000)?;
        in_range("tuning.cached_rows", tuning.cached_rows as u64, 1_000, 1 << 32)?;
        // One sender's share, a sixteenth, holds at least a few.
        in_range("tuning.pending", tuning.pending as u64, 64, 1 << 20)?;
        if let Err(error) = EnvFilter::try_new(&self.log.filter) {
            let value = format!("{:?}", self.log.filter);
            return Err(wrong("log.filter", value, error.to_string()));
        }
        check_limits(&self.http.limits)
    }

    fn check_http(&self) -> Result<(), ConfigError> {
        if self.http.listen.ip().is_loopback() || self.http.allow_remote {
            return Ok(());
        }
        Err(ConfigError::Mismatch(format!(
            "http.listen = {} is reachable from outside and this API has no TLS of its own: put a \
             proxy in front and set http.allow_remote = true, or listen on loopback",
            self.http.listen
        )))
    }

    fn check_keys(
        &self,
        validators: &[Node],
        transport: &SecretKey,
        node: &SecretKey,
    ) -> Result<(), ConfigError> {
        let listed = validators.iter().find(|n| n.id == NodeId(self.node));
        let listed = listed.ok_or_else(|| {
            ConfigError::Mismatch(format!(
                "node {} is not in the genesis document, or not in the recovery that is named",
                self.node
            ))
        })?;
        for (name, listed, own) in [
            ("transport", listed.transport, transport.public()),
            ("node", listed.node, node.public()),
        ] {
            if listed != own {
                return Err(ConfigError::Mismatch(format!(
                    "{name}.key has public key {own}, but the genesis document lists {listed} for \
                     node {}: use this node's own key folder",
                    self.node
                )));
            }
        }
        Ok(())
    }

    fn check_members(&self, validators: &[Node]) -> Result<(), ConfigError> {
        for listed in validators.iter().filter(|n| n.id.0 != self.node) {
            let count = self.members().iter().filter(|m| m.node == listed.id.0).count();
            if count != 1 {
                return Err(ConfigError::Mismatch(format!(
                    "network.member must list node {} once, it does {count} times",
                    listed.id.0
                )));
            }
        }
        match self
            .members()
            .iter()
            .find(|m| m.node == self.node || !validators.iter().any(|n| n.id.0 == m.node))
        {
            None => Ok(()),
            Some(extra) => Err(ConfigError::Mismatch(format!(
                "network.member lists node {}, which is this node or no validator of this epoch",
                extra.node
            ))),
        }
    }
}

fn wrong(key: &str, value: impl ToString, why: impl Into<String>) -> ConfigError {
    ConfigError::Value { key: key.into(), value: value.to_string(), why: why.into() }
}

fn in_range(key: &str, value: u64, least: u64, most: u64) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(wrong(key, value, format!("it must be {least} to {most}")))
}

#[cfg(test)]
mod tests;
