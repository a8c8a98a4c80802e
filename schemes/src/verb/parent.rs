//! `parent`: groups join a body above them, or leave it.

use musubi_ledger::{
    operation::{Operation, SetParent},
    party::PartyKind,
    state::{Row, RowKey},
};

use super::{Act, Fault, Fields, Names, Play, Verb, sealed::Sealed};

#[derive(Debug)]
struct Layered {
    groups: Vec<usize>,
    /// None to leave.
    under: Option<usize>,
    /// Whether the body lets them go, not they themselves.
    by_body: bool,
}

pub(super) fn parent(fields: &Fields<'_>, names: &Names<'_>) -> Option<Box<dyn Verb>> {
    let node = fields.need("group")?;
    let groups = names.parties(&node)?;
    if groups.iter().any(|at| names.cast.members[*at].kind != PartyKind::Group) {
        return node.wrong("groups lie under a body");
    }
    let leaves = [("group", false), ("body", true)];
    let found = (fields.may("under"), fields.may("leave"));
    let (under, by_body) = match found {
        (Some(under), None) => (Some(names.party(&under)?), false),
        (None, Some(leave)) => (None, leave.one_of(&leaves)?),
        _ => {
            return fields
                .wrong("`under` names the body, or `leave` who ends it: \"group\" or \"body\"");
        }
    };
    Some(Box::new(Layered { groups, under, by_body }))
}

impl Layered {
    fn body_of(play: &Play<'_>, group: usize) -> Result<usize, Fault> {
        let parent = match play.stage.state().row(&RowKey::Group(play.party(group))) {
            Some(Row::Group(group)) => group.parent,
            _ => None,
        };
        let name = &play.scheme.cast.members[group].name;
        play.place(parent.ok_or_else(|| Fault::Lacks(format!("{name} lies under nobody")))?)
    }
}

impl Verb for Layered {}
impl Sealed for Layered {
    fn play(&self, play: &mut Play<'_>) -> Result<Vec<Act>, Fault> {
        let mut acts = Vec::new();
        for group in &self.groups {
            let signers = match (self.under, self.by_body) {
                (None, true) => play.authority(Self::body_of(play, *group)?),
                (under, _) => {
                    let own = play.persons_of_group(*group, 2);
                    let body = under.map(|at| play.authority(at)).unwrap_or_default();
                    own.into_iter().chain(body).collect()
                }
            };
            let set = SetParent {
                group: play.party(*group),
                parent: self.under.map(|at| play.party(at)),
            };
            acts.push(Act::new(play.body(signers[0].3, Operation::SetParent(set)), signers));
        }
        Ok(acts)
    }
}
