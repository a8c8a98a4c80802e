//! Whether the sender signs: what the judge asks first of all, asked at the door already.
//!
//! Ordered, a transaction without it would be void and yet stay in the log for ever; and whoever can make
//! keys could send any number of them.

use musubi_ledger::{
    party::PartyStatus,
    state::{ReadState, Row, RowKey},
    time::Time,
    transaction::Transaction,
};

/// Whether a key of the sender's that signs at one of these times is among the signers: what the judge asks,
/// of whom a frozen sender's keys count too. The block that judges will be stamped by a clock, so both
/// the newest block's time and the clock are tried: a recovery takes effect in between.
pub(super) fn sender_signs(
    state: &dyn ReadState,
    transaction: &Transaction,
    times: [Time; 2],
) -> bool {
    let sender = transaction.body.sender;
    let Some(Row::Party(party)) = state.row(&RowKey::Party(sender)) else {
        return false;
    };
    party.status != PartyStatus::Closed
        && transaction.signatures.iter().any(|signature| {
            let key = signature.signer;
            match state.row(&RowKey::Key(key)) {
                Some(Row::Key(record)) if record.party == sender => {
                    times.iter().any(|now| party.is_signed_by(&key, record.status, *now))
                }
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use musubi_ledger::{
        execute::MemoryState,
        id::{ChainId, PartyId, Salt},
        keys::SecretKey,
        operation::Operation,
        party::{KeyRecord, KeyStatus, Party, PartyKind, PendingRecovery},
        state::Changes,
        transaction::{Body, Purpose, Role, Side},
    };

    use super::*;

    const ANN: PartyId = PartyId([1; 16]);
    const BEN: PartyId = PartyId([2; 16]);
    const NOW: [Time; 2] = [Time(1_000), Time(2_000)];

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32])
    }

    /// Ann has keys 1 to 5: active, rotated, revoked, compromised, waiting for a recovery; Ben has key 6.
    fn state(status: PartyStatus, recovery: Option<u64>) -> MemoryState {
        let pending =
            |effective| PendingRecovery { key: key(5).public(), effective: Time(effective) };
        let party = |status, recovery| Party {
            kind: PartyKind::Person,
            status,
            tag: None,
            registrar: ANN,
            organisation: None,
            keys: vec![],
            officers: vec![],
            attributes: vec![],
            recovery,
            freeze_evidence: None,
            opened: Time(0),
        };
        let mut changes = Changes::new();
        let ann = Row::Party(party(status, recovery.map(pending)).into());
        changes.insert(RowKey::Party(ANN), Some(ann));
        changes
            .insert(RowKey::Party(BEN), Some(Row::Party(party(PartyStatus::Active, None).into())));
        let all = [
            (1, ANN, KeyStatus::Active),
            (2, ANN, KeyStatus::Rotated),
            (3, ANN, KeyStatus::Revoked),
            (4, ANN, KeyStatus::Compromised),
            (5, ANN, KeyStatus::Waiting),
            (6, BEN, KeyStatus::Active),
        ];
        for (n, party, status) in all {
            let record = KeyRecord { party, status, since: Time(0) };
            changes.insert(RowKey::Key(key(n).public()), Some(Row::Key(record)));
        }
        let mut state = MemoryState::default();
        state.apply(&changes);
        state
    }

    /// By Ann, signed by these keys.
    fn signed(keys: &[u8]) -> Transaction {
        let body = Body {
            chain: ChainId([0; 32]),
            rules_version: 1,
            sender: ANN,
            reference: "r".parse().expect("a reference"),
            salt: Salt([0; 16]),
            expires: Time(5_000),
            purpose: Purpose::NONE,
            memo: None,
            answers: None,
            on_behalf_of: None,
            operation: Operation::CancelRecovery { party: ANN },
        };
        let sign = |n: &u8| body.sign(Side::Authority, Role::Holder, ANN, &key(*n));
        let signatures = keys.iter().map(sign).collect();
        Transaction::new(body, signatures)
    }

    /// Which single keys count.
    fn counting(state: &MemoryState) -> Vec<u8> {
        (0..=7).filter(|n| sender_signs(state, &signed(&[*n]), NOW)).collect()
    }

    #[test]
    fn only_a_current_key_of_the_senders_counts_and_one_is_enough() {
        let active = state(PartyStatus::Active, None);
        assert_eq!(counting(&active), [1]);
        assert!(sender_signs(&active, &signed(&[0, 6, 1]), NOW));
        assert!(!sender_signs(&active, &signed(&[0, 6, 7]), NOW), "strangers and others");
        assert!(!sender_signs(&active, &signed(&[]), NOW));
        assert!(!sender_signs(&MemoryState::default(), &signed(&[1]), NOW), "nobody is registered");
    }

    #[test]
    fn the_frozen_may_ask_and_the_closed_may_not() {
        assert_eq!(counting(&state(PartyStatus::Frozen, None)), [1]);
        assert_eq!(counting(&state(PartyStatus::Closed, None)), [0_u8; 0]);
    }

    #[test]
    fn a_recovery_counts_from_its_moment_on_by_chain_or_clock() {
        assert_eq!(counting(&state(PartyStatus::Frozen, Some(2_001))), [1], "still waits");
        assert_eq!(counting(&state(PartyStatus::Frozen, Some(1_500))), [1, 5], "between the two");
        assert_eq!(counting(&state(PartyStatus::Frozen, Some(1_000))), [5]);
    }
}
