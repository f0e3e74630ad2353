//! What the calls of a span of time add up to: for supervisors, and as a table for spreadsheets; and how today goes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};

use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::reports::line::ReportLine;
use crate::shell::reports::sheet::{Sheet, SheetError};
use crate::shell::reports::{CallReport, ReportName, report};
use crate::shell::store::reports::Span;

use super::WebState;
use super::dto::wall;
use super::extract::{Path, Query};
use super::problem::Problem;
use super::writer::language;

const DAY_MS: i64 = 86_400_000;
/// A longer span is for who has the database.
const LONGEST_DAYS: i64 = 400;

/// In which form.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    #[default]
    Json,
    Csv,
    Xlsx,
}

/// Which calls, and what is in time.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Calls that came from this moment on; seven days before `to` when absent.
    from: Option<DateTime<Utc>>,
    /// Before this moment; now when absent. At most 400 days after `from`.
    to: Option<DateTime<Utc>>,
    /// Answered within so many seconds is in time, 1 to 3600; `reports.within_seconds` of the configuration when absent.
    #[param(minimum = 1, maximum = 3600)]
    within: Option<u32>,
    /// Who hung up earlier than after so many seconds of waiting is not counted as abandoned, 0 to 600;
    /// `reports.short_abandon_seconds` when absent.
    #[param(minimum = 0, maximum = 600)]
    short: Option<u32>,
    /// `csv` or `xlsx` for a table; `json` when absent.
    #[serde(default)]
    #[param(inline)]
    format: Form,
}

fn span(state: &WebState, wanted: &Wanted) -> Result<Span, Problem> {
    let to = wanted.to.map_or_else(clock::wall, wall);
    let from = wanted.from.map_or(Wall(to.0 - 7 * DAY_MS), wall);
    if from > to || to.0 - from.0 > LONGEST_DAYS * DAY_MS {
        return Err(Problem::unprocessable(format!("from and to: use a span of at most {LONGEST_DAYS} days")));
    }
    let within = wanted.within.unwrap_or(state.reports.within);
    if !(1..=3600).contains(&within) {
        return Err(Problem::unprocessable("within: use 1 to 3600 seconds"));
    }
    let short = wanted.short.unwrap_or(state.reports.short);
    if short > 600 {
        return Err(Problem::unprocessable("short: use 0 to 600 seconds"));
    }
    Ok(Span { from, to, ..reckoned(state, within, short) })
}

/// A span of nothing, reckoned by the office's clock.
fn reckoned(state: &WebState, within: u32, short: u32) -> Span {
    let (within_ms, short_ms) = (i64::from(within) * 1000, i64::from(short) * 1000);
    let utc_offset_minutes = state.settings.now().utc_offset_minutes;
    Span { from: Wall(0), to: Wall(0), utc_offset_minutes, within_ms, short_ms }
}

/// Calls of a span added up: answered, abandoned, service level, waiting, talks, after-call work, occupancy, by the
/// engine alone, called back, and how far off the told waits were. As JSON, or as a table with `format`: `csv` in UTF-8,
/// or `xlsx` with headings in the language of `Accept-Language`.
#[utoipa::path(get, path = "/api/v1/reports/{name}", tag = "reports", params(("name" = ReportName, Path), Wanted),
    responses((status = 200, content((CallReport = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn one(
    State(state): State<WebState>,
    Path(name): Path<ReportName>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let span = span(&state, &wanted)?;
    let report = report(&state.store, name, span, clock::wall()).await?;
    match wanted.format {
        Form::Json => Ok(axum::Json(report).into_response()),
        form @ (Form::Csv | Form::Xlsx) => file(&state, &headers, form, name.as_str(), &report.sheet()),
    }
}

/// The table as a file of this form.
pub(super) fn file(
    state: &WebState,
    headers: &HeaderMap,
    form: Form,
    name: &str,
    sheet: &Sheet,
) -> Result<Response, Problem> {
    let failed = |error: SheetError| Problem::internal(&error);
    let (bytes, media, ending) = match form {
        Form::Json | Form::Csv => (sheet.csv().map_err(failed)?, "text/csv; charset=utf-8", "csv"),
        Form::Xlsx => {
            let language = language(headers, state.settings.now().language);
            let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            (sheet.xlsx(language).map_err(failed)?, media, "xlsx")
        }
    };
    let attached = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{ending}\""));
    let attached = attached.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(media)), (header::CONTENT_DISPOSITION, attached)];
    Ok((kind, bytes).into_response())
}

/// The wallboard is reckoned this often at most, however many look at it.
const WALLBOARD_AGE: Duration = Duration::from_secs(5);

/// The wallboard as it was a moment ago.
#[derive(Default)]
pub(super) struct LastWallboard(Mutex<Option<(Instant, Arc<Wallboard>)>>);

/// How today goes.
#[derive(Serialize, ToSchema)]
pub(super) struct Wallboard {
    /// Midnight by the office's clock.
    since: DateTime<Utc>,
    /// Seconds within which an answer is in time.
    within: u32,
    /// Who hung up earlier, in seconds of waiting, is not counted as abandoned.
    short: u32,
    /// What today's calls and agents add up to: see the reports.
    today: ReportLine,
    /// Clients who are still to be called.
    callbacks_waiting: i64,
    /// Each queue.
    queues: Vec<QueueToday>,
}

/// A queue of the wallboard.
#[derive(Serialize, ToSchema)]
struct QueueToday {
    name: String,
    waiting: u32,
    /// What whoever enters now would wait, in seconds.
    estimate_s: u64,
}

/// How today goes, with today's measured error of the estimates that callers were told. At most 5 seconds old.
#[utoipa::path(get, path = "/api/v1/wallboard", tag = "reports", responses((status = 200, body = Wallboard)))]
pub(super) async fn wallboard(State(state): State<WebState>) -> Result<Response, Problem> {
    let mut last = state.last_wallboard.0.lock().await;
    if let Some((at, board)) = last.as_ref()
        && at.elapsed() < WALLBOARD_AGE
    {
        return Ok(axum::Json(&**board).into_response());
    }
    let at = Instant::now();
    let board = Arc::new(reckon(&state).await?);
    *last = Some((at, Arc::clone(&board)));
    Ok(axum::Json(&*board).into_response())
}

async fn reckon(state: &WebState) -> Result<Wallboard, Problem> {
    let (within, short) = (state.reports.within, state.reports.short);
    let (now, span) = (clock::wall(), reckoned(state, within, short));
    let offset = i64::from(span.utc_offset_minutes) * 60_000;
    let from = Wall((now.0 + offset).div_euclid(DAY_MS) * DAY_MS - offset);
    let today = report(&state.store, ReportName::Days, Span { from, to: now, ..span }, now).await?;
    let view = state.board.view(&state.requests, WALLBOARD_AGE).await?;
    let queues = view.queues.iter().zip(&view.next_wait);
    let queues = queues.map(|((_, name, waiting), wait)| QueueToday {
        name: name.clone(),
        waiting: *waiting,
        estimate_s: wait.as_secs(),
    });
    Ok(Wallboard {
        since: today.from,
        within,
        short,
        today: today.total,
        callbacks_waiting: state.store.callbacks_waiting().await?,
        queues: queues.collect(),
    })
}
