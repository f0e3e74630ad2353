//! What the worker of SMS does with the queue: what is due, how attempts ended, what gateways report of what they took.
//! Every step leaves the same rows whether it comes once or twice, sooner or later.

use crate::domain::ids::SmsId;
use crate::engine::time::Wall;

use super::sms::{SELECT, SmsRow, SmsState, sms_row};
use super::{Columns as _, Result, Sql, Store, Tx};

/// Characters of an error that are kept.
const LONGEST_ERROR: usize = 300;
/// Reports of parts that nobody sent are kept so long: a report may come before the answer that names the part.
const STRAY_MS: i64 = 24 * 3_600_000;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmsOutcome {
    /// A gateway took it: it must never be sent again.
    Sent {
        /// Which.
        provider: String,
        /// Messages that the network counts.
        parts: u32,
        /// What the gateway calls them, as far as it tells; its reports name these.
        references: Vec<String>,
    },
    /// None could be reached.
    Again {
        /// What happened, and what to do.
        error: String,
        /// When it is tried next.
        due: Wall,
    },
    /// It cannot be sent at all.
    Failed {
        /// Which gateway refused it last; empty if none was asked.
        provider: String,
        /// What happened, and what to do.
        error: String,
    },
}

/// An attempt that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsAttempt {
    /// Of which SMS.
    pub id: SmsId,
    /// How it ended.
    pub outcome: SmsOutcome,
    /// When.
    pub at: Wall,
}

/// What a gateway tells of what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsReport {
    /// Which gateway.
    pub provider: String,
    /// Its name for what it took, or ours, which it was given.
    pub reference: String,
    /// [`SmsState::Delivered`], [`SmsState::Failed`] or [`SmsState::Expired`].
    pub state: SmsState,
    /// Why not; empty when it was delivered.
    pub error: String,
    /// When.
    pub at: Wall,
}

/// An SMS whose end became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsEnd {
    /// How it ended.
    pub state: SmsState,
    /// By which gateway.
    pub provider: String,
    /// From its queueing on, milliseconds.
    pub took_ms: i64,
}

/// How much waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SmsBacklog {
    /// SMS that are to be sent.
    pub queued: u64,
    /// Since when the oldest waits.
    pub oldest: Option<Wall>,
}

impl Store {
    /// SMS that are due and still of use, those that wait the longest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_sms(&self, now: Wall, limit: u32) -> Result<Vec<SmsRow>> {
        let sql = Sql::new(format!(
            "{SELECT} WHERE due_at <= $1 AND state = 'queued' AND (expires_at IS NULL OR expires_at > $1) ORDER BY due_at, id LIMIT $2"
        ));
        self.rows(sql.with(now.0).with(i64::from(limit))).await?.iter().map(sms_row).collect()
    }

    /// What was of use until now only and is not sent yet is not sent any more; how many that were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn expire_sms(&self, now: Wall) -> Result<u64> {
        let sql = Sql::new(
            "UPDATE sms SET state = 'expired', due_at = NULL, ended_at = $1 \
             WHERE due_at IS NOT NULL AND state = 'queued' AND expires_at <= $1",
        );
        self.execute(sql.with(now.0)).await
    }

    /// What waits.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sms_backlog(&self) -> Result<SmsBacklog> {
        let sql = "SELECT COUNT(*) AS many, MIN(created_at) AS oldest FROM sms WHERE due_at IS NOT NULL";
        let Some(row) = self.row(Sql::new(sql)).await? else { return Ok(SmsBacklog::default()) };
        Ok(SmsBacklog { queued: row.small("many")?, oldest: row.int_opt("oldest")?.map(Wall) })
    }

    /// Writes how attempts ended, all of them or none. Answers those whose end is known with that.
    ///
    /// # Errors
    /// When the database does not answer: write them again later.
    pub async fn settle_sms(&self, attempts: &[SmsAttempt]) -> Result<Vec<SmsEnd>> {
        let mut tx = self.begin().await?;
        let mut ends = Vec::new();
        for attempt in attempts {
            ends.extend(tx.settle_sms(attempt).await?);
        }
        tx.commit().await?;
        Ok(ends)
    }

    /// Writes what a gateway tells. Answers the end of the SMS if it is known with that.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn report_sms(&self, report: &SmsReport) -> Result<Option<SmsEnd>> {
        let mut tx = self.begin().await?;
        let end = tx.part_ended(report).await?;
        tx.commit().await?;
        Ok(end)
    }

    /// Forgets reports of parts that nobody sent.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn purge_stray_reports(&self, now: Wall) -> Result<u64> {
        let sql = Sql::new("DELETE FROM sms_parts WHERE sms IS NULL AND at < $1");
        self.execute(sql.with(now.0.saturating_sub(STRAY_MS))).await
    }
}

