//! API keys of outside programs: for administrators.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::shell::clock;
use crate::shell::store::sessions::ApiKeyRow;

use super::WebState;
use super::access::Identity;
use super::dto::time;
use super::extract::{Json, Path};
use super::intake::NotKept;
use super::problem::Problem;
use super::routes;

/// A program's key. The key itself is kept nowhere.
#[derive(Serialize, ToSchema)]
pub(super) struct Key {
    id: i64,
    /// Name of the program, for people and the audit.
    name: String,
    scopes: BTreeSet<String>,
    /// Refused for ever.
    disabled: bool,
    created_at: DateTime<Utc>,
    /// When it was used last, give or take a minute.
    last_used_at: Option<DateTime<Utc>>,
    /// From which address.
    last_used_from: Option<String>,
}

impl From<ApiKeyRow> for Key {
    fn from(row: ApiKeyRow) -> Key {
        Key {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            disabled: row.disabled,
            created_at: time(row.created),
            last_used_at: row.last_used.map(time),
            last_used_from: row.last_used_from,
        }
    }
}

/// All keys.
#[derive(Serialize, ToSchema)]
pub(super) struct Keys {
    items: Vec<Key>,
    /// Every scope that a key can have.
    scopes: BTreeSet<String>,
}

/// All keys by name, those that are refused too; and every scope there is.
#[utoipa::path(get, path = "/api/v1/keys", tag = "keys", responses((status = 200, body = Keys)))]
pub(super) async fn list(State(state): State<WebState>) -> Result<axum::Json<Keys>, Problem> {
    let rows = state.store.list_api_keys().await?;
    Ok(axum::Json(Keys { items: rows.into_iter().map(Key::from).collect(), scopes: routes::scopes() }))
}

/// A key to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddKey {
    /// Name of the program, 1 to 100 letters; never used again.
    name: String,
    /// What it may do, such as `orders:read`; `GET` lists all scopes.
    scopes: BTreeSet<String>,
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct NewKey {
    id: i64,
    name: String,
    scopes: BTreeSet<String>,
    /// The key, shown this once: send it as `Authorization: Bearer …`.
    key: String,
}

/// Make a key. The answer shows it, this once: it is not answered again to a repeated Idempotency-Key, which is told
/// that the name is taken.
#[utoipa::path(post, path = "/api/v1/keys", tag = "keys", request_body = AddKey, responses(
    (status = 201, body = NewKey), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<AddKey>,
) -> Result<(StatusCode, Extension<NotKept>, axum::Json<NewKey>), Problem> {
    let known = routes::scopes();
    if let Some(scope) = body.scopes.iter().find(|scope| !known.contains(*scope)) {
        let all = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Problem::unprocessable(format!("there is no scope {scope:?}: use {all}")));
    }
    if body.scopes.is_empty() {
        return Err(Problem::unprocessable("a key without a scope may do nothing: give it one"));
    }
    let key = state.store.add_api_key(&body.name, &body.scopes, clock::wall()).await?;
    let row = state.store.api_key(&key).await?.ok_or_else(|| Problem::internal(&"a key just made is not there"))?;
    let detail = json!({"scopes": row.scopes});
    state.audit(identity.named(), "key_added", &row.name, detail, identity.address).await?;
    let shown = NewKey { id: row.id, name: row.name, scopes: row.scopes, key };
    Ok((StatusCode::CREATED, Extension(NotKept), axum::Json(shown)))
}

/// Revoke a key: it is refused from now on, and stays in the list.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "keys", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn revoke(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let keys = state.store.list_api_keys().await?;
    let key = keys.into_iter().find(|key| key.id == id);
    let key = key.ok_or_else(|| Problem::not_found(format!("there is no key {id}")))?;
    state.store.disable_api_key(id).await?;
    state.audit(identity.named(), "key_disabled", &key.name, json!({}), identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}
