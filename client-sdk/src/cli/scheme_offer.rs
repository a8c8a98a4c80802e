//! What a scheme offers, onto a ledger: told from the issuer's other offers by its notice, and with a code of its own where
//! the file asks for one.
//!
//! The code in a file is read by everybody, so it is the scenario's alone. What a network's offer asks for is drawn here, or
//! given by `--code`, and kept in the home: the ledger has its key, and no file but this one the code.

use std::path::PathBuf;

use musubi_schemes::scheme::{Offered, Shown};
use musubi_sdk::{
    Composer, Draft, PartyId, PublicKey, Reference, SecretKey,
    api::OfferView,
    ledger::offer::{Access, code_seed},
    offer_code,
};

use super::{
    error::{CliError, file_error},
    files,
    scheme_casting::Casting,
    scheme_compare as compare,
    session::Session,
};

/// Largest kept code, in bytes.
const CODE_BYTES_MAX: u64 = 256;

impl Casting<'_> {
    /// Every `--code` names an offer that asks for one.
    pub(super) fn check_codes(&self) -> Result<(), CliError> {
        for (name, _) in &self.args.code {
            let offer = self.scheme.offers.iter().find(|offer| offer.name == *name);
            if offer.is_none_or(|offer| !matches!(offer.shown, Shown::Code(_))) {
                let what = format!("the scheme has no offer `{name}` that asks for a code");
                return Err(CliError::usage("bad_code", what));
            }
        }
        Ok(())
    }

    fn code_path(&self, offer: &Offered, session: &Session) -> PathBuf {
        let name = format!("{}-{}", self.scheme.head.name, offer.name);
        session.home().join("codes").join(name)
    }

    /// The code that was given, is kept, or was drawn in this run.
    fn code(
        &self,
        (at, offer): (usize, &Offered),
        session: &Session,
    ) -> Result<Option<String>, CliError> {
        let given = self.args.code.iter().find(|(name, _)| *name == offer.name);
        if let Some((_, code)) = given {
            return Ok(Some(code.clone()));
        }
        if let Some(code) = self.drawn.get(&at) {
            return Ok(Some(code.clone()));
        }
        let path = self.code_path(offer, session);
        if !path.try_exists().map_err(|cause| file_error(&path, cause))? {
            return Ok(None);
        }
        let kept = files::read_input(&path, CODE_BYTES_MAX)?;
        let kept = String::from_utf8(kept).map_err(|_| file_error(&path, "it is no text"))?;
        Ok(Some(kept.trim().to_owned()))
    }

    async fn code_key(&self, code: &str, session: &mut Session) -> Result<PublicKey, CliError> {
        let issuer = self.scheme.cast.named("issuer").map_or(0, |places| places.start);
        let issuer: PartyId = self.party(issuer, session).await?;
        Ok(SecretKey::from_seed(&code_seed(&issuer, code)).public())
    }

    /// None if it is not there; else how it is otherwise. Whatever code it asks for there is its own, unless one was given.
    pub(super) async fn look_offer(
        &mut self,
        (at, offer): (usize, &Offered),
        there: &[OfferView],
        session: &mut Session,
    ) -> Result<Option<Vec<String>>, CliError> {
        let issuer = self.scheme.cast.named("issuer").map_or(0, |places| places.start);
        let issuer = self.party(issuer, session).await?;
        let of = |view: &&OfferView| {
            let terms = &view.offer.terms;
            terms.document == offer.terms.document && terms.issuer == issuer
        };
        let mut found: Vec<&OfferView> = there.iter().filter(of).collect();
        found.sort_by_key(|view| view.offer.ended.is_none());
        let Some(view) = found.pop() else { return Ok(None) };
        let mut key = match &view.offer.terms.access {
            Access::Code(key) => *key,
            _ => PublicKey([0; 32]),
        };
        if let (Shown::Code(_), Some(code)) = (&offer.shown, self.code((at, offer), session)?) {
            let ours = self.code_key(&code, session).await?;
            let given = self.args.code.iter().any(|(name, _)| *name == offer.name);
            match given || ours == key {
                true => key = ours,
                // A draft of this device that was never signed by all: somebody else's was.
                false => {
                    let path = self.code_path(offer, session);
                    let note = format!("it asks for another code than that of {}", path.display());
                    self.notes.insert(at, note);
                }
            }
        }
        let wanted = self.offer(offer, Some(key), session).await?;
        self.offers.insert(at, view.id);
        Ok(Some(compare::offer(&view.offer, &wanted)))
    }

    pub(super) async fn draft_offer(
        &mut self,
        (at, offer): (usize, &Offered),
        (composer, sender): (Composer, PartyId),
        attempt: u8,
        session: &mut Session,
    ) -> Result<Draft, CliError> {
        let key = match &offer.shown {
            Shown::Code(_) => {
                let code = match self.code((at, offer), session)? {
                    Some(code) => code,
                    None => self.drawn.entry(at).or_insert(offer_code()).clone(),
                };
                Some(self.code_key(&code, session).await?)
            }
            Shown::Nothing | Shown::Right(..) => None,
        };
        let terms = self.offer(offer, key, session).await?;
        let again = if attempt == 1 { String::new() } else { attempt.to_string() };
        // Its notice tells it from another scheme's of the same name, and a reference is short.
        let notice = &terms.document.to_string()[..8];
        let reference: Reference = format!("offer:{}:{notice}{again}", offer.name).parse()?;
        let draft = composer.put_offer(sender, terms).reference(reference);
        self.offers.insert(at, draft.id());
        Ok(draft)
    }

    /// Keeps an offer's code before anything is sent, and says where.
    pub(super) fn keep_code(
        &self,
        (at, offer): (usize, &Offered),
        session: &Session,
    ) -> Result<String, CliError> {
        if !matches!(offer.shown, Shown::Code(_)) {
            return Ok(String::new());
        }
        let path = self.code_path(offer, session);
        if let Some(code) = self.code((at, offer), session)? {
            files::replace(&path, code.as_bytes())?;
        }
        Ok(format!("; its code is in {}", path.display()))
    }

    /// Forgets a code that was drawn in this run, for an offer that was there already.
    pub(super) fn forget_code(
        &mut self,
        (at, offer): (usize, &Offered),
        session: &Session,
    ) -> Result<(), CliError> {
        match self.drawn.remove(&at) {
            Some(_) => files::remove(&self.code_path(offer, session)),
            None => Ok(()),
        }
    }
}
