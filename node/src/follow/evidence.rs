//! What is kept of what was refused: the bytes as they came, and beside them in words what is wrong.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use musubi_ledger::hash::sha256;
use serde::Serialize;

use super::{finals::Lie, page::Offered, refused::Refused};

/// What stands beside the bytes.
#[derive(Serialize)]
struct Words<'a> {
    upstream: &'a str,
    height: Option<u64>,
    leaf: Option<u64>,
    code: &'a str,
    what: String,
    /// Of the file with the bytes: a block as `GET /v1/blocks` serves it, or a signed note.
    sha256: String,
}

/// Keeps a refused block in `folder`, as `block-HEIGHT-HASH.bin` and `.json`. What is there already is left as it
/// is. Returns the path of the bytes.
///
/// # Errors
/// If the folder cannot be written. A crash leaves the bytes, and perhaps no words.
pub fn keep_block(
    folder: &Path,
    upstream: &str,
    offered: &Offered,
    refused: &Refused,
) -> std::io::Result<PathBuf> {
    let bytes = offered.encode();
    let sha256 = hex::encode(sha256(&bytes));
    let name = format!("block-{}-{}", refused.height, &sha256[..16]);
    let words = Words {
        upstream,
        height: Some(refused.height),
        leaf: refused.leaf,
        code: refused.wrong.code(),
        what: refused.to_string(),
        sha256,
    };
    keep(folder, &name, &bytes, &words)
}

/// As [`keep_block`], for a signed note, as `note-HASH.bin`.
///
/// # Errors
/// As [`keep_block`].
pub fn keep_note(
    folder: &Path,
    upstream: &str,
    note: &[u8],
    lie: &Lie,
) -> std::io::Result<PathBuf> {
    let sha256 = hex::encode(sha256(note));
    let name = format!("note-{}", &sha256[..16]);
    let (code, what) = (lie.code(), lie.to_string());
    let words = Words { upstream, height: None, leaf: None, code, what, sha256 };
    keep(folder, &name, note, &words)
}

fn keep(folder: &Path, name: &str, bytes: &[u8], words: &Words<'_>) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}.bin"));
    write_new(&path, bytes)?;
    let words = serde_json::to_vec_pretty(words).expect("words always serialise");
    write_new(&folder.join(format!("{name}.json")), &words)?;
    Ok(path)
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match std::fs::File::create_new(path) {
        Ok(mut file) => {
            file.write_all(bytes)?;
            file.sync_all()
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
