//! Where in a recording nothing is kept: as the journal's notes tell it, and as it was done.

use std::time::Duration;

use crate::engine::call::pause::{PAUSED, RESUMED};
use crate::engine::ids::NodeId;

use super::change::{call_key, millis};
use super::recordings::nameless;
use super::{Columns as _, Result, Sql, Store, StoreError};

/// A stretch of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pause {
    /// From here.
    pub from: Duration,
    /// To here.
    pub to: Duration,
}

/// What the journal tells of one call of a recording, in the time of that call's own talks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPauses {
    /// Time in talks of this call, when it is known.
    pub talked: Option<Duration>,
    /// Where nothing is to be kept; without an end: to the end of the talk.
    pub pauses: Vec<(Duration, Option<Duration>)>,
}

impl Store {
    /// Pauses of the calls that were recorded under this name, first call first. Empty where there are none at all, which
    /// is nearly always.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pauses_of(&self, node: NodeId, name: &str) -> Result<Vec<CallPauses>> {
        let sql = Sql::new(
            "SELECT n.call, n.what, n.detail FROM calls c JOIN call_notes n ON n.call = c.id \
             WHERE c.recording IN ($1, $2) AND c.node = $3 AND n.what IN ($4, $5) ORDER BY n.call, n.at",
        );
        let notes = self
            .rows(
                sql.with(name.to_owned())
                    .with(nameless(name).to_owned())
                    .with(i64::from(node.0))
                    .with(PAUSED.to_owned())
                    .with(RESUMED.to_owned()),
            )
            .await?;
        if notes.is_empty() {
            return Ok(Vec::new());
        }
        let mut calls = Vec::new();
        for known in self.calls_by_recording(node, name).await? {
            let mut found = CallPauses { talked: known.talked, pauses: Vec::new() };
            for note in &notes {
                if note.int("call")? == call_key(known.call) {
                    add(&mut found.pauses, &note.text("what")?, place(&note.text("detail")?)?);
                }
            }
            calls.push(found);
        }
        Ok(calls)
    }
}

fn add(pauses: &mut Vec<(Duration, Option<Duration>)>, what: &str, at: Duration) {
    match pauses.last_mut() {
        Some((_, to @ None)) if what == RESUMED => *to = Some(at),
        // Still open: the end of the one before was not seen.
        Some((_, None)) => {}
        Some((_, Some(_))) | None if what == PAUSED => pauses.push((at, None)),
        Some((_, Some(_))) | None => {}
    }
}

/// `1500 ms`, as the engine writes it.
fn place(detail: &str) -> Result<Duration> {
    let number = detail.split(' ').next().and_then(|number| number.parse().ok());
    number.map(Duration::from_millis).ok_or_else(|| StoreError::Unreadable(format!("the place {detail:?} of a pause")))
}

/// As the column keeps it.
pub(super) fn written(pauses: &[Pause]) -> String {
    let one = |pause: &Pause| format!("{}-{}", millis(pause.from), millis(pause.to));
    pauses.iter().map(one).collect::<Vec<_>>().join(",")
}

/// The other way round.
pub(super) fn read(text: &str) -> Result<Vec<Pause>> {
    let unreadable = || StoreError::Unreadable(format!("the pauses {text:?} of a recording"));
    let one = |pause: &str| {
        let (from, to) = pause.split_once('-').ok_or_else(unreadable)?;
        let at = |text: &str| text.parse().map(Duration::from_millis).map_err(|_| unreadable());
        Ok(Pause { from: at(from)?, to: at(to)? })
    };
    text.split(',').filter(|pause| !pause.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    use crate::engine::command::Fact;
    use crate::engine::event::Actor;
    use crate::engine::ids::CallId;
    use crate::engine::time::Wall;
    use crate::engine::view::Disposition;

    use super::super::testing::on_both;
    use super::*;

    const CALL: CallId = CallId(1_000_001 << 20);
    const NAME: &str = "perezvon/17.1_7900";

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn note(what: &'static str, detail: &str, at: i64) -> Fact {
        Fact::CallNoted { call: CALL, what, detail: detail.to_owned(), by: Actor::Engine, at: Wall(at) }
    }

    #[tokio::test]
    async fn pauses_are_read_from_the_notes_of_the_call_and_an_open_one_has_no_end() {
        on_both(async |t| {
            assert_eq!(t.store.pauses_of(NodeId(0), NAME).await.unwrap(), []);
            let arrived = Fact::CallArrived {
                call: CALL,
                node: NodeId(0),
                channel: "17.1".into(),
                recording: NAME.to_owned(),
                number: "7900".to_owned(),
                dialled: String::new(),
                by_fallback: false,
                outgoing: false,
                at: Wall(1_000_001),
            };
            let (waited, talked) = (Duration::ZERO, ms(9_000));
            let disposition = Disposition::CompleteAgent;
            let ended = Fact::CallEnded {
                call: CALL,
                disposition,
                cause: 16,
                waited,
                talked,
                agent: None,
                at: Wall(1_020_000),
            };
            let facts = [
                arrived,
                note(PAUSED, "1500 ms", 1_001_000),
                note(RESUMED, "2250 ms", 1_002_000),
                note("held", "", 1_003_000),
                note(PAUSED, "6000 ms", 1_009_000),
                ended,
            ];
            assert_eq!(t.store.write_facts(&facts).await.unwrap(), []);
            let pauses = vec![(ms(1_500), Some(ms(2_250))), (ms(6_000), None)];
            let expected = [CallPauses { talked: Some(ms(9_000)), pauses }];
            assert_eq!(t.store.pauses_of(NodeId(0), NAME).await.unwrap(), expected);
        })
        .await;
    }

    #[test]
    fn the_column_is_read_back_as_it_was_written() {
        let all = [Pause { from: ms(0), to: ms(10) }, Pause { from: ms(1_500), to: ms(2_250) }];
        for pauses in [&all[..], &all[..1], &[]] {
            assert_eq!(read(&written(pauses)).unwrap(), pauses);
        }
        for wrong in ["1", "1-", "a-b", "1-2;3-4"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
