#![allow(clippy::unwrap_used)]
//! A stage of three real validators whose clocks a scenario drives, over years in seconds.

use std::{path::Path, sync::LazyLock, time::Duration};

use musubi_ledger::{
    amount::Amount,
    api::Info,
    code::Code,
    id::{PartyId, TxId},
    lot::OriginKind,
    operation::{Citation, Leg, Movement, Operation},
    state::{Row, RowKey},
    time::{Day, Time},
};
use musubi_node::driven_time;
use musubi_sdk::Slot;
use musubi_testnet::{
    city::{
        City, charge,
        institutions::{self, Key},
        plan::Plan,
        setup,
    },
    item::{Scribe, Task, sign_all},
    network::{Network, PARAMETERS, Settings},
    random::Dice,
    scenario::{OnNetwork, Seen, Verdict},
};

const SEED: u64 = 41;
const DAY_MS: u64 = 86_400_000;
/// Days for which the test network's points are good.
const GOOD_FOR: u16 = 180;

/// The stage with a small city, of which one person and one shop are on it.
struct Play {
    stage: OnNetwork,
    city: City,
    scribe: Scribe,
    /// The allowance of points: it lasts 30 days.
    allowance: Option<TxId>,
    /// Everything that was seen, in order.
    seen: Vec<Seen>,
    _root: tempfile::TempDir,
}

impl Play {
    fn start(begins: Time) -> Self {
        let root = tempfile::tempdir().unwrap();
        let stage = OnNetwork::start(&root.path().join("network"), SEED, begins).unwrap();
        assert_eq!(stage.genesis().time, begins);
        assert!(stage.genesis().parameters.driven_time);
        let mut city = City::new(SEED, Plan::for_payments(1_000), 3);
        city.persons.truncate(1);
        city.merchants.truncate(1);
        assert_eq!(city.institutions.issuer.party, stage.institutions().issuer.party);
        let scribe = Scribe::new(stage.genesis().chain(), begins, Dice::new(SEED), "play");
        let mut play = Self { stage, city, scribe, allowance: None, seen: Vec::new(), _root: root };
        let registrations = setup::registrations(&play.city, &mut play.scribe);
        assert_eq!(play.hand_in(registrations), [Code::Applied; 2]);
        play
    }

    fn person(&self) -> (PartyId, Key) {
        let person = &self.city.persons[0];
        (person.party, Key::clone(&person.keys[0]))
    }

    fn hand_in(&mut self, tasks: Vec<Task>) -> Vec<Code> {
        let signed = sign_all(vec![tasks], std::num::NonZero::<usize>::MIN).swap_remove(0);
        let ids: Vec<TxId> = signed.iter().map(|item| item.id).collect();
        let items = signed.into_iter().map(|item| item.bytes).collect();
        let verdicts = self.stage.submit(items).unwrap();
        assert_eq!(verdicts.iter().map(|verdict| verdict.id).collect::<Vec<_>>(), ids);
        verdicts.into_iter().map(|Verdict { code, .. }| code).collect()
    }

    /// New allowances: an old one has ended.
    fn allow(&mut self) {
        let (tasks, allowances) = setup::allowances(&self.city, &mut self.scribe);
        assert_eq!(self.hand_in(tasks), [Code::Applied; 2]);
        self.allowance = Some(allowances.points);
    }

    /// Grants points, and says when they end by the calendar.
    fn grant(&mut self, amount: u64) -> Time {
        self.scribe.now = self.stage.now();
        self.allow();
        let (party, key) = self.person();
        let (allowance, to) = (self.allowance.unwrap(), (party, Citation::Live));
        let origin = OriginKind::Grant;
        let (body, mut signers) =
            charge::top_up(&self.city, &mut self.scribe, allowance, to, amount, origin);
        signers.push((Slot::payee(party), key));
        let before = self.stage.now();
        assert_eq!(self.hand_in(vec![Task::good("grant", body, signers)]), [Code::Applied]);
        assert_eq!(before.day(), self.stage.now().day(), "no test may last over a midnight");
        before.end_of_day_after(GOOD_FOR)
    }

