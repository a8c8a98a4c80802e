//! The example of `docs/SCHEMES.md`, played as it stands there, and what is said about mistakes in it.

use super::common;

const MANUAL: &str = include_str!("../../../docs/SCHEMES.md");

fn example() -> &'static str {
    let (_, after) = MANUAL.split_once("```toml\n").unwrap();
    after.split_once("```").unwrap().0
}

fn told(text: &str) -> String {
    common::read("town", text, &[]).unwrap_err().to_string()
}

/// What is said after `right` was replaced by `wrong`, which stands there once.
fn after(right: &str, wrong: &str) -> String {
    assert_eq!(example().matches(right).count(), 1, "{right} stands once in the example");
    told(&example().replace(right, wrong))
}

#[test]
fn the_example_runs() {
    let scheme = common::sound("example", example());
    let report = common::play(&scheme).unwrap();
    assert!(report.ok(), "{report}");
    assert_eq!(
        report.to_string(),
        "example: 8 of 8 steps, 2 of 2 figures; refusals: cap 1, expiry 1, over_limit 1, wrong_shop 1"
    );
    assert_eq!(report.to_json()["checks"][0]["got"], 3_000);
}

#[test]
fn a_mistake_is_told_with_place_line_and_guess() {
    let said = after("of = \"expired(TOWN)\"", "of = \"expird(TOWN)\"");
    let line = 1 + example().lines().position(|line| line.contains("expired(TOWN)")).unwrap();
    assert_eq!(
        said,
        format!(
            "town.toml:{line}:6: no function expird; did you mean expired?\n{line:>5} | of = \"expird(TOWN)\"\n      |      ^^^^^^^^^^^^^^"
        )
    );
    assert!(MANUAL.contains(&said), "the manual shows what is said");
    for (right, wrong, wanted) in [
        (
            "to = \"child\", origin = \"grant\", amount = 3_000",
            "to = \"chil\", origin = \"grant\", amount = 3_000",
            "no party chil; declared: ",
        ),
        ("regime = \"public\"", "regime = \"publik\"", "\"publik\" is none of public, six_month"),
        ("regime = \"public\"", "regime = \"publik\"", "did you mean public?"),
        ("validity = ", "validty = ", "`validity` is missing"),
        ("validity = ", "validty = ", "no key validty; "),
        ("{ days = \"$days\" }", "{ days = \"$day\" }", "no choice day; declared: days"),
        ("{ days = \"$days\" }", "{ days = 30 }", "nothing in this file rests on the choice days"),
        ("amount = 2_001", "amount = 2_001.5", "never a number with a point"),
        ("amount = 2_001", "amount = \"much\"", "a whole number stands here, not a string"),
        ("begins = \"2026-04-01\"", "begins = \"2026-04-31\"", "is no time such as 2026-04-01"),
        (
            "kind = \"silent\", quote = \"町内で使える3,000円のお祝い券\"",
            "kind = \"silent\"",
            "quote the place that is silent",
        ),
        ("do = \"allow\"", "do = \"alow\"", "did you mean allow?"),
        (
            "[choices]",
            "[calendars]\nmonthly = { cycles = [{ cut = 15, pay = 10 }] }\n[choices]",
            "each payout comes after its cut-off",
        ),
        (
            "[choices]",
            "[calendars]\nmonthly = { cycles = [{ cut = 32, pay = \"end\" }] }\n[choices]",
            "32 is not between 1 and 31",
        ),
        ("regime = ", "settle = \"monthly\"\nregime = ", "no calendar monthly"),
        ("[scenario]", "[[offer]]\nid = \"gift\"\n[scenario]", "an offer ends"),
        ("of = \"expired(TOWN)\"", "of = \"taken(gift)\"", "no offer gift"),
        (
            "[scenario]",
            "[[rule]]\nid = \"gift\"\non = \"top_up\"\n[scenario]",
            "one of `percent`, `rate`, `fixed`",
        ),
        (
            "[scenario]",
            "[[rule]]\nid = \"gift\"\non = \"top_up\"\nrate = \"1.\"\ngive = {}\n[scenario]",
            "is no rate such as 1%, 0.5% or 3/20",
        ),
        (
            "[scenario]",
            "[[rule]]\nid = \"gift\"\non = \"redeem\"\npercent = 1\ngive = {}\n[scenario]",
            "a fee is charged where it is paid out",
        ),
        (
            "do = \"allow\", total = 3_000",
            "do = \"document\", kind = \"report\"",
            "a report is made from a record and signed by hand: `musubi document report`",
        ),
        ("of = \"expired(TOWN)\"", "of = \"given(bonus)\"", "no rule bonus; declared: "),
        (
            "code = \"over_allowance\"",
            "code = \"over_allowanse\"",
            "no code over_allowanse: did you mean over_allowance?",
        ),
        (
            "code = \"over_allowance\"",
            "code = \"over_limit\"",
            "a refusal for cap bears one of over_allowance",
        ),
        (", refusal = \"cap\"", "", "no step shows the refusal `cap`"),
        ("figure = 1_000\n", "figure = 1_001\n", "`derived` comes to 1000, not to 1001"),
        ("figure = 3_000\n", "figure = 3_001\n", "3001 does not stand in the quoted text"),
        ("of = \"expired(TOWN)\"", "of = \"1_000\"", "this observes nothing"),
        ("of = \"expired(TOWN)\"", "of = \"choice(days)\"", "this observes nothing"),
        ("of = \"expired(TOWN)\"", "of = \"expired(TWON)\"", "no instrument TWON; declared: TOWN"),
        ("at = \"gift\"", "at = \"gift2\"", "no earlier step gift2; declared: gift"),
        ("code = \"TOWN\"", "code = \"town\"", "a code is 1 to 16 of A-Z, 0-9 and -"),
        ("format = 1", "format = 2", "2 is not between 1 and 1"),
        ("format = 1", "format = ", "not TOML: "),
    ] {
        let said = after(right, wrong);
        assert!(said.contains(wanted), "{wrong}: {said}");
    }
}

