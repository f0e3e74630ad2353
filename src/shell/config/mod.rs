//! Configuration: built-in defaults < file < environment `PEREZVON__SECTION__KEY`. Unknown keys and wrong values are
//! errors that name the key. `deploy/perezvon.toml.example` describes every key.

mod build;
mod callback;
mod known;
mod line;
mod mail;
mod menus;
mod raw;
mod russian;
pub mod sections;
mod sms;
mod speech;

use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{FileFormat, ValueKind};

use crate::engine::settings::Settings;
use crate::shell::asterisk::NodeConfig;
use crate::shell::recordings::format::Format;
use crate::shell::recordings::keeper::Keeping;
use crate::shell::reports::mail::MailSettings;
use crate::shell::store::Secret;
use crate::shell::store::callbacks::Announcing;
use crate::shell::store::orders::Metering;
use crate::shell::store::recording_keeping::KeepDays;
use crate::shell::store::users::Role;
use crate::shell::web::tls::Tls;
use crate::shell::{transcripts, voice, webhooks};

/// Read when no `--config` is given and it exists.
pub const DEFAULT_FILE: &str = "/etc/perezvon/perezvon.toml";

/// Variables that begin with this are configuration.
const ENVIRONMENT: &str = "PEREZVON__";

/// Lists are short; an index beyond this in a variable's name is a mistake, not a wish for gigabytes.
const MOST_ELEMENTS: usize = 100;

/// Everything that an administrator decides, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// What the core needs.
    pub engine: Settings,
    /// The Asterisks; [`NodeId`](crate::engine::ids::NodeId) is the place in this list. Never empty.
    pub asterisk: Vec<NodeConfig>,
    /// Where the data lie.
    pub database: Database,
    /// API and console.
    pub web: Web,
    /// How outside programs are told of orders and calls.
    pub webhooks: webhooks::Settings,
    /// Who says what the shipped sounds do not hold.
    pub speech: voice::settings::Settings,
    /// How clients are told of their orders.
    pub announcing: Announcing,
    /// How SMS are sent.
    pub sms: crate::shell::sms::Settings,
    /// The archive of talks.
    pub recording: Recording,
    /// Who writes down what is said in them.
    pub transcripts: transcripts::Settings,
    /// Between two reminders of a client who waits; zero for none.
    pub reminder: Duration,
    /// How a trip is reckoned: the office's clock and the border of its city.
    pub metering: Metering,
    /// What reports count.
    pub reports: Reports,
    /// The mail server; none: nothing is sent.
    pub mail: Option<MailSettings>,
    /// What is logged, and how.
    pub telemetry: Telemetry,
    /// What may be set in the console, as the file and the environment have it.
    pub written: sections::Written,
}

/// Where the data lie.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite://…` or `postgres://…`, with its password.
    pub url: Secret,
}

/// API and console.
#[derive(Clone, Debug)]
pub struct Web {
    /// Address and port.
    pub listen: SocketAddr,
    /// The session cookie is sent over https only.
    pub cookie_secure: bool,
    /// The certificate of the console.
    pub tls: Tls,
    /// How long a log-in lasts.
    pub session: Duration,
    /// Supervisors and administrators have their rights only with a second factor.
    pub require_second_factor: bool,
    /// The least role that hears talks as they go on; none: nobody does.
    pub live_listening: Option<Role>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// The archive of talks.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Its folder.
    pub dir: PathBuf,
    /// With less free space than this (bytes) the engine reports itself as not ready.
    pub min_free: u64,
    /// Agents hear the recordings of their own talks.
    pub agents_listen: bool,
    /// Who takes recordings away as files has this role at least; none: nobody does.
    pub download: Option<Role>,
    /// What new recordings are written as.
    pub format: Format,
    /// The keys that recordings are sealed with; none: they lie in clear.
    pub key_file: Option<PathBuf>,
    /// Where new recordings lie instead of in the folder.
    pub bucket: Option<Bucket>,
    /// For how long they are kept, and when that is seen to.
    pub keeping: Keeping,
}

/// S3-compatible storage.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// The server's address, `https://…`.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks.
    pub access_key: String,
    /// Its secret.
    pub secret_key: Secret,
}

impl Recording {
    /// Plain WAVs in this folder.
    #[must_use]
    pub fn plain(dir: &Path) -> Recording {
        let keeping = Keeping { night_hour: None, utc_offset_minutes: 0, keep: KeepDays::default() };
        let (format, key_file) = (Format::Wav, None);
        let download = Some(Role::Supervisor);
        Recording {
            dir: dir.to_owned(),
            min_free: 1,
            agents_listen: true,
            download,
            format,
            key_file,
            bucket: None,
            keeping,
        }
    }
}

