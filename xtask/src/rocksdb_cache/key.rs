//! The name of a cached RocksDB library: everything that decides what the compiler produces.

use anyhow::{Context, Result};

use crate::process;
use crate::workspace::Workspace;

/// The features of librocksdb-sys that change its C++ code; the others only concern the bindings.
const FEATURES: &[&str] =
    &["bzip2", "io-uring", "jemalloc", "lto", "lz4", "mt_static", "rtti", "snappy", "zlib", "zstd"];

/// The key for this workspace, as `0.19.0+11.8.1-lz4-O3-target-cpu=x86-64-v2-x86_64-unknown-linux-gnu`.
pub(crate) fn of(workspace: &Workspace) -> Result<String> {
    let mut arguments = vec!["tree", "--locked", "-p", "librocksdb-sys", "--depth", "0"];
    arguments.extend(["--prefix", "none", "--format", "{p}|{f}"]);
    let tree = process::output(&mut workspace.cargo(&arguments))?;
    let build = Build {
        opt_level: env!("XTASK_OPT_LEVEL"),
        rustflags: env!("XTASK_RUSTFLAGS"),
        host: env!("XTASK_HOST"),
    };
    build.key(tree.trim()).with_context(|| format!("cargo tree on librocksdb-sys said {tree:?}"))
}

/// What Cargo tells build scripts in this workspace (see `build.rs`).
struct Build {
    opt_level: &'static str,
    rustflags: &'static str,
    host: &'static str,
}

impl Build {
    /// `package` is a line like `librocksdb-sys v0.19.0+11.8.1|lz4,static`.
    fn key(&self, package: &str) -> Option<String> {
        let (name, features) = package.split_once('|')?;
        let version = name.split_whitespace().nth(1)?.strip_prefix('v')?;
        let mut parts = vec![version.to_owned()];
        parts.extend(features.split(',').filter(|name| FEATURES.contains(name)).map(str::to_owned));
        parts.push(format!("O{}", self.opt_level));
        // Every flag counts: too many libraries cost time, a wrong one costs correctness.
        parts.extend(self.rustflags.split_whitespace().map(flag));
        parts.push(self.host.to_owned());
        Some(parts.join("-"))
    }
}

/// A compiler flag as a part of a file name.
fn flag(text: &str) -> String {
    let bare = text.trim_start_matches("-C").trim_start_matches('-');
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.+=".contains(c);
    bare.chars().map(|c| if safe(c) { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKAGE: &str = "librocksdb-sys v0.19.0+11.8.1|bindgen-runtime,lz4,lz4-sys,static";
    const BUILD: Build = Build {
        opt_level: "3",
        rustflags: "-Ctarget-cpu=x86-64-v2",
        host: "x86_64-unknown-linux-gnu",
    };

    #[test]
    fn the_key_names_what_decides_the_library() {
        let expected = "0.19.0+11.8.1-lz4-O3-target-cpu=x86-64-v2-x86_64-unknown-linux-gnu";
        assert_eq!(BUILD.key(PACKAGE).as_deref(), Some(expected));
    }

    #[test]
    fn each_part_makes_another_key() {
        let key = |build: Build, package: &str| build.key(package);
        let first = BUILD.key(PACKAGE);
        assert_ne!(first, key(Build { opt_level: "2", ..BUILD }, PACKAGE));
        assert_ne!(first, key(Build { rustflags: "", ..BUILD }, PACKAGE));
        assert_ne!(first, key(Build { host: "aarch64-unknown-linux-gnu", ..BUILD }, PACKAGE));
        assert_ne!(first, BUILD.key(&PACKAGE.replace("0.19.0", "0.19.1")));
        assert_ne!(first, BUILD.key(&PACKAGE.replace("static", "zstd")));
        assert_eq!(first, BUILD.key(&PACKAGE.replace("bindgen-runtime,", "")));
    }

    #[test]
    fn the_key_is_one_file_name() {
        let build = Build { rustflags: "-C linker=/usr/bin/ld --cfg a=\"b\"", ..BUILD };
        assert!(build.key(PACKAGE).is_some_and(|key| !key.contains(['/', '"', ' '])));
    }

    #[test]
    fn an_unexpected_line_is_no_key() {
        assert_eq!(BUILD.key("warning: nothing to print"), None);
    }
}
