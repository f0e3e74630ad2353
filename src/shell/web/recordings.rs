//! The archive of talks: lists, sound, and the picture of the sound. Who listened stands in the audit.

use std::path::{Path as FilePath, PathBuf};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use crate::engine::ids::AgentId;
use crate::shell::recordings::{ReadError, locate};
use crate::shell::store::recordings::{ArchivedFile, RecordingFilter, RecordingRow, RecordingState};

use super::access::Identity;
use super::dto::time;
use super::extract::{Path, Query};
use super::listing::listing;
use super::peaks::{self, Peaks};
use super::problem::Problem;
use super::range::{self, Part};
use super::{Parts, WebState};

listing! {
    /// Which recordings; what is not given does not matter.
    {
        /// The caller's whole number in any form, or its last digits.
        number: String,
        /// This agent talked.
        agent: u32,
        /// `stored`, `missing`, `silent`, `short`, `failed` or `erased`.
        state: String,
    }
}

/// A recording.
#[derive(Serialize, ToSchema)]
pub(super) struct Recording {
    id: i64,
    call: String,
    /// Name of the Asterisk that made it.
    node: String,
    /// `stored`, `missing`, `silent`, `short`, `failed` or `erased`.
    state: &'static str,
    /// What is wrong; absent when nothing is.
    #[serde(skip_serializing_if = "String::is_empty")]
    problem: String,
    started_at: DateTime<Utc>,
    stored_at: DateTime<Utc>,
    /// The caller's number; empty when hidden or erased.
    number: String,
    agent: Option<u32>,
    agent_name: Option<String>,
    /// The archived file; `null` when there is none.
    file: Option<File>,
}

/// The archived file.
#[derive(Serialize, ToSchema)]
pub(super) struct File {
    bytes: u64,
    duration_ms: u64,
    /// 2: left the caller, right the agent.
    channels: u16,
    sha256: String,
}

impl Recording {
    pub(super) fn of(row: RecordingRow, parts: &Parts) -> Recording {
        let file = row.file.map(|file| File {
            bytes: file.bytes,
            duration_ms: u64::try_from(file.duration.as_millis()).unwrap_or(u64::MAX),
            channels: file.channels,
            sha256: file.sha256,
        });
        Recording {
            id: row.id,
            call: row.call.to_string(),
            node: parts.node_name(row.node),
            state: row.state.as_str(),
            problem: row.problem,
            started_at: time(row.started),
            stored_at: time(row.stored),
            number: row.number,
            agent: row.agent.map(|agent| agent.0),
            agent_name: row.agent_name,
            file,
        }
    }
}

/// A page of recordings, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Recordings {
    items: Vec<Recording>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// Recordings, newest first.
#[utoipa::path(get, path = "/api/v1/recordings", tag = "recordings", params(Wanted),
    responses((status = 200, body = Recordings), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Recordings>, Problem> {
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let filter = RecordingFilter {
        from,
        to,
        number: wanted.number.clone(),
        agent: wanted.agent.map(AgentId),
        state: wanted.state.as_deref().map(recording_state).transpose()?,
    };
    let page = state.store.list_recordings(&filter, cursor, limit).await?;
    let items = page.items.into_iter().map(|row| Recording::of(row, &state)).collect();
    Ok(axum::Json(Recordings { items, next: page.next }))
}

fn recording_state(word: &str) -> Result<RecordingState, Problem> {
    RecordingState::parse(word).ok_or_else(|| {
        let words = RecordingState::ALL.map(RecordingState::as_str).join(", ");
        Problem::bad_request("wrong_query", format!("state {word:?}: use one of {words}"))
    })
}

/// One recording.
#[utoipa::path(get, path = "/api/v1/recordings/{id}", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 200, body = Recording), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<WebState>, Path(id): Path<i64>) -> Result<axum::Json<Recording>, Problem> {
    Ok(axum::Json(Recording::of(known(&state, id).await?, &state)))
}