#[test]
fn all_mistakes_are_told_in_the_order_of_the_file() {
    let text = example().replace("row = \"0\"", "row = 0").replace("\"person\"", "\"parson\"");
    let said = told(&text);
    let lines: Vec<u32> = said
        .lines()
        .filter_map(|line| line.strip_prefix("town.toml:")?.split(':').next()?.parse().ok())
        .collect();
    assert!(lines.len() >= 4 && lines.is_sorted(), "{said}");
}

#[test]
fn what_does_not_come_out_as_the_file_says_is_told() {
    let wrong = example().replace("amount = 2_000 }", "amount = 1_999 }");
    let scheme = common::sound("example", &wrong);
    let report = common::play(&scheme).unwrap();
    assert!(!report.ok());
    let (at, _) = report.differences()[0];
    let line = 1 + wrong.lines().position(|line| line == "figure = 1_000").unwrap();
    assert_eq!(musubi_schemes::mistake::line_of(&wrong, at), line, "it says where");
    let said = report.to_string();
    assert!(said.contains("expired(TOWN) is 1001, not 1000 yen that expired (row 0: "), "{said}");

    let wrong =
        example().replace(", code = \"over_limit\"", "").replace(", refusal = \"over_limit\"", "");
    let wrong = wrong.replace("primitives", "policy = { refusals = [\"cap\"] }\nprimitives");
    let scheme = common::sound("example", &wrong);
    let said = common::play(&scheme).unwrap().to_string();
    assert!(said.contains("step \"pay\": over_limit (applied was expected)"), "{said}");
}

#[test]
fn another_choice_can_be_tried() {
    let set = |value: &str| [("days".to_owned(), value.to_owned())];
    let scheme = common::read("example", example(), &set("31")).unwrap();
    assert!(!common::play(&scheme).unwrap().ok(), "a day longer, it can still be spent");
    let said = common::read("example", example(), &set("many")).unwrap_err().to_string();
    assert!(said.contains("the choice days cannot be set to many"), "{said}");
    let set = [("dayz".to_owned(), "1".to_owned())];
    let said = common::read("example", example(), &set).unwrap_err().to_string();
    assert!(said.contains("no choice dayz"), "{said}");
}
