use proptest::prelude::*;

use super::*;

/// At 55.75° N a ten-millionth of a degree of latitude is 11.13 mm; 9000 of them about 100.2 m.
const HUNDRED_METRES: i32 = 9_000;
const START: GeoPoint = GeoPoint { lat_e7: 557_500_000, lon_e7: 376_000_000 };

fn north(metres_e7: i32) -> GeoPoint {
    GeoPoint { lat_e7: START.lat_e7 + metres_e7, ..START }
}

fn point(second: i64, place: GeoPoint) -> TrackPoint {
    TrackPoint { at: Wall(second * 1000), place, accuracy_m: Some(5) }
}

/// 100 m every 10 s: 36 km/h.
fn drive(seconds: std::ops::Range<i64>) -> Vec<TrackPoint> {
    seconds
        .step_by(10)
        .map(|second| point(second, north(HUNDRED_METRES * i32::try_from(second / 10).unwrap())))
        .collect()
}

fn run(points: &[TrackPoint], stop: i64) -> Trip {
    measure(points, Wall(0), Wall(stop * 1000), &Rules::default(), &Zone::default())
}

fn whole(trip: &Trip) -> u64 {
    trip.inside_mm + trip.outside_mm
}

#[test]
fn a_straight_drive_is_as_long_as_it_is() {
    let trip = run(&drive(0..610), 600);
    let straight = distance_mm(START, north(HUNDRED_METRES * 60));
    assert!(whole(&trip).abs_diff(straight) < 1_000, "{} {straight}", whole(&trip));
    assert!((6_000_000..6_030_000).contains(&whole(&trip)));
    assert_eq!((trip.duration_ms, trip.standing_ms, trip.used, trip.dropped), (600_000, 0, 61, 0));
}

#[test]
fn a_receiver_that_trembles_does_not_drive() {
    let place = |n: i64| north(if n % 2 == 0 { 0 } else { 900 });
    let points: Vec<_> = (0..60).map(|n| point(n * 5, place(n))).collect();
    let trip = run(&points, 300);
    assert_eq!((whole(&trip), trip.standing_ms, trip.used), (0, 295_000, 60));
}

#[test]
fn a_jump_and_back_costs_nothing() {
    let mut points = drive(0..610);
    let clean = run(&points, 600);
    points.push(point(305, north(HUNDRED_METRES * 400)));
    points.push(point(306, north(-HUNDRED_METRES * 400)));
    let trip = run(&points, 600);
    assert_eq!((whole(&trip), trip.used, trip.dropped), (whole(&clean), clean.used, 2));
}

#[test]
fn a_wrong_first_place_is_overruled_and_the_leap_is_not_charged() {
    let mut points = drive(10..610);
    let clean = run(&points, 600);
    points.push(point(0, north(HUNDRED_METRES * 3_000)));
    let trip = run(&points, 600);
    assert_eq!(whole(&trip), whole(&clean));
}

#[test]
fn a_tunnel_is_bridged_by_the_straight_line() {
    let all = drive(0..610);
    let with_gap: Vec<_> = all.iter().copied().filter(|p| !(200_000..400_000).contains(&p.at.0)).collect();
    let (whole_way, bridged) = (run(&all, 600), run(&with_gap, 600));
    assert!(whole(&whole_way).abs_diff(whole(&bridged)) < 1_000);
    assert!(bridged.bridged_mm > 2_000_000, "{}", bridged.bridged_mm);
    let winding = Rules { bridge_permille: 1_200, ..Rules::default() };
    let longer = measure(&with_gap, Wall(0), Wall(600_000), &winding, &Zone::default());
    assert_eq!(longer.bridged_mm, bridged.bridged_mm * 1_200 / 1_000);
}

