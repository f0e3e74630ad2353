//! Who is told of contacts. With a responsible person that one; without, all specialists of the purpose, until one takes
//! it. A client who waits is told of again and again. Kept here, so that no restart forgets anybody.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::any::AnyRow;

use crate::domain::contact::{Contact, Person, State};
use crate::domain::ids::ContactId;
use crate::engine::command::Update;
use crate::engine::ids::AgentId;
use crate::engine::time::Wall;

use super::change::millis;
use super::contacts::word;
use super::users::UserId;
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// Notices that went away are kept so long, for questions.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Contacts that are reminded of in one transaction.
const AT_ONCE: i64 = 100;
/// Notices that a person is shown at most.
const MOST: i64 = 500;

/// A notice that was made, repeated, or went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    id: i64,
    person: Person,
    contact: ContactId,
    why: &'static str,
    open: bool,
}

impl From<Notice> for Update {
    fn from(Notice { id, person, contact, why, open }: Notice) -> Update {
        Update::Notification { notification: id, person, contact, why, open }
    }
}

/// Somebody is to see to a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationRow {
    /// Number of the row.
    pub id: i64,
    /// Who.
    pub person: Person,
    /// Which.
    pub contact: ContactId,
    /// `responsible`, `purpose` or `reminder`.
    pub why: String,
    /// When it was told last.
    pub told: Wall,
    /// How often it was told.
    pub times: u32,
    /// When the person has seen it since.
    pub seen: Option<Wall>,
}

impl Store {
    /// What this human is to see to, newest first, at most 500.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notifications_of(&self, is: &[Person]) -> Result<Vec<NotificationRow>> {
        if is.is_empty() {
            return Ok(Vec::new());
        }
        let mut sql = Sql::new(
            "SELECT id, person, contact, why, told_at, times, seen_at FROM notifications \
             WHERE closed_at IS NULL AND person IN (",
        );
        push_persons(&mut sql, is);
        sql.push(") ORDER BY told_at DESC, id DESC LIMIT ");
        sql.push_value(MOST);
        self.rows(sql).await?.iter().map(notification_row).collect()
    }

    /// The person has seen a notice of his own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, it went away, or it is another's.
    pub async fn notification_seen(&self, id: i64, is: &[Person], now: Wall) -> Result<NotificationRow> {
        let mut sql = Sql::new("UPDATE notifications SET seen_at = COALESCE(seen_at, $1) WHERE closed_at IS NULL AND id = $2 AND person IN (")
            .with(now.0)
            .with(id);
        if is.is_empty() {
            return Err(StoreError::NotFound("notification"));
        }
        push_persons(&mut sql, is);
        sql.push(") RETURNING id, person, contact, why, told_at, times, seen_at");
        let rows = self.write_returning(sql).await?;
        notification_row(rows.first().ok_or(StoreError::NotFound("notification"))?)
    }

    /// Tells again of clients who wait, when they were told of so long ago; answers how many these were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remind_of_waiting(&self, every: Duration, now: Wall) -> Result<usize> {
        let due = now.0.saturating_sub(millis(every));
        // It is asked often, and mostly in vain: that must not hold up whoever writes.
        let waiting = "SELECT id FROM contacts WHERE state = 'waiting' AND reminded_at <= $1 LIMIT 1";
        if self.row(Sql::new(waiting).with(due)).await?.is_none() {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let sql = Sql::new(
            "SELECT id FROM contacts WHERE state = 'waiting' AND reminded_at <= $1 ORDER BY reminded_at LIMIT $2",
        );
        let (mut notices, mut updates) = (Vec::new(), Vec::new());
        for row in tx.rows(sql.with(due).with(AT_ONCE)).await? {
            let id = ContactId(row.int("id")?);
            let sql = Sql::new("UPDATE contacts SET reminded_at = $2 WHERE id = $1 AND state = 'waiting'");
            if tx.execute(sql.with(id.0).with(now.0)).await? == 0 {
                continue;
            }
            if let Some(contact) = tx.contact_by_id(id).await? {
                for (person, _) in tx.concerned(&contact.contact).await? {
                    notices.push(tx.tell(id, person, "reminder", now).await?);
                }
                updates.push(contact.update());
            }
        }
        tx.commit().await?;
        let count = updates.len();
        updates.into_iter().for_each(|update| self.announce(update));
        notices.into_iter().for_each(|notice| self.announce(notice.into()));
        Ok(count)
    }

    /// Forgets notices that went away long ago.
    pub(super) async fn purge_notifications(&self, now: Wall) -> Result<u64> {
        let before = now.0.saturating_sub(millis(KEPT));
        self.execute(Sql::new("DELETE FROM notifications WHERE closed_at <= $1").with(before)).await
    }

    /// Everybody who may be responsible, in the form that is written, with the name: agents first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn people_of_the_office(&self) -> Result<Vec<(Person, String)>> {
        let agents = self.rows(Sql::new("SELECT id, name FROM agents WHERE disabled = 0 ORDER BY name, id")).await?;
        let users = "SELECT id, login AS name FROM users WHERE disabled = 0 AND agent IS NULL ORDER BY login_key";
        let users = self.rows(Sql::new(users)).await?;
        let agents = agents.iter().map(|row| Ok((Person::Agent(row.small("id")?), row.text("name")?)));
        let users = users.iter().map(|row| Ok((Person::User(row.int("id")?), row.text("name")?)));
        agents.chain(users).collect()
    }

    /// What these are called, also those who are not here any more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn person_names(&self, persons: &[Person]) -> Result<BTreeMap<Person, String>> {
        let mut names = BTreeMap::new();
        for person in persons {
            if names.contains_key(person) {
                continue;
            }
            let sql = match person {
                Person::Agent(id) => Sql::new("SELECT name FROM agents WHERE id = $1").with(i64::from(*id)),
                Person::User(id) => Sql::new("SELECT login AS name FROM users WHERE id = $1").with(*id),
            };
            if let Some(row) = self.row(sql).await? {
                names.insert(*person, row.text("name")?);
            }
        }
        Ok(names)
    }

    /// The first of these whom nobody knows.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stranger_among(&self, persons: &[Person]) -> Result<Option<Person>> {
        let mut tx = self.begin().await?;
        for person in persons {
            if tx.person(*person).await?.is_none() {
                return Ok(Some(*person));
            }
        }
        Ok(None)
    }
}

