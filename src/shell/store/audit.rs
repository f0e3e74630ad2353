//! Who did what: written once, edited never. The database itself refuses to change or delete a line.

use crate::engine::event::Actor;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::calls::{narrow_time, page_of};
use super::change::actor_words;
use super::many::insert_of;
use super::page::Place;
use super::table::Value;
use super::{Columns as _, Page, Result, Sql, Store, Tx};

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Wall,
    /// By whom.
    pub actor: Actor,
    /// A word such as `session.begin`, `recording.listen`, `agent.change`.
    pub action: String,
    /// To what: an id or a name.
    pub subject: String,
    /// What exactly; no secrets.
    pub detail: serde_json::Value,
    /// From which network address; empty when by no network.
    pub address: String,
}

/// A line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Number of the line.
    pub id: i64,
    /// When.
    pub at: Wall,
    /// `engine`, `agent`, `person` or `program`.
    pub actor_kind: String,
    /// Which of them.
    pub actor_name: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What exactly.
    pub detail: serde_json::Value,
    /// From which network address.
    pub address: String,
}

/// Which lines to list; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// At this moment or later.
    pub from: Option<Wall>,
    /// Before this moment.
    pub to: Option<Wall>,
    /// By the agent, person or program of this name.
    pub actor: Option<String>,
    /// This action.
    pub action: Option<String>,
}

const SELECT: &str = "SELECT id, at, actor_kind, actor_name, action, subject, detail, address FROM audit WHERE 1 = 1";

impl Store {
    /// Adds a line.
    ///
    /// # Errors
    /// When the database does not answer or does not accept it.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<()> {
        self.execute(insert_of(self.dialect(), "audit", COLUMNS, &[line(entry)?])).await.map(drop)
    }

    /// A page of the log, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](super::StoreError::BadCursor), or when the database does not answer.
    pub async fn list_audit(&self, filter: &AuditFilter, cursor: Option<&str>, limit: u32) -> Result<Page<AuditRow>> {
        let mut sql = Sql::new(SELECT);
        narrow_time(&mut sql, "at", filter.from, filter.to);
        for (value, column) in [(&filter.actor, "actor_name"), (&filter.action, "action")] {
            if let Some(value) = value {
                sql.push(&format!(" AND {column} = "));
                sql.push_value(value.clone());
            }
        }
        page_of(&mut sql, "at", "id", cursor, limit)?;
        let rows = self.rows(sql).await?;
        let lines = rows.iter().map(|row| {
            Ok(AuditRow {
                id: row.int("id")?,
                at: Wall(row.int("at")?),
                actor_kind: row.text("actor_kind")?,
                actor_name: row.text("actor_name")?,
                action: row.text("action")?,
                subject: row.text("subject")?,
                detail: from_json(&row.text("detail")?)?,
                address: row.text("address")?,
            })
        });
        Ok(Page::cut(lines.collect::<Result<Vec<_>>>()?, limit, |line| Place { at: line.at.0, id: line.id }))
    }
}

impl Tx {
    /// Adds a line, if the rest is done.
    pub(super) async fn append_audit(&mut self, entry: AuditEntry) -> Result<()> {
        self.append_audits([entry]).await
    }

    /// Adds lines, if the rest is done.
    pub(super) async fn append_audits(&mut self, entries: impl IntoIterator<Item = AuditEntry>) -> Result<()> {
        let lines = entries.into_iter().map(line).collect::<Result<_>>()?;
        self.insert_into("audit", COLUMNS, lines, "").await
    }
}

const COLUMNS: &str = "at, actor_kind, actor_name, action, subject, detail, address";

fn line(entry: AuditEntry) -> Result<Vec<Value>> {
    let (kind, name) = actor_words(&entry.actor);
    Ok(vec![
        Value::Int(entry.at.0),
        Value::Text(kind.to_owned()),
        Value::Text(name),
        Value::Text(entry.action),
        Value::Text(entry.subject),
        Value::Text(json(&entry.detail)?),
        Value::Text(entry.address),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::StoreError;
    use super::super::testing::on_both;
    use super::*;

    fn entry(n: i64) -> AuditEntry {
        AuditEntry {
            at: Wall(n),
            actor: Actor::Person("ольга".into()),
            action: if n % 2 == 0 { "recording.listen" } else { "session.begin" }.into(),
            subject: n.to_string(),
            detail: serde_json::json!({ "n": n }),
            address: "127.0.0.1".into(),
        }
    }

    #[tokio::test]
    async fn the_log_is_listed_newest_first_and_by_action() {
        on_both(async |t| {
            for n in 0..9 {
                t.store.append_audit(entry(n)).await.unwrap();
            }
            let first = t.store.list_audit(&AuditFilter::default(), None, 5).await.unwrap();
            let second = t.store.list_audit(&AuditFilter::default(), first.next.as_deref(), 5).await.unwrap();
            let subjects: Vec<_> = first.items.iter().chain(&second.items).map(|row| row.subject.clone()).collect();
            assert_eq!(subjects.join(""), "876543210");
            assert_eq!((second.next, &second.items[0].detail), (None, &serde_json::json!({ "n": 3 })));
            let listens = AuditFilter { action: Some("recording.listen".into()), ..AuditFilter::default() };
            assert_eq!(t.store.list_audit(&listens, None, 9).await.unwrap().items.len(), 5);
        })
        .await;
    }

    #[tokio::test]
    async fn nobody_can_edit_the_log() {
        on_both(async |t| {
            t.store.append_audit(entry(1)).await.unwrap();
            let mut attempts = vec!["UPDATE audit SET actor_name = 'other'", "DELETE FROM audit"];
            attempts.push(match t.store.dialect() {
                super::super::Dialect::Sqlite => "INSERT OR REPLACE INTO audit SELECT * FROM audit",
                super::super::Dialect::Postgres => "TRUNCATE audit",
            });
            for attempt in attempts {
                let error = t.store.execute(Sql::new(attempt)).await.unwrap_err();
                assert!(matches!(&error, StoreError::Invalid(why) if why.contains("cannot be edited")), "{error}");
            }
            assert_eq!(t.store.list_audit(&AuditFilter::default(), None, 9).await.unwrap().items.len(), 1);
        })
        .await;
    }
}
