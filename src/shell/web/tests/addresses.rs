//! Address hints.

use serde_json::json;

use super::office::Office;
use crate::domain::hint::{Place, Street};
use crate::engine::time::Wall;

#[tokio::test]
async fn own_places_come_before_streets_and_an_import_is_noticed() {
    let office = Office::open().await;
    let ask = async |query: &str| {
        let path = format!("/api/v1/addresses/hints?{query}");
        office.ask("anna", "GET", &path).send().await.expect(200)["items"].as_array().unwrap().clone()
    };
    assert!(ask("q=ktybyf").await.is_empty());
    let streets = ["ул. Ленина", "пр. Ленина", "Садовая"].map(|text| Street::read(text, "Примерск").unwrap());
    office.store.add_streets(&streets, Wall(1)).await.unwrap();
    assert_eq!(office.hints.refresh(&office.store, 0).await.unwrap(), 1);

    let path = "q=%D0%BB%D0%B5%D0%BD%D0%B8%D0%BD%D0%B0%2012%D0%BA2%20%D0%BF3";
    let hint = ask(path).await[0].clone();
    let wanted = json!({"city": "Примерск", "street": "улица Ленина", "house": "12к2", "entrance": "3", "comment": "", "uses": 0});
    assert_eq!(hint, wanted);
    assert_eq!(ask("q=ktybyf&limit=1").await.len(), 1);

    let place =
        Place {
            city: "Примерск".into(), street: "проспект Ленина".into(), house: "7".into(), ..Place::default()
        };
    office.store.use_place(5, &place, Wall(1_000)).await.unwrap();
    let own = ask("q=ktybyf&client=5").await;
    assert_eq!(
        (&own[0]["house"], &own[0]["uses"], &own[0]["last_used_at"]),
        (&json!("7"), &json!(1), &json!("1970-01-01T00:00:01Z"))
    );
    assert_eq!(own[1]["street"], "проспект Ленина");
    assert_eq!(ask("client=5").await.len(), 1);
    assert!(ask("client=6").await.is_empty());

    // Without the database there still are the streets.
    office.store.close().await;
    assert_eq!(ask("q=ktybyf&client=5").await.len(), 2);
}

#[tokio::test]
async fn wrong_questions_are_problems() {
    let office = Office::open().await;
    for query in ["client=ivan", "limit=-1", "colour=green"] {
        office.ask("anna", "GET", &format!("/api/v1/addresses/hints?{query}")).send().await.expect(400);
    }
    office.ask("", "GET", "/api/v1/addresses/hints?q=a").send().await.expect(401);
}
