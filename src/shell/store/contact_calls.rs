//! Calls enter the journal of contacts by themselves, in the transaction that writes them. One statement for many calls:
//! whole days of a busy office are written back after an outage.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::any::AnyRow;

use crate::domain::contact::{self, CallSeen, CallStand, Contact, Event, Person, Purpose};
use crate::domain::history::{By, Entry};
use crate::domain::ids::{ClientId, ContactId, PurposeId};
use crate::domain::phone::Phone;
use crate::engine::command::Update;
use crate::engine::time::Wall;
use crate::engine::view::Disposition;

use super::agents::{from_json, json};
use super::call_events::Moment;
use super::catalogue::whole;
use super::many::{insert_of, numbers, texts};
use super::table::Value;
use super::{Columns as _, Result, Sql, Store, Tx};

/// Calls of one statement.
const AT_ONCE: usize = 200;

/// A call with what its contact needs.
struct Call {
    id: i64,
    seen: CallSeen,
    /// When it came to stand as it does.
    at: Wall,
}

/// A contact that the engine changes: its version before, and what happens.
struct Happened {
    id: ContactId,
    entry: Entry<Event>,
    client: Option<ClientId>,
}

/// Those that contacts may be given.
const PURPOSES: &str = "SELECT id, body FROM purposes WHERE retired = 0";

impl Store {
    /// What is said to callers of each queue that only one purpose has: that purpose's greeting.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn greetings(&self) -> Result<BTreeMap<String, String>> {
        let found = by_queue(&self.rows(Sql::new(PURPOSES)).await?)?.into_iter();
        let said = |(queue, (_, purpose)): (String, (_, Purpose))| (queue, purpose.greeting.trim().to_owned());
        Ok(found.map(said).filter(|(_, greeting)| !greeting.is_empty()).collect())
    }
}

impl Tx {
    /// The contacts of the calls of which something is told here; answers who is to be told of what.
    pub(super) async fn note_contacts(&mut self, moments: &[Moment]) -> Result<Vec<Update>> {
        let ids: BTreeSet<i64> = moments.iter().map(|moment| moment.call).collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut updates = Vec::new();
        for ids in ids.chunks(AT_ONCE) {
            let calls = self.calls_seen(ids).await?;
            if !calls.is_empty() {
                self.enter_calls(calls, &mut updates).await?;
            }
        }
        Ok(updates)
    }

    /// Those of these calls that are contacts.
    async fn calls_seen(&mut self, ids: &[i64]) -> Result<Vec<Call>> {
        let text = format!(
            "SELECT id, number, queue, outgoing, agent, arrived_at, bridged_at, ended_at, disposition, talked_ms \
             FROM calls WHERE node IS NOT NULL AND erased_at IS NULL AND (bridged_at IS NOT NULL OR ended_at IS NOT NULL) \
             AND id IN {}",
            numbers(self.1)
        );
        let rows = self.rows(Sql::new(text).with_json(ids)).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let callers = rows.iter().filter_map(|row| row.text_opt("number").ok().flatten()).filter(|n| !n.is_empty());
        let clients = self.clients_of(callers.collect()).await?;
        let purposes = self.purposes_of_queues().await?;
        rows.iter().map(|row| call(row, &clients, &purposes)).collect()
    }

    async fn clients_of(&mut self, numbers: BTreeSet<String>) -> Result<BTreeMap<String, ClientId>> {
        let mut known = BTreeMap::new();
        if numbers.is_empty() {
            return Ok(known);
        }
        let text =
            format!("SELECT number, client FROM client_phones WHERE until IS NULL AND number IN {}", texts(self.1));
        for row in self.rows(Sql::new(text).with_json(&numbers)).await? {
            known.insert(row.text("number")?, ClientId(row.int("client")?));
        }
        Ok(known)
    }

    /// The purpose of each queue that only one purpose has.
    async fn purposes_of_queues(&mut self) -> Result<BTreeMap<String, PurposeId>> {
        let found = by_queue(&self.rows(Sql::new(PURPOSES)).await?)?;
        Ok(found.into_iter().map(|(queue, (id, _))| (queue, id)).collect())
    }

    async fn enter_calls(&mut self, calls: Vec<Call>, updates: &mut Vec<Update>) -> Result<()> {
        let known = self.contacts_of_calls(&calls).await?;
        let (mut new, mut ended, mut talks) = (Vec::new(), Vec::new(), Vec::new());
        for Call { id, seen, at } in calls {
            if matches!(seen.stand, CallStand::Talking | CallStand::Talked) && !seen.number.is_empty() {
                talks.push((seen.number.clone(), seen.agent, seen.arrived, at));
            }
            match known.get(&id) {
                Some((contact, version, client)) if seen.stand != CallStand::Talking => {
                    let entry = By::engine().entry(*version, at, Event::CallEnded { responsible: seen.agent });
                    ended.push(Happened { id: *contact, entry, client: *client });
                }
                Some(_) => {}
                None => {
                    if let Some(Ok((contact, entries))) =
                        seen.contact().map(|new| contact::create(new, &By::engine(), at))
                    {
                        new.push((id, contact, entries));
                    }
                }
            }
        }
        self.insert_calls(new, updates).await?;
        let over = "UPDATE contacts SET state = 'done', version = version + 1, in_call = 0, \
                    responsible = COALESCE((SELECT 'agent:' || c.agent FROM calls c WHERE c.id = contacts.call), responsible), \
                    changed_at = (SELECT c.ended_at FROM calls c WHERE c.id = contacts.call), \
                    ended_at = (SELECT c.ended_at FROM calls c WHERE c.id = contacts.call) WHERE in_call = 1";
        self.engine_changes(over, ended, updates).await?;
        self.reach_lost(talks, updates).await
    }

