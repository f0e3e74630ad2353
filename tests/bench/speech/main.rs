//! The voice at run time, with the real RHVoice.
//!
//!     deploy/bench speech
//!
//! - `speech.new_prompt`: from asking for a status prompt that was never heard before to the answer what to play, as a
//!   caller with an order hears it: the word of greeting and sentences that are there when their turn comes
//! - `speech.bare_sentence`: the same for a prompt that begins with a new sentence, which can be played while the rest of
//!   it is being said
//! - `speech.new_sentence_whole`: until that sentence is whole
//! - `speech.cached_prompt`: the same prompts once more
//! - `speech.prepared_200`: until 200 new prompts are kept, as when 200 orders change at once (`deploy/bench ivr` has 200
//!   callers at once)
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
    let (dir, cancel) = (tempfile::tempdir().unwrap(), CancellationToken::new());
    let speaker = Speaker::start(settings, cancel.clone());
    let voice = speaker.voice(dir.path().to_str().unwrap());
    // The first one is asked for until the voice is there.
    whole(&voice, &prompt(9_999)).await;

    let (mut new, mut bare, mut complete) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..PROMPTS {
        let begun = Instant::now();
        let media = voice.media(&prompt(number), Language::Ru).await;
        new.push(begun.elapsed());
        assert!(has_sentence(&media), "no voice within the deadline");
        whole(&voice, &prompt(number)).await;
        complete.push(begun.elapsed());
        let begun = Instant::now();
        let media = voice.media(&prompt(100 + number)[1..], Language::Ru).await;
        bare.push(begun.elapsed());
        assert!(has_sentence(&media), "no voice within the deadline");
        whole(&voice, &prompt(100 + number)).await;
    }
    for (name, spans) in [("new_prompt", &new), ("bare_sentence", &bare), ("new_sentence_whole", &complete)] {
        print(&format!("speech.{name}.p50"), milliseconds(quantile(spans, 0.5)), "ms", None);
        print(&format!("speech.{name}.p99"), milliseconds(quantile(spans, 0.99)), "ms", None);
    }

    let mut cached = Vec::new();
    for number in (0..PROMPTS).cycle().take(1_000) {
        let begun = Instant::now();
        assert!(has_sentence(&voice.media(&prompt(number), Language::Ru).await));
        cached.push(begun.elapsed());
    }
    print("speech.cached_prompt.p50", milliseconds(quantile(&cached, 0.5)), "ms", None);
    print("speech.cached_prompt.p99", milliseconds(quantile(&cached, 0.99)), "ms", None);

    let begun = Instant::now();
    let prompts: Vec<_> = (0..AT_ONCE).map(|number| prompt(1_000 + number)).collect();
    prompts.iter().for_each(|prompt| voice.prepare(prompt, Language::Ru));
    for prompt in &prompts {
        whole(&voice, prompt).await;
    }
    print("speech.prepared_200", milliseconds(begun.elapsed()), "ms", None);
    cancel.cancel();
}

/// Waits until nothing of it is still being said.
async fn whole(voice: &Voice, prompt: &[Phrase]) {
    let ready = async {
        loop {
            let media = voice.media(prompt, Language::Ru).await;
            if has_sentence(&media) && !media.iter().any(|sound| sound.contains("/live/")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
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
        Phrase::Hello,
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
