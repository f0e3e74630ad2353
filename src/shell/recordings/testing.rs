//! An Asterisk and a database for the tests here, with faults on demand.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;

use super::folder::Folder;
use super::ledger::{JournalCall, Ledger, LedgerError, Stored, Unrecorded};
use super::source::{Source, SourceError, Stream};
use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;
use crate::shell::store::calls::FallbackCall;
use crate::shell::store::pauses::CallPauses;
use crate::shell::store::recordings::NewRecording;

/// A stereo stream with a voice on both channels where asked.
pub(super) fn talk(milliseconds: u32, left: i16, right: i16) -> Vec<u8> {
    (0..milliseconds * 8)
        .map(|n| if n % 20 < 10 { (left, right) } else { (-left, -right) })
        .flat_map(|(left, right)| [left.to_le_bytes(), right.to_le_bytes()].concat())
        .collect()
}

/// What a fetch does instead of giving the file.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Breaks off after so many bytes.
    CutAt(usize),
    /// Ends after so many bytes, as if that were all.
    EndAt(usize),
    /// Says there is no such file.
    NotFound,
    /// Asterisk is not there.
    Away,
    /// 500.
    Failed,
    /// Stops after so many bytes and never goes on.
    HangAt(usize),
    /// A fault of this program.
    Panic,
}

#[derive(Default)]
pub(super) struct Asterisk {
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) alive: BTreeSet<String>,
    /// One for each coming fetch.
    pub(super) fetches: VecDeque<Fault>,
    pub(super) deletes: VecDeque<SourceError>,
    pub(super) lists: VecDeque<SourceError>,
    /// Deleting never comes to an end: a kill between the row and the removal.
    pub(super) hang_delete: bool,
    pub(super) fetched: u32,
    pub(super) at_once: usize,
    pub(super) most_at_once: usize,
    pub(super) looks: u32,
    pub(super) folder: Option<Folder>,
}

/// Handle of the Asterisk of a test.
#[derive(Clone, Default)]
pub(super) struct FakeAsterisk(Arc<Mutex<Asterisk>>);

impl FakeAsterisk {
    pub(super) fn lock(&self) -> MutexGuard<'_, Asterisk> {
        self.0.lock().unwrap()
    }

    pub(super) fn put(&self, name: &str, raw: Vec<u8>) {
        self.lock().files.insert(name.to_owned(), raw);
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.lock().files.contains_key(name)
    }
}

pub(super) struct FakeStream {
    bytes: Vec<u8>,
    at: usize,
    fault: Option<Fault>,
    asterisk: FakeAsterisk,
}

impl Drop for FakeStream {
    fn drop(&mut self) {
        self.asterisk.lock().at_once -= 1;
    }
}

impl Stream for FakeStream {
    fn length(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, SourceError> {
        tokio::task::yield_now().await;
        // Odd pieces, so that frames are split.
        let end = (self.at + 4_097).min(self.bytes.len());
        let limit = match self.fault {
            Some(Fault::CutAt(limit) | Fault::EndAt(limit) | Fault::HangAt(limit)) => limit,
            _ => usize::MAX,
        };
        if end >= limit && self.at >= limit {
            return match self.fault {
                Some(Fault::CutAt(_)) => Err(SourceError::Failed("connection reset".to_owned())),
                Some(Fault::HangAt(_)) => pending().await,
                _ => Ok(None),
            };
        }
        let end = end.min(limit);
        let piece = self.bytes[self.at..end].to_vec();
        self.at = end;
        Ok((!piece.is_empty()).then(|| Bytes::from(piece)))
    }
}

impl Source for FakeAsterisk {
    type Stream = FakeStream;

    async fn list(&self) -> Result<Vec<String>, SourceError> {
        let mut asterisk = self.lock();
        match asterisk.lists.pop_front() {
            Some(error) => Err(error),
            None => Ok(asterisk.files.keys().cloned().collect()),
        }
    }

    fn folder(&self) -> Option<Folder> {
        self.lock().folder.clone()
    }

    async fn fetch(&self, name: &str) -> Result<FakeStream, SourceError> {
        let mut asterisk = self.lock();
        asterisk.fetched += 1;
        let fault = asterisk.fetches.pop_front();
        match fault {
            Some(Fault::NotFound) => return Err(SourceError::NotFound),
            Some(Fault::Away) => return Err(SourceError::Away("connection refused".to_owned())),
            Some(Fault::Failed) => return Err(SourceError::Failed("Asterisk answered 500".to_owned())),
            Some(Fault::Panic) => {
                drop(asterisk);
                panic!("as the test wants it");
            }
            _ => {}
        }
        let bytes = asterisk.files.get(name).cloned().ok_or(SourceError::NotFound)?;
        asterisk.at_once += 1;
        asterisk.most_at_once = asterisk.most_at_once.max(asterisk.at_once);
        Ok(FakeStream { bytes, at: 0, fault, asterisk: self.clone() })
    }

