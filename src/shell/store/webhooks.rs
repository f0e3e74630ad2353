//! The endpoints that webhooks are sent to, and how each fares.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::time::Wall;

use super::outbox::Message;
use super::page::{Place, with_one_more};
use super::{Columns as _, Page, Result, Secret, Sql, Store, StoreError, Tx};

/// Every event that is told, besides `ping`, which tries an endpoint out.
pub const EVENTS: [&str; 18] = [
    "order.created",
    "order.woken",
    "order.assigned",
    "order.reassigned",
    "order.eta_changed",
    "order.released",
    "order.car_arrived",
    "order.started",
    "order.finished",
    "order.car_not_found",
    "order.searched_again",
    "order.cancelled",
    "order.client_no_show",
    "order.edited",
    "call.arrived",
    "call.queued",
    "call.answered",
    "call.ended",
];

/// Words that stand for several events.
pub const FAMILIES: [&str; 3] = ["*", "order.*", "call.*"];

/// Endpoints at most: each has connections of its own.
const MOST_ENDPOINTS: i64 = 50;
const LONGEST_URL: usize = 2000;
const LONGEST_DESCRIPTION: usize = 500;

/// An endpoint's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointId(pub i64);

/// An endpoint, and how it fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointRow {
    /// Number.
    pub id: EndpointId,
    /// Where messages are sent to.
    pub url: String,
    /// For people.
    pub description: String,
    /// `whsec_` and the key in base64.
    pub secret: Secret,
    /// Which events: of [`EVENTS`] and [`FAMILIES`].
    pub events: BTreeSet<String>,
    /// Nothing is sent to it, and what happens meanwhile is not kept for it.
    pub disabled: bool,
    /// When made.
    pub created: Wall,
    /// Grows with every change of the above.
    pub version: i64,
    /// How it fares.
    pub health: Health,
}

/// How an endpoint fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Messages that it took since it was made.
    pub delivered: u64,
    /// When it took the last.
    pub delivered_at: Option<Wall>,
    /// Attempts that failed since then.
    pub failures: u64,
    /// Why the last one failed; empty when none ever did.
    pub last_error: String,
    /// When.
    pub last_error_at: Option<Wall>,
    /// Messages that wait.
    pub pending: u64,
    /// When the oldest of them was made.
    pub oldest: Option<Wall>,
}

/// An endpoint to add or a change; what is not given stays, or for a new endpoint is empty.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// Where to; `http://` or `https://`.
    pub url: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Which events.
    pub events: Option<BTreeSet<String>>,
    /// Whether it rests.
    pub disabled: Option<bool>,
    /// Another secret is made.
    pub new_secret: bool,
}

/// A message that waits, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRow {
    /// Number of the row.
    pub id: i64,
    /// `webhook-id`.
    pub message: String,
    /// Its lane: `order:17`.
    pub lane: String,
    /// Which event.
    pub event: String,
    /// When it happened.
    pub created: Wall,
    /// When it is tried next, or may be once those before it are through.
    pub due: Wall,
    /// Attempts so far.
    pub attempts: u32,
    /// Why the last one failed; empty before the first.
    pub last_error: String,
}

const SELECT: &str = "SELECT e.id, e.url, e.description, e.secret, e.disabled, e.created_at, e.version, e.delivered, \
     e.delivered_at, e.failures, e.last_error, e.last_error_at, \
     (SELECT COUNT(*) FROM outbox o WHERE o.endpoint = e.id) AS pending, \
     (SELECT MIN(o.created_at) FROM outbox o WHERE o.endpoint = e.id) AS oldest FROM webhook_endpoints e ";

