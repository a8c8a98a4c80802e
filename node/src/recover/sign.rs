//! `musubi-node recover sign`: an organisation's governance key under a recovery.

use anyhow::bail;
use musubi_ledger::{
    genesis::Genesis,
    keys::SecretKey,
    policy::Recovery,
    transaction::{Role, Side, Transaction},
};

use super::RecoveryFile;

/// Adds the signature of the organisation whose governance key this is.
///
/// # Errors
/// If the file is no recovery of this ledger, or the key no organisation's.
pub fn sign(
    file: &RecoveryFile,
    genesis: &Genesis,
    key: &SecretKey,
) -> anyhow::Result<RecoveryFile> {
    Recovery::drafted(&file.recovery, genesis)?;
    let Some(organisation) = genesis.organisations.iter().find(|o| o.governance == key.public())
    else {
        bail!(
            "{} is the governance key of no organisation in the genesis document: those alone count, since everybody \
             can check them offline",
            key.public()
        );
    };
    let body = file.recovery.body.clone();
    let own = body.sign(Side::Authority, Role::Governance, organisation.party, key);
    let signatures = [file.recovery.signatures.clone(), vec![own]].concat();
    Ok(RecoveryFile { recovery: Transaction::new(body, signatures), ..file.clone() })
}
