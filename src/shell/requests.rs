//! Questions to the engine and their answers: what stands between web handlers (many tasks) and the driver (one loop).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::engine::command::{Answer, Denied};
use crate::engine::event::{Actor, Event, Request};
use crate::engine::ids::RequestId;

/// The engine answers in microseconds; one that does not answer in this time is in trouble.
const DEADLINE: Duration = Duration::from_secs(3);

/// Questions at once. More means that the engine does not keep up.
const MOST_PENDING: usize = 1024;

/// Asks the engine. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Requests {
    events: mpsc::Sender<Event>,
    pending: Arc<Pending>,
}

#[derive(Default)]
struct Pending {
    last: AtomicU64,
    waiting: Mutex<BTreeMap<RequestId, oneshot::Sender<Result<Answer, Denied>>>>,
}

/// Why there is no answer, or not the wanted one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The engine will not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Too many questions are open already.
    #[error("the engine is busy; try again in a moment")]
    Busy,
    /// No answer in time. It may or may not have been done.
    #[error("the engine gave no answer within {} s; look at the state before you try again", DEADLINE.as_secs())]
    TimedOut,
    /// The engine is being stopped.
    #[error("the engine is being stopped")]
    Stopped,
}

impl Requests {
    /// Questions go into `events`; the driver hands answers to [`answered`](Self::answered).
    #[must_use]
    pub fn new(events: mpsc::Sender<Event>) -> Requests {
        Requests { events, pending: Arc::default() }
    }

    /// Asks, and waits for the answer.
    pub async fn ask(&self, by: Actor, what: Request) -> Result<Answer, AskError> {
        let id = RequestId(self.pending.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (answer, answered) = oneshot::channel();
        {
            let mut waiting = self.pending.lock();
            if waiting.len() >= MOST_PENDING {
                return Err(AskError::Busy);
            }
            waiting.insert(id, answer);
        }
        // Also when this future is dropped half-way because the client went away.
        let _forget = Forget { pending: &self.pending, id };
        let asking = async {
            self.events.send(Event::Request { id, by, what }).await.map_err(|_| AskError::Stopped)?;
            answered.await.map_err(|_| AskError::Stopped)?.map_err(AskError::Denied)
        };
        tokio::time::timeout(DEADLINE, asking).await.unwrap_or(Err(AskError::TimedOut))
    }

    /// Tells the engine something that it does not answer.
    pub async fn tell(&self, event: Event) -> Result<(), AskError> {
        match tokio::time::timeout(DEADLINE, self.events.send(event)).await {
            Ok(sent) => sent.map_err(|_| AskError::Stopped),
            Err(_) => Err(AskError::Busy),
        }
    }

    /// Hands on an answer. One that nobody waits for any more is dropped.
    pub fn answered(&self, request: RequestId, result: Result<Answer, Denied>) {
        let waiting = self.pending.lock().remove(&request);
        if let Some(waiting) = waiting {
            // The one who asked may have gone meanwhile.
            let _ = waiting.send(result);
        }
    }
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RequestId, oneshot::Sender<Result<Answer, Denied>>>> {
        // Nothing in the critical sections can leave the map half-changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Forget<'a> {
    pending: &'a Pending,
    id: RequestId,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::CallId;

    fn by() -> Actor {
        Actor::Person("anna".to_owned())
    }

    #[tokio::test]
    async fn the_answer_reaches_the_one_who_asked() {
        let (events, mut asked) = mpsc::channel(8);
        let requests = Requests::new(events);
        let engine = requests.clone();
        tokio::spawn(async move {
            let mut open = Vec::new();
            while open.len() < 2 {
                if let Some(Event::Request { id, what, .. }) = asked.recv().await {
                    open.push((id, what));
                }
            }
            for (id, what) in open.into_iter().rev() {
                let answer = match what {
                    Request::Hold(call) => Err(Denied::NoSuchCall(call)),
                    _ => Ok(Answer::Done),
                };
                engine.answered(id, answer.clone());
                engine.answered(id, answer);
            }
        });
        let (held, ended) =
            tokio::join!(requests.ask(by(), Request::Hold(CallId(7))), requests.ask(by(), Request::HangUp(CallId(7))),);
        assert_eq!(held, Err(AskError::Denied(Denied::NoSuchCall(CallId(7)))));
        assert_eq!(ended, Ok(Answer::Done));
        assert!(requests.pending.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_does_not_answer_or_take_questions_is_not_waited_for() {
        let (events, _asked) = mpsc::channel(1);
        let requests = Requests::new(events);
        assert_eq!(requests.ask(by(), Request::ViewQueue).await, Err(AskError::TimedOut));
        // The channel is full now.
        assert_eq!(requests.ask(by(), Request::ViewQueue).await, Err(AskError::TimedOut));
        assert_eq!(requests.tell(Event::Wake).await, Err(AskError::Busy));
        assert!(requests.pending.lock().is_empty());
    }

    #[tokio::test]
    async fn a_stopped_engine_is_told_at_once() {
        let (events, asked) = mpsc::channel(1);
        let requests = Requests::new(events);
        drop(asked);
        assert_eq!(requests.ask(by(), Request::ViewQueue).await, Err(AskError::Stopped));
    }

    #[tokio::test]
    async fn open_questions_are_bounded() {
        let (events, mut asked) = mpsc::channel(1);
        let requests = Requests::new(events);
        let mut open = Vec::new();
        for _ in 0..MOST_PENDING {
            let requests = requests.clone();
            open.push(tokio::spawn(async move { requests.ask(by(), Request::ViewQueue).await }));
            asked.recv().await.unwrap();
        }
        assert_eq!(requests.ask(by(), Request::ViewQueue).await, Err(AskError::Busy));
        open.iter().for_each(tokio::task::JoinHandle::abort);
        for one in open {
            let _ = one.await;
        }
        assert!(requests.pending.lock().is_empty(), "a client that went away leaves nothing behind");
    }
}
