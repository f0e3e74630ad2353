//! Orders and their histories.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::address::Car;
use crate::domain::fare::{Fare, Payment, Settlement};
use crate::domain::history::{Actor, Entry, Source};
use crate::domain::ids::OrderId;
use crate::domain::money::Kopecks;
use crate::domain::order::{self as domain, Cancellation, CancelledBy, Detail, Driver, State};

use super::address::Address;
use super::{time, wall};

/// The search for a pre-order begins so long before its time when nothing else is said, minutes.
const USUAL_LEAD: u16 = 30;
const MINUTE_MS: i64 = 60_000;

/// The time of a pre-order.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::shell) struct WantedAt {
    /// When the car is to be there.
    at: DateTime<Utc>,
    /// How many minutes before that the search begins, at most a day; 30 when absent.
    #[serde(default = "usual_lead")]
    #[schema(maximum = 1440)]
    lead_minutes: u16,
}

fn usual_lead() -> u16 {
    USUAL_LEAD
}

impl WantedAt {
    fn of(wanted: domain::Wanted) -> Option<WantedAt> {
        match wanted {
            domain::Wanted::Now => None,
            domain::Wanted::At { at, lead_ms } => {
                let lead_minutes = u16::try_from(lead_ms / MINUTE_MS).unwrap_or(u16::MAX);
                Some(WantedAt { at: time(at), lead_minutes })
            }
        }
    }

    /// As the domain keeps it.
    pub(in crate::shell) fn read(wanted: Option<WantedAt>) -> domain::Wanted {
        wanted.map_or(domain::Wanted::Now, |wanted| domain::Wanted::At {
            at: wall(wanted.at),
            lead_ms: i64::from(wanted.lead_minutes) * MINUTE_MS,
        })
    }
}

/// When the car will be there, as promised at a moment.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::shell) struct Eta {
    /// In so many minutes.
    minutes: u16,
    /// From this moment.
    made_at: DateTime<Utc>,
    /// The promised moment.
    at: DateTime<Utc>,
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::shell) struct Order {
    id: i64,
    /// Grows with every change; send it back with a change that must not overwrite another's.
    version: u64,
    state: State,
    /// Whose it is; `null` for a caller with a hidden number who has no card.
    client: Option<i64>,
    /// The number to ring about it, canonical; empty if there is none.
    phone: String,
    /// Who rides, if it is not the client of the card.
    passenger: String,
    /// Where the car goes first.
    from: Address,
    /// Where it goes from there, the last is the destination; may be empty.
    to: Vec<Address>,
    /// The time of a pre-order; `null` for now.
    wanted: Option<WantedAt>,
    /// When the search for a pre-order will begin; `null` once it has.
    wake_at: Option<DateTime<Utc>>,
    tariff: Option<i64>,
    payment: Payment,
    /// For the driver.
    comment: String,
    /// What it will cost, kopecks, as the client was told.
    estimate: Option<Kopecks>,
    /// From assignment on; stays after the end.
    car: Option<Car>,
    driver: Option<Driver>,
    eta: Option<Eta>,
    /// What it cost; `GET /orders/{id}/fare` tells it in words.
    fare: Option<Fare>,
    /// Out of what it was paid.
    settlement: Option<Settlement>,
    cancellation: Option<Cancellation>,
    created_by: Actor,
    source: Source,
    created_at: DateTime<Utc>,
    /// Since when a car is or was last looked for.
    searching_at: Option<DateTime<Utc>>,
    assigned_at: Option<DateTime<Utc>>,
    arrived_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    /// When it ended, however it did.
    ended_at: Option<DateTime<Utc>>,
    /// How often a car was looked for.
    searches: u32,
}

impl Order {
    /// An order as it stands.
    pub(in crate::shell) fn of(id: OrderId, order: domain::Order) -> Order {
        Order {
            id: id.0,
            version: order.version,
            state: order.state,
            client: order.client.map(|client| client.0),
            phone: order.phone,
            passenger: order.passenger,
            from: order.from.into(),
            to: order.to.into_iter().map(Address::from).collect(),
            wanted: WantedAt::of(order.wanted),
            wake_at: order.wake_at.map(time),
            tariff: order.tariff.map(|tariff| tariff.0),
            payment: order.payment,
            comment: order.comment,
            estimate: order.estimate,
            car: order.car,
            driver: order.driver,
            eta: order.eta.map(|eta| Eta { minutes: eta.minutes, made_at: time(eta.made_at), at: time(eta.at()) }),
            fare: order.fare,
            settlement: order.settlement,
            cancellation: order.cancellation,
            created_by: order.created_by,
            source: order.source,
            created_at: time(order.created_at),
            searching_at: order.searching_at.map(time),
            assigned_at: order.assigned_at.map(time),
            arrived_at: order.arrived_at.map(time),
            started_at: order.started_at.map(time),
            ended_at: order.ended_at.map(time),
            searches: order.searches,
        }
    }
}

