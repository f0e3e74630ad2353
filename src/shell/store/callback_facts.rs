//! What the engine's facts of callbacks change in their rows. Written twice, or late, they change nothing more.

use std::collections::BTreeSet;

use crate::engine::callback::attempt::Outcome;
use crate::engine::command::Fact;
use crate::engine::ids::{CallId, CallbackId};
use crate::engine::time::Wall;
use crate::engine::view::Disposition;

use super::change::{Change, call_key};
use super::table::{Table, Value};
use super::{Columns as _, Result, Sql, Tx, many};

/// A change of a callback. Columns have their names in the spill file, so that a later version can read it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CallbackChange {
    /// An attempt began.
    Started { callback: i64, attempt: i64, at: i64 },
    /// An attempt is over.
    Ended { callback: i64, attempt: i64, outcome: String, cause: i64, attempts: i64, due: i64, at: i64 },
    /// The callback is over.
    Over { callback: i64, end: String, at: i64 },
}

impl CallbackChange {
    /// What a fact changes; none for facts of other things.
    pub(super) fn of(fact: &Fact) -> Option<CallbackChange> {
        let keys = |callback: &CallbackId, attempt: &CallId, at: &Wall| (callback.0, call_key(*attempt), at.0);
        match fact {
            Fact::AttemptStarted { callback, attempt, at } => {
                let (callback, attempt, at) = keys(callback, attempt, at);
                Some(CallbackChange::Started { callback, attempt, at })
            }
            Fact::AttemptEnded { callback, attempt, about: _, outcome, cause, attempts, due, at } => {
                let (callback, attempt, at) = keys(callback, attempt, at);
                Some(CallbackChange::Ended {
                    callback,
                    attempt,
                    outcome: Outcome::as_str(*outcome).to_owned(),
                    cause: i64::from(*cause),
                    attempts: i64::from(*attempts),
                    due: due.0,
                    at,
                })
            }
            Fact::CallbackEnded { callback, end, at, .. } => {
                Some(CallbackChange::Over { callback: callback.0, end: end.as_str().to_owned(), at: at.0 })
            }
            _ => None,
        }
    }

    /// For a log.
    pub(super) fn callback(&self) -> i64 {
        match self {
            CallbackChange::Started { callback, .. }
            | CallbackChange::Ended { callback, .. }
            | CallbackChange::Over { callback, .. } => *callback,
        }
    }
}

/// From the moment at which a caller hung up to the first attempt to call back.
const LOST_PAUSE_MS: i64 = 60_000;
/// Numbers in one statement.
const NUMBERS_AT_ONCE: usize = 500;

/// What the facts of calls changed of callbacks.
pub(super) struct Noted {
    /// New pending ones, of which the engine must be told.
    pub(super) lost: Vec<CallbackId>,
    /// Others that are new or closed.
    pub(super) shown: BTreeSet<CallbackId>,
}

