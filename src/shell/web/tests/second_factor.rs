//! Logging in with a code as well.

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::office::{Got, Office, PASSWORD};
use crate::shell::clock;

/// The code that the user's device shows, so many half minutes from now.
fn code(secret: &Value, steps: i64) -> String {
    let secret = Secret::try_from_base32(secret.as_str().unwrap()).unwrap();
    let totp = Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    totp.generate(u64::try_from(clock::wall().0 / 1000 + 30 * steps).unwrap()).to_string()
}

async fn log_in(office: &Office, body: Value) -> Got {
    office.ask("", "POST", "/api/v1/session").from("10.0.0.1").json(body).send().await
}

async fn send(office: &Office, login: &str, what: &str, code: &str) -> Got {
    let path = format!("/api/v1/me/second-factor/{what}");
    office.ask(login, "POST", &path).json(json!({"code": code})).send().await
}

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().rsplit(':').next().unwrap()
}

async fn begun(office: &Office, login: &str) -> Value {
    let begun = office.ask(login, "POST", "/api/v1/me/second-factor").send().await.expect(201);
    assert!(begun["url"].as_str().unwrap().starts_with("otpauth://totp/Perezvon:"), "{begun}");
    assert!(begun["qr_svg"].as_str().unwrap().contains("<svg"), "{begun}");
    begun["secret"].clone()
}

#[tokio::test]
async fn who_has_a_second_factor_needs_a_code_and_each_code_is_good_once() {
    let office = Office::open().await;
    let password_only = json!({"login": "sup", "password": PASSWORD});
    assert_eq!(kind(&send(&office, "sup", "confirm", "123456").await.expect(409)), "second_factor_not_begun");
    begun(&office, "sup").await;
    let secret = begun(&office, "sup").await;
    // It is not asked for before the device is known to have it.
    log_in(&office, password_only.clone()).await.expect(200);
    assert_eq!(kind(&send(&office, "sup", "confirm", "000 0000").await.expect(401)), "wrong_code");
    let spaced = code(&secret, -1);
    let spaced = format!("{} {}", &spaced[..3], &spaced[3..]);
    send(&office, "sup", "confirm", &spaced).await.expect(204);
    assert_eq!(office.ask("sup", "GET", "/api/v1/me").send().await.expect(200)["second_factor"], true);
    office.ask("sup", "POST", "/api/v1/me/second-factor").send().await.expect(409);

    assert_eq!(kind(&log_in(&office, password_only.clone()).await.expect(401)), "code_needed");
    let with = |code: String| json!({"login": "sup", "password": PASSWORD, "code": code});
    assert_eq!(kind(&log_in(&office, with(code(&secret, -1))).await.expect(401)), "wrong_code");
    log_in(&office, with(code(&secret, 0))).await.expect(200);
    assert_eq!(kind(&log_in(&office, with(code(&secret, 0))).await.expect(401)), "wrong_code");
    let wrong = json!({"login": "sup", "password": "wrong horse", "code": code(&secret, 1)});
    assert_eq!(kind(&log_in(&office, wrong).await.expect(401)), "wrong_password");

    send(&office, "sup", "remove", &code(&secret, 1)).await.expect(204);
    assert_eq!(kind(&send(&office, "sup", "remove", "123456").await.expect(409)), "no_second_factor");
    log_in(&office, password_only).await.expect(200);
    let actions: Vec<String> = office.audited().await.into_iter().map(|line| line.1).collect();
    assert!(actions.contains(&"second_factor_on".to_owned()) && actions.contains(&"second_factor_off".to_owned()));
}

#[tokio::test]
async fn codes_are_not_to_be_guessed_and_an_administrator_ends_the_factor_of_who_lost_the_device() {
    let office = Office::open().await;
    let secret = begun(&office, "sup").await;
    send(&office, "sup", "confirm", &code(&secret, 0)).await.expect(204);
    // The password told in between does not help the one who guesses codes.
    let mut slowed = false;
    for n in 0..12 {
        log_in(&office, json!({"login": "sup", "password": PASSWORD})).await;
        let guess = json!({"login": "sup", "password": PASSWORD, "code": format!("{n:06}")});
        slowed |= log_in(&office, guess).await.status == 429;
    }
    assert!(slowed);
    let users = office.ask("admin", "GET", "/api/v1/users").send().await.expect(200);
    let sup = users["items"].as_array().unwrap().iter().find(|user| user["login"] == "sup").unwrap().clone();
    assert_eq!(sup["second_factor"], true);
    let path = format!("/api/v1/users/{}", sup["id"]);
    let change = |value: bool| office.ask("admin", "PATCH", &path).json(json!({"second_factor": value})).send();
    change(true).await.expect(422);
    assert_eq!(change(false).await.expect(200)["second_factor"], false);
}

#[tokio::test]
async fn where_the_office_requires_it_rights_come_with_the_second_factor() {
    let office = Office::open_as(|web| web.require_second_factor = true).await;
    let me = office.ask("sup", "GET", "/api/v1/me").send().await.expect(200);
    assert_eq!((&me["role"], &me["second_factor_required"]), (&json!("agent"), &json!(true)));
    office.ask("sup", "GET", "/api/v1/recordings").send().await.expect(403);
    let secret = begun(&office, "sup").await;
    send(&office, "sup", "confirm", &code(&secret, 0)).await.expect(204);
    office.ask("sup", "GET", "/api/v1/recordings").send().await.expect(200);
    let anna = office.ask("anna", "GET", "/api/v1/me").send().await.expect(200);
    assert_eq!(anna["second_factor_required"], false);
}
