use std::collections::BTreeSet;

use super::*;
use crate::engine::ids::QueueId;
use crate::engine::settings::{Act, Strategy};
use crate::speech::Language;

const EXAMPLE: &str = include_str!("../../../deploy/perezvon.toml.example");

fn read(text: &str) -> Result<Config, ConfigError> {
    read_with(text, &[])
}

fn read_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("perezvon.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(Some(&path), variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn error(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn without_a_file_everything_has_a_default() {
    let config = Config::read(None, [("STATE_DIRECTORY".to_owned(), "/data".to_owned())]).unwrap();
    assert_eq!(config.engine, Settings::default());
    assert_eq!(config.database.url.reveal(), "sqlite:///data/perezvon.db");
    assert_eq!(config.recording.dir, Path::new("/data/recordings"));
    assert_eq!(config.asterisk.len(), 1);
    assert_eq!(config.asterisk[0].name, "asterisk1");
    assert!(!config.web.cookie_secure, "loopback");
}

#[test]
fn the_example_is_valid_as_it_stands() {
    let config = read(EXAMPLE).unwrap();
    assert_eq!(config.engine.queues.len(), 2);
    assert_eq!(config.engine.queues[0].name, "main");
    assert_eq!(config.engine.queues[1].strategy, Strategy::HighestLevel);
    assert_eq!(config.engine.queues[1].skill, Some(("corporate".to_owned(), 3)));
    assert_eq!(config.engine.routes.get("74951234567"), Some(&QueueId(1)));
}

#[test]
fn the_example_lists_every_key() {
    let mut listed = BTreeSet::new();
    let mut section = String::new();
    for line in EXAMPLE.lines() {
        let line = line.trim_start_matches("# ");
        if line.starts_with('[') {
            let in_list = line.starts_with("[[");
            section = line.trim_matches(['[', ']']).to_owned() + if in_list { "[]" } else { "" };
            listed.insert(section.clone());
        } else if let Some((key, _)) = line.split_once(" = ") {
            listed.insert(format!("{section}.{key}"));
        }
    }
    for key in known::KEYS {
        // The keys of a menu and the headers of a gateway stand in one line.
        let key = key
            .trim_end_matches("[]")
            .replace("keys.*", "keys")
            .replace("headers.*", "headers")
            .replace('*', "\"74951234567\"");
        assert!(listed.contains(&key), "{key} is not in deploy/perezvon.toml.example");
    }
    for section in known::EMPTY_SECTIONS {
        assert!(listed.contains(*section), "{section}");
    }
}

