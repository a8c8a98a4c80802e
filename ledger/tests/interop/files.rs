//! tlog-proof files and tlog-policy texts.

use doubleentry::{
    log::{Hash as DeHash, InclusionProof, leaf_hash},
    transparency::{Policy, ProofBundle, SignedCheckpoint},
};
use musubi_ledger::{
    batch::NodeId,
    id::PartyId,
    policy::{LogKey, Member, Trusted, Witness, WitnessPolicy},
    tlog::{
        Checkpoint, SignedNote, base64,
        proof::{prove_inclusion, verify_inclusion},
    },
};
use proptest::prelude::*;

use crate::log::{Key, Log, ORIGIN, flip};

/// A ledger's policy, with all its keys.
struct Scheme {
    policy: WitnessPolicy,
    nodes: Vec<Key>,
    cosigners: Vec<Key>,
}

impl Scheme {
    /// Organisations with so many validators each, independent witnesses, and so many voices more than
    /// the majority that is needed.
    fn new(organisations: &[usize], independent: usize, more: usize) -> Self {
        let (mut nodes, mut cosigners, mut members) = (Vec::new(), Vec::new(), Vec::new());
        for (organisation, count) in organisations.iter().enumerate() {
            for _ in 0..*count {
                let id = nodes.len() as u8 + 1;
                nodes.push(Key::log(ORIGIN, id));
                cosigners.push(Key::cosigner(&format!("ledger.example/node/{id}"), 100 + id));
                members.push(Member::Organisation(PartyId([organisation as u8 + 1; 16])));
            }
        }
        for id in 0..independent as u8 {
            cosigners.push(Key::cosigner(&format!("univ.example/w{id}"), 200 + id));
            members.push(Member::Independent);
        }
        let voices = organisations.len() + independent;
        let log = |(at, key): (usize, &Key)| LogKey {
            node: NodeId(at as u64 + 1),
            key: key.secret.public(),
        };
        let witness = |(key, member): (&Key, Member)| Witness {
            name: key.public.name().to_owned(),
            key: key.secret.public(),
            member,
        };
        let policy = WitnessPolicy {
            number: 1,
            logs: nodes.iter().enumerate().map(log).collect(),
            witnesses: cosigners.iter().zip(members).map(witness).collect(),
            quorum: (voices / 2 + 1 + more).min(voices) as u8,
        };
        assert!(policy.well_formed());
        Self { policy, nodes, cosigners }
    }

    /// Three organisations with a validator each and a university: three of four must have cosigned.
    fn usual() -> Self {
        Self::new(&[1, 1, 1], 1, 0)
    }

    fn text(&self) -> String {
        self.policy.to_text(ORIGIN).unwrap()
    }

    /// A checkpoint signed by one validator as the log, and cosigned by those whose bit is set.
    fn note(&self, log: &Log, size: u64, signer: usize, who: u32) -> SignedNote {
        let mut note = log.note(size, &self.nodes[signer % self.nodes.len()]);
        let signing = self.cosigners.iter().enumerate().filter(|(at, _)| who >> at & 1 == 1);
        signing.for_each(|(at, key)| key.cosign(&mut note, 1_792_108_800 + at as u64));
        note
    }
}

/// The file as its specification writes it.
fn file(extra: Option<&[u8]>, index: u64, path: &[[u8; 32]], note: &SignedNote) -> String {
    let mut text = "c2sp.org/tlog-proof@v1\n".to_owned();
    if let Some(extra) = extra {
        text += &format!("extra {}\n", base64::encode(extra));
    }
    text += &format!("index {index}\n");
    path.iter().for_each(|hash| text += &format!("{}\n", base64::encode(hash)));
    format!("{text}\n{note}")
}

