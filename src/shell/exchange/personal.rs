//! All that is kept about one client, for that client (Federal Law 152-FZ, article 14; GDPR, articles 15 and 20).

use serde_json::{Value, json};

use crate::domain::client::Client;
use crate::domain::hint::Place;
use crate::domain::ids::ClientId;
use crate::engine::time::Wall;
use crate::shell::store::Store;
use crate::shell::store::contact_list::ContactFilter;
use crate::shell::store::ledgers::LedgerFilter;
use crate::shell::store::order_list::OrderFilter;
use crate::shell::store::recordings::RecordingRow;
use crate::shell::store::sms::SmsFilter;
use crate::shell::store::timeline::{Happening, Kind};

use super::{ExchangeError, moment};

/// Rows asked for at once.
const PAGE: u32 = 500;

/// Everything about one client as JSON: the card with its history, cards that were merged into it, orders with their
/// histories, money, calls with their recordings, SMS, contacts with their histories, places, blocked
/// numbers. Nothing when there is no such card.
///
/// # Errors
/// When the database does not answer.
pub async fn export(store: &Store, id: ClientId) -> Result<Option<Value>, ExchangeError> {
    let Some(row) = store.get_client(id).await? else { return Ok(None) };
    let mut merged = Vec::new();
    for other in store.merged_into(id).await? {
        merged.push(json!({"id": other.id, "card": other.card, "history": store.client_history(other.id).await?}));
    }
    Ok(Some(json!({
        "client": id,
        "card": row.card,
        "counters": row.counters,
        "balances": {"account_kopecks": row.balances.account, "bonus_kopecks": row.balances.bonus},
        "history": store.client_history(id).await?,
        "merged": merged,
        "orders": orders(store, id).await?,
        "ledger": ledger(store, id).await?,
        "calls": calls(store, id).await?,
        "sms": sms(store, id).await?,
        "contacts": contacts(store, id).await?,
        "places": places(store, id).await?,
        "blocked_numbers": blocked(store, &row.card).await?,
    })))
}

async fn places(store: &Store, id: ClientId) -> Result<Vec<Value>, ExchangeError> {
    let shown = |place: Place| {
        json!({
            "city": place.city, "street": place.street, "house": place.house, "entrance": place.entrance,
            "comment": place.comment, "uses": place.uses, "last_used": moment(Wall(place.last_used)),
        })
    };
    Ok(store.places_of(id.0).await?.into_iter().map(shown).collect())
}

async fn orders(store: &Store, id: ClientId) -> Result<Vec<Value>, ExchangeError> {
    let filter = OrderFilter { client: Some(id), ..OrderFilter::default() };
    let (mut orders, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list_orders(&filter, cursor.as_deref(), PAGE).await?;
        for row in page.items {
            let history = store.order_history(row.id).await?;
            orders.push(json!({"id": row.id, "order": row.order, "history": history}));
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(orders),
        }
    }
}

async fn ledger(store: &Store, id: ClientId) -> Result<Vec<Value>, ExchangeError> {
    let filter = LedgerFilter { client: Some(id), ..LedgerFilter::default() };
    let (mut lines, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list_ledger(&filter, cursor.as_deref(), PAGE).await?;
        lines.extend(page.items.into_iter().map(|line| json!({"id": line.id, "entry": line.entry})));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(lines),
        }
    }
}

async fn calls(store: &Store, id: ClientId) -> Result<Vec<Value>, ExchangeError> {
    let (mut calls, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.timeline(id, &[Kind::Call], cursor.as_deref(), PAGE).await?;
        for item in page.items {
            let Happening::Call { call, number, disposition, talked_ms, recording: _, contact: _ } = item.what else {
                continue;
            };
            let mut recordings = Vec::new();
            for row in store.recordings_of(call).await? {
                recordings.push(recording(store, row).await?);
            }
            calls.push(json!({
                "id": call.to_string(), "at": moment(item.at), "number": number, "disposition": disposition,
                "talked_ms": talked_ms, "recordings": recordings,
            }));
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(calls),
        }
    }
}

async fn sms(store: &Store, id: ClientId) -> Result<Vec<Value>, ExchangeError> {
    let filter = SmsFilter { client: Some(id), ..SmsFilter::default() };
    let (mut texts, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list_sms(&filter, cursor.as_deref(), PAGE).await?;
        texts.extend(page.items.into_iter().map(|row| {
            json!({
                "id": row.id, "at": moment(row.created), "direction": if row.incoming { "in" } else { "out" },
                "number": row.number, "text": row.text, "state": row.state.as_str(), "order": row.order,
            })
        }));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(texts),
        }
    }
}

async fn contacts(store: &Store, id: ClientId) -> Result<Vec<Value>, ExchangeError> {
    let filter = ContactFilter { client: Some(id), ..ContactFilter::default() };
    let (mut contacts, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list_contacts(&filter, cursor.as_deref(), PAGE).await?;
        for row in page.items {
            let history = store.contact_history(row.id).await?;
            contacts.push(json!({"id": row.id, "contact": row.contact, "history": history}));
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(contacts),
        }
    }
}

/// Without the sound, which is to be had by the recording's number.
async fn recording(store: &Store, row: RecordingRow) -> Result<Value, ExchangeError> {
    let duration = row.file.map(|file| u64::try_from(file.duration.as_millis()).unwrap_or(u64::MAX));
    let marks = store.marks_of(row.id).await?.into_iter();
    let marks = marks.map(|mark| json!({"at_ms": mark.at_ms, "kind": mark.kind, "text": mark.text}));
    let words = store.transcript_of(row.id).await?.map(|transcript| transcript.words);
    Ok(json!({
        "id": row.id, "state": row.state.as_str(), "started_at": moment(row.started), "duration_ms": duration,
        "marks": marks.collect::<Vec<_>>(), "words": words.unwrap_or_default(),
    }))
}

/// Those of the office's list that stand on the card.
async fn blocked(store: &Store, card: &Client) -> Result<Vec<Value>, ExchangeError> {
    let mut found = Vec::new();
    for phone in &card.phones {
        if let Some(row) = store.blocked_number(&phone.number).await? {
            found.push(json!({"number": row.number, "reason": row.reason, "at": moment(row.at)}));
        }
    }
    Ok(found)
}
