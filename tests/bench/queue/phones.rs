//! All telephones of the benchmark, callers and agents, in one thread over one socket: cheap, and with the time of each
//! message to the microsecond.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::numbers::Chance;
use crate::sip::{Dialog, Message, target, user};
use crate::sound::Sound;

/// From ringing to the answer: somebody very quick.
const ANSWER: (Duration, Duration) = (Duration::from_millis(40), Duration::from_millis(60));
/// Before a message without an answer is sent again; then twice as long.
const RESEND: Duration = Duration::from_millis(500);
const MOST_RESENDS: u32 = 5;

/// How callers come.
#[derive(Clone, Copy)]
pub enum Flow {
    /// Always so many in the house: for each who goes, one comes.
    Full(usize),
    /// So many each second, whatever happens.
    PerSecond(f64),
}

/// A piece of work.
#[derive(Clone, Copy)]
pub struct Work {
    pub flow: Flow,
    pub talk: (Duration, Duration),
    /// How long callers come.
    pub span: Duration,
    /// Nothing is noted before: the house fills up.
    pub warm_up: Duration,
    /// Both parties speak in every talk; else the phones send no sound at all.
    pub speaking: bool,
}

/// What the telephones saw.
#[derive(Default)]
pub struct Seen {
    /// Calls that were answered, put through, talked and ended as they should.
    pub good: usize,
    /// All others, by what went wrong.
    pub bad: BTreeMap<String, usize>,
    /// From the end of an agent's call to the next one at the same phone, while somebody waited.
    pub free_to_offer: Vec<Duration>,
    /// From the caller's INVITE to the agent's answer.
    pub to_talk: Vec<Duration>,
    /// When which agent answered.
    pub answers: Vec<(usize, Instant)>,
    pub resent: usize,
    /// Until the last caller came.
    pub arriving: Duration,
}

impl Seen {
    pub fn calls(&self) -> usize {
        self.good + self.bad.values().sum::<usize>()
    }
}

enum Task {
    Arrive,
    Answer(String),
    EndTalk(String),
    Resend(String, u32),
}

#[derive(PartialEq)]
enum CallerStage {
    Inviting,
    Waiting,
    Talking,
    /// One of the two has hung up.
    Ending,
}

struct Caller {
    dialog: Dialog,
    number: String,
    stage: CallerStage,
    began: Instant,
    noted: bool,
    /// Asterisk's end of the sound.
    media: u16,
}

struct Leg {
    agent: usize,
    dialog: Dialog,
    caller: String,
    invite: String,
    /// Asterisk's end of the sound.
    media: u16,
    answered: Option<Instant>,
    talking: bool,
    ended: bool,
}

pub struct Phones {
    socket: UdpSocket,
    here: SocketAddr,
    asterisk: SocketAddr,
    sound: Sound,
    sdp: String,
    chance: Chance,
    made: u64,
    tasks: BTreeMap<(Instant, u64), Task>,
    resends: HashMap<String, String>,
    callers: HashMap<String, Caller>,
    by_number: HashMap<String, String>,
    legs: HashMap<String, Leg>,
    free_since: HashMap<usize, Instant>,
    dialled: String,
    work: Option<Work>,
    began: Instant,
    coming: bool,
    /// Of those who come by the clock.
    to_come: u32,
    seen: Seen,
}

impl Phones {
    pub fn new(port: u16, asterisk: u16) -> Phones {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = UdpSocket::bind(local(port)).expect("the phones' port");
        let sound = Sound::start();
        let sdp = sound.offer();
        Phones {
            socket,
            here: local(port),
            asterisk: local(asterisk),
            sound,
            sdp,
            chance: Chance::new(0x9e37_79b9_7f4a_7c15),
            made: 0,
            tasks: BTreeMap::new(),
            resends: HashMap::new(),
            callers: HashMap::new(),
            by_number: HashMap::new(),
            legs: HashMap::new(),
            free_since: HashMap::new(),
            dialled: String::new(),
            work: None,
            began: Instant::now(),
            coming: false,
            to_come: 0,
            seen: Seen::default(),
        }
    }

