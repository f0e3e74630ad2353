//! The configuration as it is written: types and built-in defaults, nothing checked yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::notify::OfficeNotify;
use crate::engine::settings::{CallbackSettings, Precedence};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) asterisk: Asterisk,
    pub(super) database: Database,
    pub(super) web: Web,
    pub(super) webhooks: Webhooks,
    pub(super) queue: Queues,
    pub(super) menu: Menus,
    pub(super) callback: Callback,
    pub(super) recording: Recording,
    pub(super) speech: Speech,
    pub(super) sms: Sms,
    pub(super) office: Office,
    pub(super) limits: Limits,
    pub(super) telemetry: Telemetry,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sms {
    pub(super) transliterate: bool,
    pub(super) allowed_numbers: Vec<String>,
    pub(super) report_url: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) secret_file: Option<String>,
    pub(super) answers_per_hour: u32,
    pub(super) providers: Vec<SmsProvider>,
}

impl Default for Sms {
    fn default() -> Self {
        Sms {
            transliterate: false,
            allowed_numbers: vec!["+7".to_owned()],
            report_url: None,
            secret: None,
            secret_file: None,
            answers_per_hour: 10,
            providers: Vec::new(),
        }
    }
}

/// Keys of all kinds; which kind needs which is checked later.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SmsProvider {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) url: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_file: Option<String>,
    pub(super) from: Option<String>,
    pub(super) method: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    pub(super) accepted: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) system_type: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Asterisk {
    pub(super) nodes: Vec<Node>,
}

