//! Russian: gender, case and number agree.

use super::numeral::{Number, cardinal_part, ordinal_part};
use super::phrase::Fragment;

/// The gender of the counted noun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gender {
    /// «один час»
    Masculine,
    /// «одна минута»
    Feminine,
    /// «одно место»
    Neuter,
}

/// The case of a numeral that counts inanimate nouns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// «одна минута»
    Nominative,
    /// «ждать одну минуту»
    Accusative,
}

/// A noun with the three forms that a numeral asks for, and its gender.
struct Counted {
    gender: Gender,
    /// After 1, 21, 101 …: «минута»
    one: &'static str,
    /// After 2-4, 22-24 …: «минуты»
    few: &'static str,
    /// After all the others: «минут»
    many: &'static str,
}

const MINUTE: Counted =
    Counted { gender: Gender::Feminine, one: "minute-one", few: "minute-few", many: "minute-many" };
const HOUR: Counted = Counted { gender: Gender::Masculine, one: "hour-one", few: "hour-few", many: "hour-many" };
/// The same word where the sentence ends with it: the voice falls.
const HOUR_AT_END: Counted =
    Counted { gender: Gender::Masculine, one: "hour-one-end", few: "hour-few-end", many: "hour-many-end" };

/// «Вы двадцать первый в очереди».
pub(super) fn position(place: u32) -> Vec<Fragment> {
    let Some(place) = Number::new(place.max(1)) else {
        return vec![Fragment::new("position-beyond")];
    };
    let mut said = vec![Fragment::new("you-are")];
    said.extend(ordinal(place));
    said.push(Fragment::new("in-queue"));
    said
}

/// «Примерное время ожидания: двадцать одна минута».
pub(super) fn estimated_wait(minutes: u32) -> Vec<Fragment> {
    let mut said = vec![Fragment::new("wait-is")];
    match Number::new(minutes) {
        None => said.push(Fragment::new("wait-beyond")),
        Some(wait) if wait.value() == 0 => said.push(Fragment::new("wait-under-minute")),
        Some(wait) => said.extend(duration(wait)),
    }
    said
}

/// Minutes as hours and minutes, in the nominative.
fn duration(minutes: Number) -> Vec<Fragment> {
    let hours = Number::new(minutes.value() / 60).filter(|hours| hours.value() > 0);
    let rest = Number::new(minutes.value() % 60).filter(|rest| rest.value() > 0);
    let hour = if rest.is_some() { &HOUR } else { &HOUR_AT_END };
    let hours = hours.into_iter().flat_map(|number| counted(number, hour, Case::Nominative));
    hours.chain(rest.into_iter().flat_map(|number| counted(number, &MINUTE, Case::Nominative))).collect()
}

/// A numeral and its noun: «двадцать две минуты».
fn counted(number: Number, noun: &Counted, case: Case) -> Vec<Fragment> {
    let mut said = cardinal(number, noun.gender, case);
    said.push(Fragment::new(match (number.value() % 10, number.value() % 100) {
        (_, 11..=14) => noun.many,
        (1, _) => noun.one,
        (2..=4, _) => noun.few,
        _ => noun.many,
    }));
    said
}

/// A cardinal that agrees in gender and case: only «один» and «два» have forms for both.
pub fn cardinal(number: Number, gender: Gender, case: Case) -> Vec<Fragment> {
    let form = |part| match (part, gender, case) {
        (1, Gender::Feminine, Case::Nominative) => Fragment::new("number-1-f"),
        (1, Gender::Feminine, Case::Accusative) => Fragment::new("number-1-f-acc"),
        (1, Gender::Neuter, Case::Nominative | Case::Accusative) => Fragment::new("number-1-n"),
        (2, Gender::Feminine, Case::Nominative | Case::Accusative) => Fragment::new("number-2-f"),
        (_, Gender::Masculine | Gender::Feminine | Gender::Neuter, Case::Nominative | Case::Accusative) => cardinal_part(part),
    };
    number.parts().into_iter().map(form).collect()
}

/// A masculine ordinal: only its last part is one, «сто двадцать первый».
pub fn ordinal(number: Number) -> Vec<Fragment> {
    let mut parts = number.parts();
    let last = parts.pop().map(ordinal_part);
    parts.into_iter().map(cardinal_part).chain(last).collect()
}
