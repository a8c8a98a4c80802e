//! `musubi-node init`: the files a node starts from.
//!
//! Three steps, because three organisations do them: each makes its keys on its own machine and hands
//! out the public halves; together they write one genesis document; each writes its configuration.

use std::{
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use musubi_ledger::{
    genesis::Genesis,
    keys::{PublicKey, SecretKey},
};
use serde::{Deserialize, Serialize};

use crate::{
    config::{
        Config, HttpSection, LogSection, MemberSection, NetworkSection, ReaderSection,
        TuningSection,
    },
    http::HttpLimits,
};

/// The public halves of a node's keys, as `init keys` prints them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeKeys {
    /// On the wire.
    pub transport: PublicKey,
    /// For batches and checkpoints.
    pub node: PublicKey,
    /// For cosignatures.
    pub cosigner: PublicKey,
}

const KEY_NAMES: [&str; 3] = ["transport", "node", "cosigner"];

/// Makes a node's three keys in `folder`; existing ones are never overwritten.
///
/// # Errors
/// If the folder cannot be written, or a key is already there.
pub fn make_keys(folder: &Path) -> anyhow::Result<NodeKeys> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let mut public = Vec::new();
    for name in KEY_NAMES {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("the system gave no randomness")?;
        let key = SecretKey::from_seed(&seed);
        write_private(&folder.join(format!("{name}.key")), &format!("{}\n", hex::encode(seed)))?;
        public.push(key.public());
    }
    Ok(NodeKeys { transport: public[0], node: public[1], cosigner: public[2] })
}

/// Writes a new file that only its owner can read, durably: a crash leaves all of it or none.
fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.with_context(|| {
        format!("cannot create {} (an existing key is never overwritten)", path.display())
    })?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// Turns a genesis draft in JSON into the document that all nodes share. Returns the chain's id.
///
/// # Errors
/// If the draft does not parse, does not hold together, or the document exists already.
pub fn make_genesis(draft: &Path, out: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(draft)
        .with_context(|| format!("cannot read {}", draft.display()))?;
    let genesis: Genesis = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a genesis draft", draft.display()))?;
    write_genesis(&genesis, out)
}

/// Writes a checked genesis document.
///
/// # Errors
/// As [`make_genesis`].
pub fn write_genesis(genesis: &Genesis, out: &Path) -> anyhow::Result<String> {
    genesis.check().context("the genesis draft does not hold together")?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .with_context(|| format!("cannot create {}", out.display()))?;
    file.write_all(&genesis.encode())?;
    file.sync_all()?;
    Ok(genesis.chain().to_string())
}

/// What `init config` is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node's folder: configuration, keys and data.
    pub folder: PathBuf,
    /// The genesis document, copied into the folder.
    pub genesis: PathBuf,
    /// Raft id.
    pub node: u64,
    /// Address for validators.
    pub listen: SocketAddr,
    /// Address of the API.
    pub http: SocketAddr,
    /// The other validators.
    pub members: Vec<(u64, SocketAddr)>,
    /// Names and bearer tokens of readers.
    pub readers: Vec<(String, String)>,
    /// Logs as JSON.
    pub json_log: bool,
}

/// Writes `node.toml` and a copy of the genesis document into the node's folder.
///
/// # Errors
/// If keys are missing, or the result would not load.
pub fn make_config(setup: &Setup) -> anyhow::Result<PathBuf> {
    let folder = &setup.folder;
    if !folder.join("keys/node.key").exists() {
        bail!("no keys in {0}/keys: run `musubi-node init keys --dir {0}` first", folder.display());
    }
    let genesis = folder.join("genesis.bin");
    if setup.genesis != genesis {
        std::fs::copy(&setup.genesis, &genesis)
            .with_context(|| format!("cannot copy {}", setup.genesis.display()))?;
    }
    let readers = setup.readers.iter().map(|(name, token)| ReaderSection {
        name: name.clone(),
        token_sha256: hex::encode(musubi_ledger::hash::sha256(token.as_bytes())),
    });
    let members = setup.members.iter();
    let config = Config {
        node: setup.node,
        genesis: "genesis.bin".into(),
        data: "data".into(),
        keys: "keys".into(),
        network: NetworkSection {
            listen: setup.listen,
            member: members
                .map(|(node, address)| MemberSection { node: *node, address: *address })
                .collect(),
        },
        http: HttpSection {
            listen: setup.http,
            allow_remote: false,
            reader: readers.collect(),
            limits: HttpLimits::default(),
        },
        log: LogSection { json: setup.json_log, ..LogSection::default() },
        tuning: TuningSection::default(),
    };
    let path = folder.join("node.toml");
    std::fs::write(&path, toml::to_string_pretty(&config)?)?;
    Config::load(&path).context("the written configuration does not load")?;
    Ok(path)
}
