//! Calls, as the journal knows them.

use std::time::Duration;

use sqlx::any::AnyRow;

use crate::domain::phone::Phone;
use crate::engine::ids::{AgentId, CallId, NodeId};
use crate::engine::time::Wall;
use crate::engine::view::Disposition;

use super::change::{Change, call_id, call_key, call_row, millis, reversed};
use super::page::{Place, with_one_more};
use super::recordings::{RecordingRow, nameless};
use super::{Columns as _, Page, Result, Sql, Store, StoreError, sha256_hex};

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Which call.
    pub id: CallId,
    /// On which Asterisk; none while its arrival is not written.
    pub node: Option<NodeId>,
    /// Canonical number; empty when hidden or erased.
    pub number: String,
    /// When the number was erased on the caller's request.
    pub erased: Option<Wall>,
    /// What was dialled.
    pub dialled: String,
    /// It came by the fallback dialplan.
    pub by_fallback: bool,
    /// The office called.
    pub outgoing: bool,
    /// When it arrived.
    pub arrived: Wall,
    /// The queue entered last.
    pub queue: Option<String>,
    /// With which priority.
    pub priority: i64,
    /// When it entered the first queue.
    pub queued: Option<Wall>,
    /// When it was talked first.
    pub bridged: Option<Wall>,
    /// Who talked last.
    pub agent: Option<AgentId>,
    /// That agent's name.
    pub agent_name: Option<String>,
    /// When it ended; none while it is in progress.
    pub ended: Option<Wall>,
    /// How it ended, in [`Disposition`]'s words.
    pub disposition: Option<String>,
    /// Q.850 cause of the caller's channel.
    pub cause: Option<i64>,
    /// Wait before the first talk, or in all.
    pub waited: Option<Duration>,
    /// Time in talks; none when it is not known.
    pub talked: Option<Duration>,
}

/// Which calls to list; what is not given does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Arrived at this moment or later.
    pub from: Option<Wall>,
    /// Arrived before this moment.
    pub to: Option<Wall>,
    /// A whole number in any form, or its last digits.
    pub number: Option<String>,
    /// This agent talked.
    pub agent: Option<AgentId>,
    /// Ended so.
    pub disposition: Option<Disposition>,
    /// Was in this queue last.
    pub queue: Option<String>,
}

/// A leg of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegRow {
    /// Its number in the call; the caller is 0.
    pub leg: u32,
    /// Its channel.
    pub channel: Option<String>,
    /// The agent rung.
    pub agent: Option<AgentId>,
    /// The outside number rung.
    pub number: Option<String>,
    /// When it was made.
    pub started: Option<Wall>,
    /// When it was answered.
    pub answered: Option<Wall>,
    /// When it ended.
    pub ended: Option<Wall>,
    /// Q.850 cause.
    pub cause: Option<i64>,
}

/// An offer of a call to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    /// Its number in the call.
    pub offer: u32,
    /// To whom.
    pub agent: Option<AgentId>,
    /// That agent's name.
    pub agent_name: Option<String>,
    /// When it was made.
    pub made: Option<Wall>,
    /// When the phone rang.
    pub ringing: Option<Wall>,
    /// When it was over.
    pub ended: Option<Wall>,
    /// How, in [`OfferOutcome`](crate::engine::view::OfferOutcome)'s words.
    pub outcome: Option<String>,
}

/// Something in a call's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteRow {
    /// When.
    pub at: Wall,
    /// A word in snake_case.
    pub what: String,
    /// Free text.
    pub detail: String,
    /// `engine`, `agent`, `person` or `program`.
    pub actor_kind: String,
    /// Which of them.
    pub actor_name: String,
}

/// All that is known of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallDetail {
    /// The call.
    pub call: CallRow,
    /// Its legs.
    pub legs: Vec<LegRow>,
    /// To whom it was offered.
    pub offers: Vec<OfferRow>,
    /// Its timeline.
    pub notes: Vec<NoteRow>,
    /// Its recordings.
    pub recordings: Vec<RecordingRow>,
}

/// A call that the fallback dialplan handled by itself; found by its recording.
#[derive(Clone, Debug)]
pub struct FallbackCall {
    /// On which Asterisk.
    pub node: NodeId,
    /// Name of the recording under Asterisk's recording folder.
    pub recording: String,
    /// The caller, as the network gave it.
    pub number: String,
    /// What was dialled.
    pub dialled: String,
    /// When it arrived.
    pub arrived: Wall,
    /// When it ended.
    pub ended: Wall,
    /// How long they talked.
    pub talked: Duration,
}

