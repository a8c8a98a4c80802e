//! When to send again, to whom, and when to stop: a state machine without I/O, clock or entropy.
//!
//! The same bytes may be sent any number of times to any node: an id is judged once. So the only hard
//! question is when silence means *no*. The answer (decision 5): never before block time has passed
//! the body's expiry, and then for ever.

use musubi_ledger::{
    api::{Problem, Stage, Status},
    code::Code,
    id::TxId,
    time::Time,
};

/// How often the same bytes are sent again after a void about their signatures. Somebody's stripped
/// copy of the same body may have been ordered first and its answer taken for ours; that is void too.
const VOID_RESENDS: u32 = 3;
/// How long a door that knows no key of the sender's is asked again, in milliseconds of the caller's
/// clock: the key may be registered, and that node a block behind.
const KEY_PATIENCE_MS: u64 = 5_000;

/// How patiently to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// First wait after all nodes failed once, in milliseconds; doubles with each round.
    pub wait_ms: u64,
    /// Longest wait, in milliseconds.
    pub wait_ms_max: u64,
    /// Rounds over all nodes without a single connection, after which nobody is there.
    pub rounds_unreachable: u32,
    /// Give up after this long without a verdict, in milliseconds of the caller's clock.
    pub give_up_ms: Option<u64>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { wait_ms: 100, wait_ms_max: 5_000, rounds_unreachable: 5, give_up_ms: Some(600_000) }
    }
}

/// What came of the last step.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A status, from a submission or a question.
    Status(Box<Status>),
    /// A refusal that repeating would not change.
    Refused(Box<Problem>),
    /// Overload or no leader (HTTP 429 or 503), or a replica, which takes nothing (421).
    Busy {
        /// What the node asked to wait, in milliseconds.
        retry_after_ms: Option<u64>,
        /// Whether the bytes may have gone on to another node all the same (503).
        in_doubt: bool,
    },
    /// Sent, and then silence: time-out, or the connection was lost.
    Lost,
    /// Not sent: no connection.
    Unreachable,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Submit the bytes to this node.
    Send {
        /// Its position in the caller's list.
        node: usize,
    },
    /// Ask this node for the status.
    Ask {
        /// Its position in the caller's list.
        node: usize,
    },
    /// Wait, then call [`Attempts::waited`].
    Wait {
        /// Milliseconds.
        ms: u64,
    },
    /// Stop.
    Done(Conclusion),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Conclusion {
    /// Judged, void, or (if that was asked for) accepted.
    Status(Box<Status>),
    /// Refused at the door, and no earlier attempt can have gone through.
    Refused(Box<Problem>),
    /// No verdict, and never one.
    NeverApplied {
        /// A block time at or past the expiry at which a node did not know it.
        at: Time,
    },
    /// Nobody is there, and nothing was sent.
    Unreachable,
    /// Nodes answered, and turned every attempt away as too many until time was up.
    Busy,
    /// No verdict in time; it may have been sent.
    InDoubt,
}

/// The caller's view of time and chance, given with every answer.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Milliseconds since the first attempt.
    pub elapsed_ms: u64,
    /// A random number, for jitter.
    pub random: u32,
}

/// The attempts to get one transaction judged.
#[derive(Clone, Debug)]
pub struct Attempts {
    /// The transaction.
    pub id: TxId,
    expires: Time,
    nodes: usize,
    until_judged: bool,
    policy: Policy,
    node: usize,
    /// Nodes that failed since the last wait.
    failed: usize,
    rounds: u32,
    /// Whether any node ever answered, if only to say that it is busy.
    heard: bool,
    /// Whether any attempt may have gone through.
    in_doubt: bool,
    /// Times that a void about signatures was answered by sending again.
    voids: u32,
    /// A refusal that may pass, and is the answer if it does not.
    refusal: Option<Box<Problem>>,
    asking: Option<Problem>,
    planned: Step,
}

impl Attempts {
    /// Begins with node `first` of `nodes`. With `until_judged`, acceptance is not enough.
    ///
    /// # Panics
    /// Without nodes.
    #[must_use]
    pub fn new(
        (id, expires): (TxId, Time),
        (first, nodes): (usize, usize),
        until_judged: bool,
        policy: Policy,
    ) -> Self {
        assert!(nodes > 0, "a client is configured with at least one node");
        let node = first % nodes;
        Self {
            id,
            expires,
            nodes,
            until_judged,
            policy,
            node,
            failed: 0,
            rounds: 0,
            heard: false,
            in_doubt: false,
            voids: 0,
            refusal: None,
            asking: None,
            planned: Step::Send { node },
        }
    }

    /// The first step.
    #[must_use]
    pub fn start(&self) -> Step {
        Step::Send { node: self.node }
    }

    /// Whether an attempt may have gone through without our knowing.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// The wait is over.
    #[must_use]
    pub fn waited(&self) -> Step {
        self.planned.clone()
    }

