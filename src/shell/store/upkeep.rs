//! What the database needs now and then.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::engine::time::Wall;
use crate::shell::clock::wall;

use super::{Dialect, Result, Sql, Store};

const EVERY: Duration = Duration::from_secs(3600);

impl Store {
    /// Forgets what is over (sessions, answers to repeated writes) and lets SQLite count its rows, from which it
    /// chooses among indexes; PostgreSQL does that by itself.
    ///
    /// # Errors
    /// When the database does not answer; nothing is lost by waiting for the next time.
    pub async fn tidy_up(&self, now: Wall) -> Result<()> {
        self.purge_sessions(now).await?;
        self.purge_idempotent(now).await?;
        self.purge_stray_reports(now).await?;
        self.purge_notifications(now).await?;
        match self.dialect() {
            Dialect::Sqlite => self.execute(Sql::new("PRAGMA analysis_limit = 400; PRAGMA optimize")).await.map(drop),
            Dialect::Postgres => Ok(()),
        }
    }
}

/// Tidies up at once and then every hour, until it is cancelled.
pub fn start(store: Store, cancel: CancellationToken) {
    tokio::spawn(async move {
        let mut hours = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = hours.tick() => {
                    if let Err(error) = store.tidy_up(wall()).await {
                        tracing::warn!("the database could not be tidied up, it is tried again in an hour: {error}");
                    }
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::super::users::{NewUser, Role};
    use super::*;

    #[tokio::test]
    async fn what_is_over_is_forgotten_and_what_is_not_stays() {
        on_both(async |t| {
            let new =
                NewUser { login: "olga".into(), password_hash: "$argon2id$".into(), role: Role::Agent, agent: None };
            let user = t.store.add_user(new, Wall(1)).await.unwrap().id;
            let short = t.store.new_session(user, "", Wall(0), Duration::from_millis(10)).await.unwrap();
            let long = t.store.new_session(user, "", Wall(0), EVERY).await.unwrap();
            t.store.tidy_up(Wall(10)).await.unwrap();
            assert_eq!(t.store.purge_sessions(Wall(10)).await.unwrap(), 0);
            assert!(t.store.session(&short, Wall(5)).await.unwrap().is_none());
            assert!(t.store.session(&long, Wall(5)).await.unwrap().is_some());
        })
        .await;
    }
}
