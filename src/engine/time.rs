//! The core's own clock readings: it never asks a clock, it is told.

use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

pub use crate::domain::time::Wall;

/// A monotonic moment in microseconds. The zero is arbitrary; moments before it are negative, so that a moment
/// recovered from the wall clock (a caller who has waited since before the engine started) needs no special case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

/// One stamp of both clocks, made by the driver for every event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Measures spans and deadlines.
    pub mono: Instant,
    /// Goes into journals and over restarts.
    pub wall: Wall,
}

impl Now {
    /// The monotonic moment that a wall-clock moment corresponds to, judged by this stamp. Moments in the future
    /// (a clock that was set back) count as now.
    #[must_use]
    pub fn instant_of(self, wall: Wall) -> Instant {
        let ago_ms = self.wall.0.saturating_sub(wall.0).max(0);
        Instant(self.mono.0.saturating_sub(ago_ms.saturating_mul(1000)))
    }

    /// The wall-clock moment that a monotonic moment corresponds to, judged by this stamp.
    #[must_use]
    pub fn wall_of(self, instant: Instant) -> Wall {
        Wall(self.wall.0.saturating_add(instant.0.saturating_sub(self.mono.0) / 1000))
    }
}

impl Instant {
    /// The span from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Instant) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(micros(span)))
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, span: Duration) -> Instant {
        Instant(self.0.saturating_sub(micros(span)))
    }
}

impl AddAssign<Duration> for Now {
    fn add_assign(&mut self, span: Duration) {
        self.mono = self.mono + span;
        self.wall = Wall(self.wall.0.saturating_add(micros(span) / 1000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_the_start_is_recovered_from_the_wall_clock() {
        let now = Now { mono: Instant(5_000_000), wall: Wall(100_000) };
        let entered = now.instant_of(Wall(40_000));
        assert_eq!(now.mono.since(entered), Duration::from_secs(60));
        assert_eq!(now.wall_of(entered), Wall(40_000));
    }

    #[test]
    fn a_wall_clock_moment_in_the_future_counts_as_now() {
        let now = Now { mono: Instant(5), wall: Wall(100) };
        assert_eq!(now.instant_of(Wall(900)), Instant(5));
    }
}
