//! The banks' file for transfers to many (全銀協 総合振込): records of 120 bytes in JIS X 0201, header, one per payment,
//! trailer, end. Figures are right-aligned and filled with zeros, words left-aligned and filled with spaces. What does not
//! fit is refused, never cut off.

pub mod kana;

use musubi_sdk::Day;
use serde::Deserialize;
use thiserror::Error;

/// Payments that banks take in one file.
pub const ITEMS_MAX: usize = 50_000;
/// The most that one payment can be, in yen: ten digits.
pub const AMOUNT_MAX: u64 = 9_999_999_999;
/// The most that all together can be, in yen: twelve digits.
pub const TOTAL_MAX: u64 = 999_999_999_999;
/// Bytes of a record, without its line end.
pub const RECORD_BYTES: usize = 120;

/// Why there is no file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ZenginError {
    /// A character that bank files do not have.
    #[error("{field} `{text}`: a bank file cannot hold `{character}`")]
    Character {
        /// Of which field.
        field: &'static str,
        /// The whole text.
        text: String,
        /// The character.
        character: char,
    },
    /// Too long; it is never cut off.
    #[error(
        "{field} `{text}` takes {length} bytes (a voiced sign is one), and there is room for {room}"
    )]
    Long {
        /// Of which field.
        field: &'static str,
        /// The whole text.
        text: String,
        /// Its length in bytes.
        length: usize,
        /// The field's.
        room: usize,
    },
    /// Not a number of so many digits.
    #[error("{field} `{text}` is not made of exactly {digits} digits")]
    Digits {
        /// Of which field.
        field: &'static str,
        /// The text.
        text: String,
        /// How many it takes.
        digits: usize,
    },
    /// An empty name.
    #[error("{field} is empty")]
    Empty {
        /// Of which field.
        field: &'static str,
    },
    /// A payment of nothing, or of more than ten digits.
    #[error("a payment of {0} yen: a bank file takes 1 to 9,999,999,999")]
    Amount(u64),
    /// More than twelve digits together.
    #[error("all payments together are {0} yen: a bank file takes at most 999,999,999,999")]
    Total(u64),
    /// Too many payments, or none.
    #[error("{0} payments: a bank file takes 1 to 50,000")]
    Items(usize),
}

impl ZenginError {
    /// What to do about it.
    #[must_use]
    pub fn next(&self) -> &'static str {
        match self {
            Self::Character { .. }
            | Self::Long { .. }
            | Self::Digits { .. }
            | Self::Empty { .. } => {
                "correct the accounts file; nothing is ever cut off or left out"
            }
            Self::Items(0) => "there is nothing to pay: no file is needed",
            Self::Items(_) | Self::Total(_) => {
                "pay in parts: first a file up to an earlier --cut-off; once its redemptions are confirmed as paid, one for the rest"
            }
            Self::Amount(0) => {
                "fees took all of it: confirm the redemption as paid without the bank, then make the file"
            }
            Self::Amount(_) => {
                "have the merchant's redemptions confirmed in parts: first a file up to an earlier --cut-off, then one for the rest"
            }
        }
    }
}

/// A kind of bank account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 普通.
    Ordinary,
    /// 当座.
    Current,
    /// 貯蓄.
    Savings,
    /// その他.
    Other,
}

/// A bank account and its holder, as banks spell them.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankAccount {
    /// The bank's code: four digits.
    pub bank: String,
    /// Its name in katakana: at most 15 bytes.
    pub bank_name: String,
    /// The branch's code: three digits.
    pub branch: String,
    /// Its name in katakana: at most 15 bytes.
    pub branch_name: String,
    /// What kind of account.
    pub kind: Kind,
    /// Its number: up to seven digits.
    pub account: String,
    /// The holder in katakana: at most 30 bytes (a sender's 40).
    pub name: String,
}

