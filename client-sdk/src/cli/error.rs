//! What the command says when something does not work: what happened, a stable code, what to do next.

use std::fmt;

use musubi_sdk::{ClientError, Code, KeystoreError, TxId, ledger::id::IdError};
use serde_json::{Value, json};

/// An error as a person reads it; `--json` prints the same as a problem document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CliError {
    /// Stable, snake case: a verdict's, a node's, or one of this command's own.
    pub(crate) code: String,
    /// What happened, in a sentence.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) next: Option<String>,
    /// The transaction that it is about.
    pub(crate) id: Option<TxId>,
    /// Whether the command line itself was wrong: exit code 2 instead of 1.
    pub(crate) usage: bool,
    /// A field of its own, for programs.
    pub(crate) more: Option<Box<(&'static str, Value)>>,
}

impl CliError {
    /// Something failed.
    pub(crate) fn new(code: &str, what: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            what: what.into(),
            next: None,
            id: None,
            more: None,
            usage: false,
        }
    }

    /// The command was called in a way that cannot work.
    pub(crate) fn usage(code: &str, what: impl Into<String>) -> Self {
        Self { usage: true, ..Self::new(code, what) }
    }

    /// A transaction was judged, and not applied.
    pub(crate) fn verdict(id: TxId, code: Code) -> Self {
        Self { id: Some(id), ..Self::new(code.name(), code.sentence()).with_next(after(code)) }
    }

    /// With what to do next.
    pub(crate) fn next(self, next: impl Into<String>) -> Self {
        self.with_next(Some(next.into()))
    }

    fn with_next(mut self, next: Option<String>) -> Self {
        self.next = next;
        self
    }

    /// With a field of its own in the problem document.
    pub(crate) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.more = Some(Box::new((name, value)));
        self
    }

    /// About a transaction.
    pub(crate) fn about(mut self, id: TxId) -> Self {
        self.id = Some(id);
        self
    }

    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.usage { 2 } else { 1 }
    }

    /// As a problem document (RFC 9457).
    pub(crate) fn to_json(&self) -> Value {
        let mut problem = json!({
            "type": format!("urn:musubi:problem:{}", self.code),
            "title": self.code.replace('_', " "),
            "code": self.code,
            "detail": self.what,
        });
        if let Some(next) = &self.next {
            problem["next"] = json!(next);
        }
        if let Some(id) = &self.id {
            problem["id"] = json!(id);
        }
        if let Some(more) = &self.more {
            problem[more.0] = more.1.clone();
        }
        problem
    }
}

/// What a person at this command can do about a verdict, where its sentence does not say it.
fn after(code: Code) -> Option<String> {
    let text = match code {
        Code::InsufficientFunds => "see what can be spent with `musubi balance`",
        Code::InsufficientClaim => "see what can be redeemed with `musubi balance`",
        Code::SamePerson => "let a different person sign the second role",
        Code::ApproversMissing => "see who is missing with `musubi pending`",
        Code::MissingConsent => {
            "see who must sign with `musubi accept FILE`, or read docs/CONSENT.md"
        }
        Code::ProposalNotOpen | Code::ConsentNotNeeded => {
            "see the proposals that wait with `musubi pending`"
        }
        Code::UnknownParty => "register it first with `musubi party register`",
        Code::KeyUnknown | Code::KeyNotActive => "see which keys are good with `musubi party show`",
        Code::MandateNotActive | Code::MandateMismatch | Code::OverMandate => {
            "see its bounds with `musubi mandate show`"
        }
        Code::OverAllowance | Code::AllowanceNotActive => {
            "see what is left with `musubi allowance show`"
        }
        Code::PartyFrozen => "two officers of its registrar lift it with `musubi party unfreeze`",
        _ => return None,
    };
    Some(text.into())
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "musubi: {}", self.what)?;
        write!(f, "\n  code: {}", self.code)?;
        if let Some(id) = &self.id {
            write!(f, "\n  id:   {id}")?;
        }
        match &self.next {
            Some(next) => write!(f, "\n  next: {next}"),
            None => Ok(()),
        }
    }
}

impl From<KeystoreError> for CliError {
    fn from(error: KeystoreError) -> Self {
        let plain = Self::new(error.code(), error.to_string());
        match error {
            KeystoreError::WrongPassphrase => plain
                .next("check MUSUBI_PASSPHRASE or --passphrase-file, or unset both to be asked"),
            _ => plain,
        }
    }
}

impl From<IdError> for CliError {
    fn from(error: IdError) -> Self {
        Self::usage("bad_identifier", error.to_string())
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        let next = match &error {
            ClientError::NoNodes => Some(
                "name one with --node URL or MUSUBI_NODE, or save it with `musubi info --save`",
            ),
            ClientError::Unreachable { .. } => {
                Some("check that the node runs, and its address with `musubi info`")
            }
            ClientError::Busy { .. } => Some("the same bytes may be sent again later"),
            ClientError::Problem(problem) => match (problem.code.as_str(), problem.status) {
                ("operator_only", _) => Some("give an operator's token: MUSUBI_TOKEN"),
                ("memo_not_here", _) => {
                    Some("ask again, or another organisation's node; it may have been erased there")
                }
                (_, 401 | 403) => Some(
                    "give a reader token: MUSUBI_TOKEN, or in profile.toml for the profile's nodes",
                ),
                _ => None,
            },
            _ => None,
        };
        let what = match &error {
            ClientError::Problem(problem) => problem.detail.clone(),
            other => other.to_string(),
        };
        let plain = Self::new(error.code(), what);
        let plain = match error.problem().and_then(|problem| problem.id) {
            Some(id) => plain.about(id),
            None => plain,
        };
        match next {
            Some(next) => plain.next(next),
            None => plain,
        }
    }
}

/// A local file that could not be read or written.
pub(crate) fn file_error(path: &std::path::Path, cause: impl fmt::Display) -> CliError {
    CliError::new("file_error", format!("{}: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_happened_the_code_and_the_next_step() {
        let error = CliError::verdict(TxId([0xab; 32]), Code::InsufficientFunds);
        let expected = format!(
            "musubi: The wallet does not hold enough that can be spent now.\n  \
             code: insufficient_funds\n  id:   {}\n  next: see what can be spent with `musubi balance`",
            "ab".repeat(32)
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.exit_code(), 1);
    }

    #[test]
    fn programs_read_a_problem_document() {
        let error =
            CliError::usage("unknown_name", "nobody is called `saburo` here").next("add them");
        let expected = json!({
            "type": "urn:musubi:problem:unknown_name",
            "title": "unknown name",
            "code": "unknown_name",
            "detail": "nobody is called `saburo` here",
            "next": "add them",
        });
        assert_eq!(error.to_json(), expected);
        assert_eq!(error.exit_code(), 2);
    }
}
