//! Orders over the API, from the first call to the fare.

use serde_json::{Value, json};

use super::office::{Office, until};
use crate::domain::order::State;
use crate::engine::command::Update;
use crate::shell::clock;

fn taxi() -> Value {
    json!({"phone": "8 900 123-45-67", "from": {"street": "улица Ленина", "house": "5"}, "to": [{"street": "Вокзал"}]})
}

fn crew() -> Value {
    json!({"car": {"make": "Lada", "plate": "А123ВС77", "callsign": "31"}, "driver": {"code": "d31"}, "eta_minutes": 7})
}

async fn taken(office: &Office) -> Value {
    office.ask("anna", "POST", "/api/v1/orders").json(taxi()).send().await.expect(201)
}

#[tokio::test]
async fn an_order_is_taken_once_however_often_it_is_sent_and_makes_the_card_of_its_number() {
    let office = Office::open().await;
    let mut seen = office.updates.subscribe();
    let send = || office.ask("anna", "POST", "/api/v1/orders").header("idempotency-key", "o1").json(taxi()).send();
    let order = send().await.expect(201);
    assert_eq!(send().await.expect(201), order);
    assert_eq!((&order["state"], &order["phone"]), (&json!("searching"), &json!("+79001234567")));
    until(&mut seen, |update| matches!(update, Update::Order { state: State::Searching, .. })).await;
    let client = office.ask("anna", "GET", &format!("/api/v1/clients/{}", order["client"])).send().await.expect(200);
    assert_eq!(client["phones"][0]["number"], "+79001234567");
    let list = office.ask("anna", "GET", "/api/v1/orders?state=active&phone=89001234567").send().await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    office.ask("anna", "GET", "/api/v1/orders?state=lost").send().await.expect(400);
    let none = office.ask("anna", "GET", "/api/v1/orders?state=completed,false").send().await.expect(200);
    assert_eq!(none["items"], json!([]));
    for wrong in [
        json!({"from": {}}),
        json!({"from": {"street": "x".repeat(200)}}),
        json!({"from": {"street": "Мира", "point": {"lat": 91, "lon": 0}}}),
        json!({"from": {"street": "Мира"}, "phone": "нет"}),
        json!({"from": {"street": "Мира"}, "client": 4711}),
        json!({"from": {"street": "Мира"}, "tariff": 4711}),
        json!({"from": {"street": "Мира"}, "wanted": {"at": "2020-01-01T00:00:00Z"}}),
    ] {
        office.ask("anna", "POST", "/api/v1/orders").json(wrong.clone()).send().await.expect(422);
    }
}

#[tokio::test]
async fn an_order_goes_from_the_search_to_the_fare_and_its_history_tells_each_step() {
    let office = Office::open().await;
    let path = format!("/api/v1/orders/{}", taken(&office).await["id"]);
    let post = |what: &str, body: Value| office.ask("anna", "POST", &format!("{path}/{what}")).json(body).send();
    post("arrive", json!({})).await.expect(409);
    assert_eq!(post("assign", crew()).await.expect(200)["eta"]["minutes"], 7);
    post("assign", crew()).await.expect(409);
    post("reassign", crew()).await.expect(200);
    post("eta", json!({"eta_minutes": 3})).await.expect(200);
    post("release", json!({"reason": "сломался"})).await.expect(200);
    post("no-car", json!({})).await.expect(200);
    post("search-again", json!({})).await.expect(200);
    post("assign", crew()).await.expect(200);
    // A terminal sends no body where there is nothing to say.
    office.ask("anna", "POST", &format!("{path}/arrive")).send().await.expect(200);
    office.ask("anna", "GET", &format!("{path}/fare")).send().await.expect(404);
    let started = post("start", json!({"version": 9})).await.expect(200);
    assert_eq!((&started["state"], &started["version"]), (&json!("in_trip"), &json!(10)));
    let now = crate::shell::web::dto::time(clock::wall());
    let point = json!({"at": now, "place": {"lat": 55.75, "lon": 37.61}, "accuracy_m": 5});
    let twice = json!({"points": [point, point]});
    assert_eq!(post("point", twice.clone()).await.expect(200)["kept"], 1);
    assert_eq!(post("point", twice).await.expect(200)["kept"], 0);
    let stale = post("finish", json!({"price": 25_000, "version": 3})).await.expect(409);
    assert_eq!(stale["current"]["state"], "in_trip");
    let finished = post("finish", json!({"price": 25_000})).await.expect(200);
    assert_eq!((&finished["state"], &finished["settlement"]["cash"]), (&json!("completed"), &json!(25_000)));
    let fare = office.ask("anna", "GET", &format!("{path}/fare")).header("accept-language", "ru").send().await;
    assert_eq!(fare.expect(200)["lines"], json!(["Договорная стоимость: 250,00 ₽"]));
    let whole = office.ask("anna", "GET", &path).send().await.expect(200);
    let events: Vec<_> = whole["history"].as_array().unwrap().iter().map(|line| line["event"].clone()).collect();
    let expected = [
        "created",
        "assigned",
        "reassigned",
        "eta_changed",
        "released",
        "car_not_found",
        "searched_again",
        "assigned",
        "car_arrived",
        "started",
        "finished",
    ];
    assert_eq!(events, expected);
    assert_eq!(whole["history"][0]["actor"], json!({"kind": "dispatcher", "name": "anna"}));
    let refused = office.ask("anna", "POST", &format!("{path}/cancel")).header("accept-language", "en");
    let refused = refused.json(json!({"by": "client"})).send().await.expect(409);
    assert_eq!(refused["detail"], "Cannot cancel the order: the order is completed.");
    let client = office.ask("anna", "GET", &format!("/api/v1/clients/{}", whole["client"])).send().await.expect(200);
    assert_eq!(client["counters"]["completed"], 1);
}

