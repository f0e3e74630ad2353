//! Cards of clients: read, made, changed, merged, erased. What is allowed is the domain's to say.

use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::client::{self, Client, Command, Counters, Create, Event, Merged, Side};
use crate::domain::group::Group;
use crate::domain::history::Entry;
use crate::domain::ids::{ClientId, GroupId};
use crate::domain::ledger::Balances;
use crate::domain::phone::Phone;
use crate::domain::rejected::Rejected;
use crate::engine::command::Update;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::audit::AuditEntry;
use super::author::{Author, ChangeError};
use super::catalogue::whole;
use super::change::reversed;
use super::client_insert::{NewCard, code, kind_word};
use super::{Columns as _, Dialect, Result, Sql, Store, StoreError, Tx};

/// A card with what is counted and kept beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRow {
    /// Number of the row.
    pub id: ClientId,
    /// The card.
    pub card: Client,
    /// What happened how often.
    pub counters: Counters,
    /// What is on the accounts.
    pub balances: Balances,
}

/// How a change of a card ends.
pub type ClientResult = Result<ClientRow, ChangeError<ClientRow>>;

/// The columns of a [`ClientRow`]; the tables are `clients c` and `ledger_balances b`.
pub(super) const COLUMNS: &str = "c.id, c.body, c.completed, c.false_orders, c.prize, c.cancelled, c.complaints, \
     c.calls, c.last_call, b.account, b.bonus, b.entries";
pub(super) const FROM: &str = " FROM clients c JOIN ledger_balances b ON b.client = c.id ";

impl Store {
    /// One card, also a merged or erased one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_client(&self, id: ClientId) -> Result<Option<ClientRow>> {
        let sql = Sql::new(format!("SELECT {COLUMNS}{FROM}WHERE c.id = $1")).with(id.0);
        self.row(sql).await?.as_ref().map(client_row).transpose()
    }

    /// The card that a number leads to, in whatever form the number is written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn client_of_number(&self, number: &str) -> Result<Option<ClientRow>> {
        let sql = Sql::new(format!("SELECT {COLUMNS}{FROM}{OF_NUMBER}")).with(Phone::parse(number).as_str().to_owned());
        self.row(sql).await?.as_ref().map(client_row).transpose()
    }

    /// Makes a card.
    ///
    /// # Errors
    /// [`ChangeError::Rejected`]; [`StoreError::Taken`] when the id or a number is another card's already.
    pub async fn create_client(&self, new: Create, author: &Author, now: Wall) -> ClientResult {
        let mut tx = self.begin().await?;
        let (card, entries) = client::create(new, &author.by, now)?;
        let row = tx.insert_client(card, &entries, author, now).await?;
        tx.commit().await?;
        self.announce(row.update());
        Ok(row)
    }

    /// Changes a card. A command that changes nothing gives the card as it is.
    ///
    /// # Errors
    /// [`ChangeError::Stale`], [`ChangeError::Rejected`], [`StoreError::NotFound`], [`StoreError::Taken`].
    pub async fn change_client(&self, id: ClientId, command: Command, author: &Author, now: Wall) -> ClientResult {
        let mut tx = self.begin().await?;
        let mut row = tx.client_locked(id).await?.ok_or(StoreError::NotFound("client"))?;
        let (card, entries) =
            client::handle(&row.card, command, &author.by, now).map_err(|refused| ChangeError::of(refused, &row))?;
        if entries.is_empty() {
            return Ok(row);
        }
        tx.write_client(id, &row.card, &card, &entries, author, now).await?;
        let counters = entries.iter().filter_map(|entry| entry.event.tally()).fold(row.counters, Counters::with);
        if counters != row.counters {
            tx.count(id, counters).await?;
            row.counters = counters;
        }
        if card.erased_at.is_some() {
            tx.erase_traces(&row, author, now).await?;
        }
        tx.commit().await?;
        row.card = card;
        self.announce(row.update());
        Ok(row)
    }

    /// Takes the card `other` into `keeper`: lists, notes, counters and money join; what refers to `other` is found
    /// through `keeper` from now on. `author.by.expected` is the version of `keeper`, `other_expected` of the other.
    /// A stale version is told with the keeper as it is now.
    ///
    /// # Errors
    /// [`ChangeError::Stale`], [`ChangeError::Rejected`], [`StoreError::NotFound`].
    pub async fn merge_clients(
        &self,
        keeper: ClientId,
        other: ClientId,
        other_expected: Option<u64>,
        author: &Author,
        now: Wall,
    ) -> ClientResult {
        let mut tx = self.begin().await?;
        // Always in the same order: two merges at once would wait for each other for ever.
        for id in [keeper.min(other), keeper.max(other)] {
            tx.client_locked(id).await?;
        }
        let mut read = async |id: ClientId| tx.client_locked(id).await?.ok_or(StoreError::NotFound("client"));
        let (keeper, other) = (read(keeper).await?, read(other).await?);
        let merged = client::merge(&keeper.side(), &other.side(), other_expected, &author.by, now)
            .map_err(|refused| ChangeError::of(refused, &keeper))?;
        tx.write_merge(&keeper, &other, &merged, author, now).await?;
        tx.commit().await?;
        let (id, other) = (keeper.id, ClientRow { card: merged.other, ..other });
        self.announce(other.update());
        let row = ClientRow { id, card: merged.card, counters: merged.counters, balances: merged.money.to };
        self.announce(row.update());
        Ok(row)
    }

    /// The history of a card, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn client_history(&self, id: ClientId) -> Result<Vec<Entry<Event>>> {
        let sql = Sql::new("SELECT entry FROM client_history WHERE client = $1 ORDER BY version").with(id.0);
        self.rows(sql).await?.iter().map(|row| from_json(&row.text("entry")?)).collect()
    }
}

