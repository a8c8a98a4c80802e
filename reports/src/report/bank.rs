//! Bank accounts beside the ledger, and the payments of a settlement that a bank's file orders.

use std::collections::BTreeMap;

use musubi_sdk::PartyId;
use serde::Deserialize;

use super::settlement::Settlement;
use crate::{
    error::ReportError,
    format::zengin::{BankAccount, Item, Sender},
    names::Names,
};

/// Bank accounts, from a file of the operator's: they are no part of the ledger.
///
/// ```toml
/// [sender]                      # who orders the payments, and from which account
/// code = "0123456789"
/// bank = "0128"
/// bank_name = "グンマ"
/// branch = "101"
/// branch_name = "マエバシ"
/// kind = "ordinary"             # current, savings, other
/// account = "7654321"
/// name = "ムスビ ジムキヨク"
///
/// [payee."party1…"]             # or a name of the --names file
/// bank = "0128"
/// # … as above
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    sender: Sender,
    #[serde(default)]
    payee: BTreeMap<String, BankAccount>,
}

impl Accounts {
    /// Reads the file.
    ///
    /// # Errors
    /// If it is not of the form above.
    pub fn read(file: &std::path::Path) -> Result<Self, ReportError> {
        let text = std::fs::read_to_string(file).map_err(|e| ReportError::file(file, e))?;
        toml::from_str(&text).map_err(|error| ReportError::file(file, error))
    }

    /// Who orders, and the payments of a settlement: one per merchant that is paid anything.
    ///
    /// # Errors
    /// If a merchant has no account here: all of them are named.
    pub fn orders<'a>(
        &'a self,
        settlement: &Settlement,
        names: &Names,
    ) -> Result<(&'a Sender, Vec<Item<'a>>), ReportError> {
        let mut accounts: BTreeMap<PartyId, &BankAccount> = BTreeMap::new();
        for (who, account) in &self.payee {
            if accounts.insert(names.find(who)?, account).is_some() {
                let what = format!("`{who}` stands twice among the payees");
                return Err(ReportError::asked("bank_details", what, "leave one of them"));
            }
        }
        let mut missing = Vec::new();
        let mut items = Vec::new();
        // What fees and debts take all of is no payment.
        for line in settlement.lines.iter().filter(|line| !line.amount_yen.is_zero()) {
            match accounts.get(&line.merchant.party) {
                Some(to) => {
                    let amount = u64::try_from(line.amount_yen.0).unwrap_or(u64::MAX);
                    items.push(Item { to, amount });
                }
                None => missing.push(line.merchant.name.as_str()),
            }
        }
        if missing.is_empty() {
            return Ok((&self.sender, items));
        }
        let what = format!("no bank account is known of {}", missing.join(", "));
        Err(ReportError::asked("bank_details", what, "add a [payee.\"…\"] table for each"))
    }
}
