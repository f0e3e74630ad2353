//! Cards of clients and their money over the API.

use serde_json::{Value, json};

use super::office::Office;

async fn made(office: &Office, body: Value) -> Value {
    office.ask("anna", "POST", "/api/v1/clients").json(body).send().await.expect(201)
}

#[tokio::test]
async fn a_card_is_made_changed_found_and_tells_what_to_ask_about() {
    let office = Office::open().await;
    let card = made(
        &office,
        json!({"phones": [{"number": "8 900 123-45-67"}], "name": {"surname": "Зелёный", "name": "Пётр"},
            "address": {"street": "улица Ленина", "house": "12к2", "point": {"lat": 55.7512345, "lon": 37.6}}}),
    )
    .await;
    assert_eq!((&card["code"], &card["title"]), (&json!("+79001234567"), &json!("Зелёный Пётр")));
    assert_eq!(card["address"]["point"], json!({"lat": 55.7512345, "lon": 37.6}));
    let path = format!("/api/v1/clients/{}", card["id"]);
    let got = office.ask("anna", "GET", &path).send().await;
    assert_eq!(got.header("etag"), "\"1\"");
    assert_eq!(got.expect(200)["checks"], json!([]));
    let change = json!({"company": "ООО «Ромашка»", "note": "код 15", "address": null, "tags": ["vip"], "version": 1});
    let changed = office.ask("anna", "PATCH", &path).json(change).send().await.expect(200);
    assert_eq!((&changed["version"], &changed["title"]), (&json!(2), &json!("ООО «Ромашка»")));
    assert_eq!((&changed["address"], &changed["name"]["name"]), (&Value::Null, &json!("Пётр")));
    assert_eq!(office.ask("anna", "GET", &path).send().await.expect(200)["checks"][0]["what"]["kind"], "address");
    for query in ["q=%D0%B7%D0%B5%D0%BB%D0%B5%D0%BD", "q=1234567", "number=89001234567", "tag=vip", "corporate=true"] {
        let found = office.ask("anna", "GET", &format!("/api/v1/clients?{query}")).send().await.expect(200);
        assert_eq!(found["items"][0]["id"], card["id"], "{query}");
    }
    for query in ["tag=none", "blocked=true", "number=89001234568"] {
        let found = office.ask("anna", "GET", &format!("/api/v1/clients?{query}")).send().await.expect(200);
        assert_eq!(found["items"], json!([]), "{query}");
    }
    let complaint = json!({"text": "водитель опоздал"});
    let complained = office.ask("anna", "POST", &format!("{path}/complaint")).json(complaint).send().await.expect(200);
    assert_eq!((&complained["counters"]["complaints"], &complained["version"]), (&json!(1), &json!(3)));
    let line = office.ask("anna", "GET", &format!("{path}/timeline")).send().await.expect(200)["items"][0].clone();
    assert_eq!((&line["change"]["event"], &line["change"]["text"]), (&json!("complained"), &json!("водитель опоздал")));
    office.ask("anna", "GET", "/api/v1/clients?q=a&number=1").send().await.expect(400);
    office.ask("anna", "GET", "/api/v1/clients/4711").send().await.expect(404);
}

#[tokio::test]
async fn a_change_over_another_version_is_refused_with_what_there_is_now_in_the_language_of_whoever_asks() {
    let office = Office::open().await;
    let card = made(&office, json!({"code": "7"})).await;
    let path = format!("/api/v1/clients/{}", card["id"]);
    office.ask("anna", "PATCH", &path).json(json!({"note": "первая"})).send().await.expect(200);
    let late = || office.ask("boris", "PATCH", &path).json(json!({"note": "вторая", "version": 1}));
    let problem = late().header("accept-language", "en").send().await.expect(409);
    assert_eq!(problem["type"], "urn:perezvon:problem:stale");
    assert_eq!((&problem["current"]["version"], &problem["current"]["note"]), (&json!(2), &json!("первая")));
    assert!(problem["detail"].as_str().unwrap().contains("you saw version 1, now it is 2"), "{problem}");
    let problem = late().header("accept-language", "ru-RU,en;q=0.5").send().await.expect(409);
    assert!(problem["detail"].as_str().unwrap().contains("вы видели версию 1, сейчас 2"), "{problem}");
    let ask = || office.ask("boris", "PATCH", &path).json(json!({"note": "вторая"}));
    ask().header("if-match", "\"1\"").send().await.expect(409);
    ask().header("if-match", "2").send().await.expect(400);
    late().header("if-match", "\"2\"").send().await.expect(400);
    ask().header("if-match", "\"2\"").send().await.expect(200);
    office.ask("boris", "PATCH", &path).json(json!({"conflict": 4})).send().await.expect(422);
    office.ask("boris", "PATCH", &path).json(json!({"referred_by": 1})).send().await.expect(422);
    made(&office, json!({"phones": [{"number": "89001112233"}]})).await;
    let taken = json!({"phones": [{"number": "+79001112233"}]});
    assert_eq!(
        office.ask("anna", "POST", "/api/v1/clients").json(taken).send().await.expect(409)["type"],
        "urn:perezvon:problem:taken"
    );
}

