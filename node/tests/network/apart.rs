//! A node's network in a process of its own, so that the memory measured is that network's alone,
//! with an honest member that talks to it all the while.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use musubi_node::network::{Class, FRAME_BYTES_MAX, Inbox, Member, Network, Sent, Timeouts};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::raw_yamux::RawYamux;
use crate::{config, members, numbered, receive, secret, start, until_delivers};

/// The node under attack, the member that attacks it, and the honest one.
const NODE: u64 = 1;
const ATTACKER: u64 = 2;
const HONEST: u64 = 3;

/// How far the node's peak may lie above its memory before the attack.
const EXTRA_BYTES_MAX: u64 = 64 << 20;

/// Short, so that the tests are; long enough for a busy machine.
pub(crate) const TIMEOUTS: Timeouts = Timeouts {
    handshake: Duration::from_secs(2),
    ping_interval: Duration::from_millis(500),
    ping: Duration::from_secs(3),
    frame: Duration::from_secs(1),
};

/// Names the members' addresses to the process that is to be the node.
const ADDRESSES: &str = "MUSUBI_TEST_NETWORK_ADDRESSES";

/// The node's process and the honest member's talk with it.
pub(crate) struct Apart {
    process: Process,
    members: Vec<Member>,
    enough: oneshot::Sender<()>,
    talk: JoinHandle<u32>,
    before: u64,
}

impl Apart {
    /// Starts the node and the honest member, and waits until frames flow both ways.
    pub(crate) async fn start() -> Self {
        let members = members(3);
        let process = Process::start(&members);
        let (network, mut inbox) = start(HONEST, &members).await;
        // Comes back, so both directions stand.
        until_delivers(&network, NODE, Class::Control, &mut inbox).await;
        let (enough, stop) = oneshot::channel();
        let talk = tokio::spawn(talk(network, inbox, stop));
        let before = process.memory("VmRSS:");
        Self { process, members, enough, talk, before }
    }

    /// Where the node listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.members[0].address
    }

    /// The secret key of the member that attacks.
    pub(crate) fn attackers_secret(&self) -> [u8; 32] {
        secret(ATTACKER)
    }

    /// The node's public key.
    pub(crate) fn key(&self) -> [u8; 32] {
        self.members[0].peer.0
    }

    /// The member that attacks, connected.
    pub(crate) async fn attacker(&self) -> RawYamux {
        RawYamux::connect(self.attackers_secret(), self.address()).await
    }

    /// The attack is over: the node must live, have kept its memory, and have lost none of the
    /// honest member's frames.
    pub(crate) async fn holds(mut self) {
        // Some more rounds after the attack.
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.enough.send(()).expect("the honest member still talks");
        let rounds = self.talk.await.unwrap();
        assert!(rounds > 50, "only {rounds} rounds of the honest member");
        let grown = self.process.memory("VmHWM:").saturating_sub(self.before);
        println!("{rounds} rounds; {} KiB at most beyond {} KiB", grown >> 10, self.before >> 10);
        assert!(grown <= EXTRA_BYTES_MAX, "the attack cost {grown} bytes");
        assert!(self.process.0.try_wait().unwrap().is_none(), "the node has ended");
    }
}

/// Sends numbered frames and awaits each one's echo: nothing is lost, nothing out of order. Returns
/// how many.
async fn talk(network: Network, mut inbox: Inbox, mut stop: oneshot::Receiver<()>) -> u32 {
    let mut rounds = 0;
    while stop.try_recv().is_err() {
        let class = if rounds % 2 == 0 { Class::Control } else { Class::Append };
        let frame = numbered(class, rounds);
        assert_eq!(network.send(NODE, class, frame.clone()), Sent::Queued, "round {rounds}");
        let echo = receive(&mut inbox).await;
        assert!(echo.class == class && echo.frame == frame, "round {rounds}: {:?}", echo.class);
        rounds += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    network.shutdown().await;
    rounds
}

/// The process of the node; killed with this handle.
struct Process(Child);

impl Process {
    /// This very test binary, asked for nothing but [`the_node_itself`].
    fn start(members: &[Member]) -> Self {
        let addresses: Vec<_> = members.iter().map(|member| member.address.to_string()).collect();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "apart::the_node_itself", "--ignored", "--nocapture"])
            .env(ADDRESSES, addresses.join(","))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// A line of the process' status, in bytes: `VmRSS:` is its memory now, `VmHWM:` the most so
    /// far.
    fn memory(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// No test: what [`Process::start`] runs. Sends every frame back to the honest member, but never
/// reads snapshots. Ends when whoever started it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process that other tests start"]
async fn the_node_itself() {
    let Ok(addresses) = std::env::var(ADDRESSES) else {
        return;
    };
    let members: Vec<_> = (1..)
        .zip(addresses.split(','))
        .map(|(node, address)| crate::member(node, address.parse().unwrap()))
        .collect();
    let mut config = config(NODE, &members);
    (config.inbox_frames, config.inbox_bytes) = (16, FRAME_BYTES_MAX);
    config.timeouts = TIMEOUTS;
    let (network, inbox) = Network::start(config).await.unwrap();
    let [mut control, mut append, _snapshot, _submission] = inbox.split();
    // Ends with its starter, because the standard input does.
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    loop {
        let incoming = tokio::select! {
            incoming = control.recv() => incoming,
            incoming = append.recv() => incoming,
        };
        let incoming = incoming.unwrap();
        let _ = network.send(HONEST, incoming.class, incoming.frame);
    }
}
