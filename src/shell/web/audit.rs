//! The audit: who did what, from where. Written once, never edited.

use std::net::IpAddr;

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::store::audit::{AuditEntry, AuditFilter};

use super::WebState;
use super::dto::time;
use super::extract::Query;
use super::listing::listing;
use super::problem::Problem;

impl WebState {
    /// Writes a line. A change that cannot be audited is reported to the one who made it.
    pub(super) async fn audit(
        &self,
        by: Actor,
        action: &'static str,
        subject: &str,
        detail: Value,
        address: IpAddr,
    ) -> Result<(), Problem> {
        let entry = AuditEntry {
            at: clock::wall(),
            actor: by,
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail,
            address: address.to_string(),
        };
        Ok(self.store.append_audit(entry).await?)
    }
}

listing! {
    /// Which lines; what is not given does not matter.
    {
        /// By the person, program or agent of this name.
        actor: String,
        /// This action: `login`, `login_failed`, `recording_listened`, ….
        action: String,
    }
}

/// A line of the audit.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditLine {
    id: i64,
    at: DateTime<Utc>,
    /// `engine`, `agent`, `person` or `program`.
    actor_kind: String,
    actor: String,
    action: String,
    /// To what: an id or a name.
    subject: String,
    #[schema(value_type = Object)]
    detail: Value,
    address: String,
}

/// A page of the audit, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditLines {
    items: Vec<AuditLine>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Wanted),
    responses((status = 200, body = AuditLines), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<AuditLines>, Problem> {
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let filter = AuditFilter { from, to, actor: wanted.actor.clone(), action: wanted.action.clone() };
    let page = state.store.list_audit(&filter, cursor, limit).await?;
    let items = page.items.into_iter().map(|row| AuditLine {
        id: row.id,
        at: time(row.at),
        actor_kind: row.actor_kind,
        actor: row.actor_name,
        action: row.action,
        subject: row.subject,
        detail: row.detail,
        address: row.address,
    });
    Ok(axum::Json(AuditLines { items: items.collect(), next: page.next }))
}
