//! Orders: taken, changed, and what follows for their clients, in one transaction each. What is allowed and what
//! follows is the domain's to say.

use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::address::{Address, GeoPoint};
use crate::domain::fare::{Calculation, Funds};
use crate::domain::group::Group;
use crate::domain::hint::Place;
use crate::domain::history::Entry;
use crate::domain::ids::{OrderId, TariffId};
use crate::domain::ledger::{self, Balances, Book, Post};
use crate::domain::money::Kopecks;
use crate::domain::order::{self, Command, Create, Effect, Event, Finish, Order, Price, Regard, Wanted};
use crate::domain::phone::Phone;
use crate::domain::rejected::{Problem, Rejected};
use crate::domain::tariff::{Tariff, Terms};
use crate::domain::taximeter::{Rules, TrackPoint, Zone, measure};
use crate::engine::command::Update;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::author::{Author, ChangeError};
use super::catalogue::{Item, whole};
use super::clients::ClientRow;
use super::outbox::Message;
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Number of the row.
    pub id: OrderId,
    /// The order.
    pub order: Order,
}

/// What is wanted of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderChange {
    /// Anything but its end, for which more must be known. A [`Command::Finish`] here is taken as it is.
    Command(Command),
    /// The trip is over; discount, bonuses and account are read in the same transaction.
    Finish(FinishPrice),
}

/// What the trip costs before any discount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishPrice {
    /// Agreed beforehand, or told by an outside system.
    Fixed(Kopecks),
    /// By the order's tariff and the points that were stored for it.
    Metered(Metering),
}

/// What the office's settings say about reckoning a trip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metering {
    /// What is believed of a receiver.
    pub rules: Rules,
    /// Where the city is.
    pub zone: Zone,
    /// How far the office's clock is ahead of UTC, minutes.
    pub utc_offset_minutes: i32,
    /// How much more is asked because many want a car, thousandths; 1000 is nothing.
    pub demand_permille: u32,
}

/// How a change of an order ends.
pub type OrderResult = Result<OrderRow, ChangeError<OrderRow>>;

/// Points of one order that are kept: a day of one each second.
const MOST_POINTS: i64 = 90_000;

