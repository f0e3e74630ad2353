//! Clients whom the office calls: put in by the transaction of what they are to be told, brought up to date by the
//! facts of the engine, and read back at the next start.

use sqlx::any::AnyRow;

use crate::domain::history::Entry;
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::notify::{self, Channel, Occasion, OfficeNotify};
use crate::domain::order::{CancelledBy, Event, Order};
use crate::domain::phone::Phone;
use crate::engine::callback::request::{About, CallbackRequest};
use crate::engine::event::CallerOrder;
use crate::engine::ids::CallbackId;
use crate::engine::time::Wall;
use crate::speech::Language;
use crate::speech::notice::{Notice, notice};

use super::clients::ClientRow;
use super::orders::OrderRow;
use super::sms::{NewSms, SmsReason};
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// How clients are told of their orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcing {
    /// By which channel, unless the client has another wish.
    pub office: OfficeNotify,
    /// In which language, unless the client has another one.
    pub language: Language,
    /// Whole minutes that a car waits for nothing, where it is told.
    pub free_minutes: Option<u32>,
    /// Who hung up while waiting is called back by itself; else it is for the agents alone.
    pub lost: bool,
    /// Clients can be called. Without it they are sent an SMS in place of the call.
    pub voice: bool,
}

impl Default for Announcing {
    fn default() -> Self {
        Announcing {
            office: OfficeNotify::default(),
            language: Language::Ru,
            free_minutes: None,
            lost: false,
            voice: true,
        }
    }
}

impl Announcing {
    fn channel(&self, occasion: Occasion, client: Option<&ClientRow>, phone: &Phone) -> Channel {
        let channel = notify::channel(occasion, client.map(|client| &client.card.notify), &self.office, phone);
        match channel {
            // A number that takes none gets none: see Tx::queue_sms.
            Channel::Voice | Channel::Both if !self.voice => Channel::Sms,
            Channel::None | Channel::Voice | Channel::Sms | Channel::Both => channel,
        }
    }
}

/// What a pending callback needs at the start of the engine.
const SELECT: &str = "SELECT c.id, c.kind, c.occasion, c.order_id, c.client, c.number, c.language, c.words, c.attempts, \
     c.due_at, c.not_before, c.created_at, c.state, o.body AS order_body FROM callbacks c LEFT JOIN orders o ON o.id = c.order_id";

/// A callback as the engine must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It is pending.
    Wanted(Box<CallbackRequest>),
    /// It is not, or not any more.
    Over(CallbackId),
}

/// The occasion that stands in the database.
pub(super) fn occasion_of(word: &str) -> Result<Occasion> {
    let unknown = || StoreError::Unreadable(format!("the occasion {word:?} of a callback is not known"));
    Occasion::parse(word).ok_or_else(unknown)
}

impl Store {
    /// Pending callbacks with a number above `after`, in order, at most so many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pending_callbacks(&self, after: CallbackId, most: u32) -> Result<Vec<CallbackRequest>> {
        let sql = format!("{SELECT} WHERE c.state = 'pending' AND c.id > $1 ORDER BY c.id LIMIT $2");
        let rows = self.rows(Sql::new(sql).with(after.0).with(i64::from(most))).await?;
        rows.iter().map(request).collect()
    }

    /// How these callbacks stand.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn callbacks_told(&self, ids: &[CallbackId]) -> Result<Vec<Told>> {
        let mut told = Vec::with_capacity(ids.len());
        for id in ids {
            let row = self.row(Sql::new(format!("{SELECT} WHERE c.id = $1")).with(id.0)).await?;
            told.push(match row {
                Some(row) if row.text("state")? == "pending" => Told::Wanted(Box::new(request(&row)?)),
                Some(_) | None => Told::Over(*id),
            });
        }
        Ok(told)
    }

    /// Does what follows of all attempts made in vain: an SMS where the number takes one and none was sent before. The
    /// callback itself stays as a task for the agents. Answers how many were settled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn settle_exhausted(&self, now: Wall) -> Result<u64> {
        let mut settled = 0;
        loop {
            let mut tx = self.begin().await?;
            let sql = "SELECT id, kind, occasion, order_id, client, number, language, by_sms FROM callbacks \
                       WHERE state = 'exhausted' AND settled = 0 ORDER BY id LIMIT 100";
            let rows = tx.rows(Sql::new(sql)).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let id = row.int("id")?;
                tx.tell_in_writing(row, self.announcing(), now).await?;
                let sql = "UPDATE callbacks SET settled = 1 WHERE id = $1";
                settled += tx.execute(Sql::new(sql).with(id)).await?;
            }
            tx.commit().await?;
            self.hurry_sms();
        }
        Ok(settled)
    }
}

impl Tx {
    async fn tell_in_writing(&mut self, row: &AnyRow, announcing: &Announcing, now: Wall) -> Result<()> {
        if row.flag("by_sms")? {
            return Ok(());
        }
        let (Some(occasion), Some(order)) = (row.text_opt("occasion")?, row.int_opt("order_id")?) else {
            return Ok(());
        };
        let occasion = occasion_of(&occasion)?;
        let Some(order) = self.order_by_id(OrderId(order)).await? else { return Ok(()) };
        let language = row.text_opt("language")?.and_then(|text| Language::parse(&text));
        let told = Notice::of(&order.order, announcing.free_minutes, now);
        let sms = NewSms {
            key: format!("callback-{}", row.int("id")?),
            to: Phone::parse(&row.text("number")?),
            text: notice(occasion, &told, language.unwrap_or(announcing.language)),
            client: row.int_opt("client")?.map(ClientId),
            order: Some(order.id),
            reason: SmsReason::AttemptsExhausted,
        };
        self.queue_sms(&sms, now).await.map(drop)
    }

