//! Rows in use, in memory: a bounded map with second-chance (clock) eviction.
//!
//! A row is filled from the backend outside the lock. Should a block change it meanwhile, what the fill
//! read is old; so a fill leaves a marker first, and takes effect only if its marker is still there.

use std::collections::HashMap;

use musubi_ledger::state::{Row, RowKey};

use crate::counters::CacheCounts;

enum Held {
    /// Being read by the fill with this token.
    Filling(u64),
    /// The row, or that there is none.
    Known(Option<Row>),
}

struct Slot {
    key: RowKey,
    held: Held,
    /// Asked for since the hand last came by.
    used: bool,
}

/// The map. Nothing depends on its iteration order.
pub(crate) struct Cache {
    places: HashMap<RowKey, usize>,
    slots: Vec<Slot>,
    capacity: usize,
    hand: usize,
    tokens: u64,
    counts: CacheCounts,
}

impl Cache {
    /// An empty cache for `capacity` rows, at least one.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            places: HashMap::new(),
            slots: Vec::new(),
            capacity: capacity.max(1),
            hand: 0,
            tokens: 0,
            counts: CacheCounts::default(),
        }
    }

    /// What is known of a row.
    pub(crate) fn get(&mut self, key: &RowKey) -> Option<Option<Row>> {
        let known = self.known(key).map(|row| row.cloned());
        match known {
            Some(_) => self.counts.hits += 1,
            None => self.counts.misses += 1,
        }
        known
    }

    /// Shows what is known of a row, if anything is. A miss is not counted: who misses asks on.
    pub(crate) fn show(&mut self, key: &RowKey, read: &mut dyn FnMut(Option<&Row>)) -> bool {
        let Some(row) = self.known(key) else { return false };
        read(row);
        self.counts.hits += 1;
        true
    }

    fn known(&mut self, key: &RowKey) -> Option<Option<&Row>> {
        let slot = &mut self.slots[*self.places.get(key)?];
        slot.used = true;
        match &slot.held {
            Held::Known(row) => Some(row.as_ref()),
            Held::Filling(_) => None,
        }
    }

    /// Announces a fill. `None` if the row is known or another fill is under way.
    pub(crate) fn begin(&mut self, key: &RowKey) -> Option<u64> {
        if self.places.contains_key(key) {
            return None;
        }
        self.tokens += 1;
        self.insert(key.clone(), Held::Filling(self.tokens));
        Some(self.tokens)
    }

    /// Ends the fill that [`Cache::begin`] announced; ignored if the row was changed or evicted since.
    pub(crate) fn finish(&mut self, key: &RowKey, token: u64, row: Option<Row>) {
        let Some(&place) = self.places.get(key) else {
            return;
        };
        let slot = &mut self.slots[place];
        if matches!(slot.held, Held::Filling(announced) if announced == token) {
            slot.held = Held::Known(row);
        }
    }

    /// A block changed this row.
    pub(crate) fn put(&mut self, key: &RowKey, row: Option<Row>) {
        match self.places.get(key) {
            Some(&place) => self.slots[place].held = Held::Known(row),
            None => self.insert(key.clone(), Held::Known(row)),
        }
    }

    /// A block changed this row, and nobody will ask for it soon.
    pub(crate) fn forget(&mut self, key: &RowKey) {
        let Some(place) = self.places.remove(key) else {
            return;
        };
        self.slots.swap_remove(place);
        if let Some(moved) = self.slots.get(place) {
            self.places.insert(moved.key.clone(), place);
        }
        if self.hand >= self.slots.len() {
            self.hand = 0;
        }
    }

    /// What the cache has done.
    pub(crate) fn counts(&self) -> CacheCounts {
        CacheCounts { rows: self.slots.len() as u64, ..self.counts }
    }

    fn insert(&mut self, key: RowKey, held: Held) {
        let slot = Slot { key: key.clone(), held, used: false }; // it has to be asked for again to outlive the hand
        if self.slots.len() < self.capacity {
            self.places.insert(key, self.slots.len());
            self.slots.push(slot);
            return;
        }
        let place = self.victim();
        self.counts.evictions += 1;
        self.places.remove(&self.slots[place].key);
        self.places.insert(key, place);
        self.slots[place] = slot;
    }

    /// The first row from the hand on that was not asked for since the hand came by.
    fn victim(&mut self) -> usize {
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            if !std::mem::take(&mut self.slots[place].used) {
                return place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use musubi_ledger::id::{PartyId, TxId};

    use super::*;

    fn key(n: u8) -> RowKey {
        RowKey::Person(musubi_ledger::id::PersonTag([n; 32]))
    }

    fn row(n: u8) -> Option<Row> {
        Some(Row::Person(PartyId([n; 16])))
    }

    #[test]
    fn a_fill_that_was_overtaken_is_ignored() {
        let mut cache = Cache::new(2);
        let token = cache.begin(&key(1)).expect("nothing is known yet");
        assert_eq!(cache.begin(&key(1)), None, "one fill at a time");
        assert_eq!(cache.get(&key(1)), None, "not known until it ends");
        cache.put(&key(1), row(9));
        cache.finish(&key(1), token, row(1));
        assert_eq!(cache.get(&key(1)), Some(row(9)), "the block's row stands");
        // Forgotten and begun anew: the old fill must not answer for the new one.
        cache.forget(&key(1));
        let newer = cache.begin(&key(1)).expect("forgotten");
        cache.finish(&key(1), token, row(1));
        assert_eq!(cache.get(&key(1)), None);
        cache.finish(&key(1), newer, None);
        assert_eq!(cache.get(&key(1)), Some(None), "known to be absent");
    }

    #[test]
    fn rows_in_use_outlive_others_and_the_bound_holds() {
        let mut cache = Cache::new(4);
        for n in 0..4 {
            cache.put(&key(n), row(n));
        }
        cache.put(&key(4), row(4)); // one of four equals goes
        let survivors: Vec<u8> = (0..5).filter(|&n| cache.get(&key(n)).is_some()).collect();
        assert_eq!(survivors.len(), 4);
        for n in 10..40 {
            assert!(cache.get(&key(4)).is_some(), "asked for between all others");
            cache.put(&key(n), row(n));
        }
        assert_eq!(cache.counts().rows, 4);
        assert_eq!(cache.counts().evictions, 31);
    }

    #[test]
    fn forgetting_moves_no_row_to_another_key() {
        let mut cache = Cache::new(8);
        for n in 0..8 {
            cache.put(&key(n), row(n));
        }
        for n in [0, 7, 3] {
            cache.forget(&key(n));
        }
        cache.forget(&RowKey::Judged(TxId([1; 32])));
        for n in [1, 2, 4, 5, 6] {
            assert_eq!(cache.get(&key(n)), Some(row(n)));
        }
        assert_eq!(cache.get(&key(0)), None);
    }
}
