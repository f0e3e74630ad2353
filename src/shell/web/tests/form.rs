//! Requests that are wrong in form: always a problem that says what is wrong, never a crash.

use serde_json::json;

use super::office::Office;

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems() {
    let office = Office::open().await;
    for path in ["/nowhere", "/api/v1/nowhere", "/api/v1/users/1/2/3", "/api/v1/"] {
        office.ask("admin", "GET", path).send().await.expect(404);
    }
    let got = office.ask("admin", "PUT", "/api/v1/users").send().await;
    got.expect(405);
    assert!(got.header("allow").contains("POST"), "{:?}", got.headers);
    office.ask("", "BREW", "/api/v1/queue").send().await.expect(405);
    for path in ["/api/v1/users/one", "/api/v1/calls/xyz", "/api/v1/recordings/-1", "/api/v1/agents/99999999999"] {
        let method = if path.contains("users") || path.contains("agents") { "PATCH" } else { "GET" };
        office.ask("admin", method, path).json(json!({})).send().await.expect(404);
    }
}

#[tokio::test]
async fn wrong_bodies_are_problems() {
    let office = Office::open().await;
    let post = |path: &'static str| office.ask("admin", "POST", path);
    let json_type = "application/json";
    post("/api/v1/users").body(json_type, "{\"login\":").send().await.expect(400);
    post("/api/v1/users").body(json_type, b"\xff\xfe".to_vec()).send().await.expect(400);
    post("/api/v1/users").body(json_type, "[]").send().await.expect(422);
    let body = post("/api/v1/users")
        .json(json!({"login": "x", "password": "p", "role": "a", "admin": true}))
        .send()
        .await
        .expect(422);
    assert!(body["detail"].as_str().unwrap().contains("admin"), "{body}");
    post("/api/v1/users").json(json!({"login": 5})).send().await.expect(422);
    post("/api/v1/users").send().await.expect(415);
    for media in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"]
    {
        post("/api/v1/users").body(media, "{}").send().await.expect(415);
        post("/api/v1/agents/me/pause").body(media, "{}").send().await.expect(415);
    }
    post("/api/v1/session").body(json_type, "{}").send().await.expect(422);
    post("/api/v1/users").body("application/json; charset=utf-8", "{}").send().await.expect(422);
    let deep = "[".repeat(50_000);
    post("/api/v1/users").body(json_type, deep).send().await.expect(422);
}

#[tokio::test]
async fn huge_bodies_are_refused_for_strangers_too() {
    let office = Office::open().await;
    let huge = vec![b' '; 10 * 1024 * 1024];
    office.ask("", "POST", "/api/v1/session").body("application/json", huge.clone()).send().await.expect(413);
    let got = office.ask("admin", "POST", "/api/v1/users").header("content-length", "999999999999").send().await;
    got.expect(413);
    // Without a length told before.
    let chunks = futures_util::stream::iter((0..1000).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1024])));
    let mut request = axum::http::Request::post("/api/v1/session").body(axum::body::Body::from_stream(chunks)).unwrap();
    request.headers_mut().insert("content-type", "application/json".parse().unwrap());
    let response = tower::ServiceExt::oneshot(office.router.clone(), request).await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn wrong_queries_and_cursors_are_problems() {
    let office = Office::open().await;
    for path in ["calls", "recordings", "audit", "blocked-numbers"] {
        for query in ["cursor=nonsense", "limit=many", "limit=-1", "colour=green", "cursor=%FF", "from=yesterday"] {
            if path == "blocked-numbers" && query.starts_with("from") {
                continue;
            }
            office.ask("admin", "GET", &format!("/api/v1/{path}?{query}")).send().await.expect(400);
        }
        office.ask("admin", "GET", &format!("/api/v1/{path}?limit=100000")).send().await.expect(200);
    }
    office.ask("admin", "GET", "/api/v1/calls?disposition=WON").send().await.expect(400);
    office.ask("admin", "GET", "/api/v1/recordings?state=lost").send().await.expect(400);
}

#[tokio::test]
async fn answers_carry_the_headers_that_keep_browsers_careful() {
    let office = Office::open().await;
    for path in ["/", "/api/v1/queue", "/nowhere", "/api/openapi.json"] {
        let got = office.ask("admin", "GET", path).send().await;
        assert!(got.header("content-security-policy").contains("default-src 'self'"), "{path}");
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert_eq!(got.header("cache-control") == "no-store", path.starts_with("/api/"), "{path}");
    }
}

#[tokio::test]
async fn a_write_with_a_key_is_done_once() {
    let office = Office::open().await;
    let body = json!({"login": "dora", "password": "correct horse", "role": "agent"});
    let send = |key: &'static str, body: &serde_json::Value| {
        office.ask("admin", "POST", "/api/v1/users").header("idempotency-key", key).json(body.clone()).send()
    };
    let (one, two) = tokio::join!(send("k1", &body), send("k1", &body));
    let statuses = [one.status.as_u16(), two.status.as_u16()];
    assert!(statuses.contains(&201), "{statuses:?}");
    let again = send("k1", &body).await;
    assert_eq!(again.expect(201)["login"], "dora");
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.header("content-type"), "application/json");
    // Another body under the same key is a mistake; the same body under another key is another request.
    let other = json!({"login": "emil", "password": "correct horse", "role": "agent"});
    send("k1", &other).await.expect(422);
    send("k2", &body).await.expect(409);
    let conflict = send("k2", &body).await;
    assert_eq!(conflict.header("idempotency-replayed"), "true");
    conflict.expect(409);
    // Another one's key does not matter.
    office
        .ask("sup", "POST", "/api/v1/blocked-numbers")
        .header("idempotency-key", "k1")
        .json(json!({"number": "89001112233"}))
        .send()
        .await
        .expect(201);
    send("", &other).await.expect(400);
    let long = "x".repeat(200);
    let got = office.ask("admin", "POST", "/api/v1/users").header("idempotency-key", &long).json(other).send().await;
    got.expect(400);
    let added = office.audited().await;
    assert_eq!(added.iter().filter(|(_, action, _)| action == "user_added").count(), 1, "{added:?}");
}

#[tokio::test]
async fn a_broken_database_is_a_problem_and_not_a_crash() {
    let office = Office::open().await;
    office.ask("sup", "GET", "/api/v1/queue").send().await.expect(200);
    office.store.close().await;
    office.ask("sup", "GET", "/api/v1/calls").send().await.expect(503);
    assert_eq!(office.ask("", "GET", "/health/ready").send().await.status, 503);
    // Who was at work stays at work: the queue needs no database.
    office.ask("sup", "GET", "/api/v1/queue").send().await.expect(200);
    office.ask("", "GET", "/health/live").send().await.expect(200);
}
