//! Everything about one client in one line of time: calls in and out with their recordings, visits, orders, money, SMS,
//! changes of the card. Notes that people write are changes of the card.

use sqlx::any::AnyRow;

use crate::domain::client::Event;
use crate::domain::history::Entry;
use crate::domain::ids::{ClientId, ContactId};
use crate::domain::ledger::LedgerEntry;
use crate::engine::ids::CallId;
use crate::engine::time::Wall;

use super::agents::from_json;
use super::calls::page_of;
use super::change::call_id;
use super::contacts::{self, ContactRow};
use super::ledgers::ledger_row;
use super::many::numbers;
use super::orders::{OrderRow, order_row};
use super::page::Place;
use super::sms::{self, SmsRow};
use super::{Columns as _, Page, Result, Sql, Store, StoreError};

/// Something that happened with a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineItem {
    /// When.
    pub at: Wall,
    /// On which card: the client's own, or one that was merged into it.
    pub client: ClientId,
    /// What.
    pub what: Happening,
    /// Its place among those of one moment.
    key: i64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A call from or to one of the client's numbers.
    Call {
        /// Which.
        call: CallId,
        /// With which number.
        number: String,
        /// How it ended; none while it lasts.
        disposition: Option<String>,
        /// How long it was talked, milliseconds.
        talked_ms: Option<i64>,
        /// Number of the recording to listen to, if there is one.
        recording: Option<i64>,
        /// The contact that the call is, once it is one.
        contact: Option<ContactId>,
    },
    /// An order was taken; as it stands now.
    Order(Box<OrderRow>),
    /// Money or bonuses came or went.
    Ledger(Box<LedgerEntry>),
    /// The card was changed.
    Card(Box<Entry<Event>>),
    /// An SMS went out or came in; as it stands now.
    Sms(Box<SmsRow>),
    /// A visit, or a contact by another way than a call of ours; as it stands now.
    Contact(Box<ContactRow>),
}

/// Which happenings to list; empty for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Calls.
    Call,
    /// Orders.
    Order,
    /// Money and bonuses.
    Ledger,
    /// Changes of the card.
    Card,
    /// SMS.
    Sms,
    /// Visits and the like. Calls are there as calls, and tell their contacts.
    Contact,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 6] = [Kind::Call, Kind::Order, Kind::Ledger, Kind::Card, Kind::Sms, Kind::Contact];

    /// As it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Call => "call",
            Kind::Order => "order",
            Kind::Ledger => "ledger",
            Kind::Card => "card",
            Kind::Sms => "sms",
            Kind::Contact => "contact",
        }
    }

    /// Reads [`as_str`](Kind::as_str).
    #[must_use]
    pub fn parse(text: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Moments, cards and keys of one source. Keys of calls are above zero; those of the others are below, and tell
    /// which it is by their remainder: so all together have one order. `$1` is the client.
    fn select(self) -> &'static str {
        match self {
            Kind::Call => {
                "SELECT c.arrived_at AS at, c.id AS key, p.client AS client FROM client_phones p \
                 JOIN calls c ON c.number_rev = p.number_rev AND c.arrived_at >= p.since \
                 AND (p.until IS NULL OR c.arrived_at < p.until) WHERE p.client IN (SELECT id FROM own)"
            }
            Kind::Order => {
                "SELECT created_at AS at, -5 * id - 1 AS key, client FROM orders WHERE client IN (SELECT id FROM own)"
            }
            Kind::Ledger => {
                "SELECT at, -5 * id - 2 AS key, client FROM ledger_entries WHERE client IN (SELECT id FROM own)"
            }
            Kind::Card => {
                "SELECT at, -5 * id - 3 AS key, client FROM client_history WHERE client IN (SELECT id FROM own)"
            }
            Kind::Sms => {
                "SELECT created_at AS at, -5 * id - 4 AS key, client FROM sms WHERE client IN (SELECT id FROM own)"
            }
            Kind::Contact => {
                "SELECT created_at AS at, -5 * id - 5 AS key, client FROM contacts WHERE call IS NULL \
                 AND client IN (SELECT id FROM own)"
            }
        }
    }

    fn of(key: i64) -> Kind {
        match key {
            0.. => Kind::Call,
            _ => match key.rem_euclid(5) {
                4 => Kind::Order,
                3 => Kind::Ledger,
                2 => Kind::Card,
                1 => Kind::Sms,
                _ => Kind::Contact,
            },
        }
    }

    /// The row that a key below zero tells of.
    fn row(key: i64) -> i64 {
        -(key.div_euclid(5) + 1)
    }
}

