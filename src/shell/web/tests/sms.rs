//! SMS over the API.

use serde_json::json;

use super::office::{Office, SECRET};

#[tokio::test]
async fn a_dispatcher_writes_to_a_client_once_and_sees_how_far_it_is() {
    let office = Office::open().await;
    let client = office.ask("anna", "POST", "/api/v1/clients").json(json!({"phones": [{"number": "89001234567"}]}));
    let client = client.send().await.expect(201)["id"].clone();
    let write = |body: serde_json::Value| {
        office.ask("anna", "POST", "/api/v1/sms").header("idempotency-key", "k1").json(body).send()
    };
    let body = json!({"to": "8 900 123-45-67", "text": "Машина у второго подъезда"});
    let sent = write(body.clone()).await.expect(201);
    assert_eq!((&sent["number"], &sent["state"]), (&json!("+79001234567"), &json!("queued")));
    assert_eq!((&sent["reason"], &sent["author"], &sent["client"]), (&json!("agent"), &json!("anna"), &client));
    assert_eq!(write(body).await.expect(201)["id"], sent["id"]);
    let page = office.ask("boris", "GET", "/api/v1/sms?direction=out&state=queued&number=9001234567").send().await;
    assert_eq!(page.expect(200)["items"].as_array().unwrap().len(), 1);
    let one = format!("/api/v1/sms/{}", sent["id"]);
    assert_eq!(office.ask("boris", "GET", &one).send().await.expect(200)["text"], "Машина у второго подъезда");
    let timeline = format!("/api/v1/clients/{client}/timeline?kinds=sms");
    let timeline = office.ask("boris", "GET", &timeline).send().await.expect(200);
    assert_eq!(timeline["items"][0]["sms"]["id"], sent["id"]);
    let audited = office.audited().await;
    assert_eq!(audited.iter().filter(|(_, action, _)| action == "sms.written").count(), 1, "{audited:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_the_reason() {
    let office = Office::open().await;
    for (body, word) in [
        (json!({"to": "84951234567", "text": "x"}), "takes no SMS"),
        (json!({"to": "101", "text": "x"}), "takes no SMS"),
        (json!({"to": "+375291234567", "text": "x"}), "sms.allowed_numbers"),
        (json!({"to": "89001234567", "text": " "}), "empty"),
        (json!({"to": "89001234567", "text": "я".repeat(671)}), "670"),
        (json!({"to": "89001234567", "text": "x", "client": 99}), "does not exist"),
        (json!({"to": "89001234567", "text": "x", "order": 99}), "does not exist"),
    ] {
        let ask = office.ask("anna", "POST", "/api/v1/sms").header("accept-language", "en");
        let problem = ask.json(body).send().await.expect(422);
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
    for query in ["direction=up", "state=lost", "cursor=x"] {
        office.ask("anna", "GET", &format!("/api/v1/sms?{query}")).send().await.expect(400);
    }
    office.ask("anna", "GET", "/api/v1/sms/7").send().await.expect(404);
    office.ask("", "GET", "/api/v1/sms").send().await.expect(401);
}

#[tokio::test]
async fn a_gateway_with_the_secret_hands_over_and_reports_and_nobody_else() {
    let office = Office::open().await;
    let came = |secret: &str| {
        format!("/api/v1/sms/gateways/gate/{secret}/incoming?from=79001234567&text=%D0%B3%D0%B4%D0%B5&id=1&x=1")
    };
    for secret in ["x", "0123456789abcdef012345678", ""] {
        office.ask("", "GET", &came(secret)).send().await.expect(404);
    }
    let got = office.ask("", "GET", &came(SECRET)).send().await;
    assert_eq!((got.status.as_u16(), got.body.len()), (200, 0));
    let page = office.ask("anna", "GET", "/api/v1/sms?direction=in").send().await.expect(200);
    assert_eq!((&page["items"][0]["state"], &page["items"][0]["text"]), (&json!("answered"), &json!("где")));
    let answer = &page["items"][0]["answer"];
    let answered = office.ask("anna", "GET", &format!("/api/v1/sms/{answer}")).send().await.expect(200);
    assert_eq!(answered["reason"], "answer");
    let report = format!("/api/v1/sms/gateways/gate/{SECRET}/report?reference=17-0&state=1");
    assert_eq!(office.ask("", "GET", &report).send().await.status, 200);
    office.ask("", "GET", &report.replace("gate/", "other/")).send().await.expect(404);
    office.ask("", "GET", &report.replace("reference", "number")).send().await.expect(400);
}
