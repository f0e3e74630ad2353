//! What the engine and a voice process say to each other, over the process's standard input and output.
//!
//! To it: `u32` length, then the text of a [`Task`]: the voice's name, a line end, the sentence. From it: a kind (one
//! byte), `u32` length, that many bytes; numbers are little-endian. A process says [`Told::Ready`] once, and for each
//! task [`Told::Sound`] any number of times and then [`Told::End`] or [`Told::Fault`].

/// A sentence to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Name of the voice.
    pub(super) voice: String,
    /// What to say.
    pub(super) text: String,
}

/// What a voice process says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The voices are loaded.
    Ready,
    /// The next samples, in the form of the shipped fragments.
    Sound(Vec<i16>),
    /// The sentence is whole.
    End,
    /// It cannot be said, and why.
    Fault(String),
}

/// Bytes of a task: a sentence is some hundred.
pub(super) const LONGEST_TASK: usize = 16 * 1024;
/// Bytes of one message of a voice process: a second of sound is 16,000.
const LONGEST_MESSAGE: usize = 1 << 20;
/// Bytes before the message itself: kind and length.
pub(super) const HEAD: usize = 5;

/// What came is nothing that a voice process says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Nonsense {
    /// Kind or length.
    #[error("a message of kind {kind} with {length} bytes")]
    Head {
        /// First byte.
        kind: u8,
        /// Announced bytes.
        length: usize,
    },
    /// Half a sample.
    #[error("sound of {0} bytes, which are no whole samples")]
    HalfSample(usize),
}

impl Task {
    /// As it goes over the pipe.
    pub(super) fn encode(&self) -> Vec<u8> {
        let text = format!("{}\n{}", self.voice, self.text);
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        [&length.to_le_bytes()[..], text.as_bytes()].concat()
    }

    /// What came over the pipe, without the length. `None`: not a task.
    pub(super) fn decode(bytes: Vec<u8>) -> Option<Task> {
        let text = String::from_utf8(bytes).ok()?;
        let (voice, text) = text.split_once('\n')?;
        Some(Task { voice: voice.to_owned(), text: text.to_owned() })
    }
}

impl Told {
    /// As it goes over the pipe.
    pub(super) fn encode(&self) -> Vec<u8> {
        let (kind, bytes) = match self {
            Told::Ready => (b'R', Vec::new()),
            Told::Sound(samples) => (b'S', samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()),
            Told::End => (b'E', Vec::new()),
            Told::Fault(why) => (b'F', why.as_bytes().to_vec()),
        };
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        [&[kind], &length.to_le_bytes()[..], &bytes].concat()
    }

    /// The length of the message that this head announces.
    ///
    /// # Errors
    /// A kind that does not exist, or a length that no message has.
    pub(super) fn length([kind, length @ ..]: [u8; HEAD]) -> Result<usize, Nonsense> {
        let length = u32::from_le_bytes(length) as usize;
        let most = match kind {
            b'R' | b'E' => 0,
            b'S' | b'F' => LONGEST_MESSAGE,
            _ => return Err(Nonsense::Head { kind, length }),
        };
        if length > most { Err(Nonsense::Head { kind, length }) } else { Ok(length) }
    }

    /// The message with this head, whose length was looked at before.
    ///
    /// # Errors
    /// Half a sample, or a kind that does not exist.
    pub(super) fn decode([kind, ..]: [u8; HEAD], bytes: &[u8]) -> Result<Told, Nonsense> {
        match kind {
            b'R' => Ok(Told::Ready),
            b'E' => Ok(Told::End),
            b'F' => Ok(Told::Fault(String::from_utf8_lossy(bytes).into_owned())),
            b'S' => {
                let (samples, over) = bytes.as_chunks::<2>();
                if !over.is_empty() {
                    return Err(Nonsense::HalfSample(bytes.len()));
                }
                Ok(Told::Sound(samples.iter().map(|sample| i16::from_le_bytes(*sample)).collect()))
            }
            _ => Err(Nonsense::Head { kind, length: bytes.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(bytes: &[u8]) -> Result<Told, Nonsense> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>().unwrap();
        assert_eq!(Told::length(*head)?, rest.len());
        Told::decode(*head, rest)
    }

    #[test]
    fn what_is_said_is_understood() {
        for told in [
            Told::Ready,
            Told::Sound(vec![]),
            Told::Sound(vec![0, -1, i16::MIN, i16::MAX]),
            Told::End,
            Told::Fault("нет такого голоса".to_owned()),
        ] {
            assert_eq!(back(&told.encode()), Ok(told));
        }
        let task = Task {
            voice: "Elena".to_owned(), text: "К вам едет Ка́мри.\nБудет скоро.".to_owned()
        };
        let bytes = task.encode();
        assert_eq!(bytes[..4], u32::try_from(bytes.len() - 4).unwrap().to_le_bytes());
        assert_eq!(Task::decode(bytes[4..].to_vec()), Some(task));
    }

    #[test]
    fn nonsense_is_told_and_never_waited_for() {
        assert!(matches!(Told::length(*b"HTTP/"), Err(Nonsense::Head { kind: b'H', .. })));
        assert!(matches!(Told::length([b'S', 255, 255, 255, 255]), Err(Nonsense::Head { .. })));
        assert!(matches!(Told::length([b'E', 1, 0, 0, 0]), Err(Nonsense::Head { .. })));
        assert_eq!(Told::decode([b'S', 3, 0, 0, 0], &[1, 2, 3]), Err(Nonsense::HalfSample(3)));
        assert_eq!(Task::decode(vec![0xff, b'\n']), None);
        assert_eq!(Task::decode(b"no voice".to_vec()), None);
    }
}
