//! Requests, mandates.

use super::*;

impl Model {
    pub(super) fn request(
        &mut self,
        op: &RequestPayment,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        legs_well_formed(&op.legs)?;
        let named = op.tender.contains(&op.legs[0].instrument) && op.legs.len() == 1;
        let ascending = op.tender.windows(2).all(|w| w[0] < w[1]) && op.tender.len() <= 8;
        demand(op.tender.is_empty() || (named && ascending), Code::NotWellFormed)?;
        self.active(op.payee)?;
        self.holder(by, Side::Credit, op.payee)?;
        self.steps(&op.legs)?;
        self.tender(op)?;
        let in_time = self.now < op.due.0 && op.due.0 <= self.now + 90 * DAY;
        demand(in_time, Code::DeadlineInvalid)?;
        self.granted(id, by, Side::Credit, op.payee);
        self.requests.insert(id, (op.clone(), true));
        Ok(())
    }

    pub(super) fn cancel_request(&mut self, id: TxId, by: &Signatures) -> Result<(), Code> {
        let (request, open) = self.requests.get(&id).cloned().ok_or(Code::UnknownRequest)?;
        self.holder(by, Side::Authority, request.payee)?;
        demand(open && self.now < request.due.0, Code::RequestNotOpen)?;
        self.requests.insert(id, (request, false));
        Ok(())
    }

    pub(super) fn grant(
        &mut self,
        op: &GrantMandate,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        let kind = self.active(op.grantor)?;
        let terms = &op.terms;
        let debits = terms.direction == Direction::Debit;
        if kind == PartyKind::Group && debits {
            demand(terms.total.is_some() && terms.until.is_some(), Code::NotWellFormed)?;
        }
        if debits {
            let payee = match terms.counterparty {
                Counterparty::Party(party) => Some(party),
                _ => None,
            };
            self.debit(by, op.grantor, terms.total.map_or(0, |t| t.0), payee)?;
        } else {
            self.holder(by, Side::Credit, op.grantor)?;
        }
        let known = |of: &InstrumentId| self.terms.contains_key(of);
        demand(terms.instruments.iter().all(known), Code::UnknownInstrument)?;
        if debits {
            self.can_pay(op.grantor)?;
        }
        let mandate = Mandate {
            granted_by: if kind == PartyKind::Group && debits {
                by.consenting(Side::Debit, op.grantor)
            } else {
                Vec::new()
            },
            ..self.fresh(op.grantor, terms, None)
        };
        self.granted(id, by, if debits { Side::Debit } else { Side::Credit }, op.grantor);
        self.mandates.insert(id, mandate);
        Ok(())
    }

    pub(super) fn revoke(&mut self, id: TxId, by: &Signatures) -> Result<(), Code> {
        let grantor = self.mandates.get(&id).ok_or(Code::UnknownMandate)?.grantor;
        self.holder(by, Side::Authority, grantor)?;
        let mandate = self.mandates.get_mut(&id).unwrap();
        demand(!mandate.revoked, Code::MandateNotActive)?;
        mandate.revoked = true;
        Ok(())
    }
}
