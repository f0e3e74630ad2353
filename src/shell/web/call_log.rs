//! Calls as the journal knows them: lists and all that belongs to one.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::engine::ids::AgentId;
use crate::engine::view::Disposition;
use crate::shell::store::calls::{CallDetail, CallFilter, CallRow, LegRow, NoteRow, OfferRow};

use super::access::Identity;
use super::calls::call_id;
use super::dto::{CallNow, PAGE, time, wall};
use super::extract::{Path, Query};
use super::problem::Problem;
use super::queue::ask_calls;
use super::recordings::Recording;
use super::{Parts, WebState};

/// Which calls; what is not given does not matter.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Arrived at this moment or later.
    from: Option<DateTime<Utc>>,
    /// Arrived before this moment.
    to: Option<DateTime<Utc>>,
    /// A whole number in any form, or its last digits.
    number: Option<String>,
    /// This agent talked. Agents see their own calls whatever they ask for.
    agent: Option<u32>,
    /// `BLOCKED`, `ABANDON`, `COMPLETECALLER`, `COMPLETEAGENT`, `ENDED`, `FALLBACK` or `LOST`.
    disposition: Option<String>,
    /// Was in this queue last.
    queue: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Calls on the page, at most 500; 50 when absent.
    limit: Option<u32>,
}

/// A call in the journal.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedCall {
    id: String,
    /// Name of the Asterisk that carried it.
    node: Option<String>,
    /// Canonical number; empty when hidden or erased.
    number: String,
    /// When the number was erased on the caller's request.
    erased_at: Option<DateTime<Utc>>,
    dialled: String,
    /// The fallback dialplan took it while no engine was there.
    by_fallback: bool,
    arrived_at: DateTime<Utc>,
    /// The queue entered last.
    queue: Option<String>,
    priority: i64,
    queued_at: Option<DateTime<Utc>>,
    bridged_at: Option<DateTime<Utc>>,
    /// `null` while the call is in progress.
    ended_at: Option<DateTime<Utc>>,
    /// Who talked last.
    agent: Option<u32>,
    agent_name: Option<String>,
    /// How it ended.
    disposition: Option<String>,
    /// Q.850 cause of the caller's channel.
    cause: Option<i64>,
    waited_ms: Option<u64>,
    talked_ms: Option<u64>,
}

impl LoggedCall {
    fn of(row: CallRow, parts: &Parts) -> LoggedCall {
        let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        LoggedCall {
            id: row.id.to_string(),
            node: row.node.map(|node| parts.node_name(node)),
            number: row.number,
            erased_at: row.erased.map(time),
            dialled: row.dialled,
            by_fallback: row.by_fallback,
            arrived_at: time(row.arrived),
            queue: row.queue,
            priority: row.priority,
            queued_at: row.queued.map(time),
            bridged_at: row.bridged.map(time),
            ended_at: row.ended.map(time),
            agent: row.agent.map(|agent| agent.0),
            agent_name: row.agent_name,
            disposition: row.disposition,
            cause: row.cause,
            waited_ms: row.waited.map(millis),
            talked_ms: row.talked.map(millis),
        }
    }
}

/// A page of calls, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedCalls {
    items: Vec<LoggedCall>,
    /// Cursor of the next page; `null` after the last.
    next: Option<String>,
}

