//! Whose signatures an operation asks for, as far as its body alone tells. `docs/CONSENT.md` and the
//! ledger's `judge` are the rule; this is a hint for people and never stands between them and a node.

use musubi_ledger::{
    document::DocumentKind,
    id::PartyId,
    keys::PublicKey,
    mandate::Direction,
    operation::{
        Citation, Decision, IssueDocument, Operation, PayWithCoupons, Payment, RegisterParty,
        RepayBy, Showing,
    },
    party::PartyKind,
    transaction::{Body, Role, Side, Signature},
};

/// A signature that is still missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// For which side; any, if the body does not tell.
    pub side: Option<Side>,
    /// In one of these roles; any, if empty.
    pub roles: Vec<Role>,
    /// Acting for whom, if the body tells.
    pub party: Option<PartyId>,
    /// By exactly this key, if it must be a certain one.
    pub key: Option<PublicKey>,
    /// By how many different keys.
    pub count: usize,
}

type Kinds<'k> = &'k dyn Fn(&PartyId) -> Option<PartyKind>;

impl Wanted {
    fn new(side: Side, roles: &[Role], party: PartyId, count: usize) -> Self {
        Self { side: Some(side), roles: roles.to_vec(), party: Some(party), key: None, count }
    }

    fn by_key(party: PartyId, key: PublicKey) -> Self {
        let key = Some(key);
        Self { key, ..Self::new(Side::Authority, &[Role::Holder], party, 1) }
    }

    /// What is left of it after `signatures`; `None` if nothing is.
    pub(super) fn less(mut self, signatures: &[Signature]) -> Option<Self> {
        let given = signatures.iter().filter(|s| self.is_met_by(s)).count();
        self.count = self.count.saturating_sub(given);
        (self.count > 0).then_some(self)
    }

    fn is_met_by(&self, signature: &Signature) -> bool {
        self.side.is_none_or(|side| side == signature.side)
            && (self.roles.is_empty() || self.roles.contains(&signature.role))
            && self.party.is_none_or(|party| party == signature.party)
            && self.key.is_none_or(|key| key == signature.signer)
    }
}

const MEMBERS: [Role; 3] = [Role::Drafter, Role::Approver, Role::Representative];

fn official(kind: Option<PartyKind>) -> bool {
    let offices = [PartyKind::Issuer, PartyKind::Registrar, PartyKind::Operator];
    kind.is_some_and(|kind| offices.contains(&kind))
}

/// A live debit. Of a party whose kind nobody told, the signatures so far tell whether it is a group.
fn debit(party: PartyId, signatures: &[Signature], kind: Kinds<'_>) -> Vec<Wanted> {
    let signed_as = |role| {
        let slot = (Side::Debit, role, party);
        signatures.iter().any(|s| (s.side, s.role, s.party) == slot)
    };
    let looks_like_group = signed_as(Role::Drafter) || signed_as(Role::Approver);
    match kind(&party) {
        Some(PartyKind::Group) => payout(party),
        None if looks_like_group => payout(party),
        None => {
            let roles = [Role::Holder, Role::Drafter, Role::Officer];
            vec![Wanted::new(Side::Debit, &roles, party, 1)]
        }
        kind if official(kind) => vec![Wanted::new(Side::Debit, &[Role::Officer], party, 2)],
        Some(_) => vec![Wanted::new(Side::Debit, &[Role::Holder], party, 1)],
    }
}

fn payout(group: PartyId) -> Vec<Wanted> {
    let one = |role| Wanted::new(Side::Debit, &[role], group, 1);
    vec![one(Role::Drafter), one(Role::Approver)]
}

fn one_for(side: Side, party: PartyId, kind: Kinds<'_>) -> Wanted {
    let roles: &[Role] = match kind(&party) {
        Some(PartyKind::Group) => &MEMBERS,
        None => &[],
        kind if official(kind) => &[Role::Issuer, Role::Officer],
        Some(_) => &[Role::Holder],
    };
    Wanted::new(side, roles, party, 1)
}

fn payment(
    (from, to): (PartyId, PartyId),
    (giving, receiving): (Citation, Citation),
    body: &Body,
    signed: &[Signature],
    kind: Kinds<'_>,
) -> Vec<Wanted> {
    let mut wanted = match giving {
        Citation::Live => debit(from, signed, kind),
        Citation::Medium { .. } => vec![Wanted::new(Side::Debit, &[Role::Terminal], to, 1)],
        // Staff under a budget: which person, only the mandate knows.
        Citation::Mandate(_) if receiving != Citation::Live => {
            vec![Wanted::new(Side::Debit, &[Role::Holder], body.sender, 1)]
        }
        Citation::Mandate(_) | Citation::Request => Vec::new(),
    };
    if receiving == Citation::Live {
        wanted.push(one_for(Side::Credit, to, kind));
    }
    wanted
}

