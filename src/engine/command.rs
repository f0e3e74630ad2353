//! All that the core wants done: one closed enum.

use std::time::Duration;

use crate::domain::contact;
use crate::domain::ids::{ClientId, ContactId, OrderId};
use crate::domain::order;
use crate::speech::{Language, Phrase};

pub use super::answer::{Answer, Denied};
use super::callback::attempt::Outcome;
use super::callback::request::{CallbackEnd, KeptPlace};
use super::event::{Actor, MonitorMode, Note};
use super::ids::{AgentId, BridgeId, CallId, CallbackId, ChannelId, NodeId, PlaybackId, QueueId, RequestId};
use super::time::Wall;
pub use super::view::HangUpCause;
use super::view::{AgentView, CallView, Disposition, OfferOutcome, Status};

/// Something for the shell to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Ask an Asterisk for something. Requests of one call go to one Asterisk in order, one after another; requests of
    /// different calls do not wait for each other. Failure comes back as [`Event::Refused`](super::event::Event::Refused).
    Asterisk {
        /// Which Asterisk.
        node: NodeId,
        /// For which call; requests of no call have [`CallId`] 0.
        call: CallId,
        /// What.
        request: AriRequest,
    },
    /// Look up the caller; the answer is [`Event::CallerLoaded`](super::event::Event::CallerLoaded). The core has a
    /// deadline of its own and goes on without.
    LoadCaller {
        /// For which call.
        call: CallId,
        /// Canonical number; never empty.
        number: String,
        /// The client called, and was not called by the office: it counts on the card, which is made where there is none.
        rang_in: bool,
    },
    /// Cancel an order in the name of its client, who pressed the key; the answer is
    /// [`Event::OrderCancelled`](super::event::Event::OrderCancelled). The core has a deadline of its own.
    CancelOrder {
        /// For which call.
        call: CallId,
        /// Whose order: nobody cancels another's.
        client: ClientId,
        /// Which order.
        order: OrderId,
    },
    /// Write down that this place in a queue is kept for a client who is to be called back; the answer is
    /// [`Event::PlaceKept`](super::event::Event::PlaceKept). The core has a deadline of its own. Of one number at most one
    /// place is kept: a second wish joins the first.
    KeepPlace {
        /// The call in which it is wanted.
        call: CallId,
        /// The number to call, canonical, among the allowed destinations.
        number: String,
        /// Whose it is, if known.
        client: Option<ClientId>,
        /// In which language the client is spoken to.
        language: Language,
        /// Which place.
        place: KeptPlace,
    },
    /// Look for a car again for an order for which none was found, in the name of its client, who pressed the key; the
    /// answer is [`Event::SearchedAgain`](super::event::Event::SearchedAgain). The core has a deadline of its own.
    SearchAgain {
        /// For which call.
        call: CallId,
        /// Whose order.
        client: ClientId,
        /// Which order.
        order: OrderId,
    },
    /// Write to the journal, off the call path, in order, batched.
    Persist(Fact),
    /// Fetch, check and archive the recording of a call that ended, then remove it from Asterisk.
    CollectRecording {
        /// Which Asterisk.
        node: NodeId,
        /// Which call.
        call: CallId,
        /// Name under Asterisk's recording folder, without the ending.
        name: String,
        /// How long the parties were joined; zero when they never were, and then there is nothing to keep.
        talked: Duration,
        /// Nothing more is to be found out: the end of the caller's channel was seen, so that nothing is being written any
        /// more, and the recording was never paused.
        gone: bool,
    },
    /// After (re)connection: look for recordings that no living call needs and collect or remove them.
    SweepRecordings {
        /// Which Asterisk.
        node: NodeId,
        /// Names that living calls still write.
        keep: Vec<String>,
    },
    /// Tell the consoles.
    Publish(Update),
    /// Answer a request.
    Respond {
        /// Which request.
        request: RequestId,
        /// The answer, or why not.
        result: Result<Answer, Denied>,
    },
    /// An impossible state was met and contained; for the log, at level ERROR.
    Alarm {
        /// For which call.
        call: CallId,
        /// What happened and what was done.
        text: String,
    },
}

