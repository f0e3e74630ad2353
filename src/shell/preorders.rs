//! Pre-orders are woken when their time has come: the search for a car begins.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::domain::order::Command;
use crate::engine::time::Wall;

use super::clock;
use super::store::author::{Author, ChangeError};
use super::store::orders::OrderChange;
use super::store::{Result, Store, StoreError};

/// A search begins this much late at most.
const EVERY: Duration = Duration::from_secs(1);
/// At one look; the rest follows at the next.
const MOST: u32 = 100;

/// Looks every second until it is cancelled. What fell due while no engine ran is woken at once.
pub fn start(store: Store, cancel: CancellationToken) {
    tokio::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut troubled = false;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match wake_due(&store, clock::wall()).await {
                Ok(_) => troubled = false,
                Err(error) => {
                    if !troubled {
                        warn!("pre-orders cannot be woken now, it is tried again every second: {error}");
                    }
                    troubled = true;
                }
            }
        }
    });
}

/// Wakes what is due; how many that were.
async fn wake_due(store: &Store, now: Wall) -> Result<usize> {
    let mut woken = 0;
    for id in store.orders_to_wake(now, MOST).await? {
        match store.change_order(id, OrderChange::Command(Command::Wake), &Author::engine(), now).await {
            Ok(_) => woken += 1,
            // Somebody was faster, or called it off.
            Err(ChangeError::Stale { .. } | ChangeError::Rejected(_) | ChangeError::Store(StoreError::NotFound(_))) => {
                debug!(order = id.0, "a pre-order needed no waking");
            }
            Err(ChangeError::Store(error)) => return Err(error),
        }
    }
    Ok(woken)
}

#[cfg(test)]
mod tests {
    use super::super::store::testing::on_both;
    use super::*;
    use crate::domain::order::{Create, Wanted};
    use crate::shell::demo::Office;

    const HOUR: i64 = 3_600_000;

    #[tokio::test]
    async fn a_pre_order_is_woken_once_when_its_time_has_come() {
        on_both(async |t| {
            let wanted = Wanted::At { at: Wall(10 * HOUR), lead_ms: HOUR };
            let office = Office::new(1, 50);
            let story = (0..100).find_map(|client| office.stories(client, Wall(0)).pop()).unwrap();
            let new = Create { wanted, ..story.order };
            let row = t.store.create_order(new, &Author::engine(), Wall(HOUR)).await.unwrap();
            assert_eq!(wake_due(&t.store, Wall(9 * HOUR - 1)).await.unwrap(), 0);
            assert_eq!(wake_due(&t.store, Wall(9 * HOUR)).await.unwrap(), 1);
            assert_eq!(wake_due(&t.store, Wall(9 * HOUR)).await.unwrap(), 0);
            assert!(!t.store.get_order(row.id).await.unwrap().unwrap().order.is_asleep());
        })
        .await;
    }
}
