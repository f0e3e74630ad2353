//! Answers to writes that carried an `Idempotency-Key`: the same request sent twice is done once.

use std::time::Duration;

use crate::engine::time::Wall;

use super::change::millis;
use super::{Columns as _, Result, Sql, Store, StoreError};

/// How long an answer is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 3600);
/// A request that was begun and not answered so long ago died with its process; it may be done again.
const ABANDONED: Duration = Duration::from_secs(60);

/// Whose request it is, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// User or API key; others' keys do not matter.
    pub owner: String,
    /// As the client sent it.
    pub key: String,
    /// Method and path.
    pub route: String,
}

/// What to do with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is new: do it, then [`finish`](Store::finish_idempotent) or [`abandon`](Store::abandon_idempotent) it.
    Fresh,
    /// It was done: answer the same.
    Done {
        /// HTTP status.
        status: u16,
        /// Body.
        body: String,
    },
    /// It is being done at this moment.
    InProgress,
    /// The key was used for another request: the client's mistake.
    Mismatch,
}

impl Store {
    /// Takes a key. Of two requests at once only one is told [`Turn::Fresh`].
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begin_idempotent(&self, key: &IdempotencyKey, fingerprint: &str, now: Wall) -> Result<Turn> {
        let mut tx = self.begin().await?;
        let stale = Sql::new(
            "DELETE FROM idempotency_keys WHERE owner = $1 AND idem_key = $2 AND route = $3 \
             AND (created_at <= $4 OR (status IS NULL AND created_at <= $5))",
        );
        let stale = key.bind(stale).with(before(now, KEPT)).with(before(now, ABANDONED));
        tx.execute(stale).await?;
        let insert = Sql::new(
            "INSERT INTO idempotency_keys (owner, idem_key, route, fingerprint, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner, idem_key, route) DO NOTHING",
        );
        let fresh = tx.execute(key.bind(insert).with(fingerprint.to_owned()).with(now.0)).await? == 1;
        tx.commit().await?;
        if fresh {
            return Ok(Turn::Fresh);
        }
        let select = Sql::new(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE owner = $1 AND idem_key = $2 AND route = $3",
        );
        match self.row(key.bind(select)).await? {
            // Abandoned in this very moment: the client may come again.
            None => Ok(Turn::InProgress),
            Some(row) if row.text("fingerprint")? != fingerprint => Ok(Turn::Mismatch),
            Some(row) => match row.small_opt("status")? {
                Some(status) => Ok(Turn::Done { status, body: row.text_opt("body")?.unwrap_or_default() }),
                None => Ok(Turn::InProgress),
            },
        }
    }

    /// Keeps the answer.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the key was not taken.
    pub async fn finish_idempotent(&self, key: &IdempotencyKey, status: u16, body: &str) -> Result<()> {
        let sql = Sql::new(
            "UPDATE idempotency_keys SET status = $4, body = $5 WHERE owner = $1 AND idem_key = $2 AND route = $3",
        );
        match self.execute(key.bind(sql).with(i64::from(status)).with(body.to_owned())).await? {
            0 => Err(StoreError::NotFound("idempotency key")),
            _ => Ok(()),
        }
    }

    /// Gives the key back: nothing was done, the request may be sent again.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn abandon_idempotent(&self, key: &IdempotencyKey) -> Result<()> {
        let sql = Sql::new(
            "DELETE FROM idempotency_keys WHERE owner = $1 AND idem_key = $2 AND route = $3 AND status IS NULL",
        );
        self.execute(key.bind(sql)).await?;
        Ok(())
    }

    /// Forgets answers that are older than [`KEPT`]; answers how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn purge_idempotent(&self, now: Wall) -> Result<u64> {
        self.execute(Sql::new("DELETE FROM idempotency_keys WHERE created_at <= $1").with(before(now, KEPT))).await
    }
}

impl IdempotencyKey {
    fn bind(&self, sql: Sql) -> Sql {
        sql.with(self.owner.clone()).with(self.key.clone()).with(self.route.clone())
    }
}

fn before(now: Wall, span: Duration) -> i64 {
    now.0.saturating_sub(millis(span))
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    fn key(owner: &str) -> IdempotencyKey {
        IdempotencyKey { owner: owner.into(), key: "k-1".into(), route: "POST /api/v1/agents".into() }
    }

    #[tokio::test]
    async fn a_request_sent_twice_is_done_once_and_answered_the_same() {
        on_both(async |t| {
            let now = Wall(1_000_000_000_000);
            assert_eq!(t.store.begin_idempotent(&key("a"), "f", now).await.unwrap(), Turn::Fresh);
            assert_eq!(t.store.begin_idempotent(&key("a"), "f", now).await.unwrap(), Turn::InProgress);
            assert_eq!(t.store.begin_idempotent(&key("b"), "f", now).await.unwrap(), Turn::Fresh);
            t.store.finish_idempotent(&key("a"), 201, "{}").await.unwrap();
            let done = Turn::Done { status: 201, body: "{}".into() };
            assert_eq!(t.store.begin_idempotent(&key("a"), "f", now).await.unwrap(), done);
            assert_eq!(t.store.begin_idempotent(&key("a"), "g", now).await.unwrap(), Turn::Mismatch);
            t.store.abandon_idempotent(&key("a")).await.unwrap();
            assert_eq!(t.store.begin_idempotent(&key("a"), "f", now).await.unwrap(), done);
            t.store.abandon_idempotent(&key("b")).await.unwrap();
            assert_eq!(t.store.begin_idempotent(&key("b"), "f", now).await.unwrap(), Turn::Fresh);
        })
        .await;
    }

    #[tokio::test]
    async fn a_request_that_died_may_be_done_again_and_answers_are_forgotten_after_a_day() {
        on_both(async |t| {
            let now = Wall(1_000_000_000_000);
            let later = |span: Duration| Wall(now.0 + millis(span));
            assert_eq!(t.store.begin_idempotent(&key("a"), "f", now).await.unwrap(), Turn::Fresh);
            assert_eq!(t.store.begin_idempotent(&key("a"), "f", later(ABANDONED)).await.unwrap(), Turn::Fresh);
            t.store.finish_idempotent(&key("a"), 201, "{}").await.unwrap();
            assert_eq!(t.store.purge_idempotent(later(KEPT)).await.unwrap(), 0);
            assert_eq!(t.store.begin_idempotent(&key("a"), "g", later(KEPT + ABANDONED)).await.unwrap(), Turn::Fresh);
            assert_eq!(t.store.purge_idempotent(later(KEPT * 3)).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn of_many_at_once_one_has_the_turn() {
        on_both(async |t| {
            let mut tasks = tokio::task::JoinSet::new();
            for _ in 0..8 {
                let store = t.store.clone();
                tasks.spawn(async move { store.begin_idempotent(&key("a"), "f", Wall(1_000_000)).await.unwrap() });
            }
            let turns = tasks.join_all().await;
            assert_eq!(turns.iter().filter(|turn| **turn == Turn::Fresh).count(), 1);
        })
        .await;
    }
}
