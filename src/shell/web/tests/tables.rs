//! Tables over the API.

use serde_json::json;

use super::office::Office;

const TABLE: &str = "телефон;фамилия\n89001234567;Иванова\n89001234568;=Петров\n";

#[tokio::test]
async fn a_table_is_checked_imported_exported_and_a_client_is_shown_and_erased() {
    let office = Office::open().await;
    let import = |query: &str, body: &'static str| {
        let path = format!("/api/v1/clients/import{query}");
        office.ask("admin", "POST", &path).body("text/csv; charset=utf-8", body).send()
    };
    let dry = import("?dry_run=true", TABLE).await.expect(200);
    assert_eq!((&dry["new"], &dry["done"]), (&json!(2), &json!(false)), "{dry}");
    let bad = import("?dry_run=true", "phone;conflict\n89001234567;9\n").await.expect(200);
    assert_eq!((&bad["faults"][0]["line"], &bad["faults"][0]["column"]), (&json!(2), &json!("conflict")), "{bad}");
    let refused = import("", "phone;conflict\n89001234567;9\n").await.expect(422);
    assert!(refused["detail"].as_str().unwrap().contains("line 2, conflict"), "{refused}");
    assert_eq!(import("", TABLE).await.expect(200)["new"], 2);
    assert_eq!(import("", TABLE).await.expect(200)["known"], 2);
    office.ask("admin", "POST", "/api/v1/clients/import").json(json!({})).send().await.expect(415);
    let table = office.ask("admin", "GET", "/api/v1/clients/export").send().await;
    let text = String::from_utf8(table.body.to_vec()).unwrap();
    assert!(table.header("content-type").starts_with("text/csv") && text.contains("'=Петров"), "{text}");
    office.ask("sup", "GET", "/api/v1/clients/export").send().await.expect(403);
    let orders = "phone;from_street\n89001234567;улица Ленина\n";
    let taken = office.ask("admin", "POST", "/api/v1/orders/import").body("text/csv", orders).send().await;
    assert_eq!(taken.expect(200)["new"], 1);
    let table = office.ask("admin", "GET", "/api/v1/orders/export").send().await;
    assert!(String::from_utf8(table.body.to_vec()).unwrap().contains("улица Ленина"));
    let id = office.store.client_of_number("89001234567").await.unwrap().unwrap().id;
    let data = office.ask("admin", "GET", &format!("/api/v1/clients/{id}/personal-data")).send().await.expect(200);
    assert_eq!(data["card"]["name"]["surname"], "Иванова");
    let erase = || office.ask("admin", "POST", &format!("/api/v1/clients/{id}/erase")).send();
    let open = erase().await.expect(409);
    assert_eq!(open["type"], "urn:perezvon:problem:open_order");
    let order = office.ask("admin", "GET", "/api/v1/orders").send().await.expect(200)["items"][0]["id"].clone();
    let cancel = office.ask("admin", "POST", &format!("/api/v1/orders/{order}/cancel"));
    cancel.json(json!({"by": "client"})).send().await.expect(200);
    assert_eq!(erase().await.status, 204);
    erase().await.expect(409);
    office.ask("admin", "GET", "/api/v1/clients/999/personal-data").send().await.expect(404);
    let actions: Vec<String> = office.audited().await.into_iter().map(|(_, action, _)| action).collect();
    for action in ["clients_imported", "clients_exported", "orders_imported", "personal_data_exported"] {
        assert!(actions.iter().any(|told| told == action), "{action}: {actions:?}");
    }
}
