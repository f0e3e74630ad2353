//! Who heard which talk, from when to when and in which mode: rows of their own, and lines of the audit that are written
//! with them, once.

use serde_json::json;

use crate::engine::command::Fact;
use crate::engine::event::{Actor, MonitorMode};
use crate::engine::time::Wall;

use super::audit::AuditEntry;
use super::change::{Alive, actor_words, call_id, call_key};
use super::{Columns as _, Result, Sql, Tx};

/// A change of such a row. Columns have their names in the spill file, so that a later version can read it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MonitorChange {
    /// Somebody hears the talk.
    Began {
        call: i64,
        listener: i64,
        heard: Option<i64>,
        mode: String,
        actor_kind: String,
        actor_name: String,
        at: i64,
    },
    /// Not any more.
    Ended { call: i64, listener: i64, began: i64, at: i64 },
}

impl MonitorChange {
    /// What a fact changes; none for facts of other things.
    pub(super) fn of(fact: &Fact) -> Option<MonitorChange> {
        match fact {
            Fact::MonitorBegan { call, listener, heard, mode, by, at } => {
                let (kind, actor_name) = actor_words(by);
                Some(MonitorChange::Began {
                    call: call_key(*call),
                    listener: i64::from(listener.0),
                    heard: heard.map(|agent| i64::from(agent.0)),
                    mode: MonitorMode::as_str(*mode).to_owned(),
                    actor_kind: kind.to_owned(),
                    actor_name,
                    at: at.0,
                })
            }
            Fact::MonitorEnded { call, listener, began, at } => Some(MonitorChange::Ended {
                call: call_key(*call),
                listener: i64::from(listener.0),
                began: began.0,
                at: at.0,
            }),
            _ => None,
        }
    }

    /// For a log.
    pub(super) fn call(&self) -> i64 {
        match self {
            MonitorChange::Began { call, .. } | MonitorChange::Ended { call, .. } => *call,
        }
    }
}

/// Who is meant by the two words of [`actor_words`].
fn actor(kind: &str, name: &str) -> Actor {
    match kind {
        "person" => Actor::Person(name.to_owned()),
        "program" => Actor::Program(name.to_owned()),
        "agent" => name.parse().map_or(Actor::Engine, |id| Actor::Agent(crate::engine::ids::AgentId(id))),
        _ => Actor::Engine,
    }
}

impl Tx {
    /// Writes a change. Written twice it changes nothing more.
    pub(super) async fn write_monitor(&mut self, change: &MonitorChange) -> Result<()> {
        match change {
            MonitorChange::Began { call, listener, heard, mode, actor_kind, actor_name, at } => {
                let sql = Sql::new(
                    "INSERT INTO call_monitors (call, listener, began_at, heard, mode, actor_kind, actor_name) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (call, listener, began_at) DO NOTHING",
                );
                let sql = sql.with(*call).with(*listener).with(*at).with(*heard).with(mode.clone());
                if self.execute(sql.with(actor_kind.clone()).with(actor_name.clone())).await? == 0 {
                    return Ok(());
                }
                let detail = json!({"mode": mode, "agent": heard, "listener": listener});
                self.note_monitor("call_monitor_began", *call, actor(actor_kind, actor_name), detail, *at).await
            }
            MonitorChange::Ended { call, listener, began, at } => self.end_monitor(*call, *listener, *began, *at).await,
        }
    }

    /// Those of this Asterisk that are open when it is connected are over: nothing of them outlives the connection.
    pub(super) async fn close_monitors(&mut self, alive: &Alive) -> Result<()> {
        let open = Sql::new(
            "SELECT m.call, m.listener, m.began_at FROM call_monitors m JOIN calls c ON c.id = m.call \
             WHERE m.ended_at IS NULL AND c.node = $1 AND m.began_at <= $2",
        );
        for row in self.rows(open.with(alive.node).with(alive.at)).await? {
            self.end_monitor(row.int("call")?, row.int("listener")?, row.int("began_at")?, alive.at).await?;
        }
        Ok(())
    }