pub(super) const SELECT: &str = "SELECT c.id, c.node, c.number, c.dialled, c.by_fallback, c.outgoing, c.arrived_at, c.queue, c.priority, \
     c.queued_at, c.bridged_at, c.agent, a.name AS agent_name, c.ended_at, c.disposition, c.cause, c.waited_ms, \
     c.talked_ms, c.erased_at FROM calls c LEFT JOIN agents a ON a.id = c.agent WHERE 1 = 1";

impl Store {
    /// A page of calls, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database does not answer.
    pub async fn list_calls(&self, filter: &CallFilter, cursor: Option<&str>, limit: u32) -> Result<Page<CallRow>> {
        let mut sql = Sql::new(SELECT);
        narrow_time(&mut sql, "c.arrived_at", filter.from, filter.to);
        narrow_party(&mut sql, filter.number.as_deref(), filter.agent);
        if let Some(disposition) = filter.disposition {
            sql.push(" AND c.disposition = ");
            sql.push_value(disposition.as_str().to_owned());
        }
        if let Some(queue) = &filter.queue {
            sql.push(" AND c.queue = ");
            sql.push_value(queue.clone());
        }
        page_of(&mut sql, "c.arrived_at", "c.id", cursor, limit)?;
        let calls = self.rows(sql).await?.iter().map(call).collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(calls, limit, |call| Place { at: call.arrived.0, id: call_key(call.id) }))
    }

    /// A call with all that belongs to it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn get_call(&self, id: CallId) -> Result<Option<CallDetail>> {
        let key = call_key(id);
        let Some(row) = self.row(Sql::new(format!("{SELECT} AND c.id = $1")).with(key)).await? else {
            return Ok(None);
        };
        let legs = self.rows(Sql::new("SELECT * FROM legs WHERE call = $1 ORDER BY leg").with(key)).await?;
        let offers = Sql::new(
            "SELECT o.*, a.name AS agent_name FROM offers o LEFT JOIN agents a ON a.id = o.agent \
             WHERE o.call = $1 ORDER BY o.offer",
        );
        let offers = self.rows(offers.with(key)).await?;
        let notes = self.rows(Sql::new("SELECT * FROM call_notes WHERE call = $1 ORDER BY at, what").with(key)).await?;
        Ok(Some(CallDetail {
            call: call(&row)?,
            legs: legs.iter().map(leg).collect::<Result<_>>()?,
            offers: offers.iter().map(offer).collect::<Result<_>>()?,
            notes: notes.iter().map(note).collect::<Result<_>>()?,
            recordings: self.recordings_of(id).await?,
        }))
    }

    /// The highest call id in use; 0 when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_call(&self) -> Result<CallId> {
        let row = self.row(Sql::new("SELECT COALESCE(MAX(id), 0) AS last FROM calls")).await?;
        row.map_or(Ok(CallId(0)), |row| Ok(call_id(row.int("last")?)))
    }

    /// The call whose recording has this name under Asterisk's recording folder.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_call_by_recording(&self, node: NodeId, recording: &str) -> Result<Option<CallId>> {
        let sql = Sql::new("SELECT id FROM calls WHERE recording IN ($1, $3) AND node = $2 ORDER BY id LIMIT 1")
            .with(recording.to_owned())
            .with(i64::from(node.0))
            .with(nameless(recording).to_owned());
        self.row(sql).await?.map(|row| Ok(call_id(row.int("id")?))).transpose()
    }

    /// Enters a call that the engine never saw; the same call twice is entered once.
    ///
    /// # Errors
    /// When the database does not answer, or does not accept it.
    pub async fn add_fallback_call(&self, fallback: &FallbackCall) -> Result<CallId> {
        if let Some(known) = self.find_call_by_recording(fallback.node, &fallback.recording).await? {
            return Ok(known);
        }
        let mut id = fallback_id(fallback);
        // Of some hundred calls in one second two may well be given the same: each is a call of its own.
        while self.row(Sql::new("SELECT id FROM calls WHERE id = $1").with(call_key(id))).await?.is_some() {
            id = CallId(id.0.wrapping_add(1));
        }
        let number = Phone::parse(&fallback.number);
        let row = call_row(id)
            .int("node", i64::from(fallback.node.0))
            .text("recording", &fallback.recording)
            .text("number", number.as_str())
            .text("number_rev", &reversed(number.as_str()))
            .text("dialled", &fallback.dialled)
            .int("by_fallback", 1)
            .int("arrived_at", fallback.arrived.0)
            .int("ended_at", fallback.ended.0)
            .int("talked_ms", millis(fallback.talked))
            .text("disposition", Disposition::Fallback.as_str());
        match self.write_changes(&[Change::Row(row)]).await?.pop() {
            None => Ok(id),
            Some(rejected) => Err(StoreError::Invalid(rejected.why)),
        }
    }
}

