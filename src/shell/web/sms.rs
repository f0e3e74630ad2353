//! SMS: listed, written by people, and what gateways tell of them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::ids::{ClientId, OrderId, SmsId};
use crate::domain::phone::Phone;
use crate::domain::rejected::{Problem as Wrong, Rejected};
use crate::domain::sms::{SmsState, check_text};
use crate::shell::clock;
use crate::shell::sms::Incoming;
use crate::shell::store::sms::{SmsFilter, SmsRow, WrittenSms};

use super::WebState;
use super::dto::time;
use super::extract::{Json, Path, Query};
use super::listing::listing;
use super::problem::Problem;
use super::writer::Writer;

/// An SMS, in or out.
#[derive(Serialize, ToSchema)]
pub(super) struct Sms {
    id: i64,
    /// `in` or `out`.
    direction: &'static str,
    /// The other side's number; empty once the client is erased.
    number: String,
    text: String,
    /// Whose number it was.
    client: Option<i64>,
    /// About which order.
    order: Option<i64>,
    /// Of one that went out why: `assigned`, `eta_changed`, `arrived`, `not_found`, `closed`, `cancelled`,
    /// `attempts_exhausted`, `agent`, `answer`, `attention`. Of one that came in what for: `where`, `cancel`, or empty
    /// where a person must read it.
    reason: String,
    /// Who wrote it; empty for the engine.
    author: String,
    /// Out: `queued`, `sent` (a gateway took it), `delivered`, `failed`, `expired`, `superseded`. In: `received`,
    /// `answered`.
    state: &'static str,
    /// Messages that the network counts; 0 before it is sent.
    parts: u32,
    /// Gateway that took it, or that it came by.
    provider: String,
    attempts: u32,
    created_at: DateTime<Utc>,
    /// When it is tried next.
    due_at: Option<DateTime<Utc>>,
    /// Afterwards it is of no use.
    expires_at: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    /// When its end was known.
    ended_at: Option<DateTime<Utc>>,
    /// Why it failed, or the last attempt did; empty if none did.
    error: String,
    /// Of one that came in: number of the answer.
    answer: Option<i64>,
}

impl From<SmsRow> for Sms {
    fn from(row: SmsRow) -> Sms {
        Sms {
            id: row.id.0,
            direction: if row.incoming { "in" } else { "out" },
            number: row.number,
            text: row.text,
            client: row.client.map(|client| client.0),
            order: row.order.map(|order| order.0),
            reason: row.reason,
            author: row.author,
            state: row.state.as_str(),
            parts: row.parts,
            provider: row.provider,
            attempts: row.attempts,
            created_at: time(row.created),
            due_at: row.due.map(time),
            expires_at: row.expires.map(time),
            sent_at: row.sent.map(time),
            ended_at: row.ended.map(time),
            error: row.error,
            answer: row.answer.map(|answer| answer.0),
        }
    }
}

listing! {
    /// Which SMS; what is not given does not matter.
    {
        /// `in` or `out`.
        direction: String,
        /// `queued`, `sent`, `delivered`, `failed`, `expired`, `superseded`, `received` or `answered`.
        state: String,
        /// Of this client, and of the cards that were merged into it.
        client: i64,
        /// About this order.
        order: i64,
        /// With this number, in any form.
        number: String,
    }
}

/// A page of SMS, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct SmsList {
    items: Vec<Sms>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// SMS, newest first. `direction=in&state=received` are those that a person must read.
#[utoipa::path(get, path = "/api/v1/sms", tag = "sms", params(Wanted),
    responses((status = 200, body = SmsList), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<SmsList>, Problem> {
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let filter = SmsFilter {
        from,
        to,
        incoming: wanted.direction.as_deref().map(incoming).transpose()?,
        state: wanted.state.as_deref().map(read_state).transpose()?,
        client: wanted.client.map(ClientId),
        order: wanted.order.map(OrderId),
        number: wanted.number.clone(),
    };
    let page = state.store.list_sms(&filter, cursor, limit).await?;
    Ok(axum::Json(SmsList { items: page.items.into_iter().map(Sms::from).collect(), next: page.next }))
}

fn incoming(word: &str) -> Result<bool, Problem> {
    match word {
        "in" => Ok(true),
        "out" => Ok(false),
        _ => Err(Problem::bad_request("wrong_query", format!("direction {word:?}: use in or out"))),
    }
}

fn read_state(word: &str) -> Result<SmsState, Problem> {
    SmsState::parse(word).ok_or_else(|| {
        let words = SmsState::ALL.map(SmsState::as_str).join(", ");
        Problem::bad_request("wrong_query", format!("state {word:?}: use one of {words}"))
    })
}

/// One SMS.
#[utoipa::path(get, path = "/api/v1/sms/{id}", tag = "sms", params(("id" = i64, Path)),
    responses((status = 200, body = Sms), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<WebState>, Path(id): Path<i64>) -> Result<axum::Json<Sms>, Problem> {
    let row = state.store.get_sms(SmsId(id)).await?;
    let row =
        row.ok_or_else(|| Problem::not_found(format!("there is no SMS {id}")).in_russian(format!("SMS № {id} нет.")))?;
    Ok(axum::Json(row.into()))
}

/// An SMS to a client.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WriteSms {
    /// In any usual form; not a landline.
    to: String,
    /// At most 670 characters, which is ten messages of Russian.
    #[schema(min_length = 1, max_length = 670)]
    text: String,
    /// Whose number it is; found by the number when absent.
    #[serde(default)]
    client: Option<i64>,
    /// About which order.
    #[serde(default)]
    order: Option<i64>,
}

