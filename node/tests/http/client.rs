//! The town behind its API, and a client in front of it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use musubi_ledger::{
    api::{Problem, Status},
    genesis::Genesis,
    group::{GroupPolicy, RoleGrant},
    hash::sha256,
    id::Salt,
    operation::{CreateGroup, Operation},
    transaction::{Body, Purpose, Transaction},
};
use musubi_node::{
    clock::Clock,
    http::{HttpConfig, HttpLimits, ReaderToken, Server, serve},
    metrics::Metrics,
};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;

use crate::{
    city::{self, By, PartyKind, credit, issues, officer, proves},
    town::Town,
};

/// The reader's token.
pub(crate) const TOKEN: &str = "a reader's token";

/// An operator's.
pub(crate) const OPERATOR: &str = "an operator's token";

/// That of a body, the city: who holds it sees what lies under the city.
pub(crate) const BODY: &str = "the city's token";

/// A running API.
pub(crate) struct Client {
    pub(crate) town: Arc<Town>,
    pub(crate) server: Server,
    pub(crate) metrics: Arc<Metrics>,
    http: reqwest::Client,
    counter: AtomicU64,
}

impl Client {
    /// A town with alice, bob, a shop and a club, where alice has 10,000 MEBUKU.
    pub(crate) async fn start() -> Self {
        Self::with(HttpLimits::default()).await
    }

    /// The same, and all that happened so far is final: no route has a reason to wait.
    pub(crate) async fn start_final() -> Self {
        let client = Self::start().await;
        client.town.finalise();
        client
    }

    /// The same as [`Client::start`], under other limits.
    pub(crate) async fn with(limits: HttpLimits) -> Self {
        let client = Self::of(&city::genesis(), Clock::of_machine(), limits).await;
        client.settle_town();
        client
    }

    /// A town with nobody but its institutions, behind the API of a chain with this document, on a clock.
    pub(crate) async fn of(genesis: &Genesis, clock: Clock, limits: HttpLimits) -> Self {
        let town = Town::open(clock);
        let metrics = Arc::new(Metrics::new());
        let config = HttpConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tokens: vec![
                ReaderToken::new("auditor", "another"),
                ReaderToken::new("app", TOKEN),
                ReaderToken::new("desk", OPERATOR).of_operator(),
                ReaderToken::new("hall", BODY).of_body(city::id("city")),
            ],
            limits,
        };
        let (ledger, door) = (Arc::clone(&town), Arc::clone(&town));
        let server = serve(config, genesis, ledger, door, Arc::clone(&metrics)).await.unwrap();
        let http = reqwest::Client::new();
        Self { town, server, metrics, http, counter: AtomicU64::new(0) }
    }

    fn settle_town(&self) {
        for (name, kind) in [
            ("alice", PartyKind::Person),
            ("bob", PartyKind::Person),
            ("shop", PartyKind::Merchant),
        ] {
            let operation = Operation::RegisterParty(city::register(name, kind));
            let by = [officer("registrar", "r1"), proves(name, name)];
            self.town.apply(&[self.signed("r1", operation, &by)]);
        }
        let club = CreateGroup {
            group: city::id("club"),
            registrar: city::id("registrar"),
            representative: city::id("bob"),
            roles: club_roles(),
            policy: GroupPolicy { exclusive_roles: false, bands: Vec::new(), proposal_hours: 72 },
        };
        let by = [
            officer("registrar", "r1"),
            city::represents("club", "bob"),
            city::member("club", "alice"),
        ];
        self.town.apply(&[self.signed("bob", Operation::CreateGroup(club), &by)]);
        let end = self.town.now().plus(city::DAY);
        let allowance = city::allowance("MEBUKU", 1_000_000, 1_000_000, 1_000_000, end);
        let allowance =
            self.signed("i1", allowance, &[officer("issuer", "i1"), officer("city", "c1")]);
        let id = allowance.body.id();
        self.town.apply(&[allowance]);
        let top_up = Operation::TopUp(city::top_up(id, "alice", 10_000, "bank 1"));
        self.town.apply(&[self.signed("issuer", top_up, &[issues(), credit("alice")])]);
    }

    /// A body under a fresh reference that expires in an hour.
    pub(crate) fn body(&self, sender: &str, operation: Operation) -> Body {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let mut salt = [0; 16];
        salt.copy_from_slice(&sha256(&number.to_le_bytes())[..16]);
        Body {
            chain: city::genesis().chain(),
            rules_version: musubi_ledger::genesis::RULES_VERSION,
            sender: city::id(sender),
            reference: format!("test-{number}").parse().unwrap(),
            salt: Salt(salt),
            expires: self.town.now().plus(3_600_000),
            purpose: Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation,
        }
    }

    /// A signed transaction.
    pub(crate) fn signed(&self, sender: &str, operation: Operation, by: &[By]) -> Transaction {
        city::sign(self.body(sender, operation), by)
    }

    /// Alice pays the shop, both sign.
    pub(crate) fn payment(&self, amount: u64) -> Transaction {
        let by = [city::debit("alice"), credit("shop")];
        self.signed("alice", city::pay("alice", "shop", amount), &by)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    /// A GET without token.
    pub(crate) fn bare(&self, path: &str) -> RequestBuilder {
        self.http.get(self.url(path))
    }

    /// A GET with the reader's token.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.bare(path).bearer_auth(TOKEN)
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(self.url(path))
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// A JSON body to the submission route.
    pub(crate) async fn submit_text(
        &self,
        query: &str,
        body: impl Into<reqwest::Body>,
    ) -> Response {
        let request = self.post(&format!("/v1/transactions{query}"));
        request.header("content-type", "application/json").body(body).send().await.unwrap()
    }

    /// Canonical bytes to the submission route.
    pub(crate) async fn submit_bytes(&self, query: &str, bytes: Vec<u8>) -> Response {
        let request = self.post(&format!("/v1/transactions{query}"));
        request.header("content-type", "application/octet-stream").body(bytes).send().await.unwrap()
    }

    /// Submits and waits for the verdict.
    pub(crate) async fn committed(&self, transaction: &Transaction) -> Status {
        let response = self.submit_bytes("?wait=committed", transaction.encode()).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    /// A document that must be there.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> T {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }
}

fn club_roles() -> Vec<RoleGrant> {
    city::roles(&[("alice", true, false), ("bob", false, true)])
}

/// Checks that a response is a problem document of that status and code, and gives it.
pub(crate) async fn problem(response: Response, status: u16, code: &str) -> Problem {
    assert_eq!(response.status().as_u16(), status, "for {code}");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Problem = response.json().await.unwrap();
    assert_eq!((problem.status, problem.code.as_str()), (status, code), "{}", problem.detail);
    assert_eq!(problem.kind, format!("urn:musubi:problem:{code}"));
    assert!(!problem.detail.is_empty() && !problem.title.is_empty());
    problem
}
