//! The loop that asks upstreams for blocks: a few pages in flight while it is behind, one long question
//! when it is not; and what becomes of the answers.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Notify, mpsc, watch};
use tokio_util::task::AbortOnDropHandle;

use super::{
    ask::{Asking, CheckedPage, Failure, PAGE},
    evidence,
    finality::Finality,
    judge::NotTaken,
    page::Offered,
    recorder::Recorder,
    refused::Refused,
    standing::Standing,
    upstreams::{Next, Upstreams},
};
use crate::{
    clock::Clock,
    core::{Fault, keeper::Questions},
    metrics::Metrics,
};

/// Pages in flight or waiting to be executed while there is more to catch up with.
const IN_FLIGHT: usize = 4;

/// Why following one upstream ended.
enum Ended {
    Failed(Failure),
    Idle,
    Refused(Box<(Offered, Refused)>),
    Fault(Fault),
}

/// Everything that the pulling task holds.
pub struct Pull {
    /// How upstreams are asked.
    pub asking: Asking,
    /// Upstreams, as configured.
    pub urls: Vec<String>,
    /// Takes blocks; away while it works.
    pub recorder: Option<Recorder>,
    /// Whom to ask.
    pub upstreams: Upstreams,
    /// Where this replica stands.
    pub standing: Arc<watch::Sender<Standing>>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// This node's clock.
    pub clock: Clock,
    /// Where refused blocks are kept.
    pub evidence: PathBuf,
    /// When this task began: its clock for [`Upstreams`].
    pub begun: Instant,
    /// What readers ask about wallets, and the news of it.
    pub questions: Arc<Questions>,
    /// Notified when something is asked.
    pub asked: Arc<Notify>,
    /// Held so that readers see whether this task still runs.
    pub alive: mpsc::Receiver<musubi_consensus::Input>,
}

impl Pull {
    /// Runs until it is aborted or must halt.
    ///
    /// # Errors
    /// The [`Fault`] for which it must.
    pub async fn run(mut self, finality: Finality) -> Result<(), Fault> {
        let ended = tokio::select! {
            ended = self.pull() => ended,
            fault = finality.run() => Err(fault),
        };
        if let Err(fault) = &ended {
            self.metrics.halted();
            self.standing.send_modify(|standing| standing.halted = Some(fault.to_string()));
        }
        ended
    }

    async fn pull(&mut self) -> Result<(), Fault> {
        loop {
            match self.upstreams.next(self.now()) {
                Next::Ask(at) => self.follow(at).await?,
                Next::Wait(until) => {
                    let wait = until.saturating_sub(self.now());
                    let rest = tokio::time::sleep(Duration::from_millis(wait));
                    self.answering(rest).await;
                }
                Next::Halt => return Err(self.contradicted()),
            }
        }
    }

    /// Waits, and answers meanwhile what readers ask.
    async fn answering<T>(&self, what: impl Future<Output = T>) -> T {
        let mut what = std::pin::pin!(what);
        loop {
            tokio::select! {
                done = &mut what => return done,
                () = self.asked.notified() => self.answer(),
            }
        }
    }

