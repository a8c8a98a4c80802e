//! The whole audit in one call: of a node, or of a directory that was downloaded before.
//!
//! `cargo run --example audit -- http://127.0.0.1:7001 READER_TOKEN` or `… --example audit -- DIRECTORY`

use std::{env, error::Error, path::Path};

use musubi_sdk::{
    Client, ClientConfig,
    audit::{self, Options, Source},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let source = match arguments.as_slice() {
        [node, token] => {
            let config = ClientConfig::new([node.as_str()]).with_token(token.as_str());
            Source::node(Client::new(config)?)
        }
        [directory] => Source::directory(Path::new(directory))?,
        _ => return Err("usage: audit NODE READER_TOKEN | audit DIRECTORY".into()),
    };
    // Whoever knows the chain by other means names it: `Options { expected: Some(chain), .. }`.
    let report = audit::run(source, Options::default(), |progress| {
        eprint!("\rblock {} of {}", progress.height, progress.target);
    })
    .await?;
    eprintln!();
    println!(
        "{} blocks, {} transactions, {} signatures: all as the rules say",
        report.blocks, report.transactions, report.signatures
    );
    for line in &report.supply {
        println!("{}: {} outstanding", line.instrument, line.outstanding);
    }
    for validator in &report.validators {
        let (node, name) = (validator.node, &validator.organisation);
        println!("node {node} ({name}) signed the same root at size {}", validator.size);
    }
    let covered = report.covered_by_majority;
    println!("a majority signed up to block {} of {}", covered.height, covered.time);
    for warning in &report.warnings {
        println!("warning: {} ({})", warning.detail, warning.code);
    }
    Ok(())
}
