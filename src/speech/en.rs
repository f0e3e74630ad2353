//! English: one form of the numeral, two of the noun.

use super::numeral::{Noun, Number, cardinal_part, ordinal_part};
use super::phrase::{Fragment, Language};

/// A numeral and its noun: "two minutes".
pub fn counted(number: Number, noun: Noun) -> Vec<Fragment> {
    let (one, many) = match noun {
        Noun::Hour => ("hour-one", "hour-many"),
        Noun::HourAtEnd => ("hour-one-end", "hour-many-end"),
        Noun::MinuteAtEnd => ("minute-one-end", "minute-many-end"),
    };
    let form = if number.value() == 1 { one } else { many };
    cardinal(number).into_iter().chain([Fragment::new(form)]).collect()
}

/// A cardinal: "one hundred twenty one".
pub fn cardinal(number: Number) -> Vec<Fragment> {
    number.parts().into_iter().map(cardinal_part).collect()
}

/// A day of the year: "on May twenty third at", before a time. Days and months beyond the calendar are said as its last.
pub fn date(day: u8, month: u8) -> Vec<Fragment> {
    let mut parts = Number::day(day).parts();
    let last = parts.pop().map(ordinal_part);
    let month = Fragment::numbered("month", u32::from(month.clamp(1, 12)), Language::En);
    let tens = parts.into_iter().map(cardinal_part);
    [Fragment::new("on")].into_iter().chain(month).chain(tens).chain(last).chain([Fragment::new("at")]).collect()
}

/// A time of the day by the twelve-hour clock: "nine oh five p m", "twelve a m" for midnight.
pub fn time(hour: u8, minute: u8) -> Vec<Fragment> {
    let of = |value: u8| Number::new(u32::from(value)).map(cardinal).unwrap_or_default();
    let half = Fragment::new(if hour < 12 { "am-end" } else { "pm-end" });
    let mut said = of(if hour.is_multiple_of(12) { 12 } else { hour % 12 });
    if (1..=9).contains(&minute) {
        said.push(Fragment::new("oh"));
    }
    if minute > 0 {
        said.extend(of(minute));
    }
    said.push(half);
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{Phrase, text};

    #[test]
    fn the_place_in_the_queue_is_told_as_a_number() {
        let cases = [
            (0, "You are number one in the queue."),
            (13, "You are number thirteen in the queue."),
            (21, "You are number twenty one in the queue."),
            (100, "You are number one hundred in the queue."),
            (345, "You are number three hundred forty five in the queue."),
            (1_000, "There are more than nine hundred people before you in the queue."),
        ];
        for (place, words) in cases {
            assert_eq!(text(&Phrase::Position(place), Language::En), words);
        }
    }

    #[test]
    fn the_wait_is_told_in_singular_or_plural() {
        let cases = [
            (0, "less than a minute."),
            (1, "one minute."),
            (2, "two minutes."),
            (21, "twenty one minutes."),
            (60, "one hour."),
            (61, "one hour one minute."),
            (150, "two hours thirty minutes."),
            (999, "sixteen hours thirty nine minutes."),
            (1_000, "more than sixteen hours."),
        ];
        for (minutes, words) in cases {
            let said = text(&Phrase::EstimatedWait { minutes }, Language::En);
            assert_eq!(said, format!("The estimated waiting time is {words}"), "{minutes}");
        }
    }
}
