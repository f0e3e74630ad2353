//! Erasing a client on request (Federal Law 152-FZ, article 21; GDPR, article 17): after the card itself, whatever else
//! tells of the person: histories, orders, ledger, calls, recordings. What is counted stays: that there was a call, when,
//! how long, with whom of the office. Numbers that the office has blocked stay blocked: that list is its own.

use serde_json::json;
use sqlx::any::AnyRow;

use crate::domain::client::{self, Client};
use crate::domain::ids::ClientId;
use crate::domain::rejected::Rejected;
use crate::engine::time::Wall;

use super::agents::{from_json, json};
use super::author::{Author, ChangeError};
use super::change::call_id;
use super::clients::ClientRow;
use super::recordings::nameless;
use super::{Columns as _, Result, Sql, Store, Tx};

/// Calls of one card, as the timeline finds them: `$1` is the card.
const CALLS: &str = "SELECT c.id, c.node, c.recording, c.ended_at FROM client_phones p \
     JOIN calls c ON c.number_rev = p.number_rev AND c.arrived_at >= p.since \
     AND (p.until IS NULL OR c.arrived_at < p.until) WHERE p.client = $1";

/// Of those, the ones that were talked and of which the archive has not said yet what became of the recording. After so
/// long it says nothing any more.
const UNARCHIVED: &str = " AND c.arrived_at > $2 AND c.bridged_at IS NOT NULL AND COALESCE(c.talked_ms, 1000) >= 250 \
     AND c.recording IS NOT NULL AND NOT EXISTS (SELECT 1 FROM recordings r WHERE r.node = c.node \
     AND r.name = c.recording AND (r.path IS NOT NULL OR r.state <> 'failed')) LIMIT 1";
const WEEK_MS: i64 = 7 * 24 * 3_600_000;

/// The sound of an erased recording that is still in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErasedSound {
    /// Number of the recording.
    pub recording: i64,
    /// Its file under the archive's folder.
    pub path: String,
}

impl Store {
    /// Sounds to be removed from the archive, at most so many.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn erased_sounds(&self, after: i64, limit: u32) -> Result<Vec<ErasedSound>> {
        let sql = Sql::new(
            "SELECT id, path FROM recordings WHERE state = 'erased' AND path IS NOT NULL AND id > $1 \
             ORDER BY id LIMIT $2",
        );
        let rows = self.rows(sql.with(after).with(i64::from(limit))).await?;
        rows.iter().map(|row| Ok(ErasedSound { recording: row.int("id")?, path: row.text("path")? })).collect()
    }

    /// The file of an erased recording is no more.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sound_is_gone(&self, recording: i64) -> Result<()> {
        let sql = "UPDATE recordings SET path = NULL, sha256 = NULL WHERE id = $1 AND state = 'erased'";
        self.execute(Sql::new(sql).with(recording)).await.map(drop)
    }
}

impl Tx {
    /// After the card itself was erased: what its history, its ledger, its orders and calls and the cards that were
    /// merged into it still tell of the person.
    ///
    /// # Errors
    /// [`Rejected::OpenOrder`], [`Rejected::OpenCall`], [`Rejected::UnarchivedTalk`].
    pub(super) async fn erase_traces(
        &mut self,
        client: &ClientRow,
        author: &Author,
        now: Wall,
    ) -> Result<(), ChangeError<ClientRow>> {
        let ids = Sql::new("SELECT id, body FROM clients WHERE id = $1 OR root = $1").with(client.id.0);
        for row in self.rows(ids).await? {
            let one = row.int("id")?;
            let card: Client = from_json(&row.text("body")?)?;
            let sql = Sql::new("UPDATE clients SET body = $2, code = NULL WHERE id = $1").with(one);
            self.execute(sql.with(json(&card.wiped())?)).await?;
            self.forget_places(one).await?;
            self.redact_orders(one).await?;
            self.redact_contacts(one).await?;
            self.redact_calls(ClientId(one), author, now).await?;
            let history = Sql::new("SELECT id, entry FROM client_history WHERE client = $1").with(one);
            for row in self.rows(history).await? {
                let entry = client::redacted(from_json(&row.text("entry")?)?);
                let sql = Sql::new("UPDATE client_history SET entry = $2 WHERE id = $1").with(row.int("id")?);
                self.execute(sql.with(json(&entry)?)).await?;
            }
            // Answers that are kept for a day for requests that might be repeated.
            let numbers = Sql::new("SELECT number FROM client_phones WHERE client = $1").with(one);
            for row in self.rows(numbers).await? {
                let sql = Sql::new("DELETE FROM idempotency_keys WHERE status IS NOT NULL AND body LIKE $1");
                self.execute(sql.with(format!("%{}%", row.text("number")?))).await?;
            }
            for sql in [
                // Also what was written to and from the client's numbers before there was a card.
                "UPDATE sms SET number = '', text = '', error = '', due_at = NULL, \
                 state = CASE WHEN state = 'queued' THEN 'superseded' ELSE state END WHERE client = $1 \
                 OR (client IS NULL AND number IN (SELECT number FROM client_phones WHERE client = $1))",
                "DELETE FROM client_phones WHERE client = $1",
                "DELETE FROM client_tags WHERE client = $1",
                "DELETE FROM client_days WHERE client = $1",
                "UPDATE callbacks SET number = '', words = '', \
                 state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END WHERE client = $1",
                "UPDATE ledger_entries SET phone = '', comment = '' WHERE client = $1",
            ] {
                self.execute(Sql::new(sql).with(one)).await?;
            }
        }
        Ok(())
    }

