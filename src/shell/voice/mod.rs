//! The voice at run time: what the shipped sounds do not hold (streets, names) is synthesized, kept, and played.
//!
//! - [`Speaker`]: all of it; [`Voice`]: that of one Asterisk, asked what to play
//! - `prompt`: a prompt put together of shipped sounds and sentences
//! - `desk`: who wants which sentence; restarts those who speak
//! - `process`, `protocol`, `child`, `rhvoice`: RHVoice in a process of its own; `command`: any other program
//! - `remote`: sentences for an Asterisk on another machine
//! - `cache`: sentences that were said before
//!
//! A caller never waits longer than the deadline and never hears silence: what is late or cannot be said is left out,
//! and the shipped sounds say the rest.

mod cache;
mod child;
mod command;
mod desk;
mod process;
mod prompt;
mod protocol;
mod remote;
mod rhvoice;
mod say;
pub mod settings;
mod stats;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::speech::{Fragment, Language, Phrase, said};

use cache::Cache;
use desk::{Desk, Shelf};
use prompt::Prompt;
use remote::Remote;
use settings::Settings;

pub use child::VoiceWorker;
pub use command::CommandError;
pub use process::ProcessError;
pub use remote::{Wish, kept_sentence};
pub use say::{SayError, say};

/// Changes when sentences are shaped otherwise: what was kept before is not used any more.
const FORM: u32 = 1;
/// Samples of silence behind each sentence: 200 ms.
const AFTER_SENTENCE: usize = 1_600;
/// Below the folder of sounds.
const CACHE: &str = "cache";

/// Everything that speaks. Cheap to clone.
#[derive(Clone)]
pub struct Speaker {
    desk: Option<Arc<Desk>>,
    settings: Arc<Settings>,
    shelves: Arc<Mutex<BTreeMap<PathBuf, Option<Arc<Shelf>>>>>,
    cancel: CancellationToken,
}

impl Speaker {
    /// Starts those who speak; they end when `cancel` is cancelled. Must be called inside a tokio runtime.
    #[must_use]
    pub fn start(settings: Settings, cancel: CancellationToken) -> Speaker {
        let desk = Desk::start(&settings, &cancel);
        Speaker { desk, settings: Arc::new(settings), shelves: Arc::default(), cancel }
    }

    /// Adds its numbers to the metrics.
    pub fn register(&self, registry: &mut Registry) {
        if let Some(desk) = &self.desk {
            desk.stats.register(registry);
        }
    }

    /// The voice for an Asterisk that reads its sounds in this folder. Must be called inside a tokio runtime.
    #[must_use]
    pub fn voice(&self, sounds_dir: &str) -> Voice {
        let place = Place::new(sounds_dir);
        let folder = match &place {
            Place::Folder(folder) => Path::new(folder),
            Place::Web(_) => &self.settings.cache_dir,
        };
        let shelf = self.desk.as_ref().and_then(|_| self.shelf(&folder.join(CACHE)));
        let (remote, wishes) = match &place {
            Place::Folder(_) => (None, None),
            Place::Web(address) => {
                let (remote, wishes) = Remote::new(address);
                (Some(remote), Some(wishes))
            }
        };
        let source = self.desk.clone().zip(shelf).map(|(desk, shelf)| Source { desk, shelf, remote });
        Voice { place, source, deadline: self.settings.deadline, wishes: Arc::new(Mutex::new(wishes)) }
    }

    fn shelf(&self, folder: &Path) -> Option<Arc<Shelf>> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || match Cache::open(folder, self.settings.cache_bytes) {
            Ok(cache) => {
                let shelf = Arc::new(Shelf::new(cache));
                desk::tidy(shelf.clone(), self.cancel.clone());
                Some(shelf)
            }
            Err(cause) => {
                warn!(
                    "sentences cannot be kept in {}: {cause}; callers hear the shipped sounds, without names and \
                     streets. Give the engine's user the right, or set asterisk.nodes.sounds_dir (speech.cache_dir for \
                     an Asterisk on another machine)",
                    folder.display()
                );
                None
            }
        };
        shelves.entry(folder.to_owned()).or_insert_with(open).clone()
    }
}

