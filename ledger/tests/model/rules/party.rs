//! Registration, attributes, officers.

use super::{
    keys::official,
    register::{KeyIs, well_formed_attributes},
    *,
};

impl Model {
    pub(super) fn register_party(
        &mut self,
        op: &RegisterParty,
        by: &Signatures,
    ) -> Result<(), Code> {
        let person = op.kind == PartyKind::Person;
        let well_formed = op.keys.len() <= 4
            && (person || !op.keys.is_empty())
            && person == op.tag.is_some()
            && ![PartyKind::Group, PartyKind::Operator].contains(&op.kind)
            && official(op.kind) == op.organisation.is_some()
            && well_formed_attributes(&op.attributes);
        demand(well_formed, Code::NotWellFormed)?;
        demand(self.active(op.registrar)? == PartyKind::Registrar, Code::WrongKind)?;
        match op.organisation {
            Some(organisation) => {
                by.governance()?;
                demand(self.active(organisation)? == PartyKind::Operator, Code::WrongKind)?;
            }
            None => by.officers(op.registrar, 1)?,
        }
        op.keys.iter().try_for_each(|key| by.proves(op.party, *key))?;
        demand(!self.kinds.contains_key(&op.party), Code::PartyExists)?;
        let known = op.tag.is_some_and(|tag| !self.register.tags.insert(tag));
        demand(!known, Code::PersonExists)?;
        self.kinds.insert(op.party, op.kind);
        self.register.registrars.insert(op.party, op.registrar);
        self.register.officers.insert(op.party, Vec::new());
        self.attribute(op.party, &op.attributes);
        op.keys.iter().try_for_each(|key| self.enter(op.party, *key, KeyIs::Active))
    }

    pub(super) fn attest(&mut self, op: &Attest, by: &Signatures) -> Result<(), Code> {
        let well_formed = !op.attributes.is_empty() && well_formed_attributes(&op.attributes);
        demand(well_formed, Code::NotWellFormed)?;
        self.kind(op.party)?;
        demand(self.active(op.registrar)? == PartyKind::Registrar, Code::WrongKind)?;
        by.officers(op.registrar, 1)?;
        self.attribute(op.party, &op.attributes);
        demand(self.register.attributes[&op.party].len() <= 32, Code::NotWellFormed)
    }

    pub(super) fn set_officers(&mut self, op: &SetOfficers, by: &Signatures) -> Result<(), Code> {
        let ascending = op.officers.windows(2).all(|pair| pair[0] < pair[1]);
        demand(ascending && (2..=64).contains(&op.officers.len()), Code::NotWellFormed)?;
        demand(official(self.active(op.party)?), Code::WrongKind)?;
        for officer in &op.officers {
            demand(self.active(*officer)? == PartyKind::Person, Code::WrongKind)?;
        }
        match by.governance() {
            Err(Code::MissingConsent) => by.officers(op.party, 2)?,
            Err(few) if by.officers(op.party, 2).is_err() => return Err(few),
            _ => {}
        }
        self.register.officers.insert(op.party, op.officers.clone());
        Ok(())
    }
}
