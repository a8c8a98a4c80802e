//! `top_up`: the issuer issues into wallets, against outside money, for nothing, or as a public benefit.

use musubi_ledger::{
    amount::Amount,
    code::Code,
    id::{DocumentHash, InstrumentId},
    lot::OriginKind,
    operation::{Operation, TopUp},
    transaction::{Role, Side},
};

use super::{
    Act, Fault, Fields, Names, Play, Verb,
    grants::{Allow, UNLIMITED},
    sealed::Sealed,
};

pub(super) const ORIGINS: [(&str, OriginKind); 3] =
    [("free", OriginKind::Free), ("grant", OriginKind::Grant), ("paid", OriginKind::Paid)];

#[derive(Debug)]
struct Issue {
    to: Vec<usize>,
    instrument: InstrumentId,
    amount: Amount,
    origin: OriginKind,
    funder: Option<usize>,
    campaign: u32,
    live: bool,
    /// The same outside payment for all, which only one of them may use.
    funding: Option<String>,
}

pub(super) fn top_up(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let to = fields.need("to").and_then(|node| names.parties(&node));
    let instrument = names.only(fields.may("instrument"), fields);
    let amount = fields.need("amount").and_then(|node| node.amount());
    let origin = fields.may("origin").map_or(Some(OriginKind::Paid), |node| node.one_of(&ORIGINS));
    let funder = fields.may("funder").map(|node| names.party(&node));
    let campaign =
        fields.may("campaign").map_or(Some(0), |node| node.whole(0..=u64::from(u32::MAX)));
    let via = fields
        .may("via")
        .map_or(Some(false), |node| node.one_of(&[("mandate", false), ("live", true)]));
    let funding = fields.may("funding").and_then(|node| node.text());
    let funder = match funder {
        Some(funder) => Some(funder?),
        None => None,
    };
    Some(Box::new(Issue {
        to: to?,
        instrument: instrument?,
        amount: amount?,
        origin: origin?,
        funder,
        campaign: u32::try_from(campaign?).ok()?,
        live: via?,
        funding,
    }))
}

impl Issue {
    /// The allowance that is there, or one without bounds: issuing is not what this scheme limits then.
    fn allowance(&self, play: &mut Play<'_>) -> Result<musubi_ledger::id::TxId, Fault> {
        if let Some(id) = play.allowances.get(&self.instrument) {
            return Ok(*id);
        }
        let bounds = (UNLIMITED, UNLIMITED, UNLIMITED);
        let (total, per_wallet, per_day) = bounds;
        let allow = Allow { instrument: self.instrument, total, per_wallet, per_day, until: None }
            .act(play);
        match play.submit(vec![allow], &[])?[..] {
            [(id, Code::Applied)] => Ok(id),
            [(_, code)] => Err(Fault::Setup("an allowance".to_owned(), code)),
            _ => unreachable!("one item has one verdict"),
        }
    }
}

impl Verb for Issue {}
impl Sealed for Issue {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let allowance = self.allowance(play)?;
        let issued = play.scheme.instruments.iter().find(|issued| issued.id == self.instrument);
        let issuer = issued.expect("instruments of steps are declared").issuer;
        let issuer_party = play.party(issuer);
        let mut acts = Vec::new();
        for at in &self.to {
            let (credit, mut signers) = play.receives(*at, &[self.instrument], self.live);
            signers.push((Side::Debit, Role::Issuer, issuer_party, issuer));
            // Who buys for themselves funds it; what is given for nothing the issuer funds, unless somebody else does.
            let funder = match (self.funder, self.origin) {
                (Some(funder), _) => funder,
                (None, OriginKind::Paid) => *at,
                (None, _) => issuer,
            };
            if funder != *at && funder != issuer {
                signers.push((Side::Debit, Role::Funder, play.party(funder), funder));
            }
            let funding = match &self.funding {
                Some(name) => musubi_ledger::hash::sha256(name.as_bytes()),
                None => play.fresh_hash("funding"),
            };
            let top_up = TopUp {
                allowance,
                to: play.party(*at),
                amount: self.amount,
                origin: self.origin,
                funder: play.party(funder),
                campaign: self.campaign,
                funding: DocumentHash(funding),
                credit,
            };
            let body = play.body(issuer, Operation::TopUp(top_up));
            acts.push(Act::new(body, signers));
        }
        Ok(acts)
    }
}
