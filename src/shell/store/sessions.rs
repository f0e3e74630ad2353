//! Who is logged in: sessions of people and keys of programs. Only hashes of tokens are kept.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::users::{COLUMNS, UserId, UserRow, user};
use super::{Columns as _, Result, Sql, Store, StoreError, random_secret, sha256_hex};

/// A living session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Whose.
    pub user: UserRow,
    /// When it began.
    pub created: Wall,
    /// Until when.
    pub expires: Wall,
}

/// A program's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// Number of the row.
    pub id: i64,
    /// Name, for people and the audit.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<String>,
    /// Refused.
    pub disabled: bool,
    /// When made.
    pub created: Wall,
    /// When it was used last, give or take a minute.
    pub last_used: Option<Wall>,
    /// From which network address.
    pub last_used_from: Option<String>,
}

impl Store {
    /// Begins a session; answers its token, which is not kept anywhere.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`] when there is no such user.
    pub async fn new_session(&self, user: UserId, address: &str, now: Wall, lifetime: Duration) -> Result<String> {
        let token = random_secret::<32>();
        let expires = now.0.saturating_add(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX));
        let sql = Sql::new(
            "INSERT INTO sessions (token_hash, user_id, address, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .with(sha256_hex(&token))
        .with(user.0)
        .with(address.to_owned())
        .with(now.0)
        .with(expires);
        self.execute(sql).await?;
        Ok(token)
    }

