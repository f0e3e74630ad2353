//! The Asterisk adapter: events in, requests out, over ARI.
//!
//! - `decode`: frames of the events socket as [`NodeEvent`](crate::engine::event::NodeEvent)s (models of `asterisk-ari`)
//! - `socket`: the events socket: reconnection, the order of snapshot and events, the fence against a second engine
//! - `reader`: reads the socket and nothing else; knows when a connection is dead
//! - `snapshot`: what stands in Asterisk at the moment of connection
//! - `encode`: the core's requests as HTTP requests
//! - [`rest`]: the pool of HTTP connections, with deadlines
//! - `lanes`: requests of one call one after another, of different calls at once
//! - [`provision`]: agents' phones, put into Asterisk's dynamic configuration
//! - [`stored`]: recordings that lie in Asterisk
//! - `warm`: sounds that an Asterisk on another machine fetches before they are played
//! - [`check`]: is this Asterisk fit and well configured?

pub mod check;
mod decode;
mod encode;
mod entrance;
#[cfg(test)]
mod fake;
mod lanes;
mod pool;
pub mod provision;
mod reader;
pub mod rest;
mod snapshot;
mod socket;
pub mod stored;
mod warm;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::engine::command::AriRequest;
use crate::engine::event::{Event, Refusal};
use crate::engine::ids::{CallId, NodeId};
use crate::shell::voice::Voice;

use encode::Names;
use entrance::Entrances;
use lanes::Lanes;
use provision::{PhoneAccount, Phones};
use rest::Rest;
use stored::StoredRecordings;

/// How to reach one Asterisk.
#[derive(Clone)]
pub struct NodeConfig {
    /// Name for people.
    pub name: String,
    /// `http://host:port` of Asterisk's HTTP server.
    pub url: String,
    /// User of `ari.conf`.
    pub username: String,
    /// Password of `ari.conf`. Never shown.
    pub password: String,
    /// Name of the application that the dialplan hands calls to.
    pub app: String,
    /// Folder of the sounds as Asterisk sees it (`<dir>/ru/greeting.wav`), or an `http://` address of it.
    pub sounds_dir: String,
    /// Folder of Asterisk's recordings as this machine sees it, where it does.
    pub recordings_dir: Option<PathBuf>,
    /// PJSIP endpoint of the line to the outside, if any; only looked at by [`check`].
    pub trunk: Option<String>,
    /// Address that phones send their sound to, where Asterisk cannot tell by itself.
    pub media_address: Option<String>,
    /// REST connections at once. Asterisk takes 100 in all (`sessionlimit` in `http.conf`) unless configured.
    pub connections: usize,
}

impl Default for NodeConfig {
    fn default() -> Self {
        NodeConfig {
            name: "main".to_owned(),
            url: "http://127.0.0.1:8088".to_owned(),
            username: "perezvon".to_owned(),
            password: String::new(),
            app: "perezvon".to_owned(),
            sounds_dir: "/usr/share/perezvon/sounds".to_owned(),
            recordings_dir: None,
            trunk: None,
            media_address: None,
            connections: 48,
        }
    }
}

impl fmt::Debug for NodeConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeConfig")
            .field("name", &self.name)
            .field("url", &self.url)
            .field("username", &self.username)
            .field("password", &"(hidden)")
            .field("app", &self.app)
            .field("sounds_dir", &self.sounds_dir)
            .field("recordings_dir", &self.recordings_dir)
            .field("trunk", &self.trunk)
            .field("media_address", &self.media_address)
            .field("connections", &self.connections)
            .finish()
    }
}

impl NodeConfig {
    /// Where it takes SIP over WebSocket.
    #[must_use]
    pub fn sip_socket(&self) -> String {
        format!("{}/ws", self.url.trim_end_matches('/').replacen("http", "ws", 1))
    }

    /// Host and port of the address, or what is wrong with it.
    fn authority(&self) -> Result<String, NodeError> {
        let wrong = |why| NodeError::WrongUrl { node: self.name.clone(), url: self.url.clone(), why };
        let rest = match self.url.split_once("://") {
            Some(("http", rest)) => rest.trim_end_matches('/'),
            Some(("https", _)) => {
                return Err(wrong("https is not spoken here: keep ARI on loopback or in a tunnel and use http"));
            }
            Some(_) | None => return Err(wrong("it must begin with http://")),
        };
        let uri = hyper::Uri::try_from(format!("http://{rest}")).map_err(|_| wrong("it must be http://host:port"))?;
        if uri.path() != "/" || uri.query().is_some() || rest.contains('@') {
            return Err(wrong("it must be http://host:port and nothing more"));
        }
        uri.authority().map(ToString::to_string).ok_or_else(|| wrong("it has no host"))
    }
}

/// A configuration that cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The address.
    #[error("asterisk node {node}: url {url:?} cannot be used: {why}")]
    WrongUrl {
        /// Which node.
        node: String,
        /// As configured.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Something else.
    #[error("asterisk node {node}: the {what} holds characters that HTTP does not allow; use plain ASCII")]
    Unusable {
        /// Which node.
        node: String,
        /// What cannot be used.
        what: &'static str,
    },
}

