//! The comparison rule: may this pledge come after that one, from one honest member with one intact disk?

use std::cmp::Ordering;

use crate::{
    Position,
    pledge::{Pledge, Shortfall},
};

/// How a pledge that is shown stands to the one remembered of the same member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shown {
    /// The first of this member, or of a later life of it.
    NewLife,
    /// A later one of the same life.
    Later,
    /// The same, or an earlier one of the same life that came late.
    Known,
    /// Of an earlier boot: a frame that came late, or a disk put back. Only the member itself can tell, so it
    /// is shown what is remembered; meanwhile nothing of that life is believed.
    EarlierBoot,
    /// No honest member with an intact disk shows this after that.
    Less(Shortfall),
}

/// Compares. `heard` is what messages of the remembered life promised beyond its pledges: a term, and how
/// far it acknowledged the log of that term's leader.
pub(crate) fn compare(remembered: Option<&Pledge>, shown: &Pledge, heard: Position) -> Shown {
    let Some(before) = remembered else {
        return Shown::NewLife;
    };
    if shown.directory != before.directory {
        return Shown::Less(Shortfall::Directory);
    }
    match shown.boot.cmp(&before.boot) {
        Ordering::Less => Shown::EarlierBoot,
        // A boot is counted durably before anything is told, so one boot is one process.
        Ordering::Equal if shown.life != before.life => Shown::Less(Shortfall::Copy),
        Ordering::Equal if shown.number <= before.number => Shown::Known,
        Ordering::Equal => shortfall(before, shown).map_or(Shown::Later, Shown::Less),
        Ordering::Greater => {
            // What this life found must reach as far as what the life before had told.
            let lost = !shown.found.follows(&before.kept);
            let lost = lost.then_some(Shortfall::Writes).or(unheard(shown, heard));
            lost.or(shortfall(before, shown)).map_or(Shown::NewLife, Shown::Less)
        }
    }
}

fn shortfall(before: &Pledge, shown: &Pledge) -> Option<Shortfall> {
    if !shown.kept.follows(&before.kept) {
        return Some(Shortfall::Writes);
    }
    (shown.cosigned < before.cosigned).then_some(Shortfall::Cosigned)
}

/// A member that acknowledged entry `i` in term `t` finds, when it starts again, a newer term, or the same
/// one and a log that still reaches `i`: a leader never takes back its own term's entries.
fn unheard(shown: &Pledge, heard: Position) -> Option<Shortfall> {
    let found = (shown.found.term, shown.found.index);
    (found < (heard.term, heard.index)).then_some(Shortfall::Acknowledged)
}

/// In what `own`, the pledge of this very process, falls short of one that this node signed before: not at
/// all, if this directory is the one that signed it, and whole.
pub(crate) fn forgot(own: &Pledge, signed: &Pledge) -> Option<Shortfall> {
    if own.directory != signed.directory {
        return Some(Shortfall::Directory);
    }
    match own.boot.cmp(&signed.boot) {
        Ordering::Less => Some(Shortfall::Boot),
        Ordering::Equal if own.life != signed.life => Some(Shortfall::Copy),
        Ordering::Equal => None,
        Ordering::Greater if !own.found.follows(&signed.kept) => Some(Shortfall::Writes),
        Ordering::Greater => (own.cosigned < signed.cosigned).then_some(Shortfall::Cosigned),
    }
}

#[cfg(test)]
mod tests {
    use musubi_ledger::batch::NodeId;

    use super::*;
    use crate::pledge::Durable;

    fn durable(write: u64, index: u64, term: u64, vote: u64) -> Durable {
        Durable { write, index, term, vote, hash: [write as u8; 32] }
    }

    /// Boot 3 of directory 1, which found write 10 and has written up to 14.
    fn before() -> Pledge {
        Pledge {
            node: NodeId(2),
            directory: [1; 16],
            boot: 3,
            life: 77,
            number: 5,
            found: durable(10, 20, 4, 1),
            kept: durable(14, 24, 4, 1),
            cosigned: 9,
        }
    }

    fn restarted() -> Pledge {
        let kept = durable(14, 24, 4, 1);
        Pledge { boot: 4, life: 78, number: 1, found: kept, kept, ..before() }
    }

    const NOTHING: Position = Position { index: 0, term: 0 };

    fn shown(pledge: Pledge) -> Shown {
        compare(Some(&before()), &pledge, NOTHING)
    }