/// From a number to the card that it is on now.
const OF_NUMBER: &str = "WHERE c.id = (SELECT client FROM client_phones WHERE number = $1 AND until IS NULL)";

impl Tx {
    /// A card that nobody else changes until this transaction ends.
    pub(super) async fn client_locked(&mut self, id: ClientId) -> Result<Option<ClientRow>> {
        let sql = Sql::new(format!("SELECT {COLUMNS}{FROM}WHERE c.id = $1")).with(id.0);
        self.row_locked(sql).await?.as_ref().map(client_row).transpose()
    }

    /// The same; for a card that was merged, the one that it ended up in.
    pub(super) async fn root_locked(&mut self, id: ClientId) -> Result<Option<ClientRow>> {
        let sql = format!("SELECT {COLUMNS}{FROM}WHERE c.id = (SELECT COALESCE(root, id) FROM clients WHERE id = $1)");
        let row = self.row_locked(Sql::new(sql).with(id.0)).await?.as_ref().map(client_row).transpose()?;
        match row {
            // Merged in the moment between looking and locking.
            Some(ClientRow { card: Client { merged_into: Some(into), .. }, .. }) => {
                Box::pin(self.root_locked(into)).await
            }
            row => Ok(row),
        }
    }

    /// The card of a number, made now if there is none.
    pub(super) async fn client_for_number(
        &mut self,
        phone: &Phone,
        author: &Author,
        now: Wall,
    ) -> Result<ClientRow, ChangeError<ClientRow>> {
        let number = phone.as_str().to_owned();
        self.lock_number(&number).await?;
        let sql = Sql::new(format!("SELECT {COLUMNS}{FROM}{OF_NUMBER}")).with(number.clone());
        if let Some(row) = self.row_locked(sql).await? {
            return Ok(client_row(&row)?);
        }
        let group = self.default_of::<Group>().await?.map(|group| GroupId(group.id));
        let (card, entries) = first_card(phone, group, author, now)?;
        self.insert_client(card, &entries, author, now).await
    }

