//! One `musubi-node` process.
//!
//! Its standard input is a pipe that this process holds open and never writes to. However this process ends,
//! the system closes the pipe then, and the node stops by itself (`--stop-with-stdin`).

use std::{
    fs::OpenOptions,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How large each file of a node may become: the nearest thing to a full disk that anybody may have.
#[derive(Clone, Copy, Debug)]
pub struct FileLimit {
    /// In blocks of 512 bytes, as `ulimit -f` counts.
    pub blocks: u32,
}

/// A running process; killed when dropped.
#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts a node, its log appended to a file. Writes beyond `file_limit` in any file fail.
    pub(super) fn node(
        config: &Path,
        log: &Path,
        file_limit: Option<FileLimit>,
    ) -> anyhow::Result<Self> {
        let program = node_program()?;
        let file = OpenOptions::new().create(true).append(true).open(log);
        let file = file.with_context(|| format!("cannot write {}", log.display()))?;
        let child = command(&program, file_limit)
            .args(["run", "--stop-with-stdin", "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            // Of its own group: a terminal's Ctrl-C reaches us alone, and we stop the nodes in order.
            .process_group(0)
            .spawn();
        Ok(Self(child.with_context(|| format!("cannot start {}", program.display()))?))
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    /// Asks it to stop (SIGTERM).
    pub(super) fn terminate(&self) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        // It may have ended by itself: then there is nothing to ask.
        let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
    }

    /// Ends it at once (SIGKILL).
    pub(super) fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Both fail only if it has ended and was waited for already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The program, where its files are limited by way of a shell that becomes it.
fn command(program: &Path, file_limit: Option<FileLimit>) -> Command {
    let Some(FileLimit { blocks }) = file_limit else { return Command::new(program) };
    let mut shell = Command::new("sh");
    // Without the trap the first write too far would be answered with a signal that kills; ignored, and
    // inherited so, it fails as a write on a full disk does.
    let script = r#"trap "" XFSZ && ulimit -f "$1" && shift && exec "$@""#;
    shell.args(["-c", script, "sh"]).arg(blocks.to_string()).arg(program);
    shell
}

/// `musubi-node`, which is built into the same folder as this program.
fn node_program() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program does not know where it lies")?;
    let mut folder = own.parent().unwrap_or(Path::new("."));
    // Test programs lie one folder deeper.
    if folder.ends_with("deps") {
        folder = folder.parent().unwrap_or(folder);
    }
    let program = folder.join("musubi-node");
    if !program.exists() {
        bail!("{} is not built: run `cargo xtask build`", program.display());
    }
    Ok(program)
}
