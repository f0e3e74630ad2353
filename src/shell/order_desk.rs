//! Orders between the store and the calls: what callers cancel by a key, changes that callers on the line must hear, and
//! the prompts of an order, made when it changes and not when its client calls.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info_span, warn};

use crate::domain::history::{ActorKind, By, Source};
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::order::{CancelledBy, Command, State};
use crate::engine::event::{Actor, CallerOrder, CancelRefused, Event};
use crate::engine::ids::CallId;
use crate::engine::ivr::order_status::Orders;
use crate::speech::Phrase;

use super::clock;
use super::live_settings::LiveSettings;
use super::store::author::{Author, ChangeError};
use super::store::orders::{OrderChange, OrderRow};
use super::store::{Store, StoreError};
use super::voice::Voice;

/// Callers whose key is being carried out at once.
const CANCELLING: usize = 64;
/// The core does not wait for longer; what is done after that is noted all the same.
const DEADLINE: Duration = Duration::from_secs(10);
/// Changed orders that wait to be told of.
const CHANGES: usize = 1024;

/// Where callers' wishes about orders go.
#[derive(Clone)]
pub struct OrderDesk {
    store: Store,
    events: mpsc::Sender<Event>,
    slots: Arc<Semaphore>,
    /// Not the thread of the calls.
    runtime: Handle,
}

/// Who makes the prompts.
#[derive(Clone)]
pub struct Prompts {
    /// Of each Asterisk.
    pub voices: Vec<Voice>,
    /// The language of the prompts, the office's clock.
    pub settings: LiveSettings,
}

impl Prompts {
    /// What the order's client will hear who calls now.
    fn prepare(&self, order: &CallerOrder) {
        let settings = self.settings.now();
        let orders = Orders {
            all: std::slice::from_ref(order),
            now: clock::wall(),
            utc_offset_minutes: settings.utc_offset_minutes,
        };
        if let Some(status) = orders.status(order, false) {
            let phrases = [Phrase::Order(status.clone()), Phrase::OrderChanged(status)];
            self.voices.iter().for_each(|voice| voice.prepare(&phrases, settings.language));
        }
    }
}

impl OrderDesk {
    /// Tells the engine of every order that changes from now on, until `cancel`. Works on the runtime in which this is
    /// called.
    #[must_use]
    pub fn start(store: Store, events: mpsc::Sender<Event>, prompts: Prompts, cancel: CancellationToken) -> OrderDesk {
        let (changes, inbox) = mpsc::channel(CHANGES);
        store.tell_of_orders(changes);
        let runtime = Handle::current();
        runtime.spawn(tell(store.clone(), inbox, events.clone(), prompts, cancel));
        OrderDesk { store, events, slots: Arc::new(Semaphore::new(CANCELLING)), runtime }
    }

    /// Looks for a car again in the client's name; the answer goes to the engine.
    pub fn search_again(&self, call: CallId, client: ClientId, order: OrderId) {
        let (store, events) = (self.store.clone(), self.events.clone());
        let slot = self.slots.clone().try_acquire_owned();
        let work = async move {
            let change = done_by_key(&store, client, order, Wish::SearchAgain);
            let result = match slot {
                Ok(_) => tokio::time::timeout(DEADLINE, change).await.unwrap_or(Err(CancelRefused::Trouble)),
                Err(_) => {
                    warn!(%call, "the database does not keep up: no car is looked for by the client's key");
                    Err(CancelRefused::Trouble)
                }
            };
            // Fails only when the engine is being stopped.
            let _ = events.send(Event::SearchedAgain { call, order, result }).await;
        };
        self.runtime.spawn(work.instrument(info_span!("order_by_key", %call)));
    }

    /// Cancels an order in its client's name; the answer goes to the engine.
    pub fn cancel(&self, call: CallId, client: ClientId, order: OrderId) {
        let (store, events) = (self.store.clone(), self.events.clone());
        let slot = self.slots.clone().try_acquire_owned();
        let work = async move {
            let result = match slot {
                Ok(_) => tokio::time::timeout(DEADLINE, done_by_key(&store, client, order, Wish::Cancel)).await,
                Err(_) => {
                    warn!(%call, "the database does not keep up: an order was not cancelled by its caller's key");
                    Ok(Err(CancelRefused::Trouble))
                }
            };
            let result = result.unwrap_or(Err(CancelRefused::Trouble));
            // Fails only when the engine is being stopped.
            let _ = events.send(Event::OrderCancelled { call, order, result }).await;
        };
        self.runtime.spawn(work.instrument(info_span!("order_by_key", %call)));
    }
}

/// What a client wants of an order by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Cancel,
    SearchAgain,
}

/// Cancels an order in its client's name, who asked for it this way.
///
/// # Errors
/// Why it stays.
pub async fn cancelled(store: &Store, client: ClientId, id: OrderId, source: Source) -> Result<(), CancelRefused> {
    done(store, client, id, Wish::Cancel, source).await
}

async fn done_by_key(store: &Store, client: ClientId, id: OrderId, wish: Wish) -> Result<(), CancelRefused> {
    done(store, client, id, wish, Source::Ivr).await
}

