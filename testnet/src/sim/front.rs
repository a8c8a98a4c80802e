//! The front of the world: doors and clients, and the way between them.

use musubi_consensus::Submission;
use musubi_ledger::{execute::Block, id::TxId, state::Judged, time::Time};

use super::{
    checker::{Holds, Verdict},
    client::{Move, Reply},
    planted::Bug,
    schedule::Event,
    trace::digest,
    world::World,
};

fn verdict(judged: &Judged) -> Verdict {
    Verdict { code: judged.code, height: judged.height, leaf: judged.leaf }
}

impl World<'_> {
    /// A request arrives at a node's door: answered from what is judged, or it waits.
    pub(crate) fn request(
        &mut self,
        node: usize,
        client: Option<usize>,
        item: Submission,
        expires: Time,
    ) -> Holds {
        let (now, id) = (self.schedule.now(), item.id);
        let Some(process) = &mut self.nodes[node].process else {
            return Ok(());
        };
        self.trace.note(now, node + 1, "request", &[("id", digest(&id.0))]);
        let head = process.store.head().0;
        let known = process.store.judged(id);
        let reply = match known {
            Ok(Some(judged)) => Some(Reply::Judged(verdict(&judged))),
            _ if head.time >= expires => Some(Reply::Expired),
            _ if self.bug == Some(Bug::AckBeforeCommit) => {
                let code = musubi_ledger::code::Code::Applied;
                Some(Reply::Judged(Verdict { code, height: head.height + 1, leaf: head.size }))
            }
            _ => None,
        };
        if let Some(reply) = reply {
            self.reply(client.into_iter().collect(), id, reply);
            return Ok(());
        }
        let new = process.door.admit(now, item, expires, client);
        new.map_or(Ok(()), |item| self.submit(node, vec![item]))
    }

    /// What waits at a door too long is sent again; what has expired is told.
    pub(crate) fn resend(&mut self, node: usize) -> Holds {
        let now = self.schedule.now();
        let Some(process) = &mut self.nodes[node].process else {
            return Ok(());
        };
        let expired = process.door.expire(process.store.head().0.time);
        let items = process.door.resend(now);
        for (id, clients) in expired {
            self.reply(clients, id, Reply::Expired);
        }
        if items.is_empty() { Ok(()) } else { self.submit(node, items) }
    }

    /// A new leader hears of all that waits at a door.
    pub(crate) fn send_again(&mut self, node: usize) {
        if let Some(process) = &mut self.nodes[node].process {
            process.door.send_again();
        }
    }

    /// Tells who waits for the items of a recorded block.
    pub(crate) fn settle(&mut self, node: usize, block: &Block) {
        for item in &block.items {
            let Some(process) = &mut self.nodes[node].process else {
                return;
            };
            let clients = process.door.settle(item);
            let reply = match item.leaf {
                Some(leaf) => {
                    let height = block.head.height;
                    Reply::Judged(Verdict { code: item.code, height, leaf })
                }
                None => Reply::Void(item.code),
            };
            self.reply(clients, item.id, reply);
        }
    }

    pub(crate) fn refused(&mut self, node: usize, id: &TxId) {
        if let Some(process) = &mut self.nodes[node].process {
            let clients = process.door.refuse(id);
            self.reply(clients, *id, Reply::Busy);
        }
    }

    /// Sends answers on their way; they may be lost like any frame.
    fn reply(&mut self, clients: Vec<usize>, id: TxId, reply: Reply) {
        for client in clients {
            let delays = self.network.delays(&mut self.dice);
            if let Some(delay) = delays.first() {
                self.schedule.after(*delay, Event::Answer { client, id, reply });
            }
        }
    }

    /// A client hears an answer, and goes on if that was it.
    pub(crate) fn answer(&mut self, client: usize, id: TxId, reply: Reply) -> Holds {
        self.trace.note(self.schedule.now(), 0, "answer", &[("client", client as u64)]);
        match reply {
            Reply::Judged(verdict) => {
                self.stats.acknowledged += 1;
                self.checker.acknowledged(id, verdict)?;
            }
            Reply::Expired => self.checker.expired(id)?,
            Reply::Void(_) | Reply::Busy => {}
        }
        let scripts = &self.town.scripts;
        let replays = matches!(reply, Reply::Judged(_)) && self.dice.hits(self.options.replay);
        if replays && let Some(step) = self.clients[client].waits_for(scripts) {
            // Somebody sends the very bytes again, wherever they like, and waits for nothing.
            let item = Submission::new(step.id, step.bytes.clone());
            self.send_request(None, item, step.expires);
        }
        if self.clients[client].hear(scripts, id, reply) {
            let attempt = self.clients[client].attempt;
            let think = self.dice.below(120);
            self.schedule.after(think, Event::Client { client, attempt });
        }
        Ok(())
    }

    /// A client's turn, unless it has moved on since it was scheduled.
    pub(crate) fn client(&mut self, client: usize, attempt: u64) {
        if self.clients[client].attempt != attempt {
            return;
        }
        let scripts = &self.town.scripts;
        let give_up = self.options.give_up;
        let Move::Ask(step) = self.clients[client].turn(scripts, give_up, &mut self.dice) else {
            return;
        };
        let item = Submission::new(step.id, step.bytes.clone());
        self.trace.note(self.schedule.now(), 0, "ask", &[("id", digest(&item.id.0))]);
        self.stats.submissions += 1;
        self.send_request(Some(client), item, step.expires);
        let attempt = self.clients[client].attempt;
        let patience = self.dice.between(300, 1_800);
        self.schedule.after(patience, Event::Client { client, attempt });
    }

    fn send_request(&mut self, client: Option<usize>, item: Submission, expires: Time) {
        for delay in self.network.delays(&mut self.dice) {
            let node = self.dice.place(self.nodes.len());
            let item = item.clone();
            self.schedule.after(delay, Event::Request { node, client, item, expires });
        }
    }
}
