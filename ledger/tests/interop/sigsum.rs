//! Sigsum: an own proof format around the same checkpoints, cosignatures and tree. A log of ours that
//! plays a Sigsum log is verified by its library; a real signature of its test logs is verified here.

use musubi_ledger::{
    hash::sha256,
    keys::SecretKey,
    tlog::{
        Algorithm, Checkpoint, Hash, SignedNote, VerifierKey, base64,
        proof::{prove_inclusion, verify_inclusion},
    },
};
use proptest::prelude::*;
use sigsum::{Policy, PublicKey, SigsumSignature};

use crate::log::{Key, Log, flip};

fn origin(log_key: &[u8; 32]) -> String {
    format!("sigsum.org/v1/tree/{}", hex(&sha256(log_key)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a Sigsum log stores: the message's checksum, its signature, and the hash of the signer's key.
fn leaf(message: &[u8], signer: &SecretKey) -> (Vec<u8>, String) {
    let checksum = sha256(&sha256(message));
    let signed = [&b"sigsum.org/v1/tree-leaf\0"[..], &checksum].concat();
    let (signature, keyhash) = (signer.sign(&signed).0, sha256(&signer.public().0));
    let text = format!("{} {}", hex(&keyhash), hex(&signature));
    ([&checksum[..], &signature, &keyhash].concat(), text)
}

/// One signature line of a note, as hex of what follows the key id.
fn signature_of(note: &SignedNote, at: usize) -> Vec<u8> {
    let line = note.signatures()[at].to_string();
    base64::decode(line.rsplit(' ').next().unwrap()).unwrap()[4..].to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_log_as_a_sigsum_log(size in 1..300u64, index in any::<u64>(), who in 0u8..8, at in any::<usize>()) {
        let index = index % size;
        let (signer, message) = (SecretKey::from_seed(&[5; 32]), b"a payment of 500 yen");
        let (entry, leaf_line) = leaf(message, &signer);
        let mut entries = Log::numbered(size, 4).entries;
        entries[index as usize] = entry;
        let log = Log::of(entries);
        let log_seed = SecretKey::from_seed(&[6; 32]).public().0;
        let key = Key::log(&origin(&log_seed), 6);
        let checkpoint = Checkpoint::new(key.public.name(), size, log.root_at(size)).unwrap();
        let mut note = key.note(&checkpoint.to_string());
        let witnesses: Vec<Key> = (0..3).map(|n| Key::cosigner(&format!("w{n}"), 30 + n)).collect();
        let mut cosignatures = String::new();
        for (n, witness) in witnesses.iter().enumerate().filter(|(n, _)| who >> n & 1 == 1) {
            witness.cosign(&mut note, 1_792_108_800 + n as u64);
            let field = signature_of(&note, note.signatures().len() - 1);
            let (time, signature) = field.split_first_chunk::<8>().unwrap();
            let keyhash = hex(&sha256(witness.public.public_key()));
            cosignatures += &format!("cosignature={keyhash} {} {}\n", u64::from_be_bytes(*time), hex(signature));
        }
        let mut policy = format!("log {}\n", hex(&log_seed));
        for (n, witness) in witnesses.iter().enumerate() {
            policy += &format!("witness w{n} {}\n", hex(witness.public.public_key()));
        }
        let policy = Policy::parse(&(policy + "group quorum 2 w0 w1 w2\nquorum quorum\n")).unwrap();
        let path = prove_inclusion(&log, index, size).unwrap();
        let mut text = format!(
            "version=2\nlog={}\nleaf={leaf_line}\n\nsize={size}\nroot_hash={}\nsignature={}\n{cosignatures}\nleaf_index={index}\n",
            hex(&sha256(&log_seed)), hex(checkpoint.root()), hex(&signature_of(&note, 0)),
        );
        path.iter().for_each(|hash| text += &format!("node_hash={}\n", hex(hash)));
        let signers = [PublicKey::from(signer.public().0)];
        let message = sigsum::Hash::new(message);
        let verify = |text: &str| {
            let signature = SigsumSignature::from_ascii(text).ok()?;
            sigsum::verify(&message, &signature, &signers, &policy).ok()
        };
        prop_assert_eq!(verify(&text).is_some(), who.count_ones() >= 2, "{}", text);
        // A digit of the root.
        let digit = text.find("root_hash=").unwrap() + 10 + at % 64;
        let other = if text.as_bytes()[digit] == b'0' { "1" } else { "0" };
        text.replace_range(digit..=digit, other);
        prop_assert!(verify(&text).is_none());
    }
}

/// The signature in the documentation of `sigsum` 0.3.0: made by a test log of the Sigsum project in February
/// 2026, cosigned by witnesses that others run.
const REAL: &str = include_str!("sigsum.txt");

/// Public keys of that log and its witnesses, from the policy `sigsum-test-2025-3`.
const LOG: &str = "47e481606d8acba747a6b053d6c2d191605fb122175d410a1202a91430abce39";
const WITNESSES: [&str; 8] = [
    "1c25f8a44c635457e2e391d1efbca7d4c2951a0aef06225a881e46b98962ac6c",
    "28c92a5a3a054d317c86fc2eeb6a7ab2054d6217100d0be67ded5b74323c5806",
    "f4855a0f46e8a3e23bb40faf260ee57ab8a18249fa402f2ca2d28a60e1a3130e",
    "dcbf728e02d479f5a7e20dc09adf525833ed6e797526517aeb07fc6854849fc6",
    "ebcdeb78e7fdb2ef9227b2c1ef11e94600b55b4d6d9a57877e31ee89e59adc36",
    "4a921b7caef58ae670cdc11ef4184f1c058f7b9259a9107a969f69fa54aa496f",
    "636582aec12f32c18a21733db9e3f718058ee7aaec6dbe4eb81781e0f4300c6e",
    "2b6eb0ec483503544cde4e8fc1ce6d1921db21dffccc186865f808f7625443cc",
];

fn unhex<const N: usize>(text: &str) -> [u8; N] {
    let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(byte)
}

fn fields(name: &str) -> impl Iterator<Item = &str> {
    REAL.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix('='))
}

fn field(name: &str) -> &str {
    fields(name).next().unwrap()
}

/// A signature line by `key` with these bytes after the key id.
fn line(key: &VerifierKey, bytes: &[u8]) -> String {
    let whole = [&key.id().to_be_bytes()[..], bytes].concat();
    format!("— {} {}\n", key.name(), base64::encode(&whole))
}

#[test]
fn a_real_signature_of_a_sigsum_log() {
    let signature = SigsumSignature::from_ascii(REAL).unwrap();
    let signer = unhex::<32>("99ed58583e8750b20548e69df4a4e1a592379a9a66c51cd32e42fbe4e1bde78a");
    let message = sigsum::Hash::new(b"Hello, Sigsum!\n");
    let policy = &sigsum::policy::SIGSUM_TEST_2025_3;
    sigsum::verify(&message, &signature, &[signer.into()], policy).unwrap();

    let log_key = unhex::<32>(LOG);
    assert_eq!(hex(&sha256(&log_key)), field("log"));
    let origin = origin(&log_key);
    let root: Hash = unhex(field("root_hash"));
    let checkpoint = Checkpoint::new(&origin, field("size").parse().unwrap(), root).unwrap();
    let mut keys = vec![VerifierKey::new(&origin, Algorithm::Ed25519, &log_key).unwrap()];
    let mut note = format!("{checkpoint}\n{}", line(&keys[0], &unhex::<64>(field("signature"))));
    for (at, witness) in WITNESSES.iter().enumerate() {
        let public = unhex::<32>(witness);
        let key = VerifierKey::new(&format!("w{at}"), Algorithm::CosignatureV1, &public).unwrap();
        let keyhash = hex(&sha256(&public));
        for cosignature in fields("cosignature").filter(|it| it.starts_with(&keyhash)) {
            let (time, bytes) = cosignature[65..].split_once(' ').unwrap();
            let time: u64 = time.parse().unwrap();
            note += &line(&key, &[&time.to_be_bytes()[..], &unhex::<64>(bytes)].concat());
        }
        keys.push(key);
    }
    let opened = Checkpoint::open(note.as_bytes(), &origin, &keys).unwrap();
    assert_eq!(opened.verified.len(), 1 + fields("cosignature").count());
    assert!(opened.verified.len() > 4, "cosigned by several");

    let (keyhash, leaf_signature) = field("leaf").split_once(' ').unwrap();
    let checksum = sha256(&sha256(b"Hello, Sigsum!\n"));
    let entry = [&checksum[..], &unhex::<64>(leaf_signature), &unhex::<32>(keyhash)].concat();
    let leaf = musubi_ledger::tlog::merkle::leaf_hash(&entry);
    let path: Vec<Hash> = fields("node_hash").map(unhex::<32>).collect();
    let index = field("leaf_index").parse().unwrap();
    verify_inclusion(&leaf, index, checkpoint.size(), &path, &root).unwrap();

    for at in [0, 700, 1400] {
        let mut tampered = note.clone().into_bytes();
        flip(&mut tampered, at);
        let opened = Checkpoint::open(&tampered, &origin, &keys).ok();
        assert!(opened.is_none_or(|it| it.verified.len() < keys.len()), "bit {at}");
    }
}
