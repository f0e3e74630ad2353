//! English: one form of the numeral, two of the noun.

use super::numeral::{Number, cardinal_part};
use super::phrase::Fragment;

/// A noun's two forms.
struct Counted {
    one: &'static str,
    many: &'static str,
}

const MINUTE: Counted = Counted { one: "minute-one", many: "minute-many" };
const HOUR: Counted = Counted { one: "hour-one", many: "hour-many" };
/// The same word where the sentence ends with it: the voice falls.
const HOUR_AT_END: Counted = Counted { one: "hour-one-end", many: "hour-many-end" };

/// "You are number twenty one in the queue".
pub(super) fn position(place: u32) -> Vec<Fragment> {
    let Some(place) = Number::new(place.max(1)) else {
        return vec![Fragment::new("position-beyond")];
    };
    let mut said = vec![Fragment::new("you-are-number")];
    said.extend(cardinal(place));
    said.push(Fragment::new("in-queue"));
    said
}

/// "The estimated waiting time is two minutes".
pub(super) fn estimated_wait(minutes: u32) -> Vec<Fragment> {
    let mut said = vec![Fragment::new("wait-is")];
    match Number::new(minutes) {
        None => said.push(Fragment::new("wait-beyond")),
        Some(wait) if wait.value() == 0 => said.push(Fragment::new("wait-under-minute")),
        Some(wait) => said.extend(duration(wait)),
    }
    said
}

fn duration(minutes: Number) -> Vec<Fragment> {
    let hours = Number::new(minutes.value() / 60).filter(|hours| hours.value() > 0);
    let rest = Number::new(minutes.value() % 60).filter(|rest| rest.value() > 0);
    let hour = if rest.is_some() { &HOUR } else { &HOUR_AT_END };
    let hours = hours.into_iter().flat_map(|number| counted(number, hour));
    hours.chain(rest.into_iter().flat_map(|number| counted(number, &MINUTE))).collect()
}

fn counted(number: Number, noun: &Counted) -> Vec<Fragment> {
    let mut said = cardinal(number);
    said.push(Fragment::new(if number.value() == 1 { noun.one } else { noun.many }));
    said
}

/// A cardinal: "one hundred twenty one".
pub fn cardinal(number: Number) -> Vec<Fragment> {
    number.parts().into_iter().map(cardinal_part).collect()
}

#[cfg(test)]
mod tests {
    use crate::speech::{Language, Phrase, text};

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
