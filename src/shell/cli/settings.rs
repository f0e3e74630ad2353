//! `perezvon settings`: what was set in the console.

use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::config::sections::Section;
use crate::shell::store::Store;
use crate::shell::store::author::Author;

#[derive(Subcommand)]
pub(super) enum SettingsCommand {
    /// List the sections that were set in the console, with what they say
    List,
    /// Go back to what the configuration file says, from the next start of the engine on
    Reset {
        /// Which section
        #[arg(value_parser = PossibleValuesParser::new(Section::ALL.map(Section::as_str)))]
        section: String,
    },
}

impl SettingsCommand {
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<ExitCode> {
        let rows = store.console_settings().await?;
        let set = rows.into_iter().filter_map(|row| Some((row.section, row.body?, row.version, row.changed_by)));
        match self {
            SettingsCommand::List => {
                for (section, value, version, by) in set {
                    let line = json!({ "section": section, "version": version, "changed_by": by, "value": value });
                    super::print(&line.to_string())?;
                }
            }
            SettingsCommand::Reset { section } => {
                let mut set = set;
                let Some((_, before, ..)) = set.find(|(name, ..)| *name == section) else {
                    super::print(&format!("{section}: as the configuration file has it already"))?;
                    return Ok(ExitCode::SUCCESS);
                };
                let author = Author { actor: Actor::Program("command line".to_owned()), ..Author::engine() };
                let none: Option<Value> = None;
                store.set_section(&section, none, &before, &author, clock::wall()).await?;
                super::print(&format!("{section}: as the configuration file has it, from the next start on"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
