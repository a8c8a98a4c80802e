#![allow(clippy::unwrap_used)]
//! `musubi-witness` as a process: what it cosigns, what it refuses, and that no kill makes it cosign two
//! histories.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use musubi_ledger::{
    keys::SecretKey,
    tlog::{
        Algorithm, Checkpoint, Frontier, Hash, Node, NodeReader, NoteSignature, SignedNote,
        VerifierKey,
        merkle::{self, leaf_hash},
        proof::prove_consistency,
        witness::{AddCheckpoint, Step, Submission, monitoring_name},
    },
};
use reqwest::{Client, StatusCode};
use tempfile::TempDir;

const ORIGIN: &str = "witnessed.example/log/1";

/// A log that may fork.
#[derive(Clone, Default)]
struct Log {
    frontier: Frontier,
    nodes: std::collections::BTreeMap<(u8, u64), Hash>,
}

impl NodeReader for Log {
    fn node(&self, level: u8, index: u64) -> Option<Hash> {
        self.nodes.get(&(level, index)).copied()
    }
}

impl Log {
    fn grow(&mut self, count: u64, branch: &str) {
        for _ in 0..count {
            let mut completed = Vec::new();
            let leaf = leaf_hash(format!("{branch} {}", self.frontier.size()).as_bytes());
            self.frontier.append(leaf, &mut completed);
            let nodes =
                completed.into_iter().map(|Node { level, index, hash }| ((level, index), hash));
            self.nodes.extend(nodes);
        }
    }

    fn size(&self) -> u64 {
        self.frontier.size()
    }

    fn note(&self, size: u64, key: &(VerifierKey, SecretKey)) -> SignedNote {
        let root = merkle::root(self, size).unwrap();
        let text = Checkpoint::new(ORIGIN, size, root).unwrap().to_string();
        let mut note = SignedNote::new(text).unwrap();
        let signature = NoteSignature::sign(note.text(), &key.0, |message| key.1.sign(message).0);
        note.add(signature).unwrap();
        note
    }

    fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let proof = prove_consistency(self, old, size).unwrap();
        AddCheckpoint::new(old, proof, self.note(size, &log_key(1))).unwrap()
    }
}

fn log_key(seed: u8) -> (VerifierKey, SecretKey) {
    let secret = SecretKey::from_seed(&[seed; 32]);
    let key = VerifierKey::new(ORIGIN, Algorithm::Ed25519, &secret.public().0).unwrap();
    (key, secret)
}

fn program(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_musubi-witness"));
    command.args(args).current_dir(folder);
    command
}

/// A folder that `init` made and that knows the log, with the witness's key.
fn init() -> (TempDir, VerifierKey) {
    let folder = tempfile::tempdir().unwrap();
    let made = program(&["init", "--dir", "w", "--name", "univ.example/w"], folder.path()).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let key = String::from_utf8(made.stdout).unwrap().trim().parse().unwrap();
    let path = folder.path().join("w/witness.toml");
    let mut config = fs::read_to_string(&path).unwrap().replace("127.0.0.1:8490", "127.0.0.1:0");
    config += &format!("\n[[log]]\norigin = {ORIGIN:?}\nkeys = [{:?}]\n", log_key(1).0.to_string());
    fs::write(&path, config).unwrap();
    (folder, key)
}

/// A running witness; killed when dropped.
struct Running {
    child: Child,
    url: String,
    client: Client,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const RUN: [&str; 4] = ["run", "--stop-with-stdin", "--config", "w/witness.toml"];

impl Running {
    fn start(folder: &Path) -> Self {
        let mut command = program(&RUN, folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let first: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("it did not start: {line:?}"));
        let url = format!("http://{}", first["listen"].as_str().unwrap());
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { child, url, client }
    }

    /// Status, media type and body of an answer; `None` if the witness was killed meanwhile.
    async fn post(&self, body: String) -> Option<(StatusCode, String, String)> {
        let url = format!("{}/add-checkpoint", self.url);
        let answer = self.client.post(url).body(body).send().await.ok()?;
        let media_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
        Some((answer.status(), media_type, answer.text().await.ok()?))
    }

    async fn status(&self, request: &AddCheckpoint) -> u16 {
        self.post(request.to_string()).await.unwrap().0.as_u16()
    }

