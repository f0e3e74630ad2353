//! The WebSocket of a console: first the whole picture, then what changes. A console that does not keep up gets the
//! whole picture anew; one that does not read at all is closed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::response::Response;
use futures_util::SinkExt as _;
use serde::Serialize;
use tokio::time::{interval, timeout};
use utoipa::ToSchema;

use crate::domain::contact;
use crate::domain::ids::{ClientId, ContactId, OrderId};
use crate::domain::order;
use crate::engine::ids::AgentId;

use super::WebState;
use super::access::{Identity, same_origin, still_known};
use super::dto::{AgentNow, CallNow, QueueBoard, QueueCount};
use super::fanout::{Ear, Heard};
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
const STOPPING: &str = "the engine is being stopped";
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

    /// A place for one more, if this one does not hold too many.
    pub(super) fn place(state: &WebState, key: String) -> Option<Place> {
        state.streams.enter(&key).then(|| Place { state: state.clone(), key })
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
pub(super) struct Place {
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
    /// A callback was added or changed, or an attempt was made: `GET /callbacks/{id}` tells how it stands.
    Callback { callback: i64 },
    /// A contact was entered or changed: `GET /journal/{id}` tells how it stands.
    Contact { contact: ContactId, client: Option<ClientId>, version: u64, state: contact::State },
    /// You are to see to a contact (`open`), are reminded of it, or are not to any more.
    Notification { notification: i64, contact: ContactId, why: &'static str, open: bool },
}

/// An Asterisk.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NodeNow {
    pub(super) name: String,
    pub(super) connected: bool,
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
    let Some(place) = Streams::place(&state, key) else {
        return Err(Problem::too_many(
            5,
            format!("too many consoles at once: {PER_PERSON} for one person; close some"),
        ));
    };
    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let mut console = Console { state, identity, only, socket, heard: Instant::now(), told: 0 };
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
    heard: Instant,
    /// Messages sent: the number of the last one.
    told: u64,
}

/// What a console is told, with its number on this connection: 1, 2, 3, …. A number that is left out means that
/// something was lost on the way, and the console connects anew.
#[derive(Serialize, ToSchema)]
pub(super) struct Numbered<'a> {
    seq: u64,
    #[serde(flatten)]
    message: &'a StreamMessage,
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
        let mut ear = Ear::new(&self.state, self.only, self.identity.may_monitor(&self.state), self.identity.persons());
        self.snapshot().await?;
        self.flush().await?;
        let mut heartbeat = interval(HEARTBEAT);
        let cancel = self.state.cancel.clone();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Err(Gone::Ended(1001, STOPPING)),
                heard = ear.next() => {
                    let mut heard = Some(heard.ok_or(Gone::Ended(1001, STOPPING))?);
                    while let Some(one) = heard {
                        match one {
                            Heard::Message(told) => self.tell(&told).await?,
                            Heard::Missed => self.snapshot().await?,
                        }
                        heard = ear.next_now();
                    }
                    self.flush().await?;
                }
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(Gone::Silent),
                    Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {
                        self.heard = Instant::now();
                    }
                },
                _ = heartbeat.tick() => self.check().await?,
            }
        }
    }

    async fn snapshot(&mut self) -> Result<(), Gone> {
        let busy = |_| Gone::Ended(1013, "the engine does not answer; try again in a moment");
        let view = self.state.board.view(&self.state.requests, Duration::ZERO).await.map_err(busy)?;
        let calls = ask_calls(&self.state.requests).await.map_err(busy)?;
        let seen: Vec<_> = calls.iter().filter(|call| self.only.is_none_or(|me| call.agents.contains(&me))).collect();
        let nodes = self.state.phones.nodes().into_iter();
        let message = StreamMessage::Snapshot {
            queue: QueueBoard::of(&view, &self.state, self.only),
            calls: seen.into_iter().map(|call| CallNow::seen(call, &self.state, &self.identity)).collect(),
            nodes: nodes.map(|node| NodeNow { name: node.name, connected: node.up }).collect(),
        };
        self.send(&message).await
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
        self.raw(Message::Ping(axum::body::Bytes::new())).await?;
        self.flush().await
    }

    /// Tells what is written already, all but its number.
    async fn tell(&mut self, told: &str) -> Result<(), Gone> {
        self.told += 1;
        self.raw(Message::Text(format!("{{\"seq\":{},{told}", self.told).into())).await
    }

    async fn send(&mut self, message: &StreamMessage) -> Result<(), Gone> {
        self.told += 1;
        match serde_json::to_string(&Numbered { seq: self.told, message }) {
            Ok(text) => self.raw(Message::Text(text.into())).await,
            Err(cause) => {
                tracing::error!(%cause, "a message for consoles cannot be written as JSON");
                Ok(())
            }
        }
    }

    /// Sends when there is enough, or with [`flush`](Self::flush).
    async fn raw(&mut self, message: Message) -> Result<(), Gone> {
        taken(timeout(SEND, self.socket.feed(message)).await)
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        taken(timeout(SEND, self.socket.flush()).await)
    }
}

fn taken(sent: Result<Result<(), axum::Error>, tokio::time::error::Elapsed>) -> Result<(), Gone> {
    match sent {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone::Silent),
    }
}
