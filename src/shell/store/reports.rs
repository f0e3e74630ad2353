//! What the calls of a span of time add up to, by hour, day, queue, agent or purpose.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;

use crate::engine::time::Wall;
use crate::engine::view::Disposition;

use super::{Columns as _, Result, Sql, Store};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// By what calls are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The hour of the day, 0 to 23, by the office's clock.
    Hour,
    /// The day by the office's clock.
    Day,
    /// The queue that was entered last.
    Queue,
    /// Who talked last with the caller.
    Agent,
    /// Why the client came.
    Purpose,
}

/// Which calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// That arrived at this moment or later.
    pub from: Wall,
    /// Before this moment.
    pub to: Wall,
    /// The office's clock, minutes east of UTC.
    pub utc_offset_minutes: i32,
    /// Answered within so many milliseconds is answered in time.
    pub within_ms: i64,
    /// Who hung up earlier than after so many milliseconds of waiting is not counted as abandoned.
    pub short_ms: i64,
}

/// What calls add up to. Calls that the office made are in `outgoing` and `talked_out_ms` alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Came in.
    pub calls: i64,
    /// Entered a queue.
    pub queued: i64,
    /// Entered a queue and talked with somebody.
    pub answered: i64,
    /// Of these, in time.
    pub in_time: i64,
    /// Hung up while waiting in a queue, the short ones left out.
    pub abandoned: i64,
    /// The short ones.
    pub short_abandoned: i64,
    /// Heard what they wanted and needed nobody.
    pub by_robot: i64,
    /// Chose to be called back instead of waiting.
    pub kept_places: i64,
    /// Waiting of the answered, all together.
    pub waited_ms: i64,
    /// The longest waiting of all.
    pub longest_ms: i64,
    /// Talks of the answered, all together.
    pub talked_ms: i64,
    /// After-call work of the answered, all together.
    pub wrapped_ms: i64,
    /// Of the answered: were told while waiting how long it takes.
    pub told: i64,
    /// How far off that was, all together: what was told against what they waited from then on.
    pub told_off_ms: i64,
    /// The same with its sign: above zero they were told too much.
    pub told_bias_ms: i64,
    /// Calls that the office made.
    pub outgoing: i64,
    /// Talks of those.
    pub talked_out_ms: i64,
}

/// What the calls of an hour, a day, a queue, an agent or a purpose add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// The hour; the day since 1970; the agent's or purpose's id. Zero for queues.
    pub key: i64,
    /// Of the queue, the agent or the purpose; empty for calls without one, and for hours and days.
    pub name: String,
    /// What they add up to.
    pub sums: Sums,
}

impl Store {
    /// The report, in the order of its keys. Each call is in one row; of a report by agents or purposes only calls that
    /// have one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn report(&self, by: By, span: Span) -> Result<Vec<ReportRow>> {
        let offset = i64::from(span.utc_offset_minutes) * 60_000;
        let local = format!("(c.arrived_at + {offset})");
        let (key, name, joined, only) = match by {
            By::Hour => (format!("({local} % {DAY_MS}) / {HOUR_MS}"), "''", "", ""),
            By::Day => (format!("{local} / {DAY_MS}"), "''", "", ""),
            By::Queue => ("CAST(0 AS BIGINT)".to_owned(), "COALESCE(c.queue, '')", "", " AND c.queue IS NOT NULL"),
            By::Agent => (
                "c.agent".to_owned(),
                "COALESCE(a.name, '')",
                " LEFT JOIN agents a ON a.id = c.agent",
                " AND c.agent IS NOT NULL",
            ),
            By::Purpose => (
                "k.purpose".to_owned(),
                "COALESCE(p.name, '')",
                " JOIN contacts k ON k.call = c.id LEFT JOIN purposes p ON p.id = k.purpose",
                " AND k.purpose IS NOT NULL",
            ),
        };
        let sums = sums(span);
        // Ids of calls grow with the time of their arrival: their legs are one stretch of the table. An id may be later
        // than the arrival, where the clock was set back.
        let (first, last) = (span.from.0.max(0) << 20, span.to.0.saturating_add(DAY_MS).max(0) << 20);
        let wrapped = format!(
            " LEFT JOIN (SELECT call, SUM(wrapped_at - ended_at) AS ms FROM legs WHERE call >= {first} AND call < {last} \
             AND wrapped_at > ended_at GROUP BY call) w ON w.call = c.id"
        );
        let sql = format!(
            "SELECT {key} AS bucket, {name} AS name, {sums} FROM calls c{joined}{wrapped} \
             WHERE c.arrived_at >= $1 AND c.arrived_at < $2{only} GROUP BY 1, 2 ORDER BY 1, 2"
        );
        let rows = self.rows(Sql::new(sql).with(span.from.0).with(span.to.0)).await?;
        rows.iter().map(row).collect()
    }

    /// Callbacks that reached their client in the span, by hour or day; by nothing else, where it is one sum under 0.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn callbacks_delivered(&self, by: By, span: Span) -> Result<BTreeMap<i64, i64>> {
        let local = format!("(ended_at + {})", i64::from(span.utc_offset_minutes) * 60_000);
        let key = match by {
            By::Hour => format!("({local} % {DAY_MS}) / {HOUR_MS}"),
            By::Day => format!("{local} / {DAY_MS}"),
            By::Queue | By::Agent | By::Purpose => "CAST(0 AS BIGINT)".to_owned(),
        };
        let sql = format!(
            "SELECT {key} AS bucket, COUNT(*) AS delivered FROM callbacks \
             WHERE state = 'delivered' AND ended_at >= $1 AND ended_at < $2 GROUP BY 1"
        );
        let rows = self.rows(Sql::new(sql).with(span.from.0).with(span.to.0)).await?;
        rows.iter().map(|row| Ok((row.int("bucket")?, row.int("delivered")?))).collect()
    }

    /// Clients who are still to be called.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn callbacks_waiting(&self) -> Result<i64> {
        let row = self.row(Sql::new("SELECT COUNT(*) AS waiting FROM callbacks WHERE state = 'pending'")).await?;
        row.map_or(Ok(0), |row| row.int("waiting"))
    }
}

