use super::{grow, leaves};
use crate::tlog::checkpoint::{Checkpoint, CheckpointError};
use crate::tlog::merkle::leaf_hash;
use crate::tlog::note::MAX_NOTE_BYTES;
use crate::tlog::proof::{ProofError, prove_inclusion};
use crate::tlog::proof_file::{
    HEADER, MAX_EXTRA_BYTES, MAX_HASHES, MAX_PROOF_BYTES, ProofFile, ProofFileError,
};

/// A file as the specification lays it out: its own example with whole base64 and signature lines.
const SPEC_FILE: &str = "c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJ1roloI=
";

fn refused(text: &str) -> ProofFileError {
    ProofFile::parse(text.as_bytes()).unwrap_err()
}

#[test]
fn the_specification_s_layout_prints_and_parses() {
    let file = ProofFile::parse(SPEC_FILE.as_bytes()).unwrap();
    assert_eq!(file.extra(), Some(&b"age-v1.2.1-darwin-arm64.tar.gz"[..]));
    assert_eq!((file.index(), file.hashes().len()), (73_894, 5));
    assert!(file.checkpoint().starts_with("example.com/fancylog\n109482\n"));
    let checkpoint = file.unchecked_checkpoint().unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size()), ("example.com/fancylog", 109_482));
    assert_eq!(file.to_string(), SPEC_FILE);
    // A path of five hashes belongs to no tree of that size: the example is abridged.
    let verdict = file.verify(&leaf_hash(b"any"), &checkpoint);
    assert_eq!(verdict, Err(ProofError::WrongLength));
}

#[test]
fn extra_and_path_may_be_missing() {
    let text = "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n";
    let file = ProofFile::parse(text.as_bytes()).unwrap();
    assert_eq!((file.extra(), file.index(), file.hashes().len()), (None, 0, 0));
    assert_eq!(file.checkpoint(), "checkpoint\n");
    assert_eq!(file.to_string(), text);
    assert!(matches!(file.unchecked_checkpoint(), Err(CheckpointError::Note(_))));
}

#[test]
fn every_leaf_of_small_trees_is_proved_and_no_other() {
    for size in 1..20 {
        let leaves = leaves(size);
        let (frontier, store) = grow(&leaves);
        let checkpoint = Checkpoint::new("log", size, frontier.root()).unwrap();
        for index in 0..size {
            let path = prove_inclusion(&store, index, size).unwrap();
            let note = format!("{checkpoint}\n— log AAAAAAA=\n");
            let file = ProofFile::new(None, index, path, note).unwrap();
            let file = ProofFile::parse(file.to_string().as_bytes()).unwrap();
            for (at, leaf) in leaves.iter().enumerate() {
                let holds = file.verify(leaf, &checkpoint).is_ok();
                assert_eq!(holds, at as u64 == index, "leaf {at} as {index} of {size}");
            }
        }
    }
}

#[test]
fn each_fault_has_its_code() {
    use ProofFileError as E;
    let change = |from: &str, to: &str| {
        assert!(SPEC_FILE.contains(from), "{from}");
        refused(&SPEC_FILE.replacen(from, to, 1))
    };
    assert_eq!(refused(""), E::BadHeader);
    assert_eq!(refused(HEADER), E::BadHeader);
    assert_eq!(change("@v1", "@v2"), E::BadHeader);
    assert_eq!(change("c2sp", " c2sp"), E::BadHeader);
    assert_eq!(change("@v1\n", "@v1\r\n"), E::BadHeader);
    assert_eq!(change("extra YWdl", "extra YW!l").code(), "bad_proof_extra");
    assert_eq!(change("extra YWdl", "extra  YWdl"), E::BadExtra);
    assert_eq!(refused("c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nnote\n"), E::BadExtra);
    for bad in ["073894", "+1", "", "-1", "1 ", "18446744073709551616", "0x1"] {
        assert_eq!(change("73894", bad), E::BadIndex, "{bad}");
    }
    assert_eq!(change("index", "Index"), E::BadIndex);
    assert_eq!(change("B95lDa8R", "B95lDa8"), E::BadHash);
    assert_eq!(change("5vk=", "5vl="), E::BadHash, "non-zero trailing bits");
    assert_eq!(change("AHCi", " AHCi"), E::BadHash);
    let head = &SPEC_FILE[..SPEC_FILE.find("\n\n").unwrap()];
    assert_eq!(refused(head), E::NoCheckpoint);
    assert_eq!(refused(&format!("{head}\n")), E::NoCheckpoint);
    assert_eq!(refused(&format!("{head}\n\n")), E::NoCheckpoint);
    let hash = "AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n";
    let long = format!("{HEADER}\nindex 0\n{}\nnote\n", hash.repeat(MAX_HASHES + 1));
    assert_eq!(refused(&long), E::TooManyHashes);
    let note = "x".repeat(MAX_NOTE_BYTES + 1);
    assert_eq!(refused(&format!("{HEADER}\nindex 0\n\n{note}")), E::CheckpointTooLong);
    assert_eq!(ProofFile::parse(&[0xff]).unwrap_err(), E::NotText);
    assert_eq!(ProofFile::parse(&vec![b'a'; MAX_PROOF_BYTES + 1]).unwrap_err(), E::TooLong);
    let extra = Some(vec![0; MAX_EXTRA_BYTES + 1]);
    assert_eq!(ProofFile::new(extra, 0, vec![], "x\n".into()).unwrap_err(), E::BadExtra);
}

#[test]
fn the_largest_file_is_read_back() {
    let (extra, hashes) = (Some(vec![7; MAX_EXTRA_BYTES]), vec![[9; 32]; MAX_HASHES]);
    let file = ProofFile::new(extra, u64::MAX, hashes, "x".repeat(MAX_NOTE_BYTES)).unwrap();
    assert_eq!(ProofFile::parse(file.to_string().as_bytes()).unwrap(), file);
}
