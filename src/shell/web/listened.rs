//! Which recordings were listened to a moment ago, so that the audit has one line for one listening.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Parts asked for within this time belong to one listening.
const ONE_LISTENING: Duration = Duration::from_secs(600);
/// Remembered at most; beyond that every part has a line.
const MOST: usize = 10_000;

/// Who listened to what lately.
#[derive(Default)]
pub(super) struct Listened {
    lately: Mutex<BTreeMap<(String, i64), Instant>>,
}

impl Listened {
    /// Is this a new listening?
    pub(super) fn is_new(&self, who: &str, recording: i64) -> bool {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (who.to_owned(), recording);
        if lately.get(&key).is_some_and(|at| at.elapsed() < ONE_LISTENING) {
            return false;
        }
        if lately.len() >= MOST {
            lately.retain(|_, at| at.elapsed() < ONE_LISTENING);
        }
        if lately.len() < MOST {
            lately.insert(key, Instant::now());
        }
        true
    }
}
