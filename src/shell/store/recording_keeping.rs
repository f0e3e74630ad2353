//! For how long recordings are kept: by their kind, by the client's wish, and for as long as somebody must have them
//! (legal hold). Every deletion stands in the audit.

use serde_json::json;

use crate::domain::ids::ClientId;
use crate::engine::event::Actor;
use crate::engine::time::Wall;

use super::audit::AuditEntry;
use super::change::call_id;
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

const DAY_MS: i64 = 86_400_000;
/// Recordings that are looked for at once.
const PART: i64 = 200;

/// For how many days recordings are kept; 0: for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepDays {
    /// Of callers.
    pub incoming: u32,
    /// Of calls that the office made.
    pub outgoing: u32,
    /// Of calls that Asterisk handled alone while no engine was there.
    pub fallback: u32,
}

/// A recording that nobody may delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Since when.
    pub at: Wall,
    /// Who said so.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// For how long a client's talks are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Days from the call on; 0: the recording goes in the night after it.
    pub days: u32,
    /// Who wrote it down.
    pub by: String,
    /// When.
    pub at: Wall,
}

/// Who deletes or holds, for the audit.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The login or key.
    pub actor: Actor,
    /// From which network address; empty when by none.
    pub address: String,
    /// When.
    pub at: Wall,
}

impl Keeper {
    fn entry(&self, action: &str, subject: i64, detail: serde_json::Value) -> AuditEntry {
        let Keeper { actor, address, at } = self.clone();
        AuditEntry { at, actor, action: action.to_owned(), subject: subject.to_string(), detail, address }
    }
}

/// Past their time, and nobody holds them. A client's wish goes by the number at the time of the call; of wish and kind
/// the shorter time counts.
const EXPIRED: &str = "SELECT r.id, r.call, r.started_at, c.by_fallback, c.outgoing FROM recordings r \
     JOIN calls c ON c.id = r.call WHERE r.path IS NOT NULL AND r.state <> 'erased' AND r.held_at IS NULL AND r.id > $6 \
     AND ((COALESCE(c.by_fallback, 0) = 1 AND r.started_at < $1) OR (COALESCE(c.outgoing, 0) = 1 AND r.started_at < $2) \
     OR (COALESCE(c.by_fallback, 0) = 0 AND COALESCE(c.outgoing, 0) = 0 AND r.started_at < $3) \
     OR EXISTS (SELECT 1 FROM client_phones p JOIN recording_wishes w ON w.client = p.client WHERE p.number = c.number \
     AND c.number <> '' AND r.started_at >= p.since AND (p.until IS NULL OR r.started_at < p.until) \
     AND r.started_at < $4 - w.days * 86400000)) ORDER BY r.id LIMIT $5";

impl Store {
    /// Takes out what is past its time; the files go with
    /// [`remove_erased`](crate::shell::recordings::erase::remove_erased). Answers how many recordings.
    ///
    /// # Errors
    /// When the database does not answer; what was taken out so far is.
    pub async fn expire_recordings(&self, keep: KeepDays, now: Wall) -> Result<u64> {
        let before = |days: u32| if days == 0 { i64::MIN } else { now.0.saturating_sub(i64::from(days) * DAY_MS) };
        let keeper = Keeper { actor: Actor::Engine, address: String::new(), at: now };
        let (mut count, mut after) = (0, 0);
        loop {
            let sql = Sql::new(EXPIRED).with(before(keep.fallback)).with(before(keep.outgoing));
            let sql = sql.with(before(keep.incoming)).with(now.0).with(PART).with(after);
            let rows = self.rows(sql).await?;
            if rows.is_empty() {
                return Ok(count);
            }
            let mut tx = self.begin().await?;
            for row in &rows {
                after = row.int("id")?;
                let days = now.0.saturating_sub(row.int("started_at")?) / DAY_MS;
                let kind = match (row.int_opt("by_fallback")?, row.int_opt("outgoing")?) {
                    (Some(1), _) => "fallback",
                    (_, Some(1)) => "outgoing",
                    (_, _) => "incoming",
                };
                let detail = json!({"call": call_id(row.int("call")?).to_string(), "kind": kind, "age_days": days});
                count += u64::from(tx.take_out(after, &format!("kept for {days} days"), &keeper, detail).await?);
            }
            tx.commit().await?;
        }
    }

    /// Holds a recording that has sound. One that is held already is held for this reason from now on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such recording or its sound is gone.
    pub async fn hold_recording(&self, id: i64, by: &str, reason: &str, keeper: &Keeper) -> Result<Hold> {
        let mut tx = self.begin().await?;
        let sql = "UPDATE recordings SET held_at = $2, held_by = $3, held_reason = $4 \
             WHERE id = $1 AND path IS NOT NULL AND state <> 'erased'";
        let sql = Sql::new(sql).with(id).with(keeper.at.0).with(by.to_owned()).with(reason.to_owned());
        if tx.execute(sql).await? == 0 {
            return Err(StoreError::NotFound("recording with sound"));
        }
        tx.append_audit(keeper.entry("recording.held", id, json!({"reason": reason}))).await?;
        tx.commit().await?;
        Ok(Hold { at: keeper.at, by: by.to_owned(), reason: reason.to_owned() })
    }

