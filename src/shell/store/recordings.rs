//! Archived recordings, and those that should be there and are not.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::any::AnyRow;

use crate::engine::ids::{AgentId, CallId, NodeId};
use crate::engine::time::Wall;

use super::change::{call_id, call_key, call_row, millis};
use super::many::records;
use super::pauses::{self, Pause};
use super::table::{Table, Value, upsert};
use super::{Columns as _, Dialect, Result, Sql, Store, StoreError, Tx};

/// How a recording is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordingState {
    /// In the archive, whole.
    Stored,
    /// They talked, and there is no recording.
    Missing,
    /// In the archive, but one of the parties cannot be heard.
    Silent,
    /// In the archive, but shorter than the talk.
    Short,
    /// It could not be fetched or stored, or does not match its checksum any more.
    Failed,
    /// The sound was removed on the client's request.
    Erased,
}

impl RecordingState {
    /// All of them.
    pub const ALL: [RecordingState; 6] = [
        RecordingState::Stored,
        RecordingState::Missing,
        RecordingState::Silent,
        RecordingState::Short,
        RecordingState::Failed,
        RecordingState::Erased,
    ];

    /// The word that the database and the API use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RecordingState::Stored => "stored",
            RecordingState::Missing => "missing",
            RecordingState::Silent => "silent",
            RecordingState::Short => "short",
            RecordingState::Failed => "failed",
            RecordingState::Erased => "erased",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<RecordingState> {
        RecordingState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedFile {
    /// Under the archive's folder.
    pub path: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Length.
    pub duration: Duration,
    /// 2: left the caller, right the agent.
    pub channels: u16,
    /// Loudness of the left channel (RMS), of 32767.
    pub left_rms: u32,
    /// Loudness of the right channel (RMS), of 32767.
    pub right_rms: u32,
}

/// What became of a recording, to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecording {
    /// Of which call.
    pub call: CallId,
    /// On which Asterisk it was made.
    pub node: NodeId,
    /// Its name there, under the recording folder.
    pub name: String,
    /// The archived file, if there is one.
    pub file: Option<ArchivedFile>,
    /// How it is.
    pub state: RecordingState,
    /// What is wrong, for people; empty when nothing is.
    pub problem: String,
    /// Where nothing was kept.
    pub pauses: Vec<Pause>,
    /// When it was stored or given up.
    pub at: Wall,
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingRow {
    /// Number of the row.
    pub id: i64,
    /// Of which call.
    pub call: CallId,
    /// On which Asterisk it was made.
    pub node: NodeId,
    /// Its name there.
    pub name: String,
    /// The archived file, if there is one.
    pub file: Option<ArchivedFile>,
    /// How it is.
    pub state: RecordingState,
    /// What is wrong.
    pub problem: String,
    /// Where nothing was kept.
    pub pauses: Vec<Pause>,
    /// When the call arrived.
    pub started: Wall,
    /// When it was stored or given up.
    pub stored: Wall,
    /// The caller's canonical number; empty when hidden.
    pub number: String,
    /// Who talked last.
    pub agent: Option<AgentId>,
    /// That agent's name.
    pub agent_name: Option<String>,
}

pub(super) const SELECT: &str = "SELECT r.id, r.call, r.node, r.name, r.path, r.sha256, r.bytes, r.duration_ms, r.channels, \
     r.left_rms, r.right_rms, r.state, r.problem, r.pauses, r.started_at, r.stored_at, c.number, c.agent, a.name AS agent_name \
     FROM recordings r JOIN calls c ON c.id = r.call LEFT JOIN agents a ON a.id = c.agent WHERE 1 = 1";

impl Store {
    /// Saves what became of recordings, in one statement when their calls are known. After an error all of them may be
    /// saved again: one that is there is brought up to date, but an archived file is never forgotten because a later look
    /// found nothing any more.
    ///
    /// # Errors
    /// When the database does not answer or does not accept one of them.
    pub async fn save_recordings(&self, new: &[NewRecording]) -> Result<()> {
        // Nearly always the calls are known and nothing was erased.
        let saved = self.write_returning(insert(self.dialect(), new)?).await?;
        let saved =
            saved.iter().map(|row| Ok((row.int("node")?, row.text("name")?))).collect::<Result<BTreeSet<_>>>()?;
        for one in new.iter().filter(|one| !saved.contains(&(i64::from(one.node.0), one.name.clone()))) {
            self.save_recording(one.clone()).await?;
        }
        Ok(())
    }

    /// Saves what became of a recording; answers its number.
    ///
    /// # Errors
    /// As [`save_recordings`](Self::save_recordings).
    pub async fn save_recording(&self, new: NewRecording) -> Result<i64> {
        let mut tx = self.begin().await?;
        let id = tx.save_recording(&new).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// One recording.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_recording(&self, id: i64) -> Result<Option<RecordingRow>> {
        let row = self.row(Sql::new(format!("{SELECT} AND r.id = $1")).with(id)).await?;
        row.as_ref().map(recording).transpose()
    }

    /// The recordings of a call.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recordings_of(&self, call: CallId) -> Result<Vec<RecordingRow>> {
        let sql = Sql::new(format!("{SELECT} AND r.call = $1 ORDER BY r.id")).with(call_key(call));
        self.rows(sql).await?.iter().map(recording).collect()
    }

    /// Recordings with a file, by number, after this number: for checking the whole archive part by part.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recordings_for_verify(&self, after: i64, limit: u32) -> Result<Vec<RecordingRow>> {
        let sql = Sql::new(format!(
            "{SELECT} AND r.path IS NOT NULL AND r.state <> 'erased' AND r.id > $1 ORDER BY r.id LIMIT $2"
        ));
        self.rows(sql.with(after).with(i64::from(limit))).await?.iter().map(recording).collect()
    }

