//! The names of functions.

use crate::mistake::nearest;

const KNOWN: [&str; 36] = [
    "issued",
    "imported",
    "lapsed",
    "redeemed",
    "expired",
    "corrected",
    "outstanding",
    "usable",
    "spendable",
    "held",
    "claim",
    "receivable",
    "paid",
    "received",
    "refused",
    "applied",
    "given",
    "fired",
    "capped",
    "taken",
    "taken_back",
    "tier",
    "count",
    "price",
    "open_dues",
    "in_cash",
    "under",
    "kpi1",
    "kpi5",
    "kpi6",
    "kpi7",
    "kpi_moved",
    "face",
    "step",
    "days",
    "choice",
];

/// Why a name is none of a function.
pub(super) fn unknown(name: &str) -> String {
    let near = nearest(name, &KNOWN).map(|near| format!("; did you mean {near}?"));
    format!("no function {name}{}", near.unwrap_or_default())
}
