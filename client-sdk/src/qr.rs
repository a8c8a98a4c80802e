//! What a shop's code says, and the short code by which payer and shop recognise one payment.
//!
//! `MUSUBI:<address>/<tag>/<mandate>` stands on the counter for years; a till's screen shows one with
//! `/<amount>/<instrument>` and, if it asked on the ledger, `/<request>` behind. Everything is upper
//! case and in QR's alphanumeric set. The address carries the scheme's prefix inside its checksum, so
//! another town's code is recognised, not paid. A code has one spelling; anything else is refused.

use std::{fmt, str::FromStr};

use musubi_ledger::{
    address::SchemePrefix,
    amount::Amount,
    id::{IdError, PartyId, TxId},
    operation::Leg,
};
use thiserror::Error;

/// What every shop code begins with.
pub const SHOP_PREFIX: &str = "MUSUBI:";
const ABSENT: &str = "-";

/// A till's or counter's name: 1 to 16 characters of A-Z and 0-9.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Tag(String);

/// A shop's code: static if it names no amount, dynamic if it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShopCode {
    /// The scheme whose address it prints.
    pub scheme: SchemePrefix,
    /// Whom it pays.
    pub merchant: PartyId,
    /// Which till or counter.
    pub tag: Tag,
    /// The merchant's standing credit mandate.
    pub mandate: Option<TxId>,
    /// What to pay, for a dynamic code.
    pub leg: Option<Leg>,
    /// The payment request that asks for exactly that.
    pub request: Option<TxId>,
}

/// Why a scanned text is no shop code of this scheme.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShopCodeError {
    /// Another kind of code altogether.
    #[error("not a Musubi shop code: it does not begin with {SHOP_PREFIX}")]
    Prefix,
    /// Too few or too many parts.
    #[error("not a shop code: expected address/tag/mandate, amount/instrument and request")]
    Shape,
    /// The address is mistyped, cut off, or of another scheme.
    #[error("the shop's address is wrong: {0}")]
    Address(IdError),
    /// A part has characters, length or spelling that it cannot have.
    #[error("the code's {0} is malformed: scan it again, or ask the shop for a new code")]
    Part(&'static str),
    /// Neither a mandate nor a request: the shop has consented to nothing.
    #[error("the code cites neither a mandate nor a request of the shop")]
    NoConsent,
}

impl ShopCodeError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Prefix => "not_a_shop_code",
            Self::Shape => "bad_shop_code",
            Self::Address(IdError::Prefix { .. }) => "other_scheme",
            Self::Address(_) => "bad_shop_address",
            Self::Part(_) => "bad_shop_code_part",
            Self::NoConsent => "shop_code_without_consent",
        }
    }
}

impl Tag {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = ShopCodeError;

