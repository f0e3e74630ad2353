//! The state of an order, as its caller hears it.

use super::numeral::{Noun, Number};
use super::phrase::{Fragment, Language};
use super::{en, ru};
use crate::domain::address::{Address, Car};

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

/// The sounds that tell the state of an order. Never empty.
pub(super) fn status(order: &OrderStatus, language: Language) -> Vec<Fragment> {
    let (state, rest) = match order.progress {
        Progress::Searching { minutes: 0 } => ("searching", Vec::new()),
        Progress::Searching { minutes } => ("searching", after("searching-already", minutes, language)),
        Progress::Booked { at } => ("booked", local_time(at, language)),
        Progress::Assigned { minutes: None } => ("assigned", Vec::new()),
        Progress::Assigned { minutes: Some(0) } => ("assigned", vec![Fragment::new("any-moment")]),
        Progress::Assigned { minutes: Some(minutes) } => ("assigned", after("will-be-in", minutes, language)),
        Progress::Arrived { minutes: 0 } => ("arrived", Vec::new()),
        Progress::Arrived { minutes } => ("arrived", after("waits-already", minutes, language)),
        Progress::InTrip => ("in-trip", Vec::new()),
        Progress::NotFound => ("not-found", Vec::new()),
    };
    [Fragment::new(state)].into_iter().chain(rest).collect()
}

/// «Ждём уже двадцать одну минуту»; nothing where the number is too great to be said.
fn after(start: &'static str, minutes: u32, language: Language) -> Vec<Fragment> {
    let Some(number) = Number::new(minutes) else { return Vec::new() };
    let counted = match language {
        Language::Ru => ru::counted(number, Noun::MinuteAtEnd, ru::Case::Accusative),
        Language::En => en::counted(number, Noun::MinuteAtEnd),
    };
    [Fragment::new(start)].into_iter().chain(counted).collect()
}

/// «сегодня в пятнадцать часов тридцать минут», "today at three thirty p m".
fn local_time(at: LocalTime, language: Language) -> Vec<Fragment> {
    let mut said = match at.day {
        Day::Today => vec![Fragment::new("today-at")],
        Day::Tomorrow => vec![Fragment::new("tomorrow-at")],
        Day::Date { day, month } => match language {
            Language::Ru => ru::date(day, month),
            Language::En => en::date(day, month),
        },
    };
    let (hour, minute) = (at.hour.min(23), at.minute.min(59));
    said.extend(match language {
        Language::Ru => ru::time(hour, minute),
        Language::En => en::time(hour, minute),
    });
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{Phrase, text};

    fn told(progress: Progress, language: Language) -> String {
        text(&Phrase::Order(OrderStatus { progress, car: None, from: None }), language)
    }

    #[test]
    fn each_state_is_told_in_words() {
        let on = |day| Progress::Booked { at: LocalTime { day, hour: 21, minute: 5 } };
        let cases = [
            (Progress::Searching { minutes: 0 }, "Мы ищем для вас машину.", "We are looking for a car for you."),
            (
                Progress::Searching { minutes: 21 },
                "Мы ищем для вас машину. Ищем уже двадцать одну минуту.",
                "We are looking for a car for you. We have been looking for twenty one minutes.",
            ),
            (
                on(Day::Tomorrow),
                "Ваш заказ принят. Машина будет у вас завтра в двадцать один час пять минут.",
                "Your order is booked. The car will be there tomorrow at nine oh five p m.",
            ),
            (
                on(Day::Date { day: 23, month: 5 }),
                "Ваш заказ принят. Машина будет у вас двадцать третьего мая в двадцать один час пять минут.",
                "Your order is booked. The car will be there on May twenty third at nine oh five p m.",
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
