//! Telephone numbers in one canonical form, so that a caller is the same caller however the network writes the number.

use std::fmt;

use super::rejected::{Problem, Rejected};

/// A caller's or destination's number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phone {
    /// The network gave no number.
    Hidden,
    /// A short number inside the office or the city's services; digits as dialled.
    Internal(String),
    /// A full number, `+` and digits.
    Full(String),
}

impl Phone {
    /// Reads what a network, a person or a program writes: `8 (900) 123-45-67`, `+7900…`, `7900…`, `anonymous`.
    ///
    /// Eleven digits that begin with 8 or 7 are Russian, ten digits that begin with 3, 4, 8 or 9 are Russian without
    /// the country code (the national numbering plan, order of the Ministry of Communications of 2018-12-25 no. 735);
    /// 00 and 810 are international prefixes; up to seven digits are internal. Text without a digit is hidden.
    ///
    /// Whatever stands before the number (`sip:`, a name) is passed over, and what follows it is left out: a host, an
    /// extension («доб. 12»), a second number.
    #[must_use]
    pub fn parse(text: &str) -> Phone {
        let Some(start) = text.find(|c: char| c.is_ascii_digit()) else { return Phone::Hidden };
        let (before, number) = text.split_at_checked(start).unwrap_or(("", text));
        let plus = before.trim_end_matches(separates).ends_with('+');
        let digits: String = number
            .chars()
            .take_while(|c| c.is_ascii_digit() || separates(*c))
            .filter(char::is_ascii_digit)
            .take(20)
            .collect();
        if plus {
            return Phone::Full(format!("+{digits}"));
        }
        match (digits.len(), digits.as_bytes().first()) {
            (11, Some(b'7' | b'8')) => Phone::Full(format!("+7{}", digits.get(1..).unwrap_or_default())),
            (10, Some(b'3' | b'4' | b'8' | b'9')) => Phone::Full(format!("+7{digits}")),
            (0..=7, _) => Phone::Internal(digits),
            _ => {
                let international = digits.strip_prefix("810").or_else(|| digits.strip_prefix("00")).unwrap_or(&digits);
                Phone::Full(format!("+{international}"))
            }
        }
    }

    /// Reads a number that somebody entered as a client's or driver's.
    ///
    /// # Errors
    /// [`Rejected::Field`] for what cannot be a number: no digits, or more or fewer than a full number can have
    /// (ITU-T E.164: at most 15 with the country code; Russia's and Kazakhstan's: 11).
    pub fn entered(field: &'static str, text: &str) -> Result<Phone, Rejected> {
        let phone = Phone::parse(text);
        let possible = match &phone {
            Phone::Hidden => false,
            Phone::Internal(_) => true,
            Phone::Full(number) if number.starts_with("+7") => number.len() == 12,
            Phone::Full(number) => (8..=16).contains(&number.len()),
        };
        if possible { Ok(phone) } else { Err(Rejected::Field { field, problem: Problem::NotAPhone }) }
    }

    /// As people read it: `+7 900 123-45-67`; foreign numbers and internal ones as they are.
    #[must_use]
    pub fn for_people(&self) -> String {
        let number = self.as_str();
        let parts = (number.get(2..5), number.get(5..8), number.get(8..10), number.get(10..));
        match (number.strip_prefix("+7"), parts) {
            (Some(rest), (Some(area), Some(first), Some(second), Some(third))) if rest.len() == 10 => {
                format!("+7 {area} {first}-{second}-{third}")
            }
            (Some(_) | None, _) => number.to_owned(),
        }
    }

    /// What kind of line it is, as far as the numbering plan tells (the metadata of Google's libphonenumber).
    ///
    /// The first question loads that metadata, which takes some tens of milliseconds: not for the path of a call.
    /// Russian numbers never need it.
    #[must_use]
    pub fn line(&self) -> Line {
        let Phone::Full(number) = self else { return Line::Unknown };
        // +7 9… are Russia's mobile networks, all else of Russia's +7 3, 4, 8 is fixed; +7 6 and 7 are Kazakhstan's.
        match number.strip_prefix("+7").and_then(|rest| rest.as_bytes().first()) {
            Some(b'9') => return Line::Mobile,
            Some(b'3' | b'4' | b'8') => return Line::Fixed,
            Some(_) | None => {}
        }
        let Ok(parsed) = phonenumber::parse(None, number) else { return Line::Unknown };
        match parsed.number_type(&phonenumber::metadata::DATABASE) {
            phonenumber::Type::Mobile | phonenumber::Type::FixedLineOrMobile => Line::Mobile,
            phonenumber::Type::FixedLine => Line::Fixed,
            // Somebody else's list: services, pagers and what may yet come take no SMS that we know of.
            _ => Line::Unknown,
        }
    }

