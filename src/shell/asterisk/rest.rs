//! One Asterisk's REST interface: a pool of kept-alive connections, and a deadline on everything.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::engine::event::Refusal;

use super::pool::{Failure, Lease, Pool};
use super::{NodeConfig, NodeError};

/// For what does not wait for a channel's own thread.
pub(super) const DEADLINE: Duration = Duration::from_secs(2);
/// For what waits for a channel's own thread, which may be busy with a prompt for a moment.
pub(super) const CHANNEL_DEADLINE: Duration = Duration::from_secs(4);
/// A list of 50,000 channels takes about 30 MB.
const LARGEST_ANSWER: usize = 64 << 20;
/// How much of Asterisk's explanation is kept in an error.
const LONGEST_MESSAGE: usize = 200;

/// How Asterisk refuses what it does only for channels of the application: one that has just been made and is not there
/// yet, or one that is leaving.
pub(super) const NOT_IN_APPLICATION: &str = "Channel not in Stasis application";

/// Everything but what RFC 3986 calls unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One request, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HttpRequest {
    /// Method.
    pub(super) method: Method,
    /// Path below `/ari` with the query, percent-encoded.
    pub(super) target: String,
    /// JSON.
    pub(super) body: Option<Bytes>,
    /// Within which the whole answer must be there.
    pub(super) deadline: Duration,
}

impl HttpRequest {
    /// A request for the thing at these path segments.
    pub(super) fn new(method: Method, segments: &[&str]) -> HttpRequest {
        let mut target = String::with_capacity(64);
        for segment in segments {
            target.push('/');
            target.extend(utf8_percent_encode(segment, ESCAPED));
        }
        HttpRequest { method, target, body: None, deadline: DEADLINE }
    }

    pub(super) fn get(segments: &[&str]) -> HttpRequest {
        HttpRequest::new(Method::GET, segments)
    }

    pub(super) fn post(segments: &[&str]) -> HttpRequest {
        HttpRequest::new(Method::POST, segments)
    }

    pub(super) fn put(segments: &[&str]) -> HttpRequest {
        HttpRequest::new(Method::PUT, segments)
    }

    pub(super) fn delete(segments: &[&str]) -> HttpRequest {
        HttpRequest::new(Method::DELETE, segments)
    }

    /// Adds a query parameter.
    pub(super) fn query(mut self, name: &str, value: &str) -> HttpRequest {
        self.target.push(if self.target.contains('?') { '&' } else { '?' });
        self.target.push_str(name);
        self.target.push('=');
        self.target.extend(utf8_percent_encode(value, ESCAPED));
        self
    }

    /// Gives it a body.
    pub(super) fn json(mut self, body: &serde_json::Value) -> HttpRequest {
        self.body = Some(Bytes::from(body.to_string()));
        self
    }

    /// Another deadline than [`DEADLINE`].
    pub(super) fn within(mut self, deadline: Duration) -> HttpRequest {
        self.deadline = deadline;
        self
    }
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// Asterisk answered, and not with 2xx.
    #[error("Asterisk answered {status} to {what}: {message}")]
    Status {
        /// HTTP status.
        status: u16,
        /// Asterisk's explanation, cut short.
        message: String,
        /// Method and path.
        what: String,
    },
    /// No answer within the deadline.
    #[error("no answer to {what} within {} ms: is Asterisk overloaded or the network cut?", .deadline.as_millis())]
    TimedOut {
        /// Method and path.
        what: String,
        /// The deadline.
        deadline: Duration,
    },
    /// No connection: it was not done.
    #[error("Asterisk cannot be reached for {what}: {why}")]
    Unreachable {
        /// Method and path.
        what: String,
        /// Operating system's reason.
        why: String,
    },
    /// The connection broke before the answer: it may or may not have been done.
    #[error("the connection to Asterisk broke before it answered {what}: {why}")]
    Broken {
        /// Method and path.
        what: String,
        /// Operating system's reason.
        why: String,
    },
    /// An answer that makes no sense.
    #[error("the answer to {what} cannot be read: {why}")]
    Unreadable {
        /// Method and path.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl RestError {
    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            RestError::Status { status, .. } => Some(*status),
            RestError::TimedOut { .. }
            | RestError::Unreachable { .. }
            | RestError::Broken { .. }
            | RestError::Unreadable { .. } => None,
        }
    }
}

impl From<RestError> for Refusal {
    fn from(error: RestError) -> Refusal {
        match error {
            RestError::Status { status: 404, .. } => Refusal::NotFound,
            // What addChannel says of a channel that is gone.
            RestError::Status { status: 400, message, .. } if message == "Channel not found" => Refusal::NotFound,
            RestError::Status { status: 409, .. } => Refusal::Conflict,
            // What addChannel says of a channel that is just leaving.
            RestError::Status { status: 422, message, .. } if message == NOT_IN_APPLICATION => Refusal::Conflict,
            // It could not make the channel: no such endpoint, or no phone is registered there.
            RestError::Status { status: 500, what, .. } if what == "POST /channels/create" => {
                Refusal::Unprocessable("there is no phone at this endpoint".to_owned())
            }
            RestError::Status { status: 400..=499, message, .. } => Refusal::Unprocessable(message),
            RestError::Status { message, .. } => Refusal::Failed(message),
            RestError::TimedOut { .. } | RestError::Broken { .. } => Refusal::TimedOut,
            RestError::Unreachable { .. } => Refusal::Unreachable,
            RestError::Unreadable { why, .. } => Refusal::Failed(why),
        }
    }
}

