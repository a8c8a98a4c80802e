//! A backend that submits many transactions, one call each: the SDK gathers them into few requests.
//!
//! `cargo run --example bulk -- http://127.0.0.1:7001,http://127.0.0.1:7002 FILE…`, each file a signed
//! transaction as `musubi` writes it.

use std::{env, error::Error, fs};

use musubi_sdk::{Client, ClientConfig, GatherConfig, Gatherer, HalfSigned};
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let nodes = arguments.next().ok_or("usage: bulk NODE[,NODE…] FILE…")?;
    let client = Client::new(ClientConfig::new(nodes.split(',')))?;
    let gatherer = Gatherer::new(client, GatherConfig::default());
    let mut calls = JoinSet::new();
    for file in arguments {
        let transaction = HalfSigned::read(&fs::read(&file)?)?.complete();
        let gatherer = gatherer.clone();
        calls.spawn(async move { (file, gatherer.submit(&transaction).await) });
    }
    while let Some(call) = calls.join_next().await {
        match call? {
            (file, Ok(status)) => println!("{file}: {:?} {:?}", status.stage, status.code),
            (file, Err(error)) => println!("{file}: {} ({})", error, error.code()),
        }
    }
    Ok(())
}
