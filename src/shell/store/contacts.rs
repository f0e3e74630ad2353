//! Contacts: entered, changed, and who is told of them, in one transaction each. What is allowed is the domain's to say.

use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::client::Client;
use crate::domain::contact::{
    self, Command, Contact, Create, Detail, DocumentKind, Doer, Event, IgnoreReason, Kind, Person, Purpose, Reference,
    State,
};
use crate::domain::history::Entry;
use crate::domain::ids::{ClientId, ContactId, PurposeId};
use crate::domain::rejected::Rejected;
use crate::engine::command::Update;
use crate::engine::ids::CallId;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::author::{Author, ChangeError};
use super::catalogue::{Item, whole};
use super::change::call_id;
use super::many::numbers;
use super::notifications::Notice;
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// Number of the row.
    pub id: ContactId,
    /// The contact.
    pub contact: Contact,
    /// The call that it is.
    pub call: Option<CallId>,
    /// What people call what it refers to.
    pub names: Names,
}

/// What people call what a contact refers to; for showing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Section and name of the purpose.
    pub purpose: Option<String>,
    /// The client's name, or company, or number.
    pub client: Option<String>,
    /// The responsible person.
    pub responsible: Option<String>,
}

/// How a change of a contact ends.
pub type ContactResult = Result<ContactRow, ChangeError<ContactRow>>;

/// Whoever changes a contact: the author, and the same human by every number that the office knows.
#[derive(Clone, Debug)]
pub struct ContactAuthor {
    /// For history and audit.
    pub author: Author,
    /// The first is the one that is written; none for programs.
    pub is: Vec<Person>,
}

/// All that [`contact_row`] reads. The joined names are for showing.
pub(super) const SELECT: &str = "SELECT k.id, k.version, k.kind, k.state, k.purpose, k.client, k.phone, k.description, \
     k.comment, k.responsible, k.in_call, k.ignored, k.outcome, k.call, k.created_at, k.changed_at, k.ended_at, \
     k.waiting_since, p.name AS purpose_name, c.body AS client_body, a.name AS agent_name, u.login AS user_login \
     FROM contacts k LEFT JOIN purposes p ON p.id = k.purpose LEFT JOIN clients c ON c.id = k.client \
     LEFT JOIN agents a ON k.responsible = 'agent:' || a.id LEFT JOIN users u ON k.responsible = 'user:' || u.id ";

impl ContactRow {
    pub(super) fn update(&self) -> Update {
        let Contact { client, version, state, .. } = self.contact;
        Update::Contact { contact: self.id, client, version, state }
    }
}

