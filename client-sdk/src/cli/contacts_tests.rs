#![allow(clippy::unwrap_used)]
use super::*;

fn contact(byte: u8) -> Contact {
    Contact::of(PartyId([byte; 16]))
}

#[test]
fn a_book_comes_back_from_its_file() {
    let home = tempfile::tempdir().unwrap();
    let mut book = Book::default();
    let officer = Contact {
        kind: Some(PartyKind::Person),
        public: Some(PublicKey([8; 32])),
        key: Some("keys/sato.pem".into()),
        officer_of: vec!["registrar".into()],
        ..contact(1)
    };
    book.add("sato", officer).unwrap();
    book.add("registrar", contact(2)).unwrap();
    book.remember("payout1", TxId([3; 32])).unwrap();
    let line = book.roster_line("taro").unwrap();
    assert_eq!(book.roster_line("taro").unwrap(), line, "a line is drawn once");
    book.save(home.path()).unwrap();
    let read = Book::load(home.path()).unwrap();
    assert_eq!(read, book);
    assert_eq!(read.offices(read.get("sato").unwrap()), [PartyId([2; 16])]);
    assert_eq!(read.transaction("payout1").unwrap(), TxId([3; 32]));
}

#[test]
fn parties_go_by_name_address_or_machine_form() {
    let scheme = SchemePrefix::new("maebashi").unwrap();
    let mut book = Book::default();
    book.add("花子", contact(1)).unwrap();
    let party = PartyId([1; 16]);
    for text in ["花子".into(), party.to_string(), scheme.address(party)] {
        assert_eq!(book.party(&text, Some(&scheme)).unwrap(), party);
    }
    let other = SchemePrefix::new("kiryu").unwrap().address(party);
    assert_eq!(book.party(&other, Some(&scheme)).unwrap_err().code, "bad_address");
    let error = book.party("taro", Some(&scheme)).unwrap_err();
    assert_eq!((error.code.as_str(), error.usage), ("unknown_name", true));
    assert_eq!(error.next.as_deref(), Some("known here: 花子"));
}

#[test]
fn a_name_is_given_once_and_is_what_one_types() {
    let mut book = Book::default();
    book.add("hanako", contact(1)).unwrap();
    book.add("hanako", contact(1)).unwrap();
    assert_eq!(book.add("hanako", contact(2)).unwrap_err().code, "name_taken");
    for bad in ["", "a b", "-x", "a:b", "../x", &"x".repeat(41)] {
        assert_eq!(book.add(bad, contact(3)).unwrap_err().code, "bad_name", "{bad}");
    }
}

#[test]
fn a_party_with_several_names_goes_by_the_shortest() {
    let mut book = Book::default();
    book.add("issuer-auto", contact(1)).unwrap();
    book.add("issuer", contact(1)).unwrap();
    assert_eq!(book.name_of(&PartyId([1; 16])), Some("issuer"));
    assert_eq!(book.name_of(&PartyId([2; 16])), None);
}
