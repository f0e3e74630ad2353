//! The API's description.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

use crate::shell::shapes::call::CallNews;
use crate::shell::shapes::order::OrderNews;
use crate::shell::store::users::Role;
use crate::shell::store::webhooks::EVENTS;

use super::access::Access;
use super::problem::{MEDIA_TYPE, Problem};
use super::routes::Route;
use super::{
    access, addresses, agents, attention, audit, blocked, call_log, callbacks, calls, client_actions, clients, console,
    dial, exchange, health, journal, journal_actions, keys, ledgers, marks, metrics, monitor, notifications,
    order_actions, orders, phone, purposes, quality, queue, recording_keeping, recordings, reports, routes, schedules,
    second_factor, session, settings, shares, sms, stream, streets, tariffs, transcripts, users, webhooks,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Perezvon",
        description = "Telephony and IVR engine for dispatch offices. Errors are problem details (RFC 9457). Moments \
            are RFC 3339 in UTC. Lists are paged by cursor. Money is kopecks. A write with the header Idempotency-Key is \
            done once, however often it is sent. Orders, cards, contacts, tariffs, groups and purposes answer with an ETag, their version: sent back as If-Match, or \
            as `version` in the body, it keeps a change from overwriting another's (409, with `current`). Refusals are \
            in Russian or English by Accept-Language."
    ),
    paths(
        console::page,
        serve,
        health::live,
        health::ready,
        metrics::metrics,
        session::log_in,
        session::log_out,
        session::me,
        phone::mine,
        phone::choose,
        phone::here,
        phone::socket,
        second_factor::begin,
        second_factor::confirm,
        second_factor::remove,
        users::list,
        users::add,
        users::change,
        agents::list,
        agents::colleagues,
        agents::add,
        agents::change,
        agents::ready,
        agents::pause_me,
        agents::offline,
        agents::end_wrap_up,
        agents::set_state,
        queue::board,
        call_log::list,
        call_log::one,
        calls::live,
        dial::dial,
        calls::hold,
        calls::resume,
        calls::pause_recording,
        calls::resume_recording,
        calls::hang_up,
        calls::transfer,
        calls::complete_transfer,
        calls::cancel_transfer,
        monitor::monitor,
        monitor::stop,
        callbacks::list,
        callbacks::add,
        callbacks::one,
        callbacks::cancel,
        callbacks::now,
        blocked::list,
        blocked::block,
        blocked::unblock,
        recordings::list,
        recordings::one,
        recordings::audio,
        recordings::picture,
        recordings::download,
        transcripts::one,
        marks::list,
        marks::add,
        marks::change,
        marks::remove,
        shares::list,
        shares::make,
        shares::revoke,
        shares::page,
        shares::about,
        shares::audio,
        shares::picture,
        shares::hearings,
        recording_keeping::gaps,
        recording_keeping::held,
        recording_keeping::hold,
        recording_keeping::release,
        recording_keeping::wish,
        recording_keeping::set_wish,
        recording_keeping::forget_wish,
        clients::list,
        clients::create,
        attention::list,
        clients::one,
        clients::change,
        client_actions::timeline,
        client_actions::confirm,
        client_actions::block,
        client_actions::complaint,
        client_actions::unblock,
        client_actions::merge,
        ledgers::of_client,
        ledgers::top_up,
        ledgers::pay,
        ledgers::accrue,
        ledgers::write_off,
        ledgers::refund,
        ledgers::of_all,
        ledgers::totals,
        orders::list,
        orders::create,
        orders::one,
        orders::change,
        orders::fare,
        order_actions::assign,
        order_actions::reassign,
        order_actions::eta,
        order_actions::release,
        order_actions::arrive,
        order_actions::start,
        order_actions::point,
        order_actions::finish,
        order_actions::no_car,
        order_actions::search_again,
        order_actions::cancel,
        order_actions::no_show,
        order_actions::wake,
        journal::list,
        journal::create,
        journal::board,
        journal::people,
        journal::one,
        journal::change,
        journal::history,
        journal_actions::take,
        journal_actions::wait,
        journal_actions::done,
        journal_actions::ignore,
        journal_actions::transfer,
        journal_actions::link,
        journal_actions::unlink,
        notifications::list,
        notifications::seen,
        purposes::purposes,
        purposes::purpose,
        purposes::add_purpose,
        purposes::change_purpose,
        sms::list,
        sms::write,
        sms::one,
        sms::report,
        sms::receive,
        tariffs::tariffs,
        tariffs::add_tariff,
        tariffs::tariff,
        tariffs::change_tariff,
        tariffs::estimate,
        tariffs::groups,
        tariffs::add_group,
        tariffs::group,
        tariffs::change_group,
        addresses::hints,
        audit::list,
        reports::one,
        reports::wallboard,
        schedules::list,
        schedules::add,
        schedules::change,
        schedules::remove,
        schedules::send,
        schedules::mails,
        quality::forms,
        quality::add_form,
        quality::form,
        quality::change_form,
        quality::grades,
        quality::give,
        quality::report,
        streets::list,
        streets::add,
        streets::remove,
        streets::settlements,
        streets::import,
        settings::list,
        settings::one,
        settings::set,
        settings::reset,
        exchange::export_clients,
        exchange::import_clients,
        exchange::personal_data,
        exchange::erase,
        exchange::export_orders,
        exchange::import_orders,
        keys::list,
        keys::add,
        keys::revoke,
        webhooks::list,
        webhooks::one,
        webhooks::add,
        webhooks::change,
        webhooks::remove,
        webhooks::ping,
        webhooks::pending,
        webhooks::give_up,
        stream::stream,
    ),
    components(schemas(Problem, stream::StreamMessage)),
    components(schemas(OrderNews, CallNews)),
    modifiers(&LogIn, &Problems)
)]
struct Api;

