//! When a report is sent by e-mail, and what span of time it is about. All by the office's clock.

use chrono::{DateTime, Datelike as _, Days, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::time::Wall;

use super::ReportName;

const MOST_RECIPIENTS: usize = 50;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// Each day, about the day before.
    Day,
    /// Once a week, about the seven days before.
    Week,
    /// Once a month, about the calendar month before.
    Month,
}

/// As what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileForm {
    /// Text with commas.
    Csv,
    /// A workbook.
    Xlsx,
}

/// What is sent, to whom and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which report.
    pub report: ReportName,
    /// E-mail addresses, 1 to 50.
    pub recipients: Vec<String>,
    /// How often.
    pub every: Every,
    /// Of the week from 1 (Monday) to 7, of the month from 1 to 28; without meaning for each day.
    #[serde(default = "first")]
    #[schema(minimum = 1, maximum = 28)]
    pub day: u32,
    /// At this hour, 0 to 23, by the office's clock.
    #[schema(minimum = 0, maximum = 23)]
    pub hour: u32,
    /// As what.
    pub format: FileForm,
}

fn first() -> u32 {
    1
}

impl Plan {
    /// Refuses what could not be sent.
    ///
    /// # Errors
    /// One sentence that names the field.
    pub fn check(&self) -> Result<(), String> {
        if self.recipients.is_empty() || self.recipients.len() > MOST_RECIPIENTS {
            return Err(format!("recipients: give 1 to {MOST_RECIPIENTS}"));
        }
        for (at, address) in self.recipients.iter().enumerate() {
            if address.parse::<lettre::Address>().is_err() {
                return Err(format!("recipients[{at}]: {address:?} is not an e-mail address"));
            }
        }
        let last = match self.every {
            Every::Day | Every::Month => 28,
            Every::Week => 7,
        };
        if !(1..=last).contains(&self.day) {
            return Err(format!("day: use 1 to {last}"));
        }
        if self.hour > 23 {
            return Err("hour: use 0 to 23".to_owned());
        }
        Ok(())
    }

    /// The last moment at or before `now` at which it is due.
    #[must_use]
    pub fn last_due(&self, now: Wall, utc_offset_minutes: i32) -> Option<Wall> {
        let here = local(now, utc_offset_minutes)?;
        let time = NaiveTime::from_hms_opt(self.hour, 0, 0)?;
        let today = here.date();
        let due = match self.every {
            Every::Day => today,
            Every::Week => {
                let since = (today.weekday().number_from_monday() + 7 - self.day) % 7;
                today.checked_sub_days(Days::new(u64::from(since)))?
            }
            Every::Month => today.with_day(self.day)?,
        };
        let due = if due.and_time(time) <= here { due } else { self.before(due)? };
        Some(utc(due.and_time(time), utc_offset_minutes))
    }

    /// What the report is about that is due at this moment: from, and to.
    #[must_use]
    pub fn span(&self, due: Wall, utc_offset_minutes: i32) -> Option<(Wall, Wall)> {
        let day = local(due, utc_offset_minutes)?.date();
        let (from, to) = match self.every {
            Every::Day => (day.pred_opt()?, day),
            Every::Week => (day.checked_sub_days(Days::new(7))?, day),
            Every::Month => {
                let this = day.with_day(1)?;
                (this.checked_sub_months(Months::new(1))?, this)
            }
        };
        let midnight = |day: NaiveDate| utc(day.and_time(NaiveTime::MIN), utc_offset_minutes);
        Some((midnight(from), midnight(to)))
    }

    fn before(&self, due: NaiveDate) -> Option<NaiveDate> {
        match self.every {
            Every::Day => due.pred_opt(),
            Every::Week => due.checked_sub_days(Days::new(7)),
            Every::Month => due.checked_sub_months(Months::new(1)),
        }
    }
}

/// The office's clock.
pub(super) fn local(at: Wall, utc_offset_minutes: i32) -> Option<NaiveDateTime> {
    let utc = DateTime::from_timestamp_millis(at.0)?.naive_utc();
    utc.checked_add_signed(Duration::minutes(i64::from(utc_offset_minutes)))
}

fn utc(at: NaiveDateTime, utc_offset_minutes: i32) -> Wall {
    Wall(at.and_utc().timestamp_millis() - i64::from(utc_offset_minutes) * 60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Wall {
        Wall(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn plan(every: Every, day: u32, hour: u32) -> Plan {
        let recipients = vec!["head@office.example".to_owned()];
        Plan { report: ReportName::Days, recipients, every, day, hour, format: FileForm::Csv }
    }

    #[test]
    fn a_report_is_due_by_the_offices_clock_and_is_about_what_is_over() {
        // A Thursday, in Moscow.
        let now = at("2026-03-05T07:30:00+03:00");
        let told = |plan: Plan, now: Wall| {
            let due = plan.last_due(now, 180).unwrap();
            let (from, to) = plan.span(due, 180).unwrap();
            (due, from, to)
        };
        assert_eq!(
            told(plan(Every::Day, 1, 7), now),
            (at("2026-03-05T07:00:00+03:00"), at("2026-03-04T00:00:00+03:00"), at("2026-03-05T00:00:00+03:00"))
        );
        assert_eq!(plan(Every::Day, 1, 8).last_due(now, 180), Some(at("2026-03-04T08:00:00+03:00")));
        assert_eq!(
            told(plan(Every::Week, 1, 9), now),
            (at("2026-03-02T09:00:00+03:00"), at("2026-02-23T00:00:00+03:00"), at("2026-03-02T00:00:00+03:00"))
        );
        assert_eq!(plan(Every::Week, 4, 8).last_due(now, 180), Some(at("2026-02-26T08:00:00+03:00")));
        assert_eq!(
            told(plan(Every::Month, 10, 0), now),
            (at("2026-02-10T00:00:00+03:00"), at("2026-01-01T00:00:00+03:00"), at("2026-02-01T00:00:00+03:00"))
        );
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert_eq!(plan(Every::Month, 28, 23).check(), Ok(()));
        assert!(plan(Every::Week, 8, 0).check().unwrap_err().starts_with("day"));
        assert!(plan(Every::Day, 1, 24).check().unwrap_err().starts_with("hour"));
        let nobody = Plan { recipients: vec![], ..plan(Every::Day, 1, 1) };
        assert!(nobody.check().is_err());
        let wrong = Plan { recipients: vec!["a@b\r\nBcc: c@d".to_owned()], ..plan(Every::Day, 1, 1) };
        assert!(wrong.check().unwrap_err().starts_with("recipients[0]"));
    }
}
