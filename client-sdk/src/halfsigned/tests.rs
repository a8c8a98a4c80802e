#![allow(clippy::unwrap_used)]
use musubi_ledger::{
    amount::Amount,
    api::Info,
    id::ChainId,
    operation::{Citation, Leg},
    time::Time,
    transaction::{Purpose, Role, Side},
};

use super::*;
use crate::{draft::Composer, entropy, image::QrImage};

const PAYER: PartyId = PartyId([1; 16]);
const PAYEE: PartyId = PartyId([2; 16]);

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32])
}

fn composer() -> Composer {
    let info = Info {
        chain: ChainId([9; 32]),
        origin: "musubi.example/1".into(),
        scheme: "maebashi".into(),
        node: 1,
        leader: None,
        term: 1,
        height: 5,
        time: Time(1_795_359_600_000),
        size: 12,
        final_size: 0,
        rules_version: 1,
        version: String::new(),
        replica: None,
    };
    Composer::from_info(&info)
}

fn payment() -> HalfSigned {
    let instrument = "MEBUKU".parse().unwrap();
    let leg = Leg { instrument, amount: Amount(12_800) };
    let draft = composer().pay(PAYER, PAYEE, &[leg]);
    draft.purpose(Purpose::PURCHASE).sign(Slot::payer(PAYER), &key(1))
}

fn nobody(_: &PartyId) -> Option<PartyKind> {
    None
}

fn person(_: &PartyId) -> Option<PartyKind> {
    Some(PartyKind::Person)
}

#[test]
fn two_devices_complete_one_payment() {
    let first = payment();
    let text = first.to_qr_text().unwrap();
    assert!(QrImage::new(&text).is_ok());
    let received: HalfSigned = text.parse().unwrap();
    assert_eq!(received, first);
    let wanted = received.missing(&person);
    assert_eq!(wanted.len(), 1);
    assert_eq!(
        (wanted[0].side, wanted[0].party, wanted[0].count),
        (Some(Side::Credit), Some(PAYEE), 1)
    );
    let complete = received.sign(Slot::payee(PAYEE), &key(2)).unwrap();
    assert!(complete.missing(&person).is_empty());
    assert!(complete.missing(&nobody).is_empty());
    assert_eq!(complete.id(), first.id());
    assert_eq!(complete.complete().signatures.len(), 2);
}

#[test]
fn copies_that_went_different_ways_are_merged() {
    let body = payment().body().clone();
    let ours = HalfSigned::new(body.clone()).sign(Slot::payer(PAYER), &key(1));
    let theirs = HalfSigned::new(body).sign(Slot::payee(PAYEE), &key(2));
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    let one = ours.clone().merge(theirs.clone()).unwrap();
    assert_eq!(one, theirs.clone().merge(ours.clone()).unwrap());
    assert_eq!(one.clone().merge(ours).unwrap(), one);
    let other = payment();
    assert_eq!(theirs.merge(other).unwrap_err().code(), "other_body");
}

#[test]
fn one_changed_character_is_always_caught() {
    let text = payment().to_string();
    for position in TEXT_PREFIX.len()..text.len() {
        let old = &text[position..=position];
        let new = if old == "A" { "B" } else { "A" };
        let mut changed = text.clone();
        changed.replace_range(position..=position, new);
        assert!(changed.parse::<HalfSigned>().is_err(), "character {position}");
    }
    let code = |text: &str| text.parse::<HalfSigned>().unwrap_err().code();
    assert_eq!(code(&text[..text.len() - 8]), "damaged_transaction_text");
    assert_eq!(code(&text.replace('A', "!")), "damaged_transaction_text");
    assert_eq!(code("MUSUBI:X"), "not_a_transaction_text");
    assert_eq!(code(""), "not_a_transaction_text");
    assert_eq!(code("MUSUBI1:"), "damaged_transaction_text");
}