impl Store {
    /// One order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_order(&self, id: OrderId) -> Result<Option<OrderRow>> {
        let sql = Sql::new("SELECT id, body FROM orders WHERE id = $1").with(id.0);
        self.row(sql).await?.as_ref().map(order_row).transpose()
    }

    /// The history of an order, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn order_history(&self, id: OrderId) -> Result<Vec<Entry<Event>>> {
        let sql = Sql::new("SELECT entry FROM order_history WHERE order_id = $1 ORDER BY version").with(id.0);
        self.rows(sql).await?.iter().map(|row| from_json(&row.text("entry")?)).collect()
    }

    /// Takes an order. Without a client it is that of the number, whose card is made now if there is none; with neither
    /// it is nobody's. Whether the client is blocked is read here, whatever `new.standing` says. Without a tariff it is
    /// that of the client, of the client's group, or the default one.
    ///
    /// # Errors
    /// [`ChangeError::Rejected`]; [`StoreError::NotFound`] when there is no such client, [`StoreError::NoSuch`] when
    /// there is no such tariff.
    pub async fn create_order(&self, mut new: Create, author: &Author, now: Wall) -> OrderResult {
        let mut tx = self.begin().await?;
        let phone = Phone::parse(&new.phone);
        let client = match new.client {
            Some(id) => Some(tx.root_locked(id).await?.ok_or(StoreError::NotFound("client"))?),
            None if phone.as_str().is_empty() => None,
            None => Some(tx.client_for_number(&phone, author, now).await.map_err(elsewhere)?),
        };
        let group = tx.group_of(client.as_ref()).await?;
        new.client = client.as_ref().map(|row| row.id);
        if let Some(row) = &client {
            new.standing = row.card.standing();
            if row.card.erased_at.is_some() {
                return Err(Rejected::Erased.into());
            }
            if new.phone.trim().is_empty() {
                new.phone = row.card.phone().to_owned();
            }
        }
        let named =
            new.tariff.or(client.as_ref().and_then(|row| row.card.tariff)).or(group.and_then(|g| g.value.tariff));
        new.tariff = match named {
            Some(tariff) => Some(tariff),
            None => tx.default_of::<Tariff>().await?.map(|tariff| TariffId(tariff.id)),
        };
        let (order, entries) = order::create(new, &author.by, now)?;
        let id = tx.insert_order(&order).await?;
        let row = OrderRow { id, order };
        tx.write_order_history(&row, &entries, author).await?;
        if let Some(client) = row.order.client {
            // What hints offer first the next time.
            for address in std::iter::once(&row.order.from).chain(&row.order.to) {
                tx.use_place(client.0, &place(address), now).await?;
            }
        }
        tx.commit().await?;
        self.announce(row.update());
        Ok(row)
    }

    /// Changes an order, with what follows for its client: counters, payments, bonuses. A command that changes nothing
    /// gives the order as it is.
    ///
    /// # Errors
    /// [`ChangeError::Stale`], [`ChangeError::Rejected`], [`StoreError::NotFound`].
    pub async fn change_order(&self, id: OrderId, change: OrderChange, author: &Author, now: Wall) -> OrderResult {
        let mut tx = self.begin().await?;
        let before = tx.order_locked(id).await?.ok_or(StoreError::NotFound("order"))?;
        let refused = |rejected| ChangeError::of(rejected, &before);
        author.by.check(before.order.version).map_err(refused)?;
        let command = match change {
            OrderChange::Command(command) => command,
            OrderChange::Finish(price) => Command::Finish(tx.finish(&before, price, now).await?),
        };
        let (order, entries) = order::handle(&before.order, command, &author.by, now).map_err(refused)?;
        if entries.is_empty() {
            return Ok(before);
        }
        let row = OrderRow { id, order };
        tx.write_order(&row, before.order.version).await?;
        tx.write_order_history(&row, &entries, author).await?;
        let clients = tx.follow(&row, &entries, author, now).await?;
        let client = match clients.iter().find(|client| Some(client.id) == row.order.client) {
            Some(client) => Some(client.clone()),
            None => tx.client_of(&row.order).await?,
        };
        let told = tx.announce(&before.order, &row, &entries, client.as_ref(), &self.announcing(), now).await?;
        tx.commit().await?;
        self.callbacks_changed(&told.0);
        if told.1 {
            self.hurry_sms();
        }
        self.announce(row.update());
        clients.iter().for_each(|client| self.announce(client.update()));
        Ok(row)
    }

    /// Pre-orders whose time has come, the earliest first, at most so many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn orders_to_wake(&self, now: Wall, most: u32) -> Result<Vec<OrderId>> {
        let sql = Sql::new("SELECT id FROM orders WHERE wake_at <= $1 ORDER BY wake_at, id LIMIT $2");
        let rows = self.rows(sql.with(now.0).with(i64::from(most))).await?;
        rows.iter().map(|row| Ok(OrderId(row.int("id")?))).collect()
    }

    /// Keeps points of a trip for its fare. The same point twice is one; what comes when the trip is not under way, and
    /// more than a day of points, is not kept. Answers how many were new.
    ///
    /// # Errors
    /// [`ChangeError::Rejected`] for a point that is nowhere, [`StoreError::NotFound`].
    pub async fn add_points(&self, id: OrderId, points: &[TrackPoint]) -> Result<u64, ChangeError<OrderRow>> {
        points.iter().try_for_each(|point| point.place.check("place"))?;
        let mut tx = self.begin().await?;
        let row = tx.order_locked(id).await?.ok_or(StoreError::NotFound("order"))?;
        let count = Sql::new("SELECT COUNT(*) AS many FROM order_points WHERE order_id = $1").with(id.0);
        let known = tx.row(count).await?.ok_or(StoreError::NotFound("answer"))?.int("many")?;
        let room = usize::try_from(MOST_POINTS.saturating_sub(known)).unwrap_or(0);
        let mut new = 0;
        let under_way = row.order.state == order::State::InTrip;
        for point in points.iter().filter(|_| under_way).take(room) {
            let sql = Sql::new(
                "INSERT INTO order_points (order_id, at, lat_e7, lon_e7, accuracy_m) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (order_id, at, lat_e7, lon_e7) DO NOTHING",
            )
            .with(id.0)
            .with(point.at.0)
            .with(i64::from(point.place.lat_e7))
            .with(i64::from(point.place.lon_e7))
            .with(point.accuracy_m.map(i64::from));
            new += tx.execute(sql).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// The points of a trip, by time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn order_points(&self, id: OrderId) -> Result<Vec<TrackPoint>> {
        self.rows(select_points(id)).await?.iter().map(point).collect()
    }
}

