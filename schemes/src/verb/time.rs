//! `advance`: time goes on, and what is due by then happens.

use musubi_ledger::time::Time;

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

#[derive(Debug)]
enum Advance {
    To(Time),
    By(u64),
}

pub(super) fn advance(fields: &Fields<'_>, _names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let advance = match (fields.may("to"), fields.may("by")) {
        (Some(to), None) => Advance::To(to.time()?),
        (None, Some(by)) => Advance::By(by.length()?),
        _ => return fields.wrong("`to` or `by` says how far time goes"),
    };
    Some(Box::new(advance))
}

impl Verb for Advance {}
impl Sealed for Advance {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let to = match self {
            Self::To(to) => *to,
            Self::By(ms) => play.stage.now().plus(*ms),
        };
        play.stage.advance(to)?;
        Ok(Vec::new())
    }
}
