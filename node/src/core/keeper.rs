//! States of wallets for proofs: kept at the ends of days, and told on request.
//!
//! The tree of wallets belongs to the executor's thread. Between two blocks that thread answers questions
//! ([`Questions`]), and before the first block of a new day it has every wallet that moved written to the
//! archive ([`Keeper`]).

use std::{
    collections::{HashSet, VecDeque},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        mpsc::{SyncSender, TrySendError},
    },
};

use musubi_ledger::{
    execute::{Block, Chain},
    id::PartyId,
    state::{ReadState, Row, RowKey, Shared},
    time::Time,
};
use musubi_storage::{KeptWallet, Store, StoreError};
use tokio::sync::{Notify, oneshot};

use super::executor::Turn;

/// Questions that may wait.
const QUESTIONS_MAX: usize = 256;

/// The wallet of `party` as it stands under the chain's last seal. To be asked between blocks.
fn present(chain: &Chain, store: &Store, party: PartyId) -> Option<KeptWallet> {
    let Some(Row::Wallet(wallet)) = store.state().row(&RowKey::Wallet(party)) else { return None };
    let wallet = Shared::into_value(wallet);
    let state = chain.prove_wallet(wallet.serial)?;
    Some(KeptWallet { height: chain.head().height, state, wallet })
}

/// The wallets that moved since the last boundary between days.
pub struct Keeper {
    moved: HashSet<PartyId>,
}

impl Keeper {
    /// Takes up where the last process ended: finds again what moved today.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn resume(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { moved: store.moved_today()?.into_iter().collect() })
    }

    /// Before a block of time `next` is executed: if it begins a new day, keeps what moved. A crash right
    /// behind the write, or in the midst of it, writes the same again at the next start.
    ///
    /// # Errors
    /// [`StoreError`]. A failed write poisons the store.
    pub fn before(&mut self, next: Time, chain: &Chain, store: &Store) -> Result<(), StoreError> {
        let today = chain.head().time.day();
        if next.day() == today || self.moved.is_empty() {
            return Ok(());
        }
        let moved = self.moved.iter();
        let wallets = moved.filter_map(|party| Some((*party, present(chain, store, *party)?)));
        let kept = store.archive(today, wallets)?;
        tracing::info!(day = today.0, wallets = kept, "states of the day that ended are kept");
        self.moved.clear();
        Ok(())
    }

    /// Notes what a block moved.
    pub fn after(&mut self, block: &Block) {
        for (key, row) in &block.changes {
            if let (RowKey::Wallet(party), Some(Row::Wallet(wallet))) = (key, row)
                && wallet.leaves > 0
            {
                self.moved.insert(*party);
            }
        }
    }
}

struct Question {
    party: PartyId,
    answer: oneshot::Sender<Option<KeptWallet>>,
}

/// Questions to whoever owns the tree of wallets. They wait here; it looks after every block, and is woken if
/// it has none.
#[derive(Default)]
pub struct Questions {
    waiting: Mutex<VecDeque<Question>>,
    wake: OnceLock<Wake>,
}

/// How whoever owns the tree of wallets is woken. Only weak handles: who asks does not keep it alive when the
/// node stops.
pub enum Wake {
    /// The executor's thread, by its queue.
    Thread(Weak<SyncSender<Turn>>),
    /// A replica's pulling task.
    Task(Weak<Notify>),
}

impl Wake {
    fn wake(&self) -> Option<()> {
        match self {
            Self::Thread(queue) => match queue.upgrade()?.try_send(Turn::Look) {
                // Full: blocks wait, and the thread looks here behind each.
                Ok(()) | Err(TrySendError::Full(_)) => {}
                Err(TrySendError::Disconnected(_)) => return None,
            },
            Self::Task(asked) => asked.upgrade()?.notify_one(),
        }
        Some(())
    }
}

impl Questions {
    /// Says how to wake the owner.
    pub fn connect(&self, wake: Wake) {
        let _ = self.wake.set(wake);
    }

    /// Asks for a wallet's present state; none if too many ask or the node stops. The answer is none for a
    /// party without a wallet; a dropped sender means that the node stops.
    pub fn ask(&self, party: PartyId) -> Option<oneshot::Receiver<Option<KeptWallet>>> {
        let owner = self.wake.get()?;
        let (answer, receiver) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            if waiting.len() >= QUESTIONS_MAX {
                return None;
            }
            waiting.push_back(Question { party, answer });
        }
        if owner.wake().is_none() {
            // It has ended: nobody will answer.
            self.waiting().clear();
            return None;
        }
        Some(receiver)
    }

    /// Answers what waits.
    pub fn answer(&self, chain: &Chain, store: &Store) {
        let asked = std::mem::take(&mut *self.waiting());
        for Question { party, answer } in asked.into_iter().filter(|q| !q.answer.is_closed()) {
            let _ = answer.send(present(chain, store, party));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Question>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
