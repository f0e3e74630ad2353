//! What the archive writes to the database and asks of it.

use std::future::Future;
use std::time::Duration;

use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;
use crate::shell::store::calls::FallbackCall;
use crate::shell::store::pauses::CallPauses;
use crate::shell::store::recordings::NewRecording;

/// The database, as the archive needs it.
pub trait Ledger: Clone + Send + Sync + 'static {
    /// Waits a moment for all that the engine has said so far to be written; answers whether it is. Then a call that is
    /// not there was never seen by it.
    fn caught_up(&self) -> impl Future<Output = bool> + Send;

    /// What is written of the recording of this name.
    fn entry(&self, node: NodeId, name: &str)
    -> impl Future<Output = Result<Option<NewRecording>, LedgerError>> + Send;

    /// The call that was recorded under this name.
    fn call_of(
        &self,
        node: NodeId,
        name: &str,
    ) -> impl Future<Output = Result<Option<JournalCall>, LedgerError>> + Send;

    /// Where nothing of the recording of this name is to be kept, call by call.
    fn pauses(&self, node: NodeId, name: &str) -> impl Future<Output = Result<Vec<CallPauses>, LedgerError>> + Send;

    /// Calls that talked for so long at least and ended since then, of whose recording nothing is written.
    fn unrecorded(
        &self,
        node: NodeId,
        since: Wall,
        least: Duration,
    ) -> impl Future<Output = Result<Vec<Unrecorded>, LedgerError>> + Send;

    /// Writes each in place of what was written of the same node and name; all of them or none.
    fn save(&self, entries: &[NewRecording]) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Enters a call that the fallback dialplan served while no engine was there. Doing it twice changes nothing.
    fn add_fallback_call(&self, call: &FallbackCall) -> impl Future<Output = Result<CallId, LedgerError>> + Send;

    /// Entries with a file, by growing [`Stored::key`], after this one.
    fn stored_after(&self, key: i64, most: u32) -> impl Future<Output = Result<Vec<Stored>, LedgerError>> + Send;
}

/// A call as the journal knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalCall {
    /// Which call.
    pub call: CallId,
    /// It is over.
    pub ended: bool,
    /// Time in talks, when the journal knows it.
    pub talked: Option<Duration>,
}

/// A call that should have a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrecorded {
    /// Which call.
    pub call: CallId,
    /// Name of the recording in Asterisk.
    pub name: String,
    /// Time in talks.
    pub talked: Duration,
}

/// A file that should lie in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Grows from entry to entry.
    pub key: i64,
    /// Whose talk.
    pub call: CallId,
    /// It was found damaged.
    pub failed: bool,
    /// Below the archive's folder.
    pub path: String,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Size.
    pub bytes: u64,
}

/// Why the database did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Nothing can be written now.
    #[error("{0}")]
    Away(String),
    /// This one thing is not accepted.
    #[error("{0}")]
    Refused(String),
}
