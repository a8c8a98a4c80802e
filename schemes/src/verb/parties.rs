//! `open`, `attest`, `freeze`, `unfreeze`, `close_group`: parties come, change, stop.

use musubi_ledger::{
    id::DocumentHash,
    operation::{Attest, Freeze, Operation},
    party::Attribute,
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

#[derive(Debug)]
struct Open(Vec<usize>);

pub(super) fn open(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("party")?;
    let parties = names.parties(&node)?;
    if parties.iter().any(|at| !names.cast.members[*at].later) {
        return node.wrong("only what is declared with later = true is opened by a step");
    }
    Some(Box::new(Open(parties)))
}

impl Verb for Open {}
impl Sealed for Open {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        play.admit(&self.0)?;
        Ok(Vec::new())
    }
}

#[derive(Debug)]
struct Attested(Vec<usize>, Vec<Attribute>);

pub(super) fn attest(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let parties = fields.need("party").and_then(|node| names.parties(&node));
    let attributes = fields.attributes();
    if attributes.is_empty() {
        return fields.wrong("`attributes` is missing: { name = \"value\" }");
    }
    Some(Box::new(Attested(parties?, attributes)))
}

impl Verb for Attested {}
impl Sealed for Attested {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let officers = play.officers("registrar", 1);
        let registrar = play.party(play.institution("registrar"));
        let acts = self.0.iter().map(|at| {
            let (party, attributes) = (play.party(*at), self.1.clone());
            let attest = Operation::Attest(Attest { party, registrar, attributes });
            Act::new(play.body(officers[0].3, attest), officers.clone())
        });
        Ok(acts.collect())
    }
}

#[derive(Debug)]
struct Frozen(Vec<usize>);

pub(super) fn freeze(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let parties = fields.need("party").and_then(|node| names.parties(&node))?;
    Some(Box::new(Frozen(parties)))
}

impl Verb for Frozen {}
impl Sealed for Frozen {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let officers = play.officers("registrar", 1);
        let acts = self.0.iter().map(|at| {
            let evidence = DocumentHash(play.fresh_hash("report"));
            let freeze = Operation::Freeze(Freeze { party: play.party(*at), evidence });
            Act::new(play.body(officers[0].3, freeze), officers.clone())
        });
        Ok(acts.collect())
    }
}

#[derive(Debug)]
struct Unfrozen(Vec<usize>);

pub(super) fn unfreeze(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let parties = fields.need("party").and_then(|node| names.parties(&node))?;
    Some(Box::new(Unfrozen(parties)))
}

impl Verb for Unfrozen {}
impl Sealed for Unfrozen {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let officers = play.officers("registrar", 2);
        let acts = self.0.iter().map(|at| {
            let unfreeze = Operation::Unfreeze { party: play.party(*at) };
            Act::new(play.body(officers[0].3, unfreeze), officers.clone())
        });
        Ok(acts.collect())
    }
}

#[derive(Debug)]
struct Close(Vec<usize>);

pub(super) fn close_group(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("group")?;
    let groups = names.parties(&node)?;
    if groups.iter().any(|at| names.cast.members[*at].group.is_none()) {
        return node.wrong("a group stands here");
    }
    Some(Box::new(Close(groups)))
}

impl Verb for Close {}
impl Sealed for Close {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for at in &self.0 {
            let group = play.party(*at);
            let signers = play.persons_of_group(*at, 2);
            let body = play.body(signers[0].3, Operation::CloseGroup { group });
            acts.push(Act::new(body, signers));
        }
        Ok(acts)
    }
}
