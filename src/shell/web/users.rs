//! Console users: for administrators.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::engine::ids::AgentId;
use crate::shell::clock;
use crate::shell::store::users::{NewUser, Role, UserId, UserRow};

use super::WebState;
use super::access::{Identity, Who};
use super::dto::{User, given, role};
use super::extract::{Json, Path};
use super::problem::Problem;

/// All users.
#[derive(Serialize, ToSchema)]
pub(super) struct Users {
    items: Vec<User>,
}

/// All users by login.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", responses((status = 200, body = Users)))]
pub(super) async fn list(State(state): State<WebState>) -> Result<axum::Json<Users>, Problem> {
    let rows = state.store.list_users().await?;
    Ok(axum::Json(Users { items: rows.iter().map(User::from).collect() }))
}

/// A user to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddUser {
    /// 1 to 60 letters; letter case does not matter.
    login: String,
    /// 8 characters or more.
    password: String,
    /// `agent`, `supervisor` or `administrator`.
    role: String,
    /// As which agent the user takes calls.
    #[serde(default)]
    agent: Option<u32>,
}

/// Add a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = AddUser, responses(
    (status = 201, body = User), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<AddUser>,
) -> Result<(StatusCode, axum::Json<User>), Problem> {
    let role = role(&body.role)?;
    let password_hash = state.passwords.hash(body.password).await?;
    let new = NewUser { login: body.login, password_hash, role, agent: body.agent.map(AgentId) };
    let row = state.store.add_user(new, clock::wall()).await?;
    let detail = json!({"role": role.as_str(), "agent": body.agent});
    state.audit(identity.named(), "user_added", &row.login, detail, identity.address).await?;
    Ok((StatusCode::CREATED, axum::Json(User::from(&row))))
}

/// What to change of a user. Every change ends the user's sessions.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeUser {
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    role: Option<String>,
    /// As which agent the user takes calls; `null` for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    agent: Option<Option<u32>>,
    #[serde(default)]
    disabled: Option<bool>,
    /// `false`: who has lost the device logs in without a code again.
    #[serde(default)]
    second_factor: Option<bool>,
}

/// Change a user.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", params(("id" = i64, Path)), request_body = ChangeUser,
    responses((status = 200, body = User), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    Json(body): Json<ChangeUser>,
) -> Result<axum::Json<User>, Problem> {
    let id = UserId(id);
    let row = known(&state, id).await?;
    if body.second_factor == Some(true) {
        return Err(Problem::unprocessable("only the user can begin a second factor, with the device at hand")
            .in_russian("Включить второй фактор может только сам пользователь: ему нужно устройство."));
    }
    let new_role = body.role.as_deref().map(role).transpose()?;
    keep_an_administrator(&identity, &row, new_role, body.disabled)?;
    if let Some(password) = body.password.clone() {
        let hash = state.passwords.hash(password).await?;
        state.store.set_password(id, &hash).await?;
    }
    if new_role.is_some() || body.agent.is_some() {
        let agent = body.agent.map_or(row.agent, |agent| agent.map(AgentId));
        state.store.set_user_role(id, new_role.unwrap_or(row.role), agent).await?;
    }
    if let Some(disabled) = body.disabled {
        state.store.set_user_disabled(id, disabled).await?;
    }
    if body.second_factor == Some(false) {
        state.store.remove_second_factor(id).await?;
    }
    state.known.forget();
    let detail = json!({
        "password": body.password.is_some(), "role": body.role, "agent": body.agent, "disabled": body.disabled,
        "second_factor": body.second_factor,
    });
    state.audit(identity.named(), "user_changed", &row.login, detail, identity.address).await?;
    Ok(axum::Json(User::from(&known(&state, id).await?)))
}

async fn known(state: &WebState, id: UserId) -> Result<UserRow, Problem> {
    let row = state.store.get_user(id).await?;
    row.ok_or_else(|| Problem::not_found(format!("there is no user {}", id.0)))
}

/// Nobody shuts oneself out: the last administrator would be gone with that.
fn keep_an_administrator(
    identity: &Identity,
    row: &UserRow,
    new_role: Option<Role>,
    disabled: Option<bool>,
) -> Result<(), Problem> {
    let own = matches!(&identity.who, Who::Person { id, .. } if *id == row.id);
    if own && (disabled == Some(true) || new_role.is_some_and(|role| role != Role::Administrator)) {
        return Err(Problem::conflict("own_rights", "another administrator must take these rights from you"));
    }
    Ok(())
}
