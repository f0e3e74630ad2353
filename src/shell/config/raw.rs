//! The configuration as it is written: types and built-in defaults, nothing checked yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::notify::OfficeNotify;
use crate::engine::settings::{CallbackSettings, Precedence};

use super::sections::{Menus, Queue, QueueDefaults};

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
    pub(super) transcripts: Transcripts,
    pub(super) speech: Speech,
    pub(super) sms: Sms,
    pub(super) office: Office,
    pub(super) limits: Limits,
    pub(super) reports: Reports,
    pub(super) mail: Mail,
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
    pub(super) recordings_dir: Option<String>,
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
            recordings_dir: None,
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
    pub(super) require_second_factor: bool,
    pub(super) live_listening: String,
    pub(super) trusted_proxies: Vec<String>,
    pub(super) tls_certificate: Option<String>,
    pub(super) tls_key: Option<String>,
}

impl Default for Web {
    fn default() -> Self {
        Web {
            listen: "127.0.0.1:8080".to_owned(),
            cookie_secure: "auto".to_owned(),
            session_hours: 12,
            require_second_factor: false,
            live_listening: "supervisor".to_owned(),
            trusted_proxies: Vec::new(),
            tls_certificate: None,
            tls_key: None,
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

#[derive(Clone, Debug, Deserialize, Serialize)]
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

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Callback {
    pub(super) enabled: bool,
    pub(super) attempts: u8,
    pub(super) interval_seconds: u32,
    pub(super) lines: u32,
    pub(super) ring_seconds: u32,
    pub(super) show_number: String,
    pub(super) lost: bool,
    pub(super) attention: String,
    pub(super) attention_words: String,
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
            attention: "task".to_owned(),
            attention_words: String::new(),
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
    pub(super) agents_listen: bool,
    pub(super) download: String,
    pub(super) format: String,
    pub(super) key_file: Option<String>,
    pub(super) night_hour: i32,
    pub(super) keep_days: KeepDays,
    pub(super) s3: Option<S3>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct S3 {
    pub(super) bucket: String,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) access_key: String,
    pub(super) secret_key: Option<String>,
    pub(super) secret_key_file: Option<String>,
}

impl Default for S3 {
    fn default() -> Self {
        let (bucket, endpoint, access_key) = (String::new(), String::new(), String::new());
        S3 { bucket, endpoint, region: "us-east-1".to_owned(), access_key, secret_key: None, secret_key_file: None }
    }
}

/// 0: for ever.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KeepDays {
    pub(super) incoming: u32,
    pub(super) outgoing: u32,
    pub(super) fallback: u32,
}

impl Default for Recording {
    fn default() -> Self {
        Recording {
            dir: None,
            min_free_mb: 500,
            agents_listen: true,
            format: "wav".to_owned(),
            key_file: None,
            download: "supervisor".to_owned(),
            night_hour: 4,
            keep_days: KeepDays::default(),
            s3: None,
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Transcripts {
    pub(super) command: Vec<String>,
    pub(super) timeout_s: u32,
    pub(super) since_days: u32,
}

impl Default for Transcripts {
    fn default() -> Self {
        Transcripts { command: Vec::new(), timeout_s: 3600, since_days: 1 }
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

#[derive(Clone, Debug, Deserialize, Serialize)]
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
    pub(super) visitor_reminder_minutes: u32,
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
            visitor_reminder_minutes: 5,
        }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) max_calls: u32,
    pub(super) allowed_numbers: Vec<String>,
    pub(super) trunk: Option<String>,
    pub(super) recording_pause_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_calls: 10_000, allowed_numbers: Vec::new(), trunk: None, recording_pause_seconds: 120 }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Reports {
    pub(super) within_seconds: u32,
    pub(super) short_abandon_seconds: u32,
    pub(super) agents_see_grades: bool,
}

impl Default for Reports {
    fn default() -> Self {
        Reports { within_seconds: 20, short_abandon_seconds: 0, agents_see_grades: true }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Mail {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_file: Option<String>,
    pub(super) from: Option<String>,
    pub(super) tls: String,
    pub(super) ca_file: Option<String>,
}

impl Default for Mail {
    fn default() -> Self {
        let tls = "starttls".to_owned();
        Mail { host: None, port: None, user: None, password: None, password_file: None, from: None, tls, ca_file: None }
    }
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Telemetry {
    pub(super) log: String,
    pub(super) format: String,
    pub(super) otlp_endpoint: Option<String>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Telemetry { log: "info".to_owned(), format: "text".to_owned(), otlp_endpoint: None }
    }
}
