//! Ten lines about people: each is done through the SDK, checked through the API, and carries the id
//! under which it can be looked up.

mod cast;
mod shops;
mod trust;

use std::cell::RefCell;

use anyhow::{Context, ensure};
use musubi_ledger::{
    amount::Amount,
    api::FullTransaction,
    code::Code,
    hash::sha256,
    id::{DocumentHash, PartyId, TxId},
    operation::{Citation, Leg},
    outcome::Form,
};
use musubi_sdk::{
    Client, ClientError, Composer, Draft, HalfSigned, OriginKind, Slot, Wait, api::BalanceView,
    draft::Funding, entropy,
};
use serde::Serialize;

use crate::{
    city::{
        City, institutions,
        people::{Group, Merchant, Person},
        setup::Allowances,
    },
    load::{Journal, Place, code_named, ended},
};

pub(super) use cast::purses;

/// One line of the story.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    /// What happened.
    pub(super) line: String,
    /// The transaction that shows it.
    pub(super) id: String,
    /// Whether all of it was found so.
    pub(super) ok: bool,
    /// What was found instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

/// A transaction of the story and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// The code that it got.
    pub(super) code: Code,
    /// Where it ended.
    pub(super) place: Place,
    /// Signatures that it bears.
    pub(super) signatures: u64,
}

/// A story that was told.
pub(super) struct Played {
    /// The ten lines.
    pub(super) lines: Vec<Line>,
    /// Everything that was submitted on the way.
    pub(super) sent: Vec<Sent>,
}

/// What a beat of the story tells if it went well.
type Told = anyhow::Result<(String, TxId)>;

/// Where the story plays.
pub(super) struct Stage<'c> {
    client: Client,
    city: &'c City,
    allowances: Allowances,
    /// What is acknowledged is written down here, as the day's verdicts were.
    journal: &'c Journal,
    sent: RefCell<Vec<Sent>>,
    /// The static-QR purchase, which is refunded later.
    purchase: Option<TxId>,
}

/// Plays all ten lines; a line that fails does not stop the others.
pub(super) async fn play(
    client: Client,
    city: &City,
    allowances: Allowances,
    journal: &Journal,
) -> Played {
    let sent = RefCell::default();
    let mut stage = Stage { client, city, allowances, journal, sent, purchase: None };
    let lines = vec![
        line("top-up", stage.top_up().await),
        line("static-QR purchase", stage.static_qr().await),
        line("card-only purchase", stage.card().await),
        line("dues for another member", stage.dues_for_another().await),
        line("self-approval by a second key", stage.self_approval().await),
        line("approved payout", stage.approved_payout().await),
        line("refund", stage.refund().await),
        line("lost phone", stage.lost_phone().await),
        line("claim redeemed", stage.redemption().await),
        line("a statement that adds up", stage.statement().await),
    ];
    Played { lines, sent: stage.sent.into_inner() }
}

fn line(name: &str, told: Told) -> Line {
    match told {
        Ok((text, id)) => Line { line: text, id: id.to_string(), ok: true, why: None },
        Err(error) => Line {
            line: name.into(),
            id: String::new(),
            ok: false,
            why: Some(format!("{error:#}")),
        },
    }
}

fn money(amount: u64) -> Vec<Leg> {
    vec![Leg { instrument: institutions::money(), amount: Amount(amount) }]
}

fn paper(what: &str) -> DocumentHash {
    DocumentHash(sha256(format!("{what} {}", hex::encode(entropy::bytes::<8>())).as_bytes()))
}

