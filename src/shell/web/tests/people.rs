//! Users, agents, blocked numbers.

use serde_json::json;

use super::office::Office;
use crate::engine::command::Update;
use crate::engine::view::Status;
use crate::shell::web::tests::office::until;

#[tokio::test]
async fn an_added_agent_has_a_phone_and_takes_part_at_once() {
    let office = Office::open().await;
    let mut seen = office.updates.subscribe();
    let body = json!({"name": "Vera", "endpoint": "agent-7", "queues": ["corporate"], "skills": {"english": 7}});
    let agent = office.ask("admin", "POST", "/api/v1/agents").json(body).send().await.expect(201);
    assert!(agent["sip_password"].as_str().unwrap().len() >= 20, "{agent}");
    assert_eq!((&agent["node"], &agent["status"], &agent["version"]), (&json!("here"), &json!("offline"), &json!(1)));
    until(&mut seen, |update| matches!(update, Update::Agent(view) if view.endpoint == "agent-7")).await;
    assert_eq!(*office.phones.lines.lock().unwrap(), ["put agent-7"]);
    let id = agent["id"].as_u64().unwrap();
    // The password is told once.
    let listed = office.ask("sup", "GET", "/api/v1/agents").send().await.expect(200);
    let listed = listed["items"].as_array().unwrap().iter().find(|agent| agent["id"] == id).unwrap().clone();
    assert!(listed["sip_password"].is_null() && listed["now"]["state"] == "idle", "{listed}");

    let path = format!("/api/v1/agents/{id}");
    let change = json!({"endpoint": "agent-8", "version": 1});
    let changed = office.ask("admin", "PATCH", &path).json(change.clone()).send().await.expect(200);
    assert_eq!((&changed["endpoint"], &changed["version"]), (&json!("agent-8"), &json!(2)));
    office.ask("admin", "PATCH", &path).json(change).send().await.expect(409);
    office.ask("admin", "PATCH", &path).json(json!({"disabled": true})).send().await.expect(200);
    until(&mut seen, |update| matches!(update, Update::AgentRemoved(_))).await;
    let told = office.phones.lines.lock().unwrap().clone();
    assert_eq!(told, ["put agent-7", "remove agent-7", "put agent-8", "remove agent-8"]);
}

#[tokio::test]
async fn what_cannot_be_an_agent_is_refused() {
    let office = Office::open().await;
    for (wrong, status) in [
        (json!({"name": "", "endpoint": "agent-7"}), 422),
        (json!({"name": "V", "endpoint": "Agent 7"}), 422),
        (json!({"name": "V", "endpoint": "../etc"}), 422),
        (json!({"name": "V", "endpoint": "agent-anna"}), 409),
        (json!({"name": "V", "endpoint": "a", "queues": ["none"]}), 422),
        (json!({"name": "V", "endpoint": "a", "node": "there"}), 422),
        (json!({"name": "V", "endpoint": "a", "skills": {"english": 11}}), 422),
        (json!({"name": "V", "endpoint": "a", "sip_password": "a\"b;cdefgh"}), 422),
        (json!({"name": "V"}), 422),
    ] {
        office.ask("admin", "POST", "/api/v1/agents").json(wrong).send().await.expect(status);
    }
    office.ask("admin", "PATCH", "/api/v1/agents/4711").json(json!({})).send().await.expect(404);
    assert!(office.phones.lines.lock().unwrap().is_empty());
}

