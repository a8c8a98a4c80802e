//! A small JSON Schema validator: as much of draft 2020-12 as the API's description uses, and a panic
//! for anything else, so that nothing in it goes unchecked.

use serde_json::{Map, Value};

/// Checks `value` against `schema`, references resolved in `root`; the first thing that is wrong.
pub(crate) fn check(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let schema = schema.as_object().expect("a schema is an object");
    if let Some(reference) = schema.get("$ref") {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        let target = root.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"));
        return check(root, target, value, at);
    }
    for (word, argument) in schema {
        word_holds(root, schema, word, argument, value, at)?;
    }
    Ok(())
}

fn word_holds(
    root: &Value,
    schema: &Map<String, Value>,
    word: &str,
    argument: &Value,
    value: &Value,
    at: &str,
) -> Result<(), String> {
    let demand =
        |holds: bool| if holds { Ok(()) } else { Err(format!("{at}: {word} {argument}: {value}")) };
    let fits = |schema: &Value| check(root, schema, value, at).is_ok();
    let choices = || argument.as_array().unwrap().iter();
    match word {
        "description" | "format" => Ok(()),
        "type" => demand(match argument.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("type {other}"),
        }),
        "enum" => demand(choices().any(|choice| choice == value)),
        "anyOf" => demand(choices().any(fits)),
        "oneOf" => demand(choices().filter(|choice| fits(choice)).count() == 1),
        "minimum" => demand(value.as_i64().is_none_or(|v| v >= argument.as_i64().unwrap())),
        "maximum" => demand(value.as_u64().is_none_or(|v| v <= argument.as_u64().unwrap())),
        "pattern" => {
            demand(value.as_str().is_none_or(|text| matches(argument.as_str().unwrap(), text)))
        }
        "required" => demand(choices().all(|name| value.get(name.as_str().unwrap()).is_some())),
        "properties" => {
            let known = argument.as_object().unwrap().iter();
            known.filter_map(|(name, schema)| Some((name, schema, value.get(name)?))).try_for_each(
                |(name, schema, value)| check(root, schema, value, &format!("{at}.{name}")),
            )
        }
        "additionalProperties" => {
            assert_eq!(argument, false);
            let mut names = value.as_object().into_iter().flat_map(Map::keys);
            demand(names.all(|name| schema["properties"].get(name).is_some()))
        }
        "items" if argument == false => Ok(()),
        "items" => {
            let mut items = value.as_array().into_iter().flatten().enumerate();
            items.try_for_each(|(n, item)| check(root, argument, item, &format!("{at}[{n}]")))
        }
        "prefixItems" => {
            let mut pairs = choices().zip(value.as_array().into_iter().flatten());
            pairs.try_for_each(|(schema, item)| check(root, schema, item, at))
        }
        "minItems" => demand(value.as_array().unwrap().len() as u64 >= argument.as_u64().unwrap()),
        "maxItems" => demand(value.as_array().unwrap().len() as u64 <= argument.as_u64().unwrap()),
        other => panic!("the validator does not know {other}"),
    }
}

/// The patterns of the description: a fixed beginning, then one class of characters with a count.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "^(0|[1-9][0-9]{0,19})$" {
        return text.parse::<u64>().is_ok_and(|number| number.to_string() == text);
    }
    let inner = pattern.strip_prefix('^').and_then(|p| p.strip_suffix('$')).expect("anchored");
    let (begin, class) = inner.split_once('[').expect("one class");
    let (class, count) = class.split_once(']').expect("one class");
    let Some(rest) = text.strip_prefix(begin) else { return false };
    let (least, most) = match count.trim_matches(['{', '}']) {
        "+" => (1, usize::MAX),
        range => match range.split_once(',') {
            Some((least, most)) => (least.parse().unwrap(), most.parse().unwrap()),
            None => (range.parse().unwrap(), range.parse().unwrap()),
        },
    };
    (least..=most).contains(&rest.chars().count()) && rest.chars().all(|c| in_class(class, c))
}

fn in_class(class: &str, c: char) -> bool {
    let mut rest: &[char] = &class.chars().collect::<Vec<_>>();
    while let Some((&first, after)) = rest.split_first() {
        if let [dash, last, behind @ ..] = after
            && *dash == '-'
        {
            if (first..=*last).contains(&c) {
                return true;
            }
            rest = behind;
        } else {
            if first == c {
                return true;
            }
            rest = after;
        }
    }
    false
}
