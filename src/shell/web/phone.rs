//! The phone in the console: with what it registers, and its way to Asterisk. The console speaks SIP over a WebSocket
//! with us, and we hand it on to Asterisk on its own side: one certificate, one log-in, and Asterisk's HTTP server
//! stays closed to the world.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::Message as Behind;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use utoipa::ToSchema;

use crate::engine::event::{Event, NodeEvent};
use crate::shell::store::agents::{AgentChange, AgentRow, PhoneKind};

use super::WebState;
use super::access::{Identity, same_origin, still_known};
use super::agents::phone_kind;
use super::extract::Json;
use super::problem::Problem;
use super::stream::Streams;

/// Subprotocol of SIP over WebSocket (RFC 7118).
const SIP: &str = "sip";
/// A SIP message with its SDP has some 4 KB.
const LARGEST: usize = 64 * 1024;
/// For Asterisk to take the connection.
const CONNECT: Duration = Duration::from_secs(3);
/// One message must be taken within this time.
const SEND: Duration = Duration::from_secs(5);
/// Whether the session still holds is looked at this often.
const CHECK: Duration = Duration::from_secs(15);
/// The console asks every five seconds whether its phone is there.
const SILENCE: Duration = Duration::from_secs(90);

/// What the agent telephones with.
#[derive(Serialize, ToSchema)]
pub(super) struct MyPhone {
    /// `desk`, a telephone or softphone that registers by itself, or `browser`, the console.
    kind: &'static str,
    /// Name of the phone in Asterisk; also its user name.
    endpoint: String,
    /// With which the console registers; only for a phone in the browser, and only for its own agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// Address of the WebSocket that carries SIP, on this host.
    socket: &'static str,
}

impl MyPhone {
    fn of(agent: &AgentRow) -> MyPhone {
        MyPhone {
            kind: agent.phone.as_str(),
            endpoint: agent.endpoint.clone(),
            password: (agent.phone == PhoneKind::Browser).then(|| agent.sip_password.reveal().to_owned()),
            socket: "/ws",
        }
    }
}

/// What one telephones with.
#[utoipa::path(get, path = "/api/v1/me/phone", tag = "session", responses((status = 200, body = MyPhone),
    (status = 403, body = Problem)))]
pub(super) async fn mine(State(state): State<WebState>, identity: Identity) -> Result<axum::Json<MyPhone>, Problem> {
    Ok(axum::Json(MyPhone::of(&own(&state, &identity).await?)))
}

async fn own(state: &WebState, identity: &Identity) -> Result<AgentRow, Problem> {
    let id = identity.own_agent()?;
    let agent = state.store.get_agent(id).await?;
    agent.ok_or_else(|| Problem::not_found(format!("there is no agent {}", id.0)))
}

/// The choice of a phone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoosePhone {
    /// `desk` or `browser`.
    kind: String,
}

/// Choose what to telephone with. The other phone is no longer rung.
#[utoipa::path(put, path = "/api/v1/me/phone", tag = "session", request_body = ChoosePhone, responses(
    (status = 200, body = MyPhone), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn choose(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<ChoosePhone>,
) -> Result<axum::Json<MyPhone>, Problem> {
    let phone = phone_kind(&body.kind)?;
    let before = own(&state, &identity).await?;
    if before.phone == phone {
        return Ok(axum::Json(MyPhone::of(&before)));
    }
    let change = AgentChange { phone: Some(phone), ..AgentChange::default() };
    let agent = state.store.update_agent(before.id, None, change).await?;
    let detail = json!({"phone": phone.as_str()});
    state.audit(identity.named(), "phone_chosen", &agent.id.0.to_string(), detail, identity.address).await?;
    if !agent.disabled {
        state.phones.put(&agent);
        state.requests.tell(Event::AgentChanged(agent.clone().into_profile())).await?;
    }
    Ok(axum::Json(MyPhone::of(&agent)))
}

/// The phone in the console has registered: a caller who was kept for it while its page was loaded anew is put through
/// at once. Asterisk says nothing of a phone that registers again.
#[utoipa::path(post, path = "/api/v1/me/phone/here", tag = "session", responses((status = 204),
    (status = 403, body = Problem)))]
