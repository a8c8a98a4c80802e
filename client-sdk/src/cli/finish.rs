//! The end of every command that signs: show it in words, ask, sign with the keys that are here, then
//! submit it, or hand it over to those who are missing.

use std::path::Path;

use musubi_sdk::{
    Draft, HalfSigned, PartyId, Role, SecretKey, Side, Signature, Slot, Wanted, api::Status,
    describe,
};
use serde_json::json;

use super::{
    args::{SignSpec, Signing, role_name},
    confirm::confirm,
    error::CliError,
    files, memo,
    outbox::outbox,
    session::Session,
    slots::Wish,
    table::{self, Report},
};

/// A draft on its way, with who shall sign it.
pub(crate) struct Plan {
    draft: Draft,
    /// Signers, the acting identity first.
    signers: Vec<SignSpec>,
    /// What is wanted beside what the body tells.
    extra: Vec<Wanted>,
    /// A memo's text.
    memo: Option<String>,
    /// Codes that are shown: for whom, by their keys.
    codes: Vec<(PartyId, SecretKey)>,
    /// What to say when it has been applied.
    done: String,
}

impl Plan {
    /// `actor` signs, and everybody named by `--sign`.
    pub(crate) fn new(draft: Draft, actor: Option<&str>, done: impl Into<String>) -> Self {
        Self {
            draft,
            signers: actor.map(SignSpec::plain).into_iter().collect(),
            extra: Vec::new(),
            memo: None,
            codes: Vec::new(),
            done: done.into(),
        }
    }

    /// With a memo, written for both parties.
    pub(crate) fn memo(mut self, text: Option<String>) -> Self {
        self.memo = text;
        self
    }

    /// With a code that `taker` shows.
    pub(crate) fn code(mut self, taker: PartyId, key: Option<SecretKey>) -> Self {
        self.codes.extend(key.map(|key| (taker, key)));
        self
    }

    /// Consents that only the caller can know are wanted.
    pub(crate) fn wanting(mut self, extra: impl IntoIterator<Item = Wanted>) -> Self {
        self.extra.extend(extra);
        self
    }

    /// Shows, asks, signs, then submits or hands over.
    pub(crate) async fn run(
        self,
        session: &mut Session,
        signing: &Signing,
    ) -> Result<Report, CliError> {
        let draft = match &signing.reference {
            Some(reference) => self.draft.reference(reference.clone()),
            None => self.draft,
        };
        let mut signers = self.signers;
        for spec in &signing.sign {
            // `--sign hanako:drafter` is about the hanako who acts anyway.
            match signers.iter_mut().find(|s| s.name == spec.name && s.role.is_none()) {
                Some(known) => *known = spec.clone(),
                None => signers.push(spec.clone()),
            }
        }
        // Last: it is bound to the draft's sender and reference.
        let half = match &self.memo {
            Some(text) => {
                let (draft, blob) = memo::attach(session, draft, text).await?;
                draft.half_signed().with_memo(blob)?
            }
            None => draft.half_signed(),
        };
        confirm(&words(session, &half).await?, "Sign this?", signing.yes)?;
        let mut half = sign(session, half, &signers, &self.extra).await?;
        for (taker, key) in &self.codes {
            half = half.sign(Slot::new(Side::Authority, Role::Code, *taker), key)?;
        }
        conclude(session, half, signing, &self.done).await
    }
}

/// What it does, in words, with the names of this address book: from the bodies that are signed, never
/// from what a node says about them. A decision or refund names only the id of what it is about, so
/// that body is fetched, checked against the id, and shown too.
pub(crate) async fn words(
    session: &mut Session,
    half: &HalfSigned,
) -> Result<Vec<String>, CliError> {
    let glossary = session.glossary(half.body()).await;
    let mut lines = half.describe(&glossary);
    lines.extend(memo::lines(session, half.body(), half.memo()).await?);
    if let Some(id) = describe::cited(&half.body().operation) {
        let body = session.signed_body(id).await?;
        lines.extend(describe::cited_body(&body, &glossary));
        lines.extend(memo::lines(session, &body, None).await?);
    }
    Ok(lines)
}

/// Signs with every identity named, each in the capacities in which it is wanted.
pub(crate) async fn sign(
    session: &mut Session,
    mut half: HalfSigned,
    signers: &[SignSpec],
    extra: &[Wanted],
) -> Result<HalfSigned, CliError> {
    for spec in signers {
        let wanted = wanted(session, &half, extra).await;
        let wish = Wish {
            role: spec.role,
            party: match &spec.party {
                Some(text) => Some(session.party(text).await?),
                None => None,
            },
        };
        let signer = session.signer(&spec.name, &half, &wanted).await?;
        let slots = signer.slots(&wanted, wish);
        if slots.is_empty() {
            return Err(not_wanted(session, spec, &wanted));
        }
        let key = session.unlock(&spec.name)?;
        for slot in slots {
            half = half.sign(slot, &key)?;
        }
    }
    Ok(half)
}

