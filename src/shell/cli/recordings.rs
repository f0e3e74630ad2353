//! `perezvon recording`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use crate::shell::config::Config;
use crate::shell::recordings::database::Books;
use crate::shell::recordings::{Checked, Problem, Verification};
use crate::shell::store::Store;
use crate::shell::store::recordings::RecordingState;

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
        let (mut checked, mut damaged) = (0_u64, 0_u64);
        let mut verification = Verification::new(Books::closed(store.clone()), &config.recording.dir);
        while let Some(recording) = verification.next().await? {
            checked += 1;
            if let Some(problem) = &recording.problem {
                damaged += 1;
                let state = RecordingState::Failed;
                store.mark_recording(recording.recording, state, &problem.to_string()).await?;
                super::print(&line(&recording, problem, json))?;
            }
        }
        super::print(&if json {
            json!({"checked": checked, "damaged": damaged}).to_string()
        } else {
            format!("{checked} recordings checked, {damaged} damaged")
        })?;
        Ok(if damaged == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn line(checked: &Checked, problem: &Problem, json: bool) -> String {
    let Checked { recording, call, path, problem: _ } = checked;
    if json {
        return json!({"recording": recording, "call": call.to_string(), "path": path, "problem": problem.to_string()})
            .to_string();
    }
    format!("recording {recording} of call {call}: {problem}")
}
