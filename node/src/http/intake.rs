//! What happens to submissions between their arrival and their answers: checked, rated, handed over,
//! and followed where the client waits.

use std::{net::IpAddr, time::Instant};

use musubi_ledger::{
    api::Status,
    code::Code,
    id::TxId,
    state::{Row, RowKey},
    time::Time,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{
    Api, Who,
    access::{Admission, CheckedSubmission, Fate},
    check::{Answered, Finding, Raw},
    memos::Brought,
    problem::{ApiError, DoorCode},
    views,
};
use crate::metrics::Stage;

/// An item on its way to its answer.
enum Placed {
    Answered(Result<Status, ApiError>),
    OnTheWay(TxId, Time, Option<oneshot::Receiver<Fate>>),
}

/// Until when a client waits, and for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until when.
    pub(super) deadline: Instant,
    /// For the final checkpoint over the verdict too.
    pub(super) to_the_end: bool,
}

impl Api {
    /// Takes transactions through the door and, with a deadline, follows them to their results. `body` is
    /// what the request's body holds of its budget: the door's own counts from its queue on. A single one may
    /// bring its memo.
    pub(super) async fn admit(
        &self,
        ip: IpAddr,
        items: Vec<Raw>,
        (body, memo): (Option<OwnedSemaphorePermit>, Option<Brought>),
        patience: Option<Patience>,
    ) -> Result<Vec<Result<Status, ApiError>>, ApiError> {
        let begun = Instant::now();
        if self.stop.is_cancelled() {
            return Err(DoorCode::Stopping.into());
        }
        if let Some(why) = self.door.closed() {
            return Err(why.into());
        }
        self.take_rate(self.per_ip.as_ref(), ip, items.len())?;
        let checking = self.door_checks.check(items)?;
        drop(body);
        let mut findings = checking.await.map_err(|_| ApiError::new(DoorCode::Internal))?;
        let memo_of = memo.as_ref().map(Brought::memo);
        if let Some(memo) = memo {
            assert_eq!(findings.len(), 1, "a memo comes with its transaction alone");
            let finding = findings.pop().expect("there is one");
            findings.push(self.keep_memo(finding, memo).await?);
        }
        let brought = memo_of.zip(findings.first().and_then(|f| Some(f.as_ref().ok()?.id)));
        let placed = self.hand_over(findings, patience.is_some());
        let mut answers = Vec::with_capacity(placed.len());
        for item in placed {
            answers.push(match item {
                Placed::Answered(answer) => answer,
                Placed::OnTheWay(id, _, None) => Ok(views::pending(id, self.head())),
                Placed::OnTheWay(id, expires, Some(fate)) => {
                    let status = self.follow(id, fate, patience.map(|p| p.deadline)).await;
                    status.map(|status| views::expiring(status, expires))
                }
            });
        }
        if let (Some((memo, id)), Some(answer)) = (brought, answers.first()) {
            self.drop_refused_memo(memo, id, answer).await;
        }
        if let Some(patience) = patience.filter(|patience| patience.to_the_end) {
            self.wait_final(&answers, patience.deadline).await;
        }
        let final_size = *self.ledger.finals().borrow();
        for status in answers.iter_mut().flatten() {
            *status = views::firm(status.clone(), final_size);
        }
        if patience.is_some() {
            self.metrics.stage(Stage::Follow, begun.elapsed());
        }
        Ok(answers)
    }

