//! Clients: each works through its scripts, one transaction at a time, asks another node when it loses
//! patience, always under the same id, and now and then gives up.

use musubi_ledger::{code::Code, id::TxId};

use super::{
    checker::Verdict,
    options::Options,
    random::Dice,
    script::{Script, Step},
    town::Town,
};

/// What a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The verdict: applied or rejected, for ever.
    Judged(Verdict),
    /// It was ordered and is void: no verdict, and none will come of these bytes as things stand.
    Void(Code),
    /// It has no verdict at this node, whose block time is past its expiry: it was never applied.
    Expired,
    /// The leader's pool is full.
    Busy,
}

/// One client.
pub(crate) struct Client {
    /// Scripts to come, as places in the town's list; the last is next.
    scripts: Vec<usize>,
    /// Which script, and which of its steps.
    at: Option<(usize, usize)>,
    /// Counts what it did: an older attempt's patience has no meaning any more.
    pub(crate) attempt: u64,
    /// Nodes asked about this step.
    asked: u64,
    /// No new scripts: it ends what it has begun.
    closing: bool,
}

/// What a client does next.
pub(crate) enum Move<'t> {
    /// Asks a node for the verdict on this step.
    Ask(&'t Step),
    /// Nothing any more.
    Rest,
}

impl Client {
    pub(crate) fn new(scripts: Vec<usize>) -> Self {
        Self { scripts, at: None, attempt: 0, asked: 0, closing: false }
    }

    /// From now on it only ends what it has begun.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at.is_none() && (self.closing || self.scripts.is_empty())
    }

    /// The step it waits for.
    pub(crate) fn waits_for<'t>(&self, scripts: &'t [Script]) -> Option<&'t Step> {
        self.at.map(|(script, step)| &scripts[script].steps[step])
    }

    /// Its turn: it begins, or has lost patience and asks again, or gives up.
    pub(crate) fn turn<'t>(
        &mut self,
        scripts: &'t [Script],
        give_up: u64,
        dice: &mut Dice,
    ) -> Move<'t> {
        if self.at.is_some() && self.asked > 0 && !self.closing && dice.hits(give_up) {
            self.at = None;
        }
        if self.at.is_none() && !self.closing {
            self.asked = 0;
            self.at = self.scripts.pop().map(|script| (script, 0));
        }
        match self.waits_for(scripts) {
            Some(step) => {
                self.asked += 1;
                self.attempt += 1;
                Move::Ask(step)
            }
            None => Move::Rest,
        }
    }

    /// Whether this reply ends the step; if so, it goes on to the next.
    pub(crate) fn hear(&mut self, scripts: &[Script], id: TxId, reply: Reply) -> bool {
        let Some((script, step)) = self.at else {
            return false;
        };
        if self.waits_for(scripts).is_none_or(|step| step.id != id) {
            return false;
        }
        let ends = match reply {
            Reply::Judged(_) | Reply::Expired => true,
            // It has a verdict: the next node asked will say which.
            Reply::Void(Code::AlreadyJudged) | Reply::Busy => false,
            Reply::Void(_) => true,
        };
        if ends {
            let next = step + 1;
            self.at = (next < scripts[script].steps.len()).then_some((script, next));
            self.asked = 0;
            self.attempt += 1;
        }
        ends
    }
}

/// Each client with its share of the scripts; one of them soon brings what the organisations decide.
pub(crate) fn all(town: &Town, options: &Options, dice: &mut Dice) -> Vec<Client> {
    let mut scripts: Vec<usize> = (0..town.governance).collect();
    dice.shuffle(&mut scripts);
    let share = scripts.len() / options.clients;
    let mut shares: Vec<Vec<usize>> =
        scripts.chunks(share).take(options.clients).map(<[usize]>::to_vec).collect();
    if options.policies {
        let soon = shares[0].len() - dice.place(6);
        shares[0].insert(soon, town.governance);
    }
    shares.into_iter().map(Client::new).collect()
}
