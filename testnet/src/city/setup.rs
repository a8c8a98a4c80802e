//! How a city comes onto the ledger: four waves, each of which rests on the one before.
//!
//! 1. The registrar registers everybody; officers of two organisations grant the issuer's allowances.
//! 2. Standing acceptances of persons and shops, cards, groups.
//! 3. Standing acceptances of groups, first top-ups of persons.
//! 4. First top-ups of groups.

use musubi_ledger::{
    amount::Amount,
    group::{GroupPolicy, RoleGrant, Roles},
    hash::sha256,
    id::{DocumentHash, InstrumentId, PartyId, TxId},
    lot::OriginKind,
    mandate::{Counterparty, Direction, MandateTerms},
    operation::{
        Citation, CreateGroup, EnrolMedium, GrantAllowance, GrantMandate, Operation, RegisterParty,
    },
    party::{Attribute, PartyKind},
    state::derived_id,
    time::Time,
    transaction::{Role, Side},
};
use musubi_sdk::Slot;

use super::{City, charge, institutions, people::Person};
use crate::{
    books::{Books, Pot},
    city::institutions::Key,
    item::{Scribe, Task},
    random::Dice,
};

/// Most that a printed shop code takes at once, in yen.
pub const CODE_PER_USE: u64 = 200_000;
/// Most that a person's standing acceptance takes at once.
pub const ACCEPTANCE_PER_USE: u64 = 300_000;
/// Most that a card pays at once, and on one day.
pub const CARD_PER_USE: u64 = 20_000;
/// As above.
pub const CARD_PER_DAY: u64 = 100_000;
/// Most that one wallet gets under one allowance.
pub const PER_WALLET: u64 = 1_000_000;
const DAY_MS: u64 = 86_400_000;

/// The two allowances under which the issuer's automated key issues.
#[derive(Clone, Copy, Debug)]
pub struct Allowances {
    /// Of `MONEY`.
    pub money: TxId,
    /// Of `POINT`.
    pub points: TxId,
}

/// A city's way onto the ledger.
#[derive(Debug)]
pub struct Setup {
    /// What is to be submitted, wave by wave: each only when the one before is committed.
    pub waves: Vec<Vec<Task>>,
    /// What everybody holds then.
    pub books: Books,
    /// Under what the issuer issues.
    pub allowances: Allowances,
}

/// Writes a city's set-up and notes in the city which mandates and cards it will have.
pub fn compose(city: &mut City, scribe: &mut Scribe) -> Setup {
    let (mut first, allowances) = allowances(city, scribe);
    first.extend(registrations(city, scribe));
    let mut second = acceptances(city, scribe);
    second.extend(groups(city, scribe));
    let mut third = group_acceptances(city, scribe);
    let mut books = Books::new();
    // The cast begins with nothing: its story is counted from there.
    let persons = city.persons[..city.plan.registrants].iter().map(|p| (p.party, p.acceptance));
    let five_to_thirty = |dice: &mut Dice| dice.between(5, 30);
    let money = allowances.money;
    third.extend(first_top_ups(city, scribe, money, &mut books, persons, five_to_thirty));
    let groups = city.groups[..city.plan.groups].iter().map(|g| (g.party, g.acceptance));
    let fifty_to_two_hundred = |dice: &mut Dice| 10 * dice.between(5, 20);
    let fourth = first_top_ups(city, scribe, money, &mut books, groups, fifty_to_two_hundred);
    Setup { waves: vec![first, second, third, fourth], books, allowances }
}

