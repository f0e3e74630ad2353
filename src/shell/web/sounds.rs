//! The shipped sounds, for an Asterisk on another machine: `asterisk.nodes.sounds_dir = "http://<engine>/sounds"`.
//!
//! Nothing secret is in them, so nobody has to log in. Not part of the API: Asterisk alone comes here.

use axum::extract::Path;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};

use crate::shell::sounds;

use super::layers;

/// Asterisk does not ask again before: an upgrade's sounds are heard after a day at the latest.
const KEPT: &str = "public, max-age=86400";

/// One sound, such as `ru/greeting.wav`.
pub(super) async fn serve(Path(name): Path<String>, uri: Uri) -> Response {
    match sounds::shipped(&name) {
        Some(wav) => ([(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, KEPT)], wav).into_response(),
        None => layers::not_found(uri).await.into_response(),
    }
}
