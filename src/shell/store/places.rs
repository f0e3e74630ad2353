//! Where clients were fetched and brought: what address hints offer first.

use sqlx::any::AnyRow;

use crate::domain::hint::Place;
use crate::engine::time::Wall;

use super::{Columns as _, Result, Sql, Store, Tx};

/// Places of one client that are looked at, the latest ones: nobody remembers more.
const MOST: i64 = 200;

impl Store {
    /// The client's places, the latest first, at most 200.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn places_of(&self, client: i64) -> Result<Vec<Place>> {
        let sql = Sql::new(
            "SELECT city, street, house, entrance, comment, uses, last_used_at FROM places WHERE client = $1 \
             ORDER BY last_used_at DESC LIMIT $2",
        );
        self.rows(sql.with(client).with(MOST)).await?.iter().map(place).collect()
    }

    /// The client was there once more. `Tx::use_place` does the same within a transaction.
    ///
    /// # Errors
    /// When the database does not answer or does not accept it.
    pub async fn use_place(&self, client: i64, place: &Place, at: Wall) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.use_place(client, place, at).await?;
        tx.commit().await
    }
}

impl Tx {
    /// The client was there once more (`uses` and `last_used` of the place do not matter). The latest way to write it
    /// is kept. A place without a street says nothing and is not kept.
    pub(super) async fn use_place(&mut self, client: i64, place: &Place, at: Wall) -> Result<()> {
        if place.street.is_empty() {
            return Ok(());
        }
        let sql = Sql::new(
            "INSERT INTO places (client, place_key, city, street, house, entrance, comment, uses, last_used_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) ON CONFLICT (client, place_key) DO UPDATE SET \
             city = excluded.city, street = excluded.street, house = excluded.house, entrance = excluded.entrance, \
             comment = excluded.comment, uses = places.uses + 1, last_used_at = \
             CASE WHEN excluded.last_used_at > places.last_used_at THEN excluded.last_used_at ELSE places.last_used_at END",
        )
        .with(client)
        .with(place.key())
        .with(place.city.clone())
        .with(place.street.clone())
        .with(place.house.clone())
        .with(place.entrance.clone())
        .with(place.comment.clone())
        .with(at.0);
        self.execute(sql).await.map(drop)
    }

    /// Two cards of one person became one: the places of the one are those of the other.
    pub(super) async fn move_places(&mut self, from: i64, to: i64) -> Result<()> {
        let sql = Sql::new(
            "INSERT INTO places (client, place_key, city, street, house, entrance, comment, uses, last_used_at) \
             SELECT $1, place_key, city, street, house, entrance, comment, uses, last_used_at FROM places \
             WHERE client = $2 ON CONFLICT (client, place_key) DO UPDATE SET uses = places.uses + excluded.uses, \
             last_used_at = \
             CASE WHEN excluded.last_used_at > places.last_used_at THEN excluded.last_used_at ELSE places.last_used_at END",
        );
        self.execute(sql.with(to).with(from)).await?;
        self.forget_places(from).await
    }

    /// The client is to be forgotten.
    pub(super) async fn forget_places(&mut self, client: i64) -> Result<()> {
        self.execute(Sql::new("DELETE FROM places WHERE client = $1").with(client)).await.map(drop)
    }
}

fn place(row: &AnyRow) -> Result<Place> {
    Ok(Place {
        city: row.text("city")?,
        street: row.text("street")?,
        house: row.text("house")?,
        entrance: row.text("entrance")?,
        comment: row.text("comment")?,
        uses: row.small("uses")?,
        last_used: row.int("last_used_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    fn at(street: &str, house: &str) -> Place {
        Place { street: street.into(), house: house.into(), ..Place::default() }
    }

    #[tokio::test]
    async fn a_place_is_counted_however_it_is_written() {
        on_both(async |t| {
            let s = &t.store;
            s.use_place(1, &at("улица Ленина", "12"), Wall(10)).await.unwrap();
            s.use_place(1, &at("ул. Ленина", "12"), Wall(30)).await.unwrap();
            s.use_place(1, &at("улица Мира", "1"), Wall(20)).await.unwrap();
            s.use_place(2, &at("улица Мира", "1"), Wall(99)).await.unwrap();
            s.use_place(1, &at("", "1"), Wall(99)).await.unwrap();
            // Written later, used earlier.
            s.use_place(1, &at("улица Ленина", "12"), Wall(5)).await.unwrap();
            let places = s.places_of(1).await.unwrap();
            let seen: Vec<_> = places.iter().map(|p| (p.street.as_str(), p.uses, p.last_used)).collect();
            assert_eq!(seen, [("улица Ленина", 3, 30), ("улица Мира", 1, 20)]);
        })
        .await;
    }

    #[tokio::test]
    async fn places_go_with_a_card_that_is_merged_and_vanish_with_one_that_is_erased() {
        on_both(async |t| {
            let s = &t.store;
            for (client, street, when) in [(1, "Ленина", 10), (2, "Ленина", 20), (2, "Мира", 5)] {
                s.use_place(client, &at(street, "1"), Wall(when)).await.unwrap();
            }
            let mut tx = s.begin().await.unwrap();
            tx.move_places(2, 1).await.unwrap();
            tx.commit().await.unwrap();
            let seen: Vec<_> = s.places_of(1).await.unwrap().iter().map(|p| (p.uses, p.last_used)).collect();
            assert_eq!((seen, s.places_of(2).await.unwrap()), (vec![(2, 20), (1, 5)], vec![]));
            let mut tx = s.begin().await.unwrap();
            tx.forget_places(1).await.unwrap();
            tx.commit().await.unwrap();
            assert!(s.places_of(1).await.unwrap().is_empty());
        })
        .await;
    }
}
