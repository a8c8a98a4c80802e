//! Keys: adding, rotating, revoking, recovering; freezing.

use super::{
    register::{KeyIs, Recovery},
    *,
};

/// Live keys of one party, at most.
const KEYS: usize = 32;

/// Parties about whom the organisations decide together.
pub(super) fn official(kind: PartyKind) -> bool {
    [PartyKind::Issuer, PartyKind::Registrar, PartyKind::Operator].contains(&kind)
}

impl Model {
    pub(super) fn add_key(&mut self, op: &AddKey, by: &Signatures) -> Result<(), Code> {
        let kind = self.active(op.party)?;
        demand(kind != PartyKind::Group, Code::WrongKind)?;
        if official(kind) {
            by.governance()?;
        } else {
            by.own(Side::Authority, Role::Holder, op.party)?;
        }
        by.proves(op.party, op.key)?;
        self.enter(op.party, op.key, KeyIs::Active)
    }

    pub(super) fn rotate_key(&mut self, op: &RotateKey, by: &Signatures) -> Result<(), Code> {
        self.active(op.party)?;
        if !by.0.iter().any(|s| s.key == op.old && s.owner == Ok(op.party)) {
            by.own(Side::Authority, Role::Holder, op.party)?;
            return Err(Code::MissingConsent);
        }
        by.proves(op.party, op.new)?;
        self.enter(op.party, op.new, KeyIs::Active)?;
        self.register.end(op.old, KeyIs::Ended, self.now);
        Ok(())
    }

    pub(super) fn revoke_key(&mut self, op: &RevokeKey, by: &Signatures) -> Result<(), Code> {
        self.stops(op.party, by)?;
        let (owner, is) = *self.register.keys.get(&op.key).ok_or(Code::KeyUnknown)?;
        demand(owner == op.party, Code::KeyUnknown)?;
        let worsens = is == KeyIs::Ended && op.compromised;
        demand(is == KeyIs::Active || worsens, Code::KeyNotActive)?;
        let last = self.register.keys_of(op.party, &[KeyIs::Active]) == [op.key];
        demand(!last || op.compromised, Code::LastKey)?;
        let ended = if op.compromised { KeyIs::Compromised } else { KeyIs::Ended };
        self.register.end(op.key, ended, self.now);
        Ok(())
    }

    pub(super) fn freeze(&mut self, party: PartyId, by: &Signatures) -> Result<(), Code> {
        self.active(party)?;
        self.stops(party, by)?;
        self.frozen.insert(party);
        Ok(())
    }

    pub(super) fn unfreeze(&mut self, party: PartyId, by: &Signatures) -> Result<(), Code> {
        self.two_officers(party, by)?;
        demand(self.frozen.remove(&party), Code::NotFrozen)?;
        demand(!self.suspended(party), Code::RecoveryPending)
    }

    pub(super) fn recover(&mut self, op: &Recover, by: &Signatures) -> Result<(), Code> {
        demand(self.kind(op.party)? != PartyKind::Group, Code::WrongKind)?;
        self.two_officers(op.party, by)?;
        by.proves(op.party, op.key)?;
        demand(!self.suspended(op.party), Code::RecoveryPending)?;
        self.enter(op.party, op.key, KeyIs::Waiting)?;
        let lifts = self.frozen.contains(&op.party);
        let effective = self.now + crate::common::DELAY;
        self.register.recoveries.insert(op.party, Recovery { key: op.key, effective, lifts });
        Ok(())
    }

    /// Any current key of the party stops it, even while it is frozen.
    pub(super) fn cancel_recovery(&mut self, party: PartyId, by: &Signatures) -> Result<(), Code> {
        self.kind(party)?;
        if !by.0.iter().any(|s| self.register.signs(&s.key) == Some(party)) {
            self.two_officers(party, by)?;
        }
        let recovery = self.register.recoveries.remove(&party).ok_or(Code::NoRecovery)?;
        self.register.end(recovery.key, KeyIs::Ended, self.now);
        Ok(())
    }

    /// The new key is the only one once its time has come.
    pub(super) fn end_recoveries(&mut self) {
        for (party, recovery) in self.register.recoveries.clone() {
            if recovery.effective > self.now {
                continue;
            }
            for old in self.register.keys_of(party, &[KeyIs::Active]) {
                self.register.end(old, KeyIs::Ended, recovery.effective);
            }
            self.register.keys.insert(recovery.key, (party, KeyIs::Active));
            self.register.recoveries.remove(&party);
            if recovery.lifts {
                self.frozen.remove(&party);
            }
        }
    }

    pub(super) fn kind(&self, party: PartyId) -> Result<PartyKind, Code> {
        self.kinds.get(&party).copied().ok_or(Code::UnknownParty)
    }

    /// A key is one party's for ever.
    pub(super) fn enter(&mut self, party: PartyId, key: PublicKey, is: KeyIs) -> Result<(), Code> {
        demand(!self.register.keys.contains_key(&key), Code::KeyExists)?;
        let live = self.register.keys_of(party, &[KeyIs::Active, KeyIs::Waiting]);
        demand(live.len() < KEYS, Code::TooManyKeys)?;
        self.register.keys.insert(key, (party, is));
        Ok(())
    }

    /// The party itself or an officer of its registrar; for officials one of their own officers, or the
    /// organisations.
    fn stops(&self, party: PartyId, by: &Signatures) -> Result<(), Code> {
        let kind = self.kind(party)?;
        let Err(own) = self.holder(by, Side::Authority, party) else {
            return Ok(());
        };
        if official(kind) {
            return demand(by.officers(party, 1).is_ok() || by.governance().is_ok(), own);
        }
        match by.officers(self.register.registrars[&party], 1) {
            Err(Code::MissingConsent) => Err(own),
            other => other,
        }
    }

    /// Two officers of the party's registrar; for officials the organisations.
    fn two_officers(&self, party: PartyId, by: &Signatures) -> Result<(), Code> {
        if official(self.kind(party)?) {
            return by.governance();
        }
        let registrar = self.register.registrars[&party];
        self.active(registrar)?;
        by.officers(registrar, 2)
    }
}