/// Where an Asterisk finds its sounds.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// A folder, as it sees it.
    Folder(String),
    /// An address.
    Web(String),
}

impl Place {
    fn new(sounds_dir: &str) -> Place {
        let place = sounds_dir.trim_end_matches('/').to_owned();
        let by_http = place.starts_with("http://") || place.starts_with("https://");
        if by_http { Place::Web(place) } else { Place::Folder(place) }
    }

    fn fragment(&self, fragment: Fragment, language: Language) -> String {
        match self {
            // A file is named without its ending, so that Asterisk picks the best format; a web address with it.
            Place::Folder(folder) => format!("sound:{folder}/{language}/{fragment}"),
            Place::Web(address) => format!("sound:{address}/{language}/{fragment}.wav"),
        }
    }
}

#[derive(Clone)]
struct Source {
    desk: Arc<Desk>,
    shelf: Arc<Shelf>,
    /// Of an Asterisk that fetches its sounds from us.
    remote: Option<Arc<Remote>>,
}

/// What an Asterisk plays. Cheap to clone.
#[derive(Clone)]
pub struct Voice {
    place: Place,
    source: Option<Source>,
    deadline: Duration,
    wishes: Arc<Mutex<Option<mpsc::Receiver<Wish>>>>,
}

impl Voice {
    /// Only the shipped sounds.
    #[must_use]
    pub fn shipped(sounds_dir: &str) -> Voice {
        Voice { place: Place::new(sounds_dir), source: None, deadline: Duration::ZERO, wishes: Arc::default() }
    }

    /// What Asterisk is to play for these phrases: `sound:` addresses, one after another, never none. Waits only for a
    /// sentence with which the prompt begins, and no longer than the deadline; then it is the shipped sounds, which leave
    /// names and streets out. Must be called inside a tokio runtime.
    pub async fn media(&self, phrases: &[Phrase], language: Language) -> Vec<String> {
        if let Some(source) = &self.source
            && phrases.iter().any(|phrase| sentence(phrase, language).is_some())
        {
            return Prompt::new(self, source, language).of(phrases).await;
        }
        self.shipped_sounds(phrases, language).collect()
    }

    fn shipped_sounds(&self, phrases: &[Phrase], language: Language) -> impl Iterator<Item = String> {
        said(phrases, language).fragments.into_iter().map(move |fragment| self.place.fragment(fragment, language))
    }

    /// What this Asterisk, which fetches its sounds, is to fetch before it is played; for who asks first.
    pub fn wishes(&self) -> Option<mpsc::Receiver<Wish>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// These phrases will be wanted soon: what is not kept yet is synthesized after all that callers wait for. Never
    /// waits; without room it is forgotten.
    pub fn prepare(&self, phrases: &[Phrase], language: Language) {
        let Some(source) = &self.source else { return };
        for text in phrases.iter().filter_map(|phrase| sentence(phrase, language)) {
            for sentence in sentences(&text) {
                // Without room it is forgotten: whoever wants it asks again.
                let wanted = source.desk.want(&source.shelf, language, sentence, None);
                if let (Some(remote), Some(wanted)) = (&source.remote, wanted) {
                    remote.fetch(wanted);
                }
            }
        }
    }
}

/// What must be synthesized for a phrase; `None` where the shipped sounds say everything.
fn sentence(phrase: &Phrase, language: Language) -> Option<String> {
    said(std::slice::from_ref(phrase), language).sentence
}

/// A text in sentences: each is kept by itself, so that the next order's «Будет через пять минут.» is there already.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    // A mark inside a word (a sum, an abbreviation without a blank) ends nothing.
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let ends = rest.char_indices().zip(rest.chars().skip(1)).find_map(|((at, sign), next)| {
            (".!?…".contains(sign) && next.is_whitespace()).then_some(at + sign.len_utf8())
        });
        let (sentence, after) = rest.split_at_checked(ends.unwrap_or(rest.len()))?;
        rest = after.trim_start();
        Some(sentence)
    })
}

#[cfg(test)]
mod tests;
