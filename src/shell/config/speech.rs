//! `[speech]`, checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::shell::voice::settings::{Engine, RhVoice, Settings, Template};
use crate::speech::Language;

use super::ConfigError;
use super::build::wrong;
use super::raw;

/// A caller hears nothing while a sentence is waited for; nobody waits longer than this without hanging up.
const LONGEST_DEADLINE: u32 = 5_000;

pub(super) fn speech(raw: raw::Speech, data: &Path) -> Result<Settings, ConfigError> {
    if !(1..=2).contains(&raw.workers) {
        return wrong(
            "speech.workers",
            raw.workers,
            "use 1 or 2: callers and the rest of the engine need the machine too",
        );
    }
    if !(10..=LONGEST_DEADLINE).contains(&raw.deadline_ms) {
        return wrong("speech.deadline_ms", raw.deadline_ms, format!("use 10 to {LONGEST_DEADLINE} ms"));
    }
    if !(1..=100_000).contains(&raw.cache_mb) {
        return wrong("speech.cache_mb", raw.cache_mb, "use 1 to 100000; a sentence takes about 50 KB");
    }
    Ok(Settings {
        deadline: Duration::from_millis(u64::from(raw.deadline_ms)),
        cache_bytes: u64::from(raw.cache_mb) << 20,
        cache_dir: raw.cache_dir.as_ref().map_or_else(|| data.join("speech"), PathBuf::from),
        workers: usize::try_from(raw.workers).unwrap_or(1),
        engine: engine(raw)?,
    })
}

fn engine(raw: raw::Speech) -> Result<Engine, ConfigError> {
    if raw.engine != "command" && !raw.command.is_empty() {
        let why = "it is used with speech.engine = \"command\" only; set that, or leave this out";
        return wrong("speech.command", raw.command.join(" "), why);
    }
    match raw.engine.as_str() {
        "none" => Ok(Engine::None),
        "command" => {
            if raw.command.first().is_none_or(|program| program.is_empty() || program.contains('{')) {
                return wrong("speech.command", raw.command.join(" "), "give the program first, then its arguments");
            }
            for place in ["{text}", "{out}"] {
                if !raw.command.iter().skip(1).any(|word| word.contains(place)) {
                    let why = format!("one of the arguments must hold {place}");
                    return wrong("speech.command", raw.command.join(" "), why);
                }
            }
            Ok(Engine::Command(Template { words: raw.command }))
        }
        "rhvoice" => {
            let named = |key: &str, value: String| {
                let good = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_+".contains(&b));
                if good {
                    Ok(value)
                } else {
                    wrong(key, value, "give the name of an installed voice, such as \"Elena\"")
                }
            };
            let voices = [
                (Language::Ru, named("speech.voices.ru", raw.voices.ru)?),
                (Language::En, named("speech.voices.en", raw.voices.en)?),
            ];
            for (key, path) in [("speech.data", &raw.data), ("speech.settings", &raw.settings)] {
                if !Path::new(path).is_absolute() {
                    return wrong(key, path, "give the full path of a folder");
                }
            }
            Ok(Engine::RhVoice(RhVoice {
                library: raw.library.into(),
                data: raw.data,
                settings: raw.settings,
                voices: voices.into_iter().collect(),
            }))
        }
        _ => wrong("speech.engine", raw.engine, "use \"rhvoice\", \"command\" or \"none\""),
    }
}
