//! What an administrator may set in the console: parts of the configuration, in the very words of the file. What was
//! set there is laid over the file and its environment, and checked by the same code.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::notify::OfficeNotify;
use crate::engine::settings::Settings;
use crate::shell::store::callbacks::Announcing;

use super::raw::{Callback, Limits, Office, Queues};
use super::{Config, ConfigError, build, callback};

/// A part of the settings, set as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Queues, and who goes before whom.
    Queues,
    /// Dialled numbers, and the numbers that may be called.
    Numbers,
    /// Voice menus.
    Menus,
    /// Greeting, hours, language.
    Office,
    /// How clients are called back and told of their orders.
    Notifications,
}

impl Section {
    /// All of them.
    pub const ALL: [Section; 5] =
        [Section::Queues, Section::Numbers, Section::Menus, Section::Office, Section::Notifications];

    /// As in the address and the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Section::Queues => "queues",
            Section::Numbers => "numbers",
            Section::Menus => "menus",
            Section::Office => "office",
            Section::Notifications => "notifications",
        }
    }

    /// Reads [`as_str`](Section::as_str).
    #[must_use]
    pub fn parse(word: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|section| section.as_str() == word)
    }

    /// In which section a key of the file is, and which field of it: `queue.list[0].name` is `list[0].name` of the queues.
    #[must_use]
    pub fn of_key(key: &str) -> Option<(Section, &str)> {
        // The first that fits: the routes are in the file's section of queues.
        const PLACES: [(&str, &str, Section); 6] = [
            ("queue.routes", "queue.", Section::Numbers),
            ("queue.", "queue.", Section::Queues),
            ("limits.allowed_numbers", "limits.", Section::Numbers),
            ("menu.", "menu.", Section::Menus),
            ("office.", "office.", Section::Office),
            ("callback.", "callback.", Section::Notifications),
        ];
        let (_, cut, section) = PLACES.into_iter().find(|(start, _, _)| key.starts_with(start))?;
        Some((section, key.strip_prefix(cut)?))
    }
}

/// What a section says. What is left out has its default.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Part {
    /// See [`Section::Queues`].
    Queues(QueuesPart),
    /// See [`Section::Numbers`].
    Numbers(NumbersPart),
    /// See [`Section::Menus`].
    Menus(Menus),
    /// See [`Section::Office`].
    Office(OfficePart),
    /// See [`Section::Notifications`].
    Notifications(NotificationsPart),
}

/// JSON that a section cannot be read from.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Unreadable {
    /// Such as `list[0].ring_seconds`.
    pub field: String,
    /// The reader's words.
    pub why: String,
}

impl Part {
    /// Reads what is to be set.
    ///
    /// # Errors
    /// For fields that do not exist and values of a wrong type.
    pub fn read(section: Section, json: serde_json::Value) -> Result<Part, Unreadable> {
        fn typed<T: DeserializeOwned>(json: serde_json::Value) -> Result<T, Unreadable> {
            serde_path_to_error::deserialize(json).map_err(|error| Unreadable {
                field: error.path().to_string().trim_start_matches('.').to_owned(),
                why: error.inner().to_string(),
            })
        }
        Ok(match section {
            Section::Queues => Part::Queues(typed(json)?),
            Section::Numbers => Part::Numbers(typed(json)?),
            Section::Menus => Part::Menus(typed(json)?),
            Section::Office => Part::Office(typed(json)?),
            Section::Notifications => Part::Notifications(typed(json)?),
        })
    }
}

/// The queues.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueuesPart {
    /// The first takes all whom nothing else leads anywhere. A queue is the same as long as it has the same name. Empty:
    /// one queue called `main`.
    pub list: Vec<Queue>,
    /// For what a queue leaves out.
    pub defaults: QueueDefaults,
    /// One level of priority is worth so many seconds of waiting.
    pub priority_step_seconds: u32,
    /// Levels for whose car waits outside.
    pub car_waiting_priority: i16,
    /// Levels for whose car is on its way.
    pub car_assigned_priority: i16,
    /// Levels for companies.
    pub corporate_priority: i16,
}

impl Default for QueuesPart {
    fn default() -> Self {
        let Queues {
            list,
            defaults,
            routes: _,
            priority_step_seconds,
            car_waiting_priority,
            car_assigned_priority,
            corporate_priority,
        } = Queues::default();
        QueuesPart {
            list,
            defaults,
            priority_step_seconds,
            car_waiting_priority,
            car_assigned_priority,
            corporate_priority,
        }
    }
}