    async fn delete(&self, name: &str) -> Result<(), SourceError> {
        if self.lock().hang_delete {
            pending::<()>().await;
        }
        let mut asterisk = self.lock();
        if let Some(error) = asterisk.deletes.pop_front() {
            return Err(error);
        }
        asterisk.files.remove(name);
        Ok(())
    }

    async fn is_alive(&self, channel: &str) -> Result<bool, SourceError> {
        let mut asterisk = self.lock();
        asterisk.looks += 1;
        Ok(asterisk.alive.contains(channel))
    }
}

#[derive(Default)]
pub(super) struct Database {
    pub(super) calls: BTreeMap<(NodeId, String), JournalCall>,
    pub(super) entries: BTreeMap<(NodeId, String), NewRecording>,
    pub(super) pauses: BTreeMap<(NodeId, String), Vec<CallPauses>>,
    pub(super) fallback: Vec<FallbackCall>,
    pub(super) unrecorded: Vec<Unrecorded>,
    /// One for each coming write.
    pub(super) refusals: VecDeque<LedgerError>,
    /// How many entries each write had.
    pub(super) writes: Vec<usize>,
    pub(super) behind: bool,
    /// Writing never comes to an end: a kill between the file and the row.
    pub(super) hang_save: bool,
}

/// Handle of the database of a test.
#[derive(Clone, Default)]
pub(super) struct FakeDatabase(Arc<Mutex<Database>>);

impl FakeDatabase {
    pub(super) fn lock(&self) -> MutexGuard<'_, Database> {
        self.0.lock().unwrap()
    }
}

impl Ledger for FakeDatabase {
    async fn caught_up(&self) -> bool {
        !self.lock().behind
    }

    async fn entry(&self, node: NodeId, name: &str) -> Result<Option<NewRecording>, LedgerError> {
        Ok(self.lock().entries.get(&(node, name.to_owned())).cloned())
    }

    async fn call_of(&self, node: NodeId, name: &str) -> Result<Option<JournalCall>, LedgerError> {
        Ok(self.lock().calls.get(&(node, name.to_owned())).copied())
    }

    async fn pauses(&self, node: NodeId, name: &str) -> Result<Vec<CallPauses>, LedgerError> {
        Ok(self.lock().pauses.get(&(node, name.to_owned())).cloned().unwrap_or_default())
    }

    async fn unrecorded(&self, _: NodeId, _: Wall, _: Duration) -> Result<Vec<Unrecorded>, LedgerError> {
        Ok(self.lock().unrecorded.clone())
    }

    async fn save(&self, entries: &[NewRecording]) -> Result<(), LedgerError> {
        if self.lock().hang_save {
            pending::<()>().await;
        }
        let mut database = self.lock();
        database.writes.push(entries.len());
        if let Some(error) = database.refusals.pop_front() {
            return Err(error);
        }
        for entry in entries {
            database.entries.insert((entry.node, entry.name.clone()), entry.clone());
        }
        Ok(())
    }

    async fn add_fallback_call(&self, unseen: &FallbackCall) -> Result<CallId, LedgerError> {
        let mut database = self.lock();
        let key = (unseen.node, unseen.recording.clone());
        if let Some(known) = database.calls.get(&key) {
            return Ok(known.call);
        }
        let call = CallId((unseen.arrived.0.cast_unsigned() << 20) + 0x8_0000 + database.fallback.len() as u64);
        database.fallback.push(unseen.clone());
        database.calls.insert(key, JournalCall { call, ended: true, talked: Some(unseen.talked) });
        Ok(call)
    }

    async fn stored_after(&self, key: i64, most: u32) -> Result<Vec<Stored>, LedgerError> {
        let database = self.lock();
        let all = database.entries.values().zip(1_i64..).filter_map(|(entry, key)| {
            let file = entry.file.clone()?;
            Some(Stored {
                key,
                call: entry.call,
                failed: false,
                path: file.path,
                sha256: file.sha256,
                bytes: file.bytes,
            })
        });
        Ok(all.filter(|stored| stored.key > key).take(most as usize).collect())
    }
}
