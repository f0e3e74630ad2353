//! The listening socket: bounded connections, a deadline for the head of each request, a graceful end.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Connections at once. Consoles take two each (pages and the stream).
const CONNECTIONS: usize = 4096;
/// Connections at once from one address. A proxy on this machine speaks for all and is not counted.
const FROM_ONE: usize = 256;
/// For the first byte, the TLS handshake, and the head of a request, each; a slow sender is cut off.
const HEAD: Duration = Duration::from_secs(10);
/// For requests in progress when the engine is stopped.
const GRACE: Duration = Duration::from_secs(5);

/// With this byte a TLS handshake begins; no HTTP request does.
const HANDSHAKE: u8 = 22;

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Anybody on the way could read it.
    Plain,
    /// Encrypted.
    Tls,
}

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("web.listen: {0} is in use by another program; stop it or choose another port")]
    InUse(SocketAddr),
    /// Ports below 1024 need a right.
    #[error("web.listen: no right to listen on {0}; use a port above 1023 or grant CAP_NET_BIND_SERVICE")]
    NoRight(SocketAddr),
    /// Not an address of this machine, or another trouble.
    #[error("web.listen: cannot listen on {0}: {1}")]
    Other(SocketAddr, std::io::Error),
}

/// Takes the port.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse => BindError::InUse(address),
        ErrorKind::PermissionDenied => BindError::NoRight(address),
        _ => BindError::Other(address, cause),
    })
}

/// Serves until the token is cancelled, then lets what is in progress end. One port for both https and plain http,
/// told apart by the first byte; who may come in plain is for `layers::encrypted` to say.
pub async fn serve(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>, cancel: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let addresses = Arc::new(Mutex::default());
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(guest) = Guest::enter(&addresses, peer.ip()) else {
                    tracing::debug!(%peer, "connection refused: too many from this address");
                    continue;
                };
                let (router, tls, cancel) = (router.clone(), tls.clone(), cancel.clone());
                connections.spawn(async move {
                    either(stream, peer, router, tls, cancel).await;
                    drop((place, guest));
                });
            }
            // Out of file descriptors, or a client that gave up while queued: neither ends the service.
            Err(cause) => {
                tracing::warn!(%cause, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "connections cut: they did not end in time");
    }
}

type Addresses = Mutex<BTreeMap<IpAddr, usize>>;

/// One connection of an address, given back when dropped.
struct Guest {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Guest {
    fn enter(addresses: &Arc<Addresses>, address: IpAddr) -> Option<Guest> {
        let mut open = addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= FROM_ONE && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Guest { addresses: Arc::clone(addresses), address })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

/// Serves one connection as what its first byte says that it is.
async fn either(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    cancel: CancellationToken,
) {
    // Small answers at once rather than full packets later.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return connection(stream, peer, Transport::Plain, router, cancel).await };
    let mut first = [0];
    let begun = tokio::select! {
        () = cancel.cancelled() => return,
        begun = tokio::time::timeout(HEAD, stream.peek(&mut first)) => begun,
    };
    if !matches!(begun, Ok(Ok(1))) {
        return;
    }
    if first != [HANDSHAKE] {
        return connection(stream, peer, Transport::Plain, router, cancel).await;
    }
    match tokio::time::timeout(HEAD, tls.accept(stream)).await {
        Ok(Ok(stream)) => connection(stream, peer, Transport::Tls, router, cancel).await,
        // A browser that does not know our own certificate ends its first attempt here.
        Ok(Err(cause)) => tracing::debug!(%cause, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake was not finished in time"),
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    peer: SocketAddr,
    transport: Transport,
    router: Router,
    cancel: CancellationToken,
) {
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(transport);
        router.clone().oneshot(request)
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut stopping = false;
    loop {
        tokio::select! {
            done = connection.as_mut() => {
                if let Err(cause) = done {
                    tracing::debug!(%cause, "a connection ended early");
                }
                return;
            }
            () = cancel.cancelled(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_its_share_only_and_gives_it_back() {
        let addresses = Arc::new(Mutex::default());
        let stranger: IpAddr = "203.0.113.5".parse().unwrap();
        let guests: Vec<_> = (0..FROM_ONE).map(|_| Guest::enter(&addresses, stranger).unwrap()).collect();
        assert!(Guest::enter(&addresses, stranger).is_none());
        assert!(Guest::enter(&addresses, "203.0.113.6".parse().unwrap()).is_some());
        drop(guests);
        assert!(addresses.lock().unwrap().is_empty());
        let proxy = "127.0.0.1".parse().unwrap();
        let guests: Vec<_> = (0..=FROM_ONE).map(|_| Guest::enter(&addresses, proxy)).collect();
        assert!(guests.iter().all(Option::is_some));
    }

    #[tokio::test]
    async fn a_port_in_use_is_told_with_its_address() {
        let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).await.unwrap_err();
        assert!(matches!(error, BindError::InUse(at) if at == address));
    }
}
