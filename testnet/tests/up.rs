#![allow(clippy::unwrap_used)]
//! `musubi-testnet up` as a process: one JSON line, a network that works, and nothing left behind.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;

fn testnet(args: &[&str]) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_musubi-testnet"));
    let node = program.with_file_name("musubi-node");
    assert!(node.exists(), "{} is missing: run `cargo xtask build`", node.display());
    let mut command = Command::new(program);
    command.args(args);
    command
}

struct Up {
    child: Child,
    summary: Value,
    more: BufReader<std::process::ChildStdout>,
}

fn up(dir: &Path) -> Up {
    let dir = dir.to_str().unwrap();
    let mut command = testnet(&["up", "--validators", "3", "--json", "--dir", dir]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut more = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    more.read_line(&mut line).unwrap();
    let summary = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line:?}"));
    Up { child, summary, more }
}

fn alive(pid: i32) -> bool {
    // An orphan that has ended may wait for long until the system's first process looks at it.
    let ended = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|state| state.starts_with('Z')));
    !ended && test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

impl Up {
    fn pids(&self) -> Vec<i32> {
        let validators = self.summary["validators"].as_array().unwrap();
        validators.iter().map(|v| v["pid"].as_i64().unwrap() as i32).collect()
    }

    /// SIGTERM; then every node must be gone, and nothing more have been printed.
    fn stop(mut self) {
        let pids = self.pids();
        assert!(pids.iter().all(|pid| alive(*pid)));
        let own = Pid::from_raw(self.child.id() as i32).unwrap();
        kill_process(own, Signal::TERM).unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(25), "`up` did not stop");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{status}");
        assert!(pids.iter().all(|pid| !alive(*pid)), "a node outlived `up`");
        let mut rest = String::new();
        self.more.read_line(&mut rest).unwrap();
        assert_eq!(rest, "", "one JSON line, no more");
    }
}

#[test]
fn a_network_starts_stops_and_starts_again_as_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let first = up(folder.path());
    let (chain, token) = (first.summary["chain"].clone(), first.summary["reader_token"].clone());
    let validators = first.summary["validators"].as_array().unwrap();
    let organisations: Vec<_> =
        validators.iter().map(|v| v["organisation"].as_str().unwrap()).collect();
    assert_eq!(organisations, ["city", "operator", "partner"]);
    let officers = Path::new(first.summary["officers_dir"].as_str().unwrap()).to_owned();
    for name in ["registrar-officer-1", "issuer-officer-2", "issuer-auto", "city-officer"] {
        assert!(officers.join(format!("{name}.pem")).exists(), "{name}");
    }
    let book = std::fs::read_to_string(officers.join("contacts.toml")).unwrap();
    assert!(book.contains("[contacts.registrar-officer-3]"), "{book}");

    let second = testnet(&["up", "--dir", folder.path().to_str().unwrap()]).output().unwrap();
    assert!(!second.status.success(), "a folder has one owner at a time");
    first.stop();

    let again = up(folder.path());
    assert_eq!(again.summary["chain"], chain, "the same network");
    assert_eq!(again.summary["reader_token"], token);
    again.stop();
}

#[test]
fn a_node_that_dies_is_reported_and_takes_the_others_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = up(folder.path());
    let pids = network.pids();
    kill_process(Pid::from_raw(pids[1]).unwrap(), Signal::KILL).unwrap();
    let status = network.child.wait().unwrap();
    assert!(!status.success());
    assert!(pids.iter().all(|pid| !alive(*pid)));
}

#[test]
fn nodes_do_not_outlive_a_killed_testnet() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = up(folder.path());
    let (pids, chain) = (network.pids(), network.summary["chain"].clone());
    assert!(pids.iter().all(|pid| alive(*pid)));
    network.child.kill().unwrap();
    network.child.wait().unwrap();
    let begun = Instant::now();
    while pids.iter().any(|pid| alive(*pid)) {
        assert!(begun.elapsed() < Duration::from_secs(15), "a node outlived a killed `up`");
        std::thread::sleep(Duration::from_millis(20));
    }
    for node in 1..=3 {
        let log = std::fs::read_to_string(folder.path().join(format!("node-{node}.log"))).unwrap();
        assert!(log.contains("standard input ended"), "{log}");
        assert!(log.trim_end().ends_with("stopped cleanly"), "{log}");
    }

    let again = up(folder.path());
    assert_eq!(again.summary["chain"], chain, "the same network");
    again.stop();
}
