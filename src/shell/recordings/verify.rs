//! A look through the whole archive: what it finds is written to the recordings and kept as the last check.

use super::database::Books;
use super::ledger::LedgerError;
use super::read::{Checked, Problem, ReadError, Verification};
use super::vault::Vault;
use crate::shell::clock;
use crate::shell::store::Store;
use crate::shell::store::recording_checks::RecordingCheck;
use crate::shell::store::recordings::RecordingState;

/// Compares every file with what was written of it, and keeps the result. Who is not as it should be is marked as failed
/// and told; who was and is whole again (from a backup) is stored again.
///
/// # Errors
/// When the database does not answer; nothing is kept of this check then.
pub async fn verify(
    store: &Store,
    vault: &Vault,
    mut found: impl FnMut(&Checked, &Problem),
) -> Result<RecordingCheck, LedgerError> {
    let mut check = RecordingCheck { begun: clock::wall(), ..RecordingCheck::default() };
    let mut verification = Verification::new(Books::closed(store.clone()), vault.clone());
    while let Some(checked) = verification.next().await? {
        let Some(problem) = &checked.problem else {
            check.checked += 1;
            if checked.failed {
                store.recording_is_whole(checked.recording).await?;
            }
            continue;
        };
        // Deleted, or written anew with another key, while it was looked at.
        let now = store.get_recording(checked.recording).await?.and_then(|row| row.file);
        if now.is_none_or(|file| file.path != checked.path) {
            continue;
        }
        check.checked += 1;
        let mut mark = true;
        match problem {
            Problem::Unreadable(ReadError::Missing { .. }) => check.missing += 1,
            Problem::Unreadable(ReadError::NoKey { .. } | ReadError::Io { .. }) => {
                // Nothing is known against the sound: it waits for its key, or for a storage that answers.
                mark = false;
                check.unreadable += 1;
            }
            Problem::Unreadable(ReadError::Outside { .. } | ReadError::Damaged { .. }) => check.unreadable += 1,
            Problem::WrongSize { .. } => check.short += 1,
            Problem::WrongChecksum { .. } => check.changed += 1,
        }
        if mark {
            store.mark_recording(checked.recording, RecordingState::Failed, &problem.to_string()).await?;
        }
        found(&checked, problem);
    }
    check.ended = clock::wall();
    store.keep_recording_check(&check).await?;
    Ok(check)
}
