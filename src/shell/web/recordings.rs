//! The archive of talks: lists, sound, and the picture of the sound. Who listened stands in the audit. Agents have their
//! own talks only, where the office lets them.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::domain::ids::{OrderId, PurposeId};
use crate::engine::ids::{AgentId, CallId};
use crate::shell::recordings::ReadError;
use crate::shell::store::recording_search::RecordingFilter;
use crate::shell::store::recordings::{ArchivedFile, RecordingRow, RecordingState};

use super::access::Identity;
use super::call_log::disposition;
use super::dto::time;
use super::extract::{Path, Query};
use super::listing::listing;
use super::peaks::{self, Peaks, PeaksError};
use super::problem::Problem;
use super::{Parts, WebState, sound};

listing! {
    /// Which recordings; what is not given does not matter.
    {
        /// The caller's number in any form, its last digits, or four digits of it at least wherever they stand.
        number: String,
        /// A part of the client's name, or whatever else finds the client's card.
        name: String,
        /// This agent talked.
        agent: u32,
        /// `stored`, `missing`, `silent`, `short`, `failed` or `erased`.
        state: String,
        /// How the call ended: `COMPLETECALLER`, `COMPLETEAGENT`, ….
        disposition: String,
        /// At least so many seconds long.
        length_from: u32,
        /// At most so many seconds long.
        length_to: u32,
        /// Talks with the order's client while the order was open, and those that a contact links with the order.
        order: i64,
        /// The client came for this purpose.
        purpose: i64,
        /// Somebody made a mark of this kind.
        mark: String,
        /// All these words were said, in whatever order and with whatever endings. Needs transcripts.
        text: String,
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
    /// Where nothing was kept, because the recording was paused: it is silent there.
    pauses: Vec<RecordingPause>,
    /// The archived file; `null` when there is none.
    file: Option<File>,
}

/// A stretch of a recording.
#[derive(Serialize, ToSchema)]
struct RecordingPause {
    from_ms: u64,
    to_ms: u64,
}

fn whole_ms(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
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
            duration_ms: whole_ms(file.duration),
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
            pauses: row
                .pauses
                .iter()
                .map(|pause| RecordingPause { from_ms: whole_ms(pause.from), to_ms: whole_ms(pause.to) })
                .collect(),
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

/// Recordings, newest first. An agent sees the own ones: of calls in which nobody talked after that agent.
#[utoipa::path(get, path = "/api/v1/recordings", tag = "recordings", params(Wanted),
    responses((status = 200, body = Recordings), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    identity: Identity,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Recordings>, Problem> {
    let me = only(&state, &identity)?;
    if me.is_some_and(|me| wanted.agent.is_some_and(|agent| agent != me.0)) {
        return Ok(axum::Json(Recordings { items: Vec::new(), next: None }));
    }
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let millis = |seconds: Option<u32>| seconds.map(|seconds| i64::from(seconds) * 1000);
    let filter = RecordingFilter {
        from,
        to,
        number: wanted.number.clone(),
        name: wanted.name.clone(),
        agent: me.or(wanted.agent.map(AgentId)),
        last_agent: me,
        state: wanted.state.as_deref().map(recording_state).transpose()?,
        disposition: wanted.disposition.as_deref().map(disposition).transpose()?,
        length_from: millis(wanted.length_from),
        length_to: millis(wanted.length_to).map(|most| most.saturating_add(999)),
        order: wanted.order.map(OrderId),
        purpose: wanted.purpose.map(PurposeId),
        mark: wanted.mark.clone(),
        text: wanted.text.clone(),
    };
    let page = state.store.list_recordings(&filter, cursor, limit).await?;
    let items = page.items.into_iter().map(|row| Recording::of(row, &state)).collect();
    Ok(axum::Json(Recordings { items, next: page.next }))
}

/// Whose recordings this one may have alone; none: everybody's.
fn only(state: &WebState, identity: &Identity) -> Result<Option<AgentId>, Problem> {
    if identity.sees_all() {
        return Ok(None);
    }
    if !state.recording.agents_listen {
        return Err(Problem::forbidden("agents do not listen to recordings here (recording.agents_listen is off)")
            .in_russian("Здесь диспетчеры не слушают записи."));
    }
    identity.own_agent().map(Some)
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
pub(super) async fn one(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Recording>, Problem> {
    Ok(axum::Json(Recording::of(known(&state, &identity, id).await?, &state)))
}

pub(super) async fn known(state: &WebState, identity: &Identity, id: i64) -> Result<RecordingRow, Problem> {
    let only = only(state, identity)?;
    let row = state.store.get_recording(id).await?;
    // Another's recording looks like none: its existence is not told.
    row.filter(|row| only.is_none() || row.agent == only).ok_or_else(|| {
        Problem::not_found(format!("there is no recording {id}")).in_russian(format!("Записи № {id} нет."))
    })
}

/// The recording's file, where it has one.
fn file_of(row: RecordingRow) -> Result<ArchivedFile, Problem> {
    let RecordingRow { id, state, file, .. } = row;
    file.ok_or_else(|| Problem::not_found(format!("recording {id} has no sound: it is {}", state.as_str())))
}

/// Why the sound cannot be had.
fn no_sound(id: i64, call: CallId, cause: ReadError) -> Problem {
    tracing::error!(recording = id, %call, "{cause}");
    match cause {
        ReadError::Missing { .. } => Problem::not_found("the recording's file is gone; the engine's log says which"),
        ReadError::NoKey { .. } | ReadError::Damaged { .. } => {
            Problem::not_found("the recording's file cannot be read; the engine's log says why")
        }
        ReadError::Outside { .. } | ReadError::Io { .. } => Problem::internal(&cause),
    }
}

/// In which form the sound is sent.
#[derive(Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    /// `wav`: as a WAV, however it is kept; without it as it is kept, WAV or FLAC.
    format: Option<String>,
}

impl Form {
    fn as_wav(&self) -> Result<bool, Problem> {
        match self.format.as_deref() {
            None => Ok(false),
            Some("wav") => Ok(true),
            Some(other) => {
                Err(Problem::bad_request("wrong_query", format!("format {other:?}: use wav, or leave it out")))
            }
        }
    }
}

/// The sound, left the caller, right the agent: as it is kept (`audio/wav`, `audio/flac` or `audio/ogg` with Opus), or as a WAV for export.
/// Takes `Range`.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/audio", tag = "recordings", params(("id" = i64, Path), Form), responses(
    (status = 200, content((Vec<u8> = "audio/wav"), (Vec<u8> = "audio/flac"), (Vec<u8> = "audio/ogg"))),
    (status = 206, content((Vec<u8> = "audio/wav"), (Vec<u8> = "audio/flac"), (Vec<u8> = "audio/ogg"))),
    (status = 400, body = Problem), (status = 404, body = Problem), (status = 416, body = Problem)))]
pub(super) async fn audio(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    Query(form): Query<Form>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let as_wav = form.as_wav()?;
    let row = known(&state, &identity, id).await?;
    let response = sound_of(&state, row, &headers, as_wav).await?;
    // A player asks for many parts of one listening.
    if response.status().is_success() && state.listened.is_new(&identity.key(), id) {
        let subject = id.to_string();
        state.audit(identity.named(), "recording_listened", &subject, json!({}), identity.address).await?;
    }
    Ok(response)
}

/// The sound to take away as a file, a WAV however it is kept. Who may listen may not always do that: `recording.download` says who may; a program
/// needs the scope `downloads:read`.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/download", tag = "recordings", params(("id" = i64, Path)), responses(
    (status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 206, content_type = "audio/wav", body = Vec<u8>),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 416, body = Problem)))]
