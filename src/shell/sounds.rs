//! The shipped sounds: embedded in the binary, laid out where Asterisk reads them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "sounds/"]
#[include = "*.wav"]
struct Shipped;

/// The list of what was laid out, in the folder of the sounds.
const LIST: &str = ".shipped";

/// Lays out all shipped sounds under `dir` (`ru/…`, `en/…`, `moh/…`); files that are there already and equal are left
/// alone. Gives the number of files written.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn lay_out(dir: &Path) -> io::Result<usize> {
    // Even the names lie among the sounds: to walk through them brings 9 MB into the memory of an idle engine.
    let program = std::env::current_exe().and_then(fs::metadata).map(|program| stamp(&program)).unwrap_or_default();
    if is_as_listed(dir, &program) {
        return Ok(0);
    }
    let mut list = format!("{program}\n");
    let mut written = 0;
    for name in Shipped::iter() {
        let Some(file) = Shipped::get(&name) else { continue };
        let path = dir.join(name.as_ref());
        let digest = file.metadata.sha256_hash();
        if !fs::read(&path).is_ok_and(|there| Sha256::digest(&there)[..] == digest) {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            replace(&path, &file.data)?;
            written += 1;
        }
        let _ = writeln!(list, "{} {name}", stamp(&fs::metadata(&path)?));
    }
    replace(&dir.join(LIST), list.as_bytes())?;
    Ok(written)
}

/// This very program laid the sounds out, and none has been touched since.
fn is_as_listed(dir: &Path, program: &str) -> bool {
    let Ok(list) = fs::read_to_string(dir.join(LIST)) else { return false };
    let mut lines = list.lines();
    let is_there = |line: &str| {
        line.rsplit_once(' ').is_some_and(|(listed, name)| {
            fs::metadata(dir.join(name)).is_ok_and(|file| file.is_file() && stamp(&file) == listed)
        })
    };
    !program.is_empty() && lines.next() == Some(program) && lines.all(is_there)
}

/// Size and time of the last change: they are not the same in two builds, nor before and after a change.
fn stamp(file: &Metadata) -> String {
    let changed = file.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{} {}", file.len(), changed.as_nanos())
}

/// Asterisk may be playing the old one: replace, never overwrite.
fn replace(path: &Path, data: &[u8]) -> io::Result<()> {
    let temporary = with_suffix(path, ".new");
    fs::write(&temporary, data)?;
    fs::rename(&temporary, path)
}

/// A shipped sound by its place, such as `ru/greeting.wav`.
#[must_use]
pub fn shipped(name: &str) -> Option<Cow<'static, [u8]>> {
    Shipped::get(name).map(|file| file.data)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text = path.as_os_str().to_owned();
    text.push(suffix);
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::speech::{Language, all_fragments};

    #[test]
    fn every_fragment_is_shipped_and_laid_out_once() {
        let dir = tempfile::tempdir().unwrap();
        let written = lay_out(dir.path()).unwrap();
        for language in Language::ALL {
            for (stem, _) in all_fragments(language) {
                let path = dir.path().join(language.as_str()).join(format!("{stem}.wav"));
                assert!(path.is_file(), "{}", path.display());
            }
        }
        assert!(written > 100);
        assert_eq!(lay_out(dir.path()).unwrap(), 0);
        fs::write(dir.path().join("ru/greeting.wav"), b"spoilt").unwrap();
        assert_eq!(lay_out(dir.path()).unwrap(), 1);
        assert_eq!(lay_out(dir.path()).unwrap(), 0);
        fs::remove_file(dir.path().join("en/greeting.wav")).unwrap();
        assert_eq!(lay_out(dir.path()).unwrap(), 1);
    }

    #[test]
    fn what_another_build_laid_out_is_looked_through() {
        let dir = tempfile::tempdir().unwrap();
        lay_out(dir.path()).unwrap();
        let list = dir.path().join(LIST);
        let told = fs::read_to_string(&list).unwrap();
        let (ours, rest) = told.split_once('\n').unwrap();
        fs::write(&list, format!("1 2\n{rest}")).unwrap();
        assert!(is_as_listed(dir.path(), "1 2"));
        assert!(!is_as_listed(dir.path(), ours));
        assert_eq!(lay_out(dir.path()).unwrap(), 0);
        assert!(is_as_listed(dir.path(), ours));
    }
}