fn register(op: &RegisterParty) -> Vec<Wanted> {
    let keys = op.keys.iter().map(|key| Wanted::by_key(op.party, *key));
    let attest = if official(Some(op.kind)) {
        Wanted { party: None, ..Wanted::new(Side::Authority, &[Role::Governance], op.party, 2) }
    } else {
        officers(op.registrar, 1)
    };
    keys.chain([attest]).collect()
}

fn officers(office: PartyId, count: usize) -> Wanted {
    Wanted::new(Side::Authority, &[Role::Officer], office, count)
}

/// One who speaks for a party where no value moves.
fn speaker(party: PartyId, kind: Kinds<'_>) -> Wanted {
    match kind(&party) {
        kind if official(kind) => officers(party, 1),
        _ => one_for(Side::Authority, party, kind),
    }
}

/// One who speaks for a document's issuer; two who stand by a report of an office or a group.
fn issues(op: &IssueDocument, kind: Kinds<'_>) -> Wanted {
    match (&op.kind, kind(&op.issuer)) {
        (DocumentKind::Report(_), Some(PartyKind::Group)) => two_of_group(op.issuer),
        (DocumentKind::Report(_), kind) if official(kind) => officers(op.issuer, 2),
        _ => speaker(op.issuer, kind),
    }
}

/// Officers of some office that the body does not name.
fn some_officers(count: usize) -> Wanted {
    Wanted { party: None, ..officers(PartyId::default(), count) }
}

/// Anybody, in whatever capacity: the sender must be among the signers.
fn anybody() -> Wanted {
    Wanted { side: None, roles: Vec::new(), party: None, key: None, count: 1 }
}

/// The key of a code that is shown.
fn code(showing: Showing, taker: PartyId) -> Option<Wanted> {
    let Showing::Code(key) = showing else {
        return None;
    };
    Some(Wanted { key: Some(key), ..Wanted::new(Side::Authority, &[Role::Code], taker, 1) })
}

fn two_of_group(group: PartyId) -> Wanted {
    Wanted::new(Side::Authority, &MEMBERS, group, 2)
}

