//! Who may do what: every route with every kind of client.

use std::collections::BTreeSet;

use serde_json::Value;

use super::office::Office;
use crate::shell::clock;
use crate::shell::store::users::Role;
use crate::shell::web::access::Access;
use crate::shell::web::openapi::describe;
use crate::shell::web::routes;

fn concrete(path: &str) -> String {
    path.replace("{id}", "999").replace("{number}", "79990000000").replace("{name}", "days")
}

/// What only one who works as an agent has.
fn for_agents(path: &str) -> bool {
    path.contains("/agents/me/") || path.starts_with("/api/v1/me/phone")
}

/// Is this a refusal of the guard?
fn refused(status: u16) -> bool {
    status == 401 || status == 403
}

#[tokio::test]
async fn every_route_lets_in_exactly_those_whom_the_table_names() {
    let office = Office::open().await;
    let mut seen = 0;
    for route in routes::all() {
        if route.path == "/api/v1/session" && route.method == "DELETE" {
            continue;
        }
        for (login, role) in [
            ("", None),
            ("anna", Some(Role::Agent)),
            ("sup", Some(Role::Supervisor)),
            ("admin", Some(Role::Administrator)),
        ] {
            let may = match route.access {
                Access::Public => true,
                Access::Local => role.is_some_and(|role| role >= Role::Supervisor),
                // Only anna works as an agent: the others are told so, with 403.
                Access::Person => role.is_some() && (!for_agents(route.path) || login == "anna"),
                Access::Role(least) => role.is_some_and(|role| role >= least),
            };
            let got = office.ask(login, route.method, &concrete(route.path)).from("192.0.2.1").send().await;
            let status = got.status.as_u16();
            let what = format!("{} {} as {login:?}: {status}", route.method, route.path);
            // Both need a body, and its absence is told before whose it is.
            let bodiless = route.path == "/api/v1/session"
                || (route.path == "/api/v1/me/phone" && route.method == "PUT" && role.is_some());
            if bodiless {
                assert_eq!(status, 415, "{what}");
            } else if may {
                assert!(!refused(status), "{what}");
            } else {
                assert_eq!(status, if role.is_none() { 401 } else { 403 }, "{what}");
                got.expect(status);
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[tokio::test]
async fn a_program_may_what_its_scopes_say_and_no_more() {
    let office = Office::open().await;
    let none = key(&office, "none", &[]).await;
    for (n, route) in routes::all().into_iter().enumerate() {
        if route.access == Access::Public {
            continue;
        }
        let right = routes::scope(route.section, route.method == "GET");
        let given = key(&office, &n.to_string(), &[&right]).await;
        let path = concrete(route.path);
        let ask = |key: &str| {
            let ask = office.ask("", route.method, &path).from("192.0.2.1");
            ask.header("authorization", &format!("Bearer {key}")).send()
        };
        ask(&none).await.expect(403);
        let people_only = matches!(route.access, Access::Person | Access::Role(Role::Administrator));
        let got = ask(&given).await;
        assert_eq!(refused(got.status.as_u16()), people_only, "{} {}", route.method, route.path);
        let keys = office.store.list_api_keys().await.unwrap();
        let used = keys.iter().find(|key| key.name == n.to_string()).unwrap();
        office.store.disable_api_key(used.id).await.unwrap();
        ask(&given).await.expect(401);
    }
}

async fn key(office: &Office, name: &str, scopes: &[&str]) -> String {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    office.store.add_api_key(name, &scopes, clock::wall()).await.unwrap()
}

#[tokio::test]
async fn a_wrong_key_is_a_stranger() {
    let office = Office::open().await;
    for value in ["Bearer nonsense", "Basic YTpi", "Bearer", ""] {
        let got = office.ask("admin", "GET", "/api/v1/queue").header("authorization", value).send().await;
        assert_eq!(got.header("www-authenticate"), "Bearer");
        got.expect(401);
    }
}

#[test]
fn the_description_lists_every_route_and_no_other() {
    let api: Value = serde_json::from_str(&describe().unwrap()).unwrap();
    let mut described = BTreeSet::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let served: BTreeSet<String> =
        routes::all().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(served, described);
}
