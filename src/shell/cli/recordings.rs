//! `perezvon recording`.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::shell::config::Config;
use crate::shell::store::Store;
use crate::shell::store::recordings::{ArchivedFile, RecordingRow, RecordingState};
use crate::shell::web::recordings::below;

/// Rows read at once.
const AT_ONCE: u32 = 200;

#[derive(Subcommand)]
pub(super) enum Recordings {
    /// Compare every archived recording with its checksum; the damaged ones are marked as failed
    Verify {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

impl Recordings {
    pub(super) async fn run(self, config: &Config, store: &Store) -> anyhow::Result<ExitCode> {
        let Recordings::Verify { json } = self;
        let (mut good, mut bad, mut last) = (0_u64, 0_u64, 0);
        loop {
            let rows = store.recordings_for_verify(last, AT_ONCE).await?;
            let Some(row) = rows.last() else { break };
            last = row.id;
            for row in rows {
                match fault(config, &row).await? {
                    None => good += 1,
                    Some(why) => {
                        bad += 1;
                        store.mark_recording(row.id, RecordingState::Failed, &why).await?;
                        super::print(&line(&row, &why, json))?;
                    }
                }
            }
        }
        super::print(&if json {
            json!({"checked": good + bad, "damaged": bad}).to_string()
        } else {
            format!("{} recordings checked, {bad} damaged", good + bad)
        })?;
        Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn line(row: &RecordingRow, why: &str, json: bool) -> String {
    let path = row.file.as_ref().map(|file| file.path.as_str()).unwrap_or_default();
    if json {
        return json!({"recording": row.id, "call": row.call.to_string(), "path": path, "problem": why}).to_string();
    }
    format!("recording {} of call {}, {path}: {why}", row.id, row.call)
}

/// What is wrong with a recording's file, if anything.
async fn fault(config: &Config, row: &RecordingRow) -> anyhow::Result<Option<String>> {
    let Some(file) = row.file.clone() else { return Ok(None) };
    let Some(path) = below(&config.recording.dir, &file.path) else {
        return Ok(Some("its path leads out of the archive".to_owned()));
    };
    // Reading and hashing would hold up whatever else the runtime does.
    tokio::task::spawn_blocking(move || compare(&path, &file)).await.context("a recording could not be checked")
}

fn compare(path: &PathBuf, file: &ArchivedFile) -> Option<String> {
    let mut source = match std::fs::File::open(path) {
        Ok(source) => source,
        Err(cause) => return Some(format!("the file cannot be read: {cause}")),
    };
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                bytes += u64::try_from(read).unwrap_or(0);
                hash.update(buffer.get(..read).unwrap_or_default());
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
            Err(cause) => return Some(format!("the file cannot be read: {cause}")),
        }
    }
    if bytes != file.bytes {
        return Some(format!("the file has {bytes} bytes instead of {}", file.bytes));
    }
    let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    (found != file.sha256).then(|| "the file does not match its checksum".to_owned())
}