impl Store {
    /// One contact.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_contact(&self, id: ContactId) -> Result<Option<ContactRow>> {
        let Some(row) = self.row(Sql::new(format!("{SELECT}WHERE k.id = $1")).with(id.0)).await? else {
            return Ok(None);
        };
        let mut rows = vec![contact_row(&row)?];
        self.add_references(&mut rows).await?;
        Ok(rows.pop())
    }

    /// The history of a contact, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn contact_history(&self, id: ContactId) -> Result<Vec<Entry<Event>>> {
        let sql = Sql::new("SELECT entry FROM contact_history WHERE contact = $1 ORDER BY version").with(id.0);
        self.rows(sql).await?.iter().map(|row| from_json(&row.text("entry")?)).collect()
    }

    /// Enters a contact by hand, and tells whom it concerns. Without a client it is that of the number, if there is one.
    ///
    /// # Errors
    /// [`ChangeError::Rejected`]; [`StoreError::NoSuch`] when purpose, client or person do not exist.
    pub async fn create_contact(&self, mut new: Create, doer: &ContactAuthor, now: Wall) -> ContactResult {
        let mut tx = self.begin().await?;
        new.purpose = tx.purpose_in_use(new.purpose).await?;
        new.client = match new.client {
            Some(client) => Some(tx.client_there(client).await?),
            None => tx.client_of_number(&new.phone).await?,
        };
        if let Some(person) = new.responsible {
            new.responsible = Some(tx.person_there(person).await?);
        }
        let (contact, entries) = contact::create(new, &doer.author.by, now)?;
        let id = tx.insert_contact(&contact).await?;
        let (row, notices) = tx.write_contact_history(id, &contact, &entries, doer, now).await?;
        tx.commit().await?;
        self.announce_contact(&row, notices);
        Ok(row)
    }

    /// Changes a contact, and tells whom it concerns then. A command that changes nothing gives the contact as it is.
    ///
    /// # Errors
    /// [`ChangeError::Stale`], [`ChangeError::Rejected`]; [`StoreError::NotFound`], [`StoreError::NoSuch`].
    pub async fn change_contact(
        &self,
        id: ContactId,
        mut command: Command,
        doer: &ContactAuthor,
        now: Wall,
    ) -> ContactResult {
        let mut tx = self.begin().await?;
        let before = tx.contact_locked(id).await?.ok_or(StoreError::NotFound("contact"))?;
        tx.check_references(&mut command).await?;
        let who = Doer { by: &doer.author.by, is: &doer.is };
        let done = contact::handle(&before.contact, command, &who, now);
        let (contact, entries) = done.map_err(|rejected| ChangeError::of(rejected, &before))?;
        if entries.is_empty() {
            return Ok(before);
        }
        tx.update_contact(id, &contact, before.contact.version).await?;
        if contact.references != before.contact.references {
            tx.write_references(id, &contact.references).await?;
        }
        let (row, notices) = tx.write_contact_history(id, &contact, &entries, doer, now).await?;
        tx.commit().await?;
        self.announce_contact(&row, notices);
        Ok(row)
    }

    fn announce_contact(&self, row: &ContactRow, notices: Vec<Notice>) {
        self.announce(row.update());
        notices.into_iter().for_each(|notice| self.announce(notice.into()));
    }

    /// Puts the documents to these contacts.
    pub(super) async fn add_references(&self, rows: &mut [ContactRow]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let text = format!(
            "SELECT contact, document, number, link FROM contact_references WHERE contact IN {} ORDER BY contact, place",
            numbers(self.dialect())
        );
        let ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
        for line in self.rows(Sql::new(text).with_json(&ids)).await? {
            let contact = line.int("contact")?;
            if let Some(row) = rows.iter_mut().find(|row| row.id.0 == contact) {
                row.contact.references.push(reference(&line)?);
            }
        }
        Ok(())
    }
}

impl Tx {
    /// The contact, which is nobody else's to change until this transaction ends.
    async fn contact_locked(&mut self, id: ContactId) -> Result<Option<ContactRow>> {
        if self.row_locked(Sql::new("SELECT id FROM contacts WHERE id = $1").with(id.0)).await?.is_none() {
            return Ok(None);
        }
        self.contact_by_id(id).await
    }

    pub(super) async fn contact_by_id(&mut self, id: ContactId) -> Result<Option<ContactRow>> {
        let Some(row) = self.row(Sql::new(format!("{SELECT}WHERE k.id = $1")).with(id.0)).await? else {
            return Ok(None);
        };
        let mut row = contact_row(&row)?;
        let sql = "SELECT document, number, link FROM contact_references WHERE contact = $1 ORDER BY place";
        let lines = self.rows(Sql::new(sql).with(id.0)).await?;
        row.contact.references = lines.iter().map(reference).collect::<Result<_>>()?;
        Ok(Some(row))
    }

    /// What a command names must exist, and is put into the form in which it is kept.
    async fn check_references(&mut self, command: &mut Command) -> Result<(), ChangeError<ContactRow>> {
        match command {
            Command::Edit(details) => {
                for detail in details {
                    match detail {
                        Detail::Purpose(purpose) => *purpose = self.purpose_in_use(*purpose).await?,
                        Detail::Client(Some(client)) => *client = self.client_there(*client).await?,
                        Detail::Client(None) | Detail::Phone(_) | Detail::Description(_) | Detail::Comment(_) => {}
                    }
                }
            }
            Command::Transfer { responsible, purpose, comment: _, with_call: _ } => {
                *purpose = self.purpose_in_use(*purpose).await?;
                if let Some(person) = responsible {
                    *person = self.person_there(*person).await?;
                }
            }
            Command::Take
            | Command::Wait
            | Command::Done { .. }
            | Command::Ignore { .. }
            | Command::Link(_)
            | Command::Unlink { .. }
            | Command::CallEnded { .. }
            | Command::Reached { .. } => {}
        }
        Ok(())
    }

    /// A purpose that a contact may be given.
    async fn purpose_in_use(&mut self, id: Option<PurposeId>) -> Result<Option<PurposeId>, ChangeError<ContactRow>> {
        let Some(id) = id else { return Ok(None) };
        let item = self.purpose(id).await?.ok_or_else(|| StoreError::NoSuch(format!("purpose {id}")))?;
        if item.retired { Err(Rejected::PurposeRetired.into()) } else { Ok(Some(id)) }
    }

