//! Trees that the state tree was chosen against (docs/adr/0013): the same job, updating many leaves and giving
//! the root, with other hashes and shapes.

use musubi_ledger::hash::Hash;

/// A flat tree of nodes of `W` children each, all levels full from the left; a missing child is zeroes.
pub(crate) struct Flat<const W: usize> {
    levels: Vec<Vec<Hash>>,
    dirty: Vec<usize>,
    hash: fn(&[Hash; W]) -> Hash,
}

impl<const W: usize> Flat<W> {
    pub(crate) fn new(leaves: Vec<Hash>, hash: fn(&[Hash; W]) -> Hash) -> Self {
        let mut levels = vec![leaves];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            let level = (0..below.len().div_ceil(W)).map(|at| hash(&children(below, at))).collect();
            levels.push(level);
        }
        Self { levels, dirty: Vec::new(), hash }
    }

    pub(crate) fn set(&mut self, at: usize, leaf: Hash) {
        self.levels[0][at] = leaf;
        self.dirty.push(at);
    }

    pub(crate) fn root(&mut self) -> Hash {
        let mut changed = std::mem::take(&mut self.dirty);
        changed.sort_unstable();
        for height in 1..self.levels.len() {
            changed.iter_mut().for_each(|at| *at /= W);
            changed.dedup();
            let (below, above) = self.levels.split_at_mut(height);
            for &at in &changed {
                above[0][at] = (self.hash)(&children(&below[height - 1], at));
            }
        }
        self.levels[self.levels.len() - 1][0]
    }

    /// Bytes held per leaf, and bytes of one proof.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let held: usize = self.levels.iter().map(|level| level.len() * 32).sum();
        (held / self.levels[0].len(), (self.levels.len() - 1) * (W - 1) * 32)
    }
}

fn children<const W: usize>(below: &[Hash], at: usize) -> [Hash; W] {
    let mut children = [[0; 32]; W];
    let end = below.len().min(at * W + W);
    children[..end - at * W].copy_from_slice(&below[at * W..end]);
    children
}

/// A sparse binary tree over 128-bit keys with paths compressed: what ordering wallets by party would take,
/// and what could prove that there is no wallet.
pub(crate) struct Sparse {
    keys: Vec<[u8; 16]>,
    leaves: Vec<Hash>,
    nodes: Vec<Node>,
    hash: fn(&[Hash; 2]) -> Hash,
}

/// A fork: the bit at which keys differ, two children (a leaf's number has the top bit set), the hash.
struct Node {
    bit: u8,
    dirty: bool,
    children: [u32; 2],
    hash: Hash,
}

const LEAF: u32 = 1 << 31;

impl Sparse {
    /// Over ascending keys.
    pub(crate) fn new(
        keys: Vec<[u8; 16]>,
        leaves: Vec<Hash>,
        hash: fn(&[Hash; 2]) -> Hash,
    ) -> Self {
        let mut tree = Self { keys, leaves, nodes: Vec::new(), hash };
        let all = tree.keys.len();
        tree.fork(0, all);
        tree.root();
        tree
    }

    fn fork(&mut self, from: usize, to: usize) -> u32 {
        if to - from == 1 {
            return LEAF | from as u32;
        }
        let (first, last) = (&self.keys[from], &self.keys[to - 1]);
        let byte = (0..16).find(|&n| first[n] != last[n]).expect("keys differ");
        let bit = (byte * 8) as u8 + (first[byte] ^ last[byte]).leading_zeros() as u8;
        let middle = from + self.keys[from..to].partition_point(|key| bit_of(key, bit) == 0);
        let at = self.nodes.len();
        self.nodes.push(Node { bit, dirty: true, children: [0; 2], hash: [0; 32] });
        let left = self.fork(from, middle);
        let right = self.fork(middle, to);
        self.nodes[at].children = [left, right];
        at as u32
    }

    pub(crate) fn set(&mut self, key: &[u8; 16], leaf: Hash) {
        let mut at = 0;
        while at & LEAF == 0 {
            let node = &mut self.nodes[at as usize];
            node.dirty = true;
            at = node.children[bit_of(key, node.bit)];
        }
        self.leaves[(at ^ LEAF) as usize] = leaf;
    }

    pub(crate) fn root(&mut self) -> Hash {
        self.refresh(0)
    }

    fn refresh(&mut self, at: u32) -> Hash {
        if at & LEAF != 0 {
            return self.leaves[(at ^ LEAF) as usize];
        }
        if !self.nodes[at as usize].dirty {
            return self.nodes[at as usize].hash;
        }
        let [left, right] = self.nodes[at as usize].children;
        let hash = (self.hash)(&[self.refresh(left), self.refresh(right)]);
        let node = &mut self.nodes[at as usize];
        (node.hash, node.dirty) = (hash, false);
        hash
    }

    /// Bytes held per leaf, and bytes of the longest proof: a hash and a bit number per fork.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let nodes = self.nodes.len() * size_of::<Node>();
        let held = nodes + self.keys.len() * 48;
        (held / self.keys.len(), self.depth(0) * 33)
    }

    fn depth(&self, at: u32) -> usize {
        if at & LEAF != 0 {
            return 0;
        }
        let [left, right] = self.nodes[at as usize].children;
        1 + self.depth(left).max(self.depth(right))
    }
}

fn bit_of(key: &[u8; 16], bit: u8) -> usize {
    usize::from(key[usize::from(bit / 8)] >> (7 - bit % 8) & 1)
}
