//! When the office is open.

use std::collections::BTreeMap;

use super::time::Wall;

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// Opening hours of a week, by the office's own clock. Without any span the office never closes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    /// Minute of the week, Monday 0:00 being 0, at which a span begins, and how many minutes it lasts.
    spans: BTreeMap<u16, u16>,
}

/// Minutes of a week.
const WEEK: i64 = 7 * DAY_MINUTES;

impl Hours {
    /// Adds `mon-fri 08:00-20:00`, `sat 10:00-16:00` or `daily 22:00-06:00`: days, and from when until when. A span that
    /// ends before it begins lasts until the next day.
    ///
    /// # Errors
    /// What is wrong with the text, for people.
    pub fn add(&mut self, text: &str) -> Result<(), &'static str> {
        let (days, times) = text.trim().split_once(' ').ok_or("write days, a space and times: mon-fri 08:00-20:00")?;
        let (from, until) = times.trim().split_once('-').ok_or("write from when until when: 08:00-20:00")?;
        let (from, until) = (minute(from)?, minute(until)?);
        let length = (until - from).rem_euclid(DAY_MINUTES);
        let length = if length == 0 { DAY_MINUTES } else { length };
        for day in days_of(days)? {
            let begins = u16::try_from(day * DAY_MINUTES + from).map_err(|_| "no such time")?;
            self.spans.insert(begins, u16::try_from(length).map_err(|_| "no such time")?);
        }
        Ok(())
    }

    /// Whether the office is open at this moment.
    #[must_use]
    pub fn open(&self, at: Wall, utc_offset_minutes: i32) -> bool {
        // 1970-01-01 was a Thursday.
        let minute =
            at.0.div_euclid(MINUTE_MS).saturating_add(i64::from(utc_offset_minutes)).saturating_add(3 * DAY_MINUTES);
        let now = minute.rem_euclid(WEEK);
        let within = |(begins, length): (&u16, &u16)| (now - i64::from(*begins)).rem_euclid(WEEK) < i64::from(*length);
        self.spans.is_empty() || self.spans.iter().any(within)
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn days_of(text: &str) -> Result<Vec<i64>, &'static str> {
    let text = text.to_ascii_lowercase();
    if text == "daily" {
        return Ok((0..7).collect());
    }
    let day = |word: &str| {
        let at = DAYS.iter().position(|day| *day == word.trim());
        at.and_then(|at| i64::try_from(at).ok()).ok_or("days are mon, tue, wed, thu, fri, sat, sun, or daily")
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (day(first)?, day(last)?);
                days.extend((0..=(last - first).rem_euclid(7)).map(|after| (first + after) % 7));
            }
            None => days.push(day(part)?),
        }
    }
    Ok(days)
}

fn minute(text: &str) -> Result<i64, &'static str> {
    const WRONG: &str = "times are 00:00 to 24:00";
    let (hour, minute) = text.trim().split_once(':').ok_or(WRONG)?;
    let (hour, minute): (i64, i64) = (hour.parse().map_err(|_| WRONG)?, minute.parse().map_err(|_| WRONG)?);
    let all = hour * 60 + minute;
    if (0..60).contains(&minute) && (0..=DAY_MINUTES).contains(&all) { Ok(all) } else { Err(WRONG) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 was a Monday; 00:00 UTC of it.
    const MONDAY: i64 = 1_795_392_000_000;

    fn at(day: i64, hour: i64, minute: i64) -> Wall {
        Wall(MONDAY + ((day * 24 + hour) * 60 + minute) * 60_000)
    }

    fn hours(lines: &[&str]) -> Hours {
        let mut hours = Hours::default();
        lines.iter().for_each(|line| hours.add(line).unwrap());
        hours
    }

    #[test]
    fn an_office_is_open_within_its_hours_by_its_own_clock() {
        let office = hours(&["mon-fri 08:00-20:00", "sat 10:00-16:00"]);
        for (when, open) in [
            (at(0, 8, 0), true),
            (at(0, 7, 59), false),
            (at(4, 19, 59), true),
            (at(4, 20, 0), false),
            (at(5, 12, 0), true),
            (at(6, 12, 0), false),
        ] {
            assert_eq!(office.open(when, 0), open, "{when:?}");
        }
        assert!(office.open(at(0, 5, 0), 180), "eight in Moscow");
        assert!(!office.open(at(0, 18, 0), 180), "nine in the evening there");
    }

    #[test]
    fn a_night_reaches_into_the_next_day_and_over_the_end_of_the_week() {
        let office = hours(&["sun 22:00-06:00", "wed,fri 00:00-24:00"]);
        assert!(office.open(at(6, 23, 0), 0) && office.open(at(0, 5, 59), 0) && !office.open(at(0, 6, 0), 0));
        assert!(office.open(at(2, 12, 0), 0) && office.open(at(4, 0, 0), 0) && !office.open(at(3, 12, 0), 0));
        assert!(hours(&["daily 08:00-08:00"]).open(at(3, 7, 0), 0));
        assert!(hours(&["sat-mon 10:00-11:00"]).open(at(0, 10, 30), 0));
        assert!(Hours::default().open(at(3, 3, 3), 0));
    }

    #[test]
    fn nonsense_is_refused_with_a_hint() {
        for text in
            ["", "mon", "mon 8", "mon 08:00", "foo 08:00-09:00", "mon 08:60-09:00", "mon 25:00-26:00", "mon -1:00-2:00"]
        {
            assert!(Hours::default().add(text).is_err(), "{text:?}");
        }
    }
}
