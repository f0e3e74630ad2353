//! SMS in and out. One that goes out is queued by the transaction of what it tells of, so neither is ever there without
//! the other; the key keeps it from being queued twice.

use sqlx::any::AnyRow;

use crate::domain::ids::{ClientId, OrderId, SmsId};
use crate::domain::phone::Phone;
use crate::domain::sms::LONGEST;
pub use crate::domain::sms::{SmsReason, SmsState};
use crate::engine::time::Wall;

use super::author::Author;
use super::calls::{narrow_time, page_of};
use super::change::millis;
use super::page::Place;
use super::{Columns as _, Page, Result, Sql, Store, StoreError, Tx, random_secret};

/// An SMS to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSms {
    /// What is queued under the same key a second time is left out: `order-17-3-assigned`.
    pub key: String,
    /// To whom.
    pub to: Phone,
    /// What; control characters and what is beyond [`LONGEST`] are left out.
    pub text: String,
    /// Whose number it is.
    pub client: Option<ClientId>,
    /// About which order.
    pub order: Option<OrderId>,
    /// Why.
    pub reason: SmsReason,
}

/// An SMS that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenSms {
    /// To whom; it must take SMS.
    pub to: Phone,
    /// What.
    pub text: String,
    /// Whose number it is; found by the number if not given.
    pub client: Option<ClientId>,
    /// About which order.
    pub order: Option<OrderId>,
}

/// An SMS, in or out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsRow {
    /// Number of the row.
    pub id: SmsId,
    /// It came in; else it went out.
    pub incoming: bool,
    /// The other side's number, canonical; empty once the client is erased.
    pub number: String,
    /// What it says.
    pub text: String,
    /// Whose number it was.
    pub client: Option<ClientId>,
    /// About which order.
    pub order: Option<OrderId>,
    /// Why it went out, in [`SmsReason`]'s words; of one that came in what was asked for, empty if nobody knows.
    pub reason: String,
    /// Who wrote it; empty for the engine.
    pub author: String,
    /// How far it is.
    pub state: SmsState,
    /// Messages that the network counts; 0 before it is sent.
    pub parts: u32,
    /// Gateway that took it, or that it came by; empty before.
    pub provider: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was queued, or came in.
    pub created: Wall,
    /// When it is tried next; none when nothing more is to be done.
    pub due: Option<Wall>,
    /// Afterwards it is of no use.
    pub expires: Option<Wall>,
    /// When a gateway took it.
    pub sent: Option<Wall>,
    /// When its end was known.
    pub ended: Option<Wall>,
    /// Why the last attempt failed; empty if none did.
    pub error: String,
    /// Of one that came in: the answer.
    pub answer: Option<SmsId>,
}

/// Which SMS to list; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsFilter {
    /// Queued or come in at this moment or later.
    pub from: Option<Wall>,
    /// Before this moment.
    pub to: Option<Wall>,
    /// Those that came in, or those that went out.
    pub incoming: Option<bool>,
    /// In this state.
    pub state: Option<SmsState>,
    /// Of this client, and of the cards that were merged into it.
    pub client: Option<ClientId>,
    /// About this order.
    pub order: Option<OrderId>,
    /// With this number, in whatever form.
    pub number: Option<String>,
}

pub(super) const SELECT: &str = "SELECT id, direction, number, text, client, order_id, reason, author, state, parts, \
     provider, attempts, created_at, due_at, expires_at, sent_at, ended_at, error, answer FROM sms";

