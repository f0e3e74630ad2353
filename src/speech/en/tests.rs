use super::*;
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

fn said(say: impl FnOnce(&mut Script)) -> String {
    let mut script = Script::new(Language::En);
    say(&mut script);
    script.text()
}

#[test]
fn cardinals_are_told_in_groups() {
    let cases = [
        (0, "zero"),
        (7, "seven"),
        (19, "nineteen"),
        (40, "forty"),
        (101, "one hundred one"),
        (999, "nine hundred ninety nine"),
        (1_000, "one thousand"),
        (2_021, "two thousand twenty one"),
        (15_300, "fifteen thousand three hundred"),
        (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
        (3_000_001, "three million one"),
    ];
    for (value, words) in cases {
        assert_eq!(said(|script| cardinal(script, Number::new(value).unwrap())), words);
    }
}

#[test]
fn numerals_agree_with_another_implementation() {
    for line in include_str!("numerals.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split("; ");
        let number = Number::new(fields.next().unwrap().parse().unwrap()).unwrap();
        assert_eq!(said(|script| cardinal(script, number)), fields.next().unwrap());
        if let Some(words) = fields.next() {
            assert_eq!(said(|script| ordinal(script, number)), words);
        }
    }
}

/// Reads a cardinal back. Independent of how it is made: values of words, not stems.
fn read_back(words: &str) -> u32 {
    const WORDS: [(&str, u32); 31] = [
        ("zero", 0),
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("eleven", 11),
        ("twelve", 12),
        ("thirteen", 13),
        ("fourteen", 14),
        ("fifteen", 15),
        ("sixteen", 16),
        ("seventeen", 17),
        ("eighteen", 18),
        ("nineteen", 19),
        ("twenty", 20),
        ("thirty", 30),
        ("forty", 40),
        ("fifty", 50),
        ("sixty", 60),
        ("seventy", 70),
        ("eighty", 80),
        ("ninety", 90),
        ("hundred", 100),
        ("thousand", 1_000),
        ("million", 1_000_000),
    ];
    let (mut total, mut group) = (0, 0);
    for word in words.split(' ') {
        let (_, value) = WORDS.iter().find(|(known, _)| *known == word).unwrap();
        match *value {
            100 => group *= 100,
            scale @ (1_000 | 1_000_000) => {
                total += group * scale;
                group = 0;
            }
            value => group += value,
        }
    }
    total + group
}

#[test]
fn every_number_of_a_group_and_every_thousand_reads_back() {
    for value in (0..=999).chain((1_000..=999_999).step_by(37)) {
        assert_eq!(read_back(&said(|script| cardinal(script, Number::new(value).unwrap()))), value);
    }
}

proptest::proptest! {
    #[test]
    fn any_number_reads_back(value in 0_u32..=999_999_999) {
        proptest::prop_assert_eq!(read_back(&said(|script| cardinal(script, Number::new(value).unwrap()))), value);
    }
}

#[test]
fn times_are_told_by_the_twelve_hour_clock() {
    let cases = [
        (0, 0, "twelve ay M"),
        (0, 5, "twelve oh five ay M"),
        (1, 30, "one thirty ay M"),
        (9, 9, "nine oh nine ay M"),
        (11, 59, "eleven fifty nine ay M"),
        (12, 0, "twelve P M"),
        (12, 10, "twelve ten P M"),
        (15, 45, "three forty five P M"),
        (23, 1, "eleven oh one P M"),
    ];
    for (hour, minute, words) in cases {
        assert_eq!(said(|script| time(script, hour, minute)), words);
    }
}

#[test]
fn dates_are_told_with_the_month_first() {
    let cases = [
        (1, 1, "January first"),
        (2, 2, "February second"),
        (3, 3, "March third"),
        (12, 4, "April twelfth"),
        (20, 5, "May twentieth"),
        (21, 6, "June twenty first"),
        (23, 11, "November twenty third"),
        (30, 9, "September thirtieth"),
        (31, 12, "December thirty first"),
        (0, 0, "January first"),
        (99, 99, "December thirty first"),
    ];
    for (day, month, words) in cases {
        assert_eq!(said(|script| date(script, day, month)), words);
    }
}
