#![allow(clippy::unwrap_used)]

use super::*;

const FIRST: Anchors = Anchors { driven: Time(1_000_000), machine: Time(5_000) };

/// A clock on a folder of its own.
fn begun() -> (tempfile::TempDir, DrivenTime) {
    let data = tempfile::tempdir().unwrap();
    write(data.path(), FIRST).unwrap();
    let clock = DrivenTime::open(data.path()).unwrap();
    (data, clock)
}

fn names(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn it_runs_with_the_machines_clock_and_stands_before_its_anchor() {
    assert_eq!(FIRST.at(Time(5_000)), Time(1_000_000));
    assert_eq!(FIRST.at(Time(5_250)), Time(1_000_250));
    assert_eq!(FIRST.at(Time(4_000)), Time(1_000_000), "set back, it waits");
    assert_eq!(FIRST.at(Time(u64::MAX)), Time(u64::MAX), "no clock overflows");
}

#[test]
fn it_is_set_forward_alone() {
    let (_data, clock) = begun();
    assert_eq!(clock.set_at(Time(2_000_000), Time(6_000)).unwrap(), Time(2_000_000));
    assert_eq!(clock.at(Time(6_100)), Time(2_000_100));
    for past in [0, 1_500_000, 2_000_099] {
        let refused = clock.set_at(Time(past), Time(6_100));
        assert!(
            matches!(refused, Err(DriveError::Past { to, now: Time(2_000_100) }) if to == Time(past)),
            "{refused:?}"
        );
    }
    assert!(matches!(clock.set_at(Time(u64::MAX), Time(6_100)), Err(DriveError::TooFar)));
    assert_eq!(clock.at(Time(6_200)), Time(2_000_200), "a refusal changes nothing");
    assert!(clock.set_at(Time(2_000_200), Time(6_200)).is_ok(), "the same moment is no step back");
    assert!(clock.set_at(latest(), Time(6_300)).is_ok());
}

#[test]
fn a_node_that_starts_again_goes_on_where_it_was() {
    let (data, clock) = begun();
    clock.set_at(Time(2_000_000), Time(6_000)).unwrap();
    let again = DrivenTime::open(data.path()).unwrap();
    assert_eq!(again.at(Time(6_100)), clock.at(Time(6_100)));
    assert_eq!(again.at(Time(9_000)), Time(2_003_000), "it ran while the node did not");
}

#[test]
fn a_crash_while_it_is_set_leaves_the_old_time_or_the_new() {
    let (data, clock) = begun();
    let draft = data.path().join(format!(".{FILE}.new"));
    // Right behind the draft, whole or half: nobody was told, and the old anchors stand.
    for left in [&b"{\"driven\":2000000,\"machine\":6000}"[..], b"{\"dri", b""] {
        std::fs::write(&draft, left).unwrap();
        let again = DrivenTime::open(data.path()).unwrap();
        assert_eq!(again.at(Time(5_000)), FIRST.driven);
    }
    // What was left does not stand in the way, and does not stay.
    clock.set_at(Time(3_000_000), Time(6_000)).unwrap();
    assert_eq!(names(data.path()), [FILE]);
    assert_eq!(DrivenTime::open(data.path()).unwrap().at(Time(6_000)), Time(3_000_000));
}

#[test]
fn what_cannot_be_kept_is_not_set() {
    let (data, clock) = begun();
    std::fs::remove_dir_all(data.path()).unwrap();
    let refused = clock.set_at(Time(2_000_000), Time(6_000));
    assert!(matches!(refused, Err(DriveError::Io(_))), "{refused:?}");
    assert_eq!(clock.at(Time(6_000)), Time(1_001_000), "it goes on as before");
}

#[test]
fn without_a_sound_file_it_says_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let refused = |text: Option<&str>| {
        if let Some(text) = text {
            std::fs::write(data.path().join(FILE), text).unwrap();
        }
        format!("{:#}", DrivenTime::open(data.path()).unwrap_err())
    };
    let absent = refused(None);
    assert!(absent.contains("is not there") && absent.contains("musubi-testnet"), "{absent}");
    for damaged in
        ["", "{}", "{\"driven\":1,\"machine\":1,\"more\":1}", "{\"driven\":1,\"machine\":1} 2"]
    {
        assert!(refused(Some(damaged)).contains("is damaged"), "{damaged}");
    }
    let ahead = clock::machine().plus(3_600_000);
    let ahead = format!("{{\"driven\":1,\"machine\":{}}}", ahead.0);
    assert!(refused(Some(&ahead)).contains("one of them is wrong"), "{ahead}");
}

#[test]
fn a_real_chains_clock_is_the_machines() {
    let clock = crate::clock::Clock::of_machine();
    assert!(clock.driven().is_none());
    let before = clock::machine();
    let now = clock.now();
    assert!(before <= now && now <= clock::machine());
}