#[tokio::test]
async fn a_pre_order_is_changed_woken_and_cancelled() {
    let office = Office::open().await;
    let at = crate::shell::web::dto::time(clock::wall().plus_ms(86_400_000));
    let mut body = taxi();
    body["wanted"] = json!({"at": at});
    let order = office.ask("anna", "POST", "/api/v1/orders").json(body).send().await.expect(201);
    assert_eq!(order["wanted"]["lead_minutes"], 30);
    assert!(order["wake_at"].is_string());
    let path = format!("/api/v1/orders/{}", order["id"]);
    let change = json!({"wanted": {"at": at, "lead_minutes": 60}, "comment": "два чемодана", "estimate": 30_000});
    let changed = office.ask("anna", "PATCH", &path).json(change).send().await.expect(200);
    assert_eq!((&changed["wanted"]["lead_minutes"], &changed["estimate"]), (&json!(60), &json!(30_000)));
    let whole = office.ask("anna", "GET", &path).send().await.expect(200);
    assert_eq!(whole["history"][1]["changes"][1]["after"], "два чемодана", "{whole}");
    office.ask("anna", "POST", &format!("{path}/no-car")).send().await.expect(409);
    let woken = office.ask("anna", "POST", &format!("{path}/wake")).send().await.expect(200);
    assert_eq!(woken["wake_at"], Value::Null);
    let cancel = office.ask("anna", "POST", &format!("{path}/cancel")).json(json!({"by": "office"})).send().await;
    assert_eq!(cancel.expect(200)["cancellation"]["by"], "office");
}

#[tokio::test]
async fn a_drivers_terminal_does_what_drivers_do_and_nothing_else() {
    let office = Office::open().await;
    let key = |name: &'static str, scope: &'static str| {
        let scopes = [scope.to_owned()].into_iter().collect();
        let store = office.store.clone();
        async move { store.add_api_key(name, &scopes, clock::wall()).await.unwrap() }
    };
    let (terminal, program) = (key("terminal", "drivers").await, key("site", "orders:write").await);
    let order = taken(&office).await;
    let path = format!("/api/v1/orders/{}", order["id"]);
    let ask = |key: &str, method: &str, path: &str, body: Value| {
        let ask = office.ask("", method, path).header("authorization", &format!("Bearer {key}"));
        if method == "GET" { ask.send() } else { ask.json(body).send() }
    };
    let assigned = ask(&terminal, "POST", &format!("{path}/assign"), crew()).await.expect(200);
    assert_eq!(assigned["car"]["callsign"], "31");
    let whole = ask(&terminal, "GET", &path, Value::Null).await.expect(200);
    assert_eq!(whole["history"][1]["actor"], json!({"kind": "driver", "name": "terminal"}));
    let by = |who: &str| json!({"by": who});
    ask(&terminal, "POST", &format!("{path}/cancel"), by("client")).await.expect(403);
    for (method, path) in
        [("GET", "/api/v1/orders".to_owned()), ("POST", format!("{path}/reassign")), ("PATCH", path.clone())]
    {
        ask(&terminal, method, &path, json!({})).await.expect(403);
    }
    ask(&program, "POST", &format!("{path}/cancel"), by("client")).await.expect(200);
    let whole = office.ask("anna", "GET", &path).send().await.expect(200);
    assert_eq!(whole["history"][2]["actor"]["kind"], "program");
    assert_eq!(whole["history"][2]["source"], "api");
}
