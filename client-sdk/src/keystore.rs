//! Signing keys at rest: PKCS#8 (RFC 5958) under PBES2 with scrypt (RFC 7914) and AES-256-CBC, as PEM.
//!
//! `openssl pkey -in key.pem` reads these files, so that nobody's money depends on this program. The
//! passphrase comes from the caller; this module never asks for one, keeps one, or prints one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use ed25519_dalek::pkcs8::KeypairBytes;
use musubi_ledger::keys::SecretKey;
use pkcs8::{
    EncodePrivateKey, LineEnding, PrivateKeyInfoRef,
    der::{Decode, SecretDocument},
    pkcs5::{pbes2, scrypt},
};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{durable_file, entropy};

const ENCRYPTED_LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// What guessing one passphrase costs: scrypt's parameters (RFC 7914, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardness {
    /// Base-2 logarithm of the cost N; memory is 128 · r · N bytes.
    pub log_n: u8,
    /// Block size.
    pub r: u32,
    /// Parallelism.
    pub p: u32,
}

impl Hardness {
    /// What OWASP asks for at 16 MiB of memory (Password Storage Cheat Sheet), and about 0.3 s on a
    /// laptop. OpenSSL reads no more than 32 MiB without being told otherwise.
    pub const STANDARD: Self = Self { log_n: 14, r: 8, p: 5 };
    /// For tests only: guesses are nearly free.
    pub const TEST_ONLY: Self = Self { log_n: 4, r: 8, p: 1 };
    /// Most memory that a file may ask for: N · r blocks of 128 bytes, 1 GiB.
    const BLOCKS_MAX: u64 = 1 << 23;
    /// Most work that a file may ask for: N · r · p, about fifty times that of [`Self::STANDARD`].
    const WORK_MAX: u64 = 1 << 25;

    /// Whether a hostile file could cost all memory, or for ever, with these parameters.
    fn is_excessive(n: u64, r: u64, p: u64) -> bool {
        let blocks = n.saturating_mul(r);
        // The first mixing takes r · p blocks of its own.
        let most = blocks.max(r.saturating_mul(p));
        most > Self::BLOCKS_MAX || blocks.saturating_mul(p) > Self::WORK_MAX
    }
}

/// Why a key could not be written or read.
#[derive(Debug, Error)]
pub enum KeystoreError {
    /// The passphrase is empty.
    #[error("the passphrase is empty: choose one, a key file without protection is refused")]
    EmptyPassphrase,
    /// The file already exists.
    #[error("{} exists already: choose another name, keys are never overwritten", .0.display())]
    Exists(PathBuf),
    /// The file could not be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Others than the owner can read the file.
    #[error("{} can be read by others than its owner: run `chmod 600` on it", .0.display())]
    Exposed(PathBuf),
    /// The key in the file is not encrypted.
    #[error("this key is not encrypted: protect it with `openssl pkcs8 -topk8 -scrypt`")]
    NotEncrypted,
    /// Not a PEM file with an encrypted PKCS#8 key that we can read.
    #[error("not an encrypted PKCS#8 key in PEM form: {0}")]
    Format(String),
    /// The passphrase does not open it.
    #[error("wrong passphrase: the key stays locked")]
    WrongPassphrase,
    /// Opened, but no Ed25519 key inside.
    #[error("the passphrase fits, but the file holds no Ed25519 key")]
    NotEd25519,
}

impl KeystoreError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyPassphrase => "empty_passphrase",
            Self::Exists(_) => "key_file_exists",
            Self::Io { .. } => "key_file_io",
            Self::Exposed(_) => "key_file_exposed",
            Self::NotEncrypted => "key_not_encrypted",
            Self::Format(_) => "bad_key_file",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::NotEd25519 => "not_ed25519",
        }
    }
}

