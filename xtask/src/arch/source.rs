//! The workspace's own Rust files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::workspace::Workspace;

/// A Rust file, by its path from the workspace's root, with `/` between folders.
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) text: String,
}

/// Reads the Rust files of all member crates, in the order of their paths.
pub(super) fn load(workspace: &Workspace, metadata: &Value) -> Result<Vec<SourceFile>> {
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let manifests = packages.iter().filter_map(|package| package["manifest_path"].as_str());
    let mut paths = Vec::new();
    for manifest in manifests {
        let folder = Path::new(manifest).parent().context("a manifest has no folder")?;
        collect(folder, &mut paths)?;
    }
    paths.sort();
    paths.dedup();
    paths.iter().map(|path| read(workspace.root(), path)).collect()
}

fn read(root: &Path, path: &Path) -> Result<SourceFile> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    Ok(SourceFile { path, text })
}

/// All Rust files below a folder, but for build output and hidden folders.
fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_hidden = name.to_string_lossy().starts_with('.');
        if entry.file_type()?.is_dir() {
            if name != "target" && !is_hidden {
                collect(&path, found)?;
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Source files for the tests of the checks.
#[cfg(test)]
pub(super) fn sample(files: &[(&str, &str)]) -> Vec<SourceFile> {
    let file =
        |(path, text): &(&str, &str)| SourceFile { path: (*path).into(), text: (*text).into() };
    files.iter().map(file).collect()
}