/// Counters of one node, for the metrics.
#[derive(Debug, Default)]
pub struct NodeStats {
    /// Connected and the snapshot handed on.
    pub up: AtomicBool,
    /// Another engine took the application's name; this one must not drive.
    pub fenced: AtomicBool,
    /// Connections of the events socket made.
    pub connections: AtomicU64,
    /// Frames read.
    pub frames: AtomicU64,
    /// Frames of a type that is not known.
    pub unknown_frames: AtomicU64,
    /// Frames that could not be read, not even with missing parts filled in.
    pub malformed_frames: AtomicU64,
    /// REST requests sent for calls.
    pub requests: AtomicU64,
    /// Requests that came to nothing.
    pub refused: AtomicU64,
}

/// Connections for recordings. Their own: they never take one from calls, and live on other threads.
const RECORDING_CONNECTIONS: usize = 4;

/// A handle of a running node. Cheap to clone.
#[derive(Clone)]
pub struct NodeHandle {
    id: NodeId,
    lanes: Arc<Lanes>,
    recordings: Rest,
    phones: Arc<Phones>,
    stats: Arc<NodeStats>,
}

/// Starts nodes.
pub struct Node;

impl Node {
    /// Spawns the tasks of a node: events socket, phones. The voice says what is to be played. Events come in order over `events`; when that channel is
    /// closed or `cancel` is cancelled they end. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// A configuration that cannot be worked with. An Asterisk that cannot be reached is no error: it is tried again.
    pub fn start(
        id: NodeId,
        config: NodeConfig,
        voice: Voice,
        events: mpsc::Sender<Event>,
        cancel: CancellationToken,
    ) -> Result<NodeHandle, NodeError> {
        let rest = Rest::new(&config)?;
        let recordings = Rest::new(&NodeConfig { connections: RECORDING_CONNECTIONS, ..config.clone() })?;
        let stats = Arc::new(NodeStats::default());
        let names = Names { app: config.app.clone() };
        let entrances = Arc::new(Entrances::default());
        if let Some(wishes) = voice.wishes() {
            tokio::spawn(warm::run(rest.clone(), wishes, cancel.clone()));
        }
        let lanes = Lanes::new(id, rest.clone(), names, voice, events.clone(), stats.clone(), entrances.clone());
        let lanes = Arc::new(lanes);
        let (connected, connections) = watch::channel(0);
        let phones = Arc::new(Phones::new(config.media_address.clone()));
        tokio::spawn(provision::run(phones.clone(), rest.clone(), connections, cancel.clone()));
        let timing = reader::Timing::default();
        let socket = socket::Socket { id, config, rest, events, entrances, stats: stats.clone(), connected, timing };
        tokio::spawn(socket.run(cancel));
        Ok(NodeHandle { id, lanes, recordings, phones, stats })
    }
}

impl NodeHandle {
    /// Which node.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Puts a request behind those of the same call. Never waits. A failure comes as [`Event::Refused`] over the
    /// events channel; only when the request cannot even be put in line (too many wait already, or another engine
    /// drives this Asterisk) it is returned at once, for the caller to hand to the engine.
    #[must_use = "an immediate refusal must be handed to the engine"]
    pub fn request(&self, call: CallId, request: AriRequest) -> Option<Event> {
        let refused = |request| Event::Refused { node: self.id, call, request, why: Refusal::Unreachable };
        if self.stats.fenced.load(Ordering::Relaxed) {
            return Some(refused(request));
        }
        Lanes::push(&self.lanes, call, request).map(refused)
    }

    /// The agents' phones that are to exist in this Asterisk, all of them: others that the engine once made are
    /// removed. Takes effect at once and again after each connection.
    pub fn set_phones(&self, accounts: impl IntoIterator<Item = PhoneAccount>) {
        self.phones.set(accounts);
    }

    /// Adds a phone or changes it.
    pub fn put_phone(&self, account: PhoneAccount) {
        self.phones.put(account);
    }

    /// Removes a phone.
    pub fn remove_phone(&self, endpoint: &str) {
        self.phones.remove(endpoint);
    }

    /// Recordings that lie in this Asterisk.
    #[must_use]
    pub fn recordings(&self) -> StoredRecordings {
        StoredRecordings::new(self.recordings.clone())
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> &NodeStats {
        &self.stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        let config = NodeConfig { password: "hunter2".to_owned(), ..NodeConfig::default() };
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn an_address_that_cannot_be_used_is_explained() {
        let said = |url: &str| NodeConfig { url: url.to_owned(), ..NodeConfig::default() }.authority();
        assert_eq!(said("http://pbx.example:8088/").ok().as_deref(), Some("pbx.example:8088"));
        for url in ["pbx:8088", "https://pbx:8089", "http://", "http://pbx/ari", "http://u:p@pbx:1", "ws://pbx:1"] {
            assert!(said(url).is_err(), "{url}");
        }
    }
}
