#![allow(clippy::unwrap_used)]
use musubi_sdk::audit::{self, Options, Source};

use super::*;

#[tokio::test]
async fn a_short_year_is_a_record_that_the_audit_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let args = YearArgs {
        out: folder.path().join("record"),
        payments: 365 * 4,
        users: 100,
        shops: 10,
        days: 365,
        gather: 600,
        seed: 3,
        json: true,
    };
    let summary = write(&args, |_, _| {}).unwrap();
    let source = Source::directory(&args.out).unwrap();
    let report = audit::run(source, Options::default(), |_| {}).await.unwrap();
    assert_eq!(report.height, summary["blocks"].as_u64().unwrap());
    assert_eq!(report.size, summary["leaves"].as_u64().unwrap());
    assert_eq!(report.items, summary["items"].as_u64().unwrap());
    // Void for what only the state tells; what doors refuse reached no batch.
    let void: Vec<String> = report.void.keys().cloned().collect();
    assert_eq!(void, ["payee_approves"]);
    assert!(report.system > 0, "{report:?}");
    assert_eq!(report.validators.len(), 3);
    assert_eq!(report.final_checkpoint.unwrap().cosigned.len(), 3);
}
