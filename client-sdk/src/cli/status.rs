//! `musubi status`, `watch`, `info`: where a transaction, a wallet, a node stands.

use clap::Args;
use musubi_sdk::{
    EventId, PartyId,
    api::{Durability, Info, Stage, Status, Verdict},
};
use serde_json::json;

use super::{
    document_show,
    error::CliError,
    history::lines,
    session::Session,
    table::{self, Report},
};

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// A transaction
    #[arg(value_name = "NAME|ID")]
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// Whose wallet [default: the acting identity's]
    #[arg(value_name = "NAME|ADDRESS")]
    party: Option<String>,
    /// Resume behind this entry, as printed before each line
    #[arg(long, value_name = "EPOCH.LEAF")]
    after: Option<EventId>,
    /// Stop after so many entries
    #[arg(long)]
    count: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// Remember nodes, token, chain, scheme and instruments' decimal places in the profile
    #[arg(long)]
    save: bool,
    /// The instrument that is meant when none is named; saved too
    #[arg(long, value_name = "CODE", requires = "save")]
    instrument: Option<String>,
    /// Wait so many seconds for a node to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
}

pub(crate) async fn status(args: StatusArgs, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(&args.id)?;
    let status = session.client()?.status(id).await?;
    let mut facts = facts(&status);
    if status.verdict == Verdict::Applied {
        facts.push(("Documents", document_show::in_short(id, session).await));
    }
    Report::new(&status, table::fields(&facts))
}

fn facts(status: &Status) -> Vec<(&'static str, String)> {
    let stage = match status.stage {
        Stage::Unknown => "unknown here: conclusive once block time has passed its expiry",
        Stage::Pending => "admitted, not judged yet",
        Stage::Judged => "judged, for ever",
        Stage::Void => "void: without verdict or effect",
    };
    vec![
        ("Code", table::short(&status.id)),
        ("Id", status.id.to_string()),
        ("Stage", stage.into()),
        ("Verdict", verdict(status)),
        ("Detail", status.detail.clone().unwrap_or_default()),
        ("Block", status.height.map(|height| height.to_string()).unwrap_or_default()),
        ("Leaf", status.leaf.map(|leaf| leaf.to_string()).unwrap_or_default()),
        ("Time", status.time.map(table::time).unwrap_or_default()),
        ("Node at", table::time(status.node_time)),
    ]
}

fn verdict(status: &Status) -> String {
    let code = status.code.map(|code| code.to_string()).unwrap_or_default();
    let end = match status.verdict {
        Verdict::Pending => return code,
        Verdict::Applied => code,
        Verdict::Rejected => format!("rejected: {code}"),
        Verdict::Expired => "expired: it never was judged, and never will be".into(),
    };
    match status.durability {
        Some(Durability::Final) => format!("{end}, final"),
        Some(Durability::Committed) => format!("{end}, committed"),
        None => end,
    }
}

/// Prints entries as they come: a line each, or with `--json` a document each.
pub(crate) async fn watch(args: Watch, session: &mut Session) -> Result<Report, CliError> {
    let party = match &args.party {
        Some(text) => session.party(text).await?,
        None => session.actor_contact()?.1.party,
    };
    session.scheme().await?;
    let decimals = session.decimals().await;
    let mut watch = session.client()?.watch(Some(party), args.after);
    let mut seen = 0;
    while args.count.is_none_or(|most| seen < most) {
        let event = watch.next().await?;
        seen += 1;
        if session.json() {
            println!("{}", json!({ "event": event.id.to_string(), "entry": event.entry }));
            continue;
        }
        for line in lines(&event.entry, party) {
            let sum = line.moved.as_ref().map(|moved| {
                let places = decimals.get(&moved.instrument).copied().unwrap_or(0);
                let with = names(session, &moved.counterparties);
                format!("{} {} {with}", table::signed(moved.sum, places), moved.instrument)
            });
            let (time, code) = (table::time(line.time), table::short(&line.id));
            println!("{}  {time}  {code}  {}  {}", event.id, line.what, sum.unwrap_or_default());
        }
    }
    Ok(Report { json: serde_json::Value::Null, text: String::new() })
}

fn names(session: &Session, parties: &[PartyId]) -> String {
    let names: Vec<String> = parties.iter().map(|party| session.name(party)).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("with {}", names.join(", ")),
    }
}

pub(crate) async fn info(args: InfoArgs, session: &mut Session) -> Result<Report, CliError> {
    let info = patient(session, args.wait).await?;
    if args.save {
        if session.keeps_token_back() {
            let what = "the profile's reader token is for other nodes than these";
            let next = "give theirs with --token or MUSUBI_TOKEN, or use another --home";
            return Err(CliError::usage("token_for_other_nodes", what).next(next));
        }
        let places = session.places().await?;
        let (nodes, token) = (session.nodes().to_vec(), session.token().cloned());
        session.update_profile(|profile| {
            profile.nodes = nodes;
            profile.token = token;
            profile.chain = Some(info.chain);
            profile.scheme = Some(info.scheme.clone());
            profile.decimals.extend(places);
            if args.instrument.is_some() {
                profile.instrument.clone_from(&args.instrument);
            }
        })?;
    }
    let leader = match info.leader {
        Some(leader) => format!("node {leader}, term {}", info.term),
        None => "none is known".into(),
    };
    let text = table::fields(&[
        ("Chain", info.chain.to_string()),
        ("Log", info.origin.clone()),
        ("Addresses", format!("{}1…", info.scheme)),
        ("Node", info.node.to_string()),
        ("Leader", leader),
        ("Block", format!("{} of {}", info.height, table::time(info.time))),
        ("Leaves", format!("{}, {} of them final", info.size, info.final_size)),
        ("Rules", info.rules_version.to_string()),
        ("Version", info.version.clone()),
    ]);
    Report::new(&info, text)
}

/// Asks until a node answers and knows a leader, or the time is up.
async fn patient(session: &mut Session, seconds: u64) -> Result<Info, CliError> {
    let begun = std::time::Instant::now();
    loop {
        let answer = session.info().await;
        let ready = match &answer {
            Ok(info) => info.leader.is_some(),
            Err(error) => error.usage || error.code == "wrong_chain",
        };
        if ready || begun.elapsed().as_secs() >= seconds {
            return answer;
        }
        session.info = None;
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
}
