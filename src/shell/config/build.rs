//! From what is written to what can be used: every value checked, secrets fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::address::GeoPoint;
use crate::domain::phone::Phone;
use crate::domain::taximeter::Zone;
use crate::engine::ids::QueueId;
use crate::engine::settings::{CallbackSettings, Precedence, QueueSettings, Settings, Strategy};
use crate::shell::asterisk::NodeConfig;
use crate::shell::recordings::format::Format;
use crate::shell::recordings::keeper::Keeping;
use crate::shell::store::Secret;
use crate::shell::store::orders::Metering;
use crate::shell::store::recording_keeping::KeepDays;
use crate::shell::store::users::Role;
use crate::shell::transcripts;
use crate::shell::web::tls::Tls;
use crate::shell::webhooks;
use crate::speech::Language;

use super::menus;
use super::raw::{self, Raw};
use super::sections::{Decided, Menus, Queue, QueueDefaults, Written};
use super::{Bucket, Config, ConfigError, Database, LogFormat, Recording, Reports, Telemetry, Web, mail, sms, speech};

/// Longest span that a queue's setting may have; more is a slip of the unit.
const LONGEST_SECONDS: u32 = 24 * 3600;

/// Where the engine keeps its data unless told otherwise: what systemd gives, `/var/lib/perezvon` where the user may
/// write there, else the user's own data folder, so that a first look needs no file and no root.
pub(super) fn data_folder(state_directory: Option<&str>, home: Option<&str>) -> PathBuf {
    if let Some(given) = state_directory.and_then(|given| given.split(':').next()).filter(|given| !given.is_empty()) {
        return PathBuf::from(given);
    }
    let system = PathBuf::from("/var/lib/perezvon");
    if rustix::process::geteuid().is_root() || system.is_dir() {
        return system;
    }
    match home {
        Some(home) => Path::new(home).join(".local/share/perezvon"),
        None => system,
    }
}

pub(super) fn config(raw: Raw, file: Option<&Path>, data: &Path) -> Result<Config, ConfigError> {
    let Raw { queue, menu, callback, office, limits, .. } = &raw;
    let written = Written {
        queue: queue.clone(),
        menu: menu.clone(),
        callback: callback.clone(),
        office: office.clone(),
        limits: limits.clone(),
    };
    let Decided { engine, announcing } = written.clone().decide()?;
    let database = database(raw.database, data)?;
    let mail = mail::mail(raw.mail)?;
    Ok(Config {
        file: file.map(Path::to_owned),
        asterisk: nodes(raw.asterisk.nodes, raw.limits.trunk.as_deref())?,
        web: web(raw.web, own_folder(&database, data))?,
        database,
        webhooks: webhooks(&raw.webhooks)?,
        speech: speech::speech(raw.speech, data)?,
        sms: sms::sms(raw.sms)?,
        recording: recording(raw.recording, engine.utc_offset_minutes, data)?,
        transcripts: transcripts(&raw.transcripts)?,
        reports: reports(&raw.reports, mail.is_some())?,
        mail,
        telemetry: telemetry(raw.telemetry)?,
        reminder: reminder(&raw.office)?,
        metering: metering(&raw.office)?,
        announcing,
        engine,
        written,
    })
}

pub(super) fn wrong<T>(key: impl Into<String>, value: impl ToString, why: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError::Value { key: key.into(), value: format!("{:?}", value.to_string()), why: why.into(), line: None })
}

/// The text, or what stands in the file; `None` when neither is given.
pub(super) fn secret(key: &str, text: Option<String>, file: Option<String>) -> Result<Option<Secret>, ConfigError> {
    match (text, file) {
        (Some(_), Some(_)) => wrong(format!("{key}_file"), "…", format!("{key} is set too; keep one of the two")),
        (Some(text), None) => Ok(Some(text.into())),
        (None, Some(path)) => match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned().into())),
            Err(cause) => Err(ConfigError::Secret { key: format!("{key}_file"), path: path.into(), cause }),
        },
        (None, None) => Ok(None),
    }
}

fn download(role: &str) -> Result<Option<Role>, ConfigError> {
    match (role, Role::parse(role)) {
        ("nobody", _) => Ok(None),
        (_, Some(role)) => Ok(Some(role)),
        (_, None) => wrong("recording.download", role, "use agent, supervisor, administrator or nobody"),
    }
}

