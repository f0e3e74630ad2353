//! A connection beside the pool, for what a caller waits for. Reports may keep all readers of the pool; and the pool tests
//! each connection when it comes back, and gives the one that was idle longest: two more turns of other threads.

use sqlx::any::{AnyConnectOptions, AnyRow};
use sqlx::{AnyConnection, ConnectOptions as _, Connection as _, Executor as _};
use tokio::sync::{Mutex, MutexGuard};

use super::sql::Sql;
use super::{Result, Store, bounded};

/// Opened when it is used first, and anew after an error.
pub(super) struct Aside {
    options: AnyConnectOptions,
    setup: &'static str,
    /// Taken out while it is used: one whose answer nobody waited for is not used again.
    idle: Mutex<Option<AnyConnection>>,
}

impl Aside {
    pub(super) fn new(options: AnyConnectOptions, setup: &'static str) -> Aside {
        Aside { options, setup, idle: Mutex::default() }
    }

    async fn take(&self, place: &mut MutexGuard<'_, Option<AnyConnection>>) -> sqlx::Result<AnyConnection> {
        if let Some(connection) = place.take() {
            return Ok(connection);
        }
        let mut connection = self.options.connect().await?;
        connection.execute(self.setup).await?;
        Ok(connection)
    }

    pub(super) async fn close(&self) {
        if let Some(connection) = self.idle.lock().await.take() {
            // What cannot be closed ends with the program.
            let _ = connection.close().await;
        }
    }
}

impl Store {
    /// Reads one row over the connection beside the pool, or over the pool where that one is in use.
    pub(super) async fn row_aside(&self, sql: Sql) -> Result<Option<AnyRow>> {
        let Some(aside) = &self.inner.aside else { return self.row(sql).await };
        let Ok(mut place) = aside.idle.try_lock() else { return self.row(sql).await };
        let (text, values) = sql.parts()?;
        bounded(async {
            let mut connection = aside.take(&mut place).await?;
            let row = sqlx::query_with(&text, values).fetch_optional(&mut connection).await?;
            *place = Some(connection);
            Ok(row)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::sqlite;
    use super::*;

    #[tokio::test]
    async fn it_is_used_again_waited_for_by_nobody_and_opened_anew_after_an_error() {
        let t = sqlite().await;
        let idle = async || t.store.inner.aside.as_ref().unwrap().idle.lock().await.is_some();
        let one = || Sql::new("SELECT 1 AS one");
        assert!(!idle().await);
        assert!(t.store.row_aside(one()).await.unwrap().is_some());
        assert!(idle().await);
        assert!(t.store.row_aside(Sql::new("SELECT one FROM nowhere")).await.is_err());
        assert!(!idle().await);
        let held = t.store.inner.aside.as_ref().unwrap().idle.lock().await;
        assert!(t.store.row_aside(one()).await.unwrap().is_some());
        drop(held);
        assert!(!idle().await, "that was the pool's");
        assert!(t.store.row_aside(one()).await.unwrap().is_some());
        assert!(idle().await);
        t.store.close().await;
        assert!(!idle().await);
    }
}
