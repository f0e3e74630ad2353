//! Days on which clients are to be thought of become tasks for the staff by themselves, or calls: once for each client
//! and day, however often it is looked.

use crate::domain::client::{Attention, Reason};
use crate::domain::time::Date;
use crate::engine::ids::CallbackId;
use crate::engine::time::Wall;
use crate::speech::Language;

use super::attention::{AttentionRow, Days};
use super::callbacks::Attending;
use super::{Columns as _, Result, Sql, Store};

/// Clients in one transaction.
const AT_ONCE: u32 = 100;

impl Store {
    /// Whoever is to be thought of on this day and has a number is a task for the staff from now on, or is called, as the
    /// office wants it. Answers how many are new.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn attend(&self, on: Date, utc_offset_minutes: i32, now: Wall) -> Result<usize> {
        let announcing = self.announcing();
        if announcing.attending == Attending::Nobody {
            return Ok(0);
        }
        let days = Days { from: on, count: 1, utc_offset_minutes };
        let (mut cursor, mut new) = (None, self.new_year(on, announcing.language, now).await?);
        loop {
            let page = self.attention(days, cursor.as_deref(), AT_ONCE).await?;
            let mut tx = self.begin().await?;
            let mut added = Vec::new();
            for row in page.items.iter().filter(|row| row.client.card.blocked.is_none()) {
                let number = row.client.card.phone();
                if number.is_empty() {
                    continue;
                }
                let (state, words) = match &announcing.attending {
                    Attending::Call(words) if announcing.voice => ("pending", words.clone()),
                    Attending::Call(_) | Attending::Task | Attending::Nobody => {
                        ("listed", reasons(row, announcing.language))
                    }
                };
                let language = row.client.card.language.map(|language| language.as_str().to_owned());
                let sql = Sql::new(
                    "INSERT INTO callbacks (kind, client, number, language, words, by_sms, author, state, attempts, \
                     due_at, created_at, settled, attention_on) \
                     VALUES ('attention', $1, $2, $3, $4, 0, '', $5, 0, $6, $6, 0, $7) \
                     ON CONFLICT DO NOTHING RETURNING id",
                )
                .with(row.client.id.0)
                .with(number.to_owned())
                .with(language)
                .with(words)
                .with(state.to_owned())
                .with(now.0)
                .with(on.days());
                if let Some(row) = tx.row(sql).await? {
                    added.push(CallbackId(row.int("id")?));
                }
            }
            tx.commit().await?;
            new += added.len();
            self.callbacks_changed(&added);
            cursor = page.next;
            if cursor.is_none() {
                return Ok(new);
            }
        }
    }
}

impl Store {
    /// New Year is everybody's: one task for the staff, whatever the office wants of other days. Thousands of calls in one
    /// morning nobody wants.
    async fn new_year(&self, on: Date, language: Language, now: Wall) -> Result<usize> {
        if Date::new(on.year(), 1, 1) != Some(on) {
            return Ok(0);
        }
        let mut tx = self.begin().await?;
        let sql = "SELECT COUNT(*) AS many FROM clients WHERE root IS NULL AND erased_at IS NULL";
        let many = tx.row(Sql::new(sql)).await?.map_or(Ok(0), |row| row.int("many"))?;
        let sql = Sql::new(
            "INSERT INTO callbacks (kind, number, words, by_sms, author, state, attempts, due_at, created_at, settled, \
             attention_on) SELECT 'attention', '', $1, 0, '', 'listed', 0, $2, $2, 0, $3 WHERE NOT EXISTS \
             (SELECT 1 FROM callbacks WHERE attention_on = $3 AND client IS NULL) RETURNING id",
        )
        .with(language.pick(
            format!("Новый год: поздравить клиентов, их {many}"),
            format!("New Year: wish the clients well, all {many}"),
        ))
        .with(now.0)
        .with(on.days());
        let added = match many {
            0 => None,
            _ => tx.row(sql).await?.map(|row| row.int("id").map(CallbackId)).transpose()?,
        };
        tx.commit().await?;
        self.callbacks_changed(added.as_slice());
        Ok(usize::from(added.is_some()))
    }
}

/// Why, for people.
fn reasons(row: &AttentionRow, language: Language) -> String {
    let why: Vec<String> = row.why.iter().map(|attention| reason(attention, language)).collect();
    why.join(", ")
}

