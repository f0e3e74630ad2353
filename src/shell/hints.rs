//! The streets in memory, read at the start and again whenever the list was changed, by whoever.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::hint::Index;

use super::store::{Result, Store};

/// How soon an import by another process is noticed.
const LOOK: Duration = Duration::from_secs(5);

/// The index of streets as it is now. Clones are the same one.
#[derive(Clone, Default)]
pub struct Hints(Arc<RwLock<Arc<Index>>>);

impl Hints {
    /// Reads the streets in the background and keeps them up to date until it is cancelled. Until they are read, and
    /// while the database is away, hints are made of what is there.
    #[must_use]
    pub fn start(store: Store, cancel: CancellationToken) -> Hints {
        let hints = Hints::default();
        let keeper = hints.clone();
        tokio::spawn(async move {
            let mut known = 0;
            let mut looks = tokio::time::interval(LOOK);
            looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    _ = looks.tick() => match keeper.refresh(&store, known).await {
                        Ok(version) => known = version,
                        Err(error) => tracing::debug!("the list of streets could not be read, tried again soon: {error}"),
                    }
                }
            }
        });
        hints
    }

    /// Reads the streets unless this version of their list is known; answers the version.
    ///
    /// # Errors
    /// When the database does not answer; the index stays as it was.
    pub async fn refresh(&self, store: &Store, known: i64) -> Result<i64> {
        let version = store.streets_version().await?;
        if version == known {
            return Ok(version);
        }
        let streets = store.all_streets().await?;
        // Sorting a region's streets takes a while; calls are on threads of their own, but the other requests are not.
        if let Ok(index) = tokio::task::spawn_blocking(move || Index::new(streets)).await {
            tracing::info!(streets = index.len(), "the list of streets was read");
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(index);
        }
        Ok(version)
    }

    /// The index now.
    #[must_use]
    pub fn index(&self) -> Arc<Index> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