    /// What monitors get: the newest note.
    async fn newest(&self) -> Option<SignedNote> {
        let url = format!("{}/{}/checkpoint", self.url, monitoring_name(ORIGIN));
        let answer = self.client.get(url).send().await.unwrap();
        let found = answer.status() == StatusCode::OK;
        let text = answer.text().await.unwrap();
        found.then(|| text.parse().unwrap())
    }
}

fn checkpoint(note: &SignedNote) -> Checkpoint {
    note.text().parse().unwrap()
}

#[tokio::test]
async fn it_cosigns_what_grows_and_refuses_the_rest() {
    let (folder, key) = init();
    let witness = Running::start(folder.path());
    let mut log = Log::default();
    log.grow(20, "log");
    assert!(witness.newest().await.is_none());

    // The submitter that a node has, without any knowledge of the witness.
    let mut submission = Submission::new(key.clone(), 0);
    for size in [7, 12, 12, 20] {
        submission = if size == 20 { Submission::new(key.clone(), 0) } else { submission };
        let mut note = log.note(size, &log_key(1));
        let line = loop {
            let request = submission.request(&note, &log).unwrap();
            let (status, media_type, body) = witness.post(request.to_string()).await.unwrap();
            let step =
                submission.answered(&note, status.as_u16(), Some(&media_type), body.as_bytes());
            if let Step::Cosigned(line) = step.unwrap() {
                break line;
            }
        };
        note.add(line).unwrap();
        let keys = [log_key(1).0, key.clone()];
        let newest = witness.newest().await.unwrap();
        assert_eq!(newest, note, "monitors get what was answered");
        assert_eq!(newest.verify(&keys).unwrap().len(), 2);
    }

    let mut fork = Log::default();
    fork.grow(10, "log");
    fork.grow(20, "fork");
    let unsigned = AddCheckpoint::new(20, vec![], log.note(20, &log_key(2))).unwrap();
    let foreign = log.request(20, 20).to_string().replace(ORIGIN, "other.example/log/1");
    assert_eq!(witness.status(&fork.request(20, 30)).await, 422, "another history");
    assert_eq!(witness.status(&fork.request(20, 20)).await, 422, "another root at that size");
    assert_eq!(witness.status(&log.request(0, 12)).await, 409, "smaller");
    assert_eq!(witness.status(&unsigned).await, 403, "signed by a stranger");
    assert_eq!(witness.post(foreign).await.unwrap().0, 404);
    assert_eq!(witness.post("nonsense".into()).await.unwrap().0, 400);
    assert_eq!(witness.post("x".repeat(300_000)).await.unwrap().0, 413);
    let (status, media_type, body) = witness.post(log.request(0, 20).to_string()).await.unwrap();
    assert_eq!((status.as_u16(), &*media_type, &*body), (409, "text/x.tlog.size", "20\n"));
    assert_eq!(witness.newest().await.map(|note| checkpoint(&note).size()), Some(20));

    // The second root is kept with the first: together they prove that the log forked.
    let name = format!("w/state/fork-{}-20.txt", &monitoring_name(ORIGIN)[..16]);
    let kept = fs::read_to_string(folder.path().join(name)).unwrap();
    let keys = [log_key(1).0];
    let (ours, theirs) = kept.split_once(&format!("\n\n{ORIGIN}\n")).unwrap();
    let (ours, theirs) = (format!("{ours}\n"), format!("{ORIGIN}\n{theirs}"));
    let roots =
        [&ours, &theirs].map(|note| Checkpoint::open(note.as_bytes(), ORIGIN, &keys).unwrap());
    assert_eq!(roots[0].checkpoint.size(), roots[1].checkpoint.size());
    assert_ne!(roots[0].checkpoint.root(), roots[1].checkpoint.root());
}

/// Two histories are submitted at once while the process is killed at any moment, again and again. All
/// cosignatures that were ever received must be of one history, and after each start the witness must
/// know the newest of them.
#[tokio::test]
async fn no_kill_makes_it_cosign_two_histories() {
    let (folder, key) = init();
    let mut common = Log::default();
    let mut rounds_with_answer = 0;
    let mut all: Vec<Checkpoint> = Vec::new();
    for round in 0..40u64 {
        let witness = Arc::new(Running::start(folder.path()));
        let newest = witness.newest().await.map(|note| checkpoint(&note));
        let known = newest.as_ref().map_or(0, Checkpoint::size);
        let largest = all.iter().map(Checkpoint::size).max().unwrap_or(0);
        assert!(known >= largest, "round {round}: {known} is known, {largest} was cosigned");
        assert_eq!(known, common.size(), "round {round}");
        let branches = ["left", "right"].map(|name| {
            let mut branch = common.clone();
            branch.grow(6, &format!("{name} {round}"));
            branch
        });
        let received = Arc::new(Mutex::new(Vec::new()));
        let mut submitters = Vec::new();
        for branch in branches.clone() {
            let (witness, received) = (Arc::clone(&witness), Arc::clone(&received));
            submitters.push(tokio::spawn(async move {
                // Each step asks as if the witness were of this branch.
                for size in known + 1..=known + 6 {
                    let request = branch.request(size - 1, size);
                    let Some((status, _, body)) = witness.post(request.to_string()).await else {
                        break;
                    };
                    if status == StatusCode::OK {
                        let mut note = request.note().clone();
                        note.add(body.trim_end().parse().unwrap()).unwrap();
                        received.lock().unwrap().push(note);
                    }
                }
            }));
        }
        // So many answers, however slow the machine is, and then any moment.
        let (wanted, begun) = ((round % 5) as usize, Instant::now());
        while received.lock().unwrap().len() < wanted && begun.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        tokio::time::sleep(Duration::from_micros(370 * (round * 7 % 23))).await;
        let pid = rustix::process::Pid::from_raw(witness.child.id() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        for submitter in submitters {
            submitter.await.unwrap();
        }
        drop(witness);
        let received = received.lock().unwrap().clone();
        rounds_with_answer += u64::from(!received.is_empty());
        for note in received {
            assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap().len(), 1);
            all.push(checkpoint(&note));
        }
        // What the disk has decides which branch won, if any.
        let after = Running::start(folder.path());
        if let Some(note) = after.newest().await {
            let newest = checkpoint(&note);
            let winner = branches.iter().find(|branch| {
                branch.size() >= newest.size()
                    && merkle::root(branch, newest.size()).unwrap() == *newest.root()
            });
            let winner = winner.expect("what is stored was submitted");
            // An inconsistent checkpoint right behind the restart.
            let mut liar = Log::default();
            liar.grow(newest.size() + 1, "liar");
            let lie = liar.request(newest.size(), newest.size() + 1);
            assert_eq!(after.status(&lie).await, 422);
            common = cut(winner, newest.size());
        }
        for checkpoint in &all {
            let is_known = checkpoint.size() <= common.size();
            assert!(is_known, "round {round}: {} was cosigned and is forgotten", checkpoint.size());
            let root = merkle::root(&common, checkpoint.size()).unwrap();
            assert_eq!(root, *checkpoint.root(), "round {round}: a second history was cosigned");
        }
    }
    assert!(rounds_with_answer > 20, "the kills came too early: {rounds_with_answer}");
    assert!(common.size() > 10, "nothing grew: {}", common.size());
}

/// The first `size` leaves of a log.
fn cut(log: &Log, size: u64) -> Log {
    let complete = |(level, index): &(u8, u64)| (index + 1) << level <= size;
    let nodes = log.nodes.iter().filter(|(place, _)| complete(place));
    let nodes = nodes.map(|(place, hash)| (*place, *hash)).collect();
    Log { frontier: Frontier::from_nodes(log, size).unwrap(), nodes }
}

#[test]
fn it_does_not_start_without_its_state_or_twice() {
    let (folder, _) = init();
    let stderr = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let again = program(&["init", "--dir", "w", "--name", "univ.example/w"], folder.path());
    assert!(stderr(&mut { again }).contains("never overwritten"));
    let running = Running::start(folder.path());
    assert!(stderr(&mut program(&RUN, folder.path())).contains("another process"));
    drop(running);
    let state = folder.path().join("w/state/checkpoints");
    let text = fs::read_to_string(&state).unwrap();
    fs::write(&state, &text[..text.len() - 1]).unwrap();
    assert!(stderr(&mut program(&RUN, folder.path())).contains("damaged"));
    fs::remove_file(&state).unwrap();
    assert!(stderr(&mut program(&RUN, folder.path())).contains("another history"));
}
