//! From the engine's facts to rows: which columns each fact makes known.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::engine::command::Fact;
use crate::engine::event::Actor;
use crate::engine::ids::{AgentId, CallId};
use crate::engine::time::Wall;
use crate::engine::view::Status;

use super::agents::status_words;
use super::callback_facts::CallbackChange;
use super::monitors::MonitorChange;
use super::table::{Row, Table, Value};

/// One thing that a fact changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// What became known of a row.
    Row(Row),
    /// Of this node's calls that had arrived by then, all others are lost.
    Alive(Alive),
    /// Of a callback.
    Callback(CallbackChange),
    /// Of who hears a talk.
    Monitor(MonitorChange),
}

/// The calls that live on a node at a moment.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Alive {
    pub(super) node: i64,
    pub(super) calls: Vec<i64>,
    pub(super) at: i64,
}

/// A change as a line of the spill file. Columns have their names there, so that a later version can read it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Row { table: Table, known: BTreeMap<String, Value> },
    Alive(Alive),
    Callback(CallbackChange),
    Monitor(MonitorChange),
}

/// A call's id as the database keeps it.
pub(super) fn call_key(call: CallId) -> i64 {
    call.0.cast_signed()
}

/// A call's id from the database.
pub(super) fn call_id(key: i64) -> CallId {
    CallId(key.cast_unsigned())
}

/// The moment of arrival that an id tells, for a call whose arrival is not written (yet).
pub(super) fn guessed_arrival(key: i64) -> i64 {
    (key.cast_unsigned() >> 20).cast_signed()
}

/// A span as the database keeps it.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Who did something, as two words: what kind, and which.
pub(super) fn actor_words(actor: &Actor) -> (&'static str, String) {
    match actor {
        Actor::Engine => ("engine", String::new()),
        Actor::Agent(agent) => ("agent", agent.0.to_string()),
        Actor::Person(login) => ("person", login.clone()),
        Actor::Program(name) => ("program", name.clone()),
    }
}

/// The number from its end, under which its last digits are found.
pub(super) fn reversed(number: &str) -> String {
    number.chars().rev().collect()
}

impl Change {
    /// Adds what this fact changes.
    pub(super) fn of(fact: &Fact, changes: &mut Vec<Change>) {
        let row = match fact {
            Fact::CallArrived { call, node, channel, recording, number, dialled, by_fallback, outgoing, at } => {
                call_row(*call)
                    .int("node", i64::from(node.0))
                    .text("channel", channel.as_str())
                    .text("recording", recording)
                    .text("number", &cut(number, 100))
                    .text("number_rev", &reversed(&cut(number, 100)))
                    .text("dialled", &cut(dialled, 100))
                    .int("by_fallback", i64::from(*by_fallback))
                    .int("outgoing", i64::from(*outgoing))
                    .int("arrived_at", at.0)
            }
            Fact::CallQueued { call, queue: _, queue_name, priority, at } => call_row(*call)
                .text("queue", queue_name)
                .int("priority", i64::from(*priority))
                .int("queued_at", at.0)
                .int("requeued_at", at.0),
            Fact::LegStarted { call, leg, channel, agent, number, at } => {
                let row = leg_row(*call, *leg).text("channel", channel.as_str()).int("started_at", at.0);
                let row = row.int("agent", agent.map(agent_key));
                number.iter().fold(row, |row, number| row.text("number", &cut(number, 100)))
            }
            Fact::LegAnswered { call, leg, at } => leg_row(*call, *leg).int("answered_at", at.0),
            Fact::LegEnded { call, leg, cause, at } => {
                leg_row(*call, *leg).int("cause", i64::from(*cause)).int("ended_at", at.0)
            }
            Fact::OfferMade { call, offer, agent, at } => {
                offer_row(*call, *offer).int("agent", agent_key(*agent)).int("made_at", at.0)
            }
            Fact::OfferRinging { call, offer, at } => offer_row(*call, *offer).int("ringing_at", at.0),
            Fact::OfferEnded { call, offer, outcome, at } => {
                offer_row(*call, *offer).text("outcome", outcome.as_str()).int("ended_at", at.0)
            }
            Fact::CallBridged { call, leg, agent, at } => {
                if agent.is_some() {
                    changes.push(Change::Row(leg_row(*call, *leg).int("talked_at", at.0)));
                }
                let row = call_row(*call).int("bridged_at", at.0);
                agent.iter().fold(row, |row, agent| row.int("agent", agent_key(*agent)).int("agent_at", at.0))
            }
            Fact::CallNoted { call, what, detail, by, at } => note_row(*call, what, detail, by, *at),
            Fact::CallEnded { call, disposition, cause, waited, talked, agent, at } => {
                let row = call_row(*call)
                    .text("disposition", disposition.as_str())
                    .int("cause", i64::from(*cause))
                    .int("waited_ms", millis(*waited))
                    .int("talked_ms", millis(*talked))
                    .int("ended_at", at.0);
                agent.iter().fold(row, |row, agent| row.int("agent", agent_key(*agent)).int("agent_at", at.0))
            }
            Fact::CallsAlive { node, calls, at } => {
                let calls = calls.iter().copied().map(call_key).collect();
                return changes.push(Change::Alive(Alive { node: i64::from(node.0), calls, at: at.0 }));
            }
            Fact::AttemptStarted { .. } | Fact::AttemptEnded { .. } | Fact::CallbackEnded { .. } => {
                return changes.extend(CallbackChange::of(fact).map(Change::Callback));
            }
            Fact::MonitorBegan { .. } | Fact::MonitorEnded { .. } => {
                return changes.extend(MonitorChange::of(fact).map(Change::Monitor));
            }
            Fact::AgentStatus { agent, status, by, at } => {
                changes.push(Change::Row(status_row(*agent, status, by, *at)));
                let (word, reason) = status_words(status);
                state_row(*agent).text("status", word).text("reason", &cut(reason, 200)).int("status_at", at.0)
            }
            Fact::WrapUp { call, leg, until } => leg_row(*call, *leg).int("wrapped_at", until.0),
            Fact::WaitTold { call, wait, at } => call_row(*call).int("told_ms", millis(*wait)).int("told_at", at.0),
            Fact::AgentIdle { agent, calls_taken, at } => {
                state_row(*agent).int("calls_taken", i64::from(*calls_taken)).int("idle_at", at.0)
            }
        };
        changes.push(Change::Row(row));
    }

