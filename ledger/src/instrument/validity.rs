//! Until when value can be spent.

use serde::{Deserialize, Serialize};

use crate::{calendar::Span, time::Time};

/// Until when issued value can be spent. Every end is exclusive, and all but a fixed one are midnights in Japan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// For ever.
    None,
    /// Until a fixed instant.
    At(Time),
    /// So long after it was issued.
    After(Span),
    /// So long after its holder last received, spent or touched any of the instrument.
    Sliding(Span),
}

impl Validity {
    /// Whether its span is within bounds.
    #[must_use]
    pub fn well_formed(self) -> bool {
        match self {
            Self::None | Self::At(_) => true,
            Self::After(span) | Self::Sliding(span) => span.well_formed(),
        }
    }

    /// When value expires that is issued or renewed at `now`.
    #[must_use]
    pub fn end_from(self, now: Time) -> Option<Time> {
        match self {
            Self::None => None,
            Self::At(end) => Some(end),
            Self::After(span) | Self::Sliding(span) => Some(span.end_from(now)),
        }
    }
}
