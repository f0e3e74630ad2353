//! What outside programs are told of calls: found in the journal's changes and put into the outbox by the transaction
//! that writes them. A change that is written twice (read back after a crash) is the same message by its id.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value as Json, json};

use crate::engine::time::Wall;

use super::change::{Change, call_id};
use super::outbox::Message;
use super::table::{Row, Table, Value};
use super::{Columns as _, Result, Sql, Tx};

/// Something that happened to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) call: i64,
    /// `arrived`, `queued`, `answered` or `ended`.
    pub(super) what: &'static str,
    pub(super) at: i64,
}

impl Moment {
    /// What these changes tell, in their order.
    pub(super) fn of(changes: &[Change]) -> Vec<Moment> {
        let rows = changes.iter().filter_map(|change| match change {
            Change::Row(row) if row.table == Table::Calls => Some(row),
            Change::Row(_) | Change::Alive(_) => None,
        });
        rows.filter_map(Moment::of_row).collect()
    }

    /// One fact makes one row, and each kind of fact makes columns known that no other does.
    fn of_row(row: &Row) -> Option<Moment> {
        let Value::Int(call) = row.get("id") else { return None };
        let told = [
            ("disposition", "ended", "ended_at"),
            ("bridged_at", "answered", "bridged_at"),
            ("queued_at", "queued", "queued_at"),
            ("channel", "arrived", "arrived_at"),
        ];
        told.into_iter().find_map(|(column, what, at)| match (row.get(column), row.get(at)) {
            (Value::Null, _) => None,
            (Value::Int(_) | Value::Text(_), Value::Int(at)) => Some(Moment { call: *call, what, at: *at }),
            (Value::Int(_) | Value::Text(_), Value::Null | Value::Text(_)) => None,
        })
    }
}

impl Tx {
    /// Puts messages about these moments into the outbox, if anybody wants any. The calls' rows are written already.
    pub(super) async fn tell_of_calls(&mut self, moments: &[Moment]) -> Result<()> {
        if moments.is_empty() || !self.somebody_wants_calls().await? {
            return Ok(());
        }
        let mut calls: BTreeMap<i64, Json> = BTreeMap::new();
        for moment in moments {
            let call = match calls.get(&moment.call) {
                Some(call) => call.clone(),
                None => {
                    let call = self.shown_call(moment.call).await?;
                    calls.insert(moment.call, call.clone());
                    call
                }
            };
            let id = call_id(moment.call);
            let message = Message {
                id: format!("call-{id}-{}-{}", moment.what, moment.at),
                lane: format!("call:{id}"),
                event: format!("call.{}", moment.what),
                at: Wall(moment.at),
                data: json!({ "call": call }),
            };
            self.enqueue(&message).await?;
        }
        Ok(())
    }

    async fn somebody_wants_calls(&mut self) -> Result<bool> {
        let sql = Sql::new(
            "SELECT w.endpoint FROM webhook_events w JOIN webhook_endpoints e ON e.id = w.endpoint \
             WHERE e.disabled = 0 AND (w.event = '*' OR w.event LIKE 'call.%') LIMIT 1",
        );
        Ok(!self.rows(sql).await?.is_empty())
    }

    /// The call as it stands now, under the names of `GET /calls/{id}`.
    async fn shown_call(&mut self, key: i64) -> Result<Json> {
        let sql = Sql::new(
            "SELECT number, dialled, by_fallback, arrived_at, queue, queued_at, bridged_at, ended_at, agent, \
             disposition, waited_ms, talked_ms FROM calls WHERE id = $1",
        );
        let rows = self.rows(sql.with(key)).await?;
        let id = call_id(key).to_string();
        let Some(row) = rows.first() else { return Ok(json!({ "id": id })) };
        let time = |column: &str| -> Result<Option<String>> {
            let at = row.int_opt(column)?.and_then(DateTime::from_timestamp_millis);
            Ok(at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)))
        };
        Ok(json!({
            "id": id,
            "number": row.text_opt("number")?.unwrap_or_default(),
            "dialled": row.text_opt("dialled")?.unwrap_or_default(),
            "by_fallback": row.flag("by_fallback")?,
            "arrived_at": time("arrived_at")?,
            "queue": row.text_opt("queue")?,
            "queued_at": time("queued_at")?,
            "bridged_at": time("bridged_at")?,
            "ended_at": time("ended_at")?,
            "agent": row.int_opt("agent")?,
            "disposition": row.text_opt("disposition")?,
            "waited_ms": row.int_opt("waited_ms")?,
            "talked_ms": row.int_opt("talked_ms")?,
        }))
    }
}