    /// Takes the answer to a step and says what is next.
    #[must_use]
    pub fn answered(&mut self, answer: Answer, moment: Moment) -> Step {
        let asked = self.asking.take();
        self.heard |= !matches!(answer, Answer::Unreachable | Answer::Lost);
        match answer {
            Answer::Status(status) => self.status(status, moment),
            Answer::Refused(problem) => match asked {
                // The question was refused (no reader token): the first refusal has to tell.
                Some(first) => self.unanswered(first),
                None => self.refused(problem, moment),
            },
            Answer::Busy { retry_after_ms, in_doubt } => {
                self.in_doubt |= in_doubt && asked.is_none();
                self.next_node(retry_after_ms.unwrap_or(0), asked, moment)
            }
            Answer::Lost => {
                self.in_doubt |= asked.is_none();
                self.next_node(0, asked, moment)
            }
            Answer::Unreachable => self.next_node(0, asked, moment),
        }
    }

    fn status(&mut self, status: Box<Status>, moment: Moment) -> Step {
        if self.voids < VOID_RESENDS && is_about_signatures(&status) {
            self.voids += 1;
            return match self.wait_then(Step::Send { node: self.node }, 0, moment) {
                Step::Done(_) => Step::Done(Conclusion::Status(status)),
                wait => wait,
            };
        }
        self.rounds = 0;
        match status.stage {
            Stage::Judged | Stage::Void => Step::Done(Conclusion::Status(status)),
            Stage::Pending if !self.until_judged => Step::Done(Conclusion::Status(status)),
            Stage::Pending => {
                self.in_doubt = true;
                self.wait_then(Step::Send { node: self.node }, 0, moment)
            }
            // No later block can apply it: each has a later time than this one.
            Stage::Unknown if status.node_time >= self.expires => {
                Step::Done(Conclusion::NeverApplied { at: status.node_time })
            }
            Stage::Unknown => self.wait_then(Step::Send { node: self.node }, 0, moment),
        }
    }

    fn refused(&mut self, problem: Box<Problem>, moment: Moment) -> Step {
        let code = Code::ALL.iter().copied().find(|c| c.name() == problem.code);
        match code {
            // These bytes can be judged nowhere and never (a judged id would have been told first).
            Some(
                Code::Malformed | Code::WrongChain | Code::BadSignature | Code::ReferenceTaken,
            ) => Step::Done(Conclusion::Refused(problem)),
            Some(Code::SenderNotSigner) if moment.elapsed_ms < KEY_PATIENCE_MS => {
                self.refusal = Some(problem);
                self.next_node(0, None, moment)
            }
            Some(Code::AlreadyJudged) => self.ask(*problem),
            Some(Code::Expired) if self.in_doubt => self.ask(*problem),
            // An earlier attempt may be on its way to a verdict: a refusal of this one says nothing.
            _ if self.in_doubt => self.next_node(0, None, moment),
            _ => Step::Done(Conclusion::Refused(problem)),
        }
    }

    fn ask(&mut self, because: Problem) -> Step {
        self.asking = Some(because);
        Step::Ask { node: self.node }
    }

    /// The status could not be read. `expired` at the door is conclusive all the same: codes have a
    /// precedence, and a node that had judged the id would have said `already_judged`.
    fn unanswered(&self, first: Problem) -> Step {
        Step::Done(if first.code == Code::Expired.name() && self.in_doubt {
            Conclusion::NeverApplied { at: self.expires }
        } else {
            Conclusion::Refused(Box::new(first))
        })
    }

    fn next_node(&mut self, at_least_ms: u64, asked: Option<Problem>, moment: Moment) -> Step {
        self.node = (self.node + 1) % self.nodes;
        self.failed += 1;
        let node = self.node;
        let again = if asked.is_some() { Step::Ask { node } } else { Step::Send { node } };
        self.asking = asked;
        if self.failed < self.nodes {
            return again;
        }
        let nobody = !self.heard && !self.in_doubt;
        if nobody && self.rounds + 1 >= self.policy.rounds_unreachable {
            return Step::Done(Conclusion::Unreachable);
        }
        self.wait_then(again, at_least_ms, moment)
    }

    fn wait_then(&mut self, next: Step, at_least_ms: u64, moment: Moment) -> Step {
        self.failed = 0;
        let doubled = self.policy.wait_ms.saturating_mul(1 << self.rounds.min(20));
        let longest = doubled.min(self.policy.wait_ms_max).max(1);
        self.rounds = self.rounds.saturating_add(1);
        // Half fixed, half jitter, so that clients that lost one node do not return as one wave.
        let half = longest / 2;
        let jitter = u64::from(moment.random) % (longest - half + 1);
        let ms = (half + jitter).max(at_least_ms);
        let until = moment.elapsed_ms.saturating_add(ms);
        if self.policy.give_up_ms.is_some_and(|end| until > end) {
            return Step::Done(self.out_of_time());
        }
        self.planned = next;
        Step::Wait { ms }
    }

    fn out_of_time(&mut self) -> Conclusion {
        match self.refusal.take() {
            _ if self.in_doubt => Conclusion::InDoubt,
            Some(problem) => Conclusion::Refused(problem),
            None if self.heard => Conclusion::Busy,
            None => Conclusion::Unreachable,
        }
    }
}

/// Whether it is void for what its signatures are or lack: another copy of the same body may have others.
fn is_about_signatures(status: &Status) -> bool {
    let about = |code: Code| {
        code.about_signatures() || matches!(code, Code::BadSignature | Code::SenderNotSigner)
    };
    status.stage == Stage::Void && status.code.is_some_and(about)
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