impl Store {
    /// All endpoints, the oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_endpoints(&self) -> Result<Vec<EndpointRow>> {
        self.endpoints_where(Sql::new(format!("{SELECT} ORDER BY e.id"))).await
    }

    /// One endpoint.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_endpoint(&self, id: EndpointId) -> Result<Option<EndpointRow>> {
        let rows = self.endpoints_where(Sql::new(format!("{SELECT} WHERE e.id = $1")).with(id.0)).await?;
        Ok(rows.into_iter().next())
    }

    async fn endpoints_where(&self, sql: Sql) -> Result<Vec<EndpointRow>> {
        let mut events: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        for row in self.rows(Sql::new("SELECT endpoint, event FROM webhook_events")).await? {
            events.entry(row.int("endpoint")?).or_default().insert(row.text("event")?);
        }
        let rows = self.rows(sql).await?;
        rows.iter()
            .map(|row| {
                let id = row.int("id")?;
                Ok(EndpointRow {
                    id: EndpointId(id),
                    url: row.text("url")?,
                    description: row.text("description")?,
                    secret: Secret::from(row.text("secret")?),
                    events: events.remove(&id).unwrap_or_default(),
                    disabled: row.flag("disabled")?,
                    created: Wall(row.int("created_at")?),
                    version: row.int("version")?,
                    health: Health {
                        delivered: row.small("delivered")?,
                        delivered_at: row.int_opt("delivered_at")?.map(Wall),
                        failures: row.small("failures")?,
                        last_error: row.text("last_error")?,
                        last_error_at: row.int_opt("last_error_at")?.map(Wall),
                        pending: row.small("pending")?,
                        oldest: row.int_opt("oldest")?.map(Wall),
                    },
                })
            })
            .collect()
    }

    /// Adds an endpoint with a secret of its own, which its row holds.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when url or events are missing or wrong, or when there are too many endpoints.
    pub async fn add_endpoint(&self, new: EndpointChange, now: Wall) -> Result<EndpointRow> {
        let url = new.url.ok_or_else(|| StoreError::Invalid("an endpoint needs a url".to_owned()))?;
        let events = new.events.ok_or_else(|| StoreError::Invalid("an endpoint needs events".to_owned()))?;
        let description = new.description.unwrap_or_default();
        check(&url, &description, &events)?;
        let mut tx = self.begin().await?;
        let count = tx.rows(Sql::new("SELECT COUNT(*) AS n FROM webhook_endpoints")).await?;
        if count.first().map_or(Ok(0), |row| row.int("n"))? >= MOST_ENDPOINTS {
            let text = format!("there are {MOST_ENDPOINTS} endpoints already, which is the most: delete one first");
            return Err(StoreError::Invalid(text));
        }
        let sql = Sql::new(
            "INSERT INTO webhook_endpoints (url, description, secret, disabled, created_at, version, delivered, \
             failures, last_error) VALUES ($1, $2, $3, $4, $5, 1, 0, 0, '') RETURNING id",
        )
        .with(url)
        .with(description)
        .with(new_secret())
        .with(i64::from(new.disabled.unwrap_or(false)))
        .with(now.0);
        let id = tx.rows(sql).await?.first().ok_or(StoreError::NotFound("webhook endpoint"))?.int("id")?;
        tx.set_events(id, &events).await?;
        tx.commit().await?;
        self.get_endpoint(EndpointId(id)).await?.ok_or(StoreError::NotFound("webhook endpoint"))
    }

    /// Changes an endpoint. What waits for it is tried again at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`] when `version` is not the present one, [`StoreError::Invalid`].
    pub async fn change_endpoint(
        &self,
        id: EndpointId,
        change: EndpointChange,
        version: Option<i64>,
        now: Wall,
    ) -> Result<EndpointRow> {
        let old = self.get_endpoint(id).await?.ok_or(StoreError::NotFound("webhook endpoint"))?;
        let expected = version.unwrap_or(old.version);
        let url = change.url.unwrap_or(old.url);
        let description = change.description.unwrap_or(old.description);
        let events = change.events.unwrap_or(old.events);
        check(&url, &description, &events)?;
        let secret = if change.new_secret { new_secret() } else { old.secret.reveal().to_owned() };
        let mut tx = self.begin().await?;
        let sql = Sql::new(
            "UPDATE webhook_endpoints SET url = $3, description = $4, secret = $5, disabled = $6, \
             version = version + 1 WHERE id = $1 AND version = $2",
        )
        .with(id.0)
        .with(expected)
        .with(url)
        .with(description)
        .with(secret)
        .with(i64::from(change.disabled.unwrap_or(old.disabled)));
        if tx.execute(sql).await? == 0 {
            return Err(StoreError::Stale { now: old.version });
        }
        tx.set_events(id.0, &events).await?;
        let again = Sql::new("UPDATE outbox SET due_at = $2 WHERE endpoint = $1 AND due_at > $2");
        tx.execute(again.with(id.0).with(now.0)).await?;
        tx.commit().await?;
        self.get_endpoint(id).await?.ok_or(StoreError::NotFound("webhook endpoint"))
    }

    /// Deletes an endpoint and all that waits for it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such endpoint.
    pub async fn delete_endpoint(&self, id: EndpointId) -> Result<()> {
        match self.execute(Sql::new("DELETE FROM webhook_endpoints WHERE id = $1").with(id.0)).await? {
            0 => Err(StoreError::NotFound("webhook endpoint")),
            _ => Ok(()),
        }
    }

    /// Puts a message into the outbox of this endpoint alone, whatever events it wants.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such endpoint or it is disabled.
    pub async fn ping_endpoint(&self, id: EndpointId, now: Wall) -> Result<()> {
        let message = Message {
            id: format!("ping-{}-{}", id.0, now.0),
            lane: "ping".to_owned(),
            event: "ping".to_owned(),
            at: now,
            data: serde_json::json!({"endpoint": id.0}),
        };
        let mut tx = self.begin().await?;
        let done = tx.enqueue_for(id, &message).await?;
        tx.commit().await?;
        if done { Ok(()) } else { Err(StoreError::NotFound("webhook endpoint that is not disabled")) }
    }

    /// A page of what waits for an endpoint, the newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn list_pending(&self, id: EndpointId, cursor: Option<&str>, limit: u32) -> Result<Page<PendingRow>> {
        let from = Place::parse(cursor)?.map_or(i64::MAX, |place| place.id);
        let sql = Sql::new(
            "SELECT id, message, lane, event, created_at, due_at, attempts, last_error FROM outbox \
             WHERE endpoint = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        );
        let rows = self.rows(sql.with(id.0).with(from).with(with_one_more(limit))).await?;
        let items = rows.iter().map(|row| {
            Ok(PendingRow {
                id: row.int("id")?,
                message: row.text("message")?,
                lane: row.text("lane")?,
                event: row.text("event")?,
                created: Wall(row.int("created_at")?),
                due: Wall(row.int("due_at")?),
                attempts: row.small("attempts")?,
                last_error: row.text("last_error")?,
            })
        });
        Ok(Page::cut(items.collect::<Result<Vec<_>>>()?, limit, |row| Place { at: 0, id: row.id }))
    }

    /// Gives up a message that an endpoint will never take, so that those behind it go on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not wait (any more).
    pub async fn drop_pending(&self, endpoint: EndpointId, id: i64, now: Wall) -> Result<PendingRow> {
        let mut tx = self.begin().await?;
        let found = Sql::new("DELETE FROM outbox WHERE endpoint = $1 AND id = $2 RETURNING *");
        let rows = tx.rows(found.with(endpoint.0).with(id)).await?;
        let row = rows.first().ok_or(StoreError::NotFound("waiting message"))?;
        let dropped = PendingRow {
            id,
            message: row.text("message")?,
            lane: row.text("lane")?,
            event: row.text("event")?,
            created: Wall(row.int("created_at")?),
            due: Wall(row.int("due_at")?),
            attempts: row.small("attempts")?,
            last_error: row.text("last_error")?,
        };
        let free = Sql::new("UPDATE outbox SET due_at = $3 WHERE endpoint = $1 AND lane = $2");
        tx.execute(free.with(endpoint.0).with(dropped.lane.clone()).with(now.0)).await?;
        tx.commit().await?;
        Ok(dropped)
    }
}

