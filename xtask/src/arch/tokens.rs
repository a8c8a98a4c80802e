//! Rust source as tokens, without comments, strings and characters: what the source *names*.
//!
//! Not a whole Rust lexer: it knows just enough to never take a word in a comment for a name.

/// A token and the line that it is on, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// Names, numbers, `::`, and every other character by itself.
pub(super) fn of(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let (length, is_token) = next(rest, first, tokens.last());
        let (text, after) = rest.split_at(length);
        if is_token {
            tokens.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The length in bytes of what `rest` starts with, and whether it is a token.
fn next(rest: &str, first: char, before: Option<&Token>) -> (usize, bool) {
    if first.is_whitespace() {
        return (first.len_utf8(), false);
    }
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), false);
    }
    if let Some(length) = string(rest) {
        return (length, false);
    }
    if first == '\'' {
        return (quote(rest), false);
    }
    if first.is_ascii_digit() {
        let after_dot = before.is_some_and(|token| token.text == ".");
        return (number(rest, after_dot), true);
    }
    if is_name(first) {
        return (rest.find(|c| !is_name(c)).unwrap_or(rest.len()), true);
    }
    if rest.starts_with("::") { (2, true) } else { (first.len_utf8(), true) }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a string literal with its prefix (`b`, `c`, `r`, `br`, `cr`), if there is one.
fn string(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""];
    let prefix = prefix.iter().find(|&&prefix| {
        let after = rest.strip_prefix(prefix).unwrap_or_default();
        after.starts_with('"') || prefix.ends_with('r') && is_raw_start(after)
    })?;
    let body = &rest[prefix.len()..];
    let length = if prefix.ends_with('r') { raw_string(body) } else { plain_string(body, b'"') };
    Some(prefix.len() + length)
}

/// `#"` or `##"`, but not the raw name `r#type`.
fn is_raw_start(after: &str) -> bool {
    after.starts_with('#') && after.trim_start_matches('#').starts_with('"')
}

fn raw_string(body: &str) -> usize {
    let hashes = body.len() - body.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let content = hashes + 1;
    body[content..].find(&end).map_or(body.len(), |at| content + at + end.len())
}

/// A literal that ends at the next `quote` which no backslash escapes.
fn plain_string(body: &str, quote: u8) -> usize {
    let mut bytes = body.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' {
            bytes.next();
        } else if byte == quote {
            return at + 1;
        }
    }
    body.len()
}

/// A character, or the quote of a lifetime (whose name then follows as a token of its own).
fn quote(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    let Some((_, first)) = characters.next() else {
        return 1;
    };
    if first == '\\' {
        return plain_string(rest, b'\'');
    }
    match characters.next() {
        Some((at, '\'')) => at + 1,
        _ => 1,
    }
}

/// `17`, `0xff`, `1_000u64`, `1.5`, `1e9`; of `0..9` and `x.0.1` only the first whole number.
fn number(rest: &str, after_dot: bool) -> usize {
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let fraction = &rest[end..];
    let is_fraction =
        fraction.starts_with('.') && fraction[1..].starts_with(|c: char| c.is_ascii_digit());
    if after_dot || !is_fraction {
        return end;
    }
    fraction[1..].find(|c| !is_name(c)).map_or(rest.len(), |length| end + 1 + length)
}

/// Removes items under `#[cfg(test)]`, and everything if the file itself is (`#![cfg(test)]`).
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    if starts_with(tokens, &["#", "!", "[", "cfg", "(", "test", ")", "]"]) {
        return Vec::new();
    }
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if starts_with(&tokens[at..], TEST_ATTRIBUTE) {
            at += TEST_ATTRIBUTE.len();
            at += item_length(&tokens[at..]);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// The modules that a file declares as `#[cfg(test)] mod name;`: their files are tests too.
pub(super) fn test_modules<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let starts = (0..tokens.len()).filter(|&at| starts_with(&tokens[at..], TEST_ATTRIBUTE));
    let items = starts.map(|at| &tokens[at + TEST_ATTRIBUTE.len()..]);
    let declared = items.map(|item| &item[..item_length(item)]);
    let named = declared.filter_map(|item| match item {
        [.., keyword, name, end] if keyword.text == "mod" && end.text == ";" => Some(name.text),
        _ => None,
    });
    named.collect()
}

