//! What a waiting caller is told.

use std::time::Duration;

use crate::speech::Phrase;

/// Beyond this the number of minutes helps nobody.
const LONGEST: Duration = Duration::from_secs(60 * 60);

const LESS_THAN_A_MINUTE: Duration = Duration::from_secs(30);

/// Place in line and estimated wait; only the place when the wait is too long to be an estimate. `callback`: the caller
/// may choose to be called back instead.
#[must_use]
pub fn place_and_wait(position: usize, wait: Duration, callback: bool) -> Vec<Phrase> {
    let mut phrases = vec![Phrase::Position(u32::try_from(position).unwrap_or(u32::MAX))];
    if let Some(minutes) = minutes(wait) {
        phrases.push(Phrase::EstimatedWait { minutes: u32::try_from(minutes).unwrap_or(u32::MAX) });
    }
    phrases.push(if callback { Phrase::CallbackOffer } else { Phrase::StayOnLine });
    phrases
}

/// What a caller understands who hears it: "less than a minute" is half of one. None when no wait is told.
#[must_use]
pub fn told_wait(wait: Duration) -> Option<Duration> {
    minutes(wait).map(|minutes| if minutes == 0 { LESS_THAN_A_MINUTE } else { Duration::from_secs(60 * minutes) })
}

/// Rounded up: a caller who waits less than told is content. Up to half a minute is "less than a minute", which is 0.
fn minutes(wait: Duration) -> Option<u64> {
    let minutes = if wait <= LESS_THAN_A_MINUTE { 0 } else { wait.as_secs().div_ceil(60) };
    (wait <= LONGEST).then_some(minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_rounded_up_and_left_out_when_it_is_hours() {
        let told = |seconds| place_and_wait(3, Duration::from_secs(seconds), false);
        assert!(told(10).contains(&Phrase::EstimatedWait { minutes: 0 }));
        assert!(told(61).contains(&Phrase::EstimatedWait { minutes: 2 }));
        assert_eq!(told_wait(Duration::from_secs(10)), Some(Duration::from_secs(30)));
        assert_eq!(told_wait(Duration::from_secs(61)), Some(Duration::from_secs(120)));
        assert_eq!(told_wait(Duration::from_secs(7200)), None);
        assert_eq!(told(7200), [Phrase::Position(3), Phrase::StayOnLine]);
        assert!(place_and_wait(3, Duration::ZERO, true).contains(&Phrase::CallbackOffer));
    }
}
