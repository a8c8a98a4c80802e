//! `musubi`: keys, payments, groups and audits from a terminal. `docs/TUTORIAL.md` walks through it.

mod cli;

/// An audit's threads free what others allocated, and its rows lie all over hundreds of megabytes: as in a node
/// (docs/adr/0011).
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
