//! Walking through what an earlier run has executed: nothing is executed again, but every entry must be the
//! one whose hash its seal names, every seal the one whose hash its leaf is, and all leaves together must give
//! the log whose frontier the resume point has. So a record that was changed since is noticed here.

use musubi_ledger::{
    batch::Batch,
    hash::sha256,
    leaf::{Leaf, LeafKind, SealBody},
    tlog::{frontier::Frontier, merkle::Node},
};

use super::{
    auditor::Auditor,
    ends::End,
    fault::Fault,
    finding::{Finding, Part},
    order::Order,
    resume::Point,
    run::AuditError,
    streams::Streams,
    tiles::Compared,
};

/// Brings the streams to where the point stands, and the auditor with them.
///
/// # Errors
/// What could not be read, or a finding if point and record do not belong together.
pub(super) fn walk(
    auditor: &mut Auditor,
    point: Point,
    streams: &mut Streams,
    tiles: &mut Compared,
) -> Result<(), AuditError> {
    let walk = Walk { log: Frontier::new(), last: None, tiles };
    let walked = walk.all(auditor, &point, streams);
    if let Err(what) = walked {
        streams.failure()?;
        return Err(Finding::new(Part::Resume, Fault::Resume(what)).into());
    }
    auditor.resume(point);
    Ok(())
}

struct Walk<'t> {
    log: Frontier,
    tiles: &'t mut Compared,
    last: Option<(SealBody, Order)>,
}

impl Walk<'_> {
    fn all(
        mut self,
        auditor: &mut Auditor,
        point: &Point,
        streams: &mut Streams,
    ) -> Result<(), String> {
        let head = point.chain.head();
        for height in 0..=head.height {
            let mut nodes = Vec::new();
            let found = self.block(auditor, height, streams, &mut nodes);
            if let Some(published) = &mut streams.tiles {
                let compared = self.tiles.take(&nodes, &mut || published.next());
                compared.map_err(|finding| finding.to_string())?;
            }
            found
                .ok_or(format!("block {height} of this record is not the one that was executed"))?;
        }
        let (seal, order) = self.last.ok_or("it has executed nothing")?;
        let same = self.log.size() == head.size
            && self.log.root() == point.chain.root()
            && seal.time == head.time
            && order == point.order;
        if !same {
            return Err(format!("this record up to block {} is another one", head.height));
        }
        if seal.state != point.digest {
            return Err(format!("its state is not the one that the seal of {} names", head.height));
        }
        Ok(())
    }

    fn block(
        &mut self,
        auditor: &mut Auditor,
        height: u64,
        streams: &mut Streams,
        nodes: &mut Vec<Node>,
    ) -> Option<()> {
        let body = streams.seals.next()?;
        let seal = SealBody::decode(&body).ok()?;
        if height == 0 {
            (seal.entry == auditor.chain.id().0).then_some(())?;
            self.last = Some((seal, Order::default()));
        } else {
            let entry = streams.entries.next()?;
            (seal.height == height && seal.entry == Batch::entry_hash(&entry)).then_some(())?;
            let batch = Batch::decode(&entry).ok()?;
            let order = Order { term: batch.term, index: batch.index, leader: batch.leader.0 };
            self.last = Some((seal, order));
        }
        loop {
            let bytes = streams.leaves.next()?;
            self.log.append_entry(&bytes, nodes);
            let leaf = Leaf::decode(&bytes).ok().filter(|leaf| leaf.height == height)?;
            if leaf.kind == LeafKind::Seal {
                (leaf.id.0 == sha256(&body)).then_some(())?;
                let (size, root) = (self.log.size(), self.log.root());
                auditor.ends.keep(End { size, height, time: leaf.time, root });
                return Some(());
            }
        }
    }
}