    fn from_str(text: &str) -> Result<Self, ShopCodeError> {
        let letters = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if (1..=16).contains(&text.len()) && text.bytes().all(letters) {
            Ok(Self(text.into()))
        } else {
            Err(ShopCodeError::Part("tag"))
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ShopCode {
    /// A printed code: merchant, tag and standing mandate.
    #[must_use]
    pub fn fixed(scheme: SchemePrefix, merchant: PartyId, tag: Tag, mandate: TxId) -> Self {
        Self { scheme, merchant, tag, mandate: Some(mandate), leg: None, request: None }
    }

    /// The same with an amount, for a till's screen.
    #[must_use]
    pub fn with_amount(mut self, leg: Leg) -> Self {
        self.leg = Some(leg);
        self
    }

    /// The same with the payment request that asks for exactly `leg`.
    #[must_use]
    pub fn with_request(mut self, leg: Leg, request: TxId) -> Self {
        (self.leg, self.request) = (Some(leg), Some(request));
        self
    }

    /// Reads a scanned code of `scheme`.
    ///
    /// # Errors
    /// [`ShopCodeError`]; nothing but what [`fmt::Display`] prints is accepted.
    pub fn parse(text: &str, scheme: &SchemePrefix) -> Result<Self, ShopCodeError> {
        let rest = text.strip_prefix(SHOP_PREFIX).ok_or(ShopCodeError::Prefix)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let (address, tag, mandate, leg, request) = match parts[..] {
            [address, tag, mandate] => (address, tag, mandate, None, None),
            [address, tag, mandate, amount, instrument] => {
                (address, tag, mandate, Some((amount, instrument)), None)
            }
            [address, tag, mandate, amount, instrument, request] => {
                (address, tag, mandate, Some((amount, instrument)), Some(request))
            }
            _ => return Err(ShopCodeError::Shape),
        };
        let code = Self {
            scheme: scheme.clone(),
            merchant: scheme.party(address).map_err(ShopCodeError::Address)?,
            tag: tag.parse()?,
            mandate: match mandate {
                ABSENT => None,
                id => Some(parse_id(id, "mandate")?),
            },
            leg: leg.map(parse_leg).transpose()?,
            request: request.map(|id| parse_id(id, "request")).transpose()?,
        };
        if code.mandate.is_none() && code.request.is_none() {
            return Err(ShopCodeError::NoConsent);
        }
        if code.to_string() == text { Ok(code) } else { Err(ShopCodeError::Part("spelling")) }
    }
}

fn parse_id(text: &str, part: &'static str) -> Result<TxId, ShopCodeError> {
    let upper = text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    let id = text.to_ascii_lowercase().parse();
    id.ok().filter(|_| upper).ok_or(ShopCodeError::Part(part))
}

fn parse_leg((amount, instrument): (&str, &str)) -> Result<Leg, ShopCodeError> {
    let amount: Amount = amount.parse().map_err(|_| ShopCodeError::Part("amount"))?;
    if amount.is_zero() {
        return Err(ShopCodeError::Part("amount"));
    }
    let instrument = instrument.parse().map_err(|_| ShopCodeError::Part("instrument"))?;
    Ok(Leg { instrument, amount })
}

impl fmt::Display for ShopCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.scheme.address(self.merchant).to_ascii_uppercase();
        let upper = |id: &TxId| id.to_string().to_ascii_uppercase();
        let mandate = self.mandate.as_ref().map_or_else(|| ABSENT.into(), upper);
        write!(f, "{SHOP_PREFIX}{address}/{}/{mandate}", self.tag)?;
        if let Some(leg) = self.leg {
            write!(f, "/{}/{}", leg.amount, leg.instrument)?;
        }
        match &self.request {
            Some(request) => write!(f, "/{}", upper(request)),
            None => Ok(()),
        }
    }
}

/// Six characters by which two people compare a payment: Crockford's base32 (no I, L, O, U) of the
/// id's first 30 bits, such as `K7Q-2MX`. It recognises, it proves nothing: a forger can search for
/// an equal one, so the shop's own feed decides.
#[must_use]
pub fn short_code(id: &TxId) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let [a, b, c, d, ..] = id.0;
    let bits = u32::from_be_bytes([a, b, c, d]);
    let mut text = String::with_capacity(7);
    for position in 0..6 {
        if position == 3 {
            text.push('-');
        }
        text.push(char::from(LETTERS[(bits >> (27 - 5 * position) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn scheme() -> SchemePrefix {
        SchemePrefix::new("maebashi").unwrap()
    }

    fn fixed() -> ShopCode {
        let tag = "TILL3".parse().unwrap();
        ShopCode::fixed(scheme(), PartyId([5; 16]), tag, TxId([0xab; 32]))
    }

    fn leg() -> Leg {
        let instrument = "MEBUKU".parse().unwrap();
        Leg { instrument, amount: Amount(1_280) }
    }

    #[test]
    fn codes_come_back_and_fit_the_compact_mode() {
        let asked = ShopCode { mandate: None, ..fixed().with_request(leg(), TxId([1; 32])) };
        for code in [fixed(), fixed().with_amount(leg()), asked] {
            let text = code.to_string();
            assert_eq!(ShopCode::parse(&text, &scheme()), Ok(code));
            let alphanumeric =
                |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"-/:".contains(&b);
            assert!(text.bytes().all(alphanumeric), "{text}");
        }
    }

    #[test]
    fn every_changed_character_is_caught_or_changes_the_meaning() {
        let text = fixed().with_request(leg(), TxId([1; 32])).to_string();
        let whole = ShopCode::parse(&text, &scheme()).unwrap();
        for position in 0..text.len() {
            for replacement in ["a", "Q", "7", "/", " "] {
                let mut changed = text.clone();
                changed.replace_range(position..=position, replacement);
                if changed == text {
                    continue;
                }
                if let Ok(other) = ShopCode::parse(&changed, &scheme()) {
                    assert_ne!(other, whole, "two spellings of one code: {changed}");
                    assert_eq!(other.merchant, whole.merchant, "the payee is behind a checksum");
                }
            }
        }
    }

    #[test]
    fn other_schemes_and_rubbish_are_named() {
        let other = SchemePrefix::new("kiryu").unwrap();
        let text = fixed().to_string();
        let code = |text: &str| ShopCode::parse(text, &scheme()).unwrap_err().code();
        assert_eq!(ShopCode::parse(&text, &other).unwrap_err().code(), "other_scheme");
        assert_eq!(code("https://example.jp"), "not_a_shop_code");
        assert_eq!(code("MUSUBI:X"), "bad_shop_code");
        assert_eq!(code(&text.to_lowercase()), "not_a_shop_code");
        assert_eq!(code(&format!("{text}/012/MEBUKU")), "bad_shop_code_part");
        assert_eq!(code(&format!("{text}/0/MEBUKU")), "bad_shop_code_part");
        let bare = format!("{}-", &text[..text.len() - 64]);
        assert_eq!(code(&bare), "shop_code_without_consent");
    }

    #[test]
    fn a_short_code_is_the_ids_first_thirty_bits() {
        assert_eq!(short_code(&TxId([0; 32])), "000-000");
        assert_eq!(short_code(&TxId([0xff; 32])), "ZZZ-ZZZ");
        let mut id = [0; 32];
        id[..4].copy_from_slice(&[0b0000_1000, 0b1000_0110, 0b0100_0010, 0b1001_1000]);
        assert_eq!(short_code(&TxId(id)), "123-456");
    }
}
