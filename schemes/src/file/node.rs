//! Values of a TOML text with their places. Whatever asks for another form than it finds notes a mistake and gets nothing,
//! so that reading goes on and all mistakes of a file are told together.

use core::{cell::RefCell, ops::Range};

use toml::de::DeValue;

use super::{
    choice::{Choices, Plain},
    fields::Fields,
};
use crate::mistake::Mistake;

/// What reading gathers: the mistakes so far, the choices that `"$name"` stands for, and by how many years dates are later
/// than they are written.
pub(crate) struct Reader<'a> {
    mistakes: RefCell<Vec<Mistake>>,
    choices: &'a Choices,
    years: i64,
}

/// A value and its place.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    at: Range<usize>,
    is: Is<'a>,
    reader: &'a Reader<'a>,
}

#[derive(Clone)]
enum Is<'a> {
    Value(&'a DeValue<'a>),
    Chosen(&'a Plain),
    /// A mistake was noted already.
    Broken,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(choices: &'a Choices, years: i64) -> Self {
        Self { mistakes: RefCell::default(), choices, years }
    }

    pub(crate) fn note(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    pub(crate) fn choices(&self) -> &'a Choices {
        self.choices
    }

    pub(crate) fn mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    pub(super) fn node(&'a self, at: Range<usize>, value: &'a DeValue<'a>) -> Node<'a> {
        let name = value.as_str().and_then(|text| text.strip_prefix('$'));
        let Some(name) = name else { return Node { at, is: Is::Value(value), reader: self } };
        let is = match self.choices.take(name) {
            Some(plain) => Is::Chosen(plain),
            None => {
                self.note(Mistake::name(at.clone(), "choice", name, self.choices.names()));
                Is::Broken
            }
        };
        Node { at, is, reader: self }
    }
}

impl<'a> Node<'a> {
    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// By how many years dates are later than they are written.
    pub(super) fn years(&self) -> i64 {
        self.reader.years
    }

    /// Notes what is wrong with this value.
    pub(crate) fn wrong<T>(&self, what: impl Into<String>) -> Option<T> {
        self.reader.note(Mistake::new(self.at(), what));
        None
    }

    /// Notes that it names nothing of this kind.
    pub(crate) fn unknown<'n, T>(
        &self,
        kind: &str,
        name: &str,
        declared: impl IntoIterator<Item = &'n str>,
    ) -> Option<T> {
        self.reader.note(Mistake::name(self.at(), kind, name, declared));
        None
    }

    fn not<T>(&self, wanted: &str) -> Option<T> {
        let found = match &self.is {
            Is::Broken => return None,
            Is::Value(DeValue::Float(_)) => {
                return self.wrong(format!(
                    "{wanted} stands here, and never a number with a point: money is whole, and a rate is a text such as \"0.5%\""
                ));
            }
            Is::Value(value) => value.type_str(),
            Is::Chosen(plain) => plain.kind(),
        };
        self.wrong(format!("{wanted} stands here, not {} {found}", article(found)))
    }

    /// A number, a text or a truth value.
    pub(crate) fn plain(&self) -> Option<Plain> {
        match &self.is {
            Is::Chosen(plain) => Some((*plain).clone()),
            Is::Value(DeValue::String(text)) => Some(Plain::Text(text.clone().into_owned())),
            Is::Value(DeValue::Boolean(flag)) => Some(Plain::Flag(*flag)),
            Is::Value(DeValue::Integer(_)) => self.int().map(Plain::Int),
            _ => self.not("a whole number, a text, true or false"),
        }
    }

    pub(crate) fn int(&self) -> Option<i128> {
        match &self.is {
            Is::Chosen(Plain::Int(number)) => Some(*number),
            Is::Value(DeValue::Integer(number)) => {
                let read = i128::from_str_radix(number.as_str(), number.radix()).ok();
                read.or_else(|| self.wrong("this number is out of range"))
            }
            _ => self.not("a whole number"),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn whole(&self, bounds: core::ops::RangeInclusive<u64>) -> Option<u64> {
        let number = self.int()?;
        let fits = u64::try_from(number).ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        fits.or_else(|| self.wrong(format!("{number} is not between {least} and {most}")))
    }

    pub(crate) fn text(&self) -> Option<String> {
        match self.plain_text() {
            Some(text) => Some(text.to_owned()),
            None => self.not("a text"),
        }
    }

    /// It, if it is a text.
    pub(crate) fn plain_text(&self) -> Option<&str> {
        match &self.is {
            Is::Chosen(Plain::Text(text)) => Some(text),
            Is::Value(DeValue::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match &self.is {
            Is::Chosen(Plain::Flag(flag)) => Some(*flag),
            Is::Value(DeValue::Boolean(flag)) => Some(*flag),
            _ => self.not("true or false"),
        }
    }

    /// One of a few words.
    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text);
        match found {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let listed: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                let near = crate::mistake::nearest(&text, &listed);
                let hint = near.map(|near| format!("did you mean {near}?"));
                let what = format!("\"{text}\" is none of {}", listed.join(", "));
                self.reader.note(Mistake { at: self.at(), what, hint });
                None
            }
        }
    }

    /// Its items, if it is a list.
    pub(crate) fn items(&self) -> Option<Vec<Node<'a>>> {
        let Is::Value(DeValue::Array(array)) = &self.is else { return None };
        let reader = self.reader;
        Some(array.iter().map(|item| reader.node(item.span(), item.get_ref())).collect())
    }

    pub(crate) fn list(&self) -> Option<Vec<Node<'a>>> {
        self.items().or_else(|| self.not("a list"))
    }

    /// Its items, or itself alone.
    pub(crate) fn some(&self) -> Vec<Node<'a>> {
        self.items().unwrap_or_else(|| vec![self.clone()])
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(&self.is, Is::Value(DeValue::Table(_)))
    }

    pub(crate) fn fields(&self) -> Option<Fields<'a>> {
        match &self.is {
            Is::Value(DeValue::Table(table)) => Some(Fields::new(self.at(), table, self.reader)),
            _ => self.not("a table"),
        }
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
