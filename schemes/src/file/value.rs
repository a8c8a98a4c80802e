//! Values that several sections share: instants, lengths of time, conditions on attributes, `if`.

use std::collections::BTreeMap;

use musubi_ledger::{
    amount::Amount,
    calendar::Span,
    predicate::{Predicate, Test},
    time::{Day, Time},
};

use super::{fields::Fields, node::Node};

const MINUTE_MS: u64 = 60_000;

impl Node<'_> {
    /// An amount in the instrument's smallest unit, not zero.
    pub(crate) fn amount(&self) -> Option<Amount> {
        self.whole(1..=u64::MAX).map(Amount)
    }

    /// A date: `2026-04-01`.
    pub(crate) fn day(&self) -> Option<Day> {
        let text = self.text()?;
        let read = text.parse().ok();
        let read = read.or_else(|| self.wrong(format!("\"{text}\" is no date such as 2026-04-01")));
        self.moved(read?)
    }

    /// An instant in Japan: a date's first, or `2026-04-01 12:30`.
    pub(crate) fn time(&self) -> Option<Time> {
        let text = self.text()?;
        let read = instant(&text).or_else(|| {
            self.wrong(format!("\"{text}\" is no time such as 2026-04-01 or 2026-04-01 12:30"))
        })?;
        let day = read.day();
        Some(self.moved(day)?.begin().plus(read.0 - day.begin().0))
    }

    /// A date, so many years later as the file is read.
    fn moved(&self, day: Day) -> Option<Day> {
        let (year, month, of_month) = day.civil();
        let year = u32::try_from(i64::from(year) + self.years()).ok();
        let date = |of_month| Day::of_civil(year?, month, of_month);
        date(of_month).or_else(|| date(28)).or_else(|| self.wrong("lies before 1970 then"))
    }

    /// A length of time in milliseconds: `5m`, `6h`, `1d`.
    pub(crate) fn length(&self) -> Option<u64> {
        let text = self.text()?;
        let units = [("m", MINUTE_MS), ("h", 60 * MINUTE_MS), ("d", 1_440 * MINUTE_MS)];
        let read = units.iter().find_map(|(unit, ms)| {
            let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
            count.checked_mul(*ms).filter(|ms| *ms > 0)
        });
        read.or_else(|| self.wrong(format!("\"{text}\" is no length of time such as 5m, 6h or 1d")))
    }

    /// A condition: `"any"`, `{ tag = "x" }` (all of it), or a list of such tables (any of them).
    #[expect(
        clippy::option_option,
        reason = "outside: whether it could be read; inside: whether it limits"
    )]
    pub(crate) fn predicate(&self) -> Option<Option<Predicate>> {
        if self.plain_text() == Some("any") {
            return Some(None);
        }
        let any = self.some().iter().map(all_of).collect::<Option<Vec<Vec<Test>>>>()?;
        let predicate = Predicate { any };
        if !predicate.well_formed() {
            return self.wrong(
                "a condition has 1 to 4 alternatives of 1 to 4 tests, of words of 1 to 64 visible ASCII characters",
            );
        }
        Some(Some(predicate))
    }
}

pub(super) fn instant(text: &str) -> Option<Time> {
    let (date, clock) = match text.split_once(' ') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let begin = date.parse::<Day>().ok()?.begin();
    let Some(clock) = clock else { return Some(begin) };
    let (hours, minutes) = clock.split_once(':')?;
    let two = |part: &str, most: u64| {
        let plain = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|number| plain && *number < most)
    };
    let (hours, minutes): (u64, u64) = (two(hours, 24)?, two(minutes, 60)?);
    Some(begin.plus((60 * hours + minutes) * MINUTE_MS))
}