/// What reports count, unless they are asked otherwise (in seconds), and who is shown or sent what.
#[derive(Clone, Copy, Debug)]
pub struct Reports {
    /// Answered within so many is in time.
    pub within: u32,
    /// Who hung up earlier is not counted as abandoned.
    pub short: u32,
    /// Agents see the grades of their own talks.
    pub agents_see_grades: bool,
    /// There is a mail server, and so reports can be sent.
    pub mail: bool,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// Directives of `tracing-subscriber`, such as `info,perezvon::engine=debug`.
    pub log: String,
    /// Form of the lines.
    pub format: LogFormat,
    /// The OpenTelemetry collector that is sent each call as a trace; none: nobody is.
    pub otlp_endpoint: Option<String>,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people and the journal of systemd.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// What is wrong with the configuration: one line that says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or may not be read.
    #[error("cannot read the configuration file {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// Not TOML, or a value of the wrong type.
    #[error("configuration{}: {cause}", in_file(.file))]
    Invalid {
        /// The file that was read, if any; the value may stand in the environment, which the cause then names.
        file: Option<PathBuf>,
        /// The library's words, in one line.
        cause: String,
    },
    /// A key that does not exist.
    #[error("configuration: there is no key `{key}` ({origin}){}", nearest(.near))]
    UnknownKey {
        /// Full path of the key.
        key: String,
        /// File or environment.
        origin: String,
        /// The known key that looks most like it.
        near: Option<String>,
    },
    /// A name of a variable that leads nowhere.
    #[error("the environment variable {name} is not a configuration key: {why}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value that is of the right type but cannot be used.
    #[error("configuration{}: {key} = {value}: {why}", in_line(.line))]
    Value {
        /// Of the file, if it stands in one.
        line: Option<usize>,
        /// Full path of the key.
        key: String,
        /// What was given.
        value: String,
        /// What is wrong with it and what would do.
        why: String,
    },
    /// A file with a secret cannot be read.
    #[error("configuration: {key}: cannot read the secret in {path}: {cause}")]
    Secret {
        /// Full path of the key.
        key: String,
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// A folder cannot be made or written to.
    #[error("{key}: cannot write in the folder {path}: {cause}; give the engine's user the right, or set {key}")]
    Folder {
        /// Full path of the key.
        key: &'static str,
        /// Which folder.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
}

fn nearest(near: &Option<String>) -> String {
    near.as_ref().map(|key| format!("; did you mean `{key}`?")).unwrap_or_default()
}

fn in_line(line: &Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

fn in_file(file: &Option<PathBuf>) -> String {
    file.as_ref().map(|file| format!(" {}", file.display())).unwrap_or_default()
}

/// The library's message in one line, with the dot that it forgets after an index (`list[0]name`).
fn invalid(file: Option<&Path>, cause: &config::ConfigError) -> ConfigError {
    let lines = cause.to_string();
    let mut line = String::new();
    for character in lines.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if line.ends_with(']') && character.is_ascii_alphabetic() {
            line.push('.');
        }
        line.push(character);
    }
    ConfigError::Invalid { file: file.map(Path::to_owned), cause: line }
}

impl ConfigError {
    /// Why a value cannot hold, in Russian where there are words for it.
    #[must_use]
    pub fn why_in_russian(&self) -> Option<String> {
        match self {
            ConfigError::Value { why, .. } => russian::reason(why),
            ConfigError::Unreadable { .. }
            | ConfigError::Invalid { .. }
            | ConfigError::UnknownKey { .. }
            | ConfigError::Variable { .. }
            | ConfigError::Secret { .. }
            | ConfigError::Folder { .. } => None,
        }
    }
}

impl Config {
    /// Reads the file (`None`: [`DEFAULT_FILE`] if it exists) and the process's environment.
    pub fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
        match path {
            Some(path) => Config::read(Some(path), variables),
            None => Config::read(Some(Path::new(DEFAULT_FILE)).filter(|path| path.exists()), variables),
        }
    }

    /// Reads this file, if any, and these environment variables.
    pub fn read(
        path: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Config, ConfigError> {
        let mut builder = config::Config::builder();
        let mut written = String::new();
        if let Some(path) = path {
            let text = std::fs::read_to_string(path)
                .map_err(|cause| ConfigError::Unreadable { path: path.to_owned(), cause })?;
            let parsed = config::Config::builder().add_source(config::File::from_str(&text, FileFormat::Toml)).build();
            let table =
                parsed.and_then(|parsed| parsed.cache.into_table()).map_err(|cause| invalid(Some(path), &cause))?;
            let origin = path.display().to_string();
            for (key, value) in table {
                known::check(&key, &value, &origin)?;
                builder = builder.set_default(&key, value).map_err(|cause| invalid(Some(path), &cause))?;
            }
            written = text;
        }
        let mut state_directory = None;
        let mut home = None;
        let mut variables: Vec<_> = variables.into_iter().collect();
        variables.sort();
        for (name, value) in variables {
            match name.as_str() {
                "STATE_DIRECTORY" => state_directory = Some(value),
                "HOME" => home = Some(value),
                _ => {
                    if let Some(rest) = name.strip_prefix(ENVIRONMENT) {
                        let (key, value) = known::variable(&name, rest, &value)?;
                        builder = builder.set_override(key, value).map_err(|cause| invalid(path, &cause))?;
                    }
                }
            }
        }
        let raw: raw::Raw =
            builder.build().and_then(config::Config::try_deserialize).map_err(|cause| invalid(path, &cause))?;
        let built = build::config(raw, path, &build::data_folder(state_directory.as_deref(), home.as_deref()));
        built.map_err(|error| match error {
            ConfigError::Value { key, value, why, line: None } => {
                let line = line::line_of(&written, &key);
                ConfigError::Value { key, value, why, line }
            }
            other => other,
        })
    }

    /// Makes the folders that the engine writes to, and tries whether it may.
    pub fn prepare_folders(&self) -> Result<(), ConfigError> {
        writable("recording.dir", &self.recording.dir)
    }
}

/// Makes the folder if need be, and writes a file there and removes it.
pub(crate) fn writable(key: &'static str, path: &Path) -> Result<(), ConfigError> {
    let fail = |cause| ConfigError::Folder { key, path: path.to_owned(), cause };
    std::fs::create_dir_all(path).map_err(fail)?;
    let probe = path.join(format!(".perezvon-{}", std::process::id()));
    let written = std::fs::File::create(&probe).and_then(|mut file| file.write_all(b"probe"));
    let removed = std::fs::remove_file(&probe);
    written.and(removed).map_err(fail)
}

#[cfg(test)]
mod tests;
