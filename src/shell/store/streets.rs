//! The list of streets that address hints are made of.

use sqlx::any::AnyRow;

use crate::domain::hint::{Kind, MOST_STREETS, Street};
use crate::domain::search::fold;
use crate::engine::time::Wall;

use super::many::insert_of;
use super::table::Value;
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// Rows of one statement: the engine, which writes to the same database, waits for no more than that.
const AT_ONCE: usize = 1000;
/// Rows read by one statement.
const PART: i64 = 10_000;
/// Streets on a page at most.
const MOST: u32 = 500;

/// How many streets a settlement has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementRow {
    /// Its name; empty for the office's own.
    pub settlement: String,
    /// How many streets.
    pub streets: u64,
}

/// A street of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreetRow {
    /// Number of the row.
    pub id: i64,
    /// The street.
    pub street: Street,
}

impl Store {
    /// Adds the streets that are not there yet; answers how many that were. Each thousand is one transaction: what is
    /// interrupted can be repeated, and does nothing twice.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when there would be more than an index takes, or when the database does not answer.
    pub async fn add_streets(&self, streets: &[Street], now: Wall) -> Result<u64> {
        let mut added = 0;
        for part in streets.chunks(AT_ONCE) {
            let mut tx = self.begin().await?;
            let new = tx.execute(self.insert(part, now)).await?;
            let row = tx.rows(Sql::new("SELECT COUNT(*) AS streets FROM streets")).await?;
            let count: usize = row.first().ok_or(StoreError::NotFound("answer"))?.small("streets")?;
            if count > MOST_STREETS {
                let advice = "remove settlements that the office does not serve (`perezvon streets remove`)";
                return Err(StoreError::Invalid(format!("more than {MOST_STREETS} streets; {advice}")));
            }
            if new > 0 {
                list_changed(&mut tx).await?;
            }
            tx.commit().await?;
            added += new;
        }
        Ok(added)
    }

    fn insert(&self, streets: &[Street], now: Wall) -> Sql {
        let rows = streets.iter().map(|street| {
            let text = |text: &str| Value::Text(text.to_owned());
            let (settlement, kind, name) = (text(&street.settlement), text(street.kind.as_str()), text(&street.name));
            [settlement, kind, name, Value::Text(street.key()), Value::Int(now.0)]
        });
        let columns = "settlement, kind, name, street_key, added_at";
        let mut sql = insert_of(self.dialect(), "streets", columns, &rows.collect::<Vec<_>>());
        sql.push(" ON CONFLICT (street_key) DO NOTHING");
        sql
    }

    /// Removes the streets of a settlement; answers how many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_streets(&self, settlement: &str) -> Result<u64> {
        let mut tx = self.begin().await?;
        let sql = Sql::new("DELETE FROM streets WHERE settlement = $1").with(settlement.to_owned());
        let removed = tx.execute(sql).await?;
        if removed > 0 {
            list_changed(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(removed)
    }

    /// The settlements, the largest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_settlements(&self) -> Result<Vec<SettlementRow>> {
        let sql = Sql::new(
            "SELECT settlement, COUNT(*) AS streets FROM streets GROUP BY settlement ORDER BY streets DESC, settlement",
        );
        let read =
            |row: &AnyRow| Ok(SettlementRow { settlement: row.text("settlement")?, streets: row.small("streets")? });
        self.rows(sql).await?.iter().map(read).collect()
    }

    /// A page of streets, in the order of their settlements and names. `text` is a part of a name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_streets(
        &self,
        text: &str,
        settlement: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<StreetRow>, Option<String>)> {
        let mut sql = Sql::new("SELECT id, settlement, kind, name, street_key FROM streets WHERE 1 = 1");
        // Of the key, which is folded: letter case and «ё» do not matter. What is folded holds no sign of LIKE.
        for part in fold(text).split_whitespace() {
            sql.push(" AND street_key LIKE ");
            sql.push_value(format!("%{part}%"));
        }
        if let Some(settlement) = settlement {
            sql.push(" AND settlement = ");
            sql.push_value(settlement.to_owned());
        }
        if let Some(after) = after {
            sql.push(" AND street_key > ");
            sql.push_value(after.to_owned());
        }
        let limit = limit.clamp(1, MOST);
        sql.push(" ORDER BY street_key LIMIT ");
        sql.push_value(i64::from(limit) + 1);
        let mut rows = self.rows(sql).await?;
        let more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = match rows.last().filter(|_| more) {
            Some(row) => Some(row.text("street_key")?),
            None => None,
        };
        let read = |row: &AnyRow| Ok(StreetRow { id: row.int("id")?, street: street(row)? });
        Ok((rows.iter().map(read).collect::<Result<_>>()?, next))
    }

    /// Removes one street; whether it was there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_street(&self, id: i64) -> Result<Option<Street>> {
        let mut tx = self.begin().await?;
        let known = tx.row(Sql::new("SELECT settlement, kind, name FROM streets WHERE id = $1").with(id)).await?;
        let known = known.as_ref().map(street).transpose()?;
        if known.is_some() {
            tx.execute(Sql::new("DELETE FROM streets WHERE id = $1").with(id)).await?;
            list_changed(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(known)
    }

    /// All streets, read in parts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn all_streets(&self) -> Result<Vec<Street>> {
        let mut streets = Vec::new();
        let mut last = 0;
        while streets.len() < MOST_STREETS {
            let sql = Sql::new("SELECT id, settlement, kind, name FROM streets WHERE id > $1 ORDER BY id LIMIT $2");
            let rows = self.rows(sql.with(last).with(PART)).await?;
            let Some(end) = rows.last() else { break };
            last = end.int("id")?;
            for row in &rows {
                streets.push(street(row)?);
            }
        }
        Ok(streets)
    }

    /// Another number than before when the list was changed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn streets_version(&self) -> Result<i64> {
        let row = self.row(Sql::new("SELECT version FROM list_versions WHERE list = 'streets'")).await?;
        row.map_or(Ok(0), |row| row.int("version"))
    }
}

