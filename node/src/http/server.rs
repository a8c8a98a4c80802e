//! Connections: accepted up to a limit, in all and per address; HTTP/1.1 only; heads in time; and all of
//! them ended when the node stops.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::{Api, Peer, stall::Stall};

/// Header fields of one request.
const HEADERS_MAX: usize = 64;
/// Bytes that a request's head may take.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// The handle of the running API. Dropping it stops the API without waiting.
pub struct Server {
    address: SocketAddr,
    api: Api,
    tasks: TaskTracker,
}

impl Server {
    pub(super) async fn start(api: Api, router: Router) -> std::io::Result<Self> {
        let listener = TcpListener::bind(api.config.listen).await?;
        let address = listener.local_addr()?;
        let tasks = TaskTracker::new();
        let accepting = Accepting {
            api: api.clone(),
            router,
            connections: Arc::new(Connections::default()),
            tasks: tasks.clone(),
        };
        tasks.spawn(accepting.run(listener));
        tracing::info!(%address, "the API listens");
        Ok(Self { address, api, tasks })
    }

    /// The address listened on, with the port that the system chose where the configuration said 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets open requests end within the drain time (feeds and waiting
    /// submissions are answered at once), then closes what is left.
    pub async fn shutdown(self) {
        self.api.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.api.stop.cancel();
    }
}

impl core::fmt::Debug for Server {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

struct Accepting {
    api: Api,
    router: Router,
    connections: Arc<Connections>,
    tasks: TaskTracker,
}

impl Accepting {
    async fn run(self, listener: TcpListener) {
        while let Some(accepted) = self.api.stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, from)) => self.take(stream, from.ip()),
                // Out of file descriptors, or the peer was gone already: neither ends the API.
                Err(error) => {
                    tracing::warn!(%error, "an API connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, ip: IpAddr) {
        let limits = &self.api.config.limits;
        match self.connections.enter(ip, limits.connections, limits.connections_per_ip) {
            Ok(place) => {
                // Answers are small and whole: waiting to fill a segment would only delay them.
                let _ = stream.set_nodelay(true);
                let serving = serve(self.api.clone(), self.router.clone(), stream, ip);
                self.tasks.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(reason) => self.api.metrics.connection_refused(reason),
        }
    }
}

async fn serve(api: Api, router: Router, stream: TcpStream, ip: IpAddr) {
    let _counted = api.metrics.connection();
    let limits = api.config.limits;
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(ip));
        router.clone().oneshot(request)
    });
    let io = TokioIo::new(Stall::new(stream, limits.write_stall()));
    // Without the timer hyper would ignore the time-out without a word.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout())
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(io, service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = api.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(limits.drain(), connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::warn!(%ip, "an API connection was cut at the stop"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%ip, %error, "an API connection ended early");
    }
}

/// Open connections by address.
#[derive(Default)]
struct Connections(Mutex<HashMap<IpAddr, usize>>);

/// One connection's place; given back when dropped.
struct Place {
    all: Arc<Connections>,
    ip: IpAddr,
}

impl Connections {
    fn enter(
        self: &Arc<Self>,
        ip: IpAddr,
        most: usize,
        most_per_ip: usize,
    ) -> Result<Place, &'static str> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= most {
            return Err("all");
        }
        let of_ip = open.entry(ip).or_default();
        if *of_ip >= most_per_ip {
            return Err("address");
        }
        *of_ip += 1;
        Ok(Place { all: Arc::clone(self), ip })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_ip) = open.get_mut(&self.ip) {
            *of_ip -= 1;
            if *of_ip == 0 {
                open.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_limited_in_all_and_per_address_and_given_back() {
        let connections = Arc::new(Connections::default());
        let (a, b) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let first = connections.enter(a, 3, 2).unwrap_or_else(|e| panic!("{e}"));
        let _second = connections.enter(a, 3, 2).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(connections.enter(a, 3, 2).err(), Some("address"));
        let third = connections.enter(b, 3, 2).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(connections.enter(b, 3, 2).err(), Some("all"));
        drop((first, third));
        assert!(connections.enter(a, 3, 2).is_ok());
        assert_eq!(
            connections.0.lock().unwrap().len(),
            1,
            "addresses without connections are forgotten"
        );
    }
}
