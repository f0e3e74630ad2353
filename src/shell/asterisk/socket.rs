//! The events socket. One task reads and does nothing else, since Asterisk throws a slow reader out; another decodes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rand::Rng;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::engine::event::{Event, NodeEvent};
use crate::engine::ids::{ChannelId, NodeId};

use super::decode::{Decoded, UNWANTED, decode};
use super::rest::{HttpRequest, Rest, RestError};
use super::{NodeConfig, NodeError, NodeStats, snapshot};

/// Between two pings.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Nothing heard for so long, pongs included: the connection is dead.
const SILENCE: Duration = Duration::from_secs(3);
/// For the TCP connection and the handshake together.
const CONNECT: Duration = Duration::from_secs(3);
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(2);
/// Frames between reader and decoder: some seconds of the busiest Asterisk.
const FRAMES: usize = 16_384;
/// The largest real ones are a few KB.
const LARGEST_FRAME: usize = 1 << 20;
/// How often it is looked which phones are there. A subscription to the endpoints would tell at once, but with it all
/// events of their channels come twice.
const DEVICES: Duration = Duration::from_secs(1);
/// After another engine took over: first, and at most.
const FENCED: Duration = Duration::from_secs(60);
const LONGEST_FENCED: Duration = Duration::from_secs(3600);
/// How often it is asked meanwhile whether the other one has gone.
const FENCE_CHECK: Duration = Duration::from_secs(5);

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The events socket of one node.
pub(super) struct Socket {
    pub(super) id: NodeId,
    pub(super) config: NodeConfig,
    pub(super) rest: Rest,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) stats: Arc<NodeStats>,
    /// Counts connections, for those who have something to do after each.
    pub(super) connected: watch::Sender<u64>,
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
enum Lost {
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
    #[error("nothing was heard on the events socket for {} s", SILENCE.as_secs())]
    Silent,
    #[error("another engine took the application's name")]
    Replaced,
    /// Cancelled, or nobody listens to the events any more.
    #[error("the engine stops")]
    Stopped,
}

