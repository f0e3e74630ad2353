//! One office: Asterisk, engine, database, all of its own.

use std::cell::RefCell;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::ari::{Ari, Events};
use crate::audio::Recording;
use crate::ports::Ports;
use crate::process::{Process, tail};
use crate::story::Story;
use crate::wait::{wait_for, wait_until};

/// Where callers dial, if a test does not care.
pub const OFFICE_NUMBER: &str = "74951234567";
const LOGIN: &str = "chief";
const PASSWORD: &str = "correct horse battery staple";
const ARI_PASSWORD: &str = "asterisk-of-a-test";

/// How an office differs from the usual one. Text is TOML.
#[derive(Clone)]
pub struct Options {
    /// Lines of `[queue.defaults]`.
    pub queue: &'static str,
    /// Lines of `[office]`.
    pub office: &'static str,
    /// Lines of `[limits]` beside the trunk.
    pub limits: &'static str,
    /// Further sections; `{web_port}` stands for the API's port.
    pub more: &'static str,
    /// RHVoice speaks, and the office has a folder of sounds of its own; else there are the shipped sounds alone.
    pub voice: bool,
    /// Asterisk fetches all sounds from the engine, as if it were on another machine.
    pub elsewhere: bool,
    /// The database; SQLite in the office's folder when there is none.
    pub database: Option<String>,
    /// Seconds without a packet after which Asterisk ends a leg.
    pub rtp_timeout: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            // A test is not a day's work.
            queue: "wrap_up_seconds = 0\nannounce_first_seconds = 0",
            office: "greeting = false",
            limits: "",
            more: "",
            voice: false,
            elsewhere: false,
            database: None,
            rtp_timeout: 60,
        }
    }
}

/// The running office.
pub struct Office {
    pub api: Api,
    pub ari: Ari,
    /// All that happened in Asterisk since it was started.
    pub events: Events,
    pub ports: Ports,
    pub dir: PathBuf,
    pub sip_port: u16,
    /// Where Asterisk dials outside numbers.
    pub trunk_port: u16,
    pub web_port: u16,
    options: Options,
    engine: RefCell<Option<Process>>,
    asterisk: RefCell<Option<Process>>,
}

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The engine's program.
pub const PEREZVON: &str = env!("CARGO_BIN_EXE_perezvon");

/// Where Asterisk lives. Set up on the spot, except where everything must be there already.
fn asterisk_root() -> &'static str {
    static ROOT: OnceLock<String> = OnceLock::new();
    ROOT.get_or_init(|| {
        if let Ok(root) = std::env::var("PEREZVON_ASTERISK_ROOT") {
            return root;
        }
        let ci = std::env::var_os("CI").is_some();
        assert!(
            !ci,
            "PEREZVON_ASTERISK_ROOT is not set: run deploy/test, or set it to what deploy/asterisk/setup prints"
        );
        let setup = Command::new(repository().join("deploy/asterisk/setup")).stderr(Stdio::inherit()).output();
        let output = setup.expect("deploy/asterisk/setup");
        assert!(output.status.success(), "Asterisk could not be set up, see above");
        String::from_utf8(output.stdout).expect("a path").trim().to_owned()
    })
}

impl Office {
    /// Opens an office and waits until it is ready for calls.
    #[track_caller]
    pub fn open(options: Options) -> Office {
        let ports = Ports::take();
        let dir = tempfile::Builder::new().prefix("pz-e2e-").tempdir().expect("a folder").keep();
        let (sip_port, http_port, web_port) = (ports.one(), ports.one(), ports.one());
        let trunk_port = ports.one();
        let ari = Ari { port: http_port, password: ARI_PASSWORD.to_owned() };
        let mut office = Office {
            api: Api::new(web_port),
            ari,
            events: Events::default(),
            ports,
            dir,
            sip_port,
            trunk_port,
            web_port,
            options,
            engine: RefCell::new(None),
            asterisk: RefCell::new(None),
        };
        office.write_config();
        office.start_asterisk();
        office.add_user(LOGIN, PASSWORD, "admin");
        office.start_engine();
        office.api.log_in(LOGIN, PASSWORD);
        office
    }

    pub fn config(&self) -> PathBuf {
        self.dir.join("perezvon.toml")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.log"))
    }