pub(super) async fn download(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = known(&state, &identity, id).await?;
    if !may_download(&state, &identity) {
        return Err(Problem::forbidden(
            "this role does not take recordings away (recording.download says which one does)",
        )
        .in_russian("Скачивать записи этой роли не разрешено."));
    }
    let started = time(row.started).format("%Y-%m-%d-%H%M%S");
    let name = format!("attachment; filename=\"recording-{id}-{started}.wav\"");
    let mut response = sound_of(&state, row, &headers, true).await?;
    if response.status().is_success() {
        let name = HeaderValue::from_str(&name).map_err(|cause| Problem::internal(&cause))?;
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        let subject = id.to_string();
        state.audit(identity.named(), "recording_downloaded", &subject, json!({}), identity.address).await?;
    }
    Ok(response)
}

/// Takes recordings away.
pub(super) fn may_download(state: &WebState, identity: &Identity) -> bool {
    state.recording.download.is_some_and(|least| identity.role >= least)
}

/// The sound of a recording, or the part of it that is asked for: as it is kept, or as a WAV.
pub(super) async fn sound_of(
    state: &WebState,
    row: RecordingRow,
    headers: &HeaderMap,
    as_wav: bool,
) -> Result<Response, Problem> {
    let (id, call) = (row.id, row.call);
    let ArchivedFile { path, sha256, .. } = file_of(row)?;
    let vault = state.vault.clone();
    let opening = move || if as_wav { vault.open_wav(&path) } else { vault.open(&path) };
    let opened = tokio::task::spawn_blocking(opening).await;
    let opened = opened.map_err(|cause| Problem::internal(&format!("recording {id} was not opened: {cause}")))?;
    let sound = opened.map_err(|cause| no_sound(id, call, cause))?;
    let tag = if as_wav { format!("{sha256}-wav") } else { sha256 };
    Ok(sound::wanted(sound, headers).map_or_else(|nothing| *nothing, |answer| answer.send(&tag)))
}

/// The picture of the sound: the highest level of each side in 1000 equal parts of the recording.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/peaks", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 200, body = Peaks), (status = 404, body = Problem)))]
pub(super) async fn picture(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Peaks>, Problem> {
    let row = known(&state, &identity, id).await?;
    Ok(axum::Json(picture_of(&state, row).await?))
}

/// The picture of a recording: drawn once, then kept.
pub(super) async fn picture_of(state: &WebState, row: RecordingRow) -> Result<Peaks, Problem> {
    let (id, call) = (row.id, row.call);
    if let Some(file) = &row.file
        && let Some(kept) = state.store.picture_of(id, &file.sha256).await?
        && let Ok(peaks) = serde_json::from_str(&kept)
    {
        return Ok(peaks);
    }
    let file = file_of(row)?;
    match peaks::of_recording(state.vault.clone(), file.path).await {
        Ok(peaks) => {
            let picture = serde_json::to_string(&peaks).map_err(|cause| Problem::internal(&cause))?;
            state.store.keep_picture(id, &file.sha256, &picture).await?;
            Ok(peaks)
        }
        Err(PeaksError::Unreadable(cause)) => Err(no_sound(id, call, cause)),
        Err(other @ (PeaksError::Wav(_) | PeaksError::Busy)) => Err(Problem::unavailable(other.to_string())),
    }
}
