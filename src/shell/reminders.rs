//! A client who waits is not forgotten: whom it concerns is told again and again, until somebody takes the contact.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::clock;
use super::store::Store;

/// A reminder is this much late at most.
const EVERY: Duration = Duration::from_secs(5);

/// Reminds until it is cancelled: of each contact once in `pause`; never where that is zero.
pub fn start(store: Store, pause: Duration, cancel: CancellationToken) {
    if pause.is_zero() {
        return;
    }
    tokio::spawn(async move {
        let mut ticks = interval(EVERY.min(pause));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut troubled = false;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match store.remind_of_waiting(pause, clock::wall()).await {
                Ok(_) => troubled = false,
                Err(error) => {
                    if !troubled {
                        warn!(
                            "nobody is reminded of waiting clients now, it is tried again every few seconds: {error}"
                        );
                    }
                    troubled = true;
                }
            }
        }
    });
}
