//! The RocksDB library, compiled once for all checkouts and kept outside the tree.
//!
//! Compiling it takes 3,000 CPU-seconds, so this happens once per key (`key.rs`): `compile.rs` builds it
//! in `<cache>/rocksdb-build`, the result is kept as `<cache>/rocksdb/<key>/lib/librocksdb.a`, and Cargo is
//! told to link that file. The cache is `$MUSUBI_CACHE`, `$XDG_CACHE_HOME/musubi` or `~/.cache/musubi`.

mod compile;
mod key;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

const LIBRARY: &str = "librocksdb.a";

/// What `.cargo/config.toml` includes if it is there. In `target`, because it belongs to this checkout on
/// this machine and to nobody else.
const CARGO_CONFIG: &str = "target/rocksdb.toml";

/// A RocksDB library that Cargo can link.
pub(crate) struct RocksDb {
    lib_dir: PathBuf,
}

impl RocksDb {
    /// Finds the library in the cache, or compiles it into the cache.
    ///
    /// # Errors
    /// The cache cannot be written, or RocksDB does not compile: the compiler's message stands above.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        let cache = cache_dir()?;
        let key = key::of(workspace)?;
        let lib_dir = cache.join("rocksdb").join(key).join("lib");
        if let Some(chosen) = std::env::var_os("ROCKSDB_LIB_DIR").map(PathBuf::from)
            && let Some(rocksdb) = Self::chosen_by_user(chosen, &lib_dir, &cache)?
        {
            return Ok(rocksdb);
        }
        if !lib_dir.join(LIBRARY).is_file() {
            forget_plain_cargo(workspace)?;
            let compiled = compile::run(workspace, &cache.join("rocksdb-build"))?;
            keep(&compiled, &lib_dir)?;
            println!("RocksDB is kept for later builds: {}", lib_dir.display());
        }
        let rocksdb = Self { lib_dir };
        rocksdb.tell_plain_cargo(workspace)?;
        Ok(rocksdb)
    }

    /// A library that the environment names. Elsewhere than in our cache, it is the user's own and used
    /// as it is. In our cache it counts only while it is the right one, and then under the name given:
    /// Cargo compiles RocksDB's users again when that name changes.
    fn chosen_by_user(chosen: PathBuf, ours: &Path, cache: &Path) -> Result<Option<Self>> {
        if chosen.starts_with(cache) {
            let same =
                matches!((chosen.canonicalize(), ours.canonicalize()), (Ok(a), Ok(b)) if a == b);
            let usable = same && chosen.join(LIBRARY).is_file();
            return Ok(usable.then_some(Self { lib_dir: chosen }));
        }
        if !chosen.join(LIBRARY).is_file() {
            bail!("ROCKSDB_LIB_DIR is {}, which has no {LIBRARY}", chosen.display());
        }
        println!("using the RocksDB that ROCKSDB_LIB_DIR names: {}", chosen.display());
        Ok(Some(Self { lib_dir: chosen }))
    }

    /// Makes a Cargo command link this library.
    pub(crate) fn apply<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command.env("ROCKSDB_LIB_DIR", &self.lib_dir).env("ROCKSDB_STATIC", "1")
    }

    /// Leaves the same settings where `.cargo/config.toml` includes them, so that `cargo build`, an
    /// editor and xtask link one library and never invalidate each other's work.
    fn tell_plain_cargo(&self, workspace: &Workspace) -> Result<()> {
        let path = workspace.root().join(CARGO_CONFIG);
        let text = cargo_config(&self.lib_dir);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            return Ok(());
        }
        // Cargo's own target folder may be elsewhere; then this one may not exist yet.
        fs::create_dir_all(workspace.root().join("target"))
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Removes settings that name an older library: they would keep Cargo from compiling the new one.
fn forget_plain_cargo(workspace: &Workspace) -> Result<()> {
    let path = workspace.root().join(CARGO_CONFIG);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Prints the settings for a shell: `eval "$(cargo xtask env)"`.
pub(crate) fn print_environment(workspace: &Workspace) -> Result<()> {
    let key = key::of(workspace)?;
    let lib_dir = cache_dir()?.join("rocksdb").join(key).join("lib");
    if !lib_dir.join(LIBRARY).is_file() {
        bail!("RocksDB is not in the cache yet: run `cargo xtask build` first");
    }
    println!("export ROCKSDB_LIB_DIR='{}' ROCKSDB_STATIC=1", lib_dir.display());
    Ok(())
}

fn cargo_config(lib_dir: &Path) -> String {
    let path = toml::Value::from(lib_dir.to_string_lossy().as_ref());
    format!(
        "# Written by `cargo xtask`, included by .cargo/config.toml: plain cargo links this RocksDB too.\n\
         [env]\nROCKSDB_LIB_DIR = {path}\nROCKSDB_STATIC = \"1\"\n"
    )
}

fn cache_dir() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name);
    let named = (variable("MUSUBI_CACHE"), variable("XDG_CACHE_HOME"), variable("HOME"));
    cache_dir_from(named.0.as_deref(), named.1.as_deref(), named.2.as_deref()).context(
        "none of MUSUBI_CACHE, XDG_CACHE_HOME and HOME names an absolute path for the cache",
    )
}

