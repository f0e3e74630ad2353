//! Consoles as the engine sees them: each a WebSocket on `/api/v1/stream` with a session of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use hyper::Method;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::api::{request, runtime};
use crate::wait::wait_for;

/// What they were told.
pub struct Seen {
    pub messages: u64,
    /// Messages whose number was not the next one.
    pub gaps: u64,
}

pub struct Watchers {
    tasks: Vec<JoinHandle<()>>,
    messages: Arc<AtomicU64>,
    gaps: Arc<AtomicU64>,
}

impl Watchers {
    /// Logs all of them in and waits until each has its first picture.
    pub fn open(port: u16, logins: &[String], password: &str) -> Watchers {
        let (messages, gaps) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let mut tasks = Vec::new();
        for login in logins {
            let url = format!("ws://127.0.0.1:{port}/api/v1/stream");
            let mut request = url.into_client_request().expect("an address");
            request.headers_mut().insert("cookie", session(port, login, password).parse().expect("a cookie"));
            let (messages, gaps) = (messages.clone(), gaps.clone());
            tasks.push(runtime().spawn(async move {
                let (mut socket, _) = connect_async(request).await.expect("a console's connection");
                let mut expected = 1;
                while let Some(Ok(message)) = socket.next().await {
                    let Ok(text) = message.to_text() else { continue };
                    let Some(number) = number(text) else { continue };
                    messages.fetch_add(1, Ordering::Relaxed);
                    gaps.fetch_add(u64::from(number != expected), Ordering::Relaxed);
                    expected = number + 1;
                }
            }));
        }
        let watchers = Watchers { tasks, messages, gaps };
        wait_for("each console has its first picture", 30, || {
            let there = watchers.messages.load(Ordering::Relaxed);
            if there >= logins.len() as u64 { Ok(()) } else { Err(there.to_string()) }
        });
        // What follows is counted.
        watchers.messages.store(0, Ordering::Relaxed);
        watchers
    }

    pub fn close(self) -> Seen {
        assert!(self.tasks.iter().all(|task| !task.is_finished()), "a console was disconnected");
        self.tasks.iter().for_each(JoinHandle::abort);
        let take = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Seen { messages: take(&self.messages), gaps: take(&self.gaps) }
    }
}

/// The cookie of a new session.
fn session(port: u16, login: &str, password: &str) -> String {
    let url = format!("http://127.0.0.1:{port}/api/v1/session");
    let body = json!({"login": login, "password": password});
    let reply = request(&Method::POST, &url, &[], Some(&body)).expect("the engine answers");
    let cookie = reply.cookie.expect("a session cookie");
    cookie.split(';').next().unwrap_or_default().to_owned()
}

/// The message's number: `{"seq":N,…`.
fn number(text: &str) -> Option<u64> {
    let rest = text.strip_prefix("{\"seq\":")?;
    rest.split_once(|sign: char| !sign.is_ascii_digit())?.0.parse().ok()
}
