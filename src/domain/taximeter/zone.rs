//! What counts as inside the city.

use serde::{Deserialize, Serialize};

use super::super::address::GeoPoint;
use super::super::limit;
use super::super::rejected::{Problem, Rejected};

/// The city's border: a closed line through these corners, in order. With fewer than three corners everything is inside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Zone(pub Vec<GeoPoint>);

impl Zone {
    /// Refuses a border that is none.
    ///
    /// # Errors
    /// [`Rejected::Field`].
    pub fn check(&self) -> Result<(), Rejected> {
        limit::check_count("zone", self.0.len(), 1000)?;
        if matches!(self.0.len(), 1 | 2) {
            return Err(Rejected::Field { field: "zone", problem: Problem::OutOfRange });
        }
        self.0.iter().try_for_each(|corner| corner.check("zone"))
    }

    /// Whether the point lies inside: an odd number of sides is crossed on the way from it to the east (Jordan's curve
    /// theorem; each side has its lower end but not its upper one, so a corner is crossed once).
    #[must_use]
    pub fn is_inside(&self, point: GeoPoint) -> bool {
        if self.0.len() < 3 {
            return true;
        }
        let last = self.0.last().copied().into_iter();
        let starts = last.chain(self.0.iter().copied());
        let crossed = starts.zip(self.0.iter().copied()).filter(|(a, b)| crosses(*a, *b, point)).count();
        crossed % 2 == 1
    }
}

fn crosses(a: GeoPoint, b: GeoPoint, point: GeoPoint) -> bool {
    let (low, high) = if a.lat_e7 <= b.lat_e7 { (a, b) } else { (b, a) };
    if point.lat_e7 < low.lat_e7 || point.lat_e7 >= high.lat_e7 {
        return false;
    }
    let wide = |from: i32, to: i32| i128::from(to) - i128::from(from);
    let side = wide(low.lon_e7, high.lon_e7) * wide(low.lat_e7, point.lat_e7)
        - wide(low.lon_e7, point.lon_e7) * wide(low.lat_e7, high.lat_e7);
    side > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat_e7: i32, lon_e7: i32) -> GeoPoint {
        GeoPoint { lat_e7, lon_e7 }
    }

    #[test]
    fn a_city_may_have_a_bay() {
        // A square of 0..10 with a bay cut in from the east.
        let zone = Zone(vec![at(0, 0), at(0, 10), at(4, 10), at(5, 2), at(6, 10), at(10, 10), at(10, 0)]);
        for (lat, lon, inside) in
            [(1, 1, true), (5, 1, true), (5, 5, false), (5, 11, false), (9, 9, true), (-1, 5, false), (11, 5, false)]
        {
            assert_eq!(zone.is_inside(at(lat, lon)), inside, "{lat} {lon}");
        }
    }

    #[test]
    fn without_a_border_everything_is_inside() {
        assert!(Zone::default().is_inside(at(0, 0)));
        assert_eq!(Zone(vec![at(0, 0)]).check(), Err(Rejected::Field { field: "zone", problem: Problem::OutOfRange }));
    }
}
