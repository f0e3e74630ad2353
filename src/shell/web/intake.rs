//! Before a handler that changes something: the whole body, of bounded size, in time, and as JSON.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::problem::Problem;

/// Nothing that the API takes comes near.
pub(super) const LARGEST: usize = 64 * 1024;
/// For the body to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the body and checks its form.
pub(super) async fn intake(request: Request, next: Next) -> Result<Response, Problem> {
    if request.method().is_safe() {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let bytes = whole(&parts.headers, body).await?;
    if !bytes.is_empty() && !is_json(&parts.headers) {
        let detail = "send JSON, with the header `Content-Type: application/json`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong_media_type", detail));
    }
    Ok(next.run(Request::from_parts(parts, Body::from(bytes))).await)
}

async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let told = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|told| told > LARGEST) {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(cause)) if is_limit(cause.as_ref()) => Err(too_large()),
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

fn too_large() -> Problem {
    let detail = format!("the body is larger than {LARGEST} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
}

fn is_json(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}
