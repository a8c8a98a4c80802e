//! A small deterministic world for replicas: a network that loses, repeats, reorders and parts,
//! disks that lose what was not synced, clocks that disagree, crashes at any moment, and a judge
//! that looks at every effect. One seed decides everything.

#![allow(clippy::unwrap_used, dead_code)]

mod disk;
mod judge;
mod node;

use std::collections::BTreeMap;

use musubi_consensus::{Config, MemberKey, Replica};
use musubi_ledger::{
    batch::NodeId,
    id::{ChainId, TxId},
    keys::SecretKey,
};

pub(crate) use self::{disk::Disk, judge::Judge, node::Node};

/// What went wrong, in a sentence.
pub(crate) type Outcome<T> = Result<T, String>;

/// splitmix64.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn hits(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }
}

/// How bad this world is, all in thousandths but the delay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) repeat: u64,
    pub(crate) delay_ms: u64,
    pub(crate) crash: u64,
    pub(crate) part: u64,
    pub(crate) sync: u64,
}

impl Weather {
    fn draw(dice: &mut Dice) -> Self {
        Self {
            loss: dice.below(200),
            repeat: dice.below(150),
            delay_ms: 1 + dice.below(150),
            crash: dice.below(6),
            part: dice.below(4),
            sync: 50 + dice.below(500),
        }
    }

    fn fair() -> Self {
        Self { loss: 0, repeat: 0, delay_ms: 10, crash: 0, part: 0, sync: 1_000 }
    }
}

/// A frame under way.
struct Frame {
    from: usize,
    to: usize,
    bytes: Vec<u8>,
}

pub(crate) struct World {
    pub(crate) nodes: Vec<Node>,
    pub(crate) judge: Judge,
    pub(crate) stats: Stats,
    dice: Dice,
    weather: Weather,
    now: u64,
    network: BTreeMap<(u64, u64), Frame>,
    frames: u64,
    /// Which island each node is on.
    islands: Vec<u64>,
    submitted: Vec<TxId>,
}

/// What happened, so that a test can show that its faults took place.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) crashes: u64,
    pub(crate) lost_writes: u64,
    pub(crate) partitions: u64,
    pub(crate) leaders: u64,
    pub(crate) committed: u64,
    pub(crate) truncations: u64,
    pub(crate) refused: u64,
    pub(crate) digest: u64,
}

pub(crate) const CHAIN: ChainId = ChainId([7; 32]);

pub(crate) fn key(node: u64) -> SecretKey {
    SecretKey::from_seed(&[node as u8; 32])
}

/// The configuration of one of `count` nodes, with small limits so that they are met.
pub(crate) fn config(me: u64, count: u64) -> Config {
    let member = |node| MemberKey { node: NodeId(node), batch_key: key(node).public() };
    let mut config = Config::new(CHAIN, NodeId(me), (1..=count).map(member).collect(), key(me));
    config.raft.unexecuted_max = 4;
    config.raft.tail_bytes = 2_000;
    config.raft.append_window = 8;
    config.cut.max_in_flight = 3;
    config
}

impl World {
    pub(crate) fn new(seed: u64, count: usize, change: impl Fn(&mut Config)) -> Outcome<Self> {
        let mut dice = Dice(seed);
        let weather = Weather::draw(&mut dice);
        let mut nodes = Vec::new();
        for id in 1..=count as u64 {
            let mut config = config(id, count as u64);
            change(&mut config);
            nodes.push(Node::new(config, dice.next(), dice.below(2_000))?);
        }
        Ok(Self {
            nodes,
            judge: Judge::new(count),
            stats: Stats::default(),
            dice,
            weather,
            now: 10_000,
            network: BTreeMap::new(),
            frames: 0,
            islands: vec![0; count],
            submitted: Vec::new(),
        })
    }

    /// Foul weather for `foul_ms`, then fair until everything submitted is executed everywhere.
    pub(crate) fn run(&mut self, foul_ms: u64) -> Outcome<Stats> {
        let end = self.now + foul_ms;
        while self.now < end {
            self.step(true)?;
        }
        self.weather = Weather::fair();
        self.islands.fill(0);
        let end = self.now + 60_000;
        while !self.settled() {
            if self.now >= end {
                return Err(format!(
                    "not settled within 60 s of fair weather: {:?}",
                    self.summary()
                ));
            }
            self.step(false)?;
        }
        self.judge.everything_survived(&self.nodes)?;
        self.stats.committed = self.judge.committed() as u64;
        self.stats.leaders = self.judge.leaders() as u64;
        self.stats.digest = self.judge.digest();
        Ok(self.stats)
    }

    fn summary(&self) -> Vec<String> {
        let line = |node: &Node| match &node.replica {
            Some(replica) => format!("{:?}", replica.status()),
            None => "down".into(),
        };
        self.nodes.iter().map(line).collect()
    }

    fn settled(&self) -> bool {
        let all = self.judge.committed();
        let caught_up = |node: &Node| {
            let executed = node.replica.as_ref().map(|r| r.status().executed);
            executed == Some(all as u64) && node.idle()
        };
        let judged = |id: &TxId| self.nodes.iter().all(|node| node.judged.contains(id));
        self.submitted.iter().all(judged) && self.nodes.iter().all(caught_up)
    }

