//! `musubi`: keys, payments, groups and audits from a terminal. `docs/TUTORIAL.md` walks through it.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
