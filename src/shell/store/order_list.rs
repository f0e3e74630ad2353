//! Orders as a list, newest first.

use crate::domain::ids::ClientId;
use crate::domain::order::State;
use crate::domain::phone::Phone;
use crate::engine::time::Wall;

use super::calls::{narrow_time, page_of};
use super::orders::{OrderRow, order_row};
use super::page::Place;
use super::{Page, Result, Sql, Store};

/// Which orders to list; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Taken at this moment or later.
    pub from: Option<Wall>,
    /// Taken before this moment.
    pub to: Option<Wall>,
    /// In one of these states; empty for all.
    pub states: Vec<State>,
    /// Of this client, and of the cards that were merged into it.
    pub client: Option<ClientId>,
    /// With this number to ring, in whatever form.
    pub phone: Option<String>,
    /// Of the driver with this code.
    pub driver: Option<String>,
}

impl OrderFilter {
    /// What somebody is working on.
    #[must_use]
    pub fn active() -> OrderFilter {
        let states = State::ALL.into_iter().filter(|state| state.is_active()).collect();
        OrderFilter { states, ..OrderFilter::default() }
    }
}

impl Store {
    /// A page of orders, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](super::StoreError::BadCursor), or when the database does not answer.
    pub async fn list_orders(&self, filter: &OrderFilter, cursor: Option<&str>, limit: u32) -> Result<Page<OrderRow>> {
        let mut sql = Sql::new("SELECT id, body FROM orders WHERE 1 = 1");
        narrow_time(&mut sql, "created_at", filter.from, filter.to);
        if !filter.states.is_empty() {
            sql.push(" AND state IN (");
            for (at, state) in filter.states.iter().enumerate() {
                sql.push(if at == 0 { "" } else { ", " });
                sql.push_value(state.as_str().to_owned());
            }
            sql.push(")");
        }
        if let Some(client) = filter.client {
            sql.push(" AND client IN (SELECT id FROM clients WHERE id = ");
            sql.push_value(client.0);
            sql.push(" OR root = ");
            sql.push_value(client.0);
            sql.push(")");
        }
        for (column, text) in [
            ("phone", filter.phone.as_deref().map(|phone| Phone::parse(phone).as_str().to_owned())),
            ("driver", filter.driver.clone()),
        ] {
            if let Some(text) = text {
                sql.push(&format!(" AND {column} = "));
                sql.push_value(text);
            }
        }
        page_of(&mut sql, "created_at", "id", cursor, limit)?;
        let rows = self.rows(sql).await?.iter().map(order_row).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(rows, limit, |row| Place { at: row.order.created_at.0, id: row.id.0 }))
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::order::{CancelledBy, Command};

    use super::super::clients::tests::olga;
    use super::super::orders::OrderChange;
    use super::super::orders::tests::{assign, taxi};
    use super::super::testing::on_both;
    use super::*;

    #[tokio::test]
    async fn orders_are_listed_newest_first_by_pages_and_by_what_they_say() {
        on_both(async |t| {
            let s = &t.store;
            let mut ids = Vec::new();
            for n in 0..6 {
                let phone = format!("+7900123456{}", n % 2);
                ids.insert(0, s.create_order(taxi(&phone), &olga(), Wall(100 + n / 2)).await.unwrap().id);
            }
            let first = s.list_orders(&OrderFilter::default(), None, 4).await.unwrap();
            let second = s.list_orders(&OrderFilter::default(), first.next.as_deref(), 4).await.unwrap();
            let seen: Vec<_> = first.items.iter().chain(&second.items).map(|row| row.id).collect();
            assert_eq!((seen, second.next), (ids.clone(), None));
            s.change_order(ids[0], assign(), &olga(), Wall(200)).await.unwrap();
            let cancel = Command::Cancel { by: CancelledBy::Office, reason: String::new() };
            s.change_order(ids[1], OrderChange::Command(cancel), &olga(), Wall(200)).await.unwrap();
            let list = async |filter: OrderFilter| {
                let page = s.list_orders(&filter, None, 9).await.unwrap();
                page.items.iter().map(|row| row.id).collect::<Vec<_>>()
            };
            assert_eq!(list(OrderFilter::active()).await.len(), 5);
            assert_eq!(list(OrderFilter { driver: Some("d31".into()), ..OrderFilter::default() }).await, [ids[0]]);
            let phone = OrderFilter { phone: Some("8 900 1234560".into()), ..OrderFilter::default() };
            assert_eq!(list(phone).await, [ids[1], ids[3], ids[5]]);
            let client = s.get_order(ids[0]).await.unwrap().unwrap().order.client;
            let of = OrderFilter { client, states: vec![State::Searching], ..OrderFilter::default() };
            assert_eq!(list(of).await, [ids[2], ids[4]]);
        })
        .await;
    }
}
