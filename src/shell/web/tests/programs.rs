//! Outside programs: their keys, and where they are told of what happens.

use serde_json::{Value, json};

use super::office::Office;
use crate::shell::clock;
use crate::shell::store::webhooks::{EVENTS, EndpointId};
use crate::shell::web::openapi::describe;

async fn listed(office: &Office, path: &str, name: &str) -> Value {
    let all = office.ask("admin", "GET", path).send().await.expect(200);
    let found = all["items"].as_array().unwrap().iter().find(|item| item["name"] == name || item["url"] == name);
    found.unwrap().clone()
}

#[tokio::test]
async fn a_key_is_shown_once_does_what_its_scopes_say_shows_its_use_and_can_be_revoked() {
    let office = Office::open().await;
    let body = json!({"name": "billing", "scopes": ["calls:read"]});
    let make = || office.ask("admin", "POST", "/api/v1/keys").header("idempotency-key", "k1").json(body.clone()).send();
    let made = make().await.expect(201);
    let key = made["key"].as_str().unwrap().to_owned();
    // The key is not kept for whoever reads the database: a repetition does not show it again.
    make().await.expect(409);
    let row = listed(&office, "/api/v1/keys", "billing").await;
    assert_eq!((&row["last_used_at"], &row["key"], &row["disabled"]), (&Value::Null, &Value::Null, &json!(false)));
    let ask = |method: &'static str, path: &'static str| {
        office.ask("", method, path).from("192.0.2.7").header("authorization", &format!("Bearer {key}")).send()
    };
    ask("GET", "/api/v1/calls").await.expect(200);
    ask("GET", "/api/v1/recordings").await.expect(403);
    ask("GET", "/api/v1/keys").await.expect(403);
    // The use is noted beside the request.
    let noted = async {
        while listed(&office, "/api/v1/keys", "billing").await["last_used_from"] != "192.0.2.7" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), noted).await.unwrap();
    let path = format!("/api/v1/keys/{}", made["id"]);
    assert_eq!(office.ask("admin", "DELETE", &path).send().await.status, 204);
    ask("GET", "/api/v1/calls").await.expect(401);
    assert_eq!(listed(&office, "/api/v1/keys", "billing").await["disabled"], true);
    office.ask("admin", "DELETE", "/api/v1/keys/999").send().await.expect(404);
    for scopes in [json!([]), json!(["calls:fly"]), json!(["keys:write"])] {
        let wrong = json!({"name": "other", "scopes": scopes});
        office.ask("admin", "POST", "/api/v1/keys").json(wrong).send().await.expect(422);
    }
    let actions: Vec<String> = office.audited().await.into_iter().map(|(_, action, _)| action).collect();
    assert!(actions.contains(&"key_added".into()) && actions.contains(&"key_disabled".into()), "{actions:?}");
}

