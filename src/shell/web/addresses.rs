//! Address hints for whoever takes an order.

use std::time::Duration;

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::hint::{Hint, Place, Query as Typed};
use crate::engine::time::Wall;
use crate::shell::clock;

use super::WebState;
use super::dto::time;
use super::extract::Query;
use super::problem::Problem;

/// For the client's places: who types waits for no database.
const PATIENCE: Duration = Duration::from_millis(300);
/// Hints when the request does not say.
const USUAL: usize = 8;
/// Hints at most: nobody reads more.
const MOST: usize = 50;

/// What is typed, and for whom.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// As typed so far: «лен 12к2 п3». Empty for the client's usual places.
    #[serde(default)]
    q: String,
    /// The client's id: own places come first.
    client: Option<i64>,
    /// Hints at most, up to 50; 8 when absent.
    limit: Option<u32>,
}

/// An address to choose.
#[derive(Serialize, ToSchema)]
pub(super) struct AddressHint {
    /// City, town or village; empty for the office's own.
    city: String,
    /// Street with its kind: «улица Ленина».
    street: String,
    /// As typed or as it was the last time; may be empty.
    house: String,
    entrance: String,
    /// For the driver.
    comment: String,
    /// How often the client was there; 0 for a street from the list.
    uses: u32,
    /// When the client was there the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<DateTime<Utc>>,
}

impl From<Hint> for AddressHint {
    fn from(hint: Hint) -> AddressHint {
        AddressHint {
            city: hint.city,
            street: hint.street,
            house: hint.house,
            entrance: hint.entrance,
            comment: hint.comment,
            uses: hint.uses,
            last_used_at: hint.last_used.map(|at| time(Wall(at))),
        }
    }
}

/// Addresses to choose from, the likeliest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AddressHints {
    items: Vec<AddressHint>,
}

/// Addresses that may be meant by what is typed: the client's own places, then streets. Slips of the fingers and the
/// wrong keyboard layout are forgiven.
#[utoipa::path(get, path = "/api/v1/addresses/hints", tag = "addresses", params(Wanted),
    responses((status = 200, body = AddressHints), (status = 400, body = Problem)))]
pub(super) async fn hints(
    State(state): State<WebState>,
    Query(wanted): Query<Wanted>,
) -> Result<axum::Json<AddressHints>, Problem> {
    let places = match wanted.client {
        Some(client) => places(&state, client).await,
        None => Vec::new(),
    };
    let limit = wanted.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL).clamp(1, MOST);
    let typed = Typed { text: &wanted.q, places: &places, now: clock::wall().0, limit };
    let items = state.hints.index().hints(&typed).into_iter().map(AddressHint::from).collect();
    Ok(axum::Json(AddressHints { items }))
}

/// The client's places. Without them there still are the streets: an order can be taken while the database is away.
async fn places(state: &WebState, client: i64) -> Vec<Place> {
    match tokio::time::timeout(PATIENCE, state.store.places_of(client)).await {
        Ok(Ok(places)) => places,
        Ok(Err(cause)) => {
            tracing::warn!(%cause, "address hints without the client's own places");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!("address hints without the client's own places: the database did not answer in 300 ms");
            Vec::new()
        }
    }
}
