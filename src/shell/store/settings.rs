//! What was set in the console, section by section; every version is kept.

use serde_json::{Value, json};
use sqlx::any::AnyRow;

use crate::engine::time::Wall;

use super::agents::{from_json, json as written};
use super::author::{Author, ChangeError};
use super::catalogue::whole;
use super::change::actor_words;
use super::{Columns as _, Result, Sql, Store};

/// A section as it was set last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionRow {
    /// Its name.
    pub section: String,
    /// How often it was set.
    pub version: u64,
    /// What it says; none: as the file has it.
    pub body: Option<Value>,
    /// By whom.
    pub changed_by: String,
    /// When.
    pub changed_at: Wall,
}

const LATEST: &str = "SELECT section, version, body, changed_by, changed_at FROM settings s \
     WHERE version = (SELECT MAX(version) FROM settings o WHERE o.section = s.section)";

impl Store {
    /// Every section that was ever set in the console.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn console_settings(&self) -> Result<Vec<SectionRow>> {
        self.rows(Sql::new(format!("{LATEST} ORDER BY section"))).await?.iter().map(section).collect()
    }

    /// Sets a section, or takes back what was set. `before` is what it said, for the audit.
    ///
    /// # Errors
    /// [`ChangeError::Stale`], or when the database does not answer.
    pub async fn set_section(
        &self,
        name: &str,
        body: Option<Value>,
        before: &Value,
        author: &Author,
        now: Wall,
    ) -> Result<SectionRow, ChangeError<SectionRow>> {
        let mut tx = self.begin().await?;
        let sql = Sql::new(format!("{LATEST} AND section = $1")).with(name.to_owned());
        let known = tx.row(sql).await?.as_ref().map(section).transpose()?;
        let known = known.unwrap_or_else(|| SectionRow { section: name.to_owned(), ..SectionRow::default() });
        author.by.check(known.version).map_err(|rejected| ChangeError::of(rejected, &known))?;
        let (_, by) = actor_words(&author.actor);
        let row =
            SectionRow { section: name.to_owned(), version: known.version + 1, body, changed_by: by, changed_at: now };
        // Of two who set it in the same moment one is refused: a version is there once.
        let text = "INSERT INTO settings (section, version, body, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5)";
        let body = row.body.as_ref().map(written).transpose()?;
        let sql = Sql::new(text).with(row.section.clone()).with(whole(row.version)?).with(body);
        tx.execute(sql.with(row.changed_by.clone()).with(now.0)).await?;
        let (action, detail) = match &row.body {
            Some(after) => ("settings.set", json!({ "before": before, "after": after })),
            None => ("settings.reset", json!({ "before": before })),
        };
        author.audit(&mut tx, action, name, detail, now).await?;
        tx.commit().await?;
        Ok(row)
    }
}

fn section(row: &AnyRow) -> Result<SectionRow> {
    Ok(SectionRow {
        section: row.text("section")?,
        version: row.small("version")?,
        body: row.text_opt("body")?.as_deref().map(from_json).transpose()?,
        changed_by: row.text("changed_by")?,
        changed_at: Wall(row.int("changed_at")?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    #[tokio::test]
    async fn a_section_is_set_taken_back_and_set_by_one_of_two() {
        on_both(async |t| {
            let s = &t.store;
            assert_eq!(s.console_settings().await.unwrap(), []);
            let by = |expected| {
                let mut author = Author::engine();
                author.by.expected = Some(expected);
                author
            };
            let set = async |body, expected| s.set_section("office", body, &json!({}), &by(expected), Wall(5)).await;
            let first = set(Some(json!({ "greeting": false })), 0).await.unwrap();
            assert_eq!((first.version, first.changed_at), (1, Wall(5)));
            assert!(matches!(set(None, 0).await, Err(ChangeError::Stale { current }) if *current == first));
            assert_eq!(s.console_settings().await.unwrap(), [first]);
            set(None, 1).await.unwrap();
            let [row] = &s.console_settings().await.unwrap()[..] else { panic!() };
            assert_eq!((row.version, &row.body), (2, &None));
        })
        .await;
    }
}