    /// Calls from and to the client's numbers keep their times and ends, without the number and the sound. What programs
    /// outside have not taken of them yet, they are not told any more.
    async fn redact_calls(
        &mut self,
        client: ClientId,
        author: &Author,
        now: Wall,
    ) -> Result<(), ChangeError<ClientRow>> {
        let unarchived = Sql::new(format!("{CALLS}{UNARCHIVED}")).with(client.0).with(now.0.saturating_sub(WEEK_MS));
        let calls = self.rows(Sql::new(CALLS).with(client.0)).await?;
        for call in &calls {
            if call.int_opt("ended_at")?.is_none() {
                return Err(Rejected::OpenCall.into());
            }
        }
        if !self.rows(unarchived).await?.is_empty() {
            return Err(Rejected::UnarchivedTalk.into());
        }
        self.redact_legs(client).await?;
        for call in &calls {
            self.redact_call(client, call, author, now).await?;
        }
        Ok(())
    }

    async fn redact_call(&mut self, client: ClientId, call: &AnyRow, author: &Author, now: Wall) -> Result<()> {
        let id = call.int("id")?;
        let (node, name) = (call.int_opt("node")?, call.text_opt("recording")?);
        let recording = name.as_deref().map(|name| nameless(name).to_owned());
        let sql = "UPDATE calls SET number = '', number_rev = '', recording = $2, erased_at = $3 WHERE id = $1";
        self.execute(Sql::new(sql).with(id).with(recording).with(now.0)).await?;
        let lane = format!("call:{}", call_id(id));
        self.execute(Sql::new("DELETE FROM outbox WHERE lane = $1").with(lane)).await?;
        // One recording may hold the talks of several calls: it is the channel's.
        let recordings = Sql::new(
            // What somebody must keep goes when the hold is lifted.
            "SELECT id, name FROM recordings WHERE state <> 'erased' AND held_at IS NULL \
             AND (call = $1 OR (node = $2 AND name = $3))",
        );
        for row in self.rows(recordings.with(id).with(node).with(name)).await? {
            let recording = row.int("id")?;
            let sql = "UPDATE recordings SET state = 'erased', problem = '', name = $2 WHERE id = $1";
            self.execute(Sql::new(sql).with(recording).with(nameless(&row.text("name")?).to_owned())).await?;
            self.erase_words_of(recording).await?;
            let detail = json!({ "client": client, "call": call_id(id).to_string() });
            author.audit(self, "recording.erased", recording, detail, now).await?;
        }
        Ok(())
    }

