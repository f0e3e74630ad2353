//! SMS through a real Kannel, with its stand-in for a mobile network.

use hyper::Method;
use serde_json::{Value, json};

use crate::kannel::{Kannel, UNROUTABLE};
use crate::office::{Office, Options};
use crate::wait::wait_for;

const SECRET: &str = "0123456789abcdef0123456789";
const CLIENT: &str = "79001234567";

fn open() -> (Office, Kannel) {
    let mut kannel = Kannel::plan();
    let more =
        format!("[sms]\nsecret = \"{SECRET}\"\nreport_url = \"http://127.0.0.1:{{web_port}}\"\n{}", kannel.provider());
    let office = Office::open(Options { more: more.leak(), ..Options::default() });
    let incoming = format!("http://127.0.0.1:{}/api/v1/sms/gateways/kannel/{SECRET}/incoming", office.web_port);
    kannel.start(&office.dir, &incoming);
    (office, kannel)
}

/// Writes to a number; gives the id.
#[track_caller]
fn write(office: &Office, to: &str, text: &str) -> i64 {
    office.api.post("/sms", &json!({"to": to, "text": text}))["id"].as_i64().expect("an id")
}

#[track_caller]
fn when(office: &Office, id: i64, state: &str, seconds: u64) -> Value {
    wait_for(&format!("SMS {id} is {state}"), seconds, || {
        let sms = office.api.get(&format!("/sms/{id}"));
        if sms["state"] == state { Ok(sms) } else { Err(sms.to_string()) }
    })
}

/// Waits until what this client wrote has come in; gives it.
#[track_caller]
fn came(office: &Office, text: &str) -> Value {
    wait_for(&format!("«{text}» comes in"), 20, || {
        let page = office.api.get("/sms?direction=in");
        let items = page["items"].as_array().expect("items");
        // Between its coming in and its answer lies a moment.
        let done = |sms: &&Value| sms["text"] == text && (sms["reason"] == "" || sms["state"] == "answered");
        items.iter().find(done).cloned().ok_or_else(|| page.to_string())
    })
}

#[test]
fn sms_are_sent_delivered_refused_and_cut_in_two() {
    let (office, kannel) = open();
    let network = kannel.network(CLIENT, "Спасибо, всё хорошо");
    let id = write(&office, "8 900 123-45-67", "Your car is waiting");
    let sms = when(&office, id, "delivered", 20);
    assert_eq!((&sms["parts"], &sms["provider"], &sms["attempts"]), (&json!(1), &json!("kannel"), &json!(1)));
    network.wait_for("Your car is waiting", 5);
    let text =
        "Вас ждёт белая Kia Rio, А123ВС77. Бесплатное ожидание 5 мин. Позвоните нам, если её не видно у подъезда.";
    let id = write(&office, CLIENT, text);
    assert_eq!(when(&office, id, "delivered", 20)["parts"], 2);
    let end = network.wait_for("у подъезда.", 5);
    let arrived = network.arrived();
    let begin = arrived.iter().find(|part| part.starts_with("Вас ждёт")).expect("the first part");
    assert_eq!(format!("{begin}{end}"), text);
    let id = write(&office, &format!("{UNROUTABLE}1234567"), "Nobody");
    let sms = when(&office, id, "failed", 20);
    assert!(sms["error"].as_str().unwrap().contains("Not routable"), "{sms}");
    // Nobody but a person knows what to answer.
    assert_eq!(came(&office, "Спасибо, всё хорошо")["state"], "received");
    let metrics = office.api.ask(&Method::GET, "/metrics", None).unwrap();
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    for line in [
        "sms_ended_total{provider=\"kannel\",state=\"delivered\"} 2",
        "sms_ended_total{provider=\"kannel\",state=\"failed\"} 1",
        "sms_parts_total{provider=\"kannel\"} 3",
        "sms_delivery_seconds_count 2",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    office.assert_clean();
}

#[test]
fn who_writes_where_is_told_how_the_order_stands_and_who_writes_cancel_has_it_cancelled() {
    let (office, kannel) = open();
    let order = json!({"phone": CLIENT, "from": {"street": "Ленина", "house": "5"}});
    let order = office.api.post("/orders", &order)["id"].clone();
    let car = json!({"make": "Kia", "model": "Rio", "colour": "белый", "plate": "А123ВС77"});
    office.api.post(&format!("/orders/{order}/assign"), &json!({"car": car, "eta_minutes": 7}));
    {
        let network = kannel.network(CLIENT, "Где машина?");
        network.wait_for("К вам едет белая Kia Rio, А123ВС77, будет через 7 мин.", 20);
        let asked = came(&office, "Где машина?");
        assert_eq!((&asked["reason"], &asked["order"]), (&json!("where"), &order));
        when(&office, asked["answer"].as_i64().unwrap(), "delivered", 10);
    }
    let network = kannel.network(CLIENT, "отмена");
    network.wait_for("Ваш заказ отменён.", 20);
    let order = office.api.get(&format!("/orders/{order}"));
    assert_eq!(order["state"], "cancelled", "{order}");
    let last = order["history"].as_array().unwrap().last().unwrap();
    assert_eq!(last["source"], "sms", "{last}");
    office.assert_clean();
}

#[test]
fn what_waits_for_the_gateway_outlives_the_engine_and_is_sent_once() {
    let (office, kannel) = open();
    kannel.kill_smsbox();
    let id = write(&office, CLIENT, "Wait for me");
    wait_for("the first attempt has failed", 20, || {
        let sms = office.api.get(&format!("/sms/{id}"));
        if sms["attempts"] == 1 { Ok(()) } else { Err(sms.to_string()) }
    });
    office.kill_engine();
    kannel.start_smsbox();
    let network = kannel.network("79007654321", "Спасибо");
    office.start_engine();
    let sms = when(&office, id, "delivered", 30);
    assert_eq!(sms["attempts"], 2, "{sms}");
    came(&office, "Спасибо");
    let arrived = network.arrived();
    assert_eq!(arrived.iter().filter(|text| *text == "Wait for me").count(), 1, "{arrived:?}");
}
