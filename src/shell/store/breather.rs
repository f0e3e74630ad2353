//! Whoever writes very much in one go lets others write in between. SQLite has no line of writers: those who wait look
//! again after at most 100 ms, and between two transactions that follow each other at once they hardly ever find the
//! door open. A command at the side of a working engine must not keep its journal waiting.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Writing without a break.
const WRITING: Duration = Duration::from_millis(500);
/// Longer than the longest pause of SQLite's own waiting (`sqliteDefaultBusyCallback`: 1, 2, 5 … 100 ms).
const BREAK: Duration = Duration::from_millis(110);

/// The breaks of one who writes much.
pub struct Breather {
    since: Instant,
}

impl Default for Breather {
    fn default() -> Self {
        Breather { since: Instant::now() }
    }
}

impl Breather {
    /// To be called between transactions: breaks off for a moment when it is time.
    pub async fn give_way(&mut self) {
        if self.since.elapsed() >= WRITING {
            sleep(BREAK).await;
            self.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_is_a_break_after_half_a_second_and_none_before() {
        let begun = Instant::now();
        let mut breather = Breather::default();
        breather.give_way().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        tokio::time::advance(WRITING).await;
        breather.give_way().await;
        breather.give_way().await;
        assert_eq!(begun.elapsed(), WRITING + BREAK);
    }
}