fn transcripts(raw: &raw::Transcripts) -> Result<transcripts::Settings, ConfigError> {
    if !(1..=86_400).contains(&raw.timeout_s) {
        return wrong("transcripts.timeout_s", raw.timeout_s, "use 1 to 86400, which is a day");
    }
    if !(1..=36_500).contains(&raw.since_days) {
        return wrong("transcripts.since_days", raw.since_days, "use 1 to 36500");
    }
    if !raw.command.is_empty() && !raw.command.iter().any(|word| word.contains(transcripts::FILE)) {
        let why = "one of its words must hold {file}: the recogniser is told by it what to read";
        return wrong("transcripts.command", raw.command.join(" "), why);
    }
    Ok(transcripts::Settings {
        command: raw.command.clone(),
        timeout: Duration::from_secs(u64::from(raw.timeout_s)),
        since: Duration::from_secs(86_400 * u64::from(raw.since_days)),
    })
}

fn recording(raw: raw::Recording, utc_offset_minutes: i32, data: &Path) -> Result<Recording, ConfigError> {
    let Some(format) = Format::parse(&raw.format) else {
        return wrong("recording.format", raw.format, "use wav, flac or opus");
    };
    let night_hour = match raw.night_hour {
        -1 => None,
        hour => match u8::try_from(hour) {
            Ok(hour @ 0..=23) => Some(hour),
            Ok(_) | Err(_) => return wrong("recording.night_hour", hour, "use 0 to 23, or -1 for never"),
        },
    };
    let raw::KeepDays { incoming, outgoing, fallback } = raw.keep_days;
    for (key, days) in [("incoming", incoming), ("outgoing", outgoing), ("fallback", fallback)] {
        if days > 36_500 {
            return wrong(format!("recording.keep_days.{key}"), days, "use at most 36500, or 0 for ever");
        }
    }
    let keep = KeepDays { incoming, outgoing, fallback };
    Ok(Recording {
        dir: raw.dir.map_or_else(|| data.join("recordings"), PathBuf::from),
        min_free: u64::from(raw.min_free_mb) * 1024 * 1024,
        agents_listen: raw.agents_listen,
        download: download(&raw.download)?,
        format,
        key_file: raw.key_file.map(PathBuf::from),
        bucket: raw.s3.map(bucket).transpose()?,
        keeping: Keeping { night_hour, utc_offset_minutes, keep },
    })
}

fn bucket(raw: raw::S3) -> Result<Bucket, ConfigError> {
    let needed = |key: &str, value: String| match value.is_empty() {
        true => wrong(format!("recording.s3.{key}"), value, "it is needed for recordings in S3"),
        false => Ok(value),
    };
    if !["http://", "https://"].iter().any(|scheme| raw.endpoint.starts_with(scheme)) {
        return wrong("recording.s3.endpoint", raw.endpoint, "use the server's address, https://… or http://…");
    }
    let Some(secret_key) = secret("recording.s3.secret_key", raw.secret_key, raw.secret_key_file)? else {
        return wrong("recording.s3.secret_key_file", "", "it is needed for recordings in S3");
    };
    Ok(Bucket {
        name: needed("bucket", raw.bucket)?,
        endpoint: raw.endpoint,
        region: needed("region", raw.region)?,
        access_key: needed("access_key", raw.access_key)?,
        secret_key,
    })
}

fn webhooks(raw: &raw::Webhooks) -> Result<webhooks::Settings, ConfigError> {
    if !(1..=120).contains(&raw.timeout_seconds) {
        return wrong("webhooks.timeout_seconds", raw.timeout_seconds, "use 1 to 120");
    }
    if !(1..=1440).contains(&raw.longest_pause_minutes) {
        return wrong("webhooks.longest_pause_minutes", raw.longest_pause_minutes, "use 1 to 1440, which is a day");
    }
    Ok(webhooks::Settings {
        timeout: Duration::from_secs(u64::from(raw.timeout_seconds)),
        longest_pause: Duration::from_secs(60 * u64::from(raw.longest_pause_minutes)),
        private_networks: raw.private_networks,
        ..webhooks::Settings::default()
    })
}

