use proptest::prelude::*;

use super::super::money::{Rounding, RoundingWay};
use super::super::tariff::Night;
use super::super::time::Wall;
use super::*;

fn tariff() -> Tariff {
    Tariff {
        name: "Эконом".into(),
        boarding: Kopecks::roubles(100),
        included_m: 2_000,
        included_s: 300,
        per_km_inside: Kopecks::roubles(20),
        per_km_outside: Kopecks::roubles(35),
        per_minute: Kopecks::roubles(6),
        per_waiting_minute: Kopecks::roubles(8),
        free_waiting_s: 300,
        minimum: Kopecks::roubles(150),
        night: Some(Night { from_minute: 23 * 60, to_minute: 6 * 60, permille: 1_200 }),
        max_demand_permille: 2_000,
        rounding: Rounding { step: Kopecks::roubles(1), way: RoundingWay::Nearest },
    }
}

fn calculation(trip: Trip, hour: i64, demand_permille: u32, waited_s: u64) -> Calculation {
    let terms = Terms { started_at: Wall(hour * 3_600_000), utc_offset_minutes: 0, demand_permille };
    Calculation { tariff: tariff(), terms, trip, waited_ms: waited_s * 1000 }
}

#[test]
fn a_fare_can_be_checked_line_by_line() {
    let fare = calculation(Trip::expected(9_451, 3_200, 1_510), 12, 1_000, 430).fare().unwrap();
    let lines: Vec<String> = fare.lines.iter().map(|line| line.text(Language::Ru)).collect();
    assert_eq!(
        lines,
        [
            "Посадка: 100,00 ₽",
            "Расстояние по городу: 9,451 км (бесплатно 2,000 км) × 20,00 ₽ = 149,02 ₽",
            "Расстояние за городом: 3,200 км × 35,00 ₽ = 112,00 ₽",
            "Время в пути: 25 мин 10 с (бесплатно 5 мин 0 с) × 6,00 ₽ = 121,00 ₽",
            "Ожидание: 7 мин 10 с (бесплатно 5 мин 0 с) × 8,00 ₽ = 17,33 ₽",
            "Округление: -0,35 ₽",
        ]
    );
    assert_eq!(fare.total, Kopecks(49_900));
    assert!(fare.adds_up());
}

#[test]
fn a_short_night_trip_in_demand_is_the_minimum_times_both_coefficients() {
    let fare = calculation(Trip::expected(1_000, 0, 200), 2, 1_500, 0).fare().unwrap();
    let kinds: Vec<_> = fare.lines.iter().map(|line| (line.kind, line.amount)).collect();
    assert_eq!(fare.total, Kopecks::roubles(270));
    assert_eq!(fare.lines[4].text(Language::Ru), "Ночной коэффициент: 150,00 ₽ × 1,200 прибавляет 30,00 ₽");
    assert_eq!(fare.lines[5].text(Language::En), "Demand coefficient: 180,00 RUB × 1,500 adds 90,00 RUB");
    assert_eq!(
        kinds,
        [
            (LineKind::Boarding, Kopecks::roubles(100)),
            (LineKind::DistanceInside, Kopecks::ZERO),
            (LineKind::Time, Kopecks::ZERO),
            (LineKind::Minimum, Kopecks::roubles(50)),
            (LineKind::Night, Kopecks::roubles(30)),
            (LineKind::Demand, Kopecks::roubles(90)),
        ]
    );
}

#[test]
fn discount_goes_before_bonus_and_bonus_before_account() {
    let funds = Funds { bonus: Kopecks(10_000), bonus_share_permille: 500, account: Kopecks(12_000) };
    let ten = Some(Discount::Percent { permille: 100 });
    let settle = |payment| Settlement::of(Kopecks(40_000), ten, payment, &funds).unwrap();
    let parts = |s: Settlement| (s.discount.0, s.bonus.0, s.account.0, s.cash.0);
    assert_eq!(parts(settle(Payment::Cash)), (4_000, 0, 0, 36_000));
    assert_eq!(parts(settle(Payment::Bonus)), (4_000, 10_000, 0, 26_000));
    assert_eq!(parts(settle(Payment::Account)), (4_000, 10_000, 12_000, 14_000));
    let poor = Funds { bonus: Kopecks(-5), bonus_share_permille: 1000, account: Kopecks(-700) };
    let owed = Settlement::of(Kopecks(100), None, Payment::Account, &poor).unwrap();
    assert_eq!(parts(owed), (0, 0, 0, 100));
    let free = Settlement::of(Kopecks(100), Some(Discount::Fixed { amount: Kopecks(500) }), Payment::Cash, &poor);
    assert_eq!(parts(free.unwrap()), (100, 0, 0, 0));
}

