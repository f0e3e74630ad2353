//! What agents did with their time: talks and after-call work from their legs, the rest from what they declared.

use std::collections::BTreeMap;

use crate::engine::time::Wall;

use super::reports::{By, Span};
use super::{Columns as _, Result, Sql, Store};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// So many days are read at once: a long report must not fill the memory.
const CHUNK_MS: i64 = 7 * DAY_MS;
/// No call is longer: one that came earlier does not reach into the span.
const LONGEST_CALL_MS: i64 = DAY_MS;

/// Milliseconds of an agent's time. Each moment is in one sum at most: who talks is not waiting for calls as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AgentTime {
    /// Ready and nothing in hand.
    pub idle_ms: i64,
    /// Declared a pause, and nothing in hand.
    pub paused_ms: i64,
    /// From the answer of the agent's phone to its end, holds included.
    pub talked_ms: i64,
    /// After-call work.
    pub wrapped_ms: i64,
}

impl AgentTime {
    /// Both together.
    #[must_use]
    pub fn and(self, other: AgentTime) -> AgentTime {
        AgentTime {
            idle_ms: self.idle_ms + other.idle_ms,
            paused_ms: self.paused_ms + other.paused_ms,
            talked_ms: self.talked_ms + other.talked_ms,
            wrapped_ms: self.wrapped_ms + other.wrapped_ms,
        }
    }

    /// Talks and after-call work.
    #[must_use]
    pub fn busy_ms(self) -> i64 {
        self.talked_ms + self.wrapped_ms
    }

    /// At work: busy, or ready for callers.
    #[must_use]
    pub fn at_work_ms(self) -> i64 {
        self.busy_ms() + self.idle_ms
    }

    fn add(&mut self, kind: Kind, ms: i64) {
        match kind {
            Kind::Pause => self.paused_ms += ms,
            Kind::Ready => self.idle_ms += ms,
            Kind::WrapUp => self.wrapped_ms += ms,
            Kind::Talk => self.talked_ms += ms,
        }
    }
}

/// What an agent does. Of two at one moment the greater counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Pause,
    Ready,
    WrapUp,
    Talk,
}

const KINDS: [Kind; 4] = [Kind::Talk, Kind::WrapUp, Kind::Ready, Kind::Pause];

type Piece = (i64, i64, Kind);

impl Store {
    /// The agents' time in the span until `now`, by hour, day or agent; by nothing else, where it is one sum under 0.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn agents_time(&self, by: By, span: Span, now: Wall) -> Result<BTreeMap<i64, AgentTime>> {
        let mut sums = BTreeMap::new();
        let end = span.to.0.min(now.0);
        let mut from = span.from.0;
        while from < end {
            let to = end.min(from + CHUNK_MS);
            for (agent, pieces) in self.pieces(from, to).await? {
                for (start, end, kind) in disjoint(&pieces) {
                    share_out(by, agent, span.utc_offset_minutes, (start, end, kind), &mut sums);
                }
            }
            from = to;
        }
        Ok(sums)
    }

    /// What each agent did, as it is written; may overlap.
    async fn pieces(&self, from: i64, to: i64) -> Result<BTreeMap<i64, Vec<Piece>>> {
        let mut pieces: BTreeMap<i64, Vec<Piece>> = BTreeMap::new();
        let mut add = |agent: i64, start: i64, end: i64, kind: Kind| {
            let (start, end) = (start.max(from), end.min(to));
            if start < end {
                pieces.entry(agent).or_default().push((start, end, kind));
            }
        };
        // The last declaration before the span holds at its beginning.
        let sql = "SELECT agent, at, status FROM agent_status_log WHERE at >= $1 AND at < $2 UNION ALL \
                   SELECT l.agent, l.at, l.status FROM (SELECT DISTINCT agent FROM agent_status_log) d \
                   JOIN agent_status_log l ON l.agent = d.agent AND l.at = \
                   (SELECT MAX(b.at) FROM agent_status_log b WHERE b.agent = d.agent AND b.at < $1) ORDER BY 1, 2";
        let rows = self.rows(Sql::new(sql).with(from).with(to)).await?;
        let mut last: Option<(i64, i64, Option<Kind>)> = None;
        for row in &rows {
            let (agent, at) = (row.int("agent")?, row.int("at")?);
            if let Some((of, since, Some(kind))) = last {
                add(of, since, if of == agent { at } else { to }, kind);
            }
            let kind = match row.text("status")?.as_str() {
                "ready" => Some(Kind::Ready),
                "pause" => Some(Kind::Pause),
                _ => None,
            };
            last = Some((agent, at, kind));
        }
        if let Some((of, since, Some(kind))) = last {
            add(of, since, to, kind);
        }
        // Ids of calls grow with the time of their arrival.
        let key = |at: i64| at.max(0) << 20;
        let sql = "SELECT agent, answered_at, ended_at, wrapped_at FROM legs \
                   WHERE call >= $1 AND call < $2 AND agent IS NOT NULL AND answered_at IS NOT NULL";
        let rows = self.rows(Sql::new(sql).with(key(from - LONGEST_CALL_MS)).with(key(to))).await?;
        for row in &rows {
            let (agent, ended) = (row.int("agent")?, row.int_opt("ended_at")?);
            add(agent, row.int("answered_at")?, ended.unwrap_or(to), Kind::Talk);
            if let (Some(ended), Some(wrapped)) = (ended, row.int_opt("wrapped_at")?) {
                add(agent, ended, wrapped, Kind::WrapUp);
            }
        }
        Ok(pieces)
    }
}

