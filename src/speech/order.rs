//! The state of an order, as its caller hears it.

use super::address::address;
use super::numeral::{Noun, Number};
use super::phrase::Language;
use super::script::Script;
use super::{car, en, ru};
use crate::domain::address::{Address, Car};
use crate::domain::money::Kopecks;

/// What a caller is told of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderStatus {
    /// How far it is.
    pub progress: Progress,
    /// The car, once there is one.
    pub car: Option<Car>,
    /// Where the client is fetched; given only where it tells several orders apart.
    pub from: Option<Address>,
}

/// How far an order is. Minutes are whole, counted at the moment of the telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// No car yet.
    Searching {
        /// Looked for so long already.
        minutes: u32,
    },
    /// A pre-order that waits for its time.
    Booked {
        /// When the car is wanted.
        at: LocalTime,
    },
    /// A car is on its way.
    Assigned {
        /// Left until it is there; 0 is "any moment now", `None` is not known.
        minutes: Option<u32>,
    },
    /// The car is there.
    Arrived {
        /// It waits so long already.
        minutes: u32,
    },
    /// The client is in the car.
    InTrip,
    /// No car was found.
    NotFound,
}

/// A trip that is over; what is not known is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trip {
    /// Metres.
    pub distance_m: Option<u64>,
    /// What it costs, discounts and bonuses taken off.
    pub total: Option<Kopecks>,
}

/// A time of the office's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Which day.
    pub day: Day,
    /// 0 to 23; greater ones are said as 23.
    pub hour: u8,
    /// 0 to 59; greater ones are said as 59.
    pub minute: u8,
}

/// A day, seen from today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Day {
    /// Today.
    Today,
    /// Tomorrow.
    Tomorrow,
    /// Any other.
    Date {
        /// Day of the month, 1 to 31.
        day: u8,
        /// 1 January to 12 December.
        month: u8,
    },
}

/// Why an order cannot be cancelled any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotCancel {
    /// The client is in the car already.
    InTrip,
    /// It is completed, or was cancelled before.
    Ended,
    /// It could not be done at this moment.
    Trouble,
}

/// Tells the state of an order; `another` where one was told just before.
pub(super) fn status(script: &mut Script, order: &OrderStatus, another: bool) {
    let language = script.language();
    if another {
        script.say("another-order");
    }
    if let Some(from) = order.from.as_ref().and_then(|from| address(from, language)) {
        let lead = if another { ("Адрес", "From") } else { ("Заказ по адресу", "The order from") };
        // All of it needs a synthesizer; without one the orders differ by their cars.
        script.words(language.pick(format!("{}: {from}.", lead.0), format!("{} {from}.", lead.1)));
    }
    let car = order.car.as_ref();
    match order.progress {
        Progress::Searching { minutes } => match sayable(minutes).filter(|_| minutes > 0) {
            Some(minutes) => minutes_after(script, "searching-already", minutes),
            None => script.say("searching"),
        },
        Progress::Booked { at } => {
            script.say("booked");
            local_time(script, at);
            script.stop();
        }
        Progress::Assigned { minutes } => {
            told_with_car(script, "assigned", car);
            match minutes.and_then(sayable) {
                Some(soon) if soon.value() == 0 => script.say("any-moment"),
                Some(minutes) => minutes_after(script, "will-be-in", minutes),
                None => {}
            }
        }
        Progress::Arrived { minutes } => {
            told_with_car(script, "arrived", car);
            if let Some(minutes) = sayable(minutes).filter(|_| minutes > 0) {
                minutes_after(script, "waits-already", minutes);
            }
        }
        Progress::InTrip => script.say("in-trip"),
        Progress::NotFound => script.say("not-found"),
    }
}

/// The longest distance and the greatest sum that are said.
const FARTHEST_KM: u64 = 9_999;
const DEAREST: u32 = 999_999;

