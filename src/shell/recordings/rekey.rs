//! Recordings sealed with the first key of the key file that are not: after a new key was put there, or the first one.
//!
//! A kill at any moment does no harm: the new file is whole before the database names it, and the old one goes after
//! that.

use super::database::Books;
use super::file::reseal;
use super::ledger::{Ledger as _, LedgerError, Stored};
use super::vault::Vault;
use crate::shell::store::Store;

/// Entries read at a time.
const PAGE: u32 = 200;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// Sealed with the first key now.
    pub sealed: u64,
    /// Were so already.
    pub left: u64,
    /// Could not be read or written; they are as they were.
    pub failed: u64,
}

/// Seals every recording with the first key.
///
/// # Errors
/// When the database does not answer. What was sealed until then is.
pub async fn rekey(
    store: &Store,
    vault: &Vault,
    mut failed: impl FnMut(&Stored, &str),
) -> Result<Rekeyed, LedgerError> {
    let books = Books::closed(store.clone());
    let (mut done, mut after) = (Rekeyed::default(), i64::MIN);
    loop {
        let page = books.stored_after(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(done) };
        after = last.key;
        for stored in page {
            let (place, path) = (vault.clone(), stored.path.clone());
            let sealing = tokio::task::spawn_blocking(move || reseal(&place, &path)).await;
            match sealing
                .map_err(|error| error.to_string())
                .and_then(|sealed| sealed.map_err(|error| error.to_string()))
            {
                Ok(None) => done.left += 1,
                Ok(Some((path, sha256, bytes))) => {
                    let named = store.replace_recording_file(stored.key, &stored.path, &path, &sha256, bytes).await?;
                    // Deleted meanwhile: then the new file is the one too many.
                    let over = if named { stored.path.clone() } else { path };
                    let vault = vault.clone();
                    let removed = tokio::task::spawn_blocking(move || vault.remove(&over)).await;
                    if let Err(why) =
                        removed.map_err(|e| e.to_string()).and_then(|done| done.map_err(|e| e.to_string()))
                    {
                        failed(&stored, &format!("it is sealed anew, but a file is left over: {why}"));
                    }
                    done.sealed += 1;
                }
                Err(why) => {
                    done.failed += 1;
                    failed(&stored, &why);
                }
            }
        }
    }
}
