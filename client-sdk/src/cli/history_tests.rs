#![allow(clippy::unwrap_used)]
use super::*;
use musubi_sdk::{
    Amount, OriginKind,
    ledger::{
        leaf::LeafKind,
        lot::Lot,
        outcome::{Outcome, Sign},
        wallet::Holding,
    },
};

const ME: PartyId = PartyId([1; 16]);
const SHOP: PartyId = PartyId([2; 16]);

fn posting(party: PartyId, sign: Sign, amount: u64, use_expiry: Option<Time>) -> Posting {
    Posting {
        account: Account::Wallet(party),
        lot: Lot {
            instrument: "MEBUKU".parse().unwrap(),
            use_expiry,
            origin: OriginKind::Paid,
            funder: PartyId([9; 16]),
            campaign: 0,
        },
        holding: Holding::Spendable,
        sign,
        amount: Amount(amount),
    }
}

fn entry(postings: Vec<Posting>, code: Code) -> EntryView {
    EntryView {
        leaf: 5,
        height: 3,
        time: Time(1_000),
        id: TxId([4; 32]),
        kind: LeafKind::System,
        code,
        outcome: Outcome { postings, ..Outcome::default() },
        transaction: None,
    }
}

#[test]
fn lots_of_one_payment_are_one_line_with_the_first_expiry() {
    let (early, late) = (Some(Time(100)), Some(Time(900)));
    let postings = vec![
        posting(ME, Sign::Minus, 300, late),
        posting(SHOP, Sign::Plus, 300, late),
        posting(ME, Sign::Minus, 200, early),
        posting(SHOP, Sign::Plus, 200, early),
    ];
    let mine = lines(&entry(postings.clone(), Code::Applied), ME);
    assert_eq!(mine.len(), 1);
    let moved = mine[0].moved.clone().unwrap();
    assert_eq!((moved.sum, moved.expiry), (-500, early));
    assert_eq!(moved.counterparties, [SHOP]);
    let theirs = lines(&entry(postings, Code::Applied), SHOP);
    assert_eq!(theirs[0].moved.clone().unwrap().sum, 500);
}

#[test]
fn what_moved_nothing_is_a_line_too() {
    let rejected = lines(&entry(Vec::new(), Code::InsufficientFunds), ME);
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0].what, "system: insufficient_funds");
    assert_eq!(rejected[0].moved, None);
}
