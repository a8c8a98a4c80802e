//! Musubi.
pub mod network;
