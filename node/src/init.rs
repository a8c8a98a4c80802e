//! `musubi-node init`: the files a node starts from.
//!
//! Three steps, because three organisations do them: each makes its keys on its own machine and hands
//! out the public halves; together they write one genesis document; each writes its configuration.

use std::{
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use musubi_ledger::{
    genesis::Genesis,
    keys::{PublicKey, SecretKey},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    config::{
        Config, HttpSection, LogSection, MemberSection, NetworkSection, ReaderSection,
        ReplicaSection, Role, Start, TuningSection,
    },
    http::HttpLimits,
};

/// The public halves of a node's keys, as `init keys` prints them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeKeys {
    /// On the wire.
    pub transport: PublicKey,
    /// For batches and checkpoints.
    pub node: PublicKey,
    /// For cosignatures.
    pub cosigner: PublicKey,
}

const KEY_NAMES: [&str; 3] = ["transport", "node", "cosigner"];

/// Makes a node's three keys in `folder`; existing ones are never overwritten.
///
/// # Errors
/// If the folder cannot be written, or a key is already there.
pub fn make_keys(folder: &Path) -> anyhow::Result<NodeKeys> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let mut public = Vec::new();
    for name in KEY_NAMES {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *seed).context("the system gave no randomness")?;
        let mut text = Zeroizing::new([b'\n'; 65]);
        hex::encode_to_slice(*seed, &mut text[..64]).expect("two digits a byte");
        create(&folder.join(format!("{name}.key")), &*text, OWNER_ALONE)?;
        public.push(SecretKey::from_seed(&seed).public());
    }
    Ok(NodeKeys { transport: public[0], node: public[1], cosigner: public[2] })
}

/// Modes of new files.
const OWNER_ALONE: u32 = 0o600;
const EVERYBODY_READS: u32 = 0o644;

/// Writes a new file, durably: a crash leaves all of it or none, and one that exists is never overwritten.
fn create(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let draft = draft_of(path);
    write_draft(&draft, bytes, mode)?;
    publish(&draft, path)
}

/// Writes a new file that everybody may read, durably.
///
/// # Errors
/// If it is there already, or cannot be written.
pub fn create_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    create(path, bytes, EVERYBODY_READS)
}

/// Where a file is written before it gets its name.
fn draft_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.new"))
}

