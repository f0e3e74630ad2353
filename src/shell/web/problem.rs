//! Every error of the API: problem details (RFC 9457), whoever found it, ourselves or the framework.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::command::Denied;
use crate::shell::requests::AskError;
use crate::shell::shapes::address::NoPoint;
use crate::shell::store::StoreError;

use super::password::PasswordError;

/// The media type of RFC 9457.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong, as the client is told.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A word that programs may test: `not_found`, `wrong_json`, ….
    #[serde(rename = "type")]
    pub kind: Box<str>,
    /// Short words for people, the same for every problem of this type.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, to what, and what to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Seconds to wait before trying again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Which field of what was sent is wrong, where that is known: `list[1].keys.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<Box<str>>,
    /// With `stale`: what there is now, as a GET shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<Box<serde_json::Value>>,
    /// `detail` for who reads Russian, where there is one.
    #[serde(skip)]
    pub russian: Option<Box<str>>,
}

/// The body of a problem for who reads Russian, beside the response: who asks is known to a layer further out.
#[derive(Clone)]
pub(super) struct InRussian(pub(super) Vec<u8>);

impl Problem {
    /// A problem of this status and type.
    pub fn new(status: StatusCode, kind: &str, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("urn:perezvon:problem:{kind}").into_boxed_str(),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            retry_after: None,
            field: None,
            current: None,
            russian: None,
        }
    }

    /// The same, with its detail for who reads Russian.
    #[must_use]
    pub fn in_russian(mut self, detail: impl Into<String>) -> Problem {
        self.russian = Some(detail.into().into_boxed_str());
        self
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(kind: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, kind, detail)
    }

    /// 401: log in first.
    pub fn unauthorized() -> Problem {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "log in with POST /api/v1/session, or send an API key as `Authorization: Bearer …`",
        )
        .in_russian("Сначала войдите (POST /api/v1/session) или пошлите ключ API как `Authorization: Bearer …`.")
    }

    /// 403: known, but not allowed.
    pub fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 409: not in this state.
    pub fn conflict(kind: &str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, kind, detail)
    }

    /// 422: well written, but it makes no sense.
    pub fn unprocessable(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
    }

    /// 429: slower, please.
    pub fn too_many(retry_after: u64, detail: impl Into<String>) -> Problem {
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        problem.retry_after = Some(retry_after);
        problem
    }

    /// 503: try again.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        let mut problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        problem.retry_after = Some(1);
        problem
    }

    /// 500: our fault; the cause goes to the log, not to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Problem {
        tracing::error!(%cause, "a request failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the engine failed; its log says why")
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        if let Some(detail) = self.russian.take() {
            self.detail = detail.into_string();
            response.extensions_mut().insert(InRussian(serde_json::to_vec(&self).unwrap_or_default()));
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Problem {
        let detail = error.to_string();
        match error {
            AskError::Denied(denied) => denied.into(),
            AskError::Busy | AskError::Stopped => Problem::unavailable(detail),
            AskError::TimedOut => Problem::new(StatusCode::GATEWAY_TIMEOUT, "engine_silent", detail),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Problem {
        let detail = denied.to_string();
        match denied {
            Denied::NoSuchCall(_) | Denied::NoSuchAgent(_) => Problem::not_found(detail),
            Denied::NoSuchQueue => Problem::unprocessable(detail),
            Denied::NotYours => Problem::forbidden(detail),
            Denied::NumberNotAllowed => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "number_not_allowed", detail),
            Denied::WrongStage { .. } => Problem::conflict("wrong_stage", detail),
            Denied::NoPhone(_) => Problem::conflict("no_phone", detail),
            Denied::NumberBusy => Problem::conflict("number_busy", detail),
            Denied::AgentNotFree(_) => Problem::conflict("agent_not_free", detail),
            Denied::NodeDown => Problem::unavailable(detail),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        let (detail, russian) = (error.to_string(), error.russian());
        let problem = match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "the database does not answer");
                Problem::unavailable("the database does not answer now; try again in a moment")
            }
            StoreError::Taken(_) => Problem::conflict("taken", detail),
            StoreError::Stale { .. } => Problem::conflict("stale", detail),
            StoreError::NoSuch(_) => Problem::unprocessable("something that this refers to does not exist"),
            StoreError::NotFound(_) => Problem::not_found(detail),
            StoreError::Invalid(_) => Problem::unprocessable(detail),
            StoreError::BadCursor => Problem::bad_request("bad_cursor", detail),
            StoreError::BadUrl { .. }
            | StoreError::Open { .. }
            | StoreError::Migrate { .. }
            | StoreError::Unreadable(_)
            | StoreError::Failed(_) => Problem::internal(&detail),
        };
        problem.in_russian(russian)
    }
}

impl From<NoPoint> for Problem {
    fn from(error: NoPoint) -> Problem {
        Problem::unprocessable(error.to_string())
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Problem {
        match error {
            PasswordError::Length => Problem::unprocessable(error.to_string()),
            PasswordError::Busy => Problem::unavailable(error.to_string()),
            PasswordError::Failed(_) => Problem::internal(&error),
        }
    }
}
