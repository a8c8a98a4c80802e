//! Holders without a phone: media, what they pay at a terminal, what they receive.

use musubi_ledger::{id::MediumId, party::KeyStatus, state::derived_id};

use super::*;

/// Without a key, at first: only officers and terminals act for her.
pub(super) const KEYLESS: &str = "granny";
const HOLDERS: [&str; 8] = ["granny", "alice", "granny", "bob", "granny", "shop", "granny", "i1"];
const SHOPS: [&str; 6] = ["shop", "mart", "shop", "eve", "mart", "club"];

/// A medium, whose it is, and the transaction that enrolled it.
pub(super) type Card = (MediumId, &'static str, TxId);

/// Puts a person without keys on the ledger.
pub(crate) fn register_keyless(world: &mut World) {
    let op = RegisterParty { keys: Vec::new(), ..register(KEYLESS, PartyKind::Person) };
    world.apply("r1", Operation::RegisterParty(op), &[officer("registrar", "r1")]);
}

pub(super) fn card(op: &EnrolMedium, enrolled: TxId) -> Card {
    let holder = HOLDERS.into_iter().find(|name| id(name) == op.party);
    (op.medium, holder.unwrap_or(KEYLESS), enrolled)
}

impl Generator {
    pub(super) fn by_medium(&mut self, world: &World, step: &Step) -> Made {
        match step[0] / 1024 % 8 {
            0 | 1 => self.enrol(world, step),
            2 => self.end_medium(step),
            3 | 4 => self.charge(world, step),
            _ => self.show(world, step),
        }
    }

    fn card(&self, choice: u16) -> Card {
        let latest = self.cards.len().saturating_sub(4);
        pick(&self.cards[latest..], choice).unwrap_or((medium("lost"), KEYLESS, TxId([0; 32])))
    }

    /// By which key the holder of a late medium consented to its mandates.
    pub(super) fn behind_a_card(
        &self,
        world: &World,
        choice: u16,
    ) -> Option<(&'static str, PublicKey)> {
        let (_, holder, enrolled) = self.card(choice);
        match world.state.row(&RowKey::Mandate(derived_id(&enrolled, 1)))? {
            Row::Mandate(mandate) => Some((holder, *mandate.granted_by.first()?)),
            _ => None,
        }
    }

    fn end_medium(&self, step: &Step) -> Made {
        let (ended, holder, _) = self.card(step[1]);
        let signer = match step[5] % 4 {
            0 => officer("registrar", "r1"),
            1 => officer("registrar", "c1"),
            2 => own("bob"),
            _ => own(holder),
        };
        (Operation::RevokeMedium { medium: ended }, vec![signer], None)
    }

    /// A top-up that the medium's credit mandate accepts.
    fn charge(&mut self, world: &World, step: &Step) -> Made {
        self.fundings += 1;
        let (_, holder, enrolled) = self.card(step[1]);
        let money = pick(&["MEBUKU", "MEBUKU", "POINT"], step[4]).unwrap();
        let amount = pick(&[500, 1_000, 20_000], step[3]).unwrap();
        let funding = format!("bank {}", self.fundings);
        let mut op = top_up(self.allowance_of(world, step, money), holder, amount, &funding);
        op.credit = Citation::Mandate(derived_id(&enrolled, 1));
        (Operation::TopUp(op), vec![issues()], None)
    }

    fn show(&self, world: &World, step: &Step) -> Made {
        let (mut shown, holder, enrolled) = self.card(step[1]);
        let to = pick(&SHOPS, step[2]).unwrap();
        let money = pick(&["MEBUKU", "MEBUKU", "POINT", "COIN"], step[4]).unwrap();
        let amount = pick(&AMOUNTS, step[3] % 9).unwrap();
        let mut m = Movement { legs: legs(&[(money, amount)]), ..movement(holder, to, 1) };
        let mut mandate = derived_id(&enrolled, 0);
        match step[5] % 20 {
            0 => shown = medium("lost"),
            1 => mandate = derived_id(&enrolled, 1),
            2 => m.from = id("carol"),
            3 => m.credit = Citation::Medium { medium: shown, mandate },
            4 => shown = self.card(step[1].wrapping_add(1)).0,
            _ => {}
        }
        m.debit = match step[5] % 20 {
            5 => Citation::Mandate(mandate),
            _ => Citation::Medium { medium: shown, mandate },
        };
        let signers = vec![takes(to), terminal(to)];
        if step[5] % 20 == 6 {
            let deadline = world.now.plus(DAY);
            return (Operation::Propose(Propose { movement: m, deadline }), signers, None);
        }
        (Operation::Transfer(m), signers, None)
    }

    fn enrol(&self, world: &World, step: &Step) -> Made {
        let holder = pick(&HOLDERS, step[1]).unwrap();
        let registrar = if step[2].is_multiple_of(16) { "issuer" } else { "registrar" };
        let per_use = pick(&[500, 20_000, 1_000, 0], step[3] % 7).unwrap();
        let mut debit = terms(Direction::Debit, per_use);
        debit.instruments = vec![instrument("MEBUKU"), instrument("POINT")];
        debit.per_day = (!step[4].is_multiple_of(16)).then_some(Amount(2 * per_use));
        debit.until = (step[4] % 16 != 1).then_some(world.now.plus(9 * DAY));
        if step[4] % 16 < 8 {
            debit.counterparty = Counterparty::Kind(PartyKind::Merchant);
        }
        let mut credit = MandateTerms { per_use: Amount(20_000), ..debit.clone() };
        credit.direction = Direction::Credit;
        credit.per_day = None;
        credit.counterparty = Counterparty::Any;
        match step[2] / 16 % 16 {
            0 => credit.direction = Direction::Debit,
            1 => credit.instruments.reverse(),
            2 => credit.instruments.push(instrument("ZZZ")),
            _ => {}
        }
        let parts = step[2] / 256 % 8;
        let name = format!("card {}", step[5] % 40);
        let op = EnrolMedium {
            medium: medium(&name),
            party: id(holder),
            registrar: id(registrar),
            debit: (parts > 1).then_some(debit),
            credit: (parts > 0).then_some(credit),
            evidence: document("application"),
        };
        let mut signers = vec![officer("registrar", "r1"), officer("registrar", "r2")];
        let has_keys = !self.ring.of(world, holder, &[KeyStatus::Active]).is_empty();
        if has_keys && !step[5].is_multiple_of(4) {
            signers.push(own(holder));
        }
        (Operation::EnrolMedium(op), signers, None)
    }
}
