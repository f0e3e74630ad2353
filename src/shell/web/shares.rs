//! Links that play one recording without a log-in, until they end. The page shows the player and nothing else of the
//! office. Each opening stands in the audit; guessing is slowed down.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::domain::ids::ClientId;
use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::store::recording_shares::{Hearing, ShareRow};
use crate::shell::store::recordings::RecordingRow;

use super::access::{Address, Identity};
use super::dto::time;
use super::extract::{Json, Path};
use super::marks::shown_name;
use super::peaks::Peaks;
use super::problem::Problem;
use super::recordings::{known, picture_of, sound_of};
use super::session::slow_down;
use super::{WebState, console};

/// A month.
const LONGEST_HOURS: u32 = 744;
/// Of a reason, in letters.
const LONGEST_REASON: usize = 500;
/// Of a token: ours are shorter.
const LONGEST_TOKEN: usize = 100;
/// Lines of the list of who heard a client's talks.
const HEARINGS: u32 = 100;

/// A link.
#[derive(Serialize, ToSchema)]
pub(super) struct Share {
    id: i64,
    reason: String,
    author: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    /// When it was taken back; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<DateTime<Utc>>,
    /// How often the page was opened.
    opened: u64,
    opened_at: Option<DateTime<Utc>>,
    /// It plays.
    works: bool,
}

impl From<ShareRow> for Share {
    fn from(row: ShareRow) -> Share {
        Share {
            works: row.revoked.is_none() && row.expires > clock::wall(),
            id: row.id,
            reason: row.reason,
            author: row.author_name,
            created_at: time(row.created),
            expires_at: time(row.expires),
            revoked_at: row.revoked.map(time),
            opened: row.opened,
            opened_at: row.opened_at.map(time),
        }
    }
}

/// The links of a recording.
#[derive(Serialize, ToSchema)]
pub(super) struct Shares {
    /// The newest first, also those that ended.
    items: Vec<Share>,
}

/// A new link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewShare {
    /// 1 to 744, which is a month.
    expires_in_h: u32,
    /// For whom, why; for people.
    #[serde(default)]
    reason: String,
}

/// A link that was made. The path is told this once.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeShare {
    #[serde(flatten)]
    share: Share,
    /// `/shared/…`, after the address of this server.
    path: String,
}

/// What the page of a link shows.
#[derive(Serialize, ToSchema)]
pub(super) struct SharedRecording {
    started_at: DateTime<Utc>,
    duration_ms: u64,
    expires_at: DateTime<Utc>,
}

/// Somebody heard, took away or shared a recording.
#[derive(Serialize, ToSchema)]
pub(super) struct HeardBy {
    at: DateTime<Utc>,
    recording: i64,
    call: String,
    /// `recording_listened`, `recording_downloaded`, `recording_shared` or `recording_share_opened`.
    action: String,
    /// `agent`, `person` or `program`.
    actor_kind: String,
    actor: String,
}

impl From<Hearing> for HeardBy {
    fn from(row: Hearing) -> HeardBy {
        HeardBy {
            at: time(row.at),
            recording: row.recording,
            call: row.call.to_string(),
            action: row.action,
            actor_kind: row.actor_kind,
            actor: row.actor_name,
        }
    }
}

/// Who heard a client's talks.
#[derive(Serialize, ToSchema)]
pub(super) struct Hearings {
    /// The last first, at most 100.
    items: Vec<HeardBy>,
}

/// The links of a recording, the newest first.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/shares", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 200, body = Shares), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Shares>, Problem> {
    known(&state, &identity, id).await?;
    let items = state.store.shares_of(id).await?.into_iter().map(Share::from).collect();
    Ok(axum::Json(Shares { items }))
}

