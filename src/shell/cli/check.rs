//! `perezvon check`: one line for each thing that must be right.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::shell::asterisk::check::Level;
use crate::shell::asterisk::{self, NodeConfig};
use crate::shell::config::{Config, writable};
use crate::shell::live_settings;
use crate::shell::recordings::Vault;
use crate::shell::serve;
use crate::shell::sms;
use crate::shell::store::Store;
use crate::shell::voice;
use crate::shell::web::{self, health};

/// Test configuration, database, Asterisk and disk.
#[derive(Args)]
pub(super) struct Check {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
struct Line {
    what: String,
    level: Level,
    /// What was found, or what is wrong and what to do.
    text: String,
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Good => "ok",
        Level::Warning => "warning",
        Level::Bad => "FAILED",
    }
}

fn line(what: impl Into<String>, result: Result<String, String>) -> Line {
    let (level, text) = match result {
        Ok(text) => (Level::Good, text),
        Err(text) => (Level::Bad, text),
    };
    Line { what: what.into(), level, text }
}

impl Check {
    pub(super) async fn run(self, path: Option<&Path>) -> anyhow::Result<ExitCode> {
        let lines = match Config::load(path) {
            Ok(config) => self.all(&config).await,
            Err(error) => vec![line("configuration", Err(error.to_string()))],
        };
        for line in &lines {
            let text = if self.json {
                json!({"what": line.what, "level": word(line.level), "text": line.text}).to_string()
            } else {
                format!("{:<8} {:<24} {}", word(line.level), line.what, line.text)
            };
            super::print(&text)?;
        }
        let bad = lines.iter().any(|line| line.level == Level::Bad);
        Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn all(&self, config: &Config) -> Vec<Line> {
        let file = config.file.as_ref().map_or("built-in defaults".to_owned(), |file| file.display().to_string());
        let mut lines = vec![line("configuration", Ok(file))];
        lines.push(database(config).await);
        lines.push(console(config).await);
        lines.push(line(
            "archive",
            config
                .prepare_folders()
                .map_err(|error| error.to_string())
                .map(|()| config.recording.dir.display().to_string()),
        ));
        lines.push(recordings(config).await);
        lines.push(disk(config));
        lines.push(port(config).await);
        lines.push(speech(config).await);
        lines.extend(gateways(config).await);
        for node in &config.asterisk {
            lines.push(sounds(node));
            let found = asterisk::check::check(node).await;
            let named = |what: &str| format!("{} {what}", node.name);
            lines.extend(found.into_iter().map(|f| Line { what: named(f.what), level: f.level, text: f.text }));
        }
        lines
    }
}

async fn database(config: &Config) -> Line {
    let opened = Store::open(config.database.url.reveal()).await;
    let result = match opened {
        Ok(store) => store.ping().await.map(|()| store.name().to_owned()).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    line("database", result)
}

/// Which sections go before the configuration file.
async fn console(config: &Config) -> Line {
    let found = async {
        let store = Store::open(config.database.url.reveal()).await?;
        serve::with_console(config.clone(), &store).await?;
        let set = live_settings::stored(&store).await?;
        anyhow::Ok(set.into_iter().map(|(section, _)| section.as_str()).collect::<Vec<_>>())
    };
    let result = match found.await {
        Ok(set) if set.is_empty() => Ok("nothing was set in the console".to_owned()),
        Ok(set) => Ok(format!("set in the console, before the file: {}", set.join(", "))),
        Err(error) => Err(format!("{error:#}")),
    };
    line("settings", result)
}

/// How recordings are written, that the keys are there and the bucket can be asked.
async fn recordings(config: &Config) -> Line {
    let format = config.recording.format.as_str();
    let found = async {
        let vault = Vault::new(&config.recording).map_err(|error| error.to_string())?;
        let sealed = match vault.keys() {
            Some(keys) => format!("sealed with the first of the keys {keys:?}"),
            None => "in clear".to_owned(),
        };
        let Some(bucket) = vault.bucket() else { return Ok(format!("{format}, {sealed}")) };
        let place = bucket.place("");
        let asked = tokio::task::spawn_blocking(move || bucket.size("perezvon-check")).await;
        let asked = asked.map_err(|error| error.to_string())?;
        asked.map_err(|error| format!("{place} does not answer as it should: {error}; see to recording.s3"))?;
        Ok(format!("{format}, {sealed}, in {place}"))
    };
    line("recordings", found.await)
}

fn disk(config: &Config) -> Line {
    let least = config.recording.min_free;
    let result = match health::free(&config.recording.dir) {
        None => Err(format!("the disk of {} cannot be asked", config.recording.dir.display())),
        Some(free) if free < least => {
            Err(format!("{} MiB free, less than recording.min_free_mb ({} MiB)", free >> 20, least >> 20))
        }
        Some(free) => Ok(format!("{} MiB free", free >> 20)),
    };
    line("disk", result)
}

/// Names and streets can be said.
async fn speech(config: &Config) -> Line {
    let language = config.engine.language;
    let trial = language.pick("Проверка голоса.", "This is a trial.");
    let what = "voice".to_owned();
    match voice::say(&config.speech, trial, language).await {
        Ok(_) => Line { what, level: Level::Good, text: "speaks".to_owned() },
        // As it was wished.
        Err(error @ voice::SayError::Nobody) => Line { what, level: Level::Good, text: error.to_string() },
        Err(error) => {
            let text = format!("{error} (callers hear the shipped sounds, without names and streets)");
            Line { what, level: Level::Warning, text }
        }
    }
}

/// SMS gateways answer. Without any, nothing needs to.
async fn gateways(config: &Config) -> Vec<Line> {
    let mut lines = Vec::new();
    for provider in &config.sms.providers {
        // Another one may do meanwhile, and calls go on.
        let (level, text) = match provider.probe().await {
            Ok(text) => (Level::Good, text),
            Err(text) => (Level::Warning, text),
        };
        lines.push(Line { what: format!("sms {}", provider.name), level, text });
    }
    let by_http = |provider: &sms::Provider| match provider.line {
        sms::provider::Line::Kannel(_) | sms::provider::Line::Http(_) => true,
        sms::provider::Line::Smpp(_) => false,
    };
    if config.sms.secret.is_none() && config.sms.providers.iter().any(by_http) {
        let text = "neither reports nor SMS from clients can come in: set sms.secret and sms.report_url".to_owned();
        lines.push(Line { what: "sms reports".to_owned(), level: Level::Warning, text });
    }
    lines
}

/// The engine can lay out the prompts where this Asterisk looks for them.
fn sounds(node: &NodeConfig) -> Line {
    let what = format!("{} sounds", node.name);
    if node.sounds_dir.contains("://") {
        return line(what, Ok(format!("{} is filled by somebody else", node.sounds_dir)));
    }
    match writable("asterisk.nodes.sounds_dir", Path::new(&node.sounds_dir)) {
        Ok(()) => line(what, Ok(node.sounds_dir.clone())),
        // Prompts that were put there by hand do as well.
        Err(error) => Line { what, level: Level::Warning, text: error.to_string() },
    }
}

/// The port is free, or an engine serves there already.
async fn port(config: &Config) -> Line {
    match web::bind(config.web.listen).await {
        Ok(_) => line("web", Ok(format!("{} is free", config.web.listen))),
        Err(error @ web::server::BindError::InUse(_)) => {
            let text = format!("{error} (fine if it is this engine)");
            Line { what: "web".to_owned(), level: Level::Warning, text }
        }
        Err(error) => line("web", Err(error.to_string())),
    }
}
