//! Parts of one SMS that come in one by one, in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::super::Incoming;
use super::message::Part;

/// What has not come by then will not come: people shall read what there is.
const PATIENCE: Duration = Duration::from_secs(120);
/// SMS that wait for parts at once; with more the oldest are given as they are.
const MOST: usize = 200;

/// From whom, under which reference, of how many.
type Key = (String, u16, u8);

struct Waiting {
    texts: BTreeMap<u8, String>,
    since: Instant,
}

/// SMS of which parts are missing.
#[derive(Default)]
pub(super) struct Joiner {
    waiting: BTreeMap<Key, Waiting>,
}

impl Joiner {
    /// Takes a part; gives the SMS once it is whole.
    pub(super) fn add(&mut self, part: Part, now: Instant) -> Option<Incoming> {
        let Some(of) = part.of else { return Some(whole(part.from, part.text)) };
        let key = (part.from, of.reference, of.total);
        let waiting = self.waiting.entry(key.clone()).or_insert_with(|| Waiting { texts: BTreeMap::new(), since: now });
        waiting.texts.insert(of.number, part.text);
        if waiting.texts.len() < usize::from(of.total) {
            return None;
        }
        let waiting = self.waiting.remove(&key)?;
        Some(whole(key.0, waiting.texts.into_values().collect()))
    }

    /// What waited too long, with what there is of it.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<Incoming> {
        let mut keys: Vec<_> = self.waiting.iter().map(|(key, waiting)| (waiting.since, key.clone())).collect();
        keys.sort();
        let beyond = keys.len().saturating_sub(MOST);
        let late = keys.into_iter().enumerate();
        let late = late.filter(|(at, (since, _))| *at < beyond || now.duration_since(*since) >= PATIENCE);
        let late: Vec<Key> = late.map(|(_, (_, key))| key).collect();
        late.into_iter()
            .filter_map(|key| Some((self.waiting.remove(&key)?, key.0)))
            .map(|(waiting, from)| whole(from, waiting.texts.into_values().collect::<Vec<_>>().join(" … ")))
            .collect()
    }
}

fn whole(from: String, text: String) -> Incoming {
    Incoming { from, text, id: String::new() }
}

#[cfg(test)]
mod tests {
    use super::super::message::PartOf;
    use super::*;

    fn part(reference: u16, number: u8, text: &str) -> Part {
        Part { from: "+79001234567".into(), text: text.into(), of: Some(PartOf { reference, total: 2, number }) }
    }

    #[test]
    fn parts_are_joined_in_their_order_and_what_never_comes_is_not_waited_for_for_ever() {
        let (mut joiner, start) = (Joiner::default(), Instant::now());
        assert_eq!(joiner.add(part(1, 2, "машина?"), start), None);
        assert_eq!(joiner.add(part(2, 1, "Другое"), start), None);
        assert_eq!(joiner.add(part(1, 2, "машина?"), start), None);
        assert_eq!(joiner.add(part(1, 1, "Где "), start).unwrap().text, "Где машина?");
        assert_eq!(joiner.overdue(start + PATIENCE - Duration::from_millis(1)), []);
        assert_eq!(joiner.overdue(start + PATIENCE).pop().unwrap().text, "Другое");
        let alone = Part { from: "1".into(), text: "x".into(), of: None };
        assert_eq!(joiner.add(alone, start).unwrap().text, "x");
    }
}
