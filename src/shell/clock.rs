//! The clocks, read in one place.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::engine::time::{Instant, Now, Wall};

/// Stamps events. The monotonic zero is the moment of its making.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: tokio::time::Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { zero: tokio::time::Instant::now() }
    }
}

impl Clock {
    /// Both clocks now.
    #[must_use]
    pub fn now(&self) -> Now {
        let micros = i64::try_from(self.zero.elapsed().as_micros()).unwrap_or(i64::MAX);
        Now { mono: Instant(micros), wall: wall() }
    }

    /// The runtime's own form of a moment, for sleeping.
    #[must_use]
    pub fn moment(&self, at: Instant) -> tokio::time::Instant {
        self.zero + Duration::from_micros(u64::try_from(at.0).unwrap_or(0))
    }
}

/// The wall clock now.
#[must_use]
pub fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