async fn known(state: &WebState, id: i64) -> Result<RecordingRow, Problem> {
    let row = state.store.get_recording(id).await?;
    row.ok_or_else(|| {
        Problem::not_found(format!("there is no recording {id}")).in_russian(format!("Записи № {id} нет."))
    })
}

/// The recording, and its file where it has one.
async fn with_file(state: &WebState, id: i64) -> Result<(ArchivedFile, PathBuf), Problem> {
    let row = known(state, id).await?;
    let why = || Problem::not_found(format!("recording {id} has no sound: it is {}", row.state.as_str()));
    let file = row.file.as_ref().ok_or_else(why)?;
    let (archive, relative) = (state.archive().to_owned(), file.path.clone());
    let located = tokio::task::spawn_blocking(move || locate(&archive, &relative)).await;
    let located = located.map_err(|cause| Problem::internal(&format!("recording {id} was not looked for: {cause}")))?;
    let path = located.map_err(|cause| match cause {
        ReadError::Missing { .. } => {
            tracing::error!(recording = id, "{cause}");
            Problem::not_found("the recording's file is gone; the engine's log says which")
        }
        ReadError::Outside { .. } | ReadError::Io { .. } | ReadError::Damaged { .. } => Problem::internal(&cause),
    })?;
    Ok((file.clone(), path))
}

fn unreadable(path: &FilePath, cause: &std::io::Error) -> Problem {
    tracing::error!(path = %path.display(), %cause, "an archived recording cannot be read");
    Problem::not_found("the recording's file cannot be read; the engine's log says why")
}

/// The sound: WAV, left the caller, right the agent. Takes `Range`.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/audio", tag = "recordings", params(("id" = i64, Path)), responses(
    (status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 206, content_type = "audio/wav", body = Vec<u8>),
    (status = 404, body = Problem), (status = 416, body = Problem)))]
pub(super) async fn audio(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (archived, path) = with_file(&state, id).await?;
    let mut file = tokio::fs::File::open(&path).await.map_err(|cause| unreadable(&path, &cause))?;
    let size = file.metadata().await.map_err(|cause| unreadable(&path, &cause))?.len();
    let part = range::wanted(headers.get(header::RANGE), size);
    let (status, from, length) = match part {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::Some { from, length } => (StatusCode::PARTIAL_CONTENT, from, length),
        Part::Nothing => return Ok(unsatisfiable(size)),
    };
    // A player asks for many parts of one listening.
    if state.listened.is_new(&identity.key(), id) {
        let subject = id.to_string();
        state.audit(identity.named(), "recording_listened", &subject, json!({}), identity.address).await?;
    }
    file.seek(std::io::SeekFrom::Start(from)).await.map_err(|cause| unreadable(&path, &cause))?;
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(length), 64 * 1024));
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", archived.sha256)) {
        headers.insert(header::ETAG, tag);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let last = from + length.saturating_sub(1);
        if let Ok(range) = HeaderValue::from_str(&format!("bytes {from}-{last}/{size}")) {
            headers.insert(header::CONTENT_RANGE, range);
        }
    }
    Ok(response)
}

fn unsatisfiable(size: u64) -> Response {
    let detail = format!("the recording has {size} bytes");
    let mut response = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail).into_response();
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    response
}

/// The picture of the sound: the highest level of each side in 1000 equal parts of the recording.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/peaks", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 200, body = Peaks), (status = 404, body = Problem)))]
pub(super) async fn picture(State(state): State<WebState>, Path(id): Path<i64>) -> Result<axum::Json<Peaks>, Problem> {
    let (_, path) = with_file(&state, id).await?;
    let read = peaks::of_file(path.clone()).await;
    match read {
        Ok(peaks) => Ok(axum::Json(peaks)),
        Err(peaks::PeaksError::Io(cause)) => Err(unreadable(&path, &cause)),
        Err(other @ (peaks::PeaksError::Wav(_) | peaks::PeaksError::Busy)) => {
            Err(Problem::unavailable(other.to_string()))
        }
    }
}
