//! The outbox of webhooks: what outside programs are still to be told. A message is put in by the transaction of the
//! change that it tells of, so neither is ever there without the other; it goes when its endpoint has taken it.
//! Delivery is at least once: a receiver knows a repeated message by its `webhook-id`.

use chrono::DateTime;
use serde_json::{Value, json};

use crate::domain::history::Entry;
use crate::domain::ids::OrderId;
use crate::domain::order::{Event as OrderEvent, Order};
use crate::engine::time::Wall;
use crate::shell::shapes::order::{Order as ShownOrder, OrderHistory, OrderNews};

use super::webhooks::EndpointId;
use super::{Columns as _, Result, Sql, Store, Tx};

/// Characters of an error that are kept.
const LONGEST_ERROR: usize = 300;

/// Something that outside programs are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// `webhook-id`: the same whenever this very event is told, and without a full stop.
    pub id: String,
    /// Messages of one lane reach an endpoint one after another, in the order in which they were put in.
    pub lane: String,
    /// `order.assigned`, `call.ended`, …: one of [`EVENTS`](super::webhooks::EVENTS).
    pub event: String,
    /// When it happened.
    pub at: Wall,
    /// What: the JSON under `data`.
    pub data: Value,
}

impl Message {
    /// What happened to an order: the order as it is now and the entry of its history that made it so, both in the
    /// shape of `GET /orders/{id}`.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`](super::StoreError::Unreadable) when it cannot be written as JSON, which no order does.
    pub fn of_order(id: i64, order: &Order, entry: &Entry<OrderEvent>) -> Result<Message> {
        let unreadable = |error: serde_json::Error| super::StoreError::Unreadable(error.to_string());
        let news =
            OrderNews { order: ShownOrder::of(OrderId(id), order.clone()), change: OrderHistory::from(entry.clone()) };
        Ok(Message {
            id: format!("order-{id}-{}", entry.version),
            lane: Message::lane_of_order(id),
            event: format!("order.{}", entry.event.kind()),
            at: entry.at,
            data: serde_json::to_value(news).map_err(unreadable)?,
        })
    }

    /// The lane of all messages about an order.
    pub(super) fn lane_of_order(id: i64) -> String {
        format!("order:{id}")
    }

    /// The body as it is signed and sent.
    fn body(&self) -> String {
        let at = DateTime::from_timestamp_millis(self.at.0).unwrap_or_default();
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        json!({"type": self.event, "timestamp": at, "data": self.data}).to_string()
    }

    /// The word that stands for all events of this one's kind: `order.*`.
    fn family(&self) -> String {
        format!("{}.*", self.event.split('.').next().unwrap_or_default())
    }
}

impl Tx {
    /// Puts a message into the outbox of every endpoint that wants it; when none does, nothing is written. What is in
    /// the outbox already (the same id) stays as it is. Call it after the row that the message is about was written:
    /// that row's lock keeps two messages of a lane in the order of their changes.
    pub(super) async fn enqueue(&mut self, message: &Message) -> Result<()> {
        let wanted = "EXISTS (SELECT 1 FROM webhook_events w WHERE w.endpoint = e.id AND w.event IN ($3, $6, '*'))";
        self.insert(message, wanted, |sql| sql.with(message.family())).await.map(drop)
    }

    /// Puts a message into the outbox of one endpoint; answers whether it is there and not disabled.
    pub(super) async fn enqueue_for(&mut self, endpoint: EndpointId, message: &Message) -> Result<bool> {
        Ok(self.insert(message, "e.id = $6", |sql| sql.with(endpoint.0)).await? > 0)
    }

    async fn insert(&mut self, message: &Message, which: &str, value: impl FnOnce(Sql) -> Sql) -> Result<u64> {
        // A lane that waits for another attempt is joined at its end.
        let sql = Sql::new(format!(
            "INSERT INTO outbox (endpoint, message, lane, event, body, created_at, due_at, attempts, last_error) \
             SELECT e.id, $1, $2, $3, $4, $5, COALESCE((SELECT MAX(o.due_at) FROM outbox o \
             WHERE o.endpoint = e.id AND o.lane = $2), $5), 0, '' FROM webhook_endpoints e \
             WHERE e.disabled = 0 AND {which} ON CONFLICT (endpoint, message) DO NOTHING"
        ))
        .with(message.id.clone())
        .with(message.lane.clone())
        .with(message.event.clone())
        .with(message.body())
        .with(message.at.0);
        self.execute(value(sql)).await
    }
}

