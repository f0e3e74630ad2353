//! Cards of clients and their history as the API writes and reads them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::domain::address::Car;
use crate::domain::client::{self as domain, Attention, CardCar, CardPhone, Create, Dates, Detail, Doubt, Kind, Name};
use crate::domain::fare::Discount;
use crate::domain::history::{Actor, Entry, Source};
use crate::domain::ids::{ClientId, GroupId, TariffId};
use crate::domain::ledger::Balances;
use crate::domain::notify::ClientNotify;
use crate::shell::shapes::address::Address;
use crate::shell::shapes::order::FieldChange;
use crate::shell::store::clients::ClientRow;
use crate::speech::Language;

use super::dto::{given, time};
use super::problem::Problem;
use super::writer::Shown;

/// A number of a client.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientPhone {
    /// Canonical.
    number: String,
    /// Whose or which: the employee's name, «домашний»; may be empty.
    label: String,
    /// When somebody last made sure of it.
    confirmed_at: Option<DateTime<Utc>>,
}

/// A car of a client's own, for a car service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientCar {
    car: Car,
    /// Vehicle identification number; may be empty.
    vin: String,
    /// When somebody last made sure of it.
    confirmed_at: Option<DateTime<Utc>>,
}

/// Why a client cannot call, order or log in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientBlock {
    reason: String,
    at: DateTime<Utc>,
    by: Actor,
}

/// How often what happened with a client.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientCounters {
    /// Trips made.
    completed: u32,
    /// False orders.
    #[serde(rename = "false")]
    false_orders: u32,
    /// Trips for nothing.
    prize: u32,
    /// Orders that the client cancelled.
    cancelled: u32,
    complaints: u32,
    calls: u32,
    last_call_at: Option<DateTime<Utc>>,
}

/// When somebody last made sure of the data that "check this" asks for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfirmedAt {
    name: Option<DateTime<Utc>>,
    address: Option<DateTime<Utc>>,
}

/// A client's card («карточка клиента»).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Client {
    id: i64,
    /// Grows with every change of the card; counters and balances change without it.
    version: u64,
    /// The card's id as people know it: the first number, or whatever the office chose.
    code: String,
    /// What a list calls the client: the company, the person, or the number.
    title: String,
    /// The company of a corporate card; `null` for a person's.
    company: Option<String>,
    name: Name,
    /// The first is the main one.
    phones: Vec<ClientPhone>,
    address: Option<Address>,
    /// Empty if not known.
    email: String,
    /// The tariff for new orders; `null` for that of the group.
    tariff: Option<i64>,
    /// Shown when an order is taken.
    note: String,
    dates: Dates,
    /// `null` for the office's.
    language: Option<Language>,
    /// Own wishes about being informed; what is absent is as the office has it.
    notify: ClientNotify,
    blocked: Option<ClientBlock>,
    /// From 0, none, to 3, dangerous.
    conflict: u8,
    cars: Vec<ClientCar>,
    tags: BTreeSet<String>,
    /// Own discount; `null` for that of the group.
    discount: Option<Discount>,
    /// `null` for the default one.
    group: Option<i64>,
    /// Who brought this client.
    referred_by: Option<i64>,
    confirmed: ConfirmedAt,
    /// By which way the card was made.
    source: Source,
    created_at: DateTime<Utc>,
    /// Cards that were merged into this one.
    merged_from: Vec<i64>,
    /// The card that this one was merged into: use that one.
    merged_into: Option<i64>,
    /// When the data were erased on the client's request.
    erased_at: Option<DateTime<Utc>>,
    counters: ClientCounters,
    /// Kopecks on the accounts, and the number of entries: the version of the ledger.
    balances: Balances,
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Client {
        let ClientRow { id, card, counters, balances } = row;
        let title = card.title();
        let phone = |CardPhone { number, label, confirmed_at }| ClientPhone {
            number,
            label,
            confirmed_at: confirmed_at.map(time),
        };
        let car = |CardCar { car, vin, confirmed_at }| ClientCar { car, vin, confirmed_at: confirmed_at.map(time) };
        let block = |block: domain::Block| ClientBlock { reason: block.reason, at: time(block.at), by: block.by };
        Client {
            id: id.0,
            version: card.version,
            code: card.code,
            title,
            company: company(card.kind),
            name: card.name,
            phones: card.phones.into_iter().map(phone).collect(),
            address: card.address.map(Address::from),
            email: card.email,
            tariff: card.tariff.map(|tariff| tariff.0),
            note: card.note,
            dates: card.dates,
            language: card.language,
            notify: card.notify,
            blocked: card.blocked.map(block),
            conflict: card.conflict,
            cars: card.cars.into_iter().map(car).collect(),
            tags: card.tags,
            discount: card.discount,
            group: card.group.map(|group| group.0),
            referred_by: card.referred_by.map(|client| client.0),
            confirmed: ConfirmedAt { name: card.confirmed.name.map(time), address: card.confirmed.address.map(time) },
            source: card.source,
            created_at: time(card.created_at),
            merged_from: card.merged_from.into_iter().map(|client| client.0).collect(),
            merged_into: card.merged_into.map(|client| client.0),
            erased_at: card.erased_at.map(time),
            counters: ClientCounters {
                completed: counters.completed,
                false_orders: counters.false_orders,
                prize: counters.prize,
                cancelled: counters.cancelled,
                complaints: counters.complaints,
                calls: counters.calls,
                last_call_at: counters.last_call.map(time),
            },
            balances,
        }
    }
}

