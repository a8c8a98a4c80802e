//! `put_rule` and `end_rule`: what the ledger posts by itself from now on, and no longer.

use musubi_ledger::{
    operation::{EndRule, Operation},
    time::Time,
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

/// The block that carries the end may be a moment later than now.
const SOON_MS: u64 = 3_600_000;

#[derive(Debug)]
struct PutOne {
    rule: usize,
}

pub(super) fn put(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("rule")?;
    let rule = names.rule(&node)?;
    if !names.rules[rule].later {
        return node.wrong("this rule is there from the start, or say later = true at it");
    }
    Some(Box::new(PutOne { rule }))
}

impl Verb for PutOne {}
impl Sealed for PutOne {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        play.put_rule(self.rule).map(|act| vec![act])
    }
}

#[derive(Debug)]
struct EndOne {
    rule: usize,
    at: Option<Time>,
}

pub(super) fn end(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let rule = fields.need("rule").and_then(|node| names.rule(&node));
    let at = fields.may("from").map(|node| node.time());
    let at = match at {
        Some(at) => Some(at?),
        None => None,
    };
    Some(Box::new(EndOne { rule: rule?, at }))
}

impl Verb for EndOne {}
impl Sealed for EndOne {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let at = self.at.unwrap_or_else(|| play.stage.now().plus(SOON_MS));
        let end = EndRule { id: play.scheme.rules[self.rule].id, at };
        let officers = play.officers("issuer", 2);
        let body = play.body(officers[0].3, Operation::EndRule(end));
        Ok(vec![Act::new(body, officers)])
    }
}
