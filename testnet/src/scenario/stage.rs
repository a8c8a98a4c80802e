//! The network as a stage that schemes are played on.

use musubi_ledger::{
    code::Code,
    id::{ChainId, PartyId},
    keys::SecretKey,
    state::ReadState,
    time::Time,
};
use musubi_schemes::stage::{Actor, Seen, Stage, StageError};

use super::{OnNetwork, Verdict};
use crate::city::institutions::{Institutions, Keyed};

impl Stage for OnNetwork {
    fn chain(&self) -> ChainId {
        self.genesis().chain()
    }

    fn institutions(&self) -> Vec<Actor> {
        actors(Self::institutions(self))
    }

    fn now(&self) -> Time {
        Self::now(self)
    }

    fn submit(&mut self, items: Vec<Vec<u8>>) -> Result<Vec<Code>, StageError> {
        let verdicts = Self::submit(self, items.clone()).map_err(failed)?;
        let mut codes = Vec::with_capacity(verdicts.len());
        for (verdict, item) in verdicts.into_iter().zip(items) {
            codes.push(self.believed(verdict, &item)?);
        }
        Ok(codes)
    }

    fn advance(&mut self, to: Time) -> Result<(), StageError> {
        // Time goes on by itself here: it may be a little later than a step thought, never than the last one drove it to.
        if to <= self.driven_to() {
            return Err(StageError(format!("it is {}, which is not before {to}", Self::now(self))));
        }
        Self::advance(self, to).map_err(failed)
    }

    fn seen(&mut self) -> Result<Vec<Seen>, StageError> {
        self.executed().map_err(failed)
    }

    fn state(&self) -> &dyn ReadState {
        Self::state(self)
    }
}

impl OnNetwork {
    /// A verdict was executed here, too. What a door turned away is in no block: it is judged here, and must come to the
    /// same.
    fn believed(&self, verdict: Verdict, item: &[u8]) -> Result<Code, StageError> {
        let Verdict { id, code, height } = verdict;
        if height.is_some() {
            return Ok(code);
        }
        match self.judge(item) {
            Some(judged) if judged == code => Ok(code),
            judged => {
                let judged = judged.map_or("no item of a batch", Code::name);
                Err(StageError(format!("a door refused {id} as {code}, and here it is {judged}")))
            }
        }
    }
}

fn failed(error: anyhow::Error) -> StageError {
    StageError(format!("{error:#}"))
}

/// In the order of [`musubi_schemes::cast::INSTITUTIONS`].
fn actors(of: &Institutions) -> Vec<Actor> {
    let actor = |party: PartyId, key: Option<&SecretKey>| Actor { party, key: key.cloned() };
    let keyed = |keyed: &Keyed| actor(keyed.party, Some(&keyed.key));
    let organisations = of.organisations.iter().take(3).map(|o| keyed(&o.governance));
    let mut actors: Vec<Actor> = organisations.collect();
    actors.push(actor(of.registrar, None));
    actors.push(keyed(&of.issuer));
    actors.extend(of.officers().map(keyed));
    actors
}
