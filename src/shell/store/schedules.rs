//! Reports by e-mail: which, to whom and when, and each time that one was or is to be sent.

use serde_json::json;
use sqlx::any::AnyRow;

use crate::engine::time::Wall;
use crate::shell::reports::schedule::Plan;

use super::agents::{from_json, json as written};
use super::author::Author;
use super::change::actor_words;
use super::{Columns as _, Result, Sql, Store, StoreError};

/// Attempts to send one mail; then it is given up and shown as failed.
pub const MOST_ATTEMPTS: i64 = 12;
/// Mailings kept for each schedule, to look at.
const KEPT: i64 = 50;

/// A report that is sent by e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Number of the row.
    pub id: i64,
    /// Its name; no two have the same.
    pub name: String,
    /// What, to whom and when.
    pub plan: Plan,
    /// Is sent.
    pub enabled: bool,
    /// Grows with every change.
    pub version: i64,
    /// Who changed it last.
    pub changed_by: String,
    /// When.
    pub changed_at: Wall,
    /// The last mail, if there was any.
    pub last: Option<MailingRow>,
}

/// One time that a report was or is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailingRow {
    /// Number of the row.
    pub id: i64,
    /// Of which schedule.
    pub schedule: i64,
    /// When it was due.
    pub due_at: Wall,
    /// `pending`, `sent` or `failed`.
    pub state: String,
    /// Attempts made.
    pub attempts: i64,
    /// When it is tried next.
    pub next_at: Wall,
    /// When it was sent or given up.
    pub ended_at: Option<Wall>,
    /// Why the last attempt failed; empty when it did not.
    pub last_error: String,
}

const SCHEDULE: &str = "SELECT id, name, body, enabled, version, changed_by, changed_at FROM report_schedules";
const MAILING: &str =
    "SELECT id, schedule, due_at, state, attempts, next_at, ended_at, last_error FROM report_mailings";

