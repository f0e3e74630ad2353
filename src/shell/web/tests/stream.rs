//! The WebSocket of the consoles, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::office::Office;
use crate::domain::ids::ClientId;
use crate::engine::command::Update;
use crate::engine::ids::AgentId;
use crate::shell::web::server::serve;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn served(office: &Office) -> SocketAddr {
    let listener = crate::shell::web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, office.router.clone(), None, office.cancel.clone()));
    address
}

async fn open(office: &Office, at: SocketAddr, login: &str, origin: Option<&str>) -> Result<Socket, Error> {
    let mut request = format!("ws://{at}/api/v1/stream").into_client_request().unwrap();
    let cookie = format!("perezvon_session={}", office.token(login));
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    Ok(connect_async(request).await?.0)
}

/// The next message of this type.
async fn next(socket: &mut Socket, kind: &str) -> Value {
    let wait = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    if value["type"] == kind {
                        return value;
                    }
                }
                Some(Ok(_)) => {}
                other => panic!("{kind} did not come: {other:?}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap_or_else(|_| panic!("{kind} did not come"))
}

#[tokio::test]
async fn whoever_shows_callbacks_is_told_when_one_changes() {
    let office = Office::open().await;
    let at = served(&office).await;
    let mut anna = open(&office, at, "anna", None).await.unwrap();
    next(&mut anna, "snapshot").await;
    let add = office.ask("sup", "POST", "/api/v1/callbacks").json(json!({"number": "+79001234567", "words": "Привет"}));
    let row = add.send().await.expect(201);
    assert_eq!(next(&mut anna, "callback").await["callback"], row["id"]);
    office.ask("sup", "POST", &format!("/api/v1/callbacks/{}/cancel", row["id"])).send().await.expect(200);
    assert_eq!(next(&mut anna, "callback").await["callback"], row["id"]);
}

#[tokio::test]
async fn a_supervisor_sees_everything_and_an_agent_the_own_calls() {
    let office = Office::open().await;
    let at = served(&office).await;
    let mut sup = open(&office, at, "sup", Some(&format!("http://{at}"))).await.unwrap();
    let mut anna = open(&office, at, "anna", None).await.unwrap();
    let mut boris = open(&office, at, "boris", None).await.unwrap();
    let snapshot = next(&mut sup, "snapshot").await;
    assert_eq!((&snapshot["calls"], snapshot["queue"]["agents"].as_array().unwrap().len()), (&json!([]), 2));
    assert_eq!(snapshot["nodes"][0], json!({"name": "here", "connected": true}));
    next(&mut anna, "snapshot").await;
    next(&mut boris, "snapshot").await;

    let call = office.talk("anna", "+79001234567").await.to_string();
    let offer = next(&mut anna, "offer").await;
    assert_eq!((&offer["call"]["id"], &offer["call"]["number"]), (&json!(call), &json!("+79001234567")));
    assert_eq!(next(&mut anna, "offer_ended").await["outcome"], "ANSWERED");
    next(&mut sup, "offer").await;
    office.caller_hangs_up("+79001234567").await;
    assert_eq!(next(&mut anna, "call_ended").await["call"], json!(call));
    assert_eq!(next(&mut sup, "call_ended").await["disposition"], "COMPLETECALLER");
    // Boris was told nothing of it but counts.
    assert_eq!(next(&mut boris, "queue").await["waiting_total"], 0);
    office.ask("boris", "POST", "/api/v1/agents/me/ready").send().await.expect(204);
    assert_eq!(next(&mut boris, "agent").await["agent"]["status"], "ready");
}

#[tokio::test]
async fn strangers_other_sites_and_too_many_tabs_are_refused() {
    let office = Office::open().await;
    let at = served(&office).await;
    let refused = |result: Result<Socket, Error>| match result {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(connect_async(format!("ws://{at}/api/v1/stream")).await.map(|pair| pair.0)), 401);
    assert_eq!(refused(open(&office, at, "sup", Some("https://evil.example")).await), 403);
    assert_eq!(refused(open(&office, at, "nobody", None).await), 403);
    office.ask("sup", "GET", "/api/v1/stream").send().await.expect(400);
    let mut open_now = Vec::new();
    for _ in 0..8 {
        open_now.push(open(&office, at, "sup", None).await.unwrap());
    }
    assert_eq!(refused(open(&office, at, "sup", None).await), 429);
    open(&office, at, "admin", None).await.unwrap();
}

#[tokio::test]
async fn a_console_that_missed_something_gets_the_whole_picture_anew() {
    let office = Office::open().await;
    let at = served(&office).await;
    let mut sup = open(&office, at, "sup", None).await.unwrap();
    next(&mut sup, "snapshot").await;
    for n in 0..5000 {
        office.updates.publish(Update::AgentRemoved(AgentId(10_000 + n)));
    }
    next(&mut sup, "snapshot").await;
}

#[tokio::test]
async fn of_several_changes_of_a_row_the_last_is_told_and_a_console_after_the_last_one_is_told_too() {
    let office = Office::open().await;
    let at = served(&office).await;
    for round in 0..2 {
        let mut anna = open(&office, at, "anna", None).await.unwrap();
        next(&mut anna, "snapshot").await;
        for version in 1..=3 {
            office.updates.publish(Update::Client { client: ClientId(5), version: version + round * 10 });
        }
        assert_eq!(next(&mut anna, "client").await["version"], 3 + round * 10);
        office.updates.publish(Update::Client { client: ClientId(6), version: 1 });
        assert_eq!(next(&mut anna, "client").await["client"], 6, "nothing was told twice");
        anna.close(None).await.unwrap();
        while let Some(Ok(_)) = anna.next().await {}
    }
}

#[tokio::test]
async fn consoles_are_told_when_the_engine_stops_and_too_long_messages_end_them() {
    let office = Office::open().await;
    let at = served(&office).await;
    let mut talker = open(&office, at, "sup", None).await.unwrap();
    talker.send(Message::Text("x".repeat(100_000).into())).await.unwrap();
    let closed = async { while let Some(Ok(_)) = talker.next().await {} };
    tokio::time::timeout(Duration::from_secs(10), closed).await.expect("closed");

    let mut sup = open(&office, at, "sup", None).await.unwrap();
    next(&mut sup, "snapshot").await;
    office.cancel.cancel();
    let wait = async {
        loop {
            match sup.next().await {
                Some(Ok(Message::Close(frame))) => return frame.unwrap(),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let frame = tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
    assert_eq!(u16::from(frame.code), 1001);
}
