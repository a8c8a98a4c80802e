//! Rows of the state as the documents that clients get.

use musubi_ledger::{
    amount::Amount,
    api::{
        BalanceView, Durability, EntryView, InstrumentView, KeyView, LotView, PartyView,
        ProposalView, SpendableOf, SpendableView, Stage, Status, Verdict, WalletView,
    },
    code::Code,
    execute::{Head, ItemResult},
    id::{InstrumentId, PartyId, TxId},
    instrument::Totals,
    judge::missing_consents,
    spend::{self, Between},
    state::{Judged, ReadState, Row, RowKey, Shared},
    time::Time,
    transaction::Transaction,
    wallet::Wallet,
};

use super::access::{Read, ReadFault, Recorded};

/// Not known here.
pub(super) fn unknown(id: TxId, node: Head) -> Status {
    Status {
        id,
        stage: Stage::Unknown,
        verdict: Verdict::Pending,
        durability: None,
        code: None,
        detail: None,
        height: None,
        time: None,
        leaf: None,
        node_height: node.height,
        node_time: node.time,
    }
}

/// On its way.
pub(super) fn pending(id: TxId, node: Head) -> Status {
    Status { stage: Stage::Pending, ..unknown(id, node) }
}

/// Judged, as the state keeps it for ever.
pub(super) fn judged(id: TxId, judged: &Judged, node: Head) -> Status {
    Status {
        stage: Stage::Judged,
        verdict: verdict(judged.code),
        durability: Some(Durability::Committed),
        code: Some(judged.code),
        detail: Some(judged.code.sentence().into()),
        height: Some(judged.height),
        time: Some(judged.time),
        leaf: Some(judged.leaf),
        // The head may have been looked at before the block that judged it was recorded.
        node_height: node.height.max(judged.height),
        node_time: node.time.max(judged.time),
        ..unknown(id, node)
    }
}

/// Just ordered: a verdict, or void.
pub(super) fn ordered(result: &ItemResult, block: Head, node: Head) -> Status {
    Status {
        stage: if result.leaf.is_some() { Stage::Judged } else { Stage::Void },
        verdict: result.leaf.map_or(Verdict::Pending, |_| verdict(result.code)),
        durability: result.leaf.map(|_| Durability::Committed),
        code: Some(result.code),
        detail: Some(result.code.sentence().into()),
        height: Some(block.height),
        time: Some(block.time),
        leaf: result.leaf,
        node_height: node.height.max(block.height),
        node_time: node.time.max(block.time),
        ..unknown(result.id, node)
    }
}

fn verdict(code: Code) -> Verdict {
    if code == Code::Applied { Verdict::Applied } else { Verdict::Rejected }
}

/// A status whose body expires then: once block time has passed that without a verdict, there will be none.
pub(super) fn expiring(status: Status, expires: Time) -> Status {
    let open = matches!(status.stage, Stage::Unknown | Stage::Void);
    let over = open && status.verdict == Verdict::Pending && status.node_time >= expires;
    let verdict = if over { Verdict::Expired } else { status.verdict };
    Status { verdict, ..status }
}

/// A status as firm as a final checkpoint of that many leaves makes it.
pub(super) fn firm(status: Status, final_size: u64) -> Status {
    match status.leaf {
        Some(leaf) if leaf < final_size => Status { durability: Some(Durability::Final), ..status },
        _ => status,
    }
}

/// A wallet with its balances; `None` if the party has none.
pub(super) fn wallet(
    state: &dyn ReadState,
    party: PartyId,
    instruments: &[InstrumentId],
    head: Head,
) -> Option<WalletView> {
    let Some(Row::Wallet(wallet)) = state.row(&RowKey::Wallet(party)) else {
        return None;
    };
    let balances = instruments.iter().filter_map(|id| balance(state, party, &wallet, *id, head));
    Some(WalletView {
        party,
        leaves: wallet.leaves,
        balances: balances.collect(),
        height: head.height,
        time: head.time,
    })
}

