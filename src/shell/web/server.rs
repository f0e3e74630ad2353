//! The listening socket: bounded connections, a deadline for the head of each request, a graceful end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Connections at once. Consoles take two each (pages and the stream).
const CONNECTIONS: usize = 4096;
/// For the head of a request; a slow sender is cut off.
const HEAD: Duration = Duration::from_secs(10);
/// For requests in progress when the engine is stopped.
const GRACE: Duration = Duration::from_secs(5);

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

/// Serves until the token is cancelled, then lets what is in progress end.
pub async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let accepted = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (router, cancel) = (router.clone(), cancel.clone());
                connections.spawn(async move {
                    connection(stream, peer, router, cancel).await;
                    drop(place);
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

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, cancel: CancellationToken) {
    // Small answers at once rather than full packets later.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
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
