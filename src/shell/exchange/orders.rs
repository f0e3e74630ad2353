//! Orders as a table: all of them out; those that are still to be driven in.

use std::collections::BTreeMap;
use std::io::Read;

use chrono::DateTime;

use crate::domain::address::Address;
use crate::domain::fare::Payment;
use crate::domain::ids::TariffId;
use crate::domain::money::Kopecks;
use crate::domain::order::{self, Create, Standing, Wanted};
use crate::domain::phone::Phone;
use crate::domain::tariff::Tariff;
use crate::engine::time::Wall;
use crate::shell::store::Store;
use crate::shell::store::author::{Author, ChangeError};
use crate::shell::store::breather::Breather;
use crate::shell::store::idempotency::{IdempotencyKey, Turn};
use crate::shell::store::order_list::OrderFilter;
use crate::shell::store::orders::OrderRow;
use crate::shell::store::sha256_hex;

use super::{Cells, Column, ExchangeError, Fault, Names, Part, Report, Sheet, Wish, Writer, moment};

/// The columns, in the order of an export; the last ones are of exports only.
const COLUMNS: &[Column] = &[
    ("phone", &["телефон", "номер"]),
    ("passenger", &["пассажир"]),
    ("from_city", &["откуда город"]),
    ("from_street", &["откуда", "откуда улица"]),
    ("from_house", &["откуда дом"]),
    ("from_entrance", &["откуда подъезд"]),
    ("from_comment", &["откуда комментарий"]),
    ("to_city", &["куда город"]),
    ("to_street", &["куда", "куда улица"]),
    ("to_house", &["куда дом"]),
    ("to_entrance", &["куда подъезд"]),
    ("to_comment", &["куда комментарий"]),
    ("wanted_at", &["когда", "время подачи"]),
    ("lead_minutes", &["искать за"]),
    ("tariff", &["тариф"]),
    ("payment", &["оплата"]),
    ("comment", &["комментарий", "примечание"]),
    ("estimate", &["цена", "оценка"]),
    ("state", &["состояние"]),
    ("id", &[]),
    ("via", &[]),
    ("created_at", &[]),
    ("source", &[]),
    ("plate", &[]),
    ("driver", &[]),
    ("ended_at", &[]),
    ("total", &[]),
    ("cancel_reason", &[]),
];

/// The domain's fields that have another name here.
const FIELDS: &[(&str, &str)] =
    &[("from", "from_street"), ("to", "to_street"), ("wanted.at", "wanted_at"), ("wanted.lead_ms", "lead_minutes")];

/// How long before its time the search for a car begins, unless the table says.
const LEAD_MINUTES: u32 = 20;

/// Under this name lines are kept that were imported, for a day: a table sent twice makes no second orders.
const OWNER: &str = "import";

struct New {
    line: u64,
    order: Create,
    key: IdempotencyKey,
}

/// Reads a table and takes its orders. A line that was imported within the last 24 hours is known.
///
/// # Errors
/// When the database does not answer; what was taken until then stays, and is known the next time.
pub async fn import(
    store: &Store,
    from: impl Read,
    wish: Wish,
    author: &Author,
    now: Wall,
) -> Result<Report, ExchangeError> {
    let tariffs = Names::read::<Tariff>(store).await?;
    let mut report = Report::default();
    let news = read(from, &mut report, &tariffs, author, now);
    report.new = news.len() as u64;
    report.done = wish.writes(&report);
    if !report.done {
        return Ok(report);
    }
    report.new = 0;
    let mut breather = Breather::default();
    for new in news {
        breather.give_way().await;
        if store.begin_idempotent(&new.key, "", now).await? != Turn::Fresh {
            report.known += 1;
            continue;
        }
        match store.create_order(new.order, author, now).await {
            Ok(row) => {
                report.new += 1;
                store.finish_idempotent(&new.key, 201, &row.id.to_string()).await?;
            }
            Err(error) => {
                store.abandon_idempotent(&new.key).await?;
                match error {
                    ChangeError::Store(error) => return Err(error.into()),
                    // A blocked client, for example.
                    ChangeError::Rejected(_) | ChangeError::Stale { .. } => {
                        report.faults.push(Fault { line: new.line, column: String::new(), why: error.to_string() });
                    }
                }
            }
        }
    }
    Ok(report)
}

fn read(from: impl Read, report: &mut Report, tariffs: &Names, author: &Author, now: Wall) -> Vec<New> {
    let mut news = Vec::new();
    let mut sheet = match Sheet::open(from, COLUMNS, report) {
        Ok(sheet) => sheet,
        Err(bad) => {
            report.faults.push(bad.into());
            return news;
        }
    };
    if !sheet.places.contains_key("from_street") {
        let why = "there is no column from_street («откуда»): name one in the header".to_owned();
        report.faults.push(Fault { line: 1, column: String::new(), why });
        return news;
    }
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    sheet.each(report, |cells| {
        let order = order(cells, tariffs)?;
        order::create(order.clone(), &author.by, now).map_err(|rejected| cells.refused(&rejected, FIELDS))?;
        let key = sha256_hex(format!("{order:?}"));
        if let Some(first) = seen.insert(key.clone(), cells.line.number) {
            return Err(cells.fault("", format!("it says the same as line {first}: remove one of the two")));
        }
        let key = IdempotencyKey { owner: OWNER.to_owned(), key, route: "orders".to_owned() };
        news.push(New { line: cells.line.number, order, key });
        Ok(())
    });
    news
}

