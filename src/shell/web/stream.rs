//! The WebSocket of a console: first the whole picture, then what changes. A console that does not keep up gets the
//! whole picture anew; one that does not read at all is closed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use tokio::time::{MissedTickBehavior, interval, timeout};
use utoipa::ToSchema;

use crate::domain::ids::{ClientId, OrderId};
use crate::domain::order;
use crate::engine::command::Update;
use crate::engine::ids::{AgentId, CallId};
use crate::shell::updates::{Next, Subscription};

use super::WebState;
use super::access::{Identity, same_origin, still_known};
use super::dto::{AgentNow, CallNow, QueueBoard, QueueCount};
use super::problem::Problem;
use super::queue::ask_calls;

/// Consoles of one person at once: tabs.
const PER_PERSON: usize = 8;
/// Consoles in all.
const IN_ALL: usize = 2000;
/// A console says something this often, if only a pong.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A console that was silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(40);
/// One message must be taken within this time.
const SEND: Duration = Duration::from_secs(5);
/// Counts of the queue are told this often at most.
const COUNTS: Duration = Duration::from_secs(1);
/// Nothing that a console sends is longer.
const LARGEST: usize = 4096;

/// How many consoles listen, by person.
#[derive(Default)]
pub(super) struct Streams {
    open: Mutex<BTreeMap<String, usize>>,
}

impl Streams {
    fn enter(&self, key: &str) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= IN_ALL || open.get(key).is_some_and(|count| *count >= PER_PERSON) {
            return false;
        }
        *open.entry(key.to_owned()).or_default() += 1;
        true
    }

    fn leave(&self, key: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                open.remove(key);
            }
        }
    }
}

/// A place among the consoles, given back when dropped.
struct Place {
    state: WebState,
    key: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.streams.leave(&self.key);
    }
}

/// What a console is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum StreamMessage {
    /// The whole picture: first of all, and again after something was missed.
    Snapshot { queue: QueueBoard, calls: Vec<CallNow>, nodes: Vec<NodeNow> },
    /// A call is being offered to an agent: show the card.
    Offer { agent: u32, call: CallNow },
    /// The offer is over.
    OfferEnded { agent: u32, call: String, outcome: &'static str },
    /// An agent's status or state changed.
    Agent { agent: AgentNow },
    /// An agent is no more.
    AgentRemoved { agent: u32 },
    /// A call changed.
    Call { call: CallNow },
    /// The call is no longer yours (agents only).
    CallLeft { call: String },
    /// A call ended.
    CallEnded { call: String, disposition: &'static str },
    /// How many wait.
    Queue { waiting_total: u32, queues: Vec<QueueCount> },
    /// Connection with an Asterisk.
    Node { node: NodeNow },
    /// An order was taken or changed: `GET /orders/{id}` tells how it stands.
    Order { order: OrderId, client: Option<ClientId>, version: u64, state: order::State },
    /// A client's card, counters or accounts changed: `GET /clients/{id}` tells what they are.
    Client { client: ClientId, version: u64 },
}

/// An Asterisk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NodeNow {
    name: String,
    connected: bool,
}

/// What the console shows, as it changes. Agents get their own offers and calls, and counts of the queue.
#[utoipa::path(get, path = "/api/v1/stream", tag = "stream",
    responses((status = 101, description = "WebSocket; text messages", body = StreamMessage), (status = 403, body = Problem),
    (status = 429, body = Problem)))]
pub(super) async fn stream(
    State(state): State<WebState>,
    identity: Identity,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|why| Problem::new(why.status(), "not_a_websocket", why.body_text()))?;
    same_origin(&headers)?;
    let only = if identity.sees_all() { None } else { Some(identity.own_agent()?) };
    let key = identity.key();
    if !state.streams.enter(&key) {
        return Err(Problem::too_many(
            5,
            format!("too many consoles at once: {PER_PERSON} for one person; close some"),
        ));
    }
    let place = Place { state: state.clone(), key };
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let mut console = Console { state, identity, only, socket, own: BTreeSet::new(), heard: Instant::now() };
        let farewell = match console.run().await {
            Ok(()) => None,
            Err(Gone::Silent) => None,
            Err(Gone::Ended(code, reason)) => Some(CloseFrame { code, reason: reason.into() }),
        };
        if let Some(frame) = farewell {
            let _ = timeout(SEND, console.socket.send(Message::Close(Some(frame)))).await;
        }
        drop(place);
    }))
}

struct Console {
    state: WebState,
    identity: Identity,
    /// An agent, who sees the own calls only.
    only: Option<AgentId>,
    socket: WebSocket,
    /// Calls that an agent was told of and that are not over.
    own: BTreeSet<CallId>,
    heard: Instant,
}

