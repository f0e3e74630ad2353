//! A small Asterisk for tests: it answers REST requests as the test says and hands the events sockets to the test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::SinkExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::NodeConfig;

/// Nothing in a test takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What a request is answered with.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) delay: Duration,
}

impl Answer {
    pub(super) fn new(status: u16, body: &str) -> Answer {
        Answer { status, body: body.to_owned(), delay: Duration::ZERO }
    }

    pub(super) fn refusal(status: u16, message: &str) -> Answer {
        Answer::new(status, &serde_json::json!({ "message": message }).to_string())
    }

    pub(super) fn after(self, delay: Duration) -> Answer {
        Answer { delay, ..self }
    }
}

/// Chooses an answer by `METHOD /target`; `None` for the usual one.
type Rule = Box<dyn FnMut(&str) -> Option<Answer> + Send>;

#[derive(Clone)]
struct Shared {
    rule: Arc<Mutex<Rule>>,
    requests: mpsc::UnboundedSender<String>,
    sockets: mpsc::UnboundedSender<WebSocketStream<TcpStream>>,
}

/// The server.
pub(super) struct Fake {
    pub(super) config: NodeConfig,
    rule: Arc<Mutex<Rule>>,
    requests: mpsc::UnboundedReceiver<String>,
    sockets: mpsc::UnboundedReceiver<WebSocketStream<TcpStream>>,
}

impl Fake {
    pub(super) async fn start() -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let config = NodeConfig { url, sounds_dir: "/s".to_owned(), ..NodeConfig::default() };
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(|_: &str| None)));
        let (requests_in, requests) = mpsc::unbounded_channel();
        let (sockets_in, sockets) = mpsc::unbounded_channel();
        let shared = Shared { rule: rule.clone(), requests: requests_in, sockets: sockets_in };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Fake { config, rule, requests, sockets }
    }

    /// From now on requests are answered so.
    pub(super) fn answer(&self, rule: impl FnMut(&str) -> Option<Answer> + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// The next events socket that is opened.
    pub(super) async fn socket(&mut self) -> WebSocketStream<TcpStream> {
        timeout(PATIENCE, self.sockets.recv()).await.expect("no events socket was opened").unwrap()
    }

    /// An events socket has been opened that [`socket`](Fake::socket) has not given yet.
    pub(super) fn socket_waits(&self) -> bool {
        !self.sockets.is_empty()
    }

    /// The next REST request that begins so, as `METHOD /target body`.
    pub(super) async fn request(&mut self, beginning: &str) -> String {
        let found = async {
            loop {
                let request = self.requests.recv().await.unwrap();
                if request.starts_with(beginning) {
                    return request;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no request {beginning}"))
    }
}

/// Sends a text frame.
pub(super) async fn tell(socket: &mut WebSocketStream<TcpStream>, frame: &str) {
    socket.send(Message::text(frame)).await.unwrap();
}

async fn serve(stream: TcpStream, shared: Shared) -> Option<()> {
    let mut beginning = [0_u8; 15];
    stream.peek(&mut beginning).await.ok()?;
    if &beginning == b"GET /ari/events" {
        let socket = tokio_tungstenite::accept_async(stream).await.ok()?;
        shared.sockets.send(socket).ok()?;
        return Some(());
    }
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        let mut length = 0;
        let mut first = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let text = line.trim_end().to_ascii_lowercase();
            if first.is_empty() {
                first = line.trim_end().to_owned();
            } else if let Some(value) = text.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            } else if text.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let (method, target) = first.trim_end_matches(" HTTP/1.1").split_once(" /ari")?;
        let request = format!("{method} {target}");
        shared.requests.send(format!("{request} {}", String::from_utf8_lossy(&body)).trim_end().to_owned()).ok()?;
        let chosen = (shared.rule.lock().unwrap())(&request);
        let answer = chosen.unwrap_or_else(|| Answer::new(200, if method == "GET" { "[]" } else { "{}" }));
        tokio::time::sleep(answer.delay).await;
        let head = format!("HTTP/1.1 {} Said\r\nContent-Length: {}\r\n\r\n", answer.status, answer.body.len());
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(answer.body.as_bytes()).await.ok()?;
    }
}
