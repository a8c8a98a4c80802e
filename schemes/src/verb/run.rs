//! `run`, `send`, `end_run`: many at once are granted something, or old balances are taken over, by a manifest.

use std::collections::BTreeMap;

use musubi_ledger::{
    amount::Amount,
    hash::sha256,
    id::{DocumentHash, InstrumentId, Salt, TxId},
    lot::OriginKind,
    operation::{EndRun, Import, OpenRun, Operation},
    run::{OldBalance, RunLine, plan::RunPlan},
    time::Time,
    transaction::{Role, Side},
};

use super::{Act, Fault, Fields, Names, Play, Verb, issue::ORIGINS, sealed::Sealed};
use crate::{file::Node, play::After};

/// How long a run is open where its step does not say.
const OPEN_MS: u64 = 60 * 86_400_000;

/// Most lines of a step: each is a party of the cast.
const LINES_MAX: usize = 10_000;

#[derive(Debug)]
struct Line {
    to: usize,
    amount: Amount,
    /// An old balance: what it was kept under (each its own if left out), and until when it could be spent.
    number: Option<String>,
    end: Option<Time>,
}

#[derive(Debug)]
struct OpenOne {
    lines: Vec<Line>,
    instrument: InstrumentId,
    origin: OriginKind,
    funder: Option<usize>,
    campaign: u32,
    until: Option<Time>,
    import: Option<HandedOver>,
}

#[derive(Debug)]
struct HandedOver {
    /// The paper; each its own if left out.
    paper: Option<String>,
    owed: bool,
}

pub(super) fn open(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let import = fields.may("import").map(|node| handed_over(&node));
    let usual = if import.is_some() { OriginKind::Paid } else { OriginKind::Grant };
    let lines = fields.need("lines").and_then(|node| lines(&node, names, import.is_some()));
    let instrument = names.only(fields.may("instrument"), fields);
    let origin = fields.may("origin").map_or(Some(usual), |node| node.one_of(&ORIGINS));
    let funder = fields.may("funder").map(|node| names.party(&node));
    let campaign =
        fields.may("campaign").map_or(Some(0), |node| node.whole(0..=u64::from(u32::MAX)));
    let until = fields.end();
    Some(Box::new(OpenOne {
        lines: lines?,
        instrument: instrument?,
        origin: origin?,
        funder: match funder {
            Some(funder) => Some(funder?),
            None => None,
        },
        campaign: u32::try_from(campaign?).ok()?,
        until,
        import: match import {
            Some(import) => Some(import?),
            None => None,
        },
    }))
}

fn handed_over(node: &Node<'_>) -> Option<HandedOver> {
    let fields = node.fields()?;
    let paper = fields.may("paper").and_then(|node| node.text());
    let owed = fields.may("owed").map_or(Some(false), |node| node.flag());
    fields.finish();
    Some(HandedOver { paper, owed: owed? })
}

fn lines(node: &Node<'_>, names: &Names<'_>, import: bool) -> Option<Vec<Line>> {
    let mut all = Vec::new();
    for item in node.list()? {
        let fields = item.fields()?;
        let to = fields.need("to").and_then(|node| names.parties(&node));
        let amount = fields.need("amount").and_then(|node| node.amount());
        let (number, end) = match import {
            true => (fields.may("number").and_then(|node| node.text()), fields.end()),
            false => (None, None),
        };
        fields.finish();
        let amount = amount?;
        all.extend(to?.into_iter().map(|to| Line { to, amount, number: number.clone(), end }));
    }
    match all.len() {
        1..=LINES_MAX => Some(all),
        _ => node.wrong(format!("a run has 1 to {LINES_MAX} lines here")),
    }
}

impl OpenOne {
    fn plan(&self, play: &mut Play<'_>) -> Result<RunPlan, Fault> {
        let line = |line: &Line| {
            let mut salt = [0; 16];
            salt.copy_from_slice(&play.fresh_hash("line")[..16]);
            let old = self.import.is_some().then(|| OldBalance {
                reference: DocumentHash(match &line.number {
                    Some(number) => sha256(format!("old balance {number}").as_bytes()),
                    None => play.fresh_hash("old balance"),
                }),
                use_expiry: line.end,
            });
            RunLine { to: play.party(line.to), amount: line.amount, salt: Salt(salt), old }
        };
        let lines = self.lines.iter().map(line).collect();
        RunPlan::new(lines).map_err(|error| Fault::Lacks(error.to_string()))
    }
}