fn nodes(raw: Vec<raw::Node>, trunk: Option<&str>) -> Result<Vec<NodeConfig>, ConfigError> {
    if raw.is_empty() {
        return wrong("asterisk.nodes", "[]", "the engine needs at least one Asterisk");
    }
    let mut names = BTreeSet::new();
    let mut urls = BTreeSet::new();
    let mut nodes = Vec::new();
    for (index, node) in raw.into_iter().enumerate() {
        let key = |name: &str| format!("asterisk.nodes[{index}].{name}");
        let name = node.name.unwrap_or_else(|| format!("asterisk{}", index + 1));
        if !is_name(&name) {
            return wrong(key("name"), name, "use 1 to 40 letters, digits, `-` and `_`");
        }
        if !names.insert(name.clone()) {
            return wrong(key("name"), name, "another node has this name");
        }
        let url = node.url.trim_end_matches('/').to_owned();
        let authority = url.strip_prefix("http://").unwrap_or_default();
        if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
            return wrong(key("url"), node.url, "write it as http://host:port, without a path or password");
        }
        if !urls.insert(url.clone()) {
            return wrong(key("url"), url, "another node has this address; one Asterisk is one node");
        }
        if !is_name(&node.app) {
            return wrong(key("app"), node.app, "use 1 to 40 letters, digits, `-` and `_`");
        }
        let found = Path::new(&node.sounds_dir).is_absolute() || node.sounds_dir.starts_with("http://");
        if !found || node.sounds_dir.contains([',', '&']) {
            return wrong(
                key("sounds_dir"),
                node.sounds_dir,
                "give a full path or an http:// address without `,` and `&`",
            );
        }
        let recordings_dir = node.recordings_dir.filter(|dir| !dir.is_empty());
        if let Some(dir) = recordings_dir.as_ref().filter(|dir| !Path::new(dir).is_absolute()) {
            return wrong(key("recordings_dir"), dir, "give a full path, or leave it out to fetch recordings over ARI");
        }
        if let Some(address) = node.media_address.as_ref().filter(|text| text.parse::<IpAddr>().is_err()) {
            return wrong(key("media_address"), address, "it is not an IP address");
        }
        if !(1..=1000).contains(&node.connections) {
            return wrong(key("connections"), node.connections, "use 1 to 1000");
        }
        let password = secret(&key("password"), node.password, node.password_file)?;
        nodes.push(NodeConfig {
            name,
            url,
            username: node.username,
            password: password.map(|password| password.reveal().to_owned()).unwrap_or_default(),
            app: node.app,
            sounds_dir: node.sounds_dir.trim_end_matches('/').to_owned(),
            recordings_dir: recordings_dir.map(PathBuf::from),
            trunk: trunk.map(str::to_owned),
            media_address: node.media_address,
            connections: usize::try_from(node.connections).unwrap_or(1),
        });
    }
    Ok(nodes)
}

fn database(raw: raw::Database, data: &Path) -> Result<Database, ConfigError> {
    let url = match secret("database.url", raw.url, raw.url_file)? {
        Some(url) => url,
        None => format!("sqlite://{}", data.join("perezvon.db").display()).into(),
    };
    if !["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.reveal().starts_with(scheme)) {
        // The address may hold a password: it is not shown.
        return wrong("database.url", "…", "it must begin with sqlite:// or postgres://");
    }
    Ok(Database { url })
}

/// Where small files of our own go: beside the database where that is a file, else with the other data.
fn own_folder(database: &Database, data: &Path) -> PathBuf {
    let file = database.url.reveal().strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    let file = file.map(|path| path.split('?').next().unwrap_or_default()).filter(|path| path.starts_with('/'));
    file.and_then(|file| Path::new(file).parent()).unwrap_or(data).to_owned()
}

fn tls(certificate: Option<String>, key: Option<String>, folder: PathBuf) -> Result<Tls, ConfigError> {
    match (certificate, key) {
        (None, None) => Ok(Tls::Own(folder)),
        (Some(certificate), Some(key)) => Ok(Tls::Given { certificate: certificate.into(), key: key.into() }),
        (Some(_), None) => wrong("web.tls_key", "", "it is missing: web.tls_certificate needs its key"),
        (None, Some(_)) => wrong("web.tls_certificate", "", "it is missing: web.tls_key needs its certificate"),
    }
}

