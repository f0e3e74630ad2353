//! Asterisk with both systems in it: Perezvon and app_queue, for the same phones.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};

use crate::api::{Api, basic, request};
use crate::process::{Process, tail};
use crate::wait::wait_for;

pub const ARI_USER: &str = "perezvon";
pub const ARI_PASSWORD: &str = "asterisk-of-a-benchmark";
/// What callers dial to come to the engine.
pub const ENGINE: &str = "74951234567";
/// What callers dial to come to app_queue.
pub const APP_QUEUE: &str = "5555";
/// What callers dial to be answered by the dialplan and to hear a sound.
pub const PLAIN: &str = "5556";

/// No more than the queue needs: callers come to it at once.
pub const QUEUE_ONLY: &str = "[office]\ngreeting = false\n";

const LOGIN: &str = "chief";
const PASSWORD: &str = "correct horse battery staple";
const PHONE_PASSWORD: &str = "phone-of-a-benchmark";

/// Below those that the system hands out by itself.
const FIRST_PORT: u16 = 23_000;
const LAST_PORT: u16 = 30_000;

/// app_queue as it would be set up for the same office: recorded in stereo, longest idle first, no after-call work.
fn peer_dialplan(dir: &Path) -> String {
    format!(
        "
[perezvon-inbound](+)
exten => {APP_QUEUE},1,Gosub(perezvon-record,s,1)
 same => n,Answer()
 same => n,Queue(bench)
 same => n,Hangup()
exten => {PLAIN},1,Answer()
 same => n,Playback({}/asterisk/sounds/ru/hello)
 same => n,Hangup()
",
        dir.display()
    )
}
const PEER_QUEUE: &str = "
[bench]
strategy = leastrecent
musicclass = default
timeout = 15
retry = 1
wrapuptime = 0
ringinuse = no
autofill = yes
joinempty = yes
leavewhenempty = no
announce-frequency = 0
";

pub struct World {
    pub dir: PathBuf,
    pub asterisk: Process,
    pub engine: Option<Process>,
    pub api: Api,
    pub agents: Vec<u64>,
    _folder: tempfile::TempDir,
}

pub fn sip_port() -> u16 {
    FIRST_PORT
}

pub fn http_port() -> u16 {
    FIRST_PORT + 1
}

pub fn phones_port() -> u16 {
    FIRST_PORT + 2
}

pub fn web_port() -> u16 {
    FIRST_PORT + 3
}

