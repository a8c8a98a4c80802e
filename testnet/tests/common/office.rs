//! The `musubi` program in the hands of a network's officers.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    dead_code,
    reason = "each test binary uses its part"
)]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use musubi_testnet::network::PASSPHRASE;
use serde_json::Value;

/// A home with the officers' keys, and the program that uses it.
pub struct Office {
    pub home: PathBuf,
}

impl Office {
    pub fn run(&self, args: &[&str]) -> Output {
        let folder = Path::new(env!("CARGO_BIN_EXE_musubi-testnet")).parent().unwrap();
        let mut command = Command::new(folder.join("musubi"));
        // Before the command: `report` takes all that stands behind it for itself.
        command.args(["--json", "--home"]).arg(&self.home).args(args);
        command.env("MUSUBI_PASSPHRASE", PASSPHRASE).output().unwrap()
    }

    pub fn done(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub fn refused(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stderr).unwrap()
    }
}
