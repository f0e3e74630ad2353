//! The API's description.

use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::problem::Problem;
use super::{
    access, addresses, agents, audit, blocked, call_log, calls, health, metrics, page, queue, recordings, session,
    stream, users,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Perezvon",
        description = "Telephony and IVR engine for dispatch offices. Errors are problem details (RFC 9457). Moments \
            are RFC 3339 in UTC. Lists are paged by cursor. A write with the header Idempotency-Key is done once, however often it is sent."
    ),
    paths(
        page::page,
        serve,
        health::live,
        health::ready,
        metrics::metrics,
        session::log_in,
        session::log_out,
        session::me,
        users::list,
        users::add,
        users::change,
        agents::list,
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
        calls::hold,
        calls::resume,
        calls::hang_up,
        calls::transfer,
        calls::complete_transfer,
        calls::cancel_transfer,
        blocked::list,
        blocked::block,
        blocked::unblock,
        recordings::list,
        recordings::one,
        recordings::audio,
        recordings::picture,
        addresses::hints,
        audit::list,
        stream::stream,
    ),
    components(schemas(Problem, stream::StreamMessage)),
    modifiers(&LogIn)
)]
struct Api;

/// How one is let in.
struct LogIn;

impl utoipa::Modify for LogIn {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(access::COOKIE)));
        components.add_security_scheme("session", cookie);
        let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("api_key", SecurityScheme::Http(key));
        api.security = Some(vec![
            utoipa::openapi::SecurityRequirement::new::<_, [&str; 0], &str>("session", []),
            utoipa::openapi::SecurityRequirement::new::<_, [&str; 0], &str>("api_key", []),
        ]);
    }
}

/// The description as JSON.
pub fn describe() -> serde_json::Result<String> {
    Api::openapi().to_pretty_json()
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "about", responses((status = 200, body = Object)))]
pub(super) async fn serve() -> Result<impl axum::response::IntoResponse, Problem> {
    let text = describe().map_err(|cause| Problem::internal(&cause))?;
    Ok(([(axum::http::header::CONTENT_TYPE, "application/json")], text))
}
