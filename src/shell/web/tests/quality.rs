//! Grading of talks, and reports by e-mail.

use serde_json::{Value, json};

use super::office::Office;

fn sections() -> Value {
    json!([{ "title": "Вежливость", "questions": [
        { "text": "Поздоровался", "best": 1, "weight": 1, "fatal": true },
        { "text": "Тон", "best": 5, "weight": 1 },
    ] }])
}

#[tokio::test]
async fn a_form_is_made_changed_and_graded_by_and_agents_see_their_own() {
    let office = Office::open().await;
    let send = |login, method, path: &str, body: Value| {
        office.ask(login, method, &format!("/api/v1/quality/{path}")).json(body).send()
    };
    let form = send("sup", "POST", "forms", json!({ "name": "Приём", "sections": sections() })).await.expect(201);
    let id = form["id"].as_i64().unwrap();
    send("sup", "POST", "forms", json!({ "name": "Приём", "sections": sections() })).await.expect(409);
    send("sup", "POST", "forms", json!({ "name": "Пустая", "sections": [] })).await.expect(422);
    send("anna", "POST", "forms", json!({ "name": "Своя", "sections": sections() })).await.expect(403);
    let (recording, _) = super::calls::recording(&office, 100).await;
    let grade = json!({ "recording": recording, "form": id, "answers": [[1, 4]], "comment": "хорошо" });
    let given = send("sup", "POST", "grades", grade.clone()).await.expect(201);
    assert_eq!((&given["score"], &given["failed"], &given["form_version"]), (&json!(900), &json!(false), &json!(1)));
    send("anna", "POST", "grades", grade.clone()).await.expect(403);
    for (field, value) in [("answers", json!([[1]])), ("recording", json!(999_999)), ("form", json!(999_999))] {
        let mut wrong = grade.clone();
        wrong[field] = value;
        send("sup", "POST", "grades", wrong).await.expect(422);
    }
    let path = format!("forms/{id}");
    let mut longer = sections();
    longer[0]["questions"][1]["best"] = json!(10);
    let changed = send("sup", "PATCH", &path, json!({ "sections": longer, "version": 1 })).await.expect(200);
    assert_eq!(changed["version"], 2);
    send("sup", "PATCH", &path, json!({ "name": "Другая", "version": 1 })).await.expect(409);
    let get = |login, path: &str| office.ask(login, "GET", &format!("/api/v1/quality/{path}")).send();
    assert_eq!(get("sup", &format!("{path}?version=1")).await.expect(200)["sections"][0]["questions"][1]["best"], 5);
    get("sup", &format!("{path}?version=7")).await.expect(404);
    let all = get("sup", "grades").await.expect(200);
    assert_eq!((&all["items"][0]["id"], &all["items"][0]["sections"]), (&given["id"], &given["sections"]));
    assert_eq!(get("anna", "grades").await.expect(200)["items"], json!([]));
    let report = get("sup", "report").await.expect(200);
    assert_eq!((&report["items"][0]["grades"], &report["items"][0]["average"]), (&json!(1), &json!(900)), "{report}");
    let table = get("sup", "report?format=csv").await;
    assert!(String::from_utf8(table.body).unwrap().contains("average_percent"));
    send("sup", "PATCH", &path, json!({ "retired": true })).await.expect(200);
    send("sup", "POST", "grades", grade).await.expect(409);
}

#[tokio::test]
async fn a_report_by_mail_is_set_wanted_at_once_and_removed() {
    let office = Office::open().await;
    let send = |login, method, path: &str, body: Value| {
        office.ask(login, method, &format!("/api/v1/reports/schedules{path}")).json(body).send()
    };
    let plan = json!({ "report": "days", "recipients": ["a@b.example"], "every": "week", "day": 1, "hour": 8, "format": "xlsx" });
    let body = json!({ "name": "Неделя", "plan": plan });
    send("sup", "POST", "", body.clone()).await.expect(403);
    let added = send("admin", "POST", "", body.clone()).await.expect(201);
    let path = format!("/{}", added["id"]);
    let mut wrong = body.clone();
    wrong["plan"]["recipients"] = json!(["nobody"]);
    send("admin", "POST", "", wrong).await.expect(422);
    let mut changed = body;
    changed["enabled"] = json!(false);
    changed["version"] = json!(1);
    assert_eq!(send("admin", "PUT", &path, changed.clone()).await.expect(200)["version"], 2);
    send("admin", "PUT", &path, changed).await.expect(409);
    office.ask("admin", "POST", &format!("/api/v1/reports/schedules{path}/send")).send().await.expect(202);
    let get = |path: &str| office.ask("admin", "GET", &format!("/api/v1/reports/schedules{path}")).send();
    let mails = get(&format!("{path}/mails")).await.expect(200);
    assert_eq!(mails["items"][0]["state"], "pending", "{mails}");
    assert_eq!(get("").await.expect(200)["items"][0]["last"]["state"], "pending");
    office.ask("admin", "DELETE", &format!("/api/v1/reports/schedules{path}")).send().await.expect(204);
    get(&format!("{path}/mails")).await.expect(404);
}
