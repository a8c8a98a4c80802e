//! A sample of the day's verdicts, proved: each proof is fetched once, then verified offline by two implementations,
//! and compared with what was submitted and what the client was told.

use std::collections::BTreeMap;

use futures::{StreamExt, stream};
use musubi_ledger::{
    code::Code,
    id::{InstrumentId, PartyId},
    operation::Operation,
    outcome::{Account, Outcome},
    policy::PolicyChain,
    proof::{ProvenTransaction, TransactionProof},
    transaction::Transaction,
};
use musubi_sdk::Client;

use super::second::Second;
use crate::{
    city::institutions,
    day::kinds,
    item::Expected,
    load::{Delivered, Place},
    random::Dice,
};

/// Verdicts in the sample; all, if there are fewer.
const SAMPLE: usize = 1_000;
/// Most rejected ones among them.
const REJECTED: usize = 100;
/// Requests side by side.
const SIDE_BY_SIDE: usize = 16;

/// What became of the sample.
#[derive(Clone, Debug, Default)]
pub(super) struct Proofs {
    /// How many verdicts the sample has.
    pub(super) wanted: u64,
    /// Rejected ones among them.
    pub(super) rejected: u64,
    /// Those whose proof both implementations accept and that prove what the client knows.
    pub(super) verified: u64,
    /// Those of which payer, payee and amount were compared.
    pub(super) moved: u64,
    /// The first that is wrong.
    pub(super) wrong: Option<String>,
}

/// A sample of verdicts, the same for the same day and seed up to what the outage made of it.
fn sample(delivered: &[Delivered], seed: u64) -> Vec<&Delivered> {
    let mut dice = Dice::new(seed ^ 0x9400f);
    let mut of = |place| {
        // A replay was told the verdict of an item that is in the list anyway.
        let judged =
            |d: &&Delivered| d.answer.place == place && d.item.expected != Expected::Replay;
        let mut all: Vec<&Delivered> = delivered.iter().filter(judged).collect();
        all.sort_unstable_by_key(|d| d.item.id);
        dice.shuffle(&mut all);
        all
    };
    let (applied, rejected) = (of(Place::Applied), of(Place::Rejected));
    rejected.into_iter().take(REJECTED).chain(applied).take(SAMPLE).collect()
}

/// Fetches and verifies the sample.
///
/// # Errors
/// If the second implementation does not read the policy. What is wrong with a proof is found, not an error.
pub(super) async fn look(
    clients: &[Client],
    policies: &PolicyChain,
    delivered: &[Delivered],
    seed: u64,
) -> anyhow::Result<Proofs> {
    let second = Second::new(&policies.newest().to_text())?;
    let sample = sample(delivered, seed);
    let rejected = sample.iter().filter(|d| d.answer.place == Place::Rejected).count() as u64;
    let mut proofs = Proofs { wanted: sample.len() as u64, rejected, ..Proofs::default() };
    let fetched = stream::iter(sample.into_iter().enumerate()).map(|(turn, known)| async move {
        let proof = clients[turn % clients.len()].proof(known.item.id, true).await;
        (known, proof.map(|proof| proof.to_string()))
    });
    let mut fetched = fetched.buffer_unordered(SIDE_BY_SIDE);
    while let Some((known, file)) = fetched.next().await {
        let file = file.map_err(|error| error.to_string());
        // From here on it is bytes and keys.
        match file.and_then(|file| check(file.as_bytes(), known, policies, &second)) {
            Ok(moved) => {
                proofs.verified += 1;
                proofs.moved += u64::from(moved);
            }
            Err(wrong) => {
                proofs.wrong.get_or_insert(format!("{}: {wrong}", known.item.id));
            }
        }
    }
    Ok(proofs)
}

/// Verifies one file twice and compares it with what is known; says whether value was compared too.
fn check(
    file: &[u8],
    known: &Delivered,
    policies: &PolicyChain,
    second: &Second,
) -> Result<bool, String> {
    let proof = TransactionProof::parse(file).map_err(|error| error.to_string())?;
    let proven = proof.verify(policies).map_err(|error| error.to_string())?;
    let moved = compare(&proven, known)?;
    let code = second.verify(file, &known.item.id)?;
    if code == proven.code() as u16 {
        Ok(moved)
    } else {
        Err(format!("two verifiers read two verdicts: {} and number {code}", proven.code()))
    }
}

/// That what is proved is what was sent and told.
fn compare(proven: &ProvenTransaction, known: &Delivered) -> Result<bool, String> {
    let sent = Transaction::decode(&known.item.bytes).map_err(|error| error.to_string())?;
    if proven.leaf.id != known.item.id || proven.body() != Some(&sent.body) {
        return Err("another transaction is proved".into());
    }
    if proven.signatures() != sent.signatures {
        return Err("other signatures are proved".into());
    }
    if proven.code().name() != known.answer.code {
        return Err(format!("{} is proved, {} was told", proven.code(), known.answer.code));
    }
    let Some(wanted) = wanted(known.item.kind, &sent.body.operation) else { return Ok(false) };
    // What was rejected moved nothing: the verification has seen to that.
    if proven.code() != Code::Applied {
        return Ok(false);
    }
    let moved = net(&proven.outcome);
    if moved == wanted { Ok(true) } else { Err(format!("{moved:?} moved, not {wanted:?}")) }
}

/// What wallets gain and lose.
type Net = BTreeMap<(PartyId, InstrumentId), i128>;

/// What a payment of this kind must move; none of what is no payment by itself.
fn wanted(kind: &str, operation: &Operation) -> Option<Net> {
    match operation {
        Operation::Transfer(movement) => {
            let both = movement.legs.iter().flat_map(|leg| {
                let amount = i128::from(leg.amount.0);
                let place = |party| (party, leg.instrument);
                [(place(movement.from), -amount), (place(movement.to), amount)]
            });
            Some(both.collect())
        }
        Operation::TopUp(top_up) => {
            // Which instrument an allowance is of, the body does not say.
            let points = kind == kinds::REWARD;
            let instrument = if points { institutions::points() } else { institutions::money() };
            Some([((top_up.to, instrument), i128::from(top_up.amount.0))].into())
        }
        _ => None,
    }
}

fn net(outcome: &Outcome) -> Net {
    let mut net = Net::new();
    for posting in &outcome.postings {
        if let Account::Wallet(party) = posting.account {
            *net.entry((party, posting.lot.instrument)).or_default() += posting.signed();
        }
    }
    net
}

#[cfg(test)]
pub(super) mod tests;
