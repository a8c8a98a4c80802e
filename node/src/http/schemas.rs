//! JSON Schemas of what travels: the ledger's types and `ledger::api`, in a small notation.
//!
//! One line per type. `A?` may be null or absent, `[A]` is a list, `(A, B)` a list of exactly these, a
//! capitalised name another schema. Integration tests hold real documents against these schemas, so a
//! field that is added to a type and not here fails there.

use serde_json::{Map, Value, json};

use super::{schemas_offers::OFFERS, schemas_papers::PAPERS};

/// Scalars: name, JSON schema type, pattern, what it is.
const SCALARS: &[(&str, &str, &str)] = &[
    (
        "Amount",
        "^(0|[1-9][0-9]{0,19})$",
        "A whole number of the instrument's smallest unit, below 2^64",
    ),
    ("TxId", "^[0-9a-f]{64}$", "A transaction's id: hash of its body"),
    ("ChainId", "^[0-9a-f]{64}$", "SHA-256 of the genesis document"),
    ("Hash", "^[0-9a-f]{64}$", "32 bytes"),
    ("Bytes16", "^[0-9a-f]{32}$", "16 bytes"),
    ("PublicKey", "^[0-9a-f]{64}$", "An Ed25519 public key"),
    ("SignatureBytes", "^[0-9a-f]{128}$", "An Ed25519 signature"),
    ("PartyId", "^party1[02-9ac-hj-np-z]{32}$", "A party"),
    ("MediumId", "^medium1[02-9ac-hj-np-z]{32}$", "A medium"),
    ("InstrumentId", "^[A-Z0-9-]{1,16}$", "An instrument's code"),
    ("Reference", "^[!-~]{1,64}$", "The sender's own name for one intent"),
    ("RegistrationNumber", "^T[0-9]{13}$", "An issuer of qualified invoices"),
    ("Code", "^[a-z_]+$", "A stable code; docs/API.md lists them"),
];

/// Choices between names.
const ENUMS: &[(&str, &str)] = &[
    ("Stage", "unknown pending judged void"),
    ("Verdict", "pending applied rejected expired"),
    ("Durability", "committed final"),
    ("LeafKind", "genesis transaction system seal"),
    ("EvidenceKind", "double_batch bad_item two_roots rewritten"),
    ("Side", "authority debit credit"),
    (
        "Role",
        "holder drafter approver representative officer issuer terminal funder governance code",
    ),
    ("PartyKind", "person group merchant issuer registrar operator external"),
    ("PartyStatus", "active frozen closed"),
    ("KeyStatus", "active rotated revoked compromised waiting"),
    ("GroupLife", "forming active closing"),
    ("OriginKind", "free grant paid"),
    ("Holding", "spendable held claim"),
    ("Sign", "minus plus"),
    ("Form", "none live mandate request allowance terms attested time run offer"),
    ("Direction", "debit credit"),
    ("Decision", "consent decline withdraw"),
    ("CorrectionReason", "chargeback erroneous_issue court_order"),
    ("Regime", "public six_month prepaid_third prepaid_own free funds_transfer counter"),
    ("TransferRule", "none with_groups peer_to_peer"),
    ("OnAccept", "claim keep renew"),
    ("Life", "draft open issue_ended use_ended redemption_ended barred"),
    ("LimitOf", "wallet transfer transfers_per_month purchase purchases_per_day"),
    ("Shortfall", "refuse receivable issuer_bears"),
    ("Trigger", "top_up purchase transfer redeem take"),
    ("Base", "gross after_discount paid_lots tender run_total"),
    ("Rounding", "floor ceil half_up"),
    ("Giver", "payer payee"),
    ("Scope", "event payer household payee all"),
    ("Period", "ever day month fiscal_year"),
    ("CapOf", "given times"),
    ("Over", "truncate skip refuse"),
    ("Basis", "net gross"),
    ("ReportKind", "unused kpi accounts settlement statement"),
];

