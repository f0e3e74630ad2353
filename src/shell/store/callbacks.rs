//! Clients whom the office calls: put in by the transaction of what they are to be told, brought up to date by the
//! facts of the engine, and read back at the next start.

use sqlx::any::AnyRow;

use crate::domain::history::Entry;
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::notify::{self, Channel, Occasion, OfficeNotify};
use crate::domain::order::{CancelledBy, Event, Order};
use crate::domain::phone::Phone;
use crate::domain::tariff::Tariff;
use crate::engine::callback::request::{About, CallbackRequest, KeptPlace};
use crate::engine::event::CallerOrder;
use crate::engine::ids::{CallbackId, NodeId};
use crate::engine::time::Wall;
use crate::speech::Language;
use crate::speech::notice::{Notice, notice};

use super::change::{call_id, call_key};
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
    /// Who hung up while waiting is called back by itself; else it is for the agents alone.
    pub lost: bool,
    /// Clients can be called. Without it they are sent an SMS in place of the call.
    pub voice: bool,
    /// What a birthday or another day of a client's leads to.
    pub attending: Attending,
}

/// What follows of a day on which a client is to be thought of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Attending {
    /// Nothing.
    Nobody,
    /// A task for the staff.
    #[default]
    Task,
    /// A call in allowed hours that says these words; a task where the client is not reached.
    Call(String),
}

impl Default for Announcing {
    fn default() -> Self {
        Announcing {
            office: OfficeNotify::default(),
            language: Language::Ru,
            lost: false,
            voice: true,
            attending: Attending::default(),
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
     c.due_at, c.not_before, c.created_at, c.state, c.place_call, c.place_node, c.place_queue, c.place_priority, \
     c.place_entered, o.body AS order_body, t.body AS tariff_body FROM callbacks c LEFT JOIN orders o ON o.id = c.order_id \
     LEFT JOIN tariffs t ON t.id = o.tariff";

/// A place in a queue that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlace {
    /// Canonical number to call.
    pub number: String,
    /// Whose, if known.
    pub client: Option<ClientId>,
    /// In which language the client is spoken to.
    pub language: Language,
    /// Which place.
    pub place: KeptPlace,
}

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

    /// This place in a queue is kept for a client who is to be called back at this number. Where one is kept for the
    /// number already, that one stays: this wish joins it. Answers the callback that keeps the place.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_place(&self, new: &NewPlace, now: Wall) -> Result<CallbackRequest> {
        let place = &new.place;
        let sql = Sql::new(
            "INSERT INTO callbacks (kind, client, number, language, words, by_sms, author, state, attempts, due_at, \
             created_at, settled, place_call, place_node, place_queue, place_priority, place_entered) \
             VALUES ('place', COALESCE($1, (SELECT client FROM client_phones WHERE number = $2 AND until IS NULL)), \
             $2, $3, '', 0, '', 'pending', 0, $4, $4, 0, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .with(new.client.map(|client| client.0))
        .with(new.number.clone())
        .with(new.language.as_str().to_owned())
        .with(now.0)
        .with(call_key(place.call))
        .with(i64::from(place.node.0))
        .with(place.queue.clone())
        .with(i64::from(place.priority))
        .with(place.entered.0);
        self.execute(sql).await?;
        let sql = format!("{SELECT} WHERE c.number = $1 AND c.kind = 'place' AND c.state = 'pending'");
        let row = self.row(Sql::new(sql).with(new.number.clone())).await?;
        let kept = request(&row.ok_or(StoreError::NotFound("kept place"))?)?;
        self.callbacks_shown([kept.id]);
        Ok(kept)
    }

    /// Does what follows of all attempts made in vain: an SMS where the number takes one and none was sent before. The
    /// callback itself stays as a task for the agents. Answers how many were settled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn settle_exhausted(&self, now: Wall) -> Result<u64> {
        let mut settled = 0;
        // It is asked often, and mostly in vain: that must not hold up whoever writes.
        let waiting = "SELECT id FROM callbacks WHERE state = 'exhausted' AND settled = 0 LIMIT 1";
        while self.row(Sql::new(waiting)).await?.is_some() {
            let mut tx = self.begin().await?;
            let sql = "SELECT id, kind, occasion, order_id, client, number, language, by_sms FROM callbacks \
                       WHERE state = 'exhausted' AND settled = 0 ORDER BY id LIMIT 100";
            let rows = tx.rows(Sql::new(sql)).await?;
            for row in &rows {
                let id = row.int("id")?;
                tx.tell_in_writing(row, &self.announcing(), now).await?;
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
        let told = Notice::of(&order.order, self.free_minutes(occasion, &order.order).await?, now);
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

    /// How long the car waits for nothing by the order's tariff, where that is told.
    async fn free_minutes(&mut self, occasion: Occasion, order: &Order) -> Result<Option<u32>> {
        let (Occasion::Arrived, Some(tariff)) = (occasion, order.tariff) else { return Ok(None) };
        let tariff = self.item_or_default::<Tariff>(Some(tariff.0)).await?;
        Ok(tariff.and_then(|tariff| tariff.value.free_minutes()))
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
                let told = Notice::of(&row.order, self.free_minutes(occasion, &row.order).await?, now);
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
            let tariff: Option<Tariff> =
                row.text_opt("tariff_body")?.map(|body| super::agents::from_json(&body)).transpose()?;
            let free_minutes =
                tariff.filter(|_| occasion == Occasion::Arrived).and_then(|tariff| tariff.free_minutes());
            About::Order { occasion, order: Box::new(CallerOrder { free_minutes, ..CallerOrder::from(order) }) }
        }
        "words" | "attention" => About::Words(row.text("words")?),
        "place" => About::Place(kept_place(row)?),
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

fn kept_place(row: &AnyRow) -> Result<KeptPlace> {
    let missing = || StoreError::Unreadable("a kept place without its call, queue or moment".to_owned());
    let number = |column: &str| -> Result<i64> { row.int_opt(column)?.ok_or_else(missing) };
    Ok(KeptPlace {
        call: call_id(number("place_call")?),
        node: NodeId(u16::try_from(number("place_node")?).unwrap_or_default()),
        queue: row.text_opt("place_queue")?.ok_or_else(missing)?,
        priority: i16::try_from(number("place_priority")?).unwrap_or_default(),
        entered: Wall(number("place_entered")?),
    })
}

#[cfg(test)]
mod tests;
