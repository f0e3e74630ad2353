//! Calls as the journal knows them: lists and all that belongs to one.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::engine::ids::AgentId;
use crate::engine::view::Disposition;
use crate::shell::shapes::call::LoggedCall;
use crate::shell::store::calls::{CallDetail, CallFilter, CallRow, LegRow, NoteRow, OfferRow};

use super::access::Identity;
use super::calls::call_id;
use super::dto::{CallNow, time};
use super::extract::{Path, Query};
use super::listing::listing;
use super::problem::Problem;
use super::queue::ask_calls;
use super::recordings::Recording;
use super::{Parts, WebState};

listing! {
    /// Which calls; what is not given does not matter.
    {
        /// A whole number in any form, or its last digits.
        number: String,
        /// This agent talked. Agents see their own calls whatever they ask for.
        agent: u32,
        /// `BLOCKED`, `ABANDON`, `COMPLETECALLER`, `COMPLETEAGENT`, `ENDED`, `FALLBACK` or `LOST`.
        disposition: String,
        /// Was in this queue last.
        queue: String,
    }
}

fn logged(row: CallRow, parts: &Parts) -> LoggedCall {
    let node = row.node.map(|node| parts.node_name(node));
    LoggedCall::of(row, node)
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
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let filter = CallFilter {
        from,
        to,
        number: wanted.number.clone(),
        agent,
        disposition: wanted.disposition.as_deref().map(disposition).transpose()?,
        queue: wanted.queue.clone(),
    };
    let page = state.store.list_calls(&filter, cursor, limit).await?;
    let items = page.items.into_iter().map(|row| logged(row, &state)).collect();
    Ok(axum::Json(LoggedCalls { items, next: page.next }))
}

pub(super) fn disposition(word: &str) -> Result<Disposition, Problem> {
    let all = [
        Disposition::Blocked,
        Disposition::Abandon,
        Disposition::Unheard,
        Disposition::NoAnswer,
        Disposition::Informed,
        Disposition::AfterHours,
        Disposition::Callback,
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
    let unknown = || Problem::not_found(format!("there is no call {id}")).in_russian(format!("Звонка {id} нет."));
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
    let now = live.map(|call| CallNow::seen(call, &state, &identity));
    let Some(detail) = detail else {
        let none = WholeCall { call: None, now, legs: vec![], offers: vec![], notes: vec![], recordings: vec![] };
        return Ok(axum::Json(none));
    };
    // Recordings are for supervisors, and for whoever talked, where the office lets agents listen.
    let heard = |me| state.recording.agents_listen && detail.call.agent == Some(me);
    let recordings = if only.is_none_or(heard) { detail.recordings } else { Vec::new() };
    Ok(axum::Json(WholeCall {
        call: Some(logged(detail.call, &state)),
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
