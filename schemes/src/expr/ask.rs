//! The functions of an expression: what can be observed.

use musubi_ledger::{
    code::Code,
    id::{InstrumentId, RuleId},
    lot::OriginKind,
    party::PartyKind,
};

/// Something that can be observed. Parties are places in the cast; sums are taken over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// What came or went of an instrument, of one origin or of all.
    Flow(Flow, InstrumentId, Option<OriginKind>),
    /// What everybody of the scheme can spend of it now.
    Usable(InstrumentId),
    /// What parties have, of one instrument or of all.
    Has(Has, Vec<usize>, Option<InstrumentId>),
    /// What went from some to others, gross.
    Paid(Vec<usize>, Vec<usize>, Option<InstrumentId>),
    /// What some got from anybody but an issue, gross.
    Received(Vec<usize>, Option<InstrumentId>),
    /// Transactions of the scenario that came to this.
    Refused(Code),
    /// Transactions of a step that were applied.
    Applied(String),
    /// Parties of a kind on the ledger, with a value of an attribute that holds now.
    Count(PartyKind, Option<(String, String)>),
    /// What a rule did.
    Rule(Did, RuleId),
    /// Units that were taken of an offer, by its place.
    Taken(usize),
    /// How many of an instrument's stages a party has reached.
    Stage(usize, InstrumentId),
    /// Dues that some ask for, by where they stand, of one instrument or of all.
    Dues(Asked, Vec<usize>, Option<InstrumentId>),
    /// Groups that lie right under some.
    Under(Vec<usize>),
    /// A key figure, counted as reports count it.
    Key(Key),
    /// What does not change by anything that happens: a declaration's own figure.
    Declared(i128),
}

/// What is counted of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as the instrument's totals name them")]
pub enum Flow {
    Issued,
    Imported,
    Redeemed,
    Expired,
    Lapsed,
    Corrected,
    Outstanding,
}

/// What a party has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as wallets name them")]
pub enum Has {
    Spendable,
    Held,
    Claim,
    Receivable,
}

/// What is counted of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// What it gave or passed on, gross.
    Given,
    /// How often it gave something.
    Fired,
    /// How often it gave less than its formula says.
    Capped,
    /// What reversals took back of it, owed or not.
    TakenBack,
}

/// Where dues stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Not paid yet, and it is not too late.
    Open,
    /// Paid by hand, as their payee wrote down.
    InCash,
}

/// A key figure ([`musubi_figures::kpi`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// ①: group accounts.
    Groups,
    /// ⑤: persons registered and active, officers among them.
    Registrants,
    /// ⑥: merchants.
    Merchants,
    /// ⑦: settlement in yen.
    Settlement,
    /// ❶: what groups moved, in yen.
    GroupMoves,
}

impl Ask {
    /// Whether it depends on anything that happened.
    #[must_use]
    pub fn observes(&self) -> bool {
        !matches!(self, Self::Declared(_))
    }
}
