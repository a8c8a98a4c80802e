//! What these tests share: the files of `docs/schemes`, and running one in process.

use std::{fs, path::PathBuf};

use musubi_schemes::{
    Mistakes, Otherwise, Report, Scheme, play::Fault, read_with, run, stage::InProcess,
};

/// Every scheme file: its name without `.toml`, and its text.
pub(crate) fn files() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schemes");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
    files.sort();
    assert!(!files.is_empty(), "there are scheme files");
    files
}

/// Reads a text as `name.toml`.
pub(crate) fn read(name: &str, text: &str, set: &[(String, String)]) -> Result<Scheme, Mistakes> {
    read_with(&format!("{name}.toml"), text, Otherwise { set, ..Otherwise::default() })
}

/// A text in which nothing is wrong.
pub(crate) fn sound(name: &str, text: &str) -> Scheme {
    read(name, text, &[]).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Plays a scheme on a chain of its own.
pub(crate) fn play(scheme: &Scheme) -> Result<Report, Fault> {
    run(scheme, &mut InProcess::open(&scheme.head.name, scheme.head.begins))
}