/// The engine's program: as built with this benchmark, or another build to compare.
fn perezvon() -> PathBuf {
    std::env::var_os("PEREZVON_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_perezvon").into(), PathBuf::from)
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl World {
    /// Starts Asterisk. The engine, whose configuration ends with `office`, is not running yet.
    pub fn new(agents: usize, office: &str) -> World {
        let folder = tempfile::Builder::new().prefix("pz-bench-").tempdir().expect("a folder");
        let dir = folder.path().to_owned();
        std::fs::write(dir.join("extensions.conf"), peer_dialplan(&dir)).expect("a file");
        let members = (1..=agents).fold(PEER_QUEUE.to_owned(), |mut text, n| {
            let _ = writeln!(text, "member => PJSIP/agent-{n}");
            text
        });
        std::fs::write(dir.join("queues.conf"), members).expect("a file");
        let asterisk = start_asterisk(&dir);
        let world =
            World { dir, asterisk, engine: None, api: Api::new(web_port()), agents: Vec::new(), _folder: folder };
        world.write_config(office);
        world.add_user();
        world
    }

    /// Where the engine keeps what it writes.
    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn write_config(&self, office: &str) {
        std::fs::create_dir_all(self.data()).expect("a folder");
        let (dir, data) = (self.dir.display(), self.data());
        let data = data.display();
        let text = format!(
            "[[asterisk.nodes]]\nname = \"bench\"\nurl = \"http://127.0.0.1:{}\"\nusername = \"{ARI_USER}\"\n\
             password = \"{ARI_PASSWORD}\"\nsounds_dir = \"{dir}/asterisk/sounds\"\n\
             recordings_dir = \"{dir}/asterisk/spool/recording\"\n\
             [database]\nurl = \"sqlite://{data}/perezvon.db\"\n[web]\nlisten = \"127.0.0.1:{}\"\n\
             [recording]\ndir = \"{data}/recordings\"\n[limits]\ntrunk = \"trunk\"\n\
             [queue.defaults]\nwrap_up_seconds = 0\nannounce_first_seconds = 0\n{office}",
            http_port(),
            web_port()
        );
        std::fs::write(self.dir.join("perezvon.toml"), text).expect("a file");
    }

    fn add_user(&self) {
        let mut adding = Command::new(perezvon())
            .args(["user", "add", "--login", LOGIN, "--role", "admin", "--password-stdin", "--config"])
            .arg(self.dir.join("perezvon.toml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("perezvon");
        let input = adding.stdin.take().map(|mut input| input.write_all(format!("{PASSWORD}\n").as_bytes()));
        assert!(matches!(input, Some(Ok(()))), "perezvon user add takes no password");
        assert!(adding.wait().expect("perezvon").success(), "perezvon user add failed");
    }

    /// From the start of the process until it says that it is ready.
    pub fn start_engine(&mut self) -> Duration {
        let arguments =
            ["serve".to_owned(), "--config".to_owned(), self.dir.join("perezvon.toml").display().to_string()];
        let began = Instant::now();
        self.engine =
            Some(Process::start("the engine", &self.dir.join("engine.log"), perezvon(), &arguments, &self.dir));
        let end = began + Duration::from_secs(20);
        while self.api.ask(&Method::GET, "/health/ready", None).map(|reply| reply.status) != Ok(200) {
            assert!(Instant::now() < end, "the engine is not ready:\n{}", tail(&self.dir.join("engine.log"), 20));
            std::thread::sleep(Duration::from_millis(1));
        }
        began.elapsed()
    }

    /// Starts the engine on an empty database, tells how long that took, and stops it again.
    pub fn first_start(&mut self) -> Duration {
        let kept = self.dir.join("kept");
        std::fs::rename(self.data(), &kept).expect("the data");
        std::fs::create_dir(self.data()).expect("a folder");
        let took = self.start_engine();
        self.stop_engine();
        std::fs::remove_dir_all(self.data()).expect("the data of the first start");
        std::fs::rename(kept, self.data()).expect("the data");
        took
    }

    pub fn stop_engine(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            let status = engine.stop(30);
            assert!(status.success(), "the engine ended with {status}:\n{}", engine.tail(20));
        }
    }

    /// Both processes at once, whatever they are doing. The ports are free for another world.
    pub fn end(&mut self) {
        self.engine = None;
        self.asterisk.kill();
    }

    pub fn engine_pid(&self) -> u32 {
        self.engine.as_ref().map(Process::pid).unwrap_or_default()
    }

    pub fn log_in(&self) {
        self.api.log_in(LOGIN, PASSWORD);
    }

    /// Makes agents, registers their phones and lets them be ready. At most once.
    pub fn hire(&mut self, count: usize) {
        self.log_in();
        let mut lines = "SEQUENTIAL\n".to_owned();
        for n in 1..=count {
            let body =
                json!({"name": format!("Agent {n}"), "endpoint": format!("agent-{n}"), "sip_password": PHONE_PASSWORD});
            let added = self.api.post("/agents", &body);
            self.agents.push(added["id"].as_u64().expect("an id"));
            let _ = writeln!(
                lines,
                "agent-{n};127.0.0.1:{};7200;[authentication username=agent-{n} password={PHONE_PASSWORD}]",
                phones_port()
            );
        }
        // Stored, that is: the list of endpoints shows them some moments sooner.
        for n in 1..=count {
            let path = format!("/asterisk/config/dynamic/res_pjsip/endpoint/agent-{n}");
            wait_for(&format!("Asterisk knows phone {n}"), 30, || ari(&path).map(drop));
        }
        std::fs::write(self.dir.join("register.csv"), lines).expect("a file");
        let status = Command::new("sipp")
            .arg(format!("127.0.0.1:{}", sip_port()))
            .args(["-sf", &repository().join("tests/e2e/sipp/register.xml").display().to_string()])
            .args(["-i", "127.0.0.1", "-p", &phones_port().to_string(), "-nostdin", "-timeout", "60", "-r", "25"])
            .args(["-inf", "register.csv", "-m", &count.to_string()])
            // A message that comes twice on a busy machine is no fault.
            .args(["-default_behaviors", "all,-abortunexp", "-trace_err", "-error_file", "register.err"])
            .current_dir(&self.dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("sipp is missing: install Debian's sip-tester");
        assert!(
            status.success(),
            "the phones could not register: {status}\n{}\n{}",
            tail(&self.dir.join("register.err"), 12),
            self.complaints()
        );
        self.ready(count);
    }

    /// So many agents are ready, the others offline; for app_queue they are members or not.
    pub fn ready(&self, count: usize) {
        for (at, id) in self.agents.iter().enumerate() {
            let status = if at < count { "ready" } else { "offline" };
            self.api.post(&format!("/agents/{id}/state"), &json!({"status": status}));
        }
        wait_for("the agents' phones are there", 30, || {
            let board = self.api.get("/queue");
            let there = board["agents"].as_array().map_or(0, |agents| {
                agents.iter().filter(|agent| agent["status"] == "ready" && agent["reachable"] == true).count()
            });
            if there == count { Ok(()) } else { Err(format!("{there} of {count}: {}", board["agents"][0])) }
        });
    }

    /// The first so many are members of app_queue's queue who can be called.
    pub fn members(&self, count: usize) {
        let pause = |n: usize, what: &str| format!("queue {what} member PJSIP/agent-{n} queue bench");
        for n in 1..=self.agents.len() {
            self.cli(&pause(n, if n <= count { "unpause" } else { "pause" }));
        }
        wait_for("app_queue's members can be called", 30, || {
            let told = self.cli("queue show bench");
            let free = told.lines().filter(|line| line.contains("(Not in use)") && !line.contains("(paused")).count();
            if free == count { Ok(()) } else { Err(format!("{free} of {count}\n{told}")) }
        });
    }

    pub fn cli(&self, command: &str) -> String {
        let script = repository().join("deploy/asterisk/cli");
        let output = Command::new(script).arg(self.dir.join("asterisk")).arg(command).output().expect("Asterisk's CLI");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn ari(&self, path: &str) -> Value {
        ari(path).unwrap_or(Value::Null)
    }

    /// Nothing is left of the calls; recordings that nobody fetches are removed. After too much work calls are left over,
    /// of phones that have given up.
    pub fn tidy(&self) {
        self.cli("channel request hangup all");
        wait_for("Asterisk has no calls left", 60, || match self.ari("/channels") {
            Value::Array(channels) if channels.is_empty() => Ok(()),
            other => Err(other.to_string().chars().take(300).collect()),
        });
        let spool = self.dir.join("asterisk/spool/recording/perezvon");
        if self.engine.is_some() {
            // What the engine does for the last talks belongs to the work too.
            wait_for("the engine has fetched all recordings", 60, || match count(&spool) {
                0 => Ok(()),
                left => Err(format!("{left} are left")),
            });
        }
        let _ = std::fs::remove_dir_all(&spool);
        std::fs::create_dir_all(&spool).expect("a folder");
    }

    /// What went wrong, in the words of the engine and of Asterisk.
    pub fn complaints(&self) -> String {
        let text = std::fs::read_to_string(self.dir.join("engine.log")).unwrap_or_default();
        let lines: Vec<&str> =
            text.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR ")).collect();
        let last = &lines[lines.len().saturating_sub(9)..];
        format!("{}\n{}", last.join("\n"), tail(&self.dir.join("asterisk.log"), 5))
    }
}

/// Files, also in folders below.
fn count(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
}

fn ari(path: &str) -> Result<Value, String> {
    let url = format!("http://127.0.0.1:{}/ari{path}", http_port());
    let reply = request(&Method::GET, &url, &[basic(ARI_USER, ARI_PASSWORD)], None)?;
    if reply.status == 200 { Ok(reply.json()) } else { Err(reply.status.to_string()) }
}

fn start_asterisk(dir: &Path) -> Process {
    let root = std::env::var("PEREZVON_ASTERISK_ROOT")
        .expect("PEREZVON_ASTERISK_ROOT is not set: run deploy/bench, or set it to what deploy/asterisk/setup prints");
    let option = |name: &str, value: String| [format!("--{name}"), value];
    let extra = |name: &str| dir.join(name).display().to_string();
    let arguments: Vec<String> = [
        option("root", root),
        option("dir", dir.join("asterisk").display().to_string()),
        option("name", "bench".to_owned()),
        option("sip-port", sip_port().to_string()),
        option("http-port", http_port().to_string()),
        option("rtp-start", (FIRST_PORT + 100).to_string()),
        option("rtp-end", LAST_PORT.to_string()),
        option("ari-user", ARI_USER.to_owned()),
        option("ari-password", ARI_PASSWORD.to_owned()),
        // The phones are silent.
        option("rtp-timeout", "0".to_owned()),
        option("extra", extra("extensions.conf")),
        option("extra", extra("queues.conf")),
    ]
    .concat();
    let start = repository().join("deploy/asterisk/start");
    let mut process = Process::start("Asterisk", &dir.join("asterisk.log"), start, &arguments, dir);
    wait_for("Asterisk answers", 30, || match ari("/asterisk/ping") {
        Ok(_) => Ok(()),
        Err(why) => {
            assert!(process.ended().is_none(), "Asterisk ended at once:\n{}", process.tail(20));
            Err(why)
        }
    });
    process
}