impl Store {
    /// All schedules by name, each with its last mail.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn report_schedules(&self) -> Result<Vec<ScheduleRow>> {
        let rows = self.rows(Sql::new(format!("{SCHEDULE} ORDER BY name, id"))).await?;
        let mut schedules = rows.iter().map(schedule).collect::<Result<Vec<_>>>()?;
        let text = format!(
            "{MAILING} m WHERE due_at = (SELECT MAX(due_at) FROM report_mailings o WHERE o.schedule = m.schedule)"
        );
        for mailing in self.rows(Sql::new(text)).await?.iter().map(mailing) {
            let mailing = mailing?;
            if let Some(schedule) = schedules.iter_mut().find(|schedule| schedule.id == mailing.schedule) {
                schedule.last = Some(mailing);
            }
        }
        Ok(schedules)
    }

    /// One schedule.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn report_schedule(&self, id: i64) -> Result<Option<ScheduleRow>> {
        Ok(self.report_schedules().await?.into_iter().find(|schedule| schedule.id == id))
    }

    /// Adds a schedule, or changes one. It was checked. What was due before is not sent.
    ///
    /// # Errors
    /// [`StoreError::Taken`], [`StoreError::NotFound`], or [`StoreError::Stale`] when the author saw another version.
    pub async fn put_schedule(
        &self,
        id: Option<i64>,
        (name, plan, enabled): (&str, &Plan, bool),
        author: &Author,
        now: Wall,
    ) -> Result<ScheduleRow> {
        let mut tx = self.begin().await?;
        let (_, by) = actor_words(&author.actor);
        let (body, on) = (written(plan)?, i64::from(enabled));
        let (id, action) = match id {
            None => {
                let sql = "INSERT INTO report_schedules (name, body, enabled, version, changed_by, changed_at) \
                           VALUES ($1, $2, $3, 1, $4, $5) RETURNING id";
                let sql = Sql::new(sql).with(name.to_owned()).with(body).with(on).with(by).with(now.0);
                (tx.row(sql).await?.ok_or(StoreError::NotFound("schedule"))?.int("id")?, "report_schedule.added")
            }
            Some(id) => {
                let sql = Sql::new("SELECT version FROM report_schedules WHERE id = $1").with(id);
                let known = tx.row_locked(sql).await?.ok_or(StoreError::NotFound("schedule"))?.int("version")?;
                if author.by.expected.is_some_and(|expected| i64::try_from(expected) != Ok(known)) {
                    return Err(StoreError::Stale { now: known });
                }
                let sql = "UPDATE report_schedules SET name = $1, body = $2, enabled = $3, version = version + 1, \
                           changed_by = $4, changed_at = $5 WHERE id = $6";
                let sql = Sql::new(sql).with(name.to_owned()).with(body).with(on).with(by).with(now.0).with(id);
                tx.execute(sql).await?;
                (id, "report_schedule.changed")
            }
        };
        let detail = json!({ "name": name, "recipients": plan.recipients, "enabled": enabled });
        author.audit(&mut tx, action, id, detail, now).await?;
        tx.commit().await?;
        self.report_schedule(id).await?.ok_or(StoreError::NotFound("schedule"))
    }

    /// Removes a schedule, and what it has to send.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or when the database does not answer.
    pub async fn remove_schedule(&self, id: i64, author: &Author, now: Wall) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.execute(Sql::new("DELETE FROM report_mailings WHERE schedule = $1").with(id)).await?;
        if tx.execute(Sql::new("DELETE FROM report_schedules WHERE id = $1").with(id)).await? == 0 {
            return Err(StoreError::NotFound("schedule"));
        }
        author.audit(&mut tx, "report_schedule.removed", id, json!({}), now).await?;
        tx.commit().await
    }

    /// Wants this report sent for this moment. Wanting it again changes nothing: it is sent once.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`] without such a schedule, or when the database does not answer.
    pub async fn want_mailing(&self, schedule: i64, due: Wall, now: Wall) -> Result<()> {
        let sql = "INSERT INTO report_mailings (schedule, due_at, state, attempts, next_at, last_error) \
                   VALUES ($1, $2, 'pending', 0, $3, '') ON CONFLICT (schedule, due_at) DO NOTHING";
        self.execute(Sql::new(sql).with(schedule).with(due.0).with(now.0)).await?;
        let sql = "DELETE FROM report_mailings WHERE schedule = $1 AND state <> 'pending' AND due_at < \
                   COALESCE((SELECT MIN(due_at) FROM (SELECT due_at FROM report_mailings WHERE schedule = $1 \
                   ORDER BY due_at DESC LIMIT $2) n), 0)";
        self.execute(Sql::new(sql).with(schedule).with(KEPT)).await.map(drop)
    }

    /// What is to be sent now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mailings_due(&self, now: Wall) -> Result<Vec<MailingRow>> {
        let sql = format!("{MAILING} WHERE state = 'pending' AND next_at <= $1 ORDER BY next_at, id LIMIT 20");
        self.rows(Sql::new(sql).with(now.0)).await?.iter().map(mailing).collect()
    }

    /// The mails of a schedule, the newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mailings_of(&self, schedule: i64) -> Result<Vec<MailingRow>> {
        let sql = format!("{MAILING} WHERE schedule = $1 ORDER BY due_at DESC LIMIT $2");
        self.rows(Sql::new(sql).with(schedule).with(KEPT)).await?.iter().map(mailing).collect()
    }

    /// It was sent.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mailing_sent(&self, id: i64, now: Wall) -> Result<()> {
        let sql = "UPDATE report_mailings SET state = 'sent', attempts = attempts + 1, ended_at = $1, last_error = '' \
                   WHERE id = $2";
        self.execute(Sql::new(sql).with(now.0).with(id)).await.map(drop)
    }

    /// It was not: it is tried again at `next`, unless these were attempts enough. Tells whether it is given up.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn mailing_failed(&self, mailing: &MailingRow, why: &str, next: Wall, now: Wall) -> Result<bool> {
        let over = mailing.attempts + 1 >= MOST_ATTEMPTS;
        let (state, ended) = if over { ("failed", Some(now.0)) } else { ("pending", None) };
        let sql = "UPDATE report_mailings SET state = $1, attempts = attempts + 1, next_at = $2, ended_at = $3, \
                   last_error = $4 WHERE id = $5";
        let why: String = why.chars().filter(|letter| *letter != '\0').take(500).collect();
        let sql = Sql::new(sql).with(state.to_owned()).with(next.0).with(ended).with(why).with(mailing.id);
        self.execute(sql).await?;
        Ok(over)
    }
}

