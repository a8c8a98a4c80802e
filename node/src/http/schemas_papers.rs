//! JSON Schemas of documents, dues, holds and repayments, in the notation of [`super::schemas`].

/// Objects, as those of the module above.
pub(super) const PAPERS: &[(&str, &str)] = &[
    (
        "IssueDocument",
        "issuer: PartyId, number: Reference, addressee: PartyId?, body: Hash, replaces: Reference?, \
         kind: DocumentKind",
    ),
    (
        "RequestMany",
        "payee: PartyId, lines: [DuesLine], instrument: InstrumentId, tender: [InstrumentId], due: u64",
    ),
    ("DuesLine", "member: DuesMember, amount: Amount"),
    ("RecordCash", "request: TxId, received: bool, evidence: Hash"),
    ("RequestLine", "request: TxId, line: Request"),
    ("DuesView", "id: TxId, lines: [RequestLine], height: u64"),
    ("ChildView", "group: PartyId, representative: PartyId, life: GroupLife, status: PartyStatus"),
    ("ChildrenView", "body: PartyId, children: [ChildView], next: PartyId?, height: u64"),
    ("PlaceView", "body: PartyId, group: PartyId, layers: u32, height: u64"),
    ("SetParent", "group: PartyId, parent: PartyId?"),
    ("Repay", "party: PartyId, leg: Leg, by: RepayBy"),
    ("Outside", "funding: Hash"),
    ("Hold", "from: PartyId, to: PartyId, leg: Leg, deadline: u64, order: Hash"),
    ("AnswerHold", "hold: TxId, answer: HoldAnswer"),
    ("Delivered", "reference: Hash"),
    (
        "Held",
        "from: PartyId, to: PartyId, instrument: InstrumentId, lots: [(Lot, Amount)], deadline: u64, \
         order: Hash, status: HoldStatus",
    ),
    ("HoldView", "id: TxId, hold: Held, height: u64"),
    ("Receipt", "payment: TxId"),
    (
        "Invoice",
        "payment: TxId?, registration: RegistrationNumber, supplied: u32, rule: TaxRule, lines: [TaxLine]",
    ),
    ("CreditNote", "invoice: Reference, lines: [TaxLine]"),
    ("SignedReport", "what: ReportKind, from: u32?, to: u32, height: u64, size: u64, root: Hash"),
    ("TaxRule", "basis: Basis, rounding: Rounding"),
    ("TaxLine", "rate: u16, reduced: bool, total: Amount, tax: Amount"),
    (
        "Document",
        "issued_by: TxId, issued: u64, addressee: PartyId?, body: Hash, kind: DocumentKind, \
         replaces: Reference?, replaced_by: Reference?, credited: [TaxLine], last_note: Reference?",
    ),
    ("IssuedDocument", "issuer: PartyId, number: Reference, document: Document"),
    ("DocumentsView", "id: TxId, documents: [IssuedDocument], more: bool, height: u64"),
    ("DocumentView", "issuer: PartyId, number: Reference, document: Document, height: u64"),
];
