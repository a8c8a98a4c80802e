//! Drafts about parties and their keys.

use musubi_ledger::{
    id::{DocumentHash, PartyId},
    keys::PublicKey,
    operation::{
        AddKey, Attest, Freeze, Operation, Recover, RegisterParty, RevokeKey, RotateKey,
        SetOfficers,
    },
    party::Attribute,
};

use super::{Composer, Draft};

impl Composer {
    /// Puts a party on the ledger; an officer of the registrar sends, every key of the party signs.
    pub fn register(&self, sender: PartyId, mut party: RegisterParty) -> Draft {
        party.attributes.sort();
        self.draft(sender, Operation::RegisterParty(party))
    }

    /// Attests attributes of a party.
    pub fn attest(
        &self,
        sender: PartyId,
        registrar: PartyId,
        party: PartyId,
        mut attributes: Vec<Attribute>,
    ) -> Draft {
        attributes.sort();
        let attest = Attest { party, registrar, attributes };
        self.draft(sender, Operation::Attest(attest))
    }

    /// Replaces the officers of a registrar, issuer or organisation.
    pub fn set_officers(
        &self,
        sender: PartyId,
        party: PartyId,
        mut officers: Vec<PartyId>,
    ) -> Draft {
        officers.sort_unstable();
        self.draft(sender, Operation::SetOfficers(SetOfficers { party, officers }))
    }

    /// One more key for a party; an old key and the new one sign.
    pub fn add_key(&self, party: PartyId, key: PublicKey) -> Draft {
        self.draft(party, Operation::AddKey(AddKey { party, key }))
    }

    /// A new key for an old one; both sign.
    pub fn rotate_key(&self, party: PartyId, old: PublicKey, new: PublicKey) -> Draft {
        self.draft(party, Operation::RotateKey(RotateKey { party, old, new }))
    }

    /// Ends a key.
    pub fn revoke_key(
        &self,
        sender: PartyId,
        party: PartyId,
        key: PublicKey,
        compromised: bool,
    ) -> Draft {
        let revoke = RevokeKey { party, key, compromised };
        self.draft(sender, Operation::RevokeKey(revoke))
    }

    /// Stops a party at once.
    pub fn freeze(&self, sender: PartyId, party: PartyId, evidence: DocumentHash) -> Draft {
        self.draft(sender, Operation::Freeze(Freeze { party, evidence }))
    }

    /// Ends a freeze.
    pub fn unfreeze(&self, sender: PartyId, party: PartyId) -> Draft {
        self.draft(sender, Operation::Unfreeze { party })
    }

    /// A new key for a person who lost theirs.
    pub fn recover(
        &self,
        sender: PartyId,
        party: PartyId,
        key: PublicKey,
        evidence: DocumentHash,
    ) -> Draft {
        let recover = Recover { party, key, evidence };
        self.draft(sender, Operation::Recover(recover))
    }

    /// Stops a recovery that waits.
    pub fn cancel_recovery(&self, sender: PartyId, party: PartyId) -> Draft {
        self.draft(sender, Operation::CancelRecovery { party })
    }
}
