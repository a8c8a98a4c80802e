//! Requests, mandates, freezing.

use super::*;

impl Model {
    pub(super) fn request(
        &mut self,
        op: &RequestPayment,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        legs_well_formed(&op.legs)?;
        self.active(op.payee)?;
        self.holder(by, Side::Credit, op.payee)?;
        let in_time = self.now < op.due.0 && op.due.0 <= self.now + 90 * DAY;
        demand(in_time, Code::DeadlineInvalid)?;
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
        let mandate = Mandate {
            grantor: op.grantor,
            terms: terms.clone(),
            revoked: false,
            used: 0,
            uses: 0,
            day: 0,
            today: 0,
            with: BTreeMap::new(),
            granted_by: if kind == PartyKind::Group && debits {
                by.consenting(Side::Debit, op.grantor)
            } else {
                Vec::new()
            },
        };
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

    pub(super) fn freeze(&mut self, party: PartyId, by: &Signatures) -> Result<(), Code> {
        self.active(party)?;
        if let Err(own) = self.holder(by, Side::Authority, party) {
            match by.registrars(1) {
                Err(Code::MissingConsent) => return Err(own),
                other => other?,
            }
        }
        self.frozen.insert(party);
        Ok(())
    }

    pub(super) fn unfreeze(&mut self, party: PartyId, by: &Signatures) -> Result<(), Code> {
        by.registrars(2)?;
        demand(self.frozen.remove(&party), Code::NotFrozen)
    }
}