/// A message that is due, the first of its lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Number of the row.
    pub id: i64,
    /// `webhook-id`.
    pub message: String,
    /// Its lane.
    pub lane: String,
    /// `order.assigned`, ….
    pub event: String,
    /// JSON.
    pub body: String,
    /// Attempts so far.
    pub attempts: u32,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint took it.
    Delivered,
    /// It did not; the lane waits.
    Failed {
        /// What happened, and what to do.
        error: String,
        /// When the lane is tried again.
        again: Wall,
        /// The endpoint does not want to be asked again (410 Gone): it is disabled, what is meant for it stays.
        gone: bool,
    },
}

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Of whom.
    pub endpoint: EndpointId,
    /// Number of the row.
    pub id: i64,
    /// Its lane.
    pub lane: String,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub at: Wall,
}

impl Store {
    /// Messages of an endpoint that are due, of each lane the first only, those that wait the longest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_messages(&self, endpoint: EndpointId, now: Wall, limit: u32) -> Result<Vec<Due>> {
        let sql = Sql::new(
            "SELECT o.id, o.message, o.lane, o.event, o.body, o.attempts FROM outbox o \
             WHERE o.endpoint = $1 AND o.due_at <= $2 AND NOT EXISTS (SELECT 1 FROM outbox e \
             WHERE e.endpoint = $1 AND e.lane = o.lane AND e.id < o.id) ORDER BY o.due_at, o.id LIMIT $3",
        )
        .with(endpoint.0)
        .with(now.0)
        .with(i64::from(limit));
        let rows = self.rows(sql).await?;
        rows.iter()
            .map(|row| {
                Ok(Due {
                    id: row.int("id")?,
                    message: row.text("message")?,
                    lane: row.text("lane")?,
                    event: row.text("event")?,
                    body: row.text("body")?,
                    attempts: row.small("attempts")?,
                })
            })
            .collect()
    }

    /// What waits for an endpoint may be tried at once: it takes messages again.
    ///
    /// # Errors
    /// When the database does not answer; then each message waits for its own time.
    pub async fn hurry(&self, endpoint: EndpointId, now: Wall) -> Result<()> {
        let sql = Sql::new("UPDATE outbox SET due_at = $2 WHERE endpoint = $1 AND due_at > $2");
        self.execute(sql.with(endpoint.0).with(now.0)).await.map(drop)
    }

    /// Writes how attempts ended, all of them or none.
    ///
    /// # Errors
    /// When the database does not answer: write them again later.
    pub async fn settle_attempts(&self, attempts: &[Attempt]) -> Result<()> {
        let mut tx = self.begin().await?;
        for attempt in attempts {
            match &attempt.outcome {
                Outcome::Delivered => tx.delivered(attempt).await?,
                Outcome::Failed { error, again, gone } => {
                    let error: String = error.chars().filter(|c| *c != '\0').take(LONGEST_ERROR).collect();
                    tx.failed(attempt, &error, *again, *gone).await?;
                }
            }
        }
        tx.commit().await
    }
}

impl Tx {
    async fn delivered(&mut self, attempt: &Attempt) -> Result<()> {
        self.execute(Sql::new("DELETE FROM outbox WHERE id = $1").with(attempt.id)).await?;
        let endpoint = Sql::new(
            "UPDATE webhook_endpoints SET delivered = delivered + 1, delivered_at = $2, failures = 0 WHERE id = $1",
        );
        self.execute(endpoint.with(attempt.endpoint.0).with(attempt.at.0)).await.map(drop)
    }

