//! Telephones: callers and agents' phones, each played by SIPp.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use hyper::Method;
use serde_json::{Value, json};

use crate::audio::{AGENT, CALLER, said, tone};
use crate::office::{OFFICE_NUMBER, Office, repository};
use crate::process::Process;
use crate::wait::{wait_for, wait_until};

/// Seconds of tone; repeated without end.
const TONE: u32 = 2;

/// Numbers of the mobile network that say what a test wants: `voice11.ul` in the office's folder, where it is there.
pub const VOICES: std::ops::RangeInclusive<u32> = 11..=16;

fn need_sipp() {
    static THERE: OnceLock<()> = OnceLock::new();
    THERE.get_or_init(|| {
        let found = Command::new("sipp").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(found.is_ok(), "sipp is missing: run deploy/test, or install Debian's sip-tester");
    });
}

/// One SIPp.
pub struct Sipp {
    process: RefCell<Process>,
    folder: PathBuf,
    pub port: u16,
}

impl Sipp {
    /// Starts a scenario of `tests/e2e/sipp`. `lines`: a CSV file of calls; without it SIPp waits to be called.
    #[track_caller]
    pub fn start(
        office: &Office,
        scenario: &str,
        port: u16,
        hertz: u32,
        lines: Option<&[String]>,
        more: &[String],
    ) -> Sipp {
        Sipp::start_for(office, scenario, port, hertz, lines, more, lines.map_or(10, <[String]>::len))
    }

    /// The same with ports for so many talks at once.
    #[track_caller]
    fn start_for(
        office: &Office,
        scenario: &str,
        port: u16,
        hertz: u32,
        lines: Option<&[String]>,
        more: &[String],
        talks: usize,
    ) -> Sipp {
        need_sipp();
        let folder = tempfile::Builder::new().prefix(&format!("{scenario}-")).tempdir_in(&office.dir).unwrap().keep();
        std::fs::write(folder.join("tone.ul"), tone(hertz, TONE)).unwrap();
        if scenario == "mobile" {
            // What is said at the answer, and then a quiet line.
            for (name, seconds) in [("word.ul", 0.6), ("greeting.ul", 4.0)] {
                std::fs::write(folder.join(name), said(hertz, seconds, 60)).unwrap();
            }
            for at in VOICES {
                let name = format!("voice{at}.ul");
                let voice = std::fs::read(office.dir.join(&name)).unwrap_or_else(|_| said(hertz, 0.6, 1));
                std::fs::write(folder.join(name), voice).unwrap();
            }
        }
        let path = repository().join(format!("tests/e2e/sipp/{scenario}.xml"));
        let mut arguments: Vec<String> =
            vec![format!("127.0.0.1:{}", office.sip_port), "-sf".into(), path.display().to_string()];
        let fixed = "-i 127.0.0.1 -mi 127.0.0.1 -nostdin -l 1000 -timeout 240 -trace_err -error_file errors.log -trace_logs \
                     -log_file calls.log -trace_msg -message_file messages.log";
        arguments.extend(fixed.split_whitespace().map(str::to_owned));
        for (name, value) in [("-p", port), ("-mp", office.ports.media(talks)), ("-cp", office.ports.one())] {
            arguments.extend([name.to_owned(), value.to_string()]);
        }
        if let Some(lines) = lines {
            let mut text = "SEQUENTIAL\n".to_owned();
            lines.iter().for_each(|line| writeln!(text, "{line}").unwrap());
            std::fs::write(folder.join("calls.csv"), text).unwrap();
            arguments.extend(["-inf".into(), "calls.csv".into(), "-m".into(), lines.len().to_string()]);
        }
        arguments.extend_from_slice(more);
        let process =
            Process::start(&format!("SIPp {scenario}"), &folder.join("output.log"), "sipp", &arguments, &folder);
        let sipp = Sipp { process: RefCell::new(process), folder, port };
        wait_for("SIPp listens", 10, || if sipp.listens() { Ok(()) } else { Err(sipp.report()) });
        sipp
    }

    /// It is bound to its port, or has done its work already.
    fn listens(&self) -> bool {
        let hex = format!(":{:04X} ", self.port);
        let bound = std::fs::read_to_string("/proc/net/udp").is_ok_and(|text| text.contains(&hex));
        bound || self.process.borrow_mut().ended().is_some()
    }

