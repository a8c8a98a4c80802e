#![allow(clippy::unwrap_used)]
use musubi_ledger::api::Verdict;

use super::*;

const EXPIRES: Time = Time(10_000);
const ID: TxId = TxId([1; 32]);
const SOON: Moment = Moment { elapsed_ms: 0, random: 7 };

fn attempts(nodes: usize) -> Attempts {
    Attempts::new((ID, EXPIRES), (0, nodes), true, Policy::default())
}

fn status(stage: Stage, node_time: u64) -> Answer {
    Answer::Status(Box::new(Status {
        id: ID,
        stage,
        verdict: Verdict::Pending,
        durability: None,
        code: None,
        detail: None,
        height: None,
        time: None,
        leaf: None,
        node_height: 1,
        node_time: Time(node_time),
    }))
}

fn refused(code: &str) -> Answer {
    Answer::Refused(Box::new(Problem {
        kind: format!("urn:musubi:problem:{code}"),
        title: code.into(),
        status: 422,
        code: code.into(),
        detail: String::new(),
        id: None,
    }))
}

fn busy() -> Answer {
    Answer::Busy { retry_after_ms: None, in_doubt: true }
}

/// Goes through waits without waiting.
fn next(attempts: &mut Attempts, answer: Answer) -> Step {
    match attempts.answered(answer, SOON) {
        Step::Wait { .. } => attempts.waited(),
        step => step,
    }
}

#[test]
fn a_verdict_ends_it() {
    for stage in [Stage::Judged, Stage::Void] {
        let mut attempts = attempts(1);
        assert_eq!(attempts.start(), Step::Send { node: 0 });
        let step = attempts.answered(status(stage, 5), SOON);
        assert!(matches!(step, Step::Done(Conclusion::Status(s)) if s.stage == stage));
    }
}

#[test]
fn acceptance_is_enough_only_where_it_was_asked_for() {
    let mut patient = attempts(2);
    let step = patient.answered(status(Stage::Pending, 5), SOON);
    assert!(matches!(step, Step::Wait { .. }));
    assert_eq!(patient.waited(), Step::Send { node: 0 });
    let mut hasty = Attempts::new((ID, EXPIRES), (0, 2), false, Policy::default());
    let step = hasty.answered(status(Stage::Pending, 5), SOON);
    assert!(matches!(step, Step::Done(Conclusion::Status(_))));
}

#[test]
fn a_lost_node_leads_to_the_next_at_once_and_to_a_wait_after_all() {
    let mut attempts = attempts(3);
    assert_eq!(attempts.answered(Answer::Lost, SOON), Step::Send { node: 1 });
    assert_eq!(attempts.answered(busy(), SOON), Step::Send { node: 2 });
    assert!(matches!(attempts.answered(Answer::Unreachable, SOON), Step::Wait { .. }));
    assert_eq!(attempts.waited(), Step::Send { node: 0 });
    assert!(attempts.in_doubt());
}

#[test]
fn a_first_refusal_is_an_answer_one_after_a_loss_is_not() {
    let mut fresh = attempts(2);
    let step = fresh.answered(refused("insufficient_funds"), SOON);
    assert!(matches!(step, Step::Done(Conclusion::Refused(_))));
    // The first copy may be on its way to being applied, which is why the second finds no funds.
    let mut doubting = attempts(2);
    assert_eq!(next(&mut doubting, Answer::Lost), Step::Send { node: 1 });
    assert_eq!(next(&mut doubting, refused("insufficient_funds")), Step::Send { node: 0 });
    let step = next(&mut doubting, status(Stage::Judged, 5));
    assert!(matches!(step, Step::Done(Conclusion::Status(_))));
}

#[test]
fn what_can_never_be_judged_is_refused_even_in_doubt() {
    for code in ["malformed", "wrong_chain", "bad_signature", "reference_taken"] {
        let mut attempts = attempts(2);
        assert_eq!(next(&mut attempts, Answer::Lost), Step::Send { node: 1 });
        let step = next(&mut attempts, refused(code));
        assert!(matches!(step, Step::Done(Conclusion::Refused(_))), "{code}");
    }
}

