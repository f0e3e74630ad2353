//! What is over is forgotten: sessions, and answers kept for requests that might be repeated.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::shell::clock;
use crate::shell::store::{self, Store};

const EVERY: Duration = Duration::from_secs(3600);

/// Tidies at once and then every hour, until the token is cancelled.
pub async fn housekeep(store: Store, cancel: CancellationToken) {
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
    }
}

async fn tidy(store: &Store) -> store::Result<(u64, u64)> {
    Ok((store.purge_sessions(clock::wall()).await?, store.purge_idempotent(clock::wall()).await?))
}
