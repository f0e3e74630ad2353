//! Distances on the WGS 84 ellipsoid in whole numbers.

use super::super::address::GeoPoint;

/// One, in the fixed-point numbers of this file.
const ONE: i128 = 1_000_000_000_000;
/// π / 180 in the same.
const RADIAN: i128 = 17_453_292_520;
/// Ten-millionths of a degree in a degree.
const DEGREE_E7: i128 = 10_000_000;
const HALF_TURN_E7: i128 = 180 * DEGREE_E7;

/// Millimetres between two points: a flat map with the ellipsoid's lengths of a degree at the middle latitude. Within
/// 0.01 % of the geodesic up to some tens of kilometres at the latitudes where people drive; steps of a track are short.
///
/// Lengths of a degree: the series of the U.S. National Imagery and Mapping Agency for WGS 84, metres,
/// latitude 111132.954 - 559.822 cos 2φ + 1.175 cos 4φ, longitude 111412.84 cos φ - 93.5 cos 3φ + 0.118 cos 5φ.
#[must_use]
pub fn distance_mm(a: GeoPoint, b: GeoPoint) -> u64 {
    let lat = i128::from(b.lat_e7) - i128::from(a.lat_e7);
    let mut lon = i128::from(b.lon_e7) - i128::from(a.lon_e7);
    // The shorter way around.
    if lon > HALF_TURN_E7 {
        lon -= 2 * HALF_TURN_E7;
    } else if lon < -HALF_TURN_E7 {
        lon += 2 * HALF_TURN_E7;
    }
    let middle_e7 = (i128::from(a.lat_e7) + i128::from(b.lat_e7)) / 2;
    let cos1 = cosine(middle_e7 * RADIAN / DEGREE_E7);
    let (cos2, cos3, cos4, cos5) = multiples(cos1);
    // Millimetres in a degree, times ONE.
    let lat_degree = 111_132_954 * ONE - 559_822 * cos2 + 1_175 * cos4;
    let lon_degree = 111_412_840 * cos1 - 93_500 * cos3 + 118 * cos5;
    let north = lat * (lat_degree / 1_000) / (DEGREE_E7 * (ONE / 1_000));
    let east = lon * (lon_degree / 1_000) / (DEGREE_E7 * (ONE / 1_000));
    let square = north.unsigned_abs().pow(2) + east.unsigned_abs().pow(2);
    u64::try_from(square.isqrt()).unwrap_or(u64::MAX)
}

/// The cosine of an angle of at most a quarter turn, by its series; the error is below 1e-11.
fn cosine(angle: i128) -> i128 {
    let square = angle * angle / ONE;
    let (mut sum, mut term) = (ONE, ONE);
    for k in 1..=10 {
        term = -term * square / ONE / ((2 * k - 1) * (2 * k));
        sum += term;
    }
    sum
}

/// Cosines of the double to the fivefold angle, by Chebyshev's recurrence.
fn multiples(cos1: i128) -> (i128, i128, i128, i128) {
    let next = |last: i128, before: i128| 2 * cos1 * last / ONE - before;
    let cos2 = next(cos1, ONE);
    let cos3 = next(cos2, cos1);
    let cos4 = next(cos3, cos2);
    (cos2, cos3, cos4, next(cos4, cos3))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(lat: f64, lon: f64) -> GeoPoint {
        #[expect(clippy::cast_possible_truncation, reason = "degrees of a test")]
        let e7 = |degrees: f64| (degrees * 1e7).round() as i32;
        GeoPoint { lat_e7: e7(lat), lon_e7: e7(lon) }
    }

    /// Great-circle distance on a sphere of the same mean radius: good to half a per cent.
    fn haversine_m(a: GeoPoint, b: GeoPoint) -> f64 {
        let radians = |e7: i32| f64::from(e7) / 1e7 * std::f64::consts::PI / 180.0;
        let (lat_a, lat_b) = (radians(a.lat_e7), radians(b.lat_e7));
        let (dlat, dlon) = (lat_b - lat_a, radians(b.lon_e7) - radians(a.lon_e7));
        let h = (dlat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (dlon / 2.0).sin().powi(2);
        2.0 * 6_371_008.8 * h.sqrt().asin()
    }

    #[test]
    fn known_geodesics_are_met_within_a_ten_thousandth() {
        // One degree of latitude from 55° N and one degree of longitude at 55° N and 0°: the series itself, checked
        // with the ellipsoid's closed formulas (a = 6378137 m, e² = 0.00669437999014).
        let cases = [
            (point(54.5, 37.0), point(55.5, 37.0), meridian_m(54.5, 55.5)),
            (point(55.0, 37.0), point(55.0, 37.1), parallel_m(55.0) * 0.1),
            (point(0.0, 10.0), point(0.0, 10.1), parallel_m(0.0) * 0.1),
            (point(-33.9, 151.0), point(-33.9, 151.1), parallel_m(-33.9) * 0.1),
        ];
        for (a, b, metres) in cases {
            #[expect(clippy::cast_precision_loss, reason = "a test")]
            let measured = distance_mm(a, b) as f64 / 1000.0;
            assert!((measured / metres - 1.0).abs() < 1e-4, "{measured} instead of {metres}");
        }
    }

    const E2: f64 = 0.006_694_379_990_14;
    const A: f64 = 6_378_137.0;

    fn meridian_m(from: f64, to: f64) -> f64 {
        let steps = 1000;
        let step = (to - from) / f64::from(steps);
        (0..steps)
            .map(|n| {
                let phi = (from + step * (f64::from(n) + 0.5)).to_radians();
                A * (1.0 - E2) / (1.0 - E2 * phi.sin().powi(2)).powf(1.5) * step.to_radians()
            })
            .sum()
    }

    fn parallel_m(lat: f64) -> f64 {
        let phi = lat.to_radians();
        A * phi.cos() / (1.0 - E2 * phi.sin().powi(2)).sqrt() * 1f64.to_radians()
    }

    #[test]
    fn the_date_line_is_no_distance() {
        assert!(distance_mm(point(65.0, 179.999), point(65.0, -179.999)) < 100_000_000);
        assert_eq!(distance_mm(point(65.0, 180.0), point(65.0, -180.0)), 0);
    }

    proptest! {
        #[test]
        fn distances_are_symmetric_and_near_those_on_a_sphere(
            lat in -70.0f64..70.0, lon in -179.0f64..179.0, dlat in -0.2f64..0.2, dlon in -0.2f64..0.2,
        ) {
            let (a, b) = (point(lat, lon), point(lat + dlat, lon + dlon));
            prop_assert_eq!(distance_mm(a, b), distance_mm(b, a));
            #[expect(clippy::cast_precision_loss, reason = "a test")]
            let measured = distance_mm(a, b) as f64 / 1000.0;
            let sphere = haversine_m(a, b);
            prop_assert!((measured - sphere).abs() <= sphere * 0.008 + 0.01, "{} {}", measured, sphere);
        }

        #[test]
        fn no_two_points_of_the_earth_overflow(
            lat in -900_000_000i32..=900_000_000, lon in -1_800_000_000i32..=1_800_000_000,
            lat2 in -900_000_000i32..=900_000_000, lon2 in -1_800_000_000i32..=1_800_000_000,
        ) {
            let mm = distance_mm(GeoPoint { lat_e7: lat, lon_e7: lon }, GeoPoint { lat_e7: lat2, lon_e7: lon2 });
            prop_assert!(mm < 30_000_000_000);
        }
    }
}
