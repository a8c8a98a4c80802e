//! Rows that nearly nobody asks for again: what every transaction writes once and for ever, its verdict and its
//! reference. By far the most rows there are, so they lie one behind the other as the bytes that the state digest
//! covers, beside a table of places: a third of the memory of rows in a map, and nothing to free one by one.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};
use musubi_ledger::state::{Row, RowKey};

/// Rows lie in pages of so many bytes, or of one row that is longer.
const PAGE_BYTES: usize = 1 << 20;
/// Before each row: the lengths of its key and of its value.
const LENGTHS: usize = 8;

/// Where a row lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Of the key: spares looking at most of what the table holds beside it.
    hash: u32,
    page: u32,
    at: u32,
}

/// The rows. Nothing that is computed depends on the order of the table; the hash is seeded, so that who chooses keys
/// does not choose where they fall.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    places: HashTable<Place>,
    hash: DefaultHashBuilder,
    pages: Vec<Vec<u8>>,
}

impl Past {
    /// Whether this row belongs here.
    pub(super) fn holds(key: &RowKey) -> bool {
        matches!(key, RowKey::Judged(_) | RowKey::Reference(..))
    }

    /// The row under `key`.
    ///
    /// # Panics
    /// Never: it was encoded here.
    pub(super) fn get(&self, key: &RowKey) -> Option<Row> {
        let hash = self.hash_of(key);
        let place = self.places.find(spread(hash), |place| self.is_at(place, hash, key))?;
        let (_, row) = parts(&self.pages, place);
        Some(Row::decode(row).expect("a row that was encoded here is one"))
    }

    /// Sets a row. What it replaces keeps its room: that is rare.
    pub(super) fn insert(&mut self, key: &RowKey, row: &Row) {
        let hash = self.hash_of(key);
        let place = self.append(hash, &key.to_bytes(), &row.encode());
        let pages = &self.pages;
        let same = |other: &Place| other.hash == hash && is_key(pages, other, key);
        match self.places.find_mut(spread(hash), same) {
            Some(old) => *old = place,
            None => {
                self.places.insert_unique(spread(hash), place, |place| spread(place.hash));
            }
        }
    }

    /// Forgets a row.
    pub(super) fn remove(&mut self, key: &RowKey) {
        let hash = self.hash_of(key);
        let pages = &self.pages;
        let same = |other: &Place| other.hash == hash && is_key(pages, other, key);
        if let Ok(found) = self.places.find_entry(spread(hash), same) {
            found.remove();
        }
    }

    /// All rows in no order: keys and values as storage keeps them.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.places.iter().map(|place| parts(&self.pages, place))
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    fn hash_of(&self, key: &RowKey) -> u32 {
        let [a, b, c, d, ..] = self.hash.hash_one(key).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn is_at(&self, place: &Place, hash: u32, key: &RowKey) -> bool {
        place.hash == hash && is_key(&self.pages, place, key)
    }

    fn append(&mut self, hash: u32, key: &[u8], row: &[u8]) -> Place {
        let length = LENGTHS + key.len() + row.len();
        let room = self.pages.last().map_or(0, |page| page.capacity() - page.len());
        if room < length {
            self.pages.push(Vec::with_capacity(PAGE_BYTES.max(length)));
        }
        let number = self.pages.len() - 1;
        let page = &mut self.pages[number];
        let small = |n: usize| u32::try_from(n).expect("rows and pages are far smaller");
        let place = Place { hash, page: small(number), at: small(page.len()) };
        page.extend(small(key.len()).to_le_bytes());
        page.extend(small(row.len()).to_le_bytes());
        page.extend_from_slice(key);
        page.extend_from_slice(row);
        place
    }
}

/// A hash for the table out of the part that is kept: it takes places from the lower bits, marks from the upper ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn is_key(pages: &[Vec<u8>], place: &Place, key: &RowKey) -> bool {
    parts(pages, place).0 == key.to_bytes()
}

/// The bytes of the key and of the row at a place.
fn parts<'p>(pages: &'p [Vec<u8>], place: &Place) -> (&'p [u8], &'p [u8]) {
    let page = &pages[place.page as usize];
    let (lengths, rest) = page[place.at as usize..].split_at(LENGTHS);
    let length =
        |at: usize| lengths[at..at + 4].iter().rev().fold(0, |n, b| n << 8 | usize::from(*b));
    let (key, rest) = rest.split_at(length(0));
    (key, &rest[..length(4)])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_ledger::id::{PartyId, TxId};

    use super::*;

    fn key(n: u32) -> RowKey {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_le_bytes());
        RowKey::Reference(PartyId(id), format!("r{}", n % 7).parse().unwrap())
    }

    fn row(n: u32) -> Row {
        let mut id = [9; 32];
        id[..4].copy_from_slice(&n.to_le_bytes());
        Row::Reference(TxId(id))
    }

    #[test]
    fn rows_are_found_again_replaced_and_forgotten() {
        let mut past = Past::default();
        let count = 40_000;
        for n in 0..count {
            past.insert(&key(n), &row(n));
        }
        assert!(past.pages.len() > 1, "several pages");
        past.insert(&key(5), &row(count));
        past.remove(&key(6));
        past.remove(&key(count + 1));
        for n in 0..count {
            let expected = match n {
                5 => Some(row(count)),
                6 => None,
                _ => Some(row(n)),
            };
            assert_eq!(past.get(&key(n)), expected);
        }
        assert_eq!(past.get(&key(count)), None);
        assert_eq!((past.len(), past.rows().count()), (count as usize - 1, count as usize - 1));
        let listed = past.rows().find(|(bytes, _)| *bytes == key(5).to_bytes()).unwrap();
        assert_eq!(Row::decode(listed.1).unwrap(), row(count));
    }
}
