//! Each day of the office has its clients to be thought of: looked up when the day begins, and at the start.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::time::Date;

use super::clock;
use super::store::Store;

/// Between two looks at the calendar.
const EVERY: Duration = Duration::from_secs(60);

/// Looks every minute whether a new day has begun, until it is cancelled.
pub fn start(store: Store, utc_offset_minutes: i32, cancel: CancellationToken) {
    tokio::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut done = None;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let today = Date::of(clock::wall(), utc_offset_minutes);
            if done == Some(today) {
                continue;
            }
            match store.attend(today, utc_offset_minutes, clock::wall()).await {
                Ok(new) => {
                    done = Some(today);
                    if new > 0 {
                        info!(clients = new, "clients are to be thought of today");
                    }
                }
                Err(error) => warn!("who is to be thought of today is not known yet, it is tried again: {error}"),
            }
        }
    });
}
