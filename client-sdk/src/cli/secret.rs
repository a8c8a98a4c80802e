//! Passphrases: from a file, from the environment, or asked on the terminal without echo. Never from
//! the command line, where every process can read them.

use std::{
    fs::File,
    io::{BufRead, BufReader, IsTerminal, Write},
    path::Path,
};

use rustix::termios::{self, LocalModes, OptionalActions};
use zeroize::Zeroizing;

use super::error::{CliError, file_error};

/// The environment variable with the passphrase.
pub(crate) const VARIABLE: &str = "MUSUBI_PASSPHRASE";

/// The passphrase for `what`: from `file`, else the environment, else asked; `twice` for a new one.
pub(crate) fn passphrase(
    file: Option<&Path>,
    what: &str,
    twice: bool,
) -> Result<Zeroizing<String>, CliError> {
    if let Some(path) = file {
        return from_file(path);
    }
    if let Ok(text) = std::env::var(VARIABLE) {
        return Ok(Zeroizing::new(text));
    }
    let prompt = format!("Passphrase for {what}: ");
    if twice { ask_twice(&prompt) } else { ask(&prompt) }
}

fn ask_twice(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    let first = ask(prompt)?;
    if *ask("The same again: ")? != *first {
        let error = CliError::usage("passphrases_differ", "the two passphrases differ");
        return Err(error.next("try again; nothing was written"));
    }
    Ok(first)
}

/// A passphrase to replace another: from a file, or asked twice.
pub(crate) fn new_passphrase(
    file: Option<&Path>,
    name: &str,
) -> Result<Zeroizing<String>, CliError> {
    match file {
        Some(path) => from_file(path),
        None => ask_twice(&format!("New passphrase for the key of {name}: ")),
    }
}

/// The first line of a file.
fn from_file(path: &Path) -> Result<Zeroizing<String>, CliError> {
    let failed = |cause| file_error(path, cause);
    let mut line = Zeroizing::new(String::new());
    let file = File::open(path).map_err(failed)?;
    BufReader::new(file).read_line(&mut line).map_err(failed)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Asks on the controlling terminal, even if standard input or output is a pipe.
fn ask(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    let missing = |_| {
        CliError::usage(
            "no_passphrase",
            "a passphrase is needed, and there is no terminal to ask on",
        )
        .next(format!("set {VARIABLE}, or name a file with --passphrase-file"))
    };
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(missing)?;
    if !terminal.is_terminal() {
        return Err(missing(std::io::Error::other("no terminal")));
    }
    let failed = |cause: std::io::Error| CliError::new("terminal_error", cause.to_string());
    (&terminal).write_all(prompt.as_bytes()).map_err(failed)?;
    let silence = Silence::over(&terminal).map_err(failed)?;
    let mut line = Zeroizing::new(String::new());
    let read = BufReader::new(&terminal).read_line(&mut line);
    drop(silence);
    (&terminal).write_all(b"\n").map_err(failed)?;
    read.map_err(failed)?;
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A terminal that does not echo, until this is dropped.
struct Silence<'t> {
    terminal: &'t File,
    before: termios::Termios,
}

impl<'t> Silence<'t> {
    fn over(terminal: &'t File) -> std::io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // Failing to restore the echo is a nuisance, `reset` helps; there is nobody to tell it to.
        let _ = termios::tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_gives_its_first_line_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        std::fs::write(&path, "correct horse \r\nsecond\n").unwrap();
        assert_eq!(*passphrase(Some(&path), "x", true).unwrap(), "correct horse ");
        let gone = folder.path().join("gone");
        assert_eq!(passphrase(Some(&gone), "x", false).unwrap_err().code, "file_error");
    }
}
