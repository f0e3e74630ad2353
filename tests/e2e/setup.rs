//! What an administrator can do wrong, and what he is told.

use std::path::Path;
use std::process::Command;

use crate::office::{Office, Options, PEREZVON};

/// Runs the program on a configuration; gives exit code, standard output and error.
fn perezvon(arguments: &[&str], config: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new("timeout");
    command.args(["20", PEREZVON]).args(arguments).arg("--config").arg(config);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_wrong_configuration_is_told_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!(
        "database.url = \"sqlite://{0}/p.db\"\nrecording.dir = \"{0}/recordings\"\nweb.listen = \"127.0.0.1:0\"\n",
        dir.path().display()
    );
    let listen = format!("web.listen = \"{}\"", taken.local_addr().unwrap());
    let cases: [(&str, String, &[&str]); 8] = [
        ("unknown key", format!("{base}queue.ring_secnds = 5"), &["queue.ring_secnds"]),
        ("wrong type", format!("{base}limits.max_calls = \"many\""), &["limits.max_calls"]),
        (
            "wrong word",
            format!("{base}queue.defaults.strategy = \"fastest\""),
            &["strategy", "fastest", "longest_idle"],
        ),
        ("port in use", base.replace("web.listen = \"127.0.0.1:0\"", &listen), &["web.listen", "in use"]),
        (
            "folder",
            base.replace(&format!("{}/recordings", dir.path().display()), "/dev/null/recordings"),
            &["recording.dir"],
        ),
        (
            "database",
            base.replace(&format!("sqlite://{}/p.db", dir.path().display()), "sqlite:///dev/null/p.db"),
            &["/dev/null"],
        ),
        ("not TOML", format!("{base}[queue"), &["perezvon.toml"]),
        (
            "secret",
            format!(
                "{base}[[asterisk.nodes]]\nname = \"a\"\nurl = \"http://127.0.0.1:1\"\nusername = \"p\"\npassword_file = \"/nowhere\""
            ),
            &["/nowhere"],
        ),
    ];
    let config = dir.path().join("perezvon.toml");
    for (what, text, words) in cases {
        std::fs::write(&config, &text).unwrap();
        let (code, _, errors) = perezvon(&["serve"], &config);
        assert_eq!(code, Some(1), "{what}: {errors}");
        let told: Vec<&str> = errors.lines().filter(|line| line.starts_with("perezvon: ")).collect();
        assert_eq!(told.len(), 1, "{what}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{what}: one line, nothing else: {errors}");
        for word in words {
            assert!(told[0].contains(word), "{what}: {word:?} is not in {:?}", told[0]);
        }
    }
    let (code, _, _) = perezvon(&["serve"], &dir.path().join("absent.toml"));
    assert_eq!(code, Some(1));
    assert_eq!(Command::new(PEREZVON).args(["serve", "--no-such-option"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn check_finds_a_good_office_good_and_names_what_is_wrong_with_a_bad_one() {
    let office = Office::open(Options::default());
    let good = std::fs::read_to_string(office.config()).unwrap();
    let config = office.dir.join("checked.toml");
    let check = |text: &str| {
        std::fs::write(&config, text).unwrap();
        perezvon(&["check"], &config)
    };
    let (code, told, errors) = check(&good);
    assert_eq!(code, Some(0), "{told}{errors}");
    assert!(told.contains("22."), "the version of Asterisk: {told}");
    assert!(!told.contains("FAILED"), "{told}");
    let line_of = |told: &str, word: &str| {
        let line = told.lines().find(|line| line.starts_with("FAILED") && line.contains(word)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("no line of {word:?} in:\n{told}"))
    };

    let (code, told, _) = check(&good.replace("asterisk-of-a-test", "wrong"));
    assert_eq!(code, Some(1), "{told}");
    assert!(line_of(&told, "password").len() > 20);

    let (code, told, _) = check(&good.replace(&format!(":{}\"", office.ari.port), ":1\""));
    assert_eq!(code, Some(1), "{told}");
    line_of(&told, "127.0.0.1:1");

    crate::process::run(
        crate::office::repository().join("deploy/asterisk/cli"),
        &[&office.dir.join("asterisk").display().to_string(), "module unload app_mixmonitor.so"],
    );
    let (code, told, _) = check(&good);
    assert_eq!(code, Some(1), "{told}");
    line_of(&told, "app_mixmonitor");
}
