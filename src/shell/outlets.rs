//! Where the core's commands go.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tracing::{error, warn};

use crate::engine::command::Command;
use crate::engine::event::Event;
use crate::engine::ids::CallId;

use super::asterisk::NodeHandle;
use super::callback_desk::Places;
use super::driver::Outlets;
use super::order_desk::OrderDesk;
use super::recordings::ArchiveHandle;
use super::requests::Requests;
use super::store::Store;
use super::store::callbacks::NewPlace;
use super::store::journal::JournalHandle;
use super::traces::Traces;
use super::updates::Updates;
use super::web::Metrics;

/// Cards looked up at once; when the database does not keep up, callers go on without.
const CARDS_AT_ONCE: usize = 64;
/// Calls that wait to be counted on their cards. The callers do not wait for that.
const MOST_NOTES: usize = 4096;
/// Counted in one transaction.
const NOTES_AT_ONCE: usize = 256;
/// How long they wait for others to be counted with: less than the journal waits, so that the card of who calls for the
/// first time is there when the call enters the journal of contacts.
const NOTES_WINDOW: Duration = Duration::from_millis(250);
/// A card that comes later than this interests nobody. The core waits a far shorter time for it.
const CARD_DEADLINE: Duration = Duration::from_secs(10);

/// The real world.
pub struct World {
    /// By node id.
    pub nodes: Vec<NodeHandle>,
    /// Who waits for answers.
    pub requests: Requests,
    /// The consoles.
    pub updates: Updates,
    /// The journal of calls.
    pub journal: JournalHandle,
    /// The archive of recordings.
    pub archive: ArchiveHandle,
    /// Counts what is journalled.
    pub metrics: Arc<Metrics>,
    /// Sends calls to an OpenTelemetry collector, where one is configured.
    pub traces: Option<Traces>,
    /// Looks up callers.
    pub cards: Cards,
    /// Carries out what callers want of their orders.
    pub orders: OrderDesk,
    /// Keeps the places of callers who want to be called back.
    pub places: Places,
}

impl Outlets for World {
    fn carry_out(&mut self, command: Command) -> Option<Event> {
        match command {
            Command::Asterisk { node, call, request } => match self.nodes.get(usize::from(node.0)) {
                Some(handle) => return handle.request(call, request),
                None => error!(%call, node = node.0, "a request for an Asterisk that is not configured: dropped"),
            },
            Command::LoadCaller { call, number, rang_in } => self.cards.load(call, number, rang_in),
            Command::CancelOrder { call, client, order } => self.orders.cancel(call, client, order),
            Command::KeepPlace { call, number, client, language, place } => {
                self.places.keep(call, NewPlace { number, client, language, place });
            }
            Command::SearchAgain { call, client, order } => self.orders.search_again(call, client, order),
            Command::Persist(fact) => {
                self.metrics.fact(&fact);
                if let Some(traces) = &self.traces {
                    traces.fact(&fact);
                }
                self.journal.write(fact);
            }
            Command::CollectRecording { node, call, name, talked, gone } => {
                self.archive.collect(node, call, &name, talked, gone);
            }
            Command::SweepRecordings { node, keep } => self.archive.sweep(node, keep),
            Command::Publish(update) => self.updates.publish(update),
            Command::Respond { request, result } => self.requests.answered(request, result),
            Command::Alarm { call, text } => error!(%call, "{text}"),
        }
        None
    }
}

/// Looks up callers beside the loop, and makes the card of who calls for the first time.
#[derive(Clone)]
pub struct Cards {
    store: Store,
    events: mpsc::Sender<Event>,
    slots: Arc<Semaphore>,
    /// Calls that are to be counted on their cards.
    notes: mpsc::Sender<(CallId, String)>,
    /// Not the thread of the calls.
    runtime: Handle,
}

impl Cards {
    /// Answers go into `events`. Cards are looked up on the runtime in which this is called.
    #[must_use]
    pub fn new(store: Store, events: mpsc::Sender<Event>) -> Cards {
        let (notes, inbox) = mpsc::channel(MOST_NOTES);
        let runtime = Handle::current();
        runtime.spawn(count(store.clone(), inbox));
        Cards { store, events, slots: Arc::new(Semaphore::new(CARDS_AT_ONCE)), notes, runtime }
    }

    fn load(&self, call: CallId, number: String, rang_in: bool) {
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            warn!(%call, "the database does not keep up: the caller goes on without a card");
            return;
        };
        let (store, events, notes) = (self.store.clone(), self.events.clone(), self.notes.clone());
        self.runtime.spawn(async move {
            match tokio::time::timeout(CARD_DEADLINE, store.load_caller(&number)).await {
                Ok(Ok(card)) => {
                    // Fails only when the engine is being stopped.
                    let _ = events.send(Event::CallerLoaded { call, card }).await;
                }
                Ok(Err(failure)) => warn!(%call, %failure, "the caller's card could not be read"),
                Err(_) => warn!(%call, "the caller's card was not there in {} s", CARD_DEADLINE.as_secs()),
            }
            // The caller is served: what follows is for the next time.
            drop(slot);
            if rang_in && notes.try_send((call, number)).is_err() {
                warn!(%call, "the database does not keep up: this call is not counted on the client's card");
            }
        });
    }
}

/// Counts calls on the cards of those who called, many in one transaction.
async fn count(store: Store, mut inbox: mpsc::Receiver<(CallId, String)>) {
    let mut calls = Vec::with_capacity(NOTES_AT_ONCE);
    while inbox.recv_many(&mut calls, NOTES_AT_ONCE).await > 0 {
        tokio::time::sleep(NOTES_WINDOW).await;
        while calls.len() < NOTES_AT_ONCE
            && let Ok(call) = inbox.try_recv()
        {
            calls.push(call);
        }
        if store.note_calls(&calls).await.is_err() {
            // One of them may be the reason: the others are counted without it.
            for call in &calls {
                if let Err(failure) = store.note_calls(std::slice::from_ref(call)).await {
                    warn!(call = %call.0, %failure, "the call is not counted on the client's card");
                }
            }
        }
        calls.clear();
    }
}
