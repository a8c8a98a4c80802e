//! Dues: a list is as many requests; cash settles one.

use super::*;

impl Model {
    pub(super) fn request_many(
        &mut self,
        op: &RequestMany,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        let members: Vec<Member> = op.lines.iter().map(|line| line.member).collect();
        let sorted: BTreeSet<Member> = members.iter().copied().collect();
        let ordered = members.len() == sorted.len() && members.iter().eq(sorted.iter());
        demand(ordered && (1..=200).contains(&members.len()), Code::NotWellFormed)?;
        demand(op.lines.iter().all(|line| line.amount.0 > 0), Code::AmountInvalid)?;
        let ascending = op.tender.windows(2).all(|w| w[0] < w[1]) && op.tender.len() <= 8;
        let named = op.tender.is_empty() || op.tender.contains(&op.instrument);
        demand(ascending && named, Code::NotWellFormed)?;
        self.active(op.payee)?;
        for member in &members {
            if let Member::Party(party) = member {
                demand(self.kinds.contains_key(party), Code::UnknownParty)?;
            }
        }
        self.holder(by, Side::Credit, op.payee)?;
        let asked = |line: &DuesLine| RequestPayment {
            payee: op.payee,
            payer: None,
            legs: vec![Leg { instrument: op.instrument, amount: line.amount }],
            tender: op.tender.clone(),
            due: op.due,
        };
        let requests: Vec<RequestPayment> = op.lines.iter().map(asked).collect();
        requests.iter().try_for_each(|request| self.steps(&request.legs))?;
        self.tender(&requests[0])?;
        let in_time = self.now < op.due.0 && op.due.0 <= self.now + 90 * DAY;
        demand(in_time, Code::DeadlineInvalid)?;
        for (at, request) in requests.into_iter().enumerate() {
            let line = derived_id(&id, u8::try_from(at).unwrap());
            self.granted(line, by, Side::Credit, op.payee);
            self.requests.insert(line, (request, true));
            self.members.insert(line, members[at]);
        }
        Ok(())
    }

    pub(super) fn record_cash(&mut self, op: &RecordCash, by: &Signatures) -> Result<(), Code> {
        let (request, open) =
            self.requests.get(&op.request).cloned().ok_or(Code::UnknownRequest)?;
        let kind = self.active(request.payee)?;
        match (self.groups.get(&request.payee), kind) {
            (Some(group), PartyKind::Group) => {
                let persons = by.members(Side::Authority, (request.payee, group))?;
                let apart = group.policy.exclusive_roles;
                let large = group.approvers_for(total(&request.legs)) > 1;
                let enough = persons.len() >= if apart || large { 2 } else { 1 };
                demand(enough, Code::ApproversMissing)?;
            }
            _ => self.holder(by, Side::Authority, request.payee)?,
        }
        let paid = self.cash.contains(&op.request);
        // Still open, whether or not its time is over, or paid in cash.
        demand(if op.received { open } else { paid }, Code::RequestNotOpen)?;
        let written = |(of, paper): (&(PartyId, Reference), &Paper)| {
            of.0 == request.payee && paper.is_about(op.request)
        };
        let unsaid = !op.received && self.papers.iter().any(written);
        demand(!unsaid, Code::DocumentExists)?;
        if op.received {
            self.cash.insert(op.request);
        } else {
            self.cash.remove(&op.request);
        }
        self.requests.insert(op.request, (request, !op.received));
        Ok(())
    }

    /// Whether a payment may name this roster line for what it answers.
    pub(super) fn on_behalf(&self, body: &Body) -> Result<(), Code> {
        let line = body.answers.and_then(|id| self.members.get(&id));
        match (line, body.on_behalf_of) {
            (Some(Member::Roster(line)), Some(named)) => {
                demand(*line == named, Code::RequestMismatch)
            }
            _ => Ok(()),
        }
    }
}
