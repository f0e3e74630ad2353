//! What surrounds every request: security headers, a deadline, one log line, and problems for what the framework says.

use std::any::Any;
use std::time::Duration;

use tokio::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::WebState;
use super::access;
use super::problem::{InRussian, Problem};
use super::server::Transport;
use super::writer::language;
use crate::speech::Language;

/// From the whole request read to the head of the answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// Scripts, styles and sockets from here only; nothing embeds us.
const POLICY: &str =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'";

/// Headers that tell browsers not to trust what we did not send, and not to keep what the API answers.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let kept = !(request.uri().path().starts_with("/api/") || request.uri().path() == "/metrics");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !kept {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// Elsewhere than on this machine everything is encrypted, except what programs fetch that speak no https: an
/// Asterisk its sounds, an SMS gateway its reports, a probe our health. People are shown the way.
pub async fn encrypted(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let plain = request.extensions().get::<Transport>() == Some(&Transport::Plain);
    let peer = access::peer(request.extensions()).to_canonical();
    let path = request.uri().path();
    let exempt = ["/sounds/", "/health/", "/api/v1/sms/gateways/"].iter().any(|beginning| path.starts_with(beginning));
    if !plain || exempt || peer.is_loopback() || state.config.trusted_proxies.contains(&peer) {
        return next.run(request).await;
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let there = HeaderValue::from_str(&format!("https://{host}{}", request.uri()));
    match there {
        Ok(there) if request.method().is_safe() && !host.is_empty() && !path.starts_with("/api/") => {
            (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, there)]).into_response()
        }
        Ok(_) | Err(_) => Problem::forbidden("this is served by https only, except on the machine itself")
            .in_russian("Это доступно только по https (кроме самой машины).")
            .into_response(),
    }
}

/// Problems in the language of whoever asks.
pub async fn speak(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let language = language(request.headers(), state.settings.now().language);
    let mut response = next.run(request).await;
    match (language, response.extensions_mut().remove::<InRussian>()) {
        (Language::Ru, Some(InRussian(body))) => {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            *response.body_mut() = Body::from(body);
        }
        (Language::Ru, None) | (Language::En, _) => {}
    }
    response
}

/// Nothing takes longer than [`DEADLINE`] to begin its answer.
pub async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail =
                format!("the request took longer than {} s; it may or may not have been done", DEADLINE.as_secs());
            Problem::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", detail).into_response()
        }
    }
}

/// Counts, and logs at DEBUG (paths hold ids, never numbers of callers).
pub async fn observe(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let spent = started.elapsed();
    let status = response.status().as_u16();
    state.metrics.answered(&method, &route, status, spent);
    tracing::debug!(%method, route, status, spent_ms = spent.as_secs_f64() * 1e3, "answered");
    response
}

/// A handler that panicked ends its own request only.
#[allow(clippy::needless_pass_by_value)]
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(&format!("a web handler panicked: {}", text.unwrap_or("(no message)"))).into_response()
}

/// No such address.
pub async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at {}; /api/openapi.json lists what there is", uri.path()))
}

/// The address exists, the method does not.
pub async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    let detail = format!("{} does not take {method}; the header Allow lists what it takes", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
