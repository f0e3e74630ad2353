//! Files of one handful moved to their places together: a folder is made durable once for all that came into it.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::file::{FileError, Written, sync_folder};
use super::vault::Vault;
use crate::shell::store::recordings::{ArchivedFile, NewRecording};
use crate::speech::wav::Level;

/// A begun file that is to be moved to its place, and what will be written of it.
pub(super) struct ToPlace {
    pub(super) written: Written,
    /// Where, without the ending.
    pub(super) stem: String,
    /// What the archive has of this recording already.
    pub(super) before: Option<ArchivedFile>,
    /// Without the file.
    pub(super) entry: NewRecording,
}

/// What became of a file.
pub(super) enum Placed {
    /// It is in its place, durably; this is to be written.
    There(Box<NewRecording>),
    /// The archive has a longer one of the same recording already.
    Better,
    /// Disk or storage did not take it.
    Refused(FileError),
    /// Nor one before it: this one was not tried.
    NotTried,
}

/// Moves them, in this order. Blocks.
pub(super) fn place_all(vault: &Vault, files: Vec<ToPlace>) -> Vec<Placed> {
    let mut folders = BTreeSet::new();
    let mut refused = false;
    let mut placed: Vec<Placed> = files
        .into_iter()
        .map(|file| {
            if refused {
                return Placed::NotTried;
            }
            let done = place(vault, file, &mut folders);
            refused = matches!(done, Placed::Refused(_));
            done
        })
        .collect();
    for folder in folders {
        if let Err(cause) = sync_folder(&folder) {
            for one in placed.iter_mut().filter(|one| matches!(one, Placed::There(_))) {
                *one = Placed::Refused(FileError::Io {
                    what: "make durable",
                    path: folder.clone(),
                    cause: io::Error::new(cause.kind(), cause.to_string()),
                });
            }
        }
    }
    placed
}

fn place(vault: &Vault, file: ToPlace, folders: &mut BTreeSet<PathBuf>) -> Placed {
    let ToPlace { written, stem, before, entry } = file;
    if let Some(before) = &before
        && before.duration > written.report.duration()
        && vault.checksum(&before.path).is_ok_and(|found| found.0 == before.sha256)
    {
        return Placed::Better;
    }
    let (report, bytes, sha256) = (written.report.clone(), written.bytes, written.sha256.clone());
    match written.put(vault, &stem, before.as_ref().map(|before| before.path.as_str()), folders) {
        Ok(path) => {
            let (left_rms, right_rms) = (of_32767(report.left), of_32767(report.right));
            let duration = report.duration();
            let file = Some(ArchivedFile { path, sha256, bytes, duration, channels: 2, left_rms, right_rms });
            Placed::There(Box::new(NewRecording { file, ..entry }))
        }
        Err(error) => Placed::Refused(error),
    }
}

/// Loudness as the database keeps it.
fn of_32767(level: Level) -> u32 {
    // Between 0 and 1: nothing is cut off.
    (level.rms * 32_767.0).round() as u32
}
