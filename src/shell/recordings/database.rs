//! The real database, and the journal in front of it.

use std::time::Duration;

use super::ledger::{JournalCall, Ledger, LedgerError, Stored, Unrecorded};
use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;
use crate::shell::store::calls::FallbackCall;
use crate::shell::store::journal::JournalHandle;
use crate::shell::store::pauses::CallPauses;
use crate::shell::store::recordings::{NewRecording, RecordingState};
use crate::shell::store::{Store, StoreError};

/// Calls without a recording looked for at once; the next sweep finds more.
const MOST_UNRECORDED: u32 = 1_000;
/// The journal is a moment behind the engine; when it is further behind, the archive comes back later.
const CATCH_UP: Duration = Duration::from_secs(2);

/// Store and journal as the archive needs them.
#[derive(Clone)]
pub struct Books {
    store: Store,
    journal: Option<JournalHandle>,
}

impl Books {
    /// While the engine runs.
    #[must_use]
    pub fn new(store: Store, journal: JournalHandle) -> Books {
        Books { store, journal: Some(journal) }
    }

    /// For the command line: nothing is being written.
    #[must_use]
    pub fn closed(store: Store) -> Books {
        Books { store, journal: None }
    }
}

impl Ledger for Books {
    async fn caught_up(&self) -> bool {
        match &self.journal {
            // Its backlog is hardly ever empty in a busy office: what counts is what was said before now.
            Some(journal) => journal.flush(CATCH_UP).await,
            None => true,
        }
    }

    async fn entry(&self, node: NodeId, name: &str) -> Result<Option<NewRecording>, LedgerError> {
        Ok(self.store.recording_by_name(node, name).await?)
    }

    async fn call_of(&self, node: NodeId, name: &str) -> Result<Option<JournalCall>, LedgerError> {
        let calls = self.store.calls_by_recording(node, name).await?;
        // A caller who came back from the fallback dialplan is a second call on the same channel, recorded in the
        // same file: it belongs to the last one that talked.
        let talked = |call: &&crate::shell::store::archive::RecordedCall| call.talked.is_none_or(|t| !t.is_zero());
        let Some(last) = calls.iter().rev().find(talked).or(calls.last()) else { return Ok(None) };
        let ended = calls.iter().all(|call| call.ended);
        let talked = calls.iter().map(|call| call.talked).sum();
        Ok(Some(JournalCall { call: last.call, ended, talked }))
    }

    async fn pauses(&self, node: NodeId, name: &str) -> Result<Vec<CallPauses>, LedgerError> {
        Ok(self.store.pauses_of(node, name).await?)
    }

    async fn unrecorded(&self, node: NodeId, since: Wall, least: Duration) -> Result<Vec<Unrecorded>, LedgerError> {
        let calls = self.store.unrecorded_calls(node, since, least, MOST_UNRECORDED).await?;
        Ok(calls.into_iter().map(|(call, name, talked)| Unrecorded { call, name, talked }).collect())
    }

    async fn save(&self, entries: &[NewRecording]) -> Result<(), LedgerError> {
        Ok(self.store.save_recordings(entries).await?)
    }

    async fn add_fallback_call(&self, call: &FallbackCall) -> Result<CallId, LedgerError> {
        Ok(self.store.add_fallback_call(call).await?)
    }

    async fn stored_after(&self, key: i64, most: u32) -> Result<Vec<Stored>, LedgerError> {
        let rows = self.store.recordings_for_verify(key, most).await?;
        let files = rows.into_iter().filter_map(|row| {
            let file = row.file?;
            let failed = row.state == RecordingState::Failed;
            Some(Stored {
                key: row.id,
                call: row.call,
                failed,
                path: file.path,
                sha256: file.sha256,
                bytes: file.bytes,
            })
        });
        Ok(files.collect())
    }
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => LedgerError::Away(error.to_string()),
            StoreError::BadUrl { .. }
            | StoreError::Open { .. }
            | StoreError::Migrate { .. }
            | StoreError::Taken(_)
            | StoreError::NoSuch(_)
            | StoreError::NotFound(_)
            | StoreError::Invalid(_)
            | StoreError::Stale { .. }
            | StoreError::BadCursor
            | StoreError::Unreadable(_)
            | StoreError::Failed(_) => LedgerError::Refused(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::command::Fact;
    use crate::engine::view::Disposition;

    const NODE: NodeId = NodeId(0);
    const NAME: &str = "perezvon/c27/1795293198.27_79001234567";

    fn facts(call: CallId, talked: u64) -> [Fact; 2] {
        let at = Wall(1_795_293_198_000);
        let arrived = Fact::CallArrived {
            call,
            node: NODE,
            channel: "1795293198.27".into(),
            recording: NAME.to_owned(),
            number: "+79001234567".to_owned(),
            dialled: "100".to_owned(),
            by_fallback: false,
            outgoing: false,
            at,
        };
        let (waited, talked) = (Duration::ZERO, Duration::from_secs(talked));
        let disposition = Disposition::Fallback;
        [arrived, Fact::CallEnded { call, disposition, cause: 16, waited, talked, agent: None, at }]
    }

    #[tokio::test]
    async fn a_recording_of_several_calls_belongs_to_the_last_that_talked_and_holds_all_talks() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let books = Books::closed(store.clone());
        assert_eq!(books.call_of(NODE, NAME).await.unwrap(), None);
        let (first, second, third) = (CallId(1 << 20), CallId(2 << 20), CallId(3 << 20));
        let all = [facts(first, 2), facts(second, 3), facts(third, 0)].concat();
        assert_eq!(store.write_facts(&all[..1]).await.unwrap(), []);
        let open = JournalCall { call: first, ended: false, talked: None };
        assert_eq!(books.call_of(NODE, NAME).await.unwrap(), Some(open));
        assert_eq!(store.write_facts(&all).await.unwrap(), []);
        let whole = JournalCall { call: second, ended: true, talked: Some(Duration::from_secs(5)) };
        assert_eq!(books.call_of(NODE, NAME).await.unwrap(), Some(whole));
    }
}
