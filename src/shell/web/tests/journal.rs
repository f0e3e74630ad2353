//! The journal of contacts over the API.

use std::time::Duration;

use serde_json::{Value, json};

use super::office::{Office, until};
use crate::domain::contact::{Person, State};
use crate::engine::command::Update;
use crate::shell::clock;

async fn purpose(office: &Office, specialists: Value) -> Value {
    let body = json!({"section": "Сервис", "name": "Ремонт", "specialists": specialists, "queue": "main"});
    office.ask("admin", "POST", "/api/v1/purposes").json(body).send().await.expect(201)["id"].clone()
}

fn agent(office: &Office, name: &str) -> Value {
    json!({"kind": "agent", "id": office.agents[name].0})
}

fn visit(purpose: &Value) -> Value {
    json!({"kind": "visit", "waiting": true, "purpose": purpose, "description": "в синей куртке", "comment": "стук"})
}

#[tokio::test]
async fn a_visitor_is_entered_taken_by_one_and_done() {
    let office = Office::open().await;
    let mut seen = office.updates.subscribe();
    let purpose = purpose(&office, json!([agent(&office, "anna"), agent(&office, "boris")])).await;
    let add = |key: &'static str| {
        let ask = office.ask("nobody", "POST", "/api/v1/journal").header("idempotency-key", key);
        ask.json(visit(&purpose)).send()
    };
    let new = add("k").await.expect(201);
    assert_eq!(add("k").await.expect(201)["id"], new["id"]);
    assert_eq!((&new["state"], &new["purpose_title"]), (&json!("waiting"), &json!("Сервис. Ремонт")));
    let boris = Person::Agent(office.agents["boris"].0);
    until(&mut seen, |update| matches!(update, Update::Notification { person, open: true, .. } if *person == boris))
        .await;
    let board = office.ask("boris", "GET", "/api/v1/journal/board").send().await.expect(200);
    assert_eq!(board["waiting"][0]["id"], new["id"]);
    let notices = office.ask("boris", "GET", "/api/v1/notifications").send().await.expect(200);
    let notice = &notices["items"][0];
    assert_eq!((&notice["contact"], &notice["why"], &notice["seen_at"]), (&new["id"], &json!("purpose"), &Value::Null));
    let mark = format!("/api/v1/notifications/{}/seen", notice["id"]);
    assert!(office.ask("boris", "POST", &mark).send().await.expect(200)["seen_at"].is_string());
    office.ask("anna", "POST", &mark).send().await.expect(404);

    let act = |login: &'static str, action: &str, body: Value| {
        office.ask(login, "POST", &format!("/api/v1/journal/{}/{action}", new["id"])).json(body).send()
    };
    let (one, two) = tokio::join!(act("anna", "take", json!({})), act("boris", "take", json!({})));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let (winner, loser) = if one.status == 200 { ("anna", "boris") } else { ("boris", "anna") };
    let lost = if one.status == 200 { two } else { one };
    assert_eq!(lost.expect(409)["type"], "urn:perezvon:problem:taken_already");
    until(&mut seen, |update| matches!(update, Update::Notification { open: false, .. })).await;
    let notices = office.ask(loser, "GET", "/api/v1/notifications").send().await.expect(200);
    assert_eq!(notices["items"], json!([]));
    act(loser, "done", json!({})).await.expect(403);
    let reference = json!({"document": "work_order", "number": "ЗН-1", "link": "https://crm/1"});
    let linked = act(winner, "link", reference).await.expect(200);
    act(winner, "link", json!({"document": "work_order", "number": "2", "link": "javascript:x"})).await.expect(422);
    let stale = act(winner, "done", json!({"version": 1})).await.expect(409);
    assert_eq!(
        (&stale["type"], &stale["current"]["version"]),
        (&json!("urn:perezvon:problem:stale"), &linked["version"])
    );
    let done = act(winner, "done", json!({"comment": "заменили стойки"})).await.expect(200);
    assert_eq!((&done["state"], &done["responsible"]["name"]), (&json!("done"), &json!(winner)));
    until(&mut seen, |update| matches!(update, Update::Contact { state: State::Done, .. })).await;
    let history = office.ask("anna", "GET", &format!("/api/v1/journal/{}/history", new["id"])).send().await.expect(200);
    let events: Vec<_> = history["items"].as_array().unwrap().iter().map(|line| line["event"].clone()).collect();
    assert_eq!(json!(events), json!(["created", "taken", "linked", "done"]));
    assert_eq!(history["items"][1]["person"]["name"], json!(winner));
    let audited = office.audited().await;
    assert_eq!(audited.iter().filter(|(_, action, _)| action == "contact.taken").count(), 1, "{audited:?}");
    let mine = format!("/api/v1/journal?responsible=me&state=done&document=%D0%97%D0%9D-1&purpose={purpose}");
    let listed = office.ask(winner, "GET", &mine).send().await.expect(200);
    assert_eq!(listed["items"][0]["id"], new["id"]);
    assert_eq!(office.ask(loser, "GET", &mine).send().await.expect(200)["items"], json!([]));
    // By the beginnings of words, whatever the case: description, comment, document, purpose.
    let words = |q: &str| {
        let path = format!(
            "/api/v1/journal?q={}",
            percent_encoding::utf8_percent_encode(q, percent_encoding::NON_ALPHANUMERIC)
        );
        office.ask(winner, "GET", &path).send()
    };
    for q in ["Синей", "СТУК куртк", "зн-1", "ремонт"] {
        assert_eq!(words(q).await.expect(200)["items"][0]["id"], new["id"], "{q}");
    }
    for q in ["иней", "стук гром"] {
        assert_eq!(words(q).await.expect(200)["items"], json!([]), "{q}");
    }
}

