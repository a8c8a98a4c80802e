//! Figures in a Japanese text, whatever way they are written: ４,２００ or 4200, 1,573千円, 5万円.

/// All whole figures that stand in a text.
pub(crate) fn figures(text: &str) -> Vec<u128> {
    let text: Vec<char> = text.chars().map(plain).collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let (number, end) = number(&text, at);
        at = end;
        // Decimals are no whole figures, and neither are their parts.
        let decimal =
            text.get(at) == Some(&'.') && text.get(at + 1).is_some_and(char::is_ascii_digit);
        if decimal {
            at = skip_digits(&text, at + 1);
            continue;
        }
        let unit = text.get(at).map_or(1, |c| unit(*c));
        found.extend(number.and_then(|number| number.checked_mul(unit)));
    }
    found
}

/// Full width to half width; Japanese commas to the usual one.
fn plain(c: char) -> char {
    match c {
        '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
        '，' => ',',
        '．' => '.',
        _ => c,
    }
}

fn unit(c: char) -> u128 {
    match c {
        '千' => 1_000,
        '万' => 10_000,
        '億' => 100_000_000,
        _ => 1,
    }
}

/// The number that begins at `at`, and where it ends. A comma is part of it only before three digits and no fourth.
fn number(text: &[char], at: usize) -> (Option<u128>, usize) {
    let mut end = skip_digits(text, at);
    while text.get(end) == Some(&',') && skip_digits(text, end + 1) == end + 4 {
        end += 4;
    }
    let digits: String = text[at..end].iter().filter(|c| c.is_ascii_digit()).collect();
    (digits.parse().ok(), end)
}

fn skip_digits(text: &[char], at: usize) -> usize {
    let more = text.get(at..).unwrap_or_default();
    at + more.iter().take_while(|c| c.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_however_they_are_written() {
        for (text, wanted) in [
            ("結婚祝金として20,000円、新生児祝金として50,000円", &[20_000, 50_000][..]),
            ("発行総額：９１，０００，０００円", &[91_000_000]),
            ("事業費1,573千円", &[1_573_000]),
            ("10万円と2億円", &[100_000, 200_000_000]),
            ("H30、400、1,2345", &[30, 400, 1, 2345]),
            ("還元率0.5%、1.5％の3店", &[3]),
            ("1,000,", &[1000]),
            ("", &[]),
        ] {
            assert_eq!(figures(text), wanted, "{text}");
        }
    }
}
