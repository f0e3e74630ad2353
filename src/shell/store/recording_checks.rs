//! What is missing from the archive, and what the last look through all of it has found.

use std::time::Duration;

use crate::engine::time::Wall;

use super::change::millis;
use super::recordings::RecordingState;
use super::{Columns as _, Result, Sql, Store};

/// A look through the whole archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingCheck {
    /// When it began.
    pub begun: Wall,
    /// When it ended.
    pub ended: Wall,
    /// Files looked at.
    pub checked: u64,
    /// Gone.
    pub missing: u64,
    /// Of another size than was written.
    pub short: u64,
    /// Of another checksum.
    pub changed: u64,
    /// Damaged, refused by the disk, or sealed with a key that is not there.
    pub unreadable: u64,
}

impl RecordingCheck {
    /// Files that are not as they should be.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.missing + self.short + self.changed + self.unreadable
    }
}

/// Talks without a whole recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Nothing was found in Asterisk.
    pub missing: u64,
    /// Shorter than the talk.
    pub short: u64,
    /// One of the parties cannot be heard.
    pub silent: u64,
    /// Could not be fetched or stored, or is not what was stored.
    pub failed: u64,
    /// Of whose recording nothing is known yet.
    pub unrecorded: u64,
}

impl Gaps {
    /// All together.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.missing + self.short + self.silent + self.failed + self.unrecorded
    }
}

impl Store {
    /// The gaps among calls that arrived since then. A talk that ended after `settled` may still be on its way; one shorter
    /// than `least` need not have a recording.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recording_gaps(&self, since: Wall, settled: Wall, least: Duration) -> Result<Gaps> {
        let mut gaps = Gaps::default();
        for state in RecordingState::ALL {
            let count = match state {
                RecordingState::Missing => &mut gaps.missing,
                RecordingState::Short => &mut gaps.short,
                RecordingState::Silent => &mut gaps.silent,
                RecordingState::Failed => &mut gaps.failed,
                RecordingState::Stored | RecordingState::Erased => continue,
            };
            let sql = "SELECT COUNT(*) AS n FROM recordings WHERE state = $1 AND started_at >= $2";
            let row = self.row(Sql::new(sql).with(state.as_str().to_owned()).with(since.0)).await?;
            *count = row.map_or(Ok(0), |row| row.small("n"))?;
        }
        let sql = "SELECT COUNT(*) AS n FROM calls c WHERE c.arrived_at >= $1 AND c.ended_at < $2 AND c.talked_ms >= $3 \
             AND c.recording IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM recordings r WHERE r.node = c.node AND r.name = c.recording)";
        let row = self.row(Sql::new(sql).with(since.0).with(settled.0).with(millis(least))).await?;
        gaps.unrecorded = row.map_or(Ok(0), |row| row.small("n"))?;
        Ok(gaps)
    }

    /// Keeps what a look through the archive has found.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_recording_check(&self, check: &RecordingCheck) -> Result<()> {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let sql = "INSERT INTO recording_checks (begun_at, ended_at, checked, missing, short, changed, unreadable) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let sql = Sql::new(sql).with(check.begun.0).with(check.ended.0).with(number(check.checked));
        let sql = sql.with(number(check.missing)).with(number(check.short)).with(number(check.changed));
        self.execute(sql.with(number(check.unreadable))).await.map(drop)
    }

    /// What the last look has found; `None` before the first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_recording_check(&self) -> Result<Option<RecordingCheck>> {
        let sql = "SELECT begun_at, ended_at, checked, missing, short, changed, unreadable FROM recording_checks \
             ORDER BY id DESC LIMIT 1";
        let Some(row) = self.row(Sql::new(sql)).await? else { return Ok(None) };
        Ok(Some(RecordingCheck {
            begun: Wall(row.int("begun_at")?),
            ended: Wall(row.int("ended_at")?),
            checked: row.small("checked")?,
            missing: row.small("missing")?,
            short: row.small("short")?,
            changed: row.small("changed")?,
            unreadable: row.small("unreadable")?,
        }))
    }

    /// A recording that was found damaged is whole again: it came back from a backup.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recording_is_whole(&self, id: i64) -> Result<()> {
        let sql = "UPDATE recordings SET state = 'stored', problem = '' WHERE id = $1 AND state = 'failed'";
        self.execute(Sql::new(sql).with(id)).await.map(drop)
    }

    /// Another file is the recording's now, the same sound in another form. False when it was changed meanwhile.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn replace_recording_file(
        &self,
        id: i64,
        before: &str,
        path: &str,
        sha256: &str,
        bytes: u64,
    ) -> Result<bool> {
        let sql = "UPDATE recordings SET path = $3, sha256 = $4, bytes = $5 WHERE id = $1 AND path = $2";
        let sql = Sql::new(sql).with(id).with(before.to_owned()).with(path.to_owned()).with(sha256.to_owned());
        Ok(self.execute(sql.with(i64::try_from(bytes).unwrap_or(i64::MAX))).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    #[tokio::test]
    async fn the_last_check_is_kept() {
        on_both(async |t| {
            assert_eq!(t.store.last_recording_check().await.unwrap(), None);
            let check = RecordingCheck { begun: Wall(1), ended: Wall(2), checked: 9, changed: 2, ..Default::default() };
            t.store.keep_recording_check(&RecordingCheck::default()).await.unwrap();
            t.store.keep_recording_check(&check).await.unwrap();
            assert_eq!(t.store.last_recording_check().await.unwrap(), Some(check));
            assert_eq!(check.bad(), 2);
            let gaps = t.store.recording_gaps(Wall(0), Wall(9), Duration::ZERO).await.unwrap();
            assert_eq!(gaps.all(), 0);
        })
        .await;
    }
}
