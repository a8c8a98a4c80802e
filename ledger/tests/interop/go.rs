//! Vectors that the Go reference implementations made (`c2sp/README.md`): what Go decides, Musubi decides,
//! except where Musubi is stricter on purpose.

use std::{fs, path::PathBuf};

use musubi_ledger::{
    hash::sha256,
    tlog::{
        Checkpoint, Hash, NoteSignature, SignedNote, TilePath, VerifierKey, base64, bundle,
        proof::{prove_consistency, prove_inclusion, verify_consistency, verify_inclusion},
        witness::{AddCheckpoint, KnownLog, Step, Submission, Witness},
    },
};

use crate::log::{Key, Log};

/// One vector file: its fields in order.
pub(crate) struct Vector {
    name: String,
    fields: Vec<(String, String)>,
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "interop", "c2sp"].iter().collect()
}

impl Vector {
    pub(crate) fn read(name: &str) -> Self {
        let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
        let field = |line: &str| {
            let (key, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            (key.to_owned(), value.to_owned())
        };
        let fields = text.lines().filter(|line| !line.starts_with('#')).map(field).collect();
        Self { name: name.to_owned(), fields }
    }

    /// All vectors of a folder, by name.
    fn all(of: &str) -> Vec<Self> {
        let files = fs::read_dir(folder().join(of)).unwrap().map(|file| file.unwrap().path());
        let names = files.filter(|file| file.extension().is_some_and(|it| it == "txt"));
        let mut names: Vec<String> =
            names.map(|file| format!("{of}/{}", file.file_stem().unwrap().display())).collect();
        names.sort();
        assert!(!names.is_empty(), "no vectors in {of}");
        names.iter().map(|name| Self::read(name)).collect()
    }

    fn values<'v>(&'v self, key: &str) -> impl Iterator<Item = &'v str> {
        let key = key.to_owned();
        self.fields.iter().filter(move |(name, _)| *name == key).map(|(_, value)| value.as_str())
    }

    fn get(&self, key: &str) -> &str {
        let value = self.values(key).next();
        value.unwrap_or_else(|| panic!("{} has no field {key}", self.name)).trim()
    }

    fn bytes(&self, key: &str) -> Vec<u8> {
        base64::decode(self.get(key)).unwrap()
    }

    pub(crate) fn text(&self, key: &str) -> String {
        String::from_utf8(self.bytes(key)).unwrap()
    }

    fn short(&self) -> &str {
        self.name.rsplit('/').next().unwrap()
    }
}

fn hash(text: &str) -> Hash {
    base64::decode(text).unwrap().try_into().unwrap()
}

/// The log of the vectors: `leaf-0`, `leaf-1`, …
fn leaves(count: u64) -> Log {
    Log::of((0..count).map(|at| format!("leaf-{at}").into_bytes()))
}

#[test]
fn trees() {
    let log = leaves(300);
    for line in Vector::read("trees/roots").values("root") {
        let (size, root) = line.split_once(' ').unwrap();
        let size = size.parse().unwrap();
        let root = hash(root);
        let own = if size <= log.size() { log.root_at(size) } else { leaves(size).root_at(size) };
        assert_eq!(own, root, "{size}");
    }
    for (vector, inclusion) in [("trees/inclusion", true), ("trees/consistency", false)] {
        let vector = Vector::read(vector);
        assert!(vector.values("proof").count() > 200);
        for line in vector.values("proof") {
            let mut words = line.split(' ');
            let (at, size) = (words.next().unwrap(), words.next().unwrap());
            let (at, size) = (at.parse().unwrap(), size.parse().unwrap());
            let path: Vec<Hash> = words.map(hash).collect();
            let root = log.root_at(size);
            if inclusion {
                assert_eq!(prove_inclusion(&log, at, size).unwrap(), path, "{line}");
                verify_inclusion(&log.leaf(at), at, size, &path, &root).unwrap();
            } else {
                assert_eq!(prove_consistency(&log, at, size).unwrap(), path, "{line}");
                verify_consistency(at, &log.root_at(at), size, &root, &path).unwrap();
            }
        }
    }
}

#[test]
fn tiles() {
    for vector in Vector::all("tiles") {
        let size: u64 = vector.get("size").parse().unwrap();
        let log = leaves(size);
        for line in vector.values("tile").chain(vector.values("entries")) {
            let (path, digest) = line.split_once(' ').unwrap();
            let content = match path.parse().unwrap() {
                TilePath::Hashes(tile) => tile.read(&log).unwrap(),
                TilePath::Entries(place) => {
                    let from = place.index as usize * 256;
                    bundle::encode(&log.entries[from..from + usize::from(place.width)]).unwrap()
                }
            };
            let own: String = sha256(&content).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(own, digest, "{} {path}", vector.name);
        }
    }
}

#[test]
fn keys() {
    for vector in Vector::all("keys") {
        let line = vector.get("vkey");
        let parsed = line.parse::<VerifierKey>();
        let known = matches!(vector.get("crate"), "Ed25519" | "CosignatureEd25519");
        assert_eq!(parsed.is_ok(), known, "{}: {parsed:?}", vector.name);
        if let Ok(key) = parsed {
            assert_eq!((key.to_string(), vector.get("go")), (line.to_owned(), "accept"));
        }
    }
}

