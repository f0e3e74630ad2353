//! An office for tests: users of every role, the engine at work, a stand-in for Asterisk, and a client.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request as HttpRequest, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::engine::Engine;
use crate::engine::command::{AriRequest, Command, Update};
use crate::engine::event::{Arrival, CallerCard, Event, NodeEvent, Origin, Snapshot};
use crate::engine::ids::{AgentId, CallId, NodeId};
use crate::engine::settings::{QueueSettings, Settings};
use crate::engine::view::CallStage;
use crate::shell::clock::{self, Clock};
use crate::shell::config;
use crate::shell::config::sections::Written;
use crate::shell::driver::{self, Outlets};
use crate::shell::hints::Hints;
use crate::shell::live_settings::LiveSettings;
use crate::shell::recordings::Vault;
use crate::shell::requests::Requests;
use crate::shell::sms;
use crate::shell::store::Store;
use crate::shell::store::agents::{AgentRow, NewAgent};
use crate::shell::store::journal::{Journal, JournalHandle, JournalSettings};
use crate::shell::store::users::{NewUser, Role};
use crate::shell::updates::{Next, Subscription, Updates};
use crate::shell::web::{Metrics, NodeHealth, Parts, Phones, WebState, password, router, tell_consoles};

pub(super) const PASSWORD: &str = "correct horse";
/// What SMS gateways know.
pub(super) const SECRET: &str = "0123456789abcdef0123456789";

/// What the phones in Asterisk were told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) lines: Mutex<Vec<String>>,
}

impl Phones for Told {
    fn put(&self, agent: &AgentRow) {
        self.lines.lock().unwrap().push(format!("put {}", agent.endpoint));
    }
    fn remove(&self, agent: &AgentRow) {
        self.lines.lock().unwrap().push(format!("remove {}", agent.endpoint));
    }
    fn nodes(&self) -> Vec<NodeHealth> {
        vec![NodeHealth { name: "here".to_owned(), up: true, ..NodeHealth::default() }]
    }
}

pub(super) struct Office {
    pub(super) store: Store,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) updates: Updates,
    pub(super) phones: Arc<Told>,
    pub(super) router: Router,
    pub(super) folder: tempfile::TempDir,
    pub(super) cancel: CancellationToken,
    pub(super) hints: Hints,
    /// Agents by name: `anna` works as the first, `boris` as the second.
    pub(super) agents: BTreeMap<&'static str, AgentId>,
    sessions: Mutex<BTreeMap<String, String>>,
}

/// Asterisk as it should be: everything works, at once.
struct StandIn {
    events: mpsc::Sender<Event>,
    requests: Requests,
    updates: Updates,
    journal: JournalHandle,
    metrics: Arc<Metrics>,
}

impl StandIn {
    fn happens(&self, event: NodeEvent) {
        self.events.try_send(Event::Node(NodeId(0), event)).unwrap();
    }

    fn asked(&self, request: AriRequest) {
        match request {
            AriRequest::Answer(channel) => self.happens(NodeEvent::Answered(channel)),
            AriRequest::HangUp { channel, .. } => self.happens(NodeEvent::Gone { channel, cause: 16 }),
            AriRequest::Play { playback, .. } | AriRequest::StopPlayback(playback) => {
                self.happens(NodeEvent::PlaybackEnded(playback));
            }
            AriRequest::Ring { channel, .. } => {
                self.happens(NodeEvent::Ringing(channel.clone()));
                self.happens(NodeEvent::Answered(channel));
            }
            AriRequest::Join { bridge, channels } => {
                for channel in channels {
                    self.happens(NodeEvent::Joined { bridge: bridge.clone(), channel });
                }
            }
            AriRequest::Part { bridge, channel } => self.happens(NodeEvent::Parted { bridge, channel }),
            AriRequest::Dial { channel, .. } => {
                self.happens(NodeEvent::Ringing(channel.clone()));
                self.happens(NodeEvent::Answered(channel));
            }
            AriRequest::Snoop { snoop: channel, bridge, .. } => self.happens(NodeEvent::Joined { bridge, channel }),
            AriRequest::Screen { .. }
            | AriRequest::SetMemo { .. }
            | AriRequest::MusicOn(_)
            | AriRequest::MusicOff(_)
            | AriRequest::RingbackOn(_)
            | AriRequest::RingbackOff(_)
            | AriRequest::CreateBridge(..)
            | AriRequest::DestroyBridge(_)
            | AriRequest::ToFallback { .. }
            | AriRequest::SetFallbackAgents(_) => {}
        }
    }
}

impl Outlets for StandIn {
    fn carry_out(&mut self, command: Command) -> Option<Event> {
        match command {
            Command::Asterisk { request, .. } => self.asked(request),
            Command::LoadCaller { call, .. } => {
                return Some(Event::CallerLoaded { call, card: CallerCard::default() });
            }
            Command::Persist(fact) => {
                self.metrics.fact(&fact);
                self.journal.write(fact);
            }
            Command::Publish(update) => self.updates.publish(update),
            Command::Respond { request, result } => self.requests.answered(request, result),
            Command::Alarm { text, .. } => panic!("{text}"),
            Command::CollectRecording { .. }
            | Command::CancelOrder { .. }
            | Command::SearchAgain { .. }
            | Command::KeepPlace { .. }
            | Command::SweepRecordings { .. } => {}
        }
        None
    }
}

