//! Waiting for what must come, never for time to pass.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Looks until `look` gives something; after the deadline the test fails with what was seen last.
#[track_caller]
pub fn wait_for<T>(what: &str, seconds: u64, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        let seen = match look() {
            Ok(found) => return found,
            Err(seen) => seen,
        };
        assert!(Instant::now() < end, "{what}: not within {seconds} s; seen last: {seen}");
        std::thread::sleep(LOOK);
    }
}

/// Looks until a value is as wanted.
#[track_caller]
pub fn wait_until<T: Debug>(what: &str, seconds: u64, mut look: impl FnMut() -> T, wanted: impl Fn(&T) -> bool) -> T {
    wait_for(what, seconds, || {
        let seen = look();
        if wanted(&seen) { Ok(seen) } else { Err(format!("{seen:?}")) }
    })
}

/// Looks on for so long: it must stay as wanted.
#[track_caller]
pub fn stays<T: Debug>(what: &str, span: Duration, mut look: impl FnMut() -> T, wanted: impl Fn(&T) -> bool) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        let seen = look();
        assert!(wanted(&seen), "{what}: no longer so: {seen:?}");
        std::thread::sleep(LOOK);
    }
}
