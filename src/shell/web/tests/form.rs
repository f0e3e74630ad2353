//! Requests that are wrong in form: always a problem that says what is wrong, never a crash.

use proptest::prelude::*;
use serde_json::json;

use super::office::Office;
use crate::shell::web::routes;

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

/// Text that is neither quite wrong nor quite right.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9/%.{}+-]{0,40}",
        "(%[0-9A-F]{2}|[ -~]){0,20}",
        Just("999999999999999999999".to_owned()),
        Just("-1".to_owned()),
        Just("me".to_owned()),
        Just("00000000000000aa".to_owned()),
    ]
}

/// JSON of any shape, now and then with the names that we know.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        any::<String>().prop_map(|value| json!(value)),
    ];
    let name = prop_oneof![
        Just("login"),
        Just("password"),
        Just("role"),
        Just("name"),
        Just("endpoint"),
        Just("status"),
        Just("to"),
        Just("mode"),
        Just("number"),
        Just("queues"),
        Just("skills"),
        Just("disabled"),
        Just("agent"),
        Just("x"),
    ];
    leaf.prop_recursive(3, 16, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| json!(items)),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

#[test]
fn whatever_is_sent_is_answered_and_never_with_a_fault_of_ours() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let office = runtime.block_on(Office::open());
    let routes: Vec<_> = routes::all().into_iter().map(|route| (route.method, route.path)).collect();
    let which = prop::sample::select(routes);
    let who = prop::sample::select(vec!["", "anna", "sup", "admin"]);
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((method, path) in which, who in who, part in odd(), query in odd(), body in any_json())| {
        // Log-ins take their time by design, and who logged out cannot go on.
        prop_assume!(path != "/api/v1/session");
        let path = path.replace("{id}", &part).replace("{number}", &part);
        let address = format!("{path}?{query}");
        prop_assume!(address.parse::<axum::http::Uri>().is_ok());
        let got = runtime.block_on(office.ask(who, method, &address).json(body).send());
        let status = got.status.as_u16();
        prop_assert!(status < 500, "{method} {address}: {status} {}", String::from_utf8_lossy(&got.body));
        if status >= 400 {
            got.expect(status);
        }
    });
}

#[tokio::test]
async fn an_asterisk_elsewhere_fetches_the_shipped_sounds_and_nothing_else() {
    let office = Office::open().await;
    let got = office.ask("", "GET", "/sounds/ru/greeting.wav").send().await;
    assert_eq!((got.status.as_u16(), got.header("content-type")), (200, "audio/wav"));
    assert!(crate::speech::wav::Sound::read(&got.body).is_ok());
    assert!(got.header("cache-control").contains("max-age"), "{}", got.header("cache-control"));
    for nothing in ["ru/none.wav", "ru/fragments.txt", "ru/../README.md", "ru/%2e%2e/%2e%2e/Cargo.toml", "ru"] {
        office.ask("", "GET", &format!("/sounds/{nothing}")).send().await.expect(404);
    }
    office.ask("admin", "POST", "/sounds/ru/greeting.wav").send().await.expect(405);
}