/// Why a console is not served any more.
enum Gone {
    /// Closed, cut or not reading: nobody to tell.
    Silent,
    /// Tell why. 4401: log in again; 1001: the engine stops; 1013: try again.
    Ended(u16, &'static str),
}

impl Console {
    async fn run(&mut self) -> Result<(), Gone> {
        // Before the picture is taken: nothing falls between. What comes twice is the same twice.
        let mut subscription = self.state.updates.subscribe();
        self.snapshot().await?;
        let mut heartbeat = interval(HEARTBEAT);
        let mut counts = interval(COUNTS);
        counts.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changed = false;
        let cancel = self.state.cancel.clone();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Err(Gone::Ended(1001, "the engine is being stopped")),
                next = subscription.next() => {
                    changed |= self.next(next, &mut subscription).await?;
                }
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone::Silent),
                    Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {
                        self.heard = Instant::now();
                    }
                },
                _ = heartbeat.tick() => self.check().await?,
                _ = counts.tick(), if changed => {
                    changed = false;
                    self.counts().await?;
                }
            }
        }
    }

    /// Tells one update; answers whether the counts may have changed.
    async fn next(&mut self, next: Next, subscription: &mut Subscription) -> Result<bool, Gone> {
        match next {
            Next::Update(update) => {
                if let Some(message) = self.message(&update) {
                    self.send(&message).await?;
                }
                Ok(matches!(*update, Update::Call(_) | Update::CallEnded { .. }))
            }
            Next::Missed => {
                *subscription = self.state.updates.subscribe();
                self.snapshot().await?;
                Ok(false)
            }
            Next::Closed => Err(Gone::Ended(1001, "the engine is being stopped")),
        }
    }

    async fn snapshot(&mut self) -> Result<(), Gone> {
        let busy = |_| Gone::Ended(1013, "the engine does not answer; try again in a moment");
        let view = self.state.board.view(&self.state.requests, Duration::ZERO).await.map_err(busy)?;
        let calls = ask_calls(&self.state.requests).await.map_err(busy)?;
        let seen: Vec<_> = calls.iter().filter(|call| self.only.is_none_or(|me| call.agents.contains(&me))).collect();
        self.own = if self.only.is_some() { seen.iter().map(|call| call.call).collect() } else { BTreeSet::new() };
        let nodes = self.state.phones.nodes().into_iter();
        let message = StreamMessage::Snapshot {
            queue: QueueBoard::of(&view, &self.state, self.only),
            calls: seen.into_iter().map(|call| CallNow::of(call, &self.state)).collect(),
            nodes: nodes.map(|node| NodeNow { name: node.name, connected: node.up }).collect(),
        };
        self.send(&message).await
    }

    async fn counts(&mut self) -> Result<(), Gone> {
        // An engine that is late with its answer: the next change tells.
        if let Ok(view) = self.state.board.view(&self.state.requests, COUNTS / 2).await {
            let queues = QueueBoard::counts(&view);
            self.send(&StreamMessage::Queue { waiting_total: view.waiting_total, queues }).await?;
        }
        Ok(())
    }

    /// Is the console alive and its user still let in?
    async fn check(&mut self) -> Result<(), Gone> {
        if self.heard.elapsed() > SILENCE {
            return Err(Gone::Silent);
        }
        // A database that does not answer throws nobody out.
        if let Ok(false) = still_known(&self.state, &self.identity).await {
            return Err(Gone::Ended(4401, "the session is over; log in again"));
        }
        self.raw(Message::Ping(axum::body::Bytes::new())).await
    }

    /// The update as this console may see it.
    fn message(&mut self, update: &Update) -> Option<StreamMessage> {
        let mine = |agent: AgentId, only: Option<AgentId>| only.is_none_or(|me| me == agent);
        match update {
            Update::Offer { agent, call } => mine(*agent, self.only)
                .then(|| StreamMessage::Offer { agent: agent.0, call: CallNow::of(call, &self.state) }),
            Update::OfferEnded { agent, call, outcome } => mine(*agent, self.only).then(|| StreamMessage::OfferEnded {
                agent: agent.0,
                call: call.to_string(),
                outcome: outcome.as_str(),
            }),
            Update::Agent(view) => {
                mine(view.agent, self.only).then(|| StreamMessage::Agent { agent: AgentNow::of(view) })
            }
            Update::AgentRemoved(agent) => {
                mine(*agent, self.only).then_some(StreamMessage::AgentRemoved { agent: agent.0 })
            }
            Update::Call(view) => match self.only {
                Some(me) if !view.agents.contains(&me) => {
                    self.own.remove(&view.call).then(|| StreamMessage::CallLeft { call: view.call.to_string() })
                }
                Some(_) => {
                    self.own.insert(view.call);
                    Some(StreamMessage::Call { call: CallNow::of(view, &self.state) })
                }
                None => Some(StreamMessage::Call { call: CallNow::of(view, &self.state) }),
            },
            Update::CallEnded { call, disposition } => {
                let told = self.own.remove(call) || self.only.is_none();
                told.then(|| StreamMessage::CallEnded { call: call.to_string(), disposition: disposition.as_str() })
            }
            Update::Node { node, up } => {
                let node = NodeNow { name: self.state.node_name(*node), connected: *up };
                self.only.is_none().then_some(StreamMessage::Node { node })
            }
            Update::Order { order, client, version, state } => {
                Some(StreamMessage::Order { order: *order, client: *client, version: *version, state: *state })
            }
            Update::Client { client, version } => Some(StreamMessage::Client { client: *client, version: *version }),
        }
    }

    async fn send(&mut self, message: &StreamMessage) -> Result<(), Gone> {
        match serde_json::to_string(message) {
            Ok(text) => self.raw(Message::Text(text.into())).await,
            Err(cause) => {
                tracing::error!(%cause, "a message for consoles cannot be written as JSON");
                Ok(())
            }
        }
    }

    async fn raw(&mut self, message: Message) -> Result<(), Gone> {
        match timeout(SEND, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone::Silent),
        }
    }
}
