//! Tariffs and groups of clients, and what a trip would cost. Lists that the office keeps by hand (purposes of contacts
//! are another): all have the same addresses and the same manners.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::fare::{Calculation, Discount, Funds, Payment, Settlement};
use crate::domain::group::Group;
use crate::domain::tariff::{ONE, Tariff, Terms};
use crate::domain::taximeter::Trip;
use crate::shell::clock;
use crate::shell::store::catalogue::{Item, ItemChange, Listed};

use super::WebState;
use super::clients::known;
use super::dto::{time, wall};
use super::extract::{Json, Path, Query};
use super::orders::FareInWords;
use super::problem::Problem;
use super::writer::{Shown, Writer, tagged};

/// A tariff, a group or a purpose with its place in the office's list.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedItem<T> {
    id: i64,
    /// What it says.
    value: T,
    /// Holds where nothing else is said.
    is_default: bool,
    /// Not offered any more; kept for what refers to it.
    retired: bool,
    /// Grows with every edit.
    version: u64,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

impl<T> From<Item<T>> for ListedItem<T> {
    fn from(item: Item<T>) -> ListedItem<T> {
        let Item { id, value, is_default, retired, version, created_at, changed_at } = item;
        ListedItem {
            id,
            value,
            is_default,
            retired,
            version,
            created_at: time(created_at),
            changed_at: time(changed_at),
        }
    }
}

impl<T: Listed> Shown for Item<T> {
    type Shape = ListedItem<T>;

    fn version(&self) -> u64 {
        self.version
    }

    fn shown(&self) -> ListedItem<T> {
        self.clone().into()
    }
}

/// All of them by name, the retired ones too.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedItems<T> {
    items: Vec<ListedItem<T>>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeItem<T> {
    /// All of it anew.
    pub(super) value: Option<T>,
    /// Make it the default; the one before is it no more.
    #[serde(default)]
    make_default: bool,
    /// Offer it no more, or again. The default cannot be retired.
    retired: Option<bool>,
    /// Only if this is still the version.
    version: Option<u64>,
}

pub(super) async fn listed<T: Listed>(state: &WebState) -> Result<axum::Json<ListedItems<T>>, Problem> {
    let items = state.store.list_items::<T>().await?.into_iter().map(ListedItem::from).collect();
    Ok(axum::Json(ListedItems { items }))
}

pub(super) async fn item<T: Listed>(state: &WebState, id: i64) -> Result<Item<T>, Problem> {
    let item = state.store.get_item::<T>(id).await?;
    item.ok_or_else(|| Problem::not_found(format!("there is no {} {id}", T::WHAT)))
}

pub(super) async fn added<T: Listed>(
    state: &WebState,
    writer: &Writer,
    value: T,
) -> Result<impl IntoResponse + use<T>, Problem> {
    let author = writer.author(None)?;
    let item = state.store.add_item(value, &author, clock::wall()).await;
    let item = item.map_err(|error| writer.refused(&author, error))?;
    Ok((StatusCode::CREATED, tagged(item.version, ListedItem::from(item))))
}

pub(super) async fn changed<T: Listed>(
    state: &WebState,
    writer: &Writer,
    id: i64,
    body: ChangeItem<T>,
) -> Result<impl IntoResponse + use<T>, Problem> {
    let author = writer.author(body.version)?;
    let change = ItemChange { value: body.value, make_default: body.make_default, retired: body.retired };
    let item = state.store.change_item(id, change, &author, clock::wall()).await;
    let item = item.map_err(|error| writer.refused(&author, error))?;
    Ok(tagged(item.version, ListedItem::from(item)))
}

/// All tariffs by name, the retired ones too. Prices are kopecks, coefficients thousandths.
#[utoipa::path(get, path = "/api/v1/tariffs", tag = "tariffs",
    responses((status = 200, body = ListedItems<Tariff>)))]
pub(super) async fn tariffs(State(state): State<WebState>) -> Result<axum::Json<ListedItems<Tariff>>, Problem> {
    listed(&state).await
}

/// One tariff.
#[utoipa::path(get, path = "/api/v1/tariffs/{id}", tag = "tariffs", params(("id" = i64, Path)),
    responses((status = 200, body = ListedItem<Tariff>), (status = 404, body = Problem)))]
pub(super) async fn tariff(State(state): State<WebState>, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let item = item::<Tariff>(&state, id).await?;
    Ok(tagged(item.version, ListedItem::from(item)))
}

