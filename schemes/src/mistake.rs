//! Mistakes in a scheme file: all that were found, each with its place, the line it stands in, and what would be right.

use core::{fmt, ops::Range};

/// Most mistakes that are told at once.
const TOLD_MAX: usize = 20;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the file that it is about.
    pub at: Range<usize>,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do, where that can be guessed.
    pub hint: Option<String>,
}

impl Mistake {
    /// A mistake without a guess.
    #[must_use]
    pub fn new(at: Range<usize>, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), hint: None }
    }

    /// A name that is not declared. The nearest one that is becomes the hint.
    #[must_use]
    pub fn name<'n>(
        at: Range<usize>,
        kind: &str,
        name: &str,
        declared: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        let mut declared: Vec<&str> = declared.into_iter().collect();
        declared.sort_unstable();
        declared.dedup();
        let listed = match declared.len() {
            0 => "none is declared".to_owned(),
            1..=16 => format!("declared: {}", declared.join(", ")),
            more => format!("{more} are declared"),
        };
        let nearest = nearest(name, &declared).map(|near| format!("did you mean {near}?"));
        Self { at, what: format!("no {kind} {name}; {listed}"), hint: nearest }
    }
}

/// What is wrong with a file, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    file: String,
    text: String,
    list: Vec<Mistake>,
}

impl Mistakes {
    /// The mistakes of a file, which has this name and text.
    #[must_use]
    pub fn new(file: &str, text: &str, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| (mistake.at.start, mistake.at.end));
        list.dedup();
        Self { file: file.to_owned(), text: text.to_owned(), list }
    }

    /// Them, in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.list.iter().take(TOLD_MAX).enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            self.tell(f, mistake)?;
        }
        match self.list.len().checked_sub(TOLD_MAX) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for Mistakes {}

impl Mistakes {
    /// `file:line:column: what`, the line, and a caret under the place.
    fn tell(&self, f: &mut fmt::Formatter<'_>, mistake: &Mistake) -> fmt::Result {
        let Place { line, column, quoted, before, under } = place(&self.text, &mistake.at);
        writeln!(f, "{}:{line}:{column}: {}", self.file, mistake.what)?;
        writeln!(f, "{line:>5} | {quoted}")?;
        write!(f, "      | {}{}", " ".repeat(before), "^".repeat(under))?;
        match &mistake.hint {
            Some(hint) => write!(f, " {hint}"),
            None => Ok(()),
        }
    }
}

/// Where a mistake stands, for people.
struct Place<'t> {
    /// From 1 on.
    line: usize,
    /// From 1 on, in characters.
    column: usize,
    quoted: &'t str,
    /// Columns of a terminal before it, and under it.
    before: usize,
    under: usize,
}

fn place<'t>(text: &'t str, at: &Range<usize>) -> Place<'t> {
    let inside = |mut byte: usize| {
        byte = byte.min(text.len());
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    };
    let start = inside(at.start);
    let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let stop = inside(at.end).clamp(start, end);
    Place {
        line: text[..begin].matches('\n').count() + 1,
        column: text[begin..start].chars().count() + 1,
        quoted: text[begin..end].trim_end_matches('\r'),
        before: width(&text[begin..start]),
        under: width(&text[start..stop]).max(1),
    }
}

/// The line of a text, from 1 on, in which a byte stands.
#[must_use]
pub fn line_of(text: &str, byte: usize) -> usize {
    place(text, &(byte..byte)).line
}

/// Columns of a terminal: a Japanese character takes two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{1100}' { 2 } else { 1 }).sum()
}

/// The declared name that a mistyped one most likely stands for: at most two edits away.
#[must_use]
pub fn nearest<'n>(name: &str, declared: &[&'n str]) -> Option<&'n str> {
    let near = declared.iter().map(|other| (edits(name, other), *other));
    let near = near.filter(|(edits, other)| *edits <= 2 && *edits < other.chars().count());
    near.min().map(|(_, other)| other)
}

/// Insertions, deletions and replacements that make one text the other (Levenshtein).
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_shows_its_line_and_what_was_meant() {
        let text = "a = 1\n円 = \"TOYOO\"\nb = 2\n";
        let start = text.find("\"TOYOO\"").unwrap_or_default();
        let mistake = Mistake::name(start..start + 7, "instrument", "TOYOO", ["YEN", "TOYO"]);
        let told = Mistakes::new("x.toml", text, vec![mistake]).to_string();
        assert_eq!(
            told,
            "x.toml:2:5: no instrument TOYOO; declared: TOYO, YEN\n    2 | 円 = \"TOYOO\"\n      |      ^^^^^^^ did you mean TOYO?"
        );
    }

    #[test]
    fn only_near_names_are_guessed() {
        assert_eq!(nearest("shpo", &["shop", "school"]), Some("shop"));
        assert_eq!(nearest("bus", &["shop", "school"]), None);
        assert_eq!(nearest("x", &["ab", "y"]), None, "a guess keeps something of the name");
        assert_eq!((edits("", "abc"), edits("abc", "abc"), edits("kitten", "sitting")), (3, 0, 3));
    }

    #[test]
    fn places_at_the_very_end_are_shown_too() {
        let list = (0..25).map(|n| Mistake::new(99..100, format!("wrong {n:02}"))).collect();
        let told = Mistakes::new("x", "a", list).to_string();
        assert!(told.starts_with("x:1:2: wrong 00\n    1 | a\n      |  ^"), "{told}");
        assert!(told.ends_with("and 5 more"), "{told}");
    }
}