/// Make a link that plays the recording without a log-in, until it ends or is taken back.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/share", tag = "recordings", params(("id" = i64, Path)),
    request_body = NewShare, responses((status = 201, body = MadeShare), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn make(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    Json(body): Json<NewShare>,
) -> Result<(StatusCode, axum::Json<MadeShare>), Problem> {
    known(&state, &identity, id).await?;
    let reason = body.reason.trim();
    if reason.chars().count() > LONGEST_REASON || reason.contains('\0') {
        return Err(Problem::unprocessable(format!("reason has at most {LONGEST_REASON} letters")));
    }
    if !(1..=LONGEST_HOURS).contains(&body.expires_in_h) {
        return Err(Problem::unprocessable(format!("expires_in_h is 1 to {LONGEST_HOURS}, which is a month")));
    }
    let lifetime = Duration::from_secs(3600 * u64::from(body.expires_in_h));
    let (row, token) = state.store.add_share(id, reason, &shown_name(&identity), lifetime, clock::wall()).await?;
    let detail = json!({"share": row.id, "hours": body.expires_in_h, "reason": reason});
    state.audit(identity.named(), "recording_shared", &id.to_string(), detail, identity.address).await?;
    Ok((StatusCode::CREATED, axum::Json(MadeShare { share: row.into(), path: format!("/shared/{token}") })))
}

/// Take a link back: it plays no more.
#[utoipa::path(delete, path = "/api/v1/recordings/{id}/shares/{number}", tag = "recordings",
    params(("id" = i64, Path), ("number" = i64, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn revoke(
    State(state): State<WebState>,
    identity: Identity,
    Path((id, number)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    known(&state, &identity, id).await?;
    state.store.revoke_share(id, number, clock::wall()).await?;
    let detail = json!({"share": number});
    state.audit(identity.named(), "recording_share_revoked", &id.to_string(), detail, identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who heard, took away and shared the recordings of a client's talks, the last first.
#[utoipa::path(get, path = "/api/v1/clients/{id}/hearings", tag = "clients", params(("id" = i64, Path)),
    responses((status = 200, body = Hearings), (status = 404, body = Problem)))]
pub(super) async fn hearings(
    State(state): State<WebState>,
    Path(id): Path<i64>,
) -> Result<axum::Json<Hearings>, Problem> {
    let rows = state.store.hearings_of_client(ClientId(id), HEARINGS).await?;
    Ok(axum::Json(Hearings { items: rows.into_iter().map(HeardBy::from).collect() }))
}

/// The link of a token and its recording. One that is not known, ended or was taken back all look the same.
async fn opened(state: &WebState, token: &str, address: std::net::IpAddr) -> Result<(ShareRow, RecordingRow), Problem> {
    let gone = || {
        Problem::not_found("this link has ended, was taken back, or never was: ask whoever sent it")
            .in_russian("Ссылка больше не действует. Попросите новую у того, кто её прислал.")
    };
    // One name for each address: guessing from one does not hold up the others.
    let guess = format!("shared link {address}");
    state.link_throttle.attempt(&guess, address, Instant::now()).map_err(slow_down)?;
    if token.len() > LONGEST_TOKEN {
        return Err(gone());
    }
    let share = state.store.share(token, clock::wall()).await?.ok_or_else(gone)?;
    let recording = state.store.get_recording(share.recording).await?.ok_or_else(gone)?;
    state.link_throttle.forgive(&guess, address);
    Ok((share, recording))
}

fn opener(share: &ShareRow) -> Actor {
    Actor::Program(format!("link {}", share.id))
}

/// The page of a link.
#[utoipa::path(get, path = "/shared/{token}", tag = "about", params(("token" = String, Path)),
    responses((status = 200, body = String, content_type = "text/html"),
    (status = 404, description = "It ended. Browsers are told in a page", body = Problem),
    (status = 429, body = Problem)))]
pub(super) async fn page(
    State(state): State<WebState>,
    Address(address): Address,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = headers.get(header::ACCEPT).and_then(|types| types.to_str().ok()).unwrap_or_default();
    let (share, recording) = match opened(&state, &token, address).await {
        Ok(found) => found,
        // Whoever was sent the link is told in a page.
        Err(gone) if gone.status == StatusCode::NOT_FOUND.as_u16() && asked.contains("text/html") => {
            return Ok((StatusCode::NOT_FOUND, console::shared_page()).into_response());
        }
        Err(other) => return Err(other),
    };
    state.store.share_opened(share.id, clock::wall()).await?;
    let detail = json!({"share": share.id});
    state.audit(opener(&share), "recording_share_opened", &recording.id.to_string(), detail, address).await?;
    Ok(console::shared_page())
}

/// What the page of a link shows of the recording.
#[utoipa::path(get, path = "/shared/{token}/about", tag = "about", params(("token" = String, Path)),
    responses((status = 200, body = SharedRecording), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn about(
    State(state): State<WebState>,
    Address(address): Address,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let (share, recording) = opened(&state, &token, address).await?;
    let duration = recording.file.as_ref().map(|file| file.duration).unwrap_or_default();
    Ok(unkept(axum::Json(SharedRecording {
        started_at: time(recording.started),
        duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        expires_at: time(share.expires),
    })))
}

/// The sound behind a link. Takes `Range`.
#[utoipa::path(get, path = "/shared/{token}/audio", tag = "about", params(("token" = String, Path)), responses(
    (status = 200, content_type = "audio/wav", body = Vec<u8>), (status = 206, content_type = "audio/wav", body = Vec<u8>),
    (status = 404, body = Problem), (status = 416, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn audio(
    State(state): State<WebState>,
    Address(address): Address,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (share, recording) = opened(&state, &token, address).await?;
    let id = recording.id;
    let response = sound_of(&state, recording, &headers, false).await?;
    if response.status().is_success() && state.listened.is_new(&format!("link:{}:{address}", share.id), id) {
        let detail = json!({"share": share.id});
        state.audit(opener(&share), "recording_listened", &id.to_string(), detail, address).await?;
    }
    Ok(unkept(response))
}

/// The picture of the sound behind a link.
#[utoipa::path(get, path = "/shared/{token}/peaks", tag = "about", params(("token" = String, Path)),
    responses((status = 200, body = Peaks), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn picture(
    State(state): State<WebState>,
    Address(address): Address,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let (_, recording) = opened(&state, &token, address).await?;
    Ok(unkept(axum::Json(picture_of(&state, recording).await?)))
}

/// Nobody keeps what a link showed.
fn unkept(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
