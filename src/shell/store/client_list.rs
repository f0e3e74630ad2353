//! Cards as a list, newest first.

use crate::domain::ids::{ClientId, GroupId};
use crate::engine::time::Wall;

use super::calls::{narrow_time, page_of};
use super::clients::{COLUMNS, ClientRow, FROM, client_row};
use super::page::Place;
use super::{Page, Result, Sql, Store};

/// Which cards to list; what is not given does not matter. Cards that were merged into others are not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// Made at this moment or later.
    pub from: Option<Wall>,
    /// Made before this moment.
    pub to: Option<Wall>,
    /// Blocked, or not.
    pub blocked: Option<bool>,
    /// Corporate, or personal.
    pub corporate: Option<bool>,
    /// Whose card names this group.
    pub group: Option<GroupId>,
    /// With this tag.
    pub tag: Option<String>,
    /// At least this level of conflict.
    pub conflict: Option<u8>,
    /// The erased ones too.
    pub erased: bool,
}

impl Store {
    /// A page of cards, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](super::StoreError::BadCursor), or when the database does not answer.
    pub async fn list_clients(
        &self,
        filter: &ClientFilter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page<ClientRow>> {
        let mut sql = Sql::new(format!("SELECT {COLUMNS}{FROM}WHERE c.root IS NULL"));
        narrow_time(&mut sql, "c.created_at", filter.from, filter.to);
        if !filter.erased {
            sql.push(" AND c.erased_at IS NULL");
        }
        match filter.blocked {
            // As the index has it.
            Some(true) => sql.push(" AND c.blocked = 1"),
            Some(false) => sql.push(" AND c.blocked = 0"),
            None => {}
        }
        match filter.corporate {
            Some(true) => sql.push(" AND c.kind = 'corporate'"),
            Some(false) => sql.push(" AND c.kind = 'personal'"),
            None => {}
        }
        for (condition, number) in [
            (" AND c.client_group = ", filter.group.map(|group| group.0)),
            (" AND c.conflict >= ", filter.conflict.map(i64::from)),
        ] {
            if let Some(number) = number {
                sql.push(condition);
                sql.push_value(number);
            }
        }
        if let Some(tag) = &filter.tag {
            sql.push(" AND c.id IN (SELECT client FROM client_tags WHERE tag = ");
            sql.push_value(tag.clone());
            sql.push(")");
        }
        page_of(&mut sql, "c.created_at", "c.id", cursor, limit)?;
        let rows = self.rows(sql).await?.iter().map(client_row).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(rows, limit, |row| Place { at: row.card.created_at.0, id: row.id.0 }))
    }

    /// The cards that were merged into this one, the latest first, to be looked back at.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn merged_into(&self, id: ClientId) -> Result<Vec<ClientRow>> {
        let sql =
            Sql::new(format!("SELECT {COLUMNS}{FROM}WHERE c.root = $1 ORDER BY c.changed_at DESC, c.id LIMIT 100"));
        self.rows(sql.with(id.0)).await?.iter().map(client_row).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::domain::client::{Command, Detail};

    use super::super::clients::tests::{new, olga, phones};
    use super::super::testing::on_both;
    use super::*;

    #[tokio::test]
    async fn cards_are_listed_newest_first_by_pages_and_by_what_they_say() {
        on_both(async |t| {
            let s = &t.store;
            let mut ids = Vec::new();
            for n in 0..7 {
                let tags = if n % 2 == 0 { BTreeSet::from(["vip".to_owned()]) } else { BTreeSet::new() };
                let card = new(vec![phones(&[&format!("+7900123456{n}")]), Detail::Tags(tags)]);
                // Two of one moment.
                ids.insert(0, s.create_client(card, &olga(), Wall(100 + n / 2)).await.unwrap().id);
            }
            let first = s.list_clients(&ClientFilter::default(), None, 4).await.unwrap();
            let second = s.list_clients(&ClientFilter::default(), first.next.as_deref(), 4).await.unwrap();
            let seen: Vec<_> = first.items.iter().chain(&second.items).map(|row| row.id).collect();
            assert_eq!((seen, second.next), (ids.clone(), None));
            let block = Command::Block { reason: "шум".into() };
            s.change_client(ids[0], block, &olga(), Wall(200)).await.unwrap();
            let count = async |filter: ClientFilter| s.list_clients(&filter, None, 9).await.unwrap().items.len();
            assert_eq!(count(ClientFilter { blocked: Some(true), ..ClientFilter::default() }).await, 1);
            assert_eq!(count(ClientFilter { blocked: Some(false), ..ClientFilter::default() }).await, 6);
            assert_eq!(count(ClientFilter { tag: Some("vip".into()), ..ClientFilter::default() }).await, 4);
            assert_eq!(count(ClientFilter { corporate: Some(true), ..ClientFilter::default() }).await, 0);
            assert_eq!(count(ClientFilter { from: Some(Wall(103)), ..ClientFilter::default() }).await, 1);
            s.merge_clients(ids[1], ids[2], None, &olga(), Wall(300)).await.unwrap();
            s.change_client(ids[3], Command::Erase, &olga(), Wall(301)).await.unwrap();
            assert_eq!(count(ClientFilter::default()).await, 5);
            assert_eq!(count(ClientFilter { erased: true, ..ClientFilter::default() }).await, 6);
            assert_eq!(s.merged_into(ids[1]).await.unwrap().len(), 1);
        })
        .await;
    }
}