    fn step(&mut self, foul: bool) -> Outcome<()> {
        self.now += 5;
        self.deliver()?;
        if foul {
            self.misfortune()?;
        }
        self.clients(foul)?;
        for at in 0..self.nodes.len() {
            let syncs = self.dice.hits(self.weather.sync);
            let node = &mut self.nodes[at];
            if node.replica.is_none() {
                if !foul || self.dice.hits(10) {
                    node.start(self.dice.next())?;
                }
                continue;
            }
            node.pass_time(self.now);
            self.collect(at)?;
            if syncs {
                let keep = 1 + self.dice.below(4) as usize;
                self.nodes[at].sync(self.now, keep);
                self.collect(at)?;
            }
            if self.dice.hits(700) {
                self.nodes[at].execute_one(self.now);
                self.collect(at)?;
            }
        }
        Ok(())
    }

    fn misfortune(&mut self) -> Outcome<()> {
        if self.dice.hits(self.weather.crash) {
            let at = self.dice.below(self.nodes.len() as u64) as usize;
            if self.nodes[at].replica.is_some() {
                self.stats.crashes += 1;
                let kept = self.dice.next();
                self.stats.lost_writes += self.nodes[at].crash(kept);
            }
        }
        if self.dice.hits(self.weather.part) {
            self.stats.partitions += 1;
            for island in &mut self.islands {
                *island = self.dice.below(2);
            }
        } else if self.dice.hits(5) {
            self.islands.fill(0);
        }
        Ok(())
    }

    /// Clients submit new transactions, and ask again for those without a verdict.
    fn clients(&mut self, foul: bool) -> Outcome<()> {
        if foul && self.dice.hits(100) {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&(self.submitted.len() as u64).to_le_bytes());
            self.submitted.push(TxId(id));
        }
        if self.submitted.is_empty() || !self.dice.hits(300) {
            return Ok(());
        }
        let at = self.dice.below(self.nodes.len() as u64) as usize;
        let nodes = &self.nodes;
        let open = |id: &&TxId| !nodes.iter().all(|node| node.judged.contains(*id));
        let asks: Vec<TxId> = self.submitted.iter().rev().filter(open).take(3).copied().collect();
        if !asks.is_empty() {
            self.nodes[at].submit(self.now, asks);
            self.collect(at)?;
        }
        Ok(())
    }

    fn deliver(&mut self) -> Outcome<()> {
        while let Some(entry) = self.network.first_entry() {
            if entry.key().0 > self.now {
                break;
            }
            let frame = entry.remove();
            if self.islands[frame.from] != self.islands[frame.to] {
                continue;
            }
            self.nodes[frame.to].receive(self.now, frame.from as u64 + 1, frame.bytes);
            self.collect(frame.to)?;
        }
        Ok(())
    }

    /// Takes what a node did: the judge looks at it, and frames go on their way.
    fn collect(&mut self, at: usize) -> Outcome<()> {
        loop {
            let effects = self.nodes[at].take_effects();
            if effects.is_empty() {
                return Ok(());
            }
            for effect in effects {
                self.judge.look(at, &effect, &self.nodes)?;
                self.carry_out(at, effect)?;
            }
        }
    }

    fn carry_out(&mut self, at: usize, effect: musubi_consensus::Effect) -> Outcome<()> {
        use musubi_consensus::Effect;
        match effect {
            Effect::Send { to, bytes, .. } => self.post(at, to.0 as usize - 1, bytes),
            Effect::Persist(persist) => {
                self.stats.truncations += u64::from(persist.truncate_from.is_some());
                self.nodes[at].disk.write(persist);
            }
            Effect::Execute(execute) => self.nodes[at].to_execute.push_back(execute),
            Effect::Forward { to, items } => {
                let to = to.0 as usize - 1;
                if self.islands[at] == self.islands[to] && self.nodes[to].replica.is_some() {
                    self.nodes[to].forwarded(self.now, items);
                    self.collect(to)?;
                }
            }
            Effect::Refuse { .. } => self.stats.refused += 1,
            Effect::Standing(_) => (),
            Effect::Dropped { from, why } => {
                return Err(format!("dropped {from:?}'s message: {why}"));
            }
            Effect::Evidence { from, accusation } => {
                return Err(format!("honest node {from:?} is accused: {accusation}"));
            }
            Effect::Remember(_) => return Err("a replica without an identity hears pledges".into()),
            Effect::Halt { reason } => return Err(format!("node {} halts: {reason}", at + 1)),
        }
        Ok(())
    }

    fn post(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        if self.dice.hits(self.weather.loss) {
            return;
        }
        let copies = 1 + u64::from(self.dice.hits(self.weather.repeat));
        for _ in 0..copies {
            self.frames += 1;
            let delay = self.dice.below(self.weather.delay_ms + 1);
            // Now and then a frame comes very late.
            let delay = if self.dice.hits(10) { delay * 20 } else { delay };
            let frame = Frame { from, to, bytes: bytes.clone() };
            self.network.insert((self.now + delay, self.frames), frame);
        }
    }
}

/// A replica on a disk, outside any world.
pub(crate) fn start(config: Config, disk: &Disk, seed: u64) -> Outcome<Replica> {
    Replica::new(config, disk.recover()?, Box::new(disk.reader()), seed).map_err(|e| e.to_string())
}
