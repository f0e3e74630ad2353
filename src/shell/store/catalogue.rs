//! Lists that the office keeps by hand: tariffs and groups of clients, one of each of which is the default, and purposes
//! of contacts.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::contact::Purpose;
use crate::domain::group::Group;
use crate::domain::rejected::Rejected;
use crate::domain::tariff::Tariff;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::author::{Author, ChangeError};
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// Something that such a list holds.
pub trait Listed: Clone + Serialize + DeserializeOwned + Send + Sync {
    /// Its table.
    const TABLE: &'static str;
    /// What it is called in messages and in the audit.
    const WHAT: &'static str;
    /// One of them holds where nothing else is said.
    const HAS_DEFAULT: bool = true;

    /// Its name; no two have the same.
    fn name(&self) -> String;

    /// Refuses what could not hold.
    ///
    /// # Errors
    /// As the domain says.
    fn check(&self) -> Result<(), Rejected>;
}

impl Listed for Tariff {
    const TABLE: &'static str = "tariffs";
    const WHAT: &'static str = "tariff";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn check(&self) -> Result<(), Rejected> {
        Tariff::check(self)
    }
}

impl Listed for Group {
    const TABLE: &'static str = "client_groups";
    const WHAT: &'static str = "group";

    fn name(&self) -> String {
        self.name.clone()
    }

    fn check(&self) -> Result<(), Rejected> {
        Group::check(self)
    }
}

impl Listed for Purpose {
    const TABLE: &'static str = "purposes";
    const WHAT: &'static str = "purpose";
    const HAS_DEFAULT: bool = false;

    fn name(&self) -> String {
        self.title()
    }

    fn check(&self) -> Result<(), Rejected> {
        Purpose::check(self)
    }
}

/// A line of such a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<T> {
    /// Number of the row.
    pub id: i64,
    /// What it says.
    pub value: T,
    /// Holds where nothing else is said.
    pub is_default: bool,
    /// Not offered any more; kept for what refers to it.
    pub retired: bool,
    /// Grows with every edit.
    pub version: u64,
    /// When it was added.
    pub created_at: Wall,
    /// When it was changed last.
    pub changed_at: Wall,
}

/// What to change of a line; `None` leaves it as it is.
#[derive(Clone, Debug)]
pub struct ItemChange<T> {
    /// What it says.
    pub value: Option<T>,
    /// Make it the default; the one before is it no more. A default cannot just be taken away.
    pub make_default: bool,
    /// Offer it no more, or again. The default cannot be retired.
    pub retired: Option<bool>,
}

impl<T> Default for ItemChange<T> {
    fn default() -> Self {
        ItemChange { value: None, make_default: false, retired: None }
    }
}

/// How a change of a line ends.
pub type ItemResult<T> = Result<Item<T>, ChangeError<Item<T>>>;