impl Store {
    /// A page of all that happened with a client, newest first, also with the cards that were merged into it.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn timeline(
        &self,
        client: ClientId,
        kinds: &[Kind],
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<TimelineItem>> {
        let kinds = if kinds.is_empty() { &Kind::ALL[..] } else { kinds };
        let selects: Vec<_> = Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)).map(Kind::select).collect();
        let own = "WITH own AS (SELECT id FROM clients WHERE id = $1 OR root = $1)";
        let all = selects.join(" UNION ALL ");
        let mut sql =
            Sql::new(format!("{own} SELECT at, key, client FROM ({all}) happened WHERE 1 = 1")).with(client.0);
        page_of(&mut sql, "at", "key", cursor, limit)?;
        let place = |row: &AnyRow| Ok((row.int("at")?, row.int("key")?, row.int("client")?));
        let places = self.rows(sql).await?.iter().map(place).collect::<Result<Vec<_>>>()?;
        let page = Page::cut(places, limit, |(at, key, _)| Place { at: *at, id: *key });
        let mut items = Vec::with_capacity(page.items.len());
        let mut known = self.happenings(&page.items).await?;
        for (at, key, client) in page.items {
            // What was there a moment ago and is not any more is not shown.
            if let Some(at_place) = known.iter().position(|(other, _)| *other == key) {
                let (_, what) = known.swap_remove(at_place);
                items.push(TimelineItem { at: Wall(at), client: ClientId(client), what, key });
            }
        }
        Ok(Page { items, next: page.next })
    }

    /// What stands behind the keys of a page: one statement for each source.
    async fn happenings(&self, places: &[(i64, i64, i64)]) -> Result<Vec<(i64, Happening)>> {
        let mut known = Vec::with_capacity(places.len());
        let sms = format!("{} WHERE id", sms::SELECT);
        let contacts = format!("{}WHERE k.id", contacts::SELECT);
        for kind in Kind::ALL {
            let keys: Vec<i64> = places.iter().map(|(_, key, _)| *key).filter(|key| Kind::of(*key) == kind).collect();
            if keys.is_empty() {
                continue;
            }
            let select = match kind {
                Kind::Call => {
                    "SELECT c.id, c.number, c.disposition, c.talked_ms, (SELECT MAX(r.id) FROM recordings r \
                     WHERE r.call = c.id AND r.path IS NOT NULL) AS recording_id, \
                     (SELECT k.id FROM contacts k WHERE k.call = c.id) AS contact_id FROM calls c WHERE c.id"
                }
                Kind::Order => "SELECT id, body FROM orders WHERE id",
                Kind::Ledger => {
                    "SELECT id, client, number, book, kind, method, amount, balance, order_id, phone, comment, at, \
                     actor, source FROM ledger_entries WHERE id"
                }
                Kind::Card => "SELECT id, entry FROM client_history WHERE id",
                Kind::Sms => &sms,
                Kind::Contact => &contacts,
            };
            let text = format!("{select} IN {}", numbers(self.dialect()));
            let rows: Vec<i64> =
                keys.iter().map(|key| if kind == Kind::Call { *key } else { Kind::row(*key) }).collect();
            for row in self.rows(Sql::new(text).with_json(&rows)).await? {
                let id = row.int("id")?;
                let key =
                    keys.iter().copied().find(|key| id == if kind == Kind::Call { *key } else { Kind::row(*key) });
                let key = key.ok_or_else(|| StoreError::Unreadable(format!("row {id} was not asked for")))?;
                let mut what = happening(kind, &row)?;
                if let Happening::Contact(contact) = &mut what {
                    self.add_references(std::slice::from_mut(contact)).await?;
                }
                known.push((key, what));
            }
        }
        Ok(known)
    }
}

fn happening(kind: Kind, row: &AnyRow) -> Result<Happening> {
    Ok(match kind {
        Kind::Call => Happening::Call {
            call: call_id(row.int("id")?),
            number: row.text_opt("number")?.unwrap_or_default(),
            disposition: row.text_opt("disposition")?,
            talked_ms: row.int_opt("talked_ms")?,
            recording: row.int_opt("recording_id")?,
            contact: row.int_opt("contact_id")?.map(ContactId),
        },
        Kind::Order => Happening::Order(Box::new(order_row(row)?)),
        Kind::Ledger => Happening::Ledger(Box::new(ledger_row(row)?.entry)),
        Kind::Card => Happening::Card(Box::new(from_json(&row.text("entry")?)?)),
        Kind::Sms => Happening::Sms(Box::new(sms::sms_row(row)?)),
        Kind::Contact => Happening::Contact(Box::new(contacts::contact_row(row)?)),
    })
}

#[cfg(test)]
mod tests {
    use crate::domain::client::Command;
    use crate::domain::client::Detail;
    use crate::domain::contact::Create;
    use crate::engine::command::Fact;
    use crate::engine::ids::NodeId;

