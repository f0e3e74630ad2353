//! Addresses and points on the map.

use serde::{Deserialize, Serialize};

use super::limit::{self, LONG, SHORT};
use super::rejected::{Problem, Rejected};

/// A point of the WGS 84 ellipsoid. Whole numbers, so that the same points always give the same distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct GeoPoint {
    /// Latitude in ten-millionths of a degree, north positive, -900000000 to 900000000.
    #[cfg_attr(feature = "shell", schema(minimum = -900_000_000, maximum = 900_000_000))]
    pub lat_e7: i32,
    /// Longitude in ten-millionths of a degree, east positive, -1800000000 to 1800000000.
    #[cfg_attr(feature = "shell", schema(minimum = -1_800_000_000, maximum = 1_800_000_000))]
    pub lon_e7: i32,
}

impl GeoPoint {
    /// The point at so many degrees, to the nearest ten-millionth; none where the ellipsoid has none.
    #[must_use]
    pub fn from_degrees(lat: f64, lon: f64) -> Option<GeoPoint> {
        if !(lat.abs() <= 90.0 && lon.abs() <= 180.0) {
            return None;
        }
        // In range: the casts lose nothing but what is finer than a centimetre.
        #[allow(clippy::cast_possible_truncation)]
        let whole = |degrees: f64| (degrees * 1e7).round() as i32;
        Some(GeoPoint { lat_e7: whole(lat), lon_e7: whole(lon) })
    }

    /// Latitude and longitude in degrees; [`from_degrees`](GeoPoint::from_degrees) gives the same point again.
    #[must_use]
    pub fn degrees(self) -> (f64, f64) {
        (f64::from(self.lat_e7) / 1e7, f64::from(self.lon_e7) / 1e7)
    }

    /// This point, if the ellipsoid has it.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(self, field: &'static str) -> Result<(), Rejected> {
        let fits = self.lat_e7.unsigned_abs() <= 900_000_000 && self.lon_e7.unsigned_abs() <= 1_800_000_000;
        if fits { Ok(()) } else { Err(Rejected::Field { field, problem: Problem::OutOfRange }) }
    }
}

/// Where somebody is fetched, brought or lives. All parts may be empty, not all at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Address {
    /// City, town or village; empty for the office's own.
    pub city: String,
    /// Street, or the name of a place («Автовокзал»).
    pub street: String,
    /// House with its building («12к2»).
    pub house: String,
    /// Entrance («3»).
    pub entrance: String,
    /// What else the driver must know.
    pub comment: String,
    /// Where it is on the map, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<GeoPoint>,
}

impl Address {
    /// A street and a house.
    #[must_use]
    pub fn street(street: impl Into<String>, house: impl Into<String>) -> Address {
        Address { street: street.into(), house: house.into(), ..Address::default() }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.city, &self.street, &self.house, &self.entrance, &self.comment].iter().all(|part| part.trim().is_empty())
            && self.point.is_none()
    }

    /// Refuses an address that no driver could find or no database could keep.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(&self, field: &'static str) -> Result<(), Rejected> {
        if self.is_empty() {
            return Err(Rejected::Field { field, problem: Problem::Empty });
        }
        for part in [&self.city, &self.street, &self.house, &self.entrance] {
            limit::check(field, part, SHORT)?;
        }
        limit::check(field, &self.comment, LONG)?;
        self.point.map_or(Ok(()), |point| point.check(field))
    }
}

/// A car, as people are told about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Car {
    /// Make («Lada»).
    pub make: String,
    /// Model («Granta»).
    pub model: String,
    /// Colour («белый»).
    pub colour: String,
    /// Plate («А123ВС77»), as written on the car.
    pub plate: String,
    /// The crew's callsign in the office («31»); empty for a client's own car.
    pub callsign: String,
}

impl Car {
    /// Refuses a car that could not be recognised: it needs a plate or a callsign.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(&self, field: &'static str) -> Result<(), Rejected> {
        if self.plate.trim().is_empty() && self.callsign.trim().is_empty() {
            return Err(Rejected::Field { field, problem: Problem::Empty });
        }
        [&self.make, &self.model, &self.colour, &self.plate, &self.callsign]
            .into_iter()
            .try_for_each(|part| limit::check(field, part, SHORT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_says_nothing_or_too_much_is_refused() {
        let empty = Address { street: "  ".into(), ..Address::default() };
        assert_eq!(empty.check("from"), Err(Rejected::Field { field: "from", problem: Problem::Empty }));
        let long = Address::street("я".repeat(SHORT + 1), "");
        assert_eq!(long.check("to"), Err(Rejected::Field { field: "to", problem: Problem::TooLong { max: SHORT } }));
        let nul = Address::street("a\0b", "");
        assert_eq!(nul.check("to"), Err(Rejected::Field { field: "to", problem: Problem::ControlCharacter }));
        let off =
            Address { point: Some(GeoPoint { lat_e7: 900_000_001, lon_e7: 0 }), ..Address::street("Мира", "1") };
        assert_eq!(off.check("to"), Err(Rejected::Field { field: "to", problem: Problem::OutOfRange }));
        assert_eq!(Address::street("Мира", "1").check("to"), Ok(()));
    }
}