impl Store {
    /// All lines by name, the retired ones too.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_items<T: Listed>(&self) -> Result<Vec<Item<T>>> {
        let mut sql = select::<T>();
        sql.push(" ORDER BY name, id");
        self.rows(sql).await?.iter().map(item).collect()
    }

    /// One line.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_item<T: Listed>(&self, id: i64) -> Result<Option<Item<T>>> {
        let mut sql = select::<T>();
        sql.push(" WHERE id = $1");
        self.row(sql.with(id)).await?.as_ref().map(item).transpose()
    }

    /// The default line, if there is any line.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn default_item<T: Listed>(&self) -> Result<Option<Item<T>>> {
        let mut sql = select::<T>();
        sql.push(" WHERE is_default = 1");
        self.row(sql).await?.as_ref().map(item).transpose()
    }

    /// This line, or the default one when none is named or there is no such line.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn item_or_default<T: Listed>(&self, id: Option<i64>) -> Result<Option<Item<T>>> {
        self.row(select_or_default::<T>(id)).await?.as_ref().map(item).transpose()
    }

    /// Adds a line. The first one is the default.
    ///
    /// # Errors
    /// [`ChangeError::Rejected`] for what could not hold, [`StoreError::Taken`] when the name is in use.
    pub async fn add_item<T: Listed>(&self, value: T, author: &Author, now: Wall) -> ItemResult<T> {
        value.check()?;
        let mut tx = self.begin().await?;
        let first = T::HAS_DEFAULT && tx.default_of::<T>().await?.is_none();
        let sql = Sql::new(format!(
            "INSERT INTO {} (name, is_default, retired, body, version, created_at, changed_at) \
             VALUES ($1, $2, 0, $3, 1, $4, $4) RETURNING id",
            T::TABLE
        ))
        .with(value.name())
        .with(i64::from(first))
        .with(json(&value)?)
        .with(now.0);
        let id = tx.row(sql).await?.ok_or(StoreError::NotFound(T::WHAT))?.int("id")?;
        let item = Item { id, value, is_default: first, retired: false, version: 1, created_at: now, changed_at: now };
        let detail = json!({ "name": item.value.name() });
        author.audit(&mut tx, format!("{}.create", T::WHAT), id, detail, now).await?;
        tx.commit().await?;
        Ok(item)
    }

    /// Changes a line.
    ///
    /// # Errors
    /// [`ChangeError::Stale`], [`ChangeError::Rejected`], [`StoreError::NotFound`], [`StoreError::Taken`],
    /// [`StoreError::Invalid`] when the default is to be retired.
    pub async fn change_item<T: Listed>(
        &self,
        id: i64,
        change: ItemChange<T>,
        author: &Author,
        now: Wall,
    ) -> ItemResult<T> {
        let mut tx = self.begin().await?;
        let mut sql = select::<T>();
        sql.push(" WHERE id = $1");
        let row = tx.row_locked(sql.with(id)).await?.ok_or(StoreError::NotFound(T::WHAT))?;
        let before: Item<T> = item(&row)?;
        author.by.check(before.version).map_err(|rejected| ChangeError::of(rejected, &before))?;
        let mut after = before.clone();
        if let Some(value) = change.value {
            value.check()?;
            after.value = value;
        }
        after.retired = change.retired.unwrap_or(before.retired);
        if change.make_default && !T::HAS_DEFAULT {
            return Err(StoreError::Invalid(format!("no {} is a default: leave make_default out", T::WHAT)).into());
        }
        after.is_default |= change.make_default;
        if after.is_default && after.retired {
            let why = format!("the default {} cannot be retired: make another one the default first", T::WHAT);
            return Err(StoreError::Invalid(why).into());
        }
        if after.is_default && !before.is_default {
            let others = format!("UPDATE {} SET is_default = 0, version = version + 1 WHERE is_default = 1", T::TABLE);
            tx.execute(Sql::new(others)).await?;
        }
        after.version += 1;
        after.changed_at = now;
        let sql = Sql::new(format!(
            "UPDATE {} SET name = $2, is_default = $3, retired = $4, body = $5, version = $6, changed_at = $7 \
             WHERE id = $1",
            T::TABLE
        ))
        .with(id)
        .with(after.value.name())
        .with(i64::from(after.is_default))
        .with(i64::from(after.retired))
        .with(json(&after.value)?)
        .with(whole(after.version)?)
        .with(now.0);
        tx.execute(sql).await?;
        // What a price follows from must be told exactly, before and after.
        let told = |item: &Item<T>| json!({ "value": item.value, "default": item.is_default, "retired": item.retired });
        let detail = json!({ "before": told(&before), "after": told(&after) });
        author.audit(&mut tx, format!("{}.change", T::WHAT), id, detail, now).await?;
        tx.commit().await?;
        Ok(after)
    }
}

impl Tx {
    /// One line.
    pub(super) async fn get_item<T: Listed>(&mut self, id: i64) -> Result<Option<Item<T>>> {
        let mut sql = select::<T>();
        sql.push(" WHERE id = $1");
        self.row(sql.with(id)).await?.as_ref().map(item).transpose()
    }