pub(super) async fn here(State(state): State<WebState>, identity: Identity) -> Result<StatusCode, Problem> {
    let AgentRow { endpoint, node, .. } = own(&state, &identity).await?;
    state.requests.tell(Event::Node(node, NodeEvent::Registered { endpoint })).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// SIP over WebSocket (RFC 7118) for the phone in the console, handed on to the Asterisk of the agent.
#[utoipa::path(get, path = "/ws", tag = "stream",
    responses((status = 101, description = "WebSocket, subprotocol `sip`"), (status = 403, body = Problem),
    (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn socket(
    State(state): State<WebState>,
    identity: Identity,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|why| Problem::new(why.status(), "not_a_websocket", why.body_text()))?;
    same_origin(&headers)?;
    let agent = own(&state, &identity).await?;
    if agent.phone != PhoneKind::Browser {
        return Err(Problem::conflict("desk_phone", "your phone is not the one in the browser: choose it first")
            .in_russian("Ваш телефон — не в браузере: сначала выберите его."));
    }
    let Some(place) = Streams::place(&state, format!("sip:{}", identity.key())) else {
        return Err(Problem::too_many(5, "too many phones of one person at once; close other tabs"));
    };
    let address = state.sip_sockets.get(usize::from(agent.node.0)).cloned();
    let behind = reach(&address.unwrap_or_default()).await.map_err(|why| {
        tracing::warn!(node = state.node_name(agent.node), "SIP over WebSocket: Asterisk cannot be reached: {why}");
        Problem::unavailable("Asterisk does not take SIP over WebSocket at this moment; try again in a moment")
    })?;
    let upgrade = upgrade.protocols([SIP]).max_message_size(LARGEST).max_frame_size(LARGEST);
    Ok(upgrade.on_upgrade(move |console| async move {
        let mut between = Between { state, identity, console, behind, heard: Instant::now() };
        let reason = between.carry().await;
        between.close(reason).await;
        drop(place);
    }))
}

type Asterisk = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn reach(address: &str) -> Result<Asterisk, String> {
    let mut request = address.into_client_request().map_err(|cause| cause.to_string())?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SIP));
    let limits = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    match timeout(CONNECT, connect_async_with_config(request, Some(limits), true)).await {
        Ok(Ok((stream, _))) => Ok(stream),
        Ok(Err(cause)) => Err(cause.to_string()),
        Err(_) => Err(format!("no answer within {} s", CONNECT.as_secs())),
    }
}

/// A console and its Asterisk.
struct Between {
    state: WebState,
    identity: Identity,
    console: WebSocket,
    behind: Asterisk,
    heard: Instant,
}

impl Between {
    /// Hands messages on in both directions until one side ends; tells the console why.
    async fn carry(&mut self) -> (u16, &'static str) {
        const GONE: (u16, &str) = (1000, "");
        const CUT: (u16, &str) = (1012, "Asterisk has ended the connection");
        let mut check = interval(CHECK);
        let cancel = self.state.cancel.clone();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return (1001, "the engine is being stopped"),
                message = self.console.recv() => {
                    self.heard = Instant::now();
                    let onward = match message {
                        Some(Ok(Message::Text(text))) => Behind::text(text.as_str()),
                        Some(Ok(Message::Binary(bytes))) => Behind::Binary(bytes),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return GONE,
                    };
                    if !matches!(timeout(SEND, self.behind.send(onward)).await, Ok(Ok(()))) {
                        return CUT;
                    }
                }
                message = self.behind.next() => {
                    let back = match message {
                        Some(Ok(Behind::Text(text))) => Message::text(text.as_str()),
                        Some(Ok(Behind::Binary(bytes))) => Message::Binary(bytes),
                        Some(Ok(Behind::Ping(_) | Behind::Pong(_) | Behind::Frame(_))) => continue,
                        Some(Ok(Behind::Close(_)) | Err(_)) | None => return CUT,
                    };
                    if !matches!(timeout(SEND, self.console.send(back)).await, Ok(Ok(()))) {
                        return GONE;
                    }
                }
                _ = check.tick() => {
                    if self.heard.elapsed() > SILENCE {
                        return GONE;
                    }
                    // A database that does not answer throws nobody out.
                    if let Ok(false) = still_known(&self.state, &self.identity).await {
                        return (4401, "the session is over; log in again");
                    }
                    if !matches!(timeout(SEND, self.console.send(Message::Ping(Bytes::new()))).await, Ok(Ok(()))) {
                        return GONE;
                    }
                }
            }
        }
    }

    async fn close(&mut self, (code, reason): (u16, &'static str)) {
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = timeout(SEND, self.console.send(Message::Close(Some(frame)))).await;
        let _ = timeout(SEND, self.behind.close(None)).await;
    }
}