impl Tx {
    async fn settle_sms(&mut self, attempt: &SmsAttempt) -> Result<Option<SmsEnd>> {
        match &attempt.outcome {
            SmsOutcome::Sent { provider, parts, references } => {
                // It may have been superseded or have expired on its way: it was sent all the same.
                let sql = Sql::new(
                    "UPDATE sms SET state = 'sent', ended_at = NULL, error = '', provider = $2, parts = $3, \
                     sent_at = $4, attempts = attempts + 1, due_at = NULL WHERE id = $1 AND sent_at IS NULL",
                )
                .with(attempt.id.0)
                .with(provider.clone())
                .with(i64::from(*parts))
                .with(attempt.at.0);
                self.execute(sql).await?;
                for reference in references {
                    let sql = Sql::new(
                        "INSERT INTO sms_parts (provider, reference, sms, state, error, at) \
                         VALUES ($1, $2, $3, 'sent', '', $4) ON CONFLICT (provider, reference) DO UPDATE SET sms = $3",
                    )
                    .with(provider.clone())
                    .with(cut(reference))
                    .with(attempt.id.0)
                    .with(attempt.at.0);
                    self.execute(sql).await?;
                }
                self.sum_up(attempt.id, attempt.at).await
            }
            SmsOutcome::Again { error, due } => {
                let sql = Sql::new(
                    "UPDATE sms SET attempts = attempts + 1, error = $2, due_at = $3 \
                     WHERE id = $1 AND state = 'queued'",
                );
                self.execute(sql.with(attempt.id.0).with(cut(error)).with(due.0)).await?;
                Ok(None)
            }
            SmsOutcome::Failed { provider, error } => {
                let sql = Sql::new("UPDATE sms SET attempts = attempts + 1, provider = $2 WHERE id = $1");
                self.execute(sql.with(attempt.id.0).with(provider.clone())).await?;
                let end = SmsEnd { state: SmsState::Failed, provider: provider.clone(), took_ms: 0 };
                self.end_sms(attempt.id, end, error, attempt.at).await
            }
        }
    }

    /// The end of a whole SMS. What was delivered stays so, whatever is reported later.
    async fn end_sms(&mut self, id: SmsId, end: SmsEnd, error: &str, at: Wall) -> Result<Option<SmsEnd>> {
        let sql = Sql::new(
            "UPDATE sms SET state = $2, ended_at = $3, error = $4, due_at = NULL WHERE id = $1 \
             AND direction = 'out' AND state NOT IN ('delivered', $2) RETURNING created_at",
        )
        .with(id.0)
        .with(end.state.as_str().to_owned())
        .with(at.0)
        .with(cut(error));
        let Some(row) = self.row(sql).await? else { return Ok(None) };
        Ok(Some(SmsEnd { took_ms: at.0.saturating_sub(row.int("created_at")?), ..end }))
    }

