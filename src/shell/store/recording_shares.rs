//! Links that play one recording without a log-in, until they end; and who heard the recordings of a client.

use std::time::Duration;

use sqlx::any::AnyRow;

use crate::domain::ids::ClientId;
use crate::engine::ids::CallId;
use crate::engine::time::Wall;

use super::change::call_id;
use super::{Columns as _, Result, Sql, Store, StoreError, random_secret, sha256_hex};

/// A link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareRow {
    /// Number of the row.
    pub id: i64,
    /// Which recording it plays.
    pub recording: i64,
    /// Why it was made.
    pub reason: String,
    /// Who made it.
    pub author_name: String,
    /// When it was made.
    pub created: Wall,
    /// When it ends.
    pub expires: Wall,
    /// When it was taken back.
    pub revoked: Option<Wall>,
    /// How often it was opened.
    pub opened: u64,
    /// When it was opened last.
    pub opened_at: Option<Wall>,
}

/// Somebody heard, took or opened a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// When.
    pub at: Wall,
    /// Which recording.
    pub recording: i64,
    /// Of which call.
    pub call: CallId,
    /// `recording_listened`, `recording_downloaded`, `recording_shared` or `recording_share_opened`.
    pub action: String,
    /// `agent`, `person` or `program`.
    pub actor_kind: String,
    /// Which of them.
    pub actor_name: String,
}

const SELECT: &str = "SELECT id, recording, reason, author_name, created_at, expires_at, revoked_at, opened, opened_at \
     FROM recording_shares WHERE ";

impl Store {
    /// Makes a link; answers it and its token, which is not kept anywhere.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such recording.
    pub async fn add_share(
        &self,
        recording: i64,
        reason: &str,
        author_name: &str,
        lifetime: Duration,
        now: Wall,
    ) -> Result<(ShareRow, String)> {
        let token = random_secret::<32>();
        let sql = Sql::new(
            "INSERT INTO recording_shares (recording, token_hash, reason, author_name, created_at, expires_at, opened) \
             SELECT id, $2, $3, $4, $5, $6, 0 FROM recordings WHERE id = $1 AND state <> 'erased' RETURNING id",
        )
        .with(recording)
        .with(sha256_hex(&token))
        .with(reason.to_owned())
        .with(author_name.to_owned())
        .with(now.0)
        .with(now.0.saturating_add(i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX)));
        let rows = self.write_returning(sql).await?;
        let id = rows.first().ok_or(StoreError::NotFound("recording"))?.int("id")?;
        let row = self.row(Sql::new(format!("{SELECT}id = $1")).with(id)).await?;
        Ok((row.as_ref().map(share).transpose()?.ok_or(StoreError::NotFound("link"))?, token))
    }

    /// The links of a recording, the newest first, also those that ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn shares_of(&self, recording: i64) -> Result<Vec<ShareRow>> {
        let sql = Sql::new(format!("{SELECT}recording = $1 ORDER BY id DESC LIMIT 200")).with(recording);
        self.rows(sql).await?.iter().map(share).collect()
    }

    /// The link of this token, unless it ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn share(&self, token: &str, now: Wall) -> Result<Option<ShareRow>> {
        let sql = Sql::new(format!("{SELECT}token_hash = $1 AND revoked_at IS NULL AND expires_at > $2"));
        self.row(sql.with(sha256_hex(token)).with(now.0)).await?.as_ref().map(share).transpose()
    }

    /// Takes a link back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the recording has no such link.
    pub async fn revoke_share(&self, recording: i64, id: i64, now: Wall) -> Result<()> {
        let sql = "UPDATE recording_shares SET revoked_at = COALESCE(revoked_at, $3) WHERE recording = $1 AND id = $2";
        match self.execute(Sql::new(sql).with(recording).with(id).with(now.0)).await? {
            0 => Err(StoreError::NotFound("link")),
            _ => Ok(()),
        }
    }

    /// A link was opened.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn share_opened(&self, id: i64, now: Wall) -> Result<()> {
        let sql = "UPDATE recording_shares SET opened = opened + 1, opened_at = $2 WHERE id = $1";
        self.execute(Sql::new(sql).with(id).with(now.0)).await.map(drop)
    }

    /// Who heard and took the recordings of a client's calls, the last first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hearings_of_client(&self, client: ClientId, limit: u32) -> Result<Vec<Hearing>> {
        let sql = Sql::new(
            "SELECT a.at, a.action, a.actor_kind, a.actor_name, r.id AS recording, r.call FROM client_phones p \
             JOIN calls c ON c.number_rev = p.number_rev AND c.arrived_at >= p.since \
             AND (p.until IS NULL OR c.arrived_at < p.until) JOIN recordings r ON r.call = c.id \
             JOIN audit a ON a.subject = CAST(r.id AS TEXT) AND a.action IN ('recording_listened', \
             'recording_downloaded', 'recording_shared', 'recording_share_opened') \
             WHERE p.client IN (SELECT id FROM clients WHERE id = $1 OR root = $1) ORDER BY a.id DESC LIMIT $2",
        );
        let rows = self.rows(sql.with(client.0).with(i64::from(limit.clamp(1, 500)))).await?;
        let hearings = rows.iter().map(|row| {
            Ok(Hearing {
                at: Wall(row.int("at")?),
                recording: row.int("recording")?,
                call: call_id(row.int("call")?),
                action: row.text("action")?,
                actor_kind: row.text("actor_kind")?,
                actor_name: row.text("actor_name")?,
            })
        });
        hearings.collect()
    }
}

fn share(row: &AnyRow) -> Result<ShareRow> {
    Ok(ShareRow {
        id: row.int("id")?,
        recording: row.int("recording")?,
        reason: row.text("reason")?,
        author_name: row.text("author_name")?,
        created: Wall(row.int("created_at")?),
        expires: Wall(row.int("expires_at")?),
        revoked: row.int_opt("revoked_at")?.map(Wall),
        opened: row.small("opened")?,
        opened_at: row.int_opt("opened_at")?.map(Wall),
    })
}
