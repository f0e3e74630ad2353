//! What a client is told of an order in writing, short enough for one SMS where it can be.

use crate::domain::address::Car;
use crate::domain::money::Kopecks;
use crate::domain::notify::Occasion;
use crate::domain::order::Order;
use crate::domain::time::Wall;

use super::car;
use super::phrase::Language;

/// What may be told; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// The car.
    pub car: Option<Car>,
    /// Whole minutes until it is there; 0 is "any moment now".
    pub minutes: Option<u32>,
    /// Whole minutes that the car waits for nothing.
    pub free_minutes: Option<u32>,
    /// What the trip costs, discounts and bonuses taken off.
    pub total: Option<Kopecks>,
    /// Metres of the trip.
    pub distance_m: Option<u64>,
    /// Seconds of the trip.
    pub duration_s: Option<u64>,
}

impl Notice {
    /// What an order tells at this moment.
    #[must_use]
    pub fn of(order: &Order, free_minutes: Option<u32>, now: Wall) -> Notice {
        let fare = order.fare.as_ref();
        Notice {
            car: order.car.clone(),
            minutes: order.eta.map(|eta| u32::from(eta.minutes_left(now))),
            free_minutes,
            total: order.settlement.as_ref().map(|settled| settled.paid()).or(fare.map(|fare| fare.total)),
            distance_m: fare.and_then(|fare| fare.distance_m),
            duration_s: fare.and_then(|fare| fare.duration_s),
        }
    }
}

/// The written text of an announcement: «К вам едет белая Kia Rio, А123ВС77, будет через 7 мин.»
#[must_use]
pub fn notice(occasion: Occasion, order: &Notice, language: Language) -> String {
    let car = car_in_writing(order.car.as_ref(), language);
    match (occasion, language) {
        (Occasion::Assigned, Language::Ru) => {
            let car = if car.is_empty() { "машина" } else { &car };
            format!("К вам едет {car}{}.", arrives(order.minutes, language))
        }
        (Occasion::Assigned, Language::En) => format!("Your car is on its way{}.", after(&car, order, language)),
        (Occasion::EtaChanged, Language::Ru) => {
            let car = if car.is_empty() { "машина" } else { &car };
            format!("Простите, время подачи изменилось: {car}{}.", arrives(order.minutes, language))
        }
        (Occasion::EtaChanged, Language::En) => {
            format!("Sorry, the time of your car has changed{}.", after(&car, order, language))
        }
        (Occasion::Arrived, Language::Ru) => {
            let car = if car.is_empty() { "машина" } else { &car };
            format!("Вас ждёт {car}.{}", free(order.free_minutes, language))
        }
        (Occasion::Arrived, Language::En) => {
            let car = if car.is_empty() { String::new() } else { format!(": {car}") };
            format!("Your car is waiting{car}.{}", free(order.free_minutes, language))
        }
        (Occasion::NotFound, Language::Ru) => "Простите, машины не нашлось. Позвоните нам, и мы поищем ещё.".to_owned(),
        (Occasion::NotFound, Language::En) => "Sorry, no car was found. Call us to keep searching.".to_owned(),
        (Occasion::Closed, Language::Ru) => format!("Спасибо за поездку!{}", trip(order, language)),
        (Occasion::Closed, Language::En) => format!("Thank you for riding with us!{}", trip(order, language)),
        (Occasion::Cancelled, Language::Ru) => {
            "Простите, ваш заказ отменён. Если машина ещё нужна, позвоните нам.".to_owned()
        }
        (Occasion::Cancelled, Language::En) => {
            "Sorry, your order was cancelled. If you still need a car, call us.".to_owned()
        }
    }
}

/// «белая Kia Rio, А123ВС77»; empty where nothing is known.
fn car_in_writing(car: Option<&Car>, language: Language) -> String {
    let Some(car) = car else { return String::new() };
    let parts = [car::in_writing(car, language), car::number_in_writing(car, language)];
    match language {
        // «К вам едет А123ВС77» is no sentence.
        Language::Ru if parts[0].is_empty() && !parts[1].is_empty() => format!("машина, {}", parts[1]),
        Language::Ru | Language::En => listed(&parts),
    }
}

