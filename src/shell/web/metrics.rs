//! Numbers for Prometheus.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, header};
use axum::response::IntoResponse;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::engine::callback::request::CallbackEnd;
use crate::engine::command::Fact;
use crate::engine::view::QueueView;
use crate::shell::store::journal::JournalState;

use super::problem::Problem;
use super::{NodeHealth, WebState};

/// A view of the queue that is this old is good enough for a scrape.
const VIEW_AGE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueName {
    queue: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NodeName {
    node: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Frames {
    node: String,
    /// `read`, `unknown` or `malformed`.
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    disposition: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallbackLabels {
    reason: &'static str,
    end: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AttemptLabels {
    reason: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

fn callback_waits() -> Histogram {
    Histogram::new([5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0])
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AgentGroup {
    status: &'static str,
    state: &'static str,
}

/// All numbers. Other parts of the shell add theirs with [`Metrics::register`].
pub struct Metrics {
    registry: Mutex<Registry>,
    requests: Family<Asked, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    arrived: Counter,
    ended: Family<Ended, Counter>,
    offers: Family<Outcome, Counter>,
    attempts: Family<AttemptLabels, Counter>,
    callbacks: Family<CallbackLabels, Counter>,
    callback_waited: Family<Reason, Histogram, fn() -> Histogram>,
    waited: Histogram,
    talked: Histogram,
    waiting: Family<QueueName, Gauge>,
    agents: Family<AgentGroup, Gauge>,
    nodes: Family<NodeName, Gauge>,
    connections: Family<NodeName, Counter>,
    frames: Family<Frames, Counter>,
    asked: Family<NodeName, Counter>,
    refused: Family<NodeName, Counter>,
    backlog: Gauge,
    spilled: Gauge,
    rejected: Counter,
    lost: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.0005, 4.0, 8));
        let metrics = Metrics {
            registry: Mutex::new(Registry::with_prefix("perezvon")),
            requests: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            arrived: Counter::default(),
            ended: Family::default(),
            offers: Family::default(),
            attempts: Family::default(),
            callbacks: Family::default(),
            callback_waited: Family::new_with_constructor(callback_waits),
            waited: Histogram::new([1.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0]),
            talked: Histogram::new([5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0]),
            waiting: Family::default(),
            agents: Family::default(),
            nodes: Family::default(),
            connections: Family::default(),
            frames: Family::default(),
            asked: Family::default(),
            refused: Family::default(),
            backlog: Gauge::default(),
            spilled: Gauge::default(),
            rejected: Counter::default(),
            lost: Counter::default(),
        };
        metrics.register_all();
        metrics
    }
}

impl Metrics {
    fn register_all(&self) {
        let metrics = self;
        metrics.register(|registry| {
            registry.register("http_requests", "Requests answered", metrics.requests.clone());
            registry.register("http_seconds", "Time to the head of the answer", metrics.seconds.clone());
            registry.register("calls_arrived", "Calls that came in", metrics.arrived.clone());
            registry.register("calls_ended", "Calls that ended, by disposition", metrics.ended.clone());
            let attempts = "Attempts to reach clients, by reason and outcome";
            registry.register("callback_attempts", attempts, metrics.attempts.clone());
            registry.register(
                "callbacks_ended",
                "Clients to be called: by reason, and how that ended; the share of `delivered` are those who heard it",
                metrics.callbacks.clone(),
            );
            registry.register(
                "callback_delivery_seconds",
                "From the wish that a client be told until it was heard, by reason",
                metrics.callback_waited.clone(),
            );
            registry.register("offers_ended", "Offers to agents that ended, by outcome", metrics.offers.clone());
            registry.register(
                "waited_seconds",
                "From entering the queue to the talk or the end",
                metrics.waited.clone(),
            );
            registry.register("talked_seconds", "Time in talks of a call", metrics.talked.clone());
            registry.register("callers_waiting", "Callers in the queue at this moment", metrics.waiting.clone());
            registry.register("agents", "Agents at this moment", metrics.agents.clone());
            registry.register("asterisk_up", "Connected with this Asterisk", metrics.nodes.clone());
            registry.register(
                "asterisk_connections",
                "Times that the events socket was connected",
                metrics.connections.clone(),
            );
            registry.register("asterisk_frames", "Frames of the events socket", metrics.frames.clone());
            registry.register("asterisk_requests", "REST requests sent for calls", metrics.asked.clone());
            registry.register("asterisk_refused", "REST requests that came to nothing", metrics.refused.clone());
            registry.register("journal_backlog", "Facts not in the database yet", metrics.backlog.clone());
            registry.register(
                "journal_spilled_bytes",
                "Facts in the file for the time without a database",
                metrics.spilled.clone(),
            );
            registry.register("journal_rejected", "Facts that the database refused for good", metrics.rejected.clone());
            registry.register(
                "journal_lost",
                "Facts lost: memory, database and disk were full or gone",
                metrics.lost.clone(),
            );
        });
    }

    /// Adds numbers of another part.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts what goes into the journal.
    pub fn fact(&self, fact: &Fact) {
        match fact {
            Fact::CallArrived { .. } => {
                self.arrived.inc();
            }
            Fact::CallEnded { disposition, waited, talked, .. } => {
                self.ended.get_or_create(&Ended { disposition: disposition.as_str() }).inc();
                self.waited.observe(waited.as_secs_f64());
                if !talked.is_zero() {
                    self.talked.observe(talked.as_secs_f64());
                }
            }
            Fact::OfferEnded { outcome, .. } => {
                self.offers.get_or_create(&Outcome { outcome: outcome.as_str() }).inc();
            }
            Fact::AttemptStarted { .. } => {}
            Fact::AttemptEnded { outcome, about, .. } => {
                self.attempts.get_or_create(&AttemptLabels { reason: about, outcome: outcome.as_str() }).inc();
            }
            Fact::CallbackEnded { end, about, waited, .. } => {
                self.callbacks.get_or_create(&CallbackLabels { reason: about, end: end.as_str() }).inc();
                if *end == CallbackEnd::Delivered {
                    self.callback_waited.get_or_create(&Reason { reason: about }).observe(waited.as_secs_f64());
                }
            }
            Fact::CallQueued { .. }
            | Fact::LegStarted { .. }
            | Fact::LegAnswered { .. }
            | Fact::LegEnded { .. }
            | Fact::OfferMade { .. }
            | Fact::OfferRinging { .. }
            | Fact::CallBridged { .. }
            | Fact::CallNoted { .. }
            | Fact::MonitorBegan { .. }
            | Fact::MonitorEnded { .. }
            | Fact::CallsAlive { .. }
            | Fact::AgentStatus { .. }
            | Fact::WrapUp { .. }
            | Fact::WaitTold { .. }
            | Fact::AgentIdle { .. } => {}
        }
    }

    /// Counts a request.
    pub(super) fn answered(&self, method: &Method, route: &str, status: u16, spent: Duration) {
        // A made-up method must not become a series of its own.
        let method = match method.as_str() {
            known @ ("GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE" | "OPTIONS") => known,
            _ => "other",
        };
        let asked = Asked { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&asked).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(spent.as_secs_f64());
    }

    fn queue(&self, view: &QueueView) {
        self.waiting.clear();
        for (_, queue, waiting) in &view.queues {
            self.waiting.get_or_create(&QueueName { queue: queue.clone() }).set(i64::from(*waiting));
        }
        self.agents.clear();
        for agent in &view.agents {
            let status = match agent.status {
                crate::engine::view::Status::Ready => "ready",
                crate::engine::view::Status::Pause(_) => "pause",
                crate::engine::view::Status::Offline => "offline",
            };
            self.agents.get_or_create(&AgentGroup { status, state: agent.state.as_str() }).inc();
        }
    }

    fn asterisks(&self, nodes: Vec<NodeHealth>) {
        for node in nodes {
            let name = NodeName { node: node.name.clone() };
            self.nodes.get_or_create(&name).set(i64::from(node.up));
            told(&self.connections.get_or_create(&name), node.connections);
            for (kind, number) in ["read", "unknown", "malformed"].into_iter().zip(node.frames) {
                told(&self.frames.get_or_create(&Frames { node: node.name.clone(), kind }), number);
            }
            for (family, number) in [&self.asked, &self.refused].into_iter().zip(node.requests) {
                told(&family.get_or_create(&name), number);
            }
        }
    }

    fn journal(&self, state: JournalState) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.backlog.set(gauge(state.backlog));
        self.spilled.set(gauge(state.spilled_bytes));
        told(&self.rejected, state.rejected);
        told(&self.lost, state.lost);
    }
}

/// A counter that somebody else counts.
fn told(counter: &Counter, number: u64) {
    counter.inner().store(number, Ordering::Relaxed);
}

/// The numbers, in the text format of Prometheus. Open to this machine; others need a supervisor's session or a key
/// with the scope `metrics:read`.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(state): State<WebState>) -> Result<impl IntoResponse, Problem> {
    // Without the engine's answer the rest is still worth reading.
    if let Ok(view) = state.board.view(&state.requests, VIEW_AGE).await {
        state.metrics.queue(&view);
    }
    state.metrics.asterisks(state.phones.nodes());
    state.metrics.journal(state.journal.state());
    let mut text = String::new();
    let registry = state.metrics.registry.lock().unwrap_or_else(PoisonError::into_inner);
    prometheus_client::encoding::text::encode(&mut text, &registry).map_err(|cause| Problem::internal(&cause))?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::callback::attempt::Outcome;
    use crate::engine::ids::{CallId, CallbackId};
    use crate::engine::time::Wall;

    #[test]
    fn callbacks_are_counted_by_reason_with_attempts_ends_and_the_time_until_they_were_heard() {
        let metrics = Metrics::default();
        let (callback, about, at) = (CallbackId(7), "assigned", Wall(0));
        for (attempt, outcome) in [(1, Outcome::Busy), (2, Outcome::Delivered)] {
            let attempt = CallId(attempt);
            metrics.fact(&Fact::AttemptEnded { callback, attempt, about, outcome, cause: 0, attempts: 1, due: at, at });
        }
        let waited = Duration::from_secs(70);
        metrics.fact(&Fact::CallbackEnded { callback, end: CallbackEnd::Delivered, about, waited, at });
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &metrics.registry.lock().unwrap()).unwrap();
        for line in [
            "perezvon_callback_attempts_total{reason=\"assigned\",outcome=\"busy\"} 1",
            "perezvon_callback_attempts_total{reason=\"assigned\",outcome=\"delivered\"} 1",
            "perezvon_callbacks_ended_total{reason=\"assigned\",end=\"delivered\"} 1",
            "perezvon_callback_delivery_seconds_sum{reason=\"assigned\"} 70.0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
