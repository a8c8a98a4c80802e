//! `propose`, `approve`, `decline`: a payout that collects its consents on the ledger.

use musubi_ledger::{
    operation::{Decide, Decision, Leg, Movement, Operation, Propose},
    time::Time,
    transaction::{Purpose, Role, Side},
};

use super::{
    Act, Fault, Fields, Names, Play, Verb,
    pay::{legs, purpose},
    sealed::Sealed,
};

const WEEK_MS: u64 = 7 * 86_400_000;

#[derive(Debug)]
struct Proposed {
    from: usize,
    to: usize,
    legs: Vec<Leg>,
    by: usize,
    deadline: Option<Time>,
    purpose: Purpose,
}

pub(super) fn propose(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let from_node = fields.need("from");
    let from = from_node.as_ref().and_then(|node| names.party(node));
    let to = fields.need("to").and_then(|node| names.party(&node));
    let legs = fields.need("legs").and_then(|node| legs(&node, names));
    let by = fields.need("by").and_then(|node| names.party(&node));
    let deadline = fields.may("deadline").and_then(|node| node.time());
    let purpose = purpose(fields);
    if names.cast.members[from?].group.is_none() {
        return from_node?.wrong("groups propose their payouts; whoever pays alone pays");
    }
    let (from, to, legs) = (from?, to?, legs?);
    Some(Box::new(Proposed { from, to, legs, by: by?, deadline, purpose: purpose? }))
}

impl Verb for Proposed {}
impl Sealed for Proposed {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let group = play.party(self.from);
        let of: Vec<_> = self.legs.iter().map(|leg| leg.instrument).collect();
        let (credit, mut signers) = play.receives(self.to, &of, false);
        signers.push((Side::Debit, Role::Drafter, group, self.by));
        let movement = Movement {
            from: group,
            to: play.party(self.to),
            legs: self.legs.clone(),
            debit: musubi_ledger::operation::Citation::Live,
            credit,
        };
        let deadline = self.deadline.unwrap_or_else(|| play.stage.now().plus(WEEK_MS - 60_000));
        let mut body = play.body(self.by, Operation::Propose(Propose { movement, deadline }));
        body.purpose = self.purpose;
        Ok(vec![Act::new(body, signers)])
    }
}

#[derive(Debug)]
struct Decided {
    of: String,
    by: Vec<usize>,
    decision: Decision,
    group: usize,
}

pub(super) fn approve(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    decide(fields, names, Decision::Consent)
}

pub(super) fn decline(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    decide(fields, names, Decision::Decline)
}

fn decide(fields: &Fields<'_>, names: &Names<'_>, decision: Decision) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| names.step(&node));
    let by = fields.need("by").and_then(|node| names.parties(&node));
    let group = fields.need("group").and_then(|node| names.party(&node));
    Some(Box::new(Decided { of: of?, by: by?, decision, group: group? }))
}

impl Verb for Decided {}
impl Sealed for Decided {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let proposal = play.past.get(&self.of).and_then(|ids| ids.first()).copied();
        let proposal =
            proposal.ok_or_else(|| Fault::Lacks(format!("{} proposed nothing", self.of)))?;
        let group = play.party(self.group);
        let acts = self.by.iter().map(|at| {
            let decide = Operation::Decide(Decide { proposal, decision: self.decision });
            let signer = (Side::Debit, Role::Approver, group, *at);
            Act::new(play.body(*at, decide), vec![signer])
        });
        Ok(acts.collect())
    }
}
