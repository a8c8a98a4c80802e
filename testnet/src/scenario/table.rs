//! What scenarios came to, for people.

use comfy_table::{Cell, CellAlignment, Table, presets};
use musubi_schemes::{Report, scheme::Refusal};

use super::play::Played;

/// A line for each scheme: steps and figures that were as its file says, of how many; how often it refused, and why.
#[must_use]
pub(super) fn table(all: &[Played]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.style_mut().row_separator = comfy_table::LineStyle::none();
    let refusals = Refusal::ALL.map(|refusal| refusal.name().replace('_', " "));
    let titles = ["", "scheme", "title", "steps", "figures"].map(str::to_owned);
    let titles = titles.into_iter().chain(refusals).chain(["blocks", "s"].map(str::to_owned));
    table.set_header(titles.collect::<Vec<_>>());
    for played in all {
        table.add_row(row(played));
    }
    table.trim_fmt()
}

fn row(played: &Played) -> Vec<Cell> {
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let mark = if played.ok() { "✓" } else { "✗" };
    let mut cells = vec![Cell::new(mark), Cell::new(&played.name), Cell::new(&played.title)];
    let report = played.report.as_ref();
    let of = |oks: &mut dyn Iterator<Item = bool>| {
        let (mut good, mut all) = (0_u32, 0_u32);
        for ok in oks {
            (good, all) = (good + u32::from(ok), all + 1);
        }
        if good == all { all.to_string() } else { format!("{good} of {all}") }
    };
    let counted =
        |count: &dyn Fn(&Report) -> String| right(report.map_or_else(|| "-".to_owned(), count));
    cells.push(counted(&|report| of(&mut report.steps.iter().map(|step| step.ok))));
    cells.push(counted(&|report| of(&mut report.checks.iter().map(|check| check.ok))));
    for refusal in Refusal::ALL {
        let count = |report: &Report| {
            report.refusals.get(refusal.name()).copied().unwrap_or_default().to_string()
        };
        cells.push(counted(&count));
    }
    cells.push(right(played.blocks.to_string()));
    cells.push(right(played.took.as_secs().to_string()));
    cells
}

/// All of it in a sentence.
#[must_use]
pub(super) fn summary(all: &[Played]) -> String {
    let good = all.iter().filter(|played| played.ok()).count();
    let reports = || all.iter().filter_map(|played| played.report.as_ref());
    let steps: usize = reports().map(|report| report.steps.len()).sum();
    let checks: usize = reports().map(|report| report.checks.len()).sum();
    format!(
        "{good} of {} schemes as their files say; {steps} steps, {checks} figures; each on three validators of its own",
        all.len()
    )
}
