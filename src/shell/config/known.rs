//! Which keys exist. The one list from which a wrong key is told, a near one is proposed, and the example is checked.

use config::Value;

use super::{ConfigError, MOST_ELEMENTS, ValueKind};

/// Every key. `[]` is an element of a list, `*` a key of the administrator's own.
pub(super) const KEYS: &[&str] = &[
    "asterisk.nodes[].name",
    "asterisk.nodes[].url",
    "asterisk.nodes[].username",
    "asterisk.nodes[].password",
    "asterisk.nodes[].password_file",
    "asterisk.nodes[].app",
    "asterisk.nodes[].sounds_dir",
    "asterisk.nodes[].recordings_dir",
    "asterisk.nodes[].media_address",
    "asterisk.nodes[].connections",
    "database.url",
    "database.url_file",
    "web.listen",
    "web.cookie_secure",
    "web.session_hours",
    "web.require_second_factor",
    "web.live_listening",
    "web.trusted_proxies[]",
    "web.tls_certificate",
    "web.tls_key",
    "webhooks.timeout_seconds",
    "webhooks.longest_pause_minutes",
    "webhooks.private_networks",
    "queue.priority_step_seconds",
    "queue.car_waiting_priority",
    "queue.car_assigned_priority",
    "queue.corporate_priority",
    "queue.routes.*",
    "queue.defaults.strategy",
    "queue.defaults.priority",
    "queue.defaults.skill",
    "queue.defaults.skill_level",
    "queue.defaults.ring_seconds",
    "queue.defaults.wrap_up_seconds",
    "queue.defaults.sticky",
    "queue.defaults.sticky_wait_seconds",
    "queue.defaults.announce_first_seconds",
    "queue.defaults.announce_every_seconds",
    "queue.defaults.callback_offer",
    "queue.list[].name",
    "queue.list[].strategy",
    "queue.list[].priority",
    "queue.list[].skill",
    "queue.list[].skill_level",
    "queue.list[].ring_seconds",
    "queue.list[].wrap_up_seconds",
    "queue.list[].sticky",
    "queue.list[].sticky_wait_seconds",
    "queue.list[].announce_first_seconds",
    "queue.list[].announce_every_seconds",
    "queue.list[].callback_offer",
    "callback.enabled",
    "callback.attempts",
    "callback.interval_seconds",
    "callback.lines",
    "callback.ring_seconds",
    "callback.show_number",
    "callback.lost",
    "callback.attention",
    "callback.attention_words",
    "callback.hours[]",
    "callback.notify.assigned",
    "callback.notify.eta_changed",
    "callback.notify.arrived",
    "callback.notify.not_found",
    "callback.notify.closed",
    "callback.notify.cancelled",
    "callback.notify.eta_minutes",
    "recording.dir",
    "recording.min_free_mb",
    "recording.agents_listen",
    "recording.download",
    "transcripts.command[]",
    "transcripts.timeout_s",
    "transcripts.since_days",
    "recording.format",
    "recording.key_file",
    "recording.night_hour",
    "recording.keep_days.incoming",
    "recording.keep_days.outgoing",
    "recording.keep_days.fallback",
    "recording.s3.bucket",
    "recording.s3.endpoint",
    "recording.s3.region",
    "recording.s3.access_key",
    "recording.s3.secret_key",
    "recording.s3.secret_key_file",
    "speech.engine",
    "speech.library",
    "speech.data",
    "speech.settings",
    "speech.voices.ru",
    "speech.voices.en",
    "speech.command[]",
    "speech.workers",
    "speech.deadline_ms",
    "speech.cache_mb",
    "speech.cache_dir",
    "sms.transliterate",
    "sms.allowed_numbers[]",
    "sms.report_url",
    "sms.secret",
    "sms.secret_file",
    "sms.answers_per_hour",
    "sms.providers[].name",
    "sms.providers[].kind",
    "sms.providers[].url",
    "sms.providers[].username",
    "sms.providers[].password",
    "sms.providers[].password_file",
    "sms.providers[].from",
    "sms.providers[].method",
    "sms.providers[].headers.*",
    "sms.providers[].body",
    "sms.providers[].accepted",
    "sms.providers[].reference",
    "sms.providers[].system_type",
    "office.language",
    "office.greeting",
    "office.greeting_text",
    "office.hours[]",
    "office.after_hours",
    "office.order_status",
    "office.recording_notice",
    "office.utc_offset_minutes",
    "office.city_border[]",
    "office.visitor_reminder_minutes",
    "menu.start",
    "menu.list[].name",
    "menu.list[].say",
    "menu.list[].language",
    "menu.list[].wait_seconds",
    "menu.list[].times",
    "menu.list[].keys.*",
    "menu.list[].otherwise",
    "limits.max_calls",
    "limits.allowed_numbers[]",
    "limits.trunk",
    "limits.recording_pause_seconds",
    "reports.within_seconds",
    "reports.short_abandon_seconds",
    "reports.agents_see_grades",
    "mail.host",
    "mail.port",
    "mail.user",
    "mail.password",
    "mail.password_file",
    "mail.from",
    "mail.tls",
    "mail.ca_file",
    "telemetry.log",
    "telemetry.format",
    "telemetry.otlp_endpoint",
];

