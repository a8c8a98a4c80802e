//! Connections and rates: what one client can take from the others. Hostile inputs 21 and 23.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use musubi_node::http::{HttpLimits, Rate};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::{Client, problem};

/// Sends `head`, then a byte every 200 ms, until the server closes; how long that took.
async fn dawdle(address: SocketAddr, head: String) -> (Duration, String) {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let begun = Instant::now();
    let writing = tokio::spawn(async move {
        let mut sent = write.write_all(head.as_bytes()).await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
            sent = write.write_all(b"x").await;
        }
    });
    let mut answer = Vec::new();
    // A reset counts as closed too.
    let _ =
        tokio::time::timeout(Duration::from_secs(20), read.read_to_end(&mut answer)).await.unwrap();
    writing.abort();
    (begun.elapsed(), String::from_utf8_lossy(&answer).into_owned())
}

/// Slow connections of each kind: a thousand in all.
const EACH: u64 = 500;

/// Both ends of every connection are this process's.
fn allow_open_files(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_heads_and_slow_bodies_are_cut_off_and_hinder_nobody() {
    allow_open_files(4 * EACH);
    let limits = HttpLimits {
        header_timeout_ms: 600,
        body_timeout_ms: 900,
        connections: 2_048,
        connections_per_ip: 2_048,
        ..HttpLimits::default()
    };
    let client = Client::with(limits).await;
    let address = client.server.address();
    let slow_head = "GET /v1/info HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned();
    let slow_body =
        "POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                     content-length: 60000\r\n\r\n"
            .to_owned();
    let (mut heads, mut bodies) = (Vec::new(), Vec::new());
    for nth in 0..EACH {
        heads.push(tokio::spawn(dawdle(address, slow_head.clone())));
        bodies.push(tokio::spawn(dawdle(address, slow_body.clone())));
        // No more at once than the kernel's queue of connections takes: what overflows it is reset, by nobody here.
        if nth.is_multiple_of(25) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for amount in 1..=10 {
        let begun = Instant::now();
        client.committed(&client.payment(amount)).await;
        assert!(begun.elapsed() < Duration::from_millis(500));
    }
    for head in heads {
        let (took, _) = head.await.unwrap();
        assert!((500..5_000).contains(&took.as_millis()), "a slow head lived {took:?}");
    }
    let mut told = 0;
    for body in bodies {
        let (took, answer) = body.await.unwrap();
        assert!((800..5_000).contains(&took.as_millis()), "a slow body lived {took:?}");
        // A byte that arrives behind the close resets the connection, and what was not read yet is lost.
        if !answer.is_empty() {
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
            assert!(answer.contains("request_timeout"));
            told += 1;
        }
    }
    assert!(told > EACH / 2, "only {told} were told why");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_and_silent_connections_end() {
    let limits = HttpLimits { header_timeout_ms: 300, ..HttpLimits::default() };
    let client = Client::with(limits).await;
    let mut silent = TcpStream::connect(client.server.address()).await.unwrap();
    let mut byte = [0];
    let ended = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut byte)).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "a silent connection is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smuggled_and_oversized_heads_are_refused() {
    let client = Client::start().await;
    let two_lengths = "POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\
                       content-length: 2\r\n\r\nxx";
    let large = format!("GET /v1/info HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "y".repeat(9_000));
    let many: String = (0..70).map(|n| format!("x-{n}: 1\r\n")).collect();
    let many = format!("GET /v1/info HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    for (request, status) in [(two_lengths, "400"), (&large, "431"), (&many, "431")] {
        let mut stream = TcpStream::connect(client.server.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let reading = stream.read_to_end(&mut answer);
        let _ =
            tokio::time::timeout(Duration::from_secs(5), reading).await.expect("closed at once");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_per_address_are_limited() {
    let limits = HttpLimits { connections_per_ip: 3, ..HttpLimits::default() };
    let client = Client::with(limits).await;
    let address = client.server.address();
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        held.push(stream);
    }
    let mut fourth = TcpStream::connect(address).await.unwrap();
    let mut byte = [0];
    let ended = tokio::time::timeout(Duration::from_secs(2), fourth.read(&mut byte)).await;
    assert!(matches!(ended, Ok(Ok(0) | Err(_))), "one too many is closed at once");
    assert!(client.metrics.render().contains("refused_total{reason=\"address\"} 1"));
    drop(held);
    // The server notices in its own time.
    let begun = Instant::now();
    while !matches!(client.bare("/healthz").send().await, Ok(answer) if answer.status() == 200) {
        assert!(begun.elapsed() < Duration::from_secs(5), "places are given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_beyond_its_rate_waits_and_others_do_not() {
    let rate = Rate { per_second: 1, burst: 3 };
    let limits = HttpLimits { per_key: Some(rate), ..HttpLimits::default() };
    let client = Client::with(limits).await;
    let pay_bob = |client: &Client| {
        let by = [crate::city::debit("alice"), crate::city::credit("bob")];
        client.signed("alice", crate::city::pay("alice", "bob", 1), &by)
    };
    for _ in 0..3 {
        client.committed(&client.payment(1)).await;
    }
    let response = client.submit_bytes("", pay_bob(&client).encode()).await;
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait));
    problem(response, 429, "rate_limited").await;
    let by = [crate::city::own("bob")];
    let grant = crate::city::mandate("bob", crate::city::terms(crate::city::Direction::Credit, 5));
    let other = client.signed("bob", grant, &by);
    assert_eq!(client.submit_bytes("", other.encode()).await.status(), 202, "bob's key is another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_beyond_its_rate_is_told_when_to_come_back() {
    let rate = Rate { per_second: 1, burst: 2 };
    let client = Client::with(HttpLimits { per_ip: Some(rate), ..HttpLimits::default() }).await;
    for _ in 0..2 {
        assert_eq!(client.submit_bytes("", client.payment(1).encode()).await.status(), 202);
    }
    let response = client.submit_bytes("", client.payment(1).encode()).await;
    assert!(response.headers().contains_key("retry-after"));
    problem(response, 429, "rate_limited").await;
    assert_eq!(client.bare("/v1/info").send().await.unwrap().status(), 200, "reading goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_door_is_busy() {
    let client = Client::with(HttpLimits { door_bytes: 1_100, ..HttpLimits::default() }).await;
    let items: Vec<u8> = (0..10)
        .flat_map(|_| {
            let bytes = client.payment(1).encode();
            [&(bytes.len() as u32).to_be_bytes(), bytes.as_slice()].concat()
        })
        .collect();
    let bulk =
        client.post("/v1/transactions/bulk").header("content-type", "application/octet-stream");
    let response = bulk.body(items).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    problem(response, 503, "busy").await;
    client.committed(&client.payment(1)).await;
}

/// A request whose body ends later, or never.
async fn unfinished(address: SocketAddr, announced: usize, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/transactions/bulk HTTP/1.1\r\nhost: x\r\ncontent-length: {announced}\r\n\
         content-type: application/octet-stream\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_on_their_way_in_are_bounded_all_together() {
    let limits = HttpLimits { body_bytes: 100_000, ..HttpLimits::default() };
    let client = Client::with(limits).await;
    let address = client.server.address();
    let bulk: Vec<u8> = (0..150).flat_map(|_| framed(&client.payment(1).encode())).collect();
    assert!((30_000..95_000).contains(&bulk.len()), "{}", bulk.len());
    let submit = async || {
        let request = client.post("/v1/transactions/bulk").body(bulk.clone());
        let request = request.header("content-type", "application/octet-stream");
        request.send().await.unwrap()
    };
    // Announcing much takes no room from others; sending it does, as long as it lasts.
    let _announced = unfinished(address, 400_000, &[0]).await;
    assert_eq!(submit().await.status(), 200);
    let sent = unfinished(address, 400_000, &[0; 90_000]).await;
    let begun = Instant::now();
    loop {
        let response = submit().await;
        if response.status() == 503 {
            break drop(problem(response, 503, "busy").await);
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "there is no room for both");
    }
    drop(sent);
    let begun = Instant::now();
    while submit().await.status() != 200 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the room is given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_only_after_sending_all_still_hears_that_it_was_too_much() {
    let client = Client::start().await;
    let body = vec![b' '; 1024 * 1024];
    let mut stream = unfinished(client.server.address(), body.len(), &[]).await;
    // In pieces and slowly: a connection that was closed early would break off in the middle.
    for piece in body.chunks(256 * 1024) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close") && answer.contains("body_too_large"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_announces_too_much_and_sends_nothing_is_soon_rid_of() {
    let client = Client::start().await;
    let begun = Instant::now();
    for announced in [1024 * 1024, usize::MAX >> 1] {
        let mut stream = unfinished(client.server.address(), announced, &[]).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_does_not_keep_readers_waiting_and_nobody_waits_for_ever() {
    let limits = HttpLimits { public_reads: 1, read_wait_ms: 200, ..HttpLimits::default() };
    let client = Client::with(limits).await;
    let town = client.town.clone();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (holding, is_held) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let _slow = town.slow.lock().unwrap();
        holding.send(()).unwrap();
        let _ = held.recv();
    });
    is_held.recv().unwrap();
    let first = tokio::spawn(client.bare("/v1/checkpoints").send());
    let begun = Instant::now();
    loop {
        let response = client.bare("/v1/instruments").send().await.unwrap();
        if response.status() == 503 {
            assert_eq!(response.headers()["retry-after"], "1");
            break drop(problem(response, 503, "busy").await);
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "the first read has the only turn");
    }
    let wallet = format!("/v1/wallets/{}", crate::city::id("alice"));
    assert_eq!(client.get(&wallet).send().await.unwrap().status(), 200, "readers have their own");
    release.send(()).unwrap();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    holder.join().unwrap();
    assert_eq!(client.bare("/v1/instruments").send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_does_not_read_is_cut_off() {
    let limits = HttpLimits { write_stall_ms: 300, ..HttpLimits::default() };
    let client = Client::with(limits).await;
    // More than the sockets' buffers take: void items are kept in Raft entries too.
    for block in 0..60_u8 {
        client.town.execute(vec![vec![block; 32_000]; 14]);
    }
    let mut stream = TcpStream::connect(client.server.address()).await.unwrap();
    let request = format!(
        "GET /v1/entries?from=1&count=1000 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        crate::client::TOKEN
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let open = |client: &Client| client.metrics.render().contains("musubi_http_connections 1");
    // The answer flows: its first byte is here, and no more is taken.
    stream.read_exact(&mut [0]).await.unwrap();
    assert!(open(&client), "it has its connection while the answer flows");
    let begun = Instant::now();
    while open(&client) {
        assert!(begun.elapsed() < Duration::from_secs(5), "it is cut off");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_costs_its_request_alone() {
    let client = Client::start().await;
    let payment = client.payment(1).encode();
    client.town.break_books();
    for _ in 0..3 {
        problem(client.bare("/readyz").send().await.unwrap(), 500, "internal").await;
        let wallet = format!("/v1/wallets/{}", crate::city::id("alice"));
        let refused = problem(client.get(&wallet).send().await.unwrap(), 500, "internal").await;
        assert!(!refused.detail.contains("purpose"), "causes stay in the log");
        problem(client.submit_bytes("", payment.clone()).await, 500, "internal").await;
        assert_eq!(client.bare("/v1/info").send().await.unwrap().status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_answers_who_waits_and_frees_the_port() {
    let client = Client::start().await;
    let address = client.server.address();
    let mut feed = client.get("/v1/feed").send().await.unwrap();
    assert_eq!(feed.status(), 200);
    // A submission that is still arriving when the node stops comes to a door that is shut.
    let item = framed(&client.payment(1).encode());
    let mut late = unfinished(address, item.len(), &item[..9]).await;
    let begun = Instant::now();
    while !client.metrics.render().contains("musubi_http_connections 2") {
        assert!(begun.elapsed() < Duration::from_secs(5), "both are connected");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Its head must have been read, which nothing outside tells.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    let finish = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        late.write_all(&item[9..]).await.unwrap();
        let mut answer = Vec::new();
        late.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    let (answer, ()) = futures::future::join(finish, client.server.shutdown()).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"stopping\""), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(4));
    while let Ok(Some(_)) = feed.chunk().await {}
    assert!(TcpStream::connect(address).await.is_err());
}
