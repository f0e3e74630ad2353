//! What the archive of recordings asks of the journal.

use std::time::Duration;

use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;

use super::change::call_id;
use super::recordings::{NewRecording, RecordingRow};
use super::{Columns as _, Result, Sql, Store};

/// A call that was recorded under a certain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    /// Which call.
    pub call: CallId,
    /// It is over.
    pub ended: bool,
    /// Time in talks, when it is known.
    pub talked: Option<Duration>,
}

impl Store {
    /// The calls recorded under this name, first to last.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn calls_by_recording(&self, node: NodeId, name: &str) -> Result<Vec<RecordedCall>> {
        let sql = Sql::new("SELECT id, ended_at, talked_ms FROM calls WHERE recording = $1 AND node = $2 ORDER BY id")
            .with(name.to_owned())
            .with(i64::from(node.0));
        let rows = self.rows(sql).await?;
        let calls = rows.iter().map(|row| {
            let talked = row.small_opt("talked_ms")?.map(Duration::from_millis);
            let ended = row.int_opt("ended_at")?.is_some();
            Ok(RecordedCall { call: call_id(row.int("id")?), ended, talked })
        });
        calls.collect()
    }

    /// What is written of the recording of this name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recording_by_name(&self, node: NodeId, name: &str) -> Result<Option<NewRecording>> {
        let sql = Sql::new("SELECT id FROM recordings WHERE node = $1 AND name = $2")
            .with(i64::from(node.0))
            .with(name.to_owned());
        let Some(row) = self.row(sql).await? else { return Ok(None) };
        let found = self.get_recording(row.int("id")?).await?;
        Ok(found.map(|row| {
            let RecordingRow { call, node, name, file, state, problem, stored, .. } = row;
            NewRecording { call, node, name, file, state, problem, at: stored }
        }))
    }

    /// Calls of this Asterisk that arrived since then, talked and ended, and of whose recording nothing is written,
    /// not even that it is missing: the call, the recording's name, the time in talks.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unrecorded_calls(
        &self,
        node: NodeId,
        since: Wall,
        limit: u32,
    ) -> Result<Vec<(CallId, String, Duration)>> {
        let sql = Sql::new(
            "SELECT c.id, c.recording, c.talked_ms FROM calls c WHERE c.arrived_at >= $1 AND c.node = $2 \
             AND c.ended_at IS NOT NULL AND c.talked_ms > 0 AND c.recording IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM recordings r WHERE r.node = c.node AND r.name = c.recording) ORDER BY c.arrived_at LIMIT $3",
        );
        let rows = self.rows(sql.with(since.0).with(i64::from(node.0)).with(i64::from(limit))).await?;
        let calls = rows.iter().map(|row| {
            let talked = Duration::from_millis(row.small("talked_ms")?);
            Ok((call_id(row.int("id")?), row.text("recording")?, talked))
        });
        calls.collect()
    }
}
