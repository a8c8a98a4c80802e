//! Small files of a home: TOML in and out, private, replaced whole.

use std::{fs, io, path::Path};

use musubi_sdk::durable_file;
use serde::{Serialize, de::DeserializeOwned};

use super::error::{CliError, file_error};

/// Reads a TOML file; the default if there is none.
pub(crate) fn load_toml<T: DeserializeOwned + Default>(path: &Path) -> Result<T, CliError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
        Err(cause) => return Err(file_error(path, cause)),
    };
    toml::from_str(&text).map_err(|cause| {
        let what = format!("{}: {}", path.display(), cause.message());
        CliError::new("bad_file", what).next("correct the file; docs/TUTORIAL.md shows one")
    })
}

/// Writes a TOML file.
pub(crate) fn save_toml<T: Serialize>(path: &Path, value: &T) -> Result<(), CliError> {
    let text = toml::to_string_pretty(value).map_err(|cause| file_error(path, cause))?;
    replace(path, text.as_bytes())
}

/// Replaces a file's content, readable by its owner alone. A crash right here leaves the old content
/// or the new, never half of it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), CliError> {
    durable_file::replace(path, content).map_err(|cause| file_error(path, cause))
}

/// Writes a new file, readable by its owner alone; one that exists is never overwritten.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<(), CliError> {
    durable_file::create(path, content).map_err(|cause| file_error(path, cause))
}

/// Removes a file that may be gone already.
pub(crate) fn remove(path: &Path) -> Result<(), CliError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(file_error(path, cause)),
        _ => Ok(()),
    }
}

/// Reads a whole file, `-` for standard input, with a ceiling: what people hand over is small.
pub(crate) fn read_input(path: &Path, max: u64) -> Result<Vec<u8>, CliError> {
    use io::Read;
    let failed = |cause: io::Error| file_error(path, cause);
    let mut content = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(max + 1).read_to_end(&mut content)
    } else {
        let file = fs::File::open(path).map_err(failed)?;
        file.take(max + 1).read_to_end(&mut content)
    };
    read.map_err(failed)?;
    if content.len() as u64 > max {
        return Err(file_error(path, format!("longer than {max} bytes")));
    }
    Ok(content)
}
