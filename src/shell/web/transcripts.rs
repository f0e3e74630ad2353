//! What was said in a recording, where the office has a recogniser.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::shell::store::transcripts::Spoken;

use super::WebState;
use super::access::Identity;
use super::extract::Path;
use super::problem::Problem;
use super::recordings::known;

/// What was said.
#[derive(Serialize, ToSchema)]
pub(super) struct Transcript {
    /// `waiting`, `running`, `done` or `failed`.
    state: String,
    /// Why it is not done; absent when nothing is wrong.
    #[serde(skip_serializing_if = "String::is_empty")]
    problem: String,
    /// In the order of time.
    words: Vec<Word>,
}

/// A word.
#[derive(Serialize, ToSchema)]
#[schema(as = SpokenWord)]
pub(super) struct Word {
    from_ms: u64,
    to_ms: u64,
    /// 0: the caller; 1: the agent.
    channel: u16,
    text: String,
    /// How sure the recogniser is, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<f32>,
}

impl From<Spoken> for Word {
    fn from(word: Spoken) -> Word {
        let Spoken { from_ms, to_ms, channel, text, confidence } = word;
        Word { from_ms, to_ms, channel, text, confidence }
    }
}

/// What was said in a recording.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/transcript", tag = "recordings", params(("id" = i64, Path)),
    responses((status = 200, body = Transcript), (status = 404, body = Problem)))]
pub(super) async fn one(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<i64>,
) -> Result<axum::Json<Transcript>, Problem> {
    known(&state, &identity, id).await?;
    let row = state.store.transcript_of(id).await?;
    let row = row.ok_or_else(|| Problem::not_found(format!("what is said in recording {id} was not written down")))?;
    let words = row.words.into_iter().map(Word::from).collect();
    Ok(axum::Json(Transcript { state: row.state, problem: row.problem, words }))
}