    fn write_config(&self) {
        let (dir, options) = (self.dir.display(), &self.options);
        let database = options.database.clone().unwrap_or_else(|| format!("sqlite://{dir}/perezvon.db"));
        // A voice keeps what it said beside the sounds.
        let (sounds, speech) = match options.voice {
            true => {
                let speech = crate::rhvoice::speech().expect("RHVoice");
                (self.dir.join("sounds"), format!("{speech}cache_dir = \"{dir}/sounds\"\n"))
            }
            false => (repository().join("sounds"), "[speech]\nengine = \"none\"\n".to_owned()),
        };
        let text = format!(
            "[[asterisk.nodes]]\nname = \"test\"\nurl = \"http://127.0.0.1:{}\"\nusername = \"perezvon\"\n\
             password = \"{ARI_PASSWORD}\"\nsounds_dir = \"{}\"\n\
             [database]\nurl = \"{database}\"\n\
             [web]\nlisten = \"127.0.0.1:{}\"\n\
             [recording]\ndir = \"{dir}/recordings\"\n\
             [telemetry]\nlog = \"info,perezvon=debug,perezvon::shell::web=info\"\n\
             [queue.defaults]\n{}\n[office]\n{}\n[limits]\ntrunk = \"trunk\"\n{}\n{}\n{speech}",
            self.ari.port,
            if options.elsewhere {
                format!("http://127.0.0.1:{}/sounds", self.web_port)
            } else {
                sounds.display().to_string()
            },
            self.web_port,
            options.queue,
            options.office,
            options.limits,
            options.more.replace("{web_port}", &self.web_port.to_string())
        );
        std::fs::write(self.config(), text).unwrap();
    }

    /// Starts Asterisk and waits until it can be asked.
    #[track_caller]
    pub fn start_asterisk(&mut self) {
        let option = |name: &str, value: String| [format!("--{name}"), value];
        let own_sounds = self.dir.join("sounds");
        let share = if self.options.voice {
            std::fs::create_dir_all(&own_sounds).expect("a folder");
            option("share", own_sounds.display().to_string()).to_vec()
        } else {
            Vec::new()
        };
        let mut arguments: Vec<String> = [
            option("root", asterisk_root().to_owned()),
            option("dir", self.dir.join("asterisk").display().to_string()),
            option("name", format!("test-{}", self.sip_port)),
            option("sip-port", self.sip_port.to_string()),
            option("http-port", self.ari.port.to_string()),
            option("rtp-start", self.ports.rtp.0.to_string()),
            option("rtp-end", self.ports.rtp.1.to_string()),
            option("ari-password", ARI_PASSWORD.to_owned()),
            option("trunk-contact", format!("127.0.0.1:{}", self.trunk_port)),
            option("rtp-timeout", self.options.rtp_timeout.to_string()),
        ]
        .concat();
        arguments.extend(share);
        let start = repository().join("deploy/asterisk/start");
        let mut process = Process::start("Asterisk", &self.log("asterisk"), start, &arguments, &self.dir);
        wait_for("Asterisk answers", 30, || match self.ari.ask(&Method::GET, "/asterisk/ping") {
            Ok((200, _)) => Ok(()),
            other => {
                assert!(process.ended().is_none(), "Asterisk ended at once:\n{}", process.tail(20));
                Err(format!("{other:?}"))
            }
        });
        self.asterisk.replace(Some(process));
        self.events = self.ari.listen();
    }

    pub fn kill_asterisk(&self) {
        self.asterisk.take().expect("Asterisk runs").kill();
    }

