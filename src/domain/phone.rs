//! Telephone numbers in one canonical form, so that a caller is the same caller however the network writes the number.

use std::fmt;

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
    #[must_use]
    pub fn parse(text: &str) -> Phone {
        let digits: String = text.chars().filter(char::is_ascii_digit).take(20).collect();
        let plus = text.trim_start().starts_with('+');
        if digits.is_empty() {
            return Phone::Hidden;
        }
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

    /// The canonical text; empty for a hidden number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Phone::Hidden => "",
            Phone::Internal(digits) | Phone::Full(digits) => digits,
        }
    }
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
    fn a_canonical_number_stays_as_it_is_when_read_again() {
        for text in ["89001234567", "101", "+375291234567", "anonymous", "810375291234567"] {
            let once = Phone::parse(text);
            assert_eq!(Phone::parse(once.as_str()), once);
        }
    }
}
