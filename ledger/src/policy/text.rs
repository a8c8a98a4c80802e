//! A policy as C2SP tlog-policy text, which other tools of transparency logs read.

use std::fmt::Write as _;

use super::{Member, Trusted, WitnessPolicy};
use crate::tlog::vkey::{Algorithm, KeyError, VerifierKey};

impl WitnessPolicy {
    /// The policy for the log `origin`: a `log` line for each validator, a `witness` line for each cosigner, a
    /// group for each organisation, of which any cosigner will do, and the quorum among the members.
    ///
    /// # Errors
    /// [`KeyError`] if the origin or a name cannot stand in a key: the policy was not checked.
    pub fn to_text(&self, origin: &str) -> Result<String, KeyError> {
        let mut text = String::new();
        let mut line = |args: std::fmt::Arguments<'_>| {
            text.write_fmt(args).expect("a string takes all text");
            text.push('\n');
        };
        line(format_args!("# Witness policy {} of {origin}", self.number));
        for log in &self.logs {
            let key = VerifierKey::new(origin, Algorithm::Ed25519, &log.key.0)?;
            line(format_args!("log {key}"));
        }
        for witness in &self.witnesses {
            let key = VerifierKey::new(&witness.name, Algorithm::CosignatureV1, &witness.key.0)?;
            line(format_args!("witness {} {key}", witness.name));
        }
        let mut voices = Vec::new();
        for member in self.members() {
            let witness = &self.witnesses[member];
            let Member::Organisation(party) = witness.member else {
                voices.push(witness.name.clone());
                continue;
            };
            let of_party = self.witnesses.iter().filter(|w| w.member == witness.member);
            let names: Vec<&str> = of_party.map(|w| w.name.as_str()).collect();
            line(format_args!("group {party} any {}", names.join(" ")));
            voices.push(party.to_string());
        }
        line(format_args!("group final {} {}", self.quorum, voices.join(" ")));
        line(format_args!("quorum final"));
        Ok(text)
    }
}

impl Trusted {
    /// The policy as C2SP tlog-policy text.
    ///
    /// # Panics
    /// Never: a trusted policy's names were checked when it was made.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.policy().to_text(self.origin()).expect("checked by Trusted::new")
    }
}
