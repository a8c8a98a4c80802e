//! `dues` and `cash`: a payee asks a list of members with one signature, and writes down what came in by hand.

use musubi_ledger::{
    amount::Amount,
    hash::tagged,
    id::{DocumentHash, InstrumentId, RosterLine},
    limits,
    operation::{DuesLine, Member, Operation, RecordCash, RequestMany},
    state::{Row, RowKey, derived_id},
    time::Time,
    transaction::Purpose,
};

use super::{Act, Fault, Fields, Names, Play, Verb, made::Made, pay::purpose, sealed::Sealed};
use crate::play::After;

#[derive(Debug)]
struct Dues {
    /// Each payee with its members.
    lists: Vec<(usize, Vec<Owing>)>,
    amount: Amount,
    instrument: InstrumentId,
    /// All in which it may be paid, where there are several.
    tender: Vec<InstrumentId>,
    due: Time,
    purpose: Purpose,
}

/// Somebody who owes dues.
#[derive(Clone, Debug)]
enum Owing {
    Party(usize),
    /// Who has no wallet: a line of the payee's own roster.
    Line(String),
}

pub(super) fn dues(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let payees = fields.need("payee").and_then(|node| names.parties(&node));
    let members = fields.may("members").map_or(Some(Vec::new()), |node| names.parties(&node));
    let roster = fields.may("roster").map(|node| node.some()).unwrap_or_default();
    let roster = roster.iter().map(|node| node.text()).collect::<Option<Vec<String>>>();
    let instruments = match fields.may("instruments") {
        Some(node) => names.several(&node),
        None => names.only(fields.may("instrument"), fields).map(|one| vec![one]),
    };
    let amount = fields.need("amount").and_then(|node| node.amount());
    let due = fields.need("due").and_then(|node| node.time());
    let purpose = if fields.has("purpose") { purpose(fields) } else { Some(Purpose::DUES) };
    let (payees, members) = (payees?, members?);
    let owing: Vec<Owing> =
        members.into_iter().map(Owing::Party).chain(roster?.into_iter().map(Owing::Line)).collect();
    if owing.is_empty() || !owing.len().is_multiple_of(payees.len()) {
        let what =
            format!("{} members cannot be dealt out to {} payees", owing.len(), payees.len());
        return fields.wrong(what);
    }
    let each = owing.len() / payees.len();
    if each > limits::DUES_LINES_MAX {
        return fields.wrong(format!("a list has at most {} lines", limits::DUES_LINES_MAX));
    }
    let lists = payees.into_iter().zip(owing.chunks(each).map(<[Owing]>::to_vec)).collect();
    let (amount, instruments) = (amount?, instruments?);
    let instrument = instruments[0];
    let tender = if instruments.len() > 1 { instruments } else { Vec::new() };
    Some(Box::new(Dues { lists, amount, instrument, tender, due: due?, purpose: purpose? }))
}

/// What the ledger knows of a line of a roster: nothing that names anybody.
pub(super) fn roster_line(play: &Play<'_>, name: &str) -> RosterLine {
    let scheme = play.scheme.head.name.as_bytes();
    let hash = tagged("musubi/v1/scheme-roster", &[scheme, &[0], name.as_bytes()]);
    RosterLine(std::array::from_fn(|at| hash[at]))
}

impl Verb for Dues {}
impl Sealed for Dues {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for (payee, owing) in &self.lists {
            let member = |owing: &Owing| match owing {
                Owing::Party(at) => Member::Party(play.party(*at)),
                Owing::Line(name) => Member::Roster(roster_line(play, name)),
            };
            let written: Vec<Member> = owing.iter().map(member).collect();
            let mut sorted = written.clone();
            sorted.sort_unstable();
            let line = |member: &Member| DuesLine { member: *member, amount: self.amount };
            let request = RequestMany {
                payee: play.party(*payee),
                lines: sorted.iter().map(line).collect(),
                instrument: self.instrument,
                tender: self.tender.clone(),
                due: self.due,
            };
            let mut body = play.body(play.sender(*payee), Operation::RequestMany(request));
            body.purpose = self.purpose;
            let id = body.id();
            let place = |member: &Member| {
                let at = sorted.iter().position(|other| other == member).expect("it was sorted");
                derived_id(&id, u8::try_from(at).expect("a list is short"))
            };
            let requests = After::Made(written.iter().map(place).collect());
            acts.push(Act::new(body, play.credit(*payee)).then(requests));
        }
        Ok(acts)
    }
}

#[derive(Debug)]
struct Cash {
    of: Made,
    received: bool,
}

pub(super) fn cash(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| Made::read(&node, names));
    let received = fields.may("received").map_or(Some(true), |node| node.flag());
    Some(Box::new(Cash { of: of?, received: received? }))
}

impl Verb for Cash {}
impl Sealed for Cash {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for request in self.of.ids(play)? {
            let payee = match play.stage.state().row(&RowKey::Request(request)) {
                Some(Row::Request(row)) => play.place(row.payee)?,
                _ => return Err(Fault::Lacks(format!("{request} asks for nothing"))),
            };
            let evidence = DocumentHash(play.fresh_hash("slip"));
            let record = RecordCash { request, received: self.received, evidence };
            let signers = play.persons_of_group(payee, 2);
            let body = play.body(signers[0].3, Operation::RecordCash(record));
            acts.push(Act::new(body, signers));
        }
        Ok(acts)
    }
}
