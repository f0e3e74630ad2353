//! Callbacks as people see them: lists, one with its attempts, and what people do with them.

use sqlx::any::AnyRow;

use crate::domain::ids::{ClientId, OrderId};
use crate::domain::phone::Phone;
use crate::engine::ids::{CallId, CallbackId};
use crate::engine::time::Wall;

use super::calls::{narrow_time, page_of};
use super::change::call_id;
use super::page::Place;
use super::{Columns as _, Page, Result, Sql, Store, StoreError};

/// A callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackRow {
    /// Number of the row.
    pub id: CallbackId,
    /// `order`, `lost`, `words`, `attention` or `place`.
    pub kind: String,
    /// What happened to the order.
    pub occasion: Option<String>,
    /// About which order.
    pub order: Option<OrderId>,
    /// Whom.
    pub client: Option<ClientId>,
    /// Canonical number; empty once the client is erased.
    pub number: String,
    /// What is told, where it is the office's own.
    pub words: String,
    /// An SMS told it as well.
    pub by_sms: bool,
    /// Who wanted it; empty for the engine.
    pub author: String,
    /// `pending`, `delivered`, `superseded`, `cancelled`, `exhausted`, `listed`.
    pub state: String,
    /// The attempt in flight.
    pub attempt: Option<CallId>,
    /// Attempts that were made and count.
    pub attempts: u32,
    /// When the next one is due.
    pub due: Wall,
    /// Since when it is wanted.
    pub created: Wall,
    /// When it ended.
    pub ended: Option<Wall>,
    /// How the last attempt ended.
    pub outcome: Option<String>,
    /// When somebody saw to an exhausted or listed one.
    pub closed: Option<Wall>,
    /// Who; empty for the engine.
    pub closed_by: String,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Which; also the id of the call that came of it, if one did.
    pub id: CallId,
    /// When it began.
    pub started: Wall,
    /// When it was over.
    pub ended: Option<Wall>,
    /// How.
    pub outcome: Option<String>,
    /// Q.850 cause.
    pub cause: Option<i64>,
}

/// Which callbacks to list; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackFilter {
    /// Wanted at this moment or later.
    pub from: Option<Wall>,
    /// Before this moment.
    pub to: Option<Wall>,
    /// In this state.
    pub state: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Those that somebody, or the engine, still has to see to; or those that nobody has.
    pub open: Option<bool>,
    /// Of this client.
    pub client: Option<ClientId>,
    /// About this order.
    pub order: Option<OrderId>,
    /// With this number, in whatever form.
    pub number: Option<String>,
}

/// A callback that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCallback {
    /// The number to call.
    pub number: Phone,
    /// Whose.
    pub client: Option<ClientId>,
    /// What is told.
    pub words: String,
    /// Not before this moment.
    pub not_before: Option<Wall>,
    /// Who wants it.
    pub author: String,
}

const SELECT: &str = "SELECT id, kind, occasion, order_id, client, number, words, by_sms, author, state, attempt, \
     attempts, due_at, created_at, ended_at, outcome, closed_at, closed_by FROM callbacks";
/// What is still to be seen to.
const OPEN: &str = "(state = 'pending' OR (state IN ('exhausted', 'listed') AND closed_at IS NULL))";

