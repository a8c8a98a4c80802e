//! Lines about replicas, finality, proofs, statements and the drill.

use super::{Checked, Figures, PATIENCE, Seen, grouped, line, verdict};
use crate::{
    demo::{
        drill::Drill, finality::Finality, proofs::Proofs, replicas::Replicas,
        statements::Statements,
    },
    load::rank,
};

/// All of them.
pub(super) fn all(figures: &Figures, seen: &Seen) -> Vec<Checked> {
    let replicas = replicas(&seen.replicas);
    let others = [
        covered(&seen.finality),
        within(figures, &seen.finality),
        proofs(&seen.proofs),
        statements(&seen.statements),
        drill(&seen.drill, seen.nodes.len()),
    ];
    replicas.into_iter().chain(others).collect()
}

/// One line, if there are replicas.
fn replicas(seen: &Replicas) -> Option<Checked> {
    let Replicas { count, leaves, height, .. } = seen;
    let chain = match count {
        0 => return None,
        1 => "1".into(),
        _ => format!("{count}, each following the one before"),
    };
    let (leaves, height) = (grouped(*leaves), grouped(*height));
    let good = format!("{chain}: {leaves} leaves to block {height}, root and state");
    Some(verdict("replicas equal", good, seen.apart.clone()))
}

fn covered(finality: &Finality) -> Checked {
    let Finality { payments, covered, wrong, .. } = finality;
    let some = format!("{} of {}", grouped(*covered), grouped(*payments));
    let missing = (covered != payments || *payments == 0).then_some(some);
    let good = format!("all {}, on every node", grouped(*payments));
    verdict("final", good, wrong.clone().or(missing))
}

fn within(figures: &Figures, finality: &Finality) -> Checked {
    let (all, apart) = (&figures.final_ms.all, &figures.final_ms.apart_from_outage);
    let value = format!(
        "p50 {} ms, p99 {} ms; apart from the outage {} and {} ms",
        all.p50, all.p99, apart.p50, apart.p99
    );
    let timed = finality.all.len() as u64 == finality.payments;
    let some = !finality.all.is_empty() && !finality.apart.is_empty();
    line("final within", value, timed && some && rank(finality.all.clone(), 99) <= PATIENCE)
}

fn proofs(proofs: &Proofs) -> Checked {
    let Proofs { wanted, rejected, verified, moved, wrong } = proofs;
    let good = format!(
        "{}, {} of them of rejections, by a second implementation too; payer, payee and amount of {}",
        grouped(*verified),
        grouped(*rejected),
        grouped(*moved)
    );
    let some = format!("{} of {}", grouped(*verified), grouped(*wanted));
    // A sample without a rejection, or without a payment to compare, shows less than it says.
    let missing = (verified != wanted || *rejected == 0 || *moved == 0).then_some(some);
    verdict("proofs verified offline", good, wrong.clone().or(missing))
}

fn statements(statements: &Statements) -> Checked {
    let Statements { wanted, proven, lines, wrong } = statements;
    let some = format!("{proven} of {wanted}, {lines} lines");
    let missing = (proven != wanted || *lines == 0).then_some(some);
    verdict("statements proven", statements.words(), wrong.clone().or(missing))
}

