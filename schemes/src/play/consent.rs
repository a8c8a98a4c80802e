//! Who signs for whom: the ledger's table of consents (`docs/CONSENT.md`), from the side of those who sign.

use musubi_ledger::{
    amount::Amount,
    id::{InstrumentId, TxId},
    operation::Citation,
    party::PartyKind,
    transaction::{Role, Side},
};

use super::{Fault, Play, Signer};

impl Play<'_> {
    fn kind(&self, at: usize) -> PartyKind {
        self.scheme.cast.members[at].kind
    }

    /// The place of an institution, or of the first of several.
    pub(crate) fn institution(&self, name: &str) -> usize {
        self.scheme.cast.named(name).expect("every network has its institutions").start
    }

    /// Officers of an institution.
    pub(crate) fn officers(&self, of: &str, count: usize) -> Vec<Signer> {
        let party = self.party(self.institution(of));
        let officers = self.scheme.cast.named(&format!("{of}-officer"));
        let officers = officers.expect("institutions with officers are asked").take(count);
        officers.map(|at| (Side::Authority, Role::Officer, party, at)).collect()
    }

    /// Whoever sends what this party does: itself, a group's first drafter, an officer.
    pub(crate) fn sender(&self, at: usize) -> usize {
        match &self.scheme.cast.members[at].group {
            Some(group) => group.drafters[0],
            None if self.actors[at].key.is_none() => self.institution("registrar-officer"),
            None => at,
        }
    }

    /// Those who let a party give so much to somebody: itself; of a group a drafter and as many others as its policy asks,
    /// none of them the one who is paid.
    ///
    /// # Errors
    /// If it has nobody who could.
    pub(crate) fn debit(
        &self,
        at: usize,
        amount: Amount,
        to: Option<usize>,
    ) -> Result<Vec<Signer>, Fault> {
        let party = self.party(at);
        if self.kind(at) == PartyKind::Operator {
            let name = &self.scheme.cast.members[at].name;
            return Err(Fault::Lacks(format!(
                "{name} pays by the word of two officers and has one here: let an external party pay"
            )));
        }
        let Some(group) = &self.scheme.cast.members[at].group else {
            let role = if self.kind(at) == PartyKind::Issuer { Role::Issuer } else { Role::Holder };
            return Ok(vec![(Side::Debit, role, party, at)]);
        };
        let drafter = group.drafters[0];
        let wanted = usize::from(group.policy.approvers_for(amount));
        let others =
            group.approvers.iter().filter(|other| **other != drafter && Some(**other) != to);
        let approvers: Vec<usize> = others.copied().take(wanted).collect();
        if approvers.len() < wanted {
            let name = &self.scheme.cast.members[at].name;
            return Err(Fault::Lacks(format!("{name} has fewer than {wanted} approvers for this")));
        }
        let approvers = approvers.into_iter().map(|at| (Side::Debit, Role::Approver, party, at));
        Ok([(Side::Debit, Role::Drafter, party, drafter)].into_iter().chain(approvers).collect())
    }

    /// Those who let a party receive.
    pub(crate) fn credit(&self, at: usize) -> Vec<Signer> {
        let party = self.party(at);
        let signer = match (&self.scheme.cast.members[at].group, self.kind(at)) {
            (Some(group), _) => (Side::Credit, Role::Drafter, party, group.drafters[0]),
            (None, PartyKind::Issuer) => (Side::Credit, Role::Issuer, party, at),
            (None, _) => (Side::Credit, Role::Holder, party, at),
        };
        vec![signer]
    }

    /// Those who speak for a party where nothing moves: itself, a group's representative, an officer.
    pub(crate) fn authority(&self, at: usize) -> Vec<Signer> {
        match self.kind(at) {
            PartyKind::Group => self.persons_of_group(at, 1),
            PartyKind::Issuer | PartyKind::Registrar | PartyKind::Operator => {
                self.officers(&self.scheme.cast.members[at].name, 1)
            }
            _ => vec![(Side::Authority, Role::Holder, self.party(at), at)],
        }
    }

    /// Distinct persons of a group, its representative first; of another party whoever speaks for it.
    pub(crate) fn persons_of_group(&self, at: usize, count: usize) -> Vec<Signer> {
        let Some(plan) = &self.scheme.cast.members[at].group else { return self.authority(at) };
        let group = self.party(at);
        let mut persons = vec![(Side::Authority, Role::Representative, group, plan.representative)];
        let roles = plan.drafters.iter().map(|at| (Role::Drafter, *at));
        let roles = roles.chain(plan.approvers.iter().map(|at| (Role::Approver, *at)));
        for (role, at) in roles {
            if persons.len() < count && persons.iter().all(|person| person.3 != at) {
                persons.push((Side::Authority, role, group, at));
            }
        }
        persons
    }

    /// The standing acceptance of a party that covers all of these instruments.
    pub(crate) fn acceptance(&self, at: usize, instruments: &[InstrumentId]) -> Option<TxId> {
        let of = |instrument: &InstrumentId| self.acceptances.get(&(at, *instrument)).copied();
        let first = of(instruments.first()?)?;
        instruments.iter().all(|instrument| of(instrument) == Some(first)).then_some(first)
    }

    /// How a party lets itself be given these: by its standing acceptance, or live.
    pub(crate) fn receives(
        &self,
        at: usize,
        instruments: &[InstrumentId],
        live: bool,
    ) -> (Citation, Vec<Signer>) {
        match self.acceptance(at, instruments).filter(|_| !live) {
            Some(mandate) => (Citation::Mandate(mandate), Vec::new()),
            None => (Citation::Live, self.credit(at)),
        }
    }
}
