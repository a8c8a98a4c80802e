//! `settle`: the issuer freezes merchants' claims at a cut-off of its calendar, to pay them out.

use musubi_ledger::{
    amount::Amount,
    cutoff::SettlementCalendar,
    id::{DocumentHash, InstrumentId},
    limits::{REDEMPTION_WINDOW_MS, SETTLE_LINES_MAX},
    operation::{Operation, Settle as Settles, SettleLine},
    party::PartyKind,
    time::Time,
};

use super::{
    Act, Fault, Fields, Names, Play, Verb,
    redeem::{MONTH_MS, claim},
    sealed::Sealed,
};

/// How long behind the day of the payout the bank may take to return one.
const BANK_MS: u64 = 7 * 86_400_000;

#[derive(Debug)]
struct Settle {
    merchants: Vec<usize>,
    instrument: InstrumentId,
    /// All of its claim where none is said.
    amount: Option<Amount>,
    /// The instrument's.
    calendar: Option<SettlementCalendar>,
}

pub(super) fn settle(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("merchant")?;
    let merchants = names.parties(&node);
    let instrument = names.only(fields.may("instrument"), fields);
    let amount = fields.may("amount").map_or(Some(None), |node| node.amount().map(Some));
    let merchants = merchants?;
    if merchants.iter().any(|at| names.cast.members[*at].kind == PartyKind::Person) {
        return node.wrong("persons have no claims");
    }
    let instrument = instrument?;
    let issued = names.instruments.iter().find(|issued| issued.id == instrument);
    let calendar = issued.and_then(|issued| issued.settled);
    let calendar = calendar.map(|at| names.calendars[at].days.clone());
    Some(Box::new(Settle { merchants, instrument, amount: amount?, calendar }))
}

impl Settle {
    /// The cut-off, and until when its lines are answered.
    fn when(&self, now: Time) -> Result<(Time, Time), Fault> {
        let month = now.plus(MONTH_MS);
        let Some(calendar) = &self.calendar else { return Ok((now, month)) };
        let Some(cut) = calendar.newest(now) else {
            return Err(Fault::Lacks(format!("nothing is cut off yet by {now}")));
        };
        let answered = month.max(cut.pays.begin().plus(BANK_MS));
        // What submitting takes is left.
        Ok((cut.at, answered.min(now.plus(REDEMPTION_WINDOW_MS))))
    }
}

impl Verb for Settle {}
impl Sealed for Settle {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let (cut_off, deadline) = self.when(play.stage.now())?;
        let line = |at: &usize| SettleLine {
            merchant: play.party(*at),
            gross: self.amount.unwrap_or_else(|| claim(play, *at, self.instrument)),
        };
        let mut lines: Vec<SettleLine> = self.merchants.iter().map(line).collect();
        lines.retain(|line| !line.gross.is_zero());
        lines.sort_unstable_by_key(|line| line.merchant);
        if lines.is_empty() {
            return Err(Fault::Lacks("nobody of them has a claim".to_owned()));
        }
        let mut acts = Vec::new();
        for lines in lines.chunks(SETTLE_LINES_MAX) {
            let document = DocumentHash(play.fresh_hash("settlement"));
            let (instrument, lines) = (self.instrument, lines.to_vec());
            let settle = Settles { instrument, cut_off, lines, deadline, document };
            let officers = play.officers("issuer", 2);
            acts.push(Act::new(play.body(officers[0].3, Operation::Settle(settle)), officers));
        }
        Ok(acts)
    }
}