/// The key as an encrypted PEM text.
///
/// # Errors
/// [`KeystoreError::EmptyPassphrase`]; [`KeystoreError::Format`] for parameters scrypt does not have.
pub fn seal(
    key: &SecretKey,
    passphrase: &str,
    hardness: Hardness,
) -> Result<Zeroizing<String>, KeystoreError> {
    if passphrase.is_empty() {
        return Err(KeystoreError::EmptyPassphrase);
    }
    let format = |cause: &dyn std::fmt::Display| KeystoreError::Format(cause.to_string());
    let params = scrypt::Params::new(hardness.log_n, hardness.r, hardness.p)
        .map_err(|cause| format(&cause))?;
    let salt = entropy::bytes::<16>();
    let pbes2 = pbes2::Parameters::generate_scrypt_aes256cbc(params, &salt, entropy::bytes())
        .map_err(|cause| format(&cause))?;
    // Without the public half: OpenSSL 3 does not read RFC 5958's second version, which carries it.
    let plain = KeypairBytes { secret_key: key.seed(), public_key: None };
    let plain = plain.to_pkcs8_der().map_err(|cause| format(&cause))?;
    let info = PrivateKeyInfoRef::from_der(plain.as_bytes()).map_err(|cause| format(&cause))?;
    let sealed = info.encrypt_with_params(pbes2, passphrase).map_err(|cause| format(&cause))?;
    sealed.to_pem(ENCRYPTED_LABEL, LineEnding::LF).map_err(|cause| format(&cause))
}

/// Opens an encrypted PEM text.
///
/// # Errors
/// [`KeystoreError::NotEncrypted`], [`KeystoreError::Format`], [`KeystoreError::WrongPassphrase`] or
/// [`KeystoreError::NotEd25519`].
pub fn open(pem: &str, passphrase: &str) -> Result<SecretKey, KeystoreError> {
    let (label, sealed) = SecretDocument::from_pem(pem.trim_start())
        .map_err(|cause| KeystoreError::Format(cause.to_string()))?;
    if label != ENCRYPTED_LABEL {
        return Err(match label {
            "PRIVATE KEY" => KeystoreError::NotEncrypted,
            other => KeystoreError::Format(format!("it holds a {other}")),
        });
    }
    let info = pkcs8::EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes())
        .map_err(|cause| KeystoreError::Format(cause.to_string()))?;
    check_hardness(&info)?;
    let plain = info.decrypt(passphrase).map_err(|_| KeystoreError::WrongPassphrase)?;
    // CBC has no integrity: one wrong passphrase in 256 leaves good padding and rubbish inside.
    let info = PrivateKeyInfoRef::from_der(plain.as_bytes())
        .map_err(|_| KeystoreError::WrongPassphrase)?;
    let pair = KeypairBytes::try_from(info).map_err(|_| KeystoreError::NotEd25519)?;
    let key = SecretKey::from_seed(&Zeroizing::new(pair.secret_key));
    match pair.public_key {
        Some(public) if public.0 != key.public().0 => Err(KeystoreError::NotEd25519),
        _ => Ok(key),
    }
}

/// A hostile key file must cost neither all memory nor for ever.
fn check_hardness(info: &pkcs8::EncryptedPrivateKeyInfoRef<'_>) -> Result<(), KeystoreError> {
    let pbes2 = info.encryption_algorithm.pbes2();
    let scrypt = pbes2.and_then(|p| p.kdf.scrypt());
    let excessive = scrypt.is_some_and(|s| {
        let (r, p) = (s.block_size, s.parallelization);
        Hardness::is_excessive(s.cost_parameter, r.into(), p.into())
    });
    let iterations = pbes2.and_then(|p| p.kdf.pbkdf2());
    if excessive || iterations.is_some_and(|p| p.iteration_count > 100_000_000) {
        let text = "its key derivation would take more memory or time than is reasonable";
        return Err(KeystoreError::Format(text.into()));
    }
    Ok(())
}

/// Writes a key to a new file that only its owner can read.
///
/// A crash right here leaves no file or a whole one, as [`durable_file::create`] does.
///
/// # Errors
/// [`KeystoreError::Exists`], [`KeystoreError::Io`], and those of [`seal`].
pub fn write(
    path: &Path,
    key: &SecretKey,
    passphrase: &str,
    hardness: Hardness,
) -> Result<(), KeystoreError> {
    let pem = seal(key, passphrase, hardness)?;
    durable_file::create(path, pem.as_bytes()).map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => KeystoreError::Exists(path.to_owned()),
        _ => KeystoreError::Io { path: path.to_owned(), cause },
    })
}

/// Reads a key from a file.
///
/// # Errors
/// [`KeystoreError::Exposed`] if others can read the file, [`KeystoreError::Io`], and those of [`open`].
pub fn read(path: &Path, passphrase: &str) -> Result<SecretKey, KeystoreError> {
    let io = |cause| KeystoreError::Io { path: path.to_owned(), cause };
    #[cfg(unix)]
    {
        let metadata = fs::metadata(path).map_err(io)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            return Err(KeystoreError::Exposed(path.to_owned()));
        }
    }
    let pem = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    open(&pem, passphrase)
}

#[cfg(test)]
#[path = "keystore_tests.rs"]
mod tests;