impl<'c> Stage<'c> {
    fn person(&self, at: usize) -> &'c Person {
        &self.city.persons[at]
    }

    fn shop(&self) -> &'c Merchant {
        &self.city.merchants[self.city.cast.shop]
    }

    fn circle(&self) -> &'c Group {
        &self.city.groups[self.city.cast.circle]
    }

    async fn composer(&self) -> anyhow::Result<Composer> {
        Ok(Composer::from_info(&self.client.info().await?))
    }

    /// Submits until there is a result: a code of the ledger's, be it at the door. A verdict goes into the
    /// journal before it counts.
    async fn submit(&self, half: HalfSigned) -> anyhow::Result<(TxId, Sent)> {
        let transaction = half.complete();
        let (code, place) = match self.client.submit(&transaction, Wait::Committed).await {
            Ok(status) => ended(&status).context("no result")?,
            Err(ClientError::Problem(problem)) => match code_named(&problem.code) {
                Some(code) => (code, Place::Door),
                None => return Err(ClientError::Problem(problem).into()),
            },
            Err(error) => return Err(error.into()),
        };
        let id = transaction.body.id();
        if matches!(place, Place::Applied | Place::Rejected) {
            tokio::task::block_in_place(|| self.journal.note(&[(id, code)]))?;
        }
        let sent = Sent { code, place, signatures: transaction.signatures.len() as u64 };
        self.sent.borrow_mut().push(sent);
        Ok((id, sent))
    }

    /// Submits and wants a verdict with exactly this code; returns the id.
    async fn expect(&self, half: HalfSigned, wanted: Code) -> anyhow::Result<TxId> {
        let (id, Sent { code, place, .. }) = self.submit(half).await?;
        ensure!(code == wanted, "{id} got `{code}` instead of `{wanted}`");
        let judged = matches!(place, Place::Applied | Place::Rejected);
        ensure!(judged, "{id} got `{code}`, but no verdict ({place:?})");
        Ok(id)
    }

    async fn apply(&self, half: HalfSigned) -> anyhow::Result<TxId> {
        self.expect(half, Code::Applied).await
    }

    /// Applies, and reads back what it did.
    async fn apply_and_read(&self, half: HalfSigned) -> anyhow::Result<FullTransaction> {
        let id = self.apply(half).await?;
        Ok(self.client.transaction(id).await?)
    }

    /// What a party holds of the city's money.
    async fn balance(&self, party: PartyId) -> anyhow::Result<BalanceView> {
        let wallet = self.client.wallet(party).await?;
        let found = wallet.balances.into_iter().find(|b| b.instrument == institutions::money());
        Ok(found.unwrap_or(BalanceView {
            instrument: institutions::money(),
            decimals: 0,
            spendable: Amount::ZERO,
            held: Amount::ZERO,
            claim: Amount::ZERO,
            receivable: Amount::ZERO,
            lots: Vec::new(),
        }))
    }

    async fn check_spendable(&self, who: &str, party: PartyId, wanted: u64) -> anyhow::Result<()> {
        let found = self.balance(party).await?.spendable;
        ensure!(found.0 == wanted, "{who} can spend {found} instead of {wanted}");
        Ok(())
    }

    /// A top-up of a person, paid outside.
    async fn charge(&self, person: &Person, amount: u64) -> anyhow::Result<Draft> {
        let funding = Funding {
            allowance: self.allowances.money,
            issuer: self.city.institutions.issuer.party,
            origin: OriginKind::Paid,
            funder: person.party,
            campaign: 0,
            payment: paper("bank transfer"),
        };
        let credit = Citation::Mandate(person.acceptance);
        let composer = self.composer().await?;
        Ok(composer.top_up(person.party, Amount(amount), funding, credit))
    }

    fn by_issuer(&self, draft: Draft) -> HalfSigned {
        let issuer = &self.city.institutions.issuer;
        draft.sign(Slot::issuer(issuer.party), &issuer.key)
    }
}

fn check_forms(full: &FullTransaction, debit: Form, credit: Form) -> anyhow::Result<()> {
    let found = (full.outcome.debit, full.outcome.credit);
    ensure!(found == (debit, credit), "consents were {found:?}, not {debit:?} and {credit:?}");
    Ok(())
}
