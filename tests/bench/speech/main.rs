//! The voice at run time, with the real RHVoice.
//!
//!     deploy/bench speech
//!
//! - `speech.new_prompt`: from asking for a status prompt that was never heard before to the answer what to play: the
//!   shipped sounds and the beginning of a new sentence, which can be played while the rest is being said
//! - `speech.new_sentence_whole`: until that sentence is whole
//! - `speech.cached_prompt`: the same prompts once more
//! - `speech.at_once_200`: 200 callers at the same moment, each with a sentence of their own: how many hear it before
//!   the deadline (the others hear the shipped sounds), the longest wait, and until all 200 are kept
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

#[path = "../queue/numbers.rs"]
#[allow(dead_code)]
mod numbers;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use numbers::{milliseconds, print, quantile};
use perezvon::shell::voice::settings::{Engine, Settings};
use perezvon::shell::voice::{Speaker, Voice};
use perezvon::speech::order::{OrderStatus, Progress};
use perezvon::speech::{Language, Phrase};
use tokio_util::sync::CancellationToken;

const PROMPTS: usize = 60;
const AT_ONCE: usize = 200;
const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    // The voice process is the same program.
    if std::env::args().nth(1).as_deref() == Some("voice-worker") {
        return perezvon::shell::cli::main();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(run());
    ExitCode::SUCCESS
}

async fn run() {
    let settings = settings();
    let deadline = settings.deadline;
    let (dir, cancel) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let speaker = Speaker::start(settings, cancel.clone());
    let voice = speaker.voice(dir.path().to_str().unwrap());
    // The first one is asked for until the voice is there.
    whole(&voice, &prompt(9_999)).await;

    let (mut new, mut complete) = (Vec::new(), Vec::new());
    for number in 0..PROMPTS {
        let begun = Instant::now();
        let media = voice.media(&prompt(number), Language::Ru).await;
        new.push(begun.elapsed());
        assert!(has_sentence(&media), "no voice within the deadline");
        whole(&voice, &prompt(number)).await;
        complete.push(begun.elapsed());
    }
    print("speech.new_prompt.p50", milliseconds(quantile(&new, 0.5)), "ms", None);
    print("speech.new_prompt.p99", milliseconds(quantile(&new, 0.99)), "ms", None);
    print("speech.new_sentence_whole.p50", milliseconds(quantile(&complete, 0.5)), "ms", None);

    let mut cached = Vec::new();
    for number in (0..PROMPTS).cycle().take(1_000) {
        let begun = Instant::now();
        assert!(has_sentence(&voice.media(&prompt(number), Language::Ru).await));
        cached.push(begun.elapsed());
    }
    print("speech.cached_prompt.p50", milliseconds(quantile(&cached, 0.5)), "ms", None);
    print("speech.cached_prompt.p99", milliseconds(quantile(&cached, 0.99)), "ms", None);

    at_once(&voice, deadline).await;
    cancel.cancel();
}

async fn at_once(voice: &Voice, deadline: Duration) {
    let begun = Instant::now();
    let prompts: Vec<_> = (0..AT_ONCE).map(|number| prompt(1_000 + number)).collect();
    let callers = prompts.iter().map(|prompt| {
        let voice = voice.clone();
        let prompt = prompt.clone();
        tokio::spawn(async move { (voice.media(&prompt, Language::Ru).await, begun.elapsed()) })
    });
    let mut waits = Vec::new();
    let mut heard = 0;
    for caller in callers.collect::<Vec<_>>() {
        let (media, wait) = caller.await.unwrap();
        assert!(!media.is_empty(), "silence");
        heard += u32::from(has_sentence(&media));
        waits.push(wait);
    }
    print("speech.at_once_200.with_text", f64::from(heard), "callers", None);
    print("speech.at_once_200.p50", milliseconds(quantile(&waits, 0.5)), "ms", None);
    let worst = quantile(&waits, 1.0);
    print("speech.at_once_200.worst", milliseconds(worst), "ms", None);
    assert!(worst < deadline + Duration::from_millis(200), "a caller waited for longer than the deadline");
    // As orders do when they change.
    let begun = Instant::now();
    for prompt in &prompts {
        voice.prepare(prompt, Language::Ru);
    }
    for prompt in &prompts {
        whole(voice, prompt).await;
    }
    print("speech.at_once_200.all_kept", milliseconds(begun.elapsed()), "ms", None);
}

/// Waits until nothing of it is still being said.
async fn whole(voice: &Voice, prompt: &[Phrase]) {
    let ready = async {
        loop {
            let media = voice.media(prompt, Language::Ru).await;
            if has_sentence(&media) && !media.iter().any(|sound| sound.contains("/live/")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("RHVoice does not speak");
}

fn has_sentence(media: &[String]) -> bool {
    media.iter().any(|sound| sound.contains("/cache/"))
}

/// A status prompt with a sentence that no other has.
fn prompt(number: usize) -> Vec<Phrase> {
    let streets = ["Ленина", "Академика Королёва", "Мира", "Большая Садовая", "Пушкина", "Набережная", "Гагарина"];
    let ones = ["один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять"];
    let digits = [number / 1_000, number / 100, number / 10, number].map(|part| ones[part % 10]).join(" ");
    let street = streets[number % streets.len()];
    let minutes = Some(u32::try_from(number % 15).unwrap_or(0));
    vec![
        Phrase::Free(format!("К вам на улицу {street} едет белая Тойота, номер {digits}.")),
        Phrase::Order(OrderStatus { progress: Progress::Assigned { minutes }, car: None, from: None }),
        Phrase::OrderKeys { cancel: true },
    ]
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    let root = std::env::var("PEREZVON_RHVOICE_ROOT")
        .expect("PEREZVON_RHVOICE_ROOT is not set: run deploy/bench, or set it to what deploy/rhvoice prints");
    if let Engine::RhVoice(rhvoice) = &mut settings.engine {
        let folders = std::fs::read_dir(Path::new(&root).join("usr/lib")).unwrap().flatten();
        let library = folders.map(|folder| folder.path().join("libRHVoice.so.5")).find(|path| path.is_file());
        rhvoice.library = library.expect("no libRHVoice.so.5 under PEREZVON_RHVOICE_ROOT").into();
        rhvoice.data = format!("{root}/usr/share/RHVoice");
        rhvoice.settings = format!("{root}/etc/RHVoice");
    }
    settings
}
