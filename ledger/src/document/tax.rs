//! Consumption tax on a document: one rounding for each rate, never one for each article (Enforcement Order art. 70-10).

use serde::{Deserialize, Serialize};

use crate::{amount::Amount, limits, rule::formula::Rounding};

/// What the totals of a document are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Without tax (税抜): the tax comes on top.
    Net,
    /// With tax (税込): the tax is part of it.
    Gross,
}

/// How an issuer reckons tax.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRule {
    /// What its totals are.
    pub basis: Basis,
    /// How the tax of a rate's total becomes whole yen.
    pub rounding: Rounding,
}

/// The total of one rate, in yen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxLine {
    /// The rate in thousandths: 100 is 10 %; 0 for what is not taxed.
    pub rate: u16,
    /// Whether it carries the mark of the reduced rate (軽減税率).
    pub reduced: bool,
    /// The total, as the rule's basis says; not zero.
    pub total: Amount,
    /// Its tax.
    pub tax: Amount,
}

impl TaxLine {
    /// What tells one line of a document from another.
    #[must_use]
    pub fn of(&self) -> (u16, bool) {
        (self.rate, self.reduced)
    }
}

/// One to eight, ascending, none of nothing, no rate beyond the whole.
#[must_use]
pub fn lines_well_formed(lines: &[TaxLine]) -> bool {
    let counted = (1..=limits::TAX_LINES_MAX).contains(&lines.len());
    let ascending = lines.windows(2).all(|pair| pair[0].of() < pair[1].of());
    counted && ascending && lines.iter().all(|line| line.rate <= 1_000 && !line.total.is_zero())
}

impl TaxRule {
    /// The tax of one rate's total, rounded once. The rate is in thousandths, at most 1,000.
    ///
    /// # Panics
    /// If the rate is beyond 1,000: the tax would be more than its total.
    #[must_use]
    pub fn tax(&self, rate: u16, total: Amount) -> Amount {
        assert!(rate <= 1_000, "a rate of tax is at most the whole");
        let rate = u128::from(rate);
        let den = match self.basis {
            Basis::Net => 1_000,
            Basis::Gross => 1_000 + rate,
        };
        let exact = u128::from(total.0) * rate;
        let tax = match self.rounding {
            Rounding::Floor => exact / den,
            Rounding::Ceil => exact.div_ceil(den),
            Rounding::HalfUp => (2 * exact + den) / (2 * den),
        };
        u64::try_from(tax).map(Amount).expect("a tax is never more than its total")
    }

    /// Whether a line's tax is that of its total.
    #[must_use]
    pub fn is_right(&self, line: &TaxLine) -> bool {
        self.tax(line.rate, line.total) == line.tax
    }

    /// Whether a credit note's line takes back the right tax of an invoice's line, of which `credited` was taken back before:
    /// its own, rounded once and no more than is left, or what makes all notes together come to the tax of all that they
    /// take back.
    #[must_use]
    pub fn takes_back(&self, invoiced: &TaxLine, credited: &TaxLine, note: &TaxLine) -> bool {
        let Some(total) = credited.total.checked_add(note.total) else {
            return false;
        };
        let left = invoiced.tax.checked_sub(credited.tax).unwrap_or_default();
        let own = self.tax(note.rate, note.total).min(left);
        let together = self.tax(note.rate, total).checked_sub(credited.tax).unwrap_or_default();
        note.tax == own || note.tax == together.min(left)
    }
}
