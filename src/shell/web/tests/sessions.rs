//! Logging in and out.

use serde_json::json;

use super::office::{Got, Office, PASSWORD};
use crate::shell::clock;
use std::time::Duration;

async fn log_in(office: &Office, login: &str, password: &str, from: &str) -> Got {
    office
        .ask("", "POST", "/api/v1/session")
        .from(from)
        .json(json!({"login": login, "password": password}))
        .send()
        .await
}

#[tokio::test]
async fn one_logs_in_works_and_logs_out() {
    let office = Office::open().await;
    let got = log_in(&office, "ANNA", PASSWORD, "10.0.0.1").await;
    assert_eq!(got.expect(200)["login"], "anna");
    let cookie = got.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    let me = office.ask("", "GET", "/api/v1/me").header("cookie", cookie).send().await.expect(200);
    assert_eq!(
        (&me["role"], &me["agent"]["name"], &me["agent"]["status"]),
        (&json!("agent"), &json!("anna"), &json!("offline"))
    );
    let out = office.ask("", "DELETE", "/api/v1/session").header("cookie", cookie).send().await;
    out.expect(204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    office.ask("", "GET", "/api/v1/me").header("cookie", cookie).send().await.expect(401);
    let audited = office.audited().await;
    assert_eq!(audited.iter().map(|line| line.1.as_str()).collect::<Vec<_>>(), ["login", "logout"]);
}

#[tokio::test]
async fn wrong_logins_and_passwords_look_alike_and_are_audited() {
    let office = Office::open().await;
    let wrong = log_in(&office, "anna", "wrong horse", "10.0.0.1").await.expect(401);
    assert_eq!(wrong, log_in(&office, "stranger", PASSWORD, "10.0.0.1").await.expect(401));
    log_in(&office, &"x".repeat(1000), PASSWORD, "10.0.0.1").await.expect(401);
    log_in(&office, "anna", &"x".repeat(5000), "10.0.0.1").await.expect(401);
    log_in(&office, "anna' OR '1'='1", "x", "10.0.0.1").await.expect(401);
    let audited = office.audited().await;
    assert!(audited.contains(&("stranger".to_owned(), "login_failed".to_owned(), String::new())), "{audited:?}");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_still_gets_in() {
    let office = Office::open().await;
    log_in(&office, "anna", PASSWORD, "10.0.0.1").await.expect(200);
    for n in 0..5 {
        log_in(&office, "anna", "guess number", &format!("10.1.0.{n}")).await.expect(401);
    }
    let slowed = log_in(&office, "anna", "guess number", "10.1.0.77").await;
    assert!(slowed.expect(429)["retry_after"].as_u64().unwrap() <= 5);
    assert!(!slowed.header("retry-after").is_empty());
    // At the usual place nothing is slower.
    log_in(&office, "anna", PASSWORD, "10.0.0.1").await.expect(200);
    for _ in 0..5 {
        log_in(&office, "boris", "guess number", "10.2.0.1").await.expect(401);
    }
    log_in(&office, "sup", PASSWORD, "10.2.0.1").await.expect(429);
    // A proxy of ours names the client; others cannot hide behind a made-up name.
    let behind = |peer: &'static str, client: &'static str| {
        let ask = office.ask("", "POST", "/api/v1/session").from(peer).header("x-forwarded-for", client);
        ask.json(json!({"login": "sup", "password": PASSWORD})).send()
    };
    behind("127.0.0.9", "10.2.0.1").await.expect(429);
    behind("10.2.0.1", "10.9.9.9").await.expect(429);
    behind("127.0.0.9", "10.3.0.1").await.expect(200);
}

#[tokio::test]
async fn a_session_ends_with_its_time_its_user_and_its_password() {
    let office = Office::open().await;
    let sup = office.store.user_by_login("sup").await.unwrap().unwrap();
    let past = crate::engine::time::Wall(clock::wall().0 - 10_000);
    let over = office.store.new_session(sup.id, "test", past, Duration::from_secs(5)).await.unwrap();
    let with = |token: &str| {
        office.ask("", "GET", "/api/v1/queue").header("cookie", &format!("perezvon_session={token}")).send()
    };
    with(&over).await.expect(401);
    with("made-up").await.expect(401);
    with(&"x".repeat(3000)).await.expect(401);
    let living = office.store.new_session(sup.id, "test", clock::wall(), Duration::from_secs(60)).await.unwrap();
    with(&living).await.expect(200);
    let path = format!("/api/v1/users/{}", sup.id.0);
    office.ask("admin", "PATCH", &path).json(json!({"password": "another horse"})).send().await.expect(200);
    with(&living).await.expect(401);
    log_in(&office, "sup", PASSWORD, "10.0.0.1").await.expect(401);
    log_in(&office, "sup", "another horse", "10.0.0.1").await.expect(200);
    office.ask("admin", "PATCH", &path).json(json!({"disabled": true})).send().await.expect(200);
    log_in(&office, "sup", "another horse", "10.0.0.1").await.expect(401);
}

#[tokio::test]
async fn a_page_of_another_site_can_do_nothing() {
    let office = Office::open().await;
    let ready = |origin: &str| {
        let ask = office.ask("anna", "POST", "/api/v1/agents/me/ready").header("host", "pbx.example");
        ask.header("origin", origin).send()
    };
    ready("https://evil.example").await.expect(403);
    ready("null").await.expect(403);
    ready("https://pbx.example").await.expect(204);
}
