//! Reports, and the list of streets.

use serde_json::{Value, json};

use super::office::{Office, until};
use crate::engine::command::Update;

#[tokio::test]
async fn a_talk_stands_in_every_report_and_in_the_table() {
    let office = Office::open().await;
    let mut seen = office.updates.subscribe();
    office.talk("anna", "+79990000001").await;
    office.caller_hangs_up("+79990000001").await;
    until(&mut seen, |update| matches!(update, Update::CallEnded { .. })).await;
    let report =
        async |name: &str| office.ask("sup", "GET", &format!("/api/v1/reports/{name}")).send().await.expect(200);
    let written = async {
        while report("days").await["total"]["answered"] != 1 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), written).await.expect("the call is in the journal");
    for name in ["hours", "days", "queues", "agents"] {
        let report = report(name).await;
        let line = &report["items"][0];
        assert_eq!(
            (&line["calls"], &line["answered"], &line["service_level"]),
            (&json!(1), &json!(1), &json!(1000)),
            "{report}"
        );
        assert_eq!(report["items"].as_array().unwrap().len(), 1, "{report}");
    }
    assert_eq!(report("queues").await["items"][0]["key"], "main");
    let agents = report("agents").await;
    assert_eq!(agents["items"][0]["key"], "anna");
    assert!(agents["items"][0]["ready_s"].is_number(), "{agents}");
    let table = office.ask("sup", "GET", "/api/v1/reports/queues?format=csv").send().await;
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(table.body).unwrap();
    assert!(text.starts_with("key,calls,") && text.contains("\nmain,1,1,1,0,100.0,0.0,"), "{text}");
    let book = office.ask("sup", "GET", "/api/v1/reports/days?format=xlsx").send().await;
    assert!(book.body.starts_with(b"PK") && book.header("content-disposition").contains("days.xlsx"));
    let board = office.ask("sup", "GET", "/api/v1/wallboard").send().await.expect(200);
    assert_eq!((&board["today"]["answered"], &board["callbacks_waiting"]), (&json!(1), &json!(0)), "{board}");
    assert_eq!((&board["queues"][0]["name"], &board["queues"][0]["waiting"]), (&json!("main"), &json!(0)), "{board}");
    assert!(board["today"]["occupancy"].is_number() && board["queues"][0]["estimate_s"].is_number(), "{board}");
    office.ask("anna", "GET", "/api/v1/wallboard").send().await.expect(403);
    let ask = |query: &str| office.ask("sup", "GET", &format!("/api/v1/reports/{query}")).send();
    ask("days?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z").await.expect(422);
    ask("days?within=0").await.expect(422);
    ask("moons").await.expect(404);
}

#[tokio::test]
async fn streets_are_added_found_taken_out_of_a_table_and_removed() {
    let office = Office::open().await;
    let add = |body: Value| office.ask("admin", "POST", "/api/v1/streets").json(body).send();
    add(json!({ "street": "ул. Ленина", "settlement": "Примерск" })).await.expect(201);
    add(json!({ "street": "Ленина", "settlement": "Примерск" })).await.expect(409);
    add(json!({ "street": " " })).await.expect(422);
    let import = |query: &str, table: &str| {
        office.ask("admin", "POST", &format!("/api/v1/streets/import{query}")).body("text/csv", table).send()
    };
    let table = "street;settlement\nСоветская;Примерск\n\t;\nЛесная;\n";
    let checked = import("?dry_run=true", table).await.expect(200);
    assert_eq!(
        (&checked["streets"], &checked["added"], &checked["bad_total"]),
        (&json!(2), &json!(0), &json!(1)),
        "{checked}"
    );
    import("", table).await.expect(422);
    let done = import("?skip_bad=true", table).await.expect(200);
    assert_eq!(done["added"], 2);
    let found = office.ask("sup", "GET", "/api/v1/streets?q=%D0%BB%D0%B5%D1%81").send().await.expect(200);
    assert_eq!(found["items"][0]["title"], "Лесная улица");
    let places = office.ask("sup", "GET", "/api/v1/streets/settlements").send().await.expect(200);
    assert_eq!(places["items"][0], json!({ "settlement": "Примерск", "streets": 2 }));
    let path = format!("/api/v1/streets/{}", found["items"][0]["id"]);
    office.ask("admin", "DELETE", &path).send().await.expect(204);
    office.ask("admin", "DELETE", &path).send().await.expect(404);
    let page = office.ask("sup", "GET", "/api/v1/streets?limit=1").send().await.expect(200);
    let next = page["next"].as_str().unwrap();
    let rest = office.ask("sup", "GET", &format!("/api/v1/streets?limit=1&cursor={next}")).send().await.expect(200);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (1, &Value::Null));
    office.ask("sup", "GET", "/api/v1/streets?cursor=%21").send().await.expect(400);
    let audit = office.audited().await;
    assert!(
        audit.iter().any(|(_, action, subject)| action == "street.remove" && subject == "Лесная улица"),
        "{audit:?}"
    );
}
