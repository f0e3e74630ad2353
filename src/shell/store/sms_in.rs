//! SMS that come in: each is kept once, and answered at most once.

use crate::domain::ids::SmsId;
use crate::engine::time::Wall;

use super::sms::{NewSms, sendable};
use super::{Columns as _, Result, Sql, Store};

/// Of one number so many are kept in an hour; who writes more is a robot, and fills the disk.
const MOST_AN_HOUR: i64 = 100;

/// An SMS that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingSms {
    /// The same SMS handed over again has the same; none where the gateway gives no id.
    pub key: Option<String>,
    /// Which gateway it came by.
    pub provider: String,
    /// From whom: canonical, or what the network gave in place of a number.
    pub number: String,
    /// What; cut like what goes out.
    pub text: String,
    /// What was asked for; empty if nobody knows.
    pub wish: &'static str,
}

impl Store {
    /// Keeps an SMS that came in. `None`: it was handed over before, or there are too many of this number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn receive_sms(&self, sms: &IncomingSms, at: Wall) -> Result<Option<SmsId>> {
        let sql = Sql::new(
            "INSERT INTO sms (direction, key, number, text, client, reason, author, state, parts, provider, attempts, \
             created_at, error) SELECT 'in', $1, $2, $3, \
             (SELECT client FROM client_phones WHERE number = $2 AND until IS NULL), $4, '', 'received', 1, $5, 0, \
             $6, '' WHERE (SELECT COUNT(*) FROM sms WHERE number = $2 AND direction = 'in' AND created_at > $7) < $8 \
             ON CONFLICT (key) DO NOTHING RETURNING id",
        )
        .with(sms.key.clone())
        .with(sms.number.clone())
        .with(sendable(&sms.text))
        .with(sms.wish.to_owned())
        .with(sms.provider.clone())
        .with(at.0)
        .with(at.0.saturating_sub(3_600_000))
        .with(MOST_AN_HOUR);
        let rows = self.write_returning(sql).await?;
        rows.first().map(|row| row.int("id").map(SmsId)).transpose()
    }

    /// How many answers this number got since then.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn answers_since(&self, number: &str, since: Wall) -> Result<u64> {
        let sql = Sql::new(
            "SELECT COUNT(*) AS many FROM sms WHERE number = $1 AND direction = 'out' AND reason = 'answer' \
             AND created_at > $2",
        );
        match self.row(sql.with(number.to_owned()).with(since.0)).await? {
            Some(row) => row.small("many"),
            None => Ok(0),
        }
    }

    /// Queues the answer to an SMS, once. What was queued about the same order is needless then. Answers whether it was
    /// queued now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn answer_sms(&self, id: SmsId, answer: &NewSms, at: Wall) -> Result<bool> {
        let mut tx = self.begin().await?;
        let Some(queued) = tx.queue_sms(answer, at).await? else { return Ok(false) };
        let sql = Sql::new(
            "UPDATE sms SET state = 'answered', answer = $2, order_id = $3, ended_at = $4 \
             WHERE id = $1 AND state = 'received'",
        );
        let order = answer.order.map(|order| order.0);
        tx.execute(sql.with(id.0).with(queued.0).with(order).with(at.0)).await?;
        if let Some(order) = answer.order {
            tx.supersede_sms(order, Some(queued), at).await?;
        }
        tx.commit().await?;
        self.hurry_sms();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::phone::Phone;
    use crate::domain::sms::{SmsReason, SmsState};

    use super::super::sms::SmsFilter;
    use super::super::testing::on_both;
    use super::*;

    fn came(key: Option<&str>, number: &str) -> IncomingSms {
        IncomingSms {
            key: key.map(str::to_owned),
            provider: "kannel".into(),
            number: number.into(),
            text: "Где\0 машина?".into(),
            wish: "where",
        }
    }

    #[tokio::test]
    async fn what_comes_in_is_kept_once_and_answered_once() {
        on_both(async |t| {
            let s = &t.store;
            let id = s.receive_sms(&came(Some("in-k-1"), "+79001234567"), Wall(10)).await.unwrap().unwrap();
            assert_eq!(s.receive_sms(&came(Some("in-k-1"), "+79001234567"), Wall(11)).await.unwrap(), None);
            let answer = NewSms {
                key: format!("answer-{id}"),
                to: Phone::parse("+79001234567"),
                text: "Ищем.".into(),
                client: None,
                order: None,
                reason: SmsReason::Answer,
            };
            assert!(s.answer_sms(id, &answer, Wall(12)).await.unwrap());
            assert!(!s.answer_sms(id, &answer, Wall(13)).await.unwrap());
            assert_eq!(s.answers_since("+79001234567", Wall(11)).await.unwrap(), 1);
            assert_eq!(s.answers_since("+79001234567", Wall(12)).await.unwrap(), 0);
            let row = s.get_sms(id).await.unwrap().unwrap();
            assert_eq!((row.state, row.incoming, row.reason.as_str()), (SmsState::Answered, true, "where"));
            assert_eq!(
                (row.text.as_str(), s.get_sms(row.answer.unwrap()).await.unwrap().is_some()),
                ("Где машина?", true)
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_robot_does_not_fill_the_disk() {
        on_both(async |t| {
            let s = &t.store;
            for n in 0..MOST_AN_HOUR + 5 {
                let kept = s.receive_sms(&came(None, "+79001234567"), Wall(10 + n)).await.unwrap();
                assert_eq!(kept.is_some(), n < MOST_AN_HOUR);
            }
            assert!(s.receive_sms(&came(None, "MegaFon"), Wall(500)).await.unwrap().is_some());
            assert!(s.receive_sms(&came(None, "+79001234567"), Wall(3_600_200)).await.unwrap().is_some());
            let filter = SmsFilter { incoming: Some(true), ..SmsFilter::default() };
            let page = s.list_sms(&filter, None, 500).await.unwrap();
            assert_eq!(i64::try_from(page.items.len()).unwrap(), MOST_AN_HOUR + 2);
        })
        .await;
    }
}
