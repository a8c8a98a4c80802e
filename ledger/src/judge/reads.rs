//! Which rows judging a transaction will look at, as far as the transaction alone tells: for storage to
//! fetch them together. Hints, and nothing rests on them: judging reads what it needs.

use super::parties_of;
use crate::{
    id::TxId,
    offer::entitlement_id,
    operation::{Citation, Movement, Operation, Pay, SettleLine, Showing},
    outcome::Outcome,
    state::RowKey,
    transaction::Transaction,
};

/// Adds the keys of rows that judging `transaction` is likely to read. Some may come twice.
pub fn likely_reads(transaction: &Transaction, keys: &mut Vec<RowKey>) {
    let body = &transaction.body;
    keys.push(RowKey::Reference(body.sender, body.reference.clone()));
    keys.extend(transaction.signatures.iter().map(|signature| RowKey::Key(signature.signer)));
    for party in parties_of(transaction, &Outcome::default()) {
        keys.extend([RowKey::Party(party), RowKey::Wallet(party)]);
    }
    match &body.operation {
        Operation::RunChunk(op) => {
            keys.push(RowKey::Run(op.run));
            let parties = op.lines.iter().map(|line| line.to);
            keys.extend(parties.flat_map(|id| [RowKey::Party(id), RowKey::Wallet(id)]));
        }
        Operation::Transfer(Movement { debit, credit, .. })
        | Operation::Pay(Pay { debit, credit, .. }) => {
            cited(*debit, keys);
            cited(*credit, keys);
        }
        Operation::Take(op) => {
            cited(op.credit, keys);
            shown(op.offer, op.showing, keys);
        }
        Operation::PayWithCoupons(op) => {
            cited(op.pay.debit, keys);
            cited(op.pay.credit, keys);
            op.coupons.iter().for_each(|used| shown(used.offer, used.showing, keys));
        }
        Operation::Settle(op) => {
            let of = |line: &SettleLine| {
                let of = line.merchant;
                [RowKey::Party(of), RowKey::Wallet(of), RowKey::Receivable(of, op.instrument)]
            };
            keys.extend(op.lines.iter().flat_map(of));
        }
        _ => {}
    }
}

fn shown(offer: TxId, showing: Showing, keys: &mut Vec<RowKey>) {
    keys.push(RowKey::Offer(offer));
    match showing {
        Showing::Entitlement(id) => keys.push(RowKey::Entitlement(id)),
        Showing::Code(key) => keys.push(RowKey::Entitlement(entitlement_id(&offer, &key.0))),
        Showing::Nothing => {}
    }
}

fn cited(citation: Citation, keys: &mut Vec<RowKey>) {
    match citation {
        Citation::Mandate(mandate) => keys.push(RowKey::Mandate(mandate)),
        Citation::Medium { medium, mandate } => {
            keys.extend([RowKey::Medium(medium), RowKey::Mandate(mandate)]);
        }
        Citation::Live | Citation::Request => {}
    }
}
