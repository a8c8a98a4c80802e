//! `musubi memo`, and what other commands do about memos: written with `--memo`, shown before anybody signs, read,
//! revealed, erased.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use musubi_sdk::{
    Body, DocumentHash, Draft, PartyId, PublicKey, SecretKey,
    ledger::{
        limits::MEMO_READERS_MAX,
        memo::{MemoBlob, MemoError},
        operation::PayWithCoupons,
    },
    memo::{self, Opened, visible},
};
use serde_json::json;

use super::{
    confirm::confirm,
    error::CliError,
    files, proof,
    session::Session,
    table::{self, Report},
    trust::TrustRoot,
};

#[derive(Debug, Subcommand)]
pub(crate) enum MemoCommand {
    /// Read the memo of a transaction, with a key for which it was written
    Read(Which),
    /// Write a file with which anybody can read the memo of a transaction, and nothing else
    Reveal(RevealArgs),
    /// Verify a revealed memo without any network: proof, body, hash, key, text
    Verify(Verify),
    /// Erase a memo on every node named: for operators, and for good
    Erase(Erase),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The transaction
    #[arg(value_name = "NAME|ID")]
    id: String,
}

#[derive(Debug, Args)]
pub(crate) struct RevealArgs {
    /// The transaction
    #[arg(value_name = "NAME|ID")]
    id: String,
    /// The new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A file of `musubi memo reveal`
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The transaction's proof, from `musubi proof get`
    #[arg(long, value_name = "PROOF")]
    proof: PathBuf,
    #[command(flatten)]
    root: TrustRoot,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The transaction
    #[arg(value_name = "NAME|ID", required_unless_present = "memo", conflicts_with = "memo")]
    id: Option<String>,
    /// The memo's hash, as a body has it
    #[arg(long, value_name = "HASH")]
    memo: Option<DocumentHash>,
    /// Erase without asking
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(crate) async fn run(command: MemoCommand, session: &mut Session) -> Result<Report, CliError> {
    match command {
        MemoCommand::Read(args) => read(&args.id, session).await,
        MemoCommand::Reveal(args) => reveal(&args, session).await,
        MemoCommand::Verify(args) => {
            proof::verify(&proof::Verify::revealed(args.proof, args.file, args.root), session)
        }
        MemoCommand::Erase(args) => erase(args, session).await,
    }
}

async fn read(id: &str, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(id)?;
    let opened = open(id, session).await?;
    let report = json!({ "id": id, "memo": opened.reveal.blob.hash(), "text": opened.text });
    Report::new(&report, visible(&opened.text))
}

async fn reveal(args: &RevealArgs, session: &mut Session) -> Result<Report, CliError> {
    let id = session.book().transaction(&args.id)?;
    let opened = open(id, session).await?;
    files::create(&args.out, opened.reveal.to_string().as_bytes())?;
    let report = json!({ "id": id, "memo": opened.reveal.blob.hash(), "file": args.out });
    let text = format!(
        "Whoever has {} reads this memo; together with the transaction's proof it shows that this is the text that \
         was signed.",
        args.out.display()
    );
    Report::new(&report, text)
}

/// The memo of a transaction, opened with a key of this device.
async fn open(id: musubi_sdk::TxId, session: &mut Session) -> Result<Opened, CliError> {
    let body = session.signed_body(id).await?;
    let hash = body.memo.ok_or(MemoError::NotCited)?;
    let blob = MemoBlob::decode(&session.client()?.memo(hash).await?)?;
    let Some(name) = reader(session, &blob) else {
        return Err(MemoError::NotAddressed.into());
    };
    let key = session.unlock(&name)?;
    Ok(memo::open(&blob, &body, &key)?)
}

/// Somebody on this device for whom a memo was written: who acts, if they are among them. Also with a key that
/// was replaced since: it signs no more, and still reads.
fn reader(session: &Session, blob: &MemoBlob) -> Option<String> {
    let actor = session.actor().ok();
    let contacts = session.book().contacts.iter();
    let mut able = contacts.filter(|(_, contact)| {
        let written_for = |key: &PublicKey| blob.wrap_for(key).is_some();
        contact.key.is_some() && contact.public.as_ref().is_some_and(written_for)
    });
    let first = able.next()?.0;
    let own = able.find(|(name, _)| Some(*name) == actor.as_ref()).map(|(name, _)| name);
    Some(own.unwrap_or(first).clone())
}

/// What a body's memo says, in lines to be read before signing. `blob` is what came with the body; without it a node
/// is asked. A memo that cannot be what it must be is refused, and so is signing beside it.
pub(crate) async fn lines(
    session: &mut Session,
    body: &Body,
    blob: Option<&MemoBlob>,
) -> Result<Vec<String>, CliError> {
    let Some(hash) = body.memo else { return Ok(Vec::new()) };
    let blob = match blob {
        Some(blob) => blob.clone(),
        None => {
            let fetched = match session.client() {
                Ok(client) => client.memo(hash).await.map_err(CliError::from),
                Err(error) => Err(error),
            };
            match fetched {
                Ok(bytes) => MemoBlob::decode(&bytes)?,
                Err(error) => {
                    return Ok(vec![format!("The memo could not be fetched: {}", error.what)]);
                }
            }
        }
    };
    blob.check_cited(body)?;
    let count = blob.wraps.len();
    let Some(name) = reader(session, &blob) else {
        return Ok(vec![format!(
            "The memo is written for {count} keys, none of them on this device"
        )]);
    };
    let key: SecretKey = session.unlock(&name)?;
    let opened = memo::open(&blob, body, &key)?;
    let mut lines = vec![format!("The memo, which {count} keys can read, says:")];
    lines.extend(visible(&opened.text).lines().map(|line| format!("  {line}")));
    Ok(lines)
}

/// Writes a memo into a finished draft, for the keys of both parties and of the sender.
pub(crate) async fn attach(
    session: &mut Session,
    draft: Draft,
    text: &str,
) -> Result<(Draft, MemoBlob), CliError> {
    let mut readers = Vec::new();
    for party in parties(draft.body())? {
        let keys = session.memo_keys(party).await?;
        if keys.is_empty() {
            let what =
                format!("no key is known of {}, for whom the memo would be", session.name(&party));
            let next = "give a reader token, so that a node tells their keys";
            return Err(CliError::new("memo_readers", what).next(next));
        }
        readers.extend(keys);
    }
    readers.sort_unstable();
    readers.dedup();
    Ok(memo::attach(draft, text, &readers)?)
}

/// Whose keys may read the memo of this body.
fn parties(body: &Body) -> Result<Vec<PartyId>, CliError> {
    use musubi_sdk::Operation;
    let (from, to) = match &body.operation {
        Operation::Transfer(movement) => (movement.from, movement.to),
        Operation::Pay(pay) | Operation::PayWithCoupons(PayWithCoupons { pay, .. }) => {
            (pay.from, pay.to)
        }
        Operation::Propose(propose) => (propose.movement.from, propose.movement.to),
        _ => {
            let what = "only payments and proposals have two parties for whom a memo is written";
            return Err(CliError::usage("memo_readers", what));
        }
    };
    let mut parties = vec![from, to, body.sender];
    parties.sort_unstable();
    parties.dedup();
    Ok(parties)
}

/// Keys of one party for which a memo is written at most: so many fit for payer, payee and sender.
pub(crate) const KEYS_PER_PARTY: usize = MEMO_READERS_MAX / 3;

async fn erase(args: Erase, session: &mut Session) -> Result<Report, CliError> {
    let memo = match (&args.id, args.memo) {
        (_, Some(memo)) => memo,
        (Some(id), None) => {
            let id = session.book().transaction(id)?;
            session.signed_body(id).await?.memo.ok_or(MemoError::NotCited)?
        }
        (None, None) => unreachable!("clap asks for one of them"),
    };
    let nodes = session.nodes().join(", ");
    let lines = vec![
        format!("Memo {memo} is erased on {nodes}, and cannot be brought back there"),
        "Other nodes, backups, and whoever has read it keep what they have".into(),
    ];
    confirm(&lines, "Erase it?", args.yes)?;
    let told = session.client()?.erase_memo(memo).await;
    let report = told.iter().map(|(node, erased)| match erased {
        Ok(was_here) => json!({ "node": node, "erased": true, "was_here": was_here }),
        Err(error) => json!({ "node": node, "erased": false, "code": error.code() }),
    });
    let report = json!({ "memo": memo, "nodes": report.collect::<Vec<_>>() });
    let failed: Vec<String> = told
        .iter()
        .filter_map(|(node, erased)| Some(format!("{node}: {}", erased.as_ref().err()?)))
        .collect();
    if !failed.is_empty() {
        let what = format!("the memo is not erased everywhere: {}", failed.join("; "));
        let next = "an operator's token is needed, on each node its own; then erase it again";
        return Err(CliError::new("memo_not_erased", what)
            .next(next)
            .with("nodes", report["nodes"].clone()));
    }
    let fields: Vec<_> = told
        .iter()
        .map(|(node, was_here)| {
            let was_here = matches!(was_here, Ok(true));
            (
                node.as_str(),
                if was_here { "erased" } else { "was not here, and will not come" }.into(),
            )
        })
        .collect();
    Report::new(&report, table::fields(&fields))
}

impl From<MemoError> for CliError {
    fn from(error: MemoError) -> Self {
        let next = match error {
            MemoError::Length(_) | MemoError::Readers(_) | MemoError::WeakKey => None,
            MemoError::NotCited => Some("see what it says with `musubi status ID`"),
            MemoError::NotAddressed => Some(
                "import the key that its reader had when it was written, also one replaced since",
            ),
            MemoError::OtherBlob | MemoError::Malformed(_) | MemoError::Form => {
                Some("ask another node, or for a new copy")
            }
            _ => Some("believe nothing of it, and sign nothing beside it"),
        };
        let plain = Self::new(error.code(), error.to_string());
        match next {
            Some(next) => plain.next(next),
            None => plain,
        }
    }
}
