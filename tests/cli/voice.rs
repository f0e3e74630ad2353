//! The real RHVoice: a text is heard as it should be, and the process that speaks is looked after.

use std::path::{Path, PathBuf};

use perezvon::speech::wav::Sound;

use super::rhvoice::speech;
use super::{DEADLINE, Instant, Machine, code, failed_naming, text};

/// Root mean square of the pieces of 5 ms that are not pauses, in dB of full scale.
fn loudness(sound: &Sound) -> f64 {
    let rms = |piece: &[i16]| {
        (piece.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / piece.len() as f64).sqrt()
    };
    let levels: Vec<f64> = sound.samples.chunks(40).map(rms).collect();
    let loudest = levels.iter().copied().fold(0.0, f64::max);
    let heard: Vec<f64> = levels.into_iter().filter(|level| *level > loudest / 10.0).collect();
    let mean = heard.iter().map(|level| level * level).sum::<f64>() / heard.len() as f64;
    10.0 * mean.log10() - 20.0 * 32_768_f64.log10()
}

#[test]
fn a_text_is_said_in_both_languages_as_loud_as_the_shipped_sounds() {
    let Some(speech) = speech() else { return };
    let machine = Machine::new();
    for (language, words, seconds) in [
        ("ru", "К вам едет белая Тойота Ка́мри. Улица Академика Королёва.", 3.5..6.5),
        ("ru", "Пушкина.", 0.5..1.8),
        (
            "ru",
            "Нажмите один, чтобы поговорить с диспетчером, два, чтобы отменить заказ, звёздочку, чтобы повторить.",
            5.0..9.0,
        ),
        ("en", "Your car is a white Toyota. It will be there in five minutes.", 2.5..6.0),
    ] {
        let file = machine.path("said.wav");
        let output = machine.run_with(&speech, &["say", "--lang", language, words, "-o", &file]);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        let sound = Sound::read(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!((sound.rate, sound.channels), (8_000, 1));
        let length = sound.samples.len() as f64 / 8_000.0;
        assert!(seconds.contains(&length), "{words}: {length} s");
        let loudness = loudness(&sound);
        assert!((loudness + 20.0).abs() < 2.0, "{words}: {loudness} dBFS");
        // 30 ms before the words, and nothing that begins or ends with a click.
        assert!(sound.samples[..8].iter().chain(sound.samples.last()).all(|sample| sample.abs() < 100), "{words}");
        let first = sound.samples.iter().position(|sample| sample.abs() > 300).unwrap();
        assert!(first < 8 * 80, "{words}: {first} samples of silence");
    }
}

#[test]
fn a_voice_that_is_not_there_is_told_with_what_to_install() {
    let machine = Machine::new();
    let say = |toml: &str| machine.run_with(toml, &["say", "Раз.", "-o", &machine.path("x.wav")]);
    failed_naming(&say("[speech]\nlibrary = '/nowhere/libRHVoice.so.5'"), &["/nowhere/libRHVoice.so.5", "librhvoice5"]);
    failed_naming(&say("[speech]\nengine = 'none'"), &["speech.engine"]);
    failed_naming(
        &say("[speech]\nengine = 'command'\ncommand = ['/nowhere/espeak', '{text}', '{out}']"),
        &["/nowhere/espeak"],
    );
    assert_eq!(code(&machine.run(&["say", "--lang", "de", "Eins.", "-o", "x.wav"], "")), 2);
    let lines = text(&machine.run_with("[speech]\nlibrary = '/nowhere/lib.so'", &["check"]).stdout);
    let line = lines.lines().find(|line| line.contains(" voice ")).unwrap();
    assert!(line.starts_with("warning") && line.contains("librhvoice5"), "{line}");
    let Some(speech) = speech() else { return };
    failed_naming(&say(&format!("{speech}[speech.voices]\nru = 'Nobody'\n")), &["Nobody", "speech.voices"]);
    failed_naming(&say(&speech.replace("/usr/share/RHVoice", "/usr/share")), &["speech.data"]);
    let lines = text(&machine.run_with(&speech, &["check"]).stdout);
    assert!(lines.lines().any(|line| line.starts_with("ok") && line.contains(" voice ")), "{lines}");
}

/// Processes of this parent that speak.
fn speakers(parent: u32) -> Vec<u32> {
    let children: Vec<PathBuf> = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).collect();
    let of_parent = |folder: &PathBuf| {
        let status = std::fs::read_to_string(folder.join("status")).ok()?;
        let line = std::fs::read_to_string(folder.join("cmdline")).ok()?;
        let ours = status.lines().any(|line| line == format!("PPid:\t{parent}")) && line.contains("voice-worker");
        ours.then(|| folder.file_name()?.to_str()?.parse().ok()).flatten()
    };
    children.iter().filter_map(of_parent).collect()
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let late = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < late, "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_process_that_was_killed_is_started_again_and_none_outlives_the_engine() {
    let Some(speech) = speech() else { return };
    let machine = Machine::new();
    let sounds = machine.path("sounds");
    let toml = format!(
        "{speech}workers = 1\n[web]\nlisten = '127.0.0.1:0'\n[[asterisk.nodes]]\nurl = 'http://127.0.0.1:1'\n\
         sounds_dir = '{sounds}'\n"
    );
    std::fs::write(machine.path("perezvon.toml"), toml).unwrap();
    let mut engine = machine.command(&["serve", "--config", &machine.path("perezvon.toml")]);
    let mut engine = engine.stderr(std::process::Stdio::null()).spawn().unwrap();
    let first = until("no voice", || speakers(engine.id()).first().copied());
    assert!(std::process::Command::new("kill").args(["-KILL", &first.to_string()]).status().unwrap().success());
    let second = until("no other voice", || speakers(engine.id()).into_iter().find(|pid| *pid != first));
    // As a crash ends it: its voice finds that nobody listens any more.
    engine.kill().unwrap();
    engine.wait().unwrap();
    until("a voice is left", || (!Path::new(&format!("/proc/{second}/exe")).exists()).then_some(()));
}