impl Tx {
    async fn order_locked(&mut self, id: OrderId) -> Result<Option<OrderRow>> {
        let sql = Sql::new("SELECT id, body FROM orders WHERE id = $1").with(id.0);
        self.row_locked(sql).await?.as_ref().map(order_row).transpose()
    }

    pub(super) async fn order_by_id(&mut self, id: OrderId) -> Result<Option<OrderRow>> {
        let sql = Sql::new("SELECT id, body FROM orders WHERE id = $1").with(id.0);
        self.row(sql).await?.as_ref().map(order_row).transpose()
    }

    /// A new row.
    async fn insert_order(&mut self, order: &Order) -> Result<OrderId> {
        let sql = Sql::new(
            "INSERT INTO orders (version, state, client, phone, tariff, source, driver, callsign, created_at, \
             wanted_at, wake_at, ended_at, total, body) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id",
        );
        let row = self.row(bind(sql, order)?).await?.ok_or(StoreError::NotFound("order"))?;
        Ok(OrderId(row.int("id")?))
    }

    /// Over the row that was read (and locked).
    async fn write_order(&mut self, row: &OrderRow, before: u64) -> Result<()> {
        let sql = Sql::new(
            "UPDATE orders SET version = $1, state = $2, client = $3, phone = $4, tariff = $5, source = $6, \
             driver = $7, callsign = $8, created_at = $9, wanted_at = $10, wake_at = $11, ended_at = $12, \
             total = $13, body = $14 WHERE id = $15 AND version = $16",
        );
        let sql = bind(sql, &row.order)?.with(row.id.0).with(whole(before)?);
        match self.execute(sql).await? {
            1 => Ok(()),
            // Cannot be: the row was locked.
            _ => Err(StoreError::Failed(format!("order {} was changed while it was locked", row.id))),
        }
    }

    /// Takes what tells of a person out of all orders of a client who is erased; times, states and sums stay for the
    /// statistics. What programs outside have not taken yet, they are not told any more.
    ///
    /// # Errors
    /// [`Rejected::OpenOrder`] while one of them is still to be driven.
    pub(super) async fn redact_orders(&mut self, client: i64) -> Result<(), ChangeError<ClientRow>> {
        let orders = Sql::new("SELECT id, ended_at FROM orders WHERE client = $1 ORDER BY id").with(client);
        for found in self.rows(orders).await? {
            let id = OrderId(found.int("id")?);
            if found.int_opt("ended_at")?.is_none() {
                return Err(Rejected::OpenOrder { order: id }.into());
            }
            let history = Sql::new("SELECT id, entry FROM order_history WHERE order_id = $1 ORDER BY version");
            let mut entries = Vec::new();
            for line in self.rows(history.with(id.0)).await? {
                let entry = order::redacted(from_json(&line.text("entry")?)?);
                let sql = Sql::new("UPDATE order_history SET entry = $2 WHERE id = $1").with(line.int("id")?);
                self.execute(sql.with(json(&entry)?)).await?;
                entries.push(entry);
            }
            let order = order::restore(&entries).ok_or_else(|| {
                StoreError::Failed(format!("the history of order {id} does not begin with its making"))
            })?;
            let version = order.version;
            self.write_order(&OrderRow { id, order }, version).await?;
            self.execute(Sql::new("DELETE FROM order_points WHERE order_id = $1").with(id.0)).await?;
            self.execute(Sql::new("DELETE FROM outbox WHERE lane = $1").with(Message::lane_of_order(id.0))).await?;
        }
        Ok(())
    }