/// The sums of [`Sums`], by name.
fn sums(span: Span) -> String {
    let Span { within_ms, short_ms, .. } = span;
    let came_in = "COALESCE(c.outgoing, 0) = 0";
    let answered = format!("{came_in} AND c.queued_at IS NOT NULL AND c.bridged_at IS NOT NULL");
    let of = |what: &str, condition: &str, name: &str| {
        format!("CAST(COALESCE(SUM(CASE WHEN {condition} THEN {what} ELSE 0 END), 0) AS BIGINT) AS {name}")
    };
    let ended = |as_what: Disposition| format!("{came_in} AND c.disposition = '{as_what}'");
    let gave_up = format!("{} AND c.queued_at IS NOT NULL", ended(Disposition::Abandon));
    let told = format!("{answered} AND c.told_ms IS NOT NULL AND c.told_at <= c.bridged_at");
    let off = "(c.told_ms - (c.bridged_at - c.told_at))";
    [
        of("1", came_in, "calls"),
        of("1", &format!("{came_in} AND c.queued_at IS NOT NULL"), "queued"),
        of("1", &answered, "answered"),
        of("1", &format!("{answered} AND COALESCE(c.waited_ms, 0) <= {within_ms}"), "in_time"),
        of("1", &format!("{gave_up} AND COALESCE(c.waited_ms, 0) >= {short_ms}"), "abandoned"),
        of("1", &format!("{gave_up} AND COALESCE(c.waited_ms, 0) < {short_ms}"), "short_abandoned"),
        of("1", &ended(Disposition::Informed), "by_robot"),
        of("1", &ended(Disposition::Callback), "kept_places"),
        of("COALESCE(c.waited_ms, 0)", &answered, "waited_ms"),
        format!("COALESCE(MAX(CASE WHEN {came_in} THEN c.waited_ms ELSE 0 END), 0) AS longest_ms"),
        of("COALESCE(c.talked_ms, 0)", &answered, "talked_ms"),
        of("COALESCE(w.ms, 0)", &answered, "wrapped_ms"),
        of("1", &told, "told"),
        of(&format!("ABS{off}"), &told, "told_off_ms"),
        of(off, &told, "told_bias_ms"),
        of("1", "c.outgoing = 1", "outgoing"),
        of("COALESCE(c.talked_ms, 0)", "c.outgoing = 1", "talked_out_ms"),
    ]
    .join(", ")
}

