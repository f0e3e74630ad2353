//! The database: SQLite by default, PostgreSQL by its URL. One set of statements serves both.
//!
//! - `open`, `aside`, `schema`, `sql`, `many`: connections, tables, statements, statements for many rows.
//! - [`journal`]: facts of the engine, written in batches off the call path; `facts`, `table` and `spill` help it.
//! - [`callbacks`], [`callback_list`]: clients whom the office calls.
//! - [`calls`], [`callers`], [`recordings`], [`archive`], [`reports`], [`agent_time`]: what is asked of the
//!   journal. [`recording_search`] finds talks; [`recording_marks`], [`recording_shares`], [`transcripts`]: what people and programs add to them.
//! - [`quality`]: grades of talks; [`schedules`]: reports by e-mail.
//! - [`upkeep`]: what is done every hour.
//! - [`streets`], [`places`]: what address hints are made of.
//! - [`outbox`], [`webhooks`]: what outside programs are still to be told, and who they are.
//! - [`sms`], [`sms_in`], [`sms_work`]: SMS in and out.
//! - [`contacts`], [`contact_list`], [`notifications`]: the journal of contacts, into which `contact_calls` puts calls.
//! - [`agents`], [`users`], [`sessions`], [`second_factor`], [`audit`], [`idempotency`]: people and programs.
//! - [`clients`], [`called`], [`client_list`], [`client_search`], [`mod@attention`], [`timeline`], [`orders`],
//!   [`order_list`], [`ledgers`], [`catalogue`]
//!   (tariffs and groups), [`erase`]: what the domain decides, kept. A change reads the row, asks the domain and writes row,
//!   history, consequences and audit ([`author`]) in one transaction.

pub mod agent_time;
pub mod agents;
pub mod archive;
mod aside;
pub mod attention;
pub mod audit;
pub mod author;
pub mod breather;
mod call_events;
mod callback_facts;
pub mod callback_list;
pub mod callbacks;
pub mod called;
pub mod callers;
pub mod calls;
pub mod catalogue;
mod change;
mod client_index;
mod client_insert;
pub mod client_list;
pub mod client_search;
pub mod clients;
mod contact_calls;
pub mod contact_list;
pub mod contacts;
pub mod erase;
mod error;
mod facts;
pub mod idempotency;
pub mod journal;
pub mod ledgers;
mod many;
mod monitors;
pub mod notifications;
mod open;
pub mod order_list;
pub mod orders;
pub mod outbox;
mod page;
pub mod pauses;
pub mod places;
pub mod quality;
pub mod recording_checks;
pub mod recording_keeping;
pub mod recording_marks;
pub mod recording_search;
pub mod recording_shares;
pub mod recordings;
pub mod reports;
pub mod schedules;
mod schema;
pub mod second_factor;
pub mod sessions;
pub mod settings;
pub mod sms;
pub mod sms_in;
pub mod sms_work;
mod spill;
mod sql;
pub mod streets;
mod table;
pub mod taken;
#[cfg(test)]
pub(crate) mod testing;
mod thoughtful;
pub mod timeline;
pub mod transcripts;
pub mod upkeep;
pub mod users;
pub mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use sqlx::any::AnyRow;
use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::{Notify, mpsc};

use crate::domain::ids::OrderId;
use crate::engine::command::Update;
use crate::engine::ids::CallbackId;
use crate::shell::updates::Updates;

use aside::Aside;
use callbacks::Announcing;
pub use error::{Result, StoreError};
pub use facts::Rejected;
pub use page::Page;
pub use schema::Dialect;
use sql::{Columns, Sql};