impl Socket {
    /// Connects, again and again, until cancelled.
    pub(super) async fn run(self, cancel: CancellationToken) {
        let mut attempts = 0_u32;
        let mut fence = FENCED;
        let mut reported = BTreeSet::new();
        loop {
            let started = Instant::now();
            let outcome = tokio::select! {
                biased;
                () = cancel.cancelled() => Lost::Stopped,
                lost = self.connection(&mut reported, &cancel) => lost,
            };
            let was_up = self.stats.up.swap(false, Ordering::Relaxed);
            if was_up && self.send(NodeEvent::Down).await.is_break() {
                return;
            }
            match outcome {
                Lost::Stopped => return,
                Lost::Replaced => {
                    // Much time without a fight: this one is a new case.
                    fence = if started.elapsed() > LONGEST_FENCED { FENCED } else { fence };
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = self.stand_aside(fence) => {}
                    }
                    fence = (fence * 2).min(LONGEST_FENCED);
                    attempts = 0;
                }
                lost => {
                    attempts = if was_up { 0 } else { attempts.saturating_add(1) };
                    // Once each time it changes for the worse, and then once in a while.
                    if was_up || attempts == 1 || attempts.is_multiple_of(30) {
                        warn!(node = %self.config.name, why = %lost, "not connected to Asterisk; trying again");
                    } else {
                        debug!(node = %self.config.name, why = %lost, attempts, "not connected to Asterisk");
                    }
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = sleep(back_off(attempts)) => {}
                    }
                }
            }
        }
    }

    /// One connection, from the first to the last moment.
    async fn connection(&self, reported: &mut BTreeSet<String>, cancel: &CancellationToken) -> Lost {
        match self.serve(reported, cancel).await {
            Ok(never) => match never {},
            Err(lost) => lost,
        }
    }

    async fn serve(
        &self,
        reported: &mut BTreeSet<String>,
        cancel: &CancellationToken,
    ) -> Result<std::convert::Infallible, Lost> {
        let stream = self.connect().await?;
        let (frames, inbox) = mpsc::channel(FRAMES);
        let reader = tokio::spawn(read(stream, frames, self.stats.clone(), cancel.child_token()));
        let abort = reader.abort_handle();
        // However this ends, the reader ends with it.
        let _guard = AbortOnDrop(abort);
        let lost = match self.follow(inbox, reported).await {
            // The reader ended; it knows why.
            ControlFlow::Continue(()) => reader.await.unwrap_or(Lost::Closed),
            ControlFlow::Break(lost) => lost,
        };
        Err(lost)
    }

    async fn connect(&self) -> Result<Stream, Lost> {
        let url = format!("ws://{}/ari/events", self.config.authority()?);
        let mut target = HttpRequest::get(&[]).query("app", &self.config.app).target;
        target.push_str("&subscribeAll=false");
        let mut request = format!("{url}{target}").into_client_request().map_err(|e| Lost::Connect(Box::new(e)))?;
        request.headers_mut().insert("authorization", self.rest.authorization());
        let limits =
            WebSocketConfig::default().max_message_size(Some(LARGEST_FRAME)).max_frame_size(Some(LARGEST_FRAME));
        let connecting = connect_async_with_config(request, Some(limits), true);
        let (stream, _) = timeout(CONNECT, connecting)
            .await
            .map_err(|_| Lost::ConnectTime)?
            .map_err(|error| Lost::Connect(Box::new(error)))?;
        Ok(stream)
    }

    /// Hands on the snapshot, then every event. Frames wait in `inbox` while the snapshot is taken. Ends with
    /// `Continue` when the reader has ended.
    async fn follow(&self, mut inbox: mpsc::Receiver<Utf8Bytes>, reported: &mut BTreeSet<String>) -> ControlFlow<Lost> {
        self.ask_for_less().await;
        let snapshot = match snapshot::take(&self.rest, &self.config.app).await {
            Ok(snapshot) => snapshot,
            Err(error) => return ControlFlow::Break(error.into()),
        };
        let mut devices: BTreeMap<String, bool> = snapshot.devices.iter().cloned().collect();
        info!(node = %self.config.name, channels = snapshot.channels.len(), bridges = snapshot.bridges.len(),
            endpoints = devices.len(), "connected to Asterisk");
        self.stats.fenced.store(false, Ordering::Relaxed);
        self.stats.up.store(true, Ordering::Relaxed);
        self.stats.connections.fetch_add(1, Ordering::Relaxed);
        self.send(NodeEvent::Up(snapshot)).await?;
        self.connected.send_modify(|count| *count += 1);
        let mut polls = interval(DEVICES);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        polls.reset();
        loop {
            tokio::select! {
                biased;
                frame = inbox.recv() => match frame {
                    Some(frame) => self.take_in(&frame, reported).await?,
                    None => return ControlFlow::Continue(()),
                },
                _ = polls.tick() => self.compare_devices(&mut devices).await?,
            }
        }
    }

    async fn take_in(&self, frame: &str, reported: &mut BTreeSet<String>) -> ControlFlow<Lost> {
        match decode(frame) {
            Decoded::Event(event) => self.send(event).await?,
            Decoded::Ignored => {}
            Decoded::Replaced => return ControlFlow::Break(Lost::Replaced),
            Decoded::Stray(channel) => self.send_back(channel),
            Decoded::Unknown(kind) => {
                self.stats.unknown_frames.fetch_add(1, Ordering::Relaxed);
                // Bounded: a stranger's stream of ever new types must not fill the memory.
                if reported.len() < 256 && !reported.contains(&kind) {
                    warn!(node = %self.config.name, %kind, "Asterisk sends events of an unknown type; they are ignored");
                    reported.insert(kind);
                }
            }
            Decoded::Malformed(why) => {
                let before = self.stats.malformed_frames.fetch_add(1, Ordering::Relaxed);
                if before.is_multiple_of(1000) {
                    error!(node = %self.config.name, %why, bytes = frame.len(),
                        "an event of Asterisk cannot be read and is ignored; please report it");
                }
            }
        }
        ControlFlow::Continue(())
    }

    async fn send(&self, event: NodeEvent) -> ControlFlow<Lost> {
        match self.events.send(Event::Node(self.id, event)).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Lost::Stopped),
        }
    }

    /// Most of a call's events do not concern us: not to be written, sent and read at all is cheapest. Where it does
    /// not work, they are ignored here.
    async fn ask_for_less(&self) {
        let types: Vec<_> = UNWANTED.iter().map(|kind| json!({ "type": kind })).collect();
        let request = HttpRequest::put(&["applications", &self.config.app, "eventFilter"])
            .json(&json!({ "allowed": [], "disallowed": types }));
        if let Err(error) = self.rest.send(&request).await {
            warn!(node = %self.config.name, %error, "Asterisk sends more events than needed");
        }
    }

    async fn compare_devices(&self, known: &mut BTreeMap<String, bool>) -> ControlFlow<Lost> {
        // Not reachable for a moment: the heartbeat decides about the connection, not this.
        let Ok(now) = snapshot::devices(&self.rest).await else { return ControlFlow::Continue(()) };
        let gone =
            known.keys().filter(|endpoint| !now.contains_key(*endpoint)).map(|endpoint| (endpoint.clone(), false));
        let changed = now.iter().filter(|(endpoint, reachable)| known.get(*endpoint) != Some(reachable));
        let news: Vec<_> = gone.chain(changed.map(|(endpoint, reachable)| (endpoint.clone(), *reachable))).collect();
        *known = now;
        for (endpoint, reachable) in news {
            self.send(NodeEvent::Device { endpoint, reachable }).await?;
        }
        ControlFlow::Continue(())
    }

    /// A channel that the dialplan sent here with arguments of which we know nothing goes on in the dialplan.
    fn send_back(&self, channel: ChannelId) {
        error!(node = %self.config.name, %channel, "a channel came with unknown arguments to Stasis() and is sent back; \
            compare the dialplan with the one that comes with this version");
        let rest = self.rest.clone();
        tokio::spawn(async move {
            let request = HttpRequest::post(&["channels", channel.as_str(), "continue"]);
            if let Err(error) = rest.send(&request).await {
                warn!(%channel, %error, "the channel could not be sent back");
            }
        });
    }

    /// Another engine drives this Asterisk: two must never fight. Come back when it has gone, or after a long time.
    async fn stand_aside(&self, at_most: Duration) {
        self.stats.fenced.store(true, Ordering::Relaxed);
        error!(node = %self.config.name, app = %self.config.app, minutes = at_most.as_secs() / 60,
            "another engine took over this Asterisk's application: this one stands aside; stop one of the two");
        let until = Instant::now() + at_most;
        while Instant::now() < until {
            sleep(FENCE_CHECK).await;
            let request = HttpRequest::get(&["applications", &self.config.app]);
            if let Err(RestError::Status { status: 404, .. }) = self.rest.send(&request).await {
                info!(node = %self.config.name, "the other engine has gone");
                return;
            }
        }
    }
}

