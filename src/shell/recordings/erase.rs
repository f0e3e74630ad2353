//! The sound of clients who were erased is removed from the archive. That it is to go was decided with the client's
//! erasure, in its transaction; what could not be removed then (a kill, a folder that cannot be written) goes later.

use std::path::Path;

use crate::shell::store::erase::ErasedSound;
use crate::shell::store::{Result, Store};

use super::read::{ReadError, locate};

/// Files that are asked for at once.
const PART: u32 = 200;

/// Removes what is still there; answers how many files could not be removed, each told in the log.
///
/// # Errors
/// When the database does not answer.
pub async fn remove_erased(store: &Store, dir: &Path) -> Result<u64> {
    let (mut left, mut after) = (0, 0);
    loop {
        let sounds = store.erased_sounds(after, PART).await?;
        let Some(last) = sounds.last() else { return Ok(left) };
        after = last.recording;
        for ErasedSound { recording, path } in sounds {
            let folder = dir.to_owned();
            let removing = tokio::task::spawn_blocking(move || remove(&folder, &path)).await;
            match removing.map_err(|cause| cause.to_string()).and_then(|done| done.map_err(|cause| cause.to_string())) {
                Ok(()) => store.sound_is_gone(recording).await?,
                Err(cause) => {
                    left += 1;
                    tracing::error!(recording, "the sound of an erased client cannot be removed, tried again: {cause}");
                }
            }
        }
    }
}

fn remove(dir: &Path, path: &str) -> Result<(), ReadError> {
    let file = match locate(dir, path) {
        Err(ReadError::Missing { .. }) => return Ok(()),
        other => other?,
    };
    std::fs::remove_file(file).map_err(|cause| ReadError::Io { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::domain::client::{CardPhone, Command, Create, Detail};
    use crate::engine::command::Fact;
    use crate::engine::ids::{CallId, NodeId};
    use crate::engine::time::Wall;
    use crate::engine::view::Disposition;
    use crate::shell::store::author::Author;
    use crate::shell::store::recordings::{ArchivedFile, NewRecording, RecordingState};
    use crate::shell::store::testing::sqlite;

    use super::*;

    #[tokio::test]
    async fn the_sound_goes_with_the_client_and_a_missing_file_is_no_trouble() {
        let t = sqlite().await;
        let (store, dir) = (&t.store, t.folder.path());
        let phone = CardPhone { number: "+79001234567".into(), ..CardPhone::default() };
        let new = Create { details: vec![Detail::Phones(vec![phone])], ..Create::default() };
        let id = store.create_client(new, &Author::engine(), Wall(1)).await.unwrap().id;
        for n in 1..=2_u64 {
            let (call, at, name) = (CallId((100 + n) << 20), Wall(100), format!("perezvon/office-{n}.1_79001234567"));
            let arrived = Fact::CallArrived {
                call,
                node: NodeId(0),
                channel: "c".into(),
                recording: name.clone(),
                number: "+79001234567".into(),
                dialled: "100".into(),
                by_fallback: false,
                outgoing: false,
                at,
            };
            let ended = Fact::CallEnded {
                call,
                disposition: Disposition::CompleteCaller,
                cause: 16,
                waited: Duration::ZERO,
                talked: Duration::from_secs(2),
                agent: None,
                at,
            };
            store.write_facts(&[arrived, ended]).await.unwrap();
            let file = ArchivedFile {
                path: format!("{n}.wav"),
                sha256: "00".into(),
                bytes: 1,
                duration: Duration::from_secs(2),
                channels: 2,
                left_rms: 1,
                right_rms: 1,
            };
            let (state, problem) = (RecordingState::Stored, String::new());
            let new = NewRecording { call, node: NodeId(0), name, file: Some(file), state, problem, at };
            store.save_recording(new).await.unwrap();
        }
        std::fs::write(dir.join("1.wav"), "sound").unwrap();
        store.change_client(id, Command::Erase, &Author::engine(), Wall(200)).await.unwrap();
        assert!(dir.join("1.wav").exists());
        assert_eq!(remove_erased(store, dir).await.unwrap(), 0);
        assert!(!dir.join("1.wav").exists());
        assert_eq!(store.erased_sounds(0, 9).await.unwrap(), []);
        assert_eq!(remove_erased(store, dir).await.unwrap(), 0);
    }
}