fn settings() -> Settings {
    let queue = |name: &str| QueueSettings { name: name.to_owned(), ..QueueSettings::default() };
    Settings {
        queues: vec![queue("main"), queue("corporate")],
        greeting: false,
        trunk: Some("trunk".to_owned()),
        allowed_numbers: ["+79".to_owned()].into(),
        ..Settings::default()
    }
}

/// Knows a gateway that nobody sends through.
fn texts(store: &Store) -> sms::Inbound {
    let template = r#"name = "gate"
kind = "http"
url = "http://127.0.0.1:1/send"
body = "{to} {text}""#;
    let file = format!("[sms]\nsecret = \"{SECRET}\"\n[[sms.providers]]\n{template}\n");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("perezvon.toml");
    std::fs::write(&path, file).unwrap();
    let settings = config::Config::read(Some(&path), []).unwrap().sms;
    let clock = sms::Clock { utc_offset_minutes: 180 };
    sms::Inbound::new(store.clone(), Arc::new(settings), sms::Stats::default(), clock)
}

impl Office {
    pub(super) async fn open() -> Office {
        Office::open_as(|_| {}).await
    }

    /// With other settings of the web server.
    pub(super) async fn open_as(set: impl FnOnce(&mut config::Web)) -> Office {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/test.db", folder.path().display())).await.unwrap();
        let (events, receiver) = mpsc::channel(1000);
        let requests = Requests::new(events.clone());
        let updates = Updates::default();
        store.announce_to(updates.clone());
        let metrics = Arc::new(Metrics::default());
        let cancel = CancellationToken::new();
        let spill = JournalSettings::new(folder.path().join("spill"));
        let journal = Journal::start(store.clone(), spill, cancel.clone());
        let stand_in = StandIn {
            events: events.clone(),
            requests: requests.clone(),
            updates: updates.clone(),
            journal: journal.clone(),
            metrics: Arc::clone(&metrics),
        };
        tokio::spawn(drive(stand_in, receiver, cancel.clone()));
        let phones = Arc::new(Told::default());
        let hints = Hints::default();
        let mut parts = Parts {
            store: store.clone(),
            requests,
            updates: updates.clone(),
            phones: Arc::clone(&phones) as Arc<dyn Phones>,
            journal,
            metrics,
            config: config::Web {
                listen: "127.0.0.1:0".parse().unwrap(),
                cookie_secure: false,
                tls: super::super::tls::Tls::Own(folder.path().to_owned()),
                session: Duration::from_secs(3600),
                require_second_factor: false,
                live_listening: Some(Role::Supervisor),
                trusted_proxies: vec!["127.0.0.9".parse().unwrap()],
            },
            settings: LiveSettings::new(Written::default(), settings()),
            nodes: vec!["here".to_owned()],
            sip_sockets: vec!["ws://127.0.0.1:1/ws".to_owned()],
            metering: Default::default(),
            hints: hints.clone(),
            sms: texts(&store),
            recording: config::Recording::plain(&folder.path().join("recordings")),
            vault: Vault::plain(&folder.path().join("recordings")),
            archive: Arc::default(),
            reports: config::Reports { within: 20, short: 0, agents_see_grades: true, mail: true },
            sentences: folder.path().join("speech"),
            cancel: cancel.clone(),
        };
        set(&mut parts.config);
        std::fs::create_dir_all(&parts.recording.dir).unwrap();
        let state = WebState::new(parts);
        tokio::spawn(tell_consoles(state.clone()));
        let router = router(state);
        events.send(Event::Node(NodeId(0), NodeEvent::Up(Snapshot::default()))).await.unwrap();
        let mut office = Office {
            store,
            events,
            updates,
            phones,
            router,
            folder,
            cancel,
            hints,
            agents: BTreeMap::new(),
            sessions: Mutex::default(),
        };
        office.people().await;
        office
    }

    /// Two agents, a supervisor, an administrator; one hash for all, since a hash takes its time.
    async fn people(&mut self) {
        let hash = password::hash(PASSWORD).unwrap();
        for (login, role) in [
            ("anna", Role::Agent),
            ("boris", Role::Agent),
            ("nobody", Role::Agent),
            ("sup", Role::Supervisor),
            ("admin", Role::Administrator),
        ] {
            let mut agent = None;
            if role == Role::Agent && login != "nobody" {
                let new = NewAgent {
                    name: login.to_owned(),
                    endpoint: format!("agent-{login}"),
                    sip_password: None,
                    phone: Default::default(),
                    node: NodeId(0),
                    queues: Default::default(),
                    skills: Default::default(),
                };
                let row = self.store.add_agent(new, clock::wall()).await.unwrap();
                self.agents.insert(login, row.id);
                agent = Some(row.id);
                self.events.send(Event::AgentChanged(row.into_profile())).await.unwrap();
            }
            let new = NewUser { login: login.to_owned(), password_hash: hash.clone(), role, agent };
            let user = self.store.add_user(new, clock::wall()).await.unwrap();
            let token =
                self.store.new_session(user.id, "test", clock::wall(), Duration::from_secs(3600)).await.unwrap();
            self.sessions.lock().unwrap().insert(login.to_owned(), token);
        }
    }