/// The first that names an absolute path. A relative one would put a cache into every folder that the
/// command is called in, and the XDG rules say to ignore it.
fn cache_dir_from(
    own: Option<&OsStr>,
    xdg: Option<&OsStr>,
    home: Option<&OsStr>,
) -> Option<PathBuf> {
    let xdg = xdg.map(|path| Path::new(path).join("musubi"));
    let home = home.map(|path| Path::new(path).join(".cache/musubi"));
    let all = [own.map(PathBuf::from), xdg, home];
    all.into_iter().flatten().find(|path| path.is_absolute())
}

/// Copies the library to its place in the cache. A crash before the rename leaves a temporary file and
/// no library, and the next run copies again; after it, the library is whole.
fn keep(compiled: &Path, lib_dir: &Path) -> Result<()> {
    let place = || format!("cannot keep RocksDB in {}", lib_dir.display());
    fs::create_dir_all(lib_dir).with_context(place)?;
    let temporary = lib_dir.join(format!("{LIBRARY}.{}", std::process::id()));
    fs::copy(compiled, &temporary).with_context(place)?;
    fs::File::open(&temporary).and_then(|file| file.sync_all()).with_context(place)?;
    fs::rename(&temporary, lib_dir.join(LIBRARY)).with_context(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_cache_is_where_the_user_says() {
        let set = |text| (!str::is_empty(text)).then(|| OsStr::new(text));
        let at = |own, xdg, home| cache_dir_from(set(own), set(xdg), set(home));
        assert_eq!(at("/own", "/xdg", "/home/a"), Some("/own".into()));
        assert_eq!(at("", "/xdg", "/home/a"), Some("/xdg/musubi".into()));
        assert_eq!(at("", "", "/home/a"), Some("/home/a/.cache/musubi".into()));
        assert_eq!(at("relative", "", "/home/a"), Some("/home/a/.cache/musubi".into()));
        assert_eq!(at("", "", ""), None);
    }

    #[test]
    fn a_kept_library_is_whole_and_leaves_no_temporary_file() {
        let root = std::env::temp_dir().join(format!("xtask-{}-keep", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        fs::write(root.join("built.a"), "archive").unwrap();
        let lib = root.join("key/lib");
        keep(&root.join("built.a"), &lib).unwrap();
        keep(&root.join("built.a"), &lib).unwrap();
        assert_eq!(fs::read_to_string(lib.join(LIBRARY)).unwrap(), "archive");
        assert_eq!(fs::read_dir(&lib).unwrap().count(), 1);
    }

    #[test]
    fn the_environment_counts_only_while_it_names_the_right_library() {
        let cache = std::env::temp_dir().join(format!("xtask-{}-chosen", std::process::id()));
        let _ = fs::remove_dir_all(&cache);
        let (ours, old, own) = (cache.join("c/new"), cache.join("c/old"), cache.join("own"));
        for folder in [&ours, &old, &own] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(LIBRARY), "").unwrap();
        }
        let inside = cache.join("c");
        let choose = |chosen: &Path| {
            RocksDb::chosen_by_user(chosen.to_owned(), &ours, &inside)
                .map(|it| it.map(|it| it.lib_dir))
        };
        assert_eq!(choose(&ours).unwrap(), Some(ours.clone()));
        assert_eq!(choose(&old).unwrap(), None, "a stale key of our cache");
        assert_eq!(choose(&own).unwrap(), Some(own.clone()), "the user's own library");
        let link = inside.join("link");
        std::os::unix::fs::symlink(&ours, &link).unwrap();
        assert_eq!(choose(&link).unwrap(), Some(link.clone()), "the name given is kept");
        fs::remove_file(own.join(LIBRARY)).unwrap();
        assert!(choose(&own).is_err());
    }

    #[test]
    fn the_settings_for_cargo_are_toml() {
        let text = cargo_config(Path::new("/a \"b\"/lib"));
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["env"]["ROCKSDB_LIB_DIR"].as_str(), Some("/a \"b\"/lib"));
    }
}
