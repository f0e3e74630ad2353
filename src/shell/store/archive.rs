//! What the archive of recordings asks of the journal.

use std::time::Duration;

use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;

use super::change::{call_id, millis};
use super::recordings::{NewRecording, RecordingRow, nameless};
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
        let sql =
            Sql::new("SELECT id, ended_at, talked_ms FROM calls WHERE recording IN ($1, $3) AND node = $2 ORDER BY id")
                .with(name.to_owned())
                .with(i64::from(node.0))
                .with(nameless(name).to_owned());
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
        let sql = Sql::new("SELECT id FROM recordings WHERE node = $1 AND name IN ($2, $3)")
            .with(i64::from(node.0))
            .with(name.to_owned())
            .with(nameless(name).to_owned());
        let Some(row) = self.row(sql).await? else { return Ok(None) };
        let found = self.get_recording(row.int("id")?).await?;
        Ok(found.map(|row| {
            let RecordingRow { call, node, name, file, state, problem, pauses, stored, .. } = row;
            NewRecording { call, node, name, file, state, problem, pauses, at: stored }
        }))
    }

    /// Calls of this Asterisk that arrived since then, talked for so long at least and ended, and of whose recording
    /// nothing is written, not even that it is missing: the call, the recording's name, the time in talks.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unrecorded_calls(
        &self,
        node: NodeId,
        since: Wall,
        least: Duration,
        limit: u32,
    ) -> Result<Vec<(CallId, String, Duration)>> {
        let sql = Sql::new(
            "SELECT c.id, c.recording, c.talked_ms FROM calls c WHERE c.arrived_at >= $1 AND c.node = $2 \
             AND c.ended_at IS NOT NULL AND c.talked_ms >= $3 AND c.recording IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM recordings r WHERE r.node = c.node AND r.name = c.recording) ORDER BY c.arrived_at LIMIT $4",
        );
        let rows =
            self.rows(sql.with(since.0).with(i64::from(node.0)).with(millis(least)).with(i64::from(limit))).await?;
        let calls = rows.iter().map(|row| {
            let talked = Duration::from_millis(row.small("talked_ms")?);
            Ok((call_id(row.int("id")?), row.text("recording")?, talked))
        });
        calls.collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::command::Fact;
    use crate::engine::view::Disposition;
    use crate::shell::store::recordings::RecordingState;

    use super::super::testing::on_both;
    use super::*;

    const NODE: NodeId = NodeId(1);
    const LEAST: Duration = Duration::from_millis(1);

    fn id(n: u64) -> CallId {
        CallId((1_700_000_000_000 + n) << 20)
    }

    fn arrived(n: u64, recording: &str) -> Fact {
        Fact::CallArrived {
            call: id(n),
            node: NODE,
            channel: "c".into(),
            recording: recording.to_owned(),
            number: String::new(),
            dialled: "100".into(),
            by_fallback: false,
            outgoing: false,
            at: Wall(1_700_000_000_000 + i64::try_from(n).unwrap()),
        }
    }

    fn ended(n: u64, talked: u64) -> Fact {
        Fact::CallEnded {
            call: id(n),
            disposition: Disposition::CompleteCaller,
            cause: 16,
            waited: Duration::ZERO,
            talked: Duration::from_secs(talked),
            agent: None,
            at: Wall(1_700_000_900_000),
        }
    }

    fn written(n: u64, name: &str) -> NewRecording {
        NewRecording {
            call: id(n),
            node: NODE,
            name: name.to_owned(),
            file: None,
            state: RecordingState::Missing,
            problem: "gone".to_owned(),
            pauses: Vec::new(),
            at: Wall(1_700_001_000_000),
        }
    }

    #[tokio::test]
    async fn every_call_of_a_recording_is_found_with_what_is_known_of_it() {
        on_both(async |t| {
            let facts = [arrived(1, "perezvon/a"), ended(1, 3), arrived(2, "perezvon/a"), arrived(3, "perezvon/b")];
            assert_eq!(t.store.write_facts(&facts).await.unwrap(), []);
            let first = RecordedCall { call: id(1), ended: true, talked: Some(Duration::from_secs(3)) };
            let second = RecordedCall { call: id(2), ended: false, talked: None };
            assert_eq!(t.store.calls_by_recording(NODE, "perezvon/a").await.unwrap(), [first, second]);
            assert_eq!(t.store.calls_by_recording(NodeId(0), "perezvon/a").await.unwrap(), []);
        })
        .await;
    }

    #[tokio::test]
    async fn a_recording_is_found_by_its_name() {
        on_both(async |t| {
            t.store.save_recording(written(1, "perezvon/a")).await.unwrap();
            let found = t.store.recording_by_name(NODE, "perezvon/a").await.unwrap();
            assert_eq!(found, Some(written(1, "perezvon/a")));
            assert_eq!(t.store.recording_by_name(NODE, "perezvon/b").await.unwrap(), None);
        })
        .await;
    }

    #[tokio::test]
    async fn calls_that_talked_and_of_whose_recording_nothing_is_written_are_found() {
        on_both(async |t| {
            let calls = [(1, "a", 3), (2, "b", 0), (3, "c", 5), (4, "c", 6), (5, "d", 7)];
            let facts = calls.iter().flat_map(|(n, name, talked)| [arrived(*n, name), ended(*n, *talked)]);
            let facts: Vec<_> = facts.chain([arrived(6, "open")]).collect();
            assert_eq!(t.store.write_facts(&facts).await.unwrap(), []);
            // Written under the second call of the same name: enough for both.
            t.store.save_recording(written(4, "c")).await.unwrap();
            let found = t.store.unrecorded_calls(NODE, Wall(0), LEAST, 10).await.unwrap();
            let talk = |n, name: &str, talked| (id(n), name.to_owned(), Duration::from_secs(talked));
            assert_eq!(found, [talk(1, "a", 3), talk(5, "d", 7)]);
            assert_eq!(t.store.unrecorded_calls(NODE, Wall(0), LEAST, 1).await.unwrap().len(), 1);
            assert_eq!(t.store.unrecorded_calls(NODE, Wall(1_700_000_000_004), LEAST, 10).await.unwrap().len(), 1);
            assert!(t.store.unrecorded_calls(NodeId(0), Wall(0), LEAST, 10).await.unwrap().is_empty());
        })
        .await;
    }
}