/// A request to Asterisk's REST interface. Ids of things to make are chosen by the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AriRequest {
    /// Answer the channel.
    Answer(ChannelId),
    /// End the channel, with this Q.850 cause.
    HangUp {
        /// Which channel.
        channel: ChannelId,
        /// Why.
        cause: HangUpCause,
    },
    /// Set the channel variable `PEREZVON`, from which the call is adopted after a restart. Goes out
    /// [beside](Self::is_beside) the other requests.
    SetMemo {
        /// Which channel.
        channel: ChannelId,
        /// ASCII, short.
        memo: String,
    },
    /// Play phrases one after another; the end is [`NodeEvent::PlaybackEnded`](super::event::NodeEvent::PlaybackEnded).
    Play {
        /// To which channel.
        channel: ChannelId,
        /// Id of the playback to make.
        playback: PlaybackId,
        /// What.
        phrases: Vec<Phrase>,
        /// In which language.
        language: Language,
    },
    /// Stop a playback.
    StopPlayback(PlaybackId),
    /// Start music on hold. A playback ends it for good: ask again after [`NodeEvent::PlaybackEnded`](super::event::NodeEvent::PlaybackEnded).
    MusicOn(ChannelId),
    /// Stop music on hold. Needed before [`Join`](AriRequest::Join): Asterisk goes on with the music in the bridge, and
    /// the caller hears it instead of the agent.
    MusicOff(ChannelId),
    /// Let the channel hear ringback.
    RingbackOn(ChannelId),
    /// Stop ringback.
    RingbackOff(ChannelId),
    /// Make a leg and ring it: `POST /channels/create`, then `POST /channels/{id}/dial`.
    Ring {
        /// Id of the channel to make.
        channel: ChannelId,
        /// What to ring, such as `PJSIP/agent-101` or `PJSIP/+7900…@trunk`.
        dial: String,
        /// The caller's channel, which gives caller id and connected line; none where there is no caller yet.
        on_behalf_of: Option<ChannelId>,
        /// The number to show on the phone.
        show_number: String,
        /// The call, for the header `X-Call-Id`.
        call: CallId,
        /// Ring at most so long; the core's own lease is shorter.
        time_out: Duration,
    },
    /// Make a channel to an outside number and ring it; its events are told also while it is in the dialplan, until its
    /// end: `POST /channels/create`, a subscription, `POST /channels/{id}/dial`.
    Dial {
        /// Id of the channel to make.
        channel: ChannelId,
        /// What to ring, such as `PJSIP/+7900…@trunk`.
        dial: String,
        /// The number that is rung.
        number: String,
        /// The number to show there; empty for the trunk's own.
        show_number: String,
        /// The first note on the channel: see [`SetMemo`](AriRequest::SetMemo).
        memo: String,
        /// Ring at most so long; the core's own deadline is shorter.
        time_out: Duration,
    },
    /// Give an outgoing channel that was answered to the dialplan's context `perezvon-outbound`, which finds out who
    /// answered and gives it back: [`Origin::Outgoing`](super::event::Origin::Outgoing).
    Screen {
        /// Which channel.
        channel: ChannelId,
        /// The attempt, which is also the id of the call.
        attempt: CallId,
        /// Find out who answered. Without that the recording is armed, and no more.
        listen: bool,
    },
    /// Make a bridge for two, with a note in its name. One that exists is no error. What it does with the sound follows
    /// from what the id stands for: see [`Own::MixBridge`](super::ids::Own::MixBridge).
    CreateBridge(BridgeId, Option<Note>),
    /// Put channels into a bridge; a channel in another bridge is moved. Asterisk waits for the end of a playback on
    /// them, so stop it first; and see [`MusicOff`](AriRequest::MusicOff). If one of the channels is gone, none is joined.
    Join {
        /// Which bridge.
        bridge: BridgeId,
        /// Which channels.
        channels: Vec<ChannelId>,
    },
    /// Take a channel out of a bridge.
    Part {
        /// Which bridge.
        bridge: BridgeId,
        /// Which channel.
        channel: ChannelId,
    },
    /// Remove a bridge.
    DestroyBridge(BridgeId),
    /// Make a channel that hears both sides of another and is heard there as the mode says, and put it into a bridge. It ends
    /// with the channel that it hears.
    Snoop {
        /// Which channel is heard.
        on: ChannelId,
        /// Id of the channel to make.
        snoop: ChannelId,
        /// Where it goes.
        bridge: BridgeId,
        /// How.
        mode: MonitorMode,
    },
    /// Give the channel back to the dialplan's context `perezvon-fallback`.
    ToFallback {
        /// Whom.
        channel: ChannelId,
        /// The number that the caller dialled, under which the channel comes back; empty when the office called.
        dialled: String,
    },
    /// Set the global variable that tells the fallback dialplan which phones to ring (`PJSIP/a,PJSIP/b`).
    SetFallbackAgents(Vec<String>),
}