fn company(kind: Kind) -> Option<String> {
    match kind {
        Kind::Personal => None,
        Kind::Corporate { company } => Some(company),
    }
}

fn kind(company: Option<String>) -> Kind {
    company.map_or(Kind::Personal, |company| Kind::Corporate { company })
}

impl Shown for ClientRow {
    type Shape = Client;

    fn version(&self) -> u64 {
        self.card.version
    }

    fn shown(&self) -> Client {
        self.clone().into()
    }
}

/// A number to write on a card.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhoneToWrite {
    /// In any usual form.
    #[schema(max_length = 120)]
    number: String,
    /// Whose or which.
    #[serde(default)]
    #[schema(max_length = 120)]
    label: String,
}

/// A car to write on a card.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CarToWrite {
    /// With a plate or a callsign.
    car: Car,
    #[serde(default)]
    #[schema(max_length = 120)]
    vin: String,
}

/// What to write on a card; what is absent stays as it is. Lists are set as a whole.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CardToWrite {
    /// Change only if this is still the version; a new card has none.
    pub(super) version: Option<u64>,
    /// Who brought the client: with a new card only.
    referred_by: Option<i64>,
    /// The card's id as people know it; for a new card the main number when absent.
    #[schema(max_length = 120)]
    code: Option<String>,
    /// The company of a corporate card; `null` for a person's.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 120)]
    company: Option<Option<String>>,
    name: Option<Name>,
    /// The first is the main one.
    #[schema(max_items = 1000)]
    phones: Option<Vec<PhoneToWrite>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Address>)]
    address: Option<Option<Address>>,
    /// Empty if not known.
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The tariff for new orders; `null` for that of the group.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    tariff: Option<Option<i64>>,
    /// Shown when an order is taken.
    #[schema(max_length = 2000)]
    note: Option<String>,
    dates: Option<Dates>,
    /// `null` for the office's.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Language>)]
    language: Option<Option<Language>>,
    notify: Option<ClientNotify>,
    /// From 0, none, to 3, dangerous.
    #[schema(maximum = 3)]
    conflict: Option<u8>,
    #[schema(max_items = 100)]
    cars: Option<Vec<CarToWrite>>,
    #[schema(max_items = 100)]
    tags: Option<BTreeSet<String>>,
    /// `null` for that of the group.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Discount>)]
    discount: Option<Option<Discount>>,
    /// `null` for the default one.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    group: Option<Option<i64>>,
}

impl CardToWrite {
    /// For a new card.
    pub(super) fn new_card(self) -> Result<Create, Problem> {
        let referred_by = self.referred_by.map(ClientId);
        Ok(Create { code: None, details: self.details()?, referred_by })
    }

    /// For a card that exists.
    pub(super) fn changes(self) -> Result<Vec<Detail>, Problem> {
        if self.referred_by.is_some() {
            return Err(Problem::unprocessable("referred_by is told when the card is made, and stays as it is"));
        }
        self.details()
    }

    fn details(self) -> Result<Vec<Detail>, Problem> {
        let phone = |PhoneToWrite { number, label }| CardPhone { number, label, confirmed_at: None };
        let car = |CarToWrite { car, vin }| CardCar { car, vin, confirmed_at: None };
        let details = [
            self.code.map(Detail::Code),
            self.company.map(|company| Detail::Kind(kind(company))),
            self.name.map(Detail::Name),
            self.phones.map(|phones| Detail::Phones(phones.into_iter().map(phone).collect())),
            match self.address {
                Some(address) => Some(Detail::Address(address.map(Address::read).transpose()?)),
                None => None,
            },
            self.email.map(Detail::Email),
            self.tariff.map(|tariff| Detail::Tariff(tariff.map(TariffId))),
            self.note.map(Detail::Note),
            self.dates.map(Detail::Dates),
            self.language.map(Detail::Language),
            self.notify.map(Detail::Notify),
            self.conflict.map(Detail::Conflict),
            self.cars.map(|cars| Detail::Cars(cars.into_iter().map(car).collect())),
            self.tags.map(Detail::Tags),
            self.discount.map(Detail::Discount),
            self.group.map(|group| Detail::Group(group.map(GroupId))),
        ];
        Ok(details.into_iter().flatten().collect())
    }
}

/// A line of a card's history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientHistory {
    /// The version that it made.
    version: u64,
    at: DateTime<Utc>,
    /// Who.
    actor: Actor,
    /// By which way.
    source: Source,
    #[serde(flatten)]
    event: ClientEvent,
}

