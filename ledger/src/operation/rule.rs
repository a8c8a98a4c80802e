//! Operations about rules.

use serde::{Deserialize, Serialize};

use crate::{id::RuleId, rule::RuleTerms, time::Time};

/// An issuer lets the ledger post something by itself whenever something happens.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PutRule {
    /// Its instrument, and its number there: rules are evaluated in this order. Never reused.
    pub id: RuleId,
    /// What it does.
    pub terms: RuleTerms,
}

/// A rule gives nothing more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndRule {
    /// The rule.
    pub id: RuleId,
    /// From when on; not in the past, and earlier than it would end anyway.
    pub at: Time,
}
