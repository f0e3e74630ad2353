//! The second factor of a log-in: codes that change every half minute (TOTP, RFC 6238: HMAC-SHA-1, 6 digits, 30 s, one
//! step of either side accepted, each code good once). Users begin and end it themselves; an administrator ends it for
//! one who has lost the device.

use axum::extract::State;
use axum::http::StatusCode;
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;
use totp_rs::{Builder, Secret, Totp};
use utoipa::ToSchema;

use crate::shell::clock;
use crate::shell::store::users::UserId;

use super::WebState;
use super::access::{Identity, Who};
use super::extract::Json;
use super::problem::Problem;
use super::session::slow_down;

/// As authenticator programs name us.
const ISSUER: &str = "Perezvon";
/// Longer ones are no codes; programs show them with a blank in the middle.
const LONGEST_CODE: usize = 16;

/// A second factor that was begun: for the user's authenticator program, and shown this once.
#[derive(Serialize, ToSchema)]
pub(super) struct Begun {
    /// To be typed in, base32.
    secret: String,
    /// `otpauth://…`
    url: String,
    /// The same as a QR code (SVG).
    qr_svg: String,
}

/// A code from the authenticator program.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    /// 6 digits.
    code: String,
}

/// Begin a second factor; it is asked for at log-ins once it is confirmed.
#[utoipa::path(post, path = "/api/v1/me/second-factor", tag = "session", responses(
    (status = 201, body = Begun), (status = 409, body = Problem)))]
pub(super) async fn begin(
    State(state): State<WebState>,
    identity: Identity,
) -> Result<(StatusCode, axum::Json<Begun>), Problem> {
    let (id, login) = person(&identity)?;
    let secret = Secret::generate();
    let text = secret.to_base32();
    if !state.store.begin_second_factor(id, &text, clock::wall()).await? {
        return Err(Problem::conflict(
            "second_factor_exists",
            "end the second factor that you have, then begin another",
        )
        .in_russian("Второй фактор уже включён. Сначала отключите его."));
    }
    let url = totp(secret, login)?.to_url().map_err(|cause| Problem::internal(&cause))?;
    let code = QrCode::new(url.as_bytes()).map_err(|cause| Problem::internal(&cause))?;
    let qr_svg = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    Ok((StatusCode::CREATED, axum::Json(Begun { secret: text, url, qr_svg })))
}

/// Confirm it with a first code: from now on log-ins need one.
#[utoipa::path(post, path = "/api/v1/me/second-factor/confirm", tag = "session", request_body = Code, responses(
    (status = 204), (status = 401, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn confirm(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<Code>,
) -> Result<StatusCode, Problem> {
    let (id, login) = person(&identity)?;
    let factor = state.store.second_factor(id).await?;
    if factor.is_none_or(|factor| factor.confirmed) {
        return Err(Problem::conflict("second_factor_not_begun", "begin a second factor, then confirm it")
            .in_russian("Подтверждать нечего: сначала начните включение второго фактора."));
    }
    slowly(&state, &identity, id, login, &body.code).await?;
    state.known.forget();
    state.audit(identity.named(), "second_factor_on", login, json!({}), identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End it, with a code.
#[utoipa::path(post, path = "/api/v1/me/second-factor/remove", tag = "session", request_body = Code, responses(
    (status = 204), (status = 401, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn remove(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<Code>,
) -> Result<StatusCode, Problem> {
    let (id, login) = person(&identity)?;
    if state.store.second_factor(id).await?.is_none_or(|factor| !factor.confirmed) {
        return Err(Problem::conflict("no_second_factor", "there is no second factor to end")
            .in_russian("Второй фактор не включён."));
    }
    slowly(&state, &identity, id, login, &body.code).await?;
    state.store.remove_second_factor(id).await?;
    state.known.forget();
    state.audit(identity.named(), "second_factor_off", login, json!({}), identity.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The second question of a log-in whose password was right.
pub(super) fn code_needed() -> Problem {
    let detail = "this user logs in with a second factor: send the code as well";
    Problem::new(StatusCode::UNAUTHORIZED, "code_needed", detail)
        .in_russian("Введите код из приложения-аутентификатора.")
}

fn wrong_code() -> Problem {
    let detail = "the code is wrong, too old, or was used before; wait for the next one";
    Problem::new(StatusCode::UNAUTHORIZED, "wrong_code", detail)
        .in_russian("Код неверен, устарел или уже был использован. Дождитесь следующего.")
}

fn person(identity: &Identity) -> Result<(UserId, &str), Problem> {
    match &identity.who {
        Who::Person { id, login, .. } => Ok((*id, login)),
        Who::Program { .. } => Err(Problem::unauthorized()),
    }
}

/// As slow as log-ins are for who keeps failing: a session that was left open is no way to try all codes.
async fn slowly(state: &WebState, identity: &Identity, id: UserId, login: &str, code: &str) -> Result<(), Problem> {
    state.throttle.attempt(login, identity.address, Instant::now()).map_err(slow_down)?;
    take(state, id, login, code).await?;
    state.throttle.succeeded(login, identity.address, Instant::now());
    Ok(())
}

/// Takes a code that fits, once.
pub(super) async fn take(state: &WebState, user: UserId, login: &str, code: &str) -> Result<(), Problem> {
    let factor = state.store.second_factor(user).await?.ok_or_else(wrong_code)?;
    let secret = Secret::try_from_base32(factor.secret.reveal()).map_err(|cause| Problem::internal(&cause))?;
    let code: String = code.chars().filter(|sign| !sign.is_whitespace()).take(LONGEST_CODE).collect();
    let seconds = u64::try_from(clock::wall().0 / 1000).unwrap_or(0);
    let step = totp(secret, login)?.check(&code, seconds).ok_or_else(wrong_code)?;
    match state.store.take_code(user, i64::try_from(step).unwrap_or(i64::MAX)).await? {
        true => Ok(()),
        false => Err(wrong_code()),
    }
}

fn totp(secret: Secret, login: &str) -> Result<Totp, Problem> {
    // Parts of the URL are set apart by colons.
    let account = login.replace(':', "_");
    let builder = Builder::new().with_secret(secret).with_issuer(Some(ISSUER)).with_account_name(account);
    builder.build().map_err(|cause| Problem::internal(&cause))
}
