//! What caps count: of whom, in which period.

use crate::{
    amount::Amount,
    id::{PartyId, RuleId},
    judge::case::Case,
    rule::{
        RuleTerms,
        cap::{Period, RuleUse, Scope, Subject},
    },
    time::Time,
};

/// Of whom the uses of an event are counted.
#[derive(Clone, Copy)]
pub(super) struct Subjects {
    pub(super) payer: PartyId,
    pub(super) payee: PartyId,
    /// Only where a cap asks for it.
    pub(super) household: Option<Subject>,
}

impl Subjects {
    pub(super) fn of(
        case: &Case<'_, '_>,
        (payer, payee): (PartyId, PartyId),
        terms: &RuleTerms,
    ) -> Self {
        let asked = terms.caps.iter().any(|cap| cap.scope == Scope::Household);
        let party = asked.then(|| case.state.party(payer)).flatten();
        let household = party.map(|party| Subject::household(payer, &party, case.now));
        Self { payer, payee, household }
    }

    /// None for an event by itself, which leaves nothing to count.
    fn of_scope(&self, scope: Scope) -> Option<Subject> {
        match scope {
            Scope::Event => None,
            Scope::Payer => Some(Subject::party(self.payer)),
            Scope::Household => self.household,
            Scope::Payee => Some(Subject::party(self.payee)),
            Scope::All => Some(Subject::ALL),
        }
    }
}

fn used(case: &Case<'_, '_>, id: RuleId, scope: Scope, subject: Subject) -> RuleUse {
    let row = case.state.rule_use(id, scope, subject);
    row.map(|row| (*row).clone()).unwrap_or_default()
}

/// The least that the caps let be given now.
pub(super) fn room(
    case: &Case<'_, '_>,
    id: RuleId,
    terms: &RuleTerms,
    subjects: &Subjects,
) -> Amount {
    let of = |cap: &crate::rule::cap::Cap| match subjects.of_scope(cap.scope) {
        Some(subject) => used(case, id, cap.scope, subject).room(cap, case.now),
        None => cap.most,
    };
    terms.caps.iter().map(of).min().unwrap_or(Amount(u64::MAX))
}

/// Whose uses caps count, and by which periods; each once.
fn counted(terms: &RuleTerms, subjects: &Subjects) -> Vec<(Scope, Subject, Period)> {
    let of = |cap: &crate::rule::cap::Cap| {
        subjects.of_scope(cap.scope).map(|subject| (cap.scope, subject, cap.per))
    };
    let mut counted: Vec<_> = terms.caps.iter().filter_map(of).collect();
    // Caps ascend by scope and period.
    counted.dedup();
    counted
}

/// Counts what was given now.
pub(super) fn count(
    case: &mut Case<'_, '_>,
    id: RuleId,
    terms: &RuleTerms,
    subjects: &Subjects,
    given: Amount,
) {
    let now = case.now;
    for (scope, subject, per) in counted(terms, subjects) {
        let mut uses = used(case, id, scope, subject);
        uses.count(per, now, given);
        case.state.put_rule_use(id, scope, subject, uses);
    }
}

/// Gives back what was given at `at`; `all` if nothing of it stays.
pub(super) fn give_back(
    case: &mut Case<'_, '_>,
    (id, terms): (RuleId, &RuleTerms),
    subjects: &Subjects,
    at: Time,
    (undone, all): (Amount, bool),
) {
    for (scope, subject, per) in counted(terms, subjects) {
        let mut uses = used(case, id, scope, subject);
        uses.give_back(per, at, undone, all);
        case.state.put_rule_use(id, scope, subject, uses);
    }
}

/// What a payer carries on.
pub(super) fn carried(case: &Case<'_, '_>, id: RuleId, payer: PartyId) -> i64 {
    used(case, id, Scope::Payer, Subject::party(payer)).carry
}

/// Changes what a payer carries on.
pub(super) fn carry(case: &mut Case<'_, '_>, id: RuleId, payer: PartyId, carry: i64) {
    let subject = Subject::party(payer);
    let uses = used(case, id, Scope::Payer, subject);
    case.state.put_rule_use(id, Scope::Payer, subject, RuleUse { carry, ..uses });
}