    /// Does the work and tells what was seen. Callers dial this number.
    pub fn work(&mut self, dialled: &str, work: Work) -> Seen {
        self.dialled = dialled.to_owned();
        self.began = Instant::now();
        self.seen = Seen::default();
        self.free_since.clear();
        self.work = Some(work);
        self.coming = true;
        let end = self.began + work.span;
        match work.flow {
            // Not all in the same instant.
            Flow::Full(count) => {
                (0..count).for_each(|n| self.at(Duration::from_millis(5 * n as u64), Task::Arrive));
            }
            // By the clock: callers do not come later because the machine is busy.
            Flow::PerSecond(rate) => {
                let count = (work.span.as_secs_f64() * rate) as u32;
                self.to_come = count;
                (0..count).for_each(|n| self.at(Duration::from_secs_f64(f64::from(n) / rate), Task::Arrive));
            }
        }
        let last = end + work.talk.1 + Duration::from_secs(20);
        while self.coming || !(self.callers.is_empty() && self.legs.is_empty()) {
            let now = Instant::now();
            self.coming = match work.flow {
                Flow::Full(_) => now < end,
                Flow::PerSecond(_) => self.to_come > 0,
            };
            if now > last {
                break;
            }
            self.turn();
        }
        let stuck: Vec<String> = self.callers.drain().map(|(id, _)| id).collect();
        let legs = self.legs.len();
        self.sound.silence();
        self.legs.clear();
        self.by_number.clear();
        self.tasks.clear();
        self.resends.clear();
        self.fail("a caller was left over at the end", stuck.len());
        self.fail("an agent's call was left over at the end", legs);
        std::mem::take(&mut self.seen)
    }