/// Only rows of this time.
pub(super) fn narrow_time(sql: &mut Sql, column: &str, from: Option<Wall>, to: Option<Wall>) {
    for (bound, sign) in [(from, ">="), (to, "<")] {
        if let Some(bound) = bound {
            sql.push(&format!(" AND {column} {sign} "));
            sql.push_value(bound.0);
        }
    }
}

/// Only calls `c` with this number or agent.
pub(super) fn narrow_party(sql: &mut Sql, number: Option<&str>, agent: Option<AgentId>) {
    if let Some(number) = number {
        match Phone::parse(number) {
            // Ten digits with the country code: a whole Russian number, in whatever form it was typed.
            Phone::Full(whole) if whole.len() == 12 || number.trim_start().starts_with('+') => {
                sql.push(" AND c.number_rev = ");
                sql.push_value(reversed(&whole));
            }
            Phone::Hidden => sql.push(" AND c.number = '' AND c.erased_at IS NULL"),
            Phone::Internal(_) | Phone::Full(_) => {
                let digits: String = number.chars().filter(char::is_ascii_digit).collect();
                sql.push(" AND ");
                ends_with(sql, "c.number_rev", &digits);
            }
        }
    }
    if let Some(agent) = agent {
        sql.push(" AND c.id IN (SELECT g.call FROM legs g WHERE g.talked_at IS NOT NULL AND g.agent = ");
        sql.push_value(i64::from(agent.0));
        sql.push(")");
    }
}

/// A condition: the reversed number in this column ends with these digits.
pub(super) fn ends_with(sql: &mut Sql, column: &str, digits: &str) {
    let digits = reversed(digits);
    sql.push(&format!("{column} >= "));
    sql.push_value(digits.clone());
    // The character after 9: all that begins with these digits lies before.
    sql.push(&format!(" AND {column} < "));
    sql.push_value(format!("{digits}:"));
}

/// The rows after the cursor, newest first.
pub(super) fn page_of(sql: &mut Sql, at: &str, id: &str, cursor: Option<&str>, limit: u32) -> Result<()> {
    if let Some(place) = Place::parse(cursor)? {
        sql.push(&format!(" AND ({at}, {id}) < ("));
        sql.push_value(place.at);
        sql.push(", ");
        sql.push_value(place.id);
        sql.push(")");
    }
    sql.push(&format!(" ORDER BY {at} DESC, {id} DESC LIMIT "));
    sql.push_value(with_one_more(limit));
    Ok(())
}

/// Never an id of the engine: its counter does not come that far within a millisecond.
fn fallback_id(call: &FallbackCall) -> CallId {
    let digest = sha256_hex(format!("{} {}", call.node.0, call.recording));
    let low = digest.get(..5).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
    let at = u64::try_from(call.arrived.0).unwrap_or(0);
    CallId(at << 20 | 0x8_0000 | low)
}

pub(super) fn call(row: &AnyRow) -> Result<CallRow> {
    Ok(CallRow {
        id: call_id(row.int("id")?),
        node: row.small_opt("node")?.map(NodeId),
        number: row.text_opt("number")?.unwrap_or_default(),
        erased: row.int_opt("erased_at")?.map(Wall),
        dialled: row.text_opt("dialled")?.unwrap_or_default(),
        by_fallback: row.flag("by_fallback")?,
        outgoing: row.flag("outgoing")?,
        arrived: Wall(row.int("arrived_at")?),
        queue: row.text_opt("queue")?,
        priority: row.int_opt("priority")?.unwrap_or(0),
        queued: row.int_opt("queued_at")?.map(Wall),
        bridged: row.int_opt("bridged_at")?.map(Wall),
        agent: row.small_opt("agent")?.map(AgentId),
        agent_name: row.text_opt("agent_name")?,
        ended: row.int_opt("ended_at")?.map(Wall),
        disposition: row.text_opt("disposition")?,
        cause: row.int_opt("cause")?,
        waited: row.small_opt("waited_ms")?.map(Duration::from_millis),
        talked: row.small_opt("talked_ms")?.map(Duration::from_millis),
    })
}

fn leg(row: &AnyRow) -> Result<LegRow> {
    Ok(LegRow {
        leg: row.small("leg")?,
        channel: row.text_opt("channel")?,
        agent: row.small_opt("agent")?.map(AgentId),
        number: row.text_opt("number")?,
        started: row.int_opt("started_at")?.map(Wall),
        answered: row.int_opt("answered_at")?.map(Wall),
        ended: row.int_opt("ended_at")?.map(Wall),
        cause: row.int_opt("cause")?,
    })
}