impl Default for Asterisk {
    fn default() -> Self {
        Asterisk { nodes: vec![Node::default()] }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Node {
    pub(super) name: Option<String>,
    pub(super) url: String,
    pub(super) username: String,
    pub(super) password: Option<String>,
    pub(super) password_file: Option<String>,
    pub(super) app: String,
    pub(super) sounds_dir: String,
    pub(super) media_address: Option<String>,
    pub(super) connections: u32,
}

impl Default for Node {
    fn default() -> Self {
        Node {
            name: None,
            url: "http://127.0.0.1:8088".to_owned(),
            username: "perezvon".to_owned(),
            password: None,
            password_file: None,
            app: "perezvon".to_owned(),
            sounds_dir: "/usr/share/perezvon/sounds".to_owned(),
            media_address: None,
            connections: 48,
        }
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Database {
    pub(super) url: Option<String>,
    pub(super) url_file: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Web {
    pub(super) listen: String,
    pub(super) cookie_secure: String,
    pub(super) session_hours: u32,
    pub(super) trusted_proxies: Vec<String>,
}

impl Default for Web {
    fn default() -> Self {
        Web {
            listen: "127.0.0.1:8080".to_owned(),
            cookie_secure: "auto".to_owned(),
            session_hours: 12,
            trusted_proxies: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Webhooks {
    pub(super) timeout_seconds: u32,
    pub(super) longest_pause_minutes: u32,
    pub(super) private_networks: bool,
}

impl Default for Webhooks {
    fn default() -> Self {
        Webhooks { timeout_seconds: 15, longest_pause_minutes: 10, private_networks: true }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Queues {
    pub(super) list: Vec<Queue>,
    pub(super) defaults: QueueDefaults,
    pub(super) routes: BTreeMap<String, String>,
    pub(super) priority_step_seconds: u32,
    pub(super) car_waiting_priority: i16,
    pub(super) car_assigned_priority: i16,
    pub(super) corporate_priority: i16,
}

impl Default for Queues {
    fn default() -> Self {
        let Precedence { car_waiting, car_assigned, corporate } = Precedence::default();
        Queues {
            list: Vec::new(),
            defaults: QueueDefaults::default(),
            routes: BTreeMap::new(),
            priority_step_seconds: 60,
            car_waiting_priority: car_waiting,
            car_assigned_priority: car_assigned,
            corporate_priority: corporate,
        }
    }
}

/// What a queue may leave out is taken from `[queue.defaults]`, and what that leaves out from the engine's defaults.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct QueueDefaults {
    pub(super) strategy: Option<String>,
    pub(super) priority: Option<i16>,
    pub(super) skill: Option<String>,
    pub(super) skill_level: Option<u8>,
    pub(super) ring_seconds: Option<u32>,
    pub(super) wrap_up_seconds: Option<u32>,
    pub(super) sticky: Option<bool>,
    pub(super) sticky_wait_seconds: Option<u32>,
    pub(super) announce_first_seconds: Option<u32>,
    pub(super) announce_every_seconds: Option<u32>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) strategy: Option<String>,
    pub(super) priority: Option<i16>,
    pub(super) skill: Option<String>,
    pub(super) skill_level: Option<u8>,
    pub(super) ring_seconds: Option<u32>,
    pub(super) wrap_up_seconds: Option<u32>,
    pub(super) sticky: Option<bool>,
    pub(super) sticky_wait_seconds: Option<u32>,
    pub(super) announce_first_seconds: Option<u32>,
    pub(super) announce_every_seconds: Option<u32>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Callback {
    pub(super) enabled: bool,
    pub(super) attempts: u8,
    pub(super) interval_seconds: u32,
    pub(super) lines: u32,
    pub(super) ring_seconds: u32,
    pub(super) show_number: String,
    pub(super) lost: bool,
    pub(super) hours: Vec<String>,
    pub(super) notify: OfficeNotify,
}

impl Default for Callback {
    fn default() -> Self {
        Callback {
            enabled: true,
            attempts: 3,
            interval_seconds: 60,
            lines: 10,
            ring_seconds: 35,
            show_number: String::new(),
            lost: false,
            hours: vec![CallbackSettings::HOURS.to_owned()],
            notify: OfficeNotify::default(),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Recording {
    pub(super) dir: Option<String>,
    pub(super) min_free_mb: u32,
}

impl Default for Recording {
    fn default() -> Self {
        Recording { dir: None, min_free_mb: 500 }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Speech {
    pub(super) engine: String,
    pub(super) library: String,
    pub(super) data: String,
    pub(super) settings: String,
    pub(super) voices: Voices,
    pub(super) command: Vec<String>,
    pub(super) workers: u32,
    pub(super) deadline_ms: u32,
    pub(super) cache_mb: u32,
    pub(super) cache_dir: Option<String>,
}

impl Default for Speech {
    fn default() -> Self {
        Speech {
            engine: "rhvoice".to_owned(),
            library: "libRHVoice.so.5".to_owned(),
            data: "/usr/share/RHVoice".to_owned(),
            settings: "/etc/RHVoice".to_owned(),
            voices: Voices::default(),
            command: Vec::new(),
            workers: 2,
            deadline_ms: 400,
            cache_mb: 256,
            cache_dir: None,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Voices {
    pub(super) ru: String,
    pub(super) en: String,
}

impl Default for Voices {
    fn default() -> Self {
        Voices { ru: "Elena".to_owned(), en: "Slt".to_owned() }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Office {
    pub(super) language: String,
    pub(super) greeting: bool,
    pub(super) greeting_text: String,
    pub(super) hours: Vec<String>,
    pub(super) after_hours: String,
    pub(super) order_status: bool,
    pub(super) recording_notice: bool,
    pub(super) utc_offset_minutes: i32,
    pub(super) city_border: Vec<[f64; 2]>,
}

impl Default for Office {
    fn default() -> Self {
        Office {
            language: "ru".to_owned(),
            greeting: true,
            greeting_text: String::new(),
            hours: Vec::new(),
            after_hours: String::new(),
            order_status: true,
            recording_notice: true,
            utc_offset_minutes: 180,
            city_border: Vec::new(),
        }
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Menus {
    pub(super) start: Option<String>,
    pub(super) list: Vec<Menu>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Menu {
    pub(super) name: String,
    pub(super) say: String,
    pub(super) language: Option<String>,
    pub(super) wait_seconds: u32,
    pub(super) times: u8,
    pub(super) keys: BTreeMap<String, String>,
    pub(super) otherwise: String,
}

impl Default for Menu {
    fn default() -> Self {
        Menu {
            name: String::new(),
            say: String::new(),
            language: None,
            wait_seconds: 5,
            times: 2,
            keys: BTreeMap::new(),
            otherwise: String::new(),
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) max_calls: u32,
    pub(super) allowed_numbers: Vec<String>,
    pub(super) trunk: Option<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_calls: 10_000, allowed_numbers: Vec::new(), trunk: None }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Telemetry {
    pub(super) log: String,
    pub(super) format: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Telemetry { log: "info".to_owned(), format: "text".to_owned() }
    }
}