/// The paths of a tree, as the list of known keys writes them.
fn paths(value: &serde_json::Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let key = if ["queue.routes", "menu.list[].keys", "sms.providers[].headers"].contains(&path) {
                    "*"
                } else {
                    key
                };
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                paths(value, &path, found);
            }
        }
        serde_json::Value::Array(elements) if !elements.is_empty() => {
            elements.iter().for_each(|element| paths(element, &format!("{path}[]"), found));
        }
        serde_json::Value::Array(_) => {
            found.insert(format!("{path}[]"));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn the_list_of_known_keys_is_what_the_types_hold() {
    let parsed = config::Config::builder().add_source(config::File::from_str(EXAMPLE, FileFormat::Toml)).build();
    let mut raw: raw::Raw = parsed.unwrap().try_deserialize().unwrap();
    let keys = [("1".to_owned(), "repeat".to_owned())].into();
    raw.menu.list.push(sections::Menu { keys, ..sections::Menu::default() });
    let headers = [("accept".to_owned(), "*/*".to_owned())].into();
    raw.sms.providers.push(raw::SmsProvider { headers, ..raw::SmsProvider::default() });
    raw.recording.s3 = Some(raw::S3::default());
    let mut held = BTreeSet::new();
    paths(&serde_json::to_value(&raw).unwrap(), "", &mut held);
    let known: BTreeSet<_> = known::KEYS.iter().chain(known::EMPTY_SECTIONS).map(|key| (*key).to_owned()).collect();
    assert_eq!(held, known);
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    for (text, key, near) in [
        ("[web]\nlissen = \"x\"", "`web.lissen`", "`web.listen`"),
        (
            "[[asterisk.nodes]]\nname='a'\n[[asterisk.nodes]]\nuser_name='x'",
            "`asterisk.nodes[1].user_name`",
            "username",
        ),
        ("[databse]\nurl = 'x'", "`databse`", "`database`"),
        ("[queue.list]\n", "", ""),
    ] {
        let message = error(text);
        assert!(message.contains(key), "{message}");
        assert!(message.contains(near), "{message}");
    }
    let message = error("[web]\ncolour = 'green'");
    assert!(message.contains("`web.colour`") && message.contains("perezvon.toml"), "{message}");
    assert!(!message.contains("did you mean"), "{message}");
    let message = error("[speech]\nvoice = 'elena'");
    assert!(message.contains("`speech.voice`"), "{message}");
}

#[test]
fn a_wrong_type_is_named_with_its_path() {
    for (text, key) in [
        ("[web]\nsession_hours = 'long'", "web.session_hours"),
        ("[web]\nsession_hours = -1", "web.session_hours"),
        ("[[queue.list]]\nname = 'a'\nring_seconds = 'x'", "queue.list[0].ring_seconds"),
        ("[office]\ngreeting = 'perhaps'", "office.greeting"),
        ("[limits]\nallowed_numbers = 5", "limits.allowed_numbers"),
        ("web = 5", "web"),
        ("[asterisk]\nnodes = 'x'", "asterisk.nodes"),
    ] {
        let message = error(text);
        assert!(message.contains(key), "{text}: {message}");
        assert!(!message.contains('\n'), "one line: {message}");
    }
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_what_would_do() {
    for (text, key) in [
        ("[web]\nlisten = 'here'", "web.listen"),
        ("[web]\nlisten = '127.0.0.1:99999'", "web.listen"),
        ("[web]\nsession_hours = 0", "web.session_hours"),
        ("[web]\ntrusted_proxies = ['proxy']", "web.trusted_proxies[0]"),
        ("[[asterisk.nodes]]\nurl = 'ws://x'", "asterisk.nodes[0].url"),
        ("[[asterisk.nodes]]\nurl = 'http://a:b@x:1'", "asterisk.nodes[0].url"),
        ("[[asterisk.nodes]]\nname = 'a b'", "asterisk.nodes[0].name"),
        ("[[asterisk.nodes]]\nname='a'\n[[asterisk.nodes]]\nname='a'", "asterisk.nodes[1].name"),
        ("[[asterisk.nodes]]\n[[asterisk.nodes]]\n", "asterisk.nodes[1].url"),
        ("[[asterisk.nodes]]\nsounds_dir = 'sounds'", "asterisk.nodes[0].sounds_dir"),
        ("[[asterisk.nodes]]\nrecordings_dir = 'recording'", "asterisk.nodes[0].recordings_dir"),
        ("[asterisk]\nnodes = []", "asterisk.nodes"),
        ("[[queue.list]]\nname = 'a'\n[[queue.list]]\nname = 'a'", "queue.list[1].name"),
        ("[[queue.list]]\nstrategy = 'random'", "queue.list[0].name"),
        ("[[queue.list]]\nname = 'a'\nstrategy = 'random'", "queue.list[0].strategy"),
        ("[queue.defaults]\nskill_level = 3", "queue.defaults.skill_level"),
        ("[queue.defaults]\nskill = 'x'\nskill_level = 11", "queue.defaults.skill_level"),
        ("[queue.defaults]\nring_seconds = 0", "queue.defaults.ring_seconds"),
        ("[queue.defaults]\nwrap_up_seconds = 4000000000", "queue.defaults.wrap_up_seconds"),
        ("[queue.routes]\n7495 = 'no'", "queue.routes.7495"),
        ("[office]\nlanguage = 'de'", "office.language"),
        ("[office]\nhours = ['mon-fri 08:00-20:00', 'always']", "office.hours[1]"),
        ("[menu]\nstart = 'a'", "menu.start"),
        ("[[menu.list]]\nname = 'a'\nsay = 'x'", "menu.list[0].otherwise"),
        ("[[menu.list]]\nname = 'a'\notherwise = 'repeat'", "menu.list[0].say"),
        ("[[menu.list]]\nname='a'\nsay='x'\notherwise='repeat'\nkeys={ 12 = 'repeat' }", "menu.list[0].keys.12"),
        ("[[menu.list]]\nname='a'\nsay='x'\notherwise='menu b'", "there are: a"),
        ("[[menu.list]]\nname='a'\nsay='x'\notherwise='queue b'", "there are: main"),
        ("[[menu.list]]\nname='a'\nsay='x'\notherwise='repeat'\nwait_seconds=0", "menu.list[0].wait_seconds"),
        ("[limits]\nmax_calls = 0", "limits.max_calls"),
        ("[limits]\nallowed_numbers = ['+7', 'abc']", "limits.allowed_numbers[1]"),
        ("[limits]\ntrunk = 'a/b'", "limits.trunk"),
        ("[telemetry]\nformat = 'xml'", "telemetry.format"),
        ("[telemetry]\notlp_endpoint = 'ftp://here'", "telemetry.otlp_endpoint"),
        ("[mail]\nhost = 'mail.example'", "mail.from"),
        ("[mail]\nhost = 'mail.example'\nfrom = 'nobody'", "mail.from"),
        ("[mail]\nhost = 'mail.example'\nfrom = 'a@b.example'\ntls = 'perhaps'", "mail.tls"),
        ("[mail]\nhost = 'mail.example'\nfrom = 'a@b.example'\nuser = 'a'", "mail.user"),
        ("[reports]\nwithin_seconds = 0", "reports.within_seconds"),
        ("[reports]\nshort_abandon_seconds = 601", "reports.short_abandon_seconds"),
        ("[speech]\nengine = 'espeak'", "speech.engine"),
        ("[speech]\nengine = 'command'", "speech.command"),
        ("[speech]\nengine = 'command'\ncommand = ['espeak', '{text}']", "speech.command"),
        ("[speech]\ncommand = ['espeak', '{text}', '{out}']", "speech.command"),
        ("[speech]\nworkers = 3", "speech.workers"),
        ("[speech]\ndeadline_ms = 0", "speech.deadline_ms"),
        ("[speech]\ncache_mb = 0", "speech.cache_mb"),
        ("[speech]\ndata = 'RHVoice'", "speech.data"),
        ("[speech.voices]\nru = ''", "speech.voices.ru"),
        ("[telemetry]\nlog = 'info,perezvon=loud'", "telemetry.log"),
        ("[database]\nurl = 'mysql://u:pass@h/d'", "database.url"),
    ] {
        let message = error(text);
        assert!(message.contains(key), "{text}: {message}");
        assert!(!message.contains('\n'), "one line: {message}");
        assert!(!message.contains("pass@"), "no secrets: {message}");
    }
}

#[test]
fn a_menu_is_read_with_its_names_and_a_wrong_one_is_told_with_its_line() {
    let text = "[office]\nhours = ['mon-fri 08:00-20:00']\nafter_hours = 'Закрыто.'\n[menu]\nstart = 'b'\n\
        [[menu.list]]\nname = 'a'\nsay = 'А'\notherwise = 'hang up'\n\
        [[menu.list]]\nname = 'b'\nsay = 'Б'\nlanguage = 'en'\nkeys = { 1 = 'queue main', '*' = 'repeat',\n 2 = 'menu a' }\n\
        otherwise = 'say Тихо.'\n";
    let menus = read(text).unwrap().engine.menus;
    assert_eq!(menus.start, Some(1));
    let menu = &menus.list[1];
    assert_eq!((menu.language, menu.times, menu.wait.as_secs()), (Some(Language::En), 2, 5));
    assert_eq!(menu.keys[&'1'], Act::Queue(QueueId(0)));
    assert_eq!(menu.keys[&'2'], Act::Menu(0));
    assert_eq!(menu.otherwise, Act::Say("Тихо.".to_owned()));
    let message = error(&text.replace("menu a", "menu c"));
    assert!(message.contains("line 15: menu.list[1].keys.2") && message.contains("there are: a, b"), "{message}");
}

#[test]
fn broken_toml_is_named_with_its_file() {
    let message = error("[web\nlisten = 1");
    assert!(message.contains("perezvon.toml") && !message.contains('\n'), "{message}");
    let message = Config::read(Some(Path::new("/nowhere/perezvon.toml")), []).unwrap_err().to_string();
    assert!(message.contains("/nowhere/perezvon.toml"), "{message}");
}

#[test]
fn the_environment_overrides_the_file() {
    let config = read_with(
        "[web]\nlisten = '127.0.0.1:1'\n[[asterisk.nodes]]\nname='a'\nurl='http://a:1'\n[[asterisk.nodes]]\nurl='http://b:1'",
        &[
            ("PEREZVON__WEB__LISTEN", "0.0.0.0:2"),
            ("PEREZVON__ASTERISK__NODES__1__PASSWORD", "secret"),
            ("PEREZVON__LIMITS__ALLOWED_NUMBERS", "+7495, +7812"),
            ("PEREZVON__OFFICE__GREETING", "false"),
            ("PEREZVON__OFFICE__LANGUAGE", "en"),
            ("PEREZVON_OTHER", "ignored"),
        ],
    )
    .unwrap();
    assert_eq!(config.web.listen.to_string(), "0.0.0.0:2");
    assert!(config.web.cookie_secure, "not loopback");
    assert_eq!(config.asterisk[0].name, "a");
    assert_eq!(config.asterisk[1].password, "secret");
    assert_eq!(config.engine.allowed_numbers.len(), 2);
    assert!(!config.engine.greeting);
    assert_eq!(config.engine.language, Language::En);
}

#[test]
fn a_wrong_variable_is_named() {
    for (name, value, told) in [
        ("PEREZVON__WEB__LISTN", "x", "web.listen"),
        ("PEREZVON__WEB__SESSION_HOURS", "many", "PEREZVON__WEB__SESSION_HOURS"),
        ("PEREZVON__WEB", "x", "`web`"),
        ("PEREZVON__", "x", "PEREZVON__SECTION__KEY"),
        ("PEREZVON__ASTERISK__NODES__4000000000__URL", "x", "too large"),
        ("PEREZVON__QUEUE__ROUTES__7495", "main", "file only"),
    ] {
        let message = read_with("", &[(name, value)]).unwrap_err().to_string();
        assert!(message.contains(told), "{message}");
        assert!(message.contains("PEREZVON__"), "{message}");
    }
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "s3cret\n").unwrap();
    let config = read(&format!("[[asterisk.nodes]]\npassword_file = '{}'", path.display())).unwrap();
    assert_eq!(config.asterisk[0].password, "s3cret");
    assert!(!format!("{config:?}").contains("s3cret"));

    let message = error("[database]\nurl_file = '/nowhere/url'");
    assert!(message.contains("database.url_file") && message.contains("/nowhere/url"), "{message}");
    let message = error(&format!("[[asterisk.nodes]]\npassword = 'x'\npassword_file = '{}'", path.display()));
    assert!(message.contains("keep one of the two"), "{message}");
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let message = writable("recording.dir", &file.join("below")).unwrap_err().to_string();
    assert!(message.contains("recording.dir") && message.contains("below"), "{message}");
    writable("recording.dir", &folder.path().join("a/b")).unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("a/b")).unwrap().count(), 0);
}

