//! The system tools that a build needs besides Rust, and the font of reports, one function each. What is missing is
//! installed with apt where that needs no question; otherwise the user gets the exact command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// A tool that the build calls, why, and the Debian package that has it.
struct Tool {
    name: &'static str,
    needed_for: &'static str,
    package: &'static str,
    find: fn() -> Option<PathBuf>,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "a linker (cc)",
        needed_for: "every Rust binary",
        package: "build-essential",
        find: linker,
    },
    Tool {
        name: "a C++ compiler (c++)",
        needed_for: "RocksDB",
        package: "build-essential",
        find: cxx_compiler,
    },
    Tool {
        name: "make",
        needed_for: "the node's allocator",
        package: "build-essential",
        find: || in_path("make"),
    },
    Tool {
        name: "libclang with its headers",
        needed_for: "RocksDB's bindings",
        package: "libclang-dev",
        find: libclang,
    },
    Tool {
        name: "protoc",
        needed_for: "raft's messages",
        package: "protobuf-compiler",
        find: protoc,
    },
    Tool {
        name: "BIZ UDGothic",
        needed_for: "reports in PDF",
        package: "fonts-morisawa-bizud-gothic",
        find: font,
    },
];

/// Returns when every tool is there; installs what is missing if it may.
///
/// # Errors
/// Something is missing and cannot be installed without asking: the message holds the command to type.
pub(crate) fn ensure() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    for tool in &missing {
        println!("missing: {}, needed for {}", tool.name, tool.needed_for);
    }
    let packages = packages(&missing);
    let Some(prefix) = apt_prefix() else {
        bail!("{}", advice(&packages));
    };
    println!("installing with apt: {}", packages.join(" "));
    install(&prefix, &packages).with_context(|| advice(&packages))?;
    let still = self::missing();
    if let Some(tool) = still.first() {
        bail!(
            "{} is still not found after installing {}; does CXX, PROTOC or LIBCLANG_PATH name a \
             place that is not there?",
            tool.name,
            packages.join(" ")
        );
    }
    Ok(())
}

fn missing() -> Vec<&'static Tool> {
    TOOLS.iter().filter(|tool| (tool.find)().is_none()).collect()
}

/// The packages of some tools, each once, in the table's order.
fn packages(tools: &[&Tool]) -> Vec<&'static str> {
    let mut packages: Vec<&str> = tools.iter().map(|tool| tool.package).collect();
    packages.dedup();
    packages
}

fn advice(packages: &[&str]) -> String {
    let packages = packages.join(" ");
    format!(
        "install what is missing, then run the command again. On Debian or Ubuntu:\n    \
         sudo apt-get update && sudo apt-get install -y {packages}"
    )
}

/// The words in front of `apt-get` if it can be run without a question: none for root, `sudo -n` where
/// that asks for no password. `None` where there is no apt, or no right to use it.
fn apt_prefix() -> Option<Vec<&'static str>> {
    in_path("apt-get")?;
    let id = process::output(Command::new("id").arg("-u")).ok()?;
    if id.trim() == "0" {
        return Some(Vec::new());
    }
    process::succeeds(Command::new("sudo").args(["-n", "true"])).then(|| vec!["sudo", "-n"])
}