impl Store {
    /// Queues an SMS; it is sent at once. `None`: a landline or hidden number, which takes none, or queued before.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue_sms(&self, sms: &NewSms, at: Wall) -> Result<Option<SmsId>> {
        let mut tx = self.begin().await?;
        let id = tx.queue_sms(sms, at).await?;
        tx.commit().await?;
        self.hurry_sms();
        Ok(id)
    }

    /// Queues what a person wrote, with a line of the audit log.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`] when there is no such client or order; [`StoreError::Invalid`] for a number that takes no
    /// SMS and for an empty text.
    pub async fn write_sms(&self, new: WrittenSms, author: &Author, at: Wall) -> Result<SmsRow> {
        let mut tx = self.begin().await?;
        let known = Sql::new("SELECT client FROM client_phones WHERE number = $1 AND until IS NULL");
        let known = tx.row(known.with(new.to.as_str().to_owned())).await?;
        let client = match (new.client, known) {
            (Some(client), _) => Some(client),
            (None, Some(row)) => row.int_opt("client")?.map(ClientId),
            (None, None) => None,
        };
        let sms = NewSms {
            // A request that is repeated is known by its Idempotency-Key before it comes here.
            key: format!("agent-{}", random_secret::<16>()),
            to: new.to,
            text: new.text,
            client,
            order: new.order,
            reason: SmsReason::Agent,
        };
        let queued = tx.queue_sms_by(&sms, &author.by.actor.name, at).await?;
        let id = queued.ok_or_else(|| StoreError::Invalid("to this number no SMS can be sent".to_owned()))?;
        let detail = serde_json::json!({ "client": client, "order": new.order });
        author.audit(&mut tx, "sms.written", id, detail, at).await?;
        tx.commit().await?;
        self.hurry_sms();
        self.get_sms(id).await?.ok_or(StoreError::NotFound("SMS"))
    }

    /// An SMS was queued and is on the disk: it is sent now instead of within a second.
    pub fn hurry_sms(&self) {
        self.inner.sms_queued.notify_one();
    }

    /// Returns when [`hurry_sms`](Store::hurry_sms) was called since the last return.
    pub async fn sms_hurried(&self) {
        self.inner.sms_queued.notified().await;
    }

    /// One SMS.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_sms(&self, id: SmsId) -> Result<Option<SmsRow>> {
        self.row(Sql::new(format!("{SELECT} WHERE id = $1")).with(id.0)).await?.as_ref().map(sms_row).transpose()
    }

    /// A page of SMS, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn list_sms(&self, filter: &SmsFilter, cursor: Option<&str>, limit: u32) -> Result<Page<SmsRow>> {
        let mut sql = Sql::new(format!("{SELECT} WHERE 1 = 1"));
        narrow_time(&mut sql, "created_at", filter.from, filter.to);
        let direction = filter.incoming.map(|incoming| if incoming { "in" } else { "out" }.to_owned());
        let number = filter.number.as_deref().map(|number| Phone::parse(number).as_str().to_owned());
        let state = filter.state.map(|state| state.as_str().to_owned());
        for (column, text) in [("direction", direction), ("number", number), ("state", state)] {
            if let Some(text) = text {
                sql.push(&format!(" AND {column} = "));
                sql.push_value(text);
            }
        }
        if let Some(order) = filter.order {
            sql.push(" AND order_id = ");
            sql.push_value(order.0);
        }
        if let Some(client) = filter.client {
            sql.push(" AND client IN (SELECT id FROM clients WHERE id = ");
            sql.push_value(client.0);
            sql.push(" OR root = ");
            sql.push_value(client.0);
            sql.push(")");
        }
        page_of(&mut sql, "created_at", "id", cursor, limit)?;
        let rows = self.rows(sql).await?.iter().map(sms_row).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(rows, limit, |row| Place { at: row.created.0, id: row.id.0 }))
    }
}

impl Tx {
    /// Queues an SMS in this transaction. `None`: a landline, an internal or hidden number, which takes none, or one
    /// that was queued before under this key. What was queued of the same order and is not sent yet is superseded.
    /// After the commit call [`Store::hurry_sms`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn queue_sms(&mut self, sms: &NewSms, at: Wall) -> Result<Option<SmsId>> {
        self.queue_sms_by(sms, "", at).await
    }

    /// The same for one that a person wrote.
    pub(super) async fn queue_sms_by(&mut self, sms: &NewSms, author: &str, at: Wall) -> Result<Option<SmsId>> {
        let text = sendable(&sms.text);
        if !sms.to.takes_sms() || text.is_empty() {
            return Ok(None);
        }
        let sql = Sql::new(
            "INSERT INTO sms (direction, key, number, text, client, order_id, reason, author, state, parts, provider, \
             attempts, created_at, due_at, expires_at, error) VALUES ('out', $1, $2, $3, $4, $5, $6, $7, 'queued', 0, \
             '', 0, $8, $8, $9, '') ON CONFLICT (key) DO NOTHING RETURNING id",
        )
        .with(sms.key.clone())
        .with(sms.to.as_str().to_owned())
        .with(text)
        .with(sms.client.map(|client| client.0))
        .with(sms.order.map(|order| order.0))
        .with(sms.reason.as_str().to_owned())
        .with(author.to_owned())
        .with(at.0)
        .with(at.0.saturating_add(millis(sms.reason.lifetime())));
        let Some(row) = self.row(sql).await? else { return Ok(None) };
        let id = SmsId(row.int("id")?);
        if let Some(order) = sms.order.filter(|_| sms.reason.is_of_an_order()) {
            self.supersede_sms(order, Some(id), at).await?;
        }
        Ok(Some(id))
    }

    /// What tells the state of this order and is not sent yet is not sent any more, apart from `but`: it ended, or its
    /// client heard of it otherwise.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn supersede_sms(&mut self, order: OrderId, but: Option<SmsId>, at: Wall) -> Result<()> {
        let told: Vec<_> = SmsReason::ALL
            .into_iter()
            .filter(|reason| reason.is_of_an_order())
            .map(|reason| format!("'{}'", reason.as_str()))
            .collect();
        let sql = Sql::new(format!(
            "UPDATE sms SET state = 'superseded', due_at = NULL, ended_at = $2 WHERE order_id = $1 AND \
             state = 'queued' AND id <> $3 AND reason IN ({})",
            told.join(", ")
        ));
        self.execute(sql.with(order.0).with(at.0).with(but.map_or(0, |id| id.0))).await.map(drop)
    }
}