#[test]
fn files_of_either_form_are_read_and_rubbish_is_refused() {
    let half = payment();
    assert_eq!(HalfSigned::read(&half.encode()), Ok(half.clone()));
    let wrapped: String = half
        .to_string()
        .as_bytes()
        .chunks(60)
        .map(|line| format!(" {}\r\n", str::from_utf8(line).unwrap()))
        .collect();
    assert_eq!(HalfSigned::read(wrapped.as_bytes()), Ok(half.clone()));
    let mut longer = half.encode();
    longer.push(0);
    for rubbish in [&b""[..], b"\x01", b"hello", &longer, &[0xff; 900]] {
        assert_eq!(HalfSigned::read(rubbish).unwrap_err().code(), "not_a_transaction");
    }
}

#[test]
fn nobody_signs_beside_a_forged_signature() {
    let mut transaction = payment().complete();
    transaction.signatures[0].bytes.0[9] ^= 1;
    let error = HalfSigned::decode(&transaction.encode()).unwrap_err();
    assert_eq!(error.code(), "bad_signature");
    assert!(error.to_string().contains(&key(1).public().to_string()));
}

#[test]
fn a_group_still_wants_its_approver() {
    let drafted = composer().pay(PAYER, PAYEE, &[]).sign(Slot::drafter(PAYER), &key(3));
    // The drafter's signature alone tells that the payer is a group.
    let wanted = drafted.missing(&nobody);
    let roles: Vec<_> = wanted.iter().map(|w| w.roles.as_slice()).collect();
    assert_eq!(roles, [&[Role::Approver][..], &[]]);
    let approved = drafted.sign(Slot::approver(PAYER), &key(4)).unwrap();
    assert_eq!(approved.missing(&nobody).len(), 1);
}

/// And a group with two of its persons; a shop has one key.
#[test]
fn an_office_stands_by_a_report_with_two_officers() {
    use musubi_ledger::document::{DocumentKind, Report, ReportKind};
    let day = musubi_ledger::time::Day(20_000);
    let report = Report {
        what: ReportKind::Unused,
        from: Some(musubi_ledger::time::Day(19_970)),
        to: day,
        height: 4,
        size: 11,
        root: musubi_ledger::id::MerkleHash([7; 32]),
    };
    let op = musubi_ledger::operation::IssueDocument {
        issuer: PAYER,
        number: "U-1".parse().unwrap(),
        addressee: None,
        body: entropy_hash(),
        replaces: None,
        kind: DocumentKind::Report(report),
    };
    let half = composer().issue_document(PAYER, op).half_signed();
    for (kind, role, count) in [
        (PartyKind::Issuer, Role::Officer, 2),
        (PartyKind::Group, Role::Drafter, 2),
        (PartyKind::Merchant, Role::Holder, 1),
    ] {
        let [wanted] = &half.missing(&|_| Some(kind))[..] else { panic!("one slot of {kind:?}") };
        assert_eq!((wanted.roles[0], wanted.count), (role, count), "{kind:?}");
    }
    let words = half.describe(&Glossary::default()).join("\n");
    for said in
        ["基準日未使用残高報告", "About 2024-09-04 to 2024-10-04", "block 4: 11 leaves, root 0707"]
    {
        assert!(words.contains(said), "{said}: {words}");
    }
}

#[test]
fn new_keys_prove_themselves() {
    let (old, new) = (key(5), key(6));
    let draft = composer().rotate_key(PAYER, old.public(), new.public());
    let half = draft.sign(Slot::holder(PAYER), &old);
    let wanted = half.missing(&person);
    assert_eq!(wanted.len(), 1);
    assert_eq!(wanted[0].key, Some(new.public()));
    let half = half.sign(Slot::holder(PAYER), &new).unwrap();
    assert!(half.missing(&person).is_empty());
}

#[test]
fn seventeen_signatures_are_too_many() {
    let mut half = payment();
    for seed in 20..35 {
        half = half.sign(Slot::payee(PAYEE), &key(seed)).unwrap();
    }
    let error = half.sign(Slot::payee(PAYEE), &key(99)).unwrap_err();
    assert_eq!(error.code(), "too_many_signatures");
}