fn install(prefix: &[&str], packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        // `env` instead of our own environment, because sudo starts with a clean one.
        let words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
        let mut words = prefix.iter().chain(&words).chain(arguments);
        let mut command = Command::new(words.next().unwrap_or(&"env"));
        process::run(command.args(words))
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// The linker that rustc calls on Unix.
fn linker() -> Option<PathBuf> {
    in_path("cc")
}

/// `$CXX`, or the compiler that the `cc` crate calls by default.
fn cxx_compiler() -> Option<PathBuf> {
    match std::env::var("CXX") {
        Ok(named) => in_path(named.split_whitespace().next()?),
        Err(_) => in_path("c++"),
    }
}

/// `$PROTOC`, or `protoc` in the path: where prost-build looks.
fn protoc() -> Option<PathBuf> {
    match std::env::var_os("PROTOC") {
        Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
        None => in_path("protoc"),
    }
}

/// The font where Debian's package has it. Elsewhere than with apt nothing is asked for: whoever makes a PDF names a font.
fn font() -> Option<PathBuf> {
    let font = PathBuf::from("/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf");
    if in_path("apt-get").is_none() || font.is_file() { Some(font) } else { None }
}

/// The folder of a libclang that can parse C: `$LIBCLANG_PATH`, the one `llvm-config` names, or
/// Debian's `/usr/lib/llvm-*/lib`. Where the user names one, its headers are the user's matter too.
fn libclang() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("LIBCLANG_PATH") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file() || has_libclang(path));
    }
    let from_config = in_path("llvm-config")
        .and_then(|config| process::output(Command::new(config).arg("--libdir")).ok())
        .map(|line| PathBuf::from(line.trim()));
    let from_debian = children(Path::new("/usr/lib"), "llvm-").map(|llvm| llvm.join("lib"));
    from_config.into_iter().chain(from_debian).find(|folder| is_usable_libclang(folder))
}

/// The library alone is not enough: bindgen stops at `stddef.h` without the compiler's own headers.
fn is_usable_libclang(folder: &Path) -> bool {
    let headers = folder.join("clang");
    has_libclang(folder)
        && children(&headers, "").any(|version| version.join("include/stddef.h").is_file())
}

fn has_libclang(folder: &Path) -> bool {
    children(folder, "libclang").any(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // libclang.so, libclang.so.1, libclang-14.so.14.0.6; not libclang-cpp.so.
        (name.starts_with("libclang.so") || name.starts_with("libclang-"))
            && name.contains(".so")
            && !name.starts_with("libclang-cpp")
    })
}

/// What a folder holds under names with a prefix, in order; nothing if it cannot be read.
fn children(folder: &Path, prefix: &'static str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found.into_iter()
}

/// A program in the path, or at a path.
pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    find_program(program, &std::env::var_os("PATH").unwrap_or_default())
}

fn find_program(program: &str, path: &OsString) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// An empty folder of this test's own, with some empty files in it.
    fn folder(test: &str, files: &[&str]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("xtask-{}-{test}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).unwrap();
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        root
    }

    #[test]
    fn a_program_is_found_in_the_path_or_at_its_path() {
        let root = folder("path", &["bin/protoc"]);
        let path = OsString::from(format!("/nowhere:{}/bin", root.display()));
        let expected = root.join("bin/protoc");
        assert_eq!(find_program("protoc", &path), Some(expected.clone()));
        assert_eq!(find_program(expected.to_str().unwrap(), &path), Some(expected));
        assert_eq!(find_program("protoc-3", &path), None);
        assert_eq!(find_program("/nowhere/protoc", &path), None);
    }

    #[test]
    fn libclang_needs_its_headers() {
        let bare = folder("bare", &["libclang-14.so.14.0.6"]);
        assert!(has_libclang(&bare) && !is_usable_libclang(&bare));
        let whole = folder("whole", &["libclang.so.1", "clang/14.0.6/include/stddef.h"]);
        assert!(is_usable_libclang(&whole));
        let other =
            folder("other", &["libclang-cpp.so.14", "libclangAST.a", "clang/14/include/stddef.h"]);
        assert!(!is_usable_libclang(&other), "the C++ library is another one");
    }

    #[test]
    fn advice_names_each_package_once() {
        let all: Vec<&Tool> = TOOLS.iter().collect();
        let text = advice(&packages(&all));
        let command = "apt-get install -y build-essential libclang-dev protobuf-compiler \
                       fonts-morisawa-bizud-gothic";
        assert!(text.ends_with(command), "{text}");
    }
}
