//! A payment at a shop's printed code: the payer alone signs, the shop consented in advance.
//!
//! `cargo run --example pay -- http://127.0.0.1:7001 KEY.pem PASSPHRASE party1… 'MUSUBI:…' 1280 MONEY`

use std::{env, error::Error, path::Path};

use musubi_sdk::{
    Client, ClientConfig, Composer, Glossary, Leg, PartyId, SchemePrefix, ShopCode, Slot, Wait,
    keystore, short_code,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [node, key, passphrase, payer, code, amount, instrument] = arguments.as_slice() else {
        return Err("usage: pay NODE KEY_FILE PASSPHRASE PAYER SHOP_CODE AMOUNT INSTRUMENT".into());
    };
    let client = Client::new(ClientConfig::new([node.as_str()]))?;
    let info = client.info().await?;
    let scheme = SchemePrefix::new(&info.scheme)?;
    let payer: PartyId = scheme.party(payer)?;
    let shop = ShopCode::parse(code, &scheme)?;
    let leg = Leg { instrument: instrument.parse()?, amount: amount.parse()? };
    let draft = Composer::from_info(&info).pay_shop(payer, &shop, &[leg]);
    let key = keystore::read(Path::new(key), passphrase)?;
    let payment = draft.sign(Slot::payer(payer), &key);
    for line in payment.describe(&Glossary::default()) {
        println!("{line}");
    }
    println!("Show the shop {}", short_code(&payment.id()));
    let status = client.submit(&payment.complete(), Wait::Committed).await?;
    println!("{:?}: {:?}", status.stage, status.code);
    Ok(())
}
