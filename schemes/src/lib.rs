//! Local currencies as data: a scheme file says in TOML what a town's currency is, plays a scenario on it, and holds
//! figures of its source against what happened. No scheme has code of its own.
//!
//! A reader's way in:
//!
//! - [`file`] reads and checks a text into a [`Scheme`]; whatever is wrong becomes [`Mistakes`] with line and caret;
//! - [`verb`] holds what a step can do, a file for each family: how it is written and which transactions it becomes;
//! - [`play`] sets the scheme up on a [`stage::Stage`] and plays its steps; [`stage::InProcess`] is a chain in this process;
//! - [`observe`] and [`expr`] say what an expectation measures; [`report`] what came out; [`catalogue`] is a page of it all;
//! - [`configuration`] is what of a scheme a real network needs.
//!
//! What a scheme file may say is in `docs/SCHEMES.md`.

pub mod cast;
pub mod catalogue;
pub mod configuration;
mod digits;
pub mod expr;
pub mod file;
pub mod mistake;
pub mod observe;
pub mod play;
pub mod report;
pub mod scheme;
pub mod stage;
pub mod verb;

pub use self::{
    file::{Otherwise, read, read_with},
    mistake::{Mistake, Mistakes},
    play::run,
    report::Report,
    scheme::Scheme,
};
