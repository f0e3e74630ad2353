//! Callbacks between the store and the calls: what is pending at the start, what becomes wanted or is not wanted any
//! more, what clients want of their orders by a key, and what follows when all attempts were in vain.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::engine::event::Event;
use crate::engine::ids::CallbackId;

use super::clock;
use super::store::callbacks::Told;
use super::store::{Store, StoreError};

/// Changed callbacks that wait to be handed on. What does not fit is found by reading all of them again.
const CHANGES: usize = 4096;
/// Read from the database at once.
const AT_ONCE: u32 = 1000;
/// Between two looks for what nobody was told of.
const TICK: Duration = Duration::from_secs(5);

/// All pending callbacks, for the engine at its start.
///
/// # Errors
/// When the database does not answer.
pub async fn pending(store: &Store) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    let mut after = CallbackId(0);
    loop {
        let page = store.pending_callbacks(after, AT_ONCE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        events.extend(page.into_iter().map(|request| Event::CallbackRequested(Box::new(request))));
    }
    if !events.is_empty() {
        info!(count = events.len(), "callbacks are pending");
    }
    Ok(events)
}

/// Hands on what changes from now on, until `cancel`.
pub fn start(store: Store, events: mpsc::Sender<Event>, cancel: CancellationToken) {
    let (changes, inbox) = mpsc::channel(CHANGES);
    store.tell_of_callbacks(changes);
    tokio::spawn(work(store, inbox, events, cancel));
}

async fn work(
    store: Store,
    mut inbox: mpsc::Receiver<CallbackId>,
    events: mpsc::Sender<Event>,
    cancel: CancellationToken,
) {
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut changed = Vec::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            count = inbox.recv_many(&mut changed, 100) => {
                if count == 0 {
                    return;
                }
            }
            () = store.callbacks_exhausted() => {}
            _ = tick.tick() => {}
        }
        if let Err(error) = hand_on(&store, &mut changed, &events).await {
            warn!("clients are called back late: {error}");
        }
        if let Err(error) = store.settle_exhausted(clock::wall()).await {
            warn!("clients who could not be reached are sent no SMS yet: {error}");
        }
    }
}

/// What could not be read stays in `changed` for the next time.
async fn hand_on(store: &Store, changed: &mut Vec<CallbackId>, events: &mpsc::Sender<Event>) -> Result<(), StoreError> {
    if store.callbacks_were_missed() {
        match pending(store).await {
            Ok(all) => {
                for event in all {
                    // Fails only when the engine is being stopped.
                    let _ = events.send(event).await;
                }
            }
            Err(error) => {
                store.callback_missed();
                return Err(error);
            }
        }
    }
    let told = store.callbacks_told(changed).await?;
    changed.clear();
    for told in told {
        let event = match told {
            Told::Wanted(request) => Event::CallbackRequested(request),
            Told::Over(id) => Event::CallbackCancelled(id),
        };
        // As above.
        let _ = events.send(event).await;
    }
    Ok(())
}