    async fn end_monitor(&mut self, call: i64, listener: i64, began: i64, at: i64) -> Result<()> {
        let sql = Sql::new(
            "UPDATE call_monitors SET ended_at = $1 WHERE call = $2 AND listener = $3 AND began_at = $4 \
             AND ended_at IS NULL",
        );
        if self.execute(sql.with(at).with(call).with(listener).with(began)).await? == 0 {
            return Ok(());
        }
        let sql = Sql::new(
            "SELECT heard, mode, actor_kind, actor_name FROM call_monitors \
             WHERE call = $1 AND listener = $2 AND began_at = $3",
        );
        let Some(row) = self.row(sql.with(call).with(listener).with(began)).await? else { return Ok(()) };
        let moment = |at: i64| chrono::DateTime::from_timestamp_millis(at).unwrap_or_default().to_rfc3339();
        let detail = json!({
            "mode": row.text("mode")?,
            "agent": row.int_opt("heard")?,
            "listener": listener,
            "from": moment(began),
            "to": moment(at),
        });
        let by = actor(&row.text("actor_kind")?, &row.text("actor_name")?);
        self.note_monitor("call_monitored", call, by, detail, at).await
    }

    async fn note_monitor(
        &mut self,
        action: &str,
        call: i64,
        actor: Actor,
        detail: serde_json::Value,
        at: i64,
    ) -> Result<()> {
        let (action, subject) = (action.to_owned(), call_id(call).to_string());
        self.append_audit(AuditEntry { at: Wall(at), actor, action, subject, detail, address: String::new() }).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::audit::AuditFilter;
    use super::super::testing::on_both;
    use super::*;
    use crate::engine::ids::{AgentId, CallId, NodeId};

    const CALL: CallId = CallId(1_000_001 << 20);

    fn began(at: i64, mode: MonitorMode) -> Fact {
        let by = Actor::Person("chief".to_owned());
        let (listener, heard) = (AgentId(9), Some(AgentId(1)));
        Fact::MonitorBegan { call: CALL, listener, heard, mode, by, at: Wall(at) }
    }

    fn ended(began: i64, at: i64) -> Fact {
        Fact::MonitorEnded { call: CALL, listener: AgentId(9), began: Wall(began), at: Wall(at) }
    }

    #[tokio::test]
    async fn the_audit_tells_once_who_heard_what_from_when_to_when_and_in_which_mode() {
        on_both(async |t| {
            let arrived = Fact::CallArrived {
                call: CALL,
                node: NodeId(0),
                channel: "17.1".into(),
                recording: "perezvon/17.1_7900".to_owned(),
                number: "7900".to_owned(),
                dialled: String::new(),
                by_fallback: false,
                outgoing: false,
                at: Wall(1_000_001),
            };
            let facts = [
                arrived,
                began(2_000_000, MonitorMode::Listen),
                ended(2_000_000, 2_005_000),
                began(2_005_000, MonitorMode::Whisper),
            ];
            for _ in 0..2 {
                assert_eq!(t.store.write_facts(&facts).await.unwrap(), []);
            }
            // The engine was killed: the next one closes what is open.
            let alive = Fact::CallsAlive { node: NodeId(0), calls: vec![CALL], at: Wall(2_009_000) };
            assert_eq!(t.store.write_facts(&[alive.clone(), alive]).await.unwrap(), []);
            let page = t.store.list_audit(&AuditFilter::default(), None, 50).await.unwrap();
            let told: Vec<_> = page
                .items
                .iter()
                .rev()
                .map(|row| (row.action.as_str(), row.detail["mode"].as_str().unwrap_or_default(), row.at.0))
                .collect();
            assert_eq!(
                told,
                [
                    ("call_monitor_began", "listen", 2_000_000),
                    ("call_monitored", "listen", 2_005_000),
                    ("call_monitor_began", "whisper", 2_005_000),
                    ("call_monitored", "whisper", 2_009_000),
                ]
            );
            let last = page.items.first().unwrap();
            assert_eq!((last.actor_name.as_str(), last.subject.clone()), ("chief", CALL.to_string()));
            assert_eq!((&last.detail["agent"], &last.detail["listener"]), (&json!(1), &json!(9)));
            assert_eq!(last.detail["from"], "1970-01-01T00:33:25+00:00");
        })
        .await;
    }
}