impl Tx {
    /// Callers who hung up while waiting become callbacks: pending ones where the office wants that (`by_itself`), else
    /// for the agents alone. Who rings in again, or was reached, is not lost any more.
    pub(super) async fn note_lost(&mut self, changes: &[Change], by_itself: bool) -> Result<Noted> {
        let (mut back, mut joined, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        let mut shown = BTreeSet::new();
        for change in changes {
            let Change::Row(row) = change else { continue };
            if row.table != Table::Calls {
                continue;
            }
            if let (Value::Text(number), Value::Int(0), Value::Int(at)) =
                (row.get("number"), row.get("outgoing"), row.get("arrived_at"))
                && !number.is_empty()
            {
                back.push((number.clone(), *at));
            }
            if let (Value::Int(id), Value::Int(_)) = (row.get("id"), row.get("bridged_at")) {
                joined.push(*id);
            }
            if let (Value::Text(end), Value::Int(id)) = (row.get("disposition"), row.get("id"))
                && end == Disposition::Abandon.as_str()
            {
                lost.push(*id);
            }
        }
        for calls in joined.chunks(NUMBERS_AT_ONCE) {
            back.extend(self.reached_by(calls).await?);
        }
        for numbers in back.chunks(NUMBERS_AT_ONCE) {
            shown.extend(self.close_lost_callers(numbers).await?);
        }
        let mut new = Vec::new();
        for call in lost {
            new.extend(self.add_lost(call, by_itself).await?);
        }
        if by_itself {
            return Ok(Noted { lost: new, shown });
        }
        shown.extend(new);
        Ok(Noted { lost: Vec::new(), shown })
    }

    /// Whom the office called by these calls, in which the client is talked with, and since when.
    async fn reached_by(&mut self, calls: &[i64]) -> Result<Vec<(String, i64)>> {
        let text = format!(
            "SELECT number, bridged_at FROM calls WHERE outgoing = 1 AND number <> '' AND bridged_at IS NOT NULL \
             AND id IN {}",
            many::numbers(self.1)
        );
        let rows = self.rows(Sql::new(text).with_json(calls)).await?;
        rows.iter().map(|row| Ok((row.text("number")?, row.int("bridged_at")?))).collect()
    }

    /// These numbers rang in, or were reached, at these moments; with them all numbers of the same clients. Answers what
    /// was closed.
    async fn close_lost_callers(&mut self, numbers: &[(String, i64)]) -> Result<Vec<CallbackId>> {
        let Some(latest) = numbers.iter().map(|(_, at)| *at).max() else { return Ok(Vec::new()) };
        let names: Vec<&str> = numbers.iter().map(|(number, _)| number.as_str()).collect();
        let lost = "SELECT id FROM callbacks WHERE kind = 'lost' AND closed_at IS NULL";
        let named = many::texts(self.1);
        let text = format!(
            "UPDATE callbacks SET state = CASE WHEN state = 'listed' THEN 'superseded' ELSE state END, \
             ended_at = COALESCE(ended_at, $2), closed_at = $2, closed_by = '' \
             WHERE state IN ('listed', 'exhausted') AND created_at < $2 AND id IN ({lost} AND number IN {named} UNION \
             {lost} AND client IN (SELECT client FROM client_phones WHERE until IS NULL AND number IN {named})) \
             RETURNING id"
        );
        let sql = Sql::new(text).with_json(&names).with(latest);
        self.rows(sql).await?.iter().map(|row| row.int("id").map(CallbackId)).collect()
    }

    /// The caller of this call waited, and hung up. Nothing is added where the number is hidden, or is on the list.
    async fn add_lost(&mut self, call: i64, by_itself: bool) -> Result<Option<CallbackId>> {
        let sql = Sql::new(
            "INSERT INTO callbacks (kind, client, number, words, by_sms, lost_call, author, state, attempts, due_at, \
             created_at, settled) SELECT 'lost', (SELECT client FROM client_phones WHERE number = c.number \
             AND until IS NULL), c.number, '', 0, c.id, '', $2, 0, c.ended_at + $3, c.ended_at, 0 FROM calls c \
             WHERE c.id = $1 AND c.number <> '' AND c.queued_at IS NOT NULL AND c.ended_at IS NOT NULL \
             AND c.disposition = 'ABANDON' AND NOT EXISTS (SELECT 1 FROM callbacks b WHERE b.number = c.number \
             AND ((b.kind = 'lost' AND b.closed_at IS NULL AND b.state IN ('pending', 'listed')) \
             OR (b.kind = 'place' AND b.state = 'pending'))) \
             ON CONFLICT DO NOTHING RETURNING id",
        )
        .with(call)
        .with(if by_itself { "pending" } else { "listed" }.to_owned())
        .with(LOST_PAUSE_MS);
        self.row(sql).await?.map(|row| row.int("id").map(CallbackId)).transpose()
    }

    /// Writes one; answers whether something is to be settled after it. What changed is added to `shown`.
    pub(super) async fn write_callback(
        &mut self,
        change: &CallbackChange,
        shown: &mut BTreeSet<CallbackId>,
    ) -> Result<bool> {
        shown.insert(CallbackId(change.callback()));
        match change {
            CallbackChange::Started { callback, attempt, at } => {
                let sql = "INSERT INTO callback_attempts (id, callback, started_at) SELECT $1, $2, $3 \
                           WHERE EXISTS (SELECT 1 FROM callbacks WHERE id = $2) ON CONFLICT (id) DO NOTHING";
                self.execute(Sql::new(sql).with(*attempt).with(*callback).with(*at)).await?;
                let sql = "UPDATE callbacks SET attempt = $1 WHERE id = $2 AND state = 'pending' AND EXISTS \
                           (SELECT 1 FROM callback_attempts WHERE id = $1 AND ended_at IS NULL)";
                self.execute(Sql::new(sql).with(*attempt).with(*callback)).await?;
                Ok(false)
            }
            CallbackChange::Ended { callback, attempt, outcome, cause, attempts, due, at } => {
                // It may have been handed on to something newer while it was ringing.
                let sql = "UPDATE callback_attempts SET callback = $2, ended_at = $3, outcome = $4, cause = $5 \
                           WHERE id = $1 AND ended_at IS NULL";
                let sql = Sql::new(sql).with(*attempt).with(*callback).with(*at).with(outcome.clone()).with(*cause);
                if self.execute(sql).await? == 0 {
                    return Ok(false);
                }
                let sql = "UPDATE callbacks SET attempt = NULL, outcome = $2 WHERE id = $1";
                self.execute(Sql::new(sql).with(*callback).with(outcome.clone())).await?;
                let sql = "UPDATE callbacks SET attempts = $2, due_at = $3 \
                           WHERE id = $1 AND state IN ('pending', 'exhausted', 'delivered') AND attempts <= $2";
                self.execute(Sql::new(sql).with(*callback).with(*attempts).with(*due)).await?;
                Ok(false)
            }
            CallbackChange::Over { callback, end, at } => {
                // What the client did in the call, such as to have a car looked for again, may have outdated it first: heard is
                // heard.
                let sql = "UPDATE callbacks SET state = $2, ended_at = $3 WHERE id = $1 AND (state = 'pending' \
                           OR ($2 = 'delivered' AND state IN ('superseded', 'cancelled')))";
                let done = self.execute(Sql::new(sql).with(*callback).with(end.clone()).with(*at)).await?;
                if end == "delivered" {
                    let sql = "SELECT number FROM callbacks WHERE id = $1 AND number <> ''";
                    let reached = self.row(Sql::new(sql).with(*callback)).await?;
                    if let Some(row) = reached {
                        shown.extend(self.close_lost_callers(&[(row.text("number")?, *at)]).await?);
                    }
                }
                Ok(done > 0 && end == "exhausted")
            }
        }
    }
}