fn reason(attention: &Attention, language: Language) -> String {
    match (&attention.reason, language) {
        (Reason::Birthday, Language::Ru) => "день рождения".to_owned(),
        (Reason::Birthday, Language::En) => "birthday".to_owned(),
        (Reason::Named { label }, _) => label.clone(),
        (Reason::Anniversary, Language::Ru) => format!("клиент с годами: {}", attention.years),
        (Reason::Anniversary, Language::En) => format!("years a client: {}", attention.years),
        (Reason::NewYear, Language::Ru) => "Новый год".to_owned(),
        (Reason::NewYear, Language::En) => "New Year".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::client::{self, Dates, Detail};
    use crate::engine::callback::request::About;

    use super::super::callback_list::CallbackFilter;
    use super::super::callbacks::Announcing;
    use super::super::clients::tests::{new, olga, phones};
    use super::super::testing::{TestStore, on_both};
    use super::*;

    /// A client born on 24 November, entered in 2026.
    async fn born(t: &TestStore, number: &str) {
        let now = Wall(1_795_000_000_000);
        let row = t.store.create_client(new(vec![phones(&[number])]), &olga(), now).await.unwrap();
        let dates = Dates { birthday: Date::new(1990, 11, 24), ..Dates::default() };
        let edit = client::Command::Edit(vec![Detail::Dates(dates)]);
        t.store.change_client(row.id, edit, &olga(), now).await.unwrap();
    }

    fn day(year: i32) -> Date {
        Date::new(year, 11, 24).unwrap()
    }

    #[tokio::test]
    async fn a_birthday_is_a_task_once_a_year() {
        on_both(async |t| {
            born(&t, "+79001234567").await;
            let s = &t.store;
            let now = Wall(1_795_500_000_000);
            assert_eq!(s.attend(Date::new(2026, 11, 23).unwrap(), 180, now).await.unwrap(), 0);
            assert_eq!(s.attend(day(2026), 180, now).await.unwrap(), 1);
            assert_eq!(s.attend(day(2026), 180, now).await.unwrap(), 0);
            let rows = s.list_callbacks(&CallbackFilter::default(), None, 10).await.unwrap().items;
            let [row] = rows.as_slice() else { panic!("{rows:?}") };
            assert_eq!(
                (row.kind.as_str(), row.state.as_str(), row.words.as_str()),
                ("attention", "listed", "день рождения")
            );
            assert!(s.pending_callbacks(CallbackId(0), 10).await.unwrap().is_empty());
            assert_eq!(s.attend(day(2027), 180, now).await.unwrap(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn new_year_is_one_task_for_all_clients_and_nobody_is_called() {
        on_both(async |t| {
            let s = &t.store;
            let attending = Attending::Call("С днём рождения!".to_owned());
            s.announce_as(Announcing { attending, ..Announcing::default() });
            let (on, now) = (Date::new(2027, 1, 1).unwrap(), Wall(1_798_800_000_000));
            assert_eq!(s.attend(on, 180, now).await.unwrap(), 0, "there is nobody yet");
            born(&t, "+79001234567").await;
            born(&t, "+79007654321").await;
            assert_eq!(s.attend(on, 180, now).await.unwrap(), 1);
            assert_eq!(s.attend(on, 180, now).await.unwrap(), 0);
            let rows = s.list_callbacks(&CallbackFilter::default(), None, 10).await.unwrap().items;
            let [row] = rows.as_slice() else { panic!("{rows:?}") };
            let told = (row.kind.as_str(), row.state.as_str(), row.words.as_str(), row.number.as_str());
            assert_eq!(told, ("attention", "listed", "Новый год: поздравить клиентов, их 2", ""));
            assert!(s.hurry_callback(row.id, now).await.is_err(), "there is nobody to call");
            assert!(s.cancel_callback(row.id, "anna", now).await.unwrap().closed.is_some());
        })
        .await;
    }

    #[tokio::test]
    async fn where_the_office_wants_it_the_client_is_called_in_allowed_hours() {
        on_both(async |t| {
            born(&t, "+79001234567").await;
            let s = &t.store;
            let attending = Attending::Call("С днём рождения!".to_owned());
            s.announce_as(Announcing { attending, ..Announcing::default() });
            assert_eq!(s.attend(day(2026), 180, Wall(1_795_500_000_000)).await.unwrap(), 1);
            let pending = s.pending_callbacks(CallbackId(0), 10).await.unwrap();
            let [request] = pending.as_slice() else { panic!("{pending:?}") };
            assert_eq!(request.about, About::Words("С днём рождения!".to_owned()));
            assert!(!request.is_pressing(), "waits for the hours in which clients may be called");
        })
        .await;
    }
}
