//! What people are to see to. A notice goes away when somebody takes the contact; until then it can only be marked as
//! seen.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::shell::clock;
use crate::shell::store::notifications::NotificationRow;

use super::WebState;
use super::access::Identity;
use super::dto::time;
use super::extract::Path;
use super::problem::Problem;

/// Somebody is to see to a contact.
#[derive(Serialize, ToSchema)]
pub(super) struct Notification {
    id: i64,
    /// `GET /journal/{id}`.
    contact: i64,
    /// `responsible`: it is yours; `purpose`: it is for a specialist of its purpose; `reminder`: the client still waits.
    why: String,
    /// When it was told last.
    told_at: DateTime<Utc>,
    /// How often it was told.
    times: u32,
    /// When you saw it since; `null`: not yet.
    seen_at: Option<DateTime<Utc>>,
}

impl From<NotificationRow> for Notification {
    fn from(row: NotificationRow) -> Notification {
        Notification {
            id: row.id,
            contact: row.contact.0,
            why: row.why,
            told_at: time(row.told),
            times: row.times,
            seen_at: row.seen.map(time),
        }
    }
}

/// All that is open, newest first; at most 500.
#[derive(Serialize, ToSchema)]
pub(super) struct Notifications {
    items: Vec<Notification>,
}

/// What you are to see to, newest first.
#[utoipa::path(get, path = "/api/v1/notifications", operation_id = "list_notifications", tag = "journal",
    responses((status = 200, body = Notifications)))]
pub(super) async fn list(
    State(state): State<WebState>,
    identity: Identity,
) -> Result<axum::Json<Notifications>, Problem> {
    let items = state.store.notifications_of(&identity.persons()).await?;
    Ok(axum::Json(Notifications { items: items.into_iter().map(Notification::from).collect() }))
}

/// You have seen it. It stays until somebody sees to the contact.
#[utoipa::path(post, path = "/api/v1/notifications/{id}/seen", operation_id = "notification_seen", tag = "journal",
    params(("id" = i64, Path)), responses((status = 200, body = Notification), (status = 404, body = Problem)))]
pub(super) async fn seen(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Notification>, Problem> {
    let row = state.store.notification_seen(id, &identity.persons(), clock::wall()).await?;
    Ok(axum::Json(row.into()))
}