#[test]
fn an_agreed_price_is_one_line() {
    assert!(Fare::fixed(Kopecks(5)).unwrap().adds_up());
    assert_eq!(Fare::fixed(Kopecks(-5)), Err(Rejected::NegativeMoney));
}

fn money(most: i64) -> impl Strategy<Value = Kopecks> {
    (0..=most).prop_map(Kopecks)
}

prop_compose! {
    fn any_tariff()(
        prices in proptest::collection::vec(0i64..1_000_000, 6), included in (0u32..20_000, 0u32..5_000, 0u32..2_000),
        night in proptest::option::of((0u16..1440, 0u16..1440, 0u32..5_000)), demand in 0u32..5_000,
        step in 1i64..10_000, way in prop_oneof![Just(RoundingWay::Nearest), Just(RoundingWay::Up), Just(RoundingWay::Down)],
    ) -> Tariff {
        Tariff {
            name: "Любой".into(),
            boarding: Kopecks(prices[0]),
            included_m: included.0,
            included_s: included.1,
            per_km_inside: Kopecks(prices[1]),
            per_km_outside: Kopecks(prices[2]),
            per_minute: Kopecks(prices[3]),
            per_waiting_minute: Kopecks(prices[4]),
            free_waiting_s: included.2,
            minimum: Kopecks(prices[5]),
            night: night.map(|(from_minute, to_minute, permille)| Night { from_minute, to_minute, permille }),
            max_demand_permille: demand,
            rounding: Rounding { step: Kopecks(step), way },
        }
    }
}

proptest! {
    #[test]
    fn every_fare_adds_up_and_is_the_same_when_reckoned_again(
        tariff in any_tariff(), inside in 0u32..200_000, outside in 0u32..200_000, duration in 0u32..50_000,
        waited in 0u64..10_000_000, started in 0i64..2_000_000_000_000, demand_permille in 0u32..10_000,
    ) {
        let terms = Terms { started_at: Wall(started), utc_offset_minutes: 180, demand_permille };
        let calculation =
            Calculation { tariff, terms, trip: Trip::expected(inside, outside, duration), waited_ms: waited };
        let fare = calculation.fare().unwrap();
        prop_assert!(fare.adds_up(), "{fare:?}");
        prop_assert_eq!(fare.total.0 % calculation.tariff.rounding.step.0, 0);
        let stored = serde_json::to_string(&calculation).unwrap();
        let again: Calculation = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(again.fare().unwrap(), fare);
    }

    #[test]
    fn no_settlement_makes_or_loses_money(
        price in money(10_000_000), fixed in money(20_000_000), permille in 0u32..=1000, percent in any::<bool>(),
        bonus in -1_000i64..20_000_000, share in 0u32..2000, account in -1_000_000i64..20_000_000,
        payment in prop_oneof![Just(Payment::Cash), Just(Payment::Bonus), Just(Payment::Account)],
    ) {
        let discount = if percent { Discount::Percent { permille } } else { Discount::Fixed { amount: fixed } };
        let funds = Funds { bonus: Kopecks(bonus), bonus_share_permille: share, account: Kopecks(account) };
        let settlement = Settlement::of(price, Some(discount), payment, &funds).unwrap();
        prop_assert!(settlement.adds_up(), "{settlement:?}");
        prop_assert!(settlement.bonus <= Kopecks(bonus.max(0)) && settlement.account <= Kopecks(account.max(0)));
    }
}
