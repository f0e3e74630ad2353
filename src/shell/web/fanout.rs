//! Spreads what the engine publishes over the consoles. Who may see it is decided, and the message written, once for all
//! of them; a console is woken only for what it shows. With no console open, nothing is done.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::domain::contact::Person;
use crate::domain::ids::{ClientId, ContactId, OrderId};
use crate::engine::command::Update;
use crate::engine::ids::{AgentId, CallId, CallbackId};
use crate::shell::updates::{Next, Subscription};

use super::WebState;
use super::dto::{AgentNow, CallNow, QueueBoard};
use super::queue::ask_calls;
use super::stream::{NodeNow, StreamMessage};

/// Messages kept for a console that does not keep up: several seconds of a busy office.
const KEPT: usize = 2048;
/// What happens within this time is told together: a console is not woken for each of some hundred updates a second.
/// The card of a caller is on the screen within 100 ms all the same.
const TOGETHER: Duration = Duration::from_millis(30);
/// What only says that a list has changed (orders, clients, callbacks, contacts) is told together within this time.
const LISTS: Duration = Duration::from_millis(250);
/// Counts of the queue are told this often at most.
const COUNTS: Duration = Duration::from_secs(1);

/// A message in JSON without its opening brace: the console puts its number before it.
pub(super) type Told = Arc<str>;

/// Where consoles listen.
#[derive(Default)]
pub(super) struct Fanout {
    ends: Mutex<Ends>,
    /// The first console has come.
    first: Notify,
}

#[derive(Default)]
struct Ends {
    consoles: BTreeMap<u64, Arc<End>>,
    next: u64,
    /// Somebody spreads, or will as soon as it is awake.
    spreading: bool,
    /// What the first console began; it lies here until the spreader takes it.
    begun: Option<Subscription>,
}

/// A console, as the spreader sees it.
struct End {
    /// An agent, who sees the own calls only.
    only: Option<AgentId>,
    /// Is told who hears which talk.
    monitors: bool,
    persons: Vec<Person>,
    told: mpsc::Sender<Told>,
    /// It did not keep up, or the spreader did not: the whole picture is needed.
    missed: AtomicBool,
}

/// A console's own end.
pub(super) struct Ear {
    state: WebState,
    number: u64,
    end: Arc<End>,
    told: mpsc::Receiver<Told>,
}

/// What a console is to do next.
pub(super) enum Heard {
    /// Tell this.
    Message(Told),
    /// Something was missed: tell the whole picture.
    Missed,
}

impl Ear {
    /// Everything from now on that a console of these persons shows; without an agent, of somebody who sees all calls.
    pub(super) fn new(state: &WebState, only: Option<AgentId>, monitors: bool, persons: Vec<Person>) -> Ear {
        let (sender, told) = mpsc::channel(KEPT);
        let end = Arc::new(End { only, monitors, persons, told: sender, missed: AtomicBool::new(false) });
        let mut ends = state.fanout.lock();
        let number = ends.next;
        ends.next += 1;
        ends.consoles.insert(number, end.clone());
        if !ends.spreading {
            ends.spreading = true;
            ends.begun = Some(state.updates.subscribe());
            state.fanout.first.notify_one();
        }
        drop(ends);
        Ear { state: state.clone(), number, end, told }
    }

    /// Waits for the next one; `None` when there will be no more.
    pub(super) async fn next(&mut self) -> Option<Heard> {
        let told = self.told.recv().await?;
        Some(self.heard(told))
    }

    /// The next one, if it is there already.
    pub(super) fn next_now(&mut self) -> Option<Heard> {
        let told = self.told.try_recv().ok()?;
        Some(self.heard(told))
    }

    fn heard(&mut self, told: Told) -> Heard {
        if !self.end.missed.swap(false, Ordering::AcqRel) {
            return Heard::Message(told);
        }
        // The picture that follows has all this in it.
        while self.told.try_recv().is_ok() {}
        Heard::Missed
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.state.fanout.lock().consoles.remove(&self.number);
    }
}

impl End {
    fn tell(&self, told: &Told) {
        if self.told.try_send(told.clone()).is_err() {
            self.missed.store(true, Ordering::Release);
        }
    }
}

