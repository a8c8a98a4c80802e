//! Who leads, on the nodes' own word.

use std::time::Duration;

use futures::future::join_all;

use super::Network;

/// How long a node may take to say whom it follows.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// A leader and the term in which it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leader {
    /// Raft id.
    pub node: u64,
    /// Raft term.
    pub term: u64,
}

/// Whom one node follows.
#[derive(Clone, Copy, Debug)]
struct Word {
    node: u64,
    follows: Option<Leader>,
}

impl Network {
    /// The leader that most validators follow in one term and that itself says it leads; none while there
    /// is no such node. A validator that does not run or does not answer follows nobody.
    ///
    /// # Errors
    /// If no client can be made.
    pub async fn leader(&self) -> anyhow::Result<Option<Leader>> {
        let mut asked = Vec::new();
        for (at, validator) in self.validators.iter().enumerate() {
            if validator.pid().is_none() {
                continue;
            }
            let client = self.client_of(at)?;
            asked.push(async move {
                let info = tokio::time::timeout(ANSWER_WITHIN, client.info()).await.ok()?.ok()?;
                let follows = info.leader.map(|node| Leader { node, term: info.term });
                Some(Word { node: info.node, follows })
            });
        }
        let words: Vec<Word> = join_all(asked).await.into_iter().flatten().collect();
        Ok(agreed(self.validators.len(), &words))
    }
}

fn agreed(validators: usize, words: &[Word]) -> Option<Leader> {
    words.iter().filter_map(|word| word.follows).find(|leader| {
        let same = || words.iter().filter(|word| word.follows == Some(*leader));
        2 * same().count() > validators && same().any(|word| word.node == leader.node)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(node: u64, leader: Option<u64>, term: u64) -> Word {
        Word { node, follows: leader.map(|node| Leader { node, term }) }
    }

    #[test]
    fn a_leader_is_whom_most_follow_in_one_term_itself_among_them() {
        let all = [word(1, Some(2), 7), word(2, Some(2), 7), word(3, Some(2), 7)];
        assert_eq!(agreed(3, &all), Some(Leader { node: 2, term: 7 }));
        // Two of three are most; one of three is not, nor is one of one that answers.
        assert_eq!(agreed(3, &all[..2]), Some(Leader { node: 2, term: 7 }));
        assert_eq!(agreed(3, &all[1..2]), None);
        // It does not say so itself: it may be dead.
        assert_eq!(agreed(3, &[all[0], all[2]]), None);
        assert_eq!(agreed(3, &[all[0], all[2], word(2, None, 8)]), None);
        // An old term's followers do not count for the new one.
        let torn = [word(1, Some(2), 7), word(2, Some(2), 8), word(3, Some(3), 9)];
        assert_eq!(agreed(3, &torn), None);
        // A deposed leader that still believes in itself is outvoted.
        let deposed = [word(1, Some(1), 7), word(2, Some(3), 8), word(3, Some(3), 8)];
        assert_eq!(agreed(3, &deposed), Some(Leader { node: 3, term: 8 }));
        assert_eq!(agreed(3, &[]), None);
    }
}
