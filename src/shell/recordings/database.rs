//! The real database, and the journal in front of it.

use super::ledger::{JournalCall, Ledger, LedgerError, Stored, Unrecorded};
use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;
use crate::shell::store::calls::FallbackCall;
use crate::shell::store::journal::JournalHandle;
use crate::shell::store::recordings::NewRecording;
use crate::shell::store::{Store, StoreError};

/// Calls without a recording looked for at once; the next sweep finds more.
const MOST_UNRECORDED: u32 = 1_000;

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
    fn caught_up(&self) -> bool {
        self.journal.as_ref().is_none_or(|journal| journal.state().backlog == 0)
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

    async fn unrecorded(&self, node: NodeId, since: Wall) -> Result<Vec<Unrecorded>, LedgerError> {
        let calls = self.store.unrecorded_calls(node, since, MOST_UNRECORDED).await?;
        Ok(calls.into_iter().map(|(call, name, talked)| Unrecorded { call, name, talked }).collect())
    }

    async fn save(&self, entry: &NewRecording) -> Result<(), LedgerError> {
        self.store.save_recording(entry.clone()).await?;
        Ok(())
    }

    async fn add_fallback_call(&self, call: &FallbackCall) -> Result<CallId, LedgerError> {
        Ok(self.store.add_fallback_call(call).await?)
    }

    async fn stored_after(&self, key: i64, most: u32) -> Result<Vec<Stored>, LedgerError> {
        let rows = self.store.recordings_for_verify(key, most).await?;
        let files = rows.into_iter().filter_map(|row| {
            let file = row.file?;
            Some(Stored { key: row.id, call: row.call, path: file.path, sha256: file.sha256, bytes: file.bytes })
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
