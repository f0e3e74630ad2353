//! Marks: what people say of a moment of a recording; and the picture on which they are shown.

use sqlx::any::AnyRow;

use crate::engine::time::Wall;

use super::{Columns as _, Result, Sql, Store, StoreError};

/// Marks of one recording at most.
const MOST: i64 = 500;

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRow {
    /// Number of the row.
    pub id: i64,
    /// Of which recording.
    pub recording: i64,
    /// At which moment, milliseconds from the beginning.
    pub at_ms: i64,
    /// A word of the short list, or the office's own label.
    pub kind: String,
    /// What is said of it.
    pub text: String,
    /// Who made it, as one name of that person or program alone.
    pub author: String,
    /// The author's name, for people.
    pub author_name: String,
    /// When it was made.
    pub created: Wall,
    /// When it was edited last.
    pub changed: Wall,
}

/// What a mark says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkWords {
    /// At which moment, milliseconds from the beginning.
    pub at_ms: i64,
    /// A word of the short list, or the office's own label.
    pub kind: String,
    /// What is said of it.
    pub text: String,
}

const SELECT: &str = "SELECT id, recording, at_ms, kind, text, author, author_name, created_at, changed_at \
     FROM recording_marks WHERE recording = $1";

impl Store {
    /// The marks of a recording, in the order of their moments.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn marks_of(&self, recording: i64) -> Result<Vec<MarkRow>> {
        let sql = Sql::new(format!("{SELECT} ORDER BY at_ms, id")).with(recording);
        self.rows(sql).await?.iter().map(mark).collect()
    }

    /// One mark of a recording.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn get_mark(&self, recording: i64, id: i64) -> Result<MarkRow> {
        let row = self.row(Sql::new(format!("{SELECT} AND id = $2")).with(recording).with(id)).await?;
        row.as_ref().map(mark).transpose()?.ok_or(StoreError::NotFound("mark"))
    }

    /// Makes a mark.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such recording or it was erased; [`StoreError::Invalid`] when it has
    /// more marks than anybody reads.
    pub async fn add_mark(
        &self,
        recording: i64,
        words: &MarkWords,
        [author, author_name]: [&str; 2],
        now: Wall,
    ) -> Result<MarkRow> {
        let known = Sql::new("SELECT COUNT(*) AS n FROM recording_marks WHERE recording = $1").with(recording);
        if self.row(known).await?.map_or(Ok(0), |row| row.int("n"))? >= MOST {
            return Err(StoreError::Invalid(format!("recording {recording} has {MOST} marks: remove some first")));
        }
        let sql = Sql::new(
            "INSERT INTO recording_marks (recording, call, at_ms, kind, text, author, author_name, created_at, changed_at) \
             SELECT id, call, $2, $3, $4, $5, $6, $7, $7 FROM recordings WHERE id = $1 AND state <> 'erased' RETURNING id",
        )
        .with(recording)
        .with(words.at_ms)
        .with(words.kind.clone())
        .with(words.text.clone())
        .with(author.to_owned())
        .with(author_name.to_owned())
        .with(now.0);
        let rows = self.write_returning(sql).await?;
        let id = rows.first().ok_or(StoreError::NotFound("recording"))?.int("id")?;
        self.get_mark(recording, id).await
    }

    /// Says a mark in other words.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn change_mark(&self, recording: i64, id: i64, words: &MarkWords, now: Wall) -> Result<MarkRow> {
        let sql = Sql::new(
            "UPDATE recording_marks SET at_ms = $3, kind = $4, text = $5, changed_at = $6 \
             WHERE recording = $1 AND id = $2",
        )
        .with(recording)
        .with(id)
        .with(words.at_ms)
        .with(words.kind.clone())
        .with(words.text.clone())
        .with(now.0);
        match self.execute(sql).await? {
            0 => Err(StoreError::NotFound("mark")),
            _ => self.get_mark(recording, id).await,
        }
    }

    /// Removes a mark.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn remove_mark(&self, recording: i64, id: i64) -> Result<()> {
        let sql = Sql::new("DELETE FROM recording_marks WHERE recording = $1 AND id = $2").with(recording).with(id);
        match self.execute(sql).await? {
            0 => Err(StoreError::NotFound("mark")),
            _ => Ok(()),
        }
    }
}

/// The picture of a recording's sound.
impl Store {
    /// The picture of this recording, if it was drawn of the file with this checksum.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn picture_of(&self, recording: i64, sha256: &str) -> Result<Option<String>> {
        let sql = Sql::new("SELECT picture FROM recording_peaks WHERE recording = $1 AND sha256 = $2");
        let row = self.row(sql.with(recording).with(sha256.to_owned())).await?;
        row.map(|row| row.text("picture")).transpose()
    }

    /// Keeps the picture of a recording; not of one that was erased meanwhile.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keep_picture(&self, recording: i64, sha256: &str, picture: &str) -> Result<()> {
        let sql = Sql::new(
            "INSERT INTO recording_peaks (recording, sha256, picture) SELECT id, $2, $3 FROM recordings \
             WHERE id = $1 AND state <> 'erased' \
             ON CONFLICT (recording) DO UPDATE SET sha256 = excluded.sha256, picture = excluded.picture",
        );
        self.execute(sql.with(recording).with(sha256.to_owned()).with(picture.to_owned())).await.map(drop)
    }
}

fn mark(row: &AnyRow) -> Result<MarkRow> {
    Ok(MarkRow {
        id: row.int("id")?,
        recording: row.int("recording")?,
        at_ms: row.int("at_ms")?,
        kind: row.text("kind")?,
        text: row.text("text")?,
        author: row.text("author")?,
        author_name: row.text("author_name")?,
        created: Wall(row.int("created_at")?),
        changed: Wall(row.int("changed_at")?),
    })
}
