use super::*;
use crate::speech::{Language, Phrase, text};

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

fn said(say: impl FnOnce(&mut Script)) -> String {
    let mut script = Script::new(Language::Ru);
    say(&mut script);
    script.text()
}

fn told(value: u32, gender: Gender, case: Case) -> String {
    said(|script| cardinal(script, Number::new(value).unwrap(), gender, case))
}

#[test]
fn cardinals_agree_in_gender_and_case() {
    use Case::{Accusative, Genitive, Nominative};
    use Gender::{Feminine, Masculine, Neuter};
    let cases = [
        (0, Masculine, Nominative, "ноль"),
        (1, Masculine, Nominative, "один"),
        (1, Masculine, Accusative, "один"),
        (1, Feminine, Nominative, "одна"),
        (1, Feminine, Accusative, "одну"),
        (1, Neuter, Accusative, "одно"),
        (1, Feminine, Genitive, "одной"),
        (1, Neuter, Genitive, "одного"),
        (2, Feminine, Accusative, "две"),
        (2, Neuter, Nominative, "два"),
        (2, Feminine, Genitive, "двух"),
        (11, Feminine, Accusative, "одиннадцать"),
        (12, Feminine, Nominative, "двенадцать"),
        (21, Feminine, Accusative, "двадцать одну"),
        (22, Feminine, Nominative, "двадцать две"),
        (31, Neuter, Accusative, "тридцать одно"),
        (40, Masculine, Genitive, "сорока"),
        (90, Masculine, Genitive, "девяноста"),
        (100, Masculine, Genitive, "ста"),
        (102, Feminine, Accusative, "сто две"),
        (111, Feminine, Accusative, "сто одиннадцать"),
        (200, Feminine, Nominative, "двести"),
        (365, Masculine, Genitive, "трёхсот шестидесяти пяти"),
        (1_000, Masculine, Nominative, "одна тысяча"),
        (1_000, Masculine, Accusative, "одну тысячу"),
        (1_001, Neuter, Nominative, "одна тысяча одно"),
        (2_002, Masculine, Nominative, "две тысячи два"),
        (5_000, Feminine, Nominative, "пять тысяч"),
        (11_000, Masculine, Nominative, "одиннадцать тысяч"),
        (21_000, Masculine, Accusative, "двадцать одну тысячу"),
        (22_012, Feminine, Nominative, "двадцать две тысячи двенадцать"),
        (100_500, Masculine, Nominative, "сто тысяч пятьсот"),
        (2_000, Masculine, Genitive, "двух тысяч"),
        (1_000, Masculine, Genitive, "одной тысячи"),
        (1_000_000, Feminine, Nominative, "один миллион"),
        (2_000_000, Feminine, Nominative, "два миллиона"),
        (5_001_001, Feminine, Nominative, "пять миллионов одна тысяча одна"),
        (999_999, Masculine, Nominative, "девятьсот девяносто девять тысяч девятьсот девяносто девять"),
    ];
    for (value, gender, case, words) in cases {
        assert_eq!(told(value, gender, case), words, "{value} {gender:?} {case:?}");
    }
}

/// The lines of a table: a number and the words of its forms.
fn table(text: &'static str) -> impl Iterator<Item = (u32, Vec<&'static str>)> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.split("; ");
        (fields.next().unwrap().parse().unwrap(), fields.collect())
    })
}

#[test]
fn cardinals_agree_with_another_implementation() {
    use Case::{Accusative, Genitive, Nominative};
    use Gender::{Feminine, Masculine, Neuter};
    let forms = [
        (Masculine, Nominative),
        (Feminine, Nominative),
        (Neuter, Nominative),
        (Feminine, Accusative),
        (Masculine, Genitive),
        (Feminine, Genitive),
    ];
    for (value, words) in table(include_str!("numerals.txt")) {
        assert_eq!(forms.map(|(gender, case)| told(value, gender, case)).as_slice(), words, "{value}");
    }
}

#[test]
fn ordinals_agree_with_another_implementation() {
    let forms = [Ordinal::Masculine, Ordinal::Feminine, Ordinal::Neuter, Ordinal::Genitive];
    for (value, words) in table(include_str!("ordinals.txt")) {
        let told = forms.map(|form| said(|script| ordinal(script, Number::new(value).unwrap(), form)));
        assert_eq!(told.as_slice(), words, "{value}");
    }
}

