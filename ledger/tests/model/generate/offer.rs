//! Random offers, rights to them, codes, and those who take.

use musubi_ledger::{
    offer::{Access, Gift, GivenBy, Gives, OfferTerms, Set, draw::Lottery, entitlement_id},
    predicate::Predicate,
    rule::cap::{Period, Scope},
};

use super::{issuer::officials, *};

const REFERENCES: [&str; 5] = ["birth 1", "birth 2", "marriage", "move", "birth 3"];
pub(super) const CODES: [&str; 3] = ["ONE", "TWO", "THREE"];

fn put(world: &World, step: &Step) -> Made {
    let money = |choice| pick(&["POINT", "MEBUKU", "GIFT", "VOUCHER", "COIN"], choice).unwrap();
    let amount = pick(&[500, 20, 1_000, 0], step[3] % 9).unwrap();
    let mut parts = vec![part(money(step[2]), amount)];
    if step[3].is_multiple_of(5) {
        parts.push(Part { origin: OriginKind::Free, ..part(money(step[2] / 8), 100) });
        parts.sort_by_key(|part| (part.instrument, part.origin));
    }
    let mut signers = officials(step[4] / 8);
    let funder = match step[4] % 8 {
        0 => {
            signers.push(debit("shop"));
            "shop"
        }
        1 => {
            signers.extend([drafts("club", "alice"), approves("club", "bob")]);
            "club"
        }
        _ => "issuer",
    };
    let gives = match step[6] / 8 % 6 {
        4 | 5 => super::coupon::coupon(step, money(step[2]), &mut signers),
        0 => {
            signers.push(officer("city", "c1"));
            let yen = amount + u64::from(step[1].is_multiple_of(9));
            let bought = [premium(money(step[2]), 30), paid(money(step[2]), amount)];
            funded(sold(yen, &bought), funder)
        }
        1 => funded(exchanged("POINT", 40, &[premium(money(step[2]), amount)]), funder),
        _ => Gives::Gift(Gift { parts, funder: id(funder) }),
    };
    let giver = pick(&["registrar", "issuer", "registrar", "shop"], step[5] / 4).unwrap();
    let officers = u8::try_from(1 + step[5] / 16 % 2).unwrap();
    let access = match step[5] % 8 {
        4 | 6 => Access::Lottery(Lottery {
            closes: world.now.plus(u64::from(step[4] % 4) * DAY),
            tiers: vec![Predicate::is("resident", &["yes"])],
            ..lottery(world.now)
        }),
        0 => Access::Open,
        1 => Access::Code(code_key(pick(&CODES, step[6]).unwrap()).public()),
        _ => Access::Entitled(GivenBy { party: id(giver), officers }),
    };
    let caps = [
        units(Scope::Payer, Period::Ever, 3),
        units(Scope::Payer, Period::Day, 1),
        units(Scope::Household, Period::Month, 2),
    ];
    let caps = caps.into_iter().enumerate().filter(|(at, _)| step[1] & (1 << at) != 0);
    let terms = OfferTerms {
        issuer: id("issuer"),
        gives,
        who: (step[1] / 8).is_multiple_of(3).then(|| Predicate::is("resident", &["yes"])),
        access,
        stock: (!step[6].is_multiple_of(3)).then_some(2 + u32::from(step[6] % 5)),
        caps: caps.map(|cap| cap.1).collect(),
        from: if step[2].is_multiple_of(17) { world.now.plus(DAY) } else { Time(0) },
        until: world.now.plus(u64::from(step[2] % 60) * DAY),
        document: document("notice"),
    };
    (Operation::PutOffer(PutOffer { terms }), signers, None)
}

fn funded(gives: Gives, funder: &str) -> Gives {
    match gives {
        Gives::Set(set) => Gives::Set(Set { funder: id(funder), ..set }),
        other => other,
    }
}

impl Generator {
    pub(super) fn offer(&self, world: &World, step: &Step) -> Made {
        let known = pick(&self.offers, step[1] / 16).unwrap_or(TxId([5; 32]));
        match step[1] % 16 {
            0..=2 => put(world, step),
            3 => {
                let at = Time(world.now.0 + u64::from(step[2] % 9) * DAY);
                let mut signers = officials(step[4]);
                if step[3].is_multiple_of(4) {
                    signers = vec![debit("shop")];
                }
                (Operation::EndOffer(EndOffer { offer: known, at }), signers, None)
            }
            4..=7 => entitle_some(world, known, step),
            8 => {
                let entitlement =
                    entitlement_id(&known, &document(pick(&REFERENCES, step[2]).unwrap()).0);
                let signers = registrars(step[3]);
                (Operation::WithdrawEntitlement { entitlement }, signers, None)
            }
            9 | 10 => {
                let to = pick(&PARTIES, step[2]).unwrap();
                let op = applies_for(known, to, u32::from(step[3] % 4));
                (op, vec![decides(to)], None)
            }
            11 => {
                let name = if step[2].is_multiple_of(8) { "other" } else { "town" };
                (reveal(known, name), officials(step[4] / 8), None)
            }
            12 => {
                let last = pick(&self.applications, step[2]).unwrap_or(known);
                (count_draw(known, last), officials(step[4] / 8), None)
            }
            _ => self.take(known, step),
        }
    }

    fn take(&self, offer: TxId, step: &Step) -> Made {
        let to = pick(&PARTIES, step[2]).unwrap();
        let code = pick(&CODES, step[4]).unwrap();
        let mut signers = vec![takes(to)];
        let showing = match step[3] % 4 {
            0 => Showing::Nothing,
            1 => {
                signers.push(shows(to, code));
                Showing::Code(code_key(code).public())
            }
            2 if !self.applications.is_empty() => {
                Showing::Entitlement(pick(&self.applications, step[4]).unwrap())
            }
            _ => Showing::Entitlement(right_of(offer, pick(&REFERENCES, step[4]).unwrap())),
        };
        let units = pick(&[1, 1, 2, 1, 0], step[5]).unwrap();
        let mut credit = Citation::Live;
        if step[5].is_multiple_of(11) {
            credit = pick(&self.mandates, step[6]).map_or(Citation::Request, |found| {
                signers.remove(0);
                signers.push(own(to));
                Citation::Mandate(found.0)
            });
        }
        let payment = match step[6] / 16 % 8 {
            0 | 1 => {
                signers.push(issues());
                Payment::Outside(document(&format!("sale {}", step[6] % 64)))
            }
            2 | 3 => {
                signers.extend(gives(to, step[6]));
                Payment::Value
            }
            _ => Payment::Nothing,
        };
        let op = Take { offer, to: id(to), units, showing, payment, credit };
        (Operation::Take(op), signers, None)
    }
}

fn registrars(choice: u16) -> Vec<By> {
    match choice % 4 {
        0 => vec![officer("registrar", "r1")],
        1 => issuers().to_vec(),
        _ => vec![officer("registrar", "r1"), officer("registrar", "r2")],
    }
}

fn entitle_some(world: &World, offer: TxId, step: &Step) -> Made {
    let whom = |choice| pick(&PARTIES, choice).unwrap();
    let mut causes = vec![event(whom(step[2]), pick(&REFERENCES, step[3]).unwrap())];
    if step[4].is_multiple_of(3) {
        causes.push(by_code(pick(&CODES, step[5]).unwrap()));
    }
    let units = u32::from(step[6] % 3);
    let until = world.now.plus(u64::from(step[5] % 12) * DAY);
    (Operation::Entitle(Entitle { offer, causes, units, until }), registrars(step[3] / 8), None)
}
