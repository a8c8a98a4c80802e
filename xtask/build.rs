//! Passes on what Cargo tells build scripts: the same three facts decide how RocksDB is compiled,
//! so they belong to the key under which its library is cached (`src/rocksdb_cache/key.rs`).

fn main() {
    let fact = |name: &str| std::env::var(name).unwrap_or_default();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=XTASK_HOST={}", fact("TARGET"));
    println!("cargo::rustc-env=XTASK_OPT_LEVEL={}", fact("OPT_LEVEL"));
    // Cargo separates the flags by the unit separator, which is no character for an environment.
    let flags = fact("CARGO_ENCODED_RUSTFLAGS").replace('\u{1f}', " ");
    println!("cargo::rustc-env=XTASK_RUSTFLAGS={flags}");
}
