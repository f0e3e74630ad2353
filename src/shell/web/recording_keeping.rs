//! What is missing from the archive of talks, what must not be deleted from it, and for how long clients want it kept.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::ids::ClientId;
use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::recordings::keeper;
use crate::shell::store::recording_checks::RecordingCheck;
use crate::shell::store::recording_keeping::{Hold, Keeper, Wish};

use super::WebState;
use super::access::Identity;
use super::dto::time;
use super::extract::{Json, Path};
use super::problem::Problem;

/// The longest reason of a hold, in letters.
const LONGEST_REASON: usize = 500;
/// The longest time that a client may wish: ten years.
const MOST_DAYS: u32 = 3_650;

/// Talks of the last seven days without a whole recording, and how the archive is.
#[derive(Serialize, ToSchema)]
pub(super) struct Gaps {
    /// All of the following together.
    all: u64,
    /// Asterisk had no recording.
    missing: u64,
    /// Shorter than the talk.
    short: u64,
    /// One of the parties cannot be heard.
    silent: u64,
    /// Could not be fetched or stored, or is not what was stored.
    failed: u64,
    /// Of whose recording nothing is known a quarter of an hour after the talk.
    unrecorded: u64,
    /// Recordings that wait in Asterisk at this moment.
    waiting: u64,
    /// Why nothing can be archived now; absent when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<Trouble>,
    /// The last look through the whole archive; absent before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<ArchiveCheck>,
}

/// Why nothing can be archived.
#[derive(Serialize, ToSchema)]
pub(super) struct Trouble {
    since: DateTime<Utc>,
    /// What was tried, what the system says, and what to do.
    why: String,
}

/// A look through the whole archive.
#[derive(Serialize, ToSchema)]
pub(super) struct ArchiveCheck {
    begun_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    checked: u64,
    /// Files that are gone.
    missing: u64,
    /// Of another size than was written.
    short: u64,
    /// Of another checksum.
    changed: u64,
    /// Damaged, refused by the disk, or sealed with a key that is not there.
    unreadable: u64,
}

impl From<RecordingCheck> for ArchiveCheck {
    fn from(check: RecordingCheck) -> ArchiveCheck {
        let RecordingCheck { begun, ended, checked, missing, short, changed, unreadable } = check;
        ArchiveCheck { begun_at: time(begun), ended_at: time(ended), checked, missing, short, changed, unreadable }
    }
}

/// Talks without a whole recording, and how the archive is.
#[utoipa::path(get, path = "/api/v1/recordings/gaps", tag = "recordings", responses((status = 200, body = Gaps)))]
pub(super) async fn gaps(State(state): State<WebState>) -> Result<axum::Json<Gaps>, Problem> {
    let gaps = keeper::gaps(&state.store).await?;
    let check = state.store.last_recording_check().await?;
    let trouble = state.archive.trouble().map(|(since, why)| Trouble { since: time(since), why });
    Ok(axum::Json(Gaps {
        all: gaps.all(),
        missing: gaps.missing,
        short: gaps.short,
        silent: gaps.silent,
        failed: gaps.failed,
        unrecorded: gaps.unrecorded,
        waiting: state.archive.backlog(),
        trouble,
        check: check.map(ArchiveCheck::from),
    }))
}

/// That a recording may not be deleted.
#[derive(Serialize, ToSchema)]
pub(super) struct Held {
    at: DateTime<Utc>,
    /// Who said so.
    by: String,
    reason: String,
}

impl From<Hold> for Held {
    fn from(hold: Hold) -> Held {
        Held { at: time(hold.at), by: hold.by, reason: hold.reason }
    }
}

/// Why a recording may not be deleted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// For people: which case, who asked for it. 1 to 500 letters.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

fn keeper(identity: &Identity) -> (Keeper, String) {
    let actor = identity.named();
    let by = match &actor {
        Actor::Person(name) | Actor::Program(name) => name.clone(),
        Actor::Agent(_) | Actor::Engine => String::new(),
    };
    (Keeper { actor, address: identity.address.to_string(), at: clock::wall() }, by)
}

