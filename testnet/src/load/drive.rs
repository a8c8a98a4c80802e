//! Waves of items in bulk submissions, spread over all nodes, several under way at a time.

use std::{collections::VecDeque, sync::Arc};

use indicatif::ProgressBar;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Answer, Courier};
use crate::item::Item;

/// How much is under way at a time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Items in one bulk submission.
    pub bulk: usize,
    /// Bulk submissions under way.
    pub in_flight: usize,
}

/// An item and its answer.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// What was submitted.
    pub item: Item,
    /// What came back.
    pub answer: Answer,
}

type Wave = JoinSet<anyhow::Result<Vec<Delivered>>>;

/// Submits waves in order: a wave begins when all but `overlap` of those before it are answered.
/// `begun` is told of each wave as it begins.
///
/// # Errors
/// Of the first submission that fails.
pub async fn drive(
    courier: &Arc<Courier>,
    pace: Pace,
    waves: Vec<Vec<Item>>,
    overlap: usize,
    bar: &ProgressBar,
    mut begun: impl FnMut(usize),
) -> anyhow::Result<Vec<Delivered>> {
    let gate = async |wave| {
        begun(wave);
        Ok(())
    };
    drive_gated(courier, pace, waves, overlap, bar, gate).await
}

/// As [`drive`], but each wave passes `gate` before it begins. What waits there holds back that wave and
/// all later ones; what is under way goes on.
///
/// # Errors
/// Of the gate, or of the first submission that fails.
pub async fn drive_gated(
    courier: &Arc<Courier>,
    pace: Pace,
    waves: Vec<Vec<Item>>,
    overlap: usize,
    bar: &ProgressBar,
    mut gate: impl AsyncFnMut(usize) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Delivered>> {
    let permits = Arc::new(Semaphore::new(pace.in_flight));
    let mut under_way: VecDeque<Wave> = VecDeque::new();
    let mut delivered = Vec::new();
    let mut turn = 0;
    for (number, wave) in waves.into_iter().enumerate() {
        while under_way.len() > overlap {
            finish(&mut under_way, &mut delivered, bar).await?;
        }
        gate(number).await?;
        let mut set = JoinSet::new();
        for bulk in wave.chunks(pace.bulk) {
            let (bulk, home) = (bulk.to_vec(), turn % courier.nodes());
            let (courier, permits) = (Arc::clone(courier), Arc::clone(&permits));
            set.spawn(async move {
                let _permit = permits.acquire_owned().await?;
                let answers = courier.deliver(home, &bulk).await?;
                let pairs = bulk.into_iter().zip(answers);
                Ok(pairs.map(|(item, answer)| Delivered { item, answer }).collect())
            });
            turn += 1;
        }
        under_way.push_back(set);
    }
    while !under_way.is_empty() {
        finish(&mut under_way, &mut delivered, bar).await?;
    }
    Ok(delivered)
}

async fn finish(
    under_way: &mut VecDeque<Wave>,
    delivered: &mut Vec<Delivered>,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let Some(mut wave) = under_way.pop_front() else { return Ok(()) };
    while let Some(bulk) = wave.join_next().await {
        let bulk = bulk??;
        bar.inc(bulk.len() as u64);
        delivered.extend(bulk);
    }
    Ok(())
}
