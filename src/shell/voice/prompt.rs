//! A prompt, put together: what is there is played at once. A sentence that is still being said is promised: Asterisk is
//! told the name of its file now and opens it when its turn comes. Whatever happens to the sentence meanwhile, the file is
//! there by then: with the sentence, or with the shipped sounds that say the same without the free text.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::shell::sounds::shipped;
use crate::speech::wav::{Sound, TELEPHONE_RATE};
use crate::speech::{Fragment, Language, Phrase, join, said};

use super::desk::{Desk, Shelf, Stage, Wanted};
use super::remote::Remote;
use super::{Source, Voice, sentence, sentences};

/// The shipped silence between two sentences.
const PAUSE: &str = "pause-stop";
/// A sentence is promised only if something that lasts so long is played before it.
const LEAST_LEAD: Duration = Duration::from_millis(300);
/// A promise is kept so long before its turn comes: Asterisk looks for the file a little early.
const MARGIN: Duration = Duration::from_millis(150);
/// The shortest sentence, with the pause behind it.
const SHORTEST: Duration = Duration::from_millis(400);
/// Bytes of a second of a shipped sound.
const SECOND: u64 = 2 * TELEPHONE_RATE as u64;

/// What of a prompt is decided.
pub(super) struct Prompt<'a> {
    voice: &'a Voice,
    source: &'a Source,
    language: Language,
    media: Vec<String>,
    /// Phrases that the shipped sounds say, not yet among the media: together they have pauses between them.
    shipped: Vec<Phrase>,
    /// The last sound is a shipped one that ends without a pause.
    abrupt: bool,
    /// At least so long lasts what stands before.
    lead: Duration,
    began: Instant,
    tally: Arc<Tally>,
}

/// Counts a prompt when all that belongs to it is decided.
struct Tally {
    desk: Arc<Desk>,
    text_left_out: AtomicBool,
}

impl Drop for Tally {
    fn drop(&mut self) {
        let stats = &self.desk.stats;
        if *self.text_left_out.get_mut() {
            stats.without.inc()
        } else {
            stats.whole.inc()
        };
    }
}

impl<'a> Prompt<'a> {
    pub(super) fn new(voice: &'a Voice, source: &'a Source, language: Language) -> Prompt<'a> {
        let tally = Arc::new(Tally { desk: source.desk.clone(), text_left_out: AtomicBool::new(false) });
        Prompt {
            voice,
            source,
            language,
            media: Vec::new(),
            shipped: Vec::new(),
            abrupt: false,
            lead: Duration::ZERO,
            began: Instant::now(),
            tally,
        }
    }

    /// The whole of it, `sound:` addresses one after another. Waits for the first sentence if nothing is played before
    /// it, but no longer than the voice's deadline.
    pub(super) async fn of(mut self, phrases: &[Phrase]) -> Vec<String> {
        for phrase in phrases {
            let said = match sentence(phrase, self.language) {
                Some(text) => self.say(phrase, &text).await,
                None => false,
            };
            if !said {
                self.shipped.push(phrase.clone());
            }
        }
        self.flush();
        self.media
    }

    /// Says a phrase in sentences; false where that cannot be, and then all of it is left to the shipped sounds.
    async fn say(&mut self, phrase: &Phrase, text: &str) -> bool {
        let media = match &self.source.remote {
            Some(remote) => self.fetched(remote, text),
            None => self.said(phrase, text).await,
        };
        let Some(media) = media else {
            self.tally.text_left_out.store(true, Ordering::Relaxed);
            return false;
        };
        self.flush();
        if self.abrupt {
            // A synthesized sentence brings its pause with it, a shipped one does not.
            let pause = Fragment::named(PAUSE, self.language);
            self.media.extend(pause.map(|pause| self.voice.place.fragment(pause, self.language)));
        }
        self.lead += SHORTEST * u32::try_from(media.len()).unwrap_or(0);
        self.media.extend(media);
        self.abrupt = false;
        true
    }

    /// The sentences of a text, if an Asterisk on another machine has all of them.
    fn fetched(&self, remote: &Arc<Remote>, text: &str) -> Option<Vec<String>> {
        let sound = |sentence| {
            let wanted = self.source.desk.want(&self.source.shelf, self.language, sentence, None)?;
            remote.sound(wanted)
        };
        // Each is asked for: those that are not there now will be the next time.
        let all: Vec<Option<String>> = sentences(text).map(sound).collect();
        all.into_iter().collect()
    }

    /// The sentences of a phrase, those included that are still being said.
    async fn said(&self, phrase: &Phrase, text: &str) -> Option<Vec<String>> {
        let mut lead = self.lead + self.length_of_shipped();
        let mut media = Vec::new();
        let told = Arc::new(AtomicBool::new(false));
        for sentence in sentences(text) {
            let promised = lead >= LEAST_LEAD;
            let until = self.began + if promised { lead.saturating_sub(MARGIN) } else { self.voice.deadline };
            let path = match self.source.desk.want(&self.source.shelf, self.language, sentence, Some(until)) {
                Some(Wanted::Kept(path)) => Some(path),
                Some(Wanted::Coming(stage)) if promised => Some(self.promise(stage, until, phrase, &told)),
                Some(Wanted::Coming(stage)) => begun(stage, until).await,
                None => None,
            };
            let Some(name) = path.as_deref().and_then(name) else {
                // What was promised of it is not needed any more.
                told.store(true, Ordering::Relaxed);
                return None;
            };
            media.push(name);
            lead += SHORTEST;
        }
        Some(media)
    }

    fn promise(
        &self,
        stage: watch::Receiver<Stage>,
        until: Instant,
        phrase: &Phrase,
        told: &Arc<AtomicBool>,
    ) -> PathBuf {
        let path = self.source.shelf.cache.promise();
        let promise = Promise {
            path: path.clone(),
            until,
            phrase: phrase.clone(),
            language: self.language,
            told: told.clone(),
            shelf: self.source.shelf.clone(),
            tally: self.tally.clone(),
        };
        tokio::spawn(promise.keep(stage));
        path
    }

    fn length_of_shipped(&self) -> Duration {
        if self.shipped.is_empty() {
            return Duration::ZERO;
        }
        said(&self.shipped, self.language).fragments.iter().map(|fragment| length(*fragment, self.language)).sum()
    }

    fn flush(&mut self) {
        if self.shipped.is_empty() {
            return;
        }
        self.lead += self.length_of_shipped();
        self.media.extend(self.voice.shipped_sounds(&self.shipped, self.language));
        // The short word of greeting flows into what follows: the caller is told within a second.
        self.abrupt = self.shipped.last() != Some(&Phrase::Hello);
        self.shipped.clear();
    }
}

