//! What Musubi costs: [`town`] is the ground of the criterion benchmarks, one stage at a time;
//! [`end_to_end`] is what `cargo xtask bench` runs, three validators as processes; [`cpu`] is what blocks
//! of it cost; [`audit`] is an audit
//! against the bare checks of its log's signatures.

pub mod audit;
pub mod cpu;
pub mod end_to_end;
pub mod town;