    /// There is no row to lock yet, and two first calls at once must not both make one. A writer of SQLite is alone.
    pub(super) async fn lock_number(&mut self, number: &str) -> Result<()> {
        if self.1 == Dialect::Postgres {
            let lock =
                "SELECT CASE WHEN pg_advisory_xact_lock(hashtextextended($1, 0)) IS NULL THEN 1 ELSE 0 END AS one";
            self.rows(Sql::new(lock).with(number.to_owned())).await?;
        }
        Ok(())
    }

    /// A new row.
    pub(super) async fn insert_client(
        &mut self,
        card: Client,
        entries: &[Entry<Event>],
        author: &Author,
        now: Wall,
    ) -> Result<ClientRow, ChangeError<ClientRow>> {
        let new = [(card, entries.to_vec())];
        let id = self.insert_clients(&new).await?.first().copied().ok_or(StoreError::NotFound("client"))?;
        self.audit_entries(id, entries, author, now).await?;
        let [(card, _)] = new;
        Ok(ClientRow { id, card, counters: Counters::default(), balances: Balances::default() })
    }

    /// Writes a card over the one that was read (and locked), with all that follows from it.
    pub(super) async fn write_client(
        &mut self,
        id: ClientId,
        before: &Client,
        card: &Client,
        entries: &[Entry<Event>],
        author: &Author,
        now: Wall,
    ) -> Result<()> {
        self.write_phones(id, card, now).await?;
        self.write_tags(id, before, card).await?;
        self.write_days(id, before, card).await?;
        let sql = Sql::new(
            "UPDATE clients SET version = $2, code = $3, kind = $4, client_group = $5, blocked = $6, conflict = $7, \
             erased_at = $8, body = $9, changed_at = $10 WHERE id = $1 AND version = $11",
        )
        .with(id.0)
        .with(whole(card.version)?)
        .with(code(card))
        .with(kind_word(&card.kind).to_owned())
        .with(card.group.map(|group| group.0))
        .with(i64::from(card.blocked.is_some()))
        .with(i64::from(card.conflict))
        .with(card.erased_at.map(|at| at.0))
        .with(json(card)?)
        .with(now.0)
        .with(whole(before.version)?);
        if self.execute(sql).await? != 1 {
            // Cannot be: the row was locked.
            return Err(StoreError::Failed(format!("client {id} was changed while it was locked")));
        }
        self.index_client(id, card).await?;
        self.insert_history(id, entries).await?;
        self.audit_entries(id, entries, author, now).await
    }

    pub(super) async fn audit_entries(
        &mut self,
        id: ClientId,
        entries: &[Entry<Event>],
        author: &Author,
        now: Wall,
    ) -> Result<()> {
        self.append_audits(entries.iter().map(|entry| audit_line(id, entry, author, now))).await
    }

    /// Sets the counters.
    pub(super) async fn count(&mut self, id: ClientId, counters: Counters) -> Result<()> {
        let sql = Sql::new(
            "UPDATE clients SET completed = $2, false_orders = $3, prize = $4, cancelled = $5, complaints = $6, \
             calls = $7, last_call = $8 WHERE id = $1",
        )
        .with(id.0)
        .with(i64::from(counters.completed))
        .with(i64::from(counters.false_orders))
        .with(i64::from(counters.prize))
        .with(i64::from(counters.cancelled))
        .with(i64::from(counters.complaints))
        .with(i64::from(counters.calls))
        .with(counters.last_call.map(|at| at.0));
        self.execute(sql).await.map(drop)
    }

    async fn write_merge(
        &mut self,
        keeper: &ClientRow,
        other: &ClientRow,
        merged: &Merged,
        author: &Author,
        now: Wall,
    ) -> Result<()> {
        let gone = std::slice::from_ref(&merged.other_entry);
        self.write_client(other.id, &other.card, &merged.other, gone, author, now).await?;
        let grown = std::slice::from_ref(&merged.entry);
        self.write_client(keeper.id, &keeper.card, &merged.card, grown, author, now).await?;
        let root = "UPDATE clients SET root = $1 WHERE id = $2 OR root = $2";
        self.execute(Sql::new(root).with(keeper.id.0).with(other.id.0)).await?;
        self.count(keeper.id, merged.counters).await?;
        self.count(other.id, Counters::default()).await?;
        self.move_places(other.id.0, keeper.id.0).await?;
        for (id, lines) in [(other.id, &merged.money.given), (keeper.id, &merged.money.taken)] {
            for line in lines {
                self.insert_line(id, line, author).await?;
            }
        }
        Ok(())
    }

