//! `musubi-node recover draft`: the recovery as a file to be signed, from the surviving log.

use std::path::Path;

use anyhow::{Context, bail};
use musubi_consensus::Position;
use musubi_ledger::{
    batch::NodeId,
    genesis::{Node, RULES_VERSION},
    id::Salt,
    limits,
    operation::{BeginEpoch, Operation},
    policy::{Member, Recovery, WitnessPolicy},
    state::ReadState,
    transaction::{Body, Purpose, Transaction},
};
use musubi_storage::Opened;

use super::{RecoveryFile, replay::Replayed};
use crate::{clock::Clock, config::Loaded, directory};

/// Drafts the recovery that goes on from this node's directory with these validators.
///
/// # Errors
/// If the directory is refused, or they could not begin an epoch.
pub fn draft(loaded: &Loaded, validators: &Path, reason: &str) -> anyhow::Result<RecoveryFile> {
    let text = std::fs::read_to_string(validators)
        .with_context(|| format!("cannot read {}", validators.display()))?;
    let validators: Vec<Node> = serde_json::from_str(&text).with_context(|| {
        format!("{} is no list of validators as in the genesis draft", validators.display())
    })?;
    let opened = directory::open(loaded)?;
    of_directory(loaded, &opened, validators, reason)
}

fn of_directory(
    loaded: &Loaded,
    opened: &Opened,
    validators: Vec<Node>,
    reason: &str,
) -> anyhow::Result<RecoveryFile> {
    let opener = NodeId(loaded.config.node);
    let Some(own) = validators.iter().find(|validator| validator.id == opener) else {
        bail!("node {} itself must be among the validators: its log goes on", opener.0);
    };
    let policies = opened.store.policies()?;
    if policies.epoch() != loaded.epoch() {
        bail!("the recovery to epoch {} is not executed yet", loaded.epoch());
    }
    let replayed = Replayed::new(opened)?;
    let Position { index, term } = opened.recovered.last;
    let genesis = &loaded.genesis;
    let newest = policies.newest().policy();
    let of_witness = |w: &&musubi_ledger::policy::Witness| w.member == Member::Independent;
    let independent: Vec<_> = newest.witnesses.iter().filter(of_witness).cloned().collect();
    // Not the newest confirmed one's: changes that wait are numbered too.
    let number = opened.store.state().meta_policy() + 1;
    let epoch = policies.epoch() + 1;
    let begins = BeginEpoch {
        epoch,
        last_index: index,
        last_term: term,
        size: replayed.chain.head().size,
        root: replayed.chain.root(),
        checkpoint: opened.store.final_checkpoint()?,
        policy: WitnessPolicy::of_nodes(genesis, number, &validators, &independent),
        opener,
        reason: reason.into(),
        validators: validators.clone(),
    };
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).context("the system gave no randomness")?;
    let time = Clock::of(loaded)?.now().max(replayed.chain.head().time.plus(1));
    let body = Body {
        chain: genesis.chain(),
        rules_version: RULES_VERSION,
        sender: own.organisation,
        reference: format!("epoch-{epoch}-{}", hex::encode(&salt[..4])).parse()?,
        salt: Salt(salt),
        expires: time.plus(limits::SUBMISSION_WINDOW_MS),
        purpose: Purpose::NONE,
        memo: None,
        answers: None,
        on_behalf_of: None,
        operation: Operation::BeginEpoch(begins),
    };
    let recovery = Transaction::new(body, Vec::new());
    let drafted = Recovery::drafted(&recovery, genesis).context(
        "these validators cannot begin an epoch: ascending ids, keys of their own, at least one each",
    )?;
    drafted.follows(&policies)?;
    let earlier = loaded.recoveries.file.iter();
    let earlier = earlier.flat_map(|file| file.earlier.iter().chain([&file.recovery]));
    Ok(RecoveryFile { time, earlier: earlier.cloned().collect(), recovery })
}

/// What a recovery says, for whoever is asked to sign it.
///
/// # Errors
/// If it is none of this ledger.
pub fn describe(
    file: &RecoveryFile,
    loaded: &musubi_ledger::genesis::Genesis,
) -> anyhow::Result<String> {
    let recovery = Recovery::drafted(&file.recovery, loaded)?;
    let BeginEpoch { epoch, last_index, last_term, size, root, .. } = &recovery.begins;
    let mut lines = vec![
        format!("Recovery {} of {}, to epoch {epoch}", recovery.id, loaded.name),
        format!("Reason given: {}", recovery.begins.reason),
        format!(
            "The log goes on behind entry {last_index} of term {last_term}: {size} leaves, root {}",
            hex::encode(root)
        ),
    ];
    lines.push(match &recovery.last_final {
        Some(last) => format!(
            "Final before, as far as this log knows: {} leaves. Whatever else was final beyond leaf {size} is dropped",
            last.size()
        ),
        None => "Nothing was final before, as far as this log knows".into(),
    });
    for v in &recovery.begins.validators {
        let name = loaded.organisation(&v.organisation).map_or("unknown", |o| o.name.as_str());
        let opener = if v.id == recovery.begins.opener { ", whose log this is" } else { "" };
        lines.push(format!("Validator {} of {name}{opener}: node key {}", v.id.0, v.node));
    }
    let policy = &recovery.begins.policy;
    lines.push(format!("Final by {} of {} members", policy.quorum, policy.members().len()));
    let names = recovery.names(loaded);
    let need = loaded.organisations.len() / 2 + 1;
    let signed = if names.is_empty() { "nobody yet".into() } else { names.join(", ") };
    lines.push(format!("Signed by {signed}: {} of {need} organisations needed", names.len()));
    Ok(lines.join("\n"))
}

/// The number of the newest policy in the state.
trait NewestPolicy {
    fn meta_policy(&self) -> u32;
}

impl<S: ReadState + ?Sized> NewestPolicy for S {
    fn meta_policy(&self) -> u32 {
        match self.row(&musubi_ledger::state::RowKey::Meta) {
            Some(musubi_ledger::state::Row::Meta(meta)) => meta.witness_policy,
            other => panic!("every chain's state has its one row about itself, not {other:?}"),
        }
    }
}