/// For what a queue leaves out; what this leaves out too is as the engine has it.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueDefaults {
    /// `longest_idle`, `ring_all`, `round_robin`, `fewest_calls` or `highest_level`.
    pub strategy: Option<String>,
    /// Higher is sooner.
    pub priority: Option<i16>,
    /// Skill that an agent must have; empty for none.
    pub skill: Option<String>,
    /// Its least level, 1 to 10.
    pub skill_level: Option<u8>,
    /// How long an agent's phone rings, 3 to 86400.
    pub ring_seconds: Option<u32>,
    /// After-call work.
    pub wrap_up_seconds: Option<u32>,
    /// The client's last agent is preferred.
    pub sticky: Option<bool>,
    /// How long a caller waits for the last agent alone.
    pub sticky_wait_seconds: Option<u32>,
    /// First announcement of place and wait; 0 for none.
    pub announce_first_seconds: Option<u32>,
    /// Further announcements; 0 for none.
    pub announce_every_seconds: Option<u32>,
    /// Callers are offered to be called back.
    pub callback_offer: Option<bool>,
}

/// A queue. What it leaves out is taken from the defaults.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// 1 to 40 letters, digits, `-` and `_`.
    pub name: String,
    /// `longest_idle`, `ring_all`, `round_robin`, `fewest_calls` or `highest_level`.
    pub strategy: Option<String>,
    /// Higher is sooner.
    pub priority: Option<i16>,
    /// Skill that an agent must have; empty for none.
    pub skill: Option<String>,
    /// Its least level, 1 to 10.
    pub skill_level: Option<u8>,
    /// How long an agent's phone rings, 3 to 86400.
    pub ring_seconds: Option<u32>,
    /// After-call work.
    pub wrap_up_seconds: Option<u32>,
    /// The client's last agent is preferred.
    pub sticky: Option<bool>,
    /// How long a caller waits for the last agent alone.
    pub sticky_wait_seconds: Option<u32>,
    /// First announcement of place and wait; 0 for none.
    pub announce_first_seconds: Option<u32>,
    /// Further announcements; 0 for none.
    pub announce_every_seconds: Option<u32>,
    /// Callers are offered to be called back.
    pub callback_offer: Option<bool>,
}

/// Numbers of the office's own, and others'.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NumbersPart {
    /// The queue that a dialled number leads to; others lead to the first.
    pub routes: BTreeMap<String, String>,
    /// Beginnings of the numbers that may be called, such as `+7495`.
    pub allowed_numbers: Vec<String>,
}

/// The voice menus.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Menus {
    /// The menu that callers hear after the greeting; none: they come to the queue.
    pub start: Option<String>,
    /// All menus.
    pub list: Vec<Menu>,
}

/// A voice menu.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Menu {
    /// A name of its own.
    pub name: String,
    /// What callers hear.
    pub say: String,
    /// `ru` or `en` from this menu on; none: as before.
    pub language: Option<String>,
    /// How long a key is waited for, 1 to 60.
    pub wait_seconds: u32,
    /// How often it is said, 1 to 10.
    pub times: u8,
    /// What each key does (`0` to `9`, `*`, `#`): `queue NAME`, `menu NAME`, `say TEXT`, `repeat` or `hang up`.
    pub keys: BTreeMap<String, String>,
    /// The same for who presses nothing, or wrong keys only.
    pub otherwise: String,
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

/// What callers hear first. The office's clock, the border of its city and its reminders are the file's.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OfficePart {
    /// `ru` or `en`.
    pub language: String,
    /// Callers are greeted.
    pub greeting: bool,
    /// In place of the shipped greeting; empty for that one.
    pub greeting_text: String,
    /// When the office is open, such as `mon-fri 08:00-20:00`; empty: always.
    pub hours: Vec<String>,
    /// Said to who calls outside these hours; then the call ends. Empty: they come to the queue all the same.
    pub after_hours: String,
    /// Callers with an order are told how it stands.
    pub order_status: bool,
    /// The greeting tells that talks are recorded.
    pub recording_notice: bool,
}

impl Default for OfficePart {
    fn default() -> Self {
        OfficePart::of(&Office::default())
    }
}

impl OfficePart {
    fn of(office: &Office) -> OfficePart {
        OfficePart {
            language: office.language.clone(),
            greeting: office.greeting,
            greeting_text: office.greeting_text.clone(),
            hours: office.hours.clone(),
            after_hours: office.after_hours.clone(),
            order_status: office.order_status,
            recording_notice: office.recording_notice,
        }
    }
}