/// The client of one Asterisk. Cheap to clone; clones share the pool.
#[derive(Clone)]
pub(super) struct Rest {
    pool: Arc<Pool>,
    host: HeaderValue,
    authorization: HeaderValue,
    /// Asterisk takes a limited number of connections (100 unless configured); beyond it, it refuses.
    permits: Arc<Semaphore>,
}

impl Rest {
    pub(super) fn new(config: &NodeConfig) -> Result<Rest, NodeError> {
        let authority = config.authority()?;
        let unusable = |what: &'static str| NodeError::Unusable { node: config.name.clone(), what };
        let credentials = format!("{}:{}", config.username, config.password);
        let credentials = base64::engine::general_purpose::STANDARD.encode(credentials);
        let mut authorization =
            HeaderValue::try_from(format!("Basic {credentials}")).map_err(|_| unusable("username or password"))?;
        authorization.set_sensitive(true);
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| unusable("url"))?;
        Ok(Rest {
            pool: Pool::new(authority, DEADLINE),
            host,
            authorization,
            permits: Arc::new(Semaphore::new(config.connections.max(1))),
        })
    }

    /// Value of the header `Authorization`.
    pub(super) fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(&self, request: &HttpRequest) -> Result<Bytes, RestError> {
        let deadline = Instant::now() + request.deadline;
        let timed_out = || RestError::TimedOut { what: described(request), deadline: request.deadline };
        let all = async {
            let _permit = self.permits.acquire().await;
            // The lease is held until the body is read.
            let (response, _lease) = self.exchange(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
            let body = body.map_err(|error| RestError::Unreadable { what: described(request), why: error.to_string() });
            if status.is_success() {
                Ok(body?.to_bytes())
            } else {
                Err(refused(request, status, body.ok().map(|b| b.to_bytes())))
            }
        };
        timeout_at(deadline, all).await.unwrap_or_else(|_| Err(timed_out()))
    }

    /// Sends a request and reads the answer's JSON.
    pub(super) async fn fetch<T: DeserializeOwned>(&self, request: &HttpRequest) -> Result<T, RestError> {
        let body = self.send(request).await?;
        serde_json::from_slice(&body)
            .map_err(|error| RestError::Unreadable { what: described(request), why: error.to_string() })
    }

    /// Sends a request and hands the answer's body on unread, with the connection that it comes over; the deadline holds
    /// for its head only.
    pub(super) async fn open(&self, request: &HttpRequest) -> Result<(Incoming, Lease), RestError> {
        let timed_out = || RestError::TimedOut { what: described(request), deadline: request.deadline };
        let head = tokio::time::timeout(request.deadline, self.exchange(request));
        let (response, lease) = head.await.unwrap_or_else(|_| Err(timed_out()))?;
        let status = response.status();
        if status.is_success() { Ok((response.into_body(), lease)) } else { Err(refused(request, status, None)) }
    }

    /// Once more where a kept-alive connection was closed under the request, unless it is a POST: one that was carried
    /// out all the same must not be repeated (a second `dial` ends the channel, a second `play` plays again).
    async fn exchange(&self, request: &HttpRequest) -> Result<(Response<Incoming>, Lease), RestError> {
        let mut repeatable = request.method != Method::POST;
        loop {
            let what = || described(request);
            match self.pool.send(self.prepare(request)?).await {
                Ok(answered) => return Ok(answered),
                Err(Failure::Connect(why)) => return Err(RestError::Unreachable { what: what(), why }),
                Err(Failure::Broken(why)) if !repeatable => return Err(RestError::Broken { what: what(), why }),
                Err(Failure::Broken(_)) => repeatable = false,
            }
        }
    }

    fn prepare(&self, request: &HttpRequest) -> Result<Request<Full<Bytes>>, RestError> {
        let unusable = |why: String| RestError::Unreadable { what: described(request), why };
        let uri = Uri::try_from(format!("/ari{}", request.target)).map_err(|error| unusable(error.to_string()))?;
        let mut builder = Request::builder()
            .method(request.method.clone())
            .uri(uri)
            .header(HOST, self.host.clone())
            .header(AUTHORIZATION, self.authorization.clone());
        if request.body.is_some() {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        builder.body(Full::new(request.body.clone().unwrap_or_default())).map_err(|error| unusable(error.to_string()))
    }
}

/// Method and path; the query may hold numbers of callers and is left out.
fn described(request: &HttpRequest) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    format!("{} {path}", request.method)
}

fn refused(request: &HttpRequest, status: StatusCode, body: Option<Bytes>) -> RestError {
    #[derive(serde::Deserialize)]
    struct Explanation {
        // Some failures are told under another name.
        #[serde(alias = "error")]
        message: String,
    }
    let body = body.unwrap_or_default();
    let mut message = match serde_json::from_slice::<Explanation>(&body) {
        Ok(explanation) => explanation.message,
        Err(_) => status.canonical_reason().unwrap_or("no reason given").to_owned(),
    };
    if let Some((cut, _)) = message.char_indices().nth(LONGEST_MESSAGE) {
        message.truncate(cut);
    }
    RestError::Status { status: status.as_u16(), message, what: described(request) }
}