/// «Вы проехали пять километров. Стоимость поездки: триста пятьдесят рублей.»
pub(super) fn trip(script: &mut Script, trip: Trip) {
    if let Some(metres) = trip.distance_m.filter(|metres| *metres >= 100) {
        // As people say it: in whole kilometres, a short way in hundreds of metres.
        let (many, noun) = match metres {
            0..950 => (metres.saturating_add(50) / 100 * 100, Noun::Metre),
            _ => (metres.saturating_add(500) / 1000, Noun::Kilometre),
        };
        if let Some(many) = u32::try_from(many.min(FARTHEST_KM)).ok().and_then(Number::new) {
            script.say("trip-distance");
            counted(script, many, noun, ru::Case::Accusative);
            script.stop();
        }
    }
    let total = trip.total.and_then(|total| u32::try_from(total.0).ok()).and_then(Number::new);
    let parts = total.map(|total| (total.over(100), total.rest(100)));
    if let Some((Some(roubles), kopecks)) =
        parts.filter(|(roubles, _)| roubles.is_some_and(|sum| sum.value() <= DEAREST))
    {
        script.say("trip-total");
        if script.language() == Language::Ru {
            script.colon();
        }
        counted(script, roubles, Noun::Rouble, ru::Case::Nominative);
        if let Some(kopecks) = kopecks {
            counted(script, kopecks, Noun::Kopeck, ru::Case::Nominative);
        }
        script.stop();
    }
}

/// «Бесплатное ожидание: пять минут.»
pub(super) fn free_waiting(script: &mut Script, minutes: u32) {
    if let Some(minutes) = sayable(minutes) {
        script.say("free-waiting");
        if script.language() == Language::Ru {
            script.colon();
        }
        counted(script, minutes, Noun::Minute, ru::Case::Nominative);
        script.stop();
    }
}

fn counted(script: &mut Script, number: Number, noun: Noun, case: ru::Case) {
    match script.language() {
        Language::Ru => ru::counted(script, number, noun, case),
        Language::En => en::counted(script, number, noun),
    }
}

/// Nobody wants to hear «тысяча сто минут»: longer spans are left out.
fn sayable(minutes: u32) -> Option<Number> {
    Number::new(minutes).filter(|minutes| minutes.value() <= 999)
}

/// «К вам едет белая Тойота Камри, номер …», «Машина уже ждёт вас: белая Тойота Камри, номер …»: the start is the sound
/// `<state>-car`, and `<state>` where nothing is known of the car.
fn told_with_car(script: &mut Script, state: &str, car: Option<&Car>) {
    let language = script.language();
    // «Едет» wants a noun after it; after a colon the car's name is enough.
    let noun = state == "assigned" && language == Language::Ru;
    let mut told = Script::new(language);
    let mut number = Script::new(language);
    if let Some(car) = car {
        car::describe(&mut told, car, noun);
        car::number(&mut number, car);
    }
    if told.is_empty() && number.is_empty() {
        return script.say(state);
    }
    script.say(&format!("{state}-car"));
    if !noun {
        script.colon();
    }
    if !told.is_empty() && !number.is_empty() {
        told.comma();
    }
    script.append(told);
    script.append(number);
    script.stop();
}

/// «Ищем уже двадцать одну минуту.»
fn minutes_after(script: &mut Script, start: &str, minutes: Number) {
    script.say(start);
    counted(script, minutes, Noun::Minute, ru::Case::Accusative);
    script.stop();
}

