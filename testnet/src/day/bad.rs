//! Bad attempts, each with the one code that it must get whatever else happens around it.

use musubi_ledger::{
    amount::Amount,
    code::Code,
    hash::sha256,
    id::{ChainId, PartyId},
    lot::OriginKind,
    operation::{Citation, Movement, Operation, Refund, RequestRedemption},
    time::Time,
    transaction::Body,
};
use musubi_sdk::Slot;

use super::{Generator, legs, movement};
use crate::{
    books::Pot,
    city::{
        charge,
        institutions::Key,
        people::{Merchant, Person},
        setup::{CODE_PER_USE, PER_WALLET},
    },
    item::{Content, Expected, Spoil, Task},
};

/// More than anybody has, and less than a shop's code takes at once.
const OVERSPEND: u64 = CODE_PER_USE - 1;
const HOUR_MS: u64 = 3_600_000;

macro_rules! bad_attempts {
    ($( $variant:ident $name:literal $code:ident $doc:literal )+) => {
        /// A way to fail.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Bad {
            $( #[doc = $doc] $variant, )+
        }

        impl Bad {
            /// Every way.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// Its name, as in tables and JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }

            /// The code that it must get.
            #[must_use]
            pub fn code(self) -> Code {
                match self { $( Self::$variant => Code::$code, )+ }
            }
        }
    };
}

bad_attempts! {
    ForgedSignature "forged_signature" BadSignature "A signature with one bit turned."
    WrongSigner "wrong_signer" SenderNotSigner "Somebody else's key in the payer's slot."
    Replay "replay" Applied "An applied purchase again: its old verdict, and no second leaf."
    OneSided "one_sided" MissingConsent "The payee did not sign and cited nothing."
    SelfApproval "self_approval" SamePerson "The drafter approves with a second key."
    PayeeApproves "payee_approves" PayeeApproves "The approver is who gets the money."
    Overspend "overspend" InsufficientFunds "More than is there."
    Expired "expired" Expired "Past its expiry."
    WindowTooLong "window_too_long" WindowTooLong "Valid for two days."
    OtherChain "other_chain" WrongChain "Signed for another ledger."
    Garbage "garbage" Malformed "No transaction at all."
    OverMandate "over_mandate" OverMandate "More than the shop's code takes at once."
    ReferenceReuse "reference_reuse" ReferenceTaken "A new purchase under an old one's reference."
    OverRefund "over_refund" OverOriginal "More back than was paid."
    Zero "zero_amount" AmountInvalid "Nothing at all."
    ShopPaysPerson "shop_pays_person" TransferNotAllowed "A shop spends what it can only redeem."
    OverAllowance "over_allowance" OverAllowance "The issuer issues more than it may."
    OverClaim "over_claim" InsufficientClaim "A shop redeems what it never got."
    UnknownPayee "unknown_payee" UnknownParty "The payee is not on the ledger."
    UnknownMandate "unknown_mandate" UnknownMandate "The acceptance that is cited does not exist."
}

