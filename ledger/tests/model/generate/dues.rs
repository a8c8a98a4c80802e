//! Random lists of dues, and cash for what was asked.

use musubi_ledger::{id::RosterLine, state::derived_id};

use super::*;

/// A member without a wallet.
pub(super) const LINE: RosterLine = RosterLine([9; 16]);

impl Generator {
    pub(super) fn dues(&self, world: &World, step: &Step) -> Made {
        if step[0] % 16 > 12 {
            return self.cash(step);
        }
        let payee = pick(&["club", "club", "shop", "alice"], step[1]).unwrap();
        let amounts = [500, 300, 1_000, 20_000, 0, 100_000];
        let party = |choice: u16| Member::Party(id(pick(&PERSONS, choice).unwrap()));
        let mut members = vec![party(step[2]), party(step[3])];
        members.push(Member::Roster(LINE));
        if step[4].is_multiple_of(3) {
            members.push(Member::Roster(RosterLine([8; 16])));
        }
        if !step[4].is_multiple_of(19) {
            members.sort();
            members.dedup();
        }
        let amount = |at: usize| {
            Amount(amounts[(usize::from(step[3]) + at) % amounts.len()].max(u64::from(step[6] % 7)))
        };
        let lines = members.iter().enumerate();
        let lines = lines.map(|(at, member)| DuesLine { member: *member, amount: amount(at) });
        let mut tender = Vec::new();
        if step[6].is_multiple_of(3) {
            tender = vec![instrument("MEBUKU"), instrument("POINT")];
        }
        let days = [0, 1, 5, 89, 91][usize::from(step[5] % 5)];
        let op = RequestMany {
            payee: id(payee),
            lines: lines.collect(),
            instrument: instrument(
                pick(&["MEBUKU", "MEBUKU", "COIN", "NONE"], step[4] / 4).unwrap(),
            ),
            tender,
            due: world.now.plus(days * DAY),
        };
        (Operation::RequestMany(op), vec![takes(payee)], None)
    }

    /// Cash for a request, mostly an open one.
    fn cash(&self, step: &Step) -> Made {
        let latest = self.requests.len().saturating_sub(6);
        let found = self.requests[latest..].get(usize::from(step[1]) % 6);
        let (request, payee) =
            found.map_or((TxId([0; 32]), "club"), |(id, asked)| (*id, name_of(asked.payee)));
        let received = !step[5].is_multiple_of(4);
        let op = RecordCash { request, received, evidence: document("cash book") };
        let mut signers = vec![decides(payee)];
        if payee == "club" && step[5].is_multiple_of(2) {
            signers.push(member("club", "alice"));
        }
        (Operation::RecordCash(op), signers, None)
    }

    /// Each line is a request of its own.
    pub(super) fn learn_dues(&mut self, op: &RequestMany, list: TxId) {
        for (at, line) in op.lines.iter().enumerate() {
            let request = RequestPayment {
                payee: op.payee,
                payer: None,
                legs: vec![Leg { instrument: op.instrument, amount: line.amount }],
                tender: op.tender.clone(),
                due: op.due,
            };
            self.requests.push((derived_id(&list, u8::try_from(at).unwrap()), request));
        }
    }
}
