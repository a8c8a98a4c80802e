use proptest::prelude::*;

use crate::tlog::base64::{Base64Error, decode, encode};

#[test]
fn rfc_4648_vectors() {
    let vectors = [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ];
    for (plain, encoded) in vectors {
        assert_eq!(encode(plain.as_bytes()), encoded);
        assert_eq!(decode(encoded).unwrap(), plain.as_bytes());
    }
    assert_eq!(encode(&[0xfb, 0xff, 0xbf]), "+/+/");
}

#[test]
fn every_other_spelling_is_refused() {
    let refused = [
        "Zg", "Zg=", "Zg===", "Zm8", "Z===", "====", "=", "Zm9v=", "Zm9v====", "Zg==Zg==",
        "Zm8=Zm8=", "Zh==", "Zm9=", "Z=8=", "Zm=v", "=m9v", "Zm9v\n", " Zm9v", "Zm 9", "-_-_",
        "Zm9é",
    ];
    for text in refused {
        assert_eq!(decode(text), Err(Base64Error), "{text:?}");
    }
}

proptest! {
    #[test]
    fn round_trip(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn what_decodes_is_canonical(text in "[A-Za-d+/=]{0,12}") {
        if let Ok(bytes) = decode(&text) {
            prop_assert_eq!(encode(&bytes), text);
        }
    }
}
