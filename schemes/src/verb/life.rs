//! `life` and `touch`: an instrument goes on in its life; a holder shows that it is still there.

use musubi_ledger::{
    id::{DocumentHash, InstrumentId},
    instrument::{InstrumentChange, Life, LifeStep},
    operation::{ChangeInstrument, Operation, Touch},
    time::Time,
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

const LIVES: [(&str, Life); 5] = [
    ("open", Life::Open),
    ("issue_ended", Life::IssueEnded),
    ("use_ended", Life::UseEnded),
    ("redemption_ended", Life::RedemptionEnded),
    ("barred", Life::Barred),
];

#[derive(Debug)]
struct Ends {
    instrument: InstrumentId,
    life: Life,
    at: Option<Time>,
}

pub(super) fn life(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let instrument = names.only(fields.may("instrument"), fields);
    let life = fields.need("life").and_then(|node| node.one_of(&LIVES));
    let at = fields.may("from").map(|node| node.time());
    let at = match at {
        Some(at) => Some(at?),
        None => None,
    };
    Some(Box::new(Ends { instrument: instrument?, life: life?, at }))
}

impl Verb for Ends {}
impl Sealed for Ends {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        // The block that carries it may be a moment later than now.
        let at = self.at.unwrap_or_else(|| play.stage.now().plus(3_600_000));
        let change = ChangeInstrument {
            instrument: self.instrument,
            change: InstrumentChange::Life(LifeStep { life: self.life, at }),
            notice: DocumentHash(play.fresh_hash("notice")),
        };
        let mut officers = play.officers("issuer", 2);
        officers.extend(play.officers("city", 1));
        let body = play.body(officers[0].3, Operation::ChangeInstrument(change));
        Ok(vec![Act::new(body, officers)])
    }
}

#[derive(Debug)]
struct Touched {
    parties: Vec<usize>,
    instrument: InstrumentId,
}

pub(super) fn touch(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let parties = fields.need("party").and_then(|node| names.parties(&node));
    let instrument = names.only(fields.may("instrument"), fields);
    Some(Box::new(Touched { parties: parties?, instrument: instrument? }))
}

impl Verb for Touched {}
impl Sealed for Touched {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for at in &self.parties {
            let touch = Touch { party: play.party(*at), instrument: self.instrument };
            let body = play.body(play.sender(*at), Operation::Touch(touch));
            acts.push(Act::new(body, play.authority(*at)));
        }
        Ok(acts)
    }
}
