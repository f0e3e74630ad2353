//! Sounds for an Asterisk on another machine: `asterisk.nodes.sounds_dir = "http://<engine>/sounds"`.
//!
//! Nobody has to log in: nothing secret is in the shipped sounds, and the name of a sentence that was made for a caller
//! cannot be guessed. Not part of the API: Asterisk alone comes here.

use std::borrow::Cow;

use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};

use crate::shell::sounds;
use crate::shell::voice::kept_sentence;

use super::{WebState, layers};

/// Asterisk does not ask again before: an upgrade's sounds are heard after a day at the latest.
const KEPT: &str = "public, max-age=86400";

/// One sound, such as `ru/greeting.wav` or `cache/ab/<40 hexadecimal digits>.wav`.
pub(super) async fn serve(State(state): State<WebState>, Path(name): Path<String>, uri: Uri) -> Response {
    let wav = match kept_sentence(&state.sentences, &name) {
        // A sentence has some 100 KB.
        Some(sentence) => tokio::fs::read(sentence).await.ok().map(Cow::Owned),
        None => sounds::shipped(&name),
    };
    match wav {
        Some(wav) => ([(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, KEPT)], wav).into_response(),
        None => layers::not_found(uri).await.into_response(),
    }
}
