//! Addresses and points of the map: degrees, not ten-millionths of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::address::{Address as Known, GeoPoint};

/// The ellipsoid has no such point.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("there is no point {lat}, {lon}: latitude is -90 to 90, longitude -180 to 180 degrees")]
pub(in crate::shell) struct NoPoint {
    lat: f64,
    lon: f64,
}

/// A point of the WGS 84 ellipsoid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::shell) struct MapPoint {
    /// Degrees of latitude, north positive; kept to seven places.
    #[schema(minimum = -90, maximum = 90)]
    lat: f64,
    /// Degrees of longitude, east positive; kept to seven places.
    #[schema(minimum = -180, maximum = 180)]
    lon: f64,
}

impl From<GeoPoint> for MapPoint {
    fn from(point: GeoPoint) -> MapPoint {
        let (lat, lon) = point.degrees();
        MapPoint { lat, lon }
    }
}

impl MapPoint {
    /// As the domain keeps it.
    ///
    /// # Errors
    /// When the ellipsoid has no such point.
    pub(in crate::shell) fn read(self) -> Result<GeoPoint, NoPoint> {
        GeoPoint::from_degrees(self.lat, self.lon).ok_or(NoPoint { lat: self.lat, lon: self.lon })
    }
}

/// Where somebody is fetched, brought or lives. All parts may be empty, not all at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::shell) struct Address {
    /// City, town or village; empty for the office's own.
    #[schema(max_length = 120)]
    city: String,
    /// Street, or the name of a place («Автовокзал»).
    #[schema(max_length = 120)]
    street: String,
    /// House with its building («12к2»).
    #[schema(max_length = 120)]
    house: String,
    /// Entrance («3»).
    #[schema(max_length = 120)]
    entrance: String,
    /// What else the driver must know.
    #[schema(max_length = 2000)]
    comment: String,
    /// Where it is on the map, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<MapPoint>,
}

impl From<Known> for Address {
    fn from(known: Known) -> Address {
        Address {
            city: known.city,
            street: known.street,
            house: known.house,
            entrance: known.entrance,
            comment: known.comment,
            point: known.point.map(MapPoint::from),
        }
    }
}

impl Address {
    /// As the domain keeps it.
    ///
    /// # Errors
    /// When its point is none.
    pub(in crate::shell) fn read(self) -> Result<Known, NoPoint> {
        Ok(Known {
            city: self.city,
            street: self.street,
            house: self.house,
            entrance: self.entrance,
            comment: self.comment,
            point: self.point.map(MapPoint::read).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_back_as_it_was() {
        for (lat_e7, lon_e7) in [(557_512_345, 376_123_457), (-900_000_000, 1_800_000_000), (1, -1), (0, 0)] {
            let point = GeoPoint { lat_e7, lon_e7 };
            let text = serde_json::to_string(&MapPoint::from(point)).unwrap();
            assert_eq!(serde_json::from_str::<MapPoint>(&text).unwrap().read().unwrap(), point, "{text}");
        }
    }

    #[test]
    fn a_point_off_the_map_is_refused() {
        for (lat, lon) in [(90.1, 0.0), (0.0, -180.5), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert!(MapPoint { lat, lon }.read().is_err(), "{lat} {lon}");
        }
    }
}
