//! Writing facts: a batch is folded into one row per key and written in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::command::Fact;

use super::call_events::Moment;
use super::callback_facts::{CallbackChange, Noted};
use super::change::{Alive, Change, call_id, call_row};
use super::monitors::MonitorChange;
use super::table::{Row, Table, Value, upsert};
use super::{Columns as _, Result, Sql, Store, StoreError, Tx};

/// A change that the database does not accept, whatever is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What it is about; fit for a log.
    pub subject: String,
    /// The whole change, phone numbers included; not for a log.
    pub change: String,
    /// What the database said.
    pub why: String,
}

impl Store {
    /// Writes facts. Writing them again, or in another order, changes nothing. What the database does not accept is
    /// left out and answered; it does not keep the others from being written.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and the like: nothing or a part was written, write all of it again later.
    pub async fn write_facts(&self, facts: &[Fact]) -> Result<Vec<Rejected>> {
        let mut changes = Vec::with_capacity(facts.len() + 8);
        for fact in facts {
            Change::of(fact, &mut changes);
        }
        self.write_changes(&changes).await
    }

    /// As [`write_facts`](Self::write_facts). A batch that is refused is halved until the culprit stands alone.
    pub(super) async fn write_changes(&self, changes: &[Change]) -> Result<Vec<Rejected>> {
        let mut rejected = Vec::new();
        let mut parts = vec![changes];
        while let Some(part) = parts.pop() {
            match self.write_batch(part).await {
                Ok(()) => {}
                Err(error) if !error.is_rejection() => return Err(error),
                Err(error) => match part {
                    [] => {}
                    [one] => {
                        rejected.push(Rejected { subject: one.subject(), change: one.line(), why: error.to_string() })
                    }
                    _ => {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.push(second);
                        parts.push(first);
                    }
                },
            }
        }
        Ok(rejected)
    }

    async fn write_batch(&self, changes: &[Change]) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let batch = Batch::fold(changes);
        let mut tx = self.begin().await?;
        for table in Table::ALL {
            if let Some(rows) = batch.rows.get(&table) {
                tx.execute(upsert(table, rows, self.dialect())).await?;
            }
        }
        for change in &batch.monitors {
            tx.write_monitor(change).await?;
        }
        let mut moments = Moment::of(changes);
        for alive in batch.alive {
            tx.close_monitors(alive).await?;
            let lost = tx.close_lost(alive).await?;
            moments.extend(lost.into_iter().map(|call| Moment { call, what: "ended", at: alive.at }));
        }
        tx.tell_of_calls(&moments).await?;
        let contacts = tx.note_contacts(&moments).await?;
        let Noted { lost, mut shown } = tx.note_lost(changes, self.announcing().lost).await?;
        let mut exhausted = false;
        for change in batch.callbacks {
            exhausted |= tx.write_callback(change, &mut shown).await?;
        }
        tx.commit().await?;
        self.callbacks_changed(&lost);
        self.callbacks_shown(shown);
        contacts.into_iter().for_each(|update| self.announce(update));
        if exhausted {
            self.inner.callbacks_exhausted.notify_one();
        }
        Ok(())
    }
}

/// Changes, joined.
struct Batch<'a> {
    rows: BTreeMap<Table, Vec<Row>>,
    /// Written last: the calls of the batch are in the table by then, and those that ended are closed.
    alive: Vec<&'a Alive>,
    /// In their order.
    callbacks: Vec<&'a CallbackChange>,
    /// In their order.
    monitors: Vec<&'a MonitorChange>,
}

impl<'a> Batch<'a> {
    fn fold(changes: &'a [Change]) -> Batch<'a> {
        let mut rows: BTreeMap<(Table, Vec<Value>), Row> = BTreeMap::new();
        let (mut alive, mut callbacks, mut monitors) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Row(row) => {
                    if let Value::Int(call) = row.get("call") {
                        // What is told of a call may come before the call itself.
                        let stub = call_row(call_id(*call));
                        rows.entry((Table::Calls, stub.key())).or_insert(stub);
                    }
                    rows.entry((row.table, row.key()))
                        .and_modify(|there| there.join(row.clone()))
                        .or_insert_with(|| row.clone());
                }
                Change::Alive(list) => alive.push(list),
                Change::Callback(change) => callbacks.push(change),
                Change::Monitor(change) => monitors.push(change),
            }
        }
        let mut batch = Batch { rows: BTreeMap::new(), alive, callbacks, monitors };
        for ((table, _), row) in rows {
            batch.rows.entry(table).or_default().push(row);
        }
        batch
    }
}

