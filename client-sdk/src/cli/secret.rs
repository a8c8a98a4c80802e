//! Passphrases: from a file, from the environment, or asked on the terminal without echo. Never from
//! the command line, where every process can read them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, IsTerminal, Write},
    path::{Path, PathBuf},
};

use rustix::termios::{self, LocalModes, OptionalActions};
use zeroize::Zeroizing;

use super::error::{CliError, file_error};

/// The environment variable with the passphrase.
pub(crate) const VARIABLE: &str = "MUSUBI_PASSPHRASE";

/// What was given in this run, by the key file that it opens: two files are two locks.
#[derive(Default)]
pub(crate) struct Passphrases {
    known: BTreeMap<PathBuf, Zeroizing<String>>,
}

impl Passphrases {
    /// The passphrase of a file; `ask` is asked if it is not known yet.
    pub(crate) fn of(
        &mut self,
        path: &Path,
        ask: impl FnOnce() -> Result<Zeroizing<String>, CliError>,
    ) -> Result<Zeroizing<String>, CliError> {
        if let Some(known) = self.known.get(path) {
            return Ok(known.clone());
        }
        let text = ask()?;
        self.learn(path, text.clone());
        Ok(text)
    }

    /// This one opens, or will open, that file.
    pub(crate) fn learn(&mut self, path: &Path, passphrase: Zeroizing<String>) {
        self.known.insert(path.to_owned(), passphrase);
    }
}

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
    fn each_key_file_has_its_own_passphrase() {
        let mut known = Passphrases::default();
        let mut asked = Vec::new();
        for file in ["a.pem", "b.pem", "a.pem", "b.pem"] {
            let given = known.of(Path::new(file), || {
                asked.push(file);
                Ok(Zeroizing::new(format!("of {file}")))
            });
            assert_eq!(*given.unwrap(), format!("of {file}"));
        }
        assert_eq!(asked, ["a.pem", "b.pem"]);
        known.learn(Path::new("c.pem"), Zeroizing::new("same".into()));
        assert_eq!(*known.of(Path::new("c.pem"), || panic!("it is known")).unwrap(), "same");
    }

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
