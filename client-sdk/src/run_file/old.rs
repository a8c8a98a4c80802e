//! Lists of old balances: what is in another system's books, to be taken over by a run.
//!
//! The list is CSV, `party,number,amount,last day` a line; the last day may be empty. A number is what the balance was kept under
//! over there, such as a card's. The ledger sees it only through a keyed hash: numbers are few enough to be tried out.

use std::collections::BTreeMap;

use musubi_ledger::{amount::Amount, hash::tagged, id::DocumentHash, id::PartyId, run::OldBalance};
use zeroize::Zeroizing;

use super::{RunFileError, RunLine, RunPlan, listed};
use crate::entropy;

/// Bytes of the longest number.
pub const NUMBER_BYTES_MAX: usize = 128;

/// What hides numbers: kept as long as anything of the old system may still be taken over, and used for all of its lists.
#[derive(Debug)]
pub struct NumberKey(Zeroizing<[u8; 32]>);

impl NumberKey {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(Zeroizing::new(entropy::bytes()))
    }

    /// Reads the text that [`Self::to_text`] gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).ok()?;
        Some(Self(bytes))
    }

    /// 64 hexadecimal digits: a secret.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0.as_slice()))
    }

    /// What the ledger sees of a number.
    #[must_use]
    pub fn reference(&self, number: &str) -> DocumentHash {
        let parts = [self.0.as_slice(), number.as_bytes()];
        DocumentHash(tagged("musubi/v1/old-balance", &parts))
    }
}

/// One entry of a list as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldEntry<'t> {
    /// The line it stands on, from 1.
    pub line: usize,
    /// Whose it becomes.
    pub party: &'t str,
    /// What it was kept under.
    pub number: &'t str,
    /// How much, in the instrument's own unit.
    pub amount: &'t str,
    /// The last day on which it could be spent there; empty for no such day.
    pub last_day: &'t str,
}

/// The entries of a list of old balances. A heading, empty lines and those that begin with `#` are left out.
///
/// # Errors
/// [`RunFileError::Line`] for a line of another form, and for a number that stands twice: its second part needs one of its own.
pub fn old_entries(text: &str) -> Result<Vec<OldEntry<'_>>, RunFileError> {
    let mut numbers = BTreeMap::new();
    let mut entries = Vec::new();
    for (line, text) in listed(text) {
        let form = || RunFileError::line(line, "expected `party,number,amount,last day`");
        let mut fields = text.rsplitn(4, ',').map(|field| field.trim().trim_matches('"'));
        let mut field = || fields.next().ok_or_else(form);
        let (last_day, amount, number, party) = (field()?, field()?, field()?, field()?);
        if number.is_empty() || number.len() > NUMBER_BYTES_MAX {
            let what = format!("a number has 1 to {NUMBER_BYTES_MAX} bytes");
            return Err(RunFileError::line(line, what));
        }
        if let Some(first) = numbers.insert(number, line) {
            let what = format!(
                "`{number}` stands in line {first} already; where a card has several parts, give each a name of its own, \
                 such as `{number}/2`"
            );
            return Err(RunFileError::line(line, what));
        }
        entries.push(OldEntry { line, party, number, amount, last_day });
    }
    Ok(entries)
}

/// Plans a run of these old balances, in this order, each with a fresh salt.
///
/// # Errors
/// [`RunFileError::Plan`] if they are none or too many, or their sum leaves the range.
pub fn plan_old(
    balances: impl IntoIterator<Item = (PartyId, Amount, OldBalance)>,
) -> Result<RunPlan, RunFileError> {
    let line = |(to, amount, old)| RunLine { to, amount, salt: entropy::salt(), old: Some(old) };
    Ok(RunPlan::new(balances.into_iter().map(line).collect())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_ledger::time::Time;

    use super::{
        super::{read, write},
        *,
    };

    #[test]
    fn lists_are_read_and_a_number_stands_once() {
        let text = "\u{feff}party,number,amount,last_day\r\nabe, inc,1000-2,500,2027-03-31\r\ntaro,1000-3, 2.50 ,\r\n";
        let found = old_entries(text).unwrap();
        let told: Vec<_> =
            found.iter().map(|e| (e.line, e.party, e.number, e.amount, e.last_day)).collect();
        let first = (2, "abe, inc", "1000-2", "500", "2027-03-31");
        assert_eq!(told, [first, (3, "taro", "1000-3", "2.50", "")]);
        for (wrong, line) in [("taro,1,5", 1), ("a,7,1,\nb,8,1,\nc,7,1,", 3), ("a,,1,", 1)] {
            let error = old_entries(wrong).unwrap_err();
            assert!(matches!(error, RunFileError::Line { line: at, .. } if at == line), "{error}");
        }
        assert!(old_entries("a,7,1,\nb,7/2,1,").is_ok());
    }

    #[test]
    fn a_number_is_hidden_by_a_key_that_is_kept() {
        let key = NumberKey::parse(&"07".repeat(32)).unwrap();
        assert_eq!(NumberKey::parse(&key.to_text()).unwrap().reference("1"), key.reference("1"));
        assert_ne!(key.reference("1"), key.reference("2"));
        assert_ne!(key.reference("1"), NumberKey::generate().reference("1"));
        assert!(NumberKey::parse("07").is_none() && NumberKey::parse(&"zz".repeat(32)).is_none());
    }

    #[test]
    fn a_plan_of_old_balances_is_read_back_as_it_was_written() {
        let key = NumberKey::generate();
        let balances = (0..9_u8).map(|at| {
            let reference = key.reference(&at.to_string());
            let use_expiry = (at % 2 == 0).then_some(Time(u64::from(at)));
            (PartyId([at; 16]), Amount(u64::from(at) + 1), OldBalance { reference, use_expiry })
        });
        let plan = plan_old(balances).unwrap();
        let text = write(&plan);
        let again = read(&text).unwrap();
        assert_eq!((again.lines(), again.root()), (plan.lines(), plan.root()));
        let without = text.replacen("party,units,salt,reference,expiry", "party,units,salt", 1);
        assert!(matches!(read(&without), Err(RunFileError::Line { line: 2, .. })));
    }
}