    pub(super) async fn purpose(&mut self, id: PurposeId) -> Result<Option<Item<Purpose>>> {
        self.get_item::<Purpose>(id.0).await
    }

    /// The card, or the one that it was merged into.
    async fn client_there(&mut self, id: ClientId) -> Result<ClientId> {
        let sql =
            Sql::new("SELECT COALESCE(root, id) AS id FROM clients WHERE id = $1 AND erased_at IS NULL").with(id.0);
        let row = self.row(sql).await?.ok_or_else(|| StoreError::NoSuch(format!("client {id}")))?;
        Ok(ClientId(row.int("id")?))
    }

    /// Whose number it is now, if anybody's.
    async fn client_of_number(&mut self, phone: &str) -> Result<Option<ClientId>> {
        let number = crate::domain::phone::Phone::parse(phone).as_str().to_owned();
        let sql = Sql::new("SELECT client FROM client_phones WHERE number = $1 AND until IS NULL").with(number);
        self.row(sql).await?.map(|row| row.int("client").map(ClientId)).transpose()
    }

    async fn insert_contact(&mut self, contact: &Contact) -> Result<ContactId> {
        let sql = Sql::new(
            "INSERT INTO contacts (version, kind, state, purpose, client, phone, description, comment, responsible, \
             in_call, ignored, outcome, created_at, changed_at, ended_at, waiting_since, reminded_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16) RETURNING id",
        );
        let row = self.row(bind(sql, contact)?).await?.ok_or(StoreError::NotFound("contact"))?;
        Ok(ContactId(row.int("id")?))
    }

    /// Over the row that was read (and locked).
    pub(super) async fn update_contact(&mut self, id: ContactId, contact: &Contact, before: u64) -> Result<()> {
        // Who waits anew is reminded of anew; who waits on is not forgotten by an edit.
        let sql = Sql::new(
            "UPDATE contacts SET version = $1, kind = $2, state = $3, purpose = $4, client = $5, phone = $6, \
             description = $7, comment = $8, responsible = $9, in_call = $10, ignored = $11, outcome = $12, \
             created_at = $13, changed_at = $14, ended_at = $15, waiting_since = $16, \
             reminded_at = CASE WHEN waiting_since = $16 THEN reminded_at ELSE $16 END WHERE id = $17 AND version = $18",
        );
        match self.execute(bind(sql, contact)?.with(id.0).with(whole(before)?)).await? {
            1 => Ok(()),
            // Cannot be: the row was locked.
            _ => Err(StoreError::Failed(format!("contact {id} was changed while it was locked"))),
        }
    }

    async fn write_references(&mut self, id: ContactId, references: &[Reference]) -> Result<()> {
        self.execute(Sql::new("DELETE FROM contact_references WHERE contact = $1").with(id.0)).await?;
        for (place, reference) in (0_i64..).zip(references) {
            let sql = Sql::new(
                "INSERT INTO contact_references (contact, place, document, number, link) VALUES ($1, $2, $3, $4, $5)",
            )
            .with(id.0)
            .with(place)
            .with(reference.document.as_str().to_owned())
            .with(reference.number.clone())
            .with(reference.link.clone());
            self.execute(sql).await?;
        }
        Ok(())
    }

    /// History, audit and notices of a change; answers the contact as it is shown, and who is to be told.
    async fn write_contact_history(
        &mut self,
        id: ContactId,
        contact: &Contact,
        entries: &[Entry<Event>],
        doer: &ContactAuthor,
        now: Wall,
    ) -> Result<(ContactRow, Vec<Notice>)> {
        for entry in entries {
            let kind = entry.event.kind();
            let sql = "INSERT INTO contact_history (contact, version, at, kind, entry) VALUES ($1, $2, $3, $4, $5)";
            let sql = Sql::new(sql).with(id.0).with(whole(entry.version)?).with(entry.at.0);
            self.execute(sql.with(kind.to_owned()).with(json(entry)?)).await?;
            let detail = json!({ "version": entry.version, "state": contact.state });
            doer.author.audit(self, format!("contact.{kind}"), id, detail, entry.at).await?;
        }
        let handed = entries.iter().any(|entry| matches!(entry.event, Event::Transferred { .. }));
        let notices = self.notify(id, contact, handed, now).await?;
        let row = self.contact_by_id(id).await?.ok_or(StoreError::NotFound("contact"))?;
        Ok((row, notices))
    }