/// «завтра в пятнадцать часов тридцать минут», "tomorrow at three thirty p m".
fn local_time(script: &mut Script, at: LocalTime) {
    let language = script.language();
    match (at.day, language) {
        (Day::Today, _) => script.say("today-at"),
        (Day::Tomorrow, _) => script.say("tomorrow-at"),
        (Day::Date { day, month }, Language::Ru) => {
            ru::date(script, day, month);
            script.say("at");
        }
        (Day::Date { day, month }, Language::En) => {
            script.say("on");
            en::date(script, day, month);
            script.say("at");
        }
    }
    let (hour, minute) = (at.hour.min(23), at.minute.min(59));
    match language {
        Language::Ru => ru::time(script, hour, minute),
        Language::En => en::time(script, hour, minute),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{Phrase, text};

    fn told(progress: Progress, language: Language) -> String {
        text(&Phrase::Order(OrderStatus { progress, car: None, from: None }), language)
    }

    #[test]
    fn a_trip_is_told_with_its_length_and_its_price_and_a_waiting_car_with_the_time_for_nothing() {
        let trip = |distance_m, total: Option<i64>, language| {
            text(&Phrase::TripOver(Trip { distance_m, total: total.map(Kopecks) }), language)
        };
        let over = "Ваша поездка завершена. Спасибо, что выбрали нас!";
        for (metres, kopecks, told) in [
            (None, None, ""),
            (Some(90), Some(0), ""),
            (Some(5_290), Some(35_000), " Вы проехали пять километров. Стоимость поездки: триста пятьдесят рублей."),
            (
                Some(949),
                Some(10_152),
                " Вы проехали девятьсот метров. Стоимость поездки: сто один рубль пятьдесят две копейки.",
            ),
            (
                Some(950),
                Some(200_001),
                " Вы проехали один километр. Стоимость поездки: две тысячи рублей одна копейка.",
            ),
            (Some(u64::MAX), Some(i64::MAX), " Вы проехали девять тысяч девятьсот девяносто девять километров."),
        ] {
            assert_eq!(trip(metres, kopecks, Language::Ru), format!("{over}{told}"));
        }
        assert_eq!(
            trip(Some(1_200), Some(35_050), Language::En),
            "Your trip is over. Thank you for choosing us! You went one kilometre. The trip costs three hundred fifty \
             roubles fifty kopecks."
        );
        let free = |minutes, language| text(&Phrase::FreeWaiting { minutes }, language);
        assert_eq!(free(21, Language::Ru), "Бесплатное ожидание: двадцать одна минута.");
        assert_eq!(free(3, Language::En), "The car waits free of charge for three minutes.");
    }

    #[test]
    fn each_state_is_told_in_words() {
        let on = |day| Progress::Booked { at: LocalTime { day, hour: 21, minute: 5 } };
        let cases = [
            (Progress::Searching { minutes: 0 }, "Мы ищем для вас машину.", "We are looking for a car for you."),
            (
                Progress::Searching { minutes: 21 },
                "Мы ищем для вас машину уже двадцать одну минуту.",
                "We have been looking for a car for you for twenty one minutes.",
            ),
            (
                on(Day::Tomorrow),
                "Ваш заказ принят. Машина будет у вас завтра в двадцать один час пять минут.",
                "Your order is booked. The car will be there tomorrow at nine oh five P M.",
            ),
            (
                on(Day::Date { day: 23, month: 5 }),
                "Ваш заказ принят. Машина будет у вас двадцать третьего мая в двадцать один час пять минут.",
                "Your order is booked. The car will be there on May twenty third at nine oh five P M.",
            ),
            (Progress::Assigned { minutes: None }, "К вам едет машина.", "A car is on its way to you."),
            (
                Progress::Assigned { minutes: Some(0) },
                "К вам едет машина. Будет с минуты на минуту.",
                "A car is on its way to you. It will be there any moment now.",
            ),
            (
                Progress::Assigned { minutes: Some(1) },
                "К вам едет машина. Будет через одну минуту.",
                "A car is on its way to you. It will be there in one minute.",
            ),
            (Progress::Assigned { minutes: Some(1_000) }, "К вам едет машина.", "A car is on its way to you."),
            (
                Progress::Arrived { minutes: 2 },
                "Машина уже ждёт вас. Ждёт уже две минуты.",
                "Your car is waiting for you. It has been waiting for two minutes.",
            ),
        ];
        for (progress, russian, english) in cases {
            assert_eq!(told(progress, Language::Ru), russian);
            assert_eq!(told(progress, Language::En), english);
        }
    }
}
