//! Submitting: whatever is sent lies in the home's outbox until its verdict is known.

use std::path::{Path, PathBuf};

use musubi_sdk::{
    ClientError, Code, HalfSigned, Wait,
    api::{Stage, Status},
};

use super::{error::CliError, files, session::Session, table};

impl Session {
    /// Submits, and waits for the verdict. Anything but `applied` is an error.
    ///
    /// The bytes are kept in the outbox until there is a verdict: a crash right here, or a network that
    /// falls silent, leaves them there to be submitted again, which is safe; signing the same intent
    /// anew would be a second payment.
    pub(crate) async fn submit(&mut self, half: HalfSigned) -> Result<Status, CliError> {
        let id = half.id();
        let client = self.client()?;
        let path = outbox(self.home(), &half);
        files::replace(&path, &half.encode())?;
        let again = || format!("send the same again with `musubi submit {}`", path.display());
        let status = match client.submit(&half.complete(), Wait::Committed).await {
            Ok(status) => status,
            Err(error @ (ClientError::InDoubt { .. } | ClientError::Unreachable { .. })) => {
                return Err(CliError::from(error).about(id).next(again()));
            }
            Err(error) => {
                files::remove(&path)?;
                return Err(CliError::from(error).about(id));
            }
        };
        let code = match (status.stage, status.code) {
            (Stage::Judged | Stage::Void, Some(code)) => code,
            _ => {
                let error = CliError::new("no_verdict", "it was sent, but has no verdict yet");
                return Err(error.about(id).next(again()));
            }
        };
        files::remove(&path)?;
        match code {
            Code::Applied => Ok(status),
            code => Err(CliError::verdict(id, code)),
        }
    }
}

/// Where a transaction waits for its verdict, or for somebody to pass it on.
pub(crate) fn outbox(home: &Path, half: &HalfSigned) -> PathBuf {
    let name = format!("{}.musubi", table::short(&half.id()));
    home.join("outbox").join(name)
}