    /// What this is about, for a log: no phone numbers.
    pub(super) fn subject(&self) -> String {
        match self {
            Change::Row(row) => match row.get("call") {
                Value::Int(call) => format!("{:?} of call {}", row.table, call_id(*call)),
                Value::Null | Value::Text(_) => format!("{:?} {:?}", row.table, row.key()),
            },
            Change::Alive(alive) => format!("calls alive on node {}", alive.node),
            Change::Callback(change) => format!("callback {}", change.callback()),
            Change::Monitor(change) => format!("who hears call {}", call_id(change.call())),
        }
    }

    /// As a line of the spill file, without the line's end.
    pub(super) fn line(&self) -> String {
        let line = match self {
            Change::Row(row) => Line::Row {
                table: row.table,
                known: row.known().map(|(name, value)| (name.to_owned(), value.clone())).collect(),
            },
            Change::Alive(alive) => Line::Alive(alive.clone()),
            Change::Callback(change) => Line::Callback(change.clone()),
            Change::Monitor(change) => Line::Monitor(change.clone()),
        };
        // Maps with text keys, numbers and text: there is nothing that JSON cannot hold.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads a line of the spill file.
    pub(super) fn parse(line: &str) -> Option<Change> {
        match serde_json::from_str(line).ok()? {
            Line::Row { table, known } => {
                let row = known.into_iter().try_fold(table.row(), |row, (name, value)| row.try_with(&name, value))?;
                (!row.key().contains(&Value::Null)).then_some(Change::Row(row))
            }
            Line::Alive(alive) => Some(Change::Alive(alive)),
            Line::Callback(change) => Some(Change::Callback(change)),
            Line::Monitor(change) => Some(Change::Monitor(change)),
        }
    }
}

/// A call's row with the arrival that the id tells, in case that the arrival comes late or never.
pub(super) fn call_row(call: CallId) -> Row {
    let key = call_key(call);
    Table::Calls.row().int("id", key).int("arrived_at", guessed_arrival(key))
}

fn leg_row(call: CallId, leg: u32) -> Row {
    Table::Legs.row().int("call", call_key(call)).int("leg", i64::from(leg))
}

fn offer_row(call: CallId, offer: u32) -> Row {
    Table::Offers.row().int("call", call_key(call)).int("offer", i64::from(offer))
}

fn state_row(agent: AgentId) -> Row {
    Table::AgentState.row().int("agent", agent_key(agent))
}

fn status_row(agent: AgentId, status: &Status, by: &Actor, at: Wall) -> Row {
    let (word, reason) = status_words(status);
    let (kind, name) = actor_words(by);
    Table::AgentStatusLog
        .row()
        .int("agent", agent_key(agent))
        .int("at", at.0)
        .text("status", word)
        .text("reason", &cut(reason, 200))
        .text("actor_kind", kind)
        .text("actor_name", &name)
}

fn note_row(call: CallId, what: &str, detail: &str, by: &Actor, at: Wall) -> Row {
    let (kind, name) = actor_words(by);
    let detail = cut(detail, 2000);
    // The same note written twice has the same key; two notes of one moment have not.
    let digest = Sha256::digest([what, &detail, kind, &name].join("\0"));
    let digest = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    Table::CallNotes
        .row()
        .int("call", call_key(call))
        .int("at", at.0)
        .int("digest", digest.cast_signed())
        .text("what", what)
        .text("detail", &detail)
        .text("actor_kind", kind)
        .text("actor_name", &name)
}

fn agent_key(agent: AgentId) -> i64 {
    i64::from(agent.0)
}

/// Text of people and networks has no bounds; rows have.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
