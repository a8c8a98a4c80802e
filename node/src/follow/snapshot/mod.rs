//! Beginning with a snapshot instead of the genesis block.
//!
//! ```text
//!  manifest, policy bundle ─▶ final? ─▶ seal, entry, right edge of the log
//!  pages of rows           ─▶ the seal's state digest?            ─▶ a directory, in one write
//!  bundles of leaves       ─▶ the checkpoint's root?
//! ```
//!
//! - [`asking`]: the questions, one upstream at a time; [`taking`]: what becomes of the answers, without sockets.
//!
//! All this happens before the node serves anything. Whoever serves what does not add up is named and asked no more;
//! what came of it is thrown away. A crash leaves a directory without a ledger, and the next start begins anew.

pub mod asking;
pub mod taking;

use musubi_storage::Opened;

/// A directory that begins with a snapshot.
pub struct Begun {
    /// The directory.
    pub opened: Opened,
    /// Upstreams that served what does not add up, by their place in the configuration, each with what was wrong.
    pub refused: Vec<(usize, String)>,
}