    async fn write_order_history(&mut self, row: &OrderRow, entries: &[Entry<Event>], author: &Author) -> Result<()> {
        for entry in entries {
            let kind = entry.event.kind();
            let sql =
                Sql::new("INSERT INTO order_history (order_id, version, at, kind, entry) VALUES ($1, $2, $3, $4, $5)")
                    .with(row.id.0)
                    .with(whole(entry.version)?)
                    .with(entry.at.0)
                    .with(kind.to_owned())
                    .with(json(entry)?);
            self.execute(sql).await?;
            let detail = json!({ "version": entry.version, "state": row.order.state });
            author.audit(self, format!("order.{kind}"), row.id, detail, entry.at).await?;
            self.enqueue(&Message::of_order(row.id.0, &row.order, entry)?).await?;
        }
        Ok(())
    }

    /// What follows from an order's events for its client; answers those for whom something did.
    async fn follow(
        &mut self,
        row: &OrderRow,
        entries: &[Entry<Event>],
        author: &Author,
        now: Wall,
    ) -> Result<Vec<ClientRow>, ChangeError<OrderRow>> {
        let nobody = Regard::default();
        let tells = |entry: &Entry<Event>| !order::effects(row.id, &row.order, &entry.event, nobody).is_empty();
        if !entries.iter().any(tells) {
            return Ok(Vec::new());
        }
        let mut touched = Vec::new();
        let Some(mut client) = self.client_of(&row.order).await? else { return Ok(touched) };
        let group = self.group_of(Some(&client)).await?;
        let first_trip = client.counters.completed == 0;
        let regard = Regard {
            group: group.as_ref().map(|group| &group.value),
            brought_by: client.card.referred_by.filter(|by| first_trip && Some(*by) != row.order.client),
        };
        for entry in entries {
            for effect in order::effects(row.id, &row.order, &entry.event, regard) {
                match effect {
                    Effect::Count { client: _, tally } => client.counters = client.counters.with(tally),
                    Effect::Post { client: whose, post } if Some(whose) == row.order.client => {
                        client.balances = self.enter(&client, post, author, now).await?;
                    }
                    Effect::Post { client: whose, post } => {
                        // Whoever brought the client may have been merged since, even into that very client.
                        let other = self.root_locked(whose).await?;
                        if let Some(other) = other.filter(|o| o.id != client.id && o.card.erased_at.is_none()) {
                            let balances = self.enter(&other, post, author, now).await?;
                            touched.push(ClientRow { balances, ..other });
                        }
                    }
                }
            }
        }
        self.count(client.id, client.counters).await?;
        touched.push(client);
        Ok(touched)
    }

    /// Enters what follows from an order into a client's ledger; answers the balances after it.
    async fn enter(
        &mut self,
        client: &ClientRow,
        post: Post,
        author: &Author,
        now: Wall,
    ) -> Result<Balances, ChangeError<OrderRow>> {
        let limits = self.limits(client, post.book, None).await?;
        let (balances, line) = ledger::post(&client.balances, post, &limits, &author.whatever_version(), now)?;
        self.insert_line(client.id, &line, author).await?;
        Ok(balances)
    }

    /// The order's client, or the card that it was merged into, locked.
    async fn client_of(&mut self, order: &Order) -> Result<Option<ClientRow>> {
        match order.client {
            Some(id) => self.root_locked(id).await,
            None => Ok(None),
        }
    }

    async fn group_of(&mut self, client: Option<&ClientRow>) -> Result<Option<Item<Group>>> {
        match client {
            Some(row) => self.item_or_default(row.card.group.map(|group| group.0)).await,
            None => Ok(None),
        }
    }

    /// What the end of the trip needs to know.
    async fn finish(&mut self, row: &OrderRow, price: FinishPrice, now: Wall) -> Result<Finish, ChangeError<OrderRow>> {
        let price = match price {
            FinishPrice::Fixed(price) => Price::Fixed(price),
            FinishPrice::Metered(metering) => Price::Calculated(Box::new(self.calculation(row, metering, now).await?)),
        };
        let Some(client) = self.client_of(&row.order).await? else {
            return Ok(Finish { price, discount: None, funds: Funds::default() });
        };
        let group = self.group_of(Some(&client)).await?;
        let credit = self.limits(&client, Book::Account, None).await?.credit;
        Ok(Finish {
            price,
            discount: client.card.discount.or(group.as_ref().and_then(|group| group.value.discount)),
            funds: Funds {
                bonus: client.balances.bonus,
                bonus_share_permille: group
                    .map_or(Group::default().bonus_share_permille, |group| group.value.bonus_share_permille),
                account: client.balances.account.plus(credit)?,
            },
        })
    }

