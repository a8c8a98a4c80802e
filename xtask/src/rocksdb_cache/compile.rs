//! Compiling RocksDB with its own build script, in a target folder of the cache.

use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

/// C++ files in RocksDB 11.8: only the progress line rests on this number.
const FILES: usize = 343;

/// Compiles RocksDB in `build_dir` and returns the library's path. Cargo locks that folder, so of two
/// checkouts that need the same library one compiles and the other waits; and it knows what is
/// finished, so a run after a finished one takes a second.
pub(super) fn run(workspace: &Workspace, build_dir: &Path) -> Result<PathBuf> {
    println!("compiling RocksDB: about 25 minutes on 2 cores, once for all later builds");
    let start = Instant::now();
    let mut cargo = workspace.cargo(&["build", "--quiet", "--locked", "-p", "librocksdb-sys"]);
    cargo
        .args(["--message-format", "json-render-diagnostics", "--target-dir"])
        .arg(build_dir)
        .env_remove("ROCKSDB_LIB_DIR")
        .env_remove("ROCKSDB_STATIC")
        .env_remove("ROCKSDB_COMPILE")
        .stdout(Stdio::piped());
    let mut child = cargo.spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo was started without a pipe")?;
    let (finished, waiting) = mpsc::channel();
    let objects = build_dir.join("debug/build");
    let progress = thread::spawn(move || show_progress(&waiting, &objects, start));
    let library = find_library(stdout);
    let status = child.wait().context("cannot wait for cargo")?;
    drop(finished);
    let _ = progress.join();
    if !status.success() {
        bail!("RocksDB did not compile ({status}); the compiler's message stands above");
    }
    println!("RocksDB is compiled, after {}", process::duration(start.elapsed()));
    let library = library?;
    if !library.is_file() {
        bail!("RocksDB's build left no {}", library.display());
    }
    Ok(library)
}

/// Reads Cargo's messages to the end and returns the library in the build script's output folder.
fn find_library(messages: ChildStdout) -> Result<PathBuf> {
    let mut found = None;
    for line in BufReader::new(messages).lines() {
        let line = line.context("cannot read cargo's messages")?;
        found = out_dir(&line).or(found);
    }
    let folder = found.context("cargo did not say where RocksDB was built")?;
    Ok(folder.join(super::LIBRARY))
}

fn out_dir(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_build = message["reason"] == "build-script-executed";
    let is_rocksdb = message["package_id"].as_str()?.contains("librocksdb-sys");
    let folder = message["out_dir"].as_str()?;
    (is_build && is_rocksdb).then(|| PathBuf::from(folder))
}

/// Shows how far the compiler is until the other end of `finished` is gone: on a terminal in one line
/// that renews itself, elsewhere (in a CI log) in a new line now and then.
fn show_progress(finished: &mpsc::Receiver<()>, builds: &Path, start: Instant) {
    let terminal = std::io::stdout().is_terminal();
    let pause = Duration::from_secs(if terminal { 1 } else { 60 });
    while finished.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let line = progress_line(count_objects(builds), start.elapsed());
        if terminal {
            print!("\r\x1b[K{line}");
            let _ = std::io::stdout().flush();
        } else {
            println!("{line}");
        }
    }
    if terminal {
        print!("\r\x1b[K");
    }
}

fn progress_line(objects: usize, elapsed: Duration) -> String {
    let percent = (objects * 100 / FILES).min(99);
    let elapsed = process::duration(elapsed);
    format!("  RocksDB: {objects} of {FILES} files compiled ({percent} %), {elapsed}")
}

/// Object files in the newest output folder of RocksDB's build script.
fn count_objects(builds: &Path) -> usize {
    let outputs = entries(builds)
        .filter(|path| path.to_string_lossy().contains("librocksdb-sys-"))
        .map(|path| path.join("out"));
    let modified = |path: &PathBuf| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let newest = outputs.filter(|path| path.is_dir()).max_by_key(modified);
    let objects = newest.into_iter().flat_map(|folder| entries(&folder));
    objects.filter(|path| path.extension().is_some_and(|end| end == "o")).count()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_where_cargo_says() {
        let message = r#"{"reason":"build-script-executed","out_dir":"/c/out",
            "package_id":"registry+https://github.com/rust-lang/crates.io-index#librocksdb-sys@0.19.0"}"#;
        assert_eq!(out_dir(message), Some("/c/out".into()));
        assert_eq!(out_dir(&message.replace("librocksdb-sys", "lz4-sys")), None);
        assert_eq!(out_dir(&message.replace("build-script-executed", "compiler-artifact")), None);
        assert_eq!(out_dir("no JSON"), None);
    }

    #[test]
    fn progress_never_claims_the_end() {
        let line = progress_line(FILES, Duration::from_secs(1500));
        assert_eq!(line, "  RocksDB: 343 of 343 files compiled (99 %), 25 min 00 s");
    }
}