fn web(raw: raw::Web, folder: PathBuf) -> Result<Web, ConfigError> {
    let Ok(listen) = raw.listen.parse::<SocketAddr>() else {
        return wrong("web.listen", raw.listen, "write it as address:port, such as 127.0.0.1:8080 or [::]:8080");
    };
    let cookie_secure = match raw.cookie_secure.as_str() {
        "auto" => !listen.ip().is_loopback(),
        "true" => true,
        "false" => false,
        _ => return wrong("web.cookie_secure", raw.cookie_secure, "use \"auto\", \"true\" or \"false\""),
    };
    if !(1..=24 * 365).contains(&raw.session_hours) {
        return wrong("web.session_hours", raw.session_hours, "use 1 to 8760 hours");
    }
    let mut trusted_proxies = Vec::new();
    for (index, proxy) in raw.trusted_proxies.into_iter().enumerate() {
        match proxy.parse::<IpAddr>() {
            Ok(address) => trusted_proxies.push(address),
            Err(_) => return wrong(format!("web.trusted_proxies[{index}]"), proxy, "it is not an IP address"),
        }
    }
    let session = Duration::from_secs(u64::from(raw.session_hours) * 3600);
    let tls = tls(raw.tls_certificate, raw.tls_key, folder)?;
    let require_second_factor = raw.require_second_factor;
    let live_listening = match (raw.live_listening.as_str(), Role::parse(&raw.live_listening)) {
        ("nobody", _) => None,
        (_, Some(role @ (Role::Supervisor | Role::Administrator))) => Some(role),
        (_, Some(Role::Agent) | None) => {
            return wrong(
                "web.live_listening",
                raw.live_listening,
                "use \"supervisor\", \"administrator\" or \"nobody\"",
            );
        }
    };
    Ok(Web { listen, cookie_secure, tls, session, require_second_factor, live_listening, trusted_proxies })
}

fn reports(raw: &raw::Reports, mail: bool) -> Result<Reports, ConfigError> {
    if !(1..=3600).contains(&raw.within_seconds) {
        return wrong("reports.within_seconds", raw.within_seconds, "use 1 to 3600");
    }
    if raw.short_abandon_seconds > 600 {
        return wrong("reports.short_abandon_seconds", raw.short_abandon_seconds, "use 0 to 600");
    }
    let (within, short) = (raw.within_seconds, raw.short_abandon_seconds);
    Ok(Reports { within, short, agents_see_grades: raw.agents_see_grades, mail })
}

fn telemetry(raw: raw::Telemetry) -> Result<Telemetry, ConfigError> {
    if let Err(cause) = raw.log.parse::<tracing_subscriber::filter::Targets>() {
        return wrong("telemetry.log", raw.log, format!("{cause}; use a level or a list such as info,perezvon=debug"));
    }
    let format = match raw.format.as_str() {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => return wrong("telemetry.format", raw.format, "use \"text\" or \"json\""),
    };
    if let Some(url) = &raw.otlp_endpoint
        && let Err(why) = webhooks::target(url)
    {
        return wrong("telemetry.otlp_endpoint", url, why);
    }
    Ok(Telemetry { log: raw.log, format, otlp_endpoint: raw.otlp_endpoint })
}

/// A day between two reminders is the most.
fn reminder(office: &raw::Office) -> Result<Duration, ConfigError> {
    let minutes = office.visitor_reminder_minutes;
    if minutes > 24 * 60 {
        return wrong("office.visitor_reminder_minutes", minutes, "use 0 (never) to 1440 minutes");
    }
    Ok(Duration::from_secs(u64::from(minutes) * 60))
}