#[tokio::test]
async fn agents_declare_their_status_and_supervisors_that_of_others() {
    let office = Office::open().await;
    let mut seen = office.updates.subscribe();
    let anna = office.agents["anna"];
    office.ask("anna", "POST", "/api/v1/agents/me/pause").json(json!({"reason": "lunch"})).send().await.expect(204);
    let paused = until(&mut seen, |update| matches!(update, Update::Agent(view) if view.agent == anna)).await;
    assert!(
        matches!(paused, Update::Agent(view) if matches!(&view.status, Status::Pause(why) if why.as_str() == "lunch"))
    );
    office.ask("anna", "POST", "/api/v1/agents/me/pause").send().await.expect(204);
    office
        .ask("anna", "POST", "/api/v1/agents/me/pause")
        .json(json!({"reason": "x".repeat(100)}))
        .send()
        .await
        .expect(422);
    office.ask("nobody", "POST", "/api/v1/agents/me/ready").send().await.expect(403);

    let path = format!("/api/v1/agents/{}/state", anna.0);
    office.ask("anna", "POST", &path).json(json!({"status": "ready"})).send().await.expect(403);
    office.ask("sup", "POST", &path).json(json!({"status": "offline"})).send().await.expect(204);
    office.ask("sup", "POST", &path).json(json!({"status": "asleep"})).send().await.expect(422);
    office.ask("sup", "POST", "/api/v1/agents/4711/state").json(json!({"status": "ready"})).send().await.expect(404);
    let me = office.ask("anna", "GET", "/api/v1/me").send().await.expect(200);
    assert_eq!(me["agent"]["status"], "offline");
    let audited = office.audited().await;
    assert_eq!(audited, [("sup".to_owned(), "agent_status_set".to_owned(), anna.0.to_string())]);
}

#[tokio::test]
async fn users_are_added_changed_and_never_shown_with_their_passwords() {
    let office = Office::open().await;
    let add = |body| office.ask("admin", "POST", "/api/v1/users").json(body).send();
    let user = add(json!({"login": "Dora", "password": "long enough", "role": "agent"})).await.expect(201);
    add(json!({"login": "dora", "password": "long enough", "role": "agent"})).await.expect(409);
    add(json!({"login": "e", "password": "short", "role": "agent"})).await.expect(422);
    add(json!({"login": "e f", "password": "long enough", "role": "agent"})).await.expect(422);
    add(json!({"login": "e", "password": "long enough", "role": "king"})).await.expect(422);
    add(json!({"login": "e", "password": "long enough", "role": "agent", "agent": 4711})).await.expect(422);
    let anna = office.agents["anna"].0;
    add(json!({"login": "e", "password": "long enough", "role": "agent", "agent": anna})).await.expect(409);
    let list = office.ask("admin", "GET", "/api/v1/users").send().await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 6);
    assert!(!list.to_string().contains("argon2"), "{list}");

    let path = format!("/api/v1/users/{}", user["id"]);
    let changed = office.ask("admin", "PATCH", &path).json(json!({"role": "supervisor"})).send().await.expect(200);
    assert_eq!(changed["role"], "supervisor");
    let admin = office.store.user_by_login("admin").await.unwrap().unwrap();
    let own = format!("/api/v1/users/{}", admin.id.0);
    office.ask("admin", "PATCH", &own).json(json!({"disabled": true})).send().await.expect(409);
    office.ask("admin", "PATCH", &own).json(json!({"role": "agent"})).send().await.expect(409);
    office.ask("admin", "PATCH", "/api/v1/users/4711").json(json!({})).send().await.expect(404);
}

#[tokio::test]
async fn blocked_numbers_are_listed_by_pages() {
    let office = Office::open().await;
    for n in 0..5 {
        let body = json!({"number": format!("8 900 111 22 0{n}"), "reason": "rude"});
        let blocked = office.ask("sup", "POST", "/api/v1/blocked-numbers").json(body).send().await.expect(201);
        assert_eq!((&blocked["number"], &blocked["by"]), (&json!(format!("+7900111220{n}")), &json!("sup")));
    }
    office.ask("sup", "POST", "/api/v1/blocked-numbers").json(json!({"number": "nobody"})).send().await.expect(422);
    let mut path = "/api/v1/blocked-numbers?limit=2".to_owned();
    let mut numbers = Vec::new();
    loop {
        let page = office.ask("sup", "GET", &path).send().await.expect(200);
        numbers.extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].to_string()));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/blocked-numbers?limit=2&cursor={next}"),
            None => break,
        }
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 5);
    office.ask("sup", "DELETE", "/api/v1/blocked-numbers/+79001112200").send().await.expect(204);
    office.ask("sup", "DELETE", "/api/v1/blocked-numbers/+79001112200").send().await.expect(404);
}
