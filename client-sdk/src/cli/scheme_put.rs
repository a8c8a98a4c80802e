//! What of a scheme's configuration the ledger has, and how the rest comes onto it: looking, drafting, sending.

use musubi_schemes::configuration::{Allowed, Setting};
use musubi_sdk::{
    ClientError, Composer, Draft, HalfSigned, Reference, TxId,
    ledger::operation::{GrantAllowance, Operation},
};

use super::{
    args::SignSpec,
    error::CliError,
    finish::{hand_over, sign, wanted},
    scheme_apply::{Line, what},
    scheme_casting::{Casting, There, named},
    scheme_compare as compare,
    session::Session,
};

const DAY_MS: u64 = 86_400_000;
/// An allowance of which the file does not say when it ends is to be looked at again after a year.
const ALLOWANCE_DAYS: u64 = 365;
/// Attempts at an allowance that may have been rejected before one is not given a further name.
const ATTEMPTS: u8 = 9;

/// The name under which an allowance is remembered in the address book.
fn saved(allowed: &Allowed) -> String {
    format!("allowance-{}", allowed.instrument)
}

impl Casting<'_> {
    /// None if it is not there; else how it is otherwise.
    pub(super) async fn look(
        &mut self,
        setting: &Setting<'_>,
        there: &There,
        composer: Composer,
        session: &mut Session,
    ) -> Result<Option<Vec<String>>, CliError> {
        match setting {
            Setting::Offer(at, offer) => {
                self.look_offer((*at, offer), &there.offers, session).await
            }
            Setting::Instrument(issued) => {
                let Some(view) = there.instruments.iter().find(|view| view.id == issued.id) else {
                    return Ok(None);
                };
                let terms = self.terms(issued, session).await?;
                Ok(Some(compare::instrument(&view.instrument, &terms, composer.now)))
            }
            Setting::Rule(rule) => {
                let terms = self.rule(rule, session).await?;
                match session.client()?.rule(rule.id).await {
                    Ok(view) => Ok(Some(compare::rule(&view.rule, &terms))),
                    Err(error) if is_absent(&error) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }
            Setting::Allowance(allowed) => match session.book().saved.get(&saved(allowed)).copied()
            {
                Some(id) => self.look_at(id, allowed, composer, session).await,
                None => Ok(None),
            },
        }
    }

    /// None if a transaction granted no allowance; else how the one that it granted is otherwise.
    async fn look_at(
        &self,
        id: TxId,
        allowed: &Allowed,
        composer: Composer,
        session: &mut Session,
    ) -> Result<Option<Vec<String>>, CliError> {
        let key = self.key(allowed.issuer, session)?;
        match session.client()?.allowance(id).await {
            Ok(stored) => Ok(Some(compare::allowance(&stored.row, allowed, key, composer.now))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What is sent; of an allowance under the name of this attempt, so that nobody grants it twice.
    pub(super) async fn draft(
        &mut self,
        setting: &Setting<'_>,
        composer: Composer,
        attempt: u8,
        session: &mut Session,
    ) -> Result<Draft, CliError> {
        let first = setting.officers()[0];
        let sender = self.contact(first);
        let sender = session.book().get(&sender).map_err(|error| named(error, first))?.party;
        match setting {
            Setting::Instrument(issued) => {
                let terms = self.terms(issued, session).await?;
                Ok(composer.define_instrument(sender, issued.id, terms, true))
            }
            Setting::Rule(rule) => {
                let terms = self.rule(rule, session).await?;
                Ok(composer.put_rule(sender, rule.id, terms))
            }
            Setting::Offer(at, offer) => {
                self.draft_offer((*at, offer), (composer, sender), attempt, session).await
            }
            Setting::Allowance(allowed) => {
                let grant = GrantAllowance {
                    instrument: allowed.instrument,
                    key: self.key(allowed.issuer, session)?,
                    total: allowed.total,
                    per_wallet: allowed.per_wallet,
                    per_day: allowed.per_day,
                    end: allowed.until.unwrap_or(composer.now.plus(ALLOWANCE_DAYS * DAY_MS)),
                };
                let again = if attempt == 1 { String::new() } else { attempt.to_string() };
                let name = &self.scheme.head.name;
                let text = format!("scheme:{name}:{}:allow{again}", allowed.instrument);
                let reference: Reference = text.parse()?;
                Ok(composer.grant_allowance(sender, grant).reference(reference))
            }
        }
    }

    /// Signs with the officers whose keys are here, and sends it, or hands it over to the others.
    pub(super) async fn put(
        &mut self,
        setting: &Setting<'_>,
        half: HalfSigned,
        composer: Composer,
        session: &mut Session,
    ) -> Result<Line, CliError> {
        let mut half = match (setting, &half.body().operation) {
            // Its offer was put by somebody else meanwhile, or at a second attempt: under another id than when it was drafted.
            (Setting::Rule(rule), Operation::PutRule(put))
                if rule.offer.and_then(|at| self.offers.get(&at))
                    != put.terms.when.offer.as_ref() =>
            {
                self.draft(setting, composer, 1, session).await?.half_signed()
            }
            _ => half,
        };
        for attempt in 2..=ATTEMPTS {
            // Somebody put it from another device, or it was rejected once.
            let (error, found) = match (self.send(setting, half, session).await, setting) {
                (Err(error), Setting::Allowance(_) | Setting::Offer(..))
                    if error.code == "reference_taken" =>
                {
                    let found = self.look_again(setting, &error, composer, session).await?;
                    (error, found)
                }
                (sent, _) => return sent,
            };
            match (found, error.id) {
                (Some(differences), id) if differences.is_empty() => {
                    return Ok(Line { id, ..Line::new(what(setting), "there") });
                }
                (Some(differences), id) => {
                    let told =
                        format!("the ledger has it otherwise\n  {}", differences.join("\n  "));
                    let error = CliError::new("scheme_differs", told);
                    return Err(id.map_or(error.clone(), |id| error.about(id)));
                }
                (None, _) => {
                    half = self.draft(setting, composer, attempt, session).await?.half_signed();
                }
            }
        }
        Err(CliError::new(
            "reference_taken",
            format!("{} was rejected {ATTEMPTS} times", what(setting)),
        ))
    }

    /// What became of the transaction that has this one's reference: as [`Self::look`].
    async fn look_again(
        &mut self,
        setting: &Setting<'_>,
        error: &CliError,
        composer: Composer,
        session: &mut Session,
    ) -> Result<Option<Vec<String>>, CliError> {
        match (setting, error.id) {
            (Setting::Allowance(allowed), Some(id)) => {
                let found = self.look_at(id, allowed, composer, session).await?;
                if found.as_ref().is_some_and(Vec::is_empty) {
                    session.book_mut().remember(&saved(allowed), id)?;
                    session.save_book()?;
                }
                Ok(found)
            }
            (Setting::Offer(at, offer), _) => {
                self.forget_secret((*at, offer), session)?;
                let offers = session.client()?.offers().await?;
                self.look_offer((*at, offer), &offers, session).await
            }
            _ => Ok(None),
        }
    }

    async fn send(
        &mut self,
        setting: &Setting<'_>,
        half: HalfSigned,
        session: &mut Session,
    ) -> Result<Line, CliError> {
        let kept = match setting {
            Setting::Offer(at, offer) => self.keep_secret((*at, offer), session)?,
            _ => String::new(),
        };
        let (names, extra) = self.signers(setting, session).await?;
        let has_key = |name: &&String| {
            session.book().contacts.get(*name).is_some_and(|contact| contact.key.is_some())
        };
        let signers: Vec<SignSpec> =
            names.iter().filter(has_key).map(|name| SignSpec::plain(name)).collect();
        let half = sign(session, half, &signers, &extra).await?;
        let id = half.id();
        let missing = wanted(session, &half, &extra).await;
        if !missing.is_empty() {
            let note = format!("{}{kept}", hand_over(session, &half, None, &missing)?.text);
            return Ok(Line { id: Some(id), note, ..Line::new(what(setting), "waits") });
        }
        session.submit(half).await?;
        let name = match setting {
            Setting::Allowance(allowed) => Some(saved(allowed)),
            Setting::Offer(at, offer) => {
                self.offers.insert(*at, id);
                Some(format!("offer-{}", offer.name))
            }
            Setting::Instrument(_) | Setting::Rule(_) => None,
        };
        let mut note = String::new();
        if let Some(name) = name {
            session.book_mut().remember(&name, id)?;
            session.save_book()?;
            note = format!("saved as {name}{kept}");
        }
        Ok(Line { id: Some(id), note, ..Line::new(what(setting), "applied") })
    }
}

/// Whether a node says that there is no such thing.
fn is_absent(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| problem.status == 404)
}
