//! `advance`: time goes on, and what is due by then happens.

use musubi_ledger::{cutoff::SettlementCalendar, time::Time};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

#[derive(Debug)]
enum Advance {
    To(Time),
    By(u64),
    CutOff(SettlementCalendar),
    Payout(SettlementCalendar),
}

pub(super) fn advance(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let keys = ["to", "by", "cut_off", "payout"].map(|key| fields.may(key));
    let advance = match keys {
        [Some(to), None, None, None] => Advance::To(to.time()?),
        [None, Some(by), None, None] => Advance::By(by.length()?),
        [None, None, Some(next), None] => Advance::CutOff(names.calendar(&next)?),
        [None, None, None, Some(newest)] => Advance::Payout(names.calendar(&newest)?),
        _ => {
            return fields
                .wrong("one of `to`, `by`, `cut_off` and `payout` says how far time goes");
        }
    };
    Some(Box::new(advance))
}

impl Verb for Advance {}
impl Sealed for Advance {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let to = match self {
            Self::To(to) => *to,
            Self::By(ms) => play.stage.now().plus(*ms),
            Self::CutOff(calendar) => {
                let next = calendar.next(play.stage.now().day(), 1);
                next.first().ok_or_else(|| Fault::Lacks("there is no cut-off".to_owned()))?.at
            }
            Self::Payout(calendar) => {
                let newest = calendar.newest(play.stage.now());
                let lacks = || Fault::Lacks("nothing is cut off yet".to_owned());
                newest.ok_or_else(lacks)?.pays.begin()
            }
        };
        play.stage.advance(to)?;
        Ok(Vec::new())
    }
}
