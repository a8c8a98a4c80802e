//! The characters of bank files: JIS X 0201, one byte each. Half-width katakana without small letters, `A` to `Z`, digits, a
//! space and `( ) - .`; a voiced sign is a byte of its own, so a name that is cut off can become another one: nothing is
//! ever cut off here.

use super::ZenginError;

const WIDE: &str =
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン";
const NARROW: &str = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝ";
const VOICED: &str = "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ";
const UNVOICED: &str = "カキクケコサシスセソタチツテトハヒフヘホウ";
const HALF_VOICED: &str = "パピプペポ";
const NOT_HALF_VOICED: &str = "ハヒフヘホ";
const SMALL: &str = "ァィゥェォャュョッヮヵヶｧｨｩｪｫｬｭｮｯ";
const LARGE: &str = "アイウエオヤユヨツワカケｱｲｳｴｵﾔﾕﾖﾂ";

/// The byte of the voiced sign ﾞ, and of the half-voiced ﾟ.
const VOICED_SIGN: u8 = 0xde;
const HALF_VOICED_SIGN: u8 = 0xdf;

/// The bytes of a name. Hiragana and wide letters become half-width katakana and ASCII, small letters large ones, a long
/// vowel sign a hyphen, as banks ask for.
///
/// # Errors
/// [`ZenginError::Character`] for anything else: kanji, ヲ, other signs.
pub fn bytes(field: &'static str, text: &str) -> Result<Vec<u8>, ZenginError> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        let refused = || ZenginError::Character { field, text: text.into(), character };
        put(&mut bytes, character).ok_or_else(refused)?;
    }
    Ok(bytes)
}

fn put(bytes: &mut Vec<u8>, character: char) -> Option<()> {
    let katakana = match character {
        // Hiragana lie 0x60 below katakana.
        'ぁ'..='ゖ' => char::from_u32(u32::from(character) + 0x60)?,
        other => other,
    };
    let large = same_place(SMALL, LARGE, katakana).unwrap_or(katakana);
    if let Some(base) = same_place(VOICED, UNVOICED, large) {
        bytes.extend([half_width(base)?, VOICED_SIGN]);
    } else if let Some(base) = same_place(HALF_VOICED, NOT_HALF_VOICED, large) {
        bytes.extend([half_width(base)?, HALF_VOICED_SIGN]);
    } else {
        bytes.push(half_width(large)?);
    }
    Some(())
}

/// The character that stands in `to` where `character` stands in `from`.
fn same_place(from: &str, to: &str, character: char) -> Option<char> {
    from.chars().zip(to.chars()).find(|(from, _)| *from == character).map(|(_, to)| to)
}

fn half_width(character: char) -> Option<u8> {
    let narrow = same_place(WIDE, NARROW, character).unwrap_or(character);
    let byte = match narrow {
        // U+FF66 is ヲ, which banks refuse; U+FF67 to U+FF70 are small letters and the long vowel sign.
        '\u{ff71}'..='\u{ff9f}' => u8::try_from(u32::from(narrow) - 0xff61 + 0xa1).ok()?,
        'ー' | 'ｰ' | '－' | '‐' | '−' => b'-',
        // Wide ASCII lies 0xfee0 above.
        '！'..='～' => u8::try_from(u32::from(narrow) - 0xfee0).ok()?,
        '\u{3000}' => b' ',
        other if other.is_ascii() => u8::try_from(u32::from(other)).ok()?,
        _ => return None,
    };
    let byte = byte.to_ascii_uppercase();
    let allowed = matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b' ' | b'(' | b')' | b'-' | b'.');
    (allowed || (0xb1..=0xdf).contains(&byte)).then_some(byte)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// As a bank's screen shows it.
    fn shown(text: &str) -> String {
        let character = |byte: u8| match byte {
            0xa1..=0xdf => char::from_u32(0xff61 + u32::from(byte) - 0xa1).unwrap(),
            ascii => char::from(ascii),
        };
        bytes("name", text).unwrap().into_iter().map(character).collect()
    }

    #[test]
    fn names_become_what_banks_read() {
        for (text, expected) in [
            ("ほんまちベーカリー", "ﾎﾝﾏﾁﾍﾞ-ｶﾘ-"),
            ("カ）パン工房".trim_end_matches("工房"), "ｶ)ﾊﾟﾝ"),
            ("ヤマダ　タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
            ("ｼﾞｮｳﾅﾝ", "ｼﾞﾖｳﾅﾝ"),
            ("きっさてん", "ｷﾂｻﾃﾝ"),
            ("ａｂｃ abc. １２-3", "ABC ABC. 12-3"),
            ("ヴァイオリン", "ｳﾞｱｲｵﾘﾝ"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(bytes("name", "ｱﾝﾞﾟ").unwrap(), [0xb1, 0xdd, 0xde, 0xdf]);
    }

    #[test]
    fn what_banks_do_not_take_is_refused_by_name() {
        for text in ["本町", "ヲ", "ｦ", "・", "A/B", "A&B", "「", "é", "\u{7f}", "\n", "€"]
        {
            let error = bytes("payee's name", text).unwrap_err();
            assert!(matches!(error, ZenginError::Character { .. }), "{text}: {error}");
        }
        let error = bytes("payee's name", "ホン町").unwrap_err().to_string();
        assert_eq!(error, "payee's name `ホン町`: a bank file cannot hold `町`");
    }
}
