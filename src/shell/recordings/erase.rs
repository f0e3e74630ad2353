//! The sound of clients who were erased is removed from the archive. That it is to go was decided with the client's
//! erasure, in its transaction; what could not be removed then (a kill, a folder that cannot be written) goes later.

use crate::shell::store::erase::ErasedSound;
use crate::shell::store::{Result, Store};

use super::vault::Vault;

/// Files that are asked for at once.
const PART: u32 = 200;

/// Removes what is still there; answers how many files could not be removed, each told in the log.
///
/// # Errors
/// When the database does not answer.
pub async fn remove_erased(store: &Store, vault: &Vault) -> Result<u64> {
    let (mut left, mut after) = (0, 0);
    loop {
        let sounds = store.erased_sounds(after, PART).await?;
        let Some(last) = sounds.last() else { return Ok(left) };
        after = last.recording;
        for ErasedSound { recording, path } in sounds {
            let vault = vault.clone();
            let removing = tokio::task::spawn_blocking(move || vault.remove(&path)).await;
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

#[cfg(test)]
mod tests {
    use crate::domain::client::{CardPhone, Command, Create, Detail};
    use crate::engine::ids::CallId;
    use crate::engine::time::Wall;
    use crate::shell::store::author::Author;
    use crate::shell::store::testing::{archived_talk, sqlite};

    use super::*;

    #[tokio::test]
    async fn the_sound_goes_with_the_client_and_a_missing_file_is_no_trouble() {
        let t = sqlite().await;
        let (store, dir) = (&t.store, t.folder.path());
        let phone = CardPhone { number: "+79001234567".into(), ..CardPhone::default() };
        let new = Create { details: vec![Detail::Phones(vec![phone])], ..Create::default() };
        let id = store.create_client(new, &Author::engine(), Wall(1)).await.unwrap().id;
        for n in 1..=2_u64 {
            archived_talk(store, CallId((100 + n) << 20), n, "+79001234567", false, Wall(100)).await;
        }
        std::fs::write(dir.join("1.wav"), "sound").unwrap();
        store.change_client(id, Command::Erase, &Author::engine(), Wall(200)).await.unwrap();
        assert!(dir.join("1.wav").exists());
        assert_eq!(remove_erased(store, &Vault::plain(dir)).await.unwrap(), 0);
        assert!(!dir.join("1.wav").exists());
        assert_eq!(store.erased_sounds(0, 9).await.unwrap(), []);
        assert_eq!(remove_erased(store, &Vault::plain(dir)).await.unwrap(), 0);
    }
}