impl Verb for OpenOne {}
impl Sealed for OpenOne {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let plan = self.plan(play)?;
        let issued = play.scheme.instruments.iter().find(|issued| issued.id == self.instrument);
        let issuer = issued.expect("instruments of steps are declared").issuer;
        let funder = self.funder.unwrap_or(issuer);
        let mut signers = play.officers("issuer", 2);
        if self.import.is_some() {
            signers.extend(play.officers("city", 1));
        }
        if funder != issuer {
            signers.extend(play.debit(funder, plan.total(), None)?);
        }
        let import = self.import.as_ref().map(|handed| Import {
            handover: DocumentHash(match &handed.paper {
                Some(paper) => sha256(paper.as_bytes()),
                None => play.fresh_hash("paper"),
            }),
            owed: handed.owed,
        });
        let manifest = OpenRun {
            instrument: self.instrument,
            origin: self.origin,
            funder: play.party(funder),
            campaign: self.campaign,
            root: plan.root(),
            count: plan.count(),
            total: plan.total(),
            until: self.until.unwrap_or_else(|| play.stage.now().plus(OPEN_MS)),
            import,
        };
        let body = play.body(signers[0].3, Operation::OpenRun(manifest));
        Ok(vec![Act::new(body, signers).then(After::Run(Box::new(plan)))])
    }
}

#[derive(Debug)]
struct Send {
    of: String,
    to: Option<Vec<usize>>,
    by: Option<usize>,
}

pub(super) fn send(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| names.step(&node));
    let to = fields.may("to").map(|node| names.parties(&node));
    let by = fields.may("by").map(|node| names.party(&node));
    let to = match to {
        Some(to) => Some(to?),
        None => None,
    };
    let by = match by {
        Some(by) => Some(by?),
        None => None,
    };
    Some(Box::new(Send { of: of?, to, by }))
}

/// The runs that a step opened, with their lines.
fn opened(play: &Play<'_>, of: &str) -> Result<BTreeMap<TxId, RunPlan>, Fault> {
    let ids = play.past.get(of).into_iter().flatten();
    let plans = ids.filter_map(|id| Some((*id, play.plans.get(id)?.clone())));
    let plans: BTreeMap<TxId, RunPlan> = plans.collect();
    match plans.is_empty() {
        true => Err(Fault::Lacks(format!("{of} opened no run"))),
        false => Ok(plans),
    }
}

impl Verb for Send {}
impl Sealed for Send {
    /// All lines in the largest pieces, or some parties' lines each alone.
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let by = self.by.unwrap_or_else(|| play.officers("issuer", 1)[0].3);
        let sender = play.sender(by);
        let mut acts = Vec::new();
        for (run, plan) in opened(play, &self.of)? {
            let chunks = match &self.to {
                None => plan.chunks(run).collect(),
                Some(parties) => {
                    let parties: Vec<_> = parties.iter().map(|at| play.party(*at)).collect();
                    let theirs = plan.lines().iter().zip(0..);
                    let theirs = theirs.filter(|(line, _)| parties.contains(&line.to));
                    theirs.filter_map(|(_, at)| plan.chunk(run, 0, at)).collect::<Vec<_>>()
                }
            };
            for chunk in chunks {
                let body = play.body(sender, Operation::RunChunk(chunk));
                let signer = (Side::Authority, Role::Holder, play.party(sender), sender);
                acts.push(Act::new(body, vec![signer]));
            }
        }
        Ok(acts)
    }
}

#[derive(Debug)]
struct EndOne {
    of: String,
}

pub(super) fn end(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let of = fields.need("of").and_then(|node| names.step(&node));
    Some(Box::new(EndOne { of: of? }))
}

impl Verb for EndOne {}
impl Sealed for EndOne {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let officers = play.officers("issuer", 1);
        let runs = opened(play, &self.of)?;
        let end = |run: TxId| {
            let body = play.body(officers[0].3, Operation::EndRun(EndRun { run }));
            Act::new(body, officers.clone())
        };
        Ok(runs.into_keys().map(end).collect())
    }
}