/// How clients are called back and told of their orders.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NotificationsPart {
    /// Clients are called at all.
    pub enabled: bool,
    /// Attempts to reach one, 1 to 20.
    pub attempts: u8,
    /// Between two of them, 1 to 86400.
    pub interval_seconds: u32,
    /// Outgoing calls at once, 1 to 10000.
    pub lines: u32,
    /// How long a client's phone rings, 5 to 120.
    pub ring_seconds: u32,
    /// The number that clients see; empty for the trunk's own.
    pub show_number: String,
    /// Who hung up while waiting is called back without being asked.
    pub lost: bool,
    /// What a client's birthday leads to: `task`, `call` or `none`.
    pub attention: String,
    /// What clients hear on their day.
    pub attention_words: String,
    /// When clients may be called about what is not an order of this moment, such as `daily 09:00-21:00`.
    pub hours: Vec<String>,
    /// By which channel each event is told.
    pub notify: OfficeNotify,
}

impl Default for NotificationsPart {
    fn default() -> Self {
        NotificationsPart::of(Callback::default())
    }
}

impl NotificationsPart {
    fn of(raw: Callback) -> NotificationsPart {
        let Callback {
            enabled,
            attempts,
            interval_seconds,
            lines,
            ring_seconds,
            show_number,
            lost,
            attention,
            attention_words,
            hours,
            notify,
        } = raw;
        NotificationsPart {
            enabled,
            attempts,
            interval_seconds,
            lines,
            ring_seconds,
            show_number,
            lost,
            attention,
            attention_words,
            hours,
            notify,
        }
    }

    fn raw(self) -> Callback {
        let NotificationsPart {
            enabled,
            attempts,
            interval_seconds,
            lines,
            ring_seconds,
            show_number,
            lost,
            attention,
            attention_words,
            hours,
            notify,
        } = self;
        Callback {
            enabled,
            attempts,
            interval_seconds,
            lines,
            ring_seconds,
            show_number,
            lost,
            attention,
            attention_words,
            hours,
            notify,
        }
    }
}

/// The sections as they are written, nothing checked yet.
#[derive(Clone, Debug, Default)]
pub struct Written {
    pub(super) queue: Queues,
    pub(super) menu: Menus,
    pub(super) callback: Callback,
    pub(super) office: Office,
    pub(super) limits: Limits,
}

/// What follows from the sections.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What the core needs.
    pub engine: Settings,
    /// How clients are told of their orders.
    pub announcing: Announcing,
}

impl Written {
    /// What a section says.
    #[must_use]
    pub fn part(&self, section: Section) -> Part {
        match section {
            Section::Queues => Part::Queues(QueuesPart {
                list: self.queue.list.clone(),
                defaults: self.queue.defaults.clone(),
                priority_step_seconds: self.queue.priority_step_seconds,
                car_waiting_priority: self.queue.car_waiting_priority,
                car_assigned_priority: self.queue.car_assigned_priority,
                corporate_priority: self.queue.corporate_priority,
            }),
            Section::Numbers => Part::Numbers(NumbersPart {
                routes: self.queue.routes.clone(),
                allowed_numbers: self.limits.allowed_numbers.clone(),
            }),
            Section::Menus => Part::Menus(self.menu.clone()),
            Section::Office => Part::Office(OfficePart::of(&self.office)),
            Section::Notifications => Part::Notifications(NotificationsPart::of(self.callback.clone())),
        }
    }

    /// The same with this section as it was set in the console.
    #[must_use]
    pub fn with(mut self, part: Part) -> Written {
        match part {
            Part::Queues(part) => {
                let routes = self.queue.routes;
                self.queue = Queues {
                    list: part.list,
                    defaults: part.defaults,
                    routes,
                    priority_step_seconds: part.priority_step_seconds,
                    car_waiting_priority: part.car_waiting_priority,
                    car_assigned_priority: part.car_assigned_priority,
                    corporate_priority: part.corporate_priority,
                };
            }
            Part::Numbers(part) => {
                self.queue.routes = part.routes;
                self.limits.allowed_numbers = part.allowed_numbers;
            }
            Part::Menus(part) => self.menu = part,
            Part::Office(part) => {
                self.office = Office {
                    language: part.language,
                    greeting: part.greeting,
                    greeting_text: part.greeting_text,
                    hours: part.hours,
                    after_hours: part.after_hours,
                    order_status: part.order_status,
                    recording_notice: part.recording_notice,
                    ..self.office
                };
            }
            Part::Notifications(part) => self.callback = part.raw(),
        }
        self
    }