    /// Other people's calls in which one of the client's numbers was rung.
    async fn redact_legs(&mut self, client: ClientId) -> Result<()> {
        let legs = Sql::new(
            "SELECT l.call, l.leg, l.number FROM client_phones p JOIN legs l ON l.number = p.number \
             AND l.number IS NOT NULL AND l.started_at >= p.since AND (p.until IS NULL OR l.started_at < p.until) \
             WHERE p.client = $1",
        );
        for leg in self.rows(legs.with(client.0)).await? {
            let (call, number) = (leg.int("call")?, leg.text("number")?);
            let sql = Sql::new("UPDATE legs SET number = '' WHERE call = $1 AND leg = $2");
            self.execute(sql.with(call).with(leg.int("leg")?)).await?;
            // Who transferred the call noted to which number.
            let sql = Sql::new("UPDATE call_notes SET detail = 'number' WHERE call = $1 AND detail LIKE $2");
            self.execute(sql.with(call).with(format!("%{number}%"))).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::domain::client::Command;
    use crate::engine::command::Fact;
    use crate::engine::event::Actor;
    use crate::engine::ids::{CallId, ChannelId, NodeId};
    use crate::engine::view::Disposition;

    use super::super::audit::AuditFilter;
    use super::super::calls::CallFilter;
    use super::super::clients::tests::{new, olga, phones};
    use super::super::recordings::{ArchivedFile, NewRecording, RecordingState};
    use super::super::testing::on_both;
    use super::*;

    const NAME: &str = "perezvon/c.7/office-1.7_79001234567";

    fn call(at: i64) -> CallId {
        CallId(u64::try_from(at).unwrap() << 20)
    }

    fn arrived(at: i64, number: &str, recording: &str) -> Fact {
        Fact::CallArrived {
            call: call(at),
            node: NodeId(0),
            channel: "c".into(),
            recording: recording.into(),
            number: number.into(),
            dialled: "100".into(),
            by_fallback: false,
            outgoing: false,
            at: Wall(at),
        }
    }

    fn talked(at: i64) -> [Fact; 2] {
        let ended = Fact::CallEnded {
            call: call(at),
            disposition: Disposition::CompleteCaller,
            cause: 16,
            waited: Duration::ZERO,
            talked: Duration::from_secs(5),
            agent: None,
            at: Wall(at + 9),
        };
        [Fact::CallBridged { call: call(at), leg: 1, agent: None, at: Wall(at + 1) }, ended]
    }

    fn stored(at: i64) -> NewRecording {
        let file = ArchivedFile {
            path: "2023/11/14/one.wav".into(),
            sha256: "00".into(),
            bytes: 9,
            duration: Duration::from_secs(5),
            channels: 2,
            left_rms: 1,
            right_rms: 1,
        };
        let (state, problem) = (RecordingState::Stored, String::new());
        let (node, name) = (NodeId(0), NAME.to_owned());
        let pauses = Vec::new();
        NewRecording { call: call(at), node, name, file: Some(file), state, problem, pauses, at: Wall(at + 10) }
    }

    fn refusal(error: ChangeError<ClientRow>) -> Rejected {
        match error {
            ChangeError::Rejected(rejected) => rejected,
            ChangeError::Stale { .. } | ChangeError::Store(_) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn an_erased_clients_calls_keep_times_without_number_and_sound() {
        on_both(async |t| {
            let s = &t.store;
            let id = s.create_client(new(vec![phones(&["+79001234567"])]), &olga(), Wall(1)).await.unwrap().id;
            let erase = async |at: i64| s.change_client(id, Command::Erase, &olga(), Wall(at)).await;
            s.write_facts(&[arrived(100, "+79001234567", NAME), arrived(90, "+79990000000", "r_1")]).await.unwrap();
            assert_eq!(refusal(erase(105).await.unwrap_err()), Rejected::OpenCall);
            s.write_facts(&talked(100)).await.unwrap();
            assert_eq!(refusal(erase(110).await.unwrap_err()), Rejected::UnarchivedTalk);
            let recording = s.save_recording(stored(100)).await.unwrap();
            // Somebody else's call was sent on to this client.
            let rung = Fact::LegStarted {
                call: call(90),
                leg: 2,
                channel: ChannelId::from("x"),
                agent: None,
                number: Some("+79001234567".into()),
                at: Wall(95),
            };
            let by = Actor::Engine;
            let detail = "number +79001234567".to_owned();
            let note = Fact::CallNoted { call: call(90), what: "transferred", detail, by, at: Wall(95) };
            s.write_facts(&[rung, note]).await.unwrap();

            let written = |text: &str| {
                let to = crate::domain::phone::Phone::parse("+79001234567");
                super::super::sms::WrittenSms { to, text: text.into(), client: None, order: None }
            };
            let sms = s.write_sms(written("Анна, машина ждёт"), &olga(), Wall(115)).await.unwrap().id;

            erase(120).await.unwrap();
            let row = s.get_sms(sms).await.unwrap().unwrap();
            assert_eq!((row.number.as_str(), row.text.as_str(), row.due), ("", "", None));
            let calls = s.list_calls(&CallFilter::default(), None, 9).await.unwrap().items;
            let kept: Vec<_> = calls.iter().map(|call| (call.number.as_str(), call.erased, call.talked)).collect();
            let talk = Some(Duration::from_secs(5));
            assert_eq!(kept, [("", Some(Wall(120)), talk), ("+79990000000", None, None)]);
            for n in [90, 100] {
                let told = format!("{:?}", s.get_call(call(n)).await.unwrap());
                assert!(!told.contains("1234567"), "{told}");
            }
            let row = s.get_recording(recording).await.unwrap().unwrap();
            assert_eq!(
                (row.state, row.file, row.name.as_str()),
                (RecordingState::Erased, None, "perezvon/c.7/office-1.7_")
            );
            let audit = AuditFilter { action: Some("recording.erased".into()), ..AuditFilter::default() };
            let entry = s.list_audit(&audit, None, 9).await.unwrap().items.remove(0);
            assert_eq!((entry.subject, entry.at), (recording.to_string(), Wall(120)));
            // Asterisk may offer the sound once more, and the engine tell of the arrival again.
            s.write_facts(&[arrived(100, "+79001234567", NAME)]).await.unwrap();
            assert_eq!(s.save_recording(stored(100)).await.unwrap(), recording);
            let entry = s.recording_by_name(NodeId(0), NAME).await.unwrap().unwrap();
            assert_eq!((entry.state, entry.file), (RecordingState::Erased, None));
            assert_eq!(s.find_call_by_recording(NodeId(0), NAME).await.unwrap(), Some(call(100)));
            assert_eq!(s.get_call(call(100)).await.unwrap().unwrap().call.number, "");

            let left = ErasedSound { recording, path: "2023/11/14/one.wav".into() };
            assert_eq!(s.erased_sounds(0, 9).await.unwrap(), [left]);
            s.sound_is_gone(recording).await.unwrap();
            assert_eq!(s.erased_sounds(0, 9).await.unwrap(), []);
        })
        .await;
    }
}