impl Tx {
    /// Closes the calls of a node that had arrived and are not among the living; answers which.
    async fn close_lost(&mut self, alive: &Alive) -> Result<Vec<i64>> {
        let open = Sql::new("SELECT id FROM calls WHERE node = $1 AND ended_at IS NULL AND arrived_at <= $2")
            .with(alive.node)
            .with(alive.at);
        let living: BTreeSet<i64> = alive.calls.iter().copied().collect();
        let mut lost = Vec::new();
        for row in self.rows(open).await? {
            let call = row.int("id")?;
            if !living.contains(&call) {
                self.close_one(call, alive.at).await?;
                lost.push(call);
            }
        }
        self.close_leftovers(alive).await?;
        Ok(lost)
    }

    /// Of a call whose end was written just before the engine was killed, the end of a leg or an offer may not have
    /// been.
    async fn close_leftovers(&mut self, alive: &Alive) -> Result<()> {
        let leftovers = [("legs", ""), ("offers", ", outcome = 'LOST'")];
        for (table, outcome) in leftovers {
            let text = format!(
                "UPDATE {table} SET ended_at = (SELECT ended_at FROM calls WHERE id = {table}.call){outcome} \
                 WHERE ended_at IS NULL AND EXISTS (SELECT 1 FROM calls \
                 WHERE id = {table}.call AND node = $1 AND ended_at IS NOT NULL AND arrived_at <= $2)"
            );
            self.execute(Sql::new(text).with(alive.node).with(alive.at)).await?;
        }
        Ok(())
    }