/// What one party could pay another now; none if one of them is not on the ledger.
pub(super) fn spendable(
    state: &dyn ReadState,
    (payer, payee): (PartyId, PartyId),
    instruments: &[InstrumentId],
    head: Head,
) -> Option<SpendableView> {
    let party = |id| match state.row(&RowKey::Party(id)) {
        Some(Row::Party(party)) => Some(party),
        _ => None,
    };
    let (from, to) = (party(payer)?, party(payee)?);
    let Some(Row::Wallet(wallet)) = state.row(&RowKey::Wallet(payer)) else {
        return None;
    };
    let between = Between { from: (payer, &from), to: (payee, &to), now: head.time };
    let held = instruments.iter().filter(|id| wallet.of(**id).next().is_some());
    let of = |id: &InstrumentId| {
        let Some(Row::Instrument(of)) = state.row(&RowKey::Instrument(*id)) else {
            return None;
        };
        let (spendable, code) = match spend::towards(state, &between, (*id, &of), &wallet) {
            Ok(amount) => (amount, None),
            Err(code) => (Amount::ZERO, Some(code)),
        };
        Some(SpendableOf { instrument: *id, decimals: of.terms.decimals, spendable, code })
    };
    Some(SpendableView {
        party: payer,
        payee,
        instruments: held.filter_map(of).collect(),
        height: head.height,
        time: head.time,
    })
}

fn balance(
    state: &dyn ReadState,
    party: PartyId,
    wallet: &Wallet,
    instrument: InstrumentId,
    head: Head,
) -> Option<BalanceView> {
    let of_instrument = wallet.lots.iter().filter(|balance| balance.lot.instrument == instrument);
    let lots: Vec<LotView> = of_instrument
        .map(|balance| LotView {
            lot: balance.lot,
            spendable: balance.spendable,
            held: balance.held,
            claim: balance.claim,
            since: balance.since,
            usable: balance.lot.usable(head.time),
        })
        .collect();
    let receivable = match state.row(&RowKey::Receivable(party, instrument)) {
        Some(Row::Receivable(amount)) => amount,
        _ => Amount::ZERO,
    };
    if lots.is_empty() && receivable.is_zero() {
        return None;
    }
    let Some(Row::Instrument(of)) = state.row(&RowKey::Instrument(instrument)) else {
        return None;
    };
    let sum = |part: fn(&LotView) -> Amount| Amount(lots.iter().map(|lot| part(lot).0).sum());
    Some(BalanceView {
        instrument,
        decimals: of.terms.decimals,
        spendable: spend::spendable(wallet, (instrument, &of), head.time),
        held: sum(|lot| lot.held),
        claim: sum(|lot| lot.claim),
        receivable,
        lots,
    })
}

/// A party with its keys, and its group if it is one.
pub(super) fn party(state: &dyn ReadState, id: PartyId, head: Head) -> Option<PartyView> {
    let Some(Row::Party(party)) = state.row(&RowKey::Party(id)) else {
        return None;
    };
    let keys = party.keys.iter().filter_map(|key| match state.row(&RowKey::Key(*key)) {
        Some(Row::Key(record)) => Some(KeyView { key: *key, record }),
        _ => None,
    });
    let keys = keys.collect();
    let group = match state.row(&RowKey::Group(id)) {
        Some(Row::Group(group)) => Some(Shared::into_value(group)),
        _ => None,
    };
    Some(PartyView { id, party: Shared::into_value(party), keys, group, height: head.height })
}

/// A proposal and who is still missing.
pub(super) fn proposal(state: &dyn ReadState, id: TxId, head: Head) -> Option<ProposalView> {
    let Some(Row::Proposal(proposal)) = state.row(&RowKey::Proposal(id)) else {
        return None;
    };
    let missing = missing_consents(state, &proposal, head.time);
    Some(ProposalView { id, proposal: Shared::into_value(proposal), missing, height: head.height })
}

/// An instrument and its supply.
pub(super) fn instrument(
    state: &dyn ReadState,
    id: InstrumentId,
    head: Head,
) -> Option<InstrumentView> {
    let Some(Row::Instrument(instrument)) = state.row(&RowKey::Instrument(id)) else {
        return None;
    };
    let totals = match state.row(&RowKey::Totals(id)) {
        Some(Row::Totals(totals)) => Shared::into_value(totals),
        _ => Totals::default(),
    };
    Some(InstrumentView {
        id,
        instrument: Shared::into_value(instrument),
        totals,
        outstanding: totals.outstanding(),
        height: head.height,
    })
}

/// A recorded leaf as a line of history or feed.
pub(super) fn entry(recorded: Recorded) -> Read<EntryView> {
    let Recorded { entry, transaction } = recorded;
    Ok(EntryView {
        leaf: entry.index,
        height: entry.leaf.height,
        time: entry.leaf.time,
        id: entry.leaf.id,
        kind: entry.leaf.kind,
        code: entry.leaf.code,
        outcome: entry.outcome,
        transaction: transaction.map(|bytes| decode(&bytes)).transpose()?,
    })
}

/// Reads back what was judged; it decoded then, so now only a damaged store can be the reason.
pub(super) fn decode(bytes: &[u8]) -> Read<Transaction> {
    Transaction::decode(bytes).map_err(|e| ReadFault(format!("a judged transaction: {e}")))
}