    /// What is due, then what has come.
    fn turn(&mut self) {
        let now = Instant::now();
        while let Some(entry) = self.tasks.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let task = entry.remove();
            self.do_task(task);
        }
        let next = self.tasks.keys().next().map_or(Duration::from_millis(20), |(at, _)| at.duration_since(now));
        let wait = next.clamp(Duration::from_micros(500), Duration::from_millis(20));
        self.socket.set_read_timeout(Some(wait)).expect("a time-out");
        let mut buffer = [0_u8; 65_536];
        match self.socket.recv(&mut buffer) {
            Ok(length) => {
                let now = Instant::now();
                if let Some(message) = Message::read(&buffer[..length]) {
                    self.take(message, now);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => panic!("the phones' socket: {error}"),
        }
    }

    fn do_task(&mut self, task: Task) {
        match task {
            Task::Arrive => {
                if self.coming {
                    self.to_come = self.to_come.saturating_sub(1);
                    self.seen.arriving = self.began.elapsed();
                    self.arrive();
                }
            }
            Task::Answer(id) => self.answer(&id),
            Task::EndTalk(id) => self.end_talk(&id),
            Task::Resend(key, times) => {
                let Some(text) = self.resends.get(&key).cloned() else { return };
                if times > MOST_RESENDS {
                    self.resends.remove(&key);
                    return;
                }
                self.seen.resent += 1;
                self.send(&text);
                self.at(RESEND * 2_u32.pow(times), Task::Resend(key, times + 1));
            }
        }
    }

    fn take(&mut self, message: Message<'_>, now: Instant) {
        let id = message.header("Call-ID").to_owned();
        match message.status() {
            Some(status) if self.callers.contains_key(&id) => self.caller_response(&id, message, status, now),
            Some(_) if self.legs.contains_key(&id) => self.leg_response(&id, message),
            Some(_) => {}
            None => self.request(&id, message, now),
        }
    }

    fn request(&mut self, id: &str, message: Message<'_>, now: Instant) {
        match message.method() {
            "INVITE" if self.callers.contains_key(id) || self.legs.get(id).is_some_and(|leg| leg.talking) => {
                self.reply(message, "200 OK", true);
            }
            "INVITE" => self.invited(id, message, now),
            "ACK" => self.acknowledged(id),
            "BYE" => {
                self.reply(message, "200 OK", false);
                self.hung_up(id, now);
            }
            "CANCEL" => self.cancelled(id, message),
            _ => self.reply(message, "200 OK", false),
        }
    }

    // ---- callers

    fn arrive(&mut self) {
        self.made += 1;
        let number = format!("79{:09}", self.made);
        let id = format!("caller-{}-{}", std::process::id(), self.made);
        let there = self.asterisk;
        let dialog = Dialog {
            call_id: id.clone(),
            local: format!("<sip:{number}@{}>;tag=c{}", self.here, self.made),
            remote: format!("<sip:{}@{there}>", self.dialled),
            target: format!("sip:{}@{there}", self.dialled),
        };
        let contact = self.contact(&number);
        let invite = dialog.request("INVITE", 1, self.here, &format!("{id}i"), Some(&contact), Some(&self.sdp));
        self.send_until_answered(&id, "INVITE", &invite);
        let began = Instant::now();
        let noted = self.work.is_some_and(|work| began >= self.began + work.warm_up);
        self.by_number.insert(number.clone(), id.clone());
        self.callers.insert(id, Caller { dialog, number, stage: CallerStage::Inviting, began, noted, media: 0 });
    }

    fn caller_response(&mut self, id: &str, message: Message<'_>, status: u16, now: Instant) {
        let method = message.of_method();
        self.resends.remove(&format!("{id} {method}"));
        if status < 200 {
            return;
        }
        if method == "BYE" {
            self.caller_done(id, now);
            return;
        }
        let here = self.here;
        let Some(caller) = self.callers.get_mut(id) else { return };
        caller.dialog.remote = message.header("To").to_owned();
        if status < 300 {
            target(message.header("Contact")).clone_into(&mut caller.dialog.target);
            if caller.stage == CallerStage::Inviting {
                caller.stage = CallerStage::Waiting;
                caller.media = message.media_port();
            }
            let ack = caller.dialog.request("ACK", 1, here, &format!("{id}a"), None, None);
            self.send(&ack);
        } else {
            let ack = caller.dialog.request("ACK", 1, here, &format!("{id}i"), None, None);
            self.send(&ack);
            self.fail(&format!("a caller was refused with {status}"), 1);
            self.forget_caller(id);
        }
    }

    fn caller_done(&mut self, id: &str, _now: Instant) {
        let Some(caller) = self.callers.get(id) else { return };
        if caller.noted {
            self.seen.good += 1;
        }
        self.forget_caller(id);
    }

    fn forget_caller(&mut self, id: &str) {
        if let Some(caller) = self.callers.remove(id) {
            self.by_number.remove(&caller.number);
        }
        if matches!(self.work, Some(Work { flow: Flow::Full(_), .. })) {
            self.at(Duration::ZERO, Task::Arrive);
        }
    }

    // ---- agents

    fn invited(&mut self, id: &str, message: Message<'_>, now: Instant) {
        if let Some(leg) = self.legs.get(id) {
            // Sent again: the answer is on its way.
            if leg.answered.is_none() {
                self.reply(message, "180 Ringing", false);
            }
            return;
        }
        let Some(agent) = message.called().strip_prefix("agent-").and_then(|n| n.parse::<usize>().ok()) else {
            self.reply(message, "404 Not Found", false);
            self.fail("somebody was called who is no agent", 1);
            return;
        };
        if self.legs.values().any(|leg| leg.agent == agent && !leg.ended) {
            self.reply(message, "486 Busy Here", false);
            self.fail("an agent was called during a call", 1);
            return;
        }
        if let Some(since) = self.free_since.remove(&agent) {
            self.seen.free_to_offer.push(now.duration_since(since));
        }
        self.reply(message, "180 Ringing", false);
        let number = user(message.header("From")).trim_start_matches('+');
        let caller = self.by_number.get(number).cloned().unwrap_or_default();
        if caller.is_empty() {
            self.fail("an agent was not shown who is calling", 1);
        }
        let tag = tag_of(id);
        let dialog = Dialog {
            call_id: id.to_owned(),
            local: crate::sip::tagged(message.header("To"), &tag),
            remote: message.header("From").to_owned(),
            target: target(message.header("Contact")).to_owned(),
        };
        let contact = self.contact(&format!("agent-{agent}"));
        let invite = message.response("200 OK", &tag, Some(&contact), Some(&self.sdp));
        let media = message.media_port();
        let leg = Leg { agent, dialog, caller, invite, media, answered: None, talking: false, ended: false };
        self.legs.insert(id.to_owned(), leg);
        let after = self.chance.span(ANSWER.0, ANSWER.1);
        self.at(after, Task::Answer(id.to_owned()));
    }

    fn answer(&mut self, id: &str) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let (agent, text) = (leg.agent, leg.invite.clone());
        self.send_until_answered(id, "ACK", &text);
        let now = Instant::now();
        let Some(leg) = self.legs.get_mut(id) else { return };
        leg.answered = Some(now);
        let began = self.callers.get(&leg.caller).filter(|caller| caller.noted).map(|caller| caller.began);
        if let Some(began) = began {
            self.seen.answers.push((agent, now));
            self.seen.to_talk.push(now.duration_since(began));
        }
    }

