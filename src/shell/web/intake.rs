//! Before a handler that changes something: the whole body, of bounded size, in time, and as JSON; and with an
//! `Idempotency-Key` done once, however often it is sent.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::shell::clock;
use crate::shell::store::idempotency::{IdempotencyKey, Turn};
use crate::shell::store::sha256_hex;

use super::WebState;
use super::access::Identity;
use super::problem::{MEDIA_TYPE, Problem};

/// Nothing that the API takes comes near.
pub(super) const LARGEST: usize = 64 * 1024;
/// Of a table: some 50,000 lines.
pub(super) const LARGEST_TABLE: usize = 8 * 1024 * 1024;
/// For the body to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a route takes as its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// JSON.
    Json,
    /// A table: CSV.
    Table,
}

impl Takes {
    fn largest(self) -> usize {
        match self {
            Takes::Json => LARGEST,
            Takes::Table => LARGEST_TABLE,
        }
    }

    /// Refuses a body of another kind.
    fn check(self, headers: &HeaderMap) -> Result<(), Problem> {
        let (right, detail) = match self {
            Takes::Json => (is_json(headers), "send JSON, with the header `Content-Type: application/json`"),
            Takes::Table => (is_media(headers, "text/csv"), "send CSV, with the header `Content-Type: text/csv`"),
        };
        if right {
            return Ok(());
        }
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_media_type", detail))
    }
}

/// Name of the header by which a client marks one write.
const KEY: &str = "idempotency-key";
/// Tells that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Answers to writes are far smaller.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// Marks an answer that holds a secret which is kept nowhere: a repeated request is done again, not answered from it.
#[derive(Clone, Copy)]
pub(super) struct NotKept;

/// Reads the body and checks its form; then the handler, once for each key.
pub(super) async fn intake(
    State((state, takes)): State<(WebState, Takes)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let bytes = whole(&parts.headers, body, takes.largest()).await?;
    if !bytes.is_empty() {
        takes.check(&parts.headers)?;
    }
    let key = key(&parts)?;
    let fingerprint = sha256_hex(&bytes);
    let request = Request::from_parts(parts, Body::from(bytes));
    match key {
        Some(key) => once(state, key, fingerprint, request, next).await,
        None => Ok(next.run(request).await),
    }
}

/// The key of a known client's request. Without a client there is none: logging in is not repeated for anybody.
fn key(parts: &Parts) -> Result<Option<IdempotencyKey>, Problem> {
    let (Some(value), Some(identity)) = (parts.headers.get(KEY), parts.extensions.get::<Identity>()) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if !(1..=100).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = "Idempotency-Key: use 1 to 100 visible ASCII characters, such as a UUID";
        return Err(Problem::bad_request("wrong_idempotency_key", detail));
    }
    let route = format!("{} {}", parts.method, parts.uri.path());
    Ok(Some(IdempotencyKey { owner: identity.key(), key: text.to_owned(), route }))
}

async fn once(
    state: WebState,
    key: IdempotencyKey,
    fingerprint: String,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    match state.store.begin_idempotent(&key, &fingerprint, clock::wall()).await? {
        Turn::Fresh => {}
        Turn::Done { status, body } => return Ok(replay(status, body)),
        Turn::InProgress => {
            let detail = "a request with this Idempotency-Key is being done; ask again in a moment";
            return Err(Problem::conflict("in_progress", detail));
        }
        Turn::Mismatch => {
            let detail = "this Idempotency-Key was used for a request with another body; use a new key";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail));
        }
    }
    // A task of its own: a client that hangs up half-way finds the answer when it comes again.
    let work = tokio::spawn(async move {
        let answer = next.run(request).await;
        keep(&state, &key, answer).await
    });
    work.await.unwrap_or_else(|cause| Err(Problem::internal(&cause)))
}

/// Keeps the answer, unless trying again may help.
async fn keep(state: &WebState, key: &IdempotencyKey, answer: Response) -> Result<Response, Problem> {
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_ANSWER).await.map_err(|cause| Problem::internal(&cause))?;
    let status = parts.status;
    let secret = parts.extensions.get::<NotKept>().is_some();
    let kept = match std::str::from_utf8(&body) {
        Ok(text) if !secret && !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS => {
            state.store.finish_idempotent(key, status.as_u16(), text).await
        }
        Ok(_) | Err(_) => state.store.abandon_idempotent(key).await,
    };
    if let Err(cause) = kept {
        // What was asked is done; only a repetition would not be known.
        tracing::warn!(%cause, "the answer to a request with Idempotency-Key could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn replay(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let media = if status.is_success() { "application/json" } else { MEDIA_TYPE };
    let empty = body.is_empty();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if empty {
        headers.remove(header::CONTENT_TYPE);
    } else {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    }
    response
}

async fn whole(headers: &HeaderMap, body: Body, largest: usize) -> Result<Bytes, Problem> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|told| told > largest) {
        return Err(too_large(largest));
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, largest).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(cause)) if is_limit(cause.as_ref()) => Err(too_large(largest)),
        Ok(Err(cause)) => Err(Problem::bad_request("broken_body", format!("the body could not be read: {cause}"))),
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", PATIENCE.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "timed_out", detail))
        }
    }
}

fn is_limit(cause: &(dyn Error + 'static)) -> bool {
    cause.is::<LengthLimitError>() || cause.source().is_some_and(is_limit)
}

fn too_large(largest: usize) -> Problem {
    let detail = format!("the body is larger than {largest} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    is_media(headers, "application/json")
}

fn is_media(headers: &HeaderMap, wanted: &str) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(wanted))
}
