//! `musubi-bench`: the end-to-end benchmark.

use std::process::ExitCode;

use clap::Parser;
use musubi_benches::end_to_end;

fn main() -> ExitCode {
    let options = end_to_end::Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ran = runtime
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(end_to_end::run(&options)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("musubi-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
