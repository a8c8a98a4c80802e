//! One method per route that reads.

use musubi_ledger::{
    amount::Amount,
    api::{
        Checkpoints, ChildView, ChildrenView, CouponQuote, DocumentView, DocumentsView, DrawView,
        DuesView, EvidenceView, FullTransaction, Info, InstrumentView, OfferPage, OfferView, Page,
        PartyView, PlaceView, ProposalView, RuleView, RunView, SettlementView, SpendableView,
        Status, WaitingLine, WaitingPage, WalletView,
    },
    genesis::Genesis,
    id::{InstrumentId, MediumId, PartyId, Reference, RuleId, TxId},
    leaf::SealBody,
    mandate::Mandate,
    offer::Entitlement,
    state::{Allowance, Held, Medium, Redemption, Request},
    tlog::{Bundle, Tile, bundle},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Client;
use crate::error::ClientError;

/// A row of the state as of a height.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stored<T> {
    /// The row.
    pub row: T,
    /// Height as of which.
    pub height: u64,
}

impl Client {
    /// Whether a node is alive and whether it is ready, by position in the configuration.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub async fn ready(&self, node: usize) -> Result<bool, ClientError> {
        let reply = self.http().get_from(node % self.http().nodes(), "/readyz");
        let reply = reply.await.map_err(|cause| ClientError::Unreachable {
            node: self.http().name(node % self.http().nodes()),
            cause: cause.cause(),
        })?;
        Ok(reply.status == 200)
    }

    /// A node's metrics in Prometheus' text format.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn metrics(&self) -> Result<String, ClientError> {
        self.text("/metrics").await
    }

    /// The API's description, OpenAPI 3.1 in JSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn openapi(&self) -> Result<String, ClientError> {
        self.text("/openapi.json").await
    }

    /// Who a node is and where it stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn info(&self) -> Result<Info, ClientError> {
        self.http().get_json("/v1/info").await
    }

    /// The genesis document, checked. Compare its chain with one you know by other means.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::BadAnswer`] if it is none.
    pub async fn genesis(&self) -> Result<Genesis, ClientError> {
        let bytes = self.genesis_bytes().await?;
        Genesis::decode(&bytes).map_err(|cause| self.odd(cause.to_string()))
    }

    /// The genesis document's bytes as served.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn genesis_bytes(&self) -> Result<Vec<u8>, ClientError> {
        Ok(self.http().get("/v1/genesis").await?.body)
    }

    /// Checkpoints that the node holds, its own and its peers'.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn checkpoints(&self) -> Result<Checkpoints, ClientError> {
        self.http().get_json("/v1/checkpoints").await
    }

    /// Evidence files that the node keeps; what each shows is the node's word.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn evidence(&self) -> Result<Vec<EvidenceView>, ClientError> {
        self.http().get_json("/v1/evidence").await
    }

    /// An evidence file as served. Believe it once [`musubi_ledger::evidence::verify`] has checked it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn evidence_file(&self, name: &str) -> Result<Vec<u8>, ClientError> {
        // A name of a file, and never a way out of this route.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let name = if name.bytes().all(plain) { name } else { "no-such-name" };
        Ok(self.http().get(&format!("/v1/evidence/{name}")).await?.body)
    }

    /// All instruments with their supply.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn instruments(&self) -> Result<Vec<InstrumentView>, ClientError> {
        self.http().get_json("/v1/instruments").await
    }

    /// An instrument with its supply.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn instrument(&self, id: InstrumentId) -> Result<InstrumentView, ClientError> {
        self.http().get_json(&format!("/v1/instruments/{id}")).await
    }

    /// An instrument's rules that may still give, by trigger and number.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rules(&self, of: InstrumentId) -> Result<Vec<RuleView>, ClientError> {
        self.http().get_json(&format!("/v1/instruments/{of}/rules")).await
    }

    /// Every offer, open or not, by id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn offers(&self) -> Result<Vec<OfferView>, ClientError> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page: OfferPage = self.http().get_json(&format!("/v1/offers{after}")).await?;
            all.extend(page.offers);
            match page.next {
                Some(next) => after = format!("?after={next}"),
                None => return Ok(all),
            }
        }
    }

    /// An offer, open or not.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn offer(&self, id: TxId) -> Result<OfferView, ClientError> {
        self.http().get_json(&format!("/v1/offers/{id}")).await
    }

    /// What a coupon would take off a price, for a payer at a shop.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn quote(
        &self,
        offer: TxId,
        (payer, payee): (PartyId, PartyId),
        gross: Amount,
    ) -> Result<CouponQuote, ClientError> {
        let query = format!("payer={payer}&payee={payee}&gross={gross}");
        self.http().get_json(&format!("/v1/offers/{offer}/quote?{query}")).await
    }

    /// Where a lottery stands: of its applications a page, the newest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn draw(&self, offer: TxId, before: Option<TxId>) -> Result<DrawView, ClientError> {
        let before = before.map(|id| format!("?before={id}")).unwrap_or_default();
        self.http().get_json(&format!("/v1/offers/{offer}/draw{before}")).await
    }

    /// A right to take of an offer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn entitlement(&self, id: TxId) -> Result<Stored<Entitlement>, ClientError> {
        self.stored(&format!("/v1/entitlements/{id}"), "entitlement").await
    }

    /// A rule, in force or not.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rule(&self, id: RuleId) -> Result<RuleView, ClientError> {
        let RuleId { instrument, number } = id;
        self.http().get_json(&format!("/v1/instruments/{instrument}/rules/{number}")).await
    }

    /// The lines of a list of dues.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn dues(&self, list: TxId) -> Result<DuesView, ClientError> {
        self.http().get_json(&format!("/v1/requests/{list}/lines")).await
    }

    /// A document by its issuer and number.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn document(
        &self,
        issuer: PartyId,
        number: &Reference,
    ) -> Result<DocumentView, ClientError> {
        // Numbers take any visible character, `/` and `?` too.
        let number: String = number.as_str().bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.http().get_json(&format!("/v1/parties/{issuer}/documents/{number}")).await
    }

    /// What payees say about a payment, or about a request that was paid in cash.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn documents(&self, payment: TxId) -> Result<DocumentsView, ClientError> {
        self.http().get_json(&format!("/v1/transactions/{payment}/documents")).await
    }

    /// All groups directly under a body, by id.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn children(&self, body: PartyId) -> Result<Vec<ChildView>, ClientError> {
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("/v1/parties/{body}/children{after}");
            let page: ChildrenView = self.http().get_json(&path).await?;
            all.extend(page.children);
            match page.next {
                Some(next) => after = format!("?after={next}"),
                None => return Ok(all),
            }
        }
    }

    /// Where a group lies under a body, in whatever layer.
    ///
    /// # Errors
    /// [`ClientError`]: `not_found` if it does not.
    pub async fn place_under(
        &self,
        body: PartyId,
        group: PartyId,
    ) -> Result<PlaceView, ClientError> {
        self.http().get_json(&format!("/v1/parties/{body}/children/{group}")).await
    }

    /// A run, with its open lines from line `from` on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn run(&self, id: TxId, from: u32) -> Result<RunView, ClientError> {
        self.http().get_json(&format!("/v1/runs/{id}?from={from}")).await
    }

    /// What runs keep for a party, all of it, by run and line.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn waiting(&self, party: PartyId) -> Result<Vec<WaitingLine>, ClientError> {
        let mut all: Vec<WaitingLine> = Vec::new();
        loop {
            let behind = all.last().map(|last| format!("?run={}&line={}", last.run, last.line));
            let path = format!("/v1/parties/{party}/waiting{}", behind.unwrap_or_default());
            let page: WaitingPage = self.http().get_json(&path).await?;
            let more = page.more && !page.lines.is_empty();
            all.extend(page.lines);
            if !more {
                return Ok(all);
            }
        }
    }

    /// Seal bodies' bytes from height `from` on, ascending, at most `count`; fewer at the end.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn seals(&self, from: u64, count: u64) -> Result<Vec<Vec<u8>>, ClientError> {
        let path = format!("/v1/seals?from={from}&count={count}");
        let body = self.http().get(&path).await?.body;
        let records = split(&body, |rest| {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        });
        records.ok_or_else(|| self.odd("a cut-off list of seals"))
    }

    /// Seal bodies, decoded.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn seal_bodies(&self, from: u64, count: u64) -> Result<Vec<SealBody>, ClientError> {
        let bodies = self.seals(from, count).await?;
        let decoded = bodies.iter().map(|bytes| SealBody::decode(bytes));
        decoded.collect::<Result<_, _>>().map_err(|cause| self.odd(cause.to_string()))
    }

    /// The newest final checkpoint, a signed note.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn log_checkpoint(&self) -> Result<String, ClientError> {
        self.text("/log/checkpoint").await
    }

    /// A tile's content.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tile(&self, tile: Tile) -> Result<Vec<u8>, ClientError> {
        Ok(self.http().get(&format!("/log/{tile}")).await?.body)
    }

    /// The leaves of a bundle.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::BadAnswer`] if it does not hold what its path says.
    pub async fn leaves(&self, which: Bundle) -> Result<Vec<Vec<u8>>, ClientError> {
        let body = self.http().get(&format!("/log/{which}")).await?.body;
        let leaves = bundle::decode(&which, &body).map_err(|cause| self.odd(cause.to_string()))?;
        Ok(leaves.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// Raft entries' bytes from height `from` (1 or more) on, at most `count`; fewer at the end.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn entries(&self, from: u64, count: u64) -> Result<Vec<Vec<u8>>, ClientError> {
        let path = format!("/v1/entries?from={from}&count={count}");
        let body = self.http().get(&path).await?.body;
        let records = split(&body, |rest| {
            let (length, rest) = rest.split_first_chunk::<4>()?;
            rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
        });
        records.ok_or_else(|| self.odd("a cut-off list of entries"))
    }

    /// Where a transaction stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self, id: TxId) -> Result<Status, ClientError> {
        self.http().get_json(&format!("/v1/transactions/{id}")).await
    }

    /// A transaction with what it did. The body is what `id` is the hash of, whatever the node says;
    /// status and outcome are the node's word.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::BadAnswer`] if it is another one's body.
    pub async fn transaction(&self, id: TxId) -> Result<FullTransaction, ClientError> {
        let path = format!("/v1/transactions/{id}/full");
        let full: FullTransaction = self.http().get_json(&path).await?;
        let found = full.transaction.body.id();
        if found != id || full.status.id != id {
            return Err(self.odd(format!("transaction {found} in place of {id}: do not trust it")));
        }
        Ok(full)
    }

    /// A wallet.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn wallet(&self, party: PartyId) -> Result<WalletView, ClientError> {
        self.http().get_json(&format!("/v1/wallets/{party}")).await
    }

    /// What a wallet could pay somebody now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn spendable(
        &self,
        party: PartyId,
        payee: PartyId,
    ) -> Result<SpendableView, ClientError> {
        self.http().get_json(&format!("/v1/wallets/{party}/spendable?payee={payee}")).await
    }

    /// A party with its keys.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn party(&self, party: PartyId) -> Result<PartyView, ClientError> {
        self.http().get_json(&format!("/v1/parties/{party}")).await
    }

    /// A page of a party's history, newest first; `before` as the last page's `next`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn history(
        &self,
        party: PartyId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Page, ClientError> {
        let before = before.map_or_else(String::new, |leaf| format!("&before={leaf}"));
        let path = format!("/v1/parties/{party}/history?limit={limit}{before}");
        self.http().get_json(&path).await
    }

    /// A proposal, with who is still missing: all of it the node's word. What a consent to it signs is
    /// the body that [`Client::transaction`] gives.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::BadAnswer`] if it is another proposal.
    pub async fn proposal(&self, id: TxId) -> Result<ProposalView, ClientError> {
        let view: ProposalView = self.http().get_json(&format!("/v1/proposals/{id}")).await?;
        if view.id != id {
            return Err(self.odd(format!("proposal {} in place of {id}", view.id)));
        }
        Ok(view)
    }

    /// Open proposals of a party.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn proposals(&self, party: PartyId) -> Result<Vec<ProposalView>, ClientError> {
        self.http().get_json(&format!("/v1/parties/{party}/proposals")).await
    }

    /// A mandate.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn mandate(&self, id: TxId) -> Result<Stored<Mandate>, ClientError> {
        self.stored(&format!("/v1/mandates/{id}"), "mandate").await
    }

    /// A payment request.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn request(&self, id: TxId) -> Result<Stored<Request>, ClientError> {
        self.stored(&format!("/v1/requests/{id}"), "request").await
    }

    /// A medium.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn medium(&self, id: MediumId) -> Result<Stored<Medium>, ClientError> {
        self.stored(&format!("/v1/media/{id}"), "medium").await
    }

    /// An allowance.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn allowance(&self, id: TxId) -> Result<Stored<Allowance>, ClientError> {
        self.stored(&format!("/v1/allowances/{id}"), "allowance").await
    }

    /// A settlement, with where each of its lines stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn settlement(&self, id: TxId) -> Result<SettlementView, ClientError> {
        self.http().get_json(&format!("/v1/settlements/{id}")).await
    }

    /// A redemption.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn redemption(&self, id: TxId) -> Result<Stored<Redemption>, ClientError> {
        self.stored(&format!("/v1/redemptions/{id}"), "redemption").await
    }

    /// Value that waits.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn hold(&self, id: TxId) -> Result<Stored<Held>, ClientError> {
        self.stored(&format!("/v1/holds/{id}"), "hold").await
    }

    /// A row stands under its kind's name beside its height.
    async fn stored<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &str,
    ) -> Result<Stored<T>, ClientError> {
        let mut answer: Value = self.http().get_json(path).await?;
        let height = answer["height"].as_u64();
        let height = height.ok_or_else(|| self.odd("a row without its height"))?;
        let row = serde_json::from_value(answer[kind].take());
        let row = row.map_err(|cause| self.odd(cause.to_string()))?;
        Ok(Stored { row, height })
    }

    async fn text(&self, path: &str) -> Result<String, ClientError> {
        let reply = self.http().get(path).await?;
        String::from_utf8(reply.body).map_err(|_| self.odd("a text that is not UTF-8"))
    }

    fn odd(&self, what: impl Into<String>) -> ClientError {
        ClientError::BadAnswer {
            node: self.http().name(self.http().preferred()),
            what: what.into(),
        }
    }
}

/// Splits length-prefixed records; `None` if the last is cut off.
fn split<'a>(
    mut rest: &'a [u8],
    one: impl Fn(&'a [u8]) -> Option<(&'a [u8], &'a [u8])>,
) -> Option<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (record, behind) = one(rest)?;
        records.push(record.to_vec());
        rest = behind;
    }
    Some(records)
}
