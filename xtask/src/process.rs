//! Running other programs, and telling how long they took.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Runs a command with our terminal and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = display(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and returns what it printed on standard output; standard error stays visible.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = display(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{shown}` printed no UTF-8"))
}

/// Whether a command can be started and succeeds; it prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Takes away what `cargo run` set for xtask itself. Some build scripts (ring's, for one) are run again
/// when such a variable changes, so a Cargo called from here would otherwise rebuild what a Cargo called
/// from a shell has just built.
pub(crate) fn forget_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if is_about_this_package(&name) {
            command.env_remove(name);
        }
    }
}

fn is_about_this_package(name: &OsStr) -> bool {
    const NAMES: &[&str] = &[
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_PRIMARY_PACKAGE",
        "OUT_DIR",
    ];
    let Some(name) = name.to_str() else {
        return false;
    };
    NAMES.contains(&name) || name.starts_with("CARGO_PKG_")
}

/// The command as one would type it, without its environment.
fn display(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// A duration for people: `0.4 s`, `12.0 s`, `3 min 07 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{seconds}.{} s", duration.subsec_millis() / 100)
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(duration(Duration::from_millis(449)), "0.4 s");
        assert_eq!(duration(Duration::from_millis(59_990)), "59.9 s");
        assert_eq!(duration(Duration::from_secs(187)), "3 min 07 s");
    }

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["fmt", "--all"]).env("SECRET", "x");
        assert_eq!(display(&command), "cargo fmt --all");
    }

    #[test]
    fn only_the_package_of_xtask_is_forgotten() {
        assert!(is_about_this_package(OsStr::new("CARGO_PKG_NAME")));
        assert!(is_about_this_package(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(!is_about_this_package(OsStr::new("CARGO_HOME")));
        assert!(!is_about_this_package(OsStr::new("CARGO_TARGET_DIR")));
    }

    #[test]
    fn a_failing_command_is_named() {
        let error = run(&mut Command::new("false")).map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.starts_with("`false` failed")));
    }
}
