//! Sound that cannot be read without a key: AES-256-GCM in pieces, so that a player gets the middle of an hour without
//! the whole being decrypted.
//!
//! The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
//! Misuse-Resistance, 2015), as in Tink's AES-GCM-HKDF streaming: each file has its own key, derived by HKDF-SHA-256 from
//! a key of the key file and 32 random bytes; the nonce of a piece is its number and whether it is the last, so that
//! pieces can neither be exchanged nor left out. Layout: 8 bytes of magic, 8 bytes that name the key, 32 random bytes,
//! then pieces of 64 KiB and 16 bytes of tag each.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use super::format::sought;

const MAGIC: &[u8; 8] = b"PZSEAL01";
const HEADER: usize = 48;
const PIECE: usize = 64 << 10;
const TAG: usize = 16;
/// No key file is longer.
const MOST_KEYS: usize = 100;

/// Names a key without telling it.
pub type KeyId = [u8; 8];

struct Key {
    id: KeyId,
    bytes: [u8; 32],
}

/// The keys of the key file. The first one seals; all of them open.
pub struct Keys {
    first: KeyId,
    keys: Vec<Key>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the keys.
        f.debug_list().entries(self.keys.iter().map(|key| hex(&key.id))).finish()
    }
}

/// Why the key file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It is not there, or may not be read.
    #[error("cannot read recording.key_file {}: {cause}; give the engine's user the right to read it", .path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// A line is no key.
    #[error(
        "line {line} of recording.key_file {} is no key; each line is 64 hexadecimal digits, as `openssl rand -hex 32` \
         makes them, or a comment after #", .path.display()
    )]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// Not one key, or too many.
    #[error("recording.key_file {} has {found} keys; it needs 1 to {MOST_KEYS}, the one to seal with first", .path.display())]
    Number {
        /// Which file.
        path: PathBuf,
        /// How many.
        found: usize,
    },
}

impl Keys {
    /// Reads the key file.
    ///
    /// # Errors
    /// As [`KeyError`] tells.
    pub fn read(path: &Path) -> Result<Keys, KeyError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|cause| KeyError::Unreadable { path: path.to_owned(), cause })?;
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let bytes = unhex(line).ok_or_else(|| KeyError::Wrong { path: path.to_owned(), line: number + 1 })?;
            let digest = Sha256::new().chain_update(b"perezvon key id").chain_update(bytes).finalize();
            let mut id = KeyId::default();
            id.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
            keys.push(Key { id, bytes });
        }
        match keys.first().map(|key| key.id) {
            Some(first) if keys.len() <= MOST_KEYS => Ok(Keys { first, keys }),
            _ => Err(KeyError::Number { path: path.to_owned(), found: keys.len() }),
        }
    }

    /// Names the key that seals.
    #[must_use]
    pub fn sealing(&self) -> KeyId {
        self.first
    }

    fn of_file(&self, header: &[u8; HEADER]) -> io::Result<LessSafeKey> {
        let (id, salt) = (header.get(8..16).unwrap_or_default(), header.get(16..).unwrap_or_default());
        let key = self.keys.iter().find(|key| key.id == *id).ok_or_else(|| io::Error::other(NoKey(hex(id))))?;
        let derived = Salt::new(HKDF_SHA256, salt).extract(&key.bytes);
        let derived = derived.expand(&[b"perezvon recording"], &AES_256_GCM).map_err(|_| refused())?;
        Ok(LessSafeKey::new(UnboundKey::from(derived)))
    }

    /// Seals all that is read.
    ///
    /// # Errors
    /// What reading and writing meet.
    pub fn seal(&self, from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
        let mut salt = [0; 32];
        SystemRandom::new().fill(&mut salt).map_err(|_| io::Error::other("the system gives no random bytes"))?;
        let mut header = [0; HEADER];
        let parts = [MAGIC.as_slice(), &self.first, &salt].concat();
        header.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        let key = self.of_file(&header)?;
        to.write_all(&header)?;
        let mut number = 0;
        let mut piece = read_piece(from)?;
        loop {
            let next = read_piece(from)?;
            key.seal_in_place_append_tag(nonce(number, next.is_empty()), Aad::from(&header), &mut piece)
                .map_err(|_| refused())?;
            to.write_all(&piece)?;
            if next.is_empty() {
                return Ok(());
            }
            (piece, number) = (next, number + 1);
        }
    }

    /// Opens a sealed file.
    ///
    /// # Errors
    /// [`NoKey`] inside of the error when the key is not in the key file; else what is wrong with the file.
    pub fn open<R: Read + Seek>(&self, mut sealed: R) -> io::Result<Opened<R>> {
        let mut header = [0; HEADER];
        sealed.read_exact(&mut header)?;
        if !header.starts_with(MAGIC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not sealed"));
        }
        let key = self.of_file(&header)?;
        let body = sealed.seek(SeekFrom::End(0))?.saturating_sub(HEADER as u64);
        let pieces = body.div_ceil((PIECE + TAG) as u64);
        let bytes = body.checked_sub(pieces * TAG as u64).filter(|_| pieces > 0).ok_or_else(damaged)?;
        Ok(Opened { sealed, header, key, pieces, bytes, at: 0, piece: None })
    }
}

/// The name of the key that a file was sealed with.
#[derive(Debug, thiserror::Error)]
#[error("it was sealed with the key {0}, which is not in recording.key_file; put that key back below the others")]
pub struct NoKey(String);

