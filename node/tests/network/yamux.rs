//! Hostile input 20: a member that breaks Yamux's rules frame by frame, strangers that stop in the
//! middle of the handshake, and peers that say a byte and nothing more.
//!
//! In each test the node is a process of its own, and an honest member exchanges numbered frames
//! with it before, during and after. What must hold: the hostile connection (or stream) ends by
//! itself, the node's memory never grows by more than 64 MiB, and no honest frame is lost or out of
//! order ([`Apart::holds`]). Each test names the defence without which it fails.

use std::time::{Duration, Instant};

use futures::AsyncWriteExt;

use crate::PATIENCE;
use crate::apart::{Apart, TIMEOUTS};
use crate::raw_peer::RawPeer;
use crate::raw_yamux::{
    DATA, MULTISTREAM, PING, SYN, WINDOW, WINDOW_UPDATE, connect, data, ends, header, message,
};

/// Leans on the guard that hangs up once Yamux has said "go away" (`guard::Watched`), and for a
/// length that no frame may have on Yamux itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_frame_beyond_the_window_ends_the_connection() {
    let node = Apart::start().await;
    // As much as the window allows is no breach.
    let mut peer = node.attacker().await;
    peer.write(&data(SYN, 1, &vec![0; WINDOW as usize])).await.unwrap();
    assert!(peer.is_answered(7).await, "an allowed frame ended the connection");

    let _ = peer.write(&data(SYN, 3, &vec![0; WINDOW as usize + 1])).await;
    // Well before anybody misses an answer to a ping.
    assert!(!peer.is_answered(8).await, "one byte too many, and the node goes on");
    assert!(peer.is_closed().await);

    // A length that is never sent must not be waited for, nor allocated.
    let mut peer = node.attacker().await;
    peer.write(&header(DATA, SYN, 1, u32::MAX)).await.unwrap();
    assert!(peer.is_closed().await, "4 GiB are awaited");
    node.holds().await;
}

/// Leans on Yamux' windows for the memory, and on `guard::Watched` for the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_data_than_the_window_ends_the_connection() {
    const SENT_MAX: usize = 8 << 20;
    let node = Apart::start().await;
    let mut peer = node.attacker().await;
    // The node never reads snapshots: its inbox fills, its reader stops, the window shuts.
    let opening = [message(MULTISTREAM), message("/musubi/snapshot/1")].concat();
    peer.write(&data(SYN, 1, &opening)).await.unwrap();
    let frame = [&1_020_u32.to_be_bytes()[..], &[5; 1_020]].concat();
    let mut sent = 0;
    // Without a look at the window.
    while peer.write(&data(0, 1, &frame)).await.is_ok() {
        sent += frame.len();
        assert!(sent < SENT_MAX, "{sent} bytes on a stream that nobody reads");
    }
    assert!(peer.is_closed().await);
    node.holds().await;
}

/// Leans on the count of living streams (`guard::Guarded`). Without it the second part, streams
/// with a window full of data each, makes libp2p hold 256 of those windows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_streams_end_the_connection() {
    let node = Apart::start().await;
    let ids = || (1..).step_by(2);
    let mut peer = node.attacker().await;
    let opened: Vec<u8> =
        ids().take(10_000).flat_map(|id| header(WINDOW_UPDATE, SYN, id, 0)).collect();
    let _ = peer.write(&opened).await;
    assert!(peer.is_closed().await, "10,000 streams, and the connection stands");

    // As many unfinished negotiations as may be under way, so that the other streams have to wait.
    let unfinished = data(SYN, 1, &message(MULTISTREAM)[..9]);
    let full = data(SYN, 1, &vec![0; WINDOW as usize]);
    let frames = ids().map(|id: u32| {
        let mut frame = if id < 32 { unfinished.clone() } else { full.clone() };
        frame[4..8].copy_from_slice(&id.to_be_bytes());
        frame
    });
    for _ in 0..3 {
        let mut peer = node.attacker().await;
        let mut opened = 0;
        for frame in frames.clone().take(400) {
            if peer.write(&frame).await.is_err() {
                break;
            }
            opened += 1;
        }
        assert!(opened < 400, "all streams were taken, 96 MiB");
        assert!(peer.is_closed().await);
    }
    node.holds().await;
}

