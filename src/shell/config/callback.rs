//! `[callback]`: how clients are called back, and how they are told of their orders.

use std::time::Duration;

use crate::domain::notify::OfficeNotify;
use crate::domain::phone::Phone;
use crate::engine::settings::CallbackSettings;

use crate::shell::store::callbacks::Attending;

use super::build::wrong;
use super::{ConfigError, menus, raw};

/// What a birthday or another day of a client's leads to.
pub(super) fn attending(raw: &raw::Callback) -> Result<Attending, ConfigError> {
    match (raw.attention.as_str(), raw.attention_words.trim()) {
        ("none", _) => Ok(Attending::Nobody),
        ("task", _) => Ok(Attending::Task),
        ("call", "") => wrong("callback.attention_words", "", "say what clients hear on their day"),
        ("call", words) => Ok(Attending::Call(words.to_owned())),
        (other, _) => wrong("callback.attention", other, "use task, call or none"),
    }
}

pub(super) fn callback(raw: raw::Callback) -> Result<(CallbackSettings, OfficeNotify), ConfigError> {
    if !(1..=20).contains(&raw.attempts) {
        return wrong("callback.attempts", raw.attempts, "use 1 to 20");
    }
    if !(1..=86_400).contains(&raw.interval_seconds) {
        return wrong("callback.interval_seconds", raw.interval_seconds, "use 1 to 86400, which is a day");
    }
    if !(1..=10_000).contains(&raw.lines) {
        return wrong("callback.lines", raw.lines, "use 1 to 10000; set callback.enabled to false to call nobody");
    }
    if !(5..=120).contains(&raw.ring_seconds) {
        return wrong("callback.ring_seconds", raw.ring_seconds, "use 5 to 120");
    }
    if !raw.show_number.is_empty() && Phone::parse(&raw.show_number).as_str().is_empty() {
        return wrong("callback.show_number", raw.show_number, "it is not a telephone number");
    }
    if raw.notify.check().is_err() {
        return wrong("callback.notify.eta_minutes", raw.notify.eta_minutes, "use 0 to 120");
    }
    let settings = CallbackSettings {
        enabled: raw.enabled,
        attempts: raw.attempts,
        interval: Duration::from_secs(u64::from(raw.interval_seconds)),
        lines: usize::try_from(raw.lines).unwrap_or(usize::MAX),
        ring_time: Duration::from_secs(u64::from(raw.ring_seconds)),
        show_number: raw.show_number,
        hours: menus::hours_of("callback.hours", &raw.hours)?,
    };
    Ok((settings, raw.notify))
}
