//! Sentences that were said before, as files which Asterisk reads: `<folder>/xx/<name>.wav`.
//!
//! - The name is a keyed hash of what is said and by whom: the same in each run, and nobody can guess it who does not
//!   know the key in the folder, so the files may be served over HTTP.
//! - Bounded in bytes: what was heard least recently goes first, but nothing that may still be playing.
//! - Safe for two writers: a file gets its name when it is whole. What is damaged is made anew.
//! - A sentence that is being said grows in `<folder>/live/`, where Asterisk may already play it.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac as _};
use rand::Rng as _;
use sha2::Sha256;
use tokio::io::AsyncWriteExt as _;
use tracing::{debug, warn};

use crate::speech::shape::level;
use crate::speech::wav::TELEPHONE_RATE;

/// No prompt is longer, and a caller who repeats it makes it young again.
const MAY_BE_PLAYING: Duration = Duration::from_secs(300);
/// The time of last use is written to the disk no more often than this.
const TOUCH: Duration = Duration::from_secs(60);
/// When there is no room, so much of the whole is made free at once.
const FREE_PART: u64 = 10;
/// What a growing file says of its length: more than any sentence, so that a player goes on to where the file ends.
const ENDLESS: u32 = 3_600 * TELEPHONE_RATE * 2;
/// Bytes before the samples.
pub(super) const HEADER: usize = 44;
const KEY_FILE: &str = ".key";
const LIVE: &str = "live";

/// The name of a sentence's sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name([u8; 20]);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Whether this may be the place of a sentence below a cache's folder.
pub(super) fn is_name(path: &str) -> bool {
    let stem = path.get(3..).and_then(|file| file.strip_suffix(".wav"));
    stem.and_then(Name::parse).is_some_and(|name| name.path() == path)
}

impl Name {
    fn parse(text: &str) -> Option<Name> {
        let mut name = [0; 20];
        if text.len() != 40 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return None;
        }
        for (at, byte) in name.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Name(name))
    }

    /// Below the cache's folder.
    fn path(self) -> String {
        let text = self.to_string();
        format!("{}/{text}.wav", text.get(..2).unwrap_or_default())
    }
}

/// The sentences of one folder.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    most: u64,
    key: [u8; 32],
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    files: HashMap<Name, File>,
    bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct File {
    bytes: u64,
    used: SystemTime,
    touched: SystemTime,
}

