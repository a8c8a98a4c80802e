//! Charging, buying, giving back, redeeming.

use anyhow::{Context, ensure};
use musubi_ledger::{
    operation::RedemptionAnswer,
    outcome::Form,
    state::RedemptionStatus,
    transaction::{Role, Side},
};
use musubi_sdk::{SchemePrefix, ShopCode, Slot};

use super::{Stage, Told, check_forms, money, paper};
use crate::{city::institutions::SCHEME, demo::words::yen};

const MONTH_MS: u64 = 30 * 86_400_000;

impl Stage<'_> {
    pub(super) async fn top_up(&mut self) -> Told {
        let hanako = self.person(self.city.cast.hanako);
        let draft = self.charge(hanako, 10_000).await?;
        let full = self.apply_and_read(self.by_issuer(draft)).await?;
        check_forms(&full, Form::Allowance, Form::Mandate)?;
        self.check_spendable("Hanako", hanako.party, 10_000).await?;
        let text = format!("top-up: Hanako charges {} by bank transfer", yen(10_000));
        Ok((text, full.status.id))
    }

    /// Reads the printed code as her phone would, and pays with her signature alone.
    pub(super) async fn static_qr(&mut self) -> Told {
        let (hanako, shop) = (self.person(self.city.cast.hanako), self.shop());
        let scheme = SchemePrefix::new(SCHEME)?;
        let printed =
            ShopCode::fixed(scheme.clone(), shop.party, "TILL1".parse()?, shop.code).to_string();
        let code = ShopCode::parse(&printed, &scheme)?;
        let draft = self.composer().await?.pay_shop(hanako.party, &code, &money(1_280));
        let half = draft.sign(Slot::payer(hanako.party), hanako.phone());
        ensure!(half.signatures().len() == 1, "the payer alone signs");
        let full = self.apply_and_read(half).await?;
        check_forms(&full, Form::Live, Form::Mandate)?;
        self.check_spendable("Hanako", hanako.party, 8_720).await?;
        let claim = self.balance(shop.party).await?.claim.0;
        ensure!(claim == 1_280, "the shop's claim is {claim} instead of 1280");
        self.purchase = Some(full.status.id);
        let text = format!("static-QR purchase: {} at the shop's printed code", yen(1_280));
        Ok((text, full.status.id))
    }

    /// Ume has no phone: her card is shown, the shop's terminal signs, the registrar has attested.
    pub(super) async fn card(&mut self) -> Told {
        let (ume, shop) = (self.person(self.city.cast.ume), self.shop());
        let card = ume.card.context("Ume holds a card")?;
        let draft = self.charge(ume, 5_000).await?;
        self.apply(self.by_issuer(draft)).await?;
        let shown = (card.medium, card.debit);
        let composer = self.composer().await?;
        let draft = composer.pay_by_medium(ume.party, shop.party, &money(640), shown, shop.code);
        let half = draft.sign(Slot::terminal(shop.party), &shop.key);
        let full = self.apply_and_read(half).await?;
        check_forms(&full, Form::Attested, Form::Mandate)?;
        self.check_spendable("Ume", ume.party, 4_360).await?;
        let text = format!("card-only purchase: Ume's card pays {}, consent attested", yen(640));
        Ok((text, full.status.id))
    }

    pub(super) async fn refund(&mut self) -> Told {
        let (hanako, shop) = (self.person(self.city.cast.hanako), self.shop());
        let original = self.purchase.context("there was no purchase to refund")?;
        let before = self.balance(hanako.party).await?.spendable.0;
        let draft = self.composer().await?.refund(shop.party, original, &money(280));
        let half = draft.sign(Slot::payer(shop.party), &shop.key);
        let full = self.apply_and_read(half).await?;
        check_forms(&full, Form::Live, Form::Terms)?;
        ensure!(full.outcome.cites == [original], "the refund names its purchase");
        self.check_spendable("Hanako", hanako.party, before + 280).await?;
        let text = format!("refund: the shop gives {} of that purchase back", yen(280));
        Ok((text, full.status.id))
    }

    /// The shop asks for all it has; the issuer's bank pays, and the claim is burnt.
    pub(super) async fn redemption(&mut self) -> Told {
        let shop = self.shop();
        let claim = self.balance(shop.party).await?.claim.0;
        ensure!(claim > 0, "the shop has nothing to redeem");
        let burnt_before = self.burnt().await?;
        let composer = self.composer().await?;
        let deadline = composer.now.plus(MONTH_MS);
        let draft = composer.redeem(shop.party, money(claim)[0], deadline);
        let id = self.apply(draft.sign(Slot::payer(shop.party), &shop.key)).await?;
        let held = self.balance(shop.party).await?.held.0;
        ensure!(held == claim, "{held} wait for the bank instead of {claim}");
        let issuer = &self.city.institutions.issuer;
        let answer = RedemptionAnswer::Paid { payout: paper("payout") };
        let draft = self.composer().await?.answer_redemption(issuer.party, id, answer);
        let slot = Slot::new(Side::Credit, Role::Issuer, issuer.party);
        self.apply(draft.sign(slot, &issuer.key)).await?;
        let redemption = self.client.redemption(id).await?.row;
        ensure!(redemption.status == RedemptionStatus::Answered(answer), "it is not answered");
        let after = self.balance(shop.party).await?;
        ensure!(after.claim.0 == 0 && after.held.0 == 0, "the shop still holds something");
        let burnt = self.burnt().await? - burnt_before;
        ensure!(burnt == claim, "{burnt} were burnt instead of {claim}");
        Ok((format!("claim redeemed: the shop is paid {} and the claim burnt", yen(claim)), id))
    }

    async fn burnt(&self) -> anyhow::Result<u64> {
        let view = self.client.instrument(crate::city::institutions::money()).await?;
        Ok(view.totals.went().0)
    }
}