    /// The session of a user.
    pub(super) fn token(&self, login: &str) -> String {
        self.sessions.lock().unwrap().get(login).unwrap().clone()
    }

    /// A request as this user; an empty name is a stranger.
    pub(super) fn ask(&self, login: &str, method: &str, path: &str) -> Ask<'_> {
        let mut headers = HeaderMap::new();
        if !login.is_empty() {
            headers.insert(header::COOKIE, format!("perezvon_session={}", self.token(login)).parse().unwrap());
        }
        let method = method.parse().unwrap();
        Ask {
            office: self,
            method,
            path: path.to_owned(),
            headers,
            body: Vec::new(),
            peer: "127.0.0.1:999".parse().unwrap(),
        }
    }

    /// A caller rings and talks with the agent who gets ready; answers when they talk.
    pub(super) async fn talk(&self, login: &str, number: &str) -> CallId {
        let mut seen = self.updates.subscribe();
        self.ask(login, "POST", "/api/v1/agents/me/ready").send().await.expect(204);
        self.ring(number).await;
        let update = until(
            &mut seen,
            |update| matches!(update, Update::Call(call) if call.stage == CallStage::Talking && call.number == number),
        )
        .await;
        match update {
            Update::Call(call) => call.call,
            _ => unreachable!(),
        }
    }

    /// A caller rings.
    pub(super) async fn ring(&self, number: &str) {
        self.ring_at(number, "100").await;
    }

    /// A caller rings a number of the office.
    pub(super) async fn ring_at(&self, number: &str, dialled: &str) {
        let arrival = Arrival {
            channel: format!("chan-{number}").into(),
            origin: Origin::Inbound,
            number: number.to_owned(),
            name: String::new(),
            dialled: dialled.to_owned(),
            created: clock::wall(),
            answered: false,
            memo: None,
        };
        self.events.send(Event::Node(NodeId(0), NodeEvent::Arrived(arrival))).await.unwrap();
    }

    /// The caller hangs up.
    pub(super) async fn caller_hangs_up(&self, number: &str) {
        let gone = NodeEvent::Gone { channel: format!("chan-{number}").into(), cause: 16 };
        self.events.send(Event::Node(NodeId(0), gone)).await.unwrap();
    }

    /// The actions in the audit, oldest first.
    pub(super) async fn audited(&self) -> Vec<(String, String, String)> {
        let page = self.store.list_audit(&Default::default(), None, 500).await.unwrap();
        let lines = page.items.into_iter().rev();
        lines.map(|line| (line.actor_name, line.action, line.subject)).collect()
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

async fn drive(mut stand_in: StandIn, mut events: mpsc::Receiver<Event>, cancel: CancellationToken) {
    let mut engine = Engine::new(settings(), CallId(0));
    driver::run(&mut engine, Clock::default(), &mut events, &mut stand_in, cancel).await;
}

/// The first update like this.
pub(super) async fn until(seen: &mut Subscription, like: impl Fn(&Update) -> bool) -> Update {
    let wait = async {
        loop {
            match seen.next().await {
                Next::Update(update) if like(&update) => return (*update).clone(),
                Next::Update(_) => {}
                Next::Missed | Next::Closed => panic!("updates were lost"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the update comes")
}

pub(super) struct Ask<'a> {
    office: &'a Office,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    peer: SocketAddr,
}

impl Ask<'_> {
    pub(super) fn json(mut self, body: Value) -> Self {
        self.headers.insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        self.body = body.to_string().into_bytes();
        self
    }

    pub(super) fn body(mut self, media: &str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.insert(header::CONTENT_TYPE, media.parse().unwrap());
        self.body = body.into();
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }

    pub(super) fn from(mut self, peer: &str) -> Self {
        self.peer = format!("{peer}:999").parse().unwrap();
        self
    }

    pub(super) async fn send(self) -> Got {
        let mut request = HttpRequest::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        request.extensions_mut().insert(ConnectInfo(self.peer));
        let response = self.office.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Got { status: parts.status, headers: parts.headers, body }
    }
}

pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Got {
    /// The body as JSON, after a look at the status. Errors must be problem details that name their status.
    pub(super) fn expect(&self, status: u16) -> Value {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(self.status.as_u16(), status, "{text}");
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(json!(text)) };
        if status >= 400 {
            assert_eq!(self.headers.get(header::CONTENT_TYPE).unwrap(), "application/problem+json", "{text}");
            assert_eq!(body["status"], json!(status), "{text}");
            assert!(body["type"].as_str().unwrap().starts_with("urn:perezvon:problem:"), "{text}");
            assert!(!body["title"].as_str().unwrap().is_empty(), "{text}");
        }
        body
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
