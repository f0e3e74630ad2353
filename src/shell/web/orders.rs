//! Orders: taken, listed, looked at, changed. What happens to them later is in `order_actions`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::fare::{Fare, Settlement};
use crate::domain::ids::{ClientId, OrderId};
use crate::domain::order::{Command, State as OrderState};
use crate::shell::clock;
use crate::shell::shapes::order::{Order, OrderHistory};
use crate::shell::store::StoreError;
use crate::shell::store::author::ChangeError;
use crate::shell::store::order_list::OrderFilter;
use crate::shell::store::orders::{OrderChange, OrderRow};

use super::WebState;
use super::extract::{Json, Path, Query};
use super::listing::listing;
use super::order_dto::{ChangeOrder, NewOrder, OrderWithHistory, Orders};
use super::problem::Problem;
use super::writer::{Writer, tagged};

listing! {
    /// Which orders; what is not given does not matter.
    {
        /// States with commas between: `searching`, `assigned`, `arrived`, `in_trip`, `completed`, `not_found`,
        /// `cancelled`, `false`; or `active` for what somebody is working on.
        state: String,
        /// Of this client, and of the cards that were merged into it.
        client: i64,
        /// With this number to ring, in any form.
        phone: String,
        /// Of the driver with this code.
        driver: String,
    }
}

/// Orders, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "orders", params(Wanted),
    responses((status = 200, body = Orders), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<Orders>, Problem> {
    let [from, to] = wanted.span();
    let (cursor, limit) = wanted.page();
    let filter = OrderFilter {
        from,
        to,
        states: wanted.state.as_deref().map(states).transpose()?.unwrap_or_default(),
        client: wanted.client.map(ClientId),
        phone: wanted.phone.clone(),
        driver: wanted.driver.clone(),
    };
    let page = state.store.list_orders(&filter, cursor, limit).await?;
    Ok(axum::Json(Orders { items: page.items.into_iter().map(Order::from).collect(), next: page.next }))
}

fn states(text: &str) -> Result<Vec<OrderState>, Problem> {
    if text == "active" {
        return Ok(OrderFilter::active().states);
    }
    text.split(',')
        .map(|word| {
            OrderState::parse(word.trim()).ok_or_else(|| {
                let words = OrderState::ALL.map(OrderState::as_str).join(", ");
                Problem::bad_request("wrong_query", format!("state {word:?}: use active, or some of {words}"))
            })
        })
        .collect()
}

/// Take an order.
#[utoipa::path(post, path = "/api/v1/orders", tag = "orders", request_body = NewOrder, responses(
    (status = 201, body = Order), (status = 403, body = Problem), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn create(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<NewOrder>,
) -> Result<impl IntoResponse, Problem> {
    let author = writer.author(None)?;
    let row = match state.store.create_order(body.read()?, &author, clock::wall()).await {
        Ok(row) => row,
        // The address of this request exists; what its body names does not.
        Err(ChangeError::Store(StoreError::NotFound(what))) => {
            return Err(Problem::unprocessable(format!("{what}: there is no such {what}"))
                .in_russian(StoreError::NotFound(what).russian()));
        }
        Err(error) => return Err(writer.refused(&author, error)),
    };
    Ok((StatusCode::CREATED, tagged(row.order.version, Order::from(row))))
}

/// An order with its history.
#[utoipa::path(get, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = i64, Path)),
    responses((status = 200, body = OrderWithHistory), (status = 404, body = Problem)))]
pub(super) async fn one(State(state): State<WebState>, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let row = known(&state, id).await?;
    let history = state.store.order_history(row.id).await?.into_iter().map(OrderHistory::from).collect();
    Ok(tagged(row.order.version, OrderWithHistory { order: row.into(), history }))
}

/// Change what is to be done.
#[utoipa::path(patch, path = "/api/v1/orders/{id}", tag = "orders", params(("id" = i64, Path)),
    request_body = ChangeOrder, responses((status = 200, body = Order), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<ChangeOrder>,
) -> Result<impl IntoResponse, Problem> {
    let version = body.version;
    apply(&state, &writer, id, version, OrderChange::Command(Command::Edit(body.read()?))).await
}

/// Does something to an order and answers it as it is then.
pub(super) async fn apply(
    state: &WebState,
    writer: &Writer,
    id: i64,
    version: Option<u64>,
    change: OrderChange,
) -> Result<impl IntoResponse + use<>, Problem> {
    let author = writer.author(version)?;
    let row = state.store.change_order(OrderId(id), change, &author, clock::wall()).await;
    let row = row.map_err(|error| writer.refused(&author, error))?;
    Ok(tagged(row.order.version, Order::from(row)))
}

async fn known(state: &WebState, id: i64) -> Result<OrderRow, Problem> {
    let row = state.store.get_order(OrderId(id)).await?;
    row.ok_or_else(|| Problem::not_found(format!("there is no order {id}")).in_russian(format!("Заказа № {id} нет.")))
}

/// What a trip cost, as a client can check it.
#[derive(Serialize, ToSchema)]
pub(super) struct FareInWords {
    fare: Fare,
    /// The lines of the fare in the language of `Accept-Language`; they add up to the total.
    lines: Vec<String>,
    /// Out of what it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<Settlement>,
}

impl FareInWords {
    pub(super) fn of(fare: Fare, settlement: Option<Settlement>, writer: &Writer) -> FareInWords {
        let lines = fare.lines.iter().map(|line| line.text(writer.language())).collect();
        FareInWords { fare, lines, settlement }
    }
}

/// What the trip cost, line by line in words.
#[utoipa::path(get, path = "/api/v1/orders/{id}/fare", tag = "orders", params(("id" = i64, Path)),
    responses((status = 200, body = FareInWords), (status = 404, body = Problem)))]
pub(super) async fn fare(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
) -> Result<axum::Json<FareInWords>, Problem> {
    let order = known(&state, id).await?.order;
    let fare = order.fare.ok_or_else(|| Problem::not_found(format!("order {id} has no fare: it is not completed")))?;
    Ok(axum::Json(FareInWords::of(fare, order.settlement, &writer)))
}
