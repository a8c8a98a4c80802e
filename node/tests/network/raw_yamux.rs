//! A member, or a stranger, that speaks TCP, multistream-select, Noise and Yamux by hand, frame by
//! frame. Of libp2p it borrows the socket and the Noise handshake only.

use std::io;
use std::net::SocketAddr;

use futures::io::{ReadHalf, WriteHalf};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::core::upgrade::OutboundConnectionUpgrade;
use libp2p::tcp::tokio::TcpStream;
use libp2p::{identity, noise};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::PATIENCE;

/// The window that a stream begins with.
pub(crate) const WINDOW: u32 = 256 << 10;

/// Frame types and flags of Yamux's specification.
pub(crate) const DATA: u8 = 0;
pub(crate) const WINDOW_UPDATE: u8 = 1;
pub(crate) const PING: u8 = 2;
pub(crate) const SYN: u16 = 1;
pub(crate) const ACK: u16 = 2;

/// The first message of multistream-select, on a connection and on every stream.
pub(crate) const MULTISTREAM: &str = "/multistream/1.0.0";

/// A message of multistream-select: its length (these are short), the text, a line feed.
pub(crate) fn message(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len() + 1).unwrap();
    assert!(length < 0x80, "one byte of length");
    [&[length], text.as_bytes(), b"\n"].concat()
}

/// The header of a frame.
pub(crate) fn header(kind: u8, flags: u16, stream: u32, length: u32) -> Vec<u8> {
    let mut header = vec![0, kind];
    header.extend(flags.to_be_bytes());
    header.extend(stream.to_be_bytes());
    header.extend(length.to_be_bytes());
    header
}

/// A data frame.
pub(crate) fn data(flags: u16, stream: u32, body: &[u8]) -> Vec<u8> {
    [header(DATA, flags, stream, u32::try_from(body.len()).unwrap()), body.to_vec()].concat()
}

/// A TCP connection and nothing yet.
pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream(tokio::net::TcpStream::connect(address).await.unwrap())
}

/// Whether the other side ends the connection, whatever it still says before.
pub(crate) async fn ends<S: AsyncRead + Unpin>(mut stream: S) -> bool {
    let mut bytes = vec![0; 4096];
    let end = async { while matches!(stream.read(&mut bytes).await, Ok(1..)) {} };
    tokio::time::timeout(PATIENCE, end).await.is_ok()
}

/// Agrees with the other side on `protocol`.
async fn negotiate<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    protocol: &str,
) -> io::Result<()> {
    let said = [message(MULTISTREAM), message(protocol)].concat();
    stream.write_all(&said).await?;
    stream.flush().await?;
    let mut echo = vec![0; said.len()];
    stream.read_exact(&mut echo).await?;
    assert_eq!(echo, said, "the other side agrees");
    Ok(())
}

type Secure = noise::Output<TcpStream>;

/// A connection with Yamux agreed upon. What the node writes is read all the time, unless asked
/// not to; pings are not answered.
pub(crate) struct RawYamux {
    writer: WriteHalf<Secure>,
    /// Headers of the frames that the node sends; ends with the connection.
    headers: mpsc::UnboundedReceiver<[u8; 12]>,
    reader: JoinHandle<()>,
}

impl RawYamux {
    /// Connects as whoever has this secret key.
    pub(crate) async fn connect(mut secret: [u8; 32], address: SocketAddr) -> Self {
        let mut stream = connect(address).await;
        negotiate(&mut stream, "/noise").await.unwrap();
        let key = identity::Keypair::ed25519_from_bytes(&mut secret).unwrap();
        let noise = noise::Config::new(&key).unwrap();
        let (_, mut stream) = noise.upgrade_outbound(stream, "/noise").await.unwrap();
        negotiate(&mut stream, "/yamux/1.0.0").await.unwrap();
        let (reader, writer) = stream.split();
        let (sender, headers) = mpsc::unbounded_channel();
        Self { writer, headers, reader: tokio::spawn(read(reader, sender)) }
    }

    /// Writes these bytes as they are; fails once the node has hung up, or after [`PATIENCE`].
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writing = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        tokio::time::timeout(PATIENCE, writing).await?
    }

    /// From now on reads nothing any more.
    pub(crate) fn go_deaf(&self) {
        self.reader.abort();
    }

    /// Whether the node answers a Yamux ping: it does as long as the connection stands.
    pub(crate) async fn is_answered(&mut self, id: u32) -> bool {
        self.write(&header(PING, SYN, 0, id)).await.is_ok()
            && self.receive(|frame| frame == header(PING, ACK, 0, id)).await
    }

    /// Whether the node sends such a header before the connection ends.
    pub(crate) async fn receive(&mut self, is_it: impl Fn(&[u8]) -> bool) -> bool {
        let waiting = async {
            while let Some(frame) = self.headers.recv().await {
                if is_it(&frame) {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or(false)
    }

    /// Whether the node ends the connection, whatever frames it still sends before.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let end = async { while self.headers.recv().await.is_some() {} };
        tokio::time::timeout(PATIENCE, end).await.is_ok()
    }
}

impl Drop for RawYamux {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(mut stream: ReadHalf<Secure>, headers: mpsc::UnboundedSender<[u8; 12]>) {
    let mut header = [0; 12];
    while stream.read_exact(&mut header).await.is_ok() {
        let _ = headers.send(header);
        let [_, kind, _, _, _, _, _, _, length @ ..] = header;
        if kind == DATA {
            let mut body = vec![0; u32::from_be_bytes(length) as usize];
            if stream.read_exact(&mut body).await.is_err() {
                return;
            }
        }
    }
}
