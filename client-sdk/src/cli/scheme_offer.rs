//! What a scheme offers, onto a ledger: told from the issuer's other offers by its notice, and with a secret of its own where
//! the file asks for a code, or for a draw.
//!
//! The code in a file is read by everybody, so it is the scenario's alone, and so is the seed that a scenario draws by. What a
//! network's offer asks for is drawn here (a code may be given by `--code`), and kept in the home before anything is sent: the ledger
//! has a key, or a hash, and no file but this one the secret.

use std::path::PathBuf;

use musubi_schemes::{
    configuration::Own,
    scheme::{Offered, Shown},
};
use musubi_sdk::{
    Composer, Draft, PartyId, Reference,
    api::OfferView,
    entropy,
    ledger::{
        id::Seed,
        offer::{Access, OfferTerms, Price, draw::commitment},
    },
    offer_code,
};

use super::{
    error::{CliError, file_error},
    files,
    offer::code_key,
    scheme_casting::Casting,
    scheme_compare as compare,
    session::Session,
};

/// Largest kept secret, in bytes.
const SECRET_BYTES_MAX: u64 = 256;

/// Where secrets of this kind lie in a home, if the offer has one.
fn folder(offer: &Offered) -> Option<&'static str> {
    match offer.shown {
        Shown::Code(_) => Some("codes"),
        Shown::Lottery => Some("seeds"),
        Shown::Nothing | Shown::Right(..) => None,
    }
}

