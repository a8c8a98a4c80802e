//! An audit's report in words.

use std::collections::BTreeMap;

use musubi_sdk::{
    InstrumentId, Time,
    audit::{self, Covered, FinalCovered, Recovered, Report},
};

use super::table::{self, Align};

type Places = BTreeMap<InstrumentId, u8>;

/// All of it; ages are seen from `now`.
pub(super) fn words(report: &Report, decimals: &Places, now: Time) -> String {
    let chain = match report.pinned {
        true => report.chain.to_string(),
        false => format!("{} (not pinned)", report.chain),
    };
    let facts = table::fields(&[
        ("Chain", chain),
        ("Up to", format!("block {} of {}", report.height, table::time(report.time))),
        ("Signed by a majority", reach(&report.covered_by_majority, now)),
        ("Final", report.final_checkpoint.as_ref().map(|f| finality(f, now)).unwrap_or_default()),
        ("Signed by all", report.covered_by_all.map(|c| reach(&c, now)).unwrap_or_default()),
        ("Root", report.root.clone()),
    ]);
    let warnings = report.warnings.iter().map(|w| format!("Warning: {} ({})\n", w.detail, w.code));
    let kept = report.kept.iter().map(|name| format!("This log continues {name}.\n"));
    let resumed = report.resumed.map(|height| {
        format!("Went on from block {height}: what lies before was executed by an earlier run.\n")
    });
    let recoveries = report.recoveries.iter().map(|recovered| {
        let Recovered { epoch, size, signed_by, reason, id, .. } = recovered;
        let by = signed_by.join(", ");
        format!(
            "Epoch {epoch} began behind {size} leaves by recovery {id}, signed by {by}: {reason}\n"
        )
    });
    let kept: String = kept.chain(resumed).chain(recoveries).collect();
    let verdict = match report.warnings.is_empty() {
        true => "Everything agrees.",
        false => "Everything that is here agrees, but heed the warnings.",
    };
    format!(
        "{facts}\n{}\n{}\n{}\n{kept}{}{verdict}",
        counted(report),
        supply(report, decimals),
        signers(report),
        warnings.collect::<String>()
    )
}

/// How far the log is final, by whom.
fn finality(found: &FinalCovered, now: Time) -> String {
    let age = table::span(now.0.saturating_sub(found.time.0));
    let FinalCovered { height, policy, cosigned, .. } = found;
    format!("up to block {height}, {age} old; {} cosigned (policy {policy})", cosigned.len())
}

/// How far signatures reach, how old that is, and what lies beyond.
fn reach(covered: &Covered, now: Time) -> String {
    let age = table::span(now.0.saturating_sub(covered.time.0));
    let up_to = format!("up to block {}, {age} old", covered.height);
    match covered.blocks_beyond {
        0 => up_to,
        1 => format!("{up_to}; 1 block lies beyond"),
        more => format!("{up_to}; {} blocks lie beyond", describe(more)),
    }
}

fn counted(report: &Report) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut count = |what: &str, number: u64| {
        rows.push(vec![what.to_owned(), describe(number)]);
    };
    count("blocks", report.blocks);
    count("transactions judged", report.transactions);
    count("system actions", report.system);
    count("signatures verified", report.signatures);
    for (kind, number) in &report.kinds {
        count(&format!("  applied: {}", kind.replace('_', " ")), *number);
    }
    for (code, number) in &report.rejected {
        count(&format!("  rejected: {code}"), *number);
    }
    for (code, number) in &report.void {
        count(&format!("  void: {code}"), *number);
    }
    for (form, number) in &report.consent_forms {
        count(&format!("  consent: {form}"), *number);
    }
    table::table(&[("Counted", Align::Left), ("", Align::Right)], rows, "")
}

fn describe(number: u64) -> String {
    table::amount(musubi_sdk::Amount(number), 0)
}

fn supply(report: &Report, decimals: &Places) -> String {
    let row = |line: &audit::SupplyLine| {
        let places = decimals.get(&line.instrument).copied().unwrap_or(0);
        let shown = |amount| table::amount(amount, places);
        vec![
            line.instrument.to_string(),
            shown(line.issued),
            shown(line.burnt),
            shown(line.outstanding),
            line.lots.len().to_string(),
        ]
    };
    let columns = [
        ("Supply", Align::Left),
        ("Issued", Align::Right),
        ("Burnt", Align::Right),
        ("In wallets", Align::Right),
        ("Lots", Align::Right),
    ];
    table::table(&columns, report.supply.iter().map(row).collect(), "Nothing was issued.")
}

fn signers(report: &Report) -> String {
    let row = |agreement: &audit::Agreement| {
        vec![
            agreement.node.to_string(),
            agreement.organisation.clone(),
            describe(agreement.size),
            describe(agreement.height),
        ]
    };
    let columns = [
        ("Validator", Align::Left),
        ("Organisation", Align::Left),
        ("Signed leaves", Align::Right),
        ("Block", Align::Right),
    ];
    table::table(&columns, report.validators.iter().map(row).collect(), "Nobody signed.")
}