    /// Waits until a final checkpoint covers all of these verdicts, or the deadline.
    async fn wait_final(&self, answers: &[Result<Status, ApiError>], deadline: Instant) {
        let leaves = answers.iter().flatten().filter_map(|status| status.leaf);
        let Some(newest) = leaves.max() else { return };
        let mut finals = self.ledger.finals();
        let covered = finals.wait_for(|size| *size > newest);
        tokio::select! {
            // Closed while the node stops: what is known by then is the answer.
            _ = tokio::time::timeout_at(deadline.into(), covered) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Gives what is fit to the node's door, all in one step.
    fn hand_over(&self, findings: Vec<Finding>, follow: bool) -> Vec<Placed> {
        let mut placed: Vec<Placed> = Vec::with_capacity(findings.len());
        let mut fit = Vec::new();
        for finding in findings {
            placed.push(match finding {
                Err(Answered::Judged(id, judged)) => {
                    Placed::Answered(Ok(views::judged(id, &judged, self.head())))
                }
                Err(Answered::Refused(error)) => Placed::Answered(Err(error)),
                Ok(submission) => {
                    let (id, expires) = (submission.id, submission.transaction.body.expires);
                    match self.take_key_rates(&submission) {
                        Ok(()) => {
                            fit.push((placed.len(), submission));
                            Placed::OnTheWay(id, expires, None)
                        }
                        Err(error) => Placed::Answered(Err(error.about(id))),
                    }
                }
            });
        }
        if fit.is_empty() {
            return placed;
        }
        let (places, submissions): (Vec<usize>, Vec<_>) = fit.into_iter().unzip();
        let admissions = self.door.submit(submissions, follow);
        assert_eq!(admissions.len(), places.len(), "a door answers every submission");
        let mut admitted = 0;
        for (place, admission) in places.into_iter().zip(admissions) {
            let Placed::OnTheWay(id, _, fate) = &mut placed[place] else { continue };
            match admission {
                Admission::Admitted(receiver) => {
                    *fate = receiver;
                    admitted += 1;
                }
                Admission::Refused(why) => {
                    placed[place] = Placed::Answered(Err(ApiError::from(why).about(*id)));
                }
            }
        }
        self.metrics.admitted(admitted);
        placed
    }

    /// Charges every key that signed: the signatures hold, so nobody can use up another's rate.
    fn take_key_rates(&self, submission: &CheckedSubmission) -> Result<(), ApiError> {
        let mut signatures = submission.transaction.signatures.iter();
        signatures.try_for_each(|s| self.take_rate(self.per_key.as_ref(), s.signer, 1))
    }

    /// Waits for one result; past the deadline the item is pending.
    async fn follow(
        &self,
        id: TxId,
        fate: oneshot::Receiver<Fate>,
        deadline: Option<Instant>,
    ) -> Result<Status, ApiError> {
        let deadline = deadline.unwrap_or_else(Instant::now);
        let fate = tokio::select! {
            fate = tokio::time::timeout_at(deadline.into(), fate) => fate,
            () = self.stop.cancelled() => return Ok(views::pending(id, self.head())),
        };
        match fate {
            Ok(Ok(Fate::Ordered { result, .. })) if result.code == Code::AlreadyJudged => {
                // Another copy of it was quicker: its verdict is this one's.
                self.status(id, Who::Anyone).await
            }
            Ok(Ok(Fate::Ordered { head, result })) => {
                Ok(views::ordered(&result, head, self.head()))
            }
            Ok(Ok(Fate::Refused(why))) => Err(ApiError::from(why).about(id)),
            // Nothing more will come from here: it has expired, or the node stops.
            Ok(Err(_)) => self.status(id, Who::Anyone).await,
            Err(_) => Ok(views::pending(id, self.head())),
        }
    }

    /// Where a transaction stands, as far as this node knows.
    pub(super) async fn status(&self, id: TxId, who: Who) -> Result<Status, ApiError> {
        // The head first: what is absent then is absent at that head or a later one.
        let head = self.head();
        let pending = self.ledger.pending(&id);
        let row =
            self.read_by(who, move |ledger| Ok(ledger.state().row(&RowKey::Judged(id)))).await?;
        let status = match row {
            Some(Row::Judged(judged)) => views::judged(id, &judged, head),
            _ if pending => views::pending(id, head),
            _ => views::unknown(id, head),
        };
        Ok(views::firm(status, *self.ledger.finals().borrow()))
    }
}
