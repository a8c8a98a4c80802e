//! A scheme as it was read and checked: all names resolved, all figures whole.

mod refusal;

use core::ops::Range;

use musubi_ledger::{
    code::Code,
    cutoff::SettlementCalendar,
    id::{InstrumentId, RuleId},
    instrument::Terms,
    offer::{OfferTerms, Part},
    rule::RuleTerms,
    time::Time,
};

pub use self::refusal::Refusal;
use crate::{cast::Cast, expr::Expr, file::Plain, verb::Verb};

/// A checked scheme.
#[derive(Debug)]
pub struct Scheme {
    /// What it is and where it comes from.
    pub head: Head,
    /// Where its source is silent or contradicts itself.
    pub choices: Vec<Choice>,
    /// Who takes part.
    pub cast: Cast,
    /// When claims are cut off and paid out.
    pub calendars: Vec<Calendar>,
    /// What is issued.
    pub instruments: Vec<Issued>,
    /// What the ledger posts by itself.
    pub rules: Vec<Ruled>,
    /// What may be taken.
    pub offers: Vec<Offered>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What must come out.
    pub expects: Vec<Expect>,
}

/// `[scheme]`.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its short name: that of its file.
    pub name: String,
    /// What its town calls it.
    pub title: String,
    /// Whose it is.
    pub municipality: String,
    /// The row of the source that it comes from.
    pub row: String,
    /// What the project costs, in thousand yen.
    pub cost_thousand: u64,
    /// Inhabitants.
    pub population: u64,
    /// When the scenario begins.
    pub begins: Time,
    /// In a sentence.
    pub summary: String,
    /// Which of the nine primitives it needs.
    pub primitives: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Refusals that its scenario must meet.
    pub refusals: Vec<Refusal>,
}

/// Why a choice had to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChoiceKind {
    /// The source does not say.
    Silent,
    /// The source says two things.
    Contradiction,
    /// A figure of the scenario that no source could say.
    Ours,
}

impl ChoiceKind {
    /// As files write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Contradiction => "contradiction",
            Self::Ours => "ours",
        }
    }
}

/// One of `[choices]`.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// What was chosen.
    pub value: Plain,
    /// Among what, if limited.
    pub among: Vec<Plain>,
    /// Why there was a choice.
    pub kind: ChoiceKind,
    /// What the source says.
    pub quote: String,
    /// Why so.
    pub why: String,
    /// Whether `--set` chose otherwise than the file.
    pub changed: bool,
}

impl Choice {
    /// Whether this could be chosen.
    #[must_use]
    pub fn allows(&self, value: &Plain) -> bool {
        self.among.is_empty() || self.among.contains(value)
    }
}

/// One of `[calendars]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Calendar {
    /// Its name.
    pub name: String,
    /// Its cut-offs.
    pub days: SettlementCalendar,
}

/// One of `[[instrument]]`.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its code.
    pub id: InstrumentId,
    /// Its terms; the issuer's id is filled in on the stage.
    pub terms: Terms,
    /// Place of the issuer in the cast.
    pub issuer: usize,
    /// By which calendar claims on it are settled: its place.
    pub settled: Option<usize>,
    /// Whether it is defined: false where its `if` does not hold.
    pub stands: bool,
}

/// One of `[[rule]]`.
#[derive(Clone, Debug)]
pub struct Ruled {
    /// Its name, for steps and expectations.
    pub name: String,
    /// The instrument that it watches, and its number there.
    pub id: RuleId,
    /// What it does; parties are places in the cast ([`crate::cast::place_id`]) until it is put.
    pub terms: RuleTerms,
    /// The offer that it follows, by its place; with what is taken of any if none.
    pub offer: Option<usize>,
    /// Whether a step puts it, and not the set-up.
    pub later: bool,
    /// Whether it is put: false where its `if` does not hold.
    pub stands: bool,
}

/// One of `[[offer]]`.
#[derive(Clone, Debug)]
pub struct Offered {
    /// Its name, for steps and expectations.
    pub name: String,
    /// What it is; parties are places in the cast, and what must be shown is in `shown`.
    pub terms: OfferTerms,
    /// What must be shown.
    pub shown: Shown,
    /// Whether a step puts it, and not the set-up.
    pub later: bool,
    /// Whether it is put: false where its `if` does not hold.
    pub stands: bool,
}

/// What somebody must show to take of an offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// A code, the same for all.
    Code(String),
    /// A right that so many officers of a party gave: its place in the cast.
    Right(usize, u8),
    /// An application that has won.
    Lottery,
}

/// What a unit of an offer gives.
#[must_use]
pub fn parts(terms: &OfferTerms) -> &[Part] {
    terms.gives.parts()
}

/// One of `steps`.
#[derive(Debug)]
pub struct Step {
    /// Where it stands in the file.
    pub at: Range<usize>,
    /// Its name, for later steps and for `at`.
    pub id: Option<String>,
    /// What it is, for people.
    pub label: String,
    /// How often it is done.
    pub times: u32,
    /// What each of its transactions must come to.
    pub code: Code,
    /// Which refusal that shows.
    pub refusal: Option<Refusal>,
    /// Who does not sign, though they should: places in the cast.
    pub without: Vec<usize>,
    /// What is done.
    pub verb: Box<dyn Verb>,
}

/// One of `[[expect]]`.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Where its figure stands in the file.
    pub figure_at: Range<usize>,
    /// The row of the source.
    pub row: String,
    /// What the source says.
    pub text: String,
    /// The figure.
    pub figure: i128,
    /// Of what.
    pub unit: String,
    /// What is measured.
    pub of: Expr,
    /// As it stands in the file.
    pub of_text: String,
    /// After which step; at the end if none.
    pub at: Option<String>,
    /// How the figure follows from the text, where it does not stand in it.
    pub derived: Option<String>,
}
