//! The Musubi node: a thin shell around the replica, the store and the rules.
//!
//! [`config`], [`init`] and [`directory`] make and read what it starts from; [`network`] talks to the other
//! validators; [`core`] runs replica, disk and execution; [`follow`] does their work on a
//! replica; [`http`] is the API, [`api`] joins the two;
//! [`memos`] keeps and fetches encrypted texts beside the log; [`snapshots`] holds states for replicas that begin;
//! [`outgoing`] is the HTTP client; [`proposals`] knows what waits for whom; [`metrics`] is what an operator
//! watches; [`clock`] says what time it is, [`driven_time`] on a test's chain; [`run`] is the process; [`recover`] begins anew when a quorum of disks is lost.

pub mod api;
pub mod clock;
pub mod config;
pub mod core;
pub mod directory;
pub mod driven_time;
pub mod follow;
pub mod http;
pub mod init;
pub mod memos;
pub mod metrics;
pub mod network;
pub mod node;
pub mod outgoing;
pub mod proposals;
pub mod recover;
pub mod run;
pub mod snapshots;
pub mod statements;