const TEST_ATTRIBUTE: &[&str] = &["#", "[", "cfg", "(", "test", ")", "]"];

/// Whether tokens begin with these texts.
pub(super) fn starts_with(tokens: &[Token], texts: &[&str]) -> bool {
    tokens.len() >= texts.len() && tokens.iter().zip(texts).all(|(token, text)| token.text == *text)
}

/// An item, its further attributes included, ends with its first `{…}` or with `;` outside brackets.
fn item_length(tokens: &[Token]) -> usize {
    let (mut depth, mut braces) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "(" | "[" => depth += 1,
            ")" | "]" => depth -= 1,
            "{" => braces += 1,
            "}" => {
                braces -= 1;
                if braces == 0 && depth == 0 {
                    return at + 1;
                }
            }
            ";" if depth == 0 && braces == 0 => return at + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        of(source).iter().map(|token| token.text).collect()
    }

    #[test]
    fn names_paths_and_numbers_are_tokens() {
        assert_eq!(texts("use raft::Config;"), ["use", "raft", "::", "Config", ";"]);
        assert_eq!(
            texts("x.0.1 + 1.5e3 - 2f64"),
            ["x", ".", "0", ".", "1", "+", "1.5e3", "-", "2f64"]
        );
        assert_eq!(texts("0..9"), ["0", ".", ".", "9"]);
        assert_eq!(texts("r#type"), ["r", "#", "type"]);
    }

    #[test]
    fn comments_strings_and_characters_are_not() {
        assert_eq!(texts("a // raft::x\nb /* c /* d */ e */ f"), ["a", "b", "f"]);
        assert_eq!(texts(r####"a "raft\" x" b r#"c"d"# e b"f" br##"g"# h"##"####), ["a", "b", "e"]);
        assert_eq!(texts(r"'x' '\'' '\u{1f}' 'é' a"), ["a"]);
        assert_eq!(texts("fn f<'a>(x: &'a str)").len(), 12);
        assert_eq!(texts("結び::x \"結び\""), ["結び", "::", "x"]);
    }

    #[test]
    fn unfinished_literals_end_with_the_file() {
        for source in ["\"a", "/* a", "r#\"a\"", "'", "'\\"] {
            assert!(texts(source).is_empty() || source == "'", "{source}");
        }
    }

    #[test]
    fn lines_are_counted_through_comments_and_strings() {
        let source = "a\n/* b\n */ \"c\n\" d";
        assert_eq!(of(source).iter().map(|token| token.line).collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn test_items_are_removed() {
        let kept = |source| {
            let tokens = of(source);
            without_tests(&tokens).iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(kept("#[cfg(test)] mod tests { fn a() { b } } fn c() {}"), "fn c ( ) { }");
        assert_eq!(kept("#[cfg(test)] #[allow(x)] use a::{b, c}; d"), "; d");
        assert_eq!(kept("#[cfg(test)] mod tests; d"), "d");
        assert_eq!(kept("#[cfg(test)] const A: [u8; 2] = [1; 2]; d"), "d");
        assert_eq!(kept("#[cfg(not(test))] fn a() {}"), "# [ cfg ( not ( test ) ) ] fn a ( ) { }");
        assert_eq!(kept("#![cfg(test)] use std::fs;"), "");
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_found() {
        let tokens = of("mod a; #[cfg(test)] mod tests; #[cfg(test)] pub(crate) mod model; mod b;");
        assert_eq!(test_modules(&tokens), ["tests", "model"]);
        assert!(test_modules(&of("#[cfg(test)] mod tests { mod x; }")).is_empty());
    }
}