fn drill(drill: &Drill, nodes: usize) -> Checked {
    let by: Vec<String> = drill.nodes.iter().map(u64::to_string).collect();
    let by = by.join(" and ");
    let size = grouped(drill.size);
    let ms = drill.took.as_millis();
    let good = format!(
        "node 3's key signs two roots of {size} leaves: nodes {by} can prove it after {ms} ms"
    );
    let few = (drill.nodes.len() + 1 != nodes)
        .then(|| format!("kept by {} of {nodes} nodes", drill.nodes.len()));
    verdict("evidence drill caught", good, drill.wrong.clone().or(few))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::tests::{figures, seen, wrong},
        *,
    };
    use crate::demo::report::share;

    fn holding() -> Seen {
        let wait = |ms| vec![Duration::from_millis(ms); 400];
        let finality =
            Finality { payments: 400, covered: 400, all: wait(50), apart: wait(40), wrong: None };
        let proofs = Proofs { wanted: 412, rejected: 12, verified: 412, moved: 300, wrong: None };
        let statements = Statements { wanted: 20, proven: 20, lines: 90, wrong: None };
        let nodes = vec![1, 2];
        let drill = Drill { nodes, took: Duration::from_secs(1), size: 9, wrong: None };
        Seen { finality, proofs, statements, drill, ..seen() }
    }

    /// Names of the lines that do not hold after a change.
    fn with(change: impl FnOnce(&mut Seen)) -> Vec<&'static str> {
        let mut seen = holding();
        change(&mut seen);
        wrong(&all(&figures(), &seen))
    }

    #[test]
    fn what_holds_holds() {
        assert!(with(|_| {}).is_empty());
        let lines = all(&figures(), &holding());
        assert_eq!(lines[0].value, "all 400, on every node");
        assert!(lines[1].value.contains("p50 30.0 ms, p99 60.0 ms"), "{}", lines[1].value);
        assert!(lines[4].value.contains("nodes 1 and 2 can prove it"), "{}", lines[4].value);
    }

    #[test]
    fn finality_is_of_all_payments_and_timed_for_each() {
        assert_eq!(with(|s| s.finality.covered = 399), ["final"]);
        assert_eq!(with(|s| s.finality.wrong = Some("node 1 lies".into())), ["final"]);
        assert_eq!(with(|s| s.finality.all.truncate(399)), ["final within"]);
        assert_eq!(with(|s| s.finality.apart.clear()), ["final within"]);
        let late = Duration::from_secs(61);
        assert_eq!(with(|s| s.finality.all[390..].fill(late)), ["final within"]);
        let nothing = with(|s| s.finality = Finality::default());
        assert_eq!(nothing, ["final", "final within"], "no payments are not all payments");
    }

    #[test]
    fn every_proof_and_statement_of_the_sample_counts() {
        let line = ["proofs verified offline"];
        assert_eq!(with(|s| s.proofs.verified -= 1), line);
        assert_eq!(with(|s| s.proofs.rejected = 0), line);
        assert_eq!(with(|s| s.proofs.moved = 0), line);
        assert_eq!(with(|s| s.proofs.wrong = Some("x".into())), line);
        assert_eq!(with(|s| s.statements.proven = 19), ["statements proven"]);
        assert_eq!(with(|s| s.statements.lines = 0), ["statements proven"]);
        assert_eq!(with(|s| s.statements.wrong = Some("x".into())), ["statements proven"]);
    }

    #[test]
    fn all_others_must_catch_the_liar() {
        let line = ["evidence drill caught"];
        assert_eq!(with(|s| s.drill.nodes.truncate(1)), line);
        assert_eq!(with(|s| s.drill.wrong = Some("node 1 accuses node 2".into())), line);
        assert_eq!(with(|s| s.drill = Drill::default()), line);
    }

    #[test]
    fn a_share_is_one_only_if_it_is_all() {
        assert_eq!(share(20_000, 20_000).to_string(), "1.0");
        assert_eq!(share(999_999, 1_000_000).to_string(), "0.9999");
        assert_eq!(share(0, 0).to_string(), "0.0");
    }

    #[test]
    fn replicas_are_a_line_where_there_are_any() {
        assert!(replicas(&Replicas::default()).is_none());
        let equal = Replicas { count: 2, leaves: 1_234, height: 56, apart: None };
        let line = replicas(&equal).expect("there are some");
        assert!(line.ok, "{}", line.value);
        assert!(line.value.starts_with("2, each following the one before: "), "{}", line.value);
        let apart = Replicas { apart: Some("replica 2: another root".into()), ..equal };
        let line = replicas(&apart).expect("there are some");
        assert_eq!((line.ok, &*line.value), (false, "replica 2: another root"));
    }
}
