//! Each big foreign crate is named in its room only.

use super::rules::{ROOMS, Room};
use super::source::SourceFile;
use super::tokens::{self, Token};

/// Places outside its room that name a foreign crate.
pub(super) fn check(files: &[SourceFile]) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files {
        let tokens = tokens::of(&file.text);
        for room in ROOMS.iter().filter(|room| !is_in(&file.path, room)) {
            for at in 0..tokens.len() {
                if let Some(name) = names(&tokens, at, room) {
                    let (path, line) = (&file.path, tokens[at].line);
                    let room = room.rooms.join(" or ");
                    breaches.push(format!("{path}:{line} names {name}, whose room is {room}"));
                }
            }
        }
    }
    breaches
}

fn is_in(path: &str, room: &Room) -> bool {
    room.rooms.iter().any(|room| {
        let below = path.strip_prefix(room).unwrap_or_default();
        below == ".rs" || below.starts_with('/')
    })
}

/// The crate of the room that the tokens name here: as `raft::…`, `use raft…` or `extern crate raft`,
/// but not as the last part of another path (`crate::raft::…`).
fn names(tokens: &[Token], at: usize, room: &Room) -> Option<&'static str> {
    let name = room.crates.iter().find(|name| **name == tokens[at].text)?;
    let before = |steps: usize| at.checked_sub(steps).map_or("", |at| tokens[at].text);
    let is_arrow = before(2) == ">" && before(3) == "-";
    let ends_path = before(2) == ">" || before(2).ends_with(char::is_alphanumeric);
    let is_rooted = before(1) == "::" && (is_arrow || !ends_path);
    let is_inner = before(1) == "." || before(1) == "::" && !is_rooted;
    let is_path = tokens.get(at + 1).is_some_and(|after| after.text == "::");
    let is_import = matches!(before(1), "use" | "crate");
    ((is_path && !is_inner) || is_import).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::source::sample;

    fn breaches(path: &str, text: &str) -> Vec<String> {
        check(&sample(&[(path, text)]))
    }

    #[test]
    fn a_crate_is_free_in_its_room() {
        assert!(breaches("consensus/src/raft_core.rs", "use raft::Config;").is_empty());
        assert!(breaches("consensus/src/raft_core/guard.rs", "raft::x()").is_empty());
        assert!(breaches("node/src/network/mod.rs", "use libp2p_stream as s;").is_empty());
    }

    #[test]
    fn every_way_to_name_it_elsewhere_is_found() {
        let ways = [
            "use raft::Config;",
            "pub use raft as engine;",
            "extern crate raft;",
            "fn f() -> ::raft::Config {}",
            "let x = raft::Config::new();",
            "type A = Vec<raft_proto::eraftpb::Entry>;",
        ];
        for way in ways {
            let found = breaches("consensus/src/raft_core_extra.rs", &format!("\n{way}"));
            assert_eq!(found.len(), 1, "{way}: {found:?}");
            assert!(
                found[0].starts_with("consensus/src/raft_core_extra.rs:2 names raft"),
                "{found:?}"
            );
        }
        assert_eq!(breaches("storage/src/lib.rs", "rocksdb::DB::open()").len(), 1);
        assert_eq!(breaches("node/src/main.rs", "use libp2p::Swarm;").len(), 1);
        assert_eq!(breaches("ledger/tests/format.rs", "bincode::serde::encode_to_vec()").len(), 1);
    }

    #[test]
    fn our_own_names_are_no_breach() {
        let fine = "// raft::x\nuse crate::raft::Core; self.raft.step(); let raft = 1; \"rocksdb::DB\"; raft_core::x()";
        assert!(breaches("consensus/src/replica.rs", fine).is_empty());
    }
}
