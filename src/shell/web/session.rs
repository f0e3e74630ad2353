//! Logging in and out, and who one is.

use tokio::time::Instant;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::engine::event::Actor;

use super::WebState;
use super::access::{Address, COOKIE, Identity, Who, cookie};
use super::dto::{AgentNow, User};
use super::extract::Json;
use super::problem::Problem;
use super::recordings::may_download;
use super::second_factor;
use crate::shell::clock;

/// Who logs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    login: String,
    password: String,
    /// Of the second factor, for users who have one; without it the answer is 401 `code_needed`.
    #[serde(default)]
    code: Option<String>,
}

/// Log in: the answer sets the session's cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = LogIn, responses(
    (status = 200, body = User), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn log_in(
    State(state): State<WebState>,
    Address(address): Address,
    Json(body): Json<LogIn>,
) -> Result<impl IntoResponse, Problem> {
    if body.login.len() > 256 {
        return Err(wrong_password());
    }
    state.throttle.attempt(&body.login, address, Instant::now()).map_err(slow_down)?;
    let user = state.store.user_by_login(&body.login).await?;
    let hash = user.as_ref().map(|user| user.password_hash.reveal().to_owned());
    let fits = state.passwords.fits(body.password, hash).await?;
    let Some(user) = user.filter(|user| fits && !user.disabled) else {
        state.audit(Actor::Person(body.login), "login_failed", "", json!({}), address).await?;
        return Err(wrong_password());
    };
    if user.second_factor {
        let Some(code) = body.code.filter(|code| !code.trim().is_empty()) else {
            // The right password is no failure, and no success either: codes could be tried in between.
            state.throttle.forgive(&user.login, address);
            return Err(second_factor::code_needed());
        };
        if let Err(wrong) = second_factor::take(&state, user.id, &user.login, &code).await {
            state.audit(Actor::Person(user.login), "login_failed", "", json!({"code": true}), address).await?;
            return Err(wrong);
        }
    }
    state.throttle.succeeded(&user.login, address, Instant::now());
    let lifetime = state.config.session;
    let token = state.store.new_session(user.id, &address.to_string(), clock::wall(), lifetime).await?;
    state.audit(Actor::Person(user.login.clone()), "login", "", json!({}), address).await?;
    let cookie = set_cookie(&state, &token, lifetime.as_secs())?;
    Ok(([(header::SET_COOKIE, cookie)], axum::Json(User::from(&user))))
}

/// So many failures that the next attempt has to wait.
pub(super) fn slow_down(wait: std::time::Duration) -> Problem {
    let seconds = wait.as_secs() + 1;
    Problem::too_many(seconds, format!("too many failed log-ins; try again in {seconds} s"))
        .in_russian(format!("Слишком много неудачных попыток. Повторите через {seconds} с."))
}

fn wrong_password() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "wrong_password", "login or password is wrong")
}

fn set_cookie(state: &WebState, token: &str, seconds: u64) -> Result<HeaderValue, Problem> {
    let secure = if state.config.cookie_secure { "; Secure" } else { "" };
    let text = format!("{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&text).map_err(|cause| Problem::internal(&cause))
}

/// Log out: the session is over, here and wherever its cookie was copied to.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub(super) async fn log_out(
    State(state): State<WebState>,
    identity: Identity,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    if let Some(token) = cookie(&headers) {
        state.store.delete_session(token).await?;
        state.known.forget();
    }
    state.audit(identity.named(), "logout", "", json!({}), identity.address).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, set_cookie(&state, "", 0)?)]))
}

/// The one who asks.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    id: i64,
    login: String,
    /// `agent`, `supervisor` or `administrator`.
    role: &'static str,
    /// Log-ins need a code.
    second_factor: bool,
    /// The office wants this user to have a second factor: until then the user may do what an agent may.
    second_factor_required: bool,
    /// Takes recordings away as files.
    downloads: bool,
    /// May hear talks as they go on.
    may_monitor: bool,
    /// State of the agent that this user works as.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<AgentNow>,
}

/// User, role, agent state.
#[utoipa::path(get, path = "/api/v1/me", tag = "session", responses((status = 200, body = Me)))]
pub(super) async fn me(State(state): State<WebState>, identity: Identity) -> Result<axum::Json<Me>, Problem> {
    let Who::Person { id, login, agent, second_factor, held_back, .. } = &identity.who else {
        return Err(Problem::unauthorized());
    };
    let agent = match agent {
        Some(agent) => {
            let view = state.board.view(&state.requests, std::time::Duration::ZERO).await?;
            view.agents.iter().find(|view| view.agent == *agent).map(AgentNow::of)
        }
        None => None,
    };
    Ok(axum::Json(Me {
        id: id.0,
        login: login.clone(),
        role: identity.role.as_str(),
        second_factor: *second_factor,
        second_factor_required: *held_back,
        downloads: may_download(&state, &identity),
        may_monitor: identity.may_monitor(&state),
        agent,
    }))
}