impl Fanout {
    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the first console began, when there is one.
    async fn begun(&self) -> Subscription {
        loop {
            if let Some(begun) = self.lock().begun.take() {
                return begun;
            }
            self.first.notified().await;
        }
    }

    /// Nobody listens any more; the next one begins anew.
    fn over(&self) -> bool {
        let mut ends = self.lock();
        if ends.consoles.is_empty() {
            ends.spreading = false;
        }
        !ends.spreading
    }

    /// Tells the message to the consoles chosen; it is written only if there is one.
    fn tell(&self, chosen: impl Fn(&End) -> bool, message: impl FnOnce() -> StreamMessage) {
        let ends = self.lock();
        let mut chosen = ends.consoles.values().filter(|end| chosen(end)).peekable();
        if chosen.peek().is_some()
            && let Some(told) = written(&message())
        {
            chosen.for_each(|end| end.tell(&told));
        }
    }

    /// Each console takes the whole picture anew.
    fn all_missed(&self) {
        let nothing: Told = Arc::from("");
        for end in self.lock().consoles.values() {
            end.missed.store(true, Ordering::Release);
            // Only to wake it; where there is no room it is awake.
            let _ = end.told.try_send(nothing.clone());
        }
    }
}

/// The message without its opening brace.
fn written(message: &StreamMessage) -> Option<Told> {
    match serde_json::to_string(message) {
        Ok(text) => text.strip_prefix('{').map(Arc::from),
        Err(cause) => {
            tracing::error!(%cause, "a message for consoles cannot be written as JSON");
            None
        }
    }
}

/// What a list shows: of several changes only the last is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Order(OrderId),
    Client(ClientId),
    Callback(CallbackId),
    Contact(ContactId),
}

/// The one who spreads.
struct Spreader {
    state: WebState,
    /// Which agents were told of which call.
    concerned: BTreeMap<CallId, BTreeSet<AgentId>>,
    lists: BTreeMap<Row, StreamMessage>,
    lists_due: Option<Instant>,
    counts_due: Option<Instant>,
    counted: Instant,
}

/// Spreads until the engine stops. One task for all consoles.
pub fn tell_consoles(state: WebState) -> impl Future<Output = ()> {
    let cancel = state.cancel.clone();
    async move {
        let spreading = async {
            loop {
                let mut subscription = state.fanout.begun().await;
                Spreader::new(state.clone()).run(&mut subscription).await;
            }
        };
        let _: Option<()> = cancel.run_until_cancelled(spreading).await;
    }
}

impl Spreader {
    fn new(state: WebState) -> Spreader {
        Spreader {
            state,
            concerned: BTreeMap::new(),
            lists: BTreeMap::new(),
            lists_due: None,
            counts_due: None,
            counted: Instant::now(),
        }
    }

    async fn run(&mut self, subscription: &mut Subscription) {
        self.learn().await;
        let mut rest = Instant::now();
        while !self.state.fanout.over() {
            tokio::select! {
                next = after(rest, subscription) => {
                    let mut next = Some(next);
                    while let Some(one) = next {
                        match one {
                            Next::Update(update) => self.spread(&update),
                            Next::Missed => {
                                self.learn().await;
                                self.state.fanout.all_missed();
                            }
                            Next::Closed => return,
                        }
                        next = subscription.next_now();
                    }
                    rest = Instant::now() + TOGETHER;
                }
                () = due(self.lists_due) => {
                    self.lists_due = None;
                    for (_, message) in std::mem::take(&mut self.lists) {
                        self.state.fanout.tell(|_| true, || message);
                    }
                }
                () = due(self.counts_due) => {
                    self.counts_due = None;
                    self.counted = Instant::now();
                    self.count().await;
                }
            }
        }
    }

    /// Whom the present calls concern. What is published meanwhile is told afterwards, so that nothing falls between.
    async fn learn(&mut self) {
        // An engine that does not answer gives no picture to consoles either: they come again.
        if let Ok(calls) = ask_calls(&self.state.requests).await {
            self.concerned = calls.iter().map(|call| (call.call, call.agents.iter().copied().collect())).collect();
        }
    }