#[tokio::test]
async fn dispatchers_block_supervisors_unblock_and_merge_and_the_timeline_tells_all() {
    let office = Office::open().await;
    let first = made(&office, json!({"phones": [{"number": "89001112233"}]})).await;
    let second = made(&office, json!({"phones": [{"number": "89001112244"}], "note": "второй номер"})).await;
    let path = format!("/api/v1/clients/{}", first["id"]);
    let post =
        |login: &str, what: &str, body: Value| office.ask(login, "POST", &format!("{path}/{what}")).json(body).send();
    assert_eq!(post("anna", "block", json!({"reason": "шумит"})).await.expect(200)["blocked"]["by"]["name"], "anna");
    let order = json!({"client": first["id"], "from": {"street": "Мира"}});
    let problem = office.ask("anna", "POST", "/api/v1/orders").json(order).send().await.expect(403);
    assert_eq!(problem["type"], "urn:perezvon:problem:client_blocked");
    post("anna", "unblock", json!({})).await.expect(403);
    assert_eq!(post("sup", "unblock", json!({})).await.expect(200)["blocked"], Value::Null);
    post("sup", "unblock", json!({})).await.expect(409);
    post("anna", "confirm", json!({"what": {"kind": "phone", "number": "+79001112233"}})).await.expect(200);
    post("anna", "ledger/top-up", json!({"amount": 5000})).await.expect(201);
    post("anna", "merge", json!({"other": second["id"]})).await.expect(403);
    let merged = post("sup", "merge", json!({"other": second["id"], "other_version": 1})).await.expect(200);
    assert_eq!((&merged["merged_from"], &merged["note"]), (&json!([second["id"]]), &json!("второй номер")));
    assert_eq!(merged["phones"].as_array().unwrap().len(), 2);
    let line = office.ask("anna", "GET", &format!("{path}/timeline")).send().await.expect(200);
    let kinds: Vec<_> = line["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "card").count(), 7, "{line}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "ledger").count(), 1);
    assert_eq!(line["items"][1]["change"]["event"], "absorbed", "{line}");
    let money = office.ask("anna", "GET", &format!("{path}/timeline?kinds=ledger,order")).send().await.expect(200);
    assert_eq!(money["items"][0]["entry"]["amount"], 5000);
    office.ask("anna", "GET", &format!("{path}/timeline?kinds=fax")).send().await.expect(400);
}

