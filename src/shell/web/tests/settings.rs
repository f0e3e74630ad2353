//! What an administrator sets in the console.

use serde_json::{Value, json};

use super::office::{Office, until};
use crate::engine::command::Update;
use crate::engine::ids::QueueId;
use crate::engine::view::CallStage;

const QUEUES: &str = "/api/v1/settings/queues";

fn queues(names: &[&str]) -> Value {
    let list: Vec<_> = names.iter().map(|name| json!({ "name": name, "ring_seconds": 9 })).collect();
    json!({ "value": { "list": list } })
}

#[tokio::test]
async fn what_is_set_holds_for_the_next_call_and_who_waits_goes_on_waiting() {
    let office = Office::open().await;
    let put = |path: &'static str, body: Value| {
        office.ask("admin", "PUT", path).header("accept-language", "en").json(body).send()
    };
    let mut seen = office.updates.subscribe();
    let got = put(QUEUES, queues(&["first", "main", "service"])).await;
    assert_eq!(got.header("etag"), "\"1\"");
    let set = got.expect(200);
    assert_eq!(
        (&set["from"], &set["changed_by"], &set["in_file"]["list"]),
        (&json!("console"), &json!("admin"), &json!([]))
    );
    assert_eq!(set["value"]["list"][2]["ring_seconds"], 9);
    put("/api/v1/settings/numbers", json!({ "value": { "routes": { "200": "service" } } })).await.expect(200);
    office.ring_at("+79990000001", "200").await;
    let waits = |queue: u16| move |update: &Update| matches!(update, Update::Call(call) if call.stage == CallStage::Waiting && call.queue == QueueId(queue));
    until(&mut seen, waits(2)).await;
    let board = office.ask("sup", "GET", "/api/v1/queue").send().await.expect(200);
    assert_eq!(board["waiting"][0]["call"]["queue"], "service", "{board}");

    // The queue is somewhere else in the list: the caller is still in it.
    put(QUEUES, queues(&["main", "service"])).await.expect(200);
    until(&mut seen, waits(1)).await;
    // The number leads to it: it cannot go.
    let wrong = put(QUEUES, queues(&["main"])).await.expect(422);
    let detail = wrong["detail"].as_str().unwrap();
    assert!(detail.contains("routes.200") && detail.contains("there is no such queue"), "{detail}");
    office.ask("admin", "DELETE", "/api/v1/settings/numbers").send().await.expect(204);
    put(QUEUES, queues(&["main"])).await.expect(200);
    until(&mut seen, waits(0)).await;
    office.ask("anna", "POST", "/api/v1/agents/me/ready").send().await.expect(204);
    until(&mut seen, |update| matches!(update, Update::Call(call) if call.stage == CallStage::Talking)).await;
}

#[tokio::test]
async fn a_wrong_field_is_named_and_nothing_is_changed() {
    let office = Office::open().await;
    let put = |path: &'static str, body: Value| {
        office.ask("admin", "PUT", path).header("accept-language", "en").json(body).send()
    };
    let wrong = put(QUEUES, queues(&["main", "a b"])).await.expect(422);
    assert_eq!(wrong["field"], "list[1].name");
    let menu = json!({ "name": "a", "say": "Нажмите два.", "keys": { "2": "menu c" }, "otherwise": "queue main" });
    let wrong = put("/api/v1/settings/menus", json!({ "value": { "list": [menu] } })).await.expect(422);
    assert_eq!(wrong["field"], "list[0].keys.2");
    assert!(wrong["detail"].as_str().unwrap().contains("there is no such menu; there are: a"), "{wrong}");
    let wrong = office.ask("admin", "PUT", QUEUES).json(queues(&["a b"])).send().await.expect(422);
    assert!(wrong["detail"].as_str().unwrap().contains("латинских букв"), "{wrong}");
    let wrong = put("/api/v1/settings/office", json!({ "value": { "greeting": "yes" } })).await.expect(422);
    assert_eq!(wrong["field"], "greeting");
    let wrong = put("/api/v1/settings/notifications", json!({ "value": { "attempts": 0 } })).await.expect(422);
    assert_eq!(wrong["field"], "attempts");
    put("/api/v1/settings/telemetry", json!({ "value": {} })).await.expect(404);
    let all = office.ask("sup", "GET", "/api/v1/settings").send().await.expect(200);
    let items = all["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    assert!(items.iter().all(|item| item["from"] == "file" && item["version"] == 0), "{all}");
    put(QUEUES, json!({ "value": { "list": [{ "name": "main" }] }, "version": 0 })).await.expect(200);
    let stale = put(QUEUES, json!({ "value": {}, "version": 0 })).await.expect(409);
    assert_eq!(stale["current"]["value"]["list"][0]["name"], "main");
}

#[tokio::test]
async fn a_queue_that_somebody_has_is_not_removed_and_the_audit_tells_before_and_after() {
    let office = Office::open().await;
    let put = |body: Value| office.ask("admin", "PUT", QUEUES).header("accept-language", "en").json(body).send();
    put(queues(&["main", "service"])).await.expect(200);
    let anna = format!("/api/v1/agents/{}", office.agents["anna"].0);
    office.ask("admin", "PATCH", &anna).json(json!({ "queues": ["service"] })).send().await.expect(200);
    let refused = put(queues(&["main"])).await.expect(409);
    assert!(refused["type"].as_str().unwrap().ends_with("queue_in_use"), "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("anna"), "{refused}");
    office.ask("admin", "PATCH", &anna).json(json!({ "queues": [] })).send().await.expect(200);
    let purpose = json!({ "name": "Ремонт", "queue": "service" });
    let purpose = office.ask("admin", "POST", "/api/v1/purposes").json(purpose).send().await.expect(201);
    put(queues(&["main"])).await.expect(409);
    let path = format!("/api/v1/purposes/{}", purpose["id"]);
    office.ask("admin", "PATCH", &path).json(json!({ "retired": true })).send().await.expect(200);
    put(queues(&["main"])).await.expect(200);
    let page = office.store.list_audit(&Default::default(), None, 1).await.unwrap();
    let line = &page.items[0];
    assert_eq!((line.action.as_str(), line.subject.as_str()), ("settings.set", "queues"));
    assert_eq!(line.detail["before"]["list"][1]["name"], "service");
    assert_eq!(line.detail["after"]["list"].as_array().unwrap().len(), 1);
}
