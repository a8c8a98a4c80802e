//! What becomes of the pledges that a member shows.

use musubi_ledger::batch::NodeId;

use super::{
    Act, Amnesia,
    rule::{Shown, compare, forgot},
};
use crate::{
    Position, Refusal,
    effect::{Forgotten, Remember},
    pledge::{Pledges, SignedPledge},
};

impl Amnesia {
    /// Takes what a member shows.
    pub(crate) fn hear(&mut self, from: NodeId, told: &Pledges) -> Vec<Act> {
        if told.own.pledge.node != from || told.others.len() > self.peers.len() {
            return vec![Act::Drop(Refusal::Pledge)];
        }
        let all = told.others.iter().chain([&told.own]);
        let mut acts: Vec<Act> = all.filter_map(|signed| self.take(signed)).collect();
        if let Some(forgotten) = self.listen(from, told) {
            return vec![Act::Stop(Box::new(forgotten))];
        }
        self.wake();
        let unknown = self.peers.get(&from).is_some_and(|peer| {
            peer.recording.is_none() && peer.believed != Some(told.own.pledge.life)
        });
        if unknown {
            // Refused, or from before its newest boot. If it forgot, it stops when it sees its signature.
            acts.push(self.tell(from));
        }
        acts
    }

    /// Compares one pledge with what is remembered of its member.
    fn take(&mut self, signed: &SignedPledge) -> Option<Act> {
        let pledge = &signed.pledge;
        let peer = self.peers.get_mut(&pledge.node)?;
        let before = peer.held.as_ref().map(|held| &held.pledge);
        let shown = compare(before, pledge, peer.heard);
        if matches!(shown, Shown::Known | Shown::EarlierBoot) {
            return None;
        }
        if !signed.verifies(self.chain, &peer.key) {
            return Some(Act::Drop(Refusal::Pledge));
        }
        if let Shown::Less(why) = shown {
            peer.refused = Some((pledge.life, why));
            return None;
        }
        self.records += 1;
        let must_sync = shown == Shown::NewLife;
        peer.held = Some(*signed);
        peer.refused = None;
        if must_sync {
            // Until it is on disk nothing of this life counts: a crash right here must not leave this
            // node having relied on a life that it no longer remembers.
            peer.believed = None;
            peer.recording = Some((self.records, pledge.life));
            peer.heard = Position::default();
        }
        let (number, node) = (self.records, pledge.node);
        let pledge = Box::new(*signed);
        Some(Act::Remember(Remember { number, node, pledge, must_sync }))
    }

    /// What a member says about this one.
    fn listen(&mut self, from: NodeId, told: &Pledges) -> Option<Forgotten> {
        let own = self.own.pledge;
        let peer = self.peers.get_mut(&from)?;
        peer.doubts = told.refused.is_some_and(|(life, _)| life == own.life);
        peer.vouches &= !peer.doubts;
        let signed = told.yours.filter(|signed| signed.pledge.node == self.me)?;
        let why = forgot(&own, &signed.pledge);
        if why.is_none() {
            peer.vouches |= signed.pledge.life == own.life;
            return None;
        }
        // Its own signature convinces it, and nothing else: no liar can stop an honest member.
        let proven = !self.off && signed.verifies(self.chain, &self.key.public());
        let why = why.filter(|_| proven)?;
        Some(Forgotten { by: from, why, told: signed.pledge, holds: own })
    }

    /// Records up to this number are written, and durable as far as they must be.
    pub(crate) fn recorded(&mut self, number: u64) -> Vec<Act> {
        let mut done = Vec::new();
        for (node, peer) in &mut self.peers {
            if let Some((_, life)) = peer.recording.take_if(|(record, _)| *record <= number) {
                peer.believed = Some(life);
                done.push(*node);
            }
        }
        done.into_iter().map(|node| self.tell(node)).collect()
    }

    pub(super) fn wake(&mut self) {
        let all = self.peers.len() + 1;
        let witnesses = (all - all / 2).min(self.peers.len());
        let (vouching, doubting) = self.standing();
        let waited = !self.fresh && self.ticks >= self.wait_ticks;
        self.awake |= vouching >= witnesses || waited && doubting == 0 && vouching >= all / 2;
    }
}
