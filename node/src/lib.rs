//! The Musubi node: a thin shell around the replica, the store and the rules.
//!
//! [`config`] and [`init`] make and read what it starts from; [`network`] talks to the other
//! validators; [`core`] runs replica, disk and execution; [`http`] is the API, [`api`] joins the two;
//! [`proposals`] knows what waits for whom; [`metrics`] is what an operator watches; [`run`] is the process.

pub mod api;
pub mod clock;
pub mod config;
pub mod core;
pub mod http;
pub mod init;
pub mod metrics;
pub mod network;
pub mod node;
pub mod proposals;
pub mod run;
