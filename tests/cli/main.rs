//! The program as an administrator calls it: exit codes, one clear line for each mistake, users, the engine's start
//! and end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod metrics;
mod rhvoice;
mod voice;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(30);

struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        Machine { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The program with its data in this machine's folder and nothing of the tester's environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perezvon"));
        command.args(arguments).env_clear().env("STATE_DIRECTORY", self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        finish(self.command(arguments), input)
    }

    /// With this configuration file.
    fn run_with(&self, toml: &str, arguments: &[&str]) -> Output {
        std::fs::write(self.path("perezvon.toml"), toml).unwrap();
        let file = self.path("perezvon.toml");
        self.run(&[&["--config", file.as_str()], arguments].concat(), "")
    }
}

fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Failed with exactly one line that names this.
fn failed_naming(output: &Output, words: &[&str]) {
    let error = text(&output.stderr);
    assert_eq!(code(output), 1, "{error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    for word in words {
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let machine = Machine::new();
    for arguments in [
        &[][..],
        &["sreve"],
        &["serve", "--fast"],
        &["user"],
        &["user", "add", "--login", "x", "--role", "king", "--password-stdin"],
        &["user", "add", "--login", "x", "--role", "agent"],
        &["key", "add", "--name", "x", "--scope", "everything"],
    ] {
        let output = machine.run(arguments, "");
        assert_eq!(code(&output), 2, "{arguments:?}: {}", text(&output.stderr));
    }
    assert_eq!(code(&machine.run(&["--help"], "")), 0);
    assert_eq!(text(&machine.run(&["--version"], "").stdout).trim(), concat!("perezvon ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_mistake_in_the_configuration_is_one_clear_line() {
    let machine = Machine::new();
    let serve = |toml: &str| machine.run_with(toml, &["serve"]);
    failed_naming(&serve("[web]\nlissen = 'x'"), &["web.lissen", "web.listen", "perezvon.toml"]);
    failed_naming(&serve("[web]\nsession_hours = 'long'"), &["web.session_hours", "perezvon.toml"]);
    failed_naming(&serve("[web"), &["perezvon.toml"]);
    failed_naming(&serve("[database]\nurl_file = '/nowhere'"), &["database.url_file", "/nowhere"]);
    failed_naming(&serve("[database]\nurl = 'mysql://h/d'"), &["database.url"]);
    failed_naming(&machine.run(&["serve", "--config", "/nowhere.toml"], ""), &["/nowhere.toml"]);

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    failed_naming(&serve(&format!("[web]\nlisten = '{address}'")), &["web.listen", &address, "in use"]);
    failed_naming(&serve("[web]\nlisten = '192.0.2.1:80'"), &["web.listen", "192.0.2.1:80"]);

    std::fs::write(machine.path("file"), "").unwrap();
    let below = machine.path("file/below");
    let listen = "[web]\nlisten = '127.0.0.1:0'\n";
    failed_naming(&serve(&format!("{listen}[recording]\ndir = '{below}'")), &["recording.dir", &below]);
    failed_naming(&serve(&format!("{listen}[database]\nurl = 'sqlite://{below}/x.db'")), &["database", &below]);
    let away = format!("{listen}[database]\nurl = 'postgres://u:s3cret@127.0.0.1:1/d'");
    let output = serve(&away);
    failed_naming(&output, &["127.0.0.1:1"]);
    assert!(!text(&output.stderr).contains("s3cret"));

    let mut command = machine.command(&["user", "list"]);
    command.env("PEREZVON__WEB__LISTEN", "here");
    failed_naming(&finish(command, ""), &["web.listen", "here"]);
}

#[test]
fn users_are_added_listed_and_disabled() {
    let machine = Machine::new();
    let add = |login: &str, role: &str, password: &str| {
        machine.run(&["user", "add", "--login", login, "--role", role, "--password-stdin"], password)
    };
    assert_eq!(code(&add("anna", "admin", "correct horse\n")), 0);
    failed_naming(&add("ANNA", "agent", "correct horse\n"), &["ANNA", "taken"]);
    failed_naming(&add("boris", "agent", "short\n"), &["password"]);
    failed_naming(&add("boris", "agent", ""), &["password"]);
    assert_eq!(code(&add("boris", "agent", "correct horse")), 0);
    assert_eq!(code(&machine.run(&["user", "disable", "--login", "boris"], "")), 0);
    failed_naming(&machine.run(&["user", "disable", "--login", "nobody"], ""), &["nobody"]);
    failed_naming(&machine.run(&["user", "passwd", "--login", "anna", "--password-stdin"], "x"), &["password"]);
    assert_eq!(code(&machine.run(&["user", "passwd", "--login", "anna", "--password-stdin"], "another horse")), 0);
    let listed = machine.run(&["user", "list", "--json"], "");
    let users: Vec<Value> = text(&listed.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&users[0]["login"], &users[0]["role"]), (&"anna".into(), &"administrator".into()));
    assert_eq!((&users[1]["login"], &users[1]["disabled"]), (&"boris".into(), &true.into()));
    assert!(!text(&listed.stdout).contains("argon2"));

    let key = machine.run(&["key", "add", "--name", "board", "--scope", "queue:read", "--scope", "calls:read"], "");
    assert!(text(&key.stdout).starts_with("pz_"), "{}", text(&key.stderr));
    assert_eq!(code(&machine.run(&["key", "disable", "--name", "board"], "")), 0);
    assert!(text(&machine.run(&["key", "list"], "").stdout).contains("calls:read queue:read (disabled)"));
}

#[test]
fn the_description_of_the_api_is_printed() {
    let output = Machine::new().run(&["openapi"], "");
    let api: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(api["info"]["title"], "Perezvon");
}

#[test]
fn a_check_tells_each_thing_in_a_line() {
    let machine = Machine::new();
    let toml = "[web]\nlisten = '127.0.0.1:0'\n[[asterisk.nodes]]\nname = 'gone'\nurl = 'http://127.0.0.1:1'\n\
                sounds_dir = '/proc/perezvon'";
    let output = machine.run_with(toml, &["check", "--json"]);
    assert_eq!(code(&output), 1);
    let found = text(&output.stdout);
    let lines: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let level = |what: &str| {
        let line = lines.iter().find(|line| line["what"] == what).unwrap_or_else(|| panic!("{what}: {found}"));
        line["level"].as_str().unwrap().to_owned()
    };
    for what in ["configuration", "database", "archive", "disk", "web"] {
        assert_eq!(level(what), "ok", "{found}");
    }
    assert_eq!((level("gone sounds").as_str(), level("gone connection").as_str()), ("warning", "FAILED"));
    let output = machine.run_with("[office]\nlanguage = 'xx'", &["check"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("office.language"));
}

#[test]
fn an_empty_archive_is_sound() {
    let output = Machine::new().run(&["recording", "verify"], "");
    assert_eq!((code(&output), text(&output.stdout).trim()), (0, "0 recordings checked, 0 damaged"));
}

/// An engine that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The answer to a GET, once the port answers.
fn get(port: u16, path: &str) -> String {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) {
            stream.set_read_timeout(Some(DEADLINE)).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            return answer;
        }
        assert!(Instant::now() < end, "the engine does not answer");
        // Between two looks, so that the engine has the processor.
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn the_engine_starts_without_a_file_serves_and_ends_when_asked() {
    let machine = Machine::new();
    let port = free_port();
    let mut command = machine.command(&["serve"]);
    command.env("PEREZVON__WEB__LISTEN", format!("127.0.0.1:{port}"));
    command.env("PEREZVON__ASTERISK__NODES__0__URL", "http://127.0.0.1:1");
    command.env("PEREZVON__ASTERISK__NODES__0__SOUNDS_DIR", machine.path("sounds"));
    command.stderr(Stdio::null());
    let mut engine = Running(command.spawn().unwrap());
    assert!(get(port, "/health/live").starts_with("HTTP/1.1 200"));
    let ready = get(port, "/health/ready");
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("not connected"), "{ready}");
    let numbers = get(port, "/metrics");
    assert!(numbers.contains("perezvon_asterisk_up"));
    metrics::are_listed(&numbers);
    assert!(Path::new(&machine.path("perezvon.db")).exists());

    // A connection that says nothing must not hold up the end.
    let _silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let pid = engine.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let end = Instant::now() + DEADLINE;
    let status = loop {
        match engine.0.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(Instant::now() < end, "the engine does not end"),
        }
        // Between two looks, so that the engine has the processor.
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{status}");
}

#[test]
fn streets_are_imported_once_and_bad_lines_are_listed() {
    let machine = Machine::new();
    let file = machine.path("streets.csv");
    std::fs::write(&file, "улица;город\nул. Ленина;Примерск\n;\nпр. Мира;\n").unwrap();
    let import = |more: &[&str]| machine.run(&[&["streets", "import", file.as_str()], more].concat(), "");
    let dry = import(&["--dry-run"]);
    assert!(code(&dry) == 1 && text(&dry.stdout).contains("line 3: the street has no name"), "{dry:?}");
    failed_naming(&import(&[]), &["nothing was imported", "--skip-bad"]);
    let done = import(&["--skip-bad", "--settlement", "Дальнее"]);
    assert!(text(&done.stdout).contains("2 streets added"), "{done:?}");
    let again = import(&["--skip-bad", "--settlement", "Дальнее"]);
    assert!(text(&again.stdout).contains("0 streets added, 2 were known"), "{again:?}");

    let map = machine.path("map.osm");
    let way = "<way id='1'><tag k='highway' v='primary'/><tag k='name' v='Новая улица'/></way>";
    std::fs::write(&map, format!("<osm>{way}</osm>")).unwrap();
    assert_eq!(code(&machine.run(&["streets", "import", &map, "--settlement", "Примерск"], "")), 0);
    let listed = text(&machine.run(&["streets", "list", "--json"], "").stdout);
    let first: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(first, serde_json::json!({"settlement": "Примерск", "streets": 2}));
    failed_naming(&machine.run(&["streets", "remove", "--settlement", "Нигде"], ""), &["Нигде", "streets list"]);
    assert_eq!(code(&machine.run(&["streets", "remove", "--settlement", "Примерск"], "")), 0);
    failed_naming(&machine.run(&["streets", "import", "/nowhere.csv"], ""), &["/nowhere.csv"]);
    failed_naming(&machine.run(&["streets", "import", "/nowhere.osm.pbf"], ""), &["osmium tags-filter"]);
}

/// The two commands that README.md and `perezvon streets import --help` name, as they stand there.
#[test]
fn the_streets_of_an_openstreetmap_extract_are_imported_as_documented() {
    let machine = Machine::new();
    let osmium = |arguments: &[&str]| {
        let output = Command::new("osmium").args(arguments).current_dir(machine.folder.path()).output();
        // Installed by deploy/test.
        let output = output.expect("osmium (Debian: osmium-tool)");
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    let region = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/region.osm");
    osmium(&["cat", region, "-o", "region.osm.pbf"]);
    failed_naming(&machine.run(&["streets", "import", &machine.path("region.osm.pbf")], ""), &["osmium tags-filter"]);
    osmium(&["tags-filter", "-R", "region.osm.pbf", "w/highway", "nwr/addr:street", "-o", "streets.osm"]);
    let file = machine.path("streets.osm");
    let output = machine.run(&["streets", "import", &file, "--settlement", "Приреченск"], "");
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("4 streets added"), "{}", text(&output.stdout));
    let list = text(&machine.run(&["streets", "list"], "").stdout);
    assert!(list.contains("Дальнее") && list.contains("Приреченск"), "{list}");
}

#[test]
fn a_demo_office_is_made_once() {
    let machine = Machine::new();
    let make = || machine.run(&["demo-data", "--clients", "40", "--streets", "100"], "");
    let made = make();
    assert_eq!(code(&made), 0, "{made:?}");
    assert!(text(&made.stdout).contains(" 40 clients and "), "{made:?}");
    let again = make();
    assert_eq!(text(&again.stdout).trim(), "0 streets, 0 clients and 0 orders added");
}
