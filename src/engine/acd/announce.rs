//! What a waiting caller is told.

use std::time::Duration;

use crate::speech::Phrase;

/// Beyond this the number of minutes helps nobody.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Place in line and estimated wait; only the place when the wait is too long to be an estimate.
#[must_use]
pub fn place_and_wait(position: usize, wait: Duration) -> Vec<Phrase> {
    let mut phrases = vec![Phrase::Position(u32::try_from(position).unwrap_or(u32::MAX))];
    if wait <= LONGEST {
        // Rounded up: a caller who waits less than told is content. Up to half a minute is "less than a minute".
        let minutes = if wait <= Duration::from_secs(30) { 0 } else { wait.as_secs().div_ceil(60) };
        phrases.push(Phrase::EstimatedWait { minutes: u32::try_from(minutes).unwrap_or(u32::MAX) });
    }
    phrases.push(Phrase::StayOnLine);
    phrases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_rounded_up_and_left_out_when_it_is_hours() {
        let told = |seconds| place_and_wait(3, Duration::from_secs(seconds));
        assert!(told(10).contains(&Phrase::EstimatedWait { minutes: 0 }));
        assert!(told(61).contains(&Phrase::EstimatedWait { minutes: 2 }));
        assert_eq!(told(7200), [Phrase::Position(3), Phrase::StayOnLine]);
    }
}
