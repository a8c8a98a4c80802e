//! Proposals: collecting consents until nothing is missing.

use super::*;

impl Model {
    pub(super) fn propose(
        &mut self,
        op: &Propose,
        body: &Body,
        id: TxId,
        by: &Signatures,
    ) -> Result<(), Code> {
        well_formed(&op.movement)?;
        let by_medium = matches!(op.movement.debit, Citation::Medium { .. });
        demand(!by_medium, Code::NotWellFormed)?;
        let from = self.active(op.movement.from)?;
        let to = self.active(op.movement.to)?;
        let window = match self.groups.get(&op.movement.from) {
            Some(group) => u64::from(group.policy.proposal_hours) * 3_600_000,
            None => 90 * DAY,
        };
        let mut proposal = Proposal {
            movement: op.movement.clone(),
            proposer: body.sender,
            purpose: body.purpose,
            answers: body.answers,
            drafter: None,
            opened: self.now,
            deadline: op.deadline.0,
            consents: Vec::new(),
            open: true,
        };
        self.collect(&mut proposal, by)?;
        self.allowed(&Asked::of(&op.movement), from, to)?;
        let in_time = self.now < op.deadline.0 && op.deadline.0 <= self.now + window;
        demand(in_time, Code::DeadlineInvalid)?;
        demand(self.is_open(&proposal), Code::ProposalNotOpen)?;
        self.try_complete(id, &mut proposal)?;
        self.proposals.insert(id, proposal);
        Ok(())
    }

    pub(super) fn decide_proposal(
        &mut self,
        op: &Decide,
        body: &Body,
        by: &Signatures,
    ) -> Result<(), Code> {
        let mut proposal =
            self.proposals.get(&op.proposal).cloned().ok_or(Code::UnknownProposal)?;
        match op.decision {
            Decision::Consent => self.collect(&mut proposal, by)?,
            Decision::Decline => {
                let m = &proposal.movement;
                let said = [(Side::Debit, m.from), (Side::Credit, m.to)]
                    .map(|(side, party)| self.holder(by, side, party));
                if said.iter().all(Result::is_err) {
                    let mut codes = said.iter().rev().filter_map(|s| s.err());
                    let other = codes.find(|code| *code != Code::MissingConsent);
                    return Err(other.unwrap_or(Code::MissingConsent));
                }
            }
            Decision::Withdraw => {
                demand(body.sender == proposal.proposer, Code::RoleMissing)?;
                self.active(proposal.proposer)?;
            }
        }
        demand(self.is_open(&proposal), Code::ProposalNotOpen)?;
        match op.decision {
            Decision::Consent => self.try_complete(op.proposal, &mut proposal)?,
            Decision::Decline | Decision::Withdraw => proposal.open = false,
        }
        self.proposals.insert(op.proposal, proposal);
        Ok(())
    }

    pub(super) fn collect(&self, proposal: &mut Proposal, by: &Signatures) -> Result<(), Code> {
        let m = proposal.movement.clone();
        let wanted = [
            (Side::Debit, m.from, m.debit == Citation::Live),
            (Side::Credit, m.to, m.credit == Citation::Live),
        ];
        let (mut seen, mut added) = (false, false);
        for consent in by.0.iter().filter(|s| s.owner.is_ok()) {
            let Some(want) = wanted.iter().find(|w| (w.0, w.1) == (consent.side, consent.party))
            else {
                continue;
            };
            seen = true;
            let same = |c: &Signed| {
                (c.side, c.role, c.owner) == (consent.side, consent.role, consent.owner)
                    && !self.register.compromised(&c.key)
            };
            if want.2 && !proposal.consents.iter().any(same) {
                self.admit(proposal, consent)?;
                proposal.consents.push(*consent);
                added = true;
            }
        }
        if added {
            return Ok(());
        }
        let roles = [
            Role::Holder,
            Role::Drafter,
            Role::Approver,
            Role::Officer,
            Role::Representative,
            Role::Issuer,
        ];
        let lacks = wanted
            .iter()
            .flat_map(|(side, party, _)| roles.map(|role| by.lack(*side, role, *party)));
        let found = lacks.into_iter().find(|code| *code != Code::MissingConsent);
        Err(match seen {
            true => Code::ConsentNotNeeded,
            false => found.unwrap_or(Code::MissingConsent),
        })
    }

    pub(super) fn admit(&self, proposal: &mut Proposal, consent: &Signed) -> Result<(), Code> {
        let person = consent.owner?;
        self.holder(&Signatures(vec![*consent]), consent.side, consent.party)?;
        if self.kinds[&consent.party] != PartyKind::Group || consent.side != Side::Debit {
            return Ok(());
        }
        let approved =
            |c: &Signed| c.role == Role::Approver && c.side == Side::Debit && c.owner == Ok(person);
        match consent.role {
            Role::Drafter => {
                demand(proposal.drafter.is_none_or(|d| d == person), Code::ConsentNotNeeded)?;
                demand(!proposal.consents.iter().any(approved), Code::SamePerson)?;
                proposal.drafter = Some(person);
                Ok(())
            }
            Role::Approver => {
                demand(proposal.drafter != Some(person), Code::SamePerson)?;
                demand(proposal.movement.to != person, Code::PayeeApproves)
            }
            _ => Err(Code::ConsentNotNeeded),
        }
    }

    fn is_open(&self, proposal: &Proposal) -> bool {
        let parties = [proposal.movement.from, proposal.movement.to];
        let died = parties.iter().any(|party| self.died(*party, proposal.opened));
        proposal.open && self.now < proposal.deadline && !died
    }

    /// Moves the money if every live consent is there, by persons who still act.
    pub(super) fn try_complete(&mut self, id: TxId, proposal: &mut Proposal) -> Result<(), Code> {
        if !self.is_open(proposal) {
            return Ok(());
        }
        let m = proposal.movement.clone();
        // Whose roles rest has no part: what is left counts whatever waited when it was given.
        let standing = proposal.consents.iter().filter(|c| self.stands(c));
        let standing = standing.map(|c| Signed { suspended: false, ..*c });
        let standing = Signatures(standing.collect());
        let count = |role| {
            let here = |c: &&Signed| c.side == Side::Debit && c.role == role && c.party == m.from;
            standing.0.iter().filter(here).count()
        };
        let debit_done = match (m.debit, self.kinds[&m.from]) {
            (Citation::Live, PartyKind::Group) => {
                count(Role::Drafter) > 0
                    && count(Role::Approver) >= self.groups[&m.from].approvers_for(total(&m.legs))
            }
            (Citation::Live, _) => count(Role::Holder) > 0,
            _ => true,
        };
        let credit_done =
            m.credit != Citation::Live || self.holder(&standing, Side::Credit, m.to).is_ok();
        if debit_done && credit_done {
            let moved =
                self.movement(&Asked::of(&m), &standing, proposal.purpose, proposal.answers)?;
            self.originals.insert(id, moved);
            proposal.open = false;
        }
        Ok(())
    }
}
