//! What happens to an order, from the assignment of a car to its end.

use axum::extract::State;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::address::Car;
use crate::domain::ids::OrderId;
use crate::domain::money::Kopecks;
use crate::domain::order::{CancelledBy, Command, Driver};
use crate::domain::taximeter::TrackPoint;
use crate::shell::shapes::address::MapPoint;
use crate::shell::shapes::order::Order;
use crate::shell::store::orders::{FinishPrice, Metering, OrderChange};

use super::WebState;
use super::dto::wall;
use super::extract::{Json, OptionalJson, Path};
use super::orders::apply;
use super::problem::Problem;
use super::writer::Writer;

/// An action with a body that must be there.
macro_rules! action {
    ($(#[$doc:meta])* $name:ident, $path:literal, $body:ident, $command:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "orders", params(("id" = i64, Path)), request_body = $body,
            responses((status = 200, body = Order), (status = 404, body = Problem), (status = 409, body = Problem),
            (status = 422, body = Problem)))]
        pub(super) async fn $name(
            State(state): State<WebState>,
            writer: Writer,
            Path(id): Path<i64>,
            Json(body): Json<$body>,
        ) -> Result<impl IntoResponse, Problem> {
            let (version, command): (_, fn($body) -> Command) = (body.version, $command);
            apply(&state, &writer, id, version, OrderChange::Command(command(body))).await
        }
    };
}

/// An action that needs no body.
macro_rules! simple {
    ($(#[$doc:meta])* $name:ident, $path:literal, $command:expr) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, tag = "orders", params(("id" = i64, Path)), request_body = Option<Seen>,
            responses((status = 200, body = Order), (status = 404, body = Problem), (status = 409, body = Problem)))]
        pub(super) async fn $name(
            State(state): State<WebState>,
            writer: Writer,
            Path(id): Path<i64>,
            OptionalJson(body): OptionalJson<Seen>,
        ) -> Result<impl IntoResponse, Problem> {
            apply(&state, &writer, id, body.version, OrderChange::Command($command)).await
        }
    };
}

/// A car for an order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Crew {
    /// With a plate or a callsign.
    car: Car,
    #[serde(default)]
    driver: Driver,
    /// In how many minutes it will be there, at most a week.
    #[schema(maximum = 10080)]
    eta_minutes: u16,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

action! {
    /// A car was found.
    assign, "/api/v1/orders/{id}/assign", Crew,
    |Crew { car, driver, eta_minutes, version: _ }| Command::Assign { car, driver, eta_minutes }
}
action! {
    /// Another car instead of the one that was assigned.
    reassign, "/api/v1/orders/{id}/reassign", Crew,
    |Crew { car, driver, eta_minutes, version: _ }| Command::Reassign { car, driver, eta_minutes }
}

/// When the car will be there now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEta {
    /// In so many minutes from now, at most a week.
    #[schema(maximum = 10080)]
    eta_minutes: u16,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

action! {
    /// The car comes earlier or later.
    eta, "/api/v1/orders/{id}/eta", NewEta,
    |body| Command::ChangeEta { eta_minutes: body.eta_minutes }
}

/// Which version was seen.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

simple! {
    /// The car is there.
    arrive, "/api/v1/orders/{id}/arrive", Command::Arrive
}
simple! {
    /// The client is in the car.
    start, "/api/v1/orders/{id}/start", Command::Start
}
simple! {
    /// No car could be found.
    no_car, "/api/v1/orders/{id}/no-car", Command::NoCar
}
simple! {
    /// The client wants the search to go on.
    search_again, "/api/v1/orders/{id}/search-again", Command::SearchAgain
}
simple! {
    /// The client did not come out («ложный заказ»).
    no_show, "/api/v1/orders/{id}/no-show", Command::NoShow
}
simple! {
    /// Begin the search for a pre-order before its time.
    wake, "/api/v1/orders/{id}/wake", Command::Wake
}

/// Why the car was taken off.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    /// For people.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

/// The car will not come: another one is looked for.
#[utoipa::path(post, path = "/api/v1/orders/{id}/release", tag = "orders", params(("id" = i64, Path)),
    request_body = Option<Release>, responses((status = 200, body = Order), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn release(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    OptionalJson(body): OptionalJson<Release>,
) -> Result<impl IntoResponse, Problem> {
    let command = Command::Release { reason: body.reason };
    apply(&state, &writer, id, body.version, OrderChange::Command(command)).await
}

/// On whose word an order is called off, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Cancel {
    /// A dispatcher who cancels because the client asked says `client`.
    by: CancelledBy,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

action! {
    /// Call the order off.
    cancel, "/api/v1/orders/{id}/cancel", Cancel,
    |body| Command::Cancel { by: body.by, reason: body.reason }
}

/// The end of a trip.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Finish {
    /// An agreed price in kopecks; by tariff and taximeter when absent.
    #[serde(default)]
    price: Option<Kopecks>,
    /// How much more is asked because many want a car, thousandths; the tariff limits it.
    #[serde(default)]
    #[schema(maximum = 100_000)]
    demand_permille: Option<u32>,
    /// Only if this is still the version.
    #[serde(default)]
    version: Option<u64>,
}

/// The trip is over: what it costs is reckoned from the tariff and the points, then discount, bonuses and account are
/// taken, all at once.
#[utoipa::path(post, path = "/api/v1/orders/{id}/finish", tag = "orders", params(("id" = i64, Path)),
    request_body = Option<Finish>, responses((status = 200, body = Order), (status = 404, body = Problem),
    (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn finish(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    OptionalJson(body): OptionalJson<Finish>,
) -> Result<impl IntoResponse, Problem> {
    let price = match body.price {
        Some(price) => FinishPrice::Fixed(price),
        None => FinishPrice::Metered(Metering {
            demand_permille: body.demand_permille.unwrap_or(crate::domain::tariff::ONE),
            ..state.metering.clone()
        }),
    };
    apply(&state, &writer, id, body.version, OrderChange::Finish(price)).await
}

/// Where the car was at a moment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CarPoint {
    /// By the receiver.
    at: DateTime<Utc>,
    place: MapPoint,
    /// Within how many metres; absent when the receiver did not tell.
    #[serde(default)]
    accuracy_m: Option<u32>,
}

/// Points of a trip, in any order; the same ones may come again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CarPoints {
    /// At most 500.
    #[schema(max_items = 500)]
    points: Vec<CarPoint>,
}

/// How many points were kept.
#[derive(Serialize, ToSchema)]
pub(super) struct Kept {
    /// Those that were known already, or came while no trip was under way, are not kept.
    kept: u64,
}

/// Where the car was: for the fare.
#[utoipa::path(post, path = "/api/v1/orders/{id}/point", tag = "orders", params(("id" = i64, Path)),
    request_body = CarPoints, responses((status = 200, body = Kept), (status = 404, body = Problem),
    (status = 422, body = Problem)))]
pub(super) async fn point(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<CarPoints>,
) -> Result<axum::Json<Kept>, Problem> {
    if body.points.len() > 500 {
        return Err(Problem::unprocessable("points: at most 500 at once; send the others in the next request"));
    }
    let read = |point: CarPoint| {
        Ok(TrackPoint { at: wall(point.at), place: point.place.read()?, accuracy_m: point.accuracy_m })
    };
    let points = body.points.into_iter().map(read).collect::<Result<Vec<_>, Problem>>()?;
    let author = writer.author(None)?;
    let kept = state.store.add_points(OrderId(id), &points).await;
    Ok(axum::Json(Kept { kept: kept.map_err(|error| writer.refused(&author, error))? }))
}