/// Sections in which there is nothing to set yet.
pub(super) const EMPTY_SECTIONS: &[&str] = &[];

/// Refuses a tree that holds a key which does not exist. `origin` is the file.
pub(super) fn check(key: &str, value: &Value, origin: &str) -> Result<(), ConfigError> {
    walk(key, key, value, origin)
}

fn walk(path: &str, shape: &str, value: &Value, origin: &str) -> Result<(), ConfigError> {
    if !leads_somewhere(shape) {
        return Err(unknown(path, shape, origin.to_owned()));
    }
    match &value.kind {
        ValueKind::Table(table) => {
            let mut keys: Vec<_> = table.iter().collect();
            keys.sort_by(|a, b| a.0.cmp(b.0));
            keys.into_iter().try_for_each(|(key, value)| {
                walk(&format!("{path}.{key}"), &format!("{shape}.{}", generalised(shape, key)), value, origin)
            })
        }
        ValueKind::Array(elements) => elements.iter().enumerate().try_for_each(|(index, element)| {
            // An element of a list of plain values needs no look: its type is told by serde.
            match element.kind {
                ValueKind::Table(_) => walk(&format!("{path}[{index}]"), &format!("{shape}[]"), element, origin),
                _ => Ok(()),
            }
        }),
        _ => Ok(()),
    }
}

/// The key as [`KEYS`] writes it: names of the administrator's own become `*`.
fn generalised<'a>(shape: &str, key: &'a str) -> &'a str {
    if ["queue.routes", "menu.list[].keys", "sms.providers[].headers"].contains(&shape) { "*" } else { key }
}

/// There is such a key, or a section of this name.
fn leads_somewhere(shape: &str) -> bool {
    EMPTY_SECTIONS.contains(&shape)
        || KEYS
            .iter()
            .any(|known| known.strip_prefix(shape).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '['])))
}

fn unknown(path: &str, shape: &str, origin: String) -> ConfigError {
    let near = KEYS
        .iter()
        .map(|known| (distance(shape, known), *known))
        .chain(KEYS.iter().filter_map(|known| {
            let section = known.split(['.', '[']).next()?;
            Some((distance(shape, section), section))
        }))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known.to_owned());
    ConfigError::UnknownKey { key: path.to_owned(), origin, near }
}

/// Edits between two keys (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (to, above) in b.iter().zip(row.iter().skip(1)) {
            let best = (diagonal + usize::from(from != *to)).min(above + 1).min(left + 1);
            diagonal = *above;
            left = best;
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// The path and value that an environment variable sets: `ASTERISK__NODES__0__URL` is `asterisk.nodes[0].url`.
/// Lists of plain values are written with commas.
pub(super) fn variable(name: &str, rest: &str, text: &str) -> Result<(String, Value), ConfigError> {
    let mut path = String::new();
    let mut shape = String::new();
    for part in rest.split("__") {
        let part = part.to_ascii_lowercase();
        let odd = |why: &str| ConfigError::Variable { name: name.to_owned(), why: why.to_owned() };
        if shape == "queue.routes" {
            return Err(odd("routes can be set in the file only"));
        }
        if part.is_empty() || !part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(odd("write it as PEREZVON__SECTION__KEY"));
        }
        if part.bytes().all(|b| b.is_ascii_digit()) {
            let index = part.parse().ok().filter(|index: &usize| *index < MOST_ELEMENTS);
            let index = index.ok_or_else(|| odd("the number of the list's element is too large"))?;
            path.push_str(&format!("[{index}]"));
            shape.push_str("[]");
        } else {
            if !path.is_empty() {
                path.push('.');
                shape.push('.');
            }
            path.push_str(&part);
            shape.push_str(&part);
        }
    }
    let origin = format!("the environment variable {name}");
    if KEYS.contains(&shape.as_str()) {
        return Ok((path, Value::new(Some(&origin), ValueKind::String(text.to_owned()))));
    }
    if KEYS.contains(&format!("{shape}[]").as_str()) {
        let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
        let elements = elements.map(|element| Value::new(Some(&origin), element)).collect();
        return Ok((path, Value::new(Some(&origin), ValueKind::Array(elements))));
    }
    Err(unknown(&path, &shape, origin))
}
