//! Asking before signing: what will be signed is shown in words, and nothing is signed without a yes.

use std::io::{BufRead, IsTerminal, Write};

use super::error::CliError;

/// Shows `lines` and asks, unless `yes` was said on the command line. Everything goes to standard
/// error: standard output belongs to the result.
pub(crate) fn confirm(lines: &[String], question: &str, yes: bool) -> Result<(), CliError> {
    if yes {
        return Ok(());
    }
    let input = std::io::stdin();
    if !input.is_terminal() {
        let what = "this signs something, and there is no terminal to ask for a yes";
        let next = "read what it does with `musubi accept FILE --show`, then pass --yes";
        return Err(CliError::usage("confirmation_needed", what).next(next));
    }
    ask(lines, question, &mut input.lock(), &mut std::io::stderr().lock())
}

fn ask(
    lines: &[String],
    question: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), CliError> {
    let failed = |cause: std::io::Error| CliError::new("terminal_error", cause.to_string());
    for line in lines {
        writeln!(output, "  {line}").map_err(failed)?;
    }
    write!(output, "{question} [y/N] ").map_err(failed)?;
    output.flush().map_err(failed)?;
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(failed)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" | "はい" => Ok(()),
        _ => Err(CliError::new("not_confirmed", "nothing was signed and nothing was sent")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(text: &str) -> (Result<(), CliError>, String) {
        let mut shown = Vec::new();
        let lines = ["Pay 500 MEBUKU".to_owned()];
        let result = ask(&lines, "Sign?", &mut text.as_bytes(), &mut shown);
        (result, String::from_utf8(shown).unwrap())
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        for yes in ["y\n", "YES\n", "はい\n"] {
            assert_eq!(answer(yes).0, Ok(()));
        }
        for no in ["\n", "", "n\n", "yep\n"] {
            assert_eq!(answer(no).0.unwrap_err().code, "not_confirmed");
        }
        assert_eq!(answer("y\n").1, "  Pay 500 MEBUKU\nSign? [y/N] ");
    }
}