/// A line of an order's history.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::shell) struct OrderHistory {
    /// The version that it made.
    version: u64,
    at: DateTime<Utc>,
    /// Who.
    actor: Actor,
    /// By which way.
    source: Source,
    #[serde(flatten)]
    event: OrderEvent,
}

/// What happened to an order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(in crate::shell) enum OrderEvent {
    /// It was taken.
    Created { from: Address, to: Vec<Address>, wanted: Option<WantedAt>, comment: String },
    /// A pre-order's time came.
    Woken,
    /// A car was found.
    Assigned { car: Car, driver: Driver, eta_minutes: u16 },
    /// Another car instead.
    Reassigned { car: Car, driver: Driver, eta_minutes: u16 },
    /// The car comes earlier or later.
    EtaChanged { eta_minutes: u16 },
    /// The car will not come; another one is looked for.
    Released { reason: String },
    /// The car is there.
    CarArrived,
    /// The client is in the car.
    Started,
    /// The trip is over.
    Finished { fare: Fare, settlement: Settlement },
    /// No car could be found.
    CarNotFound,
    /// The search goes on.
    SearchedAgain,
    /// Called off.
    Cancelled { by: CancelledBy, reason: String },
    /// The client did not come out.
    ClientNoShow,
    /// Other things are to be done than before.
    Edited { changes: Vec<FieldChange> },
}

/// A field that was changed, each value as the order or card shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::shell) struct FieldChange {
    pub(in crate::shell) field: &'static str,
    /// Any JSON.
    pub(in crate::shell) before: Value,
    /// Any JSON.
    pub(in crate::shell) after: Value,
}

impl From<Entry<domain::Event>> for OrderHistory {
    fn from(entry: Entry<domain::Event>) -> OrderHistory {
        let Entry { version, at, actor, source, event } = entry;
        OrderHistory { version, at: time(at), actor, source, event: event.into() }
    }
}

impl From<domain::Event> for OrderEvent {
    fn from(event: domain::Event) -> OrderEvent {
        use domain::Event;
        match event {
            Event::Created {
                from,
                to,
                wanted,
                comment,
                client: _,
                phone: _,
                passenger: _,
                tariff: _,
                payment: _,
                estimate: _,
            } => OrderEvent::Created {
                from: from.into(),
                to: to.into_iter().map(Address::from).collect(),
                wanted: WantedAt::of(wanted),
                comment,
            },
            Event::Woken => OrderEvent::Woken,
            Event::Assigned { car, driver, eta_minutes } => OrderEvent::Assigned { car, driver, eta_minutes },
            Event::Reassigned { car, driver, eta_minutes } => OrderEvent::Reassigned { car, driver, eta_minutes },
            Event::EtaChanged { eta_minutes } => OrderEvent::EtaChanged { eta_minutes },
            Event::Released { reason } => OrderEvent::Released { reason },
            Event::CarArrived => OrderEvent::CarArrived,
            Event::Started => OrderEvent::Started,
            Event::Finished { fare, settlement, calculation: _ } => OrderEvent::Finished { fare, settlement },
            Event::CarNotFound => OrderEvent::CarNotFound,
            Event::SearchedAgain => OrderEvent::SearchedAgain,
            Event::Cancelled { by, reason } => OrderEvent::Cancelled { by, reason },
            Event::ClientNoShow => OrderEvent::ClientNoShow,
            Event::Edited { changes } => {
                OrderEvent::Edited { changes: changes.into_iter().map(FieldChange::from).collect() }
            }
        }
    }
}

impl From<domain::Change> for FieldChange {
    fn from(change: domain::Change) -> FieldChange {
        let (field, after) = field(change.after);
        FieldChange { field, before: field_value(change.before), after }
    }
}

fn field_value(detail: Detail) -> Value {
    field(detail).1
}

/// Its name and its value, as the order shows them.
fn field(detail: Detail) -> (&'static str, Value) {
    match detail {
        Detail::Phone(value) => ("phone", json!(value)),
        Detail::Passenger(value) => ("passenger", json!(value)),
        Detail::From(value) => ("from", json!(Address::from(value))),
        Detail::To(value) => ("to", json!(value.into_iter().map(Address::from).collect::<Vec<_>>())),
        Detail::Wanted(value) => ("wanted", json!(WantedAt::of(value))),
        Detail::Tariff(value) => ("tariff", json!(value)),
        Detail::Payment(value) => ("payment", json!(value)),
        Detail::Comment(value) => ("comment", json!(value)),
        Detail::Estimate(value) => ("estimate", json!(value)),
    }
}

/// What a webhook is told of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::shell) struct OrderNews {
    /// As it is now.
    pub(in crate::shell) order: Order,
    /// What made it so: the last line of its history.
    pub(in crate::shell) change: OrderHistory,
}