    /// Takes what tells of a person out of all contacts of a client who is erased, also of those of the client's numbers
    /// before there was a card.
    pub(super) async fn redact_contacts(&mut self, client: i64) -> Result<()> {
        let sql = "SELECT id, version FROM contacts WHERE client = $1 OR (client IS NULL AND phone <> '' AND phone IN \
                   (SELECT number FROM client_phones WHERE client = $1))";
        for row in self.rows(Sql::new(sql).with(client)).await? {
            let id = row.int("id")?;
            let history = Sql::new("SELECT id, entry FROM contact_history WHERE contact = $1").with(id);
            for line in self.rows(history).await? {
                let entry = contact::redacted(from_json(&line.text("entry")?)?);
                let sql = Sql::new("UPDATE contact_history SET entry = $2 WHERE id = $1").with(line.int("id")?);
                self.execute(sql.with(json(&entry)?)).await?;
            }
            for sql in [
                "UPDATE contacts SET phone = '', description = '', comment = '', outcome = '' WHERE id = $1",
                "UPDATE contact_references SET link = '' WHERE contact = $1",
            ] {
                self.execute(Sql::new(sql).with(id)).await?;
            }
        }
        Ok(())
    }
}

fn bind(sql: Sql, contact: &Contact) -> Result<Sql> {
    Ok(sql
        .with(whole(contact.version)?)
        .with(contact.kind.as_str().to_owned())
        .with(contact.state.as_str().to_owned())
        .with(contact.purpose.map(|purpose| purpose.0))
        .with(contact.client.map(|client| client.0))
        .with(contact.phone.clone())
        .with(contact.description.clone())
        .with(contact.comment.clone())
        .with(contact.responsible.map(|person| person.to_string()))
        .with(i64::from(contact.in_call))
        .with(contact.ignored.map(|reason| reason.as_str().to_owned()))
        .with(contact.outcome.clone())
        .with(contact.created_at.0)
        .with(contact.changed_at.0)
        .with(contact.ended_at.map(|at| at.0))
        .with(contact.waiting_since.map(|at| at.0)))
}

/// A contact of [`SELECT`], without its documents.
pub(super) fn contact_row(row: &AnyRow) -> Result<ContactRow> {
    let client = row.text_opt("client_body")?.map(|body| from_json::<Client>(&body)).transpose()?;
    Ok(ContactRow {
        id: ContactId(row.int("id")?),
        contact: Contact {
            version: row.small("version")?,
            kind: word(Kind::parse, row.text("kind")?)?,
            state: word(State::parse, row.text("state")?)?,
            purpose: row.int_opt("purpose")?.map(PurposeId),
            client: row.int_opt("client")?.map(ClientId),
            phone: row.text("phone")?,
            description: row.text("description")?,
            comment: row.text("comment")?,
            responsible: row.text_opt("responsible")?.map(|text| word(Person::parse, text)).transpose()?,
            in_call: row.flag("in_call")?,
            references: Vec::new(),
            ignored: row.text_opt("ignored")?.map(|text| word(IgnoreReason::parse, text)).transpose()?,
            outcome: row.text("outcome")?,
            created_at: Wall(row.int("created_at")?),
            changed_at: Wall(row.int("changed_at")?),
            ended_at: row.int_opt("ended_at")?.map(Wall),
            waiting_since: row.int_opt("waiting_since")?.map(Wall),
        },
        call: row.int_opt("call")?.map(call_id),
        names: Names {
            purpose: row.text_opt("purpose_name")?,
            client: client.map(|card| card.title()).filter(|title| !title.is_empty()),
            responsible: row.text_opt("agent_name")?.or(row.text_opt("user_login")?),
        },
    })
}

fn reference(row: &AnyRow) -> Result<Reference> {
    Ok(Reference {
        document: word(DocumentKind::parse, row.text("document")?)?,
        number: row.text("number")?,
        link: row.text("link")?,
    })
}

pub(super) fn word<T>(parse: impl Fn(&str) -> Option<T>, text: String) -> Result<T> {
    parse(&text).ok_or_else(|| StoreError::Unreadable(format!("{text:?} in a contact is not known")))
}

#[cfg(test)]
pub(super) mod tests;
