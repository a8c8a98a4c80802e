#![allow(clippy::unwrap_used)]
use super::*;

struct Disk(Vec<LogEntry>);

impl LogReader for Disk {
    fn entries(&self, from: u64, until: u64, _: u64) -> Result<Vec<LogEntry>, LogFault> {
        let kept = self.0.iter().filter(|e| (from..until).contains(&e.index));
        Ok(kept.take(3).cloned().collect())
    }

    fn term(&self, index: u64) -> Result<Option<u64>, LogFault> {
        Ok(self.0.iter().find(|e| e.index == index).map(|e| e.term))
    }
}

fn entry(index: u64, term: u64) -> Entry {
    Entry { index, term, data: vec![0; 100], ..Entry::default() }
}

fn view(on_disk: u64) -> LogView {
    let data = vec![0; 100];
    let disk = (1..=on_disk).map(|index| LogEntry { index, term: 1, data: data.clone() });
    let last = Position { index: on_disk, term: u64::from(on_disk > 0) };
    let recovered = Recovered { last, ..Recovered::fresh() };
    LogView::new(vec![1], &recovered, Box::new(Disk(disk.collect())))
}

fn indexes(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.index).collect()
}

#[test]
fn disk_and_tail_make_one_log() {
    let mut view = view(2);
    view.append(&[entry(3, 2), entry(4, 2)]);
    assert_eq!(indexes(&view.collect(1, 5, 10_000)), [1, 2, 3, 4]);
    assert_eq!(indexes(&view.collect(2, 4, 10_000)), [2, 3]);
    assert_eq!(indexes(&view.collect(1, 5, 140)), [1], "at least one, however small the limit");
    assert_eq!((1..=4).map(|i| view.term(i).unwrap()).collect::<Vec<_>>(), [1, 1, 2, 2]);
    assert!(view.term(5).is_err());
    assert_eq!(view.take_fault(), None);
}

#[test]
fn a_conflicting_append_truncates_and_says_from_where() {
    let mut view = view(4);
    assert_eq!(view.append(&[entry(5, 2), entry(6, 2)]), None);
    assert_eq!(view.append(&[entry(6, 3)]), Some(6));
    assert_eq!(view.append(&[entry(3, 4)]), Some(3));
    assert_eq!(view.last(), Position { index: 3, term: 4 });
    assert_eq!(indexes(&view.collect(1, 4, 10_000)), [1, 2, 3]);
    assert_eq!(view.term(3).unwrap(), 4);
}

#[test]
fn the_tail_shrinks_to_its_budget_but_keeps_what_is_not_persisted() {
    let mut view = view(0);
    view.append(&[entry(1, 1), entry(2, 1), entry(3, 1)]);
    view.shrink(0, 3);
    assert_eq!(view.tail_start(), 3);
    assert_eq!(view.tail_bytes(), 132);
}

#[test]
fn a_backend_that_lost_entries_is_a_fault_and_never_a_wrong_answer() {
    let mut view = view(2);
    view.append(&[entry(3, 2)]);
    view.reader = Box::new(Disk(vec![]));
    assert!(view.collect(1, 4, 10_000).is_empty());
    assert!(view.take_fault().unwrap().0.contains("entries from 1"));
    assert!(view.term(1).is_err());
    assert!(view.take_fault().is_some());
}
