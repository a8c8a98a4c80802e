//! Tables whose keys are asked for one by one.

use core::{cell::RefCell, ops::Range};
use std::collections::BTreeSet;

use toml::de::DeTable;

use super::node::{Node, Reader};
use crate::mistake::Mistake;

/// A table whose keys are asked for one by one; [`Fields::finish`] notes those that nobody asked for.
pub(crate) struct Fields<'a> {
    at: Range<usize>,
    table: &'a DeTable<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
    reader: &'a Reader<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(at: Range<usize>, table: &'a DeTable<'a>, reader: &'a Reader<'a>) -> Self {
        Self { at, table, asked: RefCell::default(), reader }
    }

    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    pub(crate) fn reader(&self) -> &'a Reader<'a> {
        self.reader
    }

    pub(crate) fn wrong<T>(&self, what: impl Into<String>) -> Option<T> {
        self.reader.note(Mistake::new(self.at(), what));
        None
    }

    /// The value of a key that may be left out.
    pub(crate) fn may(&self, key: &'static str) -> Option<Node<'a>> {
        self.asked.borrow_mut().insert(key);
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map(|(_, value)| self.reader.node(value.span(), value.get_ref()))
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, key: &'static str) -> Option<Node<'a>> {
        self.may(key).or_else(|| self.wrong(format!("`{key}` is missing")))
    }

    /// Whether the key is there, whatever its value.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.table.iter().any(|(name, _)| name.get_ref() == key)
    }

    /// All keys with their values, in the order of the file: for tables of names.
    pub(crate) fn all(&self) -> Vec<(Range<usize>, &'a str, Node<'a>)> {
        let named = self.table.iter().map(|(name, value)| {
            let name_at: &'a str = name.get_ref();
            (name.span(), name_at, self.reader.node(value.span(), value.get_ref()))
        });
        let mut all: Vec<_> = named.collect();
        all.sort_by_key(|(at, ..)| at.start);
        all
    }

    /// A key that scheme files have and that waits for something this ledger does not have yet.
    pub(crate) fn later(&self, key: &'static str, lacks: &str) {
        self.asked.borrow_mut().insert(key);
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        if let Some((name, _)) = found {
            let what = format!("`{key}` is not supported yet: {lacks}");
            self.reader.note(Mistake::new(name.span(), what));
        }
    }

    /// Notes keys that nobody asked for.
    pub(crate) fn finish(self) {
        let asked = self.asked.into_inner();
        for (name, _) in self.table {
            if !asked.contains(name.get_ref().as_ref()) {
                let known = asked.iter().copied();
                self.reader.note(Mistake::name(name.span(), "key", name.get_ref(), known));
            }
        }
    }
}