#[test]
fn uncertain_points_and_points_outside_the_trip_are_not_looked_at() {
    let mut points = drive(0..610);
    let clean = run(&points, 300);
    points.push(TrackPoint { accuracy_m: Some(500), ..point(155, north(HUNDRED_METRES * 20)) });
    points.push(point(-5, north(0)));
    let trip = run(&points, 300);
    assert_eq!((whole(&trip), trip.dropped), (whole(&clean), clean.dropped + 2));
}

#[test]
fn the_border_divides_the_way() {
    let border = START.lat_e7 + HUNDRED_METRES * 30;
    let corner = |lat_e7, lon| GeoPoint { lat_e7, lon_e7: START.lon_e7 + lon };
    let zone = Zone(vec![
        corner(START.lat_e7 - 100, -1000),
        corner(START.lat_e7 - 100, 1000),
        corner(border, 1000),
        corner(border, -1000),
    ]);
    let trip = measure(&drive(0..610), Wall(0), Wall(600_000), &Rules::default(), &zone);
    assert!(trip.inside_mm.abs_diff(trip.outside_mm) < 2_000, "{trip:?}");
}

#[test]
fn a_stop_at_the_lights_is_standing_time() {
    let mut points = drive(0..110);
    points.extend((11..17).map(|n| point(n * 10, north(HUNDRED_METRES * 10))));
    points.extend(drive(100..310).into_iter().map(|p| TrackPoint { at: Wall(p.at.0 + 70_000), ..p }).skip(1));
    let trip = run(&points, 370);
    assert_eq!(trip.standing_ms, 60_000);
    assert!(whole(&trip).abs_diff(whole(&run(&drive(0..310), 300))) < 1_000);
}

fn any_track() -> impl Strategy<Value = Vec<TrackPoint>> {
    let one = (0i64..900_000, -200_000i32..200_000, -200_000i32..200_000, proptest::option::of(0u32..200));
    proptest::collection::vec(one, 0..50).prop_map(|points| {
        points
            .into_iter()
            .map(|(at, lat, lon, accuracy_m)| TrackPoint {
                at: Wall(at),
                place: GeoPoint { lat_e7: START.lat_e7 + lat, lon_e7: START.lon_e7 + lon },
                accuracy_m,
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn the_same_points_give_the_same_trip_in_whatever_order_they_come(
        points in any_track(), seed in any::<u64>(), again in 0usize..10,
    ) {
        let trip = run(&points, 900);
        let mut mixed = points.clone();
        // A shuffle by multiplication, and some points sent twice.
        mixed.sort_by_key(|p| (u64::try_from(p.at.0).unwrap() ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let other = run(&mixed, 900);
        prop_assert_eq!(trip, other);
        mixed.extend(points.iter().copied().take(again));
        let twice = run(&mixed, 900);
        prop_assert_eq!(whole(&trip), whole(&twice));
        prop_assert_eq!(trip.standing_ms, twice.standing_ms);
    }

    #[test]
    fn no_trip_is_faster_than_a_car_or_longer_than_its_time(points in any_track()) {
        let rules = Rules::default();
        let trip = run(&points, 900);
        // Each step may be one trembling farther than the speed allows.
        let trembling = u64::from(rules.min_step_m) * 1000 * u64::from(trip.used);
        let most = u64::from(rules.max_speed_kmh) * trip.duration_ms * 10 / 36 + trembling;
        prop_assert!(whole(&trip) <= most, "{} {most}", whole(&trip));
        prop_assert!(trip.standing_ms <= trip.duration_ms);
        prop_assert!(trip.bridged_mm <= whole(&trip));
        prop_assert_eq!(u64::from(trip.used) + u64::from(trip.dropped), points.len() as u64);
    }

    #[test]
    fn a_running_taximeter_shows_at_the_end_what_is_measured_again(points in any_track()) {
        let mut sorted = points.clone();
        sorted.sort_unstable();
        let mut meter = Taximeter::new(Wall(0), Rules::default(), Zone::default());
        for point in &sorted {
            meter.add(point);
        }
        prop_assert_eq!(meter.so_far(Wall(900_000)), run(&points, 900));
    }
}
