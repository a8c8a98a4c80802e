//! The folder of evidence files: `data/evidence/KIND-HASH.evidence`, bounded in number and size.
//!
//! The hash is of kind, key and place, so one deed has one file, whoever shows it. One key fills its own share
//! and no more: whoever lies a thousand times cannot keep another one's lie from being kept.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use musubi_ledger::evidence::{Finding, Suspects, verify};

/// Files in all.
const FILES_MAX: usize = 64;
/// Files about one key and kind.
const SHARE_MAX: usize = 4;
const ENDING: &str = ".evidence";
const UNFINISHED: &str = ".part";

/// The folder, and what is in it.
pub struct Files {
    folder: PathBuf,
    kept: BTreeMap<String, Kept>,
}

/// One file.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What it shows.
    pub finding: Finding,
    /// Its length.
    pub bytes: u64,
}

impl Files {
    /// Reads the folder; what shows nothing is left where it is, and not served. The folder is made with its
    /// first file.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    pub fn open(folder: PathBuf, suspects: &Suspects) -> io::Result<Self> {
        let mut kept = BTreeMap::new();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { folder, kept });
            }
            Err(cause) => return Err(cause),
        };
        for entry in entries {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if name.ends_with(UNFINISHED) {
                fs::remove_file(&path)?;
                continue;
            }
            if !name.ends_with(ENDING) {
                continue;
            }
            let bytes = fs::read(&path)?;
            match verify(&bytes, suspects) {
                Ok(finding) if finding.file_name() == name => {
                    kept.insert(name.to_owned(), Kept { finding, bytes: bytes.len() as u64 });
                }
                found => tracing::warn!(file = %path.display(), ?found, "not an evidence file"),
            }
        }
        Ok(Self { folder, kept })
    }

    /// Keeps a file; gives its path if it is new. `None` if the deed is known already or there is no room.
    ///
    /// # Errors
    /// If it cannot be written; then it is not kept.
    pub fn keep(&mut self, finding: &Finding, content: &[u8]) -> io::Result<Option<PathBuf>> {
        let name = finding.file_name();
        let same = |kept: &&Kept| {
            (kept.finding.kind, kept.finding.who.key) == (finding.kind, finding.who.key)
        };
        let share = self.kept.values().filter(same).count();
        if self.kept.contains_key(&name) || share >= SHARE_MAX || self.kept.len() >= FILES_MAX {
            return Ok(None);
        }
        let path = self.folder.join(&name);
        write(&self.folder, &path, content)?;
        let kept = Kept { finding: finding.clone(), bytes: content.len() as u64 };
        self.kept.insert(name, kept);
        Ok(Some(path))
    }

    /// All files, by name.
    #[must_use]
    pub fn kept(&self) -> &BTreeMap<String, Kept> {
        &self.kept
    }

    /// A file's path, if it is kept.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.kept.contains_key(name).then(|| self.folder.join(name))
    }
}

/// Writes a new file, whole or not at all.
fn write(folder: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let unfinished = path.with_extension("evidence.part");
    let mut file = File::create(&unfinished)?;
    file.write_all(content)?;
    // A crash up to here leaves half a file under a name that the next start removes.
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // A crash right here may take the name back, not the content; the evidence is then found or told again.
    File::open(folder)?.sync_all()?;
    folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}
