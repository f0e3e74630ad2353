//! `perezvon streets`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::import::streets::Streets;
use crate::shell::store::Store;

#[derive(Subcommand)]
pub(super) enum StreetsCommand {
    /// Add the streets of a file: CSV (UTF-8; `;`, `,` or tab; columns street, settlement, kind), or OpenStreetMap
    /// (.osm). Streets that are there already stay as they are
    ///
    /// An extract in the binary form (.osm.pbf) is turned into .osm by
    /// `osmium tags-filter -R region.osm.pbf w/highway nwr/addr:street -o streets.osm`
    Import {
        /// The file; one that ends in .osm is a map
        file: PathBuf,
        /// The city, town or village of the streets of which the file does not tell it
        #[arg(long, value_name = "NAME", default_value = "")]
        settlement: String,
        /// List every bad line and tell what would be added; change nothing
        #[arg(long)]
        dry_run: bool,
        /// Import the rest of a file that has bad lines
        #[arg(long)]
        skip_bad: bool,
    },
    /// List the settlements and how many streets each has
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Remove all streets of a settlement
    Remove {
        /// Its name, as `perezvon streets list` shows it
        #[arg(long, value_name = "NAME")]
        settlement: String,
    },
}

impl StreetsCommand {
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<ExitCode> {
        match self {
            StreetsCommand::Import { file, settlement, dry_run, skip_bad } => {
                let streets = read(&file, &settlement)?;
                for bad in &streets.bad {
                    super::print(&format!("{}: {bad}", file.display()))?;
                }
                let name = file.display();
                let (read, bad) = (streets.read, streets.bad.len());
                super::print(&format!("{name}: {read} lines with {} streets, {bad} bad", streets.streets.len()))?;
                if dry_run {
                    return Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE });
                }
                anyhow::ensure!(
                    bad == 0 || skip_bad,
                    "nothing was imported: correct the bad lines, or import the rest with --skip-bad"
                );
                add(store, &file, &streets).await?;
            }
            StreetsCommand::List { json } => {
                for row in store.list_settlements().await? {
                    super::print(&if json {
                        json!({"settlement": row.settlement, "streets": row.streets}).to_string()
                    } else {
                        format!("{:<40} {}", row.settlement, row.streets)
                    })?;
                }
            }
            StreetsCommand::Remove { settlement } => {
                let removed = store.remove_streets(&settlement).await?;
                anyhow::ensure!(
                    removed > 0,
                    "there are no streets of {settlement:?}; `perezvon streets list` shows all settlements"
                );
                audit(store, "streets_removed", &settlement, json!({"removed": removed})).await?;
                super::print(&format!("{removed} streets removed"))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(file: &Path, settlement: &str) -> anyhow::Result<Streets> {
    let name = file.display();
    anyhow::ensure!(
        file.extension().is_none_or(|ending| ending != "pbf"),
        "{name} is a map in binary form; turn it into .osm first: \
         osmium tags-filter -R {name} w/highway nwr/addr:street -o streets.osm"
    );
    let open = File::open(file).with_context(|| format!("{name} cannot be read"))?;
    let map = file.extension().is_some_and(|ending| ending == "osm");
    Ok(if map { Streets::from_osm(open, settlement) } else { Streets::from_csv(open, settlement) })
}

async fn add(store: &Store, file: &Path, streets: &Streets) -> anyhow::Result<()> {
    let added = store.add_streets(&streets.streets, clock::wall()).await?;
    let known = u64::try_from(streets.streets.len()).unwrap_or(u64::MAX).saturating_sub(added);
    if added > 0 {
        let subject = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        audit(store, "streets_imported", &subject, json!({"added": added, "known": known})).await?;
    }
    super::print(&format!(
        "{added} streets added, {known} were known already; a running engine takes them up within 5 s"
    ))
}

async fn audit(store: &Store, action: &'static str, subject: &str, detail: serde_json::Value) -> anyhow::Result<()> {
    super::audit(store, Actor::Program("command line".to_owned()), action, subject, detail).await
}
