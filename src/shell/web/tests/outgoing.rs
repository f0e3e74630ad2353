//! Calls that the office makes: a dispatcher's own, and clients who are called back.

use serde_json::{Value, json};

use super::office::Office;

const MOBILE: &str = "8 900 123-45-67";

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().trim_start_matches("urn:perezvon:problem:")
}

#[tokio::test]
async fn an_agent_calls_with_the_own_phone_and_a_supervisor_with_anybodys() {
    let office = Office::open().await;
    let dial = |login: &'static str, body: Value| office.ask(login, "POST", "/api/v1/calls").json(body).send();
    let (anna, boris) = (office.agents["anna"].0, office.agents["boris"].0);
    let made = dial("anna", json!({"number": MOBILE})).await.expect(201);
    assert_eq!((&made["number"], &made["agent"]), (&json!("+79001234567"), &json!(anna)));
    // The phone rings: one call at a time for an agent, and one with a number.
    assert_eq!(kind(&dial("anna", json!({"number": "+79007654321"})).await.expect(409)), "agent_not_free");
    assert_eq!(kind(&dial("boris", json!({"number": MOBILE})).await.expect(409)), "number_busy");
    dial("boris", json!({"number": "+79007654321", "agent": anna})).await.expect(403);
    dial("nobody", json!({"number": "+79007654321"})).await.expect(403);
    dial("sup", json!({"number": "+79007654321"})).await.expect(403);
    let made = dial("sup", json!({"number": "+79007654321", "agent": boris})).await.expect(201);
    assert_eq!(office.audited().await.pop().unwrap().1, "call_made", "{made}");
    // Others do not end it.
    let end =
        |login| office.ask(login, "POST", &format!("/api/v1/calls/{}/hangup", made["id"].as_str().unwrap())).send();
    end("anna").await.expect(403);
    end("boris").await.expect(204);
}

#[tokio::test]
async fn whom_to_call_is_said_in_one_way_and_must_be_there() {
    let office = Office::open().await;
    let dial = |body: Value| office.ask("anna", "POST", "/api/v1/calls").json(body).send();
    for body in [
        json!({}),
        json!({"number": MOBILE, "client": 1}),
        json!({"number": "nobody"}),
        json!({"number": "+442079460000"}),
    ] {
        dial(body).await.expect(422);
    }
    for body in
        [json!({"client": 4711}), json!({"order": 4711}), json!({"driver": 4711}), json!({"call": "00000000000000aa"})]
    {
        dial(body).await.expect(404);
    }
    dial(json!({"call": "zzz"})).await.expect(404);
    dial(json!({"number": MOBILE, "more": 1})).await.expect(422);
    office.ask("sup", "POST", "/api/v1/blocked-numbers").json(json!({"number": MOBILE, "reason": "spam"})).send().await;
    assert_eq!(kind(&dial(json!({"number": MOBILE})).await.expect(422)), "number_blocked");
    let order = office.ask("anna", "POST", "/api/v1/orders");
    let order =
        order.json(json!({"phone": "+79007654321", "from": {"street": "Мира", "house": "1"}})).send().await.expect(201);
    dial(json!({"driver": order["id"]})).await.expect(422);
    let made = dial(json!({"order": order["id"]})).await.expect(201);
    assert_eq!(made["number"], "+79007654321");
}

#[tokio::test]
async fn callbacks_are_listed_wanted_hurried_and_called_off() {
    let office = Office::open().await;
    let ask = |login: &'static str, method: &'static str, path: String| office.ask(login, method, &path);
    let add = |body: Value| ask("anna", "POST", "/api/v1/callbacks".to_owned()).json(body).send();
    for body in [
        json!({"words": "Здравствуйте"}),
        json!({"number": MOBILE, "words": "  "}),
        json!({"number": MOBILE, "words": "а".repeat(501)}),
        json!({"number": "+442079460000", "words": "Hello"}),
        json!({"number": MOBILE}),
    ] {
        add(body).await.expect(422);
    }
    add(json!({"client": 4711, "words": "Здравствуйте"})).await.expect(404);
    let row = add(json!({"number": MOBILE, "words": "Поздравляем!"})).await.expect(201);
    assert_eq!(
        (&row["kind"], &row["state"], &row["number"]),
        (&json!("words"), &json!("pending"), &json!("+79001234567"))
    );
    let id = row["id"].as_i64().unwrap();
    let listed = ask("anna", "GET", "/api/v1/callbacks?open=true&kind=words".to_owned()).send().await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    ask("anna", "GET", "/api/v1/callbacks?cursor=nonsense".to_owned()).send().await.expect(400);
    ask("anna", "GET", "/api/v1/callbacks/4711".to_owned()).send().await.expect(404);
    ask("anna", "POST", "/api/v1/callbacks/4711/cancel".to_owned()).send().await.expect(404);
    ask("anna", "POST", format!("/api/v1/callbacks/{id}/now")).send().await.expect(200);
    let over = ask("anna", "POST", format!("/api/v1/callbacks/{id}/cancel")).send().await.expect(200);
    assert_eq!(over["state"], "cancelled");
    ask("anna", "POST", format!("/api/v1/callbacks/{id}/now")).send().await.expect(404);
    let one = ask("sup", "GET", format!("/api/v1/callbacks/{id}")).send().await.expect(200);
    assert_eq!(one["tries"], json!([]));
    let acts: Vec<String> = office.audited().await.into_iter().map(|(_, act, _)| act).collect();
    assert_eq!(acts, ["callback_added", "callback_hurried", "callback_cancelled"]);
}