    fn report(&self) -> String {
        let text = |name: &str| crate::process::tail(&self.folder.join(name), 12);
        format!("{}\n{}\n{}", text("output.log"), text("errors.log"), text("calls.log"))
    }

    /// What the scenario noted, a line each: `answered 79005550001 …`.
    pub fn notes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("calls.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// How often it noted this.
    pub fn noted(&self, what: &str) -> usize {
        self.notes().iter().filter(|line| line.starts_with(what)).count()
    }

    /// Waits until it has noted this so often.
    #[track_caller]
    pub fn wait_noted(&self, what: &str, times: usize, seconds: u64) {
        wait_until(
            &format!("SIPp noted {what:?} {times} times"),
            seconds,
            || self.notes(),
            |notes| notes.iter().filter(|line| line.starts_with(what)).count() >= times,
        );
    }

    /// All SIP messages.
    pub fn messages(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.folder.join("messages.log")).unwrap_or_default()).into_owned()
    }

    /// Waits for the end; every call must have gone as the scenario says.
    #[track_caller]
    pub fn finish(&self, seconds: u64) {
        let status = self.process.borrow_mut().end_within(seconds);
        assert!(status.success(), "SIPp: {status}\n{}", self.report());
    }

    /// The telephone is gone without a word.
    pub fn kill(&self) {
        self.process.borrow_mut().kill();
    }
}

/// A caller's number and when he hangs up, in milliseconds after the answer; 0: when the other side does.
pub type Caller<'a> = (&'a str, u32);

/// How an agent's phone behaves. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Rings at once, answers, talks; `talk` 0: until the other side hangs up.
    Answers { after: u32, talk: u32 },
    /// Answers at once and says nothing.
    Silent,
    /// Rings and rings.
    NeverAnswers,
    /// Refuses with this response after a while.
    Rejects { after: u32, code: u32 },
    /// Does not say a word.
    Dead,
}

/// An agent, as the API made it.
#[derive(Clone, Debug)]
pub struct Agent {
    pub id: u64,
    pub endpoint: String,
    password: String,
}

impl Agent {
    /// The same agent with another idea of the password.
    pub fn with_password(&self, password: &str) -> Agent {
        Agent { password: password.to_owned(), ..self.clone() }
    }

    fn credentials(&self) -> String {
        format!("[authentication username={} password={}]", self.endpoint, self.password)
    }
}

impl Office {
    /// Callers ring, so many a second, and dial the office's number.
    #[track_caller]
    pub fn callers(&self, callers: &[Caller], per_second: u32) -> Sipp {
        self.callers_of(OFFICE_NUMBER, callers, per_second)
    }

    /// Callers ring this number.
    #[track_caller]
    pub fn callers_of(&self, dialled: &str, callers: &[Caller], per_second: u32) -> Sipp {
        self.callers_sounding(dialled, callers, per_second, CALLER)
    }

    /// Callers with a tone of their own.
    #[track_caller]
    pub fn callers_sounding(&self, dialled: &str, callers: &[Caller], per_second: u32, hertz: u32) -> Sipp {
        let lines: Vec<String> = callers.iter().map(|(number, ms)| format!("{number};{dialled};{ms}")).collect();
        let rate = ["-r".to_owned(), per_second.to_string()];
        Sipp::start(self, "caller", self.ports.one(), hertz, Some(&lines), &rate)
    }

    /// One caller rings.
    #[track_caller]
    pub fn caller(&self, number: &str, hang_up_after: u32) -> Sipp {
        self.callers(&[(number, hang_up_after)], 1)
    }

    /// A caller who gives up so long after the first sign of the call, if it is not answered by then.
    #[track_caller]
    pub fn impatient(&self, number: &str, after: u32) -> Sipp {
        let line = format!("{number};{OFFICE_NUMBER};{after}");
        Sipp::start(self, "caller_cancel", self.ports.one(), CALLER, Some(&[line]), &[])
    }

    /// An agent is added by the API.
    #[track_caller]
    pub fn add_agent(&self, endpoint: &str, more: Value) -> Agent {
        let mut body = json!({"name": format!("Agent {endpoint}"), "endpoint": endpoint});
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let added = self.api.post("/agents", &body);
        let agent = Agent {
            id: added["id"].as_u64().expect("an id"),
            endpoint: endpoint.to_owned(),
            password: added["sip_password"].as_str().expect("a password").to_owned(),
        };
        self.wait_provisioned(endpoint);
        agent
    }

