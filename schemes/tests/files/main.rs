//! Scheme files: those of `docs/schemes`, the manual's example, and one that says everything a file can.
#![allow(clippy::unwrap_used)]

mod catalogue;
mod common;
mod example;
mod figures;
mod verbs;
