//! The validators' network over real loopback sockets. What a member that speaks Yamux by hand, and
//! a stranger that stops half way, can do to it (hostile input 20) is in `network/yamux.rs`.
#![allow(clippy::unwrap_used)]

#[path = "network/apart.rs"]
mod apart;
#[path = "network/raw_peer.rs"]
mod raw_peer;
#[path = "network/raw_yamux.rs"]
mod raw_yamux;
#[path = "network/yamux.rs"]
mod yamux;

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use musubi_node::network::{
    Class, Event, FRAME_BYTES_MAX, Inbox, Incoming, Member, Network, NetworkConfig, NetworkError,
    PeerKey, PeerStatus, Sent, TransportKey,
};
use raw_peer::RawPeer;

const PATIENCE: Duration = Duration::from_secs(10);

fn secret(node: u64) -> [u8; 32] {
    let mut secret = [0x5a; 32];
    secret[..8].copy_from_slice(&node.to_le_bytes());
    secret
}

fn key(node: u64) -> TransportKey {
    TransportKey::from_secret(&mut secret(node))
}

/// Nodes 1 to `count` on ports that were free a moment ago.
fn members(count: u64) -> Vec<Member> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses = listeners.iter().map(|listener| listener.local_addr().unwrap());
    (1..).zip(addresses).map(|(node, address)| member(node, address)).collect()
}

fn member(node: u64, address: SocketAddr) -> Member {
    Member { node, peer: key(node).public(), address }
}

fn config(node: u64, members: &[Member]) -> NetworkConfig {
    let listen = members.iter().find(|member| member.node == node).unwrap().address;
    let others = members.iter().filter(|member| member.node != node).cloned().collect();
    NetworkConfig::new(key(node), listen, others)
}

async fn start(node: u64, members: &[Member]) -> (Network, Inbox) {
    Network::start(config(node, members)).await.unwrap()
}

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "in vain for {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn status(network: &Network, node: u64) -> PeerStatus {
    network.peers().into_iter().find(|peer| peer.node == node).unwrap()
}

async fn until_connected(networks: &[&Network]) {
    until("all connected", || {
        networks.iter().all(|network| network.peers().iter().all(|peer| peer.connected))
    })
    .await;
}

async fn receive(inbox: &mut Inbox) -> Incoming {
    tokio::time::timeout(PATIENCE, inbox.recv())
        .await
        .expect("a frame in time")
        .expect("the network runs")
}

/// Sends probes of a class, to a member that gives them to `inbox` or sends them back, until one arrives: from then on the stream stands.
async fn until_delivers(from: &Network, to: u64, class: Class, inbox: &mut Inbox) {
    let start = Instant::now();
    loop {
        let _ = from.send(to, class, b"probe".to_vec());
        match tokio::time::timeout(Duration::from_millis(20), inbox.recv()).await {
            Ok(incoming) => {
                assert_eq!(incoming.unwrap().frame, b"probe");
                break;
            }
            Err(_) => assert!(start.elapsed() < PATIENCE, "no probe arrived"),
        }
    }
    // The rest of the probes.
    while tokio::time::timeout(Duration::from_millis(50), inbox.recv()).await.is_ok() {}
}

