//! The architecture as tables. A change here is a change of the architecture: say so in
//! `docs/ARCHITECTURE.md` in the same commit.

/// Whom a workspace crate may depend on, for building or for testing.
pub(super) enum MayKnow {
    Anyone,
    Only(&'static [&'static str]),
}

/// Every crate of the workspace. One that is not here is a breach.
pub(super) const EDGES: &[(&str, MayKnow)] = &[
    ("musubi-ledger", MayKnow::Only(&[])),
    ("musubi-consensus", MayKnow::Only(&["musubi-ledger"])),
    ("musubi-storage", MayKnow::Only(&["musubi-ledger", "musubi-consensus"])),
    ("musubi-figures", MayKnow::Only(&["musubi-ledger"])),
    ("musubi-schemes", MayKnow::Only(&["musubi-ledger", "musubi-figures"])),
    ("musubi-sdk", MayKnow::Only(&["musubi-ledger", "musubi-schemes"])),
    ("musubi-reports", MayKnow::Only(&["musubi-ledger", "musubi-figures", "musubi-sdk"])),
    ("musubi-node", MayKnow::Only(&["musubi-ledger", "musubi-consensus", "musubi-storage"])),
    ("musubi-testnet", MayKnow::Anyone),
    ("musubi-benches", MayKnow::Anyone),
    ("xtask", MayKnow::Only(&[])),
];

/// A crate, and what may not be linked into it by any detour.
pub(super) const TREES: &[(&str, &[&str])] = &[
    (
        "musubi-ledger",
        &["tokio", "rocksdb", "librocksdb-sys", "libp2p", "raft", "getrandom", "rand"],
    ),
    ("musubi-consensus", &["tokio", "rocksdb", "librocksdb-sys", "libp2p"]),
    // Schemes run in process and on networks: what they need of a network they are given.
    ("musubi-schemes", &["tokio", "rocksdb", "librocksdb-sys", "libp2p"]),
    // A node keeps memos and cannot read them; files that people open are made by `musubi-report` alone.
    ("musubi-node", &["hpke", "csv", "krilla", "rust_xlsxwriter", "parquet"]),
    ("musubi-sdk", &["csv", "krilla", "rust_xlsxwriter", "parquet"]),
];

/// A foreign crate that only its room may name: one file or folder, and where needed the tests of it.
pub(super) struct Room {
    /// The crate and its companions, as Rust writes them.
    pub(super) crates: &'static [&'static str],
    /// `x/src/room` stands for the file `x/src/room.rs` and for all in the folder `x/src/room/`.
    pub(super) rooms: &'static [&'static str],
}

pub(super) const ROOMS: &[Room] = &[
    Room { crates: &["bincode"], rooms: &["ledger/src/codec"] },
    Room { crates: &["raft", "raft_proto"], rooms: &["consensus/src/raft_core"] },
    Room { crates: &["rocksdb", "librocksdb_sys"], rooms: &["storage/src/rocks"] },
    Room { crates: &["hpke", "chacha20poly1305"], rooms: &["client-sdk/src/memo"] },
    Room { crates: &["krilla"], rooms: &["reports/src/format/pdf"] },
    Room { crates: &["rust_xlsxwriter"], rooms: &["reports/src/format/xlsx"] },
    // The tests there are hostile peers: they speak libp2p without our own code.
    Room {
        crates: &["libp2p", "libp2p_stream"],
        rooms: &["node/src/network", "node/tests/network"],
    },
];

/// Where the purity rules hold. Code under `#[cfg(test)]` is free.
pub(super) const PURE: &str = "ledger/src/";

/// What pure code may not say, and why. Written as Rust tokens.
pub(super) const IMPURE: &[(&str, &str)] = &[
    ("HashMap", "its order differs from run to run: use BTreeMap"),
    ("HashSet", "its order differs from run to run: use BTreeSet"),
    ("SystemTime", "time is the block's"),
    ("Instant::now", "time is the block's"),
    ("f32", "value is integers"),
    ("f64", "value is integers"),
    ("std::env", "the ledger sees no machine"),
    ("std::fs", "the ledger does no I/O"),
    ("std::net", "the ledger does no I/O"),
    ("std::process", "the ledger sees no machine"),
    ("std::thread", "the ledger starts no threads"),
    ("thread::", "the ledger starts no threads"),
    ("rand::", "chance is an argument"),
    ("getrandom::", "chance is an argument"),
];

/// The longest a source file may be, in lines.
pub(super) const FILE_LINES_MAX: usize = 600;
