//! JSON: the report itself, for programs. Amounts are strings in the instrument's smallest unit.

use serde::Serialize;

/// The report's bytes, with a line end.
///
/// # Panics
/// Never: reports have only keys that are texts.
#[must_use]
pub fn write(report: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(report).expect("reports serialise");
    bytes.push(b'\n');
    bytes
}