/// Add a tariff. The first one is the default.
#[utoipa::path(post, path = "/api/v1/tariffs", tag = "tariffs", request_body = Tariff,
    responses((status = 201, body = ListedItem<Tariff>), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add_tariff(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<Tariff>,
) -> Result<impl IntoResponse, Problem> {
    added(&state, &writer, body).await
}

/// Change a tariff. Orders that are completed keep the fare that they have.
#[utoipa::path(patch, path = "/api/v1/tariffs/{id}", tag = "tariffs", params(("id" = i64, Path)),
    request_body = ChangeItem<Tariff>, responses((status = 200, body = ListedItem<Tariff>),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change_tariff(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<ChangeItem<Tariff>>,
) -> Result<impl IntoResponse, Problem> {
    changed(&state, &writer, id, body).await
}

/// All groups of clients by name, the retired ones too.
#[utoipa::path(get, path = "/api/v1/groups", tag = "groups", responses((status = 200, body = ListedItems<Group>)))]
pub(super) async fn groups(State(state): State<WebState>) -> Result<axum::Json<ListedItems<Group>>, Problem> {
    listed(&state).await
}

/// One group.
#[utoipa::path(get, path = "/api/v1/groups/{id}", tag = "groups", params(("id" = i64, Path)),
    responses((status = 200, body = ListedItem<Group>), (status = 404, body = Problem)))]
pub(super) async fn group(State(state): State<WebState>, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let item = item::<Group>(&state, id).await?;
    Ok(tagged(item.version, ListedItem::from(item)))
}

/// Add a group. The first one is the default: who is in none is in that one.
#[utoipa::path(post, path = "/api/v1/groups", tag = "groups", request_body = Group,
    responses((status = 201, body = ListedItem<Group>), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add_group(
    State(state): State<WebState>,
    writer: Writer,
    Json(body): Json<Group>,
) -> Result<impl IntoResponse, Problem> {
    added(&state, &writer, body).await
}

/// Change a group.
#[utoipa::path(patch, path = "/api/v1/groups/{id}", tag = "groups", params(("id" = i64, Path)),
    request_body = ChangeItem<Group>, responses((status = 200, body = ListedItem<Group>),
    (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change_group(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Json(body): Json<ChangeItem<Group>>,
) -> Result<impl IntoResponse, Problem> {
    changed(&state, &writer, id, body).await
}

/// A trip as it is expected.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Expected {
    /// Metres inside the city.
    inside_m: Option<u32>,
    /// Metres outside.
    outside_m: Option<u32>,
    /// Seconds of the trip.
    duration_s: Option<u32>,
    /// Seconds that the car waits at the address, the free ones included.
    waiting_s: Option<u32>,
    /// When it starts: decides on day and night; now when absent.
    at: Option<DateTime<Utc>>,
    /// How much more is asked because many want a car, thousandths.
    demand_permille: Option<u32>,
    /// For this client, whose discount is taken off.
    client: Option<i64>,
}

/// What a trip would cost by a tariff, line by line in words.
#[utoipa::path(get, path = "/api/v1/tariffs/{id}/estimate", tag = "tariffs", params(("id" = i64, Path), Expected),
    responses((status = 200, body = FareInWords), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn estimate(
    State(state): State<WebState>,
    writer: Writer,
    Path(id): Path<i64>,
    Query(wanted): Query<Expected>,
) -> Result<axum::Json<FareInWords>, Problem> {
    let tariff = item::<Tariff>(&state, id).await?.value;
    let metres = |metres: Option<u32>| metres.unwrap_or_default();
    let calculation = Calculation {
        tariff,
        terms: Terms {
            started_at: wanted.at.map_or_else(clock::wall, wall),
            utc_offset_minutes: state.metering.utc_offset_minutes,
            demand_permille: wanted.demand_permille.unwrap_or(ONE),
        },
        trip: Trip::expected(metres(wanted.inside_m), metres(wanted.outside_m), wanted.duration_s.unwrap_or_default()),
        waited_ms: u64::from(wanted.waiting_s.unwrap_or_default()) * 1000,
    };
    let fare = calculation.fare().map_err(|why| writer.rejected(&why))?;
    let settlement = match wanted.client {
        None => None,
        Some(client) => {
            let (discount, nothing) = (discount(&state, client).await?, Funds::default());
            let settlement = Settlement::of(fare.total, discount, Payment::Cash, &nothing);
            Some(settlement.map_err(|why| writer.rejected(&why))?)
        }
    };
    Ok(axum::Json(FareInWords::of(fare, settlement, &writer)))
}

/// The client's own discount, or that of the client's group.
async fn discount(state: &WebState, client: i64) -> Result<Option<Discount>, Problem> {
    let card = known(state, client).await?.card;
    if card.discount.is_some() {
        return Ok(card.discount);
    }
    let own = match card.group {
        Some(group) => state.store.get_item::<Group>(group.0).await?,
        None => None,
    };
    let group = match own {
        Some(group) => Some(group),
        None => state.store.default_item::<Group>().await?,
    };
    Ok(group.and_then(|group| group.value.discount))
}