    async fn part_ended(&mut self, report: &SmsReport) -> Result<Option<SmsEnd>> {
        let sql = Sql::new(
            "INSERT INTO sms_parts (provider, reference, sms, state, error, at) VALUES ($1, $2, NULL, $3, $4, $5) \
             ON CONFLICT (provider, reference) DO UPDATE SET state = $3, error = $4, at = $5 \
             WHERE sms_parts.state <> 'delivered' RETURNING sms",
        )
        .with(report.provider.clone())
        .with(cut(&report.reference))
        .with(report.state.as_str().to_owned())
        .with(cut(&report.error))
        .with(report.at.0);
        match self.row(sql).await? {
            Some(row) => match row.int_opt("sms")? {
                Some(id) => self.sum_up(SmsId(id), report.at).await,
                None => Ok(None),
            },
            None => Ok(None),
        }
    }

    /// What the parts tell of the whole: it is delivered when all of them are, and lost when one is.
    async fn sum_up(&mut self, id: SmsId, at: Wall) -> Result<Option<SmsEnd>> {
        let sql = Sql::new("SELECT provider, state, error FROM sms_parts WHERE sms = $1 ORDER BY reference");
        let rows = self.rows(sql.with(id.0)).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let provider = first.text("provider")?;
        let (mut state, mut error) = (Some(SmsState::Delivered), String::new());
        for row in &rows {
            match SmsState::parse(&row.text("state")?) {
                Some(SmsState::Delivered) => {}
                Some(lost @ (SmsState::Failed | SmsState::Expired)) => {
                    (state, error) = (Some(lost), row.text("error")?);
                    break;
                }
                Some(_) | None => state = None,
            }
        }
        let Some(state) = state else { return Ok(None) };
        self.end_sms(id, SmsEnd { state, provider, took_ms: 0 }, &error, at).await
    }
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(LONGEST_ERROR).collect()
}

#[cfg(test)]
mod tests {
    use crate::domain::phone::Phone;
    use crate::domain::sms::SmsReason;

    use super::super::sms::NewSms;
    use super::super::testing::{TestStore, on_both};
    use super::*;

    async fn queued(t: &TestStore, key: &str) -> SmsId {
        let new = NewSms {
            key: key.into(),
            to: Phone::parse("+79001234567"),
            text: "К вам едет".into(),
            client: None,
            order: None,
            reason: SmsReason::Answer,
        };
        t.store.queue_sms(&new, Wall(1_000)).await.unwrap().unwrap()
    }

    fn sent(id: SmsId, references: &[&str]) -> SmsAttempt {
        let outcome = SmsOutcome::Sent {
            provider: "smsc".into(),
            parts: 2,
            references: references.iter().map(|reference| (*reference).to_owned()).collect(),
        };
        SmsAttempt { id, outcome, at: Wall(1_500) }
    }

    fn report(reference: &str, state: SmsState) -> SmsReport {
        SmsReport { provider: "smsc".into(), reference: reference.into(), state, error: String::new(), at: Wall(2_000) }
    }

    async fn state(t: &TestStore, id: SmsId) -> SmsState {
        t.store.get_sms(id).await.unwrap().unwrap().state
    }

    #[tokio::test]
    async fn what_was_taken_is_never_due_again_and_what_failed_is_later() {
        on_both(async |t| {
            let (one, two) = (queued(&t, "1").await, queued(&t, "2").await);
            let again = SmsOutcome::Again { error: "no line".into(), due: Wall(9_000) };
            let failed = SmsAttempt { id: two, outcome: again, at: Wall(1_500) };
            assert_eq!(t.store.settle_sms(&[sent(one, &[]), failed]).await.unwrap(), []);
            assert_eq!(t.store.due_sms(Wall(8_999), 10).await.unwrap(), []);
            let due = t.store.due_sms(Wall(9_000), 10).await.unwrap();
            assert_eq!(due.iter().map(|row| (row.id, row.attempts)).collect::<Vec<_>>(), [(two, 1)]);
            assert_eq!((state(&t, one).await, due[0].error.as_str()), (SmsState::Sent, "no line"));
            let backlog = t.store.sms_backlog().await.unwrap();
            assert_eq!(backlog, SmsBacklog { queued: 1, oldest: Some(Wall(1_000)) });
            let expires = due[0].expires.unwrap();
            assert_eq!(t.store.due_sms(expires, 10).await.unwrap(), []);
            assert_eq!(t.store.expire_sms(Wall(expires.0 - 1)).await.unwrap(), 0);
            assert_eq!(t.store.expire_sms(expires).await.unwrap(), 1);
            assert_eq!(state(&t, two).await, SmsState::Expired);
            assert_eq!(state(&t, one).await, SmsState::Sent);
        })
        .await;
    }