    /// Lifts the hold. Where the client was erased meanwhile, the sound goes now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not held.
    pub async fn release_recording(&self, id: i64, keeper: &Keeper) -> Result<()> {
        let mut tx = self.begin().await?;
        let erased = "SELECT c.erased_at, c.id FROM recordings r JOIN calls c ON c.id = r.call WHERE r.id = $1";
        let erased = tx.row(Sql::new(erased).with(id)).await?;
        let sql = "UPDATE recordings SET held_at = NULL, held_by = NULL, held_reason = NULL \
             WHERE id = $1 AND held_at IS NOT NULL";
        if tx.execute(Sql::new(sql).with(id)).await? == 0 {
            return Err(StoreError::NotFound("hold of this recording"));
        }
        tx.append_audit(keeper.entry("recording.released", id, json!({}))).await?;
        if let Some(call) = erased
            && call.int_opt("erased_at")?.is_some()
        {
            let detail = json!({"call": call_id(call.int("id")?).to_string(), "client": "erased while it was held"});
            tx.take_out(id, "", keeper, detail).await?;
        }
        tx.commit().await
    }

    /// The hold of a recording, if it is held.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recording_hold(&self, id: i64) -> Result<Option<Hold>> {
        let sql = "SELECT held_at, held_by, held_reason FROM recordings WHERE id = $1 AND held_at IS NOT NULL";
        let Some(row) = self.row(Sql::new(sql).with(id)).await? else { return Ok(None) };
        Ok(Some(Hold { at: Wall(row.int("held_at")?), by: row.text("held_by")?, reason: row.text("held_reason")? }))
    }

    /// For how long the client's talks are kept; none: as all others.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recording_wish(&self, client: ClientId) -> Result<Option<Wish>> {
        let sql = "SELECT days, said_by, said_at FROM recording_wishes WHERE client = $1";
        let Some(row) = self.row(Sql::new(sql).with(client.0)).await? else { return Ok(None) };
        Ok(Some(Wish { days: row.small("days")?, by: row.text("said_by")?, at: Wall(row.int("said_at")?) }))
    }

    /// Writes down, or with `None` forgets, for how long the client's talks are to be kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such client.
    pub async fn wish_for_recordings(
        &self,
        client: ClientId,
        days: Option<u32>,
        by: &str,
        keeper: &Keeper,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        if tx.row(Sql::new("SELECT id FROM clients WHERE id = $1").with(client.0)).await?.is_none() {
            return Err(StoreError::NotFound("client"));
        }
        tx.execute(Sql::new("DELETE FROM recording_wishes WHERE client = $1").with(client.0)).await?;
        if let Some(days) = days {
            let sql = "INSERT INTO recording_wishes (client, days, said_by, said_at) VALUES ($1, $2, $3, $4)";
            let sql = Sql::new(sql).with(client.0).with(i64::from(days)).with(by.to_owned()).with(keeper.at.0);
            tx.execute(sql).await?;
        }
        tx.append_audit(keeper.entry("client.recordings_kept", client.0, json!({ "days": days }))).await?;
        tx.commit().await
    }
}

