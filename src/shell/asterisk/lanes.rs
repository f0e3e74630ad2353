//! Requests of one call go out one after another, in a lane of its own; different calls do not wait for each other. Beside
//! it there is a second lane for what nobody waits for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use crate::engine::command::AriRequest;
use crate::engine::event::{Event, NodeEvent, Refusal, spans};
use crate::engine::ids::{CallId, NodeId};
use crate::shell::voice::Voice;

use super::NodeStats;
use super::encode::{Names, Step, encode};
use super::entrance::Entrances;
use super::rest::{DEADLINE, HttpRequest, Rest, RestError};

/// In one lane: far more than a call ever has.
const LONGEST_LANE: usize = 256;
/// In all lanes together: 20,000 calls with a few each. Beyond it Asterisk has stopped answering.
const MOST_WAITING: usize = 65_536;
/// A step that came too early is sent again so often at once: a round trip is a fraction of a millisecond, and no timer
/// is as short.
const AT_ONCE: u32 = 6;
/// Before it is sent again after that.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Within this, Asterisk answers when it is well (a round trip takes some 3 ms); one that does not has more to do than it
/// can.
const WELL: Duration = Duration::from_millis(500);
/// It is not said more often than this that Asterisk is slow.
const SAY_AGAIN: Duration = Duration::from_secs(1);

/// All lanes of a node.
pub(super) struct Lanes {
    node: NodeId,
    rest: Rest,
    names: Names,
    voice: Voice,
    events: mpsc::Sender<Event>,
    stats: Arc<NodeStats>,
    entrances: Arc<Entrances>,
    waiting: Mutex<Waiting>,
    /// When it was said last that Asterisk is slow.
    said_slow: Mutex<Option<Instant>>,
}

/// Which lane: the call, and whether it is the one [beside](AriRequest::is_beside).
type Lane = (CallId, bool);

/// A lane is in the map exactly while a task serves it.
#[derive(Default)]
struct Waiting {
    lanes: BTreeMap<Lane, VecDeque<AriRequest>>,
    count: usize,
}

impl Lanes {
    pub(super) fn new(
        node: NodeId,
        rest: Rest,
        names: Names,
        voice: Voice,
        events: mpsc::Sender<Event>,
        stats: Arc<NodeStats>,
        entrances: Arc<Entrances>,
    ) -> Lanes {
        let (waiting, said_slow) = (Mutex::default(), Mutex::default());
        Lanes { node, rest, names, voice, events, stats, entrances, waiting, said_slow }
    }

    /// Puts a request in line; gives it back when there is no room.
    pub(super) fn push(lanes: &Arc<Lanes>, call: CallId, request: AriRequest) -> Option<AriRequest> {
        let mut waiting = lanes.lock();
        if waiting.count >= MOST_WAITING {
            return Some(request);
        }
        let lane = (call, request.is_beside());
        match waiting.lanes.get_mut(&lane) {
            Some(line) if line.len() >= LONGEST_LANE => return Some(request),
            Some(line) => line.push_back(request),
            None => {
                waiting.lanes.insert(lane, VecDeque::from([request]));
                tokio::spawn(Lanes::serve(lanes.clone(), lane));
            }
        }
        waiting.count += 1;
        None
    }

    /// Carries out what waits in a lane until it is empty.
    async fn serve(lanes: Arc<Lanes>, lane: Lane) {
        let (call, _) = lane;
        while let Some(request) = lanes.next(lane) {
            lanes.stats.requests.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = lanes.carry_out(&request).await {
                lanes.stats.refused.fetch_add(1, Ordering::Relaxed);
                let text = error.to_string();
                let why = Refusal::from(error);
                // A channel that is gone or going is everyday life: somebody hung up at this moment.
                if matches!(why, Refusal::NotFound | Refusal::Conflict) {
                    debug!(%call, error = text, "Asterisk did not do what was asked");
                } else {
                    warn!(%call, error = text, "Asterisk did not do what was asked");
                }
                if lanes.events.send(Event::Refused { node: lanes.node, call, request, why }).await.is_err() {
                    return;
                }
            }
        }
    }

