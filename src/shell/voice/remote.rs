//! Sentences for an Asterisk on another machine, which fetches its sounds from us. Its store of fetched files serves one
//! caller badly while another fetches, so it is made to fetch a sentence before it is played to anybody; until then
//! callers hear the shipped sounds.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::speech::wav::TELEPHONE_RATE;

use super::CACHE;
use super::cache::{self, HEADER};
use super::desk::{Stage, Wanted};

/// Sentences that wait to be fetched; a further one is asked for again when it is wanted again.
const MOST_WAITING: usize = 256;
/// Sentences of which is known that Asterisk has them. It may fetch one twice.
const MOST_KNOWN: usize = 20_000;

/// What one Asterisk has fetched.
pub(super) struct Remote {
    /// Of the sounds, as it sees them.
    address: String,
    known: Mutex<HashMap<PathBuf, State>>,
    wishes: mpsc::Sender<Wish>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    There,
}

/// A sound that an Asterisk is to fetch.
pub struct Wish {
    /// From where.
    pub url: String,
    /// How long it lasts.
    pub length: Duration,
    /// Whoever wants to know whether it is there now.
    answer: oneshot::Sender<bool>,
}

impl Wish {
    /// A wish, and where it is answered.
    #[must_use]
    pub fn new(url: String, length: Duration) -> (Wish, oneshot::Receiver<bool>) {
        let (answer, answered) = oneshot::channel();
        (Wish { url, length, answer }, answered)
    }

    /// It is there now, or it could not be fetched and may be asked for again.
    pub fn fetched(self, there: bool) {
        // Nobody waits any more when the engine stops.
        let _ = self.answer.send(there);
    }
}

impl Remote {
    pub(super) fn new(address: &str) -> (Arc<Remote>, mpsc::Receiver<Wish>) {
        let (wishes, inbox) = mpsc::channel(MOST_WAITING);
        (Arc::new(Remote { address: address.to_owned(), known: Mutex::default(), wishes }), inbox)
    }

    /// The address of a sentence that can be played at once; otherwise it will be soon.
    pub(super) fn sound(self: &Arc<Remote>, wanted: Wanted) -> Option<String> {
        match wanted {
            Wanted::Kept(path) if self.lock().get(&path) == Some(&State::There) => {
                Some(format!("sound:{}", self.url(&path)?))
            }
            other => {
                self.fetch(other);
                None
            }
        }
    }

    /// Has it fetched as soon as it is whole. Never waits.
    pub(super) fn fetch(self: &Arc<Remote>, wanted: Wanted) {
        match wanted {
            Wanted::Kept(path) => self.ask_for(path),
            Wanted::Coming(stage) => drop(tokio::spawn(self.clone().fetch_when_whole(stage))),
        }
    }

    async fn fetch_when_whole(self: Arc<Remote>, mut stage: watch::Receiver<Stage>) {
        // An error means that it could not be said.
        if let Ok(whole) = stage.wait_for(|stage| matches!(stage, Stage::Whole(_))).await
            && let Stage::Whole(path) = &*whole
        {
            self.ask_for(path.clone());
        }
    }

    fn ask_for(self: &Arc<Remote>, path: PathBuf) {
        let Some(url) = self.url(&path) else { return };
        let Ok(bytes) = std::fs::metadata(&path).map(|about| about.len()) else { return };
        let samples = bytes.saturating_sub(HEADER as u64) / 2;
        let length = Duration::from_micros(samples * 1_000_000 / u64::from(TELEPHONE_RATE));
        let mut known = self.lock();
        if known.contains_key(&path) {
            return;
        }
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        let (wish, answered) = Wish::new(url, length);
        if self.wishes.try_send(wish).is_ok() {
            known.insert(path.clone(), State::Asked);
            tokio::spawn(self.clone().note(path, answered));
        }
    }

    async fn note(self: Arc<Remote>, path: PathBuf, answered: oneshot::Receiver<bool>) {
        let there = answered.await.unwrap_or(false);
        let mut known = self.lock();
        if there {
            known.insert(path, State::There)
        } else {
            known.remove(&path)
        };
    }

    fn url(&self, path: &Path) -> Option<String> {
        let file = path.file_name()?.to_str()?;
        let folder = path.parent()?.file_name()?.to_str()?;
        Some(format!("{}/{CACHE}/{folder}/{file}", self.address))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, State>> {
        // Nothing panics while it is held.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the sentence lies that a remote Asterisk asks for by this name below the address of the sounds
/// (`cache/ab/<40 hexadecimal digits>.wav`). `None`: such a name no sentence has.
#[must_use]
pub fn kept_sentence(cache_dir: &Path, name: &str) -> Option<PathBuf> {
    let file = name.strip_prefix(CACHE)?.strip_prefix('/')?;
    cache::is_name(file).then(|| cache_dir.join(CACHE).join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_sentences_lead_to_files() {
        let name = format!("ab/ab{}.wav", "0".repeat(38));
        let path = kept_sentence(Path::new("/kept"), &format!("cache/{name}")).unwrap();
        assert_eq!(path, Path::new("/kept/cache").join(&name));
        let other = format!("cache/cd/ab{}.wav", "0".repeat(38));
        for wrong in ["ru/hello.wav", "cache/.key", "cache/../perezvon.db", "cache/live/x.wav", "cache/", &name, &other]
        {
            assert_eq!(kept_sentence(Path::new("/kept"), wrong), None, "{wrong}");
        }
    }
}
