//! People who use the console.

use sqlx::any::AnyRow;

use crate::engine::ids::AgentId;
use crate::engine::time::Wall;

use super::{Columns as _, Result, Secret, Sql, Store, StoreError};

/// Number of a user's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// What a user may do; each role includes the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Own calls.
    Agent,
    /// All calls and recordings, agents' states.
    Supervisor,
    /// Users, agents, settings, keys.
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 3] = [Role::Agent, Role::Supervisor, Role::Administrator];

    /// The word that the database, the API and the command line use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Supervisor => "supervisor",
            Role::Administrator => "administrator",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Number of the row.
    pub id: UserId,
    /// Name to log in with; letter case does not matter.
    pub login: String,
    /// Argon2id in the PHC format.
    pub password_hash: Secret,
    /// What the user may do.
    pub role: Role,
    /// As whom the user takes calls.
    pub agent: Option<AgentId>,
    /// Cannot log in.
    pub disabled: bool,
    /// Logs in with a code as well.
    pub second_factor: bool,
    /// When added.
    pub created: Wall,
}

/// A user to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Name to log in with.
    pub login: String,
    /// Argon2id in the PHC format.
    pub password_hash: String,
    /// What the user may do.
    pub role: Role,
    /// As whom the user takes calls.
    pub agent: Option<AgentId>,
}

/// What [`user`] reads.
pub(super) const COLUMNS: &str = "u.id, u.login, u.password_hash, u.role, u.agent, u.disabled, u.created_at, \
     (SELECT f.confirmed FROM second_factors f WHERE f.user_id = u.id) AS second_factor";

impl Store {
    /// All users by login.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_users(&self) -> Result<Vec<UserRow>> {
        let rows = self.rows(Sql::new(format!("SELECT {COLUMNS} FROM users u ORDER BY u.login_key"))).await?;
        rows.iter().map(user).collect()
    }

    /// One user.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_user(&self, id: UserId) -> Result<Option<UserRow>> {
        let row = self.row(Sql::new(format!("SELECT {COLUMNS} FROM users u WHERE u.id = $1")).with(id.0)).await?;
        row.as_ref().map(user).transpose()
    }

    /// The user with this login, in whatever letter case.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<UserRow>> {
        let row = self
            .row(Sql::new(format!("SELECT {COLUMNS} FROM users u WHERE u.login_key = $1")).with(login_key(login)))
            .await?;
        row.as_ref().map(user).transpose()
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when login or agent is in use, [`StoreError::NoSuch`] when there is no such agent.
    pub async fn add_user(&self, new: NewUser, now: Wall) -> Result<UserRow> {
        check_login(&new.login)?;
        let sql = Sql::new(
            "INSERT INTO users (login, login_key, password_hash, role, agent, disabled, created_at) \
             VALUES ($1, $2, $3, $4, $5, 0, $6) RETURNING id",
        )
        .with(new.login.clone())
        .with(login_key(&new.login))
        .with(new.password_hash)
        .with(new.role.as_str().to_owned())
        .with(new.agent.map(|agent| i64::from(agent.0)))
        .with(now.0);
        let rows = self.write_returning(sql).await?;
        let id = rows.first().ok_or(StoreError::NotFound("user"))?.int("id")?;
        self.get_user(UserId(id)).await?.ok_or(StoreError::NotFound("user"))
    }

    /// Sets another password and ends the user's sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such user.
    pub async fn set_password(&self, id: UserId, password_hash: &str) -> Result<()> {
        let sql =
            Sql::new("UPDATE users SET password_hash = $1 WHERE id = $2").with(password_hash.to_owned()).with(id.0);
        self.change_and_log_out(id, sql).await
    }

    /// Forbids or allows to log in; sessions end.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such user.
    pub async fn set_user_disabled(&self, id: UserId, disabled: bool) -> Result<()> {
        let sql = Sql::new("UPDATE users SET disabled = $1 WHERE id = $2").with(i64::from(disabled)).with(id.0);
        self.change_and_log_out(id, sql).await
    }

    /// Gives another role and agent; sessions end, so that nobody goes on with rights of before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Taken`] or [`StoreError::NoSuch`].
    pub async fn set_user_role(&self, id: UserId, role: Role, agent: Option<AgentId>) -> Result<()> {
        let sql = Sql::new("UPDATE users SET role = $1, agent = $2 WHERE id = $3")
            .with(role.as_str().to_owned())
            .with(agent.map(|agent| i64::from(agent.0)))
            .with(id.0);
        self.change_and_log_out(id, sql).await
    }

    async fn change_and_log_out(&self, id: UserId, change: Sql) -> Result<()> {
        let mut tx = self.begin().await?;
        if tx.execute(change).await? == 0 {
            return Err(StoreError::NotFound("user"));
        }
        tx.execute(Sql::new("DELETE FROM sessions WHERE user_id = $1").with(id.0)).await?;
        tx.commit().await
    }
}

pub(super) fn user(row: &AnyRow) -> Result<UserRow> {
    let role = row.text("role")?;
    Ok(UserRow {
        id: UserId(row.int("id")?),
        login: row.text("login")?,
        password_hash: row.text("password_hash")?.into(),
        role: Role::parse(&role).ok_or_else(|| StoreError::Unreadable(format!("role {role:?}")))?,
        agent: row.small_opt("agent")?.map(AgentId),
        disabled: row.flag("disabled")?,
        second_factor: row.flag("second_factor")?,
        created: Wall(row.int("created_at")?),
    })
}

fn login_key(login: &str) -> String {
    login.trim().to_lowercase()
}

fn check_login(login: &str) -> Result<()> {
    let fits = (1..=60).contains(&login.chars().count()) && !login.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(()) } else { Err(StoreError::Invalid("a login has 1 to 60 letters and no spaces".to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    pub(crate) fn new_user(login: &str, role: Role) -> NewUser {
        NewUser { login: login.into(), password_hash: "$argon2id$".into(), role, agent: None }
    }

    #[tokio::test]
    async fn a_login_is_one_login_in_any_letter_case() {
        on_both(async |t| {
            let added = t.store.add_user(new_user("Ольга", Role::Supervisor), Wall(7)).await.unwrap();
            assert_eq!(t.store.user_by_login("ОЛЬГА").await.unwrap(), Some(added.clone()));
            let error = t.store.add_user(new_user("ольга", Role::Agent), Wall(8)).await.unwrap_err();
            assert!(matches!(&error, StoreError::Taken(what) if what == "login"), "{error}");
            assert_eq!(t.store.list_users().await.unwrap(), vec![added]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_user_of_an_agent_that_does_not_exist_is_refused() {
        on_both(async |t| {
            let new = NewUser { agent: Some(AgentId(5)), ..new_user("olga", Role::Agent) };
            let error = t.store.add_user(new, Wall(7)).await.unwrap_err();
            assert!(matches!(error, StoreError::NoSuch(_)), "{error}");
        })
        .await;
    }

    #[test]
    fn a_secret_does_not_get_into_a_log() {
        let user = UserRow {
            id: UserId(1),
            login: "a".into(),
            password_hash: "$argon2id$hash".to_owned().into(),
            role: Role::Agent,
            agent: None,
            disabled: false,
            second_factor: false,
            created: Wall(0),
        };
        assert!(!format!("{user:?}").contains("argon2id"));
    }
}