    fn next(&self, lane: Lane) -> Option<AriRequest> {
        let mut waiting = self.lock();
        let request = waiting.lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        if request.is_some() {
            waiting.count -= 1;
        } else {
            waiting.lanes.remove(&lane);
        }
        request
    }

    async fn carry_out(&self, request: &AriRequest) -> Result<(), RestError> {
        let plan = encode(request, &self.names, &self.media(request).await);
        let mut entrance = None;
        if let AriRequest::Ring { channel, .. }
        | AriRequest::Dial { channel, .. }
        | AriRequest::Snoop { snoop: channel, .. } = request
        {
            entrance = Some(self.entrances.await_one(channel));
        }
        for step in &plan.steps {
            if let Some(entrance) = entrance.as_ref().filter(|_| step.may_be_early) {
                entrance.wait().await;
            }
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

    /// What a playback plays; nothing for any other request. Waits no longer than the voice's deadline.
    async fn media(&self, request: &AriRequest) -> Vec<String> {
        if let AriRequest::Play { phrases, language, .. } = request {
            self.voice.media(phrases, *language).await
        } else {
            Vec::new()
        }
    }

    /// Sends a step, again and again for a moment where Asterisk is not ready for it.
    async fn take(&self, step: &Step) -> Result<Bytes, RestError> {
        let until = Instant::now() + step.request.deadline;
        let mut pause = FIRST_PAUSE;
        let mut sent = 0;
        loop {
            sent += 1;
            match self.send(&step.request).await {
                Err(error) if sent <= AT_ONCE && step.too_early(&error) => {}
                Err(error) if step.too_early(&error) && Instant::now() + pause < until => {
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                result => return result,
            }
        }
    }

    /// Sends it, and tells when Asterisk does not answer as soon as it should.
    async fn send(&self, request: &HttpRequest) -> Result<Bytes, RestError> {
        let sending = self.rest.send(request);
        if request.deadline > DEADLINE {
            // It waits for a channel's own thread: that says nothing about Asterisk as a whole.
            return sending.await;
        }
        tokio::pin!(sending);
        if let Ok(answer) = timeout(WELL, &mut sending).await {
            return answer;
        }
        self.say_slow().await;
        sending.await
    }

    async fn say_slow(&self) {
        let now = Instant::now();
        let before = {
            let mut said = self.said_slow.lock().unwrap_or_else(PoisonError::into_inner);
            if said.is_some_and(|at| now - at < SAY_AGAIN) {
                return;
            }
            said.replace(now)
        };
        if before.is_none_or(|at| now - at > spans::SLOW) {
            warn!(node = self.node.0, "Asterisk answers late: it, or this machine, has more to do than it can");
        }
        // Nobody listens any more: the engine is about to end.
        let _ = self.events.send(Event::Node(self.node, NodeEvent::Slow)).await;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing panics while it is held; if it ever did, the queue itself is still whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake::{Answer, Fake, PATIENCE};
    use super::*;
    use crate::engine::command::HangUpCause;
    use crate::engine::ids::ChannelId;

    struct Rig {
        fake: Fake,
        lanes: Arc<Lanes>,
        events: mpsc::Receiver<Event>,
    }

    impl Rig {
        async fn start() -> Rig {
            let fake = Fake::start().await;
            let rest = Rest::new(&fake.config).unwrap();
            let names = Names { app: "perezvon".to_owned() };
            let (events_in, events) = mpsc::channel(16);
            let lanes = Arc::new(Lanes::new(
                NodeId(0),
                rest,
                names,
                Voice::shipped("/s"),
                events_in,
                Arc::default(),
                Arc::default(),
            ));
            Rig { fake, lanes, events }
        }

        fn push(&self, call: u64, request: AriRequest) {
            assert_eq!(Lanes::push(&self.lanes, CallId(call), request), None);
        }

        async fn refusal(&mut self) -> (CallId, Refusal) {
            loop {
                match tokio::time::timeout(PATIENCE, self.events.recv()).await.expect("no refusal").unwrap() {
                    Event::Refused { call, why, .. } => return (call, why),
                    Event::Node(_, NodeEvent::Slow) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
    }

    fn answer(channel: &str) -> AriRequest {
        AriRequest::Answer(channel.into())
    }

    fn hang_up(channel: &str) -> AriRequest {
        AriRequest::HangUp { channel: channel.into(), cause: HangUpCause::Normal }
    }

    fn ring() -> AriRequest {
        AriRequest::Ring {
            channel: ChannelId::from("leg"),
            dial: "PJSIP/agent-1".to_owned(),
            on_behalf_of: Some("17.1".into()),
            show_number: "1".to_owned(),
            call: CallId(1),
            time_out: Duration::from_secs(15),
        }
    }

    #[tokio::test]
    async fn requests_of_a_call_keep_their_order_and_do_not_hold_up_other_calls() {
        let mut rig = Rig::start().await;
        rig.fake.answer(|request| {
            request.contains("/slow/").then(|| Answer::new(200, "{}").after(Duration::from_millis(300)))
        });
        rig.push(1, answer("slow"));
        rig.push(1, hang_up("after"));
        rig.push(2, hang_up("other"));
        assert_eq!(rig.fake.request("DELETE").await, "DELETE /channels/other?reason_code=16");
        assert_eq!(rig.fake.request("DELETE").await, "DELETE /channels/after?reason_code=16");
        // What is done leaves nothing behind.
        rig.push(3, answer("gone"));
        rig.fake.request("POST /channels/gone").await;
        let empty = async {
            while !rig.lanes.lock().lanes.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, empty).await.unwrap();
        assert_eq!(rig.lanes.lock().count, 0);
    }

    #[tokio::test]
    async fn a_note_that_waits_for_a_prompt_holds_up_nothing_but_the_next_note() {
        let mut rig = Rig::start().await;
        rig.fake.answer(|request| {
            request.contains("/variable").then(|| Answer::new(200, "").after(Duration::from_millis(300)))
        });
        let note = |memo: &str| AriRequest::SetMemo { channel: "17.1".into(), memo: memo.to_owned() };
        rig.push(1, note("first"));
        rig.push(1, note("second"));
        rig.push(1, hang_up("after"));
        let asked = [rig.fake.request("").await, rig.fake.request("").await];
        assert!(asked.contains(&"DELETE /channels/after?reason_code=16".to_owned()), "{asked:?}");
        assert!(asked.iter().any(|text| text.contains("\"first\"")), "{asked:?}");
        assert!(rig.fake.request("").await.contains("\"second\""));
    }

    #[tokio::test]
    async fn each_failure_comes_back_as_what_it_means() {
        let mut rig = Rig::start().await;
        for (status, message, expected) in [
            (404, "Channel not found", Refusal::NotFound),
            (400, "Channel not found", Refusal::NotFound),
            (409, "Channel not in Stasis application", Refusal::Conflict),
            (422, "Channel not in Stasis application", Refusal::Conflict),
            (422, "Not an option", Refusal::Unprocessable("Not an option".to_owned())),
            (500, "Allocation failed", Refusal::Failed("Allocation failed".to_owned())),
        ] {
            rig.fake.answer(move |_| Some(Answer::refusal(status, message)));
            rig.push(7, answer("17.1"));
            assert_eq!(rig.refusal().await, (CallId(7), expected));
        }
        rig.fake.answer(|_| Some(Answer::new(500, r#"{"error":"Allocation failed"}"#)));
        rig.push(7, answer("17.1"));
        assert_eq!(rig.refusal().await, (CallId(7), Refusal::Failed("Allocation failed".to_owned())));
        rig.fake.answer(|_| Some(Answer::new(502, "<html>")));
        rig.push(7, answer("17.1"));
        assert!(matches!(rig.refusal().await, (_, Refusal::Failed(_))));
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_a_time_out_and_the_next_request_goes_on() {
        let mut rig = Rig::start().await;
        rig.fake.answer(|request| request.contains("/stuck").then(|| Answer::new(200, "").after(PATIENCE)));
        rig.push(1, hang_up("stuck"));
        rig.push(1, hang_up("next"));
        assert_eq!(rig.refusal().await, (CallId(1), Refusal::TimedOut));
        rig.fake.request("DELETE /channels/next").await;
    }

    #[tokio::test]
    async fn an_asterisk_that_answers_late_is_told_of_once_a_second_and_one_that_waits_for_a_channel_is_not() {
        let mut rig = Rig::start().await;
        rig.fake.answer(|request| {
            let late = request.contains("/late") || request.contains("/answer");
            late.then(|| Answer::new(200, "{}").after(WELL + Duration::from_millis(100)))
        });
        rig.push(1, answer("17.1"));
        rig.fake.request("POST /channels/17.1/answer").await;
        rig.push(1, hang_up("late"));
        rig.push(2, hang_up("late-too"));
        rig.push(1, hang_up("after"));
        rig.fake.request("DELETE /channels/after").await;
        assert_eq!(rig.events.try_recv(), Ok(Event::Node(NodeId(0), NodeEvent::Slow)));
        assert!(rig.events.try_recv().is_err());
    }

    #[tokio::test]
    async fn without_a_connection_it_is_unreachable() {
        let mut rig = Rig::start().await;
        // A port that was free a moment ago and is closed again.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = super::super::NodeConfig { url: format!("http://127.0.0.1:{port}"), ..rig.fake.config.clone() };
        let names = Names { app: "perezvon".to_owned() };
        let (events_in, events) = mpsc::channel(16);
        rig.lanes = Arc::new(Lanes::new(
            NodeId(0),
            Rest::new(&config).unwrap(),
            names,
            Voice::shipped("/s"),
            events_in,
            Arc::default(),
            Arc::default(),
        ));
        rig.events = events;
        rig.push(1, answer("17.1"));
        assert_eq!(rig.refusal().await, (CallId(1), Refusal::Unreachable));
    }

    #[tokio::test]
    async fn a_channel_that_exists_is_not_dialled_a_second_time() {
        let mut rig = Rig::start().await;
        rig.fake.answer(|request| {
            (request == "POST /channels/create")
                .then(|| Answer::refusal(409, "Channel with given unique ID already exists"))
        });
        rig.push(1, ring());
        rig.push(1, hang_up("done"));
        rig.fake.request("POST /channels/create").await;
        // The very next request is the next in the lane: no dial, and nothing undone.
        assert_eq!(rig.fake.request("").await, "DELETE /channels/done?reason_code=16");
        assert!(rig.events.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_dial_that_comes_too_early_is_sent_again() {
        let mut rig = Rig::start().await;
        let mut early = 3;
        rig.fake.answer(move |request| {
            (request.contains("/dial") && early > 0).then(|| {
                early -= 1;
                Answer::refusal(409, "Channel not in Stasis application")
            })
        });
        rig.push(1, ring());
        rig.push(1, hang_up("done"));
        for _ in 0..4 {
            rig.fake.request("POST /channels/leg/dial").await;
        }
        assert_eq!(rig.fake.request("").await, "DELETE /channels/done?reason_code=16");
        assert!(rig.events.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_leg_that_cannot_be_dialled_is_removed() {
        let mut rig = Rig::start().await;
        rig.fake.answer(|request| {
            request.contains("/dial").then(|| Answer::refusal(409, "Channel is not in the 'Down' state"))
        });
        rig.push(1, ring());
        assert_eq!(rig.refusal().await, (CallId(1), Refusal::Conflict));
        assert_eq!(rig.fake.request("DELETE").await, "DELETE /channels/leg");
    }

    #[tokio::test]
    async fn a_phone_that_is_not_registered_is_no_fault_of_asterisk() {
        let mut rig = Rig::start().await;
        rig.fake.answer(|request| {
            (request == "POST /channels/create").then(|| Answer::new(500, r#"{"error":"Allocation failed"}"#))
        });
        rig.push(1, ring());
        assert!(matches!(rig.refusal().await, (_, Refusal::Unprocessable(_))));
    }

    #[tokio::test]
    async fn a_lane_without_room_gives_the_request_back() {
        let rig = Rig::start().await;
        rig.fake.answer(|_| Some(Answer::new(200, "").after(PATIENCE)));
        let given_back = (0..=LONGEST_LANE).filter_map(|_| Lanes::push(&rig.lanes, CallId(1), answer("17.1"))).next();
        assert_eq!(given_back, Some(answer("17.1")));
        rig.push(2, answer("17.2"));
    }
}
