//! Asking one upstream for one page, and checking its blocks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use musubi_ledger::time::Time;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{
    check::{Checked, Checker},
    page::{BLOCK_BYTES_MAX, HEAD_BYTES, Offered, Page, PageError},
    refused::Refused,
};
use crate::{
    http::PROBLEM_JSON,
    metrics::{Metrics, Stage},
    outgoing::{Limits, Outgoing, OutgoingError},
};

/// Blocks asked for at once.
pub const PAGE: u64 = 16;
/// How long an upstream is asked to wait for its next block: longer than an idle leader takes to make one.
const WAIT_MS: u64 = 15_000;
/// What an answer may cost. With the number of pages in flight this bounds what an upstream can make this node hold.
const LIMITS: Limits = Limits {
    within: Duration::from_millis(WAIT_MS + 30_000),
    bytes: HEAD_BYTES + PAGE as usize * BLOCK_BYTES_MAX,
};

/// Why an upstream is of no use at the moment.
#[derive(Debug, Error)]
pub enum Failure {
    /// No answer.
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    /// A refusal.
    #[error("it answers with status {status} ({code})")]
    Status {
        /// HTTP status.
        status: u16,
        /// The problem's code.
        code: String,
    },
    /// An answer that is no page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// It claims to have a block and gives none.
    #[error("it says that it has block {0} and does not give it")]
    Withheld(u64),
    /// This node failed at checking.
    #[error("checking its blocks failed")]
    Check,
}

impl Failure {
    /// Stable code, for metrics and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Outgoing(error) => error.code(),
            Self::Status { .. } => "bad_status",
            Self::Page(_) => "bad_page",
            Self::Withheld(_) => "withheld",
            Self::Check => "internal",
        }
    }
}

/// A page whose blocks are checked, up to the first that is refused.
pub struct CheckedPage {
    /// Height of the upstream's head.
    pub height: u64,
    /// Its block time.
    pub time: Time,
    /// How many blocks there were.
    pub offered: usize,
    /// Those that were checked.
    pub blocks: Vec<Checked>,
    /// The first that was refused.
    pub refused: Option<(Offered, Refused)>,
}

/// Whom to ask, and with what.
#[derive(Clone)]
pub struct Asking {
    /// The HTTP client.
    pub client: Outgoing,
    /// The token that upstreams want.
    pub token: Arc<Zeroizing<String>>,
    /// Checks signatures.
    pub checker: Arc<Checker>,
    /// Figures.
    pub metrics: Arc<Metrics>,
}

impl Asking {
    /// Asks the upstream at `base` for a page from height `from` on, and checks its blocks.
    ///
    /// # Errors
    /// [`Failure`]; what is wrong with a block is no failure, but in the page.
    pub async fn page(self, base: String, from: u64) -> Result<CheckedPage, Failure> {
        let url = format!("{base}/v1/blocks?from={from}&count={PAGE}&wait_ms={WAIT_MS}");
        let answer = self.client.get(&url, Some(&self.token), LIMITS).await?;
        if answer.status != 200 {
            let code = problem_code(answer.content_type.as_deref(), &answer.body);
            return Err(Failure::Status { status: answer.status, code });
        }
        let page = Page::decode(answer.body, from, PAGE as usize)?;
        let check = move || check(&self.checker, page, &self.metrics);
        tokio::task::spawn_blocking(check).await.map_err(|_| Failure::Check)
    }
}

/// The stable code of a problem document, for the log.
pub(super) fn problem_code(content_type: Option<&str>, body: &[u8]) -> String {
    let problem = content_type.filter(|of| of.starts_with(PROBLEM_JSON));
    let problem: Option<serde_json::Value> =
        problem.and_then(|_| serde_json::from_slice(body).ok());
    let code = problem.as_ref().and_then(|problem| problem["code"].as_str());
    code.map_or_else(|| "no problem document".into(), |code| code.chars().take(64).collect())
}

/// Checks blocks up to the first that is refused: what follows on it is of no use.
fn check(checker: &Checker, page: Page, metrics: &Metrics) -> CheckedPage {
    let Page { height, time, blocks } = page;
    let offered = blocks.len();
    let mut page = CheckedPage { height, time, offered, blocks: Vec::new(), refused: None };
    for offered in blocks {
        let started = Instant::now();
        match checker.check(&offered) {
            Ok(checked) => page.blocks.push(checked),
            Err(refused) => {
                page.refused = Some((offered, refused));
                break;
            }
        }
        metrics.stage(Stage::ExecuteVerify, started.elapsed());
    }
    page
}
