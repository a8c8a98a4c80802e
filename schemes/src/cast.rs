//! Who takes part: the network's institutions first, then what `[parties]` and `[groups]` declare, sets taken apart.

use core::ops::Range;
use std::collections::BTreeMap;

use musubi_ledger::{
    group::GroupPolicy,
    id::PartyId,
    party::{Attribute, PartyKind},
};

/// The institutions that every network has, by the names that files know them by, with how many there are.
pub const INSTITUTIONS: [(&str, PartyKind, usize); 9] = [
    ("city", PartyKind::Operator, 1),
    ("operator", PartyKind::Operator, 1),
    ("partner", PartyKind::Operator, 1),
    ("registrar", PartyKind::Registrar, 1),
    ("issuer", PartyKind::Issuer, 1),
    ("registrar-officer", PartyKind::Person, 3),
    ("issuer-officer", PartyKind::Person, 2),
    ("city-officer", PartyKind::Person, 1),
    ("partner-officer", PartyKind::Person, 1),
];

/// One party.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name: `shop`, or `buyer[3]` of a set.
    pub name: String,
    /// What it is.
    pub kind: PartyKind,
    /// Whether it is there before the scheme is.
    pub institution: bool,
    /// Whether it has no key of its own: a medium pays for it.
    pub keyless: bool,
    /// What is attested of it from the start.
    pub attributes: Vec<Attribute>,
    /// Of a group: who acts for it.
    pub group: Option<GroupPlan>,
    /// Whether a step registers it, and not the set-up.
    pub later: bool,
    /// That it stands for somebody whom a lottery draws, and is known then.
    pub drawn: Option<Drawn>,
    /// Whether it takes part: false where its `if` does not hold.
    pub stands: bool,
}

/// Who wins or loses a draw.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The offer's name.
    pub offer: String,
    /// Whether they have won.
    pub won: bool,
    /// Where the file says so.
    pub at: Range<usize>,
}

/// Who acts for a group: places in the cast.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// Who answers for it.
    pub representative: usize,
    /// Who drafts payouts.
    pub drafters: Vec<usize>,
    /// Who approves them.
    pub approvers: Vec<usize>,
    /// What payouts need.
    pub policy: GroupPolicy,
}

/// Everybody.
#[derive(Clone, Debug)]
pub struct Cast {
    /// In the order of declaration, institutions first.
    pub members: Vec<Member>,
    names: BTreeMap<String, Range<usize>>,
}

impl Cast {
    /// The institutions alone.
    #[must_use]
    pub fn of_institutions() -> Self {
        let mut cast = Self { members: Vec::new(), names: BTreeMap::new() };
        for (name, kind, count) in INSTITUTIONS {
            let member = Member {
                name: String::new(),
                kind,
                institution: true,
                keyless: kind == PartyKind::Registrar,
                attributes: Vec::new(),
                group: None,
                later: false,
                drawn: None,
                stands: true,
            };
            cast.declare(name, vec![member; count]);
        }
        cast
    }

    /// Declares a name for one member, or for a set of them.
    pub(crate) fn declare(&mut self, name: &str, members: Vec<Member>) {
        let first = self.members.len();
        let alone = members.len() == 1;
        self.members.extend(members.into_iter().enumerate().map(|(at, member)| Member {
            name: if alone { name.to_owned() } else { format!("{name}[{}]", at + 1) },
            ..member
        }));
        self.names.insert(name.to_owned(), first..self.members.len());
    }

    /// The places of a name; of an institution it is never empty.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Range<usize>> {
        self.names.get(name).cloned()
    }

    /// All declared names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The places that a reference means: `shop`, `buyer` (all of them), `buyer[3]`, `buyer[2..9]`.
    ///
    /// # Errors
    /// Why it means nothing.
    pub fn find(&self, reference: &str) -> Result<Range<usize>, Unfound> {
        let (name, part) = match numbered(reference) {
            Err(Unfound::Range(name, _)) => {
                let all = self.named(&name).map_or(0, |all| all.len());
                return Err(Unfound::Range(name, all));
            }
            split => split?,
        };
        let all = self.named(name).ok_or_else(|| Unfound::Name(name.to_owned()))?;
        match part {
            None => Ok(all),
            Some((_, last)) if last > all.len() => Err(Unfound::Range(name.to_owned(), all.len())),
            Some((first, last)) => Ok(all.start + first - 1..all.start + last),
        }
    }
}

/// The numbers of the first and the last that are meant, counted from one.
pub(crate) type Part = (usize, usize);

/// `name`, `name[3]` or `name[2..9]`: the name, and the numbers of the first and the last.
///
/// # Errors
/// [`Unfound::Form`], or [`Unfound::Range`] where nothing has these numbers.
pub(crate) fn numbered(reference: &str) -> Result<(&str, Option<Part>), Unfound> {
    let Some((name, part)) = reference.split_once('[') else { return Ok((reference, None)) };
    let part = part.strip_suffix(']').ok_or(Unfound::Form)?;
    let number = |text: &str| text.parse::<usize>().map_err(|_| Unfound::Form);
    let (first, last) = match part.split_once("..") {
        Some((first, last)) => (number(first)?, number(last)?),
        None => (number(part)?, number(part)?),
    };
    match first > 0 && first <= last {
        true => Ok((name, Some((first, last)))),
        false => Err(Unfound::Range(name.to_owned(), 0)),
    }
}

/// An id that tells the places of a cast apart, where nobody has one yet.
#[must_use]
pub fn place_id(at: usize) -> PartyId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(at as u64).to_be_bytes());
    PartyId(id)
}

/// The place that [`place_id`] stands for.
///
/// # Panics
/// If it stands for none.
#[must_use]
pub fn place_of(id: PartyId) -> usize {
    let mut at = [0; 8];
    at.copy_from_slice(&id.0[..8]);
    usize::try_from(u64::from_be_bytes(at)).expect("it came from a place")
}

/// Why a reference means nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfound {
    /// It is not written like one.
    Form,
    /// No such name.
    Name(String),
    /// The set is not that large.
    Range(String, usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_mean_one_a_part_or_all() {
        let mut cast = Cast::of_institutions();
        let first = cast.members.len();
        let member = cast.members[0].clone();
        cast.declare("buyer", vec![member; 5]);
        assert_eq!(cast.find("buyer"), Ok(first..first + 5));
        assert_eq!(cast.find("buyer[5]"), Ok(first + 4..first + 5));
        assert_eq!(cast.find("buyer[2..3]"), Ok(first + 1..first + 3));
        assert_eq!(cast.members[first + 1].name, "buyer[2]");
        assert_eq!(cast.find("issuer").map(|found| found.len()), Ok(1));
        for bad in ["buyer[0]", "buyer[6]", "buyer[3..2]", "buyer[1..6]"] {
            assert_eq!(cast.find(bad), Err(Unfound::Range("buyer".into(), 5)), "{bad}");
        }
        for bad in ["buyer[", "buyer[]", "buyer[x]", "buyer[1..]"] {
            assert_eq!(cast.find(bad), Err(Unfound::Form), "{bad}");
        }
        assert_eq!(cast.find("seller"), Err(Unfound::Name("seller".into())));
    }
}
