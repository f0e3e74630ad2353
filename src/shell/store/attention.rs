//! Days on which the staff should think of clients, as a list for all: birthdays and other days of the cards, and how
//! long somebody has been a client. New Year is everybody's and needs no list.

use std::collections::BTreeSet;

use crate::domain::client::{Attention, Client, Reason, attention};
use crate::domain::ids::ClientId;
use crate::domain::time::Date;
use crate::engine::time::Wall;

use super::clients::{COLUMNS, ClientRow, FROM, client_row};
use super::page::{Place, with_one_more};
use super::table::Value;
use super::{Columns as _, Page, Result, Sql, Store, Tx};

/// Years of registration that are looked through.
const MOST_YEARS: i32 = 60;
const DAY_MS: i64 = 86_400_000;

/// Which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// How many with it.
    pub count: u16,
    /// How far the office's clock is ahead of UTC.
    pub utc_offset_minutes: i32,
}

/// A client to think of on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttentionRow {
    /// Which day.
    pub on: Date,
    /// Whom.
    pub client: ClientRow,
    /// Why; at least one reason.
    pub why: Vec<Attention>,
}

impl Store {
    /// A page of clients to think of, by day.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](super::StoreError::BadCursor), or when the database does not answer.
    pub async fn attention(&self, days: Days, cursor: Option<&str>, limit: u32) -> Result<Page<AttentionRow>> {
        let place = Place::parse(cursor)?;
        let wanted = usize::try_from(with_one_more(limit)).unwrap_or(1);
        let oldest = self.row(Sql::new("SELECT COALESCE(MIN(created_at), 0) AS oldest FROM clients")).await?;
        let oldest = oldest.map_or(Ok(0), |row| row.int("oldest"))?;
        let oldest = Date::of(Wall(oldest), days.utc_offset_minutes).year();
        let first = days.from.days();
        let mut found = Vec::new();
        for number in first..first.saturating_add(i64::from(days.count)) {
            let mut after = match place {
                Some(place) if place.at > number => continue,
                Some(place) if place.at == number => place.id,
                Some(_) | None => 0,
            };
            let on = Date::from_days(number);
            while found.len() < wanted {
                let rows = self.of_day(on, oldest, days.utc_offset_minutes, after, with_one_more(limit)).await?;
                let Some(last) = rows.last() else { break };
                after = last.id.0;
                let all = rows.len() < wanted;
                for client in rows {
                    let registered = Date::of(client.card.created_at, days.utc_offset_minutes);
                    let mut why = attention(&client.card, registered, on, 1);
                    why.retain(|attention| attention.reason != Reason::NewYear);
                    if !why.is_empty() {
                        found.push(AttentionRow { on, client, why });
                    }
                }
                if all {
                    break;
                }
            }
        }
        Ok(Page::cut(found, limit, |row| Place { at: row.on.days(), id: row.client.id.0 }))
    }

    /// Cards with a number above `after` that have that day in their calendar.
    async fn of_day(&self, on: Date, oldest: i32, offset: i32, after: i64, most: i64) -> Result<Vec<ClientRow>> {
        let mut sql = Sql::new(format!(
            "SELECT {COLUMNS}{FROM}WHERE c.root IS NULL AND c.erased_at IS NULL AND c.id > $1 AND c.id IN \
             (SELECT client FROM client_days WHERE day IN ($2, $3)"
        ));
        // 29 February is thought of on the 28th in a year that lacks it.
        let leap_day = Date::new(2024, 2, 29).filter(|leap| leap.in_year(on.year()) == on);
        sql = sql.with(after).with(of_year(on)).with(of_year(leap_day.unwrap_or(on)));
        for year in oldest.max(on.year().saturating_sub(MOST_YEARS))..on.year() {
            let same = on.in_year(year);
            let leap = leap_day.and_then(|_| Date::new(year, 2, 29));
            for day in BTreeSet::from([same, leap.unwrap_or(same)]) {
                if day.in_year(on.year()) == on {
                    let start = day.days() * DAY_MS - i64::from(offset) * 60_000;
                    sql.push(" UNION SELECT id FROM clients WHERE created_at >= ");
                    sql.push_value(start);
                    sql.push(" AND created_at < ");
                    sql.push_value(start + DAY_MS);
                }
            }
        }
        sql.push(") ORDER BY c.id LIMIT ");
        sql.push_value(most);
        self.rows(sql).await?.iter().map(client_row).collect()
    }
}

