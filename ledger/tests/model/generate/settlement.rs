//! Random settlements: shops and groups with claims, too much and too little, answered in parts.

use super::{issuer::officials, *};

impl Generator {
    pub(super) fn settlement(&self, world: &World, step: &Step) -> Made {
        let known = pick(&self.settlements, step[1]);
        if let (Some((settlement, count)), false) = (known, step[2].is_multiple_of(3)) {
            let first = u32::from(step[3]) % (count + 1);
            let lines = (first..count.max(1))
                .filter(|at| at % 2 == 0 || !step[4].is_multiple_of(3))
                .collect();
            let answer = match step[5] % 3 {
                0 => RedemptionAnswer::Returned { notice: document("n") },
                _ => RedemptionAnswer::Paid { payout: document("p") },
            };
            let op = AnswerSettlement { settlement, lines, answer };
            return (Operation::AnswerSettlement(op), vec![settles()], None);
        }
        let names = ["shop", "mart", "club", "alice", "operator", "partner"];
        let chosen = names.iter().enumerate().filter(|(at, _)| step[3] & (1 << at) != 0);
        let mut lines: Vec<SettleLine> = chosen
            .map(|(at, name)| {
                let claim = world.holds(name, pick(&MONEY, step[4]).unwrap(), Holding::Claim);
                let gross = match (step[5] >> at) % 4 {
                    0 => claim,
                    1 => claim / 2,
                    2 => claim.saturating_sub(30),
                    _ => 100,
                };
                SettleLine { merchant: id(name), gross: Amount(gross.max(1)) }
            })
            .collect();
        if !step[6].is_multiple_of(17) {
            lines.sort_by_key(|line| line.merchant);
        }
        let days = [8, 30, 12, 91][usize::from(step[1] % 4)];
        let op = Settle {
            instrument: instrument(pick(&MONEY, step[4]).unwrap()),
            cut_off: Time(world.now.0 + u64::from(step[6] % 13 / 12) * DAY),
            lines,
            deadline: world.now.plus(days * DAY),
            document: document("list"),
        };
        (Operation::Settle(op), officials(step[6] / 8), None)
    }
}