    /// Waits until Asterisk knows the phone.
    #[track_caller]
    pub fn wait_provisioned(&self, endpoint: &str) {
        let path = format!("/asterisk/config/dynamic/res_pjsip/endpoint/{endpoint}");
        wait_for(&format!("Asterisk knows the phone {endpoint}"), 10, || match self.ari.ask(&Method::GET, &path) {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }

    /// Registers the agent's phone at this port.
    #[track_caller]
    pub fn register(&self, agent: &Agent, port: u16) {
        self.register_all(std::slice::from_ref(agent), port);
    }

    /// Registers the phones of several agents that are one program at this port.
    #[track_caller]
    pub fn register_all(&self, agents: &[Agent], port: u16) {
        let line = |agent: &Agent| format!("{};127.0.0.1:{port};600;{}", agent.endpoint, agent.credentials());
        let lines: Vec<String> = agents.iter().map(line).collect();
        // From the phone's own port: Asterisk believes where a registration comes from more than what it says.
        Sipp::start(self, "register", port, AGENT, Some(&lines), &[]).finish(10);
    }

    /// The agent's phone with a tone of its own.
    #[track_caller]
    pub fn phone_sounding(&self, agent: &Agent, manner: Manner, hertz: u32) -> Sipp {
        let port = self.ports.one();
        self.register(agent, port);
        let phone = self.sounding_at(port, manner, hertz, 10);
        wait_until("the phone is reachable", 10, || self.agent(agent.id), |seen| seen["reachable"] != false);
        phone
    }

    /// The agent's phone is plugged in: it registers and waits for calls.
    #[track_caller]
    pub fn phone(&self, agent: &Agent, manner: Manner) -> Sipp {
        let port = self.ports.one();
        self.register(agent, port);
        let phone = self.phone_at(port, manner);
        wait_until("the phone is reachable", 10, || self.agent(agent.id), |seen| seen["reachable"] != false);
        phone
    }

    /// A phone at this port, registered already (or an outside number's).
    #[track_caller]
    pub fn phone_at(&self, port: u16, manner: Manner) -> Sipp {
        self.sounding_at(port, manner, if matches!(manner, Manner::Silent) { 0 } else { AGENT }, 10)
    }

    /// The same with this tone, for so many talks at once.
    #[track_caller]
    pub fn sounding_at(&self, port: u16, manner: Manner, hertz: u32, talks: usize) -> Sipp {
        let (scenario, keys) = match manner {
            Manner::Answers { after, talk } => {
                ("agent", vec![("ring_ms", 10), ("answer_ms", after), ("talk_ms", talk)])
            }
            Manner::Silent => ("agent", vec![("ring_ms", 10), ("answer_ms", 100), ("talk_ms", 0)]),
            Manner::NeverAnswers => ("agent", vec![("ring_ms", 10), ("answer_ms", 200_000), ("talk_ms", 0)]),
            Manner::Rejects { after, code } => ("agent_reject", vec![("reject_ms", after), ("code", code)]),
            Manner::Dead => ("agent_dead", Vec::new()),
        };
        let keys: Vec<String> = keys
            .into_iter()
            .flat_map(|(name, value)| ["-key".to_owned(), name.to_owned(), value.to_string()])
            .collect();
        Sipp::start_for(self, scenario, port, hertz, None, &keys, talks)
    }

    /// The agent dials from the phone.
    #[track_caller]
    pub fn dials(&self, agent: &Agent, dialled: &str, hang_up_after: u32) -> Sipp {
        let line = format!("{};{dialled};{hang_up_after};{}", agent.endpoint, agent.credentials());
        Sipp::start(self, "agent_dials", self.ports.one(), AGENT, Some(&[line]), &[])
    }

    /// An agent with a phone, ready for calls.
    #[track_caller]
    pub fn ready_agent(&self, endpoint: &str, manner: Manner) -> (Agent, Sipp) {
        let agent = self.add_agent(endpoint, json!({}));
        let phone = self.phone(&agent, manner);
        self.set_status(agent.id, "ready");
        (agent, phone)
    }
}