/// The legal hold of a recording.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/hold", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 200, body = Held), (status = 404, body = Problem)))]
pub(super) async fn held(State(state): State<WebState>, Path(id): Path<i64>) -> Result<axum::Json<Held>, Problem> {
    let hold = state.store.recording_hold(id).await?;
    hold.map(|hold| axum::Json(hold.into())).ok_or_else(|| {
        Problem::not_found(format!("nobody holds recording {id}"))
            .in_russian(format!("Запись № {id} никто не удерживает."))
    })
}

/// Keep a recording whatever its time is, also when the client is erased, until the hold is lifted. Repeated, it gives
/// the hold another reason.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/hold", tag = "recordings", params(("id" = i64, Path)),
    request_body = Reason, responses((status = 200, body = Held), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn hold(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    Json(body): Json<Reason>,
) -> Result<axum::Json<Held>, Problem> {
    let reason = body.reason.trim();
    if !(1..=LONGEST_REASON).contains(&reason.chars().count()) {
        return Err(Problem::unprocessable(format!("say why the recording is held, in 1 to {LONGEST_REASON} letters")));
    }
    let (keeper, by) = keeper(&identity);
    Ok(axum::Json(state.store.hold_recording(id, &by, reason, &keeper).await?.into()))
}

/// Lift the hold.
#[utoipa::path(delete, path = "/api/v1/recordings/{id}/hold", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn release(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    state.store.release_recording(id, &keeper(&identity).0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For how long a client wants the own talks kept.
#[derive(Serialize, ToSchema)]
pub(super) struct KeptDays {
    /// Days after the call; 0: until the next night.
    days: u32,
    /// Who wrote it down.
    by: String,
    at: DateTime<Utc>,
}

/// For how long a client wants the own talks kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeepDays {
    /// Days after the call, at most 3650; 0: until the next night.
    #[schema(maximum = 3650)]
    days: u32,
}

impl From<Wish> for KeptDays {
    fn from(wish: Wish) -> KeptDays {
        KeptDays { days: wish.days, by: wish.by, at: time(wish.at) }
    }
}

async fn wish_of(state: &WebState, id: i64) -> Result<axum::Json<KeptDays>, Problem> {
    let wish = state.store.recording_wish(ClientId(id)).await?;
    wish.map(|wish| axum::Json(wish.into())).ok_or_else(|| {
        Problem::not_found(format!("client {id} has no wish of that kind"))
            .in_russian(format!("У клиента № {id} такого пожелания нет."))
    })
}

/// For how long the client wants the own talks kept.
#[utoipa::path(get, path = "/api/v1/clients/{id}/recording-days", tag = "clients", params(("id" = i64, Path)),
    responses((status = 200, body = KeptDays), (status = 404, body = Problem)))]
pub(super) async fn wish(State(state): State<WebState>, Path(id): Path<i64>) -> Result<axum::Json<KeptDays>, Problem> {
    wish_of(&state, id).await
}

/// Write down for how long the client wants the own talks kept. Of this and the office's own time the shorter counts.
#[utoipa::path(put, path = "/api/v1/clients/{id}/recording-days", tag = "clients", params(("id" = i64, Path)),
    request_body = KeepDays,
    responses((status = 200, body = KeptDays), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn set_wish(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    Json(body): Json<KeepDays>,
) -> Result<axum::Json<KeptDays>, Problem> {
    if body.days > MOST_DAYS {
        return Err(Problem::unprocessable(format!("use 0 to {MOST_DAYS} days")));
    }
    let (keeper, by) = keeper(&identity);
    state.store.wish_for_recordings(ClientId(id), Some(body.days), &by, &keeper).await?;
    wish_of(&state, id).await
}

/// The client has no wish any more: the office's own time counts.
#[utoipa::path(delete, path = "/api/v1/clients/{id}/recording-days", tag = "clients", params(("id" = i64, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn forget_wish(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let (keeper, by) = keeper(&identity);
    state.store.wish_for_recordings(ClientId(id), None, &by, &keeper).await?;
    Ok(StatusCode::NO_CONTENT)
}
