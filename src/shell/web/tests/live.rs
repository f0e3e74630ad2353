//! Pauses of recordings, and supervisors who hear talks.

use serde_json::{Value, json};

use super::office::{Office, until};
use crate::engine::command::Update;
use crate::engine::event::MonitorMode;
use crate::engine::ids::CallId;
use crate::shell::store::users::Role;

const NUMBER: &str = "+79001234567";

#[tokio::test]
async fn a_recording_is_paused_by_the_own_agent_or_a_supervisor_and_by_nobody_else() {
    let office = Office::open().await;
    let call = office.talk("anna", NUMBER).await;
    let act = |login: &'static str, what: &str| {
        office.ask(login, "POST", &format!("/api/v1/calls/{call}/recording/{what}")).send()
    };
    act("", "pause").await.expect(401);
    act("boris", "pause").await.expect(403);
    act("anna", "pause").await.expect(204);
    let now = office.ask("anna", "GET", "/api/v1/calls/live").send().await.expect(200);
    assert!(now["items"][0]["recording_paused_until"].is_string(), "{now}");
    // It is written down when it is answered.
    assert_eq!(noted(&office, call).await, ["recording_paused"]);
    act("sup", "resume").await.expect(204);
    act("sup", "resume").await.expect(204);
    let now = office.ask("sup", "GET", "/api/v1/calls/live").send().await.expect(200);
    assert!(now["items"][0]["recording_paused_until"].is_null(), "{now}");
    office.ask("sup", "POST", "/api/v1/calls/0000000000000001/recording/pause").send().await.expect(404);
    let audited = office.audited().await;
    assert!(audited.contains(&("sup".to_owned(), "recording_resumed".to_owned(), call.to_string())), "{audited:?}");
}

async fn noted(office: &Office, call: CallId) -> Vec<String> {
    let detail = office.store.get_call(call).await.unwrap().unwrap();
    detail.notes.into_iter().map(|note| note.what).filter(|what| what.starts_with("recording_")).collect()
}

async fn monitor(office: &Office, login: &str, call: CallId, body: Value, expected: u16) {
    office.ask(login, "POST", &format!("/api/v1/calls/{call}/monitor")).json(body).send().await.expect(expected);
}

#[tokio::test]
async fn who_has_the_right_hears_a_talk_and_sees_who_does() {
    let office = Office::open_as(|web| web.live_listening = Some(Role::Administrator)).await;
    let call = office.talk("anna", NUMBER).await;
    let boris = office.agents["boris"].0;
    monitor(&office, "boris", call, json!({"mode": "listen"}), 403).await;
    monitor(&office, "sup", call, json!({"mode": "listen", "agent": boris}), 403).await;
    // Takes no calls, and names no phone.
    monitor(&office, "admin", call, json!({"mode": "listen"}), 422).await;
    monitor(&office, "admin", call, json!({"mode": "shout", "agent": boris}), 422).await;
    monitor(&office, "admin", call, json!({"mode": "listen", "agent": 4711}), 404).await;
    monitor(&office, "admin", call, json!({"mode": "listen", "agent": office.agents["anna"].0}), 409).await;
    monitor(&office, "admin", CallId(1), json!({"mode": "listen", "agent": boris}), 404).await;
    let mut seen = office.updates.subscribe();
    monitor(&office, "admin", call, json!({"mode": "listen", "agent": boris}), 204).await;
    let heard = |update: &Update, mode| matches!(update, Update::Call(view) if view.monitors.iter().any(|one| one.mode == mode && one.since.is_some()));
    until(&mut seen, |update| heard(update, MonitorMode::Listen)).await;
    let live = async |login| office.ask(login, "GET", "/api/v1/calls/live").send().await.expect(200);
    let (told, hidden) = (live("admin").await, live("sup").await);
    assert_eq!(told["items"][0]["monitors"][0]["mode"], "listen", "{told}");
    assert_eq!(told["items"][0]["monitors"][0]["agent"], boris);
    assert!(hidden["items"][0]["monitors"].is_null(), "{hidden}");
    assert_eq!(told["items"][0]["agents"], json!([office.agents["anna"].0]), "{told}");
    monitor(&office, "admin", call, json!({"mode": "whisper", "agent": boris}), 204).await;
    until(&mut seen, |update| heard(update, MonitorMode::Whisper)).await;
    let stop = format!("/api/v1/calls/{call}/monitor?agent={boris}");
    office.ask("admin", "DELETE", &stop).send().await.expect(204);
    office.ask("admin", "DELETE", &stop).send().await.expect(204);
    let over = |update: &Update| matches!(update, Update::Call(view) if view.monitors.is_empty());
    until(&mut seen, over).await;
    let monitored = |(who, what, subject): &&(String, String, String)| {
        who == "admin" && what == "call_monitored" && *subject == call.to_string()
    };
    let written = async {
        while office.audited().await.iter().filter(monitored).count() != 2 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), written).await.expect("two lines of the audit");
    let me = office.ask("sup", "GET", "/api/v1/me").send().await.expect(200);
    assert_eq!(me["may_monitor"], false);
}