fn schedule(row: &AnyRow) -> Result<ScheduleRow> {
    Ok(ScheduleRow {
        id: row.int("id")?,
        name: row.text("name")?,
        plan: from_json(&row.text("body")?)?,
        enabled: row.flag("enabled")?,
        version: row.int("version")?,
        changed_by: row.text("changed_by")?,
        changed_at: Wall(row.int("changed_at")?),
        last: None,
    })
}

fn mailing(row: &AnyRow) -> Result<MailingRow> {
    Ok(MailingRow {
        id: row.int("id")?,
        schedule: row.int("schedule")?,
        due_at: Wall(row.int("due_at")?),
        state: row.text("state")?,
        attempts: row.int("attempts")?,
        next_at: Wall(row.int("next_at")?),
        ended_at: row.int_opt("ended_at")?.map(Wall),
        last_error: row.text("last_error")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;
    use crate::shell::reports::ReportName;
    use crate::shell::reports::schedule::{Every, FileForm};

    fn plan() -> Plan {
        let recipients = vec!["head@office.example".to_owned()];
        Plan { report: ReportName::Days, recipients, every: Every::Day, day: 1, hour: 8, format: FileForm::Xlsx }
    }

    #[tokio::test]
    async fn a_report_is_wanted_once_for_a_moment_and_given_up_after_enough_attempts() {
        on_both(async |t| {
            let (s, author) = (&t.store, Author::engine());
            let added = s.put_schedule(None, ("Утро", &plan(), true), &author, Wall(5)).await.unwrap();
            assert!(matches!(
                s.put_schedule(None, ("Утро", &plan(), true), &author, Wall(5)).await,
                Err(StoreError::Taken(_))
            ));
            for now in [100, 200] {
                s.want_mailing(added.id, Wall(90), Wall(now)).await.unwrap();
            }
            let due = s.mailings_due(Wall(100)).await.unwrap();
            assert_eq!((due.len(), s.mailings_due(Wall(99)).await.unwrap().len()), (1, 0));
            let mut mailing = due[0].clone();
            for attempt in 1..=MOST_ATTEMPTS {
                let over = s.mailing_failed(&mailing, "no route\0", Wall(300), Wall(150)).await.unwrap();
                assert_eq!(over, attempt == MOST_ATTEMPTS);
                mailing = s.mailings_of(added.id).await.unwrap()[0].clone();
            }
            assert_eq!((mailing.state.as_str(), mailing.last_error.as_str()), ("failed", "no route"));
            s.want_mailing(added.id, Wall(400), Wall(400)).await.unwrap();
            let next = s.mailings_due(Wall(400)).await.unwrap()[0].clone();
            s.mailing_sent(next.id, Wall(401)).await.unwrap();
            // Wanted again after a restart.
            s.want_mailing(added.id, Wall(400), Wall(500)).await.unwrap();
            assert_eq!(s.mailings_due(Wall(500)).await.unwrap(), []);
            let shown = s.report_schedule(added.id).await.unwrap().unwrap();
            assert_eq!((shown.last.unwrap().state, shown.plan), ("sent".to_owned(), plan()));
            s.remove_schedule(added.id, &author, Wall(600)).await.unwrap();
            assert_eq!(s.report_schedules().await.unwrap(), []);
        })
        .await;
    }
}
