//! How long a caller will wait.

use std::time::Duration;

/// Assumed length of a talk with its after-call work before any was measured.
const FIRST_GUESS: f64 = 120.0;
/// Weight of the newest talk: the mean follows the last twenty or so.
const WEIGHT: f64 = 0.1;

/// Estimated wait of one queue: callers before, times the mean handling time, over the agents who handle them. This is
/// the mean wait of a saturated M/M/c queue for one who finds that many before; the handling time is an exponentially
/// weighted moving average.
#[derive(Clone, Debug)]
pub struct Estimate {
    handling_seconds: f64,
}

impl Default for Estimate {
    fn default() -> Self {
        Estimate { handling_seconds: FIRST_GUESS }
    }
}

impl Estimate {
    /// Learns from one call handled: talk and after-call work.
    pub fn handled(&mut self, took: Duration) {
        self.handling_seconds += WEIGHT * (took.as_secs_f64() - self.handling_seconds);
    }

    /// The wait of a caller at `position` (from 1) with `agents` at work.
    #[must_use]
    pub fn wait(&self, position: usize, agents: usize) -> Duration {
        let seconds = self.handling_seconds * position as f64 / agents.max(1) as f64;
        Duration::from_secs_f64(seconds.clamp(0.0, 24.0 * 3600.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_agents_halve_the_wait() {
        let estimate = Estimate::default();
        assert_eq!(estimate.wait(4, 1), estimate.wait(4, 2) * 2);
        assert_eq!(estimate.wait(4, 0), estimate.wait(4, 1));
    }

    #[test]
    fn the_estimate_follows_the_talks() {
        let mut estimate = Estimate::default();
        for _ in 0..200 {
            estimate.handled(Duration::from_secs(30));
        }
        assert!(estimate.wait(1, 1).abs_diff(Duration::from_secs(30)) < Duration::from_secs(1));
    }
}
