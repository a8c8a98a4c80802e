#![allow(clippy::unwrap_used)]
//! `musubi scheme apply`: a scheme's configuration onto a network of real validators, by the keys of its officers.

#[path = "common/office.rs"]
mod office;

use std::path::PathBuf;

use musubi_testnet::network::{Network, PARAMETERS, Settings};
use office::Office;
use serde_json::Value;

fn came_to(document: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let settings = document["settings"].as_array().unwrap();
    settings.iter().map(|line| (text(&line["what"]), text(&line["came_to"]))).collect()
}

/// All settings of the file.
fn all(came: &str) -> Vec<(String, String)> {
    let whats = [
        "instrument YEN",
        "instrument PT",
        "offer door",
        "offer newcomer",
        "rule reward (1 of YEN)",
        "rule after-door (1 of PT)",
        "allowance of YEN",
    ];
    whats.map(|what| (what.into(), came.into())).into()
}

/// The code that a home keeps of the offer at the door.
fn kept(office: &Office) -> PathBuf {
    office.home.join("codes").join("elsewhere-door")
}

#[test]
fn a_scheme_becomes_a_networks_configuration() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("network");
    let settings = Settings { dir: dir.clone(), validators: 3, seed: 5, parameters: PARAMETERS };
    let mut network = Network::start_bare(&settings, None).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(network.ready()).unwrap();
    let file = root.path().join("elsewhere.toml");
    std::fs::write(&file, include_str!("apply.toml")).unwrap();
    let file = file.to_str().unwrap();
    let apply = ["scheme", "apply", file, "--yes"];
    let officers = dir.join("officers");
    let home = |name: &str| {
        let office = Office { home: root.path().join(name) };
        office.done(&["contact", "import", officers.to_str().unwrap()]);
        office
    };
    let office = home("home");

    // Who funds the points is somebody of the file, and must be somebody here.
    let refused = office.run(&apply);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--party 'fund=CONTACT'"), "{said}");
    office.done(&["key", "new", "savings", "--kind", "external"]);
    office.done(&["party", "register", "savings", "--as", "registrar-officer-1", "--yes"]);
    let apply = [&apply[..], &["--party", "fund=savings"]].concat();

    // What would be signed is said in words, and nothing of it is sent.
    let drafts = office.done(&[&apply[..], &["--dry-run"]].concat());
    assert_eq!(came_to(&drafts), all("lacking"));
    let words = drafts["drafts"].to_string();
    assert!(words.contains("170,000 YEN in all"), "{words}");
    let client = network.client().unwrap();
    let instruments = || runtime.block_on(client.instruments()).unwrap();
    assert_eq!(instruments().len(), 0);
    assert!(!kept(&office).exists());

    // A key that is on another device: what it must sign waits for it, and what rests on that waits, too.
    let elsewhere = home("elsewhere");
    let book = elsewhere.home.join("contacts.toml");
    std::fs::copy(office.home.join("contacts.toml"), &book).unwrap();
    let mut contacts: toml::Table = std::fs::read_to_string(&book).unwrap().parse().unwrap();
    let second = contacts["contacts"]["issuer-officer-2"].as_table_mut().unwrap();
    assert!(second.remove("key").is_some());
    std::fs::write(&book, contacts.to_string()).unwrap();
    let waits = elsewhere.done(&apply);
    assert_eq!(came_to(&waits), all("waits"));
    let note = waits["settings"][0]["note"].as_str().unwrap();
    assert!(note.contains("Missing") && note.contains(".musubi"), "{note}");
    assert_eq!(instruments().len(), 0);

    assert_eq!(came_to(&office.done(&apply)), all("applied"));
    let there = instruments().into_iter().find(|view| view.id.to_string() == "YEN").unwrap();
    assert_eq!(there.instrument.terms.limits.len(), 1);
    let allowance = office.done(&["allowance", "show", "allowance-YEN"]);
    assert_eq!(allowance["allowance"]["total"], "170000");
    assert!(office.done(&["rule", "show", "YEN", "1"]).to_string().contains("funder"));

    // What is offered asks for a code of this network: the file's, which everybody reads, opens nothing.
    let code = std::fs::read_to_string(kept(&office)).unwrap();
    assert!(code.len() > 16 && code != "HELLO", "{code}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(kept(&office)).unwrap().permissions(),
    );
    assert_eq!(mode & 0o77, 0);
    let key = office.done(&["offer", "codes", "issuer", "--code", &code])[0]["key"].clone();
    let door = office.done(&["offer", "show", "offer-door"]);
    assert_eq!(door["access"]["code"], key, "{door}");
    assert_eq!(door["stock"], 100);
    let follows = office.done(&["rule", "show", "PT", "1"]).to_string();
    let offer = runtime.block_on(client.offers()).unwrap();
    let offer = offer.iter().find(|view| view.offer.terms.stock == Some(100)).unwrap();
    assert!(follows.contains(&offer.id.to_string()), "{follows}");

    // It can be given again, from any home.
    assert_eq!(came_to(&office.done(&apply)), all("there"));
    assert_eq!(came_to(&elsewhere.done(&apply)), all("there"));
    // A code that was kept for a draft which was never signed by all is told to be another.
    std::fs::create_dir_all(kept(&elsewhere).parent().unwrap()).unwrap();
    std::fs::write(kept(&elsewhere), "of another draft").unwrap();
    let told = elsewhere.done(&apply)["settings"][2]["note"].as_str().unwrap().to_owned();
    assert!(told.contains("its secret is another than that of"), "{told}");
    let bare = home("bare");
    std::fs::copy(office.home.join("contacts.toml"), bare.home.join("contacts.toml")).unwrap();
    assert_eq!(came_to(&bare.done(&[&apply[..], &["--dry-run"]].concat())), all("there"));

    // What is there otherwise is named, and nothing is sent.
    for (set, wanted) in [
        ("days=90", "instrument PT: validity is"),
        ("percent=2", "rule reward (1 of YEN): formula is"),
        ("stock=101", "offer door: stock is 100 on the ledger, 101 in the file"),
        ("budget=170001", "allowance of YEN: total is 170000 on the ledger, 170001 in the file"),
    ] {
        let otherwise = office.refused(&[&apply[..], &["--set", set]].concat());
        assert_eq!(otherwise["code"], "scheme_differs");
        let said = otherwise["detail"].as_str().unwrap();
        assert!(said.contains(wanted), "{set}: {said}");
    }
    // A code that was given is no other than the one there, or that is said; of an offer without a code nothing is said.
    let given = format!("door={code}");
    let again = [&apply[..], &["--code", &given]].concat();
    assert_eq!(came_to(&office.done(&again)), all("there"));
    let otherwise = office.refused(&[&apply[..], &["--code", "door=HELLO"]].concat());
    assert!(otherwise["detail"].as_str().unwrap().contains("offer door: access is"), "{otherwise}");
    assert_eq!(
        office.run(&[&apply[..], &["--code", "newcomer=X"]].concat()).status.code(),
        Some(2)
    );
    // An allowance is known by its reference alone where no address book has it.
    let fresh = home("fresh");
    std::fs::copy(office.home.join("contacts.toml"), fresh.home.join("contacts.toml")).unwrap();
    let book = fresh.home.join("contacts.toml");
    let mut contacts: toml::Table = std::fs::read_to_string(&book).unwrap().parse().unwrap();
    assert!(contacts.remove("saved").is_some());
    std::fs::write(&book, contacts.to_string()).unwrap();
    let otherwise = fresh.refused(&[&apply[..], &["--set", "budget=170001"]].concat());
    assert_eq!(otherwise["code"], "scheme_differs", "{otherwise}");
    runtime.block_on(network.stop()).unwrap();
}

