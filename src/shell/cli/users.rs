//! `perezvon user`.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use crate::engine::event::Actor;
use crate::engine::ids::AgentId;
use crate::shell::clock;
use crate::shell::store::Store;
use crate::shell::store::users::{NewUser, Role, UserRow};
use crate::shell::web::password;

#[derive(Subcommand)]
pub(super) enum Users {
    /// Add a user
    Add {
        /// Name to log in with
        #[arg(long)]
        login: String,
        /// agent, supervisor or administrator
        #[arg(long, value_parser = role)]
        role: Role,
        /// Number of the agent that this user takes calls as
        #[arg(long)]
        agent: Option<u32>,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List all users
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Set another password; the user is logged out everywhere
    Passwd {
        /// Whose
        #[arg(long)]
        login: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Forbid a user to log in; the user is logged out everywhere
    Disable {
        /// Whom
        #[arg(long)]
        login: String,
    },
    /// End the second factor of a user who has lost the device: log-ins need no code any more
    ForgetCode {
        /// Whose
        #[arg(long)]
        login: String,
    },
    /// Allow a disabled user to log in again
    Enable {
        /// Whom
        #[arg(long)]
        login: String,
    },
}

fn role(name: &str) -> Result<Role, String> {
    let name = if name == "admin" { "administrator" } else { name };
    Role::parse(name).ok_or_else(|| format!("use {}", Role::ALL.map(Role::as_str).join(", ")))
}

impl Users {
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<ExitCode> {
        match self {
            Users::Add { login, role, agent, password_stdin: _ } => {
                let password_hash = password::hash(&super::password()?)?;
                let new = NewUser { login: login.clone(), password_hash, role, agent: agent.map(AgentId) };
                let row = store.add_user(new, clock::wall()).await;
                let row = row.with_context(|| format!("the user {login:?} was not added"))?;
                audit(store, "user_added", &row.login, json!({"role": role.as_str(), "agent": agent})).await?;
                super::print(&format!("added {} ({})", row.login, role.as_str()))?;
            }
            Users::List { json } => {
                for row in store.list_users().await? {
                    super::print(&if json { as_json(&row) } else { as_text(&row) })?;
                }
            }
            Users::Passwd { login, password_stdin: _ } => {
                let user = known(store, &login).await?;
                store.set_password(user.id, &password::hash(&super::password()?)?).await?;
                audit(store, "user_changed", &user.login, json!({"password": true})).await?;
                super::print(&format!("{} has another password and is logged out everywhere", user.login))?;
            }
            Users::ForgetCode { login } => {
                let user = known(store, &login).await?;
                let had = store.remove_second_factor(user.id).await?;
                audit(store, "user_changed", &user.login, json!({"second_factor": false})).await?;
                let now = if had { "logs in without a code now" } else { "had no second factor" };
                super::print(&format!("{} {now}", user.login))?;
            }
            Users::Disable { login } => set_disabled(store, &login, true).await?,
            Users::Enable { login } => set_disabled(store, &login, false).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn set_disabled(store: &Store, login: &str, disabled: bool) -> anyhow::Result<()> {
    let user = known(store, login).await?;
    store.set_user_disabled(user.id, disabled).await?;
    audit(store, "user_changed", &user.login, json!({"disabled": disabled})).await?;
    super::print(&format!("{} {}", user.login, if disabled { "cannot log in any more" } else { "can log in again" }))
}

async fn known(store: &Store, login: &str) -> anyhow::Result<UserRow> {
    let user = store.user_by_login(login).await?;
    user.with_context(|| format!("there is no user {login:?}; `perezvon user list` shows all"))
}

fn as_text(row: &UserRow) -> String {
    let agent = row.agent.map(|agent| format!(" agent {}", agent.0)).unwrap_or_default();
    let disabled = if row.disabled { " (disabled)" } else { "" };
    format!("{:<20} {}{agent}{disabled}", row.login, row.role.as_str())
}

fn as_json(row: &UserRow) -> String {
    json!({
        "id": row.id.0, "login": row.login, "role": row.role.as_str(), "agent": row.agent.map(|agent| agent.0),
        "disabled": row.disabled, "second_factor": row.second_factor,
    })
    .to_string()
}

/// What is done at the command line stands in the audit too.
async fn audit(store: &Store, action: &'static str, subject: &str, detail: serde_json::Value) -> anyhow::Result<()> {
    super::audit(store, Actor::Program("command line".to_owned()), action, subject, detail).await
}
