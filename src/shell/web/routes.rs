//! The one table of addresses: method, path, who may, which section of API keys' scopes, handler.

use std::collections::BTreeSet;

use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use crate::shell::store::users::Role;

use super::access::{Access, Rule, guard};
use super::intake::Takes;
use super::{
    WebState, addresses, agents, attention, audit, blocked, call_log, callbacks, calls, client_actions, clients,
    console, dial, exchange, health, intake, journal, journal_actions, keys, ledgers, marks, metrics, monitor,
    notifications, openapi, order_actions, orders, phone, purposes, quality, queue, recording_keeping, recordings,
    reports, schedules, second_factor, session, settings, shares, sms, stream, streets, tariffs, transcripts, users,
    webhooks,
};

/// One address.
pub struct Route {
    /// `GET`, `POST`, ….
    pub method: &'static str,
    /// As axum and OpenAPI write it.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// What an API key's scope is called: `calls` in `calls:read`.
    pub section: &'static str,
    /// Scopes that let a program in as well.
    pub also: &'static [&'static str],
    takes: Takes,
    handler: MethodRouter<WebState>,
}

/// The scope of a driver's terminal: to report what a driver does with an order, and nothing else of orders.
pub const DRIVERS: &str = "drivers";

impl Route {
    /// Programs with one of these scopes are let in as well.
    #[must_use]
    pub fn also(mut self, scopes: &'static [&'static str]) -> Route {
        self.also = scopes;
        self
    }

    /// Its body is a table (CSV) instead of JSON.
    fn takes_table(mut self) -> Route {
        self.takes = Takes::Table;
        self
    }

    /// The handler behind its guards.
    pub(super) fn guarded(self, state: &WebState) -> MethodRouter<WebState> {
        let rule = Rule { access: self.access, section: self.section, also: self.also };
        // The last one is the outermost: nobody's body is read before it is known who sends it.
        self.handler
            .route_layer(from_fn_with_state((state.clone(), self.takes), intake::intake))
            .route_layer(from_fn_with_state((state.clone(), rule), guard))
    }
}