/// How one is let in.
struct LogIn;

impl utoipa::Modify for LogIn {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(access::COOKIE)));
        components.add_security_scheme("session", cookie);
        let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(bearer())).build();
        components.add_security_scheme("api_key", SecurityScheme::Http(key));
        for route in routes::all() {
            let operation = api.paths.paths.get_mut(route.path).and_then(|item| match route.method {
                "GET" => item.get.as_mut(),
                "POST" => item.post.as_mut(),
                "PATCH" => item.patch.as_mut(),
                "PUT" => item.put.as_mut(),
                "DELETE" => item.delete.as_mut(),
                _ => None,
            });
            if let Some(operation) = operation {
                operation.security = Some(ways_in(&route));
            }
        }
    }
}

/// What every operation can answer besides what it says itself, and in which media type.
struct Problems;

impl utoipa::Modify for Problems {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        for item in api.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                for response in responses.values_mut() {
                    if let RefOr::T(response) = response {
                        as_problem(response);
                    }
                }
                responses.entry("default".to_owned()).or_insert_with(|| RefOr::T(any_problem()));
            }
        }
        open_parts(api);
    }
}

/// A problem has a media type of its own.
fn as_problem(response: &mut Response) {
    let is_problem = |content: &Content| match &content.schema {
        Some(RefOr::Ref(reference)) => reference.ref_location.ends_with("/Problem"),
        Some(RefOr::T(_)) | None => false,
    };
    if response.content.get("application/json").is_some_and(is_problem)
        && let Some(content) = response.content.shift_remove("application/json")
    {
        response.content.insert(MEDIA_TYPE.to_owned(), content);
    }
}

/// The form of a request, who asks, how often, whether the database answers: these can be wrong with any request.
fn any_problem() -> Response {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    ResponseBuilder::new().description("Whatever goes wrong").content(MEDIA_TYPE, content).build()
}

/// A shape that is a part of a larger one says nothing of what else the larger one holds.
fn open_parts(api: &mut utoipa::openapi::OpenApi) {
    let Some(components) = api.components.as_mut() else { return };
    let mut parts = BTreeSet::new();
    for schema in components.schemas.values() {
        if let RefOr::T(Schema::AllOf(all)) = schema {
            for item in &all.items {
                if let RefOr::Ref(reference) = item {
                    parts.extend(reference.ref_location.rsplit('/').next().map(str::to_owned));
                }
            }
        }
    }
    for part in parts {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&part) {
            object.additional_properties = None;
        }
    }
}

/// How one is let in by a route: one of these. Beside the key stand the scopes that it needs.
fn ways_in(route: &Route) -> Vec<SecurityRequirement> {
    let session = SecurityRequirement::new::<_, [&str; 0], &str>("session", []);
    let key = |scope: String| SecurityRequirement::new("api_key", [scope]);
    let programs = || {
        let own = routes::scope(route.section, route.method == "GET");
        route.also.iter().map(|scope| (*scope).to_owned()).chain([own]).map(key)
    };
    match route.access {
        Access::Public => Vec::new(),
        Access::Local => [SecurityRequirement::default(), session].into_iter().chain(programs()).collect(),
        Access::Person | Access::Role(Role::Administrator) => vec![session],
        Access::Role(Role::Agent | Role::Supervisor) => [session].into_iter().chain(programs()).collect(),
    }
}

fn bearer() -> String {
    let scopes = routes::scopes().into_iter().collect::<Vec<_>>().join("`, `");
    format!(
        "An API key, made by `POST /api/v1/keys` or `perezvon key add`. Each operation names the scope that a key needs \
         for it; an operation without one is for people. Scopes: `{scopes}`."
    )
}

/// The description as JSON, with the webhooks.
pub fn describe() -> serde_json::Result<String> {
    let mut api = serde_json::to_value(Api::openapi())?;
    let told: serde_json::Map<String, Value> = EVENTS.iter().map(|event| ((*event).to_owned(), told(event))).collect();
    if let Value::Object(sections) = &mut api {
        sections.insert("webhooks".to_owned(), Value::Object(told));
    }
    serde_json::to_string_pretty(&api)
}

/// What an endpoint is told of an event of this type.
fn told(event: &str) -> Value {
    let news = if event.starts_with("order.") { "OrderNews" } else { "CallNews" };
    let schema = json!({
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"type": "string", "const": event},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"$ref": format!("#/components/schemas/{news}")},
        },
    });
    json!({"post": {
        "operationId": format!("told_{}", event.replace('.', "_")),
        "summary": "What webhooks are told; see POST /api/v1/webhooks.",
        "tags": ["webhooks"],
        "security": [],
        "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
        "responses": {"2XX": {"description": "It was taken and is not sent again"}},
    }})
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "about", responses((status = 200, body = Object)))]
pub(super) async fn serve() -> Result<impl axum::response::IntoResponse, Problem> {
    let text = describe().map_err(|cause| Problem::internal(&cause))?;
    Ok(([(axum::http::header::CONTENT_TYPE, "application/json")], text))
}