#[tokio::test]
async fn the_greeting_of_a_queue_is_that_of_its_only_purpose() {
    let office = Office::open().await;
    let add = |name: &str, queue: &str, greeting: &str| {
        let body = json!({"name": name, "queue": queue, "greeting": greeting});
        office.ask("admin", "POST", "/api/v1/purposes").json(body).send()
    };
    let first = add("Ремонт", "main", "Сервис слушает.").await.expect(201);
    let known = || async { office.store.greetings().await.unwrap().into_iter().collect::<Vec<_>>() };
    assert_eq!(known().await, [("main".to_owned(), "Сервис слушает.".to_owned())]);
    let second = add("Мойка", "main", "Мойка слушает.").await.expect(201);
    assert_eq!(known().await, []);
    for (id, left) in [(&first["id"], 1), (&second["id"], 0)] {
        let retire = office.ask("admin", "PATCH", &format!("/api/v1/purposes/{id}")).json(json!({"retired": true}));
        retire.send().await.expect(200);
        assert_eq!(known().await.len(), left);
    }
}

#[tokio::test]
async fn a_contact_is_handed_on_to_a_person_or_to_another_purpose() {
    let office = Office::open().await;
    let people = office.ask("nobody", "GET", "/api/v1/journal/people").send().await.expect(200);
    let names: Vec<_> = people["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["anna", "boris", "admin", "nobody", "sup"]);
    let nobody = people["items"][3].clone();
    let sales = json!({"section": "Автосалон", "name": "Покупка", "specialists": [agent(&office, "boris")]});
    let sales = office.ask("admin", "POST", "/api/v1/purposes").json(sales).send().await.expect(201)["id"].clone();
    let body = json!({"kind": "call_out", "phone": "8 900 123-45-67", "responsible": agent(&office, "anna")});
    let new = office.ask("sup", "POST", "/api/v1/journal").json(body).send().await.expect(201);
    assert_eq!((&new["state"], &new["responsible"]["name"]), (&json!("new"), &json!("anna")));
    let transfer = |login: &'static str, body: Value| {
        office.ask(login, "POST", &format!("/api/v1/journal/{}/transfer", new["id"])).json(body).send()
    };
    let to = json!({"kind": nobody["kind"], "id": nobody["id"]});
    transfer("boris", json!({"responsible": to.clone()})).await.expect(403);
    let handed = transfer("anna", json!({"responsible": to, "comment": "ваш", "with_call": true})).await.expect(200);
    assert_eq!(handed["responsible"], nobody);
    let notices = office.ask("nobody", "GET", "/api/v1/notifications").send().await.expect(200);
    assert_eq!(notices["items"][0]["why"], "responsible");
    let to_sales = transfer("nobody", json!({"purpose": sales})).await.expect(200);
    assert_eq!((&to_sales["responsible"], &to_sales["purpose_title"]), (&Value::Null, &json!("Автосалон. Покупка")));
    let notices = office.ask("boris", "GET", "/api/v1/notifications").send().await.expect(200);
    assert_eq!(notices["items"].as_array().unwrap().len(), 1);
    for wrong in [json!({"purpose": 99}), json!({"responsible": {"kind": "agent", "id": 99}}), json!({"to": 1})] {
        transfer("sup", wrong).await.expect(422);
    }
    let edit = office.ask("anna", "PATCH", &format!("/api/v1/journal/{}", new["id"]));
    let edited = edit.json(json!({"purpose": null, "comment": "перезвонить в среду"})).send().await.expect(200);
    assert_eq!((&edited["purpose"], &edited["comment"]), (&Value::Null, &json!("перезвонить в среду")));
}

