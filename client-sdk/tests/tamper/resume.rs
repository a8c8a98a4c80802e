//! An audit that goes on where it stood, and believes neither a changed point nor a changed past.

use std::{fs, num::NonZero, path::Path};

use musubi_sdk::audit::{Options, Part, Report, Resume};

use crate::{
    audit,
    common::town::{ALICE, BOB, a_day},
    findings,
    record::Record,
};

fn resuming(record: &Record, file: &Path) -> Options {
    let every = NonZero::new(4).unwrap();
    Options { resume: Some(Resume { file: file.into(), every }), ..record.options() }
}

#[tokio::test]
async fn an_audit_goes_on_where_it_stood() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit/resume");
    let mut record = Record::of(a_day());
    let first = audit(&record, resuming(&record, &file)).await.unwrap();
    assert_eq!(first.resumed, None);
    // The log grows; what was executed is not executed again, and the report is that of all of it.
    let pay = record.town.pay(BOB, ALICE, 7).encode();
    record.town.block(vec![pay]);
    record.town.block(Vec::new());
    let record = Record::of(record.town);
    let whole = audit(&record, record.options()).await.unwrap();
    let second = audit(&record, resuming(&record, &file)).await.unwrap();
    assert_eq!(second.resumed, Some(first.height));
    assert_eq!(Report { resumed: None, ..second }, whole);
    // And once more with nothing new.
    let third = audit(&record, resuming(&record, &file)).await.unwrap();
    assert_eq!(third.resumed, Some(whole.height));
}

#[tokio::test]
async fn neither_a_changed_resume_point_nor_a_changed_past_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("resume");
    let record = Record::of(a_day());
    audit(&record, resuming(&record, &file)).await.unwrap();
    let good = fs::read(&file).unwrap();
    let step = (good.len() / 200).max(1);
    for at in (0..good.len()).step_by(step) {
        let mut changed = good.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&file, changed).unwrap();
        let found = findings(audit(&record, resuming(&record, &file)).await);
        let what = (found.first.part, found.first.fault.code());
        assert_eq!(what, (Part::Resume, "bad_resume_point"), "byte {at}: {found}");
    }
    fs::write(&file, &good).unwrap();
    let past: [fn(&mut Record); 5] = [
        |r| r.unsigned(2, |b| drop(b.items.pop())),
        |r| r.seal(2, |s| s.items += 1),
        |r| r.leaf(4, |l| l.outcome[0] ^= 1),
        |r| {
            r.leaves.remove(4);
        },
        |r| r.cut(3),
    ];
    for change in past {
        let mut record = Record::of(a_day());
        // One day is as another but for its salts: the point is of this very one.
        audit(&record, resuming(&record, &folder.path().join("own"))).await.unwrap();
        change(&mut record);
        let found = findings(audit(&record, resuming(&record, &folder.path().join("own"))).await);
        assert_eq!(found.first.part, Part::Resume, "{found}");
        fs::remove_file(folder.path().join("own")).unwrap();
    }
}