    async fn count(&self) {
        // An engine that is late with its answer: the next change tells.
        if let Ok(view) = self.state.board.view(&self.state.requests, COUNTS / 2).await {
            let queues = QueueBoard::counts(&view);
            self.state.fanout.tell(|_| true, || StreamMessage::Queue { waiting_total: view.waiting_total, queues });
        }
    }

    fn counts_changed(&mut self) {
        let due = self.counted + COUNTS;
        self.counts_due.get_or_insert_with(|| due.max(Instant::now()));
    }

    fn list(&mut self, row: Row, message: StreamMessage) {
        self.lists.insert(row, message);
        self.lists_due.get_or_insert_with(|| Instant::now() + LISTS);
    }

    /// Tells those who see all calls, and these agents.
    fn calls(&self, agents: &BTreeSet<AgentId>, message: impl FnOnce() -> StreamMessage) {
        self.state.fanout.tell(|end| end.only.is_none_or(|me| agents.contains(&me)), message);
    }

    fn spread(&mut self, update: &Update) {
        match update {
            Update::Offer { agent, call } => self.calls(&[*agent].into(), || StreamMessage::Offer {
                agent: agent.0,
                call: CallNow::of(call, &self.state),
            }),
            Update::OfferEnded { agent, call, outcome } => self.calls(&[*agent].into(), || StreamMessage::OfferEnded {
                agent: agent.0,
                call: call.to_string(),
                outcome: outcome.as_str(),
            }),
            Update::Agent(view) => {
                self.calls(&[view.agent].into(), || StreamMessage::Agent { agent: AgentNow::of(view) });
            }
            Update::AgentRemoved(agent) => {
                self.calls(&[*agent].into(), || StreamMessage::AgentRemoved { agent: agent.0 });
            }
            Update::Call(view) => {
                self.counts_changed();
                let now: BTreeSet<AgentId> = view.agents.iter().copied().collect();
                let before = self.concerned.insert(view.call, now.clone()).unwrap_or_default();
                let left = |end: &End| end.only.is_some_and(|me| before.contains(&me) && !now.contains(&me));
                self.state.fanout.tell(left, || StreamMessage::CallLeft { call: view.call.to_string() });
                let seen = |end: &End| end.only.is_none_or(|me| now.contains(&me));
                let told = |end: &End, monitors: bool| seen(end) && end.monitors == monitors;
                self.state.fanout.tell(
                    |end| told(end, true),
                    || StreamMessage::Call { call: CallNow::monitored(view, &self.state) },
                );
                self.state
                    .fanout
                    .tell(|end| told(end, false), || StreamMessage::Call { call: CallNow::of(view, &self.state) });
            }
            Update::CallEnded { call, disposition } => {
                self.counts_changed();
                let agents = self.concerned.remove(call).unwrap_or_default();
                self.calls(&agents, || StreamMessage::CallEnded {
                    call: call.to_string(),
                    disposition: disposition.as_str(),
                });
            }
            Update::Node { node, up } => self.calls(&BTreeSet::new(), || StreamMessage::Node {
                node: NodeNow { name: self.state.node_name(*node), connected: *up },
            }),
            Update::Order { order, client, version, state } => {
                let message = StreamMessage::Order { order: *order, client: *client, version: *version, state: *state };
                self.list(Row::Order(*order), message);
            }
            Update::Client { client, version } => {
                self.list(Row::Client(*client), StreamMessage::Client { client: *client, version: *version });
            }
            Update::Callback { callback } => {
                self.list(Row::Callback(*callback), StreamMessage::Callback { callback: callback.0 });
            }
            Update::Contact { contact, client, version, state } => {
                let message =
                    StreamMessage::Contact { contact: *contact, client: *client, version: *version, state: *state };
                self.list(Row::Contact(*contact), message);
            }
            Update::Notification { notification, person, contact, why, open } => {
                let (notification, contact, open) = (*notification, *contact, *open);
                let message = || StreamMessage::Notification { notification, contact, why, open };
                self.state.fanout.tell(|end| end.persons.contains(person), message);
            }
        }
    }
}

/// The next update, but none before this moment: who does not wait is not woken.
async fn after(rest: Instant, subscription: &mut Subscription) -> Next {
    sleep_until(rest).await;
    subscription.next().await
}

/// At this moment; never without one.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