async fn done(store: &Store, client: ClientId, id: OrderId, wish: Wish, source: Source) -> Result<(), CancelRefused> {
    let trouble = |error: StoreError| {
        warn!(order = id.0, ?wish, "an order was not changed at its client's wish: {error}");
        CancelRefused::Trouble
    };
    let row = store.get_order(id).await.map_err(trouble)?.ok_or(CancelRefused::Ended)?;
    if !belongs(store, &row, client).await.map_err(trouble)? {
        return Err(CancelRefused::Ended);
    }
    let by = By::new(ActorKind::Client, "", source);
    let author = Author { by, actor: Actor::Engine, address: String::new() };
    let command = match wish {
        Wish::Cancel => Command::Cancel { by: CancelledBy::Client, reason: String::new() },
        Wish::SearchAgain => Command::SearchAgain,
    };
    match store.change_order(id, OrderChange::Command(command), &author, clock::wall()).await {
        Ok(_) => Ok(()),
        Err(ChangeError::Stale { .. } | ChangeError::Rejected(_)) => match store.get_order(id).await {
            Ok(Some(row)) if row.order.state == State::InTrip => Err(CancelRefused::InTrip),
            Ok(_) => Err(CancelRefused::Ended),
            Err(error) => Err(trouble(error)),
        },
        Err(ChangeError::Store(error)) => Err(trouble(error)),
    }
}

/// The order is this client's, or of a card that was merged into the client's.
async fn belongs(store: &Store, row: &OrderRow, client: ClientId) -> Result<bool, StoreError> {
    match row.order.client {
        Some(owner) if owner == client => Ok(true),
        Some(owner) => Ok(store.get_client(owner).await?.is_some_and(|card| card.id == client)),
        None => Ok(false),
    }
}

/// Reads what changed and hands it to the engine and to the voices.
async fn tell(
    store: Store,
    mut inbox: mpsc::Receiver<OrderId>,
    events: mpsc::Sender<Event>,
    prompts: Prompts,
    cancel: CancellationToken,
) {
    while let Some(Some(id)) = cancel.run_until_cancelled(inbox.recv()).await {
        let row = match store.get_order(id).await {
            Ok(Some(row)) => row,
            Ok(None) => continue,
            Err(error) => {
                warn!(order = id.0, "a caller on the line may not hear that the order changed: {error}");
                continue;
            }
        };
        let Some(client) = row.order.client else { continue };
        let order = Box::new(CallerOrder::from(row));
        prompts.prepare(&order);
        if events.send(Event::OrderChanged { client, order }).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::clients::tests::olga;
    use super::super::store::orders::tests::{assign, taxi};
    use super::super::store::testing::on_both;
    use super::*;
    use crate::engine::time::Wall;

    #[tokio::test]
    async fn a_caller_cancels_the_own_order_alone_and_hears_why_not() {
        on_both(async |t| {
            let s = &t.store;
            let (own, other) = ("+79001234567", "+79007654321");
            let order = s.create_order(taxi(own), &olga(), Wall(1)).await.unwrap();
            let client = order.order.client.unwrap();
            let stranger = s.create_order(taxi(other), &olga(), Wall(1)).await.unwrap();
            assert_eq!(done_by_key(s, client, stranger.id, Wish::Cancel).await, Err(CancelRefused::Ended));
            assert_eq!(s.get_order(stranger.id).await.unwrap().unwrap().order.state, State::Searching);
            assert_eq!(done_by_key(s, client, OrderId(999), Wish::Cancel).await, Err(CancelRefused::Ended));
            assert_eq!(done_by_key(s, client, order.id, Wish::Cancel).await, Ok(()));
            assert_eq!(s.get_order(order.id).await.unwrap().unwrap().order.state, State::Cancelled);
            assert_eq!(done_by_key(s, client, order.id, Wish::Cancel).await, Err(CancelRefused::Ended));
            let trip = s.create_order(taxi(own), &olga(), Wall(2)).await.unwrap();
            for step in [assign(), OrderChange::Command(Command::Arrive), OrderChange::Command(Command::Start)] {
                s.change_order(trip.id, step, &olga(), Wall(3)).await.unwrap();
            }
            assert_eq!(done_by_key(s, client, trip.id, Wish::Cancel).await, Err(CancelRefused::InTrip));
        })
        .await;
    }

    #[tokio::test]
    async fn the_engine_is_told_of_orders_that_change() {
        on_both(async |t| {
            let (events_in, mut events) = mpsc::channel(16);
            let cancel = CancellationToken::new();
            let prompts =
                Prompts { voices: Vec::new(), settings: LiveSettings::new(Default::default(), Default::default()) };
            let desk = OrderDesk::start(t.store.clone(), events_in, prompts, cancel.clone());
            let order = t.store.create_order(taxi("+79001234567"), &olga(), Wall(1)).await.unwrap();
            let client = order.order.client.unwrap();
            desk.cancel(CallId(5), client, order.id);
            let mut seen = Vec::new();
            while seen.len() < 3 {
                let event = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap().unwrap();
                match event {
                    Event::OrderChanged { client: of, order } => {
                        assert_eq!(of, client);
                        seen.push(order.state.as_str());
                    }
                    Event::OrderCancelled { call: CallId(5), result: Ok(()), .. } => seen.push("done"),
                    other => panic!("{other:?}"),
                }
            }
            seen.sort_unstable();
            // Read when told of: a change that followed at once may be seen twice.
            assert!(seen.contains(&"cancelled") && seen.contains(&"done"), "{seen:?}");
            cancel.cancel();
        })
        .await;
    }
}