/// The same without overlaps, in order: at each moment the greatest kind.
fn disjoint(pieces: &[Piece]) -> Vec<Piece> {
    let mut edges: Vec<(i64, Kind, i64)> =
        pieces.iter().flat_map(|(start, end, kind)| [(*start, *kind, 1), (*end, *kind, -1)]).collect();
    edges.sort_unstable();
    let mut open: BTreeMap<Kind, i64> = BTreeMap::new();
    let mut whole: Vec<Piece> = Vec::new();
    let mut since = i64::MIN;
    for (at, kind, step) in edges {
        let now = KINDS.into_iter().find(|kind| open.get(kind).copied().unwrap_or_default() > 0);
        if let Some(now) = now.filter(|_| since < at) {
            match whole.last_mut().filter(|(_, end, kind)| *end == since && *kind == now) {
                Some(last) => last.1 = at,
                None => whole.push((since, at, now)),
            }
        }
        *open.entry(kind).or_default() += step;
        since = at;
    }
    whole
}

/// Adds a piece to the sums of the hours or days that it lies in.
fn share_out(by: By, agent: i64, offset_minutes: i32, piece: Piece, sums: &mut BTreeMap<i64, AgentTime>) {
    let (start, end, kind) = piece;
    let offset = i64::from(offset_minutes) * 60_000;
    let step = match by {
        By::Hour => HOUR_MS,
        By::Day => DAY_MS,
        By::Agent => return sums.entry(agent).or_default().add(kind, end - start),
        By::Queue | By::Purpose => return sums.entry(0).or_default().add(kind, end - start),
    };
    let (mut start, end) = (start + offset, end + offset);
    while start < end {
        let next = (start.div_euclid(step) + 1) * step;
        let key = if by == By::Hour { start.rem_euclid(DAY_MS) / HOUR_MS } else { start.div_euclid(DAY_MS) };
        sums.entry(key).or_default().add(kind, next.min(end) - start);
        start = next;
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::on_both;
    use super::*;

    /// 2026-01-05 00:00 UTC.
    const MONDAY: i64 = 1_767_571_200_000;
    const MINUTE: i64 = 60_000;

    async fn said(store: &Store, agent: i64, minute: i64, status: &str) {
        let sql = "INSERT INTO agent_status_log (agent, at, status, reason, actor_kind, actor_name) \
                   VALUES ($1, $2, $3, '', 'agent', '')";
        let sql = Sql::new(sql).with(agent).with(MONDAY + minute * MINUTE).with(status.to_owned());
        store.execute(sql).await.unwrap();
    }

    async fn talked(store: &Store, agent: i64, from: i64, to: Option<i64>, wrapped: Option<i64>) {
        let at = |minute: i64| MONDAY + minute * MINUTE;
        let call = (at(from) - 1_000) << 20;
        let sql = Sql::new("INSERT INTO calls (id, arrived_at) VALUES ($1, $2)").with(call).with(at(from) - 1_000);
        store.execute(sql).await.unwrap();
        let sql =
            "INSERT INTO legs (call, leg, agent, answered_at, ended_at, wrapped_at) VALUES ($1, 1, $2, $3, $4, $5)";
        let sql = Sql::new(sql).with(call).with(agent).with(at(from)).with(to.map(at)).with(wrapped.map(at));
        store.execute(sql).await.unwrap();
    }

    fn span() -> Span {
        let (from, to) = (Wall(MONDAY), Wall(MONDAY + DAY_MS));
        Span { from, to, utc_offset_minutes: 0, within_ms: 20_000, short_ms: 0 }
    }

    #[tokio::test]
    async fn each_minute_of_an_agent_counts_once_and_in_its_hour() {
        on_both(async |t| {
            let s = &t.store;
            // At work since the evening before.
            said(s, 7, -60, "ready").await;
            talked(s, 7, 10, Some(40), Some(42)).await;
            // A pause is declared in a talk, which goes on.
            said(s, 7, 50, "pause").await;
            talked(s, 7, 45, Some(55), None).await;
            said(s, 7, 70, "ready").await;
            talked(s, 7, 80, None, None).await;
            said(s, 8, 30, "pause").await;
            said(s, 8, 40, "offline").await;
            let now = Wall(MONDAY + 90 * MINUTE);
            let by = |by| s.agents_time(by, span(), now);
            let minutes =
                |time: AgentTime| [time.idle_ms, time.paused_ms, time.talked_ms, time.wrapped_ms].map(|ms| ms / MINUTE);
            let agents = by(By::Agent).await.unwrap();
            assert_eq!(minutes(agents[&7]), [10 + 3 + 10, 15, 30 + 10 + 10, 2]);
            assert_eq!(minutes(agents[&8]), [0, 10, 0, 0]);
            let hours = by(By::Hour).await.unwrap();
            assert_eq!(minutes(hours[&0]), [13, 5 + 10, 40, 2]);
            assert_eq!(minutes(hours[&1]), [10, 10, 10, 0]);
            let days = by(By::Day).await.unwrap();
            assert_eq!(days.len(), 1);
            assert_eq!(days[&(MONDAY / DAY_MS)], hours[&0].and(hours[&1]));
            assert_eq!(by(By::Queue).await.unwrap()[&0], days[&(MONDAY / DAY_MS)]);
        })
        .await;
    }

    #[test]
    fn of_what_overlaps_the_talk_counts() {
        let pieces = [(0, 10, Kind::Ready), (2, 4, Kind::Talk), (3, 6, Kind::Talk), (5, 8, Kind::WrapUp)];
        let whole = [(0, 2, Kind::Ready), (2, 6, Kind::Talk), (6, 8, Kind::WrapUp), (8, 10, Kind::Ready)];
        assert_eq!(disjoint(&pieces), whole);
        assert_eq!(disjoint(&[]), []);
    }
}
