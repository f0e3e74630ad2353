//! What the office knows of a caller before the call is answered, and the numbers that it does not want.

use std::sync::Arc;

use sqlx::any::AnyRow;

use crate::domain::client::Kind;
use crate::domain::group::Group;
use crate::domain::ids::ClientId;
use crate::domain::order::Wanted;
use crate::domain::phone::Phone;
use crate::engine::event::{CallerCard, CallerOrder};
use crate::engine::ids::AgentId;
use crate::engine::time::Wall;
use crate::speech::notice::Notice;
use crate::speech::order::Trip;

use super::calls::page_of;
use super::change::reversed;
use super::clients::ClientRow;
use super::orders::{OrderRow, order_row};
use super::page::Place;
use super::{Columns as _, Page, Result, Sql, Store, StoreError};

/// A number whose calls are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedNumber {
    /// Number of the row.
    pub id: i64,
    /// Canonical number.
    pub number: String,
    /// Why, for people.
    pub reason: String,
    /// Who blocked it.
    pub by: String,
    /// When.
    pub at: Wall,
}

const SELECT: &str = "SELECT id, number, reason, blocked_by, blocked_at FROM blocked_numbers WHERE 1 = 1";

impl Store {
    /// The caller's card, with open and last orders. A few look-ups by index: the caller waits for them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn load_caller(&self, number: &str) -> Result<CallerCard> {
        let sql = Sql::new(
            "SELECT (SELECT COUNT(*) FROM blocked_numbers WHERE number = $1) AS blocked, \
             (SELECT client FROM client_phones WHERE number = $1 AND until IS NULL) AS client, \
             (SELECT agent FROM calls WHERE number_rev = $2 AND agent IS NOT NULL \
              ORDER BY arrived_at DESC LIMIT 1) AS last_agent",
        )
        .with(number.to_owned())
        .with(reversed(number));
        let row = self.row_aside(sql).await?.ok_or(StoreError::NotFound("answer"))?;
        let known = CallerCard {
            blocked: row.flag("blocked")?,
            last_agent: row.small_opt("last_agent")?.map(AgentId),
            ..CallerCard::default()
        };
        let client = match row.int_opt("client")? {
            Some(client) => self.get_client(ClientId(client)).await?,
            None => None,
        };
        let Some(ClientRow { id, card, .. }) = client else { return Ok(known) };
        let group = self.item_or_default::<Group>(card.group.map(|group| group.0)).await?;
        let named = !card.name.full().is_empty() || card.kind != Kind::Personal;
        Ok(CallerCard {
            blocked: known.blocked || card.blocked.is_some(),
            name: named.then(|| card.title()),
            note: Some(card.note).filter(|note| !note.is_empty()),
            priority: group.map_or(0, |group| group.value.priority),
            corporate: card.kind != Kind::Personal,
            client: Some(id),
            conflict: card.conflict,
            orders: self.caller_orders(id).await?,
            ..known
        })
    }

    /// Open orders, also of cards that were merged into this one, then the last ended ones.
    async fn caller_orders(&self, client: ClientId) -> Result<Arc<[CallerOrder]>> {
        let mut orders = Vec::new();
        for select in [
            "SELECT id, body FROM orders WHERE ended_at IS NULL \
             AND client IN (SELECT id FROM clients WHERE id = $1 OR root = $1) ORDER BY created_at DESC, id DESC LIMIT 5",
            "SELECT id, body FROM orders WHERE ended_at IS NOT NULL AND client = $1 \
             ORDER BY created_at DESC, id DESC LIMIT 5",
        ] {
            for row in self.rows(Sql::new(select).with(client.0)).await? {
                orders.push(order_row(&row)?.into());
            }
        }
        Ok(orders.into())
    }

    /// Blocks a number, in whatever form it is written. Blocking it again replaces the reason.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when it is no number.
    pub async fn block_number(&self, number: &str, reason: &str, by: &str, now: Wall) -> Result<BlockedNumber> {
        let number = canonical(number)?;
        let sql = Sql::new(
            "INSERT INTO blocked_numbers (number, reason, blocked_by, blocked_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (number) DO UPDATE SET reason = excluded.reason, blocked_by = excluded.blocked_by, \
             blocked_at = excluded.blocked_at RETURNING id, number, reason, blocked_by, blocked_at",
        )
        .with(number)
        .with(reason.chars().take(500).collect::<String>())
        .with(by.to_owned())
        .with(now.0);
        let rows = self.write_returning(sql).await?;
        blocked(rows.first().ok_or(StoreError::NotFound("blocked number"))?)
    }

    /// Allows a number again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not blocked, [`StoreError::Invalid`] when it is no number.
    pub async fn unblock_number(&self, number: &str) -> Result<()> {
        let sql = Sql::new("DELETE FROM blocked_numbers WHERE number = $1").with(canonical(number)?);
        match self.execute(sql).await? {
            0 => Err(StoreError::NotFound("blocked number")),
            _ => Ok(()),
        }
    }

    /// The entry of a canonical number, if it is blocked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn blocked_number(&self, number: &str) -> Result<Option<BlockedNumber>> {
        let sql = Sql::new(format!("{SELECT} AND number = $1")).with(number.to_owned());
        self.row(sql).await?.as_ref().map(blocked).transpose()
    }

    /// A page of blocked numbers, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn list_blocked(&self, cursor: Option<&str>, limit: u32) -> Result<Page<BlockedNumber>> {
        let mut sql = Sql::new(SELECT);
        page_of(&mut sql, "blocked_at", "id", cursor, limit)?;
        let numbers = self.rows(sql).await?.iter().map(blocked).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(numbers, limit, |number| Place { at: number.at.0, id: number.id }))
    }
}