/// One alternative: all tests of a table. `"!x"` holds where the attribute is not x.
fn all_of(node: &Node<'_>) -> Option<Vec<Test>> {
    let fields = node.fields()?;
    let tests = fields.all().into_iter().map(|(_, name, values)| {
        let texts = values.some().iter().map(Node::text).collect::<Option<Vec<String>>>()?;
        let negated = texts.iter().filter(|text| text.starts_with('!')).count();
        if negated > 0 && negated < texts.len() {
            return values.wrong("either all values of a test begin with `!` or none");
        }
        let mut any_of: Vec<String> =
            texts.iter().map(|text| text.trim_start_matches('!').to_owned()).collect();
        any_of.sort_unstable();
        any_of.dedup();
        Some(Test { name: name.to_owned(), any_of, not: negated > 0 })
    });
    tests.collect()
}

impl Fields<'_> {
    /// Exactly one of two keys that both mean an end: `until` (exclusive) or `last_day` (inclusive).
    pub(crate) fn end(&self) -> Option<Time> {
        match (self.may("until"), self.may("last_day")) {
            (Some(_), Some(both)) => both.wrong("`until` and `last_day` say the same: keep one"),
            (Some(until), None) => until.time(),
            (None, Some(last)) => last.day().map(|day| day.next().begin()),
            (None, None) => None,
        }
    }

    /// A span in `days` or `months`, under these keys.
    pub(crate) fn span(&self, days: &'static str, months: &'static str) -> Option<Span> {
        match (self.may(days), self.may(months)) {
            (Some(_), Some(both)) => both.wrong(format!("`{days}` and `{months}`: keep one")),
            (Some(node), None) => small(&node, 3_650).map(Span::Days),
            (None, Some(node)) => small(&node, 120).map(Span::Months),
            (None, None) => None,
        }
    }

    /// Whether `if` holds: every choice that it names has (one of) the values that it names.
    pub(crate) fn stands(&self) -> bool {
        let Some(wanted) = self.may("if").and_then(|node| node.fields()) else { return true };
        let choices = self.reader().choices();
        let mut stands = true;
        for (at, name, node) in wanted.all() {
            let Some(choice) = choices.get(name) else {
                let mistake = crate::Mistake::name(at, "choice", name, choices.names());
                self.reader().note(mistake);
                continue;
            };
            let values: Vec<_> = node.some().iter().filter_map(Node::plain).collect();
            if let Some(odd) = values.iter().find(|value| !choice.allows(value)) {
                node.wrong::<()>(format!("the choice {name} is never {odd}"));
            }
            stands &= values.contains(&choice.value);
        }
        stands
    }

    /// Attributes with the ends of those that have one.
    pub(crate) fn attributes(&self) -> Vec<musubi_ledger::party::Attribute> {
        let table = |key| self.may(key).and_then(|node| node.fields());
        let mut until: BTreeMap<&str, Time> = BTreeMap::new();
        for (_, name, node) in table("until").iter().flat_map(|fields| fields.all()) {
            until.extend(node.time().map(|time| (name, time)));
        }
        let mut attributes = Vec::new();
        for (_, name, node) in table("attributes").iter().flat_map(|fields| fields.all()) {
            let Some(value) = node.text() else { continue };
            let until = until.remove(name);
            let attribute = musubi_ledger::party::Attribute { name: name.to_owned(), value, until };
            if attribute.well_formed() {
                attributes.push(attribute);
            } else {
                node.wrong::<()>("an attribute is 1 to 64 visible ASCII characters");
            }
        }
        for name in until.keys() {
            self.wrong::<()>(format!("`until` names {name}, which is not among the attributes"));
        }
        attributes.sort_unstable();
        attributes
    }
}

fn small(node: &Node<'_>, most: u64) -> Option<u16> {
    node.whole(1..=most).and_then(|number| u16::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_japanese() {
        assert_eq!(instant("2026-11-23"), Some(Time(1_795_359_600_000)));
        assert_eq!(instant("2026-11-23 12:30"), Some(Time(1_795_359_600_000 + 45_000_000)));
        for bad in ["2026-11-31", "2026-11-23 24:00", "2026-11-23 1:00", "2026-11-23T12:30", ""] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }
}
