//! One attempt to deliver one message.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url, redirect};

use crate::engine::time::Wall;
use crate::shell::store::Secret;
use crate::shell::store::outbox::Due;

use super::signature;

/// For the connection; the whole attempt has the time-out of the settings.
const CONNECT: Duration = Duration::from_secs(5);
/// Of an endpoint's explanation, so much is kept with the error.
const LONGEST_EXPLANATION: usize = 200;
/// Longest pause that an endpoint may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Sends messages. Clones share the connections.
#[derive(Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    private_networks: bool,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What happened, and what to do.
    pub(super) error: String,
    /// What the endpoint asked for.
    pub(super) pause: Option<Duration>,
    /// The endpoint does not want to be asked again.
    pub(super) gone: bool,
}

impl Failure {
    fn of(error: impl Into<String>) -> Failure {
        Failure { error: error.into(), pause: None, gone: false }
    }
}

impl Client {
    pub(super) fn new(timeout: Duration, private_networks: bool) -> reqwest::Result<Client> {
        // Whom a message goes to is the administrator's word alone: no redirect, no proxy of the environment.
        let builder = reqwest::Client::builder()
            .user_agent(concat!("perezvon/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT.min(timeout))
            .timeout(timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_max_idle_per_host(4);
        let builder = if private_networks { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) };
        Ok(Client { http: builder.build()?, private_networks })
    }

    /// Sends a message; it is delivered when the answer is 2xx.
    pub(super) async fn deliver(&self, url: &str, secret: &Secret, due: &Due, now: Wall) -> Result<(), Failure> {
        let url = target(url).map_err(Failure::of)?;
        self.allowed(&url)?;
        let seconds = now.0.div_euclid(1000);
        let signed = signature::sign(secret.reveal(), &due.message, seconds, &due.body).ok_or_else(|| {
            Failure::of("its secret cannot be read: make a new one with PATCH {\"new_secret\": true}")
        })?;
        let request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(signature::ID, due.message.as_str())
            .header(signature::TIMESTAMP, seconds)
            .header(signature::SIGNATURE, signed)
            .body(due.body.clone());
        let response = request.send().await.map_err(|error| Failure::of(told(&error)))?;
        if response.status().is_success() { Ok(()) } else { Err(refused(response).await) }
    }

    /// An address in the URL itself is not looked up, so it is looked at here.
    fn allowed(&self, url: &Url) -> Result<(), Failure> {
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) if !self.private_networks && !is_public(address) => Err(Failure::of(PRIVATE)),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

const PRIVATE: &str = "it is an address of a private network, which webhooks.private_networks = false forbids";

/// Reads where messages are to be sent to.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn target(url: &str) -> Result<Url, String> {
    let example = "write it as https://host/path";
    let parsed = Url::parse(url).map_err(|error| format!("the url {url:?} cannot be read ({error}): {example}"))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none_or(str::is_empty) {
        return Err(format!("the url {url:?} is not http:// or https://: {example}"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() || parsed.fragment().is_some() {
        return Err(format!("a url with a log-in or a fragment would not be kept secret: {example}"));
    }
    Ok(parsed)
}

/// The chain of causes without the URL, which may hold a token.
pub fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "there was no answer in time: is it overloaded, or a firewall between?".to_owned();
    }
    let mut text = if error.is_connect() { "it cannot be reached" } else { "the connection broke" }.to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn refused(mut response: Response) -> Failure {
    let status = response.status();
    let pause = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut explanation = Vec::new();
    while explanation.len() < LONGEST_EXPLANATION {
        match response.chunk().await {
            Ok(Some(bytes)) => explanation.extend_from_slice(&bytes),
            Ok(None) | Err(_) => break,
        }
    }
    let explanation = String::from_utf8_lossy(&explanation);
    let short: String = explanation.chars().filter(|c| !c.is_control()).take(LONGEST_EXPLANATION).collect();
    let advice = match status {
        StatusCode::GONE => ": it does not want to be asked again, and is disabled",
        status if status.is_redirection() => ": redirects are not followed, change its url",
        _ => "",
    };
    let error = format!("it answered {status}{advice}{}{short}", if short.is_empty() { "" } else { ": " });
    let pause = pause.map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE));
    Failure { error, pause, gone: status == StatusCode::GONE }
}

/// Looks names up and keeps what is not on the public Internet out. Done at each connection: a name that is looked up
/// once and then changed (DNS rebinding) gets nowhere.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let public: Vec<SocketAddr> = found.into_iter().filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(PRIVATE.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the public Internet (IANA's special-purpose registries, as far as they matter here).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = a == 0 || a >= 240 || (a, b, c) == (192, 0, 0) || (a == 198 && (b == 18 || b == 19));
            let local = v4.is_private() || v4.is_loopback() || v4.is_link_local();
            !(local || shared || special || v4.is_multicast() || v4.is_documentation() || v4.is_broadcast())
        }
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            // Global unicast only, without documentation, Teredo and 6to4, which can hide an IPv4 address.
            first & 0xe000 == 0x2000 && first != 0x2002 && !(first == 0x2001 && (second == 0 || second == 0xdb8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_private_networks_are_known() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "2002:a00:1::1",
            "224.0.0.1",
            "255.255.255.255",
            "64:ff9b::a00:1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["8.8.8.8", "172.15.0.1", "2a00:1450:4010::5", "100.128.0.1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_url_that_is_of_no_use_is_refused_with_what_to_write() {
        for url in
            ["", "example.com", "ftp://example.com/", "http://", "https://u:p@example.com/", "file:///etc/passwd"]
        {
            let error = target(url).unwrap_err();
            assert!(error.contains("https://host/path"), "{error}");
        }
        assert!(target("http://127.0.0.1:8080/hook?token=1").is_ok());
        assert!(target("https://пример.рф/крючок").is_ok());
    }
}