fn order(cells: &Cells<'_>, tariffs: &Names) -> Result<Create, Fault> {
    let state = cells.text("state");
    if !state.is_empty() && state != "searching" {
        let why =
            format!("the order is {state:?}: only orders that are still to be driven can be imported, remove the line");
        return Err(cells.fault("state", why));
    }
    if !cells.text("via").is_empty() {
        return Err(cells.fault("via", "an order with stops on the way cannot be imported: enter it by hand"));
    }
    let phone = cells.parsed("phone", |text| Phone::entered("phone", text).ok(), "write it as +7 900 123-45-67")?;
    let to = address(cells, ["to_city", "to_street", "to_house", "to_entrance", "to_comment"]);
    let advice = "write it with the offset from UTC, as 2026-12-31T09:30:00+03:00";
    let at = cells.parsed("wanted_at", time, advice)?;
    let lead = cells.parsed("lead_minutes", |text| text.parse().ok(), "write whole minutes")?;
    let lead_ms = i64::from(lead.unwrap_or(LEAD_MINUTES)) * 60_000;
    Ok(Create {
        client: None,
        standing: Standing::default(),
        phone: phone.map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
        passenger: cells.text("passenger"),
        from: address(cells, ["from_city", "from_street", "from_house", "from_entrance", "from_comment"]),
        to: if to.is_empty() { Vec::new() } else { vec![to] },
        wanted: at.map_or(Wanted::Now, |at| Wanted::At { at, lead_ms }),
        tariff: tariffs.find(cells, "tariff")?.map(TariffId),
        payment: cells.parsed("payment", payment, "write cash, account or bonus")?.unwrap_or_default(),
        comment: cells.text("comment"),
        estimate: cells.parsed("estimate", roubles, "write roubles, as 350 or 350,50")?,
    })
}

fn address(cells: &Cells<'_>, [city, street, house, entrance, comment]: [&'static str; 5]) -> Address {
    Address {
        city: cells.text(city),
        street: cells.text(street),
        house: cells.text(house),
        entrance: cells.text(entrance),
        comment: cells.text(comment),
        point: None,
    }
}

fn time(text: &str) -> Option<Wall> {
    let known = ["%Y-%m-%d %H:%M%:z", "%Y-%m-%d %H:%M:%S%:z", "%d.%m.%Y %H:%M%:z"];
    let read = DateTime::parse_from_rfc3339(text).ok();
    let read = read.or_else(|| known.into_iter().find_map(|form| DateTime::parse_from_str(text, form).ok()))?;
    Some(Wall(read.timestamp_millis()))
}

fn payment(text: &str) -> Option<Payment> {
    match text.to_lowercase().as_str() {
        "наличные" => Some(Payment::Cash),
        "счёт" | "счет" => Some(Payment::Account),
        "бонусы" => Some(Payment::Bonus),
        word => Payment::parse(word),
    }
}

/// `350`, `350,5` or `350.50`, as kopecks.
fn roubles(text: &str) -> Option<Kopecks> {
    let (whole, part) = text.split_once([',', '.']).unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let kopecks: i64 = format!("{part:0<2}").parse().ok()?;
    Some(Kopecks(whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(kopecks)?))
}

/// A part of all orders as a table, the newest first.
///
/// # Errors
/// [`StoreError::BadCursor`](crate::shell::store::StoreError::BadCursor), or when the database does not answer.
pub async fn export(store: &Store, cursor: Option<&str>) -> Result<Part, ExchangeError> {
    let tariffs = Names::by_number::<Tariff>(store).await?;
    let page = store.list_orders(&OrderFilter::default(), cursor, 500).await?;
    let mut writer = Writer::new(cursor.is_none(), COLUMNS)?;
    for row in page.items {
        let tariff = row.order.tariff.and_then(|id| tariffs.get(&id.0)).cloned().unwrap_or_default();
        writer.line(cells(row, tariff))?;
    }
    Ok(Part { bytes: writer.done()?, next: page.next })
}

/// In the order of [`COLUMNS`].
fn cells(row: OrderRow, tariff: String) -> [String; 28] {
    let order = row.order;
    let mut stops = order.to;
    let to = stops.pop().unwrap_or_default();
    let via = stops.iter().map(|stop| format!("{} {}", stop.street, stop.house)).collect::<Vec<_>>().join(" | ");
    let (wanted, lead) = match order.wanted {
        Wanted::Now => (String::new(), String::new()),
        Wanted::At { at, lead_ms } => (moment(at), (lead_ms / 60_000).to_string()),
    };
    let source = serde_json::to_value(order.source).ok().and_then(|word| word.as_str().map(str::to_owned));
    [
        order.phone,
        order.passenger,
        order.from.city,
        order.from.street,
        order.from.house,
        order.from.entrance,
        order.from.comment,
        to.city,
        to.street,
        to.house,
        to.entrance,
        to.comment,
        wanted,
        lead,
        tariff,
        order.payment.as_str().to_owned(),
        order.comment,
        order.estimate.map(|sum| sum.to_string()).unwrap_or_default(),
        order.state.as_str().to_owned(),
        row.id.to_string(),
        via,
        moment(order.created_at),
        source.unwrap_or_default(),
        order.car.map(|car| car.plate).unwrap_or_default(),
        order.driver.map(|driver| driver.name).unwrap_or_default(),
        order.ended_at.map(moment).unwrap_or_default(),
        order.fare.map(|fare| fare.total.to_string()).unwrap_or_default(),
        order.cancellation.map(|why| why.reason).unwrap_or_default(),
    ]
}