    /// The session of this token, unless it is over or its user disabled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session(&self, token: &str, now: Wall) -> Result<Option<SessionRow>> {
        let sql = Sql::new(format!(
            "SELECT {COLUMNS}, s.created_at AS began_at, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id \
             WHERE s.token_hash = $1 AND s.expires_at > $2 AND u.disabled = 0"
        ))
        .with(sha256_hex(token))
        .with(now.0);
        let row = self.row(sql).await?;
        row.map(|row| {
            Ok(SessionRow {
                user: user(&row)?,
                created: Wall(row.int("began_at")?),
                expires: Wall(row.int("expires_at")?),
            })
        })
        .transpose()
    }

    /// Ends a session; one that is over already is no error.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_session(&self, token: &str) -> Result<()> {
        self.execute(Sql::new("DELETE FROM sessions WHERE token_hash = $1").with(sha256_hex(token))).await?;
        Ok(())
    }

    /// Removes sessions that are over; answers how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn purge_sessions(&self, now: Wall) -> Result<u64> {
        self.execute(Sql::new("DELETE FROM sessions WHERE expires_at <= $1").with(now.0)).await
    }

    /// Makes a key for a program; answers the key, which is not kept anywhere.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the name is in use.
    pub async fn add_api_key(&self, name: &str, scopes: &BTreeSet<String>, now: Wall) -> Result<String> {
        if name.trim().is_empty() || name.chars().count() > 100 {
            return Err(StoreError::Invalid("the name of a key has 1 to 100 letters".to_owned()));
        }
        let key = format!("pz_{}", random_secret::<32>());
        let sql =
            Sql::new("INSERT INTO api_keys (name, key_hash, scopes, disabled, created_at) VALUES ($1, $2, $3, 0, $4)")
                .with(name.to_owned())
                .with(sha256_hex(&key))
                .with(json(scopes)?)
                .with(now.0);
        self.execute(sql).await?;
        Ok(key)
    }

    /// The key, unless it is disabled.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn api_key(&self, key: &str) -> Result<Option<ApiKeyRow>> {
        let keys = self.api_keys_where("key_hash = $1 AND disabled = 0", Some(sha256_hex(key))).await?;
        Ok(keys.into_iter().next())
    }

    /// All keys by name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_api_keys(&self) -> Result<Vec<ApiKeyRow>> {
        self.api_keys_where("1 = 1", None).await
    }

    /// Disables a key for ever.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such key.
    pub async fn disable_api_key(&self, id: i64) -> Result<()> {
        match self.execute(Sql::new("UPDATE api_keys SET disabled = 1 WHERE id = $1").with(id)).await? {
            0 => Err(StoreError::NotFound("API key")),
            _ => Ok(()),
        }
    }

    /// Notes that a key was used.
    ///
    /// # Errors
    /// When the database does not answer; nothing depends on it.
    pub async fn touch_api_key(&self, id: i64, address: &str, now: Wall) -> Result<()> {
        let sql = Sql::new("UPDATE api_keys SET last_used_at = $2, last_used_from = $3 WHERE id = $1");
        self.execute(sql.with(id).with(now.0).with(address.to_owned())).await.map(drop)
    }

    async fn api_keys_where(&self, condition: &str, value: Option<String>) -> Result<Vec<ApiKeyRow>> {
        let text = format!(
            "SELECT id, name, scopes, disabled, created_at, last_used_at, last_used_from FROM api_keys WHERE {condition} ORDER BY name"
        );
        let mut sql = Sql::new(text);
        if let Some(value) = value {
            sql = sql.with(value);
        }
        let rows = self.rows(sql).await?;
        rows.iter()
            .map(|row| {
                Ok(ApiKeyRow {
                    id: row.int("id")?,
                    name: row.text("name")?,
                    scopes: from_json(&row.text("scopes")?)?,
                    disabled: row.flag("disabled")?,
                    created: Wall(row.int("created_at")?),
                    last_used: row.int_opt("last_used_at")?.map(Wall),
                    last_used_from: row.text_opt("last_used_from")?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::super::users::{NewUser, Role};
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    async fn olga(store: &Store) -> UserId {
        let new = NewUser { login: "olga".into(), password_hash: "$argon2id$".into(), role: Role::Agent, agent: None };
        store.add_user(new, Wall(1)).await.unwrap().id
    }

    #[tokio::test]
    async fn a_session_ends_at_its_time() {
        on_both(async |t| {
            let id = olga(&t.store).await;
            let token = t.store.new_session(id, "127.0.0.1", Wall(1_000), HOUR).await.unwrap();
            let session = t.store.session(&token, Wall(3_600_999)).await.unwrap().unwrap();
            assert_eq!((session.user.id, session.expires), (id, Wall(3_601_000)));
            assert_eq!(t.store.session(&token, Wall(3_601_000)).await.unwrap(), None);
            assert_eq!(t.store.session("guess", Wall(1_001)).await.unwrap(), None);
            assert_eq!(t.store.purge_sessions(Wall(3_601_000)).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_new_password_or_a_disabled_user_ends_sessions() {
        on_both(async |t| {
            let id = olga(&t.store).await;
            let first = t.store.new_session(id, "", Wall(1), HOUR).await.unwrap();
            t.store.set_password(id, "$argon2id$other").await.unwrap();
            assert_eq!(t.store.session(&first, Wall(2)).await.unwrap(), None);
            let second = t.store.new_session(id, "", Wall(1), HOUR).await.unwrap();
            t.store.set_user_disabled(id, true).await.unwrap();
            assert_eq!(t.store.session(&second, Wall(2)).await.unwrap(), None);
            let third = t.store.new_session(id, "", Wall(1), HOUR).await.unwrap();
            assert_eq!(t.store.session(&third, Wall(2)).await.unwrap(), None);
        })
        .await;
    }

    #[tokio::test]
    async fn a_key_works_until_it_is_disabled_and_is_not_kept() {
        on_both(async |t| {
            let scopes = BTreeSet::from(["read".to_owned()]);
            let key = t.store.add_api_key("billing", &scopes, Wall(1)).await.unwrap();
            let row = t.store.api_key(&key).await.unwrap().unwrap();
            assert_eq!((row.name.as_str(), &row.scopes), ("billing", &scopes));
            let again = t.store.add_api_key("billing", &scopes, Wall(1)).await.unwrap_err();
            assert!(matches!(&again, StoreError::Taken(what) if what == "name"), "{again}");
            assert_eq!((row.last_used, row.last_used_from), (None, None));
            t.store.touch_api_key(row.id, "192.0.2.1", Wall(7)).await.unwrap();
            let used = t.store.api_key(&key).await.unwrap().unwrap();
            assert_eq!((used.last_used, used.last_used_from.as_deref()), (Some(Wall(7)), Some("192.0.2.1")));
            t.store.disable_api_key(row.id).await.unwrap();
            assert_eq!(t.store.api_key(&key).await.unwrap(), None);
            assert!(t.store.list_api_keys().await.unwrap()[0].disabled);
        })
        .await;
    }
}