/// Choices between variants with content, each an object of one key; a variant without content is its name.
const UNIONS: &[(&str, &str)] = &[
    ("Account", "wallet: PartyId, issuance: PartyId"),
    ("Citation", "live, mandate: TxId, request, medium: CitedMedium"),
    ("Counterparty", "any, party: PartyId, kind: PartyKind, attribute: (PartyKind, AttributeTest)"),
    ("Span", "days: u16, months: u16"),
    ("Validity", "none, at: u64, after: Span, sliding: Span"),
    ("LateRefund", "expire_at_once, grace: u16"),
    ("InstrumentChange", "life: LifeStep, supply_max: Amount?, document: Hash"),
    ("RequestStatus", "open, answered: TxId, withdrawn, expired, cash: TxId"),
    ("DuesMember", "party: PartyId, roster: Bytes16"),
    (
        "ProposalStatus",
        "open, completed: TxId, declined: TxId, withdrawn: TxId, expired, cancelled",
    ),
    ("RedemptionStatus", "open, answered: RedemptionAnswer, timed_out"),
    ("RedemptionAnswer", "paid: Payout, returned: Notice"),
    ("RepayBy", "wallet, outside: Outside"),
    ("HoldAnswer", "settled: Delivered, returned: Notice"),
    ("HoldStatus", "open, answered: HoldAnswer, timed_out"),
    (
        "Operation",
        "transfer: Movement, top_up: TopUp, propose: Propose, decide: Decide, \
         request_payment: RequestPayment, cancel_request: CancelRequest, refund: Refund, correct: Correct, \
         request_redemption: RequestRedemption, answer_redemption: AnswerRedemption, \
         grant_mandate: GrantMandate, revoke_mandate: RevokeMandate, grant_allowance: GrantAllowance, \
         revoke_allowance: RevokeAllowance, define_instrument: DefineInstrument, \
         register_party: RegisterParty, attest: Attest, set_officers: SetOfficers, add_key: AddKey, \
         rotate_key: RotateKey, revoke_key: RevokeKey, freeze: Freeze, unfreeze: OfParty, \
         recover: Recover, cancel_recovery: OfParty, enrol_medium: EnrolMedium, \
         revoke_medium: RevokeMedium, create_group: CreateGroup, change_group: ChangeGroup, \
         install_successors: InstallSuccessors, close_group: OfGroup, \
         change_witness_policy: WitnessPolicy, begin_epoch: BeginEpoch, pay: Pay, touch: Touch, \
         change_instrument: ChangeInstrument, put_rule: PutRule, end_rule: EndRule, \
         issue_document: IssueDocument, put_offer: PutOffer, end_offer: EndOffer, entitle: Entitle, \
         withdraw_entitlement: WithdrawEntitlement, take: Take, \
         request_many: RequestMany, record_cash: RecordCash, \
         hold: Hold, answer_hold: AnswerHold, set_parent: SetParent, repay: Repay, apply: Apply, \
         reveal_draw: RevealDraw, count_draw: CountDraw, open_run: OpenRun, run_chunk: RunChunk, end_run: EndRun, \
         pay_with_coupons: PayWithCoupons, settle: Settle, answer_settlement: AnswerSettlement",
    ),
    (
        "Fact",
        "rule: RuleFact, unwound: UnwoundFact, taken: TakenFact, coupon: CouponFact, ranked: RankedFact, \
         line: LineFact, fee: FeeFact, coupon_back: CouponBackFact",
    ),
    (
        "DocumentKind",
        "receipt: Receipt, invoice: Invoice, credit_note: CreditNote, report: SignedReport",
    ),
    ("Gives", "gift: Gift, set: Set, coupon: Coupon"),
    ("Sponsor", "payee, party: PartyId"),
    ("Price", "outside: OutsidePrice, exchange: Exchange"),
    ("Payment", "nothing, outside: Hash, value"),
    ("Access", "open, entitled: GivenBy, code: PublicKey, lottery: Lottery"),
    ("Won", "all, up_to: LastPlace"),
    ("Cause", "event: Happening, code: PublicKey"),
    ("Showing", "nothing, entitlement: TxId, code: PublicKey"),
    ("EntitlementHolder", "party: PartyId, code: PublicKey"),
    ("Formula", "rate: Rate, fixed: Amount, steps: Steps, table: [Threshold]"),
    ("Recipient", "payer, payee, party: PartyId"),
    ("Post", "give: Give, share: Share, fee: Split"),
    ("BulkResult", "status: Status, problem: Problem"),
    ("Member", "organisation: PartyId, independent"),
];

