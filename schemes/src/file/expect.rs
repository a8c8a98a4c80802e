//! `[[expect]]`: a figure of the source, and what of the scenario must equal it.

use super::{choice::Plain, fields::Fields, names::Names};
use crate::{digits, expr, scheme::Expect};

/// Reads one. Left out (`None` without a mistake) where `if` does not hold, or where `--set` chose otherwise than the file.
pub(super) fn read(fields: Fields<'_>, names: &Names<'_>) -> Option<Expect> {
    let stands = fields.stands();
    let text_of = |key| fields.need(key).and_then(|node| node.text());
    let (row, text, unit) = (text_of("row"), text_of("text"), text_of("unit"));
    let figure_node = fields.need("figure");
    let figure = figure_node.as_ref().and_then(|node| node.int());
    let derived = fields.may("derived");
    let at = fields.may("at").and_then(|node| names.step(&node));
    let choice = fields.may("choice").and_then(|node| {
        let name = node.text()?;
        let choices = fields.reader().choices();
        match choices.get(&name) {
            Some(choice) => Some(choice.clone()),
            None => node.unknown("choice", &name, choices.names()),
        }
    });
    let of = fields.need("of").and_then(|node| {
        let text = node.text()?;
        match expr::parse(&text, names, fields.reader().choices()) {
            Ok(of) if of.observes() => Some((of, text)),
            Ok(_) => node.wrong("this observes nothing: what equals a constant proves nothing"),
            Err(what) => node.wrong(what),
        }
    });
    let derived_text = derived.as_ref().and_then(|node| node.text());
    if let (Some(node), Some(figure), Some(text)) = (&figure_node, figure, &text) {
        let changed = choice.as_ref().is_some_and(|choice| choice.changed);
        let chosen = choice.as_ref().and_then(|choice| match choice.value {
            Plain::Int(number) => Some(number),
            _ => None,
        });
        let sourced = sourced(figure, text, derived_text.as_deref(), chosen);
        if let Some(what) = sourced.filter(|_| !changed) {
            node.wrong::<()>(what);
        }
    }
    fields.finish();
    let left_out = choice.is_some_and(|choice| choice.changed);
    let (of, of_text) = of?;
    (stands && !left_out).then_some(())?;
    Some(Expect {
        figure_at: figure_node?.at(),
        row: row?,
        text: text?,
        figure: figure?,
        unit: unit?,
        of,
        of_text,
        at,
        derived: derived_text,
    })
}

/// Why a figure does not come from its source: it must stand in the quoted text, or be the choice's, or follow by
/// arithmetic from one that does or is.
fn sourced(
    figure: i128,
    text: &str,
    derived: Option<&str>,
    chosen: Option<i128>,
) -> Option<String> {
    let stands = |number: i128| {
        let quoted = u128::try_from(number).is_ok_and(|n| digits::figures(text).contains(&n));
        quoted || chosen == Some(number)
    };
    let Some(derived) = derived else {
        let what = format!(
            "{figure} does not stand in the quoted text and is no choice's; say how it is `derived`, or of which `choice` it is"
        );
        return (!stands(figure)).then_some(what);
    };
    match expr::arithmetic(derived) {
        Err(what) => Some(format!("`derived` is no arithmetic: {what}")),
        Ok((value, _)) if value != figure => {
            Some(format!("`derived` comes to {value}, not to {figure}"))
        }
        Ok((_, operands)) if !operands.iter().any(|number| stands(*number)) => {
            Some("no figure of `derived` stands in the quoted text or is the choice's".to_owned())
        }
        Ok(_) => None,
    }
}
