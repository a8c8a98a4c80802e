#![allow(clippy::unwrap_used)]
use super::*;

pub(super) const FILE: &str = r#"
    node = 1
    genesis = "genesis.bin"
    data = "data"
    keys = "keys"
    [network]
    listen = "127.0.0.1:0"
    [http]
    listen = "127.0.0.1:0"
    [http.limits]
    [tuning]
    [log]
"#;

pub(super) fn check(text: &str) -> Result<(), ConfigError> {
    toml::from_str::<Config>(text).unwrap().check()
}

#[test]
fn every_value_is_checked_before_anything_starts() {
    check(FILE).unwrap();
    for (section, line, named) in [
        ("[http.limits]", "reads = 0", "http.limits.reads"),
        ("[http.limits]", "public_reads = 0", "http.limits.public_reads"),
        ("[http.limits]", "read_wait_ms = 0", "http.limits.read_wait_ms"),
        ("[http.limits]", "connections = 0", "http.limits.connections"),
        ("[http.limits]", "body_timeout_ms = 0", "http.limits.body_timeout_ms"),
        ("[http.limits]", "door_bytes = 491520", "http.limits.door_bytes"),
        ("[http.limits]", "body_bytes = 0", "http.limits.body_bytes"),
        ("[http.limits]", "per_key = { per_second = 0, burst = 5000 }", "per_key.per_second"),
        ("[http.limits]", "per_ip = { per_second = 1, burst = 4095 }", "per_ip.burst"),
        ("[tuning]", "tick_ms = 0", "tuning.tick_ms"),
        ("[tuning]", "pending = 0", "tuning.pending"),
        ("[log]", "filter = \"=,=\"", "log.filter"),
        ("[http]", "reader = [{ name = \"app\", token_sha256 = \"12\" }]", "reader `app`"),
    ] {
        let text = FILE.replace(section, &format!("{section}\n{line}"));
        let error = check(&text).expect_err(line).to_string();
        assert!(error.contains(named), "{line}: {error}");
    }
    let party = musubi_ledger::id::PartyId([1; 16]);
    let body = format!(
        "[http]\nbody = [{{ name = \"rengo\", token_sha256 = \"12\", party = \"{party}\" }}]"
    );
    let error = check(&FILE.replace("[http]", &body)).expect_err("no hash").to_string();
    assert!(error.contains("body `rengo`"), "{error}");
    let outside =
        FILE.replacen("[http]\n    listen = \"127.0.0.1:0\"", "[http]\nlisten = \"0.0.0.0:0\"", 1);
    assert!(check(&outside).expect_err("not loopback").to_string().contains("allow_remote"));
}
