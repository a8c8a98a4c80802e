//! Waves of items in bulk submissions, spread over all nodes, several under way at a time.

use std::{collections::VecDeque, sync::Arc};

use indicatif::ProgressBar;
use tokio::{sync::Semaphore, task::JoinSet};

use super::courier::{Answer, Courier};
use crate::item::Item;

/// Items in one bulk submission.
const BULK: usize = 160;
/// Bulk submissions under way at a time.
const IN_FLIGHT: usize = 9;

/// An item and its answer.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    /// What was submitted.
    pub(super) item: Item,
    /// What came back.
    pub(super) answer: Answer,
}

type Wave = JoinSet<anyhow::Result<Vec<Delivered>>>;

/// Submits waves in order: a wave begins when all but `overlap` of those before it are answered.
/// `begun` is told of each wave once its submissions are on their way.
///
/// # Errors
/// Of the first submission that fails.
pub(super) async fn drive(
    courier: &Arc<Courier>,
    nodes: usize,
    waves: Vec<Vec<Item>>,
    overlap: usize,
    bar: &ProgressBar,
    mut begun: impl FnMut(usize),
) -> anyhow::Result<Vec<Delivered>> {
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut under_way: VecDeque<Wave> = VecDeque::new();
    let mut delivered = Vec::new();
    let mut turn = 0;
    for (number, wave) in waves.into_iter().enumerate() {
        while under_way.len() > overlap {
            finish(&mut under_way, &mut delivered, bar).await?;
        }
        let mut set = JoinSet::new();
        for bulk in wave.chunks(BULK) {
            let (bulk, home) = (bulk.to_vec(), turn % nodes);
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
        begun(number);
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