fn listed(parts: &[String]) -> String {
    parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// ", будет через 7 мин"; a span that nobody wants to read is left out.
fn arrives(minutes: Option<u32>, language: Language) -> String {
    match minutes.filter(|minutes| *minutes <= 999) {
        None => String::new(),
        Some(0) => language.pick(", будет с минуты на минуту", ", any moment now").to_owned(),
        Some(minutes) => language.pick(format!(", будет через {minutes} мин"), format!(", in {minutes} min")),
    }
}

/// ": white Kia Rio, A123BC77, in 7 min".
fn after(car: &str, order: &Notice, language: Language) -> String {
    let arrives = arrives(order.minutes, language);
    if car.is_empty() { arrives } else { format!(": {car}{arrives}") }
}

fn free(minutes: Option<u32>, language: Language) -> String {
    match minutes.filter(|minutes| (1..=999).contains(minutes)) {
        None => String::new(),
        Some(minutes) => {
            language.pick(format!(" Бесплатное ожидание {minutes} мин."), format!(" Free waiting: {minutes} min."))
        }
    }
}

/// " 5,2 км, 14 мин, итого 350 руб."
fn trip(order: &Notice, language: Language) -> String {
    let mut parts = Vec::new();
    if let Some(metres) = order.distance_m.filter(|metres| *metres >= 100) {
        let (kilometres, tenths) = (metres / 1000, metres % 1000 / 100);
        parts.push(language.pick(format!("{kilometres},{tenths} км"), format!("{kilometres}.{tenths} km")));
    }
    if let Some(seconds) = order.duration_s.filter(|seconds| *seconds > 0) {
        parts.push(format!("{} {}", seconds.div_ceil(60), language.pick("мин", "min")));
    }
    if let Some(total) = order.total {
        let sum = roubles(total, language);
        parts.push(language.pick(format!("итого {sum} руб"), format!("total {sum} RUB")));
    }
    let all = parts.join(", ");
    if all.is_empty() { all } else { format!(" {all}.") }
}

/// «350» or «350,50»; negative sums do not occur.
fn roubles(sum: Kopecks, language: Language) -> String {
    let (whole, rest) = (sum.0 / 100, sum.0.unsigned_abs() % 100);
    match rest {
        0 => whole.to_string(),
        _ => format!("{whole}{}{rest:02}", language.pick(',', '.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rio() -> Car {
        Car {
            make: "Kia".into(),
            model: "Rio".into(),
            colour: "белый".into(),
            plate: "a123bc 77".into(),
            callsign: "31".into(),
        }
    }

    #[test]
    fn each_occasion_is_told_in_one_short_text() {
        let known = Notice {
            car: Some(rio()),
            minutes: Some(7),
            free_minutes: Some(5),
            total: Some(Kopecks(35_050)),
            distance_m: Some(5_290),
            duration_s: Some(14 * 60 - 1),
        };
        let cases = [
            (
                Occasion::Assigned,
                "К вам едет белая Kia Rio, А123ВС77, будет через 7 мин.",
                "Your car is on its way: white Kia Rio, A123BC77, in 7 min.",
            ),
            (
                Occasion::EtaChanged,
                "Простите, время подачи изменилось: белая Kia Rio, А123ВС77, будет через 7 мин.",
                "Sorry, the time of your car has changed: white Kia Rio, A123BC77, in 7 min.",
            ),
            (
                Occasion::Arrived,
                "Вас ждёт белая Kia Rio, А123ВС77. Бесплатное ожидание 5 мин.",
                "Your car is waiting: white Kia Rio, A123BC77. Free waiting: 5 min.",
            ),
            (
                Occasion::NotFound,
                "Простите, машины не нашлось. Позвоните нам, и мы поищем ещё.",
                "Sorry, no car was found. Call us to keep searching.",
            ),
            (
                Occasion::Closed,
                "Спасибо за поездку! 5,2 км, 14 мин, итого 350,50 руб.",
                "Thank you for riding with us! 5.2 km, 14 min, total 350.50 RUB.",
            ),
            (
                Occasion::Cancelled,
                "Простите, ваш заказ отменён. Если машина ещё нужна, позвоните нам.",
                "Sorry, your order was cancelled. If you still need a car, call us.",
            ),
        ];
        for (occasion, russian, english) in cases {
            assert_eq!(notice(occasion, &known, Language::Ru), russian);
            assert_eq!(notice(occasion, &known, Language::En), english);
        }
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let told = |occasion, order: &Notice| notice(occasion, order, Language::Ru);
        let nothing = Notice::default();
        assert_eq!(told(Occasion::Assigned, &nothing), "К вам едет машина.");
        assert_eq!(told(Occasion::Arrived, &nothing), "Вас ждёт машина.");
        assert_eq!(told(Occasion::Closed, &nothing), "Спасибо за поездку!");
        assert_eq!(notice(Occasion::Assigned, &nothing, Language::En), "Your car is on its way.");
        let callsign = Car { callsign: "31".into(), ..Car::default() };
        let due = Notice { car: Some(callsign), minutes: Some(0), ..Notice::default() };
        assert_eq!(told(Occasion::Assigned, &due), "К вам едет машина, позывной 31, будет с минуты на минуту.");
    }

    #[test]
    fn the_colour_agrees_with_the_car() {
        let with = |make: &str, model: &str, colour: &str| {
            let car = Car { make: make.into(), model: model.into(), colour: colour.into(), ..Car::default() };
            car::in_writing(&car, Language::Ru)
        };
        assert_eq!(with("Hyundai", "Solaris", "Чёрный металлик"), "чёрный Hyundai Solaris");
        assert_eq!(with("", "", "синий"), "синяя машина");
        assert_eq!(with("Москвич-Х", "", "канареечный"), "канареечная машина Москвич-Х");
        assert_eq!(with("Kia", "Rio", "хамелеон"), "Kia Rio, цвет хамелеон");
        assert_eq!(with("", "", ""), "");
    }
}
