use std::time::Duration;

use super::process::Start;
use super::process::fake::shell;
use super::settings::{Engine, Template};
use super::*;
use crate::domain::address::Car;
use crate::speech::order::{OrderStatus, Progress};
use crate::speech::wav::Sound;

const PATIENCE: Duration = Duration::from_secs(20);
/// Says 200 ms for each task.
const SPEAK: &str = "ready; while next; do sound; sound; printf 'E\\0\\0\\0\\0'; done";

struct Rig {
    dir: tempfile::TempDir,
    speaker: Speaker,
    voice: Voice,
    cancel: CancellationToken,
    /// What the script calls `DIR`.
    go: Option<tempfile::TempDir>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Rig {
    fn new(start: Start, settings: Settings) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let cancel = CancellationToken::new();
        let desk = Some(Desk::fake(&settings, start, &cancel));
        let speaker = Speaker { desk, settings: Arc::new(settings), shelves: Arc::default(), cancel: cancel.clone() };
        let voice = speaker.voice(dir.path().to_str().unwrap());
        Rig { dir, speaker, voice, cancel, go: None }
    }

    /// One process that runs this script; `DIR` in it is a folder of its own.
    fn script(script: &str) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let script = script.replace("DIR", dir.path().to_str().unwrap());
        let mut rig = Rig::new(shell(&script), Settings { workers: 1, deadline: PATIENCE, ..Settings::default() });
        rig.go = Some(dir);
        rig
    }

    async fn ready(&self) {
        self.until(|rig| rig.desk().is_ready()).await;
    }

    async fn until(&self, done: impl Fn(&Rig) -> bool) {
        let waiting = async {
            while !done(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("it does not happen");
    }

    fn desk(&self) -> &Desk {
        self.speaker.desk.as_ref().unwrap()
    }

    fn said(&self) -> u64 {
        self.desk().stats.said.get()
    }

    fn fragments(&self, phrases: &[Phrase]) -> Vec<String> {
        let folder = self.dir.path().display();
        said(phrases, Language::Ru).fragments.into_iter().map(|stem| format!("sound:{folder}/ru/{stem}")).collect()
    }

    async fn media(&self, text: &str) -> Vec<String> {
        self.voice.media(&[free(text)], Language::Ru).await
    }
}

fn free(text: &str) -> Phrase {
    Phrase::Free(text.to_owned())
}

fn heard(media: &str) -> Sound {
    let path = format!("{}.wav", media.strip_prefix("sound:").unwrap());
    Sound::read(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn a_sentence_is_said_once_and_found_again() {
    let rig = Rig::script(SPEAK);
    rig.ready().await;
    let first = rig.media("Улица Ленина.").await;
    assert_eq!(first.len(), 1);
    rig.until(|rig| rig.said() == 1).await;
    let second = rig.media("Улица Ленина.").await;
    assert_eq!(heard(&second[0]).samples.len(), 1_600);
    let folder = format!("sound:{}/cache/", rig.dir.path().display());
    assert!(second[0].starts_with(&folder) && !second[0].contains("/live/"), "{second:?}");
    assert_eq!(rig.said(), 1);
    // Another folder is another cache, but the words of the same voice have the same sound.
    assert_ne!(rig.media("Улица Мира.").await, second);
}

#[tokio::test]
async fn shipped_sounds_and_sentences_are_played_in_the_order_of_the_phrases() {
    let rig = Rig::script(SPEAK);
    rig.ready().await;
    let phrases = [Phrase::Greeting, free("Первое. Второе!"), Phrase::StayOnLine];
    let media = rig.voice.media(&phrases, Language::Ru).await;
    assert_eq!(media.len(), 5, "{media:?}");
    assert!(media[0].ends_with("/ru/greeting") && media[1].ends_with("/ru/pause-stop"), "{media:?}");
    assert!(media[2].contains("/cache/") && media[3].contains("/cache/") && media[2] != media[3], "{media:?}");
    assert!(media[4].ends_with("/ru/stay-on-line"), "{media:?}");
    let empty = rig.media("…").await;
    assert!(!empty.is_empty(), "never silence");
}

#[tokio::test]
async fn many_who_want_the_same_at_once_cost_one_synthesis() {
    let rig = Rig::script(SPEAK);
    rig.ready().await;
    let all: Vec<_> = (0..100).map(|_| rig.media("Улица Ленина.")).collect();
    for media in futures_util::future::join_all(all).await {
        assert!(media[0].contains("/cache/"), "{media:?}");
    }
    rig.until(|rig| rig.said() > 0).await;
    assert_eq!(rig.said(), 1);
}

#[tokio::test]
async fn what_needs_no_synthesis_waits_for_none() {
    let rig = Rig::script("ready; exec sleep 600");
    let phrases = [Phrase::Greeting, Phrase::Position(21)];
    assert_eq!(rig.voice.media(&phrases, Language::Ru).await, rig.fragments(&phrases));
    let remote = Voice::shipped("http://10.0.0.1:8080/sounds/");
    let media = remote.media(&[Phrase::Greeting], Language::En).await;
    assert_eq!(media, ["sound:http://10.0.0.1:8080/sounds/en/greeting.wav"]);
}

#[tokio::test]
async fn without_a_voice_the_free_text_is_left_out_at_once() {
    let none = Start { program: "/nonexistent/voice".into(), arguments: vec![], libraries: None };
    let rig = Rig::new(none, Settings { deadline: PATIENCE * 100, ..Settings::default() });
    let phrases = [free("Улица Ленина."), Phrase::StayOnLine];
    assert_eq!(rig.voice.media(&phrases, Language::Ru).await, rig.fragments(&phrases));
    assert_eq!(rig.desk().stats.without.get(), 1);
}

#[tokio::test]
async fn a_voice_that_hangs_costs_the_deadline_and_no_more() {
    let deadline = Duration::from_millis(50);
    let rig = Rig::new(shell("ready; next; exec sleep 600"), Settings { deadline, workers: 1, ..Settings::default() });
    rig.ready().await;
    let phrases = [free("Улица Ленина."), Phrase::StayOnLine];
    assert_eq!(rig.voice.media(&phrases, Language::Ru).await, rig.fragments(&phrases));
}

#[tokio::test]
async fn a_prompt_begins_at_once_and_the_sentences_in_it_are_there_when_their_turn_comes() {
    let rig = Rig::script("ready; while next; do until [ -e DIR/go ]; do :; done; sound; printf 'E\\0\\0\\0\\0'; done");
    rig.ready().await;
    let media = rig.voice.media(&[Phrase::Hello, free("Улица Ленина. Дом пять.")], Language::Ru).await;
    assert_eq!(media.len(), 3, "{media:?}");
    let promised = |at: usize| std::path::PathBuf::from(format!("{}.wav", media[at].strip_prefix("sound:").unwrap()));
    assert!(media[1].contains("/cache/live/") && !promised(1).exists() && !promised(2).exists());
    std::fs::write(rig.go.as_ref().unwrap().path().join("go"), "").unwrap();
    rig.until(|_| promised(1).exists() && promised(2).exists()).await;
    rig.until(|rig| rig.said() == 2 && rig.desk().stats.whole.get() == 1).await;
    assert_eq!(rig.desk().stats.without.get(), 0);
}

#[tokio::test]
async fn a_sentence_that_is_not_there_in_time_is_told_by_the_shipped_sounds() {
    let rig = Rig::script("ready; next; exec sleep 600");
    rig.ready().await;
    let car = Car { make: "Лунамобиль".into(), plate: "А123ВС77".into(), ..Car::default() };
    let progress = Progress::Assigned { minutes: Some(5) };
    let order = Phrase::Order(OrderStatus { progress, car: Some(car), from: None });
    let media = rig.voice.media(&[Phrase::Hello, order.clone()], Language::Ru).await;
    assert!(media.len() > 2 && media[1].contains("/cache/live/"), "{media:?}");
    let path = |media: &String| std::path::PathBuf::from(format!("{}.wav", media.strip_prefix("sound:").unwrap()));
    rig.until(|_| media[1..].iter().all(|sound| path(sound).exists())).await;
    rig.until(|rig| rig.desk().stats.without.get() == 1).await;
    let shipped = said(&[order], Language::Ru).fragments;
    let length: usize =
        shipped.iter().map(|f| crate::shell::sounds::shipped(&format!("ru/{f}.wav")).unwrap().len()).sum();
    let heard: Vec<usize> = media[1..].iter().map(|sound| heard(sound).samples.len()).collect();
    // All of them in place of one sentence, shortened at the seams; in the places of the others nothing.
    assert_eq!(heard.iter().filter(|samples| (length / 4..length / 2).contains(samples)).count(), 1, "{heard:?}");
    assert_eq!(heard.iter().filter(|samples| **samples == 800).count(), heard.len() - 1, "{heard:?}");
}

#[tokio::test]
async fn a_voice_that_dies_hangs_or_raves_is_started_again_and_the_sentence_said() {
    for mishap in ["exit 1", "exec sleep 600", "printf 'HTTP/1.1 500'; exec sleep 600"] {
        // The first process meets with the mishap, the second speaks.
        let script = format!("if mkdir DIR/once 2>/dev/null; then ready; next; {mishap}; fi; {SPEAK}");
        let rig = Rig::script(&script);
        rig.ready().await;
        let media = rig.media("Улица Ленина.").await;
        assert!(media[0].contains("/cache/"), "{mishap}: {media:?}");
        rig.until(|rig| rig.said() == 1).await;
        assert_eq!(rig.desk().stats.restarts.get(), 1, "{mishap}");
    }
}

#[tokio::test]
async fn a_voice_that_dies_in_idleness_is_started_again() {
    let rig = Rig::script(&format!("if mkdir DIR/once 2>/dev/null; then ready; exit 1; fi; {SPEAK}"));
    rig.until(|rig| rig.desk().stats.restarts.get() == 1 && rig.desk().is_ready()).await;
    assert!(rig.media("Улица Ленина.").await[0].contains("/cache/"));
}

#[tokio::test]
async fn a_sentence_that_cannot_be_said_is_not_tried_over_and_over() {
    let script = "ready; while next; do echo >>DIR/tries; printf 'F\\002\\0\\0\\0no'; done";
    let rig = Rig::script(script);
    rig.ready().await;
    let phrases = [free("Улица Ленина."), Phrase::StayOnLine];
    for _ in 0..5 {
        assert_eq!(rig.voice.media(&phrases, Language::Ru).await, rig.fragments(&phrases));
    }
    assert_eq!(rig.desk().stats.failed.get(), 1);
    assert_eq!(rig.desk().stats.restarts.get(), 0);
}

#[tokio::test]
async fn what_is_prepared_is_there_when_it_is_wanted() {
    let rig = Rig::script(SPEAK);
    // Even before the voice is there.
    rig.voice.prepare(&[free("Первое. Второе."), Phrase::Greeting], Language::Ru);
    rig.until(|rig| rig.said() == 2).await;
    let media = rig.media("Первое. Второе.").await;
    assert!(media.iter().all(|sound| heard(sound).samples.len() == 1_600), "{media:?}");
    assert_eq!(rig.said(), 2);
}

#[tokio::test]
async fn an_asterisk_elsewhere_plays_a_sentence_when_it_has_fetched_it() {
    let rig = Rig::script(SPEAK);
    rig.ready().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { cache_dir: folder.path().to_owned(), ..Settings::default() };
    let speaker = Speaker { settings: Arc::new(settings), ..rig.speaker.clone() };
    let voice = speaker.voice("http://10.0.0.1:8080/sounds/");
    let mut wishes = voice.wishes().unwrap();
    let phrases = [Phrase::Hello, free("Улица Ленина.")];
    // Nobody waits for it: it is said and fetched for the next one.
    let heard = voice.media(&phrases, Language::Ru).await;
    assert!(heard.iter().all(|sound| sound.starts_with("sound:http://10.0.0.1:8080/sounds/ru/")), "{heard:?}");
    let wish = tokio::time::timeout(PATIENCE, wishes.recv()).await.unwrap().unwrap();
    let name = wish.url.strip_prefix("http://10.0.0.1:8080/sounds/").unwrap().to_owned();
    assert!(kept_sentence(folder.path(), &name).unwrap().is_file(), "{name}");
    assert_eq!(wish.length, Duration::from_millis(200));
    // Not yet there, and not asked for twice.
    assert_eq!(voice.media(&phrases, Language::Ru).await, heard);
    assert!(wishes.try_recv().is_err());
    wish.fetched(false);
    let again = async {
        loop {
            voice.prepare(&phrases, Language::Ru);
            match wishes.try_recv() {
                Ok(wish) => break wish,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let wish = tokio::time::timeout(PATIENCE, again).await.unwrap();
    let whole = [heard[0].clone(), format!("sound:{}", wish.url)];
    wish.fetched(true);
    let played = async {
        while voice.media(&phrases, Language::Ru).await != whole {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, played).await.unwrap();
}

#[tokio::test]
async fn a_caller_does_not_wait_behind_what_is_prepared() {
    // The first task waits for the second caller; then each is noted.
    let script = "ready; while next; do until [ -e DIR/go ]; do :; done; echo \"$task\" >>DIR/order; sound; \
        printf 'E\\0\\0\\0\\0'; done";
    let dir = tempfile::tempdir().unwrap();
    let script = script.replace("DIR", dir.path().to_str().unwrap());
    let rig = Rig::new(shell(&script), Settings { workers: 1, deadline: PATIENCE, ..Settings::default() });
    rig.ready().await;
    for text in ["Один.", "Два.", "Три.", "Четыре."] {
        rig.voice.prepare(&[free(text)], Language::Ru);
    }
    let caller = async {
        // One that is prepared already, and a new one.
        tokio::join!(rig.media("Четыре."), rig.media("Пять."))
    };
    let go = async {
        tokio::task::yield_now().await;
        std::fs::write(dir.path().join("go"), "").unwrap();
    };
    tokio::join!(caller, go);
    rig.until(|rig| rig.said() == 5).await;
    let order = std::fs::read_to_string(dir.path().join("order")).unwrap();
    let order: Vec<&str> = order.lines().filter(|line| !line.contains("Elena")).collect();
    let place = |text: &str| order.iter().position(|line| *line == text).unwrap();
    assert!(place("Пять.") < place("Три.") && place("Четыре.") < place("Три."), "{order:?}");
}

#[tokio::test]
async fn any_other_program_can_be_the_voice() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source.wav");
    let samples = (0..16_000).map(|n| if n % 40 < 20 { 9_000 } else { -9_000 }).collect();
    std::fs::write(&source, Sound { rate: 16_000, channels: 1, samples }.write().unwrap()).unwrap();
    let words = ["sh", "-c", "cp \"$0\" \"$2\"", source.to_str().unwrap(), "{text}", "{out}"];
    let engine = Engine::Command(Template { words: words.map(str::to_owned).to_vec() });
    let settings = Settings { engine, deadline: PATIENCE, ..Settings::default() };
    let cancel = CancellationToken::new();
    let speaker = Speaker::start(settings.clone(), cancel.clone());
    let voice = speaker.voice(dir.path().to_str().unwrap());
    while !speaker.desk.as_ref().unwrap().is_ready() {
        tokio::task::yield_now().await;
    }
    let media = voice.media(&[free("Улица; Ленина.")], Language::Ru).await;
    // A second and its margins and the pause behind it.
    assert!((8_000..11_000).contains(&heard(&media[0]).samples.len()));
    let said = say(&settings, "Улица. Ленина.", Language::Ru).await.unwrap();
    assert!((16_000..22_000).contains(&said.samples.len()));
    cancel.cancel();
}

#[test]
fn a_text_is_cut_where_sentences_end_and_nowhere_else() {
    let cut = |text| sentences(text).collect::<Vec<_>>();
    assert_eq!(cut("К вам едет Ка́мри. Будет через пять минут!"), ["К вам едет Ка́мри.", "Будет через пять минут!"]);
    assert_eq!(cut("  Что?!  Да… Нет"), ["Что?!", "Да…", "Нет"]);
    assert_eq!(cut("дом 5.7, т.е. там"), ["дом 5.7, т.е.", "там"]);
    assert_eq!(cut(" \n"), Vec::<&str>::new());
}
