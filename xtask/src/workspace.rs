//! Where things are: the workspace's root, Cargo, and the folders that Cargo uses.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The checkout that `cargo xtask` was called in.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// Finds the root: the folder above this crate. Cargo says at run time where that is, so a checkout
    /// that was moved after its last build still finds itself.
    pub(crate) fn find() -> Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = package.parent().context("xtask has no folder above it")?;
        Ok(Self { root: root.to_owned() })
    }

    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A Cargo command at the root, with an environment as a user's shell would have it.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).current_dir(&self.root);
        process::forget_cargo(&mut command);
        command
    }

    /// What `cargo metadata` says about the workspace's own crates.
    pub(crate) fn metadata(&self) -> Result<Value> {
        let arguments = ["metadata", "--format-version=1", "--no-deps", "--locked"];
        let text = process::output(&mut self.cargo(&arguments))?;
        serde_json::from_str(&text).context("cargo metadata printed something that is not JSON")
    }

    /// Cargo's target folder, wherever the user's configuration puts it.
    pub(crate) fn target_dir(&self) -> Result<PathBuf> {
        let metadata = self.metadata()?;
        let target = metadata["target_directory"].as_str();
        target.map(PathBuf::from).context("cargo metadata names no target directory")
    }

    /// Reads a file of the workspace as text.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        let path = self.root.join(path);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}
