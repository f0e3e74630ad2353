//! Reports by e-mail: which, to whom and when. For administrators.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shell::clock;
use crate::shell::reports::schedule::Plan;
use crate::shell::store::schedules::{MailingRow, ScheduleRow};

use super::WebState;
use super::dto::time;
use super::extract::{Json, Path};
use super::problem::Problem;
use super::writer::Writer;

const LONGEST_NAME: usize = 100;

/// A report that is sent by e-mail.
#[derive(Serialize, ToSchema)]
pub(super) struct ReportSchedule {
    id: i64,
    /// The subject of the mails; no two schedules have the same.
    name: String,
    plan: Plan,
    /// Is sent.
    enabled: bool,
    /// For a careful PUT.
    version: i64,
    changed_by: String,
    changed_at: DateTime<Utc>,
    /// The last mail; `null` before the first.
    last: Option<Mailing>,
}

/// One time that a report was or is to be sent.
#[derive(Serialize, ToSchema)]
pub(super) struct Mailing {
    due_at: DateTime<Utc>,
    /// `pending`, `sent` or `failed`.
    state: String,
    /// Attempts made; 12 at most.
    attempts: i64,
    /// When it is tried next, while it is pending.
    next_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed.
    last_error: Option<String>,
}

impl From<MailingRow> for Mailing {
    fn from(row: MailingRow) -> Mailing {
        Mailing {
            due_at: time(row.due_at),
            next_at: (row.state == "pending").then(|| time(row.next_at)),
            state: row.state,
            attempts: row.attempts,
            ended_at: row.ended_at.map(time),
            last_error: Some(row.last_error).filter(|text| !text.is_empty()),
        }
    }
}

impl From<ScheduleRow> for ReportSchedule {
    fn from(row: ScheduleRow) -> ReportSchedule {
        ReportSchedule {
            id: row.id,
            name: row.name,
            plan: row.plan,
            enabled: row.enabled,
            version: row.version,
            changed_by: row.changed_by,
            changed_at: time(row.changed_at),
            last: row.last.map(Mailing::from),
        }
    }
}

/// All schedules.
#[derive(Serialize, ToSchema)]
pub(super) struct ReportSchedules {
    /// `[mail]` of the configuration names a mail server; without one nothing is sent.
    mail: bool,
    items: Vec<ReportSchedule>,
}

/// All schedules by name, each with its last mail.
#[utoipa::path(get, path = "/api/v1/reports/schedules", tag = "reports", responses((status = 200, body = ReportSchedules)))]
pub(super) async fn list(State(state): State<WebState>) -> Result<axum::Json<ReportSchedules>, Problem> {
    let items = state.store.report_schedules().await?.into_iter().map(ReportSchedule::from).collect();
    Ok(axum::Json(ReportSchedules { mail: state.reports.mail, items }))
}

/// A schedule to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetSchedule {
    /// 1 to 100 letters.
    name: String,
    plan: Plan,
    #[serde(default = "yes")]
    enabled: bool,
    /// Change only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

fn yes() -> bool {
    true
}

impl SetSchedule {
    fn check(&self) -> Result<&str, Problem> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Problem::unprocessable(format!("name: use 1 to {LONGEST_NAME} letters in one line")));
        }
        self.plan.check().map_err(Problem::unprocessable)?;
        Ok(name)
    }
}

/// Add a schedule. The first mail is sent the next time that it is due.
#[utoipa::path(post, path = "/api/v1/reports/schedules", tag = "reports", request_body = SetSchedule,
    responses((status = 201, body = ReportSchedule), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<SetSchedule>,
) -> Result<(StatusCode, axum::Json<ReportSchedule>), Problem> {
    let what = (body.check()?, &body.plan, body.enabled);
    let row = state.store.put_schedule(None, what, &writer.author(None)?, clock::wall()).await?;
    Ok((StatusCode::CREATED, axum::Json(row.into())))
}

/// Change a schedule.
#[utoipa::path(put, path = "/api/v1/reports/schedules/{id}", tag = "reports", params(("id" = i64, Path)),
    request_body = SetSchedule, responses((status = 200, body = ReportSchedule), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<SetSchedule>,
) -> Result<axum::Json<ReportSchedule>, Problem> {
    let what = (body.check()?, &body.plan, body.enabled);
    let row = state.store.put_schedule(Some(id), what, &writer.author(body.version)?, clock::wall()).await?;
    Ok(axum::Json(row.into()))
}

/// Remove a schedule, and what it has to send.
#[utoipa::path(delete, path = "/api/v1/reports/schedules/{id}", tag = "reports", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    state.store.remove_schedule(id, &writer.author(None)?, clock::wall()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a report within a few seconds, as if it were due, to try it. Its list shows what came of it.
#[utoipa::path(post, path = "/api/v1/reports/schedules/{id}/send", tag = "reports", params(("id" = i64, Path)),
    responses((status = 202), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn send(State(state): State<WebState>, Path(id): Path<i64>) -> Result<StatusCode, Problem> {
    if state.store.report_schedule(id).await?.is_none() {
        return Err(Problem::not_found(format!("there is no schedule {id}")));
    }
    if !state.reports.mail {
        return Err(Problem::conflict("no_mail", "no mail server is configured: set mail.host and mail.from")
            .in_russian("Почтовый сервер не настроен: задайте mail.host и mail.from."));
    }
    let now = clock::wall();
    state.store.want_mailing(id, now, now).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The mails of a schedule.
#[derive(Serialize, ToSchema)]
pub(super) struct Mailings {
    items: Vec<Mailing>,
}

/// The last 50 mails of a schedule, the newest first.
#[utoipa::path(get, path = "/api/v1/reports/schedules/{id}/mails", tag = "reports", params(("id" = i64, Path)),
    responses((status = 200, body = Mailings), (status = 404, body = Problem)))]
pub(super) async fn mails(State(state): State<WebState>, Path(id): Path<i64>) -> Result<axum::Json<Mailings>, Problem> {
    if state.store.report_schedule(id).await?.is_none() {
        return Err(Problem::not_found(format!("there is no schedule {id}")));
    }
    let items = state.store.mailings_of(id).await?.into_iter().map(Mailing::from).collect();
    Ok(axum::Json(Mailings { items }))
}
