//! Reads the events socket and does nothing else: Asterisk throws a slow reader out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rand::Rng;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

use super::rest::RestError;
use super::{NodeError, NodeStats};

/// For the TCP connection and the handshake together.
pub(super) const CONNECT: Duration = Duration::from_secs(3);

/// The spans of time that a socket works with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// Between two pings.
    pub(super) heartbeat: Duration,
    /// Nothing heard for so long, pongs included: the connection is dead.
    pub(super) silence: Duration,
    /// Before the second attempt to connect; then twice as long each time.
    pub(super) first_back_off: Duration,
    pub(super) longest_back_off: Duration,
    /// How often it is looked which phones are there. A subscription to the endpoints would tell at once, but with it
    /// all events of their channels come twice.
    pub(super) devices: Duration,
    /// After another engine took over: first, and at most.
    pub(super) fenced: Duration,
    pub(super) longest_fenced: Duration,
    /// How often it is asked meanwhile whether the other one has gone.
    pub(super) fence_check: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing {
            heartbeat: Duration::from_secs(1),
            silence: Duration::from_secs(3),
            first_back_off: Duration::from_millis(100),
            longest_back_off: Duration::from_secs(2),
            devices: Duration::from_secs(1),
            fenced: Duration::from_secs(60),
            longest_fenced: Duration::from_secs(3600),
            fence_check: Duration::from_secs(5),
        }
    }
}

impl Timing {
    /// 100 ms, 200 ms … 2 s, each with up to a quarter more or less, so that engines do not come back in step.
    pub(super) fn back_off(&self, attempts: u32) -> Duration {
        let span = self.first_back_off.saturating_mul(1 << attempts.min(6)).min(self.longest_back_off);
        span.mul_f64(rand::rng().random_range(0.75..1.25)).min(self.longest_back_off)
    }
}

/// An open events socket.
pub(super) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("{0}")]
    Address(#[from] NodeError),
    #[error("the events socket cannot be opened: {0}")]
    Connect(Box<WsError>),
    #[error("the events socket could not be opened within {} s", CONNECT.as_secs())]
    ConnectTime,
    #[error("the state of things cannot be read: {0}")]
    Snapshot(#[from] RestError),
    #[error("the events socket broke: {0}")]
    Broken(Box<WsError>),
    #[error("Asterisk closed the events socket")]
    Closed,
    #[error("nothing was heard on the events socket for {} ms", .0.as_millis())]
    Silent(Duration),
    #[error("another engine took the application's name")]
    Replaced,
    /// Cancelled, or nobody listens to the events any more.
    #[error("the engine stops")]
    Stopped,
}

/// Reads frames, sends pings and notices when nothing comes any more.
pub(super) async fn read(
    mut stream: Stream,
    frames: mpsc::Sender<Utf8Bytes>,
    stats: Arc<NodeStats>,
    heartbeat: Duration,
    silence: Duration,
    cancel: CancellationToken,
) -> Lost {
    let mut beat = interval(heartbeat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => {
                // Politely, so that Asterisk need not find out by itself.
                let _ = timeout(heartbeat, stream.close(None)).await;
                return Lost::Stopped;
            }
            message = stream.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(frame))) => {
                        stats.frames.fetch_add(1, Ordering::Relaxed);
                        if frames.send(frame).await.is_err() {
                            return Lost::Stopped;
                        }
                        // However long the decoder took: that was not Asterisk's silence.
                        heard = Instant::now();
                    }
                    // Pings are answered by the library; Asterisk sends no binary frames.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_))) | None => return Lost::Closed,
                    Some(Err(error)) => return Lost::Broken(Box::new(error)),
                }
            }
            _ = beat.tick() => {
                if heard.elapsed() > silence {
                    return Lost::Silent(silence);
                }
                match timeout(silence, stream.send(Message::Ping(Vec::new().into()))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return Lost::Broken(Box::new(error)),
                    Err(_) => return Lost::Silent(silence),
                }
            }
        }
    }
}
