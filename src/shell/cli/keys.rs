//! `perezvon key`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat};
use clap::Subcommand;
use serde_json::json;

use crate::engine::event::Actor;
use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::store::Store;
use crate::shell::web::routes;

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make a key; it is shown this once
    Add {
        /// Name of the program
        #[arg(long)]
        name: String,
        /// What it may do, such as calls:read; can be given several times
        #[arg(long, required = true, value_parser = scope)]
        scope: Vec<String>,
    },
    /// List all keys
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Disable a key for ever
    Disable {
        /// Name of the program
        #[arg(long)]
        name: String,
    },
}

fn moment(at: Wall) -> String {
    DateTime::from_timestamp_millis(at.0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn scope(text: &str) -> Result<String, String> {
    let all = routes::scopes();
    if all.contains(text) {
        return Ok(text.to_owned());
    }
    Err(format!("use {}", all.into_iter().collect::<Vec<_>>().join(", ")))
}

impl Keys {
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<ExitCode> {
        let by = Actor::Program("command line".to_owned());
        match self {
            Keys::Add { name, scope } => {
                let scopes: BTreeSet<String> = scope.into_iter().collect();
                let key = store.add_api_key(&name, &scopes, clock::wall()).await;
                let key = key.with_context(|| format!("the key {name:?} was not made"))?;
                super::audit(store, by, "key_added", &name, json!({"scopes": scopes})).await?;
                super::print(&key)?;
            }
            Keys::List { json } => {
                for key in store.list_api_keys().await? {
                    let line = if json {
                        json!({
                            "name": key.name, "scopes": key.scopes, "disabled": key.disabled,
                            "last_used_at": key.last_used.map(moment), "last_used_from": key.last_used_from,
                        })
                        .to_string()
                    } else {
                        let scopes: Vec<_> = key.scopes.iter().map(String::as_str).collect();
                        let disabled = if key.disabled { " (disabled)" } else { "" };
                        let used = match (key.last_used, key.last_used_from) {
                            (Some(at), Some(from)) => format!(" (last used {} from {from})", moment(at)),
                            (Some(at), None) => format!(" (last used {})", moment(at)),
                            (None, _) => " (never used)".to_owned(),
                        };
                        format!("{:<20} {}{disabled}{used}", key.name, scopes.join(" "))
                    };
                    super::print(&line)?;
                }
            }
            Keys::Disable { name } => {
                let keys = store.list_api_keys().await?;
                let key = keys.into_iter().find(|key| key.name == name);
                let key = key.with_context(|| format!("there is no key {name:?}; `perezvon key list` shows all"))?;
                store.disable_api_key(key.id).await?;
                super::audit(store, by, "key_disabled", &name, json!({})).await?;
                super::print(&format!("the key {name} is refused from now on"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
