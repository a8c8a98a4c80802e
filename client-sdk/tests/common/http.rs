//! A raw HTTP/1.1 server whose every answer, or failure to answer, a test decides.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What a client sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub head: String,
    pub body: Vec<u8>,
}

/// What becomes of it.
#[derive(Clone, Debug)]
pub enum Act {
    /// Status, further header lines, body.
    Reply(u16, String, Vec<u8>),
    /// The connection breaks without a word.
    Drop,
    /// Nothing, for as long as the client waits.
    Silence,
    /// A body without length, in pieces, and then the connection breaks.
    Stream(Vec<String>),
    /// The same after a while.
    After(Duration, Box<Act>),
}

pub fn json<T: serde::Serialize>(status: u16, value: &T) -> Act {
    let body = serde_json::to_vec(value).unwrap();
    Act::Reply(status, "content-type: application/json\r\n".into(), body)
}

pub fn bytes(body: Vec<u8>) -> Act {
    Act::Reply(200, String::new(), body)
}

/// A running server; it ends when dropped.
pub struct Server {
    pub url: String,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub async fn serve(decide: impl Fn(Request) -> Act + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let decide = Arc::new(decide);
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let decide = Arc::clone(&decide);
            tokio::spawn(async move {
                // A client that goes away is no error of the server's.
                drop(talk(stream, &*decide).await);
            });
        }
    });
    Server { url, task }
}

async fn talk(
    mut stream: TcpStream,
    decide: &(dyn Fn(Request) -> Act + Send + Sync),
) -> std::io::Result<()> {
    let mut content = Vec::new();
    let head = loop {
        if let Some(at) = content.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut content).await? == 0 {
            return Ok(());
        }
    };
    let text = String::from_utf8_lossy(&content[..head]).to_lowercase();
    let length = text.lines().find_map(|l| l.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |l| l.parse().unwrap());
    let mut body = content.split_off(head + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&content).into_owned();
    let mut words = head.split(' ');
    let method = words.next().unwrap().to_owned();
    let target = words.next().unwrap().to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let request = Request { method, path: path.into(), query: query.into(), head: text, body };
    act(&mut stream, decide(request)).await
}

fn act(
    stream: &mut TcpStream,
    act_: Act,
) -> Pin<Box<dyn Future<Output = std::io::Result<()>> + Send + '_>> {
    Box::pin(async move {
        match act_ {
            Act::Reply(status, more, body) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{more}connection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&body).await?;
                stream.shutdown().await
            }
            Act::Drop => Ok(()),
            Act::Silence => {
                tokio::time::sleep(Duration::from_secs(3_600)).await;
                Ok(())
            }
            Act::Stream(pieces) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).await?;
                    stream.flush().await?;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok(())
            }
            Act::After(time, then) => {
                tokio::time::sleep(time).await;
                act(stream, *then).await
            }
        }
    })
}