/// Write to a client. It is sent at once, and tried again for a day while no gateway takes it.
#[utoipa::path(post, path = "/api/v1/sms", tag = "sms", request_body = WriteSms,
    responses((status = 201, body = Sms), (status = 422, body = Problem)))]
pub(super) async fn write(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<WriteSms>,
) -> Result<impl IntoResponse, Problem> {
    let rejected = |rejected: Rejected| writer.rejected(&rejected);
    let author = writer.author(None)?;
    check_text(&body.text).map_err(rejected)?;
    let to = Phone::entered("to", &body.to).map_err(rejected)?;
    let wrong = |problem| Err(rejected(Rejected::Field { field: "to", problem }));
    if !to.takes_sms() {
        return wrong(Wrong::TakesNoSms);
    }
    if !state.sms.allows(&to) {
        return wrong(Wrong::NumberNotAllowed);
    }
    let new = WrittenSms { to, text: body.text, client: body.client.map(ClientId), order: body.order.map(OrderId) };
    let row = state.store.write_sms(new, &author, clock::wall()).await?;
    Ok((StatusCode::CREATED, axum::Json(Sms::from(row))))
}

/// What a gateway tells of what it took.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportQuery {
    /// The gateway's own id of what it took, or ours, which it was given.
    reference: String,
    /// Kannel's `%d`, a word of SMPP's receipts (`DELIVRD`), or `delivered`, `failed`, `expired`; others change nothing.
    state: String,
}

/// A gateway reports what became of an SMS. The secret in the path is `sms.secret` of the configuration.
#[utoipa::path(get, path = "/api/v1/sms/gateways/{provider}/{secret}/report", tag = "sms",
    params(("provider" = String, Path), ("secret" = String, Path), ReportQuery),
    responses((status = 200, description = "Noted", body = String, content_type = "text/plain"),
    (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn report(
    State(state): State<WebState>,
    Path((provider, secret)): Path<(String, String)>,
    Query(told): Query<ReportQuery>,
) -> Result<&'static str, Problem> {
    known(&state, &provider, &secret)?;
    state.sms.report(&provider, &told.reference, &told.state).await?;
    Ok("")
}

/// An SMS that came in.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct IncomingQuery {
    /// From whom.
    from: String,
    /// What, in UTF-8.
    #[serde(default)]
    text: String,
    /// The gateway's own id of it: handed over again it is the same SMS.
    #[serde(default)]
    id: String,
}

/// A gateway hands over what a client wrote. The secret in the path is `sms.secret` of the configuration.
#[utoipa::path(get, path = "/api/v1/sms/gateways/{provider}/{secret}/incoming", tag = "sms",
    params(("provider" = String, Path), ("secret" = String, Path), IncomingQuery),
    responses((status = 200, description = "Taken", body = String, content_type = "text/plain"),
    (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn receive(
    State(state): State<WebState>,
    Path((provider, secret)): Path<(String, String)>,
    Query(came): Query<IncomingQuery>,
) -> Result<&'static str, Problem> {
    known(&state, &provider, &secret)?;
    state.sms.receive(&provider, Incoming { from: came.from, text: came.text, id: came.id }).await?;
    // Kannel would send what stands here back to the client.
    Ok("")
}

fn known(state: &WebState, provider: &str, secret: &str) -> Result<(), Problem> {
    if state.sms.knows(provider, secret) {
        return Ok(());
    }
    // As if there were nothing: strangers learn neither whether the name nor whether the secret is wrong.
    Err(Problem::not_found("there is nothing at this address"))
}