    async fn failed(&mut self, attempt: &Attempt, error: &str, again: Wall, gone: bool) -> Result<()> {
        let message = Sql::new("UPDATE outbox SET attempts = attempts + 1, last_error = $2 WHERE id = $1");
        self.execute(message.with(attempt.id).with(error.to_owned())).await?;
        // All that waits behind it, so that nobody asks for what must wait anyway.
        let lane = Sql::new("UPDATE outbox SET due_at = $3 WHERE endpoint = $1 AND lane = $2");
        self.execute(lane.with(attempt.endpoint.0).with(attempt.lane.clone()).with(again.0)).await?;
        let endpoint = Sql::new(
            "UPDATE webhook_endpoints SET failures = failures + 1, last_error = $2, last_error_at = $3, \
             disabled = CASE WHEN $4 = 1 THEN 1 ELSE disabled END WHERE id = $1",
        );
        let endpoint = endpoint.with(attempt.endpoint.0).with(error.to_owned()).with(attempt.at.0);
        self.execute(endpoint.with(i64::from(gone))).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use crate::engine::command::Fact;
    use crate::engine::ids::{CallId, NodeId};
    use crate::engine::view::Disposition;

    use super::super::testing::{TestStore, on_both, order_message, put_message};
    use super::super::webhooks::{EndpointChange, EndpointRow};
    use super::*;

    async fn endpoint(t: &TestStore, events: &[&str]) -> EndpointRow {
        let events = events.iter().map(|event| (*event).to_owned()).collect::<BTreeSet<_>>();
        let new = EndpointChange {
            url: Some("http://127.0.0.1:1/".into()),
            events: Some(events),
            ..EndpointChange::default()
        };
        t.store.add_endpoint(new, Wall(1)).await.unwrap()
    }

    async fn put(t: &TestStore, order: i64, version: i64, event: &str) {
        let message = Message { event: event.to_owned(), ..order_message(order, version, Wall(1_000)) };
        put_message(&t.store, &message).await;
    }

    async fn due(t: &TestStore, endpoint: &EndpointRow, now: i64) -> Vec<String> {
        let due = t.store.due_messages(endpoint.id, Wall(now), 100).await.unwrap();
        due.into_iter().map(|due| due.message).collect()
    }

    #[tokio::test]
    async fn each_endpoint_is_told_what_it_wants_and_only_if_the_change_was_made() {
        on_both(async |t| {
            let (all, orders) = (endpoint(&t, &["*"]).await, endpoint(&t, &["order.*"]).await);
            let one = endpoint(&t, &["order.assigned", "call.ended"]).await;
            put(&t, 1, 1, "order.created").await;
            put(&t, 2, 1, "order.assigned").await;
            put(&t, 3, 1, "call.arrived").await;
            let mut undone = t.store.begin().await.unwrap();
            undone.enqueue(&order_message(4, 1, Wall(1_000))).await.unwrap();
            drop(undone);
            assert_eq!(due(&t, &all, 1_000).await, ["order-1-1", "order-2-1", "order-3-1"]);
            assert_eq!(due(&t, &orders, 1_000).await, ["order-1-1", "order-2-1"]);
            assert_eq!(due(&t, &one, 1_000).await, ["order-2-1"]);
            assert_eq!(due(&t, &one, 999).await, Vec::<String>::new());
        })
        .await;
    }

    #[tokio::test]
    async fn of_a_lane_only_the_first_is_due_and_a_failure_holds_up_its_own_lane_only() {
        on_both(async |t| {
            let all = endpoint(&t, &["*"]).await;
            for (order, version) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
                put(&t, order, version, "order.edited").await;
            }
            // The same change told again is not told twice.
            put(&t, 2, 2, "order.edited").await;
            assert_eq!(due(&t, &all, 1_000).await, ["order-1-1", "order-2-1"]);
            let rows = t.store.due_messages(all.id, Wall(1_000), 1).await.unwrap();
            let outcome = Outcome::Failed { error: "it answered 500".into(), again: Wall(5_000), gone: false };
            let failed = Attempt { endpoint: all.id, id: rows[0].id, lane: "order:1".into(), outcome, at: Wall(1_001) };
            t.store.settle_attempts(std::slice::from_ref(&failed)).await.unwrap();
            // What comes later joins the lane at its end.
            put(&t, 1, 3, "order.edited").await;
            assert_eq!(due(&t, &all, 4_999).await, ["order-2-1"]);
            assert_eq!(due(&t, &all, 5_000).await, ["order-2-1", "order-1-1"]);
            let health = t.store.get_endpoint(all.id).await.unwrap().unwrap().health;
            assert_eq!((health.failures, health.last_error.as_str(), health.pending), (1, "it answered 500", 5));
            let taken = Attempt { outcome: Outcome::Delivered, at: Wall(5_001), ..failed };
            t.store.settle_attempts(&[taken]).await.unwrap();
            assert_eq!(due(&t, &all, 5_000).await, ["order-2-1", "order-1-2"]);
            let health = t.store.get_endpoint(all.id).await.unwrap().unwrap().health;
            assert_eq!((health.failures, health.delivered, health.delivered_at), (0, 1, Some(Wall(5_001))));
        })
        .await;
    }