#[tokio::test]
async fn a_webhook_is_added_tried_out_changed_and_deleted_and_its_secret_is_shown_when_it_is_made() {
    let office = Office::open().await;
    // Nobody listens there: what waits can be looked at.
    let body = json!({"url": "http://127.0.0.1:1/hook", "events": ["order.*", "call.ended"]});
    let made = office.ask("admin", "POST", "/api/v1/webhooks").json(body).send().await.expect(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    let path = format!("/api/v1/webhooks/{}", made["id"]);
    let shown = office.ask("admin", "GET", &path).send().await.expect(200);
    assert_eq!((&shown["secret"], &shown["pending"], &shown["last_error"]), (&Value::Null, &json!(0), &Value::Null));
    assert_eq!(office.ask("admin", "POST", &format!("{path}/ping")).send().await.status, 202);
    let waiting = office.ask("admin", "GET", &format!("{path}/pending?limit=1")).send().await.expect(200);
    assert_eq!((&waiting["items"][0]["event"], &waiting["next"]), (&json!("ping"), &Value::Null), "{waiting}");
    let number = &waiting["items"][0]["number"];
    assert_eq!(office.ask("admin", "DELETE", &format!("{path}/pending/{number}")).send().await.status, 204);
    office.ask("admin", "DELETE", &format!("{path}/pending/{number}")).send().await.expect(404);
    let change = json!({"disabled": true, "new_secret": true, "version": 1});
    let changed = office.ask("admin", "PATCH", &path).json(change.clone()).send().await.expect(200);
    assert_ne!(changed["secret"], made["secret"]);
    assert_eq!((&changed["version"], &changed["events"]), (&json!(2), &json!(["call.ended", "order.*"])));
    office.ask("admin", "PATCH", &path).json(change).send().await.expect(409);
    office.ask("admin", "POST", &format!("{path}/ping")).send().await.expect(409);
    assert_eq!(office.ask("admin", "DELETE", &path).send().await.status, 204);
    office.ask("admin", "GET", &path).send().await.expect(404);
    let wrong = [
        json!({"url": "ftp://example.com/", "events": ["*"]}),
        json!({"url": "http://user:word@example.com/", "events": ["*"]}),
        json!({"url": "http://example.com/", "events": []}),
        json!({"url": "http://example.com/", "events": ["order.flown"]}),
    ];
    for body in wrong {
        office.ask("admin", "POST", "/api/v1/webhooks").json(body).send().await.expect(422);
    }
    let told = office.audited().await;
    assert!(told.iter().all(|line| !format!("{line:?}").contains("whsec_")), "{told:?}");
}

#[tokio::test]
async fn a_webhook_is_told_of_an_order_as_the_api_shows_it() {
    let office = Office::open().await;
    let body = json!({"url": "http://127.0.0.1:1/hook", "events": ["order.*"]});
    let made = office.ask("admin", "POST", "/api/v1/webhooks").json(body).send().await.expect(201);
    let point = json!({"lat": 55.751_234_5, "lon": 37.612_345_7});
    let order = json!({"phone": "89001234567", "from": {"street": "Мира", "house": "1", "point": point}});
    let order = office.ask("admin", "POST", "/api/v1/orders").json(order).send().await.expect(201);
    let endpoint = EndpointId(made["id"].as_i64().unwrap());
    let due = office.store.due_messages(endpoint, clock::wall(), 9).await.unwrap().remove(0);
    let told: Value = serde_json::from_str(&due.body).unwrap();
    let path = format!("/api/v1/orders/{}", order["id"]);
    let mut shown = office.ask("admin", "GET", &path).send().await.expect(200);
    let history = shown.as_object_mut().unwrap().remove("history").unwrap();
    assert_eq!((&told["type"], &told["data"]["order"]), (&json!("order.created"), &shown));
    assert_eq!(told["data"]["change"], history[0]);
    assert_eq!(told["data"]["order"]["from"]["point"], point);
    let described: Value = serde_json::from_str(&describe().unwrap()).unwrap();
    assert_eq!(described["webhooks"].as_object().unwrap().len(), EVENTS.len());
    assert!(described["components"]["schemas"]["OrderNews"]["properties"]["change"].is_object());
}

#[test]
fn the_description_names_the_scope_that_each_operation_needs() {
    let api: Value = serde_json::from_str(&describe().unwrap()).unwrap();
    let ways = |method: &str, path: &str| api["paths"][path][method]["security"].clone();
    assert_eq!(ways("get", "/api/v1/calls"), json!([{"session": []}, {"api_key": ["calls:read"]}]));
    assert_eq!(ways("post", "/api/v1/calls/{id}/hangup"), json!([{"session": []}, {"api_key": ["calls:write"]}]));
    assert_eq!(ways("post", "/api/v1/keys"), json!([{"session": []}]));
    assert_eq!(ways("get", "/health/live"), json!([]));
    let text = api["components"]["securitySchemes"]["api_key"]["description"].as_str().unwrap();
    assert!(text.contains("calls:read") && !text.contains("keys:"), "{text}");
}
