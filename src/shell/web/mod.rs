//! The HTTP API under `/api/v1`, health, metrics, and the console at `/`.
//!
//! - [`routes`]: the one table of addresses: method, path, who may, handler
//! - `access`: who asks, and may they; `throttle`, `password`, `session`: logging in
//! - `layers`, `intake`, `extract`, `problem`: what surrounds every handler
//! - `dto`: the shapes of JSON; `openapi`: their description
//! - `users`, `agents`, `queue`, `calls`, `blocked`, `addresses`, `recordings`, `audit`, `keys`, `webhooks`,
//!   `exchange`: the handlers
//! - `orders`, `order_actions`, `clients`, `client_actions`, `ledgers`, `tariffs`: what the office lives on, with their own
//!   `…_dto`; `writer`: who changes them, looking at which version
//! - `settings`: queues, numbers, menus and more, set in the console
//! - `reports`: what calls add up to; `schedules`: by e-mail; `quality`: grades of talks; `streets`: the list for address hints
//! - `journal`, `journal_actions`, `purposes`, `notifications`: the journal of contacts
//! - `stream`: the WebSocket of the consoles, `fanout`: who of them is told what; `health`, `metrics`: for those who watch over the engine
//! - `console`: the console's files; `phone`: the phone in it
//! - `sounds`: for an Asterisk that fetches them
//! - [`server`]: the listening socket; [`tls`]: its certificate

mod access;
mod addresses;
mod agents;
mod attention;
mod audit;
mod blocked;
mod call_log;
mod callbacks;
mod calls;
mod client_actions;
mod client_dto;
mod clients;
mod console;
mod dial;
mod dto;
mod exchange;
mod extract;
mod fanout;
pub(crate) mod health;
mod housekeeping;
mod intake;
mod journal;
mod journal_actions;
mod journal_dto;
mod keys;
mod layers;
mod ledgers;
mod listened;
mod listing;
mod marks;
mod metrics;
mod monitor;
mod notifications;
pub mod openapi;
mod order_actions;
mod order_dto;
mod orders;
pub mod password;
mod peaks;
mod phone;
mod problem;
mod purposes;
mod quality;
mod queue;
mod range;
mod recording_keeping;
pub(crate) mod recordings;
mod reports;
pub mod routes;
mod schedules;
mod second_factor;
pub mod server;
mod session;
mod settings;
mod shares;
mod sms;
mod sound;
mod sounds;
mod stream;
mod streets;
mod tariffs;
mod throttle;
pub mod tls;
mod transcripts;
mod users;
mod webhooks;
mod writer;

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::shell::config;
use crate::shell::hints::Hints;
use crate::shell::live_settings::LiveSettings;
use crate::shell::recordings::{ArchiveStats, Vault};
use crate::shell::requests::Requests;
use crate::shell::sms::Inbound;
use crate::shell::store::Store;
use crate::shell::store::agents::AgentRow;
use crate::shell::store::journal::JournalHandle;
use crate::shell::store::orders::Metering;
use crate::shell::updates::Updates;

pub use agents::phone_account;
pub use fanout::tell_consoles;
pub use housekeeping::housekeep;
pub use metrics::Metrics;
pub use server::{bind, serve};

/// The agents' phones in Asterisk, told when an agent changes. Never waits.
pub trait Phones: Send + Sync {
    /// Adds the phone or changes it.
    fn put(&self, agent: &AgentRow);
    /// Removes the phone.
    fn remove(&self, agent: &AgentRow);
    /// How each Asterisk fares.
    fn nodes(&self) -> Vec<NodeHealth>;
}

/// How an Asterisk fares.
#[derive(Clone, Debug, Default)]
pub struct NodeHealth {
    /// Its name.
    pub name: String,
    /// Connected.
    pub up: bool,
    /// Another engine took the application's name.
    pub fenced: bool,
    /// Times that the events socket was connected.
    pub connections: u64,
    /// Frames read, of unknown types, and unreadable.
    pub frames: [u64; 3],
    /// REST requests sent for calls, and those that came to nothing.
    pub requests: [u64; 2],
}

/// What the API is made of.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The way to the engine.
    pub requests: Requests,
    /// What the engine publishes.
    pub updates: Updates,
    /// The Asterisks.
    pub phones: Arc<dyn Phones>,
    /// The journal, for its numbers.
    pub journal: JournalHandle,
    /// Numbers for Prometheus.
    pub metrics: Arc<Metrics>,
    /// `[web]`.
    pub config: config::Web,
    /// What an administrator decides, as it is now.
    pub settings: LiveSettings,
    /// Names of the Asterisks, in the order of the configuration.
    pub nodes: Vec<String>,
    /// Where each Asterisk takes SIP over WebSocket, in the same order.
    pub sip_sockets: Vec<String>,
    /// How a trip is reckoned.
    pub metering: Metering,
    /// The streets for address hints.
    pub hints: Hints,
    /// Takes what SMS gateways tell.
    pub sms: Inbound,
    /// The archive of talks.
    pub recording: config::Recording,
    /// Its files.
    pub vault: Vault,
    /// How it is.
    pub archive: Arc<ArchiveStats>,
    /// What is in time, and what is a short abandon.
    pub reports: config::Reports,
    /// Where sentences lie for an Asterisk on another machine.
    pub sentences: PathBuf,
    /// The engine is being stopped: consoles are told.
    pub cancel: CancellationToken,
}

/// The state of all handlers. Cheap to clone.
#[derive(Clone)]
pub struct WebState(Arc<Inner>);

/// [`Parts`] with what the API keeps for itself.
pub struct Inner {
    parts: Parts,
    passwords: password::Passwords,
    throttle: throttle::Throttle,
    /// Apart from that of log-ins: a page left open on an ended link must not keep an office from logging in.
    link_throttle: throttle::Throttle,
    known: access::Known,
    board: queue::Board,
    listened: listened::Listened,
    streams: stream::Streams,
    fanout: fanout::Fanout,
    last_wallboard: reports::LastWallboard,
}

impl Deref for WebState {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Deref for Inner {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

impl WebState {
    /// Puts the API together.
    #[must_use]
    pub fn new(parts: Parts) -> WebState {
        WebState(Arc::new(Inner {
            parts,
            passwords: password::Passwords::default(),
            throttle: throttle::Throttle::default(),
            link_throttle: throttle::Throttle::default(),
            known: access::Known::default(),
            board: queue::Board::default(),
            listened: listened::Listened::default(),
            streams: stream::Streams::default(),
            fanout: fanout::Fanout::default(),
            last_wallboard: reports::LastWallboard::default(),
        }))
    }
}

/// Everything that is served.
pub fn router(state: WebState) -> Router {
    let mut router = Router::new();
    for route in routes::all() {
        router = router.route(route.path, route.guarded(&state));
    }
    router
        .route("/sounds/{*name}", axum::routing::get(sounds::serve))
        .route("/console/{version}/{*name}", axum::routing::get(console::file))
        .fallback(layers::not_found)
        .method_not_allowed_fallback(layers::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), layers::speak))
        .layer(from_fn_with_state(state.clone(), layers::encrypted))
        .layer(from_fn(layers::deadline))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(from_fn_with_state(state.clone(), layers::observe))
        .layer(from_fn(layers::security_headers))
        .with_state(state)
}

#[cfg(test)]
mod tests;
