//! Russian: gender, case and number agree.

use super::numeral::{Noun, Number, cardinal_part, ordinal_part};
use super::phrase::{Fragment, Language};

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

/// A noun's gender and the three forms that a numeral asks for.
struct Forms {
    gender: Gender,
    /// After 1, 21, 101 …: «минута»
    one: &'static str,
    /// The same in the accusative: «(через) минуту»
    one_acc: &'static str,
    /// After 2-4, 22-24 …: «минуты»
    few: &'static str,
    /// After all the others: «минут»
    many: &'static str,
}

fn forms(noun: Noun) -> Forms {
    use Gender::{Feminine, Masculine};
    let (gender, one, one_acc, few, many) = match noun {
        Noun::Hour => (Masculine, "hour-one", "hour-one", "hour-few", "hour-many"),
        Noun::HourAtEnd => (Masculine, "hour-one-end", "hour-one-end", "hour-few-end", "hour-many-end"),
        Noun::MinuteAtEnd => (Feminine, "minute-one-end", "minute-one-acc-end", "minute-few-end", "minute-many-end"),
    };
    Forms { gender, one, one_acc, few, many }
}

/// A numeral and its noun: «двадцать две минуты».
pub fn counted(number: Number, noun: Noun, case: Case) -> Vec<Fragment> {
    let noun = forms(noun);
    let mut said = cardinal(number, noun.gender, case);
    said.push(Fragment::new(match (number.value() % 10, number.value() % 100) {
        (_, 11..=14) => noun.many,
        (1, _) => match case {
            Case::Nominative => noun.one,
            Case::Accusative => noun.one_acc,
        },
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
        (_, Gender::Masculine | Gender::Feminine | Gender::Neuter, Case::Nominative | Case::Accusative) => {
            cardinal_part(part)
        }
    };
    number.parts().into_iter().map(form).collect()
}

/// A masculine ordinal: only its last part is one, «сто двадцать первый».
pub fn ordinal(number: Number) -> Vec<Fragment> {
    let mut parts = number.parts();
    let last = parts.pop().map(ordinal_part);
    parts.into_iter().map(cardinal_part).chain(last).collect()
}

/// A day of the year: «двадцать третьего мая в», before a time. Days and months beyond the calendar are said as its last.
pub fn date(day: u8, month: u8) -> Vec<Fragment> {
    let mut parts = Number::day(day).parts();
    let last = parts.pop().and_then(|part| Fragment::numbered("ordinal-gen", part, Language::Ru));
    let month = Fragment::numbered("month", u32::from(month.clamp(1, 12)), Language::Ru);
    parts.into_iter().map(cardinal_part).chain(last).chain(month).chain([Fragment::new("at")]).collect()
}

/// A time of the day, as after «в»: «двадцать один час пять минут.»
pub fn time(hour: u8, minute: u8) -> Vec<Fragment> {
    let counted = |value: u8, noun| {
        Number::new(u32::from(value)).map(|number| counted(number, noun, Case::Accusative)).unwrap_or_default()
    };
    if minute == 0 {
        return counted(hour, Noun::HourAtEnd);
    }
    [counted(hour, Noun::Hour), counted(minute, Noun::MinuteAtEnd)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{Phrase, text};

    #[test]
    fn the_place_in_the_queue_is_a_masculine_ordinal() {
        let cases = [
            (0, "Вы первый в очереди."),
            (1, "Вы первый в очереди."),
            (3, "Вы третий в очереди."),
            (11, "Вы одиннадцатый в очереди."),
            (20, "Вы двадцатый в очереди."),
            (21, "Вы двадцать первый в очереди."),
            (40, "Вы сороковой в очереди."),
            (100, "Вы сотый в очереди."),
            (112, "Вы сто двенадцатый в очереди."),
            (240, "Вы двести сороковой в очереди."),
            (300, "Вы трёхсотый в очереди."),
            (999, "Вы девятьсот девяносто девятый в очереди."),
            (1_000, "Перед вами в очереди больше девятисот человек."),
            (u32::MAX, "Перед вами в очереди больше девятисот человек."),
        ];
        for (place, words) in cases {
            assert_eq!(text(&Phrase::Position(place), Language::Ru), words);
        }
    }

    #[test]
    fn the_wait_agrees_in_gender_and_number() {
        let cases = [
            (0, "меньше минуты."),
            (1, "одна минута."),
            (2, "две минуты."),
            (5, "пять минут."),
            (11, "одиннадцать минут."),
            (12, "двенадцать минут."),
            (20, "двадцать минут."),
            (21, "двадцать одна минута."),
            (34, "тридцать четыре минуты."),
            (59, "пятьдесят девять минут."),
            (60, "один час."),
            (62, "один час две минуты."),
            (120, "два часа."),
            (181, "три часа одна минута."),
            (720, "двенадцать часов."),
            (999, "шестнадцать часов тридцать девять минут."),
            (1_000, "больше шестнадцати часов."),
        ];
        for (minutes, words) in cases {
            let said = text(&Phrase::EstimatedWait { minutes }, Language::Ru);
            assert_eq!(said, format!("Примерное время ожидания {words}"), "{minutes}");
        }
    }

    #[test]
    fn one_and_two_agree_with_the_noun_and_no_other_part_does() {
        use Case::{Accusative, Nominative};
        use Gender::{Feminine, Masculine, Neuter};
        let cases: [(u32, Gender, Case, &[&str]); 9] = [
            (1, Masculine, Nominative, &["number-1"]),
            (1, Masculine, Accusative, &["number-1"]),
            (21, Feminine, Nominative, &["number-20", "number-1-f"]),
            (21, Feminine, Accusative, &["number-20", "number-1-f-acc"]),
            (31, Neuter, Accusative, &["number-30", "number-1-n"]),
            (102, Feminine, Accusative, &["number-100", "number-2-f"]),
            (102, Neuter, Nominative, &["number-100", "number-2"]),
            (11, Feminine, Accusative, &["number-11"]),
            (200, Feminine, Nominative, &["number-200"]),
        ];
        for (value, gender, case, stems) in cases {
            let said: Vec<_> =
                Number::new(value).into_iter().flat_map(|n| cardinal(n, gender, case)).map(Fragment::as_str).collect();
            assert_eq!(said, stems, "{value} {gender:?} {case:?}");
        }
    }
}