/// Reads a cardinal back and tells the gender of its last word, `None` where that has but one form. Independent of how
/// it is made: values of words, not stems.
fn read_back(words: &str) -> (u32, Option<Gender>) {
    const WORDS: [(&str, u32); 36] = [
        ("ноль", 0),
        ("три", 3),
        ("четыре", 4),
        ("пять", 5),
        ("шесть", 6),
        ("семь", 7),
        ("восемь", 8),
        ("девять", 9),
        ("десять", 10),
        ("одиннадцать", 11),
        ("двенадцать", 12),
        ("тринадцать", 13),
        ("четырнадцать", 14),
        ("пятнадцать", 15),
        ("шестнадцать", 16),
        ("семнадцать", 17),
        ("восемнадцать", 18),
        ("девятнадцать", 19),
        ("двадцать", 20),
        ("тридцать", 30),
        ("сорок", 40),
        ("пятьдесят", 50),
        ("шестьдесят", 60),
        ("семьдесят", 70),
        ("восемьдесят", 80),
        ("девяносто", 90),
        ("сто", 100),
        ("двести", 200),
        ("триста", 300),
        ("четыреста", 400),
        ("пятьсот", 500),
        ("шестьсот", 600),
        ("семьсот", 700),
        ("восемьсот", 800),
        ("девятьсот", 900),
        ("два", 2),
    ];
    let (mut total, mut group, mut last) = (0, 0, None);
    for word in words.split(' ') {
        // The noun of a group agrees with the number before it.
        let scale = |noun: &str, form: &str, last: Option<Gender>, gender| {
            let ends = match (group % 10, group % 100) {
                (_, 11..=14) => "many",
                (1, _) => "one",
                (2..=4, _) => "few",
                _ => "many",
            };
            assert_eq!(ends, form, "{noun} in {words}");
            assert!(
                last.is_none() || last == Some(gender) || (group % 10 == 2 && gender == Gender::Masculine),
                "{words}"
            );
        };
        let (value, gender) = match word {
            "один" => (1, Some(Gender::Masculine)),
            "одна" => (1, Some(Gender::Feminine)),
            "одно" => (1, Some(Gender::Neuter)),
            "две" => (2, Some(Gender::Feminine)),
            "тысяча" | "тысячи" | "тысяч" => {
                let form = if word == "тысяча" {
                    "one"
                } else if word == "тысячи" {
                    "few"
                } else {
                    "many"
                };
                scale(word, form, last, Gender::Feminine);
                total += group * 1_000;
                (group, last) = (0, None);
                continue;
            }
            word => (WORDS.iter().find(|(known, _)| *known == word).expect(word).1, None),
        };
        assert!(group == 0 || value < group, "{words}");
        group += value;
        last = gender;
    }
    (total + group, last)
}

fn agrees(value: u32) {
    for gender in [Gender::Masculine, Gender::Feminine, Gender::Neuter] {
        let words = told(value, gender, Case::Nominative);
        let (read, found) = read_back(&words);
        assert_eq!(read, value, "{words}");
        let expected = match (value % 10, value % 100, gender) {
            (_, 11 | 12, _) => None,
            (1, _, gender) => Some(gender),
            (2, _, Gender::Feminine) => Some(Gender::Feminine),
            _ => None,
        };
        assert_eq!(found, expected, "{words} {gender:?}");
    }
}

#[test]
fn every_number_of_a_group_and_every_thousand_reads_back_in_all_genders() {
    (0..=1_000).chain((1_000..=999_000).step_by(1_000)).chain((1_001..=999_999).step_by(97)).for_each(agrees);
}

proptest::proptest! {
    #[test]
    fn any_number_below_a_million_reads_back_in_all_genders(value in 0_u32..=999_999) {
        agrees(value);
    }
}

#[test]
fn ordinals_have_four_forms() {
    use Ordinal::{Feminine, Genitive, Masculine, Neuter};
    let cases = [
        (1, Feminine, "первая"),
        (2, Feminine, "вторая"),
        (3, Masculine, "третий"),
        (3, Feminine, "третья"),
        (3, Neuter, "третье"),
        (3, Genitive, "третьего"),
        (4, Neuter, "четвёртое"),
        (6, Feminine, "шестая"),
        (23, Feminine, "двадцать третья"),
        (40, Feminine, "сороковая"),
        (40, Genitive, "сорокового"),
        (31, Genitive, "тридцать первого"),
        (100, Neuter, "сотое"),
        (2_026, Genitive, "две тысячи двадцать шестого"),
        (1_905, Genitive, "тысяча девятьсот пятого"),
        (0, Masculine, "первый"),
    ];
    for (value, form, words) in cases {
        assert_eq!(said(|script| ordinal(script, Number::new(value).unwrap(), form)), words);
    }
}

#[test]
fn the_shipped_genitives_follow_the_rule_of_adjectives() {
    for value in (1..=20).chain([30]) {
        let masculine = said(|script| ordinal(script, Number::small(value), Ordinal::Masculine));
        let genitive = said(|script| ordinal(script, Number::small(value), Ordinal::Genitive));
        assert_eq!(inflected(&masculine, Ordinal::Genitive), genitive);
    }
}

#[test]
fn times_and_dates_are_told_in_full() {
    let times = [
        (0, 0, "ноль часов"),
        (0, 5, "ноль часов пять минут"),
        (1, 1, "один час одну минуту"),
        (2, 2, "два часа две минуты"),
        (9, 30, "девять часов тридцать минут"),
        (21, 21, "двадцать один час двадцать одну минуту"),
        (23, 59, "двадцать три часа пятьдесят девять минут"),
    ];
    for (hour, minute, words) in times {
        assert_eq!(said(|script| time(script, hour, minute)), words);
    }
    let dates = [
        (1, 1, "первого января"),
        (3, 3, "третьего марта"),
        (20, 8, "двадцатого августа"),
        (22, 12, "двадцать второго декабря"),
        (30, 4, "тридцатого апреля"),
        (31, 5, "тридцать первого мая"),
        (99, 99, "тридцать первого декабря"),
    ];
    for (day, month, words) in dates {
        assert_eq!(said(|script| date(script, day, month)), words);
    }
}
