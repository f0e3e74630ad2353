//! Which ids and numbers are on cards already: asked for whole tables at once.

use std::collections::BTreeSet;

use super::many::texts;
use super::{Columns as _, Result, Sql, Store};

/// Values of one statement; both databases take more.
const AT_ONCE: usize = 500;

/// What is on cards already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Ids of cards.
    pub codes: BTreeSet<String>,
    /// Canonical numbers.
    pub numbers: BTreeSet<String>,
}

impl Store {
    /// Which of these are on cards already.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn taken_by_clients(&self, codes: &[String], numbers: &[String]) -> Result<Taken> {
        Ok(Taken {
            codes: self.found("SELECT code AS found FROM clients WHERE code", codes).await?,
            numbers: self
                .found("SELECT number AS found FROM client_phones WHERE until IS NULL AND number", numbers)
                .await?,
        })
    }

    async fn found(&self, select: &'static str, values: &[String]) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for part in values.chunks(AT_ONCE) {
            let sql = Sql::new(format!("{select} IN {}", texts(self.dialect()))).with_json(part);
            for row in self.rows(sql).await? {
                found.insert(row.text("found")?);
            }
        }
        Ok(found)
    }
}
