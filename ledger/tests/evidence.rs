//! Evidence: each kind names who signed, and nothing else than that ever verifies. Honest histories give
//! none, whatever anybody puts together of them.
#![allow(clippy::unwrap_used)]

#[path = "evidence/batches.rs"]
mod batches;
mod common;
#[path = "evidence/honest.rs"]
mod honest;
#[path = "evidence/memory.rs"]
mod memory;
#[path = "evidence/notes.rs"]
mod notes;
#[path = "evidence/scene.rs"]
mod scene;