/// Lists that are answers of their own.
const LISTS: &[(&str, &str)] = &[
    ("InstrumentList", "[InstrumentView]"),
    ("ProposalList", "[ProposalView]"),
    ("RuleList", "[RuleView]"),
    ("EvidenceList", "[EvidenceView]"),
];

/// Objects; nothing beside these fields is ever sent or taken.
const OBJECTS: &[(&str, &str)] = &[
    // Transactions.
    ("Transaction", "body: Body, signatures: [Signature]"),
    (
        "Body",
        "chain: ChainId, rules_version: u16, sender: PartyId, reference: Reference, salt: Bytes16, \
         expires: u64, purpose: u16, memo: Hash?, answers: TxId?, on_behalf_of: Bytes16?, \
         operation: Operation",
    ),
    (
        "Signature",
        "side: Side, role: Role, party: PartyId, signer: PublicKey, bytes: SignatureBytes",
    ),
    ("Leg", "instrument: InstrumentId, amount: Amount"),
    ("CitedMedium", "medium: MediumId, mandate: TxId"),
    ("Movement", "from: PartyId, to: PartyId, legs: [Leg], debit: Citation, credit: Citation"),
    (
        "TopUp",
        "allowance: TxId, to: PartyId, amount: Amount, origin: OriginKind, funder: PartyId, campaign: u32, \
         funding: Hash, credit: Citation",
    ),
    ("Propose", "movement: Movement, deadline: u64"),
    ("Decide", "proposal: TxId, decision: Decision"),
    (
        "RequestPayment",
        "payee: PartyId, payer: PartyId?, legs: [Leg], tender: [InstrumentId], due: u64",
    ),
    (
        "Pay",
        "from: PartyId, to: PartyId, instruments: [InstrumentId], amount: Amount, debit: Citation, credit: Citation",
    ),
    ("Touch", "party: PartyId, instrument: InstrumentId"),
    ("CancelRequest", "request: TxId"),
    ("Refund", "original: TxId, legs: [Leg]"),
    ("Correct", "original: TxId, legs: [Leg], reason: CorrectionReason, evidence: Hash"),
    ("RequestRedemption", "merchant: PartyId, leg: Leg, deadline: u64"),
    ("AnswerRedemption", "redemption: TxId, answer: RedemptionAnswer"),
    ("Payout", "payout: Hash"),
    ("Notice", "notice: Hash"),
    ("GrantMandate", "grantor: PartyId, terms: MandateTerms"),
    ("RevokeMandate", "mandate: TxId"),
    (
        "GrantAllowance",
        "instrument: InstrumentId, key: PublicKey, total: Amount, per_wallet: Amount, per_day: Amount, \
         end: u64",
    ),
    ("RevokeAllowance", "allowance: TxId"),
    ("DefineInstrument", "instrument: InstrumentId, terms: Terms, open: bool"),
    ("ChangeInstrument", "instrument: InstrumentId, change: InstrumentChange, notice: Hash"),
    (
        "RegisterParty",
        "party: PartyId, kind: PartyKind, keys: [PublicKey], tag: Hash?, registrar: PartyId, \
         organisation: PartyId?, attributes: [Attribute]",
    ),
    ("Attest", "party: PartyId, registrar: PartyId, attributes: [Attribute]"),
    ("SetOfficers", "party: PartyId, officers: [PartyId]"),
    ("AddKey", "party: PartyId, key: PublicKey"),
    ("RotateKey", "party: PartyId, old: PublicKey, new: PublicKey"),
    ("RevokeKey", "party: PartyId, key: PublicKey, compromised: bool"),
    ("Freeze", "party: PartyId, evidence: Hash"),
    ("Recover", "party: PartyId, key: PublicKey, evidence: Hash"),
    ("OfParty", "party: PartyId"),
    ("OfGroup", "group: PartyId"),
    (
        "EnrolMedium",
        "medium: MediumId, party: PartyId, registrar: PartyId, debit: MandateTerms?, credit: MandateTerms?, \
         evidence: Hash",
    ),
    ("RevokeMedium", "medium: MediumId"),
    (
        "CreateGroup",
        "group: PartyId, registrar: PartyId, representative: PartyId, roles: [RoleGrant], policy: GroupPolicy",
    ),
    (
        "ChangeGroup",
        "group: PartyId, roles: [RoleGrant]?, policy: GroupPolicy?, representative: PartyId?",
    ),
    (
        "InstallSuccessors",
        "group: PartyId, representative: PartyId, roles: [RoleGrant], effective: u64",
    ),
    // What the state keeps.
    ("Attribute", "name: string, value: string, until: u64?"),
    ("AttributeTest", "name: string, any_of: [string]"),
    (
        "MandateTerms",
        "direction: Direction, instruments: [InstrumentId], counterparty: Counterparty, purpose: u16?, \
         per_use: Amount, per_day: Amount?, per_counterparty: Amount?, total: Amount?, uses: u32?, \
         staff: [PartyId], from: u64, until: u64?",
    ),
    (
        "Terms",
        "issuer: PartyId, regime: Regime, decimals: u8, face: u32, step: Amount, begins: u64?, \
         validity: Validity, transfer: TransferRule, limits: [Limit], \
         on_accept: OnAccept, redemption_days: u16, late_refund: LateRefund, shortfall: Shortfall, \
         supply_max: Amount?, priority: Priority, holders: Predicate?, acceptors: Predicate?, \
         tiers: [Tier], document: Hash",
    ),
    ("Roles", "drafts: bool, approves: bool"),
    ("RoleGrant", "person: PartyId, roles: Roles"),
    ("Band", "from: Amount, approvers: u8"),
    ("GroupPolicy", "exclusive_roles: bool, bands: [Band], proposal_hours: u16"),
    ("Successors", "representative: PartyId, roles: [RoleGrant], effective: u64"),
    (
        "Group",
        "representative: PartyId, roles: [RoleGrant], policy: GroupPolicy, life: GroupLife, \
         closing_since: u64?, successors: Successors?, parent: PartyId?",
    ),
    ("PendingRecovery", "key: PublicKey, effective: u64"),
    (
        "Party",
        "kind: PartyKind, status: PartyStatus, tag: Hash?, registrar: PartyId, organisation: PartyId?, \
         keys: [PublicKey], officers: [PartyId], attributes: [Attribute], recovery: PendingRecovery?, \
         freeze_evidence: Hash?, opened: u64",
    ),
    ("KeyRecord", "party: PartyId, status: KeyStatus, since: u64"),
    (
        "Lot",
        "instrument: InstrumentId, use_expiry: u64?, origin: OriginKind, funder: PartyId, campaign: u32",
    ),
    ("Tier", "from: Amount, name: string"),
    ("Instrument", "terms: Terms, life: [LifeStep], triggers: u8"),
    ("LifeStep", "life: Life, at: u64"),
    (
        "Flows",
        "issued: Amount, restored: Amount, redeemed: Amount, expired: Amount, corrected: Amount, \
         imported: Amount, lapsed: Amount",
    ),
    ("Totals", "free: Flows, grant: Flows, paid: Flows"),
    ("Limit", "of: LimitOf, kinds: [PartyKind], who: Predicate?, most: Amount"),
    ("Priority", "free: u8, grant: u8, paid: u8"),
    ("Test", "name: string, any_of: [string], not: bool"),
    ("Predicate", "any: [[Test]]"),
    (
        "ProposalConsent",
        "side: Side, role: Role, party: PartyId, signer: PartyId, key: PublicKey, carried_by: TxId",
    ),
    (
        "Proposal",
        "movement: Movement, proposer: PartyId, drafter: PartyId?, purpose: u16, answers: TxId?, opened: u64, \
         deadline: u64, consents: [ProposalConsent], status: ProposalStatus",
    ),
    ("Missing", "side: Side, role: Role, party: PartyId, count: u8"),
    (
        "Mandate",
        "grantor: PartyId, terms: MandateTerms, medium: MediumId?, attested: bool, granted_by: [PublicKey], \
         granted: u64, revoked: u64?, used: Amount, uses: u32, day: u32, used_today: Amount",
    ),
    (
        "Request",
        "payee: PartyId, payer: PartyId?, member: DuesMember?, list: TxId?, legs: [Leg], \
         tender: [InstrumentId], due: u64, purpose: u16, signed_by: [PublicKey], \
         status: RequestStatus",
    ),
    ("Medium", "party: PartyId, registrar: PartyId, mandates: [TxId], revoked: u64?"),
    (
        "Allowance",
        "instrument: InstrumentId, issuer: PartyId, key: PublicKey, total: Amount, per_wallet: Amount, \
         per_day: Amount, end: u64, granted_by: [PublicKey], revoked: u64?, used: Amount, day: u32, \
         used_today: Amount",
    ),
    (
        "Redemption",
        "merchant: PartyId, instrument: InstrumentId, lots: [(Lot, Amount)], \
         fees: [(PartyId, Amount)], netted: Amount, deadline: u64, status: RedemptionStatus",
    ),
    // Outcomes.
    ("Posting", "account: Account, lot: Lot, holding: Holding, sign: Sign, amount: Amount"),
    (
        "Outcome",
        "postings: [Posting], debit: Form, credit: Form, cites: [TxId], \
         receivables: [Owed], facts: [Fact]",
    ),
    ("Owed", "party: PartyId, instrument: InstrumentId, sign: Sign, amount: Amount"),
    ("RuleId", "instrument: InstrumentId, number: u16"),
    ("PutRule", "id: RuleId, terms: RuleTerms"),
    ("EndRule", "id: RuleId, at: u64"),
    (
        "RuleTerms",
        "on: Trigger, when: When, base: Base, formula: Formula, post: Post, caps: [Cap], over: Over",
    ),
    (
        "When",
        "from: u64, until: u64?, purpose: u16?, origins: [OriginKind], campaign: u32?, payer: Predicate?, \
         payee: Predicate?, payee_is: PartyId?, least: Amount, multiple: Amount?, tier: Reached?, offer: TxId?",
    ),
    ("Reached", "instrument: InstrumentId, from: Amount"),
    ("Rate", "num: u32, den: u32, rounding: Rounding, carry: bool"),
    ("Steps", "every: Amount, give: Amount"),
    ("Threshold", "from: Amount, give: Amount"),
    (
        "Give",
        "instrument: InstrumentId, origin: OriginKind, funder: PartyId, campaign: u32, to: Recipient",
    ),
    ("Share", "from: Giver, split: Split"),
    ("Split", "legs: [Weighed], remainder: u8"),
    ("Weighed", "to: PartyId, weight: u32"),
    ("Cap", "scope: Scope, per: Period, of: CapOf, most: Amount"),
    ("Rule", "terms: RuleTerms, granted_by: [PublicKey], ended: u64?"),
    ("RuleView", "id: RuleId, rule: Rule, height: u64"),
    ("RuleFact", "id: RuleId, base: Amount, given: Amount, capped: bool"),
    ("UnwoundFact", "id: RuleId, taken: Amount, short: Amount"),
    ("TakenFact", "offer: TxId, units: u32, entitlement: TxId?"),
    ("CouponFact", "offer: TxId, discount: Amount, sponsor: PartyId?"),
    ("CouponBackFact", "offer: TxId, taken: Amount, short: Amount, returned: bool"),
    ("RankedFact", "application: TxId, tier: u8, rank: Hash, units: u32"),
    ("LineFact", "index: u32, code: Code, entitlement: TxId?"),
    (
        "FeeFact",
        "index: u32, gross: Amount, net: Amount, netted: Amount, legs: [(PartyId, Amount)]",
    ),
    // Answers.
    (
        "Info",
        "chain: ChainId, origin: string, scheme: string, node: u64, leader: u64?, term: u64, height: u64, \
         time: u64, size: u64, final_size: u64, rules_version: u16, version: string, \
         replica: ReplicaInfo?",
    ),
    (
        "ReplicaInfo",
        "upstream: string?, upstream_height: u64, behind_blocks: u64, behind_ms: u64, refused: [(string, string)], \
         base_height: u64, base_size: u64",
    ),
    (
        "Status",
        "id: TxId, stage: Stage, verdict: Verdict, durability: Durability?, code: Code?, detail: string?, height: u64?, time: u64?, leaf: u64?, \
         node_height: u64, node_time: u64",
    ),
    ("BulkResults", "results: [BulkResult]"),
    ("FullTransaction", "status: Status, transaction: Transaction, outcome: Outcome"),
    (
        "LotView",
        "lot: Lot, since: u64, spendable: Amount, held: Amount, claim: Amount, usable: bool",
    ),
    (
        "BalanceView",
        "instrument: InstrumentId, decimals: u8, spendable: Amount, held: Amount, claim: Amount, \
         receivable: Amount, lots: [LotView]",
    ),
    ("SpendableOf", "instrument: InstrumentId, decimals: u8, spendable: Amount, code: Code?"),
    (
        "SpendableView",
        "party: PartyId, payee: PartyId, instruments: [SpendableOf], height: u64, time: u64",
    ),
    ("WalletView", "party: PartyId, leaves: u64, balances: [BalanceView], height: u64, time: u64"),
    ("KeyView", "key: PublicKey, record: KeyRecord"),
    ("PartyView", "id: PartyId, party: Party, keys: [KeyView], group: Group?, height: u64"),
    ("ProposalView", "id: TxId, proposal: Proposal, missing: [Missing], height: u64"),
    (
        "InstrumentView",
        "id: InstrumentId, instrument: Instrument, totals: Totals, outstanding: Amount, height: u64",
    ),
    ("MandateView", "id: TxId, mandate: Mandate, height: u64"),
    ("RequestView", "id: TxId, request: Request, height: u64"),
    ("MediumView", "id: MediumId, medium: Medium, height: u64"),
    ("AllowanceView", "id: TxId, allowance: Allowance, height: u64"),
    ("RedemptionView", "id: TxId, redemption: Redemption, height: u64"),
    (
        "EntryView",
        "leaf: u64, height: u64, time: u64, id: TxId, kind: LeafKind, code: Code, outcome: Outcome, \
         transaction: Transaction?",
    ),
    ("Page", "entries: [EntryView], next: u64?"),
    ("WitnessPolicy", "number: u32, logs: [LogKey], witnesses: [Witness], quorum: u8"),
    (
        "BeginEpoch",
        "epoch: u32, last_index: u64, last_term: u64, size: u64, root: Hash, checkpoint: string?, \
         validators: [Validator], opener: u64, policy: WitnessPolicy, reason: string",
    ),
    (
        "Validator",
        "id: u64, organisation: PartyId, transport: PublicKey, node: PublicKey, cosigner: PublicKey",
    ),
    ("LogKey", "node: u64, key: PublicKey"),
    ("Witness", "name: string, key: PublicKey, member: Member"),
    ("ErasedMemo", "memo: Hash, was_here: bool"),
    ("SetTime", "to: u64"),
    ("NodeTime", "time: u64"),
    ("Checkpoints", "notes: [(u64, string)]"),
    (
        "EvidenceView",
        "name: string, kind: EvidenceKind, node: u64?, organisation: PartyId?, key: PublicKey, \
         bytes: u64, sentence: string",
    ),
    ("Problem", "type: string, title: string, status: u16, code: Code, detail: string, id: TxId?"),
    ("Reason", "code: Code, detail: string"),
    (
        "NotReadyProblem",
        "type: string, title: string, status: u16, code: Code, detail: string, reasons: [Reason]",
    ),
];