impl Cache {
    /// Opens or makes the folder.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(super) fn open(dir: &Path, most: u64) -> io::Result<Cache> {
        std::fs::create_dir_all(dir.join(LIVE))?;
        let key = key(&dir.join(KEY_FILE))?;
        Ok(Cache { dir: dir.to_owned(), most, key, kept: Mutex::default() })
    }

    /// What this is called; `parts` are all that decides how it sounds.
    pub(super) fn name(&self, parts: &[&str]) -> Name {
        let mut name = [0; 20];
        // A key of any length is taken; without one there would be no name.
        if let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(&self.key) {
            for part in parts {
                hash.update(&(part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
            let whole = hash.finalize().into_bytes();
            name.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
        }
        Name(name)
    }

    /// Where the sound lies, if it is there and whole.
    pub(super) fn get(&self, name: Name) -> Option<PathBuf> {
        let path = self.dir.join(name.path());
        let found = whole(&path)?;
        let now = SystemTime::now();
        let mut kept = self.lock();
        let file = kept.put(name, found.0, found.1);
        file.used = now;
        let touch = now.duration_since(file.touched).is_ok_and(|age| age > TOUCH);
        if touch {
            file.touched = now;
            drop(kept);
            // For the next start, and for another engine with this folder.
            let touched = std::fs::File::open(&path).and_then(|file| file.set_modified(now));
            if let Err(cause) = touched {
                debug!(path = %path.display(), %cause, "the time of last use could not be set");
            }
        }
        Some(path)
    }

    /// Finds what is there from earlier, and clears away what is damaged or was left half said. Slow.
    pub(super) fn scan(&self) {
        let folders = list(&self.dir);
        for file in folders.iter().filter(|path| path.is_dir()).flat_map(|folder| list(folder)) {
            let stem = file.file_stem().and_then(|stem| stem.to_str()).and_then(Name::parse);
            match (stem, whole(&file)) {
                (Some(name), Some((bytes, modified))) if file == self.dir.join(name.path()) => {
                    self.lock().put(name, bytes, modified);
                }
                (_, _) if age(&file).is_some_and(|age| age > MAY_BE_PLAYING) => remove(&file),
                (_, _) => {}
            }
        }
        self.make_room(0);
    }

    /// Removes what was heard least recently until `more` bytes fit; false when they do not.
    fn make_room(&self, more: u64) -> bool {
        let mut kept = self.lock();
        if kept.bytes + more <= self.most {
            return true;
        }
        let wanted = (self.most - self.most / FREE_PART).saturating_sub(more);
        let mut oldest: Vec<(SystemTime, Name)> = kept.files.iter().map(|(name, file)| (file.used, *name)).collect();
        oldest.sort_unstable_by_key(|(used, _)| *used);
        for (_, name) in oldest {
            if kept.bytes <= wanted {
                break;
            }
            let path = self.dir.join(name.path());
            // The file's own time: another engine may have played it.
            match age(&path) {
                Some(age) if age <= MAY_BE_PLAYING => continue,
                Some(_) => remove(&path),
                None => {}
            }
            if let Some(file) = kept.files.remove(&name) {
                kept.bytes -= file.bytes;
            }
        }
        kept.bytes + more <= self.most
    }

    /// The name of a file that will be there when Asterisk opens it: a second name of a sentence, or what is
    /// [written](Self::write) in its place.
    pub(super) fn promise(&self) -> PathBuf {
        self.dir.join(LIVE).join(format!("{:032x}.wav", rand::rng().random::<u128>()))
    }

    /// Writes a sound under a promised name, whole or not at all. Blocks.
    ///
    /// # Errors
    /// The disk.
    pub(super) fn write(&self, promised: &Path, samples: &[i16]) -> io::Result<()> {
        let new = promised.with_extension("new");
        std::fs::write(&new, file(samples)?)?;
        std::fs::rename(&new, promised)
    }

    /// Begins a sound that grows.
    ///
    /// # Errors
    /// The disk.
    pub(super) async fn begin(&self, name: Name) -> io::Result<Growing> {
        let live = self.dir.join(LIVE).join(format!("{name}-{:016x}.wav", rand::rng().random::<u64>()));
        let mut file = tokio::fs::OpenOptions::new().write(true).create_new(true).open(&live).await?;
        file.write_all(&header(ENDLESS)).await?;
        Ok(Growing { file, live, samples: Vec::new(), played: false })
    }

    /// The sound is whole: levelled it gets its name.
    ///
    /// # Errors
    /// The disk, or no room because everything there may be playing.
    pub(super) async fn keep(&self, name: Name, mut growing: Growing) -> io::Result<PathBuf> {
        let mut samples = std::mem::take(&mut growing.samples);
        level(&mut samples);
        let whole = file(&samples)?;
        let length = whole.len() as u64;
        if !self.make_room(length) {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "everything kept may be playing at this moment; set speech.cache_mb higher",
            ));
        }
        let path = self.dir.join(name.path());
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        // Another name than the live one, which a player may have been given and not opened yet.
        let new = growing.beside("new");
        let written = async {
            tokio::fs::write(&new, whole).await?;
            tokio::fs::rename(&new, &path).await
        };
        if let Err(cause) = written.await {
            remove(&new);
            return Err(cause);
        }
        self.lock().put(name, length, SystemTime::now());
        Ok(path)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is held; if it ever did, the numbers are still good enough.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// As it is on the disk; what is known of its use stays.
    fn put(&mut self, name: Name, bytes: u64, modified: SystemTime) -> &mut File {
        let file = self.files.entry(name).or_insert(File { bytes: 0, used: modified, touched: modified });
        self.bytes = self.bytes - file.bytes + bytes;
        file.bytes = bytes;
        file.used = file.used.max(modified);
        file.touched = file.touched.max(modified);
        file
    }
}

/// A sound that is being said.
#[derive(Debug)]
pub(super) struct Growing {
    file: tokio::fs::File,
    live: PathBuf,
    samples: Vec<i16>,
    played: bool,
}

impl Growing {
    /// The next samples.
    ///
    /// # Errors
    /// The disk.
    pub(super) async fn append(&mut self, samples: &[i16]) -> io::Result<()> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.file.write_all(&bytes).await?;
        // The player reads the file: what lies in our memory is not there yet.
        self.file.flush().await?;
        self.samples.extend_from_slice(samples);
        Ok(())
    }

    /// How long it is so far.
    pub(super) fn length(&self) -> Duration {
        Duration::from_secs(self.samples.len() as u64) / TELEPHONE_RATE
    }

    /// A file of another program, beside the growing one.
    pub(super) fn beside(&self, ending: &str) -> PathBuf {
        self.live.with_extension(ending)
    }

    /// Where it can be played while it grows.
    pub(super) fn play(&mut self) -> PathBuf {
        self.played = true;
        self.live.clone()
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        // One that may be playing is found by the next scan.
        if !self.played {
            remove(&self.live);
        }
    }
}

