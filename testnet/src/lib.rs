//! Local Musubi networks and what is done to them.
//!
//! - [`network`]: real `musubi-node` processes on loopback: started, killed, restarted, stopped;
//! - [`city`]: a generated city with all its keys and its way onto the ledger; [`day`]: a generated day
//!   of payments and bad attempts, each with the code it must get; [`books`]: who holds what afterwards;
//! - [`load`]: bulk submissions to all nodes, each item followed to its answer;
//! - [`liar`]: somebody else in a validator's place, with its keys;
//! - [`demo`]: all of it together, a killed leader in the middle, an audit, proofs and a drill at the end;
//! - [`year`]: a year of the city as a record to audit, without a network;
//! - [`scenario`]: a fresh network of real validators whose clocks are driven, for scenarios that last years;
//! - [`sim`]: the deterministic simulator, without processes.

pub mod books;
pub mod city;
pub mod day;
pub mod demo;
pub mod item;
pub mod liar;
pub mod load;
pub mod network;
pub mod random;
pub mod scenario;
pub mod sim;
pub mod up;
pub mod year;
