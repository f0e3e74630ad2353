//! What a client is told of an order in writing, unasked or in answer to an SMS, short enough for one SMS where it can be.

use crate::domain::address::Car;
use crate::domain::money::Kopecks;
use crate::domain::notify::Occasion;
use crate::domain::order::Order;
use crate::domain::time::Wall;

use super::car;
use super::order::{CannotCancel, Day, LocalTime, OrderStatus, Progress};
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

/// What is answered to a client who wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is none.
    NoOrder,
    /// How the orders stand, newest first; never empty.
    States(Vec<OrderStatus>),
    /// It was cancelled.
    Cancelled,
    /// It was not.
    CannotCancel(CannotCancel),
    /// So many could be meant.
    Several(usize),
}

/// The answer in writing.
#[must_use]
pub fn reply(reply: &Reply, language: Language) -> String {
    let text = match reply {
        Reply::NoOrder => (
            "У вас нет активного заказа. Чтобы заказать машину, позвоните нам.",
            "You have no active order. Call us to get a car.",
        ),
        Reply::Cancelled => ("Ваш заказ отменён.", "Your order is cancelled."),
        Reply::CannotCancel(CannotCancel::InTrip) => {
            ("Поездка уже началась, отменить её нельзя.", "The trip has begun, it cannot be cancelled.")
        }
        Reply::CannotCancel(CannotCancel::Ended) => ("Этот заказ уже завершён.", "This order has ended already."),
        Reply::CannotCancel(CannotCancel::Trouble) => {
            ("Сейчас отменить не удалось, позвоните нам.", "It could not be cancelled now, please call us.")
        }
        Reply::Several(count) => {
            return language.pick(
                format!("У вас несколько заказов ({count}). Чтобы отменить один из них, позвоните нам."),
                format!("You have {count} orders. To cancel one of them, call us."),
            );
        }
        Reply::States(states) => {
            return states.iter().take(MOST_STATES).map(|order| state(order, language)).collect::<Vec<_>>().join(" ");
        }
    };
    language.pick(text.0, text.1).to_owned()
}

/// More of them nobody keeps apart.
const MOST_STATES: usize = 3;

/// How an order stands.
fn state(order: &OrderStatus, language: Language) -> String {
    let notice_of = |occasion, minutes| {
        notice(occasion, &Notice { car: order.car.clone(), minutes, ..Notice::default() }, language)
    };
    match order.progress {
        Progress::Searching { minutes } => match minutes {
            1..=999 => language.pick(format!("Ищем для вас машину, уже {minutes} мин."), {
                format!("We are looking for a car for you, {minutes} min already.")
            }),
            _ => language.pick("Ищем для вас машину.", "We are looking for a car for you.").to_owned(),
        },
        Progress::Booked { at } => booked(at, language),
        Progress::Assigned { minutes } => notice_of(Occasion::Assigned, minutes),
        Progress::Arrived { minutes } => {
            let told = notice_of(Occasion::Arrived, None);
            match minutes {
                1..=999 => {
                    let waits =
                        language.pick(format!("Ждёт уже {minutes} мин."), format!("It waits for {minutes} min."));
                    format!("{told} {waits}")
                }
                _ => told,
            }
        }
        Progress::InTrip => language.pick("Вы уже в пути.", "You are on your way.").to_owned(),
        Progress::NotFound => notice_of(Occasion::NotFound, None),
    }
}

/// «Заказ принят, машина будет завтра в 09:05.»
fn booked(at: LocalTime, language: Language) -> String {
    let (hour, minute) = (at.hour.min(23), at.minute.min(59));
    let time = format!("{hour:02}:{minute:02}");
    let day = match at.day {
        Day::Today => language.pick("сегодня", "today").to_owned(),
        Day::Tomorrow => language.pick("завтра", "tomorrow").to_owned(),
        Day::Date { day, month } => language.pick(format!("{day:02}.{month:02}"), format!("on {day:02}/{month:02}")),
    };
    language.pick(
        format!("Заказ принят, машина будет {day} в {time}."),
        format!("Your order is booked, the car will be there {day} at {time}."),
    )
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

    #[test]
    fn questions_are_answered_shortly() {
        let order = |progress| OrderStatus { progress, car: Some(rio()), from: None };
        let at = |day| Progress::Booked { at: LocalTime { day, hour: 9, minute: 5 } };
        let states = |progress| Reply::States(vec![order(progress)]);
        let cases = [
            (Reply::NoOrder, "У вас нет активного заказа. Чтобы заказать машину, позвоните нам."),
            (states(Progress::Searching { minutes: 0 }), "Ищем для вас машину."),
            (states(Progress::Searching { minutes: 5 }), "Ищем для вас машину, уже 5 мин."),
            (states(at(Day::Tomorrow)), "Заказ принят, машина будет завтра в 09:05."),
            (states(at(Day::Date { day: 3, month: 12 })), "Заказ принят, машина будет 03.12 в 09:05."),
            (states(Progress::Assigned { minutes: Some(2) }), "К вам едет белая Kia Rio, А123ВС77, будет через 2 мин."),
            (states(Progress::Arrived { minutes: 3 }), "Вас ждёт белая Kia Rio, А123ВС77. Ждёт уже 3 мин."),
            (states(Progress::InTrip), "Вы уже в пути."),
            (Reply::Cancelled, "Ваш заказ отменён."),
            (
                Reply::States(vec![order(Progress::InTrip), order(Progress::NotFound)]),
                "Вы уже в пути. Простите, машины не нашлось. Позвоните нам, и мы поищем ещё.",
            ),
            (Reply::Several(2), "У вас несколько заказов (2). Чтобы отменить один из них, позвоните нам."),
        ];
        for (asked, text) in cases {
            assert_eq!(reply(&asked, Language::Ru), text);
            assert!(!reply(&asked, Language::En).is_empty());
        }
    }
}
