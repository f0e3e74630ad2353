//! The shipped sounds: embedded in the binary, laid out where Asterisk reads them.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

#[derive(RustEmbed)]
#[folder = "sounds/"]
#[include = "*.wav"]
struct Shipped;

/// Lays out all shipped sounds under `dir` (`ru/…`, `en/…`, `moh/…`); files that are there already and equal are left
/// alone. Gives the number of files written.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn lay_out(dir: &Path) -> io::Result<usize> {
    let mut written = 0;
    for name in Shipped::iter() {
        let Some(file) = Shipped::get(&name) else { continue };
        let path = dir.join(name.as_ref());
        // By the digest that was taken at the build: comparing with the sound itself would bring all of them, 9 MB, into
        // the memory of an idle engine.
        let digest = file.metadata.sha256_hash();
        if std::fs::read(&path).is_ok_and(|there| Sha256::digest(&there)[..] == digest) {
            continue;
        }
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        // Asterisk may be playing the old one: replace, never overwrite.
        let temporary = with_suffix(&path, ".new");
        std::fs::write(&temporary, &file.data)?;
        std::fs::rename(&temporary, &path)?;
        written += 1;
    }
    Ok(written)
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
        std::fs::write(dir.path().join("ru/greeting.wav"), b"spoilt").unwrap();
        assert_eq!(lay_out(dir.path()).unwrap(), 1);
        assert_eq!(lay_out(dir.path()).unwrap(), 0);
    }
}