/// What an offer that is there asks for and names.
fn theirs(terms: &OfferTerms) -> Own {
    let (code, commitment) = match &terms.access {
        Access::Code(key) => (Some(*key), None),
        Access::Lottery(lottery) => (None, Some(lottery.commitment)),
        Access::Open | Access::Entitled(_) => (None, None),
    };
    let sale = match terms.gives.price() {
        Some(Price::Outside(outside)) => Some(outside.key),
        Some(Price::Exchange(_)) | None => None,
    };
    Own { code, commitment, sale }
}

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

    fn given(&self, offer: &Offered) -> Option<String> {
        let given = self.args.code.iter().find(|(name, _)| *name == offer.name);
        given.map(|(_, code)| code.clone())
    }

    fn kept_at(&self, offer: &Offered, session: &Session) -> Option<PathBuf> {
        let name = format!("{}-{}", self.scheme.head.name, offer.name);
        Some(session.home().join(folder(offer)?).join(name))
    }

    /// The secret that was given, was drawn in this run, or is kept.
    fn secret(
        &self,
        (at, offer): (usize, &Offered),
        session: &Session,
    ) -> Result<Option<String>, CliError> {
        let Some(path) = self.kept_at(offer, session) else { return Ok(None) };
        if let Some(known) = self.given(offer).or_else(|| self.drawn.get(&at).cloned()) {
            return Ok(Some(known));
        }
        if !path.try_exists().map_err(|cause| file_error(&path, cause))? {
            return Ok(None);
        }
        let kept = files::read_input(&path, SECRET_BYTES_MAX)?;
        let kept = String::from_utf8(kept).map_err(|_| file_error(&path, "it is no text"))?;
        Ok(Some(kept.trim().to_owned()))
    }

    fn issuer_place(&self) -> usize {
        self.scheme.cast.named("issuer").map_or(0, |places| places.start)
    }

    async fn issuer(&self, session: &mut Session) -> Result<PartyId, CliError> {
        self.party(self.issuer_place(), session).await
    }

    /// What a secret is on the ledger.
    async fn of_secret(
        &self,
        offer: &Offered,
        secret: &str,
        session: &mut Session,
    ) -> Result<Own, CliError> {
        match offer.shown {
            Shown::Lottery => {
                let seed: Seed = secret.parse().map_err(|_| {
                    let path = self.kept_at(offer, session).unwrap_or_default();
                    CliError::usage("bad_seed", format!("{} holds no seed", path.display()))
                        .next("`musubi offer seed` writes one")
                })?;
                Ok(Own { commitment: Some(commitment(&seed)), ..Own::default() })
            }
            _ => {
                let issuer = self.issuer(session).await?;
                let key = code_key(&issuer, secret).public();
                Ok(Own { code: Some(key), ..Own::default() })
            }
        }
    }

    /// None if it is not there; else how it is otherwise. Whatever secret it has there is its own, unless a code was given.
    pub(super) async fn look_offer(
        &mut self,
        (at, offer): (usize, &Offered),
        there: &[OfferView],
        session: &mut Session,
    ) -> Result<Option<Vec<String>>, CliError> {
        let issuer = self.issuer(session).await?;
        let of = |view: &&OfferView| {
            let terms = &view.offer.terms;
            terms.document == offer.terms.document && terms.issuer == issuer
        };
        let mut found: Vec<&OfferView> = there.iter().filter(of).collect();
        found.sort_by_key(|view| view.offer.ended.is_none());
        let Some(view) = found.pop() else { return Ok(None) };
        let theirs = theirs(&view.offer.terms);
        let mut own = Own {
            code: theirs.code.or(Own::NONE.code),
            commitment: theirs.commitment.or(Own::NONE.commitment),
            sale: self.sale(offer, session)?,
        };
        if let Some(secret) = self.secret((at, offer), session)? {
            let ours = self.of_secret(offer, &secret, session).await?;
            if self.given(offer).is_some() {
                own.code = ours.code;
            } else if (ours.code, ours.commitment) != (theirs.code, theirs.commitment) {
                // A draft of this device that was never signed by all: somebody else's was.
                let path = self.kept_at(offer, session).unwrap_or_default();
                let note = format!("its secret is another than that of {}", path.display());
                self.notes.insert(at, note);
            }
        }
        let wanted = self.offer(offer, own, session).await?;
        self.offers.insert(at, view.id);
        Ok(Some(compare::offer(&view.offer, &wanted)))
    }

    /// The key that says that outside funds came for what is sold.
    fn sale(
        &self,
        offer: &Offered,
        session: &Session,
    ) -> Result<Option<musubi_sdk::PublicKey>, CliError> {
        if offer.sold() { self.key(self.issuer_place(), session).map(Some) } else { Ok(None) }
    }

    pub(super) async fn draft_offer(
        &mut self,
        (at, offer): (usize, &Offered),
        (composer, sender): (Composer, PartyId),
        attempt: u8,
        session: &mut Session,
    ) -> Result<Draft, CliError> {
        let secret = match (self.secret((at, offer), session)?, &offer.shown) {
            (None, Shown::Code(_)) => Some(self.drawn.entry(at).or_insert(offer_code()).clone()),
            (None, Shown::Lottery) => {
                let seed = Seed(entropy::bytes());
                Some(self.drawn.entry(at).or_insert(seed.to_string()).clone())
            }
            (known, _) => known,
        };
        let mut own = match &secret {
            Some(secret) => self.of_secret(offer, secret, session).await?,
            None => Own::default(),
        };
        own.sale = self.sale(offer, session)?;
        let terms = self.offer(offer, own, session).await?;
        let again = if attempt == 1 { String::new() } else { attempt.to_string() };
        // Its notice tells it from another scheme's of the same name, and a reference is short.
        let notice = &terms.document.to_string()[..8];
        let reference: Reference = format!("offer:{}:{notice}{again}", offer.name).parse()?;
        let draft = composer.put_offer(sender, terms).reference(reference);
        self.offers.insert(at, draft.id());
        Ok(draft)
    }

    /// Keeps an offer's secret before anything is sent, and says where.
    pub(super) fn keep_secret(
        &self,
        (at, offer): (usize, &Offered),
        session: &Session,
    ) -> Result<String, CliError> {
        let (path, secret) = (self.kept_at(offer, session), self.secret((at, offer), session)?);
        let (Some(path), Some(secret)) = (path, secret) else { return Ok(String::new()) };
        files::replace(&path, secret.as_bytes())?;
        let what = if matches!(offer.shown, Shown::Lottery) { "seed" } else { "code" };
        Ok(format!("; its {what} is in {}", path.display()))
    }

    /// Forgets a secret that was drawn in this run, for an offer that was there already.
    pub(super) fn forget_secret(
        &mut self,
        (at, offer): (usize, &Offered),
        session: &Session,
    ) -> Result<(), CliError> {
        match (self.drawn.remove(&at), self.kept_at(offer, session)) {
            (Some(_), Some(path)) => files::remove(&path),
            _ => Ok(()),
        }
    }
}