/// Calls, newest first; those in progress too, as soon as the journal has them.
#[utoipa::path(get, path = "/api/v1/calls", tag = "calls", params(Wanted),
    responses((status = 200, body = LoggedCalls), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    identity: Identity,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<LoggedCalls>, Problem> {
    let agent = if identity.sees_all() { wanted.agent.map(AgentId) } else { Some(identity.own_agent()?) };
    let filter = CallFilter {
        from: wanted.from.map(wall),
        to: wanted.to.map(wall),
        number: wanted.number,
        agent,
        disposition: wanted.disposition.as_deref().map(disposition).transpose()?,
        queue: wanted.queue,
    };
    let page = state.store.list_calls(&filter, wanted.cursor.as_deref(), wanted.limit.unwrap_or(PAGE)).await?;
    let items = page.items.into_iter().map(|row| LoggedCall::of(row, &state)).collect();
    Ok(axum::Json(LoggedCalls { items, next: page.next }))
}

fn disposition(word: &str) -> Result<Disposition, Problem> {
    let all = [
        Disposition::Blocked,
        Disposition::Abandon,
        Disposition::CompleteCaller,
        Disposition::CompleteAgent,
        Disposition::Ended,
        Disposition::Fallback,
        Disposition::Lost,
    ];
    let found = all.into_iter().find(|disposition| disposition.as_str() == word);
    found.ok_or_else(|| {
        let words = all.map(Disposition::as_str).join(", ");
        Problem::bad_request("wrong_query", format!("disposition {word:?}: use one of {words}"))
    })
}

/// A leg of a call.
#[derive(Serialize, ToSchema)]
pub(super) struct Leg {
    /// 0 is the caller.
    leg: u32,
    channel: Option<String>,
    agent: Option<u32>,
    /// The outside number rung.
    number: Option<String>,
    started_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    /// Q.850 cause.
    cause: Option<i64>,
}

impl From<LegRow> for Leg {
    fn from(row: LegRow) -> Leg {
        Leg {
            leg: row.leg,
            channel: row.channel,
            agent: row.agent.map(|agent| agent.0),
            number: row.number,
            started_at: row.started.map(time),
            answered_at: row.answered.map(time),
            ended_at: row.ended.map(time),
            cause: row.cause,
        }
    }
}

/// An offer of the call to an agent.
#[derive(Serialize, ToSchema)]
pub(super) struct Offer {
    offer: u32,
    agent: Option<u32>,
    agent_name: Option<String>,
    made_at: Option<DateTime<Utc>>,
    ringing_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    /// `ANSWERED`, `RINGNOANSWER`, `REJECTED`, `UNREACHABLE`, `CALLERGONE`, `ANSWEREDELSEWHERE`, `FAILED` or `LOST`.
    outcome: Option<String>,
}

impl From<OfferRow> for Offer {
    fn from(row: OfferRow) -> Offer {
        Offer {
            offer: row.offer,
            agent: row.agent.map(|agent| agent.0),
            agent_name: row.agent_name,
            made_at: row.made.map(time),
            ringing_at: row.ringing.map(time),
            ended_at: row.ended.map(time),
            outcome: row.outcome,
        }
    }
}

/// Something in the call's life: `held`, `resumed`, `transfer_started`, ….
#[derive(Serialize, ToSchema)]
pub(super) struct Note {
    at: DateTime<Utc>,
    what: String,
    detail: String,
    /// `engine`, `agent`, `person` or `program`.
    actor_kind: String,
    actor: String,
}

impl From<NoteRow> for Note {
    fn from(row: NoteRow) -> Note {
        Note { at: time(row.at), what: row.what, detail: row.detail, actor_kind: row.actor_kind, actor: row.actor_name }
    }
}

/// All that is known of a call.
#[derive(Serialize, ToSchema)]
pub(super) struct WholeCall {
    /// As the journal has it; `null` for a call that has only just arrived.
    call: Option<LoggedCall>,
    /// As it is at this moment; `null` when it is over.
    now: Option<CallNow>,
    legs: Vec<Leg>,
    offers: Vec<Offer>,
    notes: Vec<Note>,
    recordings: Vec<Recording>,
}

/// One call. Agents see those that were offered to them or that they talked in.
#[utoipa::path(get, path = "/api/v1/calls/{id}", tag = "calls", params(("id" = String, Path)),
    responses((status = 200, body = WholeCall), (status = 404, body = Problem)))]
pub(super) async fn one(
    State(state): State<WebState>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<axum::Json<WholeCall>, Problem> {
    let id = call_id(&id)?;
    let unknown = || Problem::not_found(format!("there is no call {id}"));
    let only = if identity.sees_all() { None } else { Some(identity.own_agent()?) };
    let detail = state.store.get_call(id).await?;
    // The journal is of use without the engine too.
    let live = ask_calls(&state.requests).await.unwrap_or_default();
    let live = live.iter().find(|call| call.call == id);
    let own = |me: AgentId| {
        live.is_some_and(|call| call.agents.contains(&me))
            || detail.as_ref().is_some_and(|detail| took_part(detail, me))
    };
    // Another's call looks like none: its existence is not told.
    if (detail.is_none() && live.is_none()) || !only.is_none_or(own) {
        return Err(unknown());
    }
    let now = live.map(|call| CallNow::of(call, &state));
    let Some(detail) = detail else {
        let none = WholeCall { call: None, now, legs: vec![], offers: vec![], notes: vec![], recordings: vec![] };
        return Ok(axum::Json(none));
    };
    // Recordings are for supervisors.
    let recordings = if only.is_none() { detail.recordings } else { Vec::new() };
    Ok(axum::Json(WholeCall {
        call: Some(LoggedCall::of(detail.call, &state)),
        now,
        legs: detail.legs.into_iter().map(Leg::from).collect(),
        offers: detail.offers.into_iter().map(Offer::from).collect(),
        notes: detail.notes.into_iter().map(Note::from).collect(),
        recordings: recordings.into_iter().map(|row| Recording::of(row, &state)).collect(),
    }))
}

fn took_part(detail: &CallDetail, me: AgentId) -> bool {
    detail.call.agent == Some(me)
        || detail.offers.iter().any(|offer| offer.agent == Some(me))
        || detail.legs.iter().any(|leg| leg.agent == Some(me))
}
