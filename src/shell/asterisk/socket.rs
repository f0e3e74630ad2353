//! The events socket of a node: connects, hands on the snapshot and then the events, and stands aside for another
//! engine.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, info, warn};

use crate::engine::event::{Event, NodeEvent};
use crate::engine::ids::{ChannelId, NodeId};

use super::decode::{Decoded, UNWANTED, decode};
use super::entrance::Entrances;
use super::reader::{CONNECT, Lost, Stream, Timing, read};
use super::rest::{HttpRequest, Rest, RestError};
use super::{NodeConfig, NodeStats, snapshot};

/// Frames between reader and decoder: some seconds of the busiest Asterisk.
const FRAMES: usize = 16_384;
/// The largest real ones are a few KB.
const LARGEST_FRAME: usize = 1 << 20;
/// Different unknown types that are logged. Bounded: a stream of ever new types must not fill the memory.
const MOST_REPORTED: usize = 256;

/// Channels that are in the application, each with the cause if somebody hung up. Asterisk takes the application off a
/// caller's channel when it leaves, so that often no `ChannelDestroyed` comes: a hang-up and leaving are the end.
type Present = BTreeMap<ChannelId, Option<u16>>;

/// The events socket of one node.
pub(super) struct Socket {
    pub(super) id: NodeId,
    pub(super) config: NodeConfig,
    pub(super) rest: Rest,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) entrances: Arc<Entrances>,
    pub(super) stats: Arc<NodeStats>,
    /// Counts connections, for those who have something to do after each.
    pub(super) connected: watch::Sender<u64>,
    pub(super) timing: Timing,
}