    /// Whether an SMS can reach it: not a landline, a number inside the office, or a hidden one.
    #[must_use]
    pub fn takes_sms(&self) -> bool {
        match self {
            Phone::Hidden | Phone::Internal(_) => false,
            Phone::Full(_) => match self.line() {
                Line::Fixed => false,
                Line::Mobile | Line::Unknown => true,
            },
        }
    }

    /// The canonical text; empty for a hidden number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Phone::Hidden => "",
            Phone::Internal(digits) | Phone::Full(digits) => digits,
        }
    }
}

/// What may stand between the digits of one number: spaces, brackets, dots, dashes of all kinds, and the `~` for the
/// dial tone that Russians write after 8.
fn separates(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '.' | '/' | '-' | '~' | '‐'..='―' | '−')
}

/// What kind of line a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Takes SMS.
    Mobile,
    /// Takes none.
    Fixed,
    /// The plan does not tell.
    Unknown,
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_russian_number_is_one_number() {
        for text in
            ["+79001234567", "89001234567", "79001234567", "8 (900) 123-45-67", "9001234567", " +7 900 123 45 67"]
        {
            assert_eq!(Phone::parse(text).as_str(), "+79001234567", "{text}");
        }
    }

    #[test]
    fn hidden_internal_and_foreign_numbers_are_told_apart() {
        for text in ["", "anonymous", "Unavailable", "+"] {
            assert_eq!(Phone::parse(text), Phone::Hidden, "{text}");
        }
        assert_eq!(Phone::parse("101"), Phone::Internal("101".into()));
        assert_eq!(Phone::parse("+375291234567").as_str(), "+375291234567");
        assert_eq!(Phone::parse("810375291234567").as_str(), "+375291234567");
        assert_eq!(Phone::parse("00375291234567").as_str(), "+375291234567");
    }

    #[test]
    fn what_stands_around_a_number_is_left_out() {
        for text in [
            "sip:+79001234567@10.0.0.1",
            "8 (900) 123-45-67 доб. 12",
            "тел. +7\u{a0}900\u{a0}123‑45‑67, Анна",
            "8~900 123 45 67",
            "89001234567;ext=5",
            "+ 7 (900) 1234567 или 8 495 1234567",
        ] {
            assert_eq!(Phone::parse(text).as_str(), "+79001234567", "{text}");
        }
    }

    #[test]
    fn what_cannot_be_a_number_is_not_entered() {
        let refused = Err(Rejected::Field { field: "phone", problem: Problem::NotAPhone });
        for text in ["", "нет", "+7900123456", "+790012345678", "+12345", "+1234567890123456"] {
            assert_eq!(Phone::entered("phone", text), refused, "{text}");
        }
        for text in ["101", "8 900 123-45-67", "+375 29 123-45-67", "+44 20 7946 0000"] {
            assert!(Phone::entered("phone", text).is_ok(), "{text}");
        }
    }

    #[test]
    fn lines_are_told_apart_by_the_numbering_plan() {
        for (number, line) in [
            ("+79001234567", Line::Mobile),
            ("+74951234567", Line::Fixed),
            ("+78001234567", Line::Fixed),
            ("+77011234567", Line::Mobile),
            ("+77172123456", Line::Fixed),
            ("+375291234567", Line::Mobile),
            ("+375172123456", Line::Fixed),
            ("+99912345678", Line::Unknown),
            ("101", Line::Unknown),
        ] {
            assert_eq!(Phone::parse(number).line(), line, "{number}");
        }
    }

    #[test]
    fn people_read_a_number_in_groups() {
        assert_eq!(Phone::parse("89001234567").for_people(), "+7 900 123-45-67");
        assert_eq!(Phone::parse("+375291234567").for_people(), "+375291234567");
        assert_eq!(Phone::parse("101").for_people(), "101");
        assert_eq!(Phone::Hidden.for_people(), "");
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_read_again_as_the_same(text in ".{0,30}", digits in "[0-9+() -]{0,24}") {
            for text in [text, digits] {
                let phone = Phone::parse(&text);
                prop_assert_eq!(Phone::parse(phone.as_str()), phone.clone());
                let _ = (phone.for_people(), Phone::entered("phone", &text));
            }
        }
    }

    #[test]
    fn a_canonical_number_stays_as_it_is_when_read_again() {
        for text in ["89001234567", "101", "+375291234567", "anonymous", "810375291234567"] {
            let once = Phone::parse(text);
            assert_eq!(Phone::parse(once.as_str()), once);
        }
    }
}
