//! Every maximum of the ledger in one place, with the relations between them checked at compile time.
//!
//! Sizes are bytes, durations milliseconds, unless a name says otherwise.

/// A signed transaction's canonical bytes.
pub const TRANSACTION_BYTES_MAX: usize = 32 * 1024;
/// A batch's canonical bytes: what one Raft entry carries.
pub const BATCH_BYTES_MAX: usize = 480 * 1024;
/// Items in one batch.
pub const BATCH_ITEMS_MAX: usize = 4_096;
/// An evidence file: two signed notes, or the item hashes of two batches.
pub const EVIDENCE_BYTES_MAX: usize = 640 * 1024;
/// One Raft message between members.
pub const MESSAGE_BYTES_MAX: usize = 512 * 1024;
/// One frame on a network stream.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Body of an ordinary HTTP request.
pub const HTTP_BODY_BYTES_MAX: usize = 64 * 1024;
/// Body of a bulk submission over HTTP.
pub const HTTP_BULK_BYTES_MAX: usize = 480 * 1024;
/// Signatures on one transaction.
pub const SIGNATURES_MAX: usize = 16;
/// How far ahead of block time a transaction's expiry may lie.
pub const SUBMISSION_WINDOW_MS: u64 = 24 * 3_600_000;
/// How long a proposal may stay open, whatever its policy says.
pub const PROPOSAL_WINDOW_MS: u64 = 90 * 24 * 3_600_000;
/// How long an issuer may take to answer a redemption before the claim returns.
pub const REDEMPTION_WINDOW_MS: u64 = 90 * 24 * 3_600_000;
/// How far ahead of a follower's clock a batch may be stamped (decision 8).
pub const STAMP_AHEAD_MS_MAX: u64 = 5_000;
/// An idle leader proposes an empty batch after this long.
pub const IDLE_BATCH_MS: u64 = 10_000;
/// System leaves that one block appends at most.
pub const SYSTEM_LEAVES_MAX: usize = 1_000;
/// Lots of one instrument in one wallet.
pub const LOTS_PER_INSTRUMENT_MAX: usize = 256;
/// Instruments in one wallet.
pub const INSTRUMENTS_PER_WALLET_MAX: usize = 32;
/// Legs (instruments) of one movement.
pub const LEGS_MAX: usize = 4;
/// Instruments that one payment may be made in.
pub const TENDER_MAX: usize = 8;
/// Alternatives of a predicate, and tests of each.
pub const PREDICATE_PARTS_MAX: usize = 4;
/// Limits of one instrument.
pub const INSTRUMENT_LIMITS_MAX: usize = 8;
/// Rules of one instrument for one trigger that may still give.
pub const RULES_PER_BOOK_MAX: usize = 64;
/// A rule's canonical bytes: a book of them fits into a row.
pub const RULE_BYTES_MAX: usize = 4 * 1024;
/// Caps of one rule.
pub const RULE_CAPS_MAX: usize = 6;
/// Lines of a rule's table.
pub const RULE_TABLE_MAX: usize = 16;
/// Legs of a split.
pub const SPLIT_LEGS_MAX: usize = 4;
/// Lines of one list of dues: each has a request by a derived id of one byte.
pub const DUES_LINES_MAX: usize = 200;
/// Rates on one document.
pub const TAX_LINES_MAX: usize = 8;
/// Named thresholds of one instrument.
pub const TIERS_MAX: usize = 8;
/// An offer's canonical bytes.
pub const OFFER_BYTES_MAX: usize = 4 * 1024;
/// Tiers of a lottery.
pub const LOTTERY_TIERS_MAX: usize = 4;
/// Applications that one step of a draw looks at.
pub const DRAW_STEP: usize = 256;
/// Shops that one coupon may name.
pub const COUPON_SHOPS_MAX: usize = 32;
/// Coupons that one payment may use.
pub const COUPONS_MAX: usize = 4;
/// Entitlements that one transaction gives.
pub const ENTITLEMENTS_MAX: usize = 128;
/// What rules may post in one transaction; those that come later give nothing.
pub const DERIVED_MAX: usize = 16;
/// Lines of one run.
pub const RUN_LINES_MAX: u32 = 100_000;
/// The largest chunk of a run is two to this power: 64 lines.
pub const RUN_CHUNK_LEVEL_MAX: u8 = 6;
/// Hashes on the path from a line to its run's root.
pub const RUN_PROOF_MAX: usize = 17;
/// Lines of a run that one row of the state counts.
pub const RUN_LINES_PER_ROW: u32 = 1_024;
/// Merchants of one settlement, and lines that one answer is about.
pub const SETTLE_LINES_MAX: usize = 64;
/// How long before the use of a prepaid instrument may end its holders are told (Payment Services Act art. 20 (1)).
pub const WIND_DOWN_NOTICE_MS: u64 = 60 * 24 * 3_600_000;
/// Keys that one party's row names: beyond it the key that ended first makes room.
pub const KEYS_PER_PARTY_MAX: usize = 32;
/// Keys that one registration may bring.
pub const KEYS_PER_REGISTRATION_MAX: usize = 4;
/// Attributes of one party.
pub const ATTRIBUTES_MAX: usize = 32;
/// Officers of one registrar, issuer or organisation.
pub const OFFICERS_MAX: usize = 64;
/// Layers of groups above one.
pub const GROUP_LAYERS_MAX: usize = 8;
/// Persons with a role in one group.
pub const GROUP_ROLES_MAX: usize = 128;
/// Amount bands of one group policy.
pub const BANDS_MAX: usize = 8;
/// Approvals that a band may ask for.
pub const APPROVERS_MAX: u8 = 8;
/// Instruments named by one mandate.
pub const MANDATE_INSTRUMENTS_MAX: usize = 8;
/// Parties that may spend under one event budget.
pub const MANDATE_STAFF_MAX: usize = 32;
/// Consents recorded by one proposal.
pub const PROPOSAL_CONSENTS_MAX: usize = 24;
/// Bytes of a client's reference (idempotency key).
pub const REFERENCE_BYTES_MAX: usize = 64;
/// Bytes of an attribute's name or value.
pub const ATTRIBUTE_BYTES_MAX: usize = 64;
/// Bytes of an instrument's code.
pub const INSTRUMENT_CODE_BYTES: usize = 16;
/// A wallet proof's canonical bytes: a wallet of every lot it may have fits.
pub const WALLET_PROOF_BYTES_MAX: usize = 1024 * 1024;
/// Lines of one statement.
pub const STATEMENT_LINES_MAX: usize = 10_000;
/// Leaves behind a statement's end that it may list to show that nothing was left out.
pub const STATEMENT_LEAVES_AFTER_MAX: usize = 50_000;
/// One part of a statement: its head with the wallets, or a line.
pub const STATEMENT_PART_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A statement's bytes.
pub const STATEMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a memo's text.
pub const MEMO_BYTES_MAX: usize = 1024;
/// Keys for which one memo is written.
pub const MEMO_READERS_MAX: usize = 32;
/// Bytes of a memo's blob, kept beside the log: version, commitment, the key for each reader, the text with its
/// length and tag.
pub const MEMO_BLOB_BYTES_MAX: usize =
    1 + 32 + 8 + MEMO_READERS_MAX * 112 + 8 + 2 + MEMO_BYTES_MAX + 16;