    /// The contacts, which end with their calls, of these calls; those that people have taken over count as none that
    /// could end, and are not entered again.
    async fn contacts_of_calls(&mut self, calls: &[Call]) -> Result<BTreeMap<i64, (ContactId, u64, Option<ClientId>)>> {
        let text = format!(
            "SELECT id, call, version, client FROM contacts WHERE call IN {}{}",
            numbers(self.1),
            self.1.for_update()
        );
        let ids: Vec<i64> = calls.iter().map(|call| call.id).collect();
        let rows = self.rows(Sql::new(text).with_json(&ids)).await?;
        let read = |row: &AnyRow| {
            let contact = (ContactId(row.int("id")?), row.small("version")?, row.int_opt("client")?.map(ClientId));
            Ok((row.int("call")?, contact))
        };
        rows.iter().map(read).collect()
    }

    async fn insert_calls(
        &mut self,
        new: Vec<(i64, Contact, Vec<Entry<Event>>)>,
        updates: &mut Vec<Update>,
    ) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(new.len());
        for (call, contact, _) in &new {
            let text = |text: &str| Value::Text(text.to_owned());
            rows.push([
                Value::Int(whole(contact.version)?),
                text(contact.kind.as_str()),
                text(contact.state.as_str()),
                contact.purpose.map_or(Value::Null, |purpose| Value::Int(purpose.0)),
                contact.client.map_or(Value::Null, |client| Value::Int(client.0)),
                text(&contact.phone),
                text(""),
                text(""),
                contact.responsible.map_or(Value::Null, |person| Value::Text(person.to_string())),
                Value::Int(i64::from(contact.in_call)),
                text(""),
                Value::Int(*call),
                Value::Int(contact.created_at.0),
                Value::Int(contact.changed_at.0),
                contact.ended_at.map_or(Value::Null, |at| Value::Int(at.0)),
            ]);
        }
        let columns = "version, kind, state, purpose, client, phone, description, comment, responsible, in_call, \
                       outcome, call, created_at, changed_at, ended_at";
        let mut sql = insert_of(self.1, "contacts", columns, &rows);
        sql.push(" ON CONFLICT (call) WHERE call IS NOT NULL DO NOTHING RETURNING id, call");
        let mut ids = BTreeMap::new();
        for row in self.rows(sql).await? {
            ids.insert(row.int("call")?, ContactId(row.int("id")?));
        }
        let mut lines = Vec::new();
        for (call, contact, entries) in new {
            let Some(id) = ids.get(&call).copied() else { continue };
            if contact.state.is_free() {
                let notices = self.notify(id, &contact, false, contact.changed_at).await?;
                updates.extend(notices.into_iter().map(Update::from));
            }
            let (version, client, state) = (contact.version, contact.client, contact.state);
            updates.push(Update::Contact { contact: id, client, version, state });
            lines.extend(entries.into_iter().map(|entry| (id, entry)));
        }
        self.insert_contact_history(&lines).await
    }

    /// Clients whose calls were lost, and who were talked with since: nobody has to call them any more.
    async fn reach_lost(
        &mut self,
        talks: Vec<(String, Option<Person>, Wall, Wall)>,
        updates: &mut Vec<Update>,
    ) -> Result<()> {
        if talks.is_empty() {
            return Ok(());
        }
        let talked: BTreeSet<&str> = talks.iter().map(|(number, ..)| number.as_str()).collect();
        let text = format!(
            "SELECT id, version, client, phone, created_at FROM contacts WHERE ended_at IS NULL AND state = 'new' \
             AND kind = 'call_in' AND responsible IS NULL AND phone <> '' AND phone IN {}{}",
            texts(self.1),
            self.1.for_update()
        );
        for row in self.rows(Sql::new(text).with_json(&talked)).await? {
            let (phone, came) = (row.text("phone")?, Wall(row.int("created_at")?));
            let later = talks.iter().find(|(number, _, arrived, _)| *number == phone && came < *arrived);
            let Some((_, responsible, _, at)) = later else { continue };
            let id = ContactId(row.int("id")?);
            let entry = By::engine().entry(row.small("version")?, *at, Event::Reached { responsible: *responsible });
            let sql = "UPDATE contacts SET state = 'done', version = version + 1, responsible = $2, changed_at = $3, \
                       ended_at = $3 WHERE id = $1";
            let sql = Sql::new(sql).with(id.0).with(responsible.map(|person| person.to_string())).with(at.0);
            self.execute(sql).await?;
            let client = row.int_opt("client")?.map(ClientId);
            self.done_by_engine(Happened { id, entry, client }, updates).await?;
        }
        Ok(())
    }

    /// One statement for all of these: what it does, to those of which a condition holds.
    async fn engine_changes(
        &mut self,
        statement: &'static str,
        happened: Vec<Happened>,
        updates: &mut Vec<Update>,
    ) -> Result<()> {
        if happened.is_empty() {
            return Ok(());
        }
        let text = format!("{statement} AND id IN {} RETURNING id", numbers(self.1));
        let ids: Vec<i64> = happened.iter().map(|one| one.id.0).collect();
        let rows = self.rows(Sql::new(text).with_json(&ids)).await?;
        let changed = rows.iter().map(|row| row.int("id")).collect::<Result<BTreeSet<_>>>()?;
        let mut lines = Vec::new();
        for Happened { id, entry, client } in happened {
            if changed.contains(&id.0) {
                updates.push(Update::Contact {
                    contact: id,
                    client,
                    version: entry.version,
                    state: contact::State::Done,
                });
                lines.push((id, entry));
            }
        }
        self.insert_contact_history(&lines).await
    }

    async fn done_by_engine(&mut self, happened: Happened, updates: &mut Vec<Update>) -> Result<()> {
        let Happened { id, entry, client } = happened;
        let at = entry.at;
        updates.push(Update::Contact { contact: id, client, version: entry.version, state: contact::State::Done });
        self.insert_contact_history(&[(id, entry)]).await?;
        if let Some(row) = self.contact_by_id(id).await? {
            let notices = self.notify(id, &row.contact, false, at).await?;
            updates.extend(notices.into_iter().map(Update::from));
        }
        Ok(())
    }

    async fn insert_contact_history(&mut self, lines: &[(ContactId, Entry<Event>)]) -> Result<()> {
        let mut rows = Vec::with_capacity(lines.len());
        for (id, entry) in lines {
            rows.push(vec![
                Value::Int(id.0),
                Value::Int(whole(entry.version)?),
                Value::Int(entry.at.0),
                Value::Text(entry.event.kind().to_owned()),
                Value::Text(json(entry)?),
            ]);
        }
        self.insert_into("contact_history", "contact, version, at, kind, entry", rows, "").await
    }
}

