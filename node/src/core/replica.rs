//! The replica's thread: the one loop that owns it, feeds it inputs and carries out its effects.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};

use musubi_consensus::{Class, Effect, Execute, Input, Replica, Status, cosigner};
use musubi_ledger::batch::NodeId;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{Fault, Report, cosigning::Events, disk::Job, evidence, forward, pending::Pending};
use crate::{
    clock::Clock,
    metrics::{Metrics, Role, Stage},
    network::{self, Network},
};

/// Everything the loop holds.
pub struct Loop {
    /// The replica.
    pub replica: Replica,
    /// From door and peers.
    pub inputs: mpsc::Receiver<Input>,
    /// From the inner threads.
    pub reports: mpsc::UnboundedReceiver<Report>,
    /// To the disk thread.
    pub disk: SyncSender<Job>,
    /// To the verifying thread.
    pub execute: SyncSender<Execute>,
    /// To the cosigner, which names checkpoints where this node leads.
    pub cosigner: Events,
    /// To the other validators.
    pub network: Arc<Network>,
    /// Clients who wait.
    pub pending: Arc<Pending>,
    /// The replica's figures, for readers.
    pub status: watch::Sender<Status>,
    /// Evidence of what members sent.
    pub evidence: Arc<evidence::Room>,
    /// Validators that have forgotten, for readers.
    pub refused: watch::Sender<BTreeSet<NodeId>>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// What stamps and waiting rest on.
    pub clock: Clock,
    /// Between two ticks of Raft's clock.
    pub tick: Duration,
    /// A clean stop: what was handed over is finished by the inner threads.
    pub stop: CancellationToken,
    /// Entries handed to the disk and not yet to execution, with the moment.
    pub under_way: VecDeque<(u64, Instant)>,
}

impl Loop {
    /// Runs until inputs close (a clean stop) or the node must stop.
    ///
    /// # Errors
    /// The [`Fault`] for which it must stop.
    pub async fn run(mut self) -> Result<(), Fault> {
        let mut ticks = interval(self.tick);
        // After a pause one tick is enough: a burst of them would look like elapsed election time.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let wake = self.wake_at();
            let input = tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                report = self.reports.recv() => match report {
                    Some(Report::Input(input)) => input,
                    Some(Report::Fault(fault)) => return Err(fault),
                    None => return Ok(()),
                },
                _ = ticks.tick() => Input::Tick,
                input = self.inputs.recv() => match input {
                    Some(input) => input,
                    None => return Ok(()),
                },
                () = tokio::time::sleep_until(wake) => Input::Wake,
            };
            self.replica.handle(self.clock.now(), input);
            while let Some(effect) = self.replica.poll() {
                self.carry_out(effect)?;
            }
            self.status.send_replace(self.replica.status());
            let refused = self.replica.refused();
            self.refused.send_if_modified(|known| {
                evidence::forgotten(known, &refused, &self.metrics);
                let changed = *known != refused;
                *known = refused;
                changed
            });
        }
    }

    fn wake_at(&self) -> Instant {
        let far = Duration::from_secs(3_600);
        let wait = self
            .replica
            .next_wake()
            .map_or(far, |at| Duration::from_millis(at.0.saturating_sub(self.clock.now().0)));
        Instant::now() + wait
    }

    fn carry_out(&mut self, effect: Effect) -> Result<(), Fault> {
        match effect {
            Effect::Send { to, class, bytes } => {
                let class = match class {
                    Class::Control => network::Class::Control,
                    Class::Append => network::Class::Append,
                };
                // Loss is harmless to Raft; the transport counts it.
                let _ = self.network.send(to.0, class, bytes);
            }
            Effect::Persist(persist) => {
                if let Some(from) = persist.truncate_from {
                    self.under_way.retain(|(index, _)| *index < from);
                }
                let now = Instant::now();
                self.under_way.extend(persist.entries.iter().map(|entry| (entry.index, now)));
                self.disk.send(Job::Persist(persist)).map_err(|_| Fault::Thread("disk"))?;
            }
            Effect::Execute(work) => {
                while self.under_way.front().is_some_and(|(index, _)| *index <= work.entry.index) {
                    if let Some((_, since)) = self.under_way.pop_front() {
                        self.metrics.stage(Stage::Commit, since.elapsed());
                    }
                }
                self.execute.send(work).map_err(|_| Fault::Thread("verify"))?;
            }
            Effect::Forward { to, items } => {
                let items = items.into_iter().map(|item| item.bytes).collect();
                for frame in forward::frames(items) {
                    // What is lost on the way is sent again by `pending`.
                    let _ = self.network.send(to.0, network::Class::Submission, frame);
                }
            }
            Effect::Refuse { id, hash, why } => {
                // What a client hears is counted where it is told; what stays is refused at every resend.
                if self.pending.refuse(&id, &hash, why) {
                    self.metrics.refused(why.code());
                }
            }
            Effect::Standing(standing) => {
                if standing.leader.is_some() {
                    self.pending.send_again();
                }
                tracing::info!(
                    term = standing.term,
                    leader = standing.leader.map(|leader| leader.0),
                    role = ?standing.role,
                    "standing changed"
                );
                let leads = standing.role == musubi_consensus::Role::Leader;
                // If its thread is gone the node is stopping.
                let _ = self.cosigner.send(cosigner::Event::Leading(leads));
                let role = match standing.role {
                    musubi_consensus::Role::Leader => Role::Leader,
                    musubi_consensus::Role::Follower => Role::Follower,
                    _ => Role::Candidate,
                };
                self.metrics.standing(standing.term, standing.leader.map(|l| l.0), role);
            }
            Effect::Dropped { from, why } => evidence::dropped(from, &why, &self.metrics),
            Effect::Evidence { from, accusation } => {
                evidence::accusation(from, &accusation, &self.metrics);
                self.evidence.accused(&accusation);
            }
            Effect::Remember(remember) => {
                self.disk.send(Job::Remember(remember)).map_err(|_| Fault::Thread("disk"))?;
            }
            Effect::Halt { reason } => return Err(reason.into()),
        }
        Ok(())
    }
}