fn metering(office: &raw::Office) -> Result<Metering, ConfigError> {
    let minutes = office.utc_offset_minutes;
    if !(-720..=840).contains(&minutes) {
        return wrong("office.utc_offset_minutes", minutes, "no place is so far from UTC; Moscow is 180");
    }
    let mut corners = Vec::new();
    for (index, [lat, lon]) in office.city_border.iter().enumerate() {
        let Some(point) = GeoPoint::from_degrees(*lat, *lon) else {
            let why = "give latitude and longitude in degrees, such as [55.75, 37.62]";
            return wrong(format!("office.city_border[{index}]"), format!("[{lat}, {lon}]"), why);
        };
        corners.push(point);
    }
    let zone = Zone(corners);
    if let Err(why) = zone.check() {
        return wrong("office.city_border", zone.0.len(), format!("give 3 to 1000 corners, or none ({why})"));
    }
    Ok(Metering { zone, utc_offset_minutes: minutes, ..Metering::default() })
}

pub(super) fn engine(
    raw: raw::Queues,
    office: &raw::Office,
    menu: Menus,
    limits: raw::Limits,
) -> Result<Settings, ConfigError> {
    let queues = queues(raw.list, &raw.defaults)?;
    let routes = routes(raw.routes, &queues)?;
    let Some(language) = Language::parse(&office.language) else {
        let all = Language::ALL.map(Language::as_str).join(", ");
        return wrong("office.language", &office.language, format!("use one of {all}"));
    };
    if limits.max_calls == 0 {
        return wrong("limits.max_calls", 0, "the engine could take no call; use 1 or more");
    }
    if let Some(trunk) = limits.trunk.as_ref().filter(|trunk| !is_name(trunk)) {
        return wrong("limits.trunk", trunk, "give the name of a PJSIP endpoint: letters, digits, `-` and `_`");
    }
    if !(5..=3600).contains(&limits.recording_pause_seconds) {
        let seconds = limits.recording_pause_seconds;
        return wrong(
            "limits.recording_pause_seconds",
            seconds,
            "use 5 to 3600: a pause that is forgotten ends by itself",
        );
    }
    let mut allowed_numbers = BTreeSet::new();
    for (index, number) in limits.allowed_numbers.iter().enumerate() {
        let digits = number.strip_prefix('+').unwrap_or(number);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let why = "give the beginning of a number: `+` and digits, such as +7495";
            return wrong(format!("limits.allowed_numbers[{index}]"), number, why);
        }
        allowed_numbers.insert(number.clone());
    }
    Ok(Settings {
        menus: menus::menus(menu, &queues)?,
        greeting_text: menus::text("office.greeting_text", &office.greeting_text)?,
        hours: menus::hours(&office.hours)?,
        after_hours: menus::text("office.after_hours", &office.after_hours)?,
        queues,
        routes,
        language,
        greeting: office.greeting,
        order_status: office.order_status,
        utc_offset_minutes: office.utc_offset_minutes,
        recording_notice: office.recording_notice,
        priority_step: seconds("queue.priority_step_seconds", raw.priority_step_seconds, 1)?,
        precedence: Precedence {
            car_waiting: raw.car_waiting_priority,
            car_assigned: raw.car_assigned_priority,
            corporate: raw.corporate_priority,
        },
        allowed_numbers,
        trunk: limits.trunk,
        recording_pause: Duration::from_secs(u64::from(limits.recording_pause_seconds)),
        callback: CallbackSettings::default(),
        max_calls: usize::try_from(limits.max_calls).unwrap_or(usize::MAX),
    })
}

fn queues(list: Vec<Queue>, defaults: &QueueDefaults) -> Result<Vec<QueueSettings>, ConfigError> {
    let base = queue("queue.defaults", QueueSettings::default(), defaults)?;
    if list.is_empty() {
        return Ok(vec![base]);
    }
    let mut names = BTreeSet::new();
    let mut queues = Vec::new();
    for (index, raw) in list.into_iter().enumerate() {
        let key = format!("queue.list[{index}]");
        if !is_name(&raw.name) {
            return wrong(format!("{key}.name"), raw.name, "use 1 to 40 letters, digits, `-` and `_`");
        }
        if !names.insert(raw.name.clone()) {
            return wrong(format!("{key}.name"), raw.name, "another queue has this name");
        }
        let (name, own) = raw.split();
        queues.push(QueueSettings { name, ..queue(&key, base.clone(), &own)? });
    }
    if queues.len() > usize::from(u16::MAX) {
        return wrong("queue.list", queues.len(), "there can be at most 65535 queues");
    }
    Ok(queues)
}