    /// Notes how an archived recording is now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such recording.
    pub async fn mark_recording(&self, id: i64, state: RecordingState, problem: &str) -> Result<()> {
        let sql = Sql::new("UPDATE recordings SET state = $1, problem = $2 WHERE id = $3")
            .with(state.as_str().to_owned())
            .with(problem.to_owned())
            .with(id);
        match self.execute(sql).await? {
            0 => Err(StoreError::NotFound("recording")),
            _ => Ok(()),
        }
    }
}

/// The name of a recording without the caller's number at its end: under this name it is still known when the number
/// was erased.
pub(super) fn nameless(name: &str) -> &str {
    name.rfind('_').and_then(|at| name.get(..=at)).unwrap_or(name)
}

/// Of a call that is known; not where the recording was erased, nor in place of a file that is there where there is none.
impl Tx {
    async fn save_recording(&mut self, new: &NewRecording) -> Result<i64> {
        if let Some(row) = self.rows(insert(self.1, std::slice::from_ref(new))?).await?.first() {
            return row.int("id");
        }
        // The call itself may still be on its way through the journal.
        self.execute(upsert(Table::Calls, &[call_row(new.call)], self.1)).await?;
        let erased = "SELECT id FROM recordings WHERE node = $1 AND name = $2 AND state = 'erased'";
        let erased = Sql::new(erased).with(i64::from(new.node.0)).with(nameless(&new.name).to_owned());
        if let Some(row) = self.row(erased).await? {
            // What was erased does not come back.
            return row.int("id");
        }
        if let Some(row) = self.rows(insert(self.1, std::slice::from_ref(new))?).await?.first() {
            return row.int("id");
        }
        // What is there is better, and was left.
        let sql = Sql::new("SELECT id FROM recordings WHERE node = $1 AND name = $2");
        let left = self.row(sql.with(i64::from(new.node.0)).with(new.name.clone())).await?;
        left.ok_or(StoreError::NotFound("recording"))?.int("id")
    }
}

/// Answers of those that were written number, node and name.
fn insert(dialect: Dialect, new: &[NewRecording]) -> Result<Sql> {
    let columns = "call, node, name, path, sha256, bytes, duration_ms, channels, left_rms, right_rms, state, problem, \
                   stored_at, pauses";
    // What was erased is known by its name without the digits at the end.
    let text = format!(
        "INSERT INTO recordings ({columns}, started_at) SELECT r.call, r.node, r.name, r.path, r.sha256, r.bytes, \
         r.duration_ms, r.channels, r.left_rms, r.right_rms, r.state, r.problem, r.stored_at, r.pauses, c.arrived_at \
         FROM {} JOIN calls c ON c.id = r.call WHERE NOT EXISTS (SELECT 1 FROM recordings e WHERE e.node = r.node \
         AND e.name IN (rtrim(r.name, '0123456789'), r.name) AND e.state = 'erased') \
         ON CONFLICT (node, name) DO UPDATE SET \
         path = excluded.path, sha256 = excluded.sha256, bytes = excluded.bytes, duration_ms = excluded.duration_ms, \
         channels = excluded.channels, left_rms = excluded.left_rms, right_rms = excluded.right_rms, \
         state = excluded.state, problem = excluded.problem, stored_at = excluded.stored_at, \
         pauses = excluded.pauses \
         WHERE excluded.path IS NOT NULL OR recordings.path IS NULL RETURNING id, node, name",
        records(dialect, "recordings", columns)
    );
    let rows = new.iter().map(values).collect::<Result<Vec<_>>>()?;
    Ok(Sql::new(text).with_records(columns, &rows))
}

