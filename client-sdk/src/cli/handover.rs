//! `musubi accept`, `sign`, `submit`: transactions that travel between devices half-signed.

use std::path::{Path, PathBuf};

use clap::Args;
use musubi_sdk::{HalfSigned, HalfSignedError, image::QrImage};
use serde_json::json;

use super::{
    args::{SignSpec, Signing, role_name},
    confirm::confirm,
    error::{CliError, file_error},
    files,
    finish::{conclude, hand_over, missing_lines, sign, wanted, words},
    session::Session,
    table::{self, Report},
};

/// A transaction's bytes, or its longer text form with line breaks.
const INPUT_MAX: u64 = 256 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// A half-signed file, `-` for standard input, or the text of a QR code
    #[arg(value_name = "FILE|TEXT")]
    input: String,
    /// Only show what it does and who is missing
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// A half-signed file, `-` for standard input, or the text of a QR code
    #[arg(value_name = "FILE|TEXT")]
    input: String,
    /// Print the result as a text for a QR code
    #[arg(long, conflicts_with = "qr")]
    text: bool,
    /// Draw the result as a QR code
    #[arg(long)]
    qr: bool,
    /// Another copy of the same transaction, whose signatures are added
    #[arg(long, value_name = "FILE|TEXT")]
    merge: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// A signed file, `-` for standard input, or the text of a QR code
    #[arg(value_name = "FILE|TEXT")]
    input: String,
}

impl From<HalfSignedError> for CliError {
    fn from(error: HalfSignedError) -> Self {
        Self::usage(error.code(), error.to_string()).next("ask for a new copy")
    }
}

fn read(input: &str) -> Result<HalfSigned, CliError> {
    if input.starts_with("MUSUBI1:") {
        return Ok(input.parse::<HalfSigned>()?);
    }
    let content = files::read_input(Path::new(input), INPUT_MAX)?;
    Ok(HalfSigned::read(&content)?)
}

/// What it does, who signed, who is missing.
async fn show(session: &mut Session, half: &HalfSigned) -> Result<Report, CliError> {
    let mut lines = words(session, half).await?;
    for signature in half.signatures() {
        lines.push(format!(
            "Signed by {} for {}",
            role_name(signature.role),
            session.name(&signature.party)
        ));
    }
    let missing = wanted(session, half, &[]).await;
    let missing = missing_lines(session, &missing);
    lines.extend(missing.iter().map(|line| format!("Missing: {line}")));
    let report = json!({
        "id": half.id(),
        "short_code": table::short(&half.id()),
        "words": lines,
        "missing": missing,
        "transaction": half.clone().complete(),
    });
    Report::new(&report, lines.join("\n"))
}

fn signers(session: &Session, signing: &Signing) -> Result<Vec<SignSpec>, CliError> {
    if signing.sign.is_empty() {
        return Ok(vec![SignSpec::plain(&session.actor()?)]);
    }
    Ok(signing.sign.clone())
}

/// A transaction for another ledger is refused before anybody is asked to sign it.
async fn check_chain(session: &mut Session, half: &HalfSigned) -> Result<(), CliError> {
    let known = match session.profile().chain {
        Some(chain) => chain,
        None => session.info().await?.chain,
    };
    if half.body().chain == known {
        return Ok(());
    }
    let what = format!("this transaction is for chain {}, another ledger", half.body().chain);
    Err(CliError::new("wrong_chain", what).next("do not sign it here"))
}

pub(crate) async fn accept(args: Accept, session: &mut Session) -> Result<Report, CliError> {
    let half = read(&args.input)?;
    check_chain(session, &half).await?;
    let shown = show(session, &half).await?;
    if args.show {
        return Ok(shown);
    }
    let lines: Vec<String> = shown.text.lines().map(ToOwned::to_owned).collect();
    confirm(&lines, "Sign this?", args.signing.yes)?;
    let signers = signers(session, &args.signing)?;
    let half = sign(session, half, &signers, &[]).await?;
    conclude(session, half, &args.signing, "Accepted.").await
}

pub(crate) async fn half_sign(args: Sign, session: &mut Session) -> Result<Report, CliError> {
    let mut half = read(&args.input)?;
    for copy in &args.merge {
        half = half.merge(read(copy)?)?;
    }
    check_chain(session, &half).await?;
    if args.merge.is_empty() || !args.signing.sign.is_empty() {
        let shown = show(session, &half).await?;
        let lines: Vec<String> = shown.text.lines().map(ToOwned::to_owned).collect();
        confirm(&lines, "Sign this?", args.signing.yes)?;
        let signers = signers(session, &args.signing)?;
        half = sign(session, half, &signers, &[]).await?;
    }
    if args.text || args.qr {
        return as_text(&half, args.qr);
    }
    let missing = wanted(session, &half, &[]).await;
    let out = args.signing.out.clone().or_else(|| in_place(&args.input));
    hand_over(session, &half, out.as_deref(), &missing)
}

/// A file that was given is signed in place.
fn in_place(input: &str) -> Option<PathBuf> {
    let file = input != "-" && !input.starts_with("MUSUBI1:");
    file.then(|| PathBuf::from(input))
}

fn as_text(half: &HalfSigned, draw: bool) -> Result<Report, CliError> {
    let text = half.to_qr_text()?;
    let report = json!({ "id": half.id(), "short_code": table::short(&half.id()), "text": text });
    if !draw {
        return Report::new(&report, text);
    }
    let image = QrImage::new(&text).map_err(|e| CliError::new(e.code(), e.to_string()))?;
    Report::new(&report, image.to_terminal())
}

pub(crate) async fn submit(args: Submit, session: &mut Session) -> Result<Report, CliError> {
    let half = read(&args.input)?;
    if half.signatures().is_empty() {
        let what = "nobody has signed this transaction yet";
        return Err(file_error(Path::new(&args.input), what).next("sign it with `musubi sign`"));
    }
    check_chain(session, &half).await?;
    let status = session.submit(half).await?;
    super::finish::applied(&status, "Applied.")
}