impl Tx {
    /// The sound is to go. False when somebody holds it meanwhile, or it is out already.
    async fn take_out(&mut self, id: i64, why: &str, keeper: &Keeper, detail: serde_json::Value) -> Result<bool> {
        let sql = "UPDATE recordings SET state = 'erased', problem = $2 \
             WHERE id = $1 AND held_at IS NULL AND state <> 'erased'";
        if self.execute(Sql::new(sql).with(id).with(why.to_owned())).await? == 0 {
            return Ok(false);
        }
        self.append_audit(keeper.entry("recording.deleted", id, detail)).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::client::{CardPhone, Command, Create, Detail};
    use crate::engine::ids::CallId;

    use super::super::audit::AuditFilter;
    use super::super::author::Author;
    use super::super::recordings::RecordingState;
    use super::super::testing::{archived_talk, on_both};
    use super::*;

    const BEGIN: i64 = 1_700_000_000_000;

    fn keeper(at: i64) -> Keeper {
        Keeper { actor: Actor::Person("sup".into()), address: String::new(), at: Wall(at) }
    }

    async fn talk(store: &Store, n: u64, number: &str, outgoing: bool) -> i64 {
        let call = CallId((BEGIN as u64 + n) << 20);
        archived_talk(store, call, n, number, outgoing, Wall(BEGIN + n as i64)).await
    }

    async fn client(store: &Store, number: &str) -> ClientId {
        let phone = CardPhone { number: number.into(), ..CardPhone::default() };
        let new = Create { details: vec![Detail::Phones(vec![phone])], ..Create::default() };
        store.create_client(new, &Author::engine(), Wall(1)).await.unwrap().id
    }

    async fn state(store: &Store, id: i64) -> RecordingState {
        store.get_recording(id).await.unwrap().unwrap().state
    }

    #[tokio::test]
    async fn each_kind_goes_after_its_days_a_held_one_stays_and_the_audit_lists_what_went() {
        on_both(async |t| {
            let s = &t.store;
            let (old, held) = (talk(s, 1, "+79001234567", false).await, talk(s, 2, "+79001234567", false).await);
            let outgoing = talk(s, 3, "+79001234567", true).await;
            let hold = s.hold_recording(held, "sup", "a court asks", &keeper(BEGIN)).await.unwrap();
            assert_eq!(s.recording_hold(held).await.unwrap(), Some(hold));
            let keep = KeepDays { incoming: 30, ..KeepDays::default() };
            assert_eq!(s.expire_recordings(keep, Wall(BEGIN + 29 * DAY_MS)).await.unwrap(), 0);
            assert_eq!(s.expire_recordings(keep, Wall(BEGIN + 31 * DAY_MS)).await.unwrap(), 1);
            assert_eq!((state(s, old).await, state(s, held).await), (RecordingState::Erased, RecordingState::Stored));
            assert_eq!(state(s, outgoing).await, RecordingState::Stored);
            let filter = AuditFilter { action: Some("recording.deleted".into()), ..AuditFilter::default() };
            let audit = s.list_audit(&filter, None, 9).await.unwrap().items;
            assert_eq!(audit.len(), 1);
            assert_eq!((audit[0].subject.clone(), &audit[0].detail["kind"]), (old.to_string(), &json!("incoming")));
            assert_eq!(s.erased_sounds(0, 9).await.unwrap().len(), 1);
            s.release_recording(held, &keeper(BEGIN)).await.unwrap();
            assert!(matches!(s.release_recording(held, &keeper(BEGIN)).await, Err(StoreError::NotFound(_))));
            assert_eq!(s.expire_recordings(keep, Wall(BEGIN + 31 * DAY_MS)).await.unwrap(), 1);
            assert!(matches!(s.hold_recording(held, "sup", "", &keeper(1)).await, Err(StoreError::NotFound(_))));
        })
        .await;
    }

    #[tokio::test]
    async fn a_clients_wish_shortens_the_time_of_that_clients_talks_alone() {
        on_both(async |t| {
            let s = &t.store;
            let who = client(s, "+79001234567").await;
            let (own, other) = (talk(s, 1, "+79001234567", false).await, talk(s, 2, "+79007654321", false).await);
            s.wish_for_recordings(who, Some(7), "sup", &keeper(5)).await.unwrap();
            let wish = s.recording_wish(who).await.unwrap().unwrap();
            assert_eq!((wish.days, wish.by.as_str(), wish.at), (7, "sup", Wall(5)));
            let keep = KeepDays::default();
            assert_eq!(s.expire_recordings(keep, Wall(BEGIN + 6 * DAY_MS)).await.unwrap(), 0);
            assert_eq!(s.expire_recordings(keep, Wall(BEGIN + 8 * DAY_MS)).await.unwrap(), 1);
            assert_eq!((state(s, own).await, state(s, other).await), (RecordingState::Erased, RecordingState::Stored));
            s.wish_for_recordings(who, None, "sup", &keeper(6)).await.unwrap();
            assert_eq!(s.recording_wish(who).await.unwrap(), None);
            let nobody = s.wish_for_recordings(ClientId(4711), Some(1), "sup", &keeper(6)).await;
            assert!(matches!(nobody, Err(StoreError::NotFound(_))));
        })
        .await;
    }

    #[tokio::test]
    async fn what_is_held_outlives_the_erasure_of_the_client_until_the_hold_is_lifted() {
        on_both(async |t| {
            let s = &t.store;
            let who = client(s, "+79001234567").await;
            let held = talk(s, 1, "+79001234567", false).await;
            s.hold_recording(held, "sup", "a court asks", &keeper(BEGIN)).await.unwrap();
            s.change_client(who, Command::Erase, &Author::engine(), Wall(BEGIN + DAY_MS)).await.unwrap();
            assert_eq!(state(s, held).await, RecordingState::Stored);
            s.release_recording(held, &keeper(BEGIN)).await.unwrap();
            assert_eq!(state(s, held).await, RecordingState::Erased);
            assert_eq!(s.erased_sounds(0, 9).await.unwrap().len(), 1);
        })
        .await;
    }
}