impl Socket {
    /// Connects, again and again, until cancelled.
    pub(super) async fn run(self, cancel: CancellationToken) {
        let mut attempts = 0_u32;
        let mut fence = self.timing.fenced;
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
                    fence = if started.elapsed() > self.timing.longest_fenced { self.timing.fenced } else { fence };
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        () = self.stand_aside(fence) => {}
                    }
                    fence = (fence * 2).min(self.timing.longest_fenced);
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
                        () = sleep(self.timing.back_off(attempts)) => {}
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
        let Timing { heartbeat, silence, .. } = self.timing;
        let (frames, inbox) = mpsc::channel(FRAMES);
        let reader = tokio::spawn(read(stream, frames, self.stats.clone(), heartbeat, silence, cancel.child_token()));
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
        let mut present: Present =
            snapshot.channels.iter().map(|found| (found.arrival.channel.clone(), None)).collect();
        info!(node = %self.config.name, channels = snapshot.channels.len(), bridges = snapshot.bridges.len(),
            endpoints = devices.len(), "connected to Asterisk");
        self.stats.fenced.store(false, Ordering::Relaxed);
        self.stats.up.store(true, Ordering::Relaxed);
        self.stats.connections.fetch_add(1, Ordering::Relaxed);
        self.send(NodeEvent::Up(snapshot)).await?;
        self.connected.send_modify(|count| *count += 1);
        let mut polls = interval(self.timing.devices);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        polls.reset();
        loop {
            tokio::select! {
                biased;
                frame = inbox.recv() => match frame {
                    Some(frame) => self.take_in(&frame, &mut present, reported).await?,
                    None => return ControlFlow::Continue(()),
                },
                _ = polls.tick() => self.compare_devices(&mut devices).await?,
            }
        }
    }

    async fn take_in(&self, frame: &str, present: &mut Present, reported: &mut BTreeSet<String>) -> ControlFlow<Lost> {
        match decode(frame) {
            Decoded::Event(NodeEvent::Arrived(arrival)) => {
                present.insert(arrival.channel.clone(), None);
                self.send(NodeEvent::Arrived(arrival)).await?;
            }
            Decoded::HangUp { channel, cause } => {
                if let Some(hung_up) = present.get_mut(&channel) {
                    *hung_up = Some(cause);
                }
            }
            Decoded::Event(NodeEvent::Left(channel)) => {
                let event = match present.remove(&channel).flatten() {
                    Some(cause) => NodeEvent::Gone { channel, cause },
                    None => NodeEvent::Left(channel),
                };
                self.send(event).await?;
            }
            Decoded::Event(event) => self.send(event).await?,
            Decoded::Entered(channel) => self.entrances.came(&channel),
            Decoded::Ignored => {}
            Decoded::Replaced => return ControlFlow::Break(Lost::Replaced),
            Decoded::Stray(channel) => self.send_back(channel),
            Decoded::Unknown(kind) => {
                self.stats.unknown_frames.fetch_add(1, Ordering::Relaxed);
                if reported.len() < MOST_REPORTED && !reported.contains(&kind) {
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
            sleep(self.timing.fence_check).await;
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

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    use super::super::fake::{Answer, Fake, PATIENCE, tell};
    use super::*;

    const GONE: &str = r#"{"type":"ChannelDestroyed","cause":16,"channel":{"id":"17.1"}}"#;

    /// A socket with spans short enough for a test, and what comes out of it.
    struct Rig {
        fake: Fake,
        events: mpsc::Receiver<Event>,
        stats: Arc<NodeStats>,
        cancel: CancellationToken,
    }

    impl Drop for Rig {
        fn drop(&mut self) {
            self.cancel.cancel();
        }
    }

    impl Rig {
        fn start(fake: Fake, room: usize) -> Rig {
            let (events_in, events) = mpsc::channel(room);
            let stats = Arc::new(NodeStats::default());
            let timing = Timing {
                heartbeat: Duration::from_millis(30),
                silence: Duration::from_millis(300),
                first_back_off: Duration::from_millis(5),
                longest_back_off: Duration::from_millis(20),
                devices: Duration::from_millis(20),
                fenced: Duration::from_secs(60),
                longest_fenced: Duration::from_secs(60),
                fence_check: Duration::from_millis(20),
            };
            let config = fake.config.clone();
            let rest = Rest::new(&config).unwrap();
            let (connected, _) = watch::channel(0);
            let cancel = CancellationToken::new();
            let socket = Socket {
                id: NodeId(0),
                config,
                rest,
                events: events_in,
                entrances: Arc::default(),
                stats: stats.clone(),
                connected,
                timing,
            };
            tokio::spawn(socket.run(cancel.clone()));
            Rig { fake, events, stats, cancel }
        }

        async fn next(&mut self) -> NodeEvent {
            match timeout(PATIENCE, self.events.recv()).await.expect("no event").unwrap() {
                Event::Node(NodeId(0), event) => event,
                other => panic!("{other:?}"),
            }
        }

        async fn up(&mut self) {
            assert!(matches!(self.next().await, NodeEvent::Up(_)));
        }
    }

    fn gone() -> NodeEvent {
        NodeEvent::Gone { channel: "17.1".into(), cause: 16 }
    }

    #[tokio::test]
    async fn a_frozen_socket_is_given_up_and_opened_again() {
        let mut rig = Rig::start(Fake::start().await, 64);
        let _frozen = rig.fake.socket().await;
        rig.up().await;
        assert_eq!(rig.next().await, NodeEvent::Down);
        let mut socket = rig.fake.socket().await;
        rig.up().await;
        tell(&mut socket, GONE).await;
        assert_eq!(rig.next().await, gone());
    }

    #[tokio::test]
    async fn a_cut_socket_is_opened_again_and_one_that_is_alive_stays() {
        let mut rig = Rig::start(Fake::start().await, 64);
        drop(rig.fake.socket().await);
        rig.up().await;
        assert_eq!(rig.next().await, NodeEvent::Down);
        let mut socket = rig.fake.socket().await;
        rig.up().await;
        // Reading answers the pings. Ten times longer than the silence that would be the end.
        let reading = async { while socket.next().await.is_some() {} };
        assert!(timeout(rig_silence() * 10, reading).await.is_err(), "the connection was given up");
        assert_eq!(rig.stats.connections.load(Ordering::Relaxed), 2);
    }

    fn rig_silence() -> Duration {
        Duration::from_millis(300)
    }

    #[tokio::test]
    async fn events_that_come_while_the_snapshot_is_taken_come_after_it() {
        let fake = Fake::start().await;
        fake.answer(|request| {
            (request == "GET /channels").then(|| Answer::new(200, "[]").after(Duration::from_millis(100)))
        });
        let mut rig = Rig::start(fake, 64);
        let mut socket = rig.fake.socket().await;
        tell(&mut socket, GONE).await;
        rig.up().await;
        assert_eq!(rig.next().await, gone());
    }

    #[tokio::test]
    async fn without_a_snapshot_there_is_no_connection() {
        let fake = Fake::start().await;
        let mut failures = 3;
        fake.answer(move |request| {
            (request == "GET /channels" && failures > 0).then(|| {
                failures -= 1;
                Answer::refusal(503, "not yet")
            })
        });
        let mut rig = Rig::start(fake, 64);
        rig.up().await;
        for _ in 0..4 {
            rig.fake.request("GET /channels").await;
        }
        assert_eq!(rig.stats.connections.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn garbage_and_unknown_types_are_counted_and_passed_over() {
        let mut rig = Rig::start(Fake::start().await, 64);
        let mut socket = rig.fake.socket().await;
        for frame in ["{", "", "[1]", r#"{"type":"Unheard"}"#, r#"{"type":"Unheard"}"#, r#"{"type":"StasisEnd"}"#] {
            tell(&mut socket, frame).await;
        }
        socket.send(Message::Binary(vec![0, 159, 146, 150].into())).await.unwrap();
        tell(&mut socket, GONE).await;
        rig.up().await;
        assert_eq!(rig.next().await, gone());
        assert_eq!(rig.stats.unknown_frames.load(Ordering::Relaxed), 2);
        assert_eq!(rig.stats.malformed_frames.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn a_frame_beyond_all_measure_ends_the_connection_and_not_the_engine() {
        let mut rig = Rig::start(Fake::start().await, 64);
        let mut socket = rig.fake.socket().await;
        rig.up().await;
        let _ = socket.send(Message::text("x".repeat(LARGEST_FRAME + 1))).await;
        assert_eq!(rig.next().await, NodeEvent::Down);
        let _socket = rig.fake.socket().await;
        rig.up().await;
    }

    #[tokio::test]
    async fn half_a_frame_and_nothing_more_is_a_dead_connection() {
        use tokio::io::AsyncWriteExt;
        let mut rig = Rig::start(Fake::start().await, 64);
        let mut socket = rig.fake.socket().await;
        rig.up().await;
        // A text frame of 100 bytes, of which three come.
        socket.get_mut().write_all(&[0x81, 100, b'{', b'"', b't']).await.unwrap();
        assert_eq!(rig.next().await, NodeEvent::Down);
    }

    #[tokio::test]
    async fn another_engine_is_a_fence_until_it_has_gone() {
        let fake = Fake::start().await;
        let (go, mut wait) = mpsc::unbounded_channel::<()>();
        fake.answer(move |request| {
            (request == "GET /applications/perezvon" && wait.try_recv().is_ok())
                .then(|| Answer::refusal(404, "no such application"))
        });
        let mut rig = Rig::start(fake, 64);
        let mut socket = rig.fake.socket().await;
        rig.up().await;
        tell(&mut socket, r#"{"type":"ApplicationReplaced","application":"perezvon"}"#).await;
        tell(&mut socket, GONE).await;
        assert_eq!(rig.next().await, NodeEvent::Down);
        for _ in 0..3 {
            rig.fake.request("GET /applications/perezvon").await;
        }
        assert!(rig.stats.fenced.load(Ordering::Relaxed));
        assert!(!rig.fake.socket_waits(), "it fights for the name");
        go.send(()).unwrap();
        let _socket = rig.fake.socket().await;
        rig.up().await;
        assert!(!rig.stats.fenced.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn phones_that_come_and_go_are_told_once() {
        let fake = Fake::start().await;
        let endpoint = |name: &str, state: &str| {
            format!(r#"{{"technology":"PJSIP","resource":"{name}","state":"{state}","channel_ids":[]}}"#)
        };
        let lists = [
            format!("[{},{}]", endpoint("agent-1", "online"), endpoint("agent-2", "offline")),
            format!("[{},{}]", endpoint("agent-1", "online"), endpoint("agent-2", "offline")),
            format!("[{},{}]", endpoint("agent-1", "offline"), endpoint("agent-2", "online")),
            format!("[{}]", endpoint("agent-1", "offline")),
        ];
        let mut polls = 0;
        fake.answer(move |request| {
            (request == "GET /endpoints/PJSIP").then(|| {
                let list = lists.get(polls).or(lists.last()).unwrap();
                polls += 1;
                Answer::new(200, list)
            })
        });
        let mut rig = Rig::start(fake, 64);
        let mut socket = rig.fake.socket().await;
        tokio::spawn(async move { while socket.next().await.is_some() {} });
        let NodeEvent::Up(snapshot) = rig.next().await else { panic!() };
        assert_eq!(snapshot.devices, [("agent-1".to_owned(), true), ("agent-2".to_owned(), false)]);
        let device = |endpoint: &str, reachable| NodeEvent::Device { endpoint: endpoint.to_owned(), reachable };
        assert_eq!(rig.next().await, device("agent-1", false));
        assert_eq!(rig.next().await, device("agent-2", true));
        assert_eq!(rig.next().await, device("agent-2", false));
    }

    #[tokio::test]
    async fn a_caller_who_hangs_up_is_gone_even_if_asterisk_tells_no_more_than_that_the_channel_left() {
        let fake = Fake::start().await;
        fake.answer(|request| {
            let waiting =
                r#"[{"id":"17.3","state":"Up","dialplan":{"app_name":"Stasis","app_data":"perezvon,inbound"}}]"#;
            (request == "GET /channels").then(|| Answer::new(200, waiting))
        });
        let mut rig = Rig::start(fake, 64);
        let mut socket = rig.fake.socket().await;
        rig.up().await;
        let told =
            |kind: &str, id: &str| format!(r#"{{"type":"{kind}","args":["inbound"],"channel":{{"id":"{id}"}}}}"#);
        for (kind, id) in [
            ("StasisStart", "17.1"),
            ("StasisStart", "17.2"),
            ("ChannelHangupRequest", "17.1"),
            ("StasisEnd", "17.1"),
            ("ChannelHangupRequest", "17.1"),
            ("StasisEnd", "17.2"),
            ("ChannelHangupRequest", "17.3"),
            ("StasisEnd", "17.3"),
        ] {
            tell(&mut socket, &told(kind, id)).await;
        }
        assert!(matches!(rig.next().await, NodeEvent::Arrived(_)));
        assert!(matches!(rig.next().await, NodeEvent::Arrived(_)));
        assert_eq!(rig.next().await, gone());
        assert_eq!(rig.next().await, NodeEvent::Left("17.2".into()));
        assert_eq!(rig.next().await, NodeEvent::Gone { channel: "17.3".into(), cause: 16 });
    }

    #[tokio::test]
    async fn a_channel_with_unknown_arguments_is_sent_back_to_the_dialplan() {
        let mut rig = Rig::start(Fake::start().await, 64);
        let mut socket = rig.fake.socket().await;
        tell(&mut socket, r#"{"type":"StasisStart","args":["karaoke"],"channel":{"id":"17.9"}}"#).await;
        assert_eq!(rig.fake.request("POST").await, "POST /channels/17.9/continue");
    }

    #[tokio::test]
    async fn a_slow_engine_loses_no_event() {
        let mut rig = Rig::start(Fake::start().await, 1);
        let mut socket = rig.fake.socket().await;
        let count = 3_000;
        tokio::spawn(async move {
            for number in 0..count {
                tell(&mut socket, &GONE.replace("17.1", &number.to_string())).await;
            }
            while socket.next().await.is_some() {}
        });
        rig.up().await;
        for number in 0..count {
            assert_eq!(rig.next().await, NodeEvent::Gone { channel: number.to_string().into(), cause: 16 });
        }
    }

    #[test]
    fn the_back_off_grows_and_stays_in_its_bounds() {
        let timing = Timing::default();
        assert!(timing.back_off(0) >= Duration::from_millis(75) && timing.back_off(0) <= Duration::from_millis(125));
        for attempts in [5, 6, 40, u32::MAX] {
            assert!(timing.back_off(attempts) >= Duration::from_millis(1_500));
            assert!(timing.back_off(attempts) <= Duration::from_secs(2));
        }
    }
}
