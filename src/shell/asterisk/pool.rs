//! Kept-alive connections to one Asterisk. A call sends some fifteen requests, and what a general pool does for each (keys,
//! checkouts, a task that waits until the connection is free again) costs as much as the request itself: here the
//! connection that became free last is taken off a stack.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::debug;

/// Below the 15 s after which Asterisk, as it comes, closes a connection: never write into one that is being closed.
const IDLE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection: the request was not sent.
    Connect(String),
    /// It broke: the request may have been carried out.
    Broken(String),
}

/// The connections of one Asterisk that are not in use. How many there are at once is the caller's affair.
#[derive(Debug)]
pub(super) struct Pool {
    /// `host:port`.
    authority: String,
    connect: Duration,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// A connection in use. It goes back to its pool when this is dropped, which must not be before the answer's body has
/// been read or given up.
#[derive(Debug)]
pub(super) struct Lease {
    sender: Option<SendRequest<Full<Bytes>>>,
    pool: Arc<Pool>,
}

impl Pool {
    /// A pool without connections.
    pub(super) fn new(authority: String, connect: Duration) -> Arc<Pool> {
        Arc::new(Pool { authority, connect, idle: Mutex::default() })
    }

    /// Sends a request. One that a kept connection could not even take, since it had just been closed, goes over
    /// another.
    pub(super) async fn send(
        self: &Arc<Pool>,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Lease), Failure> {
        loop {
            let (mut sender, kept) = match self.take().await {
                Some(sender) => (sender, true),
                None => (self.connect().await?, false),
            };
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, Lease { sender: Some(sender), pool: self.clone() })),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if kept => request = unsent,
                    _ => return Err(Failure::Broken(error.into_error().to_string())),
                },
            }
        }
    }

    /// The connection that was used last, if it still is one.
    async fn take(&self) -> Option<SendRequest<Full<Bytes>>> {
        loop {
            let mut idle = self.lock().pop()?;
            if idle.since.elapsed() < IDLE && idle.sender.ready().await.is_ok() {
                return Some(idle.sender);
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let stream = timeout(self.connect, TcpStream::connect(&self.authority))
            .await
            .map_err(|_| Failure::Connect(format!("no connection within {} ms", self.connect.as_millis())))?
            .map_err(|error| Failure::Connect(error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| Failure::Connect(error.to_string()))?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| Failure::Connect(error.to_string()))?;
        tokio::spawn(async move {
            // Whoever waits for an answer is told; of an idle one it does not matter.
            if let Err(error) = connection.await {
                debug!(%error, "a connection to Asterisk broke");
            }
        });
        Ok(sender)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        // Nothing panics while it is held.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(sender) = self.sender.take().filter(|sender| !sender.is_closed()) {
            self.pool.lock().push(Idle { sender, since: Instant::now() });
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use hyper::Method;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers so many requests on each connection, then closes it; tells how many connections there were.
    async fn server(answers: usize) -> (String, Arc<Mutex<usize>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(Mutex::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                for _ in 0..answers {
                    let mut request = [0_u8; 1024];
                    let _ = stream.read(&mut request).await.unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
                }
            }
        });
        (authority, connections)
    }

    async fn post(pool: &Arc<Pool>) {
        let request = Request::builder().method(Method::POST).uri("/").header("host", "a");
        let (response, _lease) = pool.send(request.body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    }

    #[tokio::test]
    async fn a_connection_is_used_again_once_its_answer_was_read() {
        let (authority, connections) = server(3).await;
        let pool = Pool::new(authority, Duration::from_secs(5));
        for _ in 0..3 {
            post(&pool).await;
        }
        assert_eq!(*connections.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn one_that_was_closed_meanwhile_is_replaced_and_nothing_is_sent_twice() {
        let (authority, connections) = server(1).await;
        let pool = Pool::new(authority, Duration::from_secs(5));
        for _ in 0..3 {
            post(&pool).await;
            // The connection's own task has seen the end.
            let ended = async {
                while !pool.lock().iter().all(|idle| idle.sender.is_closed()) {
                    tokio::task::yield_now().await;
                }
            };
            timeout(Duration::from_secs(5), ended).await.unwrap();
        }
        assert_eq!(*connections.lock().unwrap(), 3);
    }

    #[tokio::test]
    async fn where_nobody_listens_nothing_was_sent() {
        let authority = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        let pool = Pool::new(authority, Duration::from_secs(5));
        let failure = pool.send(Request::new(Full::default())).await.err();
        assert!(matches!(failure, Some(Failure::Connect(_))), "{failure:?}");
    }
}