/// Each queue that only one purpose has, with that purpose.
fn by_queue(rows: &[AnyRow]) -> Result<BTreeMap<String, (PurposeId, Purpose)>> {
    let mut found: BTreeMap<String, Vec<(PurposeId, Purpose)>> = BTreeMap::new();
    for row in rows {
        let purpose: Purpose = from_json(&row.text("body")?)?;
        if !purpose.queue.is_empty() {
            found.entry(purpose.queue.clone()).or_default().push((PurposeId(row.int("id")?), purpose));
        }
    }
    let single = |(queue, mut all): (String, Vec<_>)| if all.len() == 1 { Some((queue, all.pop()?)) } else { None };
    Ok(found.into_iter().filter_map(single).collect())
}

fn call(row: &AnyRow, clients: &BTreeMap<String, ClientId>, purposes: &BTreeMap<String, PurposeId>) -> Result<Call> {
    let number = Phone::parse(&row.text_opt("number")?.unwrap_or_default()).as_str().to_owned();
    let agent = row.small_opt("agent")?.map(Person::Agent);
    let (bridged, ended) = (row.int_opt("bridged_at")?, row.int_opt("ended_at")?);
    let arrived = Wall(row.int("arrived_at")?);
    let outgoing = row.flag("outgoing")?;
    // Of a call of the office's own an agent is known before the client answers.
    let by_agent = agent.is_some() && !outgoing;
    let talked = bridged.is_some() || by_agent || row.int_opt("talked_ms")?.is_some_and(|ms| ms > 0);
    let stand = match (ended, row.text_opt("disposition")?) {
        (None, _) => CallStand::Talking,
        (Some(_), Some(word)) if word == Disposition::Blocked.as_str() => CallStand::Nothing,
        (Some(_), _) if talked => CallStand::Talked,
        // Who is called back is on the list of those to be called.
        (Some(_), Some(word)) if word == Disposition::Informed.as_str() || word == Disposition::Callback.as_str() => {
            CallStand::Served
        }
        (Some(_), _) => CallStand::Lost,
    };
    let seen = CallSeen {
        outgoing,
        stand,
        client: clients.get(&number).copied(),
        number,
        purpose: row.text_opt("queue")?.and_then(|queue| purposes.get(&queue).copied()),
        agent,
        arrived,
    };
    Ok(Call { id: row.int("id")?, seen, at: Wall(ended.or(bridged).unwrap_or(arrived.0)) })
}