pub(crate) async fn wanted(
    session: &mut Session,
    half: &HalfSigned,
    extra: &[Wanted],
) -> Vec<Wanted> {
    let kinds = session.kinds_of(half).await;
    let mut wanted = half.missing(&|party: &PartyId| kinds.get(party).copied());
    let signed = |want: &&Wanted| {
        let met = |s: &Signature| {
            want.side == Some(s.side) && want.party == Some(s.party) && want.roles.contains(&s.role)
        };
        !half.signatures().iter().any(met)
    };
    // What the caller knows stands before `anybody`.
    wanted.splice(0..0, extra.iter().filter(signed).cloned());
    wanted
}

fn not_wanted(session: &Session, spec: &SignSpec, wanted: &[Wanted]) -> CliError {
    let what = format!("nothing here is wanted from {} in that capacity", spec.name);
    let error = CliError::usage("signature_not_wanted", what);
    match missing_lines(session, wanted).join("; ") {
        missing if missing.is_empty() => {
            error.next("it has every signature that its body asks for")
        }
        missing => error.next(format!(
            "wanted: {missing}; say NAME:ROLE or NAME:ROLE:PARTY if one of these is you"
        )),
    }
}

/// Who is missing, a line each.
pub(crate) fn missing_lines(session: &Session, wanted: &[Wanted]) -> Vec<String> {
    let line = |want: &Wanted| {
        let roles: Vec<&str> = want.roles.iter().map(|role| role_name(*role)).collect();
        let roles = match roles.is_empty() {
            true => "the sender, or somebody who may".into(),
            false => roles.join(" or "),
        };
        let whom = want.party.map(|party| format!(" for {}", session.name(&party)));
        let count = match want.count {
            1 => String::new(),
            count => format!("{count} × "),
        };
        format!("{count}{roles}{}", whom.unwrap_or_default())
    };
    wanted.iter().map(line).collect()
}

/// Submits what is complete, hands over what is not.
pub(crate) async fn conclude(
    session: &mut Session,
    half: HalfSigned,
    signing: &Signing,
    done: &str,
) -> Result<Report, CliError> {
    let id = half.id();
    if let Some(name) = &signing.save_as {
        // Before it is sent: a crash right here leaves a name for an id that may never be judged,
        // which `musubi status NAME` then says.
        session.book_mut().remember(name, id)?;
    }
    session.save_book()?;
    let missing = wanted(session, &half, &[]).await;
    if missing.is_empty() && !signing.no_submit {
        let status = session.submit(half).await?;
        return applied(&status, done);
    }
    hand_over(session, &half, signing.out.as_deref(), &missing)
}

pub(crate) fn applied(status: &Status, done: &str) -> Result<Report, CliError> {
    let report = json!({
        "submitted": true,
        "id": status.id,
        "short_code": table::short(&status.id),
        "status": status,
    });
    let time = status.time.map(table::time).unwrap_or_default();
    let fields =
        [("Code", table::short(&status.id)), ("Id", status.id.to_string()), ("Time", time)];
    Report::new(&report, format!("{done}\n{}", table::fields(&fields)))
}

/// Writes a half-signed file for the other device.
pub(crate) fn hand_over(
    session: &Session,
    half: &HalfSigned,
    out: Option<&Path>,
    missing: &[Wanted],
) -> Result<Report, CliError> {
    let id = half.id();
    let path = match out {
        Some(path) => path.to_owned(),
        None => outbox(session.home(), half),
    };
    files::replace(&path, &half.encode())?;
    let missing = missing_lines(session, missing);
    let report = json!({
        "submitted": false,
        "id": id,
        "short_code": table::short(&id),
        "file": path,
        "missing": missing,
    });
    let fields = [
        ("Code", table::short(&id)),
        ("File", path.display().to_string()),
        ("Missing", missing.join("\n")),
        ("Until", table::time(half.body().expires)),
    ];
    let next = match missing.is_empty() {
        true => format!("Send it with `musubi submit {}`.", path.display()),
        false => "Pass the file on; whoever is missing runs `musubi accept FILE`.".into(),
    };
    let text = format!("Half-signed, nothing was sent.\n{}\n{next}", table::fields(&fields));
    Report::new(&report, text)
}
