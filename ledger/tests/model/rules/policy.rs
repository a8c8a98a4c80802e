//! The witness policy: who may set the next one.

use musubi_ledger::policy::{Member, WitnessPolicy};

use super::*;

impl Model {
    pub(super) fn change_policy(
        &mut self,
        policy: &WitnessPolicy,
        by: &Signatures,
    ) -> Result<(), Code> {
        let voices: BTreeSet<String> = policy
            .witnesses
            .iter()
            .map(|w| match w.member {
                Member::Organisation(party) => party.to_string(),
                Member::Independent => w.name.clone(),
            })
            .collect();
        let quorum = usize::from(policy.quorum);
        let ascending = policy.witnesses.windows(2).all(|w| w[0].name < w[1].name);
        let keys: BTreeSet<_> = policy.witnesses.iter().map(|w| w.key).collect();
        let distinct = keys.len() == policy.witnesses.len();
        let bounds = quorum <= voices.len() && voices.len() < 2 * quorum;
        demand(bounds && ascending && distinct, Code::NotWellFormed)?;
        for witness in &policy.witnesses {
            if let Member::Organisation(party) = witness.member {
                let holds = self.kinds.get(&party) == Some(&PartyKind::Operator);
                demand(holds, Code::UnknownParty)?;
            }
        }
        by.governance()?;
        demand(policy.number == self.policy + 1, Code::WrongPolicyNumber)?;
        self.policy += 1;
        Ok(())
    }
}
