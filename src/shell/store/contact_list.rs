//! Contacts as lists: the journal, newest first, and the board of what nobody has taken yet.

use crate::domain::contact::{DocumentKind, Kind, Person, State};
use crate::domain::ids::{ClientId, PurposeId};
use crate::domain::phone::Phone;
use crate::domain::search;
use crate::engine::ids::CallId;
use crate::engine::time::Wall;

use super::calls::{narrow_time, page_of};
use super::change::call_key;
use super::contacts::{ContactRow, SELECT, contact_row};
use super::page::Place;
use super::{Page, Result, Sql, Store};

/// Contacts of one state that the board shows; more than these nobody reads.
const ON_BOARD: i64 = 200;
/// Contacts that are read at once when words are looked for, and how often for one page. No index knows the middle of
/// a text in both databases; some thousand contacts are read in a blink.
const AT_ONCE: u32 = 500;
const LOOKED_THROUGH: usize = 10;

/// Which contacts to list; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// The client came at this moment or later.
    pub from: Option<Wall>,
    /// Before this moment.
    pub to: Option<Wall>,
    /// In one of these states; empty for all.
    pub states: Vec<State>,
    /// The client came so.
    pub kind: Option<Kind>,
    /// With this purpose.
    pub purpose: Option<PurposeId>,
    /// This human, by any of these numbers, is responsible; empty for anybody and nobody.
    pub responsible: Vec<Person>,
    /// Of this client, and of the cards that were merged into it.
    pub client: Option<ClientId>,
    /// From this number, in whatever form.
    pub phone: Option<String>,
    /// With a document of this number.
    pub document: Option<(Option<DocumentKind>, String)>,
    /// Of this call.
    pub call: Option<CallId>,
    /// Words of it begin with each of these: of client, description, comment, outcome, purpose or document.
    pub words: String,
}

/// What nobody has taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Clients who wait, the longest first.
    pub waiting: Vec<ContactRow>,
    /// New ones, the oldest first.
    pub new: Vec<ContactRow>,
}

impl Store {
    /// A page of contacts, newest first. One that is looked for by words may hold fewer than `limit`, and none at all,
    /// though more pages follow: so many contacts are looked through for a page and no more.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](super::StoreError::BadCursor), or when the database does not answer.
    pub async fn list_contacts(
        &self,
        filter: &ContactFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ContactRow>> {
        let wanted = search::fold(&filter.words);
        if wanted.is_empty() {
            return self.read_contacts(filter, cursor, limit).await;
        }
        let limit = usize::try_from(limit).unwrap_or(1).max(1);
        let (mut items, mut next) = (Vec::new(), cursor.map(ToOwned::to_owned));
        for _ in 0..LOOKED_THROUGH {
            let page = self.read_contacts(filter, next.as_deref(), AT_ONCE).await?;
            next = page.next;
            for row in page.items {
                if !tells(&row, &wanted) {
                    continue;
                }
                let place = place(&row);
                items.push(row);
                if items.len() == limit {
                    return Ok(Page { items, next: Some(place.cursor()) });
                }
            }
            if next.is_none() {
                break;
            }
        }
        Ok(Page { items, next })
    }

    async fn read_contacts(
        &self,
        filter: &ContactFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ContactRow>> {
        let mut sql = Sql::new(format!("{SELECT}WHERE 1 = 1"));
        narrow_time(&mut sql, "k.created_at", filter.from, filter.to);
        narrow_states(&mut sql, &filter.states);
        if let Some(kind) = filter.kind {
            // Words of ours, and what they imply, so that the index of the rare ones is used.
            sql.push(&format!(" AND k.kind = '{}'", kind.as_str()));
            if kind != Kind::CallIn {
                sql.push(" AND k.kind <> 'call_in'");
            }
        }
        for (column, number) in
            [("k.purpose", filter.purpose.map(|purpose| purpose.0)), ("k.call", filter.call.map(call_key))]
        {
            if let Some(number) = number {
                sql.push(&format!(" AND {column} = "));
                sql.push_value(number);
            }
        }
        if !filter.responsible.is_empty() {
            sql.push(" AND k.responsible IN (");
            for (at, person) in filter.responsible.iter().enumerate() {
                sql.push(if at == 0 { "" } else { ", " });
                sql.push_value(person.to_string());
            }
            sql.push(")");
        }
        if let Some(client) = filter.client {
            sql.push(" AND k.client IN (SELECT id FROM clients WHERE id = ");
            sql.push_value(client.0);
            sql.push(" OR root = ");
            sql.push_value(client.0);
            sql.push(")");
        }
        if let Some(phone) = &filter.phone {
            sql.push(" AND k.phone <> '' AND k.phone = ");
            sql.push_value(Phone::parse(phone).as_str().to_owned());
        }
        if let Some((document, number)) = &filter.document {
            sql.push(" AND k.id IN (SELECT contact FROM contact_references WHERE number = ");
            sql.push_value(number.clone());
            if let Some(document) = document {
                sql.push(" AND document = ");
                sql.push_value(document.as_str().to_owned());
            }
            sql.push(")");
        }
        // One client has few contacts, and SQLite would look for them along the line of time: the plus forbids it that.
        let at = if filter.client.is_some() { "+k.created_at" } else { "k.created_at" };
        page_of(&mut sql, at, "k.id", cursor, limit)?;
        let rows = self.rows(sql).await?.iter().map(contact_row).collect::<Result<Vec<_>>>()?;
        let mut page = Page::cut(rows, limit, place);
        self.add_references(&mut page.items).await?;
        Ok(page)
    }

    /// What nobody has taken yet, at most 200 of each.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn contact_board(&self) -> Result<Board> {
        Ok(Board { waiting: self.first_of("waiting").await?, new: self.first_of("new").await? })
    }

    async fn first_of(&self, state: &str) -> Result<Vec<ContactRow>> {
        let sql = Sql::new(format!(
            "{SELECT}WHERE k.ended_at IS NULL AND k.state = '{state}' ORDER BY k.created_at, k.id LIMIT {ON_BOARD}"
        ));
        let mut rows = self.rows(sql).await?.iter().map(contact_row).collect::<Result<Vec<_>>>()?;
        self.add_references(&mut rows).await?;
        Ok(rows)
    }
}

fn place(row: &ContactRow) -> Place {
    Place { at: row.contact.created_at.0, id: row.id.0 }
}

/// Does a word of the contact begin with each of these (folded) ones?
fn tells(row: &ContactRow, wanted: &str) -> bool {
    let contact = &row.contact;
    let names = [&row.names.client, &row.names.purpose, &row.names.responsible];
    let documents = contact.references.iter().map(|reference| reference.number.as_str());
    let texts = [contact.description.as_str(), &contact.comment, &contact.outcome].into_iter();
    let all: Vec<&str> = texts.chain(names.into_iter().filter_map(Option::as_deref)).chain(documents).collect();
    let all = format!(" {}", search::fold(&all.join(" ")));
    wanted.split(' ').all(|word| all.contains(&format!(" {word}")))
}

fn narrow_states(sql: &mut Sql, states: &[State]) {
    if states.is_empty() {
        return;
    }
    let words: Vec<String> = states.iter().map(|state| format!("'{}'", state.as_str())).collect();
    sql.push(&format!(" AND k.state IN ({})", words.join(", ")));
    // What they imply, so that the indexes of the rare ones are used.
    if states.iter().all(|state| state.is_open()) {
        sql.push(" AND k.ended_at IS NULL");
    } else if states == [State::Ignored] {
        sql.push(" AND k.ignored IS NOT NULL");
    }
}
