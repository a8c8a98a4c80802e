//! `musubi-testnet scenario`: scheme files on real networks.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, bail, ensure};
use clap::Args;

use super::{
    play::{Played, play},
    table,
};

/// Plays scheme files, each on a fresh network of three real validators whose clocks it drives, and says whether all was as
/// they say.
#[derive(Args, Clone, Debug)]
pub struct ScenarioArgs {
    /// Scheme files, or folders of them
    #[arg(required = true, value_name = "FILE|DIR")]
    pub paths: Vec<PathBuf>,
    /// Only the schemes of these names; may be repeated
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Another value for a choice of the one file that is played; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = choice)]
    pub set: Vec<(String, String)>,
    /// Write what came out to this file: a list with an object for each scheme; `-` writes it in place of the table
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Keep the networks' folders in here, in one for each scheme, which may not be there yet
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// How many networks run at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub jobs: u8,
}

fn choice(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the command; the exit code says whether all was as the files say.
///
/// # Errors
/// If there is nothing to play, or what came out cannot be written.
pub fn run(args: &ScenarioArgs) -> anyhow::Result<ExitCode> {
    let files = chosen(&args.paths, &args.only)?;
    ensure!(
        args.set.is_empty() || files.len() == 1,
        "--set is for one scheme, and these are {}: name it by --only",
        files.len()
    );
    let all = play_all(&files, args)?;
    let document: Vec<_> = all.iter().map(Played::to_json).collect();
    let document = serde_json::to_string_pretty(&document)?;
    let instead = args.json.as_deref() == Some(Path::new("-"));
    match &args.json {
        Some(_) if instead => println!("{document}"),
        Some(path) => std::fs::write(path, document)
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => {}
    }
    if !instead {
        println!("{}", table::table(&all));
        for difference in all.iter().flat_map(|played| &played.differences) {
            println!("{difference}");
        }
        println!("{}", table::summary(&all));
    }
    let good = all.iter().all(Played::ok);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays so many at a time, and says of each when it has ended; in the order of the files.
fn play_all(files: &[PathBuf], args: &ScenarioArgs) -> anyhow::Result<Vec<Played>> {
    let aside = match &args.dir {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("there is no folder for the networks")?),
    };
    let root = match (&args.dir, &aside) {
        (Some(dir), _) => dir.clone(),
        (None, Some(aside)) => aside.path().to_owned(),
        (None, None) => bail!("one of them was just made"),
    };
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(Vec::with_capacity(files.len()));
    std::thread::scope(|scope| {
        for _ in 0..usize::from(args.jobs).min(files.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(at) else { return };
                    let dir = root.join(file.file_stem().unwrap_or_default());
                    let played = play(file, &args.set, &dir);
                    if played.ok() && args.dir.is_none() {
                        // Years of logs of many networks need not lie there together.
                        let _ = std::fs::remove_dir_all(&dir);
                    }
                    tell(&played);
                    ended.lock().expect("no thread panics with it").push((at, played));
                }
            });
        }
    });
    let mut all = ended.into_inner().expect("no thread panicked");
    all.sort_by_key(|(at, _)| *at);
    let all: Vec<Played> = all.into_iter().map(|(_, played)| played).collect();
    if let Some(aside) = aside
        && all.iter().any(|played| !played.ok())
    {
        eprintln!("what their nodes logged is in {}", aside.keep().display());
    }
    Ok(all)
}

fn tell(played: &Played) {
    let (name, seconds) = (&played.name, played.took.as_secs());
    let how = if played.ok() { "as its file says" } else { "NOT as its file says" };
    eprintln!("{name}: {how}, {} blocks, {seconds} s", played.blocks);
}

/// The files named, and those of the folders named, in order; of these the ones that are wanted.
fn chosen(paths: &[PathBuf], only: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = path.read_dir().with_context(|| format!("cannot read {}", path.display()))?;
        let inside: Vec<PathBuf> =
            entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        let mut inside: Vec<PathBuf> = inside
            .into_iter()
            .filter(|file| file.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        inside.sort_by_key(|file| name(file));
        files.extend(inside);
    }
    let mut names: Vec<String> = files.iter().map(|file| name(file)).collect();
    if let Some(lacking) = only.iter().find(|only| !names.contains(only)) {
        bail!("there is no scheme {lacking}; there are {}", names.join(", "));
    }
    if !only.is_empty() {
        files.retain(|file| only.contains(&name(file)));
    }
    ensure!(!files.is_empty(), "there is no scheme file in what was named");
    names = files.iter().map(|file| name(file)).collect();
    names.sort();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("two files are called {}: play them one by one", twice[0]);
    }
    Ok(files)
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