/// A sealed file, read in clear.
pub struct Opened<R> {
    sealed: R,
    header: [u8; HEADER],
    key: LessSafeKey,
    pieces: u64,
    bytes: u64,
    at: u64,
    /// The one opened last.
    piece: Option<(u64, Vec<u8>)>,
}

impl<R: Read + Seek> Opened<R> {
    fn piece(&mut self, number: u64) -> io::Result<&[u8]> {
        if self.piece.as_ref().is_none_or(|(have, _)| *have != number) {
            self.piece = None;
            self.sealed.seek(SeekFrom::Start(HEADER as u64 + number * (PIECE + TAG) as u64))?;
            let mut piece = Vec::with_capacity(PIECE + TAG);
            (&mut self.sealed).take((PIECE + TAG) as u64).read_to_end(&mut piece)?;
            let nonce = nonce(number, number + 1 == self.pieces);
            let clear = self.key.open_in_place(nonce, Aad::from(&self.header), &mut piece);
            let length = clear.map_err(|_| damaged())?.len();
            piece.truncate(length);
            self.piece = Some((number, piece));
        }
        Ok(self.piece.as_ref().map_or(&[], |(_, piece)| piece))
    }
}

impl<R: Read + Seek> Read for Opened<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.bytes {
            // That nothing was added or left out at the end is known only from the last piece.
            self.piece(self.pieces.saturating_sub(1))?;
            return Ok(0);
        }
        let within = usize::try_from(self.at % PIECE as u64).unwrap_or(0);
        let piece = self.piece(self.at / PIECE as u64)?;
        let rest = piece.get(within..).unwrap_or_default();
        let length = rest.len().min(to.len());
        to.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.at += length as u64;
        Ok(length)
    }
}

impl<R> Seek for Opened<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = sought(to, self.at, self.bytes)?;
        Ok(self.at)
    }
}

fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce.iter_mut().skip(3).zip(number.to_be_bytes().into_iter().chain([u8::from(last)])).for_each(|(to, from)| {
        *to = from;
    });
    Nonce::assume_unique_for_key(nonce)
}

fn read_piece(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE + TAG);
    from.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it was changed after it was sealed")
}

fn refused() -> io::Error {
    io::Error::other("the cipher refuses")
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
    (digits.len() == 64).then_some(())?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn keys(lines: &[&str]) -> Keys {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines.join("\n")).unwrap();
        Keys::read(file.path()).unwrap()
    }

    fn one(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    fn sealed(keys: &Keys, clear: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        keys.seal(&mut Cursor::new(clear), &mut sealed).unwrap();
        sealed
    }

    fn read(keys: &Keys, sealed: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut clear = Vec::new();
        keys.open(Cursor::new(sealed))?.read_to_end(&mut clear)?;
        Ok(clear)
    }

    #[test]
    fn what_is_sealed_is_read_back_whole_and_from_any_place() {
        let keys = keys(&[&one('a')]);
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 100] {
            let clear: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
            let sealed = sealed(&keys, &clear);
            assert!(read(&keys, sealed.clone()).unwrap() == clear, "{length}");
            let mut opened = keys.open(Cursor::new(sealed)).unwrap();
            assert_eq!(opened.seek(SeekFrom::End(0)).unwrap(), length as u64);
            for from in [0, 1, PIECE - 1, PIECE, length / 2] {
                opened.seek(SeekFrom::Start(from as u64)).unwrap();
                let mut rest = Vec::new();
                opened.read_to_end(&mut rest).unwrap();
                assert!(rest == clear.get(from..).unwrap_or_default(), "{length} from {from}");
            }
        }
    }

    #[test]
    fn a_changed_byte_and_a_piece_left_out_or_exchanged_are_refused() {
        let keys = keys(&[&one('a')]);
        let good = sealed(&keys, &vec![5; 3 * PIECE]);
        for at in [0, 9, 20, HEADER, HEADER + PIECE, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(read(&keys, bad).is_err(), "byte {at}");
        }
        let piece = PIECE + TAG;
        assert!(read(&keys, good[..HEADER + 2 * piece].to_vec()).is_err(), "the last one left out");
        let (head, body) = good.split_at(HEADER);
        let exchanged = [head, &body[piece..2 * piece], &body[..piece], &body[2 * piece..]].concat();
        assert!(read(&keys, exchanged).is_err(), "exchanged");
        assert!(read(&keys, good[..HEADER].to_vec()).is_err());
        assert!(read(&keys, good[..10].to_vec()).is_err());
    }

    #[test]
    fn an_old_key_below_the_new_one_still_opens_and_without_it_the_error_names_it() {
        let (old, both) =
            (keys(&[&one('a')]), keys(&["# changed in spring", &one('b'), &format!("{} # old", one('a'))]));
        let file = sealed(&old, b"sound");
        assert_eq!(read(&both, file.clone()).unwrap(), b"sound");
        assert_ne!(both.sealing(), old.sealing());
        let error = read(&keys(&[&one('b')]), file).unwrap_err().to_string();
        assert!(error.contains(&hex(&old.sealing())) && error.contains("recording.key_file"), "{error}");
        assert!(!format!("{both:?}").contains("aaaa"));
    }

    #[test]
    fn a_key_file_that_is_none_is_told_with_its_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, expected) in [("", "has 0 keys"), ("\n# c\nzz", "line 3"), (&one('a')[1..], "line 1")] {
            std::fs::write(file.path(), text).unwrap();
            let error = Keys::read(file.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(matches!(Keys::read(Path::new("/nowhere/keys")), Err(KeyError::Unreadable { .. })));
    }
}
