//! `paid` or `dues[2..9]`: what an earlier step made, all of it or some, in the order in which it was written.

use musubi_ledger::id::{PartyId, TxId};

use super::{Fault, Names, Node, Play};
use crate::cast::{Part, Unfound, numbered};

/// Transactions of an earlier step; of a list of dues its requests.
#[derive(Clone, Debug)]
pub(super) struct Made {
    step: String,
    part: Option<Part>,
}

impl Made {
    pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<Self> {
        let text = node.text()?;
        match numbered(&text) {
            Ok((step, part)) => {
                let step = names.step_called(node, step)?;
                Some(Self { step, part })
            }
            Err(Unfound::Form | Unfound::Name(_) | Unfound::Range(..)) => {
                node.wrong("an earlier step is written as paid, paid[3] or paid[1..9]")
            }
        }
    }

    /// # Errors
    /// If the step was not played, or made fewer.
    pub(super) fn ids(&self, play: &Play<'_>) -> Result<Vec<TxId>, Fault> {
        let all = play.past.get(&self.step).map(Vec::as_slice).unwrap_or_default();
        let lacks = |what: String| Fault::Lacks(format!("{} {what}", self.step));
        match self.part {
            _ if all.is_empty() => Err(lacks("was not played".to_owned())),
            None => Ok(all.to_vec()),
            Some((first, last)) => {
                let some = all.get(first - 1..last);
                let some = some.ok_or_else(|| lacks(format!("made {}", all.len())))?;
                Ok(some.to_vec())
            }
        }
    }
}

impl Play<'_> {
    /// The place of a party of the ledger in the cast.
    ///
    /// # Errors
    /// If it has none.
    pub(super) fn place(&self, party: PartyId) -> Result<usize, Fault> {
        let found = self.actors.iter().position(|actor| actor.party == party);
        found.ok_or_else(|| Fault::Lacks(format!("{party} is not of this scheme")))
    }
}
