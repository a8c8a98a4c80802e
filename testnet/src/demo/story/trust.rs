//! Dual control, standing acceptance, a lost phone, and a statement that adds up.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use musubi_ledger::{
    code::Code,
    id::PartyId,
    operation::{Citation, Movement},
    outcome::{Account, Form},
    party::PartyStatus,
    state::ProposalStatus,
    transaction::{Purpose, Role},
    wallet::Holding,
};
use musubi_sdk::{SecretKey, Slot, entropy};

use super::{Stage, Told, check_forms, money, paper};
use crate::demo::words::yen;

/// Longest wait for a recovery, on top of the chain's delay.
const RECOVERY_TRIES: usize = 60;

impl Stage<'_> {
    /// Hanako pays, Taro's line of the roster is ticked off.
    pub(super) async fn dues_for_another(&mut self) -> Told {
        let (hanako, circle) = (self.person(self.city.cast.hanako), self.circle());
        let (_, line) = circle
            .members
            .iter()
            .find(|(who, _)| *who == self.city.cast.taro)
            .copied()
            .context("Taro stands on the circle's roster")?;
        let composer = self.composer().await?;
        let legs = money(2_000);
        let draft = composer
            .pay_with_mandate(hanako.party, circle.party, &legs, circle.acceptance)
            .purpose(Purpose::DUES)
            .on_behalf_of(line);
        let full =
            self.apply_and_read(draft.sign(Slot::payer(hanako.party), hanako.phone())).await?;
        check_forms(&full, Form::Live, Form::Mandate)?;
        let body = &full.transaction.body;
        ensure!(body.on_behalf_of == Some(line), "the roster line is not in the record");
        ensure!(body.purpose == Purpose::DUES, "it is not marked as dues");
        self.check_spendable("the circle", circle.party, 2_000).await?;
        let text = format!("dues for another member: Hanako pays Taro's {}", yen(2_000));
        Ok((text, full.status.id))
    }

    fn payout(&self, amount: u64) -> Movement {
        let coach = self.person(self.city.cast.coach);
        Movement {
            from: self.circle().party,
            to: coach.party,
            legs: money(amount),
            debit: Citation::Live,
            credit: Citation::Mandate(coach.acceptance),
        }
    }

    /// The treasurer drafts by phone and approves by tablet: two keys, one person.
    pub(super) async fn self_approval(&mut self) -> Told {
        let circle = self.circle().party;
        let treasurer = self.person(self.city.cast.treasurer);
        let draft = self.composer().await?.transfer(treasurer.party, self.payout(500));
        let half = draft.sign(Slot::drafter(circle), treasurer.phone());
        let half = half.sign(Slot::approver(circle), &treasurer.keys[1])?;
        let id = self.expect(half, Code::SamePerson).await?;
        self.check_spendable("the circle", circle, 2_000).await?;
        Ok(("self-approval by a second key: rejected, nothing moved".into(), id))
    }

    /// Proposed by one, approved by another; the coach, a member, has accepted in advance.
    pub(super) async fn approved_payout(&mut self) -> Told {
        let circle = self.circle().party;
        let cast = self.city.cast;
        let member = self.circle().members.iter().any(|(who, _)| *who == cast.coach);
        ensure!(member, "the coach does not stand on the circle's roster");
        let (treasurer, approver) = (self.person(cast.treasurer), self.person(cast.approver));
        let composer = self.composer().await?;
        let deadline = composer.now.plus(3_600_000);
        let draft = composer
            .propose(treasurer.party, self.payout(1_500), deadline)
            .purpose(Purpose::REWARD);
        let proposal = self.apply(draft.sign(Slot::drafter(circle), treasurer.phone())).await?;
        let missing = self.client.proposal(proposal).await?.missing;
        let waits_for_approver = matches!(&missing[..], [m] if (m.role, m.party, m.count) == (Role::Approver, circle, 1));
        ensure!(waits_for_approver, "it should wait for one approver, not {missing:?}");
        let draft = self.composer().await?.consent(approver.party, proposal);
        let consent = self.apply(draft.sign(Slot::approver(circle), approver.phone())).await?;
        let view = self.client.proposal(proposal).await?.proposal;
        ensure!(view.status == ProposalStatus::Completed(consent), "it is {:?}", view.status);
        let coach = self.person(cast.coach).party;
        self.check_spendable("the coach", coach, 1_500).await?;
        self.check_spendable("the circle", circle, 500).await?;
        let text = format!(
            "approved payout: {} to the coach, a member who accepted in advance; two persons' word",
            yen(1_500)
        );
        Ok((text, proposal))
    }

    /// Frozen at once by an officer; two officers give him a new key; the old one is worth nothing.
    pub(super) async fn lost_phone(&mut self) -> Told {
        let taro = self.person(self.city.cast.taro);
        let draft = self.charge(taro, 3_000).await?;
        self.apply(self.by_issuer(draft)).await?;
        let at = &self.city.institutions;
        let [one, two, _] = &at.registrar_officers;
        let composer = self.composer().await?;
        let draft = composer.freeze(one.party, taro.party, paper("a phone lost at the station"));
        self.apply(draft.sign(Slot::officer(at.registrar), &one.key)).await?;
        let status = self.client.party(taro.party).await?.party.status;
        ensure!(status == PartyStatus::Frozen, "Taro is {status:?}, not frozen");
        let thief = self.purchase_by(taro.party, taro.phone(), 400).await?;
        ensure!(thief == Code::PartyFrozen, "the lost phone got `{thief}`");
        let key = entropy::secret_key();
        let draft = composer.recover(one.party, taro.party, key.public(), paper("identity check"));
        let half = draft.sign(Slot::officer(at.registrar), &one.key);
        let half = half.sign(Slot::officer(at.registrar), &two.key)?;
        let half = half.sign(Slot::holder(taro.party), &key)?;
        let recovery = self.apply(half).await?;
        self.pay_when_recovered(taro.party, &key).await?;
        let thief = self.purchase_by(taro.party, taro.phone(), 400).await?;
        let shut_out = [Code::SenderNotSigner, Code::KeyNotActive].contains(&thief);
        ensure!(shut_out, "after the recovery the lost phone got `{thief}`");
        self.check_spendable("Taro", taro.party, 2_500).await?;
        let text = "lost phone: frozen at once, re-keyed by two officers, the old key shut out";
        Ok((text.into(), recovery))
    }

    /// Tries until the chain's delay is over; each try is a payment of its own.
    async fn pay_when_recovered(&self, party: PartyId, key: &SecretKey) -> anyhow::Result<()> {
        for _ in 0..RECOVERY_TRIES {
            if self.purchase_by(party, key, 500).await? == Code::Applied {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        bail!("the new key could not pay within {RECOVERY_TRIES} tries")
    }

    /// What a purchase in the story's shop gets when `key` signs it.
    async fn purchase_by(
        &self,
        party: PartyId,
        key: &SecretKey,
        amount: u64,
    ) -> anyhow::Result<Code> {
        let shop = self.shop();
        let composer = self.composer().await?;
        let draft = composer.pay_with_mandate(party, shop.party, &money(amount), shop.code);
        let (_, sent) = self.submit(draft.sign(Slot::payer(party), key)).await?;
        Ok(sent.code)
    }

    /// Every line of the circle's history, summed, is its balance; and no line is missing.
    pub(super) async fn statement(&mut self) -> Told {
        let circle = self.circle().party;
        let account = Account::Wallet(circle);
        let (mut sum, mut touched, mut newest, mut before) = (0_i128, 0, None, None);
        loop {
            let page = self.client.history(circle, before, 50).await?;
            for entry in &page.entries {
                let postings = entry.outcome.postings.iter().filter(|p| p.account == account);
                let own: Vec<_> = postings.collect();
                if !own.is_empty() {
                    touched += 1;
                    newest = newest.or(Some(entry.id));
                }
                let spendable = own.iter().filter(|p| p.holding == Holding::Spendable);
                sum += spendable.map(|p| p.signed()).sum::<i128>();
            }
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        let wallet = self.client.wallet(circle).await?;
        ensure!(wallet.leaves == touched, "{touched} of {} lines were found", wallet.leaves);
        let balance = self.balance(circle).await?.spendable.0;
        ensure!(sum == i128::from(balance), "the lines sum to {sum}, the balance is {balance}");
        let newest = newest.context("the circle has a history")?;
        let text = format!(
            "a statement that adds up: the circle's {touched} lines sum to its {}",
            yen(balance)
        );
        Ok((text, newest))
    }
}