    /// Checks everything.
    ///
    /// # Errors
    /// [`ConfigError::Value`] with the key of the file.
    pub fn decide(self) -> Result<Decided, ConfigError> {
        let lost = self.callback.lost;
        let attending = callback::attending(&self.callback)?;
        let (callback, office) = callback::callback(self.callback)?;
        let voice = callback.enabled && self.limits.trunk.is_some();
        let engine = Settings { callback, ..build::engine(self.queue, &self.office, self.menu, self.limits)? };
        let announcing = Announcing { office, language: engine.language, lost: lost && voice, voice, attending };
        Ok(Decided { engine, announcing })
    }
}

impl Config {
    /// The configuration with what was set in the console laid over it.
    ///
    /// # Errors
    /// What was set there does not fit the file any more.
    pub fn with_console(mut self, parts: impl IntoIterator<Item = Part>) -> Result<Config, ConfigError> {
        let written = parts.into_iter().fold(self.written.clone(), Written::with);
        let decided = written.decide()?;
        (self.engine, self.announcing) = (decided.engine, decided.announcing);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::ids::QueueId;

    fn set(section: Section, json: serde_json::Value) -> Result<Decided, String> {
        let part = Part::read(section, json).map_err(|error| error.to_string())?;
        Written::default().with(part).decide().map_err(|error| match error {
            ConfigError::Value { key, why, .. } => format!("{key}: {why}"),
            other => other.to_string(),
        })
    }

    #[test]
    fn what_is_set_in_the_console_is_laid_over_the_file() {
        let queues = json!({ "list": [{ "name": "main" }, { "name": "vip", "ring_seconds": 7 }] });
        let written = Written::default().with(Part::read(Section::Queues, queues).unwrap());
        let numbers = json!({ "routes": { "100": "vip" }, "allowed_numbers": ["+7"] });
        let written = written.with(Part::read(Section::Numbers, numbers).unwrap());
        let office = json!({ "greeting_text": "Здравствуйте!", "language": "en" });
        let decided = written.with(Part::read(Section::Office, office).unwrap()).decide().unwrap();
        assert_eq!(decided.engine.routes["100"], QueueId(1));
        assert_eq!(decided.engine.queues[1].ring_time.as_secs(), 7);
        assert_eq!(decided.engine.greeting_text, "Здравствуйте!");
        assert_eq!(decided.announcing.language, crate::speech::Language::En);
    }

    #[test]
    fn every_section_says_the_same_when_it_is_read_and_set_again() {
        let written = Written::default();
        for section in Section::ALL {
            let json = serde_json::to_value(written.part(section)).unwrap();
            let again = written.clone().with(Part::read(section, json.clone()).unwrap());
            assert_eq!(serde_json::to_value(again.part(section)).unwrap(), json, "{}", section.as_str());
            assert_eq!(Section::parse(section.as_str()), Some(section));
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        assert_eq!(
            set(Section::Queues, json!({ "list": [{ "name": "a" }, { "name": "a" }] })).unwrap_err(),
            "queue.list[1].name: another queue has this name"
        );
        assert_eq!(
            set(
                Section::Menus,
                json!({ "list": [{ "name": "a", "say": "b", "keys": { "2": "menu c" }, "otherwise": "repeat" }] })
            )
            .unwrap_err(),
            "menu.list[0].keys.2: there is no such menu; there are: a"
        );
        let wrong = set(Section::Queues, json!({ "list": [{ "ring_seconds": "long" }] })).unwrap_err();
        assert!(wrong.starts_with("list[0].ring_seconds: invalid type"), "{wrong}");
        let unknown = set(Section::Office, json!({ "greetings": true })).unwrap_err();
        assert!(unknown.contains("greetings"), "{unknown}");
    }

    #[test]
    fn a_key_of_the_file_is_a_field_of_a_section() {
        for (key, section, field) in [
            ("queue.list[0].name", Section::Queues, "list[0].name"),
            ("queue.routes.100", Section::Numbers, "routes.100"),
            ("limits.allowed_numbers[0]", Section::Numbers, "allowed_numbers[0]"),
            ("menu.list[1].keys.2", Section::Menus, "list[1].keys.2"),
            ("callback.notify.eta_minutes", Section::Notifications, "notify.eta_minutes"),
        ] {
            assert_eq!(Section::of_key(key), Some((section, field)));
        }
        assert_eq!(Section::of_key("limits.trunk"), None);
    }
}