impl Tx {
    async fn set_events(&mut self, endpoint: i64, events: &BTreeSet<String>) -> Result<()> {
        self.execute(Sql::new("DELETE FROM webhook_events WHERE endpoint = $1").with(endpoint)).await?;
        for event in events {
            let sql = Sql::new("INSERT INTO webhook_events (endpoint, event) VALUES ($1, $2)");
            self.execute(sql.with(endpoint).with(event.clone())).await?;
        }
        Ok(())
    }
}

fn check(url: &str, description: &str, events: &BTreeSet<String>) -> Result<()> {
    let refused = |why: String| Err(StoreError::Invalid(why));
    if url.len() > LONGEST_URL || description.chars().count() > LONGEST_DESCRIPTION {
        return refused(format!("a url has at most {LONGEST_URL} letters, a description {LONGEST_DESCRIPTION}"));
    }
    if events.is_empty() {
        return refused("name at least one event; * stands for all".to_owned());
    }
    let known = |event: &str| EVENTS.contains(&event) || FAMILIES.contains(&event);
    match events.iter().find(|event| !known(event)) {
        Some(event) => {
            let all: Vec<&str> = FAMILIES.into_iter().chain(EVENTS).collect();
            refused(format!("there is no event {event:?}: use {}", all.join(", ")))
        }
        None => Ok(()),
    }
}

/// As the Standard Webhooks specification writes secrets: `whsec_` and 24 to 64 bytes in base64.
fn new_secret() -> String {
    use base64::Engine as _;
    let mut bytes = [0u8; 32];
    rand::Rng::fill(&mut rand::rng(), bytes.as_mut_slice());
    format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(bytes))
}
