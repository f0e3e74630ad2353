//! What outside programs are told of calls: found in the journal's changes and put into the outbox by the transaction
//! that writes them. A change that is written twice (read back after a crash) is the same message by its id.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::engine::time::Wall;
use crate::shell::shapes::call::{CallNews, LoggedCall};

use super::calls::{SELECT, call as call_row};
use super::change::{Change, call_id};
use super::outbox::Message;
use super::table::{Row, Table, Value};
use super::{Result, Sql, StoreError, Tx};

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
            Change::Row(_) | Change::Alive(_) | Change::Callback(_) | Change::Monitor(_) => None,
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
            if call.is_null() {
                continue;
            }
            let id = call_id(moment.call);
            let message = Message {
                id: format!("call-{id}-{}-{}", moment.what, moment.at),
                lane: format!("call:{id}"),
                event: format!("call.{}", moment.what),
                at: Wall(moment.at),
                data: call,
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

    /// The call as it stands now, in the shape of `GET /calls/{id}`; `null` when it has no row.
    async fn shown_call(&mut self, key: i64) -> Result<Json> {
        let row = self.row(Sql::new(format!("{SELECT} AND c.id = $1")).with(key)).await?;
        let Some(row) = row else { return Ok(Json::Null) };
        let news = CallNews { call: LoggedCall::of(call_row(&row)?, None) };
        serde_json::to_value(news).map_err(|error| StoreError::Unreadable(error.to_string()))
    }
}