    fn pay(&mut self, amount: u64) -> Code {
        self.scribe.now = self.stage.now();
        let (from, key) = self.person();
        let shop = &self.city.merchants[0];
        let operation = Operation::Transfer(Movement {
            from,
            to: shop.party,
            legs: vec![Leg { instrument: institutions::points(), amount: Amount(amount) }],
            debit: Citation::Live,
            credit: Citation::Live,
        });
        let signers =
            vec![(Slot::payer(from), key), (Slot::payee(shop.party), Key::clone(&shop.key))];
        let body = self.scribe.body(from, operation);
        self.hand_in(vec![Task::good("payment", body, signers)])[0]
    }

    /// Points in the person's wallet, usable or not, by execution here.
    fn held(&self) -> u64 {
        let (party, _) = self.person();
        let Some(Row::Wallet(wallet)) = self.stage.state().row(&RowKey::Wallet(party)) else {
            panic!("the person has a wallet");
        };
        wallet.lots.iter().map(|held| held.spendable.0).sum()
    }

    fn advance(&mut self, to: Time) {
        self.stage.advance(to).unwrap();
        assert!(self.stage.now() >= to);
        assert!(self.stage.state().due(self.stage.now(), 1).is_empty(), "nothing due is left");
        self.look();
    }

    /// Takes the new blocks: they follow those before without a gap, and time only grows.
    fn look(&mut self) -> usize {
        let new = self.stage.blocks().unwrap();
        let count = new.len();
        for seen in new {
            if let Some(last) = self.seen.last() {
                assert_eq!(seen.block.head.height, last.block.head.height + 1);
                assert!(seen.block.head.time > last.block.head.time, "time never goes back");
            }
            self.seen.push(seen);
        }
        count
    }

