//! What a network starts from: keys, genesis, configurations; made once, found again later.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use musubi_ledger::{
    genesis::{Genesis, Parameters},
    time::Time,
};
use musubi_node::{
    config::Config,
    directory,
    driven_time::{self, Anchors},
    init::{self, NodeKeys, Setup},
};
use musubi_sdk::entropy;
use serde::{Deserialize, Serialize};

use super::{New, Settings, Validator, ports};
use crate::city::institutions::Institutions;

/// Everything that is ready to be started.
pub(super) struct Prepared {
    pub(super) genesis: Genesis,
    pub(super) institutions: Institutions,
    pub(super) reader_token: String,
    pub(super) operator_token: String,
    pub(super) validators: Vec<Validator>,
}

/// What a network's folder remembers; written last, so that it stands only in a whole network.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    /// Of the institutions' keys. Worth nothing: whoever reads it can read the keys too.
    seed: u64,
    reader_token: String,
    operator_token: String,
    /// By node: where the others reach it, where its API is.
    addresses: Vec<(SocketAddr, SocketAddr)>,
}

const REMEMBERED: &str = "network.json";
const GENESIS: &str = "genesis.bin";

/// The clock: when a chain begins, and what generated bodies are dated by.
#[must_use]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Makes a network's files, or finds those of an earlier run. `new` is for one that is made now.
pub(super) fn prepare(dir: &Path, settings: &Settings, new: New) -> anyhow::Result<Prepared> {
    let (remembered, made) = match std::fs::read(dir.join(REMEMBERED)) {
        Ok(_) if new.driven.is_some() => {
            bail!("{} holds a network, and a driven one begins anew", dir.display())
        }
        Ok(text) => (find(dir, &text, settings)?, false),
        Err(_) => (make(dir, settings, new)?, true),
    };
    let bytes = std::fs::read(dir.join(GENESIS))?;
    let genesis = Genesis::decode(&bytes).context("the folder's genesis document is damaged")?;
    let institutions = Institutions::from_seed(remembered.seed, settings.validators);
    let validators = configure(dir, &institutions, &remembered)?;
    if made {
        // Once: a validator whose directory is gone has forgotten, and does not get a new one.
        validators.iter().try_for_each(|v| directory::format(&Config::load(&v.config)?))?;
        if let Some(begins) = new.driven {
            // The same for all: from the first moment on they agree to the millisecond.
            let anchors = Anchors { driven: begins, machine: musubi_node::clock::machine() };
            for validator in &validators {
                driven_time::write(&folder(dir, validator.node).join("data"), anchors)?;
            }
        }
    }
    let text = serde_json::to_string_pretty(&remembered)?;
    std::fs::write(dir.join(REMEMBERED), text)?;
    let Remembered { reader_token, operator_token, .. } = remembered;
    Ok(Prepared { genesis, institutions, reader_token, operator_token, validators })
}

fn find(dir: &Path, text: &[u8], settings: &Settings) -> anyhow::Result<Remembered> {
    let path = dir.join(REMEMBERED);
    let mut remembered: Remembered = serde_json::from_slice(text)
        .with_context(|| format!("{} is not a network's", path.display()))?;
    let size = remembered.addresses.len();
    if size != settings.validators {
        bail!("{} holds a network of {size} validators: choose another folder", dir.display());
    }
    // Old addresses are kept if they are still free; if one is not, all are new.
    let mut old = remembered.addresses.iter().flat_map(|(listen, http)| [*listen, *http]);
    if !old.all(ports::is_free) {
        remembered.addresses = addresses(size)?;
    }
    Ok(remembered)
}

fn addresses(validators: usize) -> anyhow::Result<Vec<(SocketAddr, SocketAddr)>> {
    let chance = u16::from_le_bytes(entropy::bytes());
    let all = ports::free(2 * validators, chance)?;
    Ok(all.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

fn make(dir: &Path, settings: &Settings, new: New) -> anyhow::Result<Remembered> {
    if folder(dir, 1).exists() {
        bail!("{} holds half a network: delete it or choose another folder", dir.display());
    }
    let ids = 1..=settings.validators as u64;
    let keys: Vec<NodeKeys> =
        ids.map(|id| init::make_keys(&folder(dir, id).join("keys"))).collect::<Result<_, _>>()?;
    let institutions = Institutions::from_seed(settings.seed, settings.validators);
    let parameters = Parameters { driven_time: new.driven.is_some(), ..settings.parameters };
    let begins = new.driven.unwrap_or_else(now);
    let mut genesis = institutions.genesis(&keys, begins, parameters);
    if new.bare {
        genesis.instruments.clear();
    }
    init::write_genesis(&genesis, &dir.join(GENESIS))?;
    Ok(Remembered {
        seed: settings.seed,
        reader_token: hex::encode(entropy::bytes::<16>()),
        operator_token: hex::encode(entropy::bytes::<16>()),
        addresses: addresses(settings.validators)?,
    })
}

fn configure(
    dir: &Path,
    institutions: &Institutions,
    remembered: &Remembered,
) -> anyhow::Result<Vec<Validator>> {
    let nodes: Vec<(u64, SocketAddr)> =
        (1..).zip(&remembered.addresses).map(|(id, (listen, _))| (id, *listen)).collect();
    let mut validators = Vec::new();
    for ((node, listen), (at, (_, http))) in
        nodes.iter().copied().zip(remembered.addresses.iter().enumerate())
    {
        // Made anew at every start: where the others listen may have changed.
        let old = folder(dir, node).join("node.toml");
        if old.exists() {
            std::fs::remove_file(&old)?;
        }
        let config = init::make_config(&Setup {
            folder: folder(dir, node),
            genesis: dir.join(GENESIS),
            node,
            listen,
            http: *http,
            recovery: None,
            members: nodes.iter().copied().filter(|(id, _)| *id != node).collect(),
            readers: vec![("testnet".into(), remembered.reader_token.clone())],
            operators: vec![("testnet-operator".into(), remembered.operator_token.clone())],
            json_log: false,
        })?;
        validators.push(Validator {
            node,
            organisation: institutions.organisations[at].name.clone(),
            listen,
            http: *http,
            log: dir.join(format!("node-{node}.log")),
            config,
            process: None,
        });
    }
    Ok(validators)
}

fn folder(dir: &Path, node: u64) -> PathBuf {
    dir.join(format!("node-{node}"))
}