    fn acknowledged(&mut self, id: &str) {
        self.resends.remove(&format!("{id} ACK"));
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.talking) else { return };
        let Some(work) = self.work else { return };
        leg.talking = true;
        if work.speaking {
            self.sound.speak(id, leg.media);
        }
        if let Some(caller) = self.callers.get_mut(&leg.caller) {
            caller.stage = CallerStage::Talking;
            if work.speaking {
                self.sound.speak(&leg.caller, caller.media);
            }
        }
        let talk = self.chance.span(work.talk.0, work.talk.1);
        self.at(talk, Task::EndTalk(id.to_owned()));
    }

    /// Either of the two hangs up.
    fn end_talk(&mut self, id: &str) {
        let agent_first = self.chance.below(2) == 0;
        let here = self.here;
        let Some(leg) = self.legs.get_mut(id).filter(|leg| !leg.ended) else { return };
        let caller_id = leg.caller.clone();
        self.sound.hush(id);
        self.sound.hush(&caller_id);
        if agent_first {
            leg.ended = true;
            let (agent, bye) = (leg.agent, leg.dialog.request("BYE", 1, here, &format!("{id}b"), None, None));
            self.send_until_answered(id, "BYE", &bye);
            self.agent_free(agent, Instant::now());
            if let Some(caller) = self.callers.get_mut(&caller_id) {
                caller.stage = CallerStage::Ending;
            }
        } else if let Some(caller) = self.callers.get_mut(&caller_id) {
            caller.stage = CallerStage::Ending;
            let bye = caller.dialog.request("BYE", 2, here, &format!("{caller_id}b"), None, None);
            self.send_until_answered(&caller_id, "BYE", &bye);
        }
    }

    fn leg_response(&mut self, id: &str, message: Message<'_>) {
        if message.of_method() == "BYE" {
            self.resends.remove(&format!("{id} BYE"));
            self.legs.remove(id);
        }
    }

    /// The other side hung up.
    fn hung_up(&mut self, id: &str, now: Instant) {
        self.sound.hush(id);
        if let Some(caller) = self.callers.get(id) {
            if caller.stage == CallerStage::Ending {
                self.caller_done(id, now);
            } else {
                let when = if caller.stage == CallerStage::Talking { "in the talk" } else { "before any talk" };
                self.fail(&format!("a caller was hung up on {when}"), 1);
                self.forget_caller(id);
            }
            return;
        }
        self.resends.remove(&format!("{id} ACK"));
        let Some(leg) = self.legs.remove(id) else { return };
        let expected = self.callers.get(&leg.caller).is_none_or(|caller| caller.stage == CallerStage::Ending);
        if !leg.ended {
            self.agent_free(leg.agent, now);
        }
        if !expected {
            self.fail("an agent was hung up on in the talk", 1);
        }
    }

    fn cancelled(&mut self, id: &str, message: Message<'_>) {
        self.reply(message, "200 OK", false);
        if let Some(leg) = self.legs.remove(id) {
            let text = leg.invite.replacen("200 OK", "487 Request Terminated", 1);
            self.send(&text);
            self.fail("an agent's phone stopped ringing", 1);
        }
    }

    /// Noted only while the house is full: somebody waits then.
    fn agent_free(&mut self, agent: usize, now: Instant) {
        let Some(work) = self.work else { return };
        if self.coming && now >= self.began + work.warm_up {
            self.free_since.insert(agent, now);
        }
    }

    // ---- the wire

    fn contact(&self, user: &str) -> String {
        format!("<sip:{user}@{}>", self.here)
    }

    fn reply(&self, message: Message<'_>, status: &str, sdp: bool) {
        let tag = tag_of(message.header("Call-ID"));
        let contact = self.contact(message.called());
        self.send(&message.response(status, &tag, Some(&contact), sdp.then_some(self.sdp.as_str())));
    }

    fn send_until_answered(&mut self, id: &str, what: &str, text: &str) {
        let key = format!("{id} {what}");
        self.send(text);
        self.resends.insert(key.clone(), text.to_owned());
        self.at(RESEND, Task::Resend(key, 1));
    }

    fn send(&self, text: &str) {
        self.socket.send_to(text.as_bytes(), self.asterisk).expect("the phones' socket");
    }

    fn at(&mut self, after: Duration, task: Task) {
        self.made += 1;
        self.tasks.insert((Instant::now() + after, self.made), task);
    }

    fn fail(&mut self, what: &str, times: usize) {
        if times > 0 {
            *self.seen.bad.entry(what.to_owned()).or_default() += times;
        }
    }
}

/// Our tag in a dialog: the same in every response.
fn tag_of(id: &str) -> String {
    let sum = id.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("p{sum:x}")
}
