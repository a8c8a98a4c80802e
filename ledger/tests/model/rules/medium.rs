//! Media: what registrar officers attest, and what a merchant's terminal may show.

use super::*;

#[derive(Clone)]
pub(super) struct Medium {
    party: PartyId,
    registrar: PartyId,
    pub(super) revoked: bool,
}

impl Model {
    pub(super) fn enrol(
        &mut self,
        op: &EnrolMedium,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        demand(enrolment_well_formed(op), Code::NotWellFormed)?;
        let kind = self.active(op.party)?;
        let registrar = self.active(op.registrar)?;
        demand(registrar == PartyKind::Registrar, Code::WrongKind)?;
        by.officers(op.registrar, if op.debit.is_some() { 2 } else { 1 })?;
        demand(kind == PartyKind::Person, Code::WrongKind)?;
        let own_registrar = self.register.registrars.get(&op.party) == Some(&op.registrar);
        demand(own_registrar, Code::WrongRegistrar)?;
        if self.register.has_keys(op.party, self.now) {
            by.own(Side::Authority, Role::Holder, op.party)?;
        }
        let holds = |s: &&Signed| {
            let slot = (Side::Authority, Role::Holder, op.party);
            (s.side, s.role, s.party) == slot && s.owner == Ok(op.party)
        };
        let granted_by: Vec<PublicKey> =
            by.0.iter().find(holds).map(|s| s.key).into_iter().collect();
        demand(!self.media.contains_key(&op.medium), Code::MediumExists)?;
        for (index, terms) in [(0, &op.debit), (1, &op.credit)] {
            let Some(terms) = terms else { continue };
            let known = |of: &InstrumentId| self.terms.contains_key(of);
            demand(terms.instruments.iter().all(known), Code::UnknownInstrument)?;
            let mandate = self.fresh(op.party, terms, Some(op.medium));
            self.register.behind.insert(derived_id(&id, index), granted_by.clone());
            self.mandates.insert(derived_id(&id, index), mandate);
        }
        let medium = Medium { party: op.party, registrar: op.registrar, revoked: false };
        self.media.insert(op.medium, medium);
        Ok(())
    }

    pub(super) fn revoke_medium(&mut self, id: MediumId, by: &Signatures) -> Result<(), Code> {
        let medium = self.media.get(&id).cloned().ok_or(Code::UnknownMedium)?;
        if let Err(own) = by.own(Side::Authority, Role::Holder, medium.party) {
            match by.officers(medium.registrar, 1) {
                Err(Code::MissingConsent) => return Err(own),
                other => other?,
            }
        }
        demand(!medium.revoked, Code::MediumNotActive)?;
        self.media.insert(id, Medium { revoked: true, ..medium });
        Ok(())
    }

    /// A mandate that nobody has used yet.
    pub(super) fn fresh(
        &self,
        grantor: PartyId,
        terms: &MandateTerms,
        medium: Option<MediumId>,
    ) -> Mandate {
        Mandate {
            grantor,
            terms: terms.clone(),
            medium,
            granted: self.now,
            revoked: false,
            used: 0,
            uses: 0,
            day: 0,
            today: 0,
            with: BTreeMap::new(),
            granted_by: Vec::new(),
        }
    }
}

/// Something is consented to, in the right direction; what can be paid is capped by day and in time.
fn enrolment_well_formed(op: &EnrolMedium) -> bool {
    let directed = [(&op.debit, Direction::Debit), (&op.credit, Direction::Credit)];
    let good = |(terms, direction): &(&Option<MandateTerms>, Direction)| {
        terms.as_ref().is_none_or(|t| t.direction == *direction && terms_well_formed(t))
    };
    let capped = |terms: &MandateTerms| terms.until.is_some() && terms.per_day.is_some();
    (op.debit.is_some() || op.credit.is_some())
        && directed.iter().all(good)
        && op.debit.as_ref().is_none_or(capped)
}

pub(super) fn terms_well_formed(terms: &MandateTerms) -> bool {
    (1..=8).contains(&terms.instruments.len())
        && terms.instruments.windows(2).all(|pair| pair[0] < pair[1])
        && terms.staff.windows(2).all(|pair| pair[0] < pair[1])
        && terms.staff.len() <= 32
        && terms.per_use.0 > 0
        && terms.until.is_none_or(|end| terms.from < end)
}