/// No statement may take longer: a database that hangs is as bad as one that is gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The database. Clones share the connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dialect: Dialect,
    /// For reading; in PostgreSQL for everything.
    read: AnyPool,
    /// For writing. SQLite has one writer: waiting for a connection is fair, waiting for its lock is not.
    write: AnyPool,
    /// Beside those for reading. PostgreSQL's are at hand as they are.
    aside: Option<Aside>,
    /// SQLite's file.
    file: Option<PathBuf>,
    /// For messages; without a password.
    name: String,
    /// Who is told what was changed.
    listener: OnceLock<Updates>,
    /// Who is told which orders were changed.
    order_listener: OnceLock<mpsc::Sender<OrderId>>,
    /// Who is told which callbacks were changed.
    callback_listener: OnceLock<mpsc::Sender<CallbackId>>,
    /// Somebody was not told of a callback.
    callbacks_missed: AtomicBool,
    /// A callback was exhausted.
    callbacks_exhausted: Notify,
    /// How clients are told of their orders.
    announcing: RwLock<Arc<Announcing>>,
    /// An SMS was queued.
    sms_queued: Notify,
}

/// How much there is and how much more can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Size of the database in bytes.
    pub used: u64,
    /// Free bytes on its disk, when it is a disk of this machine.
    pub free: Option<u64>,
}

impl Store {
    /// Which database it is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.inner.dialect
    }

    /// The URL without the password, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// SQLite's file; none for PostgreSQL.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }

    /// The database answers and can be written to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.rows(Sql::new("SELECT 1 AS one")).await?;
        match self.inner.dialect {
            // Takes SQLite's lock: a disk that became read-only is found out here.
            Dialect::Sqlite => self.begin().await?.commit().await,
            Dialect::Postgres => Ok(()),
        }
    }

    /// How much room the database takes, and how much is left.
    ///
    /// # Errors
    /// When the database does not answer or the disk cannot be asked.
    pub async fn space(&self) -> Result<Space> {
        let sql = match self.inner.dialect {
            Dialect::Sqlite => {
                "SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS used"
            }
            Dialect::Postgres => "SELECT pg_database_size(current_database()) AS used",
        };
        let row = self.row(Sql::new(sql)).await?.ok_or(StoreError::NotFound("answer"))?;
        let free = match self.file() {
            Some(file) => Some(free_bytes(file)?),
            None => None,
        };
        Ok(Space { used: row.small("used")?, free })
    }

    /// From now on whoever listens there is told of each order and card that was changed, once it is on the disk.
    /// Holds for all clones; the first call counts.
    pub fn announce_to(&self, updates: Updates) {
        // The second of two calls has nothing to add: a program has one publisher.
        let _ = self.inner.listener.set(updates);
    }

    /// From now on the number of each order that was taken or changed is sent there, once it is on the disk; where
    /// there is no room it is left out. Holds for all clones; the first call counts.
    pub fn tell_of_orders(&self, listener: mpsc::Sender<OrderId>) {
        // As above.
        let _ = self.inner.order_listener.set(listener);
    }

    /// How clients are told of their orders from now on. Holds for all clones.
    pub fn announce_as(&self, announcing: Announcing) {
        *self.inner.announcing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(announcing);
    }

    fn announcing(&self) -> Arc<Announcing> {
        Arc::clone(&self.inner.announcing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the number of each callback that is wanted, or not any more, is sent there, once it is on the disk.
    /// Where there is no room [`callbacks_were_missed`](Self::callbacks_were_missed). The first call counts.
    pub fn tell_of_callbacks(&self, listener: mpsc::Sender<CallbackId>) {
        // As above.
        let _ = self.inner.callback_listener.set(listener);
    }

    /// Callbacks that people see were changed and are on the disk.
    fn callbacks_shown(&self, ids: impl IntoIterator<Item = CallbackId>) {
        ids.into_iter().for_each(|callback| self.announce(Update::Callback { callback }));
    }

    /// Callbacks were changed, not by the engine, and are on the disk: it is told.
    fn callbacks_changed(&self, ids: &[CallbackId]) {
        self.callbacks_shown(ids.iter().copied());
        if let Some(listener) = self.inner.callback_listener.get() {
            for id in ids {
                if listener.try_send(*id).is_err() {
                    self.callback_missed();
                }
            }
        }
    }

    /// There was a callback of which nobody could be told: all are to be read again.
    pub fn callback_missed(&self) {
        self.inner.callbacks_missed.store(true, Ordering::Relaxed);
    }

    /// Whether [`callback_missed`](Self::callback_missed) since the last time.
    #[must_use]
    pub fn callbacks_were_missed(&self) -> bool {
        self.inner.callbacks_missed.swap(false, Ordering::Relaxed)
    }

    /// Returns when a callback was exhausted since the last return.
    pub async fn callbacks_exhausted(&self) {
        self.inner.callbacks_exhausted.notified().await;
    }

    fn announce(&self, update: Update) {
        if let (Update::Order { order, .. }, Some(listener)) = (&update, self.inner.order_listener.get())
            && listener.try_send(*order).is_err()
        {
            tracing::debug!(order = order.0, "callers on the line are not told that the order changed");
        }
        if let Some(updates) = self.inner.listener.get() {
            updates.publish(update);
        }
    }

    /// Closes all connections; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        if let Some(aside) = &self.inner.aside {
            aside.close().await;
        }
        self.inner.read.close().await;
        self.inner.write.close().await;
    }

    async fn rows(&self, sql: Sql) -> Result<Vec<AnyRow>> {
        let (text, values) = sql.parts()?;
        bounded(sqlx::query_with(&text, values).fetch_all(&self.inner.read)).await
    }

    async fn row(&self, sql: Sql) -> Result<Option<AnyRow>> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// Runs one writing statement; answers how many rows it touched.
    async fn execute(&self, sql: Sql) -> Result<u64> {
        let (text, values) = sql.parts()?;
        let done = bounded(sqlx::query_with(&text, values).execute(&self.inner.write)).await?;
        Ok(done.rows_affected())
    }

    /// Runs one writing statement that returns rows.
    async fn write_returning(&self, sql: Sql) -> Result<Vec<AnyRow>> {
        let (text, values) = sql.parts()?;
        bounded(sqlx::query_with(&text, values).fetch_all(&self.inner.write)).await
    }

    /// Begins a writing transaction; one that is dropped is undone.
    async fn begin(&self) -> Result<Tx> {
        let dialect = self.inner.dialect;
        Ok(Tx(bounded(self.inner.write.begin_with(dialect.begin())).await?, dialect))
    }
}

