//! Ten lines about people: each is done through the SDK, checked through the API, and carries the id
//! under which it can be looked up.

mod shops;
mod trust;

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
    Client, Composer, Draft, HalfSigned, OriginKind, Slot, Wait, api::BalanceView, draft::Funding,
    entropy,
};
use serde::Serialize;

use crate::city::{
    City, institutions,
    people::{Group, Merchant, Person},
    setup::Allowances,
};

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

/// What a beat of the story tells if it went well.
type Told = anyhow::Result<(String, TxId)>;

/// Where the story plays.
pub(super) struct Stage<'c> {
    client: Client,
    city: &'c City,
    allowances: Allowances,
    /// The static-QR purchase, which is refunded later.
    purchase: Option<TxId>,
}

/// Plays all ten lines; a line that fails does not stop the others.
pub(super) async fn play(client: Client, city: &City, allowances: Allowances) -> Vec<Line> {
    let mut stage = Stage { client, city, allowances, purchase: None };
    let mut lines = Vec::new();
    lines.push(line("top-up", stage.top_up().await));
    lines.push(line("static-QR purchase", stage.static_qr().await));
    lines.push(line("card-only purchase", stage.card().await));
    lines.push(line("dues for another member", stage.dues_for_another().await));
    lines.push(line("self-approval by a second key", stage.self_approval().await));
    lines.push(line("approved payout", stage.approved_payout().await));
    lines.push(line("refund", stage.refund().await));
    lines.push(line("lost phone", stage.lost_phone().await));
    lines.push(line("claim redeemed", stage.redemption().await));
    lines.push(line("a statement that adds up", stage.statement().await));
    lines
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

/// Yen, as people write them.
pub(in crate::demo) fn yen(amount: u64) -> String {
    format!("¥{}", grouped(amount))
}

/// A number with a comma every three digits.
pub(in crate::demo) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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

    /// Submits and wants exactly this code; returns the id.
    async fn expect(&self, half: HalfSigned, wanted: Code) -> anyhow::Result<TxId> {
        let status = self.client.submit(&half.complete(), Wait::Committed).await?;
        let code = status.code.context("no verdict")?;
        ensure!(code == wanted, "{} got `{code}` instead of `{wanted}`", status.id);
        Ok(status.id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_readable() {
        assert_eq!(yen(0), "¥0");
        assert_eq!(yen(999), "¥999");
        assert_eq!(yen(1_000), "¥1,000");
        assert_eq!(yen(12_345_678), "¥12,345,678");
    }
}
