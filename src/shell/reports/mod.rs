//! What the calls of a span of time add up to, for people: shares and averages with their formulas, and as a file.
//!
//! - [`line`](mod@line): the numbers and how they are reckoned
//! - [`sheet`]: a table as CSV or XLSX
//! - [`quality`]: what agents' grades add up to
//! - [`schedule`], [`mail`]: reports by e-mail

pub mod line;
pub mod mail;
pub mod quality;
pub mod schedule;
pub mod sheet;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::time::Wall;
use crate::shell::store::agent_time::AgentTime;
use crate::shell::store::reports::{By, ReportRow, Span, Sums};
use crate::shell::store::{self, Store};

use line::ReportLine;

/// By what calls are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportName {
    /// The hour of the day by the office's clock.
    Hours,
    /// The day.
    Days,
    /// The queue that was entered last.
    Queues,
    /// Who talked last with the caller.
    Agents,
    /// Why the client came, by the journal of contacts.
    Purposes,
}

impl ReportName {
    fn by(self) -> By {
        match self {
            ReportName::Hours => By::Hour,
            ReportName::Days => By::Day,
            ReportName::Queues => By::Queue,
            ReportName::Agents => By::Agent,
            ReportName::Purposes => By::Purpose,
        }
    }

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReportName::Hours => "hours",
            ReportName::Days => "days",
            ReportName::Queues => "queues",
            ReportName::Agents => "agents",
            ReportName::Purposes => "purposes",
        }
    }
}

/// A report.
#[derive(Serialize, ToSchema)]
pub struct CallReport {
    /// By what.
    pub name: ReportName,
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Before this moment.
    pub to: DateTime<Utc>,
    /// Seconds within which an answer is in time.
    pub within: u32,
    /// Who hung up earlier, in seconds of waiting, is not counted as abandoned.
    pub short: u32,
    /// How shares and averages are reckoned, by the names of the fields.
    #[schema(value_type = BTreeMap<String, String>)]
    pub formulas: BTreeMap<&'static str, &'static str>,
    /// One for each hour, day, queue, agent or purpose.
    pub items: Vec<ReportLine>,
    /// All of them together.
    pub total: ReportLine,
}

/// Reckons a report at the moment `now`.
///
/// # Errors
/// When the database does not answer.
pub async fn report(store: &Store, name: ReportName, span: Span, now: Wall) -> store::Result<CallReport> {
    let by = name.by();
    let mut rows = store.report(by, span).await?;
    let delivered = store.callbacks_delivered(by, span).await?;
    let times = store.agents_time(by, span, now).await?;
    match name {
        ReportName::Hours | ReportName::Days => {
            // An hour in which nothing happened but callbacks.
            let missing = delivered.keys().filter(|key| rows.iter().all(|row| row.key != **key)).copied();
            let missing: Vec<i64> = missing.collect();
            rows.extend(missing.into_iter().map(|key| empty(key, String::new())));
            rows.sort_by_key(|row| row.key);
        }
        ReportName::Agents => {
            // Who was there and had no call.
            let names = store.list_agents().await?.into_iter().map(|agent| (i64::from(agent.id.0), agent.name));
            let silent = names.filter(|(id, _)| times.contains_key(id) && rows.iter().all(|row| row.key != *id));
            let silent: Vec<ReportRow> = silent.map(|(id, name)| empty(id, name)).collect();
            rows.extend(silent);
        }
        ReportName::Queues | ReportName::Purposes => {}
    }
    let items = rows.iter().map(|row| {
        let (called, time) = match name {
            ReportName::Hours | ReportName::Days => (Some(delivered.get(&row.key).copied()), Some(times.get(&row.key))),
            ReportName::Agents => (None, Some(times.get(&row.key))),
            ReportName::Queues | ReportName::Purposes => (None, None),
        };
        let called = called.map(Option::unwrap_or_default);
        ReportLine::of(key_of(name, row), &row.sums, called, time.map(|time| time.copied().unwrap_or_default()))
    });
    let items = items.collect();
    let sums = rows.iter().fold(Sums::default(), |sum, row| line::added(sum, &row.sums));
    let time = times.values().fold(AgentTime::default(), |sum, time| sum.and(*time));
    let total = ReportLine::of(String::new(), &sums, Some(delivered.values().sum()), Some(time));
    let seconds = |ms: i64| u32::try_from(ms / 1000).unwrap_or_default();
    Ok(CallReport {
        name,
        from: moment(span.from),
        to: moment(span.to),
        within: seconds(span.within_ms),
        short: seconds(span.short_ms),
        formulas: line::FORMULAS.into(),
        items,
        total,
    })
}

fn empty(key: i64, name: String) -> ReportRow {
    ReportRow { key, name, sums: Sums::default() }
}

fn moment(wall: Wall) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(wall.0).unwrap_or_default()
}

fn key_of(name: ReportName, row: &ReportRow) -> String {
    match name {
        ReportName::Hours => row.key.to_string(),
        ReportName::Days => {
            let days = i32::try_from(row.key).ok().and_then(NaiveDate::from_epoch_days);
            days.map(|day| day.to_string()).unwrap_or_default()
        }
        ReportName::Queues | ReportName::Agents | ReportName::Purposes => row.name.clone(),
    }
}