impl Store {
    /// One callback with its attempts, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_callback(&self, id: CallbackId) -> Result<Option<(CallbackRow, Vec<AttemptRow>)>> {
        let Some(row) = self.row(Sql::new(format!("{SELECT} WHERE id = $1")).with(id.0)).await? else {
            return Ok(None);
        };
        let sql =
            "SELECT id, started_at, ended_at, outcome, cause FROM callback_attempts WHERE callback = $1 ORDER BY id";
        let attempts = self.rows(Sql::new(sql).with(id.0)).await?;
        Ok(Some((callback_row(&row)?, attempts.iter().map(attempt_row).collect::<Result<_>>()?)))
    }

    /// A page of callbacks, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn list_callbacks(
        &self,
        filter: &CallbackFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<CallbackRow>> {
        let mut sql = Sql::new(format!("{SELECT} WHERE 1 = 1"));
        narrow_time(&mut sql, "created_at", filter.from, filter.to);
        let number = filter.number.as_deref().map(|number| Phone::parse(number).as_str().to_owned());
        for (column, text) in [("state", filter.state.clone()), ("kind", filter.kind.clone()), ("number", number)] {
            if let Some(text) = text {
                sql.push(&format!(" AND {column} = "));
                sql.push_value(text);
            }
        }
        for (column, number) in
            [("client", filter.client.map(|client| client.0)), ("order_id", filter.order.map(|order| order.0))]
        {
            if let Some(number) = number {
                sql.push(&format!(" AND {column} = "));
                sql.push_value(number);
            }
        }
        match filter.open {
            Some(true) => sql.push(&format!(" AND {OPEN}")),
            Some(false) => sql.push(&format!(" AND NOT {OPEN}")),
            None => {}
        }
        page_of(&mut sql, "created_at", "id", cursor, limit)?;
        let rows = self.rows(sql).await?.iter().map(callback_row).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(rows, limit, |row| Place { at: row.created.0, id: row.id.0 }))
    }

    /// A client is to be called and told these words.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when there is no number, or when the database does not answer.
    pub async fn add_callback(&self, new: &NewCallback, now: Wall) -> Result<CallbackRow> {
        if new.number.as_str().is_empty() {
            return Err(StoreError::Invalid("there is no number to call".to_owned()));
        }
        let sql = Sql::new(
            "INSERT INTO callbacks (kind, client, number, words, by_sms, author, state, attempts, due_at, not_before, \
             created_at, settled) VALUES ('words', $1, $2, $3, 0, $4, 'pending', 0, $5, $6, $5, 0) RETURNING id",
        )
        .with(new.client.map(|client| client.0))
        .with(new.number.as_str().to_owned())
        .with(new.words.clone())
        .with(new.author.clone())
        .with(now.0)
        .with(new.not_before.map(|at| at.0));
        let rows = self.write_returning(sql).await?;
        let id = CallbackId(rows.first().ok_or(StoreError::NotFound("callback"))?.int("id")?);
        self.callback_changed(id).await
    }

    /// Nobody is to be called for it any more; one that is a task for the agents is done with.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, or it is over.
    pub async fn cancel_callback(&self, id: CallbackId, by: &str, now: Wall) -> Result<CallbackRow> {
        let sql = format!(
            "UPDATE callbacks SET ended_at = COALESCE(ended_at, $2), closed_at = $2, closed_by = $3, \
             state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END WHERE id = $1 AND {OPEN}"
        );
        match self.execute(Sql::new(sql).with(id.0).with(now.0).with(by.to_owned())).await? {
            0 => Err(StoreError::NotFound("open callback")),
            _ => self.callback_changed(id).await,
        }
    }

    /// The next attempt is made now. One that is a task for the agents is called again, with all attempts anew.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, or it is over.
    pub async fn hurry_callback(&self, id: CallbackId, now: Wall) -> Result<CallbackRow> {
        let sql = format!(
            "UPDATE callbacks SET due_at = $2, not_before = NULL, ended_at = NULL, settled = 0, \
             attempts = CASE WHEN state = 'pending' THEN attempts ELSE 0 END, state = 'pending' WHERE id = $1 AND number <> '' AND {OPEN}"
        );
        match self.execute(Sql::new(sql).with(id.0).with(now.0)).await? {
            0 => Err(StoreError::NotFound("open callback")),
            _ => self.callback_changed(id).await,
        }
    }

    async fn callback_changed(&self, id: CallbackId) -> Result<CallbackRow> {
        self.callbacks_changed(&[id]);
        let (row, _) = self.get_callback(id).await?.ok_or(StoreError::NotFound("callback"))?;
        Ok(row)
    }
}

fn callback_row(row: &AnyRow) -> Result<CallbackRow> {
    Ok(CallbackRow {
        id: CallbackId(row.int("id")?),
        kind: row.text("kind")?,
        occasion: row.text_opt("occasion")?,
        order: row.int_opt("order_id")?.map(OrderId),
        client: row.int_opt("client")?.map(ClientId),
        number: row.text("number")?,
        words: row.text("words")?,
        by_sms: row.flag("by_sms")?,
        author: row.text("author")?,
        state: row.text("state")?,
        attempt: row.int_opt("attempt")?.map(call_id),
        attempts: row.small("attempts")?,
        due: Wall(row.int("due_at")?),
        created: Wall(row.int("created_at")?),
        ended: row.int_opt("ended_at")?.map(Wall),
        outcome: row.text_opt("outcome")?,
        closed: row.int_opt("closed_at")?.map(Wall),
        closed_by: row.text_opt("closed_by")?.unwrap_or_default(),
    })
}

fn attempt_row(row: &AnyRow) -> Result<AttemptRow> {
    Ok(AttemptRow {
        id: call_id(row.int("id")?),
        started: Wall(row.int("started_at")?),
        ended: row.int_opt("ended_at")?.map(Wall),
        outcome: row.text_opt("outcome")?,
        cause: row.int_opt("cause")?,
    })
}
