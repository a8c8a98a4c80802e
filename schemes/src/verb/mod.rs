//! What a step can do. Each family in a file of its own: how it is written, and which transactions it becomes.
//!
//! - [`time`]: advance; [`parties`]: open, attest, freeze, unfreeze, `close_group`;
//! - [`grants`]: allow, accept, budget; [`card`]: card; [`issue`]: `top_up`;
//! - [`pay`]: pay; [`request`]: request; [`dues`]: dues, cash; [`proposal`]: propose, approve, decline;
//! - [`outside`]: hold, `answer_hold`, repay; [`parent`]: parent; [`made`]: how steps name what earlier ones made;
//! - [`undo`]: refund, correct; [`redeem`]: redeem, answer; [`settle`]: settle; [`life`]: life, touch; [`ask`]: `ask_spendable`;
//! - [`rule`]: `put_rule`, `end_rule`; [`offer`]: `put_offer`, `end_offer`, entitle, take; [`lottery`]: apply, reveal, draw;
//! - [`run`]: run, send, `end_run`;
//! - [`document`] (receipts, invoices, credit notes): document.

mod ask;
mod card;
mod coupon;
mod document;
mod dues;
mod grants;
mod issue;
mod life;
mod lottery;
mod made;
mod offer;
mod outside;
mod parent;
mod parties;
mod pay;
mod proposal;
mod redeem;
mod request;
mod rule;
mod run;
mod settle;
mod time;
mod undo;

use core::fmt::Debug;

pub(crate) use self::pay::purpose;
use crate::{
    file::{Fields, Names, Node},
    play::{Act, Fault, Play},
};

/// What a step does.
pub trait Verb: Debug + sealed::Sealed {}

/// What only this crate's verbs do.
pub(crate) mod sealed {
    use super::{Act, Fault, Play};
    use crate::configuration::Allowed;

    /// A verb's way of becoming transactions.
    pub trait Sealed {
        /// Its transactions, which are then signed and submitted together. What needs none is done at once.
        ///
        /// # Errors
        /// If what it rests on is not there.
        #[expect(private_interfaces, reason = "sealed: nobody else implements or calls it")]
        fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault>;

        /// The allowance that it grants, if that is what it does; its issuer is the instrument's.
        fn allows(&self) -> Option<Allowed> {
            None
        }
    }
}

type Read = fn(&Fields<'_>, &Names<'_>) -> Option<Box<dyn Verb>>;

/// Every verb that is there.
const VERBS: [(&str, Read); 43] = [
    ("accept", grants::accept),
    ("advance", time::advance),
    ("allow", grants::allow),
    ("apply", lottery::apply),
    ("answer", redeem::answer),
    ("answer_hold", outside::answer_hold),
    ("approve", proposal::approve),
    ("ask_spendable", ask::spendable),
    ("attest", parties::attest),
    ("budget", grants::budget),
    ("card", card::card),
    ("cash", dues::cash),
    ("close_group", parties::close_group),
    ("correct", undo::correct),
    ("decline", proposal::decline),
    ("document", document::document),
    ("draw", lottery::draw),
    ("dues", dues::dues),
    ("end_offer", offer::end),
    ("end_rule", rule::end),
    ("end_run", run::end),
    ("entitle", offer::entitle),
    ("freeze", parties::freeze),
    ("hold", outside::hold),
    ("life", life::life),
    ("open", parties::open),
    ("parent", parent::parent),
    ("pay", pay::pay),
    ("propose", proposal::propose),
    ("put_offer", offer::put),
    ("put_rule", rule::put),
    ("redeem", redeem::redeem),
    ("refund", undo::refund),
    ("repay", outside::repay),
    ("reveal", lottery::reveal),
    ("request", request::request),
    ("run", run::open),
    ("send", run::send),
    ("settle", settle::settle),
    ("take", offer::take),
    ("top_up", issue::top_up),
    ("touch", life::touch),
    ("unfreeze", parties::unfreeze),
];

/// The verb of this name.
pub(crate) fn find(node: &Node<'_>, name: &str) -> Option<Read> {
    if let Some((_, read)) = VERBS.iter().find(|(verb, _)| *verb == name) {
        return Some(*read);
    }
    node.unknown("verb", name, VERBS.iter().map(|(verb, _)| *verb))
}

/// The longer of two lists decides: the shorter one is dealt out to it in blocks. None if that leaves a rest.
fn dealt(left: &[usize], right: &[usize]) -> Option<Vec<(usize, usize)>> {
    let most = left.len().max(right.len());
    let even = |list: &[usize]| !list.is_empty() && most.is_multiple_of(list.len());
    if !even(left) || !even(right) {
        return None;
    }
    let of = |list: &[usize], at: usize| list[at * list.len() / most];
    Some((0..most).map(|at| (of(left, at), of(right, at))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_dealt_out_in_blocks() {
        assert_eq!(dealt(&[1, 2], &[7]), Some(vec![(1, 7), (2, 7)]));
        assert_eq!(dealt(&[1, 2, 3, 4], &[7, 8]), Some(vec![(1, 7), (2, 7), (3, 8), (4, 8)]));
        assert_eq!(dealt(&[1], &[7, 8]), Some(vec![(1, 7), (1, 8)]));
        assert_eq!(dealt(&[1, 2, 3], &[7, 8]), None);
        assert_eq!(dealt(&[], &[7]), None);
    }

    #[test]
    fn no_verb_stands_twice() {
        let mut names: Vec<&str> = VERBS.iter().map(|(name, _)| *name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