#[test]
fn silence_means_no_only_behind_the_expiry() {
    let mut attempts = attempts(1);
    assert_eq!(next(&mut attempts, Answer::Lost), Step::Send { node: 0 });
    let before = status(Stage::Unknown, EXPIRES.0 - 1);
    assert_eq!(next(&mut attempts, before), Step::Send { node: 0 });
    let step = next(&mut attempts, status(Stage::Unknown, EXPIRES.0));
    assert_eq!(step, Step::Done(Conclusion::NeverApplied { at: EXPIRES }));
}

#[test]
fn expired_at_the_door_is_asked_about_when_in_doubt() {
    let mut fresh = attempts(1);
    let step = fresh.answered(refused("expired"), SOON);
    assert!(matches!(step, Step::Done(Conclusion::Refused(_))));
    // In doubt: the status tells, in either direction.
    let mut doubting = attempts(2);
    assert_eq!(next(&mut doubting, Answer::Lost), Step::Send { node: 1 });
    assert_eq!(next(&mut doubting, refused("expired")), Step::Ask { node: 1 });
    let mut other = doubting.clone();
    let step = next(&mut doubting, status(Stage::Judged, 11_000));
    assert!(matches!(step, Step::Done(Conclusion::Status(_))));
    let step = next(&mut other, status(Stage::Unknown, 11_000));
    assert!(matches!(step, Step::Done(Conclusion::NeverApplied { .. })));
}

#[test]
fn without_a_reader_token_the_doors_word_decides() {
    let mut attempts = attempts(1);
    assert_eq!(next(&mut attempts, Answer::Lost), Step::Send { node: 0 });
    assert_eq!(next(&mut attempts, refused("expired")), Step::Ask { node: 0 });
    let step = next(&mut attempts, refused("unauthorized"));
    assert_eq!(step, Step::Done(Conclusion::NeverApplied { at: EXPIRES }));
}

#[test]
fn a_question_survives_lost_nodes() {
    let mut attempts = attempts(2);
    assert_eq!(next(&mut attempts, refused("already_judged")), Step::Ask { node: 0 });
    assert_eq!(next(&mut attempts, Answer::Lost), Step::Ask { node: 1 });
    assert!(!attempts.in_doubt(), "a lost question is no lost submission");
    assert_eq!(next(&mut attempts, busy()), Step::Ask { node: 0 });
    let step = next(&mut attempts, status(Stage::Judged, 5));
    assert!(matches!(step, Step::Done(Conclusion::Status(_))));
}

#[test]
fn nobody_there_is_said_soon_and_doubt_only_when_time_is_up() {
    let mut alone = attempts(2);
    let mut step = alone.start();
    let mut sent = 0;
    while !matches!(step, Step::Done(_)) {
        sent += 1;
        step = next(&mut alone, Answer::Unreachable);
    }
    assert_eq!(step, Step::Done(Conclusion::Unreachable));
    assert_eq!(sent, 2 * Policy::default().rounds_unreachable);
    // A node that is only busy is there: patience, not an error.
    let mut crowded = attempts(1);
    let full = Answer::Busy { retry_after_ms: None, in_doubt: false };
    for _ in 0..50 {
        assert_eq!(next(&mut crowded, full.clone()), Step::Send { node: 0 });
    }
    let mut doubting = attempts(1);
    for _ in 0..50 {
        assert_eq!(next(&mut doubting, Answer::Lost), Step::Send { node: 0 });
    }
    let late = Moment { elapsed_ms: 600_000, random: 0 };
    let step = doubting.answered(Answer::Lost, late);
    assert_eq!(step, Step::Done(Conclusion::InDoubt));
}

