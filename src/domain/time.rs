//! Moments and dates. The core is told the time, it never asks a clock.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Wall-clock time, milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "shell", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Wall(pub i64);

impl Wall {
    /// The span from `earlier` to this moment; zero if `earlier` is later (a clock that was set back).
    #[must_use]
    pub fn since(self, earlier: Wall) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment and so many milliseconds.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Wall {
        Wall(self.0.saturating_add(ms))
    }
}

/// Minutes in a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// Minute of the day, 0 to 1439, at a place that is `utc_offset_minutes` ahead of UTC. Russia has no summer time, so an
/// office's offset is one number.
#[must_use]
pub fn minute_of_day(at: Wall, utc_offset_minutes: i32) -> u16 {
    let minutes = at.0.div_euclid(60_000).saturating_add(i64::from(utc_offset_minutes));
    u16::try_from(minutes.rem_euclid(i64::from(DAY_MINUTES))).unwrap_or(0)
}

/// A day of the calendar (proleptic Gregorian). Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: i32,
    month: u8,
    day: u8,
}

impl Date {
    /// This day, if the calendar has it.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8) -> Option<Date> {
        let fits = (1..=9999).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        fits.then_some(Date { year, month, day })
    }

    /// The day at that moment at a place that is `utc_offset_minutes` ahead of UTC.
    #[must_use]
    pub fn of(at: Wall, utc_offset_minutes: i32) -> Date {
        let local = at.0.saturating_add(i64::from(utc_offset_minutes) * 60_000);
        Date::from_days(local.div_euclid(86_400_000))
    }

    /// Year, 1 to 9999.
    #[must_use]
    pub fn year(self) -> i32 {
        self.year
    }

    /// Month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }

    /// Days since 1970-01-01. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    #[must_use]
    pub fn days(self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month = i64::from(self.month);
        let shifted = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The day that is so many days after 1970-01-01; outside the years 1 to 9999 the nearest that is inside.
    /// Source: the same, `civil_from_days`.
    #[must_use]
    pub fn from_days(days: i64) -> Date {
        const FIRST: i64 = -719_162;
        const LAST: i64 = 2_932_896;
        let shifted = days.clamp(FIRST, LAST) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096).div_euclid(365);
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_shifted + 2) / 5 + 1;
        let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date {
            year: i32::try_from(year).unwrap_or(1),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }

    /// The same day of another year; 29 February becomes 28 February where there is none.
    #[must_use]
    pub fn in_year(self, year: i32) -> Date {
        let year = year.clamp(1, 9999);
        Date { year, month: self.month, day: self.day.min(days_in(year, self.month)) }
    }
}

fn days_in(year: i32, month: u8) -> u8 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl std::str::FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Date, NoDate> {
        let wrong = || NoDate(text.chars().take(40).collect());
        let mut parts = text.splitn(3, '-');
        let mut part = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse::<u16>().ok()).ok_or_else(wrong)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let small = |number: u16| u8::try_from(number).unwrap_or(0);
        Date::new(i32::from(year), small(month), small(day)).ok_or_else(wrong)
    }
}

/// A text that is no day of the calendar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no date; write year-month-day, as 1985-03-27")]
pub struct NoDate(String);

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "shell")]
impl utoipa::PartialSchema for Date {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::schema::SchemaFormat::KnownFormat(
                utoipa::openapi::schema::KnownFormat::Date,
            )))
            .description(Some("A day of the calendar, year-month-day"))
            .examples(["1985-03-27"])
            .build()
            .into()
    }
}

#[cfg(feature = "shell")]
impl utoipa::ToSchema for Date {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_number_is_one_day_of_the_calendar_and_back() {
        for days in (-719_162..=2_932_896).step_by(61) {
            let date = Date::from_days(days);
            assert_eq!(date.days(), days, "{date}");
            assert_eq!(Date::new(date.year, date.month, date.day), Some(date));
            assert_eq!(date.to_string().parse(), Ok(date));
        }
        assert_eq!(Date::from_days(0).to_string(), "1970-01-01");
        assert_eq!(Date::from_days(i64::MAX).to_string(), "9999-12-31");
        assert_eq!(Date::from_days(i64::MIN).to_string(), "0001-01-01");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "2025-02-29", "2025-13-01", "2025-00-10", "2025-1-1", "25-01-01", "2025-01-0a", "+025-01-01"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!("2024-02-29".parse::<Date>().is_ok());
    }

    #[test]
    fn a_day_of_february_that_a_year_lacks_is_the_day_before() {
        let leap = Date::new(2024, 2, 29).unwrap();
        assert_eq!(leap.in_year(2025).to_string(), "2025-02-28");
        assert_eq!(leap.in_year(2028).to_string(), "2028-02-29");
    }

    #[test]
    fn the_day_and_minute_are_those_of_the_office() {
        let at = Wall(1_700_000_000_000); // 2023-11-14T22:13:20Z
        assert_eq!((Date::of(at, 0).to_string().as_str(), minute_of_day(at, 0)), ("2023-11-14", 22 * 60 + 13));
        assert_eq!((Date::of(at, 180).to_string().as_str(), minute_of_day(at, 180)), ("2023-11-15", 73));
        assert_eq!(minute_of_day(Wall(-1), 0), 1439);
    }
}