impl Generator<'_> {
    /// A bad attempt, unless it needs something that is not there yet.
    pub(super) fn bad_attempt(&mut self, kind: Bad) -> Option<Task> {
        match kind {
            Bad::Replay => {
                let at = self.settled_past()?;
                let (wave, place) = self.past.get(at)?.at;
                let content = Content::Again(wave, place);
                Some(Task { kind: kind.name(), expected: Expected::Replay, content })
            }
            Bad::Garbage => {
                let length = self.scribe.dice.between(1, 400);
                let length = usize::try_from(length).expect("a few hundred");
                let content = Content::garbage(self.scribe.dice.garbage(length));
                Some(Task { kind: kind.name(), expected: Expected::Code(kind.code()), content })
            }
            Bad::SelfApproval | Bad::PayeeApproves => Some(self.bad_payout(kind)),
            Bad::OverRefund => self.over_refund(),
            Bad::OverClaim => Some(self.over_claim()),
            Bad::OverAllowance => {
                let person = &self.city.persons[self.somebody()];
                let to = (person.party, Citation::Mandate(person.acceptance));
                let allowance = self.allowances.money;
                let amount = PER_WALLET + 1;
                let paid = OriginKind::Paid;
                let made = charge::top_up(self.city, &mut self.scribe, allowance, to, amount, paid);
                Some(Task::bad(kind.name(), kind.code(), made.0, made.1))
            }
            _ => self.bad_purchase(kind),
        }
    }

    fn somebody(&mut self) -> usize {
        self.scribe.dice.place(self.city.phones())
    }

    /// A purchase with one thing wrong with it.
    fn bad_purchase(&mut self, kind: Bad) -> Option<Task> {
        let person = self.somebody();
        let merchant = self.merchant();
        let other = (person + 1) % self.city.phones();
        let (payer, shop) = (&self.city.persons[person], &self.city.merchants[merchant]);
        self.check_purse(payer);
        let moved = wrong_movement(kind, payer, shop, PartyId(self.scribe.dice.bytes()));
        let signer = match kind {
            Bad::WrongSigner => self.city.persons[other].phone(),
            Bad::ShopPaysPerson => &shop.key,
            _ => payer.phone(),
        };
        let (sender, slot) = (moved.from, Slot::payer(moved.from));
        let mut signers = vec![(slot, Key::clone(signer))];
        if kind == Bad::ShopPaysPerson {
            signers.push((Slot::payee(payer.party), Key::clone(payer.phone())));
        }
        let mut body = self.scribe.body(sender, Operation::Transfer(moved));
        if kind == Bad::ReferenceReuse {
            let at = self.settled_past()?;
            let past = self.past.get(at)?;
            body.reference = past.reference.clone();
            body.sender = past.sender;
            let owner = &self.city.persons[past.person];
            signers = vec![(Slot::payer(owner.party), Key::clone(owner.phone()))];
            if let Operation::Transfer(moved) = &mut body.operation {
                moved.from = owner.party;
            }
        }
        self.wrong_frame(kind, &mut body);
        let mut task = Task::bad(kind.name(), kind.code(), body, signers);
        if let (Bad::ForgedSignature, Content::Body(_, _, spoil)) = (kind, &mut task.content) {
            *spoil = Spoil::Signature;
        }
        Some(task)
    }

    fn wrong_frame(&self, kind: Bad, body: &mut Body) {
        match kind {
            Bad::Expired => body.expires = Time(self.scribe.now.0.saturating_sub(HOUR_MS)),
            Bad::WindowTooLong => body.expires = self.scribe.now.plus(48 * HOUR_MS),
            Bad::OtherChain => body.chain = ChainId(sha256(&body.chain.0)),
            _ => {}
        }
    }

    fn bad_payout(&mut self, kind: Bad) -> Task {
        let group = &self.city.groups[self.scribe.dice.place(self.city.plan.groups)];
        let treasurer = &self.city.persons[group.treasurer];
        let approver = &self.city.persons[group.approver];
        let (payee, second) = match kind {
            Bad::SelfApproval => (approver, &treasurer.keys[1]),
            _ => (approver, approver.phone()),
        };
        let credit = Citation::Mandate(payee.acceptance);
        let moved = movement(group.party, payee.party, legs(100, 0), credit);
        let body = self.scribe.body(treasurer.party, Operation::Transfer(moved));
        let signers = vec![
            (Slot::drafter(group.party), Key::clone(treasurer.phone())),
            (Slot::approver(group.party), Key::clone(second)),
        ];
        Task::bad(kind.name(), kind.code(), body, signers)
    }

    fn over_refund(&mut self) -> Option<Task> {
        let at = self.settled_past()?;
        let past = self.past.get(at)?;
        let shop = &self.city.merchants[past.merchant];
        let too_much = legs(past.money? + 1, 0);
        let operation = Operation::Refund(Refund { original: past.id, legs: too_much });
        let body = self.scribe.body(shop.party, operation);
        let signers = vec![(Slot::payer(shop.party), Key::clone(&shop.key))];
        let kind = Bad::OverRefund;
        Some(Task::bad(kind.name(), kind.code(), body, signers))
    }

    fn over_claim(&mut self) -> Task {
        let merchant = self.merchant();
        let shop = &self.city.merchants[merchant];
        let operation = Operation::RequestRedemption(RequestRedemption {
            merchant: shop.party,
            leg: legs(1 << 40, 0)[0],
            deadline: self.scribe.now.plus(30 * 24 * HOUR_MS),
        });
        let body = self.scribe.body(shop.party, operation);
        let signers = vec![(Slot::payer(shop.party), Key::clone(&shop.key))];
        let kind = Bad::OverClaim;
        Task::bad(kind.name(), kind.code(), body, signers)
    }

    /// No purse comes near an overspend.
    ///
    /// # Panics
    /// If one does: the generator gave somebody too much.
    fn check_purse(&self, person: &Person) {
        let purse = self.books.has(person.party, Pot::Money);
        assert!(purse < OVERSPEND / 2, "nobody in a generated city holds that much: {purse}");
    }
}

fn wrong_movement(kind: Bad, payer: &Person, shop: &Merchant, stranger: PartyId) -> Movement {
    let amount = match kind {
        Bad::Overspend => OVERSPEND,
        Bad::OverMandate => CODE_PER_USE + 1,
        _ => 100,
    };
    let good = movement(payer.party, shop.party, legs(amount, 0), Citation::Mandate(shop.code));
    match kind {
        Bad::OneSided => Movement { credit: Citation::Live, ..good },
        Bad::Zero => {
            let mut zero = good;
            zero.legs[0].amount = Amount::ZERO;
            zero
        }
        Bad::ShopPaysPerson => {
            Movement { from: shop.party, to: payer.party, credit: Citation::Live, ..good }
        }
        Bad::UnknownPayee => Movement { to: stranger, ..good },
        Bad::UnknownMandate => {
            Movement { credit: Citation::Mandate(musubi_ledger::id::TxId([9; 32])), ..good }
        }
        _ => good,
    }
}
