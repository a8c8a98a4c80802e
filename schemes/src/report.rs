//! What a scenario came to: its steps, its figures, its refusals.

use core::fmt;
use std::collections::BTreeMap;

use musubi_ledger::code::Code;
use serde::Serialize;

use crate::scheme::{Expect, Refusal, Scheme, Step};

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scheme.
    pub name: String,
    /// In the order in which they were played.
    pub steps: Vec<StepLine>,
    /// In the order in which they were measured.
    pub checks: Vec<CheckLine>,
    /// How often each kind of refusal was met.
    pub refusals: BTreeMap<&'static str, u64>,
}

/// A step that was played.
#[derive(Clone, Debug, Serialize)]
pub struct StepLine {
    /// What it is.
    pub label: String,
    /// What its transactions came to; the first that was not as it must be.
    pub code: String,
    /// Whether all was as the file says.
    pub ok: bool,
    /// Why not, where no code says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip)]
    place: usize,
    #[serde(skip)]
    wanted: Code,
    #[serde(skip)]
    refusal: Option<Refusal>,
    #[serde(skip)]
    pub(crate) codes: BTreeMap<Code, u64>,
    #[serde(skip)]
    pub(crate) applied: u64,
}

/// A figure that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct CheckLine {
    /// The row of the source.
    pub row: String,
    /// What the source says.
    pub text: String,
    /// What is measured.
    pub of: String,
    /// The figure.
    pub figure: i128,
    /// Of what.
    pub unit: String,
    /// What was found.
    pub got: Option<i128>,
    /// Whether they are equal.
    pub ok: bool,
    /// Why nothing was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip)]
    place: usize,
}

impl StepLine {
    pub(crate) fn new(step: &Step) -> Self {
        Self {
            label: step.label.clone(),
            code: "done".to_owned(),
            ok: true,
            why: None,
            place: step.at.start,
            wanted: step.code,
            refusal: step.refusal,
            codes: BTreeMap::new(),
            applied: 0,
        }
    }

    pub(crate) fn count(&mut self, code: Code) {
        *self.codes.entry(code).or_default() += 1;
        self.applied += u64::from(code == Code::Applied);
        if self.ok {
            self.code = code.name().to_owned();
            self.ok = code == self.wanted;
            if !self.ok {
                self.why = Some(format!("{} was expected", self.wanted));
            }
        }
    }

    /// What its transactions came to, and how many of each.
    pub(crate) fn counted(&self) -> String {
        if self.codes.is_empty() {
            return self.code.clone();
        }
        let of = |(code, count): (&Code, &u64)| match count {
            1 => code.name().to_owned(),
            more => format!("{more} × {code}"),
        };
        self.codes.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    /// What was otherwise.
    fn told(&self) -> String {
        let why = self.why.as_deref().unwrap_or_default();
        format!("step \"{}\": {} ({why})", self.label, self.code)
    }

    pub(crate) fn fail(&mut self, why: String) {
        if self.ok {
            self.ok = false;
            self.why = Some(why);
        }
    }
}

impl CheckLine {
    /// Holds a figure against what was found.
    pub(crate) fn new(expect: &Expect, got: Result<i128, String>) -> Self {
        Self {
            row: expect.row.clone(),
            text: expect.text.clone(),
            of: expect.of_text.clone(),
            figure: expect.figure,
            unit: expect.unit.clone(),
            ok: got == Ok(expect.figure),
            got: got.as_ref().ok().copied(),
            why: got.err(),
            place: expect.figure_at.start,
        }
    }

    /// What was otherwise.
    fn told(&self) -> String {
        let Self { row, text, of, figure, unit, .. } = self;
        let got = match (self.got, &self.why) {
            (Some(got), _) => got.to_string(),
            (None, why) => why.clone().unwrap_or_default(),
        };
        format!("{of} is {got}, not {figure} {unit} (row {row}: {text})")
    }

    /// Whether it would hold had its file said another figure.
    #[must_use]
    pub fn holds_for(&self, figure: i128) -> bool {
        self.got == Some(figure)
    }
}

impl Report {
    pub(crate) fn new(scheme: &Scheme) -> Self {
        Self {
            name: scheme.head.name.clone(),
            steps: Vec::new(),
            checks: Vec::new(),
            refusals: Refusal::ALL.iter().map(|refusal| (refusal.name(), 0)).collect(),
        }
    }

    pub(crate) fn has(&self, expect: &Expect) -> bool {
        self.checks.iter().any(|check| check.place == expect.figure_at.start)
    }

    pub(crate) fn count_refusals(&mut self) {
        for step in self.steps.iter().filter(|step| step.ok) {
            if let Some(refusal) = step.refusal {
                *self.refusals.entry(refusal.name()).or_default() +=
                    step.codes.get(&step.wanted).copied().unwrap_or_default();
            }
        }
    }

    /// Whether every step and every figure is as the file says.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.steps.iter().all(|step| step.ok) && self.checks.iter().all(|check| check.ok)
    }

    /// What is not as the file says, steps first: the byte of the file where it stands, and a sentence.
    #[must_use]
    pub fn differences(&self) -> Vec<(usize, String)> {
        let steps = self.steps.iter().filter(|step| !step.ok).map(|step| (step.place, step.told()));
        let checks = self.checks.iter().filter(|check| !check.ok);
        steps.chain(checks.map(|check| (check.place, check.told()))).collect()
    }

    /// As a document: `name`, `ok`, `steps`, `checks`, `refusals`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "name": self.name,
            "ok": self.ok(),
            "steps": self.steps,
            "checks": self.checks,
            "refusals": self.refusals,
        })
    }
}

impl fmt::Display for Report {
    /// What is not as it must be, line by line; then a line of counts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (_, what) in self.differences() {
            writeln!(f, "{}: {what}", self.name)?;
        }
        let good = |all: &mut dyn Iterator<Item = bool>| all.filter(|ok| *ok).count();
        let steps = good(&mut self.steps.iter().map(|step| step.ok));
        let checks = good(&mut self.checks.iter().map(|check| check.ok));
        let refusals: Vec<String> =
            self.refusals.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(
            f,
            "{}: {steps} of {} steps, {checks} of {} figures; refusals: {}",
            self.name,
            self.steps.len(),
            self.checks.len(),
            refusals.join(", ")
        )
    }
}