    async fn calculation(
        &mut self,
        row: &OrderRow,
        metering: Metering,
        now: Wall,
    ) -> Result<Calculation, ChangeError<OrderRow>> {
        let order = &row.order;
        let tariff = self.item_or_default::<Tariff>(order.tariff.map(|tariff| tariff.0)).await?;
        let tariff = tariff.ok_or(Rejected::Field { field: "tariff", problem: Problem::Empty })?.value;
        let points = self.rows(select_points(row.id)).await?.iter().map(point).collect::<Result<Vec<_>>>()?;
        // An order that never started is refused by the domain, whatever is reckoned here.
        let started_at = order.started_at.unwrap_or(now);
        Ok(Calculation {
            tariff,
            terms: Terms {
                started_at,
                utc_offset_minutes: metering.utc_offset_minutes,
                demand_permille: metering.demand_permille,
            },
            trip: measure(&points, started_at, now, &metering.rules, &metering.zone),
            waited_ms: order.waited_ms(now),
        })
    }
}

impl OrderRow {
    fn update(&self) -> Update {
        let Order { version, state, client, .. } = self.order;
        Update::Order { order: self.id, client, version, state }
    }
}

/// A card could not be made: for the one who orders it is no stale order.
fn elsewhere(error: ChangeError<ClientRow>) -> ChangeError<OrderRow> {
    match error {
        ChangeError::Stale { current } => StoreError::Stale { now: current.card.version.cast_signed() }.into(),
        ChangeError::Rejected(rejected) => rejected.into(),
        ChangeError::Store(error) => error.into(),
    }
}

fn bind(sql: Sql, order: &Order) -> Result<Sql> {
    let wanted_at = match order.wanted {
        Wanted::Now => order.created_at,
        Wanted::At { at, lead_ms: _ } => at,
    };
    let source = json(&order.source)?;
    Ok(sql
        .with(whole(order.version)?)
        .with(order.state.as_str().to_owned())
        .with(order.client.map(|client| client.0))
        .with(order.phone.clone())
        .with(order.tariff.map(|tariff| tariff.0))
        .with(source.trim_matches('"').to_owned())
        .with(order.driver.as_ref().map(|driver| driver.code.clone()).unwrap_or_default())
        .with(order.car.as_ref().map(|car| car.callsign.clone()).unwrap_or_default())
        .with(order.created_at.0)
        .with(wanted_at.0)
        .with(order.wake_at.map(|at| at.0))
        .with(order.ended_at.map(|at| at.0))
        .with(order.fare.as_ref().map(|fare| fare.total.0))
        .with(json(order)?))
}

pub(super) fn order_row(row: &AnyRow) -> Result<OrderRow> {
    Ok(OrderRow { id: OrderId(row.int("id")?), order: from_json(&row.text("body")?)? })
}

fn place(address: &Address) -> Place {
    Place {
        city: address.city.clone(),
        street: address.street.clone(),
        house: address.house.clone(),
        entrance: address.entrance.clone(),
        comment: address.comment.clone(),
        ..Place::default()
    }
}

fn select_points(id: OrderId) -> Sql {
    let sql = "SELECT at, lat_e7, lon_e7, accuracy_m FROM order_points WHERE order_id = $1 ORDER BY at, lat_e7, lon_e7";
    Sql::new(sql).with(id.0)
}

fn point(row: &AnyRow) -> Result<TrackPoint> {
    Ok(TrackPoint {
        at: Wall(row.int("at")?),
        place: GeoPoint { lat_e7: row.small("lat_e7")?, lon_e7: row.small("lon_e7")? },
        accuracy_m: row.small_opt("accuracy_m")?,
    })
}

#[cfg(test)]
pub(in crate::shell) mod tests;
