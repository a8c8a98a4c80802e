//! Random holds and their answers.

use super::*;

impl Generator {
    pub(super) fn hold(&self, world: &World, step: &Step) -> Made {
        let latest = self.holds.len().saturating_sub(4);
        if let (0..=3, Some((waits, to))) = (step[5] % 8, pick(&self.holds[latest..], step[1])) {
            let reference = document(pick(&["one", "two", "three", "four"], step[3]).unwrap());
            let answer = match step[5] % 8 {
                3 => HoldAnswer::Returned { notice: reference },
                _ => HoldAnswer::Settled { reference },
            };
            let signers = match (to == id("issuer"), step[4] % 7) {
                (true, _) | (false, 0) => vec![settles()],
                (false, 1) => vec![credit("airline")],
                _ => vec![credit("airline"), settles()],
            };
            return (Operation::AnswerHold(AnswerHold { hold: waits, answer }), signers, None);
        }
        let from = pick(&["alice", "bob", "carol", "club", "shop"], step[1]).unwrap();
        let to = pick(&["airline", "issuer", "airline", "airline", "shop"], step[2]).unwrap();
        let (money, amount) = (pick(&MONEY, step[4]).unwrap(), pick(&AMOUNTS, step[3]).unwrap());
        let hours = [0, 2, 24, 5 * 24, 12 * 24, 91 * 24][usize::from(step[6] / 24 % 6)];
        let op = Hold {
            from: id(from),
            to: id(to),
            leg: legs(&[(money, amount)])[0],
            deadline: world.now.plus(hours * 3_600_000),
            order: document("order"),
        };
        (Operation::Hold(op), gives(from, step[5]), None)
    }
}

/// Somebody pays what they owe, or what they do not.
pub(super) fn repay(step: &Step) -> Made {
    let party = pick(&["shop", "mart", "alice", "shop", "bob", "club"], step[1]).unwrap();
    let (money, amount) = (pick(&MONEY, step[4]).unwrap(), pick(&AMOUNTS, step[3]).unwrap());
    let (by, signers) = match step[2] % 3 {
        0 => {
            let funding = document(pick(&["r1", "r2", "r3", "r4", "r5"], step[6] / 24).unwrap());
            (RepayBy::Outside { funding }, vec![settles()])
        }
        _ => (RepayBy::Wallet, gives(party, step[5])),
    };
    (
        Operation::Repay(Repay { party: id(party), leg: legs(&[(money, amount)])[0], by }),
        signers,
        None,
    )
}