#[tokio::test]
async fn money_comes_and_goes_and_the_ledger_and_its_sums_tell_it() {
    let office = Office::open().await;
    let card = made(&office, json!({"phones": [{"number": "89001112233"}]})).await;
    let path = format!("/api/v1/clients/{}/ledger", card["id"]);
    let enter =
        |login: &str, what: &str, body: Value| office.ask(login, "POST", &format!("{path}/{what}")).json(body).send();
    let entered = enter("anna", "top-up", json!({"amount": 10_000, "method": "cash", "version": 0})).await.expect(201);
    assert_eq!(entered["balances"], json!({"account": 10_000, "bonus": 0, "entries": 1}));
    let stale = enter("anna", "top-up", json!({"amount": 1, "version": 0})).await.expect(409);
    assert_eq!(stale["current"]["balances"]["entries"], 1, "{stale}");
    enter("anna", "accrue", json!({"amount": 300, "comment": "день рождения"})).await.expect(201);
    enter("anna", "write-off", json!({"amount": 100, "book": "bonus"})).await.expect(201);
    enter("anna", "write-off", json!({"amount": 100})).await.expect(403);
    enter("sup", "write-off", json!({"amount": 10_001})).await.expect(409);
    let order = json!({"client": card["id"], "from": {"street": "Мира"}});
    let order = office.ask("anna", "POST", "/api/v1/orders").json(order).send().await.expect(201);
    enter("anna", "pay", json!({"amount": 2000})).await.expect(422);
    enter("anna", "pay", json!({"amount": 2000, "order": order["id"]})).await.expect(201);
    enter("anna", "refund", json!({"amount": 500, "order": order["id"]})).await.expect(403);
    enter("sup", "refund", json!({"amount": 500, "order": order["id"]})).await.expect(201);
    enter("sup", "refund", json!({"amount": 1501, "order": order["id"]})).await.expect(409);
    for wrong in [json!({"amount": 0}), json!({"amount": -5}), json!({"amount": 5, "phone": "нет"}), json!({})] {
        enter("anna", "top-up", wrong).await.expect(422);
    }
    let list = office.ask("anna", "GET", &format!("{path}?book=bonus")).send().await.expect(200);
    let amounts: Vec<_> = list["items"].as_array().unwrap().iter().map(|line| line["amount"].clone()).collect();
    assert_eq!(amounts, [json!(-100), json!(300)]);
    office.ask("anna", "GET", "/api/v1/ledger").send().await.expect(403);
    let all = office.ask("sup", "GET", "/api/v1/ledger?kind=top_up&limit=1").send().await.expect(200);
    assert_eq!((all["items"].as_array().unwrap().len(), &all["next"]), (1, &Value::Null));
    let sums = office.ask("sup", "GET", "/api/v1/ledger/totals").send().await.expect(200);
    let sum: i64 = sums["items"].as_array().unwrap().iter().map(|sum| sum["sum"].as_i64().unwrap()).sum();
    assert_eq!(sum, 10_000 + 300 - 100 - 2000 + 500);
}

#[tokio::test]
async fn clients_to_think_of_are_told_as_a_list_and_on_the_card() {
    let office = Office::open().await;
    let dates = json!({"birthday": "1990-03-05", "others": [{"label": "свадьба", "date": "2010-12-31"}]});
    let card = made(&office, json!({"code": "7", "dates": dates})).await;
    let list = async |query: &str| {
        let path = format!("/api/v1/clients/attention?{query}");
        office.ask("anna", "GET", &path).send().await.expect(200)
    };
    let birthday = list("from=2099-03-01&days=5").await;
    let expected = json!([{"on": "2099-03-05", "client": card["id"], "title": "", "phone": "",
        "why": [{"reason": {"kind": "birthday"}, "on": "2099-03-05", "years": 109}]}]);
    assert_eq!((&birthday["items"], &birthday["new_year"]), (&expected, &Value::Null));
    let winter = list("from=2099-12-31&days=2").await;
    assert_eq!(
        (&winter["items"][0]["why"][0]["reason"]["label"], &winter["new_year"]),
        (&json!("свадьба"), &json!("2100-01-01"))
    );
    assert_eq!(list("from=2099-03-06&days=1").await["items"], json!([]));
    for query in ["days=0", "days=367", "from=2099-02-30", "cursor=x"] {
        office.ask("anna", "GET", &format!("/api/v1/clients/attention?{query}")).send().await.expect(400);
    }
    let path = format!("/api/v1/clients/{}", card["id"]);
    let shown = office.ask("anna", "GET", &path).send().await.expect(200);
    assert!(shown["attention"].is_array(), "{shown}");
}

#[tokio::test]
async fn what_the_database_refuses_is_told_in_the_language_of_whoever_asks() {
    let office = Office::open().await;
    made(&office, json!({"code": "7"})).await;
    for (language, words) in [("en", "is taken already, choose another"), ("ru", "Уже занято: такой номер карточки")]
    {
        let again = office.ask("anna", "POST", "/api/v1/clients").json(json!({"code": "7"}));
        let problem = again.header("accept-language", language).send().await.expect(409);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{problem}");
    }
    for (language, words) in [("en", "there is no client 99"), ("ru", "Клиента № 99 нет.")] {
        let ask = office.ask("anna", "GET", "/api/v1/clients/99").header("accept-language", language);
        assert_eq!(ask.send().await.expect(404)["detail"], words);
    }
}