/// Who orders the payments.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// The code that its bank gave it: up to ten digits.
    pub code: String,
    /// From which account.
    #[serde(flatten)]
    pub account: BankAccount,
}

/// One payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item<'a> {
    /// To which account.
    pub to: &'a BankAccount,
    /// How much, in yen.
    pub amount: u64,
}

/// How records end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineEnd {
    /// With CR LF.
    CrLf,
    /// Not at all: 120 bytes follow 120 bytes.
    None,
}

/// The file.
///
/// # Errors
/// [`ZenginError`] for whatever does not fit.
pub fn write(
    sender: &Sender,
    pay_on: Day,
    items: &[Item<'_>],
    end: LineEnd,
) -> Result<Vec<u8>, ZenginError> {
    if items.is_empty() || items.len() > ITEMS_MAX {
        return Err(ZenginError::Items(items.len()));
    }
    let total = items.iter().try_fold(0_u64, |sum, item| sum.checked_add(item.amount));
    let total = total.unwrap_or(u64::MAX);
    if total > TOTAL_MAX {
        return Err(ZenginError::Total(total));
    }
    let mut records = vec![header(sender, pay_on)?];
    for (number, item) in (1..).zip(items) {
        records.push(data(number, item)?);
    }
    records.push(Record::new(b"8").number(items.len() as u64, 6).number(total, 12).blank(101));
    records.push(Record::new(b"9").blank(119));
    let mut file = Vec::with_capacity(records.len() * (RECORD_BYTES + 2));
    for record in records {
        assert_eq!(record.0.len(), RECORD_BYTES, "a record has its length");
        file.extend(record.0);
        if end == LineEnd::CrLf {
            file.extend(b"\r\n");
        }
    }
    Ok(file)
}

fn header(sender: &Sender, pay_on: Day) -> Result<Record, ZenginError> {
    let (_, month, day) = pay_on.civil();
    let Sender { code, account } = sender;
    // 21: transfers to many; 0: JIS. The year is nowhere: a file is for the next such day.
    let record = Record::new(b"1210")
        .digits("sender's code", &filled(code, 10), 10)?
        .words("sender's name", &account.name, 40)?
        .number((month * 100 + day).into(), 4);
    Ok(account_of(record, account, None)?.blank(17))
}

fn data(number: u64, item: &Item<'_>) -> Result<Record, ZenginError> {
    if !(1..=AMOUNT_MAX).contains(&item.amount) {
        return Err(ZenginError::Amount(item.amount));
    }
    // The clearing house is filled with zeros, as nobody uses it any more.
    let record = account_of(Record::new(b"2"), item.to, Some(b"0000"))?
        .words("payee's name", &item.to.name, 30)?
        .number(item.amount, 10);
    // No new code; the payment's number as customer code, by which a returned one is found; 7: by telegram.
    Ok(record.raw(b"0").number(number, 10).number(0, 10).raw(b"7").blank(1).blank(7))
}

fn account_of(
    record: Record,
    account: &BankAccount,
    clearing: Option<&[u8]>,
) -> Result<Record, ZenginError> {
    let kind: &[u8] = match account.kind {
        Kind::Ordinary => b"1",
        Kind::Current => b"2",
        Kind::Savings => b"4",
        Kind::Other => b"9",
    };
    record
        .digits("bank code", &account.bank, 4)?
        .words("bank's name", &account.bank_name, 15)?
        .digits("branch code", &account.branch, 3)?
        .words("branch's name", &account.branch_name, 15)?
        .raw(clearing.unwrap_or_default())
        .raw(kind)
        .digits("account number", &filled(&account.account, 7), 7)
}

fn filled(digits: &str, length: usize) -> String {
    format!("{digits:0>length$}")
}

/// A record being filled, field by field.
struct Record(Vec<u8>);

impl Record {
    fn new(start: &[u8]) -> Self {
        Self(start.to_vec())
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn blank(mut self, length: usize) -> Self {
        self.0.resize(self.0.len() + length, b' ');
        self
    }

    fn number(self, number: u64, length: usize) -> Self {
        let digits = filled(&number.to_string(), length);
        assert_eq!(digits.len(), length, "numbers are checked against their fields before");
        self.raw(digits.as_bytes())
    }

    fn digits(self, field: &'static str, text: &str, digits: usize) -> Result<Self, ZenginError> {
        let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        if fits {
            return Ok(self.raw(text.as_bytes()));
        }
        Err(ZenginError::Digits { field, text: text.into(), digits })
    }

    fn words(self, field: &'static str, text: &str, room: usize) -> Result<Self, ZenginError> {
        let bytes = kana::bytes(field, text)?;
        let length = bytes.len();
        match length {
            0 => Err(ZenginError::Empty { field }),
            _ if length > room => Err(ZenginError::Long { field, text: text.into(), length, room }),
            _ => Ok(self.raw(&bytes).blank(room - length)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn account(name: &str, account: &str) -> BankAccount {
        BankAccount {
            bank: "0128".into(),
            bank_name: "グンマ".into(),
            branch: "101".into(),
            branch_name: "マエバシ".into(),
            kind: Kind::Ordinary,
            account: account.into(),
            name: name.into(),
        }
    }

    fn sender() -> Sender {
        Sender { code: "123".into(), account: account("ムスビ ジムキョク", "7654321") }
    }

    fn one(to: &BankAccount, amount: u64) -> Result<Vec<u8>, ZenginError> {
        write(&sender(), Day(20_000), &[Item { to, amount }], LineEnd::None)
    }

    #[test]
    fn what_does_not_fit_is_refused_and_nothing_is_cut_off() {
        let good = account("ﾎﾝﾏﾁ ﾍﾞ-ｶﾘ-", "42");
        assert_eq!(one(&good, 1).unwrap().len(), 4 * RECORD_BYTES);
        let long = account(&"ア".repeat(31), "42");
        assert!(matches!(one(&long, 1), Err(ZenginError::Long { length: 31, room: 30, .. })));
        assert!(one(&account(&"ア".repeat(30), "42"), 1).is_ok());
        // Sixteen voiced letters take 32 bytes.
        let voiced = account(&"ガ".repeat(16), "42");
        assert!(matches!(one(&voiced, 1), Err(ZenginError::Long { length: 32, .. })));
        assert!(matches!(one(&account("", "42"), 1), Err(ZenginError::Empty { .. })));
        for (bank, number) in [("128", "42"), ("01280", "42"), ("0128", "12345678"), ("0128", "4a")]
        {
            let bad = BankAccount { bank: bank.into(), ..account("ア", number) };
            assert!(matches!(one(&bad, 1), Err(ZenginError::Digits { .. })), "{bank} {number}");
        }
        assert_eq!(one(&good, 0), Err(ZenginError::Amount(0)));
        assert_eq!(one(&good, AMOUNT_MAX + 1), Err(ZenginError::Amount(AMOUNT_MAX + 1)));
        let many = vec![Item { to: &good, amount: AMOUNT_MAX }; 101];
        let refused = write(&sender(), Day(1), &many, LineEnd::None);
        assert_eq!(refused, Err(ZenginError::Total(101 * AMOUNT_MAX)));
        let many = vec![Item { to: &good, amount: 1 }; ITEMS_MAX + 1];
        let refused = write(&sender(), Day(1), &many, LineEnd::None);
        assert_eq!(refused, Err(ZenginError::Items(ITEMS_MAX + 1)));
        assert!(refused.unwrap_err().next().contains("--cut-off"), "it says how to pay in parts");
        assert!(write(&sender(), Day(1), &many[1..], LineEnd::CrLf).is_ok());
        let none = write(&sender(), Day(1), &[], LineEnd::None).unwrap_err();
        assert_eq!(none, ZenginError::Items(0));
        assert!(none.next().contains("nothing to pay"));
    }
}
