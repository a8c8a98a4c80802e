//! Random runs: opened, brought in pieces of every size, in any order, again and again, and ended.

use musubi_ledger::{
    id::MerkleHash,
    operation::{EndRun, Import, OpenRun},
    run::plan::RunPlan,
};

use super::{issuer::officials, *};

impl Generator {
    pub(super) fn run(&self, world: &World, step: &Step) -> Made {
        match step[1] % 8 {
            0 | 1 => open(world, step),
            2 if step[2].is_multiple_of(3) => self.end(step),
            _ => self.bring(step),
        }
    }

    fn end(&self, step: &Step) -> Made {
        let run = pick(&self.runs, step[3]).map_or(TxId([0; 32]), |run| run.0);
        let signers = match step[4] % 4 {
            0 => vec![debit("shop")],
            1 => vec![debit("mart")],
            _ => vec![officer("issuer", pick(&["i1", "i2", "both", "c1"], step[5]).unwrap())],
        };
        (Operation::EndRun(EndRun { run }), signers, None)
    }

    fn bring(&self, step: &Step) -> Made {
        let signers = vec![decides(pick(&PARTIES, step[4]).unwrap())];
        let (run, list) = pick(&self.runs, step[3]).unwrap_or((TxId([0; 32]), 0));
        let plan = RunPlan::new(lists().swap_remove(list)).unwrap();
        let level = u8::try_from([6, 6, 6, 5, 3, 1, 0, 4][usize::from(step[2] % 8)]).unwrap();
        let parts = plan.count().div_ceil(1 << level);
        let mut chunk = plan.chunk(run, level, u32::from(step[5]) % parts).unwrap();
        match step[2] / 8 % 24 {
            0 => chunk.place += 1,
            1 => chunk.lines[0].amount = Amount(5_000),
            2 => chunk.proof.push(MerkleHash([3; 32])),
            3 => chunk.lines.truncate(chunk.lines.len() - 1),
            4 => chunk.level = 9,
            5 => chunk.proof = vec![MerkleHash([3; 32]); 18],
            _ => {}
        }
        (Operation::RunChunk(chunk), signers, None)
    }
}

/// The list of a root.
pub(super) fn list_of(root: &MerkleHash) -> usize {
    let mut plans = lists().into_iter().map(|lines| RunPlan::new(lines).unwrap().root());
    plans.position(|known| known == *root).unwrap()
}

fn open(world: &World, step: &Step) -> Made {
    let list = usize::from(step[2] % 6).min(4);
    let plan = RunPlan::new(lists().swap_remove(list)).unwrap();
    let of = pick(&["POINT", "COIN", "MEBUKU", "GIFT", "VOUCHER", "NONE"], step[3]).unwrap();
    let mut signers = officials(step[4]);
    let mut op = OpenRun { ..manifest(of, &plan, world.now.plus(u64::from(step[5] % 20) * DAY)) };
    if list > 2 || (step[2] / 8).is_multiple_of(16) {
        op = take_over(op, step);
    }
    match step[3] / 8 % 12 {
        0 => {
            signers.push(debit("shop"));
            op.funder = id("shop");
        }
        1 => {
            signers.extend([drafts("club", "alice"), approves("club", "bob")]);
            op.funder = id("club");
        }
        2 => op.funder = id("alice"),
        3 => op.funder = id("mart"),
        4 => op.total = Amount(1_200),
        5 => op.total = Amount(0),
        6 => op.origin = OriginKind::Paid,
        7 => op.origin = OriginKind::Free,
        _ => {}
    }
    (Operation::OpenRun(op), signers, None)
}

/// As an import, most often of paid value, by one of a few papers.
fn take_over(op: OpenRun, step: &Step) -> OpenRun {
    let paper = format!("handover {}", step[6] % 7);
    let import = Some(Import { handover: document(&paper), owed: step[6].is_multiple_of(3) });
    let origins = [OriginKind::Paid, OriginKind::Paid, OriginKind::Grant, OriginKind::Free];
    OpenRun { import, origin: pick(&origins, step[7]).unwrap(), ..op }
}
