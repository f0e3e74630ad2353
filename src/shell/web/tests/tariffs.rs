//! Tariffs and groups over the API, and what a trip would cost.

use serde_json::{Value, json};

use super::office::Office;

#[tokio::test]
async fn administrators_keep_the_tariffs_and_everybody_asks_what_a_trip_would_cost() {
    let office = Office::open().await;
    let city = json!({"name": "Город", "boarding": 10_000, "per_km_inside": 2000, "free_waiting_s": 300,
        "per_waiting_minute": 500, "rounding": {"step": 100, "way": "up"}});
    office.ask("sup", "POST", "/api/v1/tariffs").json(city.clone()).send().await.expect(403);
    let made = office.ask("admin", "POST", "/api/v1/tariffs").json(city.clone()).send().await.expect(201);
    assert_eq!(
        (&made["is_default"], &made["version"], &made["value"]["boarding"]),
        (&json!(true), &json!(1), &json!(10_000))
    );
    office.ask("admin", "POST", "/api/v1/tariffs").json(city).send().await.expect(409);
    office.ask("admin", "POST", "/api/v1/tariffs").json(json!({"name": "x", "boarding": -1})).send().await.expect(422);
    let path = format!("/api/v1/tariffs/{}", made["id"]);
    let ask = |query: &str| office.ask("anna", "GET", &format!("{path}/estimate?{query}"));
    let words = ask("inside_m=7450&waiting_s=360").header("accept-language", "ru").send().await.expect(200);
    assert_eq!(
        words["lines"],
        json!([
            "Посадка: 100,00 ₽",
            "Расстояние по городу: 7,450 км × 20,00 ₽ = 149,00 ₽",
            "Ожидание: 6 мин 0 с (бесплатно 5 мин 0 с) × 5,00 ₽ = 5,00 ₽"
        ])
    );
    assert_eq!(words["fare"]["total"], 25_400);
    let group = json!({"name": "Постоянные", "discount": {"kind": "percent", "permille": 100}});
    office.ask("anna", "POST", "/api/v1/groups").json(group.clone()).send().await.expect(403);
    let group = office.ask("admin", "POST", "/api/v1/groups").json(group).send().await.expect(201);
    let card = office.ask("anna", "POST", "/api/v1/clients").json(json!({"code": "7"})).send().await.expect(201);
    let words = ask(&format!("inside_m=7450&client={}", card["id"])).send().await.expect(200);
    assert_eq!(
        words["settlement"],
        json!({"price": 24_900, "discount": 2490, "bonus": 0, "account": 0, "cash": 22_410})
    );
    ask("client=4711").send().await.expect(404);
    let one = office.ask("anna", "GET", &format!("/api/v1/groups/{}", group["id"])).send().await;
    assert_eq!(one.header("etag"), "\"1\"");
    one.expect(200);
    let change = |body: Value| office.ask("admin", "PATCH", &path).json(body).send();
    change(json!({"retired": true})).await.expect(422);
    change(json!({"value": {"name": "Город", "boarding": 12_000, "rounding": {"step": 1, "way": "up"}}, "version": 1}))
        .await
        .expect(200);
    let stale = change(json!({"make_default": true, "version": 1})).await.expect(409);
    assert_eq!(stale["current"]["value"]["boarding"], 12_000);
    let list = office.ask("anna", "GET", "/api/v1/tariffs").send().await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    office.ask("anna", "GET", "/api/v1/tariffs/4711").send().await.expect(404);
}
