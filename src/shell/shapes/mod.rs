//! What programs outside see of orders and calls, as JSON: the same over the API and in webhooks. Moments are RFC 3339 in
//! UTC, places degrees, sums kopecks.

pub(super) mod address;
pub(super) mod call;
pub(super) mod order;

use chrono::{DateTime, Utc};

use crate::engine::time::Wall;

/// A moment as it is written: RFC 3339, UTC.
pub(super) fn time(wall: Wall) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(wall.0).unwrap_or_default()
}

/// A moment that was read.
pub(super) fn wall(time: DateTime<Utc>) -> Wall {
    Wall(time.timestamp_millis())
}