#[test]
fn a_gateway_that_cannot_work_is_refused_with_what_to_write() {
    let secret = "secret = '0123456789abcdef0123456789'";
    for (text, key, word) in [
        ("secret = 'short'", "sms.secret", "20"),
        ("secret = 'with/slashes/and/more/letters'", "sms.secret", "letters"),
        ("report_url = 'http://127.0.0.1:8080'", "sms.report_url", "sms.secret"),
        ("allowed_numbers = ['7']", "sms.allowed_numbers[0]", "+7"),
        ("answers_per_hour = 0", "sms.answers_per_hour", "1 to 100"),
        ("[[sms.providers]]\nname = 'a'\nkind = 'pigeon'", "sms.providers[0].kind", "kannel"),
        ("[[sms.providers]]\nname = 'a b'\nkind = 'kannel'", "sms.providers[0].name", "letters"),
        ("[[sms.providers]]\nname = 'a'\nkind = 'kannel'", "sms.providers[0].password", "password_file"),
        ("[[sms.providers]]\nname = 'a'\nkind = 'smpp'\nurl = 'smsc:2775'", "sms.providers[0].url", "smpp://host:port"),
        (
            "[[sms.providers]]\nname = 'a'\nkind = 'smpp'\nurl = 'smpp://smsc:2775'\npassword = '123456789'",
            "sms.providers[0].password",
            "at most 8",
        ),
        (
            "[[sms.providers]]\nname = 'a'\nkind = 'kannel'\npassword = 'p'\nurl = 'http://x/?a=b'",
            "sms.providers[0].url",
            "question mark",
        ),
        ("[[sms.providers]]\nname = 'a'\nkind = 'http'\nurl = 'http://x/'", "sms.providers[0].body", "{text}"),
        (
            "[[sms.providers]]\nname = 'a'\nkind = 'http'\nurl = 'http://x/?t={text}'",
            "sms.providers[0].body",
            "{to}, {digits}",
        ),
        (
            "[[sms.providers]]\nname = 'a'\nkind = 'http'\nurl = 'http://x/?t={text}&n={to}'\nreference = '('",
            "sms.providers[0].reference",
            "regular expression",
        ),
    ] {
        let message = error(&format!("[sms]\n{text}"));
        assert!(message.contains(key) && message.contains(word), "{message}");
    }
    let two = "[[sms.providers]]\nname = 'a'\nkind = 'kannel'\npassword = 'p'\n".repeat(2);
    assert!(error(&format!("[sms]\n{two}")).contains("another gateway"));
    let good = format!("[sms]\n{secret}\nreport_url = 'http://127.0.0.1:8080/'\n{}", &two[..two.len() / 2]);
    let sms = read(&good).unwrap().sms;
    assert!(sms.allows("+79001234567") && !sms.allows("+375291234567"));
    assert_eq!(sms.providers.len(), 1);
}
