//! Marks: what people say of a moment of a recording. Who may hear it may make them, and edits the own ones.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::store::recording_marks::{MarkRow, MarkWords};

use super::WebState;
use super::access::Identity;
use super::dto::time;
use super::extract::{Json, Path};
use super::problem::Problem;
use super::recordings::known;

/// The short list: an office that wants others writes its own words.
const KINDS: [&str; 6] = ["note", "good", "mistake", "complaint", "order", "important"];
/// Of an own label, in letters.
const LONGEST_KIND: usize = 40;
/// Of a comment, in letters.
const LONGEST_TEXT: usize = 2_000;
/// A day: no recording is longer.
const LAST_MS: u64 = 86_400_000;

/// A mark.
#[derive(Serialize, ToSchema)]
pub(super) struct Mark {
    id: i64,
    /// From the recording's beginning.
    at_ms: u64,
    /// `note`, `good`, `mistake`, `complaint`, `order`, `important`, or the office's own label.
    kind: String,
    text: String,
    author: String,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
    /// Made by whoever asks: may be edited and removed.
    own: bool,
}

impl Mark {
    fn of(row: MarkRow, identity: &Identity) -> Mark {
        Mark {
            own: row.author == identity.key(),
            id: row.id,
            at_ms: u64::try_from(row.at_ms).unwrap_or(0),
            kind: row.kind,
            text: row.text,
            author: row.author_name,
            created_at: time(row.created),
            changed_at: time(row.changed),
        }
    }
}

/// The marks of a recording.
#[derive(Serialize, ToSchema)]
pub(super) struct Marks {
    /// In the order of their moments.
    items: Vec<Mark>,
    /// The short list of kinds.
    kinds: Vec<&'static str>,
}

/// A new mark.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMark {
    /// From the recording's beginning.
    at_ms: u64,
    /// `note` when absent.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    text: String,
}

/// What becomes different of a mark.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MarkChange {
    #[serde(default)]
    at_ms: Option<u64>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    text: Option<String>,
}

fn words(at_ms: u64, kind: &str, text: &str) -> Result<MarkWords, Problem> {
    let (kind, text) = (kind.trim(), text.trim());
    if kind.is_empty() || kind.chars().count() > LONGEST_KIND || kind.chars().any(char::is_control) {
        return Err(Problem::unprocessable(format!("kind has 1 to {LONGEST_KIND} letters")));
    }
    if text.chars().count() > LONGEST_TEXT || text.contains('\0') {
        return Err(Problem::unprocessable(format!("text has at most {LONGEST_TEXT} letters")));
    }
    if at_ms > LAST_MS {
        return Err(Problem::unprocessable(format!("at_ms is at most {LAST_MS}, which is a day")));
    }
    Ok(MarkWords { at_ms: i64::try_from(at_ms).unwrap_or(i64::MAX), kind: kind.to_owned(), text: text.to_owned() })
}

/// The name for people.
pub(super) fn shown_name(identity: &Identity) -> String {
    match identity.named() {
        Actor::Person(name) | Actor::Program(name) => name,
        Actor::Agent(_) | Actor::Engine => String::new(),
    }
}

/// The marks of a recording, in the order of their moments.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/marks", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 200, body = Marks), (status = 404, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Marks>, Problem> {
    known(&state, &identity, id).await?;
    let marks = state.store.marks_of(id).await?;
    let items = marks.into_iter().map(|row| Mark::of(row, &identity)).collect();
    Ok(axum::Json(Marks { items, kinds: KINDS.to_vec() }))
}

/// Mark a moment of a recording.
#[utoipa::path(post, path = "/api/v1/recordings/{id}/marks", tag = "recordings", params(("id" = i64, Path)),
    request_body = NewMark, responses((status = 201, body = Mark), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn add(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
    Json(body): Json<NewMark>,
) -> Result<(StatusCode, axum::Json<Mark>), Problem> {
    known(&state, &identity, id).await?;
    let words = words(body.at_ms, body.kind.as_deref().unwrap_or("note"), &body.text)?;
    let author = [&*identity.key(), &*shown_name(&identity)];
    let row = state.store.add_mark(id, &words, author, clock::wall()).await?;
    Ok((StatusCode::CREATED, axum::Json(Mark::of(row, &identity))))
}

/// Say a mark in other words. Only its author may.
#[utoipa::path(patch, path = "/api/v1/recordings/{id}/marks/{number}", tag = "recordings",
    params(("id" = i64, Path), ("number" = i64, Path)), request_body = MarkChange,
    responses((status = 200, body = Mark), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    identity: Identity,
    Path((id, number)): Path<(i64, i64)>,
    Json(body): Json<MarkChange>,
) -> Result<axum::Json<Mark>, Problem> {
    known(&state, &identity, id).await?;
    let before = state.store.get_mark(id, number).await?;
    own(&before, &identity)?;
    let at_ms = body.at_ms.unwrap_or_else(|| u64::try_from(before.at_ms).unwrap_or(0));
    let kind = body.kind.as_deref().unwrap_or(&before.kind);
    let words = words(at_ms, kind, body.text.as_deref().unwrap_or(&before.text))?;
    let row = state.store.change_mark(id, number, &words, clock::wall()).await?;
    Ok(axum::Json(Mark::of(row, &identity)))
}

/// Remove a mark: the own one, or as a supervisor any.
#[utoipa::path(delete, path = "/api/v1/recordings/{id}/marks/{number}", tag = "recordings",
    params(("id" = i64, Path), ("number" = i64, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(state): State<WebState>,
    identity: Identity,
    Path((id, number)): Path<(i64, i64)>,
) -> Result<StatusCode, Problem> {
    known(&state, &identity, id).await?;
    let before = state.store.get_mark(id, number).await?;
    if !identity.sees_all() {
        own(&before, &identity)?;
    }
    state.store.remove_mark(id, number).await?;
    if before.author != identity.key() {
        let detail = json!({"recording": id, "author": before.author_name, "kind": before.kind});
        state.audit(identity.named(), "recording_mark_removed", &number.to_string(), detail, identity.address).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn own(mark: &MarkRow, identity: &Identity) -> Result<(), Problem> {
    if mark.author == identity.key() {
        return Ok(());
    }
    Err(Problem::forbidden(format!("mark {} is {}'s: only who made it edits it", mark.id, mark.author_name))
        .in_russian(format!("Эту отметку сделал(а) {}. Править её может только автор.", mark.author_name)))
}
