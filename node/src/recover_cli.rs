//! The commands of `musubi-node recover`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use musubi_ledger::genesis::Genesis;
use musubi_node::{
    config::{Config, read_key},
    init,
    recover::{
        RecoveryFile,
        apply::{Applied, apply},
        draft::{describe, draft},
        inspect::inspect,
        sign::sign,
    },
};

#[derive(Subcommand)]
pub(crate) enum Recover {
    /// Say what stopped nodes' data directories hold, and which log is the best
    Inspect {
        /// Data directories that survived
        #[arg(required = true)]
        dirs: Vec<PathBuf>,
    },
    /// Draft the recovery from the best surviving node's directory, to be signed
    Draft {
        /// That node's configuration
        #[arg(long)]
        config: PathBuf,
        /// The validators of the new epoch: a JSON list as `nodes` in a genesis draft
        #[arg(long)]
        validators: PathBuf,
        /// Why, for everybody to read, for ever
        #[arg(long)]
        reason: String,
        /// The new file
        #[arg(long)]
        out: PathBuf,
    },
    /// Say what a recovery does, and who has signed it
    Show {
        /// The file
        file: PathBuf,
        /// The genesis document
        #[arg(long)]
        genesis: PathBuf,
    },
    /// Sign it for an organisation
    Sign {
        /// The file, to which the signature is added
        file: PathBuf,
        /// The organisation's governance key: a file of 64 hexadecimal digits
        #[arg(long)]
        key: PathBuf,
        /// The genesis document
        #[arg(long)]
        genesis: PathBuf,
    },
    /// Put the signed recovery that the configuration names behind the surviving log
    Apply {
        /// The node's configuration, with `recovery` and the new members
        #[arg(long)]
        config: PathBuf,
    },
}

pub(crate) fn run(command: Recover) -> anyhow::Result<()> {
    match command {
        Recover::Inspect { dirs } => println!("{}", inspect(&dirs)?),
        Recover::Draft { config, validators, reason, out } => {
            let loaded = Config::load(&config)?;
            let file = draft(&loaded, &validators, &reason)?;
            init::create_new(&out, &json(&file)?)?;
            println!("{}\nwrote {}", describe(&file, &loaded.genesis)?, out.display());
        }
        Recover::Show { file, genesis } => {
            let genesis = read_genesis(&genesis)?;
            println!("{}", describe(&RecoveryFile::read(&file)?, &genesis)?);
        }
        Recover::Sign { file, key, genesis } => {
            let genesis = read_genesis(&genesis)?;
            let signed = sign(&RecoveryFile::read(&file)?, &genesis, &read_key(&key)?)?;
            // A crash leaves the file as it was, or signed: one rename.
            let draft = file.with_extension("signed");
            init::create_new(&draft, &json(&signed)?)?;
            std::fs::rename(&draft, &file)?;
            println!("{}", describe(&signed, &genesis)?);
        }
        Recover::Apply { config } => {
            let loaded = Config::load(&config)?;
            let epoch = loaded.epoch();
            println!(
                "{}",
                match apply(&loaded)? {
                    Applied::Now => format!(
                        "epoch {epoch} begins with this node's log: start it, and the others"
                    ),
                    Applied::Before =>
                        format!("epoch {epoch} has begun in this directory before: nothing to do"),
                    Applied::NotHere =>
                        format!("nothing to write here: this node gets epoch {epoch} with the log"),
                }
            );
        }
    }
    Ok(())
}

fn json(file: &RecoveryFile) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_string_pretty(file)?;
    text.push('\n');
    Ok(text.into_bytes())
}

fn read_genesis(path: &Path) -> anyhow::Result<Genesis> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    match Genesis::decode(&bytes) {
        Ok(genesis) => Ok(genesis),
        Err(error) => bail!("{}: {error}", path.display()),
    }
}
