//! What callers hear before the queue: greeting, hours, voice menus.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::engine::hours::Hours;
use crate::engine::ids::QueueId;
use crate::engine::settings::{Act, Menu, Menus, QueueSettings};
use crate::speech::Language;

use super::ConfigError;
use super::build::wrong;
use super::sections;

/// A longer text nobody listens to.
const LONGEST_TEXT: usize = 1000;
/// A key is waited for so long at most.
const LONGEST_WAIT: u32 = 60;
const MOST_TIMES: u8 = 10;

/// Opening hours as they are written.
pub(super) fn hours(lines: &[String]) -> Result<Hours, ConfigError> {
    hours_of("office.hours", lines)
}

/// The hours under this key.
pub(super) fn hours_of(key: &str, lines: &[String]) -> Result<Hours, ConfigError> {
    let mut hours = Hours::default();
    for (at, line) in lines.iter().enumerate() {
        if let Err(why) = hours.add(line) {
            return wrong(format!("{key}[{at}]"), line, why);
        }
    }
    Ok(hours)
}

/// A text of the office's own; may be empty.
pub(super) fn text(key: &str, text: &str) -> Result<String, ConfigError> {
    if text.chars().count() > LONGEST_TEXT {
        let start: String = text.chars().take(40).collect();
        return wrong(key, format!("{start}…"), format!("nobody listens to more than {LONGEST_TEXT} characters"));
    }
    Ok(text.trim().to_owned())
}

/// Menus as they are written, with names in place of numbers.
pub(super) fn menus(raw: sections::Menus, queues: &[QueueSettings]) -> Result<Menus, ConfigError> {
    let names: Vec<&str> = raw.list.iter().map(|menu| menu.name.as_str()).collect();
    let mut seen = BTreeSet::new();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() || !seen.insert(*name) {
            return wrong(format!("menu.list[{at}].name"), name, "each menu needs a name of its own");
        }
    }
    let know = Known { menus: &names, queues };
    let start = match &raw.start {
        Some(name) => Some(know.menu("menu.start", name)?),
        None => None,
    };
    let list = raw.list.iter().enumerate().map(|(at, menu)| menu_of(&format!("menu.list[{at}]"), menu, &know));
    Ok(Menus { start, list: list.collect::<Result<_, _>>()? })
}

fn menu_of(key: &str, raw: &sections::Menu, know: &Known<'_>) -> Result<Menu, ConfigError> {
    let say = text(&format!("{key}.say"), &raw.say)?;
    if say.is_empty() {
        return wrong(format!("{key}.say"), "", "write what callers hear");
    }
    let language = match raw.language.as_deref() {
        None => None,
        Some(word) => match Language::parse(word) {
            Some(language) => Some(language),
            None => {
                let all = Language::ALL.map(Language::as_str).join(", ");
                return wrong(format!("{key}.language"), word, format!("use one of {all}"));
            }
        },
    };
    if !(1..=LONGEST_WAIT).contains(&raw.wait_seconds) {
        return wrong(format!("{key}.wait_seconds"), raw.wait_seconds, format!("use 1 to {LONGEST_WAIT} seconds"));
    }
    if !(1..=MOST_TIMES).contains(&raw.times) {
        return wrong(format!("{key}.times"), raw.times, format!("use 1 to {MOST_TIMES}"));
    }
    let mut keys = BTreeMap::new();
    for (name, act) in &raw.keys {
        let key = format!("{key}.keys.{name}");
        let mut signs = name.chars();
        match (signs.next(), signs.next()) {
            (Some(sign), None) if sign.is_ascii_digit() || "*#".contains(sign) => {
                keys.insert(sign, know.act(&key, act)?);
            }
            _ => return wrong(key, act, "a key is one of 0 to 9, * and #"),
        }
    }
    let otherwise = know.act(&format!("{key}.otherwise"), &raw.otherwise)?;
    let wait = Duration::from_secs(u64::from(raw.wait_seconds));
    Ok(Menu { say, language, wait, times: raw.times, keys, otherwise })
}

/// Names that a menu may use.
struct Known<'a> {
    menus: &'a [&'a str],
    queues: &'a [QueueSettings],
}

impl Known<'_> {
    fn menu(&self, key: &str, name: &str) -> Result<usize, ConfigError> {
        match self.menus.iter().position(|menu| *menu == name) {
            Some(at) => Ok(at),
            None => wrong(key, name, format!("there is no such menu; there are: {}", self.menus.join(", "))),
        }
    }

    /// `queue NAME`, `menu NAME`, `say TEXT`, `repeat` or `hang up`.
    fn act(&self, key: &str, written: &str) -> Result<Act, ConfigError> {
        let (word, rest) = written.trim().split_once(' ').unwrap_or((written.trim(), ""));
        match (word, rest.trim()) {
            ("queue", name) => {
                let place = self.queues.iter().position(|queue| queue.name == name);
                match place.and_then(|at| u16::try_from(at).ok()) {
                    Some(at) => Ok(Act::Queue(QueueId(at))),
                    None => {
                        let all: Vec<_> = self.queues.iter().map(|queue| queue.name.as_str()).collect();
                        wrong(key, written, format!("there is no such queue; there are: {}", all.join(", ")))
                    }
                }
            }
            ("menu", name) => Ok(Act::Menu(self.menu(key, name)?)),
            ("say", said) if !said.is_empty() => Ok(Act::Say(text(key, said)?)),
            ("repeat", "") => Ok(Act::Repeat),
            ("hang", "up") => Ok(Act::HangUp),
            _ => wrong(key, written, "use `queue NAME`, `menu NAME`, `say TEXT`, `repeat` or `hang up`"),
        }
    }
}