/// What another implementation concludes from a file, a leaf and a policy.
fn accepted(file: &[u8], entry: &[u8], policy: &Policy) -> bool {
    let Ok(bundle) = ProofBundle::parse(file) else { return false };
    let head = bundle.checkpoint().checkpoint().head();
    let path = bundle.path().to_vec();
    let proof = InclusionProof { index: bundle.index(), size: head.size, path };
    policy.verify(bundle.checkpoint()).is_ok() && proof.verify(&leaf_hash(entry), &head).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proof_files(size in 1..600u64, index in any::<u64>(), extra in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..300)), at in any::<usize>()) {
        let (scheme, log) = (Scheme::usual(), Log::numbered(size, 1));
        let index = index % size;
        let path = prove_inclusion(&log, index, size).unwrap();
        let file = file(extra.as_deref(), index, &path, &scheme.note(&log, size, 0, 0b0111));
        let policy: Policy = scheme.text().parse().unwrap();
        let bundle = ProofBundle::parse(file.as_bytes()).unwrap();
        prop_assert_eq!(bundle.to_bytes(), file.clone().into_bytes());
        prop_assert_eq!((bundle.index(), bundle.extra()), (index, extra.as_deref()));
        let theirs: Vec<[u8; 32]> = bundle.path().iter().map(|hash| *DeHash::as_bytes(hash)).collect();
        prop_assert_eq!(&theirs, &path);
        let entry = log.entries[index as usize].clone();
        prop_assert!(accepted(file.as_bytes(), &entry, &policy));
        prop_assert!(!accepted(file.as_bytes(), b"another leaf", &policy));
        // Each of the three cosignatures is needed: whatever is changed behind the part that nobody
        // signs is noticed.
        let from = file.find("index ").unwrap();
        let mut tampered = file.into_bytes();
        flip(&mut tampered[from..], at);
        prop_assert!(!accepted(&tampered, &entry, &policy), "{}", String::from_utf8_lossy(&tampered));
    }

    /// The text of a policy means elsewhere what the policy means here: for every set of cosigners, one
    /// verdict; also when something was altered.
    #[test]
    fn policies_are_judged_alike(
        organisations in proptest::collection::vec(1..3usize, 1..5),
        (independent, more, signer) in (0..3usize, 0..3usize, any::<usize>()),
        whos in proptest::collection::vec(any::<u32>(), 1..12),
        damage in proptest::option::of(any::<usize>()),
    ) {
        let scheme = Scheme::new(&organisations, independent, more);
        let trusted = Trusted::new(ORIGIN, &scheme.policy).unwrap();
        prop_assert_eq!(trusted.to_text(), scheme.text());
        let policy: Policy = scheme.text().parse().unwrap();
        prop_assert_eq!(policy.logs().count(), scheme.nodes.len());
        let log = Log::numbered(30, 2);
        for who in whos.into_iter().chain([0, u32::MAX]) {
            let mut bytes = scheme.note(&log, 30, signer, who).to_string().into_bytes();
            if let Some(at) = damage {
                flip(&mut bytes, at);
            }
            let signed = SignedCheckpoint::parse(&bytes);
            let theirs = signed.and_then(|signed| policy.verify(&signed));
            let ours = trusted.check(&bytes);
            prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?}", ours, theirs);
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                prop_assert_eq!(ours.cosigned.len(), theirs.witnesses.len());
            }
        }
    }
}

/// The example proof of the Go reference implementation reads the same here, part by part.
#[test]
fn a_proof_file_of_another_implementation() {
    for (vector, extra) in
        [("bundles/index-5-extra", Some(&b"leaf-5"[..])), ("bundles/index-5-no-extra", None)]
    {
        let text = crate::go::Vector::read(vector).text("bundle_b64");
        let (head, note) = text.split_once("\n\n").unwrap();
        let note: SignedNote = note.parse().unwrap();
        let checkpoint: Checkpoint = note.text().parse().unwrap();
        let lines = head.lines().filter(|line| !line.contains(' ') && !line.contains('@'));
        let path: Vec<[u8; 32]> =
            lines.map(|line| base64::decode(line).unwrap().try_into().unwrap()).collect();
        assert_eq!(file(extra, 5, &path, &note), text);
        let leaf = musubi_ledger::tlog::merkle::leaf_hash(b"leaf-5");
        verify_inclusion(&leaf, 5, checkpoint.size(), &path, checkpoint.root()).unwrap();
    }
}
