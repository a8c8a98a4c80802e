//! `gross` and `coupons` of a `pay`: a price, and what takes something off it.

use musubi_ledger::{
    amount::Amount,
    keys::SecretKey,
    offer::Gives,
    operation::{Operation, Pay, PayWithCoupons, UseCoupon},
};

use super::{Fault, Fields, Names, Play, offer};

/// The price, and the coupons used.
#[derive(Debug)]
pub(super) struct Coupons {
    gross: Amount,
    /// Offers by their places.
    offers: Vec<usize>,
    /// Another code than the offers', or another's right: what must be refused.
    code: Option<String>,
    right_of: Option<usize>,
}

/// Reads them; none where the payment uses no coupon.
pub(super) fn read(fields: &Fields<'_>, names: &Names<'_>) -> Option<Option<Coupons>> {
    let gross = fields.may("gross").map(|node| node.amount());
    let offers = fields.may("coupons").map(|node| {
        let offers: Option<Vec<usize>> = node.some().iter().map(|one| coupon(one, names)).collect();
        offers
    });
    let code = fields.may("shows").and_then(|node| node.text());
    let right_of = match fields.may("right_of").map(|node| names.party(&node)) {
        Some(party) => Some(party?),
        None => None,
    };
    match (gross, offers) {
        (None, None) if code.is_none() && right_of.is_none() => Some(None),
        (Some(gross), Some(offers)) => {
            Some(Some(Coupons { gross: gross?, offers: offers?, code, right_of }))
        }
        _ => fields
            .wrong("`gross` is the price, `coupons` what takes something off it: both or neither"),
    }
}

fn coupon(node: &super::Node<'_>, names: &Names<'_>) -> Option<usize> {
    let at = names.offer(node)?;
    match names.offers[at].terms.gives {
        Gives::Coupon(_) => Some(at),
        _ => node.wrong("this offer is taken, not used: say `coupon` at it, or `take` it"),
    }
}

impl Coupons {
    /// What is paid: as the step says, or what the coupons leave of the price.
    pub(super) fn leave(&self, play: &Play<'_>, said: Amount) -> Amount {
        let step = |id| {
            let of = play.scheme.instruments.iter().find(|issued| issued.id == id);
            of.map_or(Amount(1), |issued| issued.terms.step)
        };
        let off = |at: &usize| match &play.scheme.offers[*at].terms.gives {
            Gives::Coupon(coupon) => coupon.takes_off(self.gross, step(coupon.instrument)),
            _ => None,
        };
        let less = |left: Amount, at| left.checked_sub(off(at)?);
        let left = self.offers.iter().try_fold(self.gross, less).unwrap_or_default();
        if said.is_zero() { left } else { said }
    }

    /// The payment with them, and the keys of codes that are shown.
    pub(super) fn used(
        &self,
        play: &Play<'_>,
        payer: usize,
        pay: Pay,
    ) -> Result<(Operation, Vec<SecretKey>), Fault> {
        let (mut coupons, mut keys) = (Vec::new(), Vec::new());
        for at in &self.offers {
            let whose = self.right_of.unwrap_or(payer);
            let (showing, key) = offer::shown(play, *at, self.code.as_deref(), whose)?;
            coupons.push(UseCoupon { offer: play.offer(*at)?, showing });
            keys.extend(key);
        }
        coupons.sort_unstable_by_key(|used| used.offer);
        let gross = self.gross;
        Ok((Operation::PayWithCoupons(PayWithCoupons { pay, gross, coupons }), keys))
    }
}
