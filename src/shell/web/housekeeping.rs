//! What is over is forgotten: sessions, answers kept for requests that might be repeated, the sound of erased clients.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::shell::clock;
use crate::shell::recordings::Vault;
use crate::shell::recordings::erase::remove_erased;
use crate::shell::store::{self, Store};

const EVERY: Duration = Duration::from_secs(3600);

/// Tidies at once and then every hour, until the token is cancelled.
pub async fn housekeep(store: Store, vault: Vault, cancel: CancellationToken) {
    let mut hours = interval(EVERY);
    hours.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = hours.tick() => {}
        }
        match tidy(&store).await {
            Ok((sessions, answers)) => tracing::debug!(sessions, answers, "forgot what is over"),
            // The next hour is early enough.
            Err(cause) => tracing::warn!(%cause, "sessions that are over could not be removed"),
        }
        if let Err(cause) = remove_erased(&store, &vault).await {
            tracing::warn!(%cause, "the sound of erased clients could not be looked for");
        }
    }
}

async fn tidy(store: &Store) -> store::Result<(u64, u64)> {
    Ok((store.purge_sessions(clock::wall()).await?, store.purge_idempotent(clock::wall()).await?))
}