/// Every address that is served.
#[must_use]
pub fn all() -> Vec<Route> {
    let agent = Access::Role(Role::Agent);
    let supervisor = Access::Role(Role::Supervisor);
    let administrator = Access::Role(Role::Administrator);
    let route = |method, path, access, section, handler| Route {
        method,
        path,
        access,
        section,
        also: &[],
        takes: Takes::Json,
        handler,
    };
    vec![
        route("GET", "/", Access::Public, "page", get(console::page)),
        route("GET", "/api/openapi.json", Access::Public, "openapi", get(openapi::serve)),
        route("GET", "/health/live", Access::Public, "health", get(health::live)),
        route("GET", "/health/ready", Access::Public, "health", get(health::ready)),
        route("GET", "/metrics", Access::Local, "metrics", get(metrics::metrics)),
        route("POST", "/api/v1/session", Access::Public, "session", post(session::log_in)),
        route("DELETE", "/api/v1/session", Access::Person, "session", delete(session::log_out)),
        route("GET", "/api/v1/me", Access::Person, "session", get(session::me)),
        route("GET", "/api/v1/me/phone", Access::Person, "session", get(phone::mine)),
        route("PUT", "/api/v1/me/phone", Access::Person, "session", put(phone::choose)),
        route("POST", "/api/v1/me/phone/here", Access::Person, "session", post(phone::here)),
        route("GET", "/ws", Access::Person, "stream", get(phone::socket)),
        route("POST", "/api/v1/me/second-factor", Access::Person, "session", post(second_factor::begin)),
        route("POST", "/api/v1/me/second-factor/confirm", Access::Person, "session", post(second_factor::confirm)),
        route("POST", "/api/v1/me/second-factor/remove", Access::Person, "session", post(second_factor::remove)),
        route("GET", "/api/v1/users", administrator, "users", get(users::list)),
        route("POST", "/api/v1/users", administrator, "users", post(users::add)),
        route("PATCH", "/api/v1/users/{id}", administrator, "users", patch(users::change)),
        route("GET", "/api/v1/agents", supervisor, "agents", get(agents::list)),
        route("GET", "/api/v1/agents/colleagues", agent, "agents", get(agents::colleagues)),
        route("POST", "/api/v1/agents", administrator, "agents", post(agents::add)),
        route("PATCH", "/api/v1/agents/{id}", administrator, "agents", patch(agents::change)),
        route("POST", "/api/v1/agents/me/ready", Access::Person, "agents", post(agents::ready)),
        route("POST", "/api/v1/agents/me/pause", Access::Person, "agents", post(agents::pause_me)),
        route("POST", "/api/v1/agents/me/offline", Access::Person, "agents", post(agents::offline)),
        route("POST", "/api/v1/agents/me/end-wrap-up", Access::Person, "agents", post(agents::end_wrap_up)),
        route("POST", "/api/v1/agents/{id}/state", supervisor, "agents", post(agents::set_state)),
        route("GET", "/api/v1/queue", agent, "queue", get(queue::board)),
        route("GET", "/api/v1/calls", agent, "calls", get(call_log::list)),
        route("POST", "/api/v1/calls", agent, "calls", post(dial::dial)),
        route("GET", "/api/v1/calls/{id}", agent, "calls", get(call_log::one)),
        route("GET", "/api/v1/calls/live", agent, "calls", get(calls::live)),
        route("POST", "/api/v1/calls/{id}/hold", agent, "calls", post(calls::hold)),
        route("POST", "/api/v1/calls/{id}/resume", agent, "calls", post(calls::resume)),
        route("POST", "/api/v1/calls/{id}/recording/pause", agent, "calls", post(calls::pause_recording)),
        route("POST", "/api/v1/calls/{id}/recording/resume", agent, "calls", post(calls::resume_recording)),
        route("POST", "/api/v1/calls/{id}/hangup", agent, "calls", post(calls::hang_up)),
        route("POST", "/api/v1/calls/{id}/transfer", agent, "calls", post(calls::transfer)),
        route("POST", "/api/v1/calls/{id}/transfer/complete", agent, "calls", post(calls::complete_transfer)),
        route("POST", "/api/v1/calls/{id}/transfer/cancel", agent, "calls", post(calls::cancel_transfer)),
        route("POST", "/api/v1/calls/{id}/monitor", supervisor, "calls", post(monitor::monitor)),
        route("DELETE", "/api/v1/calls/{id}/monitor", supervisor, "calls", delete(monitor::stop)),
        route("GET", "/api/v1/blocked-numbers", supervisor, "blocked-numbers", get(blocked::list)),
        route("POST", "/api/v1/blocked-numbers", supervisor, "blocked-numbers", post(blocked::block)),
        route("DELETE", "/api/v1/blocked-numbers/{number}", supervisor, "blocked-numbers", delete(blocked::unblock)),
        route("GET", "/api/v1/callbacks", agent, "callbacks", get(callbacks::list)),
        route("POST", "/api/v1/callbacks", agent, "callbacks", post(callbacks::add)),
        route("GET", "/api/v1/callbacks/{id}", agent, "callbacks", get(callbacks::one)),
        route("POST", "/api/v1/callbacks/{id}/cancel", agent, "callbacks", post(callbacks::cancel)),
        route("POST", "/api/v1/callbacks/{id}/now", agent, "callbacks", post(callbacks::now)),
        route("GET", "/api/v1/recordings", agent, "recordings", get(recordings::list)),
        route("GET", "/api/v1/recordings/gaps", supervisor, "recordings", get(recording_keeping::gaps)),
        route("GET", "/api/v1/recordings/{id}", agent, "recordings", get(recordings::one)),
        route("GET", "/api/v1/recordings/{id}/audio", agent, "recordings", get(recordings::audio)),
        route("GET", "/api/v1/recordings/{id}/peaks", agent, "recordings", get(recordings::picture)),
        route("GET", "/api/v1/recordings/{id}/download", agent, "downloads", get(recordings::download)),
        route("GET", "/api/v1/recordings/{id}/transcript", agent, "recordings", get(transcripts::one)),
        route("GET", "/api/v1/recordings/{id}/marks", agent, "recordings", get(marks::list)),
        route("POST", "/api/v1/recordings/{id}/marks", agent, "recordings", post(marks::add)),
        route("PATCH", "/api/v1/recordings/{id}/marks/{number}", agent, "recordings", patch(marks::change)),
        route("DELETE", "/api/v1/recordings/{id}/marks/{number}", agent, "recordings", delete(marks::remove)),
        route("GET", "/api/v1/recordings/{id}/shares", supervisor, "recordings", get(shares::list)),
        route("POST", "/api/v1/recordings/{id}/share", supervisor, "recordings", post(shares::make)),
        route("DELETE", "/api/v1/recordings/{id}/shares/{number}", supervisor, "recordings", delete(shares::revoke)),
        route("GET", "/shared/{token}", Access::Public, "page", get(shares::page)),
        route("GET", "/shared/{token}/about", Access::Public, "page", get(shares::about)),
        route("GET", "/shared/{token}/audio", Access::Public, "page", get(shares::audio)),
        route("GET", "/shared/{token}/peaks", Access::Public, "page", get(shares::picture)),
        route("GET", "/api/v1/recordings/{id}/hold", supervisor, "recordings", get(recording_keeping::held)),
        route("POST", "/api/v1/recordings/{id}/hold", supervisor, "recordings", post(recording_keeping::hold)),
        route("DELETE", "/api/v1/recordings/{id}/hold", supervisor, "recordings", delete(recording_keeping::release)),
        route("GET", "/api/v1/clients", agent, "clients", get(clients::list)),
        route("GET", "/api/v1/clients/{id}/recording-days", supervisor, "clients", get(recording_keeping::wish)),
        route("PUT", "/api/v1/clients/{id}/recording-days", supervisor, "clients", put(recording_keeping::set_wish)),
        route(
            "DELETE",
            "/api/v1/clients/{id}/recording-days",
            supervisor,
            "clients",
            delete(recording_keeping::forget_wish),
        ),
        route("POST", "/api/v1/clients", agent, "clients", post(clients::create)),
        route("GET", "/api/v1/clients/attention", agent, "clients", get(attention::list)),
        route("GET", "/api/v1/clients/{id}", agent, "clients", get(clients::one)),
        route("PATCH", "/api/v1/clients/{id}", agent, "clients", patch(clients::change)),
        route("GET", "/api/v1/clients/{id}/hearings", supervisor, "clients", get(shares::hearings)),
        route("GET", "/api/v1/clients/{id}/timeline", agent, "clients", get(client_actions::timeline)),
        route("POST", "/api/v1/clients/{id}/confirm", agent, "clients", post(client_actions::confirm)),
        route("POST", "/api/v1/clients/{id}/block", agent, "clients", post(client_actions::block)),
        route("POST", "/api/v1/clients/{id}/complaint", agent, "clients", post(client_actions::complaint)),
        route("POST", "/api/v1/clients/{id}/unblock", supervisor, "clients", post(client_actions::unblock)),
        route("POST", "/api/v1/clients/{id}/merge", supervisor, "clients", post(client_actions::merge)),
        route("GET", "/api/v1/clients/{id}/ledger", agent, "ledgers", get(ledgers::of_client)),
        route("POST", "/api/v1/clients/{id}/ledger/top-up", agent, "ledgers", post(ledgers::top_up)),
        route("POST", "/api/v1/clients/{id}/ledger/pay", agent, "ledgers", post(ledgers::pay)),
        route("POST", "/api/v1/clients/{id}/ledger/accrue", agent, "ledgers", post(ledgers::accrue)),
        route("POST", "/api/v1/clients/{id}/ledger/write-off", agent, "ledgers", post(ledgers::write_off)),
        route("POST", "/api/v1/clients/{id}/ledger/refund", supervisor, "ledgers", post(ledgers::refund)),
        route("GET", "/api/v1/ledger", supervisor, "ledgers", get(ledgers::of_all)),
        route("GET", "/api/v1/ledger/totals", supervisor, "ledgers", get(ledgers::totals)),
        route("GET", "/api/v1/orders", agent, "orders", get(orders::list)),
        route("POST", "/api/v1/orders", agent, "orders", post(orders::create)),
        route("GET", "/api/v1/orders/{id}", agent, "orders", get(orders::one)).also(&[DRIVERS]),
        route("PATCH", "/api/v1/orders/{id}", agent, "orders", patch(orders::change)),
        route("GET", "/api/v1/orders/{id}/fare", agent, "orders", get(orders::fare)),
        route("POST", "/api/v1/orders/{id}/assign", agent, "orders", post(order_actions::assign)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/reassign", agent, "orders", post(order_actions::reassign)),
        route("POST", "/api/v1/orders/{id}/eta", agent, "orders", post(order_actions::eta)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/release", agent, "orders", post(order_actions::release)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/arrive", agent, "orders", post(order_actions::arrive)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/start", agent, "orders", post(order_actions::start)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/point", agent, "orders", post(order_actions::point)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/finish", agent, "orders", post(order_actions::finish)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/no-car", agent, "orders", post(order_actions::no_car)),
        route("POST", "/api/v1/orders/{id}/search-again", agent, "orders", post(order_actions::search_again)),
        route("POST", "/api/v1/orders/{id}/cancel", agent, "orders", post(order_actions::cancel)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/no-show", agent, "orders", post(order_actions::no_show)).also(&[DRIVERS]),
        route("POST", "/api/v1/orders/{id}/wake", agent, "orders", post(order_actions::wake)),
        route("GET", "/api/v1/journal", agent, "journal", get(journal::list)),
        route("POST", "/api/v1/journal", agent, "journal", post(journal::create)),
        route("GET", "/api/v1/journal/board", agent, "journal", get(journal::board)),
        route("GET", "/api/v1/journal/people", agent, "journal", get(journal::people)),
        route("GET", "/api/v1/journal/{id}", agent, "journal", get(journal::one)),
        route("PATCH", "/api/v1/journal/{id}", agent, "journal", patch(journal::change)),
        route("GET", "/api/v1/journal/{id}/history", agent, "journal", get(journal::history)),
        route("POST", "/api/v1/journal/{id}/take", agent, "journal", post(journal_actions::take)),
        route("POST", "/api/v1/journal/{id}/wait", agent, "journal", post(journal_actions::wait)),
        route("POST", "/api/v1/journal/{id}/done", agent, "journal", post(journal_actions::done)),
        route("POST", "/api/v1/journal/{id}/ignore", agent, "journal", post(journal_actions::ignore)),
        route("POST", "/api/v1/journal/{id}/transfer", agent, "journal", post(journal_actions::transfer)),
        route("POST", "/api/v1/journal/{id}/link", agent, "journal", post(journal_actions::link)),
        route("POST", "/api/v1/journal/{id}/unlink", agent, "journal", post(journal_actions::unlink)),
        route("GET", "/api/v1/notifications", agent, "journal", get(notifications::list)),
        route("POST", "/api/v1/notifications/{id}/seen", agent, "journal", post(notifications::seen)),
        route("GET", "/api/v1/purposes", agent, "journal", get(purposes::purposes)),
        route("POST", "/api/v1/purposes", administrator, "journal", post(purposes::add_purpose)),
        route("GET", "/api/v1/purposes/{id}", agent, "journal", get(purposes::purpose)),
        route("PATCH", "/api/v1/purposes/{id}", administrator, "journal", patch(purposes::change_purpose)),
        route("GET", "/api/v1/sms", agent, "sms", get(sms::list)),
        route("POST", "/api/v1/sms", agent, "sms", post(sms::write)),
        route("GET", "/api/v1/sms/{id}", agent, "sms", get(sms::one)),
        route("GET", "/api/v1/sms/gateways/{provider}/{secret}/report", Access::Public, "sms", get(sms::report)),
        route("GET", "/api/v1/sms/gateways/{provider}/{secret}/incoming", Access::Public, "sms", get(sms::receive)),
        route("GET", "/api/v1/tariffs", agent, "tariffs", get(tariffs::tariffs)),
        route("POST", "/api/v1/tariffs", administrator, "tariffs", post(tariffs::add_tariff)),
        route("GET", "/api/v1/tariffs/{id}", agent, "tariffs", get(tariffs::tariff)),
        route("PATCH", "/api/v1/tariffs/{id}", administrator, "tariffs", patch(tariffs::change_tariff)),
        route("GET", "/api/v1/tariffs/{id}/estimate", agent, "tariffs", get(tariffs::estimate)),
        route("GET", "/api/v1/groups", agent, "groups", get(tariffs::groups)),
        route("POST", "/api/v1/groups", administrator, "groups", post(tariffs::add_group)),
        route("GET", "/api/v1/groups/{id}", agent, "groups", get(tariffs::group)),
        route("PATCH", "/api/v1/groups/{id}", administrator, "groups", patch(tariffs::change_group)),
        route("GET", "/api/v1/addresses/hints", agent, "addresses", get(addresses::hints)),
        route("GET", "/api/v1/clients/export", administrator, "clients", get(exchange::export_clients)),
        route("POST", "/api/v1/clients/import", administrator, "clients", post(exchange::import_clients)).takes_table(),
        route("GET", "/api/v1/clients/{id}/personal-data", administrator, "clients", get(exchange::personal_data)),
        route("POST", "/api/v1/clients/{id}/erase", administrator, "clients", post(exchange::erase)),
        route("GET", "/api/v1/orders/export", administrator, "orders", get(exchange::export_orders)),
        route("POST", "/api/v1/orders/import", administrator, "orders", post(exchange::import_orders)).takes_table(),
        route("GET", "/api/v1/keys", administrator, "keys", get(keys::list)),
        route("POST", "/api/v1/keys", administrator, "keys", post(keys::add)),
        route("DELETE", "/api/v1/keys/{id}", administrator, "keys", delete(keys::revoke)),
        route("GET", "/api/v1/webhooks", administrator, "webhooks", get(webhooks::list)),
        route("POST", "/api/v1/webhooks", administrator, "webhooks", post(webhooks::add)),
        route("GET", "/api/v1/webhooks/{id}", administrator, "webhooks", get(webhooks::one)),
        route("PATCH", "/api/v1/webhooks/{id}", administrator, "webhooks", patch(webhooks::change)),
        route("DELETE", "/api/v1/webhooks/{id}", administrator, "webhooks", delete(webhooks::remove)),
        route("POST", "/api/v1/webhooks/{id}/ping", administrator, "webhooks", post(webhooks::ping)),
        route("GET", "/api/v1/webhooks/{id}/pending", administrator, "webhooks", get(webhooks::pending)),
        route("DELETE", "/api/v1/webhooks/{id}/pending/{number}", administrator, "webhooks", delete(webhooks::give_up)),
        route("GET", "/api/v1/settings", supervisor, "settings", get(settings::list)),
        route("GET", "/api/v1/settings/{section}", supervisor, "settings", get(settings::one)),
        route("PUT", "/api/v1/settings/{section}", administrator, "settings", put(settings::set)),
        route("DELETE", "/api/v1/settings/{section}", administrator, "settings", delete(settings::reset)),
        route("GET", "/api/v1/reports/{name}", supervisor, "reports", get(reports::one)),
        route("GET", "/api/v1/reports/schedules", administrator, "reports", get(schedules::list)),
        route("POST", "/api/v1/reports/schedules", administrator, "reports", post(schedules::add)),
        route("PUT", "/api/v1/reports/schedules/{id}", administrator, "reports", put(schedules::change)),
        route("DELETE", "/api/v1/reports/schedules/{id}", administrator, "reports", delete(schedules::remove)),
        route("POST", "/api/v1/reports/schedules/{id}/send", administrator, "reports", post(schedules::send)),
        route("GET", "/api/v1/reports/schedules/{id}/mails", administrator, "reports", get(schedules::mails)),
        route("GET", "/api/v1/quality/forms", supervisor, "quality", get(quality::forms)),
        route("POST", "/api/v1/quality/forms", supervisor, "quality", post(quality::add_form)),
        route("GET", "/api/v1/quality/forms/{id}", supervisor, "quality", get(quality::form)),
        route("PATCH", "/api/v1/quality/forms/{id}", supervisor, "quality", patch(quality::change_form)),
        route("GET", "/api/v1/quality/grades", agent, "quality", get(quality::grades)),
        route("POST", "/api/v1/quality/grades", supervisor, "quality", post(quality::give)),
        route("GET", "/api/v1/quality/report", supervisor, "quality", get(quality::report)),
        route("GET", "/api/v1/wallboard", supervisor, "reports", get(reports::wallboard)),
        route("GET", "/api/v1/streets", supervisor, "streets", get(streets::list)),
        route("POST", "/api/v1/streets", administrator, "streets", post(streets::add)),
        route("DELETE", "/api/v1/streets/{id}", administrator, "streets", delete(streets::remove)),
        route("GET", "/api/v1/streets/settlements", supervisor, "streets", get(streets::settlements)),
        route("POST", "/api/v1/streets/import", administrator, "streets", post(streets::import)).takes_table(),
        route("GET", "/api/v1/audit", administrator, "audit", get(audit::list)),
        route("GET", "/api/v1/stream", agent, "stream", get(stream::stream)),
    ]
}

/// Every scope that an API key can have.
#[must_use]
pub fn scopes() -> BTreeSet<String> {
    let guarded = all().into_iter().filter(|route| matches!(route.access, Access::Local | Access::Role(_)));
    // Programs count as supervisors: what needs more is not for them.
    guarded
        .filter(|route| route.access != Access::Role(Role::Administrator))
        .flat_map(|route| {
            let own = scope(route.section, route.method == "GET");
            route.also.iter().map(|scope| (*scope).to_owned()).chain([own])
        })
        .collect()
}

/// The scope that a key needs.
pub(super) fn scope(section: &str, reading: bool) -> String {
    format!("{section}:{}", if reading { "read" } else { "write" })
}