    #[tokio::test]
    async fn a_text_of_several_parts_is_delivered_when_all_of_them_are_in_whatever_order_it_is_told() {
        on_both(async |t| {
            let id = queued(&t, "1").await;
            let part = |name: &str| report(name, SmsState::Delivered);
            // A report that overtakes the answer.
            assert_eq!(t.store.report_sms(&part("b")).await.unwrap(), None);
            assert_eq!(t.store.settle_sms(&[sent(id, &["a", "b"])]).await.unwrap(), []);
            assert_eq!(state(&t, id).await, SmsState::Sent);
            let end = SmsEnd { state: SmsState::Delivered, provider: "smsc".into(), took_ms: 1_000 };
            assert_eq!(t.store.report_sms(&part("a")).await.unwrap(), Some(end));
            assert_eq!(t.store.report_sms(&part("a")).await.unwrap(), None);
            let lost = report("a", SmsState::Failed);
            assert_eq!(t.store.report_sms(&lost).await.unwrap(), None);
            assert_eq!(state(&t, id).await, SmsState::Delivered);
            let other = queued(&t, "2").await;
            let refused = SmsReport { error: "UNDELIV".into(), ..report("d", SmsState::Failed) };
            t.store.settle_sms(&[sent(other, &["c", "d"])]).await.unwrap();
            assert_eq!(t.store.report_sms(&refused).await.unwrap().map(|end| end.state), Some(SmsState::Failed));
            assert_eq!(t.store.get_sms(other).await.unwrap().unwrap().error, "UNDELIV");
        })
        .await;
    }

    #[tokio::test]
    async fn reports_of_what_nobody_sent_and_of_other_gateways_change_nothing_and_are_forgotten() {
        on_both(async |t| {
            let id = queued(&t, "1").await;
            t.store.settle_sms(&[sent(id, &["a"])]).await.unwrap();
            let other = SmsReport { provider: "x".into(), ..report("a", SmsState::Failed) };
            assert_eq!(t.store.report_sms(&other).await.unwrap(), None);
            assert_eq!(state(&t, id).await, SmsState::Sent);
            assert_eq!(t.store.purge_stray_reports(Wall(2_000 + STRAY_MS)).await.unwrap(), 0);
            assert_eq!(t.store.purge_stray_reports(Wall(2_001 + STRAY_MS)).await.unwrap(), 1);
            assert!(t.store.report_sms(&report("a", SmsState::Delivered)).await.unwrap().is_some());
        })
        .await;
    }

    #[tokio::test]
    async fn what_no_gateway_takes_has_failed() {
        on_both(async |t| {
            let id = queued(&t, "1").await;
            let outcome = SmsOutcome::Failed { provider: "smsc".into(), error: "it answered 403".into() };
            let failed = SmsAttempt { id, outcome, at: Wall(1_500) };
            let ends = t.store.settle_sms(std::slice::from_ref(&failed)).await.unwrap();
            assert_eq!(ends, [SmsEnd { state: SmsState::Failed, provider: "smsc".into(), took_ms: 500 }]);
            assert_eq!(t.store.settle_sms(&[failed]).await.unwrap(), []);
            assert_eq!(t.store.due_sms(Wall(9_000), 9).await.unwrap(), []);
        })
        .await;
    }
}
