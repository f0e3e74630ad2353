//! Calls that people of the office want to make: to a client, about an order, to a driver, or again from the journal.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::domain::ids::{ClientId, OrderId};
use crate::domain::phone::Phone;
use crate::engine::command::Answer;
use crate::engine::event::Request;
use crate::engine::ids::AgentId;

use super::WebState;
use super::access::Identity;
use super::calls::call_id;
use super::extract::Json;
use super::problem::Problem;
use super::queue::unexpected;

/// Whom to call: exactly one of `number`, `client`, `order`, `driver` and `call`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dial {
    /// A number, in any usual form.
    #[serde(default)]
    number: Option<String>,
    /// A client, at the main number.
    #[serde(default)]
    client: Option<i64>,
    /// The client of this order, at the number of the order.
    #[serde(default)]
    order: Option<i64>,
    /// The driver of this order.
    #[serde(default)]
    driver: Option<i64>,
    /// The other side of this call, from the journal.
    #[serde(default)]
    call: Option<String>,
    /// Whose phone rings first: for programs and people who take no calls themselves; else the own one.
    #[serde(default)]
    agent: Option<u32>,
}

/// A call that is being made.
#[derive(Serialize, ToSchema)]
pub(super) struct Dialled {
    /// Id of the call: see `GET /calls/{id}`.
    id: String,
    /// The number that is called.
    number: String,
    /// Whose phone rings first.
    agent: u32,
}

/// Call somebody: the agent's phone rings first, then the number is called, with the office's own number; both are joined
/// and recorded like any other call.
#[utoipa::path(post, path = "/api/v1/calls", tag = "calls", request_body = Dial,
    responses((status = 201, body = Dialled), (status = 403, body = Problem), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn dial(
    State(state): State<WebState>,
    identity: Identity,
    Json(body): Json<Dial>,
) -> Result<(StatusCode, axum::Json<Dialled>), Problem> {
    let agent = match body.agent.map(AgentId) {
        Some(agent) if identity.sees_all() || identity.agent() == Some(agent) => agent,
        Some(_) => return Err(Problem::forbidden("agent: only your own phone can be rung")),
        None => identity.own_agent()?,
    };
    let phone = number_of(&state, &body, &identity).await?;
    let number = phone.as_str().to_owned();
    if state.store.blocked_number(&number).await?.is_some() {
        let detail = format!("{number} is blocked by the office: unblock it first");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "number_blocked", detail));
    }
    let request = Request::Dial { agent, number: number.clone() };
    let answer = state.requests.ask(identity.actor()?, request).await?;
    let Answer::Calling(call) = answer else { return Err(unexpected(&answer)) };
    if identity.sees_all() {
        let detail = json!({"agent": agent.0});
        state.audit(identity.named(), "call_made", &call.to_string(), detail, identity.address).await?;
    }
    Ok((StatusCode::CREATED, axum::Json(Dialled { id: call.to_string(), number, agent: agent.0 })))
}

async fn number_of(state: &WebState, body: &Dial, identity: &Identity) -> Result<Phone, Problem> {
    let text = match body {
        Dial { number: Some(number), client: None, order: None, driver: None, call: None, .. } => number.clone(),
        Dial { number: None, client: Some(id), order: None, driver: None, call: None, .. } => {
            let found = state.store.get_client(ClientId(*id)).await?;
            let client = found.ok_or_else(|| Problem::not_found(format!("there is no client {id}")))?;
            client.card.phone().to_owned()
        }
        Dial { number: None, client: None, order: Some(id), driver: None, call: None, .. } => {
            order_of(state, *id).await?.order.phone
        }
        Dial { number: None, client: None, order: None, driver: Some(id), call: None, .. } => {
            let driver = order_of(state, *id).await?.order.driver;
            driver
                .map(|driver| driver.phone)
                .filter(|phone| !phone.is_empty())
                .ok_or_else(|| Problem::unprocessable(format!("order {id} has no driver with a telephone number")))?
        }
        Dial { number: None, client: None, order: None, driver: None, call: Some(id), .. } => {
            let id = call_id(id)?;
            let found = state.store.get_call(id).await?;
            let unknown = || Problem::not_found(format!("there is no call {id}"));
            let call = found.ok_or_else(unknown)?.call;
            // Agents call back the callers of their own calls; others are nobody's business.
            if !identity.sees_all() && call.agent.is_some() && call.agent != identity.agent() {
                return Err(unknown());
            }
            call.number
        }
        Dial { .. } => {
            return Err(Problem::unprocessable("give exactly one of number, client, order, driver and call"));
        }
    };
    match Phone::parse(&text) {
        Phone::Hidden => Err(Problem::unprocessable(format!("{text:?} is not a telephone number"))),
        phone @ (Phone::Internal(_) | Phone::Full(_)) => Ok(phone),
    }
}

async fn order_of(state: &WebState, id: i64) -> Result<crate::shell::store::orders::OrderRow, Problem> {
    let found = state.store.get_order(OrderId(id)).await?;
    found.ok_or_else(|| Problem::not_found(format!("there is no order {id}")))
}
