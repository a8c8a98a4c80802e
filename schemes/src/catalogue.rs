//! The catalogue: a page made from scheme files alone. Per scheme what it needs, how it is expressed, what its source
//! leaves open, and what ran.

mod offers;
mod rules;
mod terms;

use core::fmt::Write as _;

use musubi_ledger::party::PartyKind;

use crate::{
    cast::Member,
    file::PARTY_KINDS,
    report::Report,
    scheme::{Refusal, Scheme},
};

/// The nine primitives, as `primitives` of a file names them.
const PRIMITIVES: [(&str, &str); 9] = [
    ("P1", "party"),
    ("P2", "instrument"),
    ("P3", "transfer with lots, hold and reversal"),
    ("P4", "policy and proposal"),
    ("P5", "mandate"),
    ("P6", "rule"),
    ("P7", "entitlement"),
    ("P8", "document"),
    ("P9", "run"),
];

/// What the page begins with, so that nobody mends it by hand.
const GENERATED: &str = "<!-- Made from the files of this folder by `musubi scheme catalogue docs/schemes --write`; a test says when it is old. -->\n";

/// The page of schemes that were played, in the order given; each is linked as `NAME.toml` beside it.
#[must_use]
pub fn page(all: &[(Scheme, Report)]) -> String {
    let mut page = String::from(GENERATED);
    page.push_str(
        "# Schemes\n\nEach file of this folder is a local currency: what it issues, by which rules, and a scenario with the figures of \
         its source. No scheme has code of its own; [SCHEMES.md](../SCHEMES.md) says what a file can say. \
         `musubi scheme check FILE` plays one in its own process, `musubi-testnet scenario docs/schemes` all of them on real \
         networks of three validators, `musubi scheme apply FILE` sets a network up.\n\n",
    );
    page.push_str(&overview(all));
    for (scheme, report) in all {
        page.push_str(&chapter(scheme, report));
    }
    page
}

fn overview(all: &[(Scheme, Report)]) -> String {
    let steps: usize = all.iter().map(|(_, report)| report.steps.len()).sum();
    let checks: usize = all.iter().map(|(_, report)| report.checks.len()).sum();
    let mut text = format!(
        "{} schemes, {steps} steps, {checks} figures. Refusals: how often the scenario met each kind.\n\n",
        all.len()
    );
    text.push_str("| scheme | row | needs | cost (1,000 yen) | people | steps | figures |");
    let kinds = Refusal::ALL.map(|refusal| refusal.name().replace('_', " "));
    let _ = writeln!(text, " {} |", kinds.join(" | "));
    text.push_str("|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
    for (scheme, report) in all {
        let head = &scheme.head;
        let met = Refusal::ALL.map(|refusal| report.refusals[refusal.name()].to_string());
        let _ = writeln!(
            text,
            "| [{}](#{}) | {} | {} | {} | {} | {} | {} | {} |",
            cell(&head.title),
            head.name,
            cell(&head.row),
            head.primitives.join(" "),
            grouped(head.cost_thousand),
            grouped(head.population),
            report.steps.len(),
            report.checks.len(),
            met.join(" | ")
        );
    }
    let named = PRIMITIVES.map(|(code, name)| format!("{code} {name}"));
    let _ = writeln!(text, "\nThe primitives: {}.", named.join(", "));
    text
}

fn chapter(scheme: &Scheme, report: &Report) -> String {
    let head = &scheme.head;
    let mut text = format!("\n<a id=\"{}\"></a>\n## {}\n\n", head.name, head.title);
    let _ = writeln!(
        text,
        "{}: {}. [{name}.toml]({name}.toml)\n",
        head.municipality,
        head.summary,
        name = head.name
    );
    let _ = writeln!(
        text,
        "**What it needs.** Row {} of the source; {} thousand yen; {} people; begins {}. {}.\n",
        head.row,
        grouped(head.cost_thousand),
        grouped(head.population),
        head.begins.day(),
        primitives(&head.primitives)
    );
    for note in &head.notes {
        let _ = writeln!(text, "- {note}");
    }
    text.push_str("\n**How it is expressed.**\n\n");
    text.push_str(&takes_part(scheme));
    text.push_str(&terms::table(scheme));
    text.push_str(&offers::list(scheme));
    text.push_str(&rules::list(scheme));
    text.push_str(&choices(scheme));
    text.push_str(&what_ran(scheme, report));
    text
}

fn primitives(codes: &[String]) -> String {
    let name = |code: &String| {
        let known = PRIMITIVES.iter().find(|(known, _)| known == code);
        known.map_or_else(|| code.clone(), |(code, name)| format!("{name} ({code})"))
    };
    let names: Vec<String> = codes.iter().map(name).collect();
    format!("Primitives: {}", names.join(", "))
}

/// Who there is besides the institutions: each name once, with how many bear it.
fn takes_part(scheme: &Scheme) -> String {
    let mut names: Vec<(String, u32, &Member)> = Vec::new();
    for member in scheme.cast.members.iter().filter(|member| !member.institution && member.stands) {
        let name = member.name.split('[').next().unwrap_or_default();
        match names.last_mut() {
            Some((last, count, _)) if last == name => *count += 1,
            _ => names.push((name.to_owned(), 1, member)),
        }
    }
    let told = names.iter().map(|(name, count, member)| {
        let count =
            if *count == 1 { String::new() } else { format!("{} × ", grouped(u64::from(*count))) };
        let what = match &member.group {
            Some(plan) => format!(
                "a group; {}",
                approvals(plan.policy.approvers_for(musubi_ledger::amount::Amount(1)))
            ),
            None if member.keyless => format!("{}, by card", kind(member.kind)),
            None => kind(member.kind).to_owned(),
        };
        let attested: Vec<String> =
            member.attributes.iter().map(|a| format!("{}={}", a.name, a.value)).collect();
        let attested =
            if attested.is_empty() { String::new() } else { format!(", {}", attested.join(", ")) };
        format!("{count}`{name}` ({what}{attested})")
    });
    format!("Who takes part: {}.\n\n", told.collect::<Vec<_>>().join("; "))
}

fn approvals(others: u8) -> String {
    match others {
        1 => "a drafter and another person pay out".to_owned(),
        more => format!("a drafter and {more} others pay out"),
    }
}

fn kind(kind: PartyKind) -> &'static str {
    PARTY_KINDS.iter().find(|(_, of)| *of == kind).map_or("institution", |(name, _)| *name)
}