    fn answer(&self) {
        self.recorder.as_ref().expect("it is here between pages").judge.answer(&self.questions);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Follows one upstream until it fails, falls silent or lies.
    async fn follow(&mut self, at: usize) -> Result<(), Fault> {
        let url = self.urls[at].clone();
        match self.session(at).await {
            Ended::Fault(fault) => return Err(fault),
            Ended::Idle => self.upstreams.idle(at),
            Ended::Failed(why) => {
                self.metrics.upstream_failed(&url, why.code());
                tracing::warn!(upstream = url, code = why.code(), %why, "an upstream fails");
                self.upstreams.failed(at, self.now());
            }
            Ended::Refused(both) => {
                let (offered, refused) = *both;
                let kept = evidence::keep_block(&self.evidence, &url, &offered, &refused);
                self.refuse(at, &refused, kept);
            }
        }
        Ok(())
    }

    /// Reports a lie, and asks this upstream no more.
    fn refuse(&mut self, at: usize, refused: &Refused, kept: std::io::Result<PathBuf>) {
        let url = &self.urls[at];
        let code = refused.wrong.code();
        let evidence = match kept {
            Ok(path) => path.display().to_string(),
            Err(error) => format!("not kept: {error}"),
        };
        tracing::error!(
            upstream = url,
            code,
            height = refused.height,
            leaf = refused.leaf,
            evidence,
            "refused what an upstream serves: {refused}"
        );
        self.metrics.upstream_refused(url, code);
        let told = (url.clone(), refused.to_string());
        self.standing.send_modify(|standing| standing.refused.push(told));
        self.upstreams.lied(at, self.now());
    }

    /// Nobody has a block that adds up.
    fn contradicted(&self) -> Fault {
        let standing = self.standing.borrow();
        let told = standing.refused.iter().map(|(url, what)| format!("{url}: {what}"));
        Fault::Contradicted(told.collect::<Vec<_>>().join("; "))
    }

    async fn session(&mut self, at: usize) -> Ended {
        let mut known = 0;
        let mut next = self.height() + 1;
        let mut pages = VecDeque::new();
        loop {
            while pages.len() < IN_FLIGHT && (pages.is_empty() || next <= known) {
                pages.push_back(AbortOnDropHandle::new(tokio::spawn(
                    self.asking.clone().page(self.urls[at].clone(), next),
                )));
                next += PAGE;
            }
            let page = pages.pop_front().expect("one is asked for");
            let page = self.answering(page).await;
            let page = match page.map_err(|_| Failure::Check).and_then(|page| page) {
                Ok(page) => page,
                Err(why) => return Ended::Failed(why),
            };
            known = page.height;
            self.heard(at, &page);
            if page.offered == 0 {
                let wanted = self.height() + 1;
                return if known >= wanted {
                    Ended::Failed(Failure::Withheld(wanted))
                } else {
                    Ended::Idle
                };
            }
            let full = page.offered as u64 == PAGE;
            if let Err(ended) = self.take(page, at).await {
                return ended;
            }
            if !full {
                pages.clear();
                next = self.height() + 1;
            }
        }
    }

    fn height(&self) -> u64 {
        self.recorder.as_ref().expect("it is here between pages").judge.head().height
    }

    fn heard(&self, at: usize, page: &CheckedPage) {
        self.standing.send_modify(|standing| {
            standing.upstream = Some(self.urls[at].clone());
            standing.height = page.height;
            standing.time = page.time;
            standing.answered = Some(self.clock.now());
        });
    }

    /// Executes and records a page's blocks on a thread that may wait.
    async fn take(&mut self, page: CheckedPage, at: usize) -> Result<(), Ended> {
        let mut recorder = self.recorder.take().expect("it is here between pages");
        let working = tokio::task::spawn_blocking(move || {
            let mut wrong = None;
            let mut taken = false;
            for checked in page.blocks {
                match recorder.take(&checked) {
                    Ok(()) => taken = true,
                    Err(NotTaken::Fault(fault)) => {
                        wrong = Some(Ended::Fault(fault));
                        break;
                    }
                    Err(NotTaken::Refused(refused)) => {
                        wrong = Some(Ended::Refused(Box::new((checked.offered, refused))));
                        break;
                    }
                }
            }
            let refused = page.refused.map(|both| Ended::Refused(Box::new(both)));
            (recorder, taken, wrong.or(refused))
        });
        let working = working.await.map_err(|_| Ended::Fault(Fault::Thread("follow")))?;
        let (recorder, taken, wrong) = working;
        self.recorder = Some(recorder);
        if taken {
            self.upstreams.worked(at);
        }
        wrong.map_or(Ok(()), Err)
    }
}
