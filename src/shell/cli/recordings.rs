//! `perezvon recording`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use crate::shell::config::Config;
use crate::shell::recordings::ledger::Stored;
use crate::shell::recordings::rekey::rekey;
use crate::shell::recordings::verify::verify;
use crate::shell::recordings::{Checked, Problem, Vault};
use crate::shell::store::Store;

#[derive(Subcommand)]
pub(super) enum Recordings {
    /// Compare every archived recording with its checksum; the damaged ones are marked as failed
    Verify {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Seal every recording with the first key of recording.key_file, those in clear too; older keys are needed until then
    Rekey,
}

impl Recordings {
    pub(super) async fn run(self, config: &Config, store: &Store) -> anyhow::Result<ExitCode> {
        let vault = Vault::new(&config.recording)?;
        match self {
            Recordings::Verify { json } => verified(store, &vault, json).await,
            Recordings::Rekey => rekeyed(store, &vault).await,
        }
    }
}

async fn verified(store: &Store, vault: &Vault, json: bool) -> anyhow::Result<ExitCode> {
    let mut printed = Ok(());
    let told = |checked: &Checked, problem: &Problem| {
        let line = super::print(&line(checked, problem, json));
        if printed.is_ok() {
            printed = line;
        }
    };
    let check = verify(store, vault, told).await?;
    printed?;
    let (checked, damaged) = (check.checked, check.bad());
    super::print(&if json {
        let kinds = json!({"missing": check.missing, "short": check.short, "changed": check.changed, "unreadable": check.unreadable});
        json!({"checked": checked, "damaged": damaged, "kinds": kinds}).to_string()
    } else {
        format!("{checked} recordings checked, {damaged} damaged")
    })?;
    Ok(if damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rekeyed(store: &Store, vault: &Vault) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(vault.keys().is_some(), "there is no recording.key_file: name one, with the new key first");
    let told = |stored: &Stored, why: &str| tracing::error!(recording = stored.key, call = %stored.call, "{why}");
    let done = rekey(store, vault, told).await?;
    super::print(&format!(
        "{} recordings sealed with the first key, {} were, {} failed",
        done.sealed, done.left, done.failed
    ))?;
    Ok(if done.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn line(checked: &Checked, problem: &Problem, json: bool) -> String {
    let Checked { recording, call, path, failed: _, problem: _ } = checked;
    if json {
        return json!({"recording": recording, "call": call.to_string(), "path": path, "problem": problem.to_string()})
            .to_string();
    }
    format!("recording {recording} of call {call}: {problem}")
}