/// Nodes, organisations, parties and instruments that a genesis document may name.
pub const GENESIS_NODES_MAX: usize = 31;
/// Cosigners of one witness policy: with the log keys they fit into one note.
pub const WITNESSES_MAX: usize = 32;
/// Bytes of a genesis document.
pub const GENESIS_BYTES_MAX: usize = 1024 * 1024;

const _: () = {
    assert!(TRANSACTION_BYTES_MAX < HTTP_BODY_BYTES_MAX);
    assert!(TRANSACTION_BYTES_MAX + MEMO_BLOB_BYTES_MAX + 8 < HTTP_BODY_BYTES_MAX);
    assert!(TRANSACTION_BYTES_MAX < BATCH_BYTES_MAX);
    assert!(HTTP_BULK_BYTES_MAX <= BATCH_BYTES_MAX);
    assert!(BATCH_BYTES_MAX < MESSAGE_BYTES_MAX);
    assert!(MESSAGE_BYTES_MAX < FRAME_BYTES_MAX);
    assert!(2 * (32 * BATCH_ITEMS_MAX + 256) < EVIDENCE_BYTES_MAX);
    assert!(32 * BATCH_ITEMS_MAX + TRANSACTION_BYTES_MAX + 256 < EVIDENCE_BYTES_MAX);
    assert!(2 * crate::tlog::note::MAX_NOTE_BYTES + 64 * 32 + 256 < EVIDENCE_BYTES_MAX);
    assert!(EVIDENCE_BYTES_MAX < FRAME_BYTES_MAX);
    assert!(RUN_LINES_MAX <= 1 << RUN_PROOF_MAX);
    // With its signatures and the rest of the body.
    assert!((82 << RUN_CHUNK_LEVEL_MAX) + 32 * RUN_PROOF_MAX + 4_096 < TRANSACTION_BYTES_MAX);
    // A chunk's lines stand in one row.
    assert!(RUN_LINES_PER_ROW.is_multiple_of(1 << RUN_CHUNK_LEVEL_MAX));
    assert!(SUBMISSION_WINDOW_MS < PROPOSAL_WINDOW_MS);
    assert!(WITNESSES_MAX + GENESIS_NODES_MAX < crate::tlog::note::MAX_SIGNATURES);
    assert!(STAMP_AHEAD_MS_MAX < IDLE_BATCH_MS);
    // With its keys and times.
    assert!(
        RULES_PER_BOOK_MAX * (RULE_BYTES_MAX + 64 + 32 * SIGNATURES_MAX) < GENESIS_BYTES_MAX / 2
    );
    assert!(DUES_LINES_MAX <= u8::MAX as usize + 1);
    assert!(WALLET_PROOF_BYTES_MAX <= STATEMENT_PART_BYTES_MAX);
    assert!(STATEMENT_PART_BYTES_MAX < STATEMENT_BYTES_MAX);
    assert!(PROPOSAL_CONSENTS_MAX >= APPROVERS_MAX as usize + 2);
};