    /// Somebody who may log in.
    #[track_caller]
    pub fn add_user(&self, login: &str, password: &str, role: &str) {
        let config = self.config();
        let mut adding = Command::new(PEREZVON)
            .args(["user", "add", "--login", login, "--role", role, "--password-stdin", "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        adding.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
        let output = adding.wait_with_output().unwrap();
        assert!(output.status.success(), "user add: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts the engine and waits until it is ready; tells how long that took.
    #[track_caller]
    pub fn start_engine(&self) -> Duration {
        let started = Instant::now();
        self.spawn_engine();
        wait_for("the engine is ready", 20, || self.readiness());
        started.elapsed()
    }

    /// Starts the engine, and does not wait for it.
    pub fn spawn_engine(&self) {
        let arguments = ["serve".to_owned(), "--config".to_owned(), self.config().display().to_string()];
        self.engine.replace(Some(Process::start("the engine", &self.log("engine"), PEREZVON, &arguments, &self.dir)));
    }

    /// Ok when the engine serves calls, else what it says instead.
    #[track_caller]
    pub fn readiness(&self) -> Result<(), String> {
        if let Some(process) = self.engine.borrow_mut().as_mut() {
            assert!(process.ended().is_none(), "the engine has ended:\n{}", process.tail(20));
        }
        match self.api.ask(&Method::GET, "/health/ready", None) {
            Ok(reply) if reply.status == 200 => Ok(()),
            Ok(reply) => Err(format!("{} {}", reply.status, reply.json())),
            Err(cause) => Err(cause),
        }
    }

    /// `kill -9`.
    pub fn kill_engine(&self) {
        self.engine.take().expect("the engine runs").kill();
    }

    /// SIGTERM, and waits for a clean end.
    #[track_caller]
    pub fn stop_engine(&self) {
        let status = self.engine.take().expect("the engine runs").stop(20);
        assert!(status.success(), "the engine ended with {status}:\n{}", tail(&self.log("engine"), 20));
    }

    /// Lines that the engine logged at this level (`ERROR`, `WARN`).
    pub fn logged(&self, level: &str) -> Vec<String> {
        let text = String::from_utf8_lossy(&std::fs::read(self.log("engine")).unwrap_or_default()).into_owned();
        text.lines().filter(|line| line.contains(&format!(" {level} "))).map(str::to_owned).collect()
    }

    /// The queue board.
    #[track_caller]
    pub fn board(&self) -> Value {
        self.api.get("/queue")
    }

    /// Calls in progress.
    #[track_caller]
    pub fn live(&self) -> Vec<Value> {
        self.api.get("/calls/live")["items"].as_array().expect("items").clone()
    }

    /// How many calls are in this stage.
    #[track_caller]
    pub fn count(&self, stage: &str) -> usize {
        self.live().iter().filter(|call| call["stage"] == stage).count()
    }

    /// Waits until so many calls are in this stage.
    #[track_caller]
    pub fn wait_count(&self, stage: &str, wanted: usize, seconds: u64) {
        wait_until(
            &format!("{wanted} calls are {stage}"),
            seconds,
            || self.stages(),
            |stages| stages.iter().filter(|(_, now)| now == stage).count() == wanted,
        );
    }

    /// Number and stage of each call in progress.
    #[track_caller]
    pub fn stages(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.live().iter().map(|call| (text(&call["number"]), text(&call["stage"]))).collect()
    }

    /// Waits until this caller's call is in this stage; gives the call.
    #[track_caller]
    pub fn wait_stage(&self, number: &str, stage: &str, seconds: u64) -> Value {
        let number = canonical(number);
        wait_for(&format!("the call of {number} is {stage}"), seconds, || {
            let live = self.live();
            let found = live.iter().find(|call| call["number"] == number && call["stage"] == stage);
            found.cloned().ok_or_else(|| format!("{:?} {}", self.stages(), self.board()["agents"]))
        })
    }

    /// The journal, oldest first.
    #[track_caller]
    pub fn journal(&self) -> Vec<Value> {
        let mut calls = self.api.all("/calls");
        calls.reverse();
        calls
    }

    /// Waits until this caller's only call stands in the journal as ended.
    #[track_caller]
    pub fn story(&self, number: &str, seconds: u64) -> Story {
        self.stories(number, 1, seconds).remove(0)
    }

    /// Waits until so many calls of this caller stand in the journal as ended; oldest first.
    #[track_caller]
    pub fn stories(&self, number: &str, wanted: usize, seconds: u64) -> Vec<Story> {
        let number = canonical(number);
        let calls = wait_for(&format!("{wanted} calls of {number} have ended in the journal"), seconds, || {
            let calls: Vec<Value> = self.journal().into_iter().filter(|call| call["number"] == number).collect();
            let done = calls.iter().filter(|call| call["disposition"].is_string()).count();
            if calls.len() == wanted && done == wanted { Ok(calls) } else { Err(format!("{calls:?}")) }
        });
        // A call is over for its caller before the last phone is on the hook.
        let whole = |call: &Value| {
            let id = call["id"].as_str().expect("an id");
            wait_until("all legs of the call have ended", 10, || self.story_of(id), Story::is_whole)
        };
        calls.iter().map(whole).collect()
    }

    /// All that the journal knows of a call.
    #[track_caller]
    pub fn story_of(&self, id: &str) -> Story {
        Story::of(self.api.get(&format!("/calls/{id}")))
    }

    /// Waits until the call's recording is in the archive with this state; gives its row.
    #[track_caller]
    pub fn recording(&self, story: &Story, state: &str, seconds: u64) -> Value {
        wait_for(&format!("the recording of call {} is {state}", story.id()), seconds, || {
            let rows = self.story_of(story.id()).recordings();
            let found = rows.iter().find(|row| row["state"] == state);
            found.cloned().ok_or_else(|| format!("{rows:?}"))
        })
    }

    /// The sound of a recording.
    #[track_caller]
    pub fn sound(&self, recording: &Value) -> Recording {
        Recording::read(&self.api.get_bytes(&format!("/recordings/{}/audio", recording["id"])))
    }

    /// The caller hears something for so long, counted in packets of sound that Asterisk sends.
    #[track_caller]
    pub fn hears(&self, number: &str, seconds: u64) {
        let channel = self.ari.channel_of(number);
        let from = self.ari.packets(&channel, "txcount");
        wait_until(
            &format!("{number} hears something for {seconds} s"),
            seconds + 10,
            || self.ari.packets(&channel, "txcount"),
            |now| *now >= from + 50 * seconds,
        );
    }

    /// The talk goes on for so long, counted in packets of sound that come from the caller.
    #[track_caller]
    pub fn talk_goes_on(&self, number: &str, seconds: u64) {
        let channel = self.ari.channel_of(number);
        let from = self.ari.packets(&channel, "rxcount");
        wait_until(
            &format!("{number} is heard for {seconds} s"),
            seconds + 10,
            || self.ari.packets(&channel, "rxcount"),
            |now| *now >= from + 50 * seconds,
        );
    }

    /// Nothing is left in Asterisk, nobody has anything in hand, and the engine met nothing impossible.
    #[track_caller]
    pub fn assert_clean(&self) {
        wait_until("no channel is left", 15, || self.ari.channels(), Vec::is_empty);
        wait_until("no bridge is left", 15, || self.ari.bridges(), Vec::is_empty);
        wait_until("no call is left in the engine", 15, || self.live(), Vec::is_empty);
        wait_until("no recording is left in Asterisk", 15, || self.ari.stored_recordings(), Vec::is_empty);
        wait_until(
            "no agent is busy",
            15,
            || self.board()["agents"].clone(),
            |agents| agents.as_array().is_some_and(|agents| agents.iter().all(|agent| agent["state"] == "idle")),
        );
        let errors = self.logged("ERROR");
        assert!(errors.is_empty(), "the engine logged errors:\n{}", errors.join("\n"));
    }

    /// Declares a status for an agent.
    #[track_caller]
    pub fn set_status(&self, agent: u64, status: &str) {
        self.api.post(&format!("/agents/{agent}/state"), &json!({"status": status}));
    }

    /// An agent on the board.
    #[track_caller]
    pub fn agent(&self, id: u64) -> Value {
        let board = self.board();
        let agents = board["agents"].as_array().expect("agents");
        agents.iter().find(|agent| agent["id"] == id).cloned().unwrap_or_else(|| panic!("no agent {id} in {board}"))
    }
}

/// How the journal writes a number.
pub fn canonical(number: &str) -> String {
    if number.len() > 6 && !number.starts_with('+') { format!("+{number}") } else { number.to_owned() }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.engine.take();
        self.asterisk.take();
        // To look at what a test that passed has left behind.
        if !std::thread::panicking() && std::env::var_os("PEREZVON_E2E_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.dir);
            return;
        }
        self.events.write(&self.log("events"));
        eprintln!("What the office left behind is in {}", self.dir.display());
        for (name, lines) in [("engine", 60), ("asterisk", 25)] {
            eprintln!("---- the end of {name}.log\n{}", tail(&self.log(name), lines));
        }
        let asterisk_log = self.dir.join("asterisk/log/messages");
        eprintln!("---- the end of Asterisk's messages\n{}", tail(&asterisk_log, 25));
    }
}
