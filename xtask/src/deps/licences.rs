//! Licences and bans, over the crates that are really used.

use super::Used;
use super::policy::Deny;

/// Crates in use that `deny.toml` bans.
pub(super) fn bans(used: &[Used], deny: &Deny) -> Vec<String> {
    let breach = |it: &Used| {
        let ban = deny.bans.iter().find(|ban| ban.name == it.name)?;
        Some(format!("{} {} is banned: {}", it.name, it.version, ban.reason))
    };
    used.iter().filter_map(breach).collect()
}

/// Crates in use whose licence expression cannot be met with the allowed licences.
pub(super) fn check(used: &[Used], deny: &Deny) -> Vec<String> {
    let breach = |it: &Used| {
        let allowed = is_allowed(&it.licence, &deny.licences);
        (!allowed).then(|| format!("{} {} is under `{}`", it.name, it.version, it.licence))
    };
    used.iter().filter_map(breach).collect()
}

/// Whether an SPDX expression can be met. `/`, which old crates write, means `OR`. What cannot be read
/// is not allowed.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allowed };
    reader.either() == Some(true) && reader.words.is_empty()
}

/// Reads an expression from the left: `AND` binds tighter than `OR`. `None`: cannot be read.
struct Reader<'a> {
    words: &'a [&'a str],
    allowed: &'a [String],
}

impl<'a> Reader<'a> {
    fn either(&mut self) -> Option<bool> {
        let mut met = self.both()?;
        while self.take_if("OR") {
            met |= self.both()?;
        }
        Some(met)
    }

    fn both(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take_if("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take_if("(") {
            let met = self.either()?;
            return self.take_if(")").then_some(met);
        }
        let mut licence = self.take()?.to_owned();
        if self.take_if("WITH") {
            licence = format!("{licence} WITH {}", self.take()?);
        }
        Some(self.allowed.contains(&licence))
    }

    fn take(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    fn take_if(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::deps::policy::SAMPLE_DENY;

    fn used(name: &str, licence: &str) -> Vec<Used> {
        vec![Used { name: name.into(), version: "1.0.0".into(), licence: licence.into() }]
    }

    #[test]
    fn expressions_are_met_or_not() {
        let deny = Deny::parse(SAMPLE_DENY).unwrap();
        let met = [
            "MIT",
            "MIT/GPL-3.0",
            "GPL-3.0 OR MIT AND ISC",
            "(MIT OR GPL-3.0) AND ISC",
            "Apache-2.0 WITH LLVM-exception",
        ];
        let unmet = [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "(MIT OR ISC) AND GPL-3.0",
            "MIT WITH LLVM-exception",
            "MIT ISC",
            "(MIT",
            "MIT OR",
        ];
        for expression in met {
            assert!(check(&used("a", expression), &deny).is_empty(), "{expression}");
        }
        for expression in unmet {
            let expected = format!("a 1.0.0 is under `{expression}`");
            assert_eq!(check(&used("a", expression), &deny), [expected]);
        }
    }

    #[test]
    fn a_banned_crate_is_named_with_the_reason() {
        let deny = Deny::parse(SAMPLE_DENY).unwrap();
        let expected = "openssl-sys 1.0.0 is banned: one TLS library only";
        assert_eq!(bans(&used("openssl-sys", "MIT"), &deny), [expected]);
        assert!(bans(&used("openssl-probe", "MIT"), &deny).is_empty());
    }
}