    /// Decides what the order's client is to be told of this change, and by which channel; what is pending for the order
    /// gives way to it. Answers the callbacks that the engine must look at again, the new one first, and whether an SMS
    /// was queued.
    pub(super) async fn announce(
        &mut self,
        before: &Order,
        row: &OrderRow,
        entries: &[Entry<Event>],
        client: Option<&ClientRow>,
        announcing: &Announcing,
        now: Wall,
    ) -> Result<(Vec<CallbackId>, bool)> {
        let occasion = entries.iter().rev().find_map(|entry| {
            notify::occasion(before, &entry.event, &row.order, &announcing.office).map(|o| (o, entry))
        });
        let Some(end) = occasion.map_or_else(|| outdating(entries), |_| Some("superseded")) else {
            return Ok((Vec::new(), false));
        };
        let sql =
            "UPDATE callbacks SET state = $2, ended_at = $3 WHERE order_id = $1 AND state = 'pending' RETURNING id";
        let outdated = self.rows(Sql::new(sql).with(row.id.0).with(end.to_owned()).with(now.0)).await?;
        let mut touched = Vec::new();
        let mut by_sms = false;
        if let Some((occasion, entry)) = occasion {
            let phone = Phone::parse(&row.order.phone);
            let channel = announcing.channel(occasion, client, &phone);
            let own = client.and_then(|client| client.card.language);
            let language = own.unwrap_or(announcing.language);
            if matches!(channel, Channel::Sms | Channel::Both) {
                let told = Notice::of(&row.order, announcing.free_minutes, now);
                let sms = NewSms {
                    key: format!("order-{}-{}-{}", row.id, entry.version, occasion.as_str()),
                    to: phone.clone(),
                    text: notice(occasion, &told, language),
                    client: row.order.client,
                    order: Some(row.id),
                    reason: SmsReason::Announcement(occasion),
                };
                by_sms = self.queue_sms(&sms, now).await?.is_some();
            }
            if matches!(channel, Channel::Voice | Channel::Both) {
                let sql = Sql::new(
                    "INSERT INTO callbacks (kind, occasion, order_id, client, number, language, words, by_sms, author, \
                     state, attempts, due_at, created_at, settled) \
                     VALUES ('order', $1, $2, $3, $4, $5, '', $6, '', 'pending', 0, $7, $7, 0) RETURNING id",
                )
                .with(occasion.as_str().to_owned())
                .with(row.id.0)
                .with(row.order.client.map(|client| client.0))
                .with(phone.as_str().to_owned())
                .with(own.map(|language| language.as_str().to_owned()))
                .with(i64::from(by_sms))
                .with(now.0);
                let new = self.row(sql).await?.ok_or(StoreError::NotFound("callback"))?;
                touched.push(CallbackId(new.int("id")?));
            }
        }
        for row in outdated {
            touched.push(CallbackId(row.int("id")?));
        }
        Ok((touched, by_sms))
    }
}

/// What a change, of which nobody is told, does to what is pending for the order: nothing, or it is not true any more.
fn outdating(entries: &[Entry<Event>]) -> Option<&'static str> {
    entries.iter().rev().find_map(|entry| match &entry.event {
        Event::Released { .. } | Event::Started | Event::SearchedAgain | Event::Assigned { .. } => Some("superseded"),
        Event::Reassigned { .. } | Event::CarArrived | Event::CarNotFound | Event::Finished { .. } => {
            Some("superseded")
        }
        Event::Cancelled { by, .. } => match by {
            CancelledBy::Client | CancelledBy::Dispatcher | CancelledBy::Driver | CancelledBy::Office => {
                Some("cancelled")
            }
        },
        Event::ClientNoShow => Some("cancelled"),
        Event::Created { .. } | Event::Woken | Event::EtaChanged { .. } | Event::Edited { .. } => None,
    })
}

fn request(row: &AnyRow) -> Result<CallbackRequest> {
    let about = match row.text("kind")?.as_str() {
        "order" => {
            let occasion = occasion_of(&row.text_opt("occasion")?.unwrap_or_default())?;
            let (Some(id), Some(body)) = (row.int_opt("order_id")?, row.text_opt("order_body")?) else {
                return Err(StoreError::Unreadable(format!("callback {} has no order", row.int("id")?)));
            };
            let order = OrderRow { id: OrderId(id), order: super::agents::from_json(&body)? };
            About::Order { occasion, order: Box::new(CallerOrder::from(order)) }
        }
        "words" => About::Words(row.text("words")?),
        _ => About::Lost,
    };
    Ok(CallbackRequest {
        id: CallbackId(row.int("id")?),
        number: row.text("number")?,
        client: row.int_opt("client")?.map(ClientId),
        language: row.text_opt("language")?.and_then(|text| Language::parse(&text)),
        about,
        attempts: row.small("attempts")?,
        created: Wall(row.int("created_at")?),
        due: Wall(row.int("due_at")?),
        not_before: row.int_opt("not_before")?.map(Wall),
    })
}

#[cfg(test)]
mod tests;