impl From<OrderRow> for CallerOrder {
    fn from(OrderRow { id, order }: OrderRow) -> CallerOrder {
        let trip = Notice::of(&order, None, order.created_at);
        CallerOrder {
            free_minutes: None,
            trip: Trip { distance_m: trip.distance_m, total: trip.total },
            order: id,
            state: order.state,
            created_at: order.created_at,
            booked_for: match order.wanted {
                Wanted::At { at, .. } if order.is_asleep() => Some(at),
                Wanted::At { .. } | Wanted::Now => None,
            },
            from: order.from,
            to: order.to.into_iter().last(),
            car: order.car,
            eta: order.eta,
            arrived_at: order.arrived_at,
            searching_since: order.searching_at,
        }
    }
}

fn canonical(number: &str) -> Result<String> {
    match Phone::parse(number) {
        Phone::Hidden => Err(StoreError::Invalid(format!("{number:?} is not a telephone number"))),
        phone @ (Phone::Internal(_) | Phone::Full(_)) => Ok(phone.as_str().to_owned()),
    }
}

fn blocked(row: &AnyRow) -> Result<BlockedNumber> {
    Ok(BlockedNumber {
        id: row.int("id")?,
        number: row.text("number")?,
        reason: row.text("reason")?,
        by: row.text("blocked_by")?,
        at: Wall(row.int("blocked_at")?),
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::client::{self, Detail, Name};
    use crate::domain::order::{CancelledBy, Command, State};
    use crate::engine::command::Fact;
    use crate::engine::ids::CallId;

    use super::super::clients::tests::olga;
    use super::super::orders::OrderChange;
    use super::super::orders::tests::{assign, taxi};
    use super::super::testing::on_both;
    use super::*;

    #[tokio::test]
    async fn a_number_is_blocked_in_whatever_form_it_is_written() {
        on_both(async |t| {
            t.store.block_number("8 (900) 123-45-67", "шутник", "olga", Wall(5)).await.unwrap();
            t.store.block_number("+79001234567", "снова", "olga", Wall(6)).await.unwrap();
            assert!(t.store.load_caller("+79001234567").await.unwrap().blocked);
            assert!(!t.store.load_caller("+79001234568").await.unwrap().blocked);
            let page = t.store.list_blocked(None, 10).await.unwrap();
            assert_eq!((page.items.len(), page.items[0].reason.as_str()), (1, "снова"));
            t.store.unblock_number("9001234567").await.unwrap();
            assert!(!t.store.load_caller("+79001234567").await.unwrap().blocked);
            let again = t.store.unblock_number("9001234567").await.unwrap_err();
            assert!(matches!(again, StoreError::NotFound(_)), "{again}");
            let hidden = t.store.block_number("anonymous", "", "olga", Wall(5)).await.unwrap_err();
            assert!(matches!(hidden, StoreError::Invalid(_)), "{hidden}");
        })
        .await;
    }

    #[tokio::test]
    async fn a_caller_with_a_card_is_known_by_it_and_a_blocked_card_refuses_the_call() {
        on_both(async |t| {
            let s = &t.store;
            s.add_item(Group { name: "VIP".into(), priority: 7, ..Group::default() }, &olga(), Wall(1)).await.unwrap();
            let first = s.create_order(taxi("+79001234567"), &olga(), Wall(2)).await.unwrap();
            let cancel = Command::Cancel { by: CancelledBy::Client, reason: String::new() };
            s.change_order(first.id, OrderChange::Command(cancel), &olga(), Wall(3)).await.unwrap();
            let second = s.create_order(taxi("+79001234567"), &olga(), Wall(4)).await.unwrap();
            s.change_order(second.id, assign(), &olga(), Wall(5)).await.unwrap();
            let card = s.load_caller("+79001234567").await.unwrap();
            let id = card.client.unwrap();
            assert_eq!((card.blocked, card.name, card.note, card.priority), (false, None, None, 7));
            let orders: Vec<_> = card.orders.iter().map(|order| (order.order, order.state)).collect();
            assert_eq!(orders, [(second.id, State::Assigned), (first.id, State::Cancelled)]);
            assert!(card.orders[0].car.is_some() && card.orders[0].to.is_some());
            let name = Name { surname: "Ёлкина".into(), ..Name::default() };
            let edit = vec![Detail::Name(name), Detail::Note("код 15".into()), Detail::Conflict(2)];
            for command in [client::Command::Edit(edit), client::Command::Block { reason: "шум".into() }] {
                s.change_client(id, command, &olga(), Wall(6)).await.unwrap();
            }
            let card = s.load_caller("+79001234567").await.unwrap();
            assert_eq!((card.blocked, card.conflict), (true, 2));
            assert_eq!((card.name.as_deref(), card.note.as_deref()), (Some("Ёлкина"), Some("код 15")));
        })
        .await;
    }

    #[tokio::test]
    async fn the_card_names_who_talked_with_the_caller_last() {
        on_both(async |t| {
            let number = "+79001234567";
            assert_eq!(t.store.load_caller(number).await.unwrap(), CallerCard::default());
            for (n, agent) in [(1u64, Some(AgentId(7))), (2, Some(AgentId(8))), (3, None)] {
                let call = CallId(n << 20);
                let at = Wall(n.cast_signed());
                let arrived = Fact::CallArrived {
                    call,
                    node: crate::engine::ids::NodeId(0),
                    channel: "c".into(),
                    recording: "r".into(),
                    number: number.into(),
                    dialled: "100".into(),
                    by_fallback: false,
                    outgoing: false,
                    at,
                };
                t.store.write_facts(&[Fact::CallBridged { call, leg: 1, agent, at }, arrived]).await.unwrap();
            }
            assert_eq!(t.store.load_caller(number).await.unwrap().last_agent, Some(AgentId(8)));
        })
        .await;
    }
}
