//! The configuration and the key.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use musubi_ledger::{
    keys::SecretKey,
    tlog::{Algorithm, VerifierKey, witness::KnownLog},
};
use musubi_sdk::{durable_file, entropy};
use serde::Deserialize;

use crate::state::StateFile;

/// The configuration file. Paths are taken from its folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The key's name.
    name: String,
    /// Where to answer.
    pub(crate) listen: SocketAddr,
    /// The key file.
    key: PathBuf,
    /// The state's folder.
    state: PathBuf,
    /// The logs whose checkpoints are cosigned.
    #[serde(default)]
    log: Vec<LogSection>,
    #[serde(skip)]
    folder: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogSection {
    origin: String,
    /// Verifier keys, one of which must have signed.
    keys: Vec<String>,
}

impl Config {
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let config: Result<Self, _> = toml::from_str(&text);
        let config = config.with_context(|| format!("{} is no configuration", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        Ok(Self { folder, ..config })
    }

    /// The witness's key, both halves.
    pub(crate) fn key(&self) -> anyhow::Result<(VerifierKey, SecretKey)> {
        let path = self.folder.join(&self.key);
        let secret = read_key(&path).with_context(|| format!("{}", path.display()))?;
        Ok((verifier_key(&self.name, &secret)?, secret))
    }

    pub(crate) fn logs(&self) -> anyhow::Result<Vec<KnownLog>> {
        let known = |log: &LogSection| {
            let keys = log.keys.iter().map(|key| key.parse::<VerifierKey>());
            let keys: Result<Vec<_>, _> = keys.collect();
            let keys = keys.with_context(|| format!("a key of log {}", log.origin))?;
            Ok(KnownLog::new(&log.origin, keys)?)
        };
        self.log.iter().map(known).collect()
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join(&self.state)
    }
}

fn verifier_key(name: &str, secret: &SecretKey) -> anyhow::Result<VerifierKey> {
    let key = VerifierKey::new(name, Algorithm::CosignatureV1, &secret.public().0);
    key.with_context(|| format!("`{name}` cannot name a key"))
}

/// 64 hex digits, readable by its owner alone.
fn read_key(path: &Path) -> anyhow::Result<SecretKey> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("others may read this key: chmod 600");
    }
    let mut seed = [0; 32];
    hex::decode_to_slice(fs::read_to_string(path)?.trim(), &mut seed)
        .ok()
        .context("not a key of 64 hexadecimal digits")?;
    Ok(SecretKey::from_seed(&seed))
}

/// Makes a witness's folder. The state comes first and the configuration last: a crash in between leaves a
/// folder that does not run, and that `init` refuses, so that no key ever meets another's state.
pub(crate) fn init(folder: &Path, name: &str) -> anyhow::Result<VerifierKey> {
    let secret = entropy::secret_key();
    let key = verifier_key(name, &secret)?;
    durable_file::create_folder(folder)?;
    StateFile::create(&folder.join("state"), &key)?;
    let text = format!("{}\n", hex::encode(secret.seed()));
    create(&folder.join("witness.key"), text.as_bytes())?;
    let config = format!(
        "name = {name:?}\nlisten = \"127.0.0.1:8490\"\nkey = \"witness.key\"\nstate = \"state\"\n\n\
         # A log and all its keys, as its operators publish them.\n\
         # [[log]]\n# origin = \"ledger.example/musubi/1\"\n# keys = [\"ledger.example/musubi/1+…\"]\n"
    );
    create(&folder.join("witness.toml"), config.as_bytes())?;
    Ok(key)
}

pub(crate) fn create(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let created = durable_file::create(path, content);
    created.with_context(|| format!("{} (what exists is never overwritten)", path.display()))
}
