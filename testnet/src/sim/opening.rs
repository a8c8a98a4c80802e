//! The transactions of the town's first blocks: groups, standing mandates, allowances, funds.

use musubi_ledger::{
    amount::Amount,
    group::{Band, GroupPolicy, RoleGrant, Roles},
    id::{ChainId, TxId},
    lot::OriginKind,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{Citation, CreateGroup, GrantAllowance, GrantMandate, Operation, TopUp},
    time::Time,
    transaction::{Role, Side},
};

use super::{
    script::{By, HOUR, Pen, Step, group, person, receives, shop},
    town::{BEGIN, GROUPS, PERSONS, SHOPS, document, instrument, key, party},
};

/// What the first blocks hold, and what scripts cite of it.
pub(crate) struct Opening {
    pub(crate) blocks: Vec<Vec<Vec<u8>>>,
    pub(crate) mandates: Vec<TxId>,
    pub(crate) allowance: TxId,
}

/// The transactions of the first blocks.
pub(crate) fn opening(chain: ChainId) -> Opening {
    let mut pen = Pen { chain, count: 1 << 32 };
    let groups = (0..GROUPS).map(|n| create_group(&mut pen, n)).collect::<Vec<_>>();
    let mandates: Vec<Step> = (0..SHOPS).map(|n| standing_mandate(&mut pen, &shop(n))).collect();
    let (money, points) = (allowance(&mut pen, "MONEY"), allowance(&mut pen, "POINT"));
    let mut funding = Vec::new();
    for name in (0..PERSONS).map(person) {
        funding.push(top_up(
            &mut pen,
            money.id,
            &name,
            (20_000, OriginKind::Paid),
            receives(&name),
        ));
        funding.push(top_up(&mut pen, points.id, &name, (500, OriginKind::Free), receives(&name)));
    }
    for (n, name) in (0..GROUPS).map(|n| (n, group(n))) {
        let drafter = person(3 * n);
        let by = (Side::Credit, Role::Drafter, name.as_str(), drafter.as_str());
        funding.push(top_up(&mut pen, money.id, &name, (50_000, OriginKind::Paid), by));
    }
    let bytes = |steps: &[Step]| steps.iter().map(|step| step.bytes.clone()).collect::<Vec<_>>();
    let grants = [bytes(&groups), bytes(&mandates), bytes(&[money.clone(), points])].concat();
    Opening {
        blocks: vec![grants, bytes(&funding)],
        mandates: mandates.iter().map(|step| step.id).collect(),
        allowance: money.id,
    }
}

/// Person 3n drafts, person 3n + 1 approves, person 3n + 2 may do both.
fn create_group(pen: &mut Pen, n: usize) -> Step {
    let name = group(n);
    let officers = [(3 * n, true, false), (3 * n + 1, false, true), (3 * n + 2, true, true)];
    let grant = |(n, drafts, approves)| RoleGrant {
        person: party(&person(n)),
        roles: Roles { drafts, approves },
    };
    let mut roles: Vec<RoleGrant> = officers.map(grant).into();
    roles.sort_by_key(|grant| grant.person);
    let representative = person(3 * n + 1);
    let create = CreateGroup {
        group: party(&name),
        registrar: party("registrar"),
        representative: party(&representative),
        roles,
        policy: GroupPolicy {
            exclusive_roles: false,
            bands: vec![Band { from: Amount(1), approvers: 1 }],
            proposal_hours: 72,
        },
    };
    let by = [
        (Side::Authority, Role::Officer, "registrar", "r1"),
        (Side::Authority, Role::Representative, name.as_str(), representative.as_str()),
        (Side::Authority, Role::Drafter, name.as_str(), &person(3 * n)),
    ];
    pen.step(&representative, Operation::CreateGroup(create), &by)
}

fn standing_mandate(pen: &mut Pen, grantor: &str) -> Step {
    let terms = MandateTerms {
        direction: Direction::Credit,
        instruments: vec![instrument("MONEY")],
        counterparty: Counterparty::Any,
        purpose: None,
        per_use: Amount(100_000),
        per_day: None,
        per_counterparty: None,
        total: None,
        uses: None,
        staff: Vec::new(),
        from: Time(0),
        until: None,
    };
    let grant = GrantMandate { grantor: party(grantor), terms };
    pen.step(grantor, Operation::GrantMandate(grant), &[receives(grantor)])
}

fn allowance(pen: &mut Pen, of: &str) -> Step {
    let cap = Amount(1_000_000_000);
    let grant = GrantAllowance {
        instrument: instrument(of),
        key: key("issuer").public(),
        total: cap,
        per_wallet: cap,
        per_day: cap,
        end: Time(BEGIN + 1_000 * HOUR),
    };
    let by = [
        (Side::Authority, Role::Officer, "issuer", "i1"),
        (Side::Authority, Role::Officer, "city", "c1"),
    ];
    pen.step("i1", Operation::GrantAllowance(grant), &by)
}

/// Issues into a wallet.
pub(crate) fn top_up(
    pen: &mut Pen,
    allowance: TxId,
    to: &str,
    (amount, origin): (u64, OriginKind),
    holder: By<'_>,
) -> Step {
    let top_up = TopUp {
        allowance,
        to: party(to),
        amount: Amount(amount),
        origin,
        funder: party(to),
        campaign: 0,
        funding: document(&format!("bank transfer {}", pen.count)),
        credit: Citation::Live,
    };
    let issues = (Side::Debit, Role::Issuer, "issuer", "issuer");
    pen.step("issuer", Operation::TopUp(top_up), &[issues, holder])
}