/// Size and time of last use of a whole sound in the one form that is kept.
fn whole(path: &Path) -> Option<(u64, SystemTime)> {
    let mut file = std::fs::File::open(path).ok()?;
    let about = file.metadata().ok()?;
    let mut found = [0; HEADER];
    file.read_exact(&mut found).ok()?;
    let samples = u32::try_from(about.len().checked_sub(HEADER as u64)?).ok()?;
    (samples > 0 && found == header(samples)).then_some((about.len(), about.modified().ok()?))
}

/// These samples as a WAV.
fn file(samples: &[i16]) -> io::Result<Vec<u8>> {
    let bytes = u32::try_from(samples.len() * 2).map_err(|_| io::ErrorKind::FileTooLarge)?;
    Ok(header(bytes).into_iter().chain(samples.iter().flat_map(|sample| sample.to_le_bytes())).collect())
}

/// The header of a WAV with so many bytes of samples: 16-bit, mono, a telephone line's rate.
fn header(bytes: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &(bytes.saturating_add(36)).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &TELEPHONE_RATE.to_le_bytes(),
        &(TELEPHONE_RATE * 2).to_le_bytes(),
        &2_u16.to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &bytes.to_le_bytes(),
    ];
    header.iter_mut().zip(fields.concat()).for_each(|(to, from)| *to = from);
    header
}

/// The secret of a folder, made by whoever comes first.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let read = || -> io::Result<[u8; 32]> {
        let bytes = std::fs::read(path)?;
        let short = |_| io::Error::new(io::ErrorKind::InvalidData, "the key is not 32 bytes long; remove the file");
        <[u8; 32]>::try_from(bytes.as_slice()).map_err(short)
    };
    match read() {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let new: [u8; 32] = rand::rng().random();
    let own = path.with_extension(format!("{:016x}", rand::rng().random::<u64>()));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&own)?;
    io::Write::write_all(&mut file, &new)?;
    // A link never replaces what is there: of two engines one wins, and both read its key.
    let linked = std::fs::hard_link(&own, path);
    remove(&own);
    match linked {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
        _ => read(),
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|all| all.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

fn age(path: &Path) -> Option<Duration> {
    let modified = std::fs::metadata(path).and_then(|about| about.modified()).ok()?;
    Some(modified.elapsed().unwrap_or_default())
}

fn remove(path: &Path) {
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            warn!(path = %path.display(), %cause, "a sound that is not needed any more could not be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
