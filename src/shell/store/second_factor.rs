//! The second factor of people who log in: the secret that their device shares with us.

use crate::engine::time::Wall;

use super::users::UserId;
use super::{Columns as _, Result, Secret, Sql, Store};

/// What is kept of a user's second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorRow {
    /// The shared secret in base32.
    pub secret: Secret,
    /// A code has shown that the user's device has it; before, it is not asked for.
    pub confirmed: bool,
}

impl Store {
    /// A user's second factor.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn second_factor(&self, user: UserId) -> Result<Option<FactorRow>> {
        let sql = Sql::new("SELECT secret, confirmed FROM second_factors WHERE user_id = $1").with(user.0);
        let row = self.row(sql).await?;
        row.map(|row| Ok(FactorRow { secret: row.text("secret")?.into(), confirmed: row.flag("confirmed")? }))
            .transpose()
    }

    /// Begins a second factor in place of one that was not confirmed; false when there is a confirmed one.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`](super::StoreError::NoSuch) when there is no such user.
    pub async fn begin_second_factor(&self, user: UserId, secret: &str, now: Wall) -> Result<bool> {
        let sql = Sql::new(
            "INSERT INTO second_factors (user_id, secret, confirmed, last_step, created_at) VALUES ($1, $2, 0, 0, $3) \
             ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at \
             WHERE second_factors.confirmed = 0",
        )
        .with(user.0)
        .with(secret.to_owned())
        .with(now.0);
        Ok(self.execute(sql).await? > 0)
    }

    /// A code of this step (half minutes since 1970) fits: takes it, unless it or a later one was taken before. The
    /// first one confirms the factor.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_code(&self, user: UserId, step: i64) -> Result<bool> {
        let sql =
            Sql::new("UPDATE second_factors SET last_step = $1, confirmed = 1 WHERE user_id = $2 AND last_step < $1")
                .with(step)
                .with(user.0);
        Ok(self.execute(sql).await? > 0)
    }

    /// Removes a user's second factor; false when there was none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn remove_second_factor(&self, user: UserId) -> Result<bool> {
        Ok(self.execute(Sql::new("DELETE FROM second_factors WHERE user_id = $1").with(user.0)).await? > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::super::users::{NewUser, Role};
    use super::*;

    #[tokio::test]
    async fn a_code_is_good_once_and_a_confirmed_factor_is_not_replaced() {
        on_both(async |t| {
            let new = NewUser {
                login: "sup".into(),
                password_hash: "$argon2id$".into(),
                role: Role::Supervisor,
                agent: None,
            };
            let user = t.store.add_user(new, Wall(1)).await.unwrap().id;
            assert_eq!(t.store.second_factor(user).await.unwrap(), None);
            assert!(!t.store.take_code(user, 7).await.unwrap());
            for secret in ["FIRST", "SECOND"] {
                assert!(t.store.begin_second_factor(user, secret, Wall(2)).await.unwrap());
            }
            let begun = t.store.second_factor(user).await.unwrap().unwrap();
            assert_eq!((begun.secret.reveal(), begun.confirmed), ("SECOND", false));
            assert!(!t.store.get_user(user).await.unwrap().unwrap().second_factor);
            for (step, taken) in [(7, true), (7, false), (6, false), (8, true)] {
                assert_eq!(t.store.take_code(user, step).await.unwrap(), taken, "{step}");
            }
            assert!(t.store.get_user(user).await.unwrap().unwrap().second_factor);
            assert!(!t.store.begin_second_factor(user, "THIRD", Wall(3)).await.unwrap());
            assert_eq!(t.store.second_factor(user).await.unwrap().unwrap().secret.reveal(), "SECOND");
            assert!(t.store.remove_second_factor(user).await.unwrap());
            assert!(!t.store.remove_second_factor(user).await.unwrap());
        })
        .await;
    }
}
