//! The network: loses, repeats, delays and reorders frames, and parts nodes from each other.

use super::{options::Options, random::Dice};

/// Which ways are open, and how bad they are.
pub(crate) struct Network {
    /// `cut[from][to]`.
    cut: Vec<Vec<bool>>,
    weather: Weather,
    /// Number of the partition in force; an older one's end changes nothing.
    partition: u64,
}

#[derive(Clone, Copy)]
struct Weather {
    loss: u64,
    duplication: u64,
    delay_ms: u64,
    late: u64,
}

impl Network {
    pub(crate) fn new(options: &Options) -> Self {
        let count = options.validators;
        let weather = Weather {
            loss: options.loss,
            duplication: options.duplication,
            delay_ms: options.delay_ms,
            late: options.late,
        };
        Self { cut: vec![vec![false; count]; count], weather, partition: 0 }
    }

    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut[from][to]
    }

    /// The delays after which a frame arrives: none if it is lost, two if it is repeated.
    pub(crate) fn delays(&self, dice: &mut Dice) -> Vec<u64> {
        let copies = match () {
            () if dice.hits(self.weather.loss) => 0,
            () if dice.hits(self.weather.duplication) => 2,
            () => 1,
        };
        (0..copies).map(|_| self.delay(dice)).collect()
    }

    fn delay(&self, dice: &mut Dice) -> u64 {
        let delay = dice.below(self.weather.delay_ms + 1);
        if dice.hits(self.weather.late) { 20 + delay * 20 } else { delay }
    }

    /// Parts the nodes into two islands, or cuts the ways from one to the other only. Gives the
    /// partition's number.
    pub(crate) fn part(&mut self, dice: &mut Dice, one_way: bool) -> u64 {
        let count = self.cut.len();
        let mut order: Vec<usize> = (0..count).collect();
        dice.shuffle(&mut order);
        let (island, rest) = order.split_at(1 + dice.place(count - 1));
        self.heal();
        for &a in island {
            for &b in rest {
                self.cut[a][b] = true;
                self.cut[b][a] = !one_way;
            }
        }
        self.partition += 1;
        self.partition
    }

    /// Ends a partition, unless another came since.
    pub(crate) fn end(&mut self, partition: u64) {
        if partition == self.partition {
            self.heal();
        }
    }

    pub(crate) fn heal(&mut self) {
        self.cut.iter_mut().for_each(|row| row.fill(false));
    }

    /// From now on nothing is lost, repeated or late.
    pub(crate) fn clear(&mut self) {
        self.heal();
        self.weather = Weather { loss: 0, duplication: 0, delay_ms: 8, late: 0 };
    }
}
