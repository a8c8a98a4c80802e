//! Rows in use, in memory: a bounded map with second-chance (clock) eviction.
//!
//! A row is filled from the backend outside the lock. Should a block change it meanwhile, what the fill
//! read is old; so a fill leaves a marker first, and takes effect only if its marker is still there.
//!
//! With a hundred thousand wallets nearly every look at a row misses the processor's caches, so the map is
//! laid out for few such misses and little memory: a table of places, by hash, beside the rows themselves.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
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

/// The map. Nothing depends on its order. Who chooses keys cannot choose where they fall: the hash is seeded.
pub(crate) struct Cache {
    /// Places in `slots`, by the hash of the key there.
    places: HashTable<u32>,
    hash: DefaultHashBuilder,
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
            places: HashTable::new(),
            hash: DefaultHashBuilder::default(),
            slots: Vec::new(),
            capacity: capacity.clamp(1, u32::MAX as usize),
            hand: 0,
            tokens: 0,
            counts: CacheCounts::default(),
        }
    }

    /// What is known of a row.
    pub(crate) fn get(&mut self, key: &RowKey) -> Option<Option<Row>> {
        let known = self.known(key);
        match known {
            Some(_) => self.counts.hits += 1,
            None => self.counts.misses += 1,
        }
        known
    }

    fn known(&mut self, key: &RowKey) -> Option<Option<Row>> {
        let place = self.place(key)?;
        let slot = &mut self.slots[place];
        slot.used = true;
        match &slot.held {
            Held::Known(row) => Some(row.clone()),
            Held::Filling(_) => None,
        }
    }

    /// Announces a fill. `None` if the row is known or another fill is under way.
    pub(crate) fn begin(&mut self, key: &RowKey) -> Option<u64> {
        if self.place(key).is_some() {
            return None;
        }
        self.tokens += 1;
        self.insert(key.clone(), Held::Filling(self.tokens));
        Some(self.tokens)
    }

    /// Ends the fill that [`Cache::begin`] announced; ignored if the row was changed or evicted since.
    pub(crate) fn finish(&mut self, key: &RowKey, token: u64, row: Option<Row>) {
        let Some(place) = self.place(key) else {
            return;
        };
        let slot = &mut self.slots[place];
        if matches!(slot.held, Held::Filling(announced) if announced == token) {
            slot.held = Held::Known(row);
        }
    }

    /// A block changed this row.
    pub(crate) fn put(&mut self, key: &RowKey, row: Option<Row>) {
        match self.place(key) {
            Some(place) => self.slots[place].held = Held::Known(row),
            None => self.insert(key.clone(), Held::Known(row)),
        }
    }

    /// What the cache has done.
    pub(crate) fn counts(&self) -> CacheCounts {
        CacheCounts { rows: self.slots.len() as u64, ..self.counts }
    }

    fn place(&self, key: &RowKey) -> Option<usize> {
        let is_it = |place: &u32| self.slots[*place as usize].key == *key;
        self.places.find(self.hash.hash_one(key), is_it).map(|place| *place as usize)
    }

    fn insert(&mut self, key: RowKey, held: Held) {
        let place = if self.slots.len() < self.capacity { self.slots.len() } else { self.vacate() };
        let hash = self.hash.hash_one(&key);
        let slot = Slot { key, held, used: false }; // it has to be asked for again to outlive the hand
        if place == self.slots.len() {
            self.slots.push(slot);
        } else {
            self.slots[place] = slot;
        }
        let number = u32::try_from(place).expect("the capacity is below 2^32");
        let rehash = |place: &u32| self.hash.hash_one(&self.slots[*place as usize].key);
        self.places.insert_unique(hash, number, rehash);
    }

    /// Frees the place of the first row from the hand on that was not asked for since the hand came by.
    fn vacate(&mut self) -> usize {
        let place = loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            if !std::mem::take(&mut self.slots[place].used) {
                break place;
            }
        };
        let hash = self.hash.hash_one(&self.slots[place].key);
        let entry = self.places.find_entry(hash, |at| *at as usize == place);
        entry.expect("every slot has its place in the table").remove();
        self.counts.evictions += 1;
        place
    }
}

#[cfg(test)]
mod tests {
    use musubi_ledger::id::PartyId;

    use super::*;

    fn key(n: u8) -> RowKey {
        RowKey::Person(musubi_ledger::id::PersonTag([n; 32]))
    }

    fn row(n: u8) -> Option<Row> {
        Some(Row::Person(PartyId([n; 16])))
    }

    #[test]
    fn a_fill_that_was_overtaken_is_ignored() {
        let mut cache = Cache::new(1);
        let token = cache.begin(&key(1)).expect("nothing is known yet");
        assert_eq!(cache.begin(&key(1)), None, "one fill at a time");
        assert_eq!(cache.get(&key(1)), None, "not known until it ends");
        cache.put(&key(1), row(9));
        cache.finish(&key(1), token, row(1));
        assert_eq!(cache.get(&key(1)), Some(row(9)), "the block's row stands");
        // Evicted and begun anew: the old fill must not answer for the new one.
        cache.put(&key(2), row(2));
        let newer = cache.begin(&key(1)).expect("evicted");
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
    fn every_row_is_found_under_its_own_key_whatever_was_evicted() {
        let mut cache = Cache::new(8);
        for n in 0..=u8::MAX {
            cache.put(&key(n), row(n));
            for kept in n.saturating_sub(7)..=n {
                assert!(cache.get(&key(kept)).is_none_or(|found| found == row(kept)));
            }
            assert_eq!(cache.get(&key(n)), Some(row(n)));
        }
        let found = (0..=u8::MAX).filter(|n| cache.get(&key(*n)).is_some()).count();
        assert_eq!(found, 8);
    }
}