/// Ends a task with its owner.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads frames, sends pings and notices when nothing comes any more.
async fn read(
    mut stream: Stream,
    frames: mpsc::Sender<Utf8Bytes>,
    stats: Arc<NodeStats>,
    cancel: CancellationToken,
) -> Lost {
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            () = cancel.cancelled() => {
                // Politely, so that Asterisk need not find out by itself.
                let _ = timeout(HEARTBEAT, stream.close(None)).await;
                return Lost::Stopped;
            }
            message = stream.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(frame))) => {
                        count(&stats.frames);
                        if frames.send(frame).await.is_err() {
                            return Lost::Stopped;
                        }
                    }
                    // Pings are answered by the library; Asterisk sends no binary frames.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_))) | None => return Lost::Closed,
                    Some(Err(error)) => return Lost::Broken(Box::new(error)),
                }
            }
            _ = beat.tick() => {
                if heard.elapsed() > SILENCE {
                    return Lost::Silent;
                }
                match timeout(SILENCE, stream.send(Message::Ping(Vec::new().into()))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => return Lost::Broken(Box::new(error)),
                    Err(_) => return Lost::Silent,
                }
            }
        }
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// 100 ms, 200 ms … 2 s, each with up to half as much again, so that engines do not come back in step.
fn back_off(attempts: u32) -> Duration {
    let span = FIRST_BACK_OFF.saturating_mul(1 << attempts.min(6)).min(LONGEST_BACK_OFF);
    span.mul_f64(rand::rng().random_range(0.75..1.25)).min(LONGEST_BACK_OFF)
}
