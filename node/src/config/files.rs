//! The files that a configuration names.

use std::path::Path;

use musubi_ledger::{genesis::Genesis, keys::SecretKey};
use zeroize::Zeroizing;

use super::{Config, ConfigError, replica::is_private};
use crate::recover::{Recoveries, RecoveryFile};

pub(super) fn read_text(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })
}

pub(super) fn read_genesis(path: &Path) -> Result<Genesis, ConfigError> {
    let bytes =
        std::fs::read(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
    Genesis::decode(&bytes).map_err(|source| ConfigError::Genesis { path: path.into(), source })
}

/// The recoveries that the configuration names.
pub(super) fn read_recoveries(
    config: &mut Config,
    folder: &Path,
    genesis: &Genesis,
) -> Result<Recoveries, ConfigError> {
    let Some(path) = &mut config.recovery else { return Ok(Recoveries::default()) };
    *path = folder.join(&*path);
    let read = RecoveryFile::read(path).and_then(|file| file.check(genesis));
    read.map_err(|error| ConfigError::Recovery { path: path.clone(), why: format!("{error:#}") })
}

/// Reads a key file: 64 hex digits and a newline, readable by its owner alone.
///
/// # Errors
/// [`ConfigError::Read`] or [`ConfigError::KeyFile`].
pub fn read_key(path: &Path) -> Result<SecretKey, ConfigError> {
    let wrong = || ConfigError::KeyFile(path.into());
    let text = Zeroizing::new(read_text(path)?);
    if !is_private(path)? {
        return Err(wrong());
    }
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim(), &mut *seed).map_err(|_| wrong())?;
    Ok(SecretKey::from_seed(&seed))
}