    #[tokio::test]
    async fn an_endpoint_that_is_gone_is_disabled_and_keeps_what_waits_until_it_is_enabled_again() {
        on_both(async |t| {
            let all = endpoint(&t, &["*"]).await;
            put(&t, 1, 1, "order.created").await;
            let row = t.store.due_messages(all.id, Wall(1_000), 1).await.unwrap().remove(0);
            let outcome = Outcome::Failed { error: "410".into(), again: Wall(9_000), gone: true };
            let gone = Attempt { endpoint: all.id, id: row.id, lane: row.lane, outcome, at: Wall(1_001) };
            t.store.settle_attempts(&[gone]).await.unwrap();
            put(&t, 2, 1, "order.created").await;
            assert!(t.store.get_endpoint(all.id).await.unwrap().unwrap().disabled);
            let enabled = EndpointChange { disabled: Some(false), ..EndpointChange::default() };
            t.store.change_endpoint(all.id, enabled, None, Wall(2_000)).await.unwrap();
            assert_eq!(due(&t, &all, 2_000).await, ["order-1-1"]);
            t.store.drop_pending(all.id, row.id, Wall(2_000)).await.unwrap();
            assert_eq!(due(&t, &all, 2_000).await, Vec::<String>::new());
            t.store.delete_endpoint(all.id).await.unwrap();
            assert_eq!(t.store.list_endpoints().await.unwrap(), []);
        })
        .await;
    }

    #[tokio::test]
    async fn a_call_is_told_from_its_arrival_to_its_end() {
        on_both(async |t| {
            let all = endpoint(&t, &["call.*"]).await;
            let call = CallId(1_000_000 << 20);
            let lost = CallId(1_000_001 << 20);
            let arrived = |call| Fact::CallArrived {
                call,
                node: NodeId(0),
                channel: "c".into(),
                recording: "r".into(),
                number: "+79000000000".into(),
                dialled: "100".into(),
                by_fallback: false,
                outgoing: false,
                at: Wall(1_000_000),
            };
            let ended = Fact::CallEnded {
                call,
                disposition: Disposition::CompleteCaller,
                cause: 16,
                waited: Duration::from_secs(1),
                talked: Duration::from_secs(2),
                agent: None,
                at: Wall(1_000_004),
            };
            let facts = [
                arrived(call),
                arrived(lost),
                Fact::CallQueued {
                    call,
                    queue: crate::engine::ids::QueueId(0),
                    queue_name: "main".into(),
                    priority: 0,
                    at: Wall(1_000_001),
                },
                Fact::CallBridged { call, leg: 1, agent: None, at: Wall(1_000_002) },
                ended,
                Fact::CallsAlive { node: NodeId(0), calls: vec![], at: Wall(1_000_009) },
            ];
            // Twice: what is read back after a crash is told under the same ids.
            for _ in 0..2 {
                assert_eq!(t.store.write_facts(&facts).await.unwrap(), []);
            }
            let page = t.store.list_pending(all.id, None, 100).await.unwrap();
            let told: Vec<_> = page.items.iter().rev().map(|row| (row.lane.as_str(), row.event.as_str())).collect();
            let (one, other) = (format!("call:{call}"), format!("call:{lost}"));
            let (one, other) = (one.as_str(), other.as_str());
            assert_eq!(
                told,
                [
                    (one, "call.arrived"),
                    (other, "call.arrived"),
                    (one, "call.queued"),
                    (one, "call.answered"),
                    (one, "call.ended"),
                    (other, "call.ended"),
                ]
            );
            let first = t.store.due_messages(all.id, Wall(2_000_000), 1).await.unwrap().remove(0);
            let body: Value = serde_json::from_str(&first.body).unwrap();
            assert_eq!(body["type"], "call.arrived");
            assert_eq!(body["timestamp"], "1970-01-01T00:16:40.000Z");
            assert_eq!(body["data"]["call"]["number"], "+79000000000");
        })
        .await;
    }
}