/// What happened to a card.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum ClientEvent {
    /// The card was made.
    Created { code: String, fields: Vec<FieldValue>, referred_by: Option<i64> },
    /// Something is known differently.
    Edited { changes: Vec<FieldChange> },
    /// Somebody made sure that this is right.
    Confirmed { what: Doubt },
    /// Cannot call, order on the site or log in from now on.
    Blocked { reason: String },
    /// Can again.
    Unblocked,
    /// Somebody complained.
    Complained { text: String },
    /// Another card of the same person was taken in.
    Absorbed { other: i64, changes: Vec<FieldChange> },
    /// This card was taken into another one.
    MergedInto { client: i64 },
    /// The client's data were erased on request.
    Erased,
}

/// A field that was set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldValue {
    field: &'static str,
    /// Any JSON: as the card shows it.
    value: Value,
}

impl From<Entry<domain::Event>> for ClientHistory {
    fn from(entry: Entry<domain::Event>) -> ClientHistory {
        let Entry { version, at, actor, source, event } = entry;
        ClientHistory { version, at: time(at), actor, source, event: event.into() }
    }
}

impl From<domain::Event> for ClientEvent {
    fn from(event: domain::Event) -> ClientEvent {
        use domain::Event;
        let all = |changes: Vec<domain::Change>| changes.into_iter().map(FieldChange::from).collect();
        match event {
            Event::Created { code, details, referred_by } => ClientEvent::Created {
                code,
                fields: details.into_iter().map(field).map(|(field, value)| FieldValue { field, value }).collect(),
                referred_by: referred_by.map(|client| client.0),
            },
            Event::Edited { changes } => ClientEvent::Edited { changes: all(changes) },
            Event::Confirmed { what } => ClientEvent::Confirmed { what },
            Event::Blocked { reason } => ClientEvent::Blocked { reason },
            Event::Unblocked => ClientEvent::Unblocked,
            Event::Complained { text } => ClientEvent::Complained { text },
            // The card as it was: `GET /clients/{other}`.
            Event::Absorbed { other, card: _, changes } => {
                ClientEvent::Absorbed { other: other.0, changes: all(changes) }
            }
            Event::MergedInto { client } => ClientEvent::MergedInto { client: client.0 },
            Event::Erased => ClientEvent::Erased,
        }
    }
}

impl From<domain::Change> for FieldChange {
    fn from(change: domain::Change) -> FieldChange {
        let (field_name, after) = field(change.after);
        FieldChange { field: field_name, before: field(change.before).1, after }
    }
}

/// Its name and its value, as the card shows them.
fn field(detail: Detail) -> (&'static str, Value) {
    match detail {
        Detail::Code(value) => ("code", json!(value)),
        Detail::Kind(value) => ("company", json!(company(value))),
        Detail::Name(value) => ("name", json!(value)),
        Detail::Phones(value) => {
            let phone = |phone: CardPhone| json!({"number": phone.number, "label": phone.label});
            ("phones", value.into_iter().map(phone).collect())
        }
        Detail::Address(value) => ("address", json!(value.map(Address::from))),
        Detail::Email(value) => ("email", json!(value)),
        Detail::Tariff(value) => ("tariff", json!(value)),
        Detail::Note(value) => ("note", json!(value)),
        Detail::Dates(value) => ("dates", json!(value)),
        Detail::Language(value) => ("language", json!(value)),
        Detail::Notify(value) => ("notify", json!(value)),
        Detail::Conflict(value) => ("conflict", json!(value)),
        Detail::Cars(value) => {
            let car = |car: CardCar| json!({"car": car.car, "vin": car.vin});
            ("cars", value.into_iter().map(car).collect())
        }
        Detail::Tags(value) => ("tags", json!(value)),
        Detail::Discount(value) => ("discount", json!(value)),
        Detail::Group(value) => ("group", json!(value)),
    }
}

/// Something on a card that is missing or old: ask the client.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CheckHint {
    what: Doubt,
    /// It is not known at all.
    missing: bool,
    /// When somebody last made sure of it, if ever.
    confirmed_at: Option<DateTime<Utc>>,
}

impl From<domain::Check> for CheckHint {
    fn from(check: domain::Check) -> CheckHint {
        CheckHint { what: check.what, missing: check.missing, confirmed_at: check.confirmed_at.map(time) }
    }
}

/// A card with what to ask about.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ClientWithChecks {
    #[serde(flatten)]
    pub(super) client: Client,
    /// "Check this": missing or old data.
    pub(super) checks: Vec<CheckHint>,
    /// Why to think of the client today and in the next 7 days.
    pub(super) attention: Vec<Attention>,
}

/// A page of cards, newest first; of a search the best first, on one page.
#[derive(Serialize, ToSchema)]
pub(super) struct Clients {
    pub(super) items: Vec<Client>,
    /// Cursor of the next page; `null` after the last.
    pub(super) next: Option<String>,
}
