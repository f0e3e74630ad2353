//! What is done with a card as a whole: confirmed, blocked, merged; and everything that ever happened with the client.

use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::client::{Command, Doubt};
use crate::domain::ids::ClientId;
use crate::shell::clock;
use crate::shell::shapes::order::Order;
use crate::shell::store::timeline::{Happening, Kind, TimelineItem};

use super::WebState;
use super::client_dto::{Client, ClientHistory};
use super::clients::{apply, known};
use super::dto::{PAGE, time};
use super::extract::{Json, OptionalJson, Path, Query};
use super::journal_dto::ContactShape;
use super::ledgers::LedgerLine;
use super::problem::Problem;
use super::sms::Sms;
use super::writer::{Writer, tagged};

/// What somebody made sure of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    what: Doubt,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

/// This is right: the client was asked.
#[utoipa::path(post, path = "/api/v1/clients/{id}/confirm", tag = "clients", params(("id" = i64, Path)),
    request_body = Confirm, responses((status = 200, body = Client), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
pub(super) async fn confirm(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<Confirm>,
) -> Result<impl IntoResponse, Problem> {
    apply(&state, &writer, id, body.version, Command::Confirm(body.what)).await
}

/// Why a client is blocked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BlockClient {
    /// For people; must say something.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

/// Block: the client cannot call, order on the site or log in.
#[utoipa::path(post, path = "/api/v1/clients/{id}/block", tag = "clients", params(("id" = i64, Path)),
    request_body = BlockClient, responses((status = 200, body = Client), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn block(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<BlockClient>,
) -> Result<impl IntoResponse, Problem> {
    apply(&state, &writer, id, body.version, Command::Block { reason: body.reason }).await
}

/// A complaint.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Complaint {
    /// Of what; must say something.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

/// Somebody complains: it stands in the history and in the timeline, and is counted.
#[utoipa::path(post, path = "/api/v1/clients/{id}/complaint", tag = "clients", params(("id" = i64, Path)),
    request_body = Complaint, responses((status = 200, body = Client), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn complaint(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<Complaint>,
) -> Result<impl IntoResponse, Problem> {
    apply(&state, &writer, id, body.version, Command::Complain { text: body.text }).await
}

/// Which version of a card was seen.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeenClient {
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

/// Unblock: for supervisors.
#[utoipa::path(post, path = "/api/v1/clients/{id}/unblock", tag = "clients", params(("id" = i64, Path)),
    request_body = Option<SeenClient>, responses((status = 200, body = Client), (status = 404, body = Problem),
    (status = 409, body = Problem)))]
pub(super) async fn unblock(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    OptionalJson(body): OptionalJson<SeenClient>,
) -> Result<impl IntoResponse, Problem> {
    apply(&state, &writer, id, body.version, Command::Unblock).await
}

/// The card to take in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Merge {
    /// Number of the other card.
    other: i64,
    /// Only if this is still the version of the card that stays.
    #[serde(default)]
    version: Option<u64>,
    /// Only if this is still the version of the other card.
    #[serde(default)]
    other_version: Option<u64>,
}

/// Take another card of the same person into this one: lists, notes, counters and money join, nothing is lost.
#[utoipa::path(post, path = "/api/v1/clients/{id}/merge", tag = "clients", params(("id" = i64, Path)),
    request_body = Merge, responses((status = 200, body = Client), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn merge(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<Merge>,
) -> Result<impl IntoResponse, Problem> {
    let author = writer.author(body.version)?;
    let (keeper, other) = (ClientId(id), ClientId(body.other));
    let row = state.store.merge_clients(keeper, other, body.other_version, &author, clock::wall()).await;
    let row = row.map_err(|error| writer.refused(&author, error))?;
    Ok(tagged(row.card.version, Client::from(row)))
}

/// Which part of the timeline.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only these, with commas between: `call`, `order`, `ledger`, `card`, `sms`, `contact`.
    kinds: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Lines on the page, at most 500; 50 when absent.
    limit: Option<u32>,
}

/// Something that happened with a client.
#[derive(Serialize, ToSchema)]
pub(super) struct TimelineLine {
    at: DateTime<Utc>,
    /// On which card: this one, or one that was merged into it.
    client: i64,
    #[serde(flatten)]
    what: TimelineEvent,
}

/// What happened.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum TimelineEvent {
    /// A call from or to one of the client's numbers.
    Call {
        call: String,
        number: String,
        /// How it ended; `null` while it lasts.
        disposition: Option<String>,
        talked_ms: Option<i64>,
        /// To listen to: `GET /recordings/{id}/audio`.
        recording: Option<i64>,
        /// The contact that it is in the journal: `GET /journal/{id}`.
        contact: Option<i64>,
    },
    /// An order was taken; as it stands now.
    Order { order: Box<Order> },
    /// Money or bonuses came or went.
    Ledger { entry: Box<LedgerLine> },
    /// The card was changed, or somebody complained.
    Card { change: Box<ClientHistory> },
    /// An SMS went out or came in; as it stands now.
    Sms { sms: Box<Sms> },
    /// A visit, or a contact by another way than a call of ours; as it stands now.
    Contact { contact: Box<ContactShape> },
}

impl From<TimelineItem> for TimelineLine {
    fn from(item: TimelineItem) -> TimelineLine {
        let client = item.client;
        let what = match item.what {
            Happening::Call { call, number, disposition, talked_ms, recording, contact } => {
                let (call, contact) = (call.to_string(), contact.map(|contact| contact.0));
                TimelineEvent::Call { call, number, disposition, talked_ms, recording, contact }
            }
            Happening::Order(row) => TimelineEvent::Order { order: Box::new((*row).into()) },
            Happening::Ledger(entry) => TimelineEvent::Ledger { entry: Box::new(LedgerLine::of(client, *entry)) },
            Happening::Card(entry) => TimelineEvent::Card { change: Box::new((*entry).into()) },
            Happening::Sms(row) => TimelineEvent::Sms { sms: Box::new((*row).into()) },
            Happening::Contact(row) => TimelineEvent::Contact { contact: Box::new((*row).into()) },
        };
        TimelineLine { at: time(item.at), client: client.0, what }
    }
}

/// A page of a timeline, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct Timeline {
    items: Vec<TimelineLine>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// Everything that happened with a client, newest first: calls with their recordings, visits, orders, money, SMS, changes.
#[utoipa::path(get, path = "/api/v1/clients/{id}/timeline", tag = "clients", params(("id" = i64, Path), Wanted),
    responses((status = 200, body = Timeline), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn timeline(
    State(state): State<WebState>,
    Path(id): Path<i64>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Timeline>, Problem> {
    let kinds = wanted.kinds.as_deref().map(kinds).transpose()?.unwrap_or_default();
    let client = known(&state, id).await?.id;
    let limit = wanted.limit.unwrap_or(PAGE);
    let page = state.store.timeline(client, &kinds, wanted.cursor.as_deref(), limit).await?;
    Ok(axum::Json(Timeline { items: page.items.into_iter().map(TimelineLine::from).collect(), next: page.next }))
}

fn kinds(text: &str) -> Result<Vec<Kind>, Problem> {
    let read = |word: &str| {
        Kind::parse(word.trim()).ok_or_else(|| {
            let words = Kind::ALL.map(Kind::as_str).join(", ");
            Problem::bad_request("wrong_query", format!("kinds {word:?}: use some of {words}"))
        })
    };
    text.split(',').map(read).collect()
}