fn values(new: &NewRecording) -> Result<[Value; 14]> {
    let file = new.file.as_ref();
    let number = |of: fn(&ArchivedFile) -> i64| file.map_or(Value::Null, |file| Value::Int(of(file)));
    let bytes = file.map(|file| i64::try_from(file.bytes)).transpose();
    let bytes = bytes.map_err(|_| StoreError::Invalid("a recording of that size".to_owned()))?;
    Ok([
        Value::Int(call_key(new.call)),
        Value::Int(i64::from(new.node.0)),
        Value::Text(new.name.clone()),
        file.map_or(Value::Null, |file| Value::Text(file.path.clone())),
        file.map_or(Value::Null, |file| Value::Text(file.sha256.clone())),
        bytes.map_or(Value::Null, Value::Int),
        number(|file| millis(file.duration)),
        number(|file| i64::from(file.channels)),
        number(|file| i64::from(file.left_rms)),
        number(|file| i64::from(file.right_rms)),
        Value::Text(new.state.as_str().to_owned()),
        Value::Text(new.problem.clone()),
        Value::Int(new.at.0),
        Value::Text(pauses::written(&new.pauses)),
    ])
}

pub(super) fn recording(row: &AnyRow) -> Result<RecordingRow> {
    let state = row.text("state")?;
    let state = RecordingState::parse(&state).ok_or_else(|| StoreError::Unreadable(format!("state {state:?}")))?;
    Ok(RecordingRow {
        id: row.int("id")?,
        call: call_id(row.int("call")?),
        node: NodeId(row.small("node")?),
        name: row.text("name")?,
        // The file of an erased one may still be there for a moment; nobody is to hear it any more.
        file: file(row)?.filter(|_| state != RecordingState::Erased),
        state,
        problem: row.text("problem")?,
        pauses: pauses::read(&row.text("pauses")?)?,
        started: Wall(row.int("started_at")?),
        stored: Wall(row.int("stored_at")?),
        number: row.text_opt("number")?.unwrap_or_default(),
        agent: row.small_opt("agent")?.map(AgentId),
        agent_name: row.text_opt("agent_name")?,
    })
}

fn file(row: &AnyRow) -> Result<Option<ArchivedFile>> {
    let Some(path) = row.text_opt("path")? else { return Ok(None) };
    Ok(Some(ArchivedFile {
        path,
        sha256: row.text("sha256")?,
        bytes: row.small("bytes")?,
        duration: Duration::from_millis(row.small("duration_ms")?),
        channels: row.small("channels")?,
        left_rms: row.small("left_rms")?,
        right_rms: row.small("right_rms")?,
    }))
}

#[cfg(test)]
pub(in crate::shell) mod tests {
    use super::super::recording_search::RecordingFilter;
    use super::super::testing::on_both;
    use super::*;

    pub(in crate::shell) fn stored(n: u64) -> NewRecording {
        NewRecording {
            call: CallId((1_000 + n) << 20),
            node: NodeId(0),
            name: format!("perezvon/{n}"),
            file: Some(ArchivedFile {
                path: format!("2026/11/17/{n}.wav"),
                sha256: "ab".repeat(32),
                bytes: 80_044,
                duration: Duration::from_secs(5),
                channels: 2,
                left_rms: 9_000,
                right_rms: 8_000,
            }),
            state: RecordingState::Stored,
            problem: String::new(),
            pauses: vec![Pause { from: Duration::from_millis(1_500), to: Duration::from_millis(2_250) }],
            at: Wall(2_000_000),
        }
    }

