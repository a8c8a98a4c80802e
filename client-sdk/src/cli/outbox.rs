//! Submitting: whatever is sent lies in the home's outbox until its verdict is known.

use std::path::{Path, PathBuf};

use musubi_sdk::{
    ClientError, Code, HalfSigned, Wait,
    api::{Stage, Status},
    ledger::memo::MemoBlob,
};

use super::{error::CliError, files, session::Session};

impl Session {
    /// Submits, and waits for the verdict. Anything but `applied` is an error.
    ///
    /// The bytes are kept in the outbox until they are judged: a crash right here, a network that falls
    /// silent, a refusal or a void leaves them there to be submitted again, which is safe. Whoever has a
    /// copy of them may still submit it until it expires, so signing the same intent anew could be a
    /// second payment.
    pub(crate) async fn submit(&mut self, half: HalfSigned) -> Result<Status, CliError> {
        let id = half.id();
        let client = self.client()?;
        let path = outbox(self.home(), &half);
        files::replace(&path, &half.encode())?;
        let again = || format!("send the same again with `musubi submit {}`", path.display());
        let failed = |error: ClientError| {
            let error = CliError::from(error).about(id);
            let next = match &error.next {
                Some(next) => format!("{next}; then {}", again()),
                None => again(),
            };
            error.next(next)
        };
        let memo = half.memo().map(MemoBlob::encode);
        let transaction = half.complete();
        let sent = client.submit_with_memo(&transaction, memo.as_deref(), Wait::Committed);
        let status = match sent.await {
            Ok(status) => status,
            // Another has its reference, and says so by its id: this one is of no use to anybody.
            Err(ClientError::Problem(problem)) if problem.code == Code::ReferenceTaken.name() => {
                files::remove(&path)?;
                return Err(CliError::from(ClientError::Problem(problem)));
            }
            // Nobody can apply this one any more: a new one is to be made.
            Err(error @ ClientError::NeverApplied { .. }) => {
                return Err(CliError::from(error).about(id));
            }
            Err(error) => return Err(failed(error)),
        };
        match (status.stage, status.code) {
            (Stage::Judged, Some(code)) => {
                files::remove(&path)?;
                match code {
                    Code::Applied => Ok(status),
                    code => Err(CliError::verdict(id, code)),
                }
            }
            (Stage::Void, Some(code)) => {
                let error = CliError::verdict(id, code);
                let kept = format!("it is kept in {}", path.display());
                let next = error.next.as_ref().map_or(kept.clone(), |n| format!("{n}; {kept}"));
                Err(error.next(next))
            }
            _ => {
                let error = CliError::new("no_verdict", "it was sent, but has no verdict yet");
                Err(error.about(id).next(again()))
            }
        }
    }
}

/// Where a transaction waits for its verdict, or for somebody to pass it on.
pub(crate) fn outbox(home: &Path, half: &HalfSigned) -> PathBuf {
    // The whole id: the short code is for people's eyes, and two of them may be the same.
    let name = format!("{}.musubi", half.id());
    home.join("outbox").join(name)
}
