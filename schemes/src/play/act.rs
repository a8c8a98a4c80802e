//! From what a step does to signed bytes.

use musubi_ledger::{
    code::Code,
    genesis::RULES_VERSION,
    hash::tagged,
    id::{InstrumentId, PartyId, Salt, TxId},
    keys::SecretKey,
    operation::Operation,
    run::plan::RunPlan,
    transaction::{Body, Purpose, Role, Side, Transaction},
};

use super::{Budget, Card, Fault, Play};

/// How long bodies stay valid.
const WINDOW_MS: u64 = 12 * 3_600_000;

/// Who signs: for which side, in which role, acting for whom, by whose key (a place in the cast).
pub(crate) type Signer = (Side, Role, PartyId, usize);

/// A transaction to be.
pub(crate) struct Act {
    pub(crate) body: Body,
    pub(crate) signers: Vec<Signer>,
    /// Who signs besides: keys of codes.
    pub(crate) keys: Vec<(Side, Role, PartyId, SecretKey)>,
    pub(crate) after: After,
}

/// What later steps may use, once it is applied.
pub(crate) enum After {
    Nothing,
    Allowance(InstrumentId),
    Acceptance(usize, Vec<InstrumentId>),
    Card(usize, Card, TxId),
    Budget(usize, InstrumentId, Budget),
    Offer(usize),
    /// To an offer, whose, under which id.
    Right(usize, usize, TxId),
    /// What later steps mean by this step, instead of the transaction itself.
    Made(Vec<TxId>),
    /// A run's lines.
    Run(Box<RunPlan>),
}

impl Act {
    pub(crate) fn new(body: Body, signers: Vec<Signer>) -> Self {
        Self { body, signers, keys: Vec::new(), after: After::Nothing }
    }

    /// With a signature by a key that is nobody's.
    pub(crate) fn and(mut self, key: (Side, Role, PartyId, SecretKey)) -> Self {
        self.keys.push(key);
        self
    }

    pub(crate) fn then(self, after: After) -> Self {
        Self { after, ..self }
    }
}

impl Play<'_> {
    /// A body of `sender`'s, a place in the cast.
    pub(crate) fn body(&mut self, sender: usize, operation: Operation) -> Body {
        self.written += 1;
        let number = self.written;
        let salt = tagged("musubi/v1/scheme-body", &[&number.to_le_bytes()]);
        Body {
            chain: self.stage.chain(),
            rules_version: RULES_VERSION,
            sender: self.party(sender),
            reference: format!("s{number}").parse().expect("a short visible text"),
            salt: Salt(std::array::from_fn(|at| salt[at])),
            expires: self.stage.now().plus(WINDOW_MS),
            purpose: Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation,
        }
    }

    /// Something that is different each time: the hash of an outside payment's reference, say.
    pub(crate) fn fresh_hash(&mut self, what: &str) -> [u8; 32] {
        self.written += 1;
        tagged("musubi/v1/scheme-fresh", &[what.as_bytes(), &self.written.to_le_bytes()])
    }

    /// How many were written: a number that is different each time.
    pub(crate) fn papers(&self) -> usize {
        usize::try_from(self.written).unwrap_or(usize::MAX)
    }

    /// Signs, submits, and remembers what was applied.
    pub(crate) fn submit(
        &mut self,
        acts: Vec<Act>,
        without: &[usize],
    ) -> Result<Vec<(TxId, Code)>, Fault> {
        if acts.is_empty() {
            return Ok(Vec::new());
        }
        let items = acts.iter().map(|act| self.sign(act, without)).collect();
        let codes = self.stage.submit(items)?;
        let mut results = Vec::with_capacity(acts.len());
        for (act, code) in acts.into_iter().zip(codes) {
            let id = act.body.id();
            if code == Code::Applied {
                self.remember(id, act.after);
            }
            results.push((id, code));
        }
        Ok(results)
    }

    fn sign(&self, act: &Act, without: &[usize]) -> Vec<u8> {
        let signing = act.signers.iter().filter(|signer| !without.contains(&signer.3));
        let signatures = signing.filter_map(|(side, role, party, at)| {
            let key = self.actors[*at].key.as_ref()?;
            Some(act.body.sign(*side, *role, *party, key))
        });
        let keys = act.keys.iter();
        let keys = keys.map(|(side, role, party, key)| act.body.sign(*side, *role, *party, key));
        Transaction::new(act.body.clone(), signatures.chain(keys).collect()).encode()
    }

    fn remember(&mut self, id: TxId, after: After) {
        match after {
            After::Nothing => {}
            After::Allowance(instrument) => drop(self.allowances.insert(instrument, id)),
            After::Acceptance(at, instruments) => {
                self.acceptances.extend(instruments.into_iter().map(|i| ((at, i), id)));
            }
            After::Card(at, card, credit) => {
                let accepted = card.instruments.iter().map(|i| ((at, *i), credit));
                self.acceptances.extend(accepted);
                self.cards.insert(at, card);
            }
            After::Budget(at, instrument, budget) => {
                self.budgets.insert((at, instrument), Budget { mandate: id, ..budget });
            }
            After::Run(plan) => drop(self.plans.insert(id, *plan)),
            After::Offer(at) => drop(self.offers.insert(at, id)),
            After::Right(offer, at, right) => drop(self.rights.insert((offer, at), right)),
            After::Made(ids) => drop(self.made.insert(id, ids)),
        }
    }
}
