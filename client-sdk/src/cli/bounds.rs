//! The bounds of a mandate as they are typed, shared by `mandate` and `medium`.

use clap::{Args, ValueEnum};
use musubi_sdk::{
    Amount, Counterparty, Direction, InstrumentId, MandateTerms, PartyId, PartyKind, Purpose, Time,
    ledger::{
        party::AttributeTest,
        predicate::{Predicate, Test},
    },
};

use super::{
    args::{KindArg, parse_purpose},
    error::CliError,
    session::Session,
    sums::parse_amount,
    when::When,
};

/// Which consent a mandate stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum DirectionArg {
    /// To receive
    Receive,
    /// To give
    Give,
}

/// Bounds.
#[derive(Clone, Debug, Args)]
pub(crate) struct Bounds {
    /// Of which instruments; repeat [default: the profile's, or the only one there is]
    #[arg(long, value_name = "CODE")]
    pub(crate) instrument: Vec<String>,
    /// Most at one use
    #[arg(long, value_name = "DECIMAL")]
    pub(crate) per_use: String,
    /// Most on one day (in Japan)
    #[arg(long, value_name = "DECIMAL")]
    pub(crate) per_day: Option<String>,
    /// Most with one counterparty
    #[arg(long, value_name = "DECIMAL")]
    pub(crate) per_counterparty: Option<String>,
    /// Most in all
    #[arg(long, value_name = "DECIMAL")]
    pub(crate) total: Option<String>,
    /// Most uses
    #[arg(long, value_name = "COUNT")]
    pub(crate) uses: Option<u32>,
    /// With this party alone
    #[arg(long, value_name = "NAME|ADDRESS", conflicts_with = "with_kind")]
    pub(crate) with: Option<String>,
    /// With parties of this kind alone
    #[arg(long, value_enum)]
    pub(crate) with_kind: Option<KindArg>,
    /// And only if an attribute has one of these values: district=north,south
    #[arg(long, value_name = "NAME=VALUES", requires = "with_kind")]
    pub(crate) with_attribute: Option<String>,
    /// For this purpose alone
    #[arg(long, value_parser = parse_purpose)]
    pub(crate) purpose: Option<Purpose>,
    /// A person who alone may use it, as an event's staff; repeat
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub(crate) staff: Vec<String>,
    /// When it ends: 365d, or a last day such as 2027-03-31
    #[arg(long)]
    pub(crate) until: Option<When>,
}

impl Bounds {
    /// The terms, from `now` on.
    pub(crate) async fn terms(
        &self,
        direction: DirectionArg,
        now: Time,
        session: &mut Session,
    ) -> Result<MandateTerms, CliError> {
        let (instruments, decimals) = self.instruments(session).await?;
        let cap = |text: &Option<String>| -> Result<Option<Amount>, CliError> {
            text.as_deref().map(|text| parse_amount(text, decimals)).transpose()
        };
        let mut staff: Vec<PartyId> = Vec::new();
        for text in &self.staff {
            staff.push(session.party(text).await?);
        }
        staff.sort_unstable();
        staff.dedup();
        Ok(MandateTerms {
            direction: match direction {
                DirectionArg::Receive => Direction::Credit,
                DirectionArg::Give => Direction::Debit,
            },
            instruments,
            counterparty: self.counterparty(session).await?,
            purpose: self.purpose,
            per_use: parse_amount(&self.per_use, decimals)?,
            per_day: cap(&self.per_day)?,
            per_counterparty: cap(&self.per_counterparty)?,
            total: cap(&self.total)?,
            uses: self.uses,
            staff,
            from: now,
            until: self.until.map(|when| when.from(now)),
        })
    }

    /// The instruments, ascending, and the places that they share: caps count over all of them.
    async fn instruments(
        &self,
        session: &mut Session,
    ) -> Result<(Vec<InstrumentId>, u8), CliError> {
        let mut found = Vec::new();
        if self.instrument.is_empty() {
            found.push(session.instrument(None).await?);
        }
        for code in &self.instrument {
            found.push(session.instrument(Some(code)).await?);
        }
        found.sort_unstable();
        found.dedup();
        let decimals = found[0].1;
        if found.iter().any(|(_, places)| *places != decimals) {
            let what = "these instruments have different decimal places: one cap cannot fit both";
            return Err(CliError::usage("mixed_decimals", what).next("grant a mandate for each"));
        }
        Ok((found.into_iter().map(|(id, _)| id).collect(), decimals))
    }

    async fn counterparty(&self, session: &mut Session) -> Result<Counterparty, CliError> {
        if let Some(text) = &self.with {
            return Ok(Counterparty::Party(session.party(text).await?));
        }
        let Some(kind) = self.with_kind.map(PartyKind::from) else {
            return Ok(Counterparty::Any);
        };
        match &self.with_attribute {
            None => Ok(Counterparty::Kind(kind)),
            Some(text) => Ok(Counterparty::Attribute(kind, attribute_test(text)?)),
        }
    }
}

/// Reads `district=north,south`.
pub(crate) fn attribute_test(text: &str) -> Result<AttributeTest, CliError> {
    let Some((name, values)) = text.split_once('=') else {
        let what = format!("`{text}` is no condition");
        return Err(
            CliError::usage("bad_condition", what).next("write it like district=north,south")
        );
    };
    let mut any_of: Vec<String> = values.split(',').map(ToOwned::to_owned).collect();
    any_of.sort_unstable();
    any_of.dedup();
    let name = name.to_owned();
    Ok(AttributeTest { name, any_of })
}

/// Reads `resident=yes`, `lives=here|works=here`, `area=north,south&!barred=yes`: alternatives of tests.
pub(crate) fn predicate(text: &str) -> Result<Predicate, CliError> {
    let test = |text: &str| {
        let (not, text) = text.strip_prefix('!').map_or((false, text), |text| (true, text));
        attribute_test(text).map(|AttributeTest { name, any_of }| Test { name, any_of, not })
    };
    let all = |text: &str| text.split('&').map(test).collect::<Result<Vec<_>, _>>();
    Ok(Predicate { any: text.split('|').map(all).collect::<Result<_, _>>()? })
}

/// A condition as [`predicate`] reads it.
pub(crate) fn predicate_text(predicate: &Predicate) -> String {
    let test = |test: &Test| {
        let not = if test.not { "!" } else { "" };
        format!("{not}{}={}", test.name, test.any_of.join(","))
    };
    let all = |tests: &Vec<Test>| tests.iter().map(test).collect::<Vec<_>>().join("&");
    predicate.any.iter().map(all).collect::<Vec<_>>().join("|")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn conditions_ascend_as_the_ledger_wants_them() {
        let test = attribute_test("district=south,north,south").unwrap();
        assert_eq!(test.any_of, ["north", "south"]);
        assert!(test.well_formed());
        assert_eq!(attribute_test("district").unwrap_err().code, "bad_condition");
    }
}
