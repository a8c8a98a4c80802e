//! JSON Schemas of offers, rights, lotteries, runs and settlements, in the notation of [`super::schemas`].

/// Objects, as those of the module above.
pub(super) const OFFERS: &[(&str, &str)] = &[
    ("PutOffer", "terms: OfferTerms"),
    ("EndOffer", "offer: TxId, at: u64"),
    ("Entitle", "offer: TxId, causes: [Cause], units: u32, until: u64"),
    ("Happening", "party: PartyId, reference: Hash"),
    ("WithdrawEntitlement", "entitlement: TxId"),
    (
        "Take",
        "offer: TxId, to: PartyId, units: u32, showing: Showing, payment: Payment, \
         credit: Citation",
    ),
    (
        "OfferTerms",
        "issuer: PartyId, gives: Gives, who: Predicate?, access: Access, stock: u32?, caps: [Cap], from: u64, \
         until: u64, document: Hash",
    ),
    ("Lottery", "commitment: Hash, closes: u64, reveal_until: u64, tiers: [Predicate]"),
    ("Apply", "offer: TxId, to: PartyId, units: u32"),
    ("RevealDraw", "offer: TxId, seed: Hash"),
    ("CountDraw", "offer: TxId, last: TxId"),
    ("Application", "tier: u8, before: TxId?"),
    ("Place", "tier: u8, rank: Hash, application: TxId"),
    ("DrawCount", "last: TxId, next: TxId, before: u64"),
    ("LastPlace", "place: Place, units: u32"),
    (
        "Draw",
        "applications: u32, units: u64, newest: TxId?, list: Hash, seed: Hash?, count: DrawCount?, result: Won?",
    ),
    ("ApplicationView", "id: TxId, tier: u8, units: u32"),
    ("DrawView", "id: TxId, draw: Draw, applications: [ApplicationView], next: TxId?, height: u64"),
    ("Gift", "parts: [GiftPart], funder: PartyId"),
    ("GiftPart", "instrument: InstrumentId, amount: Amount, origin: OriginKind, campaign: u32"),
    ("Set", "price: Price, parts: [GiftPart], funder: PartyId"),
    (
        "Coupon",
        "instrument: InstrumentId, off: Formula?, most: Amount?, least: Amount, at: [PartyId], shops: Predicate?, \
         alone: bool, sponsor: Sponsor, campaign: u32",
    ),
    (
        "CouponQuote",
        "id: TxId, gross: Amount, discount: Amount, pays: Amount, sponsor: PartyId?, code: Code?, height: u64, \
         time: u64",
    ),
    ("UseCoupon", "offer: TxId, showing: Showing"),
    ("PayWithCoupons", "pay: Pay, gross: Amount, coupons: [UseCoupon]"),
    ("OutsidePrice", "yen: Amount, key: PublicKey"),
    ("Exchange", "instrument: InstrumentId, amount: Amount"),
    ("GivenBy", "party: PartyId, officers: u8"),
    ("Offer", "terms: OfferTerms, granted_by: [PublicKey], ended: u64?, taken: u64"),
    ("OfferView", "id: TxId, offer: Offer, height: u64"),
    ("OfferPage", "offers: [OfferView], next: TxId?"),
    (
        "Entitlement",
        "offer: TxId, holder: EntitlementHolder, units: u32, used: u32, until: u64, given_by: [PublicKey], \
         withdrawn: u64?, application: Application?",
    ),
    ("EntitlementView", "id: TxId, entitlement: Entitlement, height: u64"),
    (
        "OpenRun",
        "instrument: InstrumentId, origin: OriginKind, funder: PartyId, campaign: u32, root: Hash, count: u32, \
         total: Amount, until: u64, import: Import?",
    ),
    ("Import", "handover: Hash, owed: bool"),
    ("OldBalance", "reference: Hash, use_expiry: u64?"),
    ("RunLine", "to: PartyId, amount: Amount, salt: Bytes16, old: OldBalance?"),
    ("RunChunk", "run: TxId, level: u8, place: u32, lines: [RunLine], proof: [Hash]"),
    ("EndRun", "run: TxId"),
    (
        "Run",
        "manifest: OpenRun, granted_by: [PublicKey], ended: u64?, applied: u32, given: Amount, waiting: u32",
    ),
    ("OpenLines", "first: u32, count: u32, tried: bool"),
    (
        "WaitingLine",
        "run: TxId, line: u32, entitlement: TxId, instrument: InstrumentId, amount: Amount, origin: OriginKind, \
         funder: PartyId, campaign: u32, import: bool, until: u64, open: bool",
    ),
    ("WaitingPage", "lines: [WaitingLine], more: bool, height: u64"),
    ("RunView", "id: TxId, run: Run, open: [OpenLines], next: u32?, height: u64"),
    (
        "Settle",
        "instrument: InstrumentId, cut_off: u64, lines: [SettleLine], deadline: u64, document: Hash",
    ),
    ("SettleLine", "merchant: PartyId, gross: Amount"),
    ("AnswerSettlement", "settlement: TxId, lines: [u32], answer: RedemptionAnswer"),
    ("Settlement", "list: Settle, codes: [Code]"),
    ("SettlementLineView", "id: TxId, redemption: Redemption?"),
    (
        "SettlementView",
        "id: TxId, settlement: Settlement, lines: [SettlementLineView], height: u64",
    ),
];
