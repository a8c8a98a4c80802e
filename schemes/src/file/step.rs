//! `steps`: what is common to all of them. What each does is in [`crate::verb`].

use musubi_ledger::code::Code;

use super::{names::Names, node::Node};
use crate::{
    mistake::nearest,
    scheme::{Refusal, Step},
    verb,
};

/// Most repetitions of a step.
const TIMES_MAX: u64 = 10_000;

/// Reads one; none where `if` does not hold, or with a mistake.
pub(super) fn read(node: &Node<'_>, names: &Names<'_>) -> Option<Step> {
    let fields = node.fields()?;
    let stands = fields.stands();
    let text = |key| fields.may(key).and_then(|node| node.text());
    let (id, label) = (text("id"), text("label"));
    let _seed = text("seed");
    let times = fields.may("times").map_or(Some(1), |node| node.whole(1..=TIMES_MAX));
    let code = fields.may("code").map_or(Some(Code::Applied), |node| code(&node));
    let words = Refusal::ALL.map(|refusal| (refusal.name(), refusal));
    let refusal_node = fields.may("refusal");
    let refusal = refusal_node.as_ref().and_then(|node| node.one_of(&words));
    let without = fields.may("without").map_or(Some(Vec::new()), |node| names.parties(&node));
    let what = fields.need("do");
    let name = what.as_ref().and_then(|node| node.text());
    let verb = match (&what, &name) {
        (Some(node), Some(name)) => verb::find(node, name).and_then(|read| read(&fields, names)),
        _ => None,
    };
    if let Some(id) = &id {
        names.steps.borrow_mut().push(id.clone());
        if stands && names.played.borrow().contains(id) {
            fields.wrong::<()>(format!("two steps are called {id}"));
        }
        names.played.borrow_mut().extend(stands.then(|| id.clone()));
    }
    if let (Some(node), Some(refusal), Some(code)) = (&refusal_node, refusal, code)
        && !refusal.codes().contains(&code)
    {
        let codes: Vec<&str> = refusal.codes().iter().map(|code| code.name()).collect();
        node.wrong::<()>(format!(
            "a refusal for {} bears one of {}, not {code}",
            refusal.name(),
            codes.join(", ")
        ));
    }
    let at = node.at();
    if verb.is_some() {
        fields.finish();
    }
    let label = label.or_else(|| id.clone()).or_else(|| name.clone()).unwrap_or_default();
    stands.then_some(())?;
    let times = u32::try_from(times?).ok()?;
    Some(Step { at, id, label, times, code: code?, refusal, without: without?, verb: verb? })
}

fn code(node: &Node<'_>) -> Option<Code> {
    let name = node.text()?;
    let found = Code::ALL.iter().find(|code| code.name() == name);
    if found.is_none() {
        let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        let near = nearest(&name, &names).map(|near| format!(": did you mean {near}?"));
        return node.wrong(format!("no code {name}{}", near.unwrap_or_default()));
    }
    found.copied()
}
