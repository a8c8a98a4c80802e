//! `musubi report settlement`: what merchants are to be paid, as a report or as a bank's file.

use std::path::PathBuf;

use clap::Args;
use musubi_sdk::{Day, TxId};

use super::{
    input::Input,
    output::{Format, Output},
};
use crate::{
    error::ReportError,
    format::zengin::{self, LineEnd},
    period::Period,
    report::{
        Materials,
        bank::Accounts,
        settlement::{self, Which},
    },
};

#[derive(Debug, Args)]
pub(super) struct SettlementArgs {
    /// What waits for being paid out at 24:00 of this day
    #[arg(
        long,
        value_name = "DATE",
        required_unless_present_any = ["from", "settlement"],
        conflicts_with_all = ["from", "settlement"]
    )]
    cut_off: Option<Day>,
    /// In place of it: what now waits of one settlement (the id of its `settle`)
    #[arg(long, value_name = "ID", conflicts_with = "from")]
    settlement: Option<TxId>,
    /// In place of it: what was confirmed as paid out, from this day on
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Day>,
    /// Up to this day, included
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Day>,
    /// Bank accounts of sender and merchants: a TOML file (docs/REPORTS.md), for a bank's file
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// The day on which the bank shall pay, for a bank's file
    #[arg(long, value_name = "DATE")]
    pay_on: Option<Day>,
    /// Records of a bank's file without CR LF behind each
    #[arg(long)]
    no_line_ends: bool,
}

impl SettlementArgs {
    fn which(&self) -> Result<Which, ReportError> {
        if let Some(id) = self.settlement {
            return Ok(Which::Settlement { id });
        }
        match (self.cut_off, self.from, self.to) {
            (Some(cut_off), ..) => Ok(Which::Waiting { cut_off }),
            (None, Some(from), Some(to)) => Period::new(from, to).map(Which::Paid),
            _ => Err(ReportError::asked("period", "no days were named", "give --cut-off DATE")),
        }
    }
}

pub(super) async fn run(
    args: &SettlementArgs,
    input: &Input,
    output: &Output,
) -> Result<(), ReportError> {
    let which = args.which()?;
    let bank = (output.format() == Format::Zengin).then(|| bank(args)).transpose()?;
    let (source, names) = input.read(which.scope()).await?;
    let made = settlement::make(Materials { source: &source, names: &names }, which)?;
    let Some((accounts, pay_on)) = bank else { return output.write(&made) };
    let (sender, items) = accounts.orders(&made, &names)?;
    let end = if args.no_line_ends { LineEnd::None } else { LineEnd::CrLf };
    let file = zengin::write(sender, pay_on, &items, end).map_err(|error| {
        let next = error.next();
        ReportError::asked("zengin", error.to_string(), next)
    })?;
    output.put(&file)
}

/// What a bank's file needs besides the ledger, asked for before the ledger is read.
fn bank(args: &SettlementArgs) -> Result<(Accounts, Day), ReportError> {
    let (Some(file), Some(pay_on)) = (&args.accounts, args.pay_on) else {
        let what = "a bank's file needs accounts and the day on which the bank shall pay";
        return Err(ReportError::asked(
            "bank_details",
            what,
            "give --accounts FILE and --pay-on DATE",
        ));
    };
    Ok((Accounts::read(file)?, pay_on))
}
