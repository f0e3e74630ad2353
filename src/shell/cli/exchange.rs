//! `perezvon clients` and `perezvon orders`: tables in and out, and what a client may ask for.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::domain::client::Command;
use crate::domain::history::{ActorKind, By, Source};
use crate::domain::ids::ClientId;
use crate::engine::event::Actor;
use crate::shell::clock;
use crate::shell::config::Config;
use crate::shell::exchange::{Part, Report, Wish, clients, orders, personal};
use crate::shell::recordings::Vault;
use crate::shell::recordings::erase::remove_erased;
use crate::shell::store::Store;
use crate::shell::store::author::Author;

#[derive(Subcommand)]
pub(super) enum ClientsCommand {
    /// Make cards out of a table: CSV (UTF-8; `;`, `,` or tab). Cards that are there already (by code or any number)
    /// stay as they are
    ///
    /// Columns: phone, more_phones, code, surname, name, patronymic, company, city, street, house, entrance,
    /// address_comment, email, note, birthday, tags, conflict, tariff, group; or «телефон», «фамилия», ….
    Import(Import),
    /// Write all cards as a table that can be imported again
    Export(Export),
    /// Write everything that is kept about one client as JSON
    PersonalData {
        /// Number of the card
        id: i64,
    },
    /// Erase what is known of a client on that client's request, the sound of talks too; counters and money stay. This
    /// cannot be undone
    Erase {
        /// Number of the card
        id: i64,
        /// Yes, for ever
        #[arg(long, required = true)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub(super) enum OrdersCommand {
    /// Take orders out of a table: CSV (UTF-8; `;`, `,` or tab). The same line is taken once within 24 hours
    ///
    /// Columns: phone, passenger, from_street, from_house, from_entrance, from_comment, from_city, to_…, wanted_at
    /// (2026-12-31T09:30:00+03:00), lead_minutes, tariff, payment, comment, estimate; or «телефон», «откуда», ….
    Import(Import),
    /// Write all orders as a table
    Export(Export),
}

#[derive(Args)]
pub(super) struct Import {
    /// The table
    file: PathBuf,
    /// List every bad line and tell what would be written; change nothing
    #[arg(long)]
    dry_run: bool,
    /// Import the rest of a table that has bad lines
    #[arg(long)]
    skip_bad: bool,
}

#[derive(Args)]
pub(super) struct Export {
    /// Write into this file instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn author() -> Author {
    let by = By::new(ActorKind::Office, "command line", Source::Import);
    Author { by, actor: Actor::Program("command line".to_owned()), address: String::new() }
}

impl ClientsCommand {
    pub(super) async fn run(self, config: &Config, store: &Store) -> anyhow::Result<ExitCode> {
        match self {
            ClientsCommand::Import(import) => {
                let file = open(&import.file)?;
                let report = clients::import(store, file, import.wish(), &author(), clock::wall()).await?;
                import.finish(store, "clients_imported", "cards", &report).await
            }
            ClientsCommand::Export(export) => {
                let count = export.write(async |cursor| clients::export(store, cursor).await).await?;
                note(store, "clients_exported", "all", json!({"bytes": count})).await
            }
            ClientsCommand::PersonalData { id } => {
                let data = personal::export(store, ClientId(id)).await?;
                let data = data.with_context(|| format!("there is no client {id}"))?;
                note(store, "personal_data_exported", &id.to_string(), json!({})).await?;
                super::print(&serde_json::to_string_pretty(&data)?)?;
                Ok(ExitCode::SUCCESS)
            }
            ClientsCommand::Erase { id, yes: _ } => {
                let erased = store.change_client(ClientId(id), Command::Erase, &author(), clock::wall()).await;
                erased.with_context(|| format!("client {id} was not erased"))?;
                let left = remove_erased(store, &Vault::new(&config.recording)?).await?;
                anyhow::ensure!(
                    left == 0,
                    "client {id} is erased, but {left} recordings in {} cannot be removed; the log says why. Give the \
                     right to remove them; `perezvon serve` tries again every hour",
                    config.recording.dir.display()
                );
                super::print(&format!("client {id} is erased"))?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

impl OrdersCommand {
    pub(super) async fn run(self, store: &Store) -> anyhow::Result<ExitCode> {
        match self {
            OrdersCommand::Import(import) => {
                let file = open(&import.file)?;
                let report = orders::import(store, file, import.wish(), &author(), clock::wall()).await?;
                import.finish(store, "orders_imported", "orders", &report).await
            }
            OrdersCommand::Export(export) => {
                let count = export.write(async |cursor| orders::export(store, cursor).await).await?;
                note(store, "orders_exported", "all", json!({"bytes": count})).await
            }
        }
    }
}

fn open(file: &Path) -> anyhow::Result<File> {
    File::open(file).with_context(|| format!("{} cannot be read", file.display()))
}

async fn note(
    store: &Store,
    action: &'static str,
    subject: &str,
    detail: serde_json::Value,
) -> anyhow::Result<ExitCode> {
    super::audit(store, Actor::Program("command line".to_owned()), action, subject, detail).await?;
    Ok(ExitCode::SUCCESS)
}

impl Import {
    fn wish(&self) -> Wish {
        Wish { dry_run: self.dry_run, skip_bad: self.skip_bad }
    }

    async fn finish(
        &self,
        store: &Store,
        action: &'static str,
        what: &str,
        report: &Report,
    ) -> anyhow::Result<ExitCode> {
        let name = self.file.display();
        for fault in &report.faults {
            super::print(&format!("{name}: {fault}"))?;
        }
        if !report.ignored_columns.is_empty() {
            super::print(&format!("{name}: nothing is made of the columns {}", report.ignored_columns.join(", ")))?;
        }
        let would = if report.done { "were made" } else { "would be made" };
        super::print(&format!(
            "{name}: {} lines, {} bad; {} {what} {would}, {} were known already",
            report.lines,
            report.faults.len(),
            report.new,
            report.known
        ))?;
        if report.done {
            let subject = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            note(store, action, &subject, json!({"new": report.new, "known": report.known})).await?;
        }
        let refused = "nothing was imported: correct the bad lines, or import the rest with --skip-bad";
        anyhow::ensure!(report.done || self.dry_run, refused);
        Ok(if report.faults.is_empty() || report.done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Export {
    /// Writes part after part; answers how many bytes.
    async fn write<E: std::error::Error + Send + Sync + 'static>(
        &self,
        part: impl AsyncFn(Option<&str>) -> Result<Part, E>,
    ) -> anyhow::Result<u64> {
        let mut out: Box<dyn std::io::Write> = match &self.output {
            Some(file) => {
                Box::new(File::create(file).with_context(|| format!("{} cannot be written", file.display()))?)
            }
            None => Box::new(std::io::stdout()),
        };
        let (mut written, mut cursor) = (0, None);
        loop {
            let part = part(cursor.as_deref()).await?;
            out.write_all(&part.bytes).context("the table cannot be written")?;
            written += part.bytes.len() as u64;
            match part.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        out.flush().context("the table cannot be written")?;
        Ok(written)
    }
}