fn numbered(class: Class, number: u32) -> Vec<u8> {
    // Lengths from 4 bytes to some 100 KiB, so that frames span windows and packets.
    let mut frame = number.to_be_bytes().to_vec();
    frame.resize(
        4 + (number as usize * 7_919) % 1_000 * (1 + class.index() * 33),
        class.index() as u8,
    );
    frame
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_exchange_all_classes_in_order() {
    const FRAMES: u32 = 200;
    let members = members(3);
    let (mut networks, mut inboxes) = (Vec::new(), Vec::new());
    for member in &members {
        let (network, inbox) = start(member.node, &members).await;
        networks.push(network);
        inboxes.push(inbox);
    }
    until_connected(&networks.iter().collect::<Vec<_>>()).await;
    for (to, inbox) in inboxes.iter_mut().enumerate() {
        for from in (0..3).filter(|from| *from != to) {
            for class in Class::ALL {
                until_delivers(&networks[from], members[to].node, class, inbox).await;
            }
        }
    }
    let mut receivers = Vec::new();
    for mut inbox in inboxes {
        receivers.push(tokio::spawn(async move {
            let mut next = std::collections::BTreeMap::new();
            for _ in 0..2 * 4 * FRAMES {
                let incoming = receive(&mut inbox).await;
                let number = next.entry((incoming.from, incoming.class)).or_insert(0);
                assert_eq!(
                    incoming.frame,
                    numbered(incoming.class, *number),
                    "{:?} {number}",
                    incoming.class
                );
                *number += 1;
            }
            assert_eq!(next.len(), 8, "two members, four classes");
            assert!(next.values().all(|number| *number == FRAMES));
        }));
    }
    for number in 0..FRAMES {
        for network in &networks {
            for peer in network.peers() {
                for class in Class::ALL {
                    send_patiently(network, peer.node, class, numbered(class, number)).await;
                }
            }
        }
    }
    for receiver in receivers {
        receiver.await.unwrap();
    }
    for network in &networks {
        for peer in network.peers() {
            assert!(
                peer.classes.iter().all(|class| class.frames_in > u64::from(FRAMES)),
                "{peer:?}"
            );
            assert!(
                peer.classes
                    .iter()
                    .all(|class| class.queued_frames == 0 && class.queued_bytes == 0)
            );
        }
        network.shutdown().await;
    }
}

async fn send_patiently(network: &Network, to: u64, class: Class, frame: Vec<u8>) {
    let start = Instant::now();
    loop {
        match network.send(to, class, frame.clone()) {
            Sent::Queued => return,
            Sent::DroppedFull => tokio::time::sleep(Duration::from_millis(1)).await,
            other => panic!("{other:?} to a connected member"),
        }
        assert!(start.elapsed() < PATIENCE, "the queue stays full");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_and_delivers_nothing() {
    let members = members(2);
    let (network, mut inbox) = start(1, &members).await;
    // Noise finishes before the allow-list speaks, so the stranger may believe for a moment that it
    // is connected.
    let stranger = RawPeer::connect(secret(66), network.key().0, network.listen_address()).await;
    if let Ok(mut stranger) = stranger
        && let Ok(mut stream) = stranger.open("/musubi/control/1").await
    {
        let _ = stream.write(&[0, 0, 0, 1, 7]).await;
        assert!(stream.is_closed().await, "a stranger keeps a stream");
    }
    until("the refusal is counted", || network.refused_connections() == 1).await;
    let nothing = tokio::time::timeout(Duration::from_millis(300), inbox.recv()).await;
    assert!(nothing.is_err(), "a stranger delivered {nothing:?}");

    // The same bytes from the member do arrive, so the test would notice them.
    let mut member =
        RawPeer::connect(secret(2), network.key().0, network.listen_address()).await.unwrap();
    let mut stream = member.open("/musubi/control/1").await.unwrap();
    stream.write(&[0, 0, 0, 1, 7]).await.unwrap();
    let incoming = receive(&mut inbox).await;
    assert_eq!(incoming, Incoming { from: 2, class: Class::Control, frame: vec![7] });
    assert_eq!(network.refused_connections(), 1);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_over_long_frame_closes_its_stream_and_is_counted() {
    let members = members(2);
    let (network, mut inbox) = start(1, &members).await;
    let mut raw =
        RawPeer::connect(secret(2), network.key().0, network.listen_address()).await.unwrap();
    let mut append = raw.open("/musubi/append/1").await.unwrap();
    let mut control = raw.open("/musubi/control/1").await.unwrap();
    let length = FRAME_BYTES_MAX as u32 + 1;
    append.write(&length.to_be_bytes()).await.unwrap();
    assert!(append.is_closed().await, "an over-long frame leaves its stream open");
    let over_long = || status(&network, 2).classes.map(|class| class.over_long);
    until("it is counted", || over_long() == [0, 1, 0, 0]).await;

    // Other classes of that member go on, and so does a new stream of the same class.
    control.write(&[0, 0, 0, 1, 8]).await.unwrap();
    assert_eq!(receive(&mut inbox).await.frame, [8]);
    let mut again = raw.open("/musubi/append/1").await.unwrap();
    let longest = vec![3; FRAME_BYTES_MAX];
    again.write(&(FRAME_BYTES_MAX as u32).to_be_bytes()).await.unwrap();
    again.write(&longest).await.unwrap();
    assert_eq!(
        receive(&mut inbox).await,
        Incoming { from: 2, class: Class::Append, frame: longest }
    );
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_stream_of_a_class_replaces_the_older() {
    let members = members(2);
    let (network, mut inbox) = start(1, &members).await;
    let mut raw =
        RawPeer::connect(secret(2), network.key().0, network.listen_address()).await.unwrap();
    let mut older = raw.open("/musubi/submission/1").await.unwrap();
    older.write(&[0, 0, 0, 1, 1, 0, 0, 0, 9]).await.unwrap();
    assert_eq!(receive(&mut inbox).await.frame, [1]);
    let mut newer = raw.open("/musubi/submission/1").await.unwrap();
    newer.write(&[0, 0, 0, 1, 2]).await.unwrap();
    assert_eq!(receive(&mut inbox).await.frame, [2]);
    assert!(older.is_closed().await, "two streams of one class");
    assert_eq!(status(&network, 2).classes[Class::Submission.index()].streams_in, 2);
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_opens_streams_without_end_stays_bounded() {
    let members = members(3);
    let (network, mut inbox) = start(1, &members).await;
    let (other, _other_inbox) = start(3, &members).await;
    let mut raw =
        RawPeer::connect(secret(2), network.key().0, network.listen_address()).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..500 {
        // An incomplete frame on each.
        let Ok(mut stream) = raw.open("/musubi/snapshot/1").await else {
            break;
        };
        let _ = stream.write(&[0, 15, 0, 0, 1]).await;
        streams.push(stream);
    }
    let oldest = streams.first_mut().unwrap();
    assert!(oldest.is_closed().await);
    until_delivers(&other, 1, Class::Control, &mut inbox).await;
    other.shutdown().await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_handshakes_do_not_keep_members_out() {
    let members = members(2);
    let (first, _first_inbox) = start(1, &members).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(tokio::net::TcpStream::connect(first.listen_address()).await.unwrap());
    }
    until("what is beyond the limit is refused", || first.refused_connections() >= 60).await;
    let (second, _second_inbox) = start(2, &members).await;
    let start = Instant::now();
    until_connected(&[&first, &second]).await;
    assert!(start.elapsed() < Duration::from_secs(3), "silent strangers delay members");
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_else_at_a_members_address_is_not_taken_for_it() {
    let members = members(4);
    // Node 1 believes that node 2 is where node 3 listens.
    let mut config = config(1, &[&members[..2], &members[3..]].concat());
    config.members[0].address = members[2].address;
    // And that node 4 is where it listens itself.
    config.members[1].address = config.listen;
    let (first, _first_inbox) = Network::start(config).await.unwrap();
    let (third, mut third_inbox) = start(3, &members).await;
    until("dialled again and again", || first.peers().iter().all(|peer| peer.dial_failures >= 3))
        .await;
    assert!(!status(&first, 2).connected && !status(&third, 1).connected);
    assert_eq!(first.send(2, Class::Control, vec![1]), Sent::NotConnected);
    assert!(tokio::time::timeout(Duration::from_millis(50), third_inbox.recv()).await.is_err());
    first.shutdown().await;
    third.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_member_is_back_within_three_seconds() {
    let members = members(2);
    let (first, mut first_inbox) = start(1, &members).await;
    let mut events = first.events();
    for restart in 0..3 {
        let (second, mut second_inbox) = start(2, &members).await;
        let back = Instant::now();
        loop {
            let sent = first.send(2, Class::Append, vec![restart]);
            let arrived =
                tokio::time::timeout(Duration::from_millis(10), second_inbox.recv()).await;
            if let Ok(incoming) = arrived {
                assert_eq!(sent, Sent::Queued);
                assert_eq!(incoming.unwrap().frame, [restart]);
                break;
            }
            assert!(back.elapsed() < Duration::from_secs(3), "not back after 3 s");
        }
        println!("restart {restart}: first frame after {:?}", back.elapsed());
        until_delivers(&second, 1, Class::Control, &mut first_inbox).await;
        second.shutdown().await;
        until("the loss is noticed", || !status(&first, 2).connected).await;
        assert_eq!(first.send(2, Class::Append, vec![0]), Sent::NotConnected);
        // Long enough for failed dials.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut seen = Vec::new();
    while let Ok(event) = events.try_recv() {
        seen.push(event);
    }
    let count = |wanted: Event| seen.iter().filter(|event| **event == wanted).count();
    assert_eq!(count(Event::Connected { node: 2 }), 3, "{seen:?}");
    assert_eq!(count(Event::Disconnected { node: 2 }), 3, "{seen:?}");
    assert!(count(Event::Unreachable { node: 2 }) > 0, "{seen:?}");
    first.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_drops_and_one_class_never_blocks_another() {
    let members = members(2);
    let mut sending = config(1, &members);
    (sending.queue_frames, sending.queue_bytes) = (64, 2 * FRAME_BYTES_MAX);
    let mut receiving = config(2, &members);
    (receiving.inbox_frames, receiving.inbox_bytes) = (16, 2 * FRAME_BYTES_MAX);
    let (first, _first_inbox) = Network::start(sending).await.unwrap();
    let (second, second_inbox) = Network::start(receiving).await.unwrap();
    let [mut control, _append, mut snapshot, _submission] = second_inbox.split();
    until_connected(&[&first, &second]).await;

    // Nobody reads snapshots: windows fill, then the queue, then frames are dropped.
    let mut queued = 0;
    let mut dropped = 0;
    let start = Instant::now();
    while dropped < 200 {
        match first.send(2, Class::Snapshot, vec![0; 256 << 10]) {
            Sent::Queued => queued += 1,
            Sent::DroppedFull => dropped += 1,
            other => panic!("{other:?}"),
        }
        assert!(start.elapsed() < PATIENCE, "the queue takes everything");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let lane = status(&first, 2).classes[Class::Snapshot.index()];
    assert_eq!(lane.dropped_full, dropped);
    assert!(lane.queued_bytes <= 2 * FRAME_BYTES_MAX && lane.queued_frames <= 8, "{lane:?}");
    // Both queues, the reader's and the writer's buffers, and a Yamux window that never grew for
    // want of a reader.
    assert!(queued * (256 << 10) <= 8 * FRAME_BYTES_MAX, "{queued} frames are somewhere");

    // Control frames pass by all that.
    let start = Instant::now();
    assert_eq!(first.send(2, Class::Control, b"heartbeat".to_vec()), Sent::Queued);
    let incoming = tokio::time::timeout(PATIENCE, control.recv()).await.unwrap().unwrap();
    assert_eq!(incoming.frame, b"heartbeat");
    println!("control beside a stuck snapshot: {:?}", start.elapsed());

    // Once somebody reads, all that was queued arrives.
    for _ in 0..queued {
        let incoming = tokio::time::timeout(PATIENCE, snapshot.recv()).await.unwrap().unwrap();
        assert_eq!(incoming.frame.len(), 256 << 10);
    }
    assert_eq!(first.send(2, Class::Append, vec![0; FRAME_BYTES_MAX + 1]), Sent::TooLarge);
    assert_eq!(first.send(7, Class::Append, vec![0]), Sent::NotConnected);
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_the_inbox_and_frees_the_port() {
    let members = members(2);
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let alive_before = alive();
    for _ in 0..5 {
        let (first, mut inbox) = start(1, &members).await;
        let (second, _second_inbox) = start(2, &members).await;
        until_connected(&[&first, &second]).await;
        first.shutdown().await;
        first.shutdown().await;
        assert!(inbox.recv().await.is_none());
        assert_eq!(first.send(2, Class::Control, vec![1]), Sent::NotConnected);
        TcpListener::bind(members[0].address).expect("the port is free again");
        second.shutdown().await;
    }
    // A task that has ended is taken off the runtime's books a moment later.
    until("no task is left", || alive() <= alive_before).await;
}

#[tokio::test]
async fn a_senseless_configuration_is_refused_with_its_code() {
    let members = members(3);
    let code = async |change: &dyn Fn(&mut NetworkConfig)| {
        let mut config = config(1, &members);
        change(&mut config);
        Network::start(config).await.err().map(|error: NetworkError| error.code())
    };
    assert_eq!(code(&|_| {}).await, None);
    assert_eq!(code(&|config| config.members[1].node = 2).await, Some("member_repeated"));
    assert_eq!(
        code(&|config| config.members[1].peer = key(2).public()).await,
        Some("member_repeated")
    );
    assert_eq!(
        code(&|config| config.members[0].peer = key(1).public()).await,
        Some("member_is_self")
    );
    let mut off_the_curve = [0; 32];
    off_the_curve[0] = 2;
    assert_eq!(
        code(&|config| config.members[0].peer = PeerKey(off_the_curve)).await,
        Some("member_key_invalid")
    );
    assert_eq!(code(&|config| config.queue_bytes = 1_000).await, Some("limit_out_of_range"));
    assert_eq!(code(&|config| config.inbox_frames = 0).await, Some("limit_out_of_range"));
    assert_eq!(
        code(&|config| config.timeouts.frame = Duration::ZERO).await,
        Some("limit_out_of_range")
    );
    let nowhere: SocketAddr = "192.0.2.1:0".parse().unwrap();
    assert_eq!(code(&|config| config.listen = nowhere).await, Some("listen_failed"));
}

/// Prints figures and asserts none: they depend on the machine. It fails only if frames do not
/// arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throughput_and_latency_are_printed() {
    const ROUNDS: u32 = 2_000;
    const FRAMES: usize = 2_000;
    let members = members(2);
    let (first, mut first_inbox) = start(1, &members).await;
    let (second, mut second_inbox) = start(2, &members).await;
    until_connected(&[&first, &second]).await;
    until_delivers(&first, 2, Class::Append, &mut second_inbox).await;
    until_delivers(&second, 1, Class::Append, &mut first_inbox).await;

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        assert_eq!(first.send(2, Class::Append, vec![1; 512]), Sent::Queued);
        receive(&mut second_inbox).await;
        assert_eq!(second.send(1, Class::Append, vec![1; 64]), Sent::Queued);
        receive(&mut first_inbox).await;
        rounds.push(start.elapsed());
    }
    rounds.sort_unstable();
    println!("round trip: median {:?}, p99 {:?}", rounds[1_000], rounds[1_980]);

    let mut large = Vec::new();
    for _ in 0..100 {
        let frame = vec![1; 480 << 10];
        let start = Instant::now();
        assert_eq!(first.send(2, Class::Append, frame), Sent::Queued);
        receive(&mut second_inbox).await;
        large.push(start.elapsed());
    }
    large.sort_unstable();
    println!("480 KiB one way: median {:?}, p99 {:?}", large[50], large[98]);

    for bytes in [128, 4 << 10, 480 << 10] {
        let frames = FRAMES.min((256 << 20) / bytes);
        let start = Instant::now();
        let receiver = async {
            for _ in 0..frames {
                assert_eq!(receive(&mut second_inbox).await.frame.len(), bytes);
            }
        };
        let sender = async {
            for _ in 0..frames {
                send_patiently(&first, 2, Class::Append, vec![2; bytes]).await;
            }
        };
        tokio::join!(receiver, sender);
        let micros = start.elapsed().as_micros() as usize;
        let per_second = frames * 1_000_000 / micros;
        println!("{bytes} B: {per_second} frames/s, {} MB/s", frames * bytes / micros);
    }
    first.shutdown().await;
    second.shutdown().await;
}
