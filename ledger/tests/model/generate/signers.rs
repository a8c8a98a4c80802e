//! Who signs: as the rules want it, then disturbed.

use super::*;

pub(super) fn gives(party: &'static str, choice: u16) -> Vec<By> {
    match (party, choice % 4) {
        ("club", 0) => vec![drafts("club", "carol"), approves("club", "bob")],
        ("club", 1) => vec![drafts("club", "alice"), approves("club", "carol")],
        ("club", 2) => {
            vec![drafts("club", "alice"), approves("club", "bob"), approves("club", "carol")]
        }
        ("club", _) => vec![drafts("club", "alice"), approves("club", "bob")],
        _ => vec![debit(party)],
    }
}

pub(super) fn takes(party: &'static str) -> By {
    match party {
        "club" => receives("club", "alice"),
        _ => credit(party),
    }
}

pub(super) fn decides(party: &'static str) -> By {
    match party {
        "club" => checker("club", "bob"),
        _ => own(party),
    }
}

/// Whose key it is.
pub(super) fn owner(key: &str) -> String {
    key.split('/').next().unwrap_or(key).to_owned()
}

/// Leaves signers alone, drops one, gives one another's key, another role or side, or adds one.
pub(super) fn disturb(signers: &mut Vec<By>, how: u16, which: u16) {
    if signers.is_empty() {
        return;
    }
    let at = usize::from(which) % signers.len();
    let person = pick(&PERSONS, which / 8).unwrap();
    match how % 24 {
        0 => drop(signers.remove(at)),
        1 => signers[at].key = person.into(),
        2 => signers[at].key = "nobody".into(),
        3 => signers.push(credit(person)),
        4 => signers.push(approves("club", person)),
        5 => signers.push(drafts("club", person)),
        6 => signers[at].side = Side::Authority,
        7 => signers[at].role = Role::Approver,
        8 => signers[at].party = id_name(which),
        9 => signers[at].key = "issuer/spare".into(),
        _ => {}
    }
}

pub(super) fn id_name(which: u16) -> String {
    pick(&PARTIES, which / 3).unwrap().to_owned()
}
