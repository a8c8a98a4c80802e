//! Periods of Japanese days.

use musubi_sdk::{Day, Time};
use serde::Serialize;

use crate::error::ReportError;

/// From the first instant of one day to the last of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Period {
    /// The first day.
    #[serde(serialize_with = "day")]
    pub first: Day,
    /// The last day, included.
    #[serde(serialize_with = "day")]
    pub last: Day,
}

fn day<S: serde::Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

impl Period {
    /// From the first day to the last, both included.
    ///
    /// # Errors
    /// If they are the wrong way round.
    pub fn new(first: Day, last: Day) -> Result<Self, ReportError> {
        if first > last {
            let what = format!("a period from {first} to {last} ends before it begins");
            return Err(ReportError::asked("period", what, "give --from no later than --to"));
        }
        Ok(Self { first, last })
    }

    /// Its first instant.
    #[must_use]
    pub fn from(self) -> Time {
        self.first.begin()
    }

    /// Its exclusive end: 24:00 of its last day, Japanese time.
    #[must_use]
    pub fn until(self) -> Time {
        self.last.next().begin()
    }

    /// Whether an instant lies in it.
    #[must_use]
    pub fn holds(self, time: Time) -> bool {
        (self.from()..self.until()).contains(&time)
    }
}
