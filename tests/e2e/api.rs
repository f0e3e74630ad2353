//! HTTP as the tests need it, and the engine's API.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// The runtime behind all requests and event sockets of this process.
pub fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
    })
}

/// What a server answered.
pub struct Reply {
    pub status: u16,
    pub cookie: Option<String>,
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// One request over a connection of its own: a server that was killed meanwhile must not spoil it.
pub fn request(method: &Method, url: &str, headers: &[(&str, String)], body: Option<&Value>) -> Result<Reply, String> {
    let mut request = Request::builder().method(method).uri(url).header("connection", "close");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    let request = request.body(Full::new(body)).map_err(|cause| cause.to_string())?;
    let asking = async {
        let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.map_err(|cause| format!("{cause:?}"))?;
        let status = response.status().as_u16();
        let cookie = response.headers().get("set-cookie").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.into_body().collect().await.map_err(|cause| cause.to_string())?.to_bytes();
        Ok(Reply { status, cookie, body })
    };
    runtime().block_on(async {
        match tokio::time::timeout(Duration::from_secs(15), asking).await {
            Ok(reply) => reply,
            Err(_) => Err("no answer in 15 s".to_owned()),
        }
    })
}

/// The header of HTTP's basic authentication.
pub fn basic(user: &str, password: &str) -> (&'static str, String) {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    ("authorization", format!("Basic {text}"))
}

/// The engine's API, as one logged-in person.
pub struct Api {
    base: String,
    cookie: RefCell<Option<String>>,
}

impl Api {
    pub fn new(port: u16) -> Api {
        Api { base: format!("http://127.0.0.1:{port}"), cookie: RefCell::new(None) }
    }

    #[track_caller]
    pub fn log_in(&self, login: &str, password: &str) {
        let reply = self.reply(&Method::POST, "/session", Some(&json!({"login": login, "password": password})));
        let cookie = reply.cookie.expect("a session cookie");
        *self.cookie.borrow_mut() = Some(cookie.split(';').next().expect("a cookie").to_owned());
    }

    /// Any request, whatever comes of it. Paths that begin with `/health` or `/metrics` lie outside `/api/v1`.
    pub fn ask(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Reply, String> {
        let outside = path.starts_with("/health") || path.starts_with("/metrics") || path.starts_with("/api");
        let url = if outside { format!("{}{path}", self.base) } else { format!("{}/api/v1{path}", self.base) };
        let cookie = self.cookie.borrow().clone();
        let headers: Vec<_> = cookie.into_iter().map(|cookie| ("cookie", cookie)).collect();
        request(method, &url, &headers, body)
    }

    #[track_caller]
    fn reply(&self, method: &Method, path: &str, body: Option<&Value>) -> Reply {
        let reply = self.ask(method, path, body).unwrap_or_else(|cause| panic!("{method} {path}: {cause}"));
        let text = String::from_utf8_lossy(&reply.body);
        assert!((200..300).contains(&reply.status), "{method} {path}: {} {text}", reply.status);
        reply
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.reply(&Method::GET, path, None).json()
    }

    #[track_caller]
    pub fn get_bytes(&self, path: &str) -> Bytes {
        self.reply(&Method::GET, path, None).body
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.reply(&Method::POST, path, Some(body)).json()
    }

    /// A write that must be refused; gives status and problem.
    #[track_caller]
    pub fn refused(&self, path: &str, body: &Value) -> (u16, Value) {
        let reply = self.ask(&Method::POST, path, Some(body)).unwrap();
        assert!(reply.status >= 400, "{path} was not refused: {}", reply.status);
        (reply.status, reply.json())
    }

    /// All items of a list, page by page.
    #[track_caller]
    pub fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{sign}limit=100{next}"));
            items.extend(page["items"].as_array().unwrap_or_else(|| panic!("{path}: {page}")).iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return items,
            }
        }
    }
}
