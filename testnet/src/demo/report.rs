//! From the run to figures: each is looked at from outside and checked.

use std::{collections::BTreeMap, time::Duration};

use musubi_ledger::id::{InstrumentId, PartyId};
use musubi_sdk::{Client, audit::Report};

use super::{
    DemoArgs, Run, audit, checks,
    courier::{Courier, Place},
    figures::{self, Audit, Figures, count, is_bad, tenths},
    verify::{self, Standing},
};
use crate::{
    books::{Pot, Purse},
    city::institutions,
    network::Network,
};

/// What was seen from outside.
pub(super) struct Seen {
    pub(super) standing: Standing,
    /// By node: lost, duplicated, wrong statuses.
    pub(super) nodes: Vec<(u64, u64, u64)>,
    pub(super) acknowledged: u64,
    pub(super) logs_equal: bool,
    pub(super) wallets: Option<String>,
    pub(super) audit: Report,
    pub(super) audit_micros: u128,
    pub(super) supply_ok: bool,
}

impl Seen {
    /// Whether the root that the nodes signed is the one that the audit computed. An idle block may have
    /// come in between; then the audit has compared later checkpoints of all nodes with its own roots.
    fn root_recomputed(&self) -> bool {
        let same = self.audit.root == hex::encode(self.standing.root);
        self.all_signed() && (same || self.audit.size > self.standing.size)
    }

    /// Whether every validator's checkpoint, agreed with by the audit, covers the whole run.
    pub(super) fn all_signed(&self) -> bool {
        let covers = self.audit.validators.iter().filter(|v| v.size >= self.standing.size);
        covers.count() == self.nodes.len()
    }
}

/// Looks at everything and puts the figures together.
pub(super) async fn report(
    args: &DemoArgs,
    network: &Network,
    courier: &Courier,
    run: Run,
) -> anyhow::Result<Figures> {
    let seen = look(network, courier, &run).await?;
    let judged = |place| run.delivered.iter().filter(move |d| d.answer.place == place);
    let replays = run.delivered.iter().filter(|d| d.item.kind == "replay").count() as u64;
    let committed =
        (judged(Place::Applied).count() + judged(Place::Rejected).count()) as u64 - replays;
    let micros = run.day.seconds.as_micros().max(1);
    let per_s = u64::try_from(u128::from(committed) * 1_000_000 / micros).unwrap_or(u64::MAX);
    let killed = run.outage.killed;
    let good_acked = |before: bool| {
        let good = judged(Place::Applied).filter(|d| !is_bad(&d.item));
        good.filter(|d| (d.answer.acked < killed) == before).count() as u64
    };
    let mut figures = Figures {
        payments: args.payments,
        seed: args.seed,
        committed,
        tx_per_s: per_s,
        kinds: count(judged(Place::Applied).filter(|d| !is_bad(&d.item)).map(|d| d.item.kind)),
        rejected: count(judged(Place::Rejected).map(|d| d.answer.code.clone())),
        bad_attempts: figures::bad_attempts(&run.delivered),
        latency_ms: figures::latency(&run.delivered),
        leaderless_ms: millis(run.outage.leaderless),
        killed_node: run.outage.node,
        in_flight_at_kill: run.outage.in_flight,
        acknowledged_before: good_acked(true),
        acknowledged_after: good_acked(false),
        caught_up_ms: millis(run.outage.caught_up),
        lost: seen.nodes.iter().map(|n| n.0).sum(),
        duplicated: seen.nodes.iter().map(|n| n.1).sum(),
        supply_conserved: seen.supply_ok && seen.wallets.is_none(),
        roots_equal: seen.logs_equal && seen.root_recomputed(),
        consent_forms: seen.audit.consent_forms.clone(),
        audit: Audit {
            ok: seen.all_signed(),
            entries: seen.audit.size,
            signatures: seen.audit.signatures,
            seconds: tenths(seen.audit_micros / 1_000),
        },
        story: run.story.clone(),
        checks: Vec::new(),
        seconds: run.begun.elapsed().as_secs(),
    };
    figures.checks = checks::all(&figures, &run, &seen);
    Ok(figures)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

async fn look(network: &Network, courier: &Courier, run: &Run) -> anyhow::Result<Seen> {
    let journal = courier.journal().read()?;
    let clients: Vec<Client> = (0..network.validators().len())
        .map(|at| network.client_of(at))
        .collect::<Result<_, _>>()?;
    let standing = verify::standing(network).await?;
    let mut books = run.day.books.clone().settled();
    let wallets = verify::wallets(&clients, &books).await?;
    for party in cast(run) {
        let wallet = clients[0].wallet(party).await?;
        books.insert(party, verify::purse(&wallet));
    }
    let mut nodes = Vec::new();
    let mut logs = Vec::new();
    for client in &clients {
        let log = verify::node_log(client, standing.size).await?;
        let wrong = verify::statuses(client, &journal, journal.len() / 200).await?;
        nodes.push((verify::lost(&journal, &log), log.twice, wrong));
        logs.push(log.verdicts);
    }
    let killed = usize::try_from(run.outage.node - 1)?;
    let (audit, took) = audit(clients[killed].clone()).await?;
    let supply_ok = supply_ok(&audit, &books);
    Ok(Seen {
        standing,
        nodes,
        acknowledged: journal.len() as u64,
        logs_equal: logs.windows(2).all(|pair| pair[0] == pair[1]),
        wallets,
        audit,
        audit_micros: took.as_micros(),
        supply_ok,
    })
}

/// The story's wallets, which the day's books do not know.
fn cast(run: &Run) -> Vec<PartyId> {
    let plan = run.city.plan;
    let persons = run.city.persons[plan.registrants..].iter().map(|p| p.party);
    let merchants = run.city.merchants[plan.merchants..].iter().map(|m| m.party);
    let groups = run.city.groups[plan.groups..].iter().map(|g| g.party);
    persons.chain(merchants).chain(groups).collect()
}

/// The audit has recounted every lot over all wallets; its sums must be those of the books.
fn supply_ok(audit: &Report, books: &BTreeMap<PartyId, Purse>) -> bool {
    let sum = |pots: &[Pot]| -> u64 {
        books.values().map(|purse| pots.iter().map(|pot| purse[*pot as usize]).sum::<u64>()).sum()
    };
    let outstanding = |instrument: InstrumentId| {
        let line = audit.supply.iter().find(|line| line.instrument == instrument);
        line.map(|line| {
            let lots: u64 = line.lots.iter().map(|(_, amount)| amount.0).sum();
            assert_eq!(lots, line.outstanding.0, "the audit's own sums agree");
            line.outstanding.0
        })
    };
    outstanding(institutions::money()) == Some(sum(&[Pot::Money, Pot::MoneyClaim, Pot::MoneyHeld]))
        && outstanding(institutions::points()) == Some(sum(&[Pot::Points, Pot::PointClaim]))
}