/// Two officers of two organisations let the issuer's automated key issue, money and points.
pub fn allowances(city: &City, scribe: &mut Scribe) -> (Vec<Task>, Allowances) {
    let at = &city.institutions;
    let officer = &at.issuer_officers[0];
    let other = &at.city_officer;
    let mut grant = |instrument: InstrumentId| {
        let operation = Operation::GrantAllowance(GrantAllowance {
            instrument,
            key: at.issuer.key.public(),
            total: Amount(1 << 50),
            per_wallet: Amount(PER_WALLET),
            per_day: Amount(1 << 50),
            end: scribe.now.plus(30 * DAY_MS),
        });
        let body = scribe.body(officer.party, operation);
        let signers = vec![
            (Slot::officer(at.issuer.party), Key::clone(&officer.key)),
            (Slot::officer(at.organisation(0)), Key::clone(&other.key)),
        ];
        (body.id(), Task::good("allowance", body, signers))
    };
    let (money, first) = grant(institutions::money());
    let (points, second) = grant(institutions::points());
    (vec![first, second], Allowances { money, points })
}

/// The registrar's officers in turn register everybody: persons, then shops.
pub fn registrations(city: &City, scribe: &mut Scribe) -> Vec<Task> {
    let at = &city.institutions;
    let persons = city.persons.iter().map(|p| {
        let resident = Attribute { name: "resident".into(), value: "yes".into(), until: None };
        (p.party, PartyKind::Person, p.keys.clone(), Some(p.tag), vec![resident])
    });
    let merchants = city
        .merchants
        .iter()
        .map(|m| (m.party, PartyKind::Merchant, vec![Key::clone(&m.key)], None, Vec::new()));
    let all: Vec<_> = persons.chain(merchants).collect();
    let mut tasks = Vec::with_capacity(all.len());
    for (turn, (party, kind, keys, tag, attributes)) in all.into_iter().enumerate() {
        let officer = &at.registrar_officers[turn % at.registrar_officers.len()];
        let operation = Operation::RegisterParty(RegisterParty {
            party,
            kind,
            keys: keys.iter().map(|key| key.public()).collect(),
            tag,
            registrar: at.registrar,
            organisation: None,
            attributes,
        });
        let body = scribe.body(officer.party, operation);
        let mut signers: Vec<(Slot, Key)> =
            keys.into_iter().map(|key| (Slot::holder(party), key)).collect();
        signers.push((Slot::officer(at.registrar), Key::clone(&officer.key)));
        tasks.push(Task::good("registration", body, signers));
    }
    tasks
}

fn terms(
    direction: Direction,
    per_use: u64,
    counterparty: Counterparty,
    from: Time,
) -> MandateTerms {
    MandateTerms {
        direction,
        instruments: vec![institutions::money(), institutions::points()],
        counterparty,
        purpose: None,
        per_use: Amount(per_use),
        per_day: None,
        per_counterparty: None,
        total: None,
        uses: None,
        staff: Vec::new(),
        from,
        until: None,
    }
}

/// A standing acceptance of up to `per_use`, from a moment before now on.
#[must_use]
pub fn acceptance(per_use: u64, now: Time) -> MandateTerms {
    terms(Direction::Credit, per_use, Counterparty::Any, Time(now.0.saturating_sub(DAY_MS)))
}

fn acceptances(city: &mut City, scribe: &mut Scribe) -> Vec<Task> {
    let mut tasks = Vec::new();
    let now = scribe.now;
    let mut grant = |scribe: &mut Scribe, grantor: PartyId, key: &Key, per_use| {
        let terms = acceptance(per_use, now);
        let operation = Operation::GrantMandate(GrantMandate { grantor, terms });
        let body = scribe.body(grantor, operation);
        let id = body.id();
        let signers = vec![(Slot::payee(grantor), Key::clone(key))];
        tasks.push(Task::good("standing_acceptance", body, signers));
        id
    };
    for merchant in &mut city.merchants {
        merchant.code = grant(scribe, merchant.party, &merchant.key, CODE_PER_USE);
    }
    for person in city.persons.iter_mut().filter(|person| person.card.is_none()) {
        let key = Key::clone(person.phone());
        person.acceptance = grant(scribe, person.party, &key, ACCEPTANCE_PER_USE);
    }
    let at = city.institutions.clone();
    let [one, two, _] = &at.registrar_officers;
    for person in city.persons.iter_mut().filter(|person| person.card.is_some()) {
        let body = scribe.body(one.party, enrolment(person, at.registrar, now));
        let id = body.id();
        person.acceptance = derived_id(&id, 1);
        if let Some(card) = &mut person.card {
            card.debit = derived_id(&id, 0);
        }
        let signers = [one, two].map(|o| (Slot::officer(at.registrar), Key::clone(&o.key)));
        tasks.push(Task::good("card", body, signers.into()));
    }
    tasks
}

