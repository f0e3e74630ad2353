//! Callbacks between the store and the calls: what is pending at the start, what becomes wanted or is not wanted any
//! more, what clients want of their orders by a key, and what follows when all attempts were in vain.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::engine::event::Event;
use crate::engine::ids::{CallId, CallbackId};

use super::clock;
use super::store::callbacks::{NewPlace, Told};
use super::store::{Store, StoreError};

/// Changed callbacks that wait to be handed on. What does not fit is found by reading all of them again.
const CHANGES: usize = 4096;
/// Read from the database at once.
const AT_ONCE: u32 = 1000;
/// Between two looks for what nobody was told of.
const TICK: Duration = Duration::from_secs(5);

/// Callers whose places are being written down at once.
const KEEPING: usize = 64;
/// The core does not wait for longer; what is kept after that is told it all the same.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where callers' wishes to be called back go.
#[derive(Clone)]
pub struct Places {
    store: Store,
    events: mpsc::Sender<Event>,
    slots: Arc<Semaphore>,
    /// Not the thread of the calls.
    runtime: Handle,
}

impl Places {
    /// Answers go into `events`. Works on the runtime in which this is called.
    #[must_use]
    pub fn new(store: Store, events: mpsc::Sender<Event>) -> Places {
        Places { store, events, slots: Arc::new(Semaphore::new(KEEPING)), runtime: Handle::current() }
    }

    /// Keeps a place; the answer goes to the engine when it is on the disk.
    pub fn keep(&self, call: CallId, new: NewPlace) {
        let (store, events) = (self.store.clone(), self.events.clone());
        let slot = self.slots.clone().try_acquire_owned();
        self.runtime.spawn(async move {
            let kept = match slot {
                Ok(_) => tokio::time::timeout(DEADLINE, store.keep_place(&new, clock::wall())).await,
                Err(_) => {
                    warn!(%call, "the database does not keep up: a caller who wants to be called back waits on the line");
                    let _ = events.send(Event::PlaceKept { call, kept: None }).await;
                    return;
                }
            };
            let kept = match kept {
                Ok(Ok(request)) => Some(Box::new(request)),
                Ok(Err(error)) => {
                    warn!(%call, "a caller who wants to be called back waits on the line: {error}");
                    None
                }
                Err(_) => {
                    warn!(%call, "a caller who wants to be called back waits on the line: no answer of the database");
                    None
                }
            };
            // Fails only when the engine is being stopped; the next one reads what is kept.
            let _ = events.send(Event::PlaceKept { call, kept }).await;
        });
    }
}

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