/// Where a sentence can be played from, if it begins in time.
async fn begun(mut stage: watch::Receiver<Stage>, until: Instant) -> Option<PathBuf> {
    let begun = timeout_at(until, stage.wait_for(|stage| *stage != Stage::Waiting)).await.ok()?.ok()?;
    match &*begun {
        Stage::Waiting => None,
        Stage::Begun(path) | Stage::Whole(path) => Some(path.clone()),
    }
}

/// Without its ending, so that Asterisk picks the format.
fn name(path: &Path) -> Option<String> {
    path.with_extension("").to_str().map(|path| format!("sound:{path}"))
}

fn length(fragment: Fragment, language: Language) -> Duration {
    let bytes = sound_of(fragment, language).map_or(0, |sound| sound.len() as u64);
    Duration::from_micros(bytes * 1_000_000 / SECOND)
}

fn sound_of(fragment: Fragment, language: Language) -> Option<std::borrow::Cow<'static, [u8]>> {
    shipped(&format!("{language}/{fragment}.wav"))
}

/// A file that Asterisk will open.
struct Promise {
    path: PathBuf,
    /// By then it is there.
    until: Instant,
    /// What it belongs to.
    phrase: Phrase,
    language: Language,
    /// The phrase is told by the shipped sounds already.
    told: Arc<AtomicBool>,
    shelf: Arc<Shelf>,
    tally: Arc<Tally>,
}

impl Promise {
    async fn keep(self, stage: watch::Receiver<Stage>) {
        if let Some(sentence) = begun(stage, self.until).await {
            // A second name for it: the file goes on growing under both.
            match tokio::fs::hard_link(&sentence, &self.path).await {
                Ok(()) => return,
                Err(cause) => warn!(path = %self.path.display(), %cause, "a sentence cannot be given its second name"),
            }
        }
        self.tally.text_left_out.store(true, Ordering::Relaxed);
        // Once for the phrase; the places of its other sentences are left out.
        let told = self.told.swap(true, Ordering::Relaxed);
        let (phrase, language) = (self.phrase, self.language);
        let instead = tokio::task::spawn_blocking(move || {
            let sound = if told { pause() } else { without_text(&phrase, language) };
            self.shelf.cache.write(&self.path, &sound.samples)
        });
        if let Ok(Err(cause)) = instead.await {
            warn!(%cause, "the shipped sounds could not be written in place of a sentence: the caller does not hear it");
        }
    }
}

fn pause() -> Sound {
    Sound { rate: TELEPHONE_RATE, channels: 1, samples: vec![0; TELEPHONE_RATE as usize / 10] }
}

/// The shipped sounds of a phrase, as one.
fn without_text(phrase: &Phrase, language: Language) -> Sound {
    let fragments = said(std::slice::from_ref(phrase), language).fragments;
    let sounds = fragments.iter().filter_map(|fragment| Sound::read(&sound_of(*fragment, language)?).ok());
    join(&sounds.collect::<Vec<_>>())
}
