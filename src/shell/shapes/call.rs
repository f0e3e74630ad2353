//! Calls as the journal has them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::shell::store::calls::CallRow;

use super::time;

/// A call in the journal.
#[derive(Serialize, ToSchema)]
pub(in crate::shell) struct LoggedCall {
    id: String,
    /// Name of the Asterisk that carried it; `null` where it is not known, as in webhooks.
    node: Option<String>,
    /// Canonical number; empty when hidden or erased.
    number: String,
    /// When the number was erased on the caller's request.
    erased_at: Option<DateTime<Utc>>,
    dialled: String,
    /// The fallback dialplan took it while no engine was there.
    by_fallback: bool,
    /// The office called.
    outgoing: bool,
    arrived_at: DateTime<Utc>,
    /// The queue entered last.
    queue: Option<String>,
    priority: i64,
    queued_at: Option<DateTime<Utc>>,
    bridged_at: Option<DateTime<Utc>>,
    /// `null` while the call is in progress.
    ended_at: Option<DateTime<Utc>>,
    /// Who talked last.
    agent: Option<u32>,
    agent_name: Option<String>,
    /// How it ended.
    disposition: Option<String>,
    /// Q.850 cause of the caller's channel.
    cause: Option<i64>,
    waited_ms: Option<u64>,
    talked_ms: Option<u64>,
}

impl LoggedCall {
    /// A call as the journal has it. `node` is the name of its Asterisk, where names are known.
    pub(in crate::shell) fn of(row: CallRow, node: Option<String>) -> LoggedCall {
        let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        LoggedCall {
            id: row.id.to_string(),
            node,
            number: row.number,
            erased_at: row.erased.map(time),
            dialled: row.dialled,
            by_fallback: row.by_fallback,
            outgoing: row.outgoing,
            arrived_at: time(row.arrived),
            queue: row.queue,
            priority: row.priority,
            queued_at: row.queued.map(time),
            bridged_at: row.bridged.map(time),
            ended_at: row.ended.map(time),
            agent: row.agent.map(|agent| agent.0),
            agent_name: row.agent_name,
            disposition: row.disposition,
            cause: row.cause,
            waited_ms: row.waited.map(millis),
            talked_ms: row.talked.map(millis),
        }
    }
}

/// What a webhook is told of a call.
#[derive(Serialize, ToSchema)]
pub(in crate::shell) struct CallNews {
    /// As the journal has it now.
    pub(in crate::shell) call: LoggedCall,
}