/// Leans on the time limit of the handshake and on the number that may be under way at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_stop_half_way_are_given_up() {
    let node = Apart::start().await;
    let start = Instant::now();
    let in_multistream = message(MULTISTREAM)[..9].to_vec();
    // Noise's first message is 32 bytes behind a length of two.
    let in_noise = [message(MULTISTREAM), message("/noise"), vec![0, 32], vec![7; 20]].concat();
    let mut strangers = Vec::new();
    for number in 0..200 {
        let mut stream = connect(node.address()).await;
        let said = if number % 2 == 0 { &in_multistream } else { &in_noise };
        // Those beyond the limit are hung up on at once, perhaps before they speak.
        let _ = stream.write_all(said).await;
        strangers.push(tokio::spawn(ends(stream)));
    }
    for stranger in strangers {
        assert!(stranger.await.unwrap(), "a half-open handshake lasts");
    }
    assert!(start.elapsed() >= TIMEOUTS.handshake, "none was under way");
    // And the places are free again for a member.
    let mut peer = node.attacker().await;
    assert!(peer.is_answered(7).await);
    node.holds().await;
}

/// Leans on `liveness`: who answers no ping is hung up on, whatever else it says. Its neighbours
/// in time: the connection stands as long as nothing is overdue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_drips_bytes_of_a_frame_is_closed() {
    let node = Apart::start().await;
    let limit = TIMEOUTS.ping_interval + TIMEOUTS.ping;
    // One byte of a header, then nothing.
    let mut silent = node.attacker().await;
    let start = Instant::now();
    silent.write(&[0]).await.unwrap();
    assert!(silent.is_closed().await, "a byte and nothing more, and the connection stands");
    assert!(start.elapsed() + Duration::from_millis(500) > limit, "{:?}", start.elapsed());

    // A frame that arrives byte by byte.
    let mut dripping = node.attacker().await;
    let start = Instant::now();
    dripping.write(&header(DATA, SYN, 1, WINDOW)).await.unwrap();
    while dripping.write(&[19]).await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "byte by byte for {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(dripping.is_closed().await);
    node.holds().await;
}

/// Leans on `guard::CLOSE_TIMEOUT`: to close politely would mean to wait for somebody who does not
/// read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_asks_and_does_not_read_the_answers_is_closed() {
    const SENT_MAX: usize = 256 << 20;
    let node = Apart::start().await;
    let mut deaf = node.attacker().await;
    deaf.go_deaf();
    let pings: Vec<u8> = (0..5_000).flat_map(|id| header(PING, SYN, 0, id)).collect();
    let mut sent = 0;
    let error = loop {
        match deaf.write(&pings).await {
            Ok(()) => sent += pings.len(),
            Err(error) => break error,
        }
        assert!(sent < SENT_MAX, "the node answers without end");
    };
    assert_ne!(error.kind(), std::io::ErrorKind::TimedOut, "the node waits for a deaf member");
    node.holds().await;
}

/// Leans on the time limit of a frame (`Timeouts::frame`). This member answers every ping.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_with_an_unfinished_frame_is_closed_and_the_others_go_on() {
    let node = Apart::start().await;
    let secret = node.attackers_secret();
    let mut peer = RawPeer::connect(secret, node.key(), node.address()).await.unwrap();
    // Between frames a stream may be silent for as long as it likes.
    let mut idle = peer.open("/musubi/submission/1").await.unwrap();
    idle.write(&[0, 0, 0, 1, 7]).await.unwrap();
    let mut dripping = peer.open("/musubi/append/1").await.unwrap();
    let start = Instant::now();
    for byte in [0, 0, 4].into_iter().chain(std::iter::repeat(0)) {
        if dripping.write(&[byte]).await.is_err() {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "byte by byte for {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(start.elapsed() >= TIMEOUTS.frame, "closed too early: {:?}", start.elapsed());
    assert!(dripping.is_closed().await);
    assert!(!idle.ends_within(Duration::from_millis(100)).await, "an idle stream was closed");
    // The same class again.
    let mut again = peer.open("/musubi/append/1").await.unwrap();
    again.write(&[0, 0, 0, 1]).await.unwrap();
    assert!(again.is_closed().await, "the second unfinished frame");
    node.holds().await;
}