#[test]
fn a_scheme_that_is_over_is_moved_into_another_year() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("network");
    let settings = Settings { dir: dir.clone(), validators: 1, seed: 6, parameters: PARAMETERS };
    let mut network = Network::start_bare(&settings, None).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(network.ready()).unwrap();
    let office = Office { home: root.path().join("home") };
    office.done(&["contact", "import", dir.join("officers").to_str().unwrap()]);
    let text = include_str!("apply.toml").replace("2099-03-31", "2024-02-29");
    let file = root.path().join("elsewhere.toml");
    std::fs::write(&file, text.replace("funder = \"fund\"", "funder = \"issuer\"")).unwrap();
    let apply = ["scheme", "apply", file.to_str().unwrap(), "--yes"];
    let over = office.refused(&apply);
    assert_eq!(over["code"], "scheme_over");
    let said = over["detail"].as_str().unwrap();
    assert!(said.contains("offer door ends 2024-03-01"), "{said}");
    let client = network.client().unwrap();
    assert_eq!(runtime.block_on(client.instruments()).unwrap().len(), 0, "nothing was sent");
    // 2023 becomes 2098, and the end of February 2024 that of 2099, a day earlier.
    let moved = [&apply[..], &["--begins-in", "2098"]].concat();
    assert_eq!(came_to(&office.done(&moved)), all("applied"));
    assert_eq!(came_to(&office.done(&moved)), all("there"));
    let offers = runtime.block_on(client.offers()).unwrap();
    let ends = offers.iter().map(|view| view.offer.terms.until.day().to_string());
    assert_eq!(ends.collect::<Vec<_>>(), ["2099-03-01", "2099-03-01"]);
    runtime.block_on(network.stop()).unwrap();
}
