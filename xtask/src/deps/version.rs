//! Versions, as far as comparing them needs.

/// A semantic version. Build metadata (`+11.8.1`) does not count; a pre-release comes before its release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    numbers: [u64; 3],
    is_release: bool,
    pre: String,
}

impl Version {
    /// Reads `1`, `1.2`, `1.2.3` or `1.2.3-alpha+build`; a number that is not named is zero.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bare = text.split('+').next()?;
        let (numbers, pre) = bare.split_once('-').unwrap_or((bare, ""));
        let mut parsed = [0; 3];
        let mut places = parsed.iter_mut();
        for number in numbers.split('.') {
            *places.next()? = number.parse().ok()?;
        }
        Some(Self { numbers: parsed, is_release: pre.is_empty(), pre: pre.to_owned() })
    }

    /// The part that Cargo holds fixed when it updates: 1.x together, 0.8.x together.
    pub(super) fn line(&self) -> [u64; 2] {
        let [major, minor, _] = self.numbers;
        if major == 0 { [0, minor] } else { [major, 0] }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn versions_are_ordered_by_number() {
        let sorted =
            ["0.5.0-alpha", "0.5.0", "0.13.9", "0.13.10", "1", "1.2.1+spec-1.1.0", "10.0.0"];
        for pair in sorted.windows(2) {
            let [low, high] = [pair[0], pair[1]].map(|text| Version::parse(text).unwrap());
            assert!(low < high, "{pair:?}");
        }
        assert_eq!(Version::parse("0.19.0+11.8.1"), Version::parse("0.19.0"));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "x", "1.2.3.4", "1..2"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn lines_are_cargos() {
        let line = |text: &str| Version::parse(text).unwrap().line();
        assert_eq!(line("0.8.6"), line("0.8.9"));
        assert_ne!(line("0.8.6"), line("0.9.6"));
        assert_eq!(line("1.2.0"), line("1.9.0"));
    }
}