    /// Waits until a node has executed a block more than anybody has now: it hears the leader.
    fn follows(&mut self, node: u64) {
        self.scribe.now = self.stage.now();
        self.allow();
        let height = self.stage.height();
        let client = self.stage.network().client_of(usize::try_from(node).unwrap() - 1).unwrap();
        let there = |info: Info| info.height >= height;
        let begun = std::time::Instant::now();
        while !block_on(client.info()).is_ok_and(there) {
            assert!(begun.elapsed() < Duration::from_secs(60), "node {node} does not follow");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Times of the blocks whose leaves time itself made.
    fn swept(&self) -> Vec<Time> {
        let due = |seen: &&Seen| seen.block.entries.iter().any(|entry| entry.due.is_some());
        self.seen.iter().filter(due).map(|seen| seen.block.head.time).collect()
    }
}

fn date(year: u32, month: u32, day: u32) -> Time {
    Day::of_civil(year, month, day).unwrap().begin()
}

/// So much before an instant that no slow machine runs into it.
fn before(midnight: Time) -> Time {
    Time(midnight.0 - 3_600_000)
}

#[test]
fn two_years_pass_and_what_expires_does_so_at_its_midnight() {
    let mut play = Play::start(date(2023, 4, 1).plus(9 * 3_600_000));
    let first = play.grant(1_000);
    assert_eq!(first, date(2023, 9, 29), "180 days behind the day of issue");
    play.advance(date(2023, 4, 11).plus(3_600_000));
    let second = play.grant(500);
    assert_eq!(second, date(2023, 10, 9));
    assert_eq!((play.held(), play.pay(100)), (1_500, Code::Applied));

    play.advance(before(first));
    assert_eq!((play.held(), play.pay(100)), (1_400, Code::Applied));
    assert_eq!(play.swept().len(), 0);
    play.advance(first);
    assert_eq!(play.held(), 500, "what came first is gone, to the day");
    play.advance(before(second));
    assert_eq!((play.held(), play.pay(500)), (500, Code::Applied), "the last hour counts");
    assert_eq!(play.held(), 0);

    // Over a leap year's February.
    play.advance(date(2024, 1, 15).plus(3_600_000));
    let third = play.grant(700);
    assert_eq!(third, date(2024, 7, 14));
    play.advance(before(third));
    assert_eq!((play.held(), play.pay(7)), (700, Code::Applied));
    play.advance(third);
    assert_eq!(play.held(), 0);
    assert_ne!(play.pay(1), Code::Applied);
    play.advance(date(2025, 4, 1));
    let end = play.stage.now();
    assert!(end >= date(2025, 4, 1) && end < date(2025, 4, 2), "{end}");
    play.look();
    let swept: Vec<Day> = play.swept().into_iter().map(Time::day).collect();
    for midnight in [first, third] {
        assert!(swept.contains(&midnight.day()), "{midnight}: {swept:?}");
    }
    // Every block was seen, and all verdicts are in what was seen.
    assert_eq!(play.seen.len() as u64, play.seen.last().unwrap().block.head.height);
    let applied = |item: &&musubi_ledger::execute::ItemResult| item.code == Code::Applied;
    let items = play.seen.iter().flat_map(|seen| &seen.block.items);
    assert_eq!(items.filter(applied).count(), 2 + 3 * 3 + 4);
    play.stage.stop().unwrap();
}

#[test]
fn time_goes_forward_alone_and_survives_restarts() {
    let begins = date(2023, 4, 1);
    let mut play = Play::start(begins);
    let (half, year) = (begins.plus(180 * DAY_MS), begins.plus(365 * DAY_MS));
    play.advance(half);
    // What was reached is reached: an advance to the past changes nothing.
    play.advance(begins);
    assert!(play.stage.now() >= half);
    for at in 0..3 {
        let client = play.stage.network().operator_of(at).unwrap();
        let refused = block_on(client.set_time(0, begins)).unwrap_err();
        assert_eq!(refused.code(), "time_past", "{refused}");
    }
    let reader = play.stage.network().client_of(0).unwrap();
    assert_eq!(block_on(reader.set_time(0, year)).unwrap_err().code(), "operator_only");

    // Killed right behind a jump, it goes on where its fellows are, by its file alone.
    let leader = play.stage.leader().unwrap().unwrap();
    let follower = leader % 3 + 1;
    play.stage.kill(follower).unwrap();
    play.stage.network().restart(follower).unwrap();
    assert_eq!(play.grant(5), half.end_of_day_after(GOOD_FOR));
    play.follows(follower);
    // The leader itself: another one leads on, in the same year.
    play.stage.kill(leader).unwrap();
    assert_eq!(play.grant(10), half.end_of_day_after(GOOD_FOR));
    // What it misses it is told when it is back.
    play.advance(year);
    play.stage.restart(leader).unwrap();
    play.follows(leader);
    play.advance(year.plus(DAY_MS));
    play.follows(leader);

    // Without its file it does not start, and says what to do; with a fellow's it goes on.
    play.stage.kill(follower).unwrap();
    let dir = play.stage.network().dir().to_owned();
    let file = |node: u64| dir.join(format!("node-{node}/data/{}", driven_time::FILE));
    std::fs::remove_file(file(follower)).unwrap();
    play.stage.network().restart(follower).unwrap();
    let begun = std::time::Instant::now();
    let status = loop {
        assert!(begun.elapsed() < Duration::from_secs(60), "it runs without its file");
        if let Some(status) = play.stage.network().ended(follower).unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(!status.success());
    let log = read(&dir.join(format!("node-{follower}.log")));
    assert!(log.contains("this chain has driven time") && log.contains("take a fellow's"), "{log}");
    std::fs::copy(file(leader), file(follower)).unwrap();
    play.stage.restart(follower).unwrap();
    play.advance(year.plus(2 * DAY_MS));
    play.follows(follower);
    assert!(read(&dir.join(format!("node-{leader}.log"))).contains("its clocks are driven"));
    play.stage.stop().unwrap();
}

#[test]
fn a_chain_without_driven_time_has_no_such_route() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("network");
    let settings = Settings { dir: dir.clone(), validators: 1, seed: SEED, parameters: PARAMETERS };
    let mut network = Network::start(&settings).unwrap();
    assert!(!network.genesis().parameters.driven_time);
    block_on(network.ready()).unwrap();
    let far = musubi_node::clock::machine().plus(DAY_MS);
    let operator = network.operator_of(0).unwrap();
    assert_eq!(block_on(operator.set_time(0, far)).unwrap_err().code(), "not_found");
    assert!(!block_on(operator.openapi()).unwrap().contains("/v1/test/time"));
    assert!(!dir.join("node-1/data").join(driven_time::FILE).exists());
    block_on(network.stop()).unwrap();
    drop(network);
    assert!(Network::start_driven(&settings, far).is_err(), "nor does it become one");
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> =
        LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());
    RUNTIME.block_on(what)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