/// All that `body` asks for, whether it is there already or not.
pub(super) fn of(body: &Body, signed: &[Signature], kind: Kinds<'_>) -> Vec<Wanted> {
    match &body.operation {
        Operation::Transfer(op) => {
            payment((op.from, op.to), (op.debit, op.credit), body, signed, kind)
        }
        Operation::Pay(op) => payment((op.from, op.to), (op.debit, op.credit), body, signed, kind),
        Operation::PayWithCoupons(PayWithCoupons { pay, coupons, .. }) => {
            let sides = payment((pay.from, pay.to), (pay.debit, pay.credit), body, signed, kind);
            let codes = coupons.iter().filter_map(|used| code(used.showing, pay.from));
            sides.into_iter().chain(codes).collect()
        }
        Operation::IssueDocument(op) => vec![issues(op, kind)],
        Operation::Touch(op) => vec![one_for(Side::Authority, op.party, kind)],
        Operation::TopUp(op) => {
            let mut wanted = vec![Wanted::new(Side::Debit, &[Role::Issuer], body.sender, 1)];
            if op.funder != op.to && op.funder != body.sender {
                wanted.push(Wanted::new(Side::Debit, &[Role::Funder], op.funder, 1));
            }
            if op.credit == Citation::Live {
                wanted.push(one_for(Side::Credit, op.to, kind));
            }
            wanted
        }
        Operation::RequestPayment(op) => vec![one_for(Side::Credit, op.payee, kind)],
        Operation::SetParent(op) => match op.parent {
            Some(parent) => vec![two_of_group(op.group), speaker(parent, kind)],
            // Two of the group, or the body that it leaves, which only the ledger knows.
            None => vec![anybody()],
        },
        Operation::Repay(op) => match op.by {
            RepayBy::Wallet => debit(op.party, signed, kind),
            RepayBy::Outside { .. } => vec![anybody()],
        },
        Operation::Hold(op) => debit(op.from, signed, kind),
        Operation::RequestMany(op) => vec![one_for(Side::Credit, op.payee, kind)],
        Operation::RequestRedemption(op) => match kind(&op.merchant) {
            Some(PartyKind::Group) => debit(op.merchant, signed, kind),
            kind if official(kind) => {
                vec![Wanted::new(Side::Debit, &[Role::Officer], op.merchant, 2)]
            }
            _ => vec![Wanted::new(Side::Debit, &[Role::Holder], op.merchant, 1)],
        },
        Operation::GrantMandate(op) => match op.terms.direction {
            Direction::Debit => debit(op.grantor, signed, kind),
            Direction::Credit => vec![one_for(Side::Credit, op.grantor, kind)],
        },
        Operation::GrantAllowance(_) => vec![some_officers(2)],
        Operation::Correct(_) => vec![some_officers(3)],
        Operation::DefineInstrument(op) => vec![officers(op.terms.issuer, 2)],
        // Whose instrument it is, and whether another organisation signs too, only the ledger knows.
        Operation::PutOffer(op) => vec![officers(op.terms.issuer, 2)],
        // How many, and whose officers they are, the offer says.
        Operation::Entitle(_)
        | Operation::WithdrawEntitlement { .. }
        | Operation::RevealDraw(_)
        | Operation::CountDraw(_) => vec![some_officers(1)],
        Operation::Apply(op) => vec![one_for(Side::Authority, op.to, kind)],
        Operation::Take(op) => {
            let holder = (op.credit == Citation::Live).then(|| one_for(Side::Credit, op.to, kind));
            let code = code(op.showing, op.to);
            let pays = match op.payment {
                Payment::Nothing => Vec::new(),
                // The issuer's key, whichever issuer it is.
                Payment::Outside(_) => vec![Wanted {
                    side: Some(Side::Debit),
                    roles: vec![Role::Issuer],
                    party: None,
                    key: None,
                    count: 1,
                }],
                Payment::Value => debit(op.to, signed, kind),
            };
            pays.into_iter().chain(holder).chain(code).collect()
        }
        Operation::OpenRun(op) => {
            let issuer = kind(&op.funder) == Some(PartyKind::Issuer);
            let funder = if issuer { Vec::new() } else { debit(op.funder, signed, kind) };
            // Two of the issuer; for old balances one of another organisation too.
            let officers = some_officers(if op.import.is_some() { 3 } else { 2 });
            [officers].into_iter().chain(funder).collect()
        }
        Operation::ChangeInstrument(_) | Operation::PutRule(_) | Operation::Settle(_) => {
            vec![some_officers(2)]
        }
        Operation::RevokeAllowance { .. } => vec![some_officers(1)],
        Operation::Decide(op) if op.decision == Decision::Withdraw => vec![anybody()],
        Operation::Propose(_)
        | Operation::Decide(_)
        | Operation::Refund(_)
        | Operation::CancelRequest { .. }
        | Operation::AnswerRedemption(_)
        | Operation::AnswerSettlement(_)
        | Operation::RevokeMandate { .. }
        | Operation::AnswerHold(_)
        | Operation::EndRule(_)
        | Operation::EndOffer(_)
        | Operation::RunChunk(_)
        | Operation::EndRun(_)
        | Operation::RevokeKey(_)
        | Operation::Freeze(_)
        | Operation::RevokeMedium { .. } => vec![anybody()],
        _ => of_parties(&body.operation),
    }
}

/// Operations about parties, keys and groups, which move nothing.
fn of_parties(operation: &Operation) -> Vec<Wanted> {
    let key = |party, key| Wanted::by_key(party, key);
    match operation {
        Operation::RegisterParty(op) => register(op),
        Operation::Attest(op) => vec![officers(op.registrar, 1)],
        Operation::SetOfficers(op) => vec![officers(op.party, 2)],
        Operation::AddKey(op) => vec![anybody(), key(op.party, op.key)],
        Operation::RotateKey(op) => vec![key(op.party, op.old), key(op.party, op.new)],
        Operation::Unfreeze { .. } => vec![some_officers(2)],
        Operation::Recover(op) => vec![some_officers(2), key(op.party, op.key)],
        Operation::EnrolMedium(op) => {
            vec![officers(op.registrar, if op.debit.is_some() { 2 } else { 1 })]
        }
        Operation::CreateGroup(op) => {
            let representative = Wanted::new(Side::Authority, &[Role::Representative], op.group, 1);
            vec![officers(op.registrar, 1), representative, two_of_group(op.group)]
        }
        Operation::ChangeGroup(op) => {
            let successor = op.representative;
            let successor = successor.map(|p| Wanted::new(Side::Authority, &[Role::Holder], p, 1));
            [two_of_group(op.group)].into_iter().chain(successor).collect()
        }
        Operation::InstallSuccessors(_) => vec![some_officers(2)],
        Operation::CloseGroup { group } => vec![two_of_group(*group)],
        _ => vec![anybody()],
    }
}