impl Tx {
    /// The days of a card over those that it had.
    pub(super) async fn write_days(&mut self, id: ClientId, before: &Client, card: &Client) -> Result<()> {
        if before.dates == card.dates {
            return Ok(());
        }
        self.execute(Sql::new("DELETE FROM client_days WHERE client = $1").with(id.0)).await?;
        self.insert_into("client_days", DAYS, day_rows(id, card), "").await
    }
}

/// Columns of [`day_rows`].
pub(super) const DAYS: &str = "day, client";

pub(super) fn day_rows(id: ClientId, card: &Client) -> Vec<Vec<Value>> {
    let days = card.dates.birthday.into_iter().chain(card.dates.others.iter().map(|named| named.date));
    let days: BTreeSet<i64> = days.map(of_year).collect();
    days.into_iter().map(|day| vec![Value::Int(day), Value::Int(id.0)]).collect()
}

/// A day of the year as one number.
fn of_year(date: Date) -> i64 {
    i64::from(date.month()) * 100 + i64::from(date.day())
}

#[cfg(test)]
mod tests {
    use crate::domain::client::{Command, Dates, Detail, NamedDate};

    use super::super::clients::tests::{new, olga, phones};
    use super::super::testing::on_both;
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Wall {
        Wall(date(text).days() * DAY_MS + 1)
    }

    #[tokio::test]
    async fn clients_to_think_of_are_listed_by_day_with_the_reasons() {
        on_both(async |t| {
            let s = &t.store;
            let make = async |number: &str, birthday: Option<&str>, others: &[&str], made: &str| {
                let others = others.iter().map(|text| NamedDate { label: "свадьба".into(), date: date(text) });
                let dates = Dates { birthday: birthday.map(date), others: others.collect() };
                let new = new(vec![phones(&[number]), Detail::Dates(dates)]);
                s.create_client(new, &olga(), at(made)).await.unwrap().id
            };
            let leap = make("+79000000001", Some("1992-02-29"), &[], "2024-05-05").await;
            let both = make("+79000000002", Some("1990-03-01"), &["2010-03-01"], "2024-03-01").await;
            let since = make("+79000000003", None, &[], "2024-02-29").await;
            make("+79000000004", Some("2027-03-01"), &[], "2025-02-28").await;
            let gone = make("+79000000005", Some("1980-03-01"), &[], "2025-01-01").await;
            s.change_client(gone, Command::Erase, &olga(), at("2025-01-02")).await.unwrap();
            let days = |from: &str, count| Days { from: date(from), count, utc_offset_minutes: 180 };
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = s.attention(days("2025-02-28", 3), cursor.as_deref(), 1).await.unwrap();
                seen.extend(page.items.iter().map(|row| (row.on.to_string(), row.client.id, row.why.len())));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let (feb, mar) = ("2025-02-28".to_owned(), "2025-03-01".to_owned());
            assert_eq!(seen, [(feb.clone(), leap, 1), (feb, since, 1), (mar, both, 3)]);
            let leap_year = s.attention(days("2028-02-28", 2), None, 9).await.unwrap().items;
            let told: Vec<_> = leap_year.iter().map(|row| (row.on.to_string(), row.client.id)).collect();
            let fourth = ClientId(since.0 + 1);
            let day = |text: &str| format!("2028-02-{text}");
            assert_eq!(told, [(day("28"), fourth), (day("29"), leap), (day("29"), since)]);
            let none = Detail::Dates(Dates::default());
            s.change_client(leap, Command::Edit(vec![none]), &olga(), at("2025-01-03")).await.unwrap();
            let left = s.attention(days("2025-02-28", 1), None, 9).await.unwrap().items;
            assert_eq!(left.iter().map(|row| row.client.id).collect::<Vec<_>>(), [since]);
        })
        .await;
    }
}
