//! What issuers decide: instruments, allowances, corrections.

use musubi_ledger::{
    calendar::Span,
    instrument::{
        InstrumentChange, LateRefund, Life, LifeStep, Limit, LimitOf, OnAccept, Priority, Regime,
        Shortfall, Terms, TransferRule, Validity,
    },
};

use super::*;

impl Generator {
    pub(super) fn by_issuer(&self, world: &World, step: &Step) -> Made {
        match step[0] / 1024 % 8 {
            0 | 1 => define(world, step),
            2 | 3 => grant(world, step),
            4 => self.end_allowance(step),
            5 => change(world, step),
            _ => self.correct(step),
        }
    }

    fn end_allowance(&self, step: &Step) -> Made {
        let known = pick(&self.allowances, step[1]).map_or(TxId([0; 32]), |found| found.0);
        let signer = officer("issuer", pick(&["i1", "i2", "both", "c1"], step[2]).unwrap());
        (Operation::RevokeAllowance { allowance: known }, vec![signer], None)
    }

    fn correct(&self, step: &Step) -> Made {
        let at = usize::from(step[1]) % self.issued.len().max(1);
        let (mut original, mut takes) = match self.issued.get(at) {
            Some((id, of, amount)) => (*id, legs(&[(of, *amount)])),
            None => (TxId([0; 32]), legs(&[("MEBUKU", 1)])),
        };
        match step[2] % 8 {
            0 => original = pick(&self.moves, step[3]).map_or(original, |moved| moved.0),
            1 => {
                takes = legs(&[(pick(&MONEY, step[4]).unwrap(), pick(&AMOUNTS, step[3]).unwrap())])
            }
            2..=4 => takes[0].amount = Amount(takes[0].amount.0 / 2),
            _ => {}
        }
        let op = Correct {
            original,
            legs: takes,
            reason: CorrectionReason::Chargeback,
            evidence: document("bank letter"),
        };
        (Operation::Correct(op), officials(step[5]), None)
    }

    /// An allowance of `money`: one granted meanwhile, or the one that was there.
    pub(super) fn allowance_of(&self, world: &World, step: &Step, money: &str) -> TxId {
        let granted: Vec<TxId> =
            self.allowances.iter().filter(|found| found.1 == money).map(|found| found.0).collect();
        let first = world.allowances.get(money).copied();
        match pick(&granted, step[3]) {
            Some(found) if first.is_none() || step[1].is_multiple_of(2) => found,
            _ => first.unwrap_or(TxId([0; 32])),
        }
    }
}

/// Officers of the issuer and of others: mostly enough, sometimes too few, too close or one person.
pub(super) fn officials(choice: u16) -> Vec<By> {
    let of: &[(&str, &str)] = match choice % 14 {
        0 => &[("issuer", "i1"), ("city", "c1")],
        1 => &[("issuer", "both"), ("city", "both")],
        2 => &[("issuer", "i1"), ("issuer", "i2"), ("operator", "i1")],
        3 => &[("issuer", "i1"), ("issuer", "both"), ("city", "both")],
        4 => &[("issuer", "i2"), ("issuer", "i1"), ("registrar", "r1")],
        5 => &[("partner", "p1"), ("city", "c1")],
        6 => &[("issuer", "i1"), ("issuer", "i2"), ("city", "p1")],
        7 => &[("issuer", "i1"), ("issuer", "i2")],
        _ => &[("issuer", "i1"), ("issuer", "i2"), ("partner", "p1")],
    };
    of.iter().map(|(party, person)| officer(party, person)).collect()
}

