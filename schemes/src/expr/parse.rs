//! Reading expressions. Arguments of functions are names (which may hold a hyphen), never expressions.

use super::{Ask, Expr, NoValue, Sign, call};
use crate::file::{Choices, Names};

/// Reads an expression over what is declared.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn parse(text: &str, names: &Names<'_>, choices: &Choices) -> Result<Expr, String> {
    whole(text, &|name, arguments| call::read(name, arguments, names, choices))
}

/// The value of plain arithmetic, and the numbers in it. `×` and `÷` and digits with commas count.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(crate) fn arithmetic(text: &str) -> Result<(i128, Vec<i128>), String> {
    let text = text.replace('×', "*").replace('÷', "/").replace(',', "");
    let expr = whole(&text, &|name, _| Err(format!("{name} is no number")))?;
    let none = |_: &Ask| Err(NoValue::Range);
    let value = expr.value(&none).map_err(|error| error.to_string())?;
    let mut numbers = Vec::new();
    gather(&expr, &mut numbers);
    Ok((value, numbers))
}

fn gather(expr: &Expr, numbers: &mut Vec<i128>) {
    match expr {
        Expr::Number(number) => numbers.push(*number),
        Expr::Ask(_) => {}
        Expr::Join(left, _, right) => {
            gather(left, numbers);
            gather(right, numbers);
        }
    }
}

type Call<'c> = &'c dyn Fn(&str, &[&str]) -> Result<Ask, String>;

fn whole(text: &str, call: Call<'_>) -> Result<Expr, String> {
    let mut source = Source { rest: text.trim(), call, depth: 0 };
    let expr = source.sum()?;
    match source.rest {
        "" => Ok(expr),
        rest => Err(format!("\"{rest}\" is left over at the end of the expression")),
    }
}

struct Source<'t> {
    rest: &'t str,
    call: Call<'t>,
    depth: u32,
}

/// Parentheses within parentheses.
const DEPTH_MAX: u32 = 32;

impl<'t> Source<'t> {
    fn take(&mut self, sign: char) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn take_any(&mut self, signs: [(char, Sign); 2]) -> Option<Sign> {
        signs.into_iter().find(|(sign, _)| self.take(*sign)).map(|(_, sign)| sign)
    }

    fn sum(&mut self) -> Result<Expr, String> {
        let mut left = self.product()?;
        while let Some(sign) = self.take_any([('+', Sign::Plus), ('-', Sign::Minus)]) {
            left = Expr::Join(Box::new(left), sign, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expr, String> {
        let mut left = self.single()?;
        while let Some(sign) = self.take_any([('*', Sign::Times), ('/', Sign::Over)]) {
            left = Expr::Join(Box::new(left), sign, Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Expr, String> {
        if self.take('(') {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err("too many parentheses within parentheses".to_owned());
            }
            let inner = self.sum()?;
            self.depth -= 1;
            return if self.take(')') { Ok(inner) } else { Err("a `)` is missing".to_owned()) };
        }
        let word = self.word();
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let number = word.replace('_', "").parse();
            return number.map(Expr::Number).map_err(|_| format!("\"{word}\" is no whole number"));
        }
        if word.is_empty() {
            let found = self.rest.chars().next().map_or("the end".to_owned(), |c| format!("`{c}`"));
            return Err(format!("a number or a function stands here, not {found}"));
        }
        if !self.take('(') {
            return Err(format!("`{word}` is a function: write {word}(…)"));
        }
        let (inside, rest) =
            self.rest.split_once(')').ok_or_else(|| format!("a `)` is missing behind {word}("))?;
        self.rest = rest.trim_start();
        let arguments: Vec<&str> = match inside.trim() {
            "" => Vec::new(),
            inside => inside.split(',').map(str::trim).collect(),
        };
        (self.call)(word, &arguments).map(Expr::Ask)
    }

    fn word(&mut self) -> &'t str {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !plain(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_exact() {
        for (text, value) in [
            ("14,000 × 5,000", 70_000_000),
            ("91,000,000 * 100 / 130", 70_000_000),
            ("2 + 3 * (4 - 1) / 9", 3),
            ("10 - 3 - 2", 5),
            ("1_000", 1_000),
        ] {
            assert_eq!(arithmetic(text).map(|(value, _)| value), Ok(value), "{text}");
        }
        assert_eq!(arithmetic("2 * 3 + 4").map(|(_, numbers)| numbers), Ok(vec![2, 3, 4]));
    }

    #[test]
    fn what_is_no_arithmetic_says_why() {
        for (text, why) in [
            ("10 / 3", "10 / 3 is not whole"),
            ("1 / 0", "1 / 0 is not whole"),
            ("", "a number or a function stands here, not the end"),
            ("1 +", "a number or a function stands here, not the end"),
            ("(1", "a `)` is missing"),
            ("1 2", "\"2\" is left over at the end of the expression"),
            ("1.5", "\".5\" is left over at the end of the expression"),
            ("f(1)", "f is no number"),
            ("99999999999999999999 * 99999999999999999999", "the result is out of range"),
        ] {
            assert_eq!(arithmetic(text), Err(why.to_owned()), "{text}");
        }
        let deep = format!("{}1{}", "(".repeat(99), ")".repeat(99));
        assert!(arithmetic(&deep).is_err());
    }
}
