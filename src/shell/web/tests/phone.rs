//! The phone in the console: who gets its password, and the choice between it and a desk phone.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use serde_json::json;
use tower::ServiceExt as _;

use super::office::Office;
use crate::shell::web::server::Transport;

#[tokio::test]
async fn an_agent_chooses_the_phone_and_gets_its_password_alone() {
    let office = Office::open().await;
    let mine = office.ask("anna", "GET", "/api/v1/me/phone").send().await.expect(200);
    assert_eq!((&mine["kind"], &mine["endpoint"]), (&json!("desk"), &json!("agent-anna")));
    assert!(mine.get("password").is_none(), "a desk phone's password is not for the browser");
    let browser = json!({"kind": "browser"});
    let mine = office.ask("anna", "PUT", "/api/v1/me/phone").json(browser).send().await.expect(200);
    let row = office.store.get_agent(office.agents["anna"]).await.unwrap().unwrap();
    assert_eq!(mine["password"], row.sip_password.reveal());
    assert!(office.audited().await.iter().any(|(who, what, _)| who == "anna" && what == "phone_chosen"));
    let wrong = json!({"kind": "tin cans"});
    office.ask("anna", "PUT", "/api/v1/me/phone").json(wrong).send().await.expect(422);
    // Who takes no calls has no phone; strangers have nothing.
    office.ask("sup", "GET", "/api/v1/me/phone").send().await.expect(403);
    office.ask("", "GET", "/api/v1/me/phone").send().await.expect(401);
    office.ask("", "GET", "/ws").send().await.expect(401);
}

#[tokio::test]
async fn colleagues_at_work_are_seen_without_their_calls() {
    let office = Office::open().await;
    office.ask("boris", "POST", "/api/v1/agents/me/ready").send().await.expect(204);
    let seen = office.ask("anna", "GET", "/api/v1/agents/colleagues").send().await.expect(200);
    assert_eq!(seen["items"], json!([{"id": office.agents["boris"].0, "name": "boris", "free": true}]));
    office.ask("boris", "POST", "/api/v1/agents/me/offline").send().await.expect(204);
    let nobody = || async {
        let seen = office.ask("anna", "GET", "/api/v1/agents/colleagues").send().await.expect(200);
        seen["items"].as_array().unwrap().is_empty()
    };
    for _ in 0..200 {
        if nobody().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("boris is still shown as being at work");
}

#[tokio::test]
async fn from_other_machines_only_what_programs_fetch_comes_in_plain() {
    let office = Office::open().await;
    let ask = |method: &'static str, path: &'static str, peer: &'static str, transport| {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert(header::HOST, "office.example:8080".parse().unwrap());
        let peer: SocketAddr = format!("{peer}:999").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(transport);
        office.router.clone().oneshot(request)
    };
    let stranger = "192.0.2.7";
    let shown = ask("GET", "/?x=1", stranger, Transport::Plain).await.unwrap();
    assert_eq!(shown.status(), StatusCode::PERMANENT_REDIRECT);
    assert_eq!(shown.headers()[header::LOCATION], "https://office.example:8080/?x=1");
    for path in ["/api/v1/me", "/api/v1/session"] {
        let refused = ask("POST", path, stranger, Transport::Plain).await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path}");
    }
    for (path, peer, transport) in [
        ("/health/live", stranger, Transport::Plain),
        ("/sounds/ru/greeting.wav", stranger, Transport::Plain),
        ("/", stranger, Transport::Tls),
        ("/", "127.0.0.1", Transport::Plain),
        // A proxy of ours has taken the TLS off.
        ("/", "127.0.0.9", Transport::Plain),
    ] {
        let open = ask("GET", path, peer, transport).await.unwrap();
        assert_ne!(open.status(), StatusCode::PERMANENT_REDIRECT, "{path} from {peer}");
        assert_ne!(open.status(), StatusCode::FORBIDDEN, "{path} from {peer}");
    }
}
