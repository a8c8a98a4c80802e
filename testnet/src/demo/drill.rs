//! The drill: somebody with node 3's keys lies about the log, and the others must be able to show it to anyone.
//!
//! It is the last that happens to the network: node 3 is stopped in order, somebody takes its place and signs two
//! roots at one size. What the others then keep is judged offline, with the genesis document alone.

use std::time::{Duration, Instant};

use musubi_ledger::{
    batch::NodeId,
    evidence::{self, Finding, Kind, Suspects},
    hash::sha256,
};
use musubi_sdk::Client;

use crate::{liar::Liar, network::Network};

/// Whose keys are used.
const LIAR: u64 = 3;
/// How long the others may take to have it on file.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(50);
/// After so long the notes are told again: what is on its way when a connection is settled may be lost.
const AGAIN: Duration = Duration::from_secs(2);

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Drill {
    /// Nodes that keep evidence that names the liar and no one else.
    pub(super) nodes: Vec<u64>,
    /// From the first lie until all of them had it.
    pub(super) took: Duration,
    /// The size at which two roots were signed.
    pub(super) size: u64,
    /// Why it was not caught, or more than the liar was.
    pub(super) wrong: Option<String>,
}

impl Drill {
    /// Whether every other node can prove the lie, and nobody else is accused.
    pub(super) fn caught(&self) -> bool {
        self.wrong.is_none() && !self.nodes.is_empty()
    }
}

/// Lies at `size` leaves and waits for the evidence. With `restart`, node 3 itself runs again afterwards.
///
/// # Errors
/// If node 3 cannot be stopped, or its place cannot be taken.
pub(super) async fn play(network: &mut Network, size: u64, restart: bool) -> anyhow::Result<Drill> {
    let suspects = Suspects::of_genesis(network.genesis());
    let mut others = Vec::new();
    for (at, validator) in network.validators().iter().enumerate() {
        let client = network.client_of(at)?;
        // Killed, restarted, overtaken: all that was honest, and must accuse nobody.
        if let Some(file) = client.evidence().await?.first() {
            let wrong = format!("node {} accused before anybody lied: {}", at + 1, file.sentence);
            return Ok(Drill { size, wrong: Some(wrong), ..Drill::default() });
        }
        if validator.node != LIAR {
            others.push((validator.node, client));
        }
    }
    network.stop_node(LIAR).await?;
    let liar = Liar::start(&network.dir().join(format!("node-{LIAR}")), LIAR).await?;
    let drill = lie(&liar, &others, &suspects, size).await;
    liar.leave().await;
    if restart {
        network.restart(LIAR)?;
    }
    drill
}

async fn lie(
    liar: &Liar,
    others: &[(u64, Client)],
    suspects: &Suspects,
    size: u64,
) -> anyhow::Result<Drill> {
    let roots = [sha256(b"one history"), sha256(b"another history")];
    let mut drill = Drill { size, ..Drill::default() };
    let begun = Instant::now();
    let mut told: Option<Instant> = None;
    loop {
        if told.is_none_or(|at| at.elapsed() > AGAIN) {
            for (node, _) in others {
                for root in roots {
                    liar.note(*node, size, root).await?;
                }
            }
            told = Some(Instant::now());
        }
        let mut silent = None;
        drill.nodes.clear();
        for (node, client) in others {
            match on_file(client, suspects).await {
                Ok(true) => drill.nodes.push(*node),
                Ok(false) => silent = Some(format!("node {node} keeps nothing about it")),
                Err(wrong) => {
                    drill.wrong = Some(format!("node {node}: {wrong}"));
                    return Ok(drill);
                }
            }
        }
        drill.took = begun.elapsed();
        if silent.is_none() || drill.took > PATIENCE {
            drill.wrong = silent;
            return Ok(drill);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether a node keeps evidence of two roots, and nothing that does not hold or names another.
async fn on_file(client: &Client, suspects: &Suspects) -> Result<bool, String> {
    let mut caught = false;
    for file in client.evidence().await.map_err(|error| error.to_string())? {
        let bytes = client.evidence_file(&file.name).await.map_err(|error| error.to_string())?;
        caught |= judge((&file.name, &bytes), suspects, LIAR)?;
    }
    Ok(caught)
}

/// Judges one file offline: whether it is about two roots. It must hold, and name the liar.
fn judge((name, bytes): (&str, &[u8]), suspects: &Suspects, liar: u64) -> Result<bool, String> {
    let found: Finding = evidence::verify(bytes, suspects)
        .map_err(|error| format!("{name} accuses nobody: {error}"))?;
    if found.who.node != Some(NodeId(liar)) {
        return Err(format!("{name} accuses {}", found.who.name));
    }
    Ok(found.kind == Kind::TwoRoots)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use musubi_ledger::genesis::Genesis;
    use serde_json::Value;

    use super::*;

    /// The ledger's golden evidence is all about a node 3.
    #[test]
    fn only_evidence_that_holds_and_names_the_liar_catches() {
        let text = include_str!("../../../ledger/vectors/evidence.json");
        let vectors: Value = serde_json::from_str(text).unwrap();
        let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
        let genesis = Genesis::decode(&bytes(&vectors["genesis_bytes"])).unwrap();
        let suspects = Suspects::of_genesis(&genesis);
        let mut caught = 0;
        for case in vectors["shown"].as_array().unwrap() {
            let (name, file) = (case["file"].as_str().unwrap(), bytes(&case["bytes"]));
            let two_roots = name.starts_with("two_roots");
            assert_eq!(judge((name, &file), &suspects, 3), Ok(two_roots), "{name}");
            let other = judge((name, &file), &suspects, 2).unwrap_err();
            assert!(other.contains(" accuses "), "{other}");
            caught += usize::from(two_roots);
        }
        assert!(caught > 0);
        for case in vectors["refused"].as_array().unwrap() {
            let refused = judge(("x", &bytes(&case["bytes"])), &suspects, 3).unwrap_err();
            assert!(refused.starts_with("x accuses nobody"), "{refused}");
        }
    }

    #[test]
    fn nobody_caught_is_not_caught() {
        assert!(!Drill::default().caught());
        let caught = Drill { nodes: vec![1, 2], ..Drill::default() };
        assert!(caught.caught());
        assert!(!Drill { wrong: Some("node 2 keeps nothing".into()), ..caught }.caught());
    }
}