fn offer(row: &AnyRow) -> Result<OfferRow> {
    Ok(OfferRow {
        offer: row.small("offer")?,
        agent: row.small_opt("agent")?.map(AgentId),
        agent_name: row.text_opt("agent_name")?,
        made: row.int_opt("made_at")?.map(Wall),
        ringing: row.int_opt("ringing_at")?.map(Wall),
        ended: row.int_opt("ended_at")?.map(Wall),
        outcome: row.text_opt("outcome")?,
    })
}

fn note(row: &AnyRow) -> Result<NoteRow> {
    Ok(NoteRow {
        at: Wall(row.int("at")?),
        what: row.text("what")?,
        detail: row.text("detail")?,
        actor_kind: row.text("actor_kind")?,
        actor_name: row.text("actor_name")?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::engine::command::Fact;
    use crate::engine::event::Actor;
    use crate::engine::ids::QueueId;
    use crate::engine::view::OfferOutcome;

    use super::super::testing::on_both;
    use super::*;

    const START: i64 = 1_700_000_000_000;

    fn id(n: u64) -> CallId {
        CallId((START.cast_unsigned() + n) << 20)
    }

    /// Call n: queue by parity, agent n % 3, ended by the caller or the agent.
    fn facts(n: u64) -> Vec<Fact> {
        let (call, at) = (id(n), |after: i64| Wall(START + n.cast_signed() + after));
        let agent = AgentId(u32::try_from(n % 3).unwrap() + 1);
        let queue_name = if n.is_multiple_of(2) { "main" } else { "second" }.to_owned();
        let disposition = if n.is_multiple_of(5) { Disposition::CompleteAgent } else { Disposition::CompleteCaller };
        let (waited, talked) = (Duration::from_millis(40), Duration::from_millis(60));
        vec![
            Fact::CallArrived {
                call,
                node: NodeId(1),
                channel: format!("c{n}").into(),
                recording: format!("perezvon/{n}"),
                number: format!("+7900{n:07}"),
                dialled: "100".into(),
                by_fallback: false,
                outgoing: false,
                at: at(0),
            },
            Fact::CallQueued { call, queue: QueueId(0), queue_name, priority: 2, at: at(1) },
            Fact::OfferMade { call, offer: 1, agent, at: at(2) },
            Fact::LegStarted { call, leg: 1, channel: "l".into(), agent: Some(agent), number: None, at: at(2) },
            Fact::OfferEnded { call, offer: 1, outcome: OfferOutcome::Answered, at: at(40) },
            Fact::CallBridged { call, leg: 1, agent: Some(agent), at: at(41) },
            Fact::CallNoted { call, what: "held", detail: String::new(), by: Actor::Agent(agent), at: at(50) },
            Fact::CallEnded { call, disposition, cause: 16, waited, talked, agent: Some(agent), at: at(100) },
        ]
    }

    async fn write(store: &Store, calls: impl Iterator<Item = u64>) {
        let facts: Vec<Fact> = calls.flat_map(facts).collect();
        assert_eq!(store.write_facts(&facts).await.unwrap(), []);
    }

    async fn all(store: &Store, filter: &CallFilter) -> Vec<CallId> {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let page = store.list_calls(filter, cursor.as_deref(), 7).await.unwrap();
            ids.extend(page.items.iter().map(|call| call.id));
            match page.next {
                Some(next) => cursor = Some(next),
                None => return ids,
            }
        }
    }

    #[tokio::test]
    async fn pages_show_every_call_once_while_new_calls_come_in() {
        on_both(async |t| {
            write(&t.store, 0..40).await;
            let (mut seen, mut cursor, mut newer) = (Vec::new(), None, 40);
            loop {
                let page = t.store.list_calls(&CallFilter::default(), cursor.as_deref(), 6).await.unwrap();
                seen.extend(page.items.iter().map(|call| call.id));
                write(&t.store, newer..newer + 5).await;
                newer += 5;
                match page.next {
                    Some(next) => cursor = Some(next),
                    None => break,
                }
            }
            assert_eq!(seen, (0..40).rev().map(id).collect::<Vec<_>>());
        })
        .await;
    }

    #[tokio::test]
    async fn filters_find_what_fits_and_nothing_else() {
        on_both(async |t| {
            write(&t.store, 0..60).await;
            let some = CallFilter::default;
            let expect = |fits: fn(u64) -> bool| (0..60).rev().filter(|n| fits(*n)).map(id).collect::<Vec<_>>();
            let number = |text: &str| CallFilter { number: Some(text.into()), ..some() };
            assert_eq!(all(&t.store, &number("8 (900) 000-00-17")).await, [id(17)]);
            assert_eq!(all(&t.store, &number("0017")).await, [id(17)]);
            assert_eq!(all(&t.store, &number("7")).await, expect(|n| n % 10 == 7));
            assert_eq!(all(&t.store, &number("555")).await, []);
            let agent = CallFilter { agent: Some(AgentId(2)), ..some() };
            assert_eq!(all(&t.store, &agent).await, expect(|n| n % 3 == 1));
            let queue = CallFilter { queue: Some("second".into()), ..some() };
            assert_eq!(all(&t.store, &queue).await, expect(|n| n % 2 == 1));
            let disposition = CallFilter { disposition: Some(Disposition::CompleteAgent), ..some() };
            assert_eq!(all(&t.store, &disposition).await, expect(|n| n % 5 == 0));
            let time = CallFilter { from: Some(Wall(START + 10)), to: Some(Wall(START + 20)), ..agent };
            assert_eq!(all(&t.store, &time).await, expect(|n| (10..20).contains(&n) && n % 3 == 1));
            let bad = t.store.list_calls(&some(), Some("nonsense"), 5).await;
            assert!(matches!(bad, Err(StoreError::BadCursor)));
        })
        .await;
    }

    #[tokio::test]
    async fn a_call_is_shown_with_legs_offers_and_timeline() {
        on_both(async |t| {
            write(&t.store, 4..5).await;
            let detail = t.store.get_call(id(4)).await.unwrap().unwrap();
            assert_eq!((detail.call.number.as_str(), detail.call.priority), ("+79000000004", 2));
            assert_eq!(detail.call.disposition.as_deref(), Some("COMPLETECALLER"));
            assert_eq!(detail.call.talked, Some(Duration::from_millis(60)));
            assert_eq!((detail.legs.len(), detail.legs[0].agent), (1, Some(AgentId(2))));
            assert_eq!(detail.offers[0].outcome.as_deref(), Some("ANSWERED"));
            assert_eq!((detail.notes[0].what.as_str(), detail.notes[0].actor_name.as_str()), ("held", "2"));
            assert_eq!(detail.recordings, []);
            assert_eq!(t.store.get_call(id(5)).await.unwrap(), None);
        })
        .await;
    }

    #[tokio::test]
    async fn a_call_of_the_fallback_is_entered_once_and_found_by_its_recording() {
        on_both(async |t| {
            write(&t.store, 0..3).await;
            let fallback = |n: u32| FallbackCall {
                node: NodeId(1),
                recording: format!("perezvon/fb-{n}"),
                number: "89001112233".into(),
                dialled: "100".into(),
                arrived: Wall(START),
                ended: Wall(START + 5_000),
                talked: Duration::from_secs(4),
            };
            let first = t.store.add_fallback_call(&fallback(1)).await.unwrap();
            assert_eq!(t.store.add_fallback_call(&fallback(1)).await.unwrap(), first);
            let second = t.store.add_fallback_call(&fallback(2)).await.unwrap();
            let ids = BTreeSet::from([first, second, id(0), id(1), id(2)]);
            assert_eq!(all(&t.store, &CallFilter::default()).await.into_iter().collect::<BTreeSet<_>>(), ids);
            assert_eq!(t.store.find_call_by_recording(NodeId(1), "perezvon/fb-2").await.unwrap(), Some(second));
            assert_eq!(t.store.find_call_by_recording(NodeId(1), "perezvon/1").await.unwrap(), Some(id(1)));
            assert_eq!(t.store.find_call_by_recording(NodeId(0), "perezvon/1").await.unwrap(), None);
            let row = t.store.get_call(first).await.unwrap().unwrap().call;
            assert_eq!((row.number.as_str(), row.by_fallback), ("+79001112233", true));
            assert_eq!(row.disposition.as_deref(), Some("FALLBACK"));
        })
        .await;
    }

    #[tokio::test]
    async fn calls_of_one_second_by_the_fallback_are_calls_of_their_own() {
        on_both(async |t| {
            let mut ids = BTreeSet::new();
            // The names of these two give one id at first.
            for n in [247, 314, 247] {
                let call = FallbackCall {
                    node: NodeId(1),
                    recording: format!("perezvon/c{n}/1700000000.{n}_79"),
                    number: String::new(),
                    dialled: String::new(),
                    arrived: Wall(START),
                    ended: Wall(START),
                    talked: Duration::ZERO,
                };
                ids.insert(t.store.add_fallback_call(&call).await.unwrap());
            }
            assert_eq!(ids.len(), 2);
        })
        .await;
    }
}