/// All schemas, by name.
pub(super) fn all() -> Value {
    let mut schemas = Map::new();
    let mut put = |name: &str, schema: Value| {
        assert!(schemas.insert(name.into(), schema).is_none(), "{name} means one thing");
    };
    for (name, pattern, about) in SCALARS {
        put(name, json!({ "type": "string", "pattern": pattern, "description": about }));
    }
    for (name, names) in ENUMS {
        let names: Vec<&str> = names.split_whitespace().collect();
        put(name, json!({ "type": "string", "enum": names }));
    }
    for (name, variants) in UNIONS {
        put(name, union(variants));
    }
    for (name, list) in LISTS {
        put(name, of(list));
    }
    for (name, fields) in OBJECTS.iter().chain(OFFERS).chain(PAPERS) {
        put(name, object(fields));
    }
    Value::Object(schemas)
}

fn object(fields: &str) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in parts(fields) {
        let (name, kind) = field.split_once(": ").expect("a field is written `name: type`");
        properties.insert(name.into(), of(kind));
        if !kind.ends_with('?') {
            required.push(name);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn union(variants: &str) -> Value {
    let (with, without): (Vec<&str>, Vec<&str>) =
        parts(variants).into_iter().partition(|variant| variant.contains(": "));
    let mut choices: Vec<Value> = with.into_iter().map(object).collect();
    if !without.is_empty() {
        choices.push(json!({ "type": "string", "enum": without }));
    }
    json!({ "oneOf": choices })
}

fn of(kind: &str) -> Value {
    if let Some(inner) = kind.strip_suffix('?') {
        return json!({ "anyOf": [of(inner), { "type": "null" }] });
    }
    if let Some(inner) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return json!({ "type": "array", "items": of(inner) });
    }
    if let Some(inner) = kind.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        let items: Vec<Value> = parts(inner).into_iter().map(of).collect();
        let count = items.len();
        return json!({
            "type": "array", "prefixItems": items, "items": false, "minItems": count, "maxItems": count,
        });
    }
    match kind {
        "string" => json!({ "type": "string" }),
        "bool" => json!({ "type": "boolean" }),
        "u8" => json!({ "type": "integer", "minimum": 0, "maximum": u8::MAX }),
        "u16" => json!({ "type": "integer", "minimum": 0, "maximum": u16::MAX }),
        "u32" => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        "u64" => json!({ "type": "integer", "minimum": 0, "format": "uint64" }),
        name => json!({ "$ref": format!("#/components/schemas/{name}") }),
    }
}

/// Splits at commas outside brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut found, mut depth, mut begin) = (Vec::new(), 0_usize, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b',' if depth == 0 => {
                found.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    found.push(text[begin..].trim());
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|inner| references(inner, found));
            }
            Value::Array(list) => list.iter().for_each(|inner| references(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let schemas = all();
        let mut found = Vec::new();
        references(&schemas, &mut found);
        assert!(found.len() > 200);
        for reference in found {
            let name = reference.strip_prefix("#/components/schemas/").unwrap();
            assert!(schemas.get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_notation_says_what_json_schema_says() {
        let schema = object("a: [(u8, Amount)]?, b: bool");
        assert_eq!(schema["required"], json!(["b"]));
        let list = &schema["properties"]["a"]["anyOf"][0];
        assert_eq!(list["items"]["prefixItems"][1]["$ref"], "#/components/schemas/Amount");
        assert_eq!(union("x, y: u8")["oneOf"][1]["enum"], json!(["x"]));
    }
}