/// The text as networks and databases take it.
pub(super) fn sendable(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control() || *c == '\n').take(LONGEST).collect();
    kept.trim().to_owned()
}

pub(super) fn sms_row(row: &AnyRow) -> Result<SmsRow> {
    let state = row.text("state")?;
    Ok(SmsRow {
        id: SmsId(row.int("id")?),
        incoming: row.text("direction")? == "in",
        number: row.text("number")?,
        text: row.text("text")?,
        client: row.int_opt("client")?.map(ClientId),
        order: row.int_opt("order_id")?.map(OrderId),
        reason: row.text("reason")?,
        author: row.text("author")?,
        state: SmsState::parse(&state).ok_or_else(|| StoreError::Unreadable(format!("state is {state:?}")))?,
        parts: row.small("parts")?,
        provider: row.text("provider")?,
        attempts: row.small("attempts")?,
        created: Wall(row.int("created_at")?),
        due: row.int_opt("due_at")?.map(Wall),
        expires: row.int_opt("expires_at")?.map(Wall),
        sent: row.int_opt("sent_at")?.map(Wall),
        ended: row.int_opt("ended_at")?.map(Wall),
        error: row.text("error")?,
        answer: row.int_opt("answer")?.map(SmsId),
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::notify::Occasion;

    use super::super::clients::tests::olga;
    use super::super::orders::tests::taxi;
    use super::super::testing::on_both;
    use super::*;

    fn told(key: &str, to: &str, order: Option<OrderId>, occasion: Occasion) -> NewSms {
        let reason = SmsReason::Announcement(occasion);
        NewSms {
            key: key.into(), to: Phone::parse(to), text: " К вам\0 едет ".into(), client: None, order, reason
        }
    }

    #[tokio::test]
    async fn what_is_queued_under_one_key_is_queued_once_and_only_to_who_takes_sms() {
        on_both(async |t| {
            let s = &t.store;
            let one = told("k1", "8 900 123-45-67", None, Occasion::Arrived);
            let id = s.queue_sms(&one, Wall(1_000)).await.unwrap().unwrap();
            assert_eq!(s.queue_sms(&one, Wall(2_000)).await.unwrap(), None);
            for number in ["84951234567", "101", ""] {
                let new = told(&format!("k{number}"), number, None, Occasion::Arrived);
                assert_eq!(s.queue_sms(&new, Wall(1)).await.unwrap(), None, "{number}");
            }
            let row = s.get_sms(id).await.unwrap().unwrap();
            assert_eq!((row.number.as_str(), row.text.as_str()), ("+79001234567", "К вам едет"));
            assert_eq!((row.state, row.due), (SmsState::Queued, Some(Wall(1_000))));
            assert_eq!(row.expires, Some(Wall(1_000 + 30 * 60_000)));
            let mut undone = s.begin().await.unwrap();
            undone.queue_sms(&told("k2", "+79001234567", None, Occasion::Closed), Wall(1)).await.unwrap();
            drop(undone);
            let page = s.list_sms(&SmsFilter::default(), None, 10).await.unwrap();
            assert_eq!(page.items, [row]);
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_newer_about_an_order_takes_the_place_of_what_was_not_sent() {
        on_both(async |t| {
            let s = &t.store;
            let order = s.create_order(taxi("+79001234567"), &olga(), Wall(1)).await.unwrap().id;
            let queue = async |key: &str, occasion, at| {
                s.queue_sms(&told(key, "+79001234567", Some(order), occasion), Wall(at)).await.unwrap().unwrap()
            };
            let first = queue("1", Occasion::Assigned, 10).await;
            let second = queue("2", Occasion::Arrived, 20).await;
            let states = async |filter: SmsFilter| {
                let page = s.list_sms(&filter, None, 10).await.unwrap();
                page.items.iter().map(|row| (row.id, row.state)).collect::<Vec<_>>()
            };
            let of_order = SmsFilter { order: Some(order), incoming: Some(false), ..SmsFilter::default() };
            assert_eq!(states(of_order).await, [(second, SmsState::Queued), (first, SmsState::Superseded)]);
            let queued = SmsFilter {
                state: Some(SmsState::Queued),
                number: Some("89001234567".into()),
                from: Some(Wall(20)),
                ..SmsFilter::default()
            };
            assert_eq!(states(queued).await, [(second, SmsState::Queued)]);
            let incoming = SmsFilter { incoming: Some(true), ..SmsFilter::default() };
            assert_eq!(states(incoming).await, []);
        })
        .await;
    }
}