impl AriRequest {
    /// Whether it goes out beside the other requests of its call instead of in line with them. A note on a channel waits
    /// until the prompt there is over, and nothing depends on it: who stood behind it would wait for nothing, an agent's
    /// phone that does not ring yet among them.
    pub fn is_beside(&self) -> bool {
        matches!(self, AriRequest::SetMemo { .. })
    }
}

/// A fact for the journal. Written so that writing one twice changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A call arrived, or was found again after a restart (then it may be written already).
    CallArrived {
        /// Which call.
        call: CallId,
        /// On which Asterisk.
        node: NodeId,
        /// The caller's channel, by which a recording is matched.
        channel: ChannelId,
        /// Name of its recording under Asterisk's recording folder.
        recording: String,
        /// Canonical number; empty when hidden.
        number: String,
        /// What was dialled.
        dialled: String,
        /// It came by the fallback dialplan.
        by_fallback: bool,
        /// The office called.
        outgoing: bool,
        /// When.
        at: Wall,
    },
    /// The call entered a queue (again, after a transfer).
    CallQueued {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// The queue's name.
        queue_name: String,
        /// With which priority.
        priority: i16,
        /// When.
        at: Wall,
    },
    /// A leg was made.
    LegStarted {
        /// Which call.
        call: CallId,
        /// Its number in the call, from 1; the caller is 0.
        leg: u32,
        /// Its channel.
        channel: ChannelId,
        /// The agent rung, or `None` for the caller or an outside number.
        agent: Option<AgentId>,
        /// Outside number, if it is one.
        number: Option<String>,
        /// When.
        at: Wall,
    },
    /// A leg was answered.
    LegAnswered {
        /// Which call.
        call: CallId,
        /// Which leg.
        leg: u32,
        /// When.
        at: Wall,
    },
    /// A leg is gone.
    LegEnded {
        /// Which call.
        call: CallId,
        /// Which leg.
        leg: u32,
        /// Q.850 cause.
        cause: u16,
        /// When.
        at: Wall,
    },
    /// A call was offered to an agent; leg and offer have one number.
    OfferMade {
        /// Which call.
        call: CallId,
        /// Number of the offer in the call.
        offer: u32,
        /// To whom.
        agent: AgentId,
        /// When.
        at: Wall,
    },
    /// The phone started ringing.
    OfferRinging {
        /// Which call.
        call: CallId,
        /// Which offer.
        offer: u32,
        /// When.
        at: Wall,
    },
    /// The offer is over.
    OfferEnded {
        /// Which call.
        call: CallId,
        /// Which offer.
        offer: u32,
        /// How.
        outcome: OfferOutcome,
        /// When.
        at: Wall,
    },
    /// Caller and agent (or outside party) are in the bridge.
    CallBridged {
        /// Which call.
        call: CallId,
        /// The leg joined with the caller.
        leg: u32,
        /// The agent, if it is one.
        agent: Option<AgentId>,
        /// When.
        at: Wall,
    },
    /// Something in the call's life, for its timeline: `held`, `resumed`, `transfer_started`, `transfer_completed`, ….
    CallNoted {
        /// Which call.
        call: CallId,
        /// A word in snake_case.
        what: &'static str,
        /// Free detail for people; may be empty.
        detail: String,
        /// Who did it.
        by: Actor,
        /// When.
        at: Wall,
    },
    /// A supervisor hears the talk.
    MonitorBegan {
        /// Which call.
        call: CallId,
        /// By whose phone.
        listener: AgentId,
        /// Whom; none for an outside number.
        heard: Option<AgentId>,
        /// How.
        mode: MonitorMode,
        /// Who.
        by: Actor,
        /// When.
        at: Wall,
    },
    /// Not any more, or in another way.
    MonitorEnded {
        /// Which call.
        call: CallId,
        /// By whose phone.
        listener: AgentId,
        /// When it began.
        began: Wall,
        /// When.
        at: Wall,
    },
    /// The call is over.
    CallEnded {
        /// Which call.
        call: CallId,
        /// How.
        disposition: Disposition,
        /// Q.850 cause of the caller's channel; 0 when unknown.
        cause: u16,
        /// From entering the queue to the first talk, or to the end.
        waited: Duration,
        /// Time in talks.
        talked: Duration,
        /// Who talked last.
        agent: Option<AgentId>,
        /// When.
        at: Wall,
    },
    /// After (re)connection to an Asterisk: calls there that are open in the journal and not among these are lost.
    CallsAlive {
        /// Which Asterisk.
        node: NodeId,
        /// Living calls there.
        calls: Vec<CallId>,
        /// When.
        at: Wall,
    },
    /// A client is being called.
    AttemptStarted {
        /// For which callback.
        callback: CallbackId,
        /// The attempt, which is also the id of the call that comes of it.
        attempt: CallId,
        /// When.
        at: Wall,
    },
    /// An attempt to reach a client is over.
    AttemptEnded {
        /// For which callback.
        callback: CallbackId,
        /// Which attempt.
        attempt: CallId,
        /// What it was for, as a word for statistics; `taken_back` when nobody wants it any more.
        about: &'static str,
        /// How.
        outcome: Outcome,
        /// Q.850 cause; 0 where there is none.
        cause: u16,
        /// Attempts that count, this one included if it does.
        attempts: u8,
        /// When the next one is due; for one that is over, when it ended.
        due: Wall,
        /// When.
        at: Wall,
    },
    /// A callback is over.
    CallbackEnded {
        /// Which.
        callback: CallbackId,
        /// How.
        end: CallbackEnd,
        /// What it was for, as a word for statistics: see [`CallbackRequest::reason`](super::callback::request::CallbackRequest::reason).
        about: &'static str,
        /// From when it was wanted until now.
        waited: Duration,
        /// When.
        at: Wall,
    },
    /// An agent's declared status changed.
    AgentStatus {
        /// Whose.
        agent: AgentId,
        /// New status.
        status: Status,
        /// By whom.
        by: Actor,
        /// When.
        at: Wall,
    },
    /// After-call work of an agent: planned when the leg is released, and told again when it is over before that. The
    /// earliest end is the true one.
    WrapUp {
        /// After which call.
        call: CallId,
        /// The agent's leg of it.
        leg: u32,
        /// Its end.
        until: Wall,
    },
    /// A waiting caller was told for the first time how long it will take.
    WaitTold {
        /// Whom.
        call: CallId,
        /// What was said.
        wait: Duration,
        /// When.
        at: Wall,
    },
    /// An agent became idle; with the count of calls taken, for the strategies after a restart.
    AgentIdle {
        /// Who.
        agent: AgentId,
        /// Calls taken since the last log-in.
        calls_taken: u32,
        /// Since when.
        at: Wall,
    },
}

