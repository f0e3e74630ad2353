//! A real Kannel (bearerbox and smsbox) with its stand-in for a mobile network, fakesmsc.

use std::cell::RefCell;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::process::Process;
use crate::wait::wait_for;

/// Numbers that begin so are routed nowhere: Kannel refuses them.
pub const UNROUTABLE: &str = "+7999";

/// A running Kannel.
pub struct Kannel {
    dir: PathBuf,
    sendsms: u16,
    network: u16,
    core: [u16; 2],
    bearerbox: RefCell<Option<Process>>,
    smsbox: RefCell<Option<Process>>,
}

/// Where Kannel lives. Fetched on the spot, except where everything must be there already.
fn root() -> &'static str {
    static ROOT: OnceLock<String> = OnceLock::new();
    ROOT.get_or_init(|| {
        if let Ok(root) = std::env::var("PEREZVON_KANNEL_ROOT") {
            return root;
        }
        assert!(
            std::env::var_os("CI").is_none(),
            "PEREZVON_KANNEL_ROOT is not set: run deploy/test, or set it to what deploy/kannel prints"
        );
        let output = Command::new(crate::office::repository().join("deploy/kannel")).output().expect("deploy/kannel");
        assert!(output.status.success(), "Kannel cannot be had: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("a path").trim().to_owned()
    })
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("the port").port()
}

impl Kannel {
    /// Chooses its ports; nothing runs yet.
    pub fn plan() -> Kannel {
        let core = [free_port(), free_port()];
        let none = || RefCell::new(None);
        let dir = PathBuf::new();
        Kannel { dir, sendsms: free_port(), network: free_port(), core, bearerbox: none(), smsbox: none() }
    }

    /// The engine's configuration for it.
    pub fn provider(&self) -> String {
        format!(
            "[[sms.providers]]\nname = \"kannel\"\nkind = \"kannel\"\nusername = \"tester\"\npassword = \"foo&bar\"\n\
             url = \"http://127.0.0.1:{}/cgi-bin/sendsms\"\n",
            self.sendsms
        )
    }

    /// Starts it; what comes in is handed to this address.
    #[track_caller]
    pub fn start(&mut self, dir: &Path, incoming: &str) {
        self.dir = dir.to_owned();
        let (admin, box_port) = (self.core[0], self.core[1]);
        let (network, sendsms, home) = (self.network, self.sendsms, dir.display());
        let denied = UNROUTABLE;
        let text = format!(
            "group = core\nadmin-port = {admin}\nadmin-interface = 127.0.0.1\nadmin-password = x\n\
             smsbox-port = {box_port}\nsmsbox-interface = 127.0.0.1\nbox-allow-ip = 127.0.0.1\ndlr-storage = internal\n\
             store-type = file\nstore-location = {home}/kannel.store\n\n\
             group = smsc\nsmsc = fake\nsmsc-id = network\nport = {network}\nconnect-allow-ip = 127.0.0.1\n\
             denied-prefix = \"{denied}\"\n\n\
             group = smsbox\nbearerbox-host = 127.0.0.1\nbearerbox-port = {box_port}\nsendsms-port = {sendsms}\n\
             sendsms-interface = 127.0.0.1\nglobal-sender = 13013\nmo-recode = true\n\n\
             group = sendsms-user\nusername = tester\npassword = \"foo&bar\"\nmax-messages = 10\nconcatenation = true\n\n\
             group = sms-service\nkeyword = default\ncatch-all = true\nmax-messages = 0\n\
             get-url = \"{incoming}?from=%p&text=%b&id=%I\"\n"
        );
        std::fs::write(dir.join("kannel.conf"), text).unwrap();
        self.bearerbox.replace(Some(self.run("bearerbox", "usr/sbin/bearerbox", &["kannel.conf".to_owned()])));
        wait_for("Kannel's bearerbox listens", 20, || connect(box_port));
        self.start_smsbox();
    }

    /// Starts the part that takes requests.
    #[track_caller]
    pub fn start_smsbox(&self) {
        self.smsbox.replace(Some(self.run("smsbox", "usr/sbin/smsbox", &["kannel.conf".to_owned()])));
        wait_for("Kannel's smsbox listens", 20, || connect(self.sendsms));
    }

    /// `kill -9`: requests find nobody.
    pub fn kill_smsbox(&self) {
        self.smsbox.take().expect("smsbox runs").kill();
    }

    /// A mobile network that takes what is sent to it and sends this text from this number once.
    #[track_caller]
    pub fn network(&self, from: &str, text: &str) -> Network {
        let arguments = ["-H", "127.0.0.1", "-i", "1", "-m", "1", "-r"].map(str::to_owned);
        let rest = [self.network.to_string(), format!("{from} 13013 text {text}")];
        let log = self.dir.join(format!("network-{}.log", std::fs::read_dir(&self.dir).unwrap().count()));
        let process = self.run_to(&log, "fakesmsc", "usr/lib/kannel/test/fakesmsc", &[&arguments[..], &rest].concat());
        Network { log, _process: process }
    }

    fn run(&self, name: &str, program: &str, arguments: &[String]) -> Process {
        self.run_to(&self.dir.join(format!("{name}.log")), name, program, arguments)
    }

    fn run_to(&self, log: &Path, name: &str, program: &str, arguments: &[String]) -> Process {
        let root = Path::new(root());
        let folders = ["lib", "usr/lib"].into_iter().filter_map(|folder| std::fs::read_dir(root.join(folder)).ok());
        let libraries = folders.flatten().filter_map(|entry| {
            let path = entry.expect("an entry").path();
            path.to_string_lossy().contains("-linux-gnu").then(|| path.display().to_string())
        });
        let path = format!("LD_LIBRARY_PATH={}", libraries.collect::<Vec<_>>().join(":"));
        let all = [&[path, root.join(program).display().to_string()], arguments].concat();
        Process::start(name, log, "env", &all, &self.dir)
    }
}

fn connect(port: u16) -> Result<(), String> {
    std::net::TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|cause| cause.to_string())
}

/// A mobile network; it ends with this.
pub struct Network {
    log: PathBuf,
    _process: Process,
}

impl Network {
    /// The texts that arrived, each part as a telephone shows it.
    pub fn arrived(&self) -> Vec<String> {
        let log = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned();
        log.lines().filter_map(|line| line.split_once("Got message ")).map(|(_, rest)| shown(rest)).collect()
    }

    /// Waits until something that holds this has arrived; gives it.
    #[track_caller]
    pub fn wait_for(&self, part: &str, seconds: u64) -> String {
        wait_for(&format!("«{part}» arrives on the telephone"), seconds, || {
            let arrived = self.arrived();
            let found = arrived.iter().find(|text| text.contains(part)).cloned();
            found.ok_or_else(|| format!("{arrived:?}"))
        })
    }
}

/// `1: <13013 +79… text hello>` as `hello`; `… ucs-2 %04%12…`, in parts `… data …` (UCS-2, percent-encoded) as what it says, whatever is before.
fn shown(message: &str) -> String {
    let message = message.trim_end().trim_end_matches('>');
    if let Some((_, text)) = message.split_once(" text ") {
        return text.replace('+', " ");
    }
    let data = message.split_once(" data ").or_else(|| message.split_once(" ucs-2 "));
    let Some((_, data)) = data else { return message.to_owned() };
    let octets: Vec<u8> = percent_encoding::percent_decode_str(&data.replace('+', "%20")).collect();
    let units: Vec<u16> = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}