    #[tokio::test]
    async fn a_recording_is_read_back_as_saved_even_before_its_call_is_written() {
        on_both(async |t| {
            let id = t.store.save_recording(stored(1)).await.unwrap();
            let row = t.store.get_recording(id).await.unwrap().unwrap();
            assert_eq!((row.file, row.state, row.started), (stored(1).file, RecordingState::Stored, Wall(1_001)));
            assert_eq!(row.pauses, stored(1).pauses);
            assert_eq!(t.store.get_recording(id + 1).await.unwrap(), None);
            let detail = t.store.get_call(stored(1).call).await.unwrap().unwrap();
            assert_eq!(detail.recordings.len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn an_archived_file_is_not_forgotten_when_a_later_look_finds_nothing() {
        on_both(async |t| {
            let missing =
                |n| NewRecording { file: None, state: RecordingState::Missing, problem: "404".into(), ..stored(n) };
            let id = t.store.save_recording(stored(1)).await.unwrap();
            assert_eq!(t.store.save_recording(missing(1)).await.unwrap(), id);
            assert_eq!(t.store.get_recording(id).await.unwrap().unwrap().state, RecordingState::Stored);
            let other = t.store.save_recording(missing(2)).await.unwrap();
            assert_eq!(t.store.save_recording(stored(2)).await.unwrap(), other);
            assert_eq!(t.store.get_recording(other).await.unwrap().unwrap().file, stored(2).file);
        })
        .await;
    }

    #[tokio::test]
    async fn of_many_that_are_saved_at_once_each_is_treated_as_if_it_were_alone() {
        on_both(async |t| {
            let named = |n: u64| NewRecording { name: format!("perezvon/c.{n}/office-1.{n}_7900"), ..stored(n) };
            let missing = |n| NewRecording { file: None, state: RecordingState::Missing, ..named(n) };
            // One is archived, one was erased; of the others not even the calls are known.
            t.store.save_recordings(&[named(1)]).await.unwrap();
            let nameless = NewRecording { name: "perezvon/c.2/office-1.2_".into(), ..missing(2) };
            let erased = NewRecording { state: RecordingState::Erased, ..nameless };
            t.store.save_recording(erased.clone()).await.unwrap();
            for _ in 0..2 {
                t.store.save_recordings(&[missing(1), named(2), named(3), missing(4)]).await.unwrap();
                let mut rows = t.store.recordings_of(stored(1).call).await.unwrap();
                for n in 2..5 {
                    rows.extend(t.store.recordings_of(stored(n).call).await.unwrap());
                }
                let found: Vec<_> = rows.iter().map(|row| (row.name.clone(), row.state, row.file.clone())).collect();
                let expected =
                    [named(1), erased.clone(), named(3), missing(4)].map(|one| (one.name, one.state, one.file));
                assert_eq!(found, expected);
            }
        })
        .await;
    }

    #[tokio::test]
    async fn recordings_are_listed_by_state_and_time_and_walked_for_verification() {
        on_both(async |t| {
            for n in 0..10 {
                t.store.save_recording(stored(n)).await.unwrap();
            }
            let silent = NewRecording { state: RecordingState::Silent, problem: "right".into(), ..stored(4) };
            let id = t.store.save_recording(silent).await.unwrap();
            let filter = RecordingFilter { state: Some(RecordingState::Silent), ..RecordingFilter::default() };
            let page = t.store.list_recordings(&filter, None, 5).await.unwrap();
            assert_eq!((page.items.len(), page.items[0].id, page.next), (1, id, None));
            let filter =
                RecordingFilter { from: Some(Wall(1_003)), to: Some(Wall(1_007)), ..RecordingFilter::default() };
            let first = t.store.list_recordings(&filter, None, 3).await.unwrap();
            let second = t.store.list_recordings(&filter, first.next.as_deref(), 3).await.unwrap();
            let started: Vec<_> = first.items.iter().chain(&second.items).map(|row| row.started.0).collect();
            assert_eq!((started, second.next), (vec![1_006, 1_005, 1_004, 1_003], None));
            let walked = t.store.recordings_for_verify(id, 3).await.unwrap();
            assert!(walked.len() == 3 && walked.iter().all(|row| row.id > id));
            t.store.mark_recording(id, RecordingState::Failed, "checksum").await.unwrap();
            assert_eq!(t.store.get_recording(id).await.unwrap().unwrap().problem, "checksum");
        })
        .await;
    }
}
