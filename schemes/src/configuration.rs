//! What of a scheme stands on a ledger before anybody takes part: its instruments, and what their issuer may issue. A
//! scenario's people and payments are no part of it.

use musubi_ledger::{amount::Amount, id::InstrumentId, time::Time};

use crate::scheme::{Issued, Scheme};

/// One thing to put on a ledger.
#[derive(Clone, Copy, Debug)]
pub enum Setting<'s> {
    /// An instrument, open at once.
    Instrument(&'s Issued),
    /// The issuer's right to issue it.
    Allowance(Allowed),
}

/// What an issuer may issue of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Allowed {
    /// Of what.
    pub instrument: InstrumentId,
    /// Place of its issuer in the cast.
    pub issuer: usize,
    /// Most in all.
    pub total: Amount,
    /// Most into one wallet.
    pub per_wallet: Amount,
    /// Most on one day in Japan.
    pub per_day: Amount,
    /// Until when, if the file says.
    pub until: Option<Time>,
}

impl Setting<'_> {
    /// Who signs, by their names in files: officers of the issuer; to an allowance one of another organisation, too.
    #[must_use]
    pub fn officers(&self) -> [&'static str; 2] {
        match self {
            Self::Instrument(_) => ["issuer-officer[1]", "issuer-officer[2]"],
            Self::Allowance(_) => ["issuer-officer[1]", "city-officer"],
        }
    }
}

impl Scheme {
    /// In the order in which it is put: instruments first. Of an instrument's allowances the first one that the scenario
    /// grants counts: later ones are what happened, not what was set up.
    #[must_use]
    pub fn configuration(&self) -> Vec<Setting<'_>> {
        let issued = self.instruments.iter().filter(|issued| issued.stands);
        let mut settings: Vec<Setting<'_>> = issued.clone().map(Setting::Instrument).collect();
        for issued in issued {
            let mut allowed = self.steps.iter().filter_map(|step| step.verb.allows());
            if let Some(allowed) = allowed.find(|allowed| allowed.instrument == issued.id) {
                settings.push(Setting::Allowance(Allowed { issuer: issued.issuer, ..allowed }));
            }
        }
        settings
    }
}