    #[test]
    fn an_honest_member_goes_on_and_comes_back() {
        assert_eq!(compare(None, &before(), NOTHING), Shown::NewLife);
        assert_eq!(shown(before()), Shown::Known);
        assert_eq!(shown(Pledge { number: 4, ..before() }), Shown::Known);
        // A truncated tail: fewer entries, in a later term, by a later write.
        let truncated = Pledge { number: 6, kept: durable(15, 22, 5, 0), ..before() };
        assert_eq!(shown(truncated), Shown::Later);
        assert_eq!(shown(restarted()), Shown::NewLife);
        // Written and synced before the crash, and never told.
        let ahead = durable(17, 27, 5, 3);
        let came_back_with_more = Pledge { found: ahead, kept: ahead, ..restarted() };
        assert_eq!(shown(came_back_with_more), Shown::NewLife);
        let after_many_boots = Pledge { boot: 9, ..came_back_with_more };
        assert_eq!(shown(after_many_boots), Shown::NewLife);
        assert_eq!(forgot(&after_many_boots, &before()), None);
        assert_eq!(forgot(&before(), &Pledge { number: 4, ..before() }), None);
    }

    #[test]
    fn what_came_late_accuses_nobody() {
        let late = Pledge { boot: 2, life: 76, number: 40, ..before() };
        assert_eq!(shown(late), Shown::EarlierBoot);
        let older = durable(9, 19, 4, 1);
        assert_eq!(forgot(&before(), &Pledge { found: older, kept: older, ..late }), None);
    }

    #[test]
    fn another_directory_is_refused_however_much_it_holds() {
        let kept = durable(900, 900, 90, 2);
        let other = Pledge { directory: [2; 16], boot: 50, kept, found: kept, ..before() };
        assert_eq!(shown(other), Shown::Less(Shortfall::Directory));
        assert_eq!(forgot(&other, &before()), Some(Shortfall::Directory));
    }

    #[test]
    fn an_old_backup_is_refused_in_each_of_its_shapes() {
        // Copied in boot 2, put back: it opens as boot 3 again, in another process.
        let found = durable(10, 20, 4, 1);
        let same_boot = Pledge { life: 99, number: 1, found, kept: found, ..before() };
        assert_eq!(shown(same_boot), Shown::Less(Shortfall::Copy));
        assert_eq!(forgot(&same_boot, &before()), Some(Shortfall::Copy));
        // Even when it has caught up.
        let caught_up = Pledge { kept: durable(90, 90, 9, 1), number: 70, ..same_boot };
        assert_eq!(shown(caught_up), Shown::Less(Shortfall::Copy));
        // Copied before that.
        let earlier = Pledge { boot: 2, ..same_boot };
        assert_eq!(shown(earlier), Shown::EarlierBoot);
        assert_eq!(forgot(&earlier, &before()), Some(Shortfall::Boot));
        // Copied while boot 3 ran: it opens as boot 4, with less than boot 3 told later.
        let copied = durable(12, 22, 4, 1);
        let copied = Pledge { found: copied, kept: copied, ..restarted() };
        assert_eq!(shown(copied), Shown::Less(Shortfall::Writes));
        assert_eq!(forgot(&copied, &before()), Some(Shortfall::Writes));
        let caught_up = Pledge { kept: durable(90, 90, 9, 1), number: 70, ..copied };
        assert_eq!(shown(caught_up), Shown::Less(Shortfall::Writes), "what it found counts");
        // At the last write told, but with another vote in that term.
        let revoted = durable(14, 24, 4, 3);
        let revoted = Pledge { found: revoted, kept: revoted, ..restarted() };
        assert_eq!(shown(revoted), Shown::Less(Shortfall::Writes));
        let uncosigned = Pledge { cosigned: 8, ..restarted() };
        assert_eq!(shown(uncosigned), Shown::Less(Shortfall::Cosigned));
        assert_eq!(forgot(&uncosigned, &before()), Some(Shortfall::Cosigned));
    }

    #[test]
    fn what_was_acknowledged_after_the_last_pledge_counts() {
        let heard = |term, index| compare(Some(&before()), &restarted(), Position { index, term });
        assert_eq!(heard(4, 24), Shown::NewLife);
        assert_eq!(heard(3, 400), Shown::NewLife, "a later term's leader may have replaced those");
        assert_eq!(heard(4, 25), Shown::Less(Shortfall::Acknowledged));
        assert_eq!(heard(5, 0), Shown::Less(Shortfall::Acknowledged));
    }

    #[test]
    fn nothing_is_taken_back_within_a_life() {
        for kept in [durable(13, 24, 4, 1), durable(15, 25, 3, 1), durable(15, 25, 4, 3)] {
            let back = Pledge { number: 6, kept, ..before() };
            assert_eq!(shown(back), Shown::Less(Shortfall::Writes), "{kept:?}");
        }
        let another = Durable { hash: [9; 32], ..before().kept };
        let another = Pledge { number: 6, kept: another, ..before() };
        assert_eq!(shown(another), Shown::Less(Shortfall::Writes), "one write, two contents");
    }
}
