//! Channels that we make come into the application a moment after Asterisk says that they are there. What is asked of
//! them before is refused, and on a busy machine asked and refused several times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::engine::ids::ChannelId;

/// Longer it is not waited for: the event may have been lost with the socket.
const LONGEST: Duration = Duration::from_millis(20);

/// Who waits for which channel of ours to come into the application.
#[derive(Default)]
pub(super) struct Entrances {
    awaited: Mutex<BTreeMap<ChannelId, Arc<Notify>>>,
}

impl Entrances {
    /// From now on the entrance of this channel is noticed. To be called before the channel is asked for.
    pub(super) fn await_one(&self, channel: &ChannelId) -> Entrance<'_> {
        let came = Arc::new(Notify::new());
        self.lock().insert(channel.clone(), came.clone());
        Entrance { entrances: self, channel: channel.clone(), came }
    }

    /// The channel has come into the application.
    pub(super) fn came(&self, channel: &ChannelId) {
        if let Some(awaited) = self.lock().get(channel) {
            awaited.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChannelId, Arc<Notify>>> {
        // Nothing panics while it is held.
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An entrance that is waited for; forgotten when dropped.
pub(super) struct Entrance<'a> {
    entrances: &'a Entrances,
    channel: ChannelId,
    came: Arc<Notify>,
}

impl Entrance<'_> {
    /// Waits until the channel has come, or for a moment.
    pub(super) async fn wait(&self) {
        // Without the event the request itself finds out.
        let _ = timeout(LONGEST, self.came.notified()).await;
    }
}

impl Drop for Entrance<'_> {
    fn drop(&mut self) {
        self.entrances.lock().remove(&self.channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_channel_that_came_before_anybody_waited_is_not_waited_for_and_none_is_remembered() {
        let entrances = Entrances::default();
        let (early, never) = (ChannelId::from("early"), ChannelId::from("never"));
        let entrance = entrances.await_one(&early);
        entrances.came(&early);
        entrances.came(&ChannelId::from("another"));
        let begun = tokio::time::Instant::now();
        entrance.wait().await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        entrances.await_one(&never).wait().await;
        assert_eq!(begun.elapsed(), LONGEST);
        drop(entrance);
        assert!(entrances.lock().is_empty());
    }
}