fn define(world: &World, step: &Step) -> Made {
    let name = pick(&["GIFT", "STAMP", "GIFT", "MEBUKU"], step[1]).unwrap();
    let validities = [
        Validity::None,
        Validity::At(world.now.plus(4 * DAY)),
        Validity::After(Span::Days(1)),
        Validity::Sliding(Span::Days(2)),
        Validity::After(Span::Months(1)),
    ];
    let accepts = [OnAccept::Keep, OnAccept::Claim, OnAccept::Renew, OnAccept::Claim];
    let regimes = [Regime::Free, Regime::PrepaidOwn, Regime::Free, Regime::SixMonth];
    let kinds = LimitOf::ALL;
    let limit = |choice: u16| {
        Limit::for_all(pick(&kinds, choice).unwrap(), Amount(pick(&[2_000, 500], choice).unwrap()))
    };
    let first = u8::try_from(step[2] % 5).unwrap();
    let rules = [TransferRule::PeerToPeer, TransferRule::None, TransferRule::WithGroups];
    let shortfalls = [Shortfall::IssuerBears, Shortfall::Refuse, Shortfall::Receivable];
    let terms = Terms {
        issuer: id(
            pick(&["issuer", "issuer", "issuer", "issuer", "city", "nobody"], step[2]).unwrap()
        ),
        regime: pick(&regimes, step[3] / 8).unwrap(),
        face: 1,
        begins: step[4].is_multiple_of(13).then(|| world.now.plus(DAY)),
        decimals: if step[3].is_multiple_of(9) { 9 } else { 0 },
        step: Amount(pick(&[1, 10, 1, 50, 0], step[3]).unwrap()),
        transfer: pick(&rules, step[4]).unwrap(),
        on_accept: pick(&accepts, step[3]).unwrap(),
        validity: pick(&validities, step[1] / 4).unwrap(),
        late_refund: match step[3] % 5 {
            0 => LateRefund::Grace(2),
            _ => LateRefund::ExpireAtOnce,
        },
        supply_max: step[2].is_multiple_of(7).then_some(Amount(20_000)),
        priority: Priority { free: first, grant: 4 - first, ..Priority::USUAL },
        redemption_days: step[2] % 3,
        shortfall: pick(&shortfalls, step[4] / 4).unwrap(),
        limits: (0..step[4] % 4).map(|n| limit(step[1] + n)).collect(),
        holders: None,
        acceptors: None,
        tiers: Vec::new(),
        document: document("terms"),
    };
    let open = !step[4].is_multiple_of(17);
    let op = DefineInstrument { instrument: instrument(name), terms, open };
    (Operation::DefineInstrument(op), officials(step[5]), None)
}

fn grant(world: &World, step: &Step) -> Made {
    let name = pick(&["GIFT", "MEBUKU", "COIN", "POINT", "GIFT", "NONE"], step[1]).unwrap();
    let caps = [20_000, 500, 1_000_000, 2_000, 0];
    let cap = |choice: u16| Amount(pick(&caps, choice).unwrap());
    let keys = ["issuer/auto", "issuer/auto", "issuer/auto", "issuer/spare", "alice", "nobody"];
    let op = GrantAllowance {
        instrument: instrument(name),
        key: key(pick(&keys, step[2]).unwrap()).public(),
        total: cap(step[3] % 7),
        per_wallet: cap(step[3] / 8 % 4),
        per_day: cap(step[3] / 64 % 4),
        end: world.now.plus(u64::from(step[4] % 12) * DAY),
    };
    (Operation::GrantAllowance(op), officials(step[5]), None)
}

fn change(world: &World, step: &Step) -> Made {
    let name = pick(&["GIFT", "STAMP", "GIFT", "VOUCHER", "NONE"], step[1]).unwrap();
    let lives = [Life::Open, Life::IssueEnded, Life::UseEnded, Life::RedemptionEnded, Life::Barred];
    let at = world.now.plus(u64::from(step[4] % 4) * 30 * DAY);
    let life =
        |choice| InstrumentChange::Life(LifeStep { life: pick(&lives, choice).unwrap(), at });
    let change = match step[3] % 8 {
        0 => InstrumentChange::SupplyMax(Some(Amount(u64::from(step[2] % 3) * 15_000))),
        1 => InstrumentChange::SupplyMax(None),
        2 => InstrumentChange::Document(document("new terms")),
        3 => life(step[2] % 5),
        _ => life(step[2] % 2),
    };
    let op = ChangeInstrument { instrument: instrument(name), change, notice: document("notice") };
    (Operation::ChangeInstrument(op), officials(step[5]), None)
}