fn enrolment(person: &Person, registrar: PartyId, now: Time) -> Operation {
    let card = person.card.expect("only the holders of cards are enrolled");
    let from = Time(now.0.saturating_sub(DAY_MS));
    let at_shops = Counterparty::Kind(PartyKind::Merchant);
    let debit = MandateTerms {
        per_day: Some(Amount(CARD_PER_DAY)),
        // Longer than the year that `musubi-testnet year` writes, whose last day begins 365 days from now.
        until: Some(now.plus(400 * DAY_MS)),
        ..terms(Direction::Debit, CARD_PER_USE, at_shops, from)
    };
    Operation::EnrolMedium(EnrolMedium {
        medium: card.medium,
        party: person.party,
        registrar,
        debit: Some(debit),
        credit: Some(acceptance(ACCEPTANCE_PER_USE, now)),
        evidence: DocumentHash(sha256(&card.medium.0)),
    })
}

fn groups(city: &City, scribe: &mut Scribe) -> Vec<Task> {
    let at = &city.institutions;
    let officer = &at.registrar_officers[2];
    let mut tasks = Vec::new();
    for group in &city.groups {
        let treasurer = &city.persons[group.treasurer];
        let approver = &city.persons[group.approver];
        let both = Roles { drafts: true, approves: true };
        let approves = Roles { drafts: false, approves: true };
        let mut roles = vec![
            RoleGrant { person: treasurer.party, roles: both },
            RoleGrant { person: approver.party, roles: approves },
        ];
        roles.sort_by_key(|grant| grant.person);
        let operation = Operation::CreateGroup(CreateGroup {
            group: group.party,
            registrar: at.registrar,
            representative: treasurer.party,
            roles,
            policy: GroupPolicy {
                exclusive_roles: false,
                bands: Vec::new(),
                proposal_hours: 7 * 24,
            },
        });
        let body = scribe.body(treasurer.party, operation);
        let signers = vec![
            (Slot::officer(at.registrar), Key::clone(&officer.key)),
            (Slot::member(group.party, Role::Representative), Key::clone(treasurer.phone())),
            (Slot::member(group.party, Role::Approver), Key::clone(approver.phone())),
        ];
        tasks.push(Task::good("group", body, signers));
    }
    tasks
}

fn group_acceptances(city: &mut City, scribe: &mut Scribe) -> Vec<Task> {
    let mut tasks = Vec::new();
    for group in &mut city.groups {
        let treasurer = &city.persons[group.treasurer];
        let terms = acceptance(ACCEPTANCE_PER_USE, scribe.now);
        let operation = Operation::GrantMandate(GrantMandate { grantor: group.party, terms });
        let body = scribe.body(treasurer.party, operation);
        group.acceptance = body.id();
        let slot = Slot::new(Side::Credit, Role::Drafter, group.party);
        let signers = vec![(slot, Key::clone(treasurer.phone()))];
        tasks.push(Task::good("standing_acceptance", body, signers));
    }
    tasks
}

/// First top-ups of holders with a standing acceptance, of so many thousand yen each.
fn first_top_ups(
    city: &City,
    scribe: &mut Scribe,
    allowance: TxId,
    books: &mut Books,
    holders: impl Iterator<Item = (PartyId, TxId)>,
    thousands: impl Fn(&mut Dice) -> u64,
) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (party, acceptance) in holders {
        let amount = 1_000 * thousands(&mut scribe.dice);
        let to = (party, Citation::Mandate(acceptance));
        let (body, signers) = charge::top_up(city, scribe, allowance, to, amount, OriginKind::Paid);
        books.give_now(party, Pot::Money, amount);
        tasks.push(Task::good("first_top_up", body, signers));
    }
    tasks
}
