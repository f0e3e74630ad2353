//! Requests of one call go out one after another, in a lane of its own; different calls do not wait for each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use crate::engine::command::AriRequest;
use crate::engine::event::{Event, Refusal};
use crate::engine::ids::{CallId, NodeId};

use super::NodeStats;
use super::encode::{Names, Step, encode};
use super::rest::{Rest, RestError};

/// In one lane: far more than a call ever has.
const LONGEST_LANE: usize = 256;
/// In all lanes together: 20,000 calls with a few each. Beyond it Asterisk has stopped answering.
const MOST_WAITING: usize = 65_536;
/// Before a step is sent again that came too early.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// All lanes of a node.
pub(super) struct Lanes {
    node: NodeId,
    rest: Rest,
    names: Names,
    events: mpsc::Sender<Event>,
    stats: Arc<NodeStats>,
    waiting: Mutex<Waiting>,
}

/// A call is in the map exactly while a task serves its lane.
#[derive(Default)]
struct Waiting {
    lanes: BTreeMap<CallId, VecDeque<AriRequest>>,
    count: usize,
}

impl Lanes {
    pub(super) fn new(
        node: NodeId,
        rest: Rest,
        names: Names,
        events: mpsc::Sender<Event>,
        stats: Arc<NodeStats>,
    ) -> Lanes {
        Lanes { node, rest, names, events, stats, waiting: Mutex::default() }
    }

    /// Puts a request in line; gives it back when there is no room.
    pub(super) fn push(lanes: &Arc<Lanes>, call: CallId, request: AriRequest) -> Option<AriRequest> {
        let mut waiting = lanes.lock();
        if waiting.count >= MOST_WAITING {
            return Some(request);
        }
        match waiting.lanes.get_mut(&call) {
            Some(lane) if lane.len() >= LONGEST_LANE => return Some(request),
            Some(lane) => lane.push_back(request),
            None => {
                waiting.lanes.insert(call, VecDeque::from([request]));
                tokio::spawn(Lanes::serve(lanes.clone(), call));
            }
        }
        waiting.count += 1;
        None
    }

    /// Carries out what waits in a lane until it is empty.
    async fn serve(lanes: Arc<Lanes>, call: CallId) {
        while let Some(request) = lanes.next(call) {
            lanes.stats.requests.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = lanes.carry_out(&request).await {
                lanes.stats.refused.fetch_add(1, Ordering::Relaxed);
                // A channel that is gone is everyday life: the other party was quicker.
                if error.status() == Some(404) {
                    debug!(%call, %error, "Asterisk did not do what was asked");
                } else {
                    warn!(%call, %error, "Asterisk did not do what was asked");
                }
                let why = Refusal::from(error);
                if lanes.events.send(Event::Refused { node: lanes.node, call, request, why }).await.is_err() {
                    return;
                }
            }
        }
    }

    fn next(&self, call: CallId) -> Option<AriRequest> {
        let mut waiting = self.lock();
        let request = waiting.lanes.get_mut(&call).and_then(VecDeque::pop_front);
        if request.is_some() {
            waiting.count -= 1;
        } else {
            waiting.lanes.remove(&call);
        }
        request
    }

    async fn carry_out(&self, request: &AriRequest) -> Result<(), RestError> {
        let plan = encode(request, &self.names);
        for step in &plan.steps {
            match self.take(step).await {
                Ok(_) => {}
                Err(error) if step.already.is_some() && error.status() == step.already => return Ok(()),
                Err(error) => {
                    if let Some(undo) = &plan.undo {
                        // Best effort: what cannot be undone now is found by the next snapshot.
                        if let Err(left) = self.rest.send(undo).await {
                            debug!(error = %left, "nothing to undo");
                        }
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Sends a step, again and again for a moment where Asterisk is not ready for it.
    async fn take(&self, step: &Step) -> Result<Bytes, RestError> {
        let until = Instant::now() + step.request.deadline;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.rest.send(&step.request).await {
                Err(error) if step.too_early(&error) && Instant::now() + pause < until => {
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                result => return result,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held; if it ever did, the queue itself is still whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
