//! One payment signed on two devices that share nothing but a QR code. Needs no network: the result
//! is what would be submitted.

use std::error::Error;

use musubi_sdk::{
    Amount, ChainId, Composer, Glossary, HalfSigned, Leg, PartyKind, Slot, Time, entropy,
    image::QrImage,
};

fn main() -> Result<(), Box<dyn Error>> {
    let (payer, payers_key) = (entropy::party_id(), entropy::secret_key());
    let (payee, payees_key) = (entropy::party_id(), entropy::secret_key());

    // The payer's phone composes, signs, and shows a code.
    let composer = Composer::new(ChainId([0; 32]), Time(1_795_359_600_000));
    let leg = Leg { instrument: "MONEY".parse()?, amount: Amount(500) };
    let draft = composer.pay(payer, payee, &[leg]);
    let shown = draft.sign(Slot::payer(payer), &payers_key).to_qr_text()?;
    println!("{}", QrImage::new(&shown)?.to_terminal());

    // The payee's phone scans it, reads what it does, and completes it.
    let scanned: HalfSigned = shown.parse()?;
    for line in scanned.describe(&Glossary::default()) {
        println!("{line}");
    }
    let kind = |_: &_| Some(PartyKind::Person);
    for wanted in scanned.missing(&kind) {
        println!("Still missing: {:?} as {:?}", wanted.side, wanted.roles);
    }
    let complete = scanned.sign(Slot::payee(payee), &payees_key)?;
    assert!(complete.missing(&kind).is_empty(), "both sides signed");
    println!("{} bytes to submit", complete.complete().encode().len());
    Ok(())
}