#[tokio::test]
async fn wrong_input_is_refused_with_the_reason_and_programs_need_the_scope() {
    let office = Office::open().await;
    for query in ["state=lost", "kind=letter", "responsible=x", "call=zz", "cursor=x", "colour=red"] {
        let got = office.ask("anna", "GET", &format!("/api/v1/journal?{query}")).send().await;
        assert!(got.status == 400 || got.status == 404, "{query}: {}", got.status);
    }
    for body in [
        json!({"kind": "visit"}),
        json!({"kind": "letter", "description": "x"}),
        json!({"kind": "visit", "description": "x", "client": 99}),
        json!({"kind": "visit", "description": "я".repeat(2001)}),
        json!({"kind": "visit", "phone": "abc"}),
    ] {
        office.ask("anna", "POST", "/api/v1/journal").json(body).send().await.expect(422);
    }
    for path in ["/api/v1/journal/77", "/api/v1/journal/77/history", "/api/v1/purposes/77"] {
        office.ask("anna", "GET", path).send().await.expect(404);
    }
    office.ask("anna", "POST", "/api/v1/journal/77/take").send().await.expect(404);
    for (body, field) in [
        (json!({"name": " "}), "name"),
        (json!({"name": "x", "queue": "nowhere"}), "queue"),
        (json!({"name": "x", "specialists": [{"kind": "user", "id": 99}]}), "specialists"),
    ] {
        let problem = office.ask("admin", "POST", "/api/v1/purposes").json(body).send().await.expect(422);
        assert!(problem["detail"].as_str().unwrap().contains(field), "{problem}");
    }
    let id = purpose(&office, json!([])).await;
    let again = json!({"section": "Сервис", "name": "Ремонт"});
    office.ask("admin", "POST", "/api/v1/purposes").json(again).send().await.expect(409);
    let change = |body: Value| office.ask("admin", "PATCH", &format!("/api/v1/purposes/{id}")).json(body).send();
    change(json!({"make_default": true})).await.expect(422);
    assert_eq!(change(json!({"retired": true})).await.expect(200)["retired"], true);
    let scopes = ["journal:read".to_owned(), "journal:write".to_owned()].into_iter().collect();
    let key = office.store.add_api_key("crm", &scopes, clock::wall()).await.unwrap();
    let ask = |method: &'static str, path: &str| {
        office.ask("", method, path).header("authorization", &format!("Bearer {key}"))
    };
    let new = ask("POST", "/api/v1/journal").json(json!({"kind": "visit", "description": "от сайта"})).send().await;
    let id = new.expect(201)["id"].clone();
    ask("POST", &format!("/api/v1/journal/{id}/take")).send().await.expect(403);
    assert_eq!(ask("GET", "/api/v1/notifications").send().await.expect(200)["items"], json!([]));
    ask("GET", "/api/v1/orders").send().await.expect(403);
}

#[tokio::test]
async fn a_call_is_in_the_journal_while_it_is_talked_and_done_afterwards() {
    let office = Office::open().await;
    purpose(&office, json!([])).await;
    let mut seen = office.updates.subscribe();
    let call = office.talk("anna", "+79001234567").await;
    let in_work = |update: &Update| matches!(update, Update::Contact { state: State::InWork, .. });
    tokio::time::timeout(Duration::from_secs(10), until(&mut seen, in_work)).await.unwrap();
    let find = format!("/api/v1/journal?call={call}");
    let page = office.ask("boris", "GET", &find).send().await.expect(200);
    let contact = &page["items"][0];
    assert_eq!((&contact["in_call"], &contact["responsible"]["name"]), (&json!(true), &json!("anna")));
    assert_eq!((&contact["phone"], &contact["purpose_title"]), (&json!("+79001234567"), &json!("Сервис. Ремонт")));
    office.caller_hangs_up("+79001234567").await;
    until(&mut seen, |update| matches!(update, Update::Contact { state: State::Done, .. })).await;
    let after = office.ask("boris", "GET", &find).send().await.expect(200);
    assert_eq!((&after["items"][0]["state"], &after["items"][0]["version"]), (&json!("done"), &json!(2)));
}