/// Somebody's stripped copy may have been ordered before ours, and its void told as ours.
#[test]
fn a_void_about_signatures_is_no_answer_until_it_repeats() {
    let void = |code| match status(Stage::Void, 5) {
        Answer::Status(status) => Answer::Status(Box::new(Status { code: Some(code), ..*status })),
        other => other,
    };
    for code in [Code::MissingConsent, Code::SenderNotSigner, Code::BadSignature] {
        let mut patient = attempts(1);
        for _ in 0..VOID_RESENDS {
            assert!(matches!(patient.answered(void(code), SOON), Step::Wait { .. }), "{code}");
            assert_eq!(patient.waited(), Step::Send { node: 0 });
        }
        let step = patient.answered(void(code), SOON);
        assert!(matches!(step, Step::Done(Conclusion::Status(s)) if s.code == Some(code)));
    }
    let mut overtaken = attempts(1);
    assert_eq!(next(&mut overtaken, void(Code::MissingConsent)), Step::Send { node: 0 });
    let step = next(&mut overtaken, status(Stage::Judged, 5));
    assert!(matches!(step, Step::Done(Conclusion::Status(s)) if s.stage == Stage::Judged));
    let late = Moment { elapsed_ms: 600_000, random: 0 };
    let step = attempts(1).answered(void(Code::MissingConsent), late);
    assert!(matches!(step, Step::Done(Conclusion::Status(_))), "no time is left to send again");
    let step = attempts(1).answered(void(Code::Malformed), SOON);
    assert!(matches!(step, Step::Done(Conclusion::Status(_))), "other voids stay what they are");
}

#[test]
fn a_key_that_a_node_does_not_know_yet_is_waited_for() {
    let mut fresh = attempts(2);
    assert_eq!(next(&mut fresh, refused("sender_not_signer")), Step::Send { node: 1 });
    let step = fresh.answered(refused("sender_not_signer"), SOON);
    assert!(matches!(step, Step::Wait { .. }), "both were asked: {step:?}");
    let mut known = fresh.clone();
    let step = next(&mut known, status(Stage::Judged, 5));
    assert!(matches!(step, Step::Done(Conclusion::Status(_))));
    let late = Moment { elapsed_ms: KEY_PATIENCE_MS, random: 0 };
    let step = fresh.answered(refused("sender_not_signer"), late);
    assert!(matches!(step, Step::Done(Conclusion::Refused(p)) if p.code == "sender_not_signer"));
}

#[test]
fn turned_away_until_time_is_up_is_busy_not_unreachable() {
    let full = Answer::Busy { retry_after_ms: None, in_doubt: false };
    let mut crowded = attempts(1);
    assert_eq!(next(&mut crowded, full.clone()), Step::Send { node: 0 });
    let late = Moment { elapsed_ms: 600_000, random: 0 };
    assert_eq!(crowded.answered(full, late), Step::Done(Conclusion::Busy));
    let mut unknown = attempts(1);
    let policy = Policy { give_up_ms: Some(0), ..Policy::default() };
    unknown.policy = policy;
    let step = unknown.answered(refused("sender_not_signer"), SOON);
    assert!(matches!(step, Step::Done(Conclusion::Refused(_))), "the refusal is the answer");
}

#[test]
fn waits_double_within_bounds_and_heed_the_node() {
    let mut attempts = attempts(1);
    let mut bound = Policy::default().wait_ms;
    for random in [0, 1, 99, u32::MAX, 12_345, 5, 6, 7, 8] {
        let moment = Moment { elapsed_ms: 0, random };
        let Step::Wait { ms } = attempts.answered(Answer::Lost, moment) else {
            panic!("one node that is lost is waited for");
        };
        assert!(ms >= bound / 2 && ms <= bound, "{ms} of {bound}");
        bound = (bound * 2).min(Policy::default().wait_ms_max);
    }
    let asked = Answer::Busy { retry_after_ms: Some(30_000), in_doubt: false };
    assert_eq!(attempts.answered(asked, SOON), Step::Wait { ms: 30_000 });
}