fn row(row: &AnyRow) -> Result<ReportRow> {
    Ok(ReportRow {
        key: row.int("bucket")?,
        name: row.text("name")?,
        sums: Sums {
            calls: row.int("calls")?,
            queued: row.int("queued")?,
            answered: row.int("answered")?,
            in_time: row.int("in_time")?,
            abandoned: row.int("abandoned")?,
            by_robot: row.int("by_robot")?,
            kept_places: row.int("kept_places")?,
            waited_ms: row.int("waited_ms")?,
            longest_ms: row.int("longest_ms")?,
            talked_ms: row.int("talked_ms")?,
            short_abandoned: row.int("short_abandoned")?,
            wrapped_ms: row.int("wrapped_ms")?,
            told: row.int("told")?,
            told_off_ms: row.int("told_off_ms")?,
            told_bias_ms: row.int("told_bias_ms")?,
            outgoing: row.int("outgoing")?,
            talked_out_ms: row.int("talked_out_ms")?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    /// 2026-01-05 00:00 UTC.
    const MONDAY: i64 = 1_767_571_200_000;

    async fn call(store: &Store, id: i64, hour: i64, queue: Option<&str>, agent: Option<i64>, end: (&str, i64, i64)) {
        let (disposition, waited, talked) = end;
        let at = MONDAY + hour * HOUR_MS;
        let talks = (talked > 0).then_some(at + waited);
        let sql = Sql::new(
            "INSERT INTO calls (id, arrived_at, queue, queued_at, bridged_at, agent, ended_at, disposition, waited_ms, \
             talked_ms, outgoing) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)",
        );
        let sql = sql.with(id).with(at).with(queue.map(str::to_owned)).with(queue.map(|_| at)).with(talks).with(agent);
        let sql = sql.with(at + waited + talked).with(disposition.to_owned()).with(waited).with(talked);
        store.execute(sql).await.unwrap();
    }

    fn span() -> Span {
        Span {
            from: Wall(MONDAY),
            to: Wall(MONDAY + 7 * DAY_MS),
            utc_offset_minutes: 180,
            within_ms: 20_000,
            short_ms: 0,
        }
    }

    #[tokio::test]
    async fn calls_add_up_by_hour_day_queue_and_agent() {
        on_both(async |t| {
            let s = &t.store;
            call(s, 1, 6, Some("main"), Some(7), ("COMPLETECALLER", 5_000, 60_000)).await;
            call(s, 2, 6, Some("main"), Some(7), ("COMPLETEAGENT", 30_000, 30_000)).await;
            call(s, 3, 7, Some("main"), None, ("ABANDON", 40_000, 0)).await;
            // Ten in the evening of the first day by UTC is the next day in Moscow.
            call(s, 4, 22, None, None, ("INFORMED", 0, 0)).await;
            call(s, 5, 30, Some("vip"), None, ("CALLBACK", 9_000, 0)).await;
            let days = s.report(By::Day, span()).await.unwrap();
            let first = &days[0].sums;
            assert_eq!(days[0].key, MONDAY / DAY_MS);
            assert_eq!((first.calls, first.queued, first.answered, first.in_time, first.abandoned), (3, 3, 2, 1, 1));
            assert_eq!((first.waited_ms, first.longest_ms, first.talked_ms), (35_000, 40_000, 90_000));
            assert_eq!((days[1].sums.calls, days[1].sums.by_robot, days[1].sums.kept_places), (2, 1, 1));
            let hours = s.report(By::Hour, span()).await.unwrap();
            assert_eq!(
                hours.iter().map(|row| (row.key, row.sums.calls)).collect::<Vec<_>>(),
                [(1, 1), (9, 3), (10, 1)]
            );
            let queues = s.report(By::Queue, span()).await.unwrap();
            assert_eq!(
                queues.iter().map(|row| (row.name.as_str(), row.sums.calls)).collect::<Vec<_>>(),
                [("main", 3), ("vip", 1)]
            );
            let agents = s.report(By::Agent, span()).await.unwrap();
            assert_eq!(agents.iter().map(|row| (row.key, row.sums.talked_ms)).collect::<Vec<_>>(), [(7, 90_000)]);
            assert_eq!(s.report(By::Purpose, span()).await.unwrap(), []);
            let short = s.report(By::Queue, Span { short_ms: 40_001, ..span() }).await.unwrap();
            assert_eq!((short[0].sums.abandoned, short[0].sums.short_abandoned), (0, 1));
            assert_eq!(s.callbacks_delivered(By::Day, span()).await.unwrap().len(), 0);
        })
        .await;
    }

    #[tokio::test]
    async fn after_call_work_and_the_error_of_the_told_wait_add_up() {
        on_both(async |t| {
            let s = &t.store;
            for (n, told) in [(0, 30_000), (1, 120_000)] {
                let at = MONDAY + n * HOUR_MS;
                call(s, at << 20, n, Some("main"), Some(7), ("COMPLETECALLER", 60_000, 60_000)).await;
                let sql = "UPDATE calls SET told_at = $1, told_ms = $2 WHERE id = $3";
                s.execute(Sql::new(sql).with(at + 10_000).with(told).with(at << 20)).await.unwrap();
                let sql = "INSERT INTO legs (call, leg, agent, ended_at, wrapped_at) VALUES ($1, 1, 7, $2, $3)";
                s.execute(Sql::new(sql).with(at << 20).with(at).with(at + 5_000)).await.unwrap();
            }
            let sums = s.report(By::Queue, span()).await.unwrap()[0].sums.clone();
            // They waited 50 s more when they were told 30 s, and 120 s.
            assert_eq!((sums.wrapped_ms, sums.told), (10_000, 2));
            assert_eq!((sums.told_off_ms, sums.told_bias_ms), (20_000 + 70_000, 50_000));
        })
        .await;
    }
}