/// What the source leaves open or says twice, and what was chosen.
fn choices(scheme: &Scheme) -> String {
    if scheme.choices.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "Chosen where the source leaves it open (`--set NAME=VALUE` tries another):\n\n| choice | value | the source | because |\n|---|---|---|---|\n",
    );
    for choice in &scheme.choices {
        let quote = match choice.quote.is_empty() {
            true => choice.kind.name().to_owned(),
            false => format!("{}: 「{}」", choice.kind.name(), choice.quote),
        };
        let mut value = choice.value.to_string();
        if !choice.among.is_empty() {
            let among: Vec<String> = choice.among.iter().map(ToString::to_string).collect();
            let _ = write!(value, " (of {})", among.join(", "));
        }
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            choice.name,
            cell(&value),
            cell(&quote),
            cell(&choice.why)
        );
    }
    text.push('\n');
    text
}

fn what_ran(scheme: &Scheme, report: &Report) -> String {
    let ok = if report.ok() { "all as the file says" } else { "**not as the file says**" };
    let mut text = format!(
        "**What ran.** {} steps, {} figures, {ok}.\n\n| figure | of | the source | measured |\n|--:|---|---|---|\n",
        report.steps.len(),
        report.checks.len()
    );
    for check in &report.checks {
        let expect =
            scheme.expects.iter().find(|e| e.of_text == check.of && e.figure == check.figure);
        let derived = expect.and_then(|expect| expect.derived.as_deref());
        let derived = derived.map(|how| format!(" → {how}")).unwrap_or_default();
        let at = expect.and_then(|expect| expect.at.as_deref());
        let at = at.map(|step| format!(" after {step}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | 「{}」{} | `{}`{at} |",
            signed(check.figure),
            cell(&check.unit),
            cell(&check.text),
            cell(&derived),
            check.of.replace('|', "\\|")
        );
    }
    text.push_str("\nRefused as it must be: ");
    let refused = scheme.steps.iter().filter_map(|step| {
        let refusal = step.refusal?.name().replace('_', " ");
        Some(format!("{refusal}: {} (`{}`)", step.label, step.code))
    });
    let refused: Vec<String> = refused.collect();
    let _ = writeln!(
        text,
        "{}.\n",
        if refused.is_empty() { "nothing".into() } else { refused.join("; ") }
    );
    let _ = writeln!(text, "<details><summary>The {} steps</summary>\n", report.steps.len());
    for line in &report.steps {
        let _ = writeln!(text, "1. {}: {}", line.label, line.counted());
    }
    text.push_str("\n</details>\n");
    text
}

/// A text inside a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// 1,573
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn signed(number: i128) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let size = u64::try_from(number.unsigned_abs());
    size.map_or_else(|_| number.to_string(), |size| format!("{sign}{}", grouped(size)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let told = [0, 7, 999, 1_000, 20_034, 91_000_000].map(grouped);
        assert_eq!(told, ["0", "7", "999", "1,000", "20,034", "91,000,000"]);
        assert_eq!((signed(-1_234), signed(12)), ("-1,234".to_owned(), "12".to_owned()));
    }
}
