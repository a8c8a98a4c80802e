//! `[choices]`: where the source is silent or contradicts itself, the file says so and makes its choice; elsewhere in the
//! file `"$name"` stands for its value, so that another choice can be tried without editing (`--set name=value`).

use core::{cell::Cell, ops::Range};
use std::collections::BTreeMap;

use super::{
    fields::Fields,
    node::{Node, Reader},
};
use crate::{
    mistake::Mistake,
    scheme::{Choice, ChoiceKind},
};

/// A value without parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plain {
    /// A whole number.
    Int(i128),
    /// A text.
    Text(String),
    /// True or false.
    Flag(bool),
}

impl Plain {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "integer",
            Self::Text(_) => "string",
            Self::Flag(_) => "boolean",
        }
    }

    /// A value as it is typed behind `--set name=`, of the kind of the one that it replaces.
    fn typed(&self, text: &str) -> Option<Self> {
        match self {
            Self::Int(_) => text.replace('_', "").parse().ok().map(Self::Int),
            Self::Text(_) => Some(Self::Text(text.to_owned())),
            Self::Flag(_) => text.parse().ok().map(Self::Flag),
        }
    }
}

impl core::fmt::Display for Plain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
        }
    }
}

/// The choices of a file while it is read.
#[derive(Default)]
pub(crate) struct Choices {
    list: BTreeMap<String, Declared>,
}

struct Declared {
    at: Range<usize>,
    choice: Choice,
    unused: bool,
    used: Cell<bool>,
}

impl Choices {
    /// The value of a choice, which is used by that.
    pub(crate) fn take(&self, name: &str) -> Option<&Plain> {
        let declared = self.list.get(name)?;
        declared.used.set(true);
        Some(&declared.choice.value)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Choice> {
        let declared = self.list.get(name)?;
        declared.used.set(true);
        Some(&declared.choice)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.list.keys().map(String::as_str)
    }

    /// Notes choices that nothing rests on, and those that say so though something does.
    pub(crate) fn check_used(&self, reader: &Reader<'_>) {
        for (name, declared) in &self.list {
            let what = match (declared.used.get(), declared.unused) {
                (false, false) => format!(
                    "nothing in this file rests on the choice {name}; use \"${name}\", or say unused = true"
                ),
                (true, true) => format!("the choice {name} is used; leave unused = true away"),
                _ => continue,
            };
            reader.note(Mistake::new(declared.at.clone(), what));
        }
    }

    pub(crate) fn into_list(self) -> Vec<Choice> {
        self.list.into_values().map(|declared| declared.choice).collect()
    }
}

/// Reads `[choices]`; `set` replaces values.
pub(crate) fn read(fields: &Fields<'_>, set: &[(String, String)]) -> Choices {
    let mut choices = Choices::default();
    for (at, name, node) in fields.all() {
        let Some(mut declared) = read_one(at, name, &node) else { continue };
        let typed = set.iter().rev().find(|(other, _)| other == name);
        if let Some((_, text)) = typed {
            let value = declared.choice.value.typed(text);
            match value {
                Some(value) if declared.choice.allows(&value) => {
                    declared.choice.changed = value != declared.choice.value;
                    declared.choice.value = value;
                }
                _ => {
                    let what = format!("the choice {name} cannot be set to {text}");
                    fields.reader().note(Mistake::new(declared.at.clone(), what));
                }
            }
        }
        choices.list.insert(name.to_owned(), declared);
    }
    for (name, _) in set.iter().filter(|(name, _)| !choices.list.contains_key(name)) {
        let known = choices.list.keys().map(String::as_str);
        fields.reader().note(Mistake::name(fields.at(), "choice", name, known));
    }
    choices
}

fn read_one(at: Range<usize>, name: &str, node: &Node<'_>) -> Option<Declared> {
    let fields = node.fields()?;
    let value = fields.need("value").and_then(|node| node.plain());
    let among = fields.may("among").map(|node| {
        let items = node.list().unwrap_or_default();
        items.iter().filter_map(Node::plain).collect::<Vec<Plain>>()
    });
    let kinds = [
        ("silent", ChoiceKind::Silent),
        ("contradiction", ChoiceKind::Contradiction),
        ("ours", ChoiceKind::Ours),
    ];
    let kind = fields.need("kind").and_then(|node| node.one_of(&kinds));
    let quote = fields.may("quote").and_then(|node| node.text()).unwrap_or_default();
    let why = fields.need("why").and_then(|node| node.text());
    let unused = fields.may("unused").and_then(|node| node.flag()).unwrap_or(false);
    if kind.is_some_and(|kind| kind != ChoiceKind::Ours) && quote.is_empty() {
        fields.wrong::<()>(format!(
            "the choice {name} is about the source: quote the place that is silent or contradicts itself"
        ));
    }
    fields.finish();
    let choice = Choice {
        name: name.to_owned(),
        value: value?,
        among: among.unwrap_or_default(),
        kind: kind?,
        quote,
        why: why?,
        changed: false,
    };
    if !choice.allows(&choice.value) {
        node.wrong::<()>(format!(
            "the value of the choice {name} is not among those that it allows"
        ));
    }
    Some(Declared { at, choice, unused, used: Cell::new(false) })
}
