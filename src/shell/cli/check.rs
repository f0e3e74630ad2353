//! `perezvon check`: one line for each thing that must be right.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::shell::config::Config;
use crate::shell::store::Store;
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
    state: State,
    /// What was found, or what is wrong and what to do.
    text: String,
}

/// How it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    Warning,
    Bad,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            State::Good => "ok",
            State::Warning => "warning",
            State::Bad => "FAILED",
        }
    }
}

fn line(what: impl Into<String>, result: Result<String, String>) -> Line {
    let (state, text) = match result {
        Ok(text) => (State::Good, text),
        Err(text) => (State::Bad, text),
    };
    Line { what: what.into(), state, text }
}

impl Check {
    pub(super) async fn run(self, path: Option<&Path>) -> anyhow::Result<ExitCode> {
        let lines = match Config::load(path) {
            Ok(config) => self.all(&config).await,
            Err(error) => vec![line("configuration", Err(error.to_string()))],
        };
        for line in &lines {
            let text = if self.json {
                json!({"what": line.what, "state": line.state.as_str(), "text": line.text}).to_string()
            } else {
                format!("{:<8} {:<24} {}", line.state.as_str(), line.what, line.text)
            };
            super::print(&text)?;
        }
        let bad = lines.iter().any(|line| line.state == State::Bad);
        Ok(if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn all(&self, config: &Config) -> Vec<Line> {
        let file = config.file.as_ref().map_or("built-in defaults".to_owned(), |file| file.display().to_string());
        let mut lines = vec![line("configuration", Ok(file))];
        lines.push(database(config).await);
        lines.push(line(
            "archive",
            config
                .prepare_folders()
                .map_err(|error| error.to_string())
                .map(|()| config.recording.dir.display().to_string()),
        ));
        lines.push(disk(config));
        lines.push(port(config).await);
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

/// The port is free, or an engine serves there already.
async fn port(config: &Config) -> Line {
    match web::bind(config.web.listen).await {
        Ok(_) => line("web", Ok(format!("{} is free", config.web.listen))),
        Err(error @ web::server::BindError::InUse(_)) => {
            let text = format!("{error} (fine if it is this engine)");
            Line { what: "web".to_owned(), state: State::Warning, text }
        }
        Err(error) => line("web", Err(error.to_string())),
    }
}