    /// The default line, if there is any line.
    pub(super) async fn default_of<T: Listed>(&mut self) -> Result<Option<Item<T>>> {
        let mut sql = select::<T>();
        sql.push(" WHERE is_default = 1");
        self.row(sql).await?.as_ref().map(item).transpose()
    }

    /// This line, or the default one when none is named or there is no such line.
    pub(super) async fn item_or_default<T: Listed>(&mut self, id: Option<i64>) -> Result<Option<Item<T>>> {
        self.row(select_or_default::<T>(id)).await?.as_ref().map(item).transpose()
    }
}

/// A version as the database keeps it.
pub(super) fn whole(version: u64) -> Result<i64> {
    i64::try_from(version).map_err(|_| StoreError::Invalid(format!("version {version} is beyond what can be kept")))
}

fn select<T: Listed>() -> Sql {
    Sql::new(format!("SELECT id, is_default, retired, body, version, created_at, changed_at FROM {}", T::TABLE))
}

fn select_or_default<T: Listed>(id: Option<i64>) -> Sql {
    let mut sql = select::<T>();
    sql.push(" WHERE id = $1 OR is_default = 1 ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1");
    sql.with(id.unwrap_or(-1))
}

fn item<T: Listed>(row: &AnyRow) -> Result<Item<T>> {
    Ok(Item {
        id: row.int("id")?,
        value: from_json(&row.text("body")?)?,
        is_default: row.flag("is_default")?,
        retired: row.flag("retired")?,
        version: row.small("version")?,
        created_at: Wall(row.int("created_at")?),
        changed_at: Wall(row.int("changed_at")?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    fn tariff(name: &str) -> Tariff {
        Tariff { name: name.into(), ..Tariff::default() }
    }

    #[tokio::test]
    async fn the_first_tariff_is_the_default_until_another_is_made_it() {
        on_both(async |t| {
            let by = Author::engine();
            let city = t.store.add_item(tariff("Город"), &by, Wall(1)).await.unwrap();
            let night = t.store.add_item(tariff("Ночь"), &by, Wall(2)).await.unwrap();
            assert_eq!((city.is_default, night.is_default), (true, false));
            let make = ItemChange { make_default: true, ..ItemChange::default() };
            let night = t.store.change_item::<Tariff>(night.id, make, &by, Wall(3)).await.unwrap();
            assert_eq!(t.store.default_item::<Tariff>().await.unwrap(), Some(night.clone()));
            let off = ItemChange { retired: Some(true), ..ItemChange::default() };
            let error = t.store.change_item::<Tariff>(night.id, off.clone(), &by, Wall(4)).await.unwrap_err();
            assert!(error.to_string().contains("make another one the default first"), "{error}");
            let city = t.store.change_item::<Tariff>(city.id, off, &by, Wall(4)).await.unwrap();
            assert!(city.retired);
            assert_eq!(t.store.list_items::<Tariff>().await.unwrap(), vec![city, night]);
        })
        .await;
    }

    #[tokio::test]
    async fn an_edit_over_an_older_version_is_told_the_present_one_and_names_are_unique() {
        on_both(async |t| {
            let by = Author::engine();
            let vip = Group { name: "VIP".into(), priority: 10, ..Group::default() };
            let item = t.store.add_item(vip.clone(), &by, Wall(1)).await.unwrap();
            let late = Author { by: by.by.clone().expecting(9), ..by.clone() };
            let change = ItemChange { value: Some(vip.clone()), ..ItemChange::default() };
            match t.store.change_item(item.id, change, &late, Wall(2)).await {
                Err(ChangeError::Stale { current }) => assert_eq!(*current, item),
                other => panic!("{other:?}"),
            }
            let again = t.store.add_item(vip, &by, Wall(3)).await.unwrap_err();
            assert!(matches!(&again, ChangeError::Store(StoreError::Taken(what)) if what == "name"), "{again}");
            let nameless = t.store.add_item(Group::default(), &by, Wall(3)).await.unwrap_err();
            assert!(matches!(nameless, ChangeError::Rejected(Rejected::Field { field: "name", .. })), "{nameless}");
        })
        .await;
    }
}