/// What the consoles are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// A call is being offered to an agent: the card pops up.
    Offer {
        /// To whom.
        agent: AgentId,
        /// The call.
        call: CallView,
    },
    /// The offer is over.
    OfferEnded {
        /// To whom it was made.
        agent: AgentId,
        /// Which call.
        call: CallId,
        /// How.
        outcome: OfferOutcome,
    },
    /// An agent's status or state changed.
    Agent(AgentView),
    /// An agent is no more.
    AgentRemoved(AgentId),
    /// A call changed.
    Call(CallView),
    /// A call ended.
    CallEnded {
        /// Which.
        call: CallId,
        /// How.
        disposition: Disposition,
    },
    /// Connection with an Asterisk.
    Node {
        /// Which.
        node: NodeId,
        /// Connected.
        up: bool,
    },
    /// An order was taken or changed: look at it again.
    Order {
        /// Which.
        order: OrderId,
        /// Whose.
        client: Option<ClientId>,
        /// Its version now.
        version: u64,
        /// Where it stands now.
        state: order::State,
    },
    /// A client's card, counters or accounts changed: look at it again.
    Client {
        /// Whose.
        client: ClientId,
        /// The card's version now; counters and accounts change without a new one.
        version: u64,
    },
    /// A client is to be called, or is not any more, or an attempt was made: look at it again.
    Callback {
        /// Which.
        callback: CallbackId,
    },
    /// A contact was entered or changed: look at it again.
    Contact {
        /// Which.
        contact: ContactId,
        /// Whose.
        client: Option<ClientId>,
        /// Its version now.
        version: u64,
        /// Where it stands now.
        state: contact::State,
    },
    /// Somebody is to be told of a contact, or not any more.
    Notification {
        /// Number of the notice.
        notification: i64,
        /// Who.
        person: contact::Person,
        /// Of which contact.
        contact: ContactId,
        /// Why.
        why: &'static str,
        /// False: it goes away.
        open: bool,
    },
}