/// A transaction, and in which database.
struct Tx(Transaction<'static, Any>, Dialect);

impl Tx {
    async fn execute(&mut self, sql: Sql) -> Result<u64> {
        let (text, values) = sql.parts()?;
        let done = bounded(sqlx::query_with(&text, values).execute(&mut *self.0)).await?;
        Ok(done.rows_affected())
    }

    async fn rows(&mut self, sql: Sql) -> Result<Vec<AnyRow>> {
        let (text, values) = sql.parts()?;
        bounded(sqlx::query_with(&text, values).fetch_all(&mut *self.0)).await
    }

    async fn row(&mut self, sql: Sql) -> Result<Option<AnyRow>> {
        Ok(self.rows(sql).await?.into_iter().next())
    }

    /// The row that is read here is nobody else's to change until this transaction ends.
    async fn row_locked(&mut self, mut sql: Sql) -> Result<Option<AnyRow>> {
        sql.push(self.1.for_update());
        self.row(sql).await
    }

    async fn commit(self) -> Result<()> {
        bounded(self.0.commit()).await
    }
}

async fn bounded<T>(work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(StoreError::Unavailable(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

fn free_bytes(file: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(file).map_err(|error| {
        StoreError::Unavailable(format!("the disk of {} cannot be asked for free space: {error}", file.display()))
    })?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// The lower-case hexadecimal SHA-256, under which secrets that come back to us are kept.
pub(crate) fn sha256_hex(text: impl AsRef<[u8]>) -> String {
    use sha2::{Digest as _, Sha256};
    use std::fmt::Write as _;
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A secret of so many random bytes, in letters that need no escaping anywhere.
pub(super) fn random_secret<const BYTES: usize>() -> String {
    use base64::Engine as _;
    let mut bytes = [0u8; BYTES];
    rand::Rng::fill(&mut rand::rng(), bytes.as_mut_slice());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Text that must not appear in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}
