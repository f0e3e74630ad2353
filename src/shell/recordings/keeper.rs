//! The night's work: recordings past their time are taken out, and the whole archive is compared with its checksums.
//! Besides, gaps are counted all day long, for the metrics and the wallboard.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::collect::WORDLESS;
use super::erase::remove_erased;
use super::stats::ArchiveStats;
use super::vault::Vault;
use super::verify::verify;
use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::store::recording_checks::Gaps;
use crate::shell::store::recording_keeping::KeepDays;
use crate::shell::store::{self, Store};

const EVERY: Duration = Duration::from_secs(60);
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// An engine that is started so long after the hour does the night's work late; after that it is day.
const NIGHT_HOURS: i64 = 3;
/// A talk that ended this long ago has its recording, or something is wrong.
const SETTLED_MS: i64 = 15 * 60 * 1000;
/// Gaps are looked for among the calls of so many days: older ones were seen to.
const LOOK_BACK_DAYS: i64 = 7;

/// What the keeper is told.
#[derive(Clone, Copy, Debug)]
pub struct Keeping {
    /// The hour of the office's clock at which the night's work begins; `None`: never by itself.
    pub night_hour: Option<u8>,
    /// How far that clock is ahead of UTC.
    pub utc_offset_minutes: i32,
    /// For how long recordings are kept.
    pub keep: KeepDays,
}

/// Spawns the keeper; it ends when the token is cancelled.
pub fn start(store: Store, vault: Vault, keeping: Keeping, stats: Arc<ArchiveStats>, cancel: CancellationToken) {
    tokio::spawn(async move {
        match store.last_recording_check().await {
            Ok(check) => stats.checked(check),
            Err(cause) => warn!(%cause, "the last check of the archive could not be read"),
        }
        let mut minutes = interval(EVERY);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let work = async {
            loop {
                minutes.tick().await;
                turn(&store, &vault, keeping, &stats).await;
            }
        };
        cancel.run_until_cancelled(work).await;
    });
}

/// The gaps that are to be seen to now.
///
/// # Errors
/// When the database does not answer.
pub async fn gaps(store: &Store) -> store::Result<Gaps> {
    let now = clock::wall().0;
    store.recording_gaps(Wall(now - LOOK_BACK_DAYS * DAY_MS), Wall(now - SETTLED_MS), WORDLESS).await
}

async fn turn(store: &Store, vault: &Vault, keeping: Keeping, stats: &ArchiveStats) {
    match gaps(store).await {
        Ok(gaps) => stats.gaps(gaps.all()),
        Err(cause) => warn!(%cause, "talks without a recording could not be counted"),
    }
    let last = stats.last_check().map(|check| check.begun);
    if !is_due(keeping, last, clock::wall()) {
        return;
    }
    match store.expire_recordings(keeping.keep, clock::wall()).await {
        Ok(0) => {}
        Ok(count) => info!(count, "recordings past their time are deleted"),
        Err(cause) => error!(%cause, "recordings past their time could not be looked for; tried again in a minute"),
    }
    if let Err(cause) = remove_erased(store, vault).await {
        warn!(%cause, "files of deleted recordings are removed later");
    }
    let told = |checked: &super::Checked, problem: &super::Problem| {
        error!(recording = checked.recording, call = %checked.call, "{problem}");
    };
    match verify(store, vault, told).await {
        Ok(check) => {
            info!(checked = check.checked, damaged = check.bad(), "the archive of recordings is checked");
            stats.checked(Some(check));
        }
        Err(cause) => error!(%cause, "the archive of recordings could not be checked; tried again in a minute"),
    }
}

/// It is night at the office, and this night's work is not done.
fn is_due(keeping: Keeping, last: Option<Wall>, now: Wall) -> bool {
    let Some(hour) = keeping.night_hour else { return false };
    // Days that begin with the night's hour.
    let shift = i64::from(keeping.utc_offset_minutes) * 60_000 - i64::from(hour) * HOUR_MS;
    let local = |wall: Wall| wall.0.saturating_add(shift);
    let begun = local(now).rem_euclid(DAY_MS) < NIGHT_HOURS * HOUR_MS;
    begun && last.is_none_or(|last| local(last).div_euclid(DAY_MS) < local(now).div_euclid(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nights_work_is_done_once_a_night_by_the_offices_clock() {
        let keeping = Keeping { night_hour: Some(4), utc_offset_minutes: 180, keep: KeepDays::default() };
        // 2026-01-01 00:00 UTC is three o'clock at the office.
        let at = |minutes: i64| Wall(1_767_225_600_000 + minutes * 60_000);
        assert!(!is_due(keeping, None, at(59)));
        assert!(is_due(keeping, None, at(60)));
        assert!(is_due(keeping, Some(at(-60)), at(60)));
        assert!(!is_due(keeping, Some(at(60)), at(61)));
        assert!(is_due(keeping, Some(at(60 - 1440)), at(200)));
        assert!(!is_due(keeping, Some(at(60 - 1440)), at(60 + 181)));
        assert!(!is_due(Keeping { night_hour: None, ..keeping }, None, at(60)));
    }
}