/// The example of signed-note itself, and checkpoints that Go signed.
#[test]
fn notes() {
    for vector in Vector::all("notes") {
        let key: VerifierKey = vector.get("vkey").parse().unwrap();
        let bytes = vector.bytes("note_b64");
        let note = SignedNote::parse(&bytes).unwrap();
        assert_eq!(note.to_string().into_bytes(), bytes);
        assert_eq!(note.verify(std::slice::from_ref(&key)).unwrap().len(), 1, "{}", vector.name);
        if vector.short() == "signed-note-example" {
            continue;
        }
        let opened = Checkpoint::open(&bytes, key.name(), std::slice::from_ref(&key)).unwrap();
        let size = opened.checkpoint.size();
        if let Some(seed) = vector.values("seed").next() {
            let log = Key::log(key.name(), u8::from_str_radix(seed, 16).unwrap());
            assert_eq!(log.note(note.text()).to_string().into_bytes(), bytes, "we sign alike");
            assert_eq!(*opened.checkpoint.root(), leaves(size).root_at(size));
        }
    }
}

#[test]
fn malformed_notes() {
    // Go's parsers let these through; the specifications do not.
    let stricter =
        ["empty-extension-line", "non-canonical-base64", "root-31-bytes", "size-leading-zero"];
    for vector in Vector::all("notes/malformed") {
        let key: VerifierKey = vector.get("vkey").parse().unwrap();
        let opened =
            Checkpoint::open(&vector.bytes("note_b64"), key.name(), std::slice::from_ref(&key));
        let accepted = vector.get("go") == "accept" && !stricter.contains(&vector.short());
        assert_eq!(opened.is_ok(), accepted, "{}: {opened:?}", vector.name);
    }
}

#[test]
fn cosignatures() {
    for vector in Vector::all("witness/cosignatures") {
        let key: VerifierKey = vector.get("witness").parse().unwrap();
        let mut note: SignedNote = vector.text("checkpoint_b64").parse().unwrap();
        note.add(vector.get("line").parse::<NoteSignature>().unwrap()).unwrap();
        assert_eq!(note.to_string(), vector.text("cosigned_b64"));
        let verified = note.verify(std::slice::from_ref(&key)).unwrap();
        let time: u64 = vector.get("timestamp").parse().unwrap();
        assert_eq!(verified[0].unix_seconds, Some(time), "{}", vector.name);
    }
}

/// Our requests are the bytes that the stock witness took, and our witness answers them as it did.
#[test]
fn witness_requests() {
    for vector in Vector::all("witness/requests") {
        let body = vector.text("body_b64");
        let note: SignedNote = vector.text("checkpoint_b64").parse().unwrap();
        let old: u64 = vector.get("old").parse().unwrap();
        let words = vector.values("proof").flat_map(|line| line.split(' '));
        let proof: Vec<Hash> = words.filter(|word| !word.is_empty()).map(hash).collect();
        let request = AddCheckpoint::new(old, proof, note.clone()).unwrap();
        assert_eq!(request.to_string(), body, "{}", vector.name);
        assert_eq!(AddCheckpoint::parse(body.as_bytes()).unwrap(), request);

        let log_key = Key::log("example.com/ledgers/acme", 7);
        let origin = log_key.public.name().to_owned();
        let known = KnownLog::new(&origin, vec![log_key.public.clone()]).unwrap();
        let key = Key::cosigner("univ.example/w1", 9);
        let mut witness = Witness::new(key.public.clone(), vec![known]).unwrap();
        let mut cosign = |request: &AddCheckpoint| {
            let by = |message: &[u8]| key.secret.sign(message).0;
            witness.add_checkpoint(request, 1, by).map(|pending| pending.persisted().status)
        };
        if old > 0 {
            let earlier = Checkpoint::new(&origin, old, leaves(old).root_at(old)).unwrap();
            let note = log_key.note(&earlier.to_string());
            assert_eq!(cosign(&AddCheckpoint::new(0, vec![], note).unwrap()), Ok(200));
        }
        assert_eq!(cosign(&request), Ok(vector.get("status").parse().unwrap()), "{}", vector.name);

        let stock: VerifierKey =
            "witness.example/w1+24b5d9fe+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY"
                .parse()
                .unwrap();
        let mut submission = Submission::new(stock, old);
        let step = submission.answered(&note, 200, None, &vector.bytes("reply_b64"));
        assert!(matches!(step, Ok(Step::Cosigned(_))), "{}: {step:?}", vector.name);
    }
}

#[test]
fn witness_replies() {
    for vector in Vector::all("witness/replies") {
        let request = AddCheckpoint::parse(&vector.bytes("request_b64")).unwrap();
        let mut submission = Submission::new(vector.get("witness").parse().unwrap(), request.old());
        let content_type = Some(vector.get("content_type")).filter(|it| !it.is_empty());
        let status = vector.get("status").parse().unwrap();
        let step =
            submission.answered(request.note(), status, content_type, &vector.bytes("body_b64"));
        let expected = match vector.get("crate") {
            "Cosigned" => "cosigned",
            "Conflict:7" | "Conflict:9" => "again",
            "MalformedReply" => "bad_witness_answer",
            "BadRequest" => "witness_bad_request",
            "Forbidden" => "witness_forbidden",
            "UnknownLog" => "witness_unknown_log",
            "Unprocessable" => "witness_unprocessable",
            "Pushback" => "witness_busy",
            "Unexpected:500" => "witness_unavailable",
            other => panic!("{other}"),
        };
        let found = match &step {
            Ok(Step::Cosigned(_)) => "cosigned",
            Ok(Step::Again) => "again",
            Err(error) => error.code(),
        };
        assert_eq!(found, expected, "{}", vector.name);
        if let Some(size) = vector.get("crate").strip_prefix("Conflict:") {
            assert_eq!(submission.known(), size.parse().unwrap());
        }
    }
}
