//! What the engine publishes, spread to every console. Publishing never waits: a console that does not keep up is
//! told to load its picture anew.

use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::engine::command::Update;

/// A busy office makes some hundred updates a second; this is several seconds of them.
const KEPT: usize = 2048;

/// The publisher. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Updates {
    sender: broadcast::Sender<Arc<Update>>,
}

impl Default for Updates {
    fn default() -> Self {
        Updates { sender: broadcast::channel(KEPT).0 }
    }
}

/// One console's end.
pub struct Subscription {
    receiver: broadcast::Receiver<Arc<Update>>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// An update.
    Update(Arc<Update>),
    /// Updates were missed: take a new snapshot.
    Missed,
    /// There will be no more.
    Closed,
}

impl Updates {
    /// Spreads an update to all who listen now.
    pub fn publish(&self, update: Update) {
        if self.sender.receiver_count() == 0 {
            return;
        }
        // An error means that the last listener has just gone.
        let _ = self.sender.send(Arc::new(update));
    }

    /// Everything that is published from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        Subscription { receiver: self.sender.subscribe() }
    }
}

impl Subscription {
    /// Waits for the next one.
    pub async fn next(&mut self) -> Next {
        match self.receiver.recv().await {
            Ok(update) => Next::Update(update),
            Err(RecvError::Lagged(_)) => Next::Missed,
            Err(RecvError::Closed) => Next::Closed,
        }
    }

    /// The next one, if it is there already.
    pub fn next_now(&mut self) -> Option<Next> {
        match self.receiver.try_recv() {
            Ok(update) => Some(Next::Update(update)),
            Err(TryRecvError::Lagged(_)) => Some(Next::Missed),
            Err(TryRecvError::Closed) => Some(Next::Closed),
            Err(TryRecvError::Empty) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::AgentId;

    #[tokio::test]
    async fn a_slow_console_is_told_that_it_missed_something() {
        let updates = Updates::default();
        updates.publish(Update::AgentRemoved(AgentId(0)));
        let mut console = updates.subscribe();
        for agent in 0..=u32::try_from(KEPT).unwrap() {
            updates.publish(Update::AgentRemoved(AgentId(agent)));
        }
        assert_eq!(console.next().await, Next::Missed);
        assert!(matches!(console.next().await, Next::Update(_)));
    }
}