impl Tx {
    /// Somebody of the office in the form that is written: who takes calls is an agent. None where there is nobody, or
    /// nobody any more.
    async fn person(&mut self, person: Person) -> Result<Option<Person>> {
        let sql = match person {
            Person::Agent(id) => {
                Sql::new("SELECT id AS agent FROM agents WHERE id = $1 AND disabled = 0").with(i64::from(id))
            }
            Person::User(id) => Sql::new("SELECT agent FROM users WHERE id = $1 AND disabled = 0").with(id),
        };
        let Some(row) = self.row(sql).await? else { return Ok(None) };
        Ok(Some(row.small_opt("agent")?.map_or(person, Person::Agent)))
    }

    /// The same for somebody who must be there.
    pub(super) async fn person_there(&mut self, person: Person) -> Result<Person> {
        self.person(person).await?.ok_or_else(|| StoreError::NoSuch(format!("person {person}")))
    }

    /// Who is to be told of a contact as it stands, and why.
    async fn concerned(&mut self, contact: &Contact) -> Result<Vec<(Person, &'static str)>> {
        match contact.state {
            State::New | State::Waiting => {}
            State::InWork | State::Done | State::Ignored => return Ok(Vec::new()),
        }
        if let Some(person) = contact.responsible {
            return Ok(vec![(person, "responsible")]);
        }
        let mut told = Vec::new();
        if let Some(purpose) = contact.purpose
            && let Some(item) = self.purpose(purpose).await?
        {
            for specialist in item.value.specialists {
                if let Some(person) = self.person(specialist).await?
                    && !told.contains(&(person, "purpose"))
                {
                    told.push((person, "purpose"));
                }
            }
        }
        Ok(told)
    }

    /// Brings the notices of a contact up to date: whom it concerns is told, for the others it goes away. `anew`: also
    /// who knew of it is told again.
    pub(super) async fn notify(
        &mut self,
        id: ContactId,
        contact: &Contact,
        anew: bool,
        now: Wall,
    ) -> Result<Vec<Notice>> {
        let concerned = self.concerned(contact).await?;
        let sql = Sql::new("SELECT id, person, why FROM notifications WHERE contact = $1 AND closed_at IS NULL");
        let (mut notices, mut known) = (Vec::new(), Vec::new());
        for row in self.rows(sql.with(id.0)).await? {
            let person = word(Person::parse, row.text("person")?)?;
            if concerned.iter().any(|(other, _)| *other == person) {
                known.push(person);
                continue;
            }
            let notice = row.int("id")?;
            let sql = Sql::new("UPDATE notifications SET closed_at = $2 WHERE id = $1").with(notice).with(now.0);
            self.execute(sql).await?;
            let why = why(&row.text("why")?);
            notices.push(Notice { id: notice, person, contact: id, why, open: false });
        }
        for (person, why) in concerned {
            if anew || !known.contains(&person) {
                notices.push(self.tell(id, person, why, now).await?);
            }
        }
        Ok(notices)
    }

    /// Tells, for the first time or again.
    async fn tell(&mut self, contact: ContactId, person: Person, why: &'static str, now: Wall) -> Result<Notice> {
        let sql = Sql::new(
            "INSERT INTO notifications (person, contact, why, told_at, times) VALUES ($1, $2, $3, $4, 1) \
             ON CONFLICT (contact, person) WHERE closed_at IS NULL DO UPDATE SET why = excluded.why, \
             told_at = excluded.told_at, times = notifications.times + 1, seen_at = NULL RETURNING id",
        )
        .with(person.to_string())
        .with(contact.0)
        .with(why.to_owned())
        .with(now.0);
        let id = self.row(sql).await?.ok_or(StoreError::NotFound("notification"))?.int("id")?;
        Ok(Notice { id, person, contact, why, open: true })
    }
}

/// A human by every number that the office knows; the first is the one that is written.
#[must_use]
pub fn persons(user: UserId, agent: Option<AgentId>) -> Vec<Person> {
    agent.map(|agent| Person::Agent(agent.0)).into_iter().chain([Person::User(user.0)]).collect()
}

fn why(text: &str) -> &'static str {
    ["responsible", "purpose", "reminder"].into_iter().find(|word| *word == text).unwrap_or("purpose")
}

fn push_persons(sql: &mut Sql, persons: &[Person]) {
    for (at, person) in persons.iter().enumerate() {
        sql.push(if at == 0 { "" } else { ", " });
        sql.push_value(person.to_string());
    }
}

fn notification_row(row: &AnyRow) -> Result<NotificationRow> {
    Ok(NotificationRow {
        id: row.int("id")?,
        person: word(Person::parse, row.text("person")?)?,
        contact: ContactId(row.int("contact")?),
        why: row.text("why")?,
        told: Wall(row.int("told_at")?),
        times: row.small("times")?,
        seen: row.int_opt("seen_at")?.map(Wall),
    })
}