    use super::super::Store;
    use super::super::clients::tests::{new, olga, phones, top_up};
    use super::super::orders::tests::taxi;
    use super::super::testing::on_both;
    use super::*;

    async fn call(store: &Store, at: i64, number: &str) {
        let arrived = Fact::CallArrived {
            call: CallId(u64::try_from(at).unwrap() << 20),
            node: NodeId(0),
            channel: "c".into(),
            recording: "r".into(),
            number: number.into(),
            dialled: "100".into(),
            by_fallback: false,
            outgoing: false,
            at: Wall(at),
        };
        store.write_facts(&[arrived]).await.unwrap();
    }

    fn word(item: &TimelineItem) -> String {
        let word = match &item.what {
            Happening::Call { .. } => "call",
            Happening::Order(_) => "order",
            Happening::Ledger(_) => "ledger",
            Happening::Card(_) => "card",
            Happening::Sms(_) => "sms",
            Happening::Contact(_) => "contact",
        };
        format!("{} {word}", item.at.0)
    }

    #[test]
    fn every_key_tells_its_source_and_its_row() {
        for row in [1, 2, 3, 1_000_000] {
            for (kind, key) in [
                (Kind::Order, -5 * row - 1),
                (Kind::Ledger, -5 * row - 2),
                (Kind::Card, -5 * row - 3),
                (Kind::Sms, -5 * row - 4),
                (Kind::Contact, -5 * row - 5),
            ] {
                assert_eq!((Kind::of(key), Kind::row(key)), (kind, row));
            }
        }
    }

    #[tokio::test]
    async fn everything_about_a_client_stands_in_one_line_of_time() {
        on_both(async |t| {
            let s = &t.store;
            call(s, 10, "+79001234567").await;
            call(s, 11, "+79990000000").await;
            let id = s.note_calls(&[(CallId(12 << 20), "+79001234567".to_owned())]).await.unwrap()[0].unwrap();
            s.create_order(taxi("+79001234567"), &olga(), Wall(20)).await.unwrap();
            s.post_ledger(id, top_up(10), &olga(), Wall(20)).await.unwrap();
            let to = crate::domain::phone::Phone::parse("+79001234567");
            let written = sms::WrittenSms { to, text: "Едем".into(), client: None, order: None };
            s.write_sms(written, &olga(), Wall(21)).await.unwrap();
            let visit = super::super::contacts::tests::visitor(None);
            let doer = contacts::ContactAuthor { author: olga(), is: Vec::new() };
            s.create_contact(Create { since: Wall(22), ..visit }, &doer, Wall(22)).await.unwrap();
            s.change_client(id, Command::Edit(vec![Detail::Note("код 15".into())]), &olga(), Wall(20)).await.unwrap();
            let twin = s.create_client(new(vec![phones(&["+79007654321"])]), &olga(), Wall(30)).await.unwrap().id;
            call(s, 31, "+79007654321").await;
            s.merge_clients(id, twin, None, &olga(), Wall(40)).await.unwrap();
            call(s, 41, "+79007654321").await;
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let page = s.timeline(id, &[], cursor.as_deref(), 2).await.unwrap();
                seen.extend(page.items.iter().map(word));
                cursor = page.next;
                if cursor.is_none() {
                    break;
                }
            }
            let expected = [
                "41 call",
                "40 card",
                "40 card",
                "31 call",
                "30 card",
                "22 contact",
                "21 sms",
                "20 order",
                "20 ledger",
                "20 card",
                "12 card",
                "10 call",
            ];
            assert_eq!(seen, expected);
            let calls = s.timeline(id, &[Kind::Call], None, 9).await.unwrap();
            assert_eq!(calls.items.iter().map(word).collect::<Vec<_>>(), ["41 call", "31 call", "10 call"]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_call_belongs_to_whoever_had_the_number_then() {
        on_both(async |t| {
            let s = &t.store;
            let first = s.create_client(new(vec![phones(&["+79001234567"])]), &olga(), Wall(10)).await.unwrap().id;
            call(s, 11, "+79001234567").await;
            s.change_client(first, Command::Edit(vec![phones(&[])]), &olga(), Wall(20)).await.unwrap();
            let code = Detail::Code("2".into());
            let second =
                s.create_client(new(vec![code, phones(&["+79001234567"])]), &olga(), Wall(30)).await.unwrap().id;
            call(s, 31, "+79001234567").await;
            for (client, at) in [(first, "11 call"), (second, "31 call")] {
                let calls = s.timeline(client, &[Kind::Call], None, 9).await.unwrap();
                assert_eq!(calls.items.iter().map(word).collect::<Vec<_>>(), [at]);
            }
        })
        .await;
    }
}