#[test]
fn what_is_signed_is_said_in_words() {
    let mut glossary = Glossary::default();
    glossary.names.insert(PAYEE, "Tamura Bakery".into());
    glossary.decimals.insert("MEBUKU".parse().unwrap(), 1);
    let half = payment();
    let lines = half.describe(&glossary);
    // Places are somebody's word: what is signed is the number of smallest units.
    assert_eq!(lines[0], "Pay 1,280.0 MEBUKU (12,800 of its smallest unit)");
    assert_eq!(lines[1], format!("From {PAYER}"));
    assert_eq!(lines[2], format!("To Tamura Bakery ({PAYEE})"));
    assert!(lines.contains(&"For: purchase".to_owned()));
    assert!(lines.contains(&format!("Reference {}", half.body().reference)), "{lines:?}");
    assert!(lines.contains(&format!("Transaction {}", half.id())));
    let until = "Valid until 2026-11-23T01:00:00.000+09:00".to_owned();
    assert!(lines.contains(&until), "{lines:?}");
}

#[test]
fn a_top_up_tells_its_instrument_and_campaign() {
    let allowance = TxId([5; 32]);
    let funding = crate::draft::Funding {
        allowance,
        issuer: PAYEE,
        origin: musubi_ledger::lot::OriginKind::Free,
        funder: PAYEE,
        campaign: 2_026,
        payment: entropy_hash(),
    };
    let draft = composer().top_up(PAYER, Amount(5_000), funding, Citation::Live);
    let half = draft.half_signed();
    let mut glossary = Glossary::default();
    let text = half.describe(&glossary).join("\n");
    let blind = format!("Top up 5,000 units of its allowance's instrument for {PAYER}");
    assert!(text.contains(&blind), "{text}");
    assert!(text.contains("in campaign 2026"), "{text}");
    glossary.allowed.insert(allowance, "MEBUKU".parse().unwrap());
    let text = half.describe(&glossary).join("\n");
    assert!(text.contains(&format!("Top up 5,000 MEBUKU for {PAYER}")), "{text}");
}

#[test]
fn a_decision_is_shown_with_the_body_that_it_is_about() {
    let legs = [Leg { instrument: "MEBUKU".parse().unwrap(), amount: Amount(3_000) }];
    let proposal = composer().propose_payout(PAYER, PAYER, PAYEE, &legs, Time(2_000));
    let proposal = proposal.half_signed();
    let decide = composer().consent(PAYEE, proposal.id()).half_signed();
    assert_eq!(describe::cited(&decide.body().operation), Some(proposal.id()));
    assert_eq!(describe::cited(&proposal.body().operation), None);
    let lines = describe::cited_body(proposal.body(), &Glossary::default());
    assert_eq!(lines[0], format!("Transaction {}:", proposal.id()));
    assert_eq!(lines[1], "  Propose to pay 3,000 MEBUKU");
    let refund = composer().refund(PAYEE, payment().id(), &legs).half_signed();
    assert!(describe::cited(&refund.body().operation).is_some());
}

#[test]
fn nothing_that_is_signed_is_left_out_of_a_mandate() {
    let leg = Leg { instrument: "MEBUKU".parse().unwrap(), amount: Amount(5_000) };
    let mut terms = composer().standing_acceptance(&[leg], None);
    terms.total = Some(Amount(70_000));
    terms.staff = vec![PAYER];
    let draft = composer().grant_mandate(PAYEE, PAYEE, terms);
    let text = draft.half_signed().describe(&Glossary::default()).join("\n");
    for part in
        ["receive MEBUKU", "anyone", "at most 5,000", "at most 70,000", "until it is revoked"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(text.contains(&PAYER.to_string()));
    let draft = composer().freeze(PAYER, PAYEE, entropy_hash());
    let text = draft.half_signed().describe(&Glossary::default()).join("\n");
    assert!(text.contains("Freeze") && text.contains("evidence"), "{text}");
}

fn entropy_hash() -> musubi_ledger::id::DocumentHash {
    musubi_ledger::id::DocumentHash(entropy::bytes())
}