impl Queue {
    fn split(self) -> (String, QueueDefaults) {
        let own = QueueDefaults {
            strategy: self.strategy,
            priority: self.priority,
            skill: self.skill,
            skill_level: self.skill_level,
            ring_seconds: self.ring_seconds,
            wrap_up_seconds: self.wrap_up_seconds,
            sticky: self.sticky,
            sticky_wait_seconds: self.sticky_wait_seconds,
            announce_first_seconds: self.announce_first_seconds,
            announce_every_seconds: self.announce_every_seconds,
            callback_offer: self.callback_offer,
        };
        (self.name, own)
    }
}

/// `base` with what `raw` sets.
fn queue(key: &str, base: QueueSettings, raw: &QueueDefaults) -> Result<QueueSettings, ConfigError> {
    let span = |name: &str, value: Option<u32>, least: u32, base: Duration| match value {
        Some(value) => seconds(&format!("{key}.{name}"), value, least),
        None => Ok(base),
    };
    let strategy = match &raw.strategy {
        None => base.strategy,
        Some(text) => match Strategy::ALL.iter().find(|(_, name)| name == text) {
            Some((strategy, _)) => *strategy,
            None => {
                let all = Strategy::ALL.map(|(_, name)| name).join(", ");
                return wrong(format!("{key}.strategy"), text, format!("use one of {all}"));
            }
        },
    };
    let skill = match (raw.skill.as_deref(), raw.skill_level) {
        (None, None) => base.skill,
        (None, Some(level)) if base.skill.is_none() => {
            return wrong(format!("{key}.skill_level"), level, "it needs `skill` beside it");
        }
        (name, level) => {
            let (base_name, base_level) = base.skill.unwrap_or_else(|| (String::new(), 1));
            let level = level.unwrap_or(base_level);
            if !(1..=10).contains(&level) {
                return wrong(format!("{key}.skill_level"), level, "use 1 to 10");
            }
            // An empty text takes back a skill that the defaults ask for.
            Some((name.map_or(base_name, str::to_owned), level)).filter(|(name, _)| !name.is_empty())
        }
    };
    Ok(QueueSettings {
        name: base.name,
        strategy,
        priority: raw.priority.unwrap_or(base.priority),
        skill,
        ring_time: span("ring_seconds", raw.ring_seconds, 3, base.ring_time)?,
        wrap_up: span("wrap_up_seconds", raw.wrap_up_seconds, 0, base.wrap_up)?,
        sticky: raw.sticky.unwrap_or(base.sticky),
        sticky_wait: span("sticky_wait_seconds", raw.sticky_wait_seconds, 0, base.sticky_wait)?,
        announce_first: span("announce_first_seconds", raw.announce_first_seconds, 0, base.announce_first)?,
        announce_every: span("announce_every_seconds", raw.announce_every_seconds, 0, base.announce_every)?,
        callback_offer: raw.callback_offer.unwrap_or(base.callback_offer),
    })
}

fn routes(raw: BTreeMap<String, String>, queues: &[QueueSettings]) -> Result<BTreeMap<String, QueueId>, ConfigError> {
    let mut routes = BTreeMap::new();
    for (dialled, name) in raw {
        let place = queues.iter().position(|queue| queue.name == name);
        let Some(id) = place.and_then(|place| u16::try_from(place).ok()) else {
            let all: Vec<_> = queues.iter().map(|queue| queue.name.as_str()).collect();
            return wrong(
                format!("queue.routes.{dialled}"),
                name,
                format!("there is no such queue; there are {}", all.join(", ")),
            );
        };
        if Phone::parse(&dialled) == Phone::Hidden {
            return wrong("queue.routes", dialled, "it is not a number that can be dialled");
        }
        routes.insert(dialled, QueueId(id));
    }
    Ok(routes)
}

fn seconds(key: &str, value: u32, least: u32) -> Result<Duration, ConfigError> {
    if value < least || value > LONGEST_SECONDS {
        return wrong(key, value, format!("use {least} to {LONGEST_SECONDS} seconds"));
    }
    Ok(Duration::from_secs(u64::from(value)))
}

pub(super) fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