async fn list_changed(tx: &mut Tx) -> Result<()> {
    let sql = Sql::new(
        "INSERT INTO list_versions (list, version) VALUES ('streets', 1) \
         ON CONFLICT (list) DO UPDATE SET version = list_versions.version + 1",
    );
    tx.execute(sql).await.map(drop)
}

fn street(row: &AnyRow) -> Result<Street> {
    let kind = row.text("kind")?;
    Ok(Street {
        settlement: row.text("settlement")?,
        kind: Kind::parse(&kind).ok_or_else(|| StoreError::Unreadable(format!("kind of street {kind:?}")))?,
        name: row.text("name")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    fn streets(texts: &[&str], settlement: &str) -> Vec<Street> {
        texts.iter().map(|text| Street::read(text, settlement).unwrap()).collect()
    }

    #[tokio::test]
    async fn streets_that_are_added_twice_are_there_once() {
        on_both(async |t| {
            assert_eq!(t.store.streets_version().await.unwrap(), 0);
            let list = streets(&["ул. Ленина", "Советская улица"], "Примерск");
            assert_eq!(t.store.add_streets(&list, Wall(1)).await.unwrap(), 2);
            let version = t.store.streets_version().await.unwrap();
            let again = streets(&["улица Ленина", "пр. Ленина"], "примерск");
            assert_eq!(t.store.add_streets(&again[..1], Wall(2)).await.unwrap(), 0);
            assert_eq!(t.store.streets_version().await.unwrap(), version);
            assert_eq!(t.store.add_streets(&again, Wall(2)).await.unwrap(), 1);
            assert_ne!(t.store.streets_version().await.unwrap(), version);
            let all = t.store.all_streets().await.unwrap();
            assert_eq!(all[..2], list);
            assert_eq!(all[2].title(), "проспект Ленина");
        })
        .await;
    }

    #[tokio::test]
    async fn streets_are_found_by_a_part_of_the_name_page_by_page_and_removed_one_by_one() {
        on_both(async |t| {
            let s = &t.store;
            s.add_streets(&streets(&["Лётная", "Лесная", "Полевая"], ""), Wall(1)).await.unwrap();
            s.add_streets(&streets(&["Лесная"], "Дальнее"), Wall(1)).await.unwrap();
            let list =
                async |text, settlement, after, limit| s.list_streets(text, settlement, after, limit).await.unwrap();
            let (found, next) = list("летн", None, None, 50).await;
            assert_eq!((found.len(), found[0].street.name.as_str(), next), (1, "Лётная", None));
            assert_eq!(list("лесная", Some("Дальнее"), None, 50).await.0.len(), 1);
            assert_eq!(list("_есная", None, None, 50).await.0, list("есная", None, None, 50).await.0);
            let (first, next) = list("", None, None, 3).await;
            let (rest, end) = list("", None, next.as_deref(), 3).await;
            assert_eq!((first.len(), rest.len(), end), (3, 1, None));
            let version = s.streets_version().await.unwrap();
            assert!(s.remove_street(found[0].id).await.unwrap().is_some());
            assert!(s.remove_street(found[0].id).await.unwrap().is_none());
            assert_ne!(s.streets_version().await.unwrap(), version);
        })
        .await;
    }

    #[tokio::test]
    async fn more_streets_than_one_statement_takes_are_added_and_read_and_removed() {
        on_both(async |t| {
            let list: Vec<Street> = (0..2500).map(|n| Street::read(&format!("Полевая-{n}"), "").unwrap()).collect();
            assert_eq!(t.store.add_streets(&list, Wall(1)).await.unwrap(), 2500);
            t.store.add_streets(&streets(&["Новая"], "Дальнее"), Wall(1)).await.unwrap();
            assert_eq!(t.store.all_streets().await.unwrap().len(), 2501);
            let listed = t.store.list_settlements().await.unwrap();
            assert_eq!(listed[0], SettlementRow { settlement: String::new(), streets: 2500 });
            assert_eq!(t.store.remove_streets("").await.unwrap(), 2500);
            assert_eq!(t.store.all_streets().await.unwrap().len(), 1);
        })
        .await;
    }
}
