//! A shop's display: every payment that arrives, from wherever the display stopped last time.
//!
//! `cargo run --example watch -- http://127.0.0.1:7001 READER_TOKEN party1… [1.4711]`

use std::{env, error::Error};

use musubi_sdk::{Client, ClientConfig, EventId, PartyId, short_code};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [node, token, party, rest @ ..] = arguments.as_slice() else {
        return Err("usage: watch NODE READER_TOKEN PARTY [LAST_EVENT_ID]".into());
    };
    let party: PartyId = party.parse()?;
    let last: Option<EventId> = rest.first().map(|text| text.parse()).transpose()?;
    let client = Client::new(ClientConfig::new([node.as_str()]).with_token(token.as_str()))?;
    let mut watch = client.watch(Some(party), last);
    loop {
        let event = watch.next().await?;
        let entry = event.entry;
        println!(
            "{} {} {} {} ({} postings)",
            event.id,
            entry.time,
            short_code(&entry.id),
            entry.code,
            entry.outcome.postings.len()
        );
    }
}