    /// Numbers that the card has no more lead nowhere; new ones lead to it.
    async fn write_phones(&mut self, id: ClientId, card: &Client, now: Wall) -> Result<()> {
        let known = Sql::new("SELECT number FROM client_phones WHERE client = $1 AND until IS NULL").with(id.0);
        let known = self.rows(known).await?.iter().map(|row| row.text("number")).collect::<Result<Vec<_>>>()?;
        let numbers: Vec<&str> = match card.merged_into {
            Some(_) => Vec::new(),
            None => card.phones.iter().map(|phone| phone.number.as_str()).collect(),
        };
        for number in known.iter().filter(|number| !numbers.contains(&number.as_str())) {
            let sql = "UPDATE client_phones SET until = $3 WHERE client = $1 AND number = $2 AND until IS NULL";
            self.execute(Sql::new(sql).with(id.0).with(number.clone()).with(now.0)).await?;
        }
        for number in numbers.into_iter().filter(|number| !known.iter().any(|known| known == number)) {
            let sql = Sql::new(
                "INSERT INTO client_phones (client, number, number_rev, since) VALUES ($1, $2, $3, \
                 CASE WHEN EXISTS (SELECT 1 FROM client_phones WHERE number = $2) THEN $4 ELSE 0 END)",
            );
            let sql = sql.with(id.0).with(number.to_owned()).with(reversed(number)).with(now.0);
            self.execute(sql).await?;
        }
        Ok(())
    }

    async fn write_tags(&mut self, id: ClientId, before: &Client, card: &Client) -> Result<()> {
        if before.tags == card.tags {
            return Ok(());
        }
        self.execute(Sql::new("DELETE FROM client_tags WHERE client = $1").with(id.0)).await?;
        for tag in &card.tags {
            let sql = Sql::new("INSERT INTO client_tags (client, tag) VALUES ($1, $2)").with(id.0).with(tag.clone());
            self.execute(sql).await?;
        }
        Ok(())
    }
}

/// The line of the audit log about an entry of a card's history.
pub(super) fn audit_line(id: ClientId, entry: &Entry<Event>, author: &Author, now: Wall) -> AuditEntry {
    let kind = entry.event.kind();
    let detail = json!({ "event": kind, "version": entry.version });
    author.audit_line(format!("client.{kind}"), id, detail, now)
}

impl ClientRow {
    fn side(&self) -> Side {
        Side { id: self.id, card: self.card.clone(), counters: self.counters, balances: self.balances }
    }

    pub(super) fn update(&self) -> Update {
        Update::Client { client: self.id, version: self.card.version }
    }
}

/// The card that a number gets when it is seen for the first time.
pub(super) fn first_card(
    phone: &Phone,
    group: Option<GroupId>,
    author: &Author,
    now: Wall,
) -> Result<NewCard, Rejected> {
    let (mut card, mut entries) = client::first_call(phone, group, now)?;
    for entry in &mut entries {
        entry.source = author.by.source;
    }
    card.source = author.by.source;
    Ok((card, entries))
}

pub(super) fn client_row(row: &AnyRow) -> Result<ClientRow> {
    Ok(ClientRow {
        id: ClientId(row.int("id")?),
        card: from_json(&row.text("body")?)?,
        counters: Counters {
            completed: row.small("completed")?,
            false_orders: row.small("false_orders")?,
            prize: row.small("prize")?,
            cancelled: row.small("cancelled")?,
            complaints: row.small("complaints")?,
            calls: row.small("calls")?,
            last_call: row.int_opt("last_call")?.map(Wall),
        },
        balances: super::ledgers::balances(row)?,
    })
}

#[cfg(test)]
pub(in crate::shell) mod tests;