/// A crash here leaves a hidden file, or half of one, that the next attempt replaces.
fn write_draft(draft: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    if draft.symlink_metadata().is_ok() {
        std::fs::remove_file(draft)
            .with_context(|| format!("cannot replace {}", draft.display()))?;
    }
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(draft);
    let mut file = opened.with_context(|| format!("cannot create {}", draft.display()))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// Gives a whole file its name, if nothing has it. Durable only when the folder is synced, too.
fn publish(draft: &Path, path: &Path) -> anyhow::Result<()> {
    // Unlike a rename, a link does not replace what is there.
    let linked = std::fs::hard_link(draft, path);
    std::fs::remove_file(draft)?;
    linked.with_context(|| {
        format!("cannot create {} (an existing file is never overwritten)", path.display())
    })?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

/// Turns a genesis draft in JSON into the document that all nodes share. Returns the chain's id.
///
/// # Errors
/// If the draft does not parse, does not hold together, or the document exists already.
pub fn make_genesis(draft: &Path, out: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(draft)
        .with_context(|| format!("cannot read {}", draft.display()))?;
    let genesis: Genesis = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a genesis draft", draft.display()))?;
    if genesis.parameters.driven_time {
        bail!(
            "{} asks for driven_time: then whoever operates a node says what time it is. That is for tests, whose \
             networks musubi-testnet makes; no chain that begins here has it",
            draft.display()
        );
    }
    write_genesis(&genesis, out)
}

/// Writes a checked genesis document.
///
/// # Errors
/// As [`make_genesis`].
pub fn write_genesis(genesis: &Genesis, out: &Path) -> anyhow::Result<String> {
    genesis.check().context("the genesis draft does not hold together")?;
    create(out, &genesis.encode(), EVERYBODY_READS)?;
    Ok(genesis.chain().to_string())
}

/// What `init config` is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The node's folder: configuration, keys and data.
    pub folder: PathBuf,
    /// The genesis document, copied into the folder.
    pub genesis: PathBuf,
    /// Raft id.
    pub node: u64,
    /// Address for validators.
    pub listen: SocketAddr,
    /// Address of the API.
    pub http: SocketAddr,
    /// The other validators.
    pub members: Vec<(u64, SocketAddr)>,
    /// The recovery that began the present epoch, copied into the folder; none in the first.
    pub recovery: Option<PathBuf>,
    /// Names and bearer tokens of readers.
    pub readers: Vec<(String, String)>,
    /// The same of operators.
    pub operators: Vec<(String, String)>,
    /// Logs as JSON.
    pub json_log: bool,
}

/// Writes `node.toml` and a copy of the genesis document into the node's folder. A configuration that is
/// there was perhaps edited, and is never overwritten; nor is another genesis document.
///
/// # Errors
/// If keys are missing, files are there already, or the result would not load; then nothing has changed
/// but the copy of the genesis document.
pub fn make_config(setup: &Setup) -> anyhow::Result<PathBuf> {
    let folder = &setup.folder;
    if !folder.join("keys/node.key").exists() {
        bail!("no keys in {0}/keys: run `musubi-node init keys --dir {0}` first", folder.display());
    }
    let path = folder.join("node.toml");
    if path.exists() {
        bail!("{} exists: edit it, or move it away to have a new one written", path.display());
    }
    copy_genesis(&setup.genesis, &folder.join("genesis.bin"))?;
    let recovery = setup.recovery.as_ref();
    if let Some(from) = recovery {
        copy_same(from, &folder.join("recovery.json"), "another recovery")?;
    }
    let members = setup.members.iter();
    let config = Config {
        role: Role::Validator,
        node: setup.node,
        genesis: "genesis.bin".into(),
        data: "data".into(),
        keys: "keys".into(),
        network: Some(NetworkSection {
            listen: setup.listen,
            member: members
                .map(|(node, address)| MemberSection { node: *node, address: *address })
                .collect(),
        }),
        witness: Vec::new(),
        recovery: recovery.map(|_| "recovery.json".into()),
        replica: None,
        http: http_section(setup.http, &setup.readers, &setup.operators),
        log: LogSection { json: setup.json_log, ..LogSection::default() },
        tuning: TuningSection::default(),
    };
    write_config(&config, &path)?;
    Ok(path)
}

/// What `init replica` is told.
#[derive(Clone, Debug)]
pub struct ReplicaSetup {
    /// The replica's folder: configuration, token and data.
    pub folder: PathBuf,
    /// The genesis document, its root of trust; copied into the folder.
    pub genesis: PathBuf,
    /// Address of the API.
    pub http: SocketAddr,
    /// Whom to follow.
    pub upstream: Vec<String>,
    /// File with the token that the upstreams want; copied into the folder.
    pub token_file: PathBuf,
    /// Where to begin.
    pub start: Start,
    /// Names and bearer tokens of readers.
    pub readers: Vec<(String, String)>,
    /// Logs as JSON.
    pub json_log: bool,
}

/// Writes `node.toml`, the token and a copy of the genesis document into a replica's folder. As with
/// [`make_config`], what is there is never overwritten.
///
/// # Errors
/// As [`make_config`].
pub fn make_replica(setup: &ReplicaSetup) -> anyhow::Result<PathBuf> {
    let folder = &setup.folder;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join("node.toml");
    if path.exists() {
        bail!("{} exists: edit it, or move it away to have a new one written", path.display());
    }
    copy_genesis(&setup.genesis, &folder.join("genesis.bin"))?;
    let token = std::fs::read(&setup.token_file)
        .with_context(|| format!("cannot read {}", setup.token_file.display()))?;
    let token = Zeroizing::new(token);
    let copy = folder.join("upstream.token");
    match std::fs::read(&copy).map(Zeroizing::new) {
        Ok(there) if there == token => {}
        Ok(_) => bail!("{} holds another token: move it away", copy.display()),
        Err(_) => create(&copy, &token, OWNER_ALONE)?,
    }
    let config = Config {
        role: Role::Replica,
        node: 0,
        genesis: "genesis.bin".into(),
        data: "data".into(),
        keys: PathBuf::new(),
        network: None,
        witness: Vec::new(),
        recovery: None,
        replica: Some(ReplicaSection {
            upstream: setup.upstream.clone(),
            token_file: "upstream.token".into(),
            start: setup.start,
        }),
        http: http_section(setup.http, &setup.readers, &[]),
        log: LogSection { json: setup.json_log, ..LogSection::default() },
        tuning: TuningSection::default(),
    };
    write_config(&config, &path)?;
    Ok(path)
}

fn http_section(
    listen: SocketAddr,
    readers: &[(String, String)],
    operators: &[(String, String)],
) -> HttpSection {
    let section = |(name, token): &(String, String)| ReaderSection {
        name: name.clone(),
        token_sha256: hex::encode(musubi_ledger::hash::sha256(token.as_bytes())),
    };
    HttpSection {
        listen,
        allow_remote: false,
        reader: readers.iter().map(section).collect(),
        operator: operators.iter().map(section).collect(),
        body: Vec::new(),
        limits: HttpLimits::default(),
    }
}

/// Writes a configuration under its name, if it loads.
fn write_config(config: &Config, path: &Path) -> anyhow::Result<()> {
    let draft = draft_of(path);
    write_draft(&draft, toml::to_string_pretty(config)?.as_bytes(), EVERYBODY_READS)?;
    if let Err(error) = Config::load(&draft) {
        std::fs::remove_file(&draft)?;
        return Err(error).context("a configuration of these values does not load");
    }
    publish(&draft, path)
}

/// Copies the document, unless the very same is there.
fn copy_genesis(from: &Path, to: &Path) -> anyhow::Result<()> {
    copy_same(from, to, "another chain's genesis document")
}

fn copy_same(from: &Path, to: &Path, other: &str) -> anyhow::Result<()> {
    let bytes = std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    match std::fs::read(to) {
        Ok(there) if there == bytes => Ok(()),
        Ok(_) => bail!("{} is {other}", to.display()),
        Err(_) => create(to, &bytes, EVERYBODY_READS),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_are_created_whole_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        // What a crash left of an earlier attempt is in nobody's way.
        std::fs::write(draft_of(&path), "half").unwrap();
        create(&path, b"first", OWNER_ALONE).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let error = create(&path, b"second", OWNER_ALONE).unwrap_err().to_string();
        assert!(error.contains("never overwritten"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn keys_are_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let keys = make_keys(folder.path()).unwrap();
        let read = crate::config::read_key(&folder.path().join("node.key")).unwrap();
        assert_eq!(read.public(), keys.node);
        assert!(make_keys(folder.path()).is_err());
        let again = crate::config::read_key(&folder.path().join("node.key")).unwrap();
        assert_eq!(again.public(), keys.node);
    }

    /// Operating.md's example, with keys that exist.
    fn setup(folder: &Path) -> Setup {
        let keys = make_keys(&folder.join("keys")).unwrap();
        let manual = include_str!("../../docs/OPERATING.md");
        let draft = manual.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        let mut genesis: Genesis = serde_json::from_str(draft).unwrap();
        let node = &mut genesis.nodes[0];
        (node.transport, node.node, node.cosigner) = (keys.transport, keys.node, keys.cosigner);
        let document = folder.join("document.bin");
        write_genesis(&genesis, &document).unwrap();
        Setup {
            folder: folder.into(),
            genesis: document,
            node: 1,
            listen: "127.0.0.1:7000".parse().unwrap(),
            http: "127.0.0.1:8080".parse().unwrap(),
            members: vec![],
            recovery: None,
            readers: vec![("app".into(), "a token of some length".into())],
            operators: Vec::new(),
            json_log: false,
        }
    }

    #[test]
    fn no_chain_that_begins_here_has_driven_time() {
        let manual = include_str!("../../docs/OPERATING.md");
        let example = manual.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (draft, out) = (folder.path().join("draft.json"), folder.path().join("genesis.bin"));
        for (says, taken) in
            [(", \"driven_time\": true", false), (", \"driven_time\": false", true), ("", true)]
        {
            let said = example.replace("604800000}", &format!("604800000{says}}}"));
            assert_eq!(said == example, says.is_empty());
            std::fs::write(&draft, said).unwrap();
            let made = make_genesis(&draft, &out);
            assert_eq!(made.is_ok(), taken, "{made:?}");
            match made {
                Ok(_) => {
                    let document = Genesis::decode(&std::fs::read(&out).unwrap()).unwrap();
                    assert!(!document.parameters.driven_time);
                    std::fs::remove_file(&out).unwrap();
                }
                Err(error) => {
                    assert!(error.to_string().contains("asks for driven_time"), "{error}");
                    assert!(!out.exists());
                }
            }
        }
    }

    #[test]
    fn a_configuration_that_may_have_been_edited_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let setup = setup(folder.path());
        let path = make_config(&setup).unwrap();
        let edited = std::fs::read_to_string(&path).unwrap() + "# edited\n";
        std::fs::write(&path, &edited).unwrap();
        let error = make_config(&setup).unwrap_err().to_string();
        assert!(error.contains("exists"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), edited);
        // Moved away, a new one is written; but not beside another chain's document.
        std::fs::remove_file(&path).unwrap();
        make_config(&setup).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(folder.path().join("genesis.bin"), "another").unwrap();
        assert!(make_config(&setup).unwrap_err().to_string().contains("another chain"));
        assert_eq!(std::fs::read(folder.path().join("genesis.bin")).unwrap(), b"another");
    }

    #[test]
    fn a_replica_needs_no_keys_and_keeps_its_token_to_itself() {
        let folder = tempfile::tempdir().unwrap();
        let validator = setup(&folder.path().join("validator"));
        let token_file = folder.path().join("token");
        std::fs::write(&token_file, "a reader's-token\n").unwrap();
        let mut setup = ReplicaSetup {
            folder: folder.path().join("replica"),
            genesis: validator.genesis,
            http: "127.0.0.1:8081".parse().unwrap(),
            upstream: vec!["http://127.0.0.1:8080".into()],
            token_file: token_file.clone(),
            start: Start::Genesis,
            readers: vec![("app".into(), "a token of some length".into())],
            json_log: false,
        };
        assert!(make_replica(&setup).is_err(), "a token holds no spaces");
        std::fs::remove_file(setup.folder.join("upstream.token")).unwrap();
        std::fs::write(&token_file, "a-readers-token\n").unwrap();
        let path = make_replica(&setup).unwrap();
        let loaded = Config::load(&path).unwrap();
        assert_eq!(loaded.replica().token.as_str(), "a-readers-token");
        assert_eq!(loaded.config.role, Role::Replica);
        let copy = setup.folder.join("upstream.token");
        assert_eq!(std::fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(make_replica(&setup).unwrap_err().to_string().contains("exists"));
        setup.folder = folder.path().join("other");
        setup.upstream.clear();
        assert!(make_replica(&setup).is_err(), "whom would it follow?");
    }

    #[test]
    fn one_that_would_not_load_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup { node: 9, ..setup(folder.path()) };
        assert!(make_config(&setup).is_err());
        assert!(!folder.path().join("node.toml").exists());
        assert!(make_config(&Setup { node: 1, ..setup }).is_ok(), "and does not stand in the way");
    }
}
