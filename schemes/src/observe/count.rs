//! Figures that are counted over many rows: key figures, dues, groups under a body.

use musubi_figures::kpi::{self, Counter};
use musubi_ledger::{
    id::{InstrumentId, PartyId},
    party::{Party, PartyKind},
    state::{RequestStatus, Row, RowKey},
};

use super::World;
use crate::expr::{Asked, Key};

impl World<'_> {
    /// As `musubi report kpi` counts it, of all time.
    pub(super) fn key_figure(&self, key: Key) -> i128 {
        let parties = self.everybody().into_iter();
        let parties: Vec<(PartyId, Party)> =
            parties.filter_map(|id| Some((id, self.party(id)?))).collect();
        let active = |kind| i128::from(kpi::active(parties.iter().map(|(_, party)| party), kind));
        match key {
            Key::Groups => {
                let parties = parties.iter().map(|(id, party)| (*id, party));
                i128::from(kpi::groups(parties, |id| self.group(id).map(|group| group.life)))
            }
            Key::Registrants => active(PartyKind::Person),
            Key::Merchants => active(PartyKind::Merchant),
            Key::Settlement => self.yen(&self.observed.settlement),
            Key::GroupMoves => self.yen(&self.observed.group_moves),
        }
    }

    fn yen(&self, counter: &Counter) -> i128 {
        let in_yen = |(id, counted): (InstrumentId, kpi::Counted)| match self
            .state
            .row(&RowKey::Instrument(id))
        {
            Some(Row::Instrument(of)) => {
                kpi::yen(counted.cumulative, of.terms.face, of.terms.decimals)
            }
            _ => 0,
        };
        counter.sums().map(in_yen).sum()
    }

    /// What payees ask lists of members for, by where it stands.
    pub(super) fn dues(&self, asked: Asked, payees: &[usize], of: Option<InstrumentId>) -> i128 {
        let payees: Vec<PartyId> = payees.iter().map(|at| self.actors[*at].party).collect();
        let stands = |status: RequestStatus| match asked {
            Asked::Open => status == RequestStatus::Open,
            Asked::InCash => matches!(status, RequestStatus::Cash(_)),
        };
        let lines = self.observed.dues.values();
        let lines = lines.filter(|line| payees.contains(&line.payee) && stands(line.status));
        let legs = lines.flat_map(|line| &line.legs);
        let legs = legs.filter(|leg| of.is_none_or(|of| of == leg.instrument));
        legs.map(|leg| i128::from(leg.amount.0)).sum()
    }

    pub(super) fn under(&self, bodies: &[usize]) -> i128 {
        let bodies: Vec<PartyId> = bodies.iter().map(|at| self.actors[*at].party).collect();
        let groups = self.everybody().into_iter().filter_map(|party| self.group(party));
        let under = groups.filter(|group| group.parent.is_some_and(|p| bodies.contains(&p)));
        under.count() as i128
    }
}
