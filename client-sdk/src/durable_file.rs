//! Small files that must be whole and stay: keys, address books, signed transactions.
//!
//! Each is written under a temporary name beside its own, synced, given its name in one step, and then
//! the folder is synced: only that makes the name outlive a power cut. All are readable by their owner
//! alone.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use crate::entropy;

/// Writes a new file; a name that exists is never replaced.
///
/// A crash right here leaves no file or a whole one, and perhaps a temporary one beside it.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or what the system says.
pub fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = write_beside(path, content)?;
    // A hard link fails where the name is taken; a rename would replace.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    sync_folder_of(path)
}

/// Replaces a file's content, or writes a new file. Folders on the way are made.
///
/// A crash right here leaves the old content or the new, never half of it.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_with(path, |file| file.write_all(content))
}

/// As [`replace`], with whatever `write` writes: for content that need not be in memory at once.
///
/// # Errors
/// What the system says, or `write`.
pub fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    create_folder(folder_of(path))?;
    let temporary = write_beside_with(path, write)?;
    if let Err(cause) = fs::rename(&temporary, path) {
        // The cause is worth more than what tidying up might say.
        let _ = fs::remove_file(&temporary);
        return Err(cause);
    }
    sync_folder_of(path)
}

/// Makes a folder and those above it, each synced into the one that holds it.
///
/// # Errors
/// What the system says.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    create_folder(folder_of(folder))?;
    match fs::create_dir(folder) {
        // Somebody else was faster.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(cause) => Err(cause),
        Ok(()) => sync_folder_of(folder),
    }
}

/// Makes the names in the folder that holds `path` outlive a power cut.
///
/// # Errors
/// What the system says.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and its system keeps names by itself.
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) => Path::new("."),
        // The root, which exists.
        None => path,
    }
}

/// Content under a name that nobody else uses, synced.
fn write_beside(path: &Path, content: &[u8]) -> io::Result<PathBuf> {
    write_beside_with(path, |file| file.write_all(content))
}

fn write_beside_with(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", hex::encode(entropy::bytes::<6>())));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::with_capacity(1 << 16, options.open(&temporary)?);
    let written = write(&mut file).and_then(|()| file.flush());
    match written.and_then(|()| file.get_ref().sync_all()) {
        Ok(()) => Ok(temporary),
        Err(cause) => {
            let _ = fs::remove_file(&temporary);
            Err(cause)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name());
        let mut names: Vec<String> = names.map(|n| n.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_is_whole_and_private_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one");
        create(&path, b"first").unwrap();
        let again = create(&path, b"second").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(folder.path()), ["one"], "no temporary file stays behind");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(&path).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn content_is_replaced_in_folders_that_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/two");
        for content in ["old", "new"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content.as_bytes());
        }
        assert_eq!(names(path.parent().unwrap()), ["two"]);
        // A folder that has the name stays what it is, and nothing is left beside it.
        let taken = folder.path().join("a");
        assert!(replace(&taken, b"file").is_err());
        assert!(taken.is_dir());
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    fn a_name_without_folder_is_in_this_one() {
        assert_eq!(folder_of(Path::new("key.pem")), Path::new("."));
        assert_eq!(folder_of(Path::new("/key.pem")), Path::new("/"));
        assert_eq!(
            create(Path::new("/"), b"x").unwrap_err().kind(),
            io::ErrorKind::InvalidFilename
        );
    }
}
