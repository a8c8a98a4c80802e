//! Amounts: what is typed, of which instrument, and how it is shown.

use std::collections::{BTreeMap, BTreeSet};

use musubi_sdk::{Amount, Body, Glossary, InstrumentId, Leg, Operation, PartyId, TxId};

use super::{args::Sum, error::CliError, session::Session};

impl Session {
    /// Every instrument, cached. Places that differ from those remembered are refused: with them,
    /// what is typed as 12.50 would be signed as another amount.
    async fn fill_instruments(&mut self) -> Result<(), CliError> {
        if self.instruments.is_some() {
            return Ok(());
        }
        let told = self.client()?.instruments().await?;
        for view in &told {
            let (code, places) = (view.id.to_string(), view.instrument.terms.decimals);
            let known = self.profile().decimals.get(&code);
            if let Some(known) = known.filter(|known| **known != places) {
                let what = format!("the node says {places} decimal places of {code}, not {known}");
                let next = "places never change: ask another organisation's node";
                return Err(CliError::new("decimals_differ", what).next(next));
            }
        }
        self.instruments = Some(told);
        Ok(())
    }

    /// Places of every instrument by its code, to be remembered; none if they cannot be read now.
    pub(crate) async fn places(&mut self) -> Result<BTreeMap<String, u8>, CliError> {
        match self.fill_instruments().await {
            Err(error) if error.code == "decimals_differ" => return Err(error),
            _ => {}
        }
        let places = self.decimals().await;
        Ok(places.into_iter().map(|(id, places)| (id.to_string(), places)).collect())
    }

    /// An instrument and its places: the one named, the profile's, or the only one.
    pub(crate) async fn instrument(
        &mut self,
        code: Option<&str>,
    ) -> Result<(InstrumentId, u8), CliError> {
        self.fill_instruments().await?;
        let all = self.instruments.as_deref().unwrap_or_default();
        let listed = || {
            let codes: Vec<String> = all.iter().map(|view| view.id.to_string()).collect();
            format!("there are: {}", codes.join(", "))
        };
        let found = match code.or(self.profile().instrument.as_deref()) {
            Some(code) => all.iter().find(|view| view.id.to_string() == code).ok_or_else(|| {
                let what = format!("no instrument is called {code}");
                CliError::usage("unknown_instrument", what).next(listed())
            }),
            None if all.len() == 1 => Ok(&all[0]),
            None => {
                let what = "this ledger has several instruments, and none was named";
                Err(CliError::usage("which_instrument", what)
                    .next(format!("say which with --instrument CODE; {}", listed())))
            }
        }?;
        Ok((found.id, found.instrument.terms.decimals))
    }

    /// The places of every instrument's unit.
    pub(crate) async fn decimals(&mut self) -> BTreeMap<InstrumentId, u8> {
        // Without them amounts are shown in the smallest unit: less pretty, never wrong.
        let _ = self.fill_instruments().await;
        let all = self.instruments.iter().flatten();
        all.map(|view| (view.id, view.instrument.terms.decimals)).collect()
    }

    /// An amount as typed, of an instrument.
    pub(crate) async fn leg(&mut self, sum: &Sum) -> Result<Leg, CliError> {
        let (instrument, decimals) = self.instrument(sum.instrument.as_deref()).await?;
        let amount = parse_amount(&sum.amount, decimals)?;
        Ok(Leg { instrument, amount })
    }

    /// What the allowance of a top-up issues, from the signed grant. Without a node that shows it, the
    /// top-up is described as what it is: so many units under that allowance.
    async fn allowed(&mut self, operation: &Operation) -> BTreeMap<TxId, InstrumentId> {
        let Operation::TopUp(op) = operation else { return BTreeMap::new() };
        if self.token().is_none() {
            return BTreeMap::new();
        }
        match self.signed_body(op.allowance).await.map(|body| body.operation) {
            Ok(Operation::GrantAllowance(grant)) => [(op.allowance, grant.instrument)].into(),
            _ => BTreeMap::new(),
        }
    }

    /// Names, scheme and places, for describing a body.
    pub(crate) async fn glossary(&mut self, body: &Body) -> Glossary {
        let moves =
            !matches!(body.operation, Operation::RevokeMandate { .. } | Operation::Freeze(_));
        let decimals = if moves { self.decimals().await } else { BTreeMap::new() };
        let allowed = self.allowed(&body.operation).await;
        Glossary { decimals, allowed, ..self.names() }
    }

    /// Names of the address book, and how amounts of every instrument are written.
    pub(crate) async fn words(&mut self) -> Glossary {
        Glossary { decimals: self.decimals().await, ..self.names() }
    }

    fn names(&self) -> Glossary {
        let named = self.book().contacts.values().map(|contact| contact.party);
        let named: BTreeSet<PartyId> = named.collect();
        let name = |party: PartyId| {
            let name = self.book().name_of(&party)?;
            Some((party, name.to_owned()))
        };
        let names = named.into_iter().filter_map(name).collect();
        Glossary { scheme: self.scheme_if_known(), names, ..Glossary::default() }
    }
}

/// Reads `12.50` (or `1,280`) as an amount of an instrument with that many places.
pub(crate) fn parse_amount(text: &str, decimals: u8) -> Result<Amount, CliError> {
    let bad = |what: &str| {
        CliError::usage("bad_amount", format!("`{text}`: {what}"))
            .next("write it like 500 or 12.50")
    };
    let plain = |c: char| c.is_ascii_digit() || c == '.' || c == ',';
    let grouped_right = text
        .split(',')
        .skip(1)
        .all(|part| part.split('.').next().is_some_and(|digits| digits.len() == 3));
    if text.is_empty() || !text.chars().all(plain) || !grouped_right {
        return Err(bad("not an amount"));
    }
    let value: rust_decimal::Decimal =
        text.replace(',', "").parse().map_err(|_| bad("not an amount"))?;
    let amount = Amount::from_decimal(value, decimals)
        .map_err(|_| bad(&format!("this instrument has {decimals} decimal places")))?;
    if amount.is_zero() {
        return Err(bad("nothing is not an amount"));
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, decimals, units) in [("500", 0, 500), ("1,280", 0, 1_280), ("12.5", 2, 1_250)] {
            assert_eq!(parse_amount(text, decimals).unwrap(), Amount(units));
        }
        for bad in ["", "0", "-5", "1e3", "12.50", "1,28", "５００", "1.2.3", " 5"] {
            assert_eq!(parse_amount(bad, 0).unwrap_err().code, "bad_amount", "{bad}");
        }
    }
}
