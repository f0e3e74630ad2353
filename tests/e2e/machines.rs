//! Is it a person who answers, or a machine? Greetings as people and answering machines say them in Russian, by RHVoice,
//! and Asterisk's `AMD()` with `deploy/asterisk/amd.conf`.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::audio::{mu_law, said};
use crate::callbacks::{options_with, outcomes};
use crate::office::{Office, Options, PEREZVON};

/// What follows the words.
#[derive(Clone, Copy)]
enum Then {
    /// The tone after which one may speak.
    Beep,
    /// Somebody waits for an answer.
    Silence,
}

/// Who says what after how many milliseconds: the number, the words, and what follows.
const VOICES: [(u32, &str, u32, &str, Then); 6] = [
    (
        11,
        "machine",
        400,
        "Здравствуйте! Вы позвонили Ивану Петрову. Сейчас я не могу ответить на ваш звонок. Пожалуйста, оставьте \
      сообщение после звукового сигнала.",
        Then::Beep,
    ),
    (12, "delivered", 300, "Алло.", Then::Silence),
    (13, "delivered", 500, "Да, слушаю вас.", Then::Silence),
    (14, "machine", 200, "Абонент не может ответить на ваш звонок. Говорите после сигнала.", Then::Beep),
    (15, "machine", 800, "Это голосовой помощник. Скажите, что передать абоненту?", Then::Silence),
    (16, "delivered", 1200, "Алло, алло, кто это?", Then::Silence),
];

/// The line's own noise, small and always the same.
fn noise(samples: usize) -> impl Iterator<Item = i32> {
    let mut state = 7_u32;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as i32 - 128
    })
    .take(samples)
}

impl Office {
    /// These words by RHVoice, 8000 samples a second.
    #[track_caller]
    fn spoken(&self, words: &str) -> Vec<i16> {
        let file = self.dir.join("spoken.wav");
        let mut say = Command::new("timeout");
        say.args(["30", PEREZVON, "say", "--config"]).arg(self.config()).args(["--lang", "ru", words, "-o"]).arg(&file);
        let output = say.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut wav = hound::WavReader::open(&file).unwrap();
        assert_eq!((wav.spec().sample_rate, wav.spec().channels), (8000, 1));
        wav.samples::<i16>().map(Result::unwrap).collect()
    }

    /// A voice as it comes over the line, as raw G.711 µ-law.
    fn voice(&self, after_ms: u32, words: &str, then: Then) -> Vec<u8> {
        let quiet = |ms: u32| noise(8 * ms as usize).map(mu_law).collect::<Vec<u8>>();
        let spoken = self.spoken(words);
        let spoken = spoken.iter().zip(noise(spoken.len())).map(|(sample, noise)| mu_law(i32::from(*sample) + noise));
        let mut all: Vec<u8> = quiet(after_ms).into_iter().chain(spoken).collect();
        if let Then::Beep = then {
            all.extend(quiet(300).into_iter().chain(said(1000, 0.5, 0)));
        }
        all.extend(quiet(60_000));
        all
    }
}

/// How long after the answer Asterisk found out who it is, by number, in milliseconds.
fn findings(office: &Office) -> BTreeMap<String, i64> {
    let at = |event: &Value| {
        let text = event["timestamp"].as_str().expect("a moment");
        chrono::DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.3f%z").expect("a moment").timestamp_millis()
    };
    let steps = office.events.of("ChannelDialplan");
    let begun = steps.iter().filter(|event| event["dialplan_app"] == "AMD");
    let found = begun.filter_map(|begun| {
        let same =
            |event: &&Value| event["channel"]["id"] == begun["channel"]["id"] && event["dialplan_app"] == "ExecIf";
        let number = begun["channel"]["caller"]["number"].as_str().unwrap_or_default();
        steps.iter().find(same).map(|next| (number.to_owned(), at(next) - at(begun)))
    });
    found.collect()
}

#[test]
fn a_recorded_greeting_is_a_machine_and_a_person_says_a_word_and_waits() {
    if crate::rhvoice::speech().is_none() {
        return;
    }
    let office = Office::open(Options { voice: true, ..options_with("attempts = 1") });
    for (number, _, after, words, then) in VOICES {
        std::fs::write(office.dir.join(format!("voice{number}.ul")), office.voice(after, words, then)).unwrap();
    }
    let _mobile = office.mobile();
    for (number, ..) in VOICES {
        office.assigned(&format!("790055500{number}"));
    }
    let mut wrong = Vec::new();
    for (number, outcome, _, words, _) in VOICES {
        let state = if outcome == "delivered" { "delivered" } else { "exhausted" };
        let callback = office.callback(&format!("790055500{number}"), state, 60);
        if outcomes(&callback) != [outcome] {
            wrong.push(format!("«{words}» is {:?}", outcomes(&callback)));
        }
    }
    println!("milliseconds from the answer to the finding: {:?}", findings(&office));
    assert!(wrong.is_empty(), "{wrong:?}\n{:?}", findings(&office));
    office.assert_clean();
}
