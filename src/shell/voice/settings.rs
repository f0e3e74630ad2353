//! What an administrator decides about the voice.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::speech::Language;

/// `[speech]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who speaks.
    pub engine: Engine,
    /// How long a caller's prompt that begins with a new sentence waits for it; then the shipped sounds are played
    /// without the free text.
    pub deadline: Duration,
    /// Bytes that the sentences kept may take, in each folder of sounds.
    pub cache_bytes: u64,
    /// Where sentences are kept for an Asterisk that fetches its sounds from us.
    pub cache_dir: PathBuf,
    /// Processes or programs that speak at once: 1 or 2.
    pub workers: usize,
}

/// Who speaks what the shipped sounds do not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// RHVoice, in processes of its own.
    RhVoice(RhVoice),
    /// A program that writes a WAV.
    Command(Template),
    /// Nobody: free text is left out.
    None,
}

/// RHVoice and its voices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RhVoice {
    /// The library: a name that the system finds, or a full path.
    pub library: OsString,
    /// Folder of languages and voices.
    pub data: String,
    /// Folder of `RHVoice.conf`.
    pub settings: String,
    /// The voice of each language.
    pub voices: BTreeMap<Language, String>,
}

/// A program and its arguments; no shell is between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The program, then its arguments; in these `{text}`, `{out}` and `{lang}` are replaced. Never empty.
    pub words: Vec<String>,
}

impl Template {
    /// The arguments for a sentence.
    #[must_use]
    pub fn arguments(&self, text: &str, language: Language, out: &str) -> Vec<String> {
        // What is put in is not looked through again: a text may hold `{out}`.
        let fill = |word: &String| {
            let mut filled = String::new();
            let mut rest = word.as_str();
            while let Some(at) = rest.find('{') {
                let (before, place) = rest.split_at(at);
                filled.push_str(before);
                let known = [("{text}", text), ("{out}", out), ("{lang}", language.as_str())];
                match known.iter().find_map(|(name, value)| Some((place.strip_prefix(name)?, value))) {
                    Some((after, value)) => {
                        filled.push_str(value);
                        rest = after;
                    }
                    None => {
                        filled.push('{');
                        rest = place.get(1..).unwrap_or_default();
                    }
                }
            }
            filled + rest
        };
        self.words.iter().skip(1).map(fill).collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        let voices = [(Language::Ru, "Elena".to_owned()), (Language::En, "Slt".to_owned())];
        Settings {
            engine: Engine::RhVoice(RhVoice {
                library: "libRHVoice.so.5".into(),
                data: "/usr/share/RHVoice".to_owned(),
                settings: "/etc/RHVoice".to_owned(),
                voices: voices.into_iter().collect(),
            }),
            deadline: Duration::from_millis(400),
            cache_bytes: 256 << 20,
            cache_dir: PathBuf::from("/var/lib/perezvon/speech"),
            workers: 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_argument_whatever_it_holds() {
        let words = ["say", "-w{out}", "--lang={lang}", "{text}", "{other}", "{"].map(str::to_owned).to_vec();
        let filled = Template { words }.arguments("а; rm -rf {out} {text}\" '", Language::Ru, "/tmp/x.wav");
        assert_eq!(filled, ["-w/tmp/x.wav", "--lang=ru", "а; rm -rf {out} {text}\" '", "{other}", "{"]);
    }
}