    async fn close_one(&mut self, call: i64, at: i64) -> Result<(), StoreError> {
        // How long they talked is not known, and is left so.
        let closing = [
            "UPDATE calls SET disposition = 'LOST', ended_at = $1, \
             waited_ms = COALESCE(bridged_at, $1) - COALESCE(queued_at, bridged_at, $1) WHERE id = $2",
            "UPDATE legs SET ended_at = $1 WHERE ended_at IS NULL AND call = $2",
            "UPDATE offers SET ended_at = $1, outcome = 'LOST' WHERE ended_at IS NULL AND call = $2",
        ];
        for text in closing {
            self.execute(Sql::new(text).with(at).with(call)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::rngs::StdRng;
    use rand::seq::SliceRandom as _;
    use rand::{Rng as _, SeedableRng as _};

    use crate::engine::event::Actor;
    use crate::engine::ids::{AgentId, CallId, NodeId, QueueId};
    use crate::engine::time::Wall;
    use crate::engine::view::{Disposition, OfferOutcome, PauseReason, Status};

    use super::super::testing::{TestStore, on_both};
    use super::*;

    const CALLS: u64 = 3;

    fn id(n: u64) -> CallId {
        CallId((1_000_000 + n) << 20)
    }

    fn arrived(n: u64) -> Fact {
        Fact::CallArrived {
            call: id(n),
            node: NodeId(0),
            channel: format!("chan-{n}").into(),
            recording: format!("perezvon/rec-{n}"),
            number: format!("+7900000000{n}"),
            dialled: "100".into(),
            by_fallback: false,
            outgoing: false,
            at: Wall(1_000_000 + n as i64),
        }
    }

    fn ended(n: u64, disposition: Disposition, at: i64) -> Fact {
        let (waited, talked) = (Duration::from_secs(3), Duration::from_secs(60));
        Fact::CallEnded { call: id(n), disposition, cause: 16, waited, talked, agent: Some(AgentId(2)), at: Wall(at) }
    }

    /// A history without contradictions: facts of one thing at one moment say the same.
    fn history() -> Vec<Fact> {
        let mut facts = Vec::new();
        for n in 0..CALLS {
            let (call, at) = (id(n), |after: i64| Wall(1_000_000 + n as i64 + after));
            facts.push(arrived(n));
            for (turn, queue) in ["main", "second"].into_iter().enumerate() {
                let queue_name = queue.to_owned();
                let (priority, at) = (turn as i16, at(10 + 500 * turn as i64));
                facts.push(Fact::CallQueued { call, queue: QueueId(turn as u16), queue_name, priority, at });
            }
            for offer in 1..3u32 {
                let (agent, at) = (AgentId(offer), |after: i64| at(i64::from(offer) * 100 + after));
                let channel = format!("pz-{call}-l{offer}").into();
                facts.push(Fact::OfferMade { call, offer, agent, at: at(0) });
                facts.push(Fact::LegStarted { call, leg: offer, channel, agent: Some(agent), number: None, at: at(1) });
                facts.push(Fact::OfferRinging { call, offer, at: at(20) });
                facts.push(Fact::LegAnswered { call, leg: offer, at: at(30) });
                facts.push(Fact::OfferEnded { call, offer, outcome: OfferOutcome::Answered, at: at(31) });
                facts.push(Fact::CallBridged { call, leg: offer, agent: Some(agent), at: at(32) });
                facts.push(Fact::LegEnded { call, leg: offer, cause: 16, at: at(90) });
                facts.push(Fact::WrapUp { call, leg: offer, until: at(94) });
                facts.push(Fact::WrapUp { call, leg: offer, until: at(93) });
                facts.push(Fact::AgentIdle { agent, calls_taken: n as u32, at: at(95) });
                let status = if offer == 1 { Status::Ready } else { Status::Pause(PauseReason::NoAnswer) };
                facts.push(Fact::AgentStatus { agent, status, by: Actor::Agent(agent), at: at(96) });
            }
            let note = |what| Fact::CallNoted { call, what, detail: "\0 да".into(), by: Actor::Engine, at: at(40) };
            facts.extend([note("held"), note("resumed")]);
            facts.push(Fact::WaitTold { call, wait: Duration::from_secs(30), at: at(15) });
            facts.push(ended(n, Disposition::CompleteCaller, 1_000_400));
        }
        facts
    }

    async fn dump(t: &TestStore) -> Vec<String> {
        use sqlx::Row as _;
        let mut lines = Vec::new();
        for table in ["calls", "legs", "offers", "call_notes", "agent_state", "agent_status_log"] {
            let rows = t.store.rows(Sql::new(format!("SELECT * FROM {table} ORDER BY 1, 2, 3"))).await.unwrap();
            for row in rows {
                let cells = (0..row.len()).map(|n| {
                    let number = row.try_get::<Option<i64>, _>(n).map(|v| format!("{v:?}"));
                    number.unwrap_or_else(|_| row.try_get::<String, _>(n).unwrap())
                });
                lines.push(format!("{table}: {}", cells.collect::<Vec<_>>().join("|")));
            }
        }
        lines
    }

    async fn wipe(t: &TestStore) {
        for table in ["legs", "offers", "call_notes", "calls", "agent_state", "agent_status_log"] {
            t.store.execute(Sql::new(format!("DELETE FROM {table}"))).await.unwrap();
        }
    }

    #[tokio::test]
    async fn facts_in_any_order_in_any_batches_and_any_number_of_times_give_the_same_rows() {
        on_both(async |t| {
            assert_eq!(t.store.write_facts(&history()).await.unwrap(), []);
            let expected = dump(&t).await;
            assert_eq!(expected.len() as u64, CALLS * (1 + 2 + 2 + 2) + 2 + CALLS * 2);
            assert_eq!(t.store.write_facts(&history()).await.unwrap(), []);
            assert_eq!(dump(&t).await, expected);
            for seed in 0..20 {
                let mut dice = StdRng::seed_from_u64(seed);
                wipe(&t).await;
                let mut facts = history();
                facts.extend(history().into_iter().filter(|_| dice.random_bool(0.3)));
                facts.shuffle(&mut dice);
                let mut rest = facts.as_slice();
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(dice.random_range(1..=rest.len().min(40)));
                    assert_eq!(t.store.write_facts(now).await.unwrap(), []);
                    rest = later;
                }
                assert_eq!(dump(&t).await, expected, "seed {seed}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn calls_that_are_not_among_the_living_are_lost_and_those_that_came_later_are_not() {
        on_both(async |t| {
            let alive = Fact::CallsAlive { node: NodeId(0), calls: vec![id(1)], at: Wall(1_000_003) };
            let elsewhere = Fact::CallsAlive { node: NodeId(1), calls: vec![], at: Wall(2_000_000) };
            let offer = Fact::OfferMade { call: id(2), offer: 1, agent: AgentId(1), at: Wall(1_000_002) };
            let facts = [arrived(1), arrived(2), offer, arrived(3), ended(3, Disposition::Abandon, 1_000_003), alive];
            for _ in 0..2 {
                assert_eq!(t.store.write_facts(&facts).await.unwrap(), []);
                assert_eq!(t.store.write_facts(&[arrived(4), elsewhere.clone()]).await.unwrap(), []);
                let rows = t.store.rows(Sql::new("SELECT id, disposition FROM calls ORDER BY id")).await.unwrap();
                let words: Vec<_> = rows.iter().map(|row| row.text_opt("disposition").unwrap()).collect();
                assert_eq!(words, [None, Some("LOST".into()), Some("ABANDON".into()), None]);
                let offers = t.store.rows(Sql::new("SELECT outcome FROM offers")).await.unwrap();
                assert_eq!(offers[0].text("outcome").unwrap(), "LOST");
            }
            // What really happened, told late, replaces the guess.
            t.store.write_facts(&[ended(2, Disposition::Abandon, 1_000_002)]).await.unwrap();
            let rows = t.store.rows(Sql::new("SELECT disposition FROM calls WHERE waited_ms = 3000 ORDER BY id")).await;
            assert_eq!(rows.unwrap().len(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn what_the_engine_could_not_write_of_an_ended_call_is_closed_with_it() {
        on_both(async |t| {
            let offer = |n| Fact::OfferMade { call: id(n), offer: 1, agent: AgentId(1), at: Wall(1_000_001) };
            let leg = |n| Fact::LegStarted {
                call: id(n),
                leg: 1,
                channel: "pz-l1".into(),
                agent: Some(AgentId(1)),
                number: None,
                at: Wall(1_000_001),
            };
            let facts =
                [arrived(1), leg(1), offer(1), ended(1, Disposition::Abandon, 1_000_002), arrived(2), leg(2), offer(2)];
            assert_eq!(t.store.write_facts(&facts).await.unwrap(), []);
            let alive = Fact::CallsAlive { node: NodeId(0), calls: vec![id(2)], at: Wall(1_000_009) };
            assert_eq!(t.store.write_facts(&[alive]).await.unwrap(), []);
            for table in ["legs", "offers"] {
                let text = format!("SELECT ended_at FROM {table} ORDER BY call");
                let rows = t.store.rows(Sql::new(text)).await.unwrap();
                let ends: Vec<_> = rows.iter().map(|row| row.int_opt("ended_at").unwrap()).collect();
                assert_eq!(ends, [Some(1_000_002), None], "{table}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn one_fact_that_is_refused_does_not_keep_the_others_out() {
        on_both(async |t| {
            // A rule that only one of the facts breaks.
            let unique = "CREATE UNIQUE INDEX poison ON call_notes (detail)";
            t.store.execute(Sql::new(unique)).await.unwrap();
            let mut facts: Vec<Fact> = (0..60).map(arrived).collect();
            let note = |n, detail: &str| Fact::CallNoted {
                call: id(n),
                what: "held",
                detail: detail.into(),
                by: Actor::Engine,
                at: Wall(5),
            };
            facts.insert(20, note(1, "same"));
            facts.insert(40, note(2, "same"));
            facts.insert(50, note(3, "other"));
            let rejected = t.store.write_facts(&facts).await.unwrap();
            assert_eq!(rejected.len(), 1, "{rejected:?}");
            assert!(rejected[0].subject.contains(&id(2).to_string()), "{rejected:?}");
            let count = |table| Sql::new(format!("SELECT COUNT(*) AS n FROM {table}"));
            assert_eq!(t.store.row(count("calls")).await.unwrap().unwrap().int("n").unwrap(), 60);
            assert_eq!(t.store.row(count("call_notes")).await.unwrap().unwrap().int("n").unwrap(), 2);
        })
        .await;
    }

    #[tokio::test]
    async fn a_batch_that_stops_half_way_leaves_nothing() {
        on_both(async |t| {
            let mut tx = t.store.begin().await.unwrap();
            let rows = [call_row(id(1))];
            tx.execute(upsert(Table::Calls, &rows, t.store.dialect())).await.unwrap();
            drop(tx);
            t.store.write_facts(&[arrived(2)]).await.unwrap();
            let calls = t.store.rows(Sql::new("SELECT id FROM calls")).await.unwrap();
            assert_eq!(calls.len(), 1);
        })
        .await;
    }
}
