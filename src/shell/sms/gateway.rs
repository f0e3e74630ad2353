//! What requests to gateways have in common.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{RequestBuilder, StatusCode, Url, redirect};

use crate::shell::webhooks;

use super::provider::Failure;

/// For the connection.
const CONNECT: Duration = Duration::from_secs(5);
/// For the whole answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Of an answer, so many bytes are read.
const LONGEST_ANSWER: usize = 16 * 1024;
/// Of an answer, so many characters are told to people.
const LONGEST_EXPLANATION: usize = 200;

const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Text as it stands in a query.
pub fn in_query(text: &str) -> String {
    utf8_percent_encode(text, IN_QUERY).to_string()
}

/// A client for gateways: whom a request goes to is the administrator's word alone, so no redirect and no proxy of the
/// environment.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!("perezvon/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
}

/// What a gateway answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, cut.
    pub body: String,
}

impl Answer {
    /// The status and the body's beginning, for people.
    pub fn told(&self) -> String {
        let short: String = self.body.chars().filter(|c| !c.is_control()).take(LONGEST_EXPLANATION).collect();
        format!("it answered {}{}{short}", self.status, if short.is_empty() { "" } else { ": " })
    }
}

/// Sends a request and reads the answer.
///
/// # Errors
/// [`Failure`] without the URL, which holds the text, the number and mostly a password.
pub async fn ask(request: RequestBuilder) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(|error| Failure::for_now(webhooks::told(&error)))?;
    let mut body = Vec::new();
    while body.len() < LONGEST_ANSWER {
        match response.chunk().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(LONGEST_ANSWER);
    Ok(Answer { status: response.status(), body: String::from_utf8_lossy(&body).into_owned() })
}

/// Whether somebody listens there.
///
/// # Errors
/// What is wrong, as a sentence.
pub async fn listens(url: &Url) -> Result<String, String> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    match tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => Ok(format!("{host}:{port} answers")),
        Ok(Err(error)) => Err(format!("{host}:{port} cannot be reached: {error}")),
        Err(_) => Err(format!("{host}:{port} does not answer: is a firewall between?")),
    }
}
