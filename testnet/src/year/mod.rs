//! A year of a generated city as a record that `musubi audit --dir` reads: the way onto the ledger, then 365
//! days of payments, in signed batches with the idle ones between them, executed by the ledger's own rules.
//!
//! - this file: what a year is made of, and the command;
//! - [`clerk`]: the validators' part: batches, blocks, the record.
//!
//! No network runs and no clock is read: one seed, one record. Signing takes nearly all of the time.

pub mod clerk;

use std::{num::NonZero, path::PathBuf};

use anyhow::ensure;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use musubi_ledger::{
    code::{Code, Standing},
    time::Time,
};

use self::clerk::Clerk;
use crate::{
    books::{Books, Pot},
    city::{
        City,
        plan::Plan,
        setup::{self, Allowances},
    },
    day,
    item::{Expected, Item, Scribe, Task, sign_all},
    random::Dice,
};

const DAY_MS: u64 = 86_400_000;
/// 2026-04-01 08:00 in Japan: a fiscal year begins, and each of its days at this hour.
const BEGIN: Time = Time(1_774_998_000_000);
/// A day's items spread over this long: shorter than their bodies are valid.
const OPEN_MS: u64 = 21_000_000;
/// Allowances hold for thirty days; they are granted anew before.
const ALLOWANCE_DAYS: u64 = 28;
/// Points expire after 180 days; the generator forgets them before that, as their holders do.
const POINTS_DAYS: u64 = 150;

/// Writes a year of a generated city as a record for `musubi audit --dir`, without running a network.
#[derive(Args, Clone, Debug)]
pub struct YearArgs {
    /// Folder of the record; it may hold none yet.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Good items of all days together; about 3 % that are rejected come on top.
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(365..=50_000_000))]
    pub payments: u64,
    /// Persons.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(40..=1_000_000))]
    pub users: u32,
    /// Shops.
    #[arg(long, default_value_t = 1_300, value_parser = clap::value_parser!(u32).range(8..=100_000))]
    pub shops: u32,
    /// Days.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=365))]
    pub days: u32,
    /// Seconds between batches; without items they are empty, as a real leader's are.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub gather: u32,
    /// Seed of everything.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print the JSON line alone, no progress.
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// If the record cannot be written, or an item does not come to what it must.
pub fn run(args: &YearArgs) -> anyhow::Result<()> {
    let bar = match args.json {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(u64::from(args.days)),
    };
    let style = ProgressStyle::with_template("{bar:40} day {pos}/{len}, {msg} ({eta})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let summary = write(args, |day, blocks| {
        bar.set_position(day);
        bar.set_message(format!("{blocks} blocks"));
    })?;
    bar.finish_and_clear();
    println!("{summary}");
    Ok(())
}

/// Writes the record and returns what is in it, as JSON.
///
/// # Errors
/// As [`run`].
pub fn write(
    args: &YearArgs,
    mut progress: impl FnMut(u64, u64),
) -> anyhow::Result<serde_json::Value> {
    let size = |n: u32| usize::try_from(n).expect("a city's size fits memory");
    let plan = Plan {
        registrants: size(args.users),
        cards: size((args.users / 25).max(2)),
        merchants: size(args.shops),
        groups: size((args.users / 175).max(4)),
    };
    let mut city = City::new(args.seed, plan, 3);
    let gather_ms = u64::from(args.gather) * 1_000;
    let mut clerk = Clerk::open(&city.institutions, &args.out, (args.seed, BEGIN, gather_ms))?;
    let mut scribe = Scribe::new(clerk.chain(), BEGIN, Dice::new(args.seed + 1), "setup");
    let composed = setup::compose(&mut city, &mut scribe);
    for wave in sign_all(composed.waves, threads()) {
        let codes = clerk.at_once(wave.iter().map(|item| item.bytes.clone()).collect())?;
        expect_all(&wave, &codes)?;
    }
    let mut year = Year { args, city, books: composed.books, allowances: composed.allowances };
    let days = u64::from(args.days);
    for day in 1..=days {
        let good = args.payments * day / days - args.payments * (day - 1) / days;
        year.day(&mut clerk, day, good)?;
        progress(day, clerk.height());
    }
    let summary = clerk.finish()?;
    Ok(summary)
}

/// What goes on from day to day.
struct Year<'a> {
    args: &'a YearArgs,
    city: City,
    books: Books,
    allowances: Allowances,
}

impl Year<'_> {
    fn day(&mut self, clerk: &mut Clerk, day: u64, good: u64) -> anyhow::Result<()> {
        let opens = BEGIN.plus(day * DAY_MS);
        clerk.idle_until(opens)?;
        let dice = Dice::new(self.args.seed.wrapping_add(day << 20));
        let mut scribe = Scribe::new(clerk.chain(), opens, dice, format!("d{day}"));
        if day.is_multiple_of(ALLOWANCE_DAYS) {
            let (tasks, allowances) = setup::allowances(&self.city, &mut scribe);
            let wave = sign_all(vec![tasks], threads()).remove(0);
            let codes = clerk.at_once(wave.iter().map(|item| item.bytes.clone()).collect())?;
            expect_all(&wave, &codes)?;
            self.allowances = allowances;
        }
        if day.is_multiple_of(POINTS_DAYS) {
            self.books.forget(Pot::Points);
        }
        let books = std::mem::take(&mut self.books);
        let made = day::compose(&self.city, self.allowances, books, scribe, good);
        self.books = made.books;
        let waves: Vec<Vec<Task>> = made.waves;
        let items = sign_all(waves, threads()).into_iter().flatten();
        // What a node's door refuses reaches no batch of an honest leader.
        let items: Vec<Item> = items.filter(|item| is_ordered(item.expected)).collect();
        let bytes = items.iter().map(|item| item.bytes.clone()).collect();
        let codes = clerk.spread(bytes, opens, OPEN_MS)?;
        expect_all(&items, &codes)
    }
}

fn is_ordered(expected: Expected) -> bool {
    match expected {
        Expected::Replay => false,
        Expected::Code(code) => code.standing() != Standing::Void,
    }
}

fn expect_all(items: &[Item], codes: &[Code]) -> anyhow::Result<()> {
    for (item, got) in items.iter().zip(codes) {
        let wanted = item.expected.code();
        ensure!(wanted == *got, "{} {} got `{got}`, not `{wanted}`", item.kind, item.id);
    }
    Ok(())
}

fn threads() -> NonZero<usize> {
    std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
}

#[cfg(test)]
mod tests;
