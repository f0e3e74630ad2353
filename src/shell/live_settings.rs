//! The settings as they are now: the file's, with what was set in the console laid over. A change takes effect at once,
//! for the core, the API and what clients are told, and no call is touched.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::Mutex;
use tracing::info;

use crate::domain::contact::Purpose;
use crate::engine::event::Event;
use crate::engine::settings::Settings;

use super::clock;
use super::config::ConfigError;
use super::config::sections::{Decided, Part, Section, Unreadable, Written};
use super::requests::{AskError, Requests};
use super::store::author::{Author, ChangeError};
use super::store::catalogue::Item;
use super::store::settings::SectionRow;
use super::store::{Store, StoreError};

/// The settings now. Clones are the same ones.
#[derive(Clone)]
pub struct LiveSettings(Arc<Inner>);

struct Inner {
    /// Of the file and the environment.
    written: Written,
    now: RwLock<Arc<Settings>>,
    /// One change at a time: each is checked against all the others.
    changing: Mutex<()>,
}

/// Why a section was not set.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// It cannot hold.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
    /// Somebody is of a queue that would be gone.
    #[error("{who} is of the queue {queue}: give {who} another queue first, then remove this one")]
    InUse {
        /// The queue.
        queue: String,
        /// An agent or a purpose.
        who: String,
    },
    /// The database refuses it.
    #[error(transparent)]
    Store(#[from] ChangeError<SectionRow>),
    /// The engine could not be told.
    #[error("it is kept, but the engine was not told of it: {0}; set it once more")]
    Untold(AskError),
}

impl From<StoreError> for SetError {
    fn from(error: StoreError) -> SetError {
        SetError::Store(error.into())
    }
}

/// Reads what was set in the console.
///
/// # Errors
/// When the database does not answer, or a section cannot be read any more; the message says how to take it back.
pub async fn stored(store: &Store) -> anyhow::Result<Vec<(Section, Part)>> {
    let rows = store.console_settings().await?;
    let mut parts = Vec::new();
    for row in rows {
        let (Some(section), Some(body)) = (Section::parse(&row.section), row.body) else { continue };
        let part = Part::read(section, body).map_err(|error| {
            let name = section.as_str();
            anyhow::anyhow!(
                "the settings that were made in the console cannot be read ({name}: {error}); \
                 `perezvon settings reset {name}` goes back to the configuration file"
            )
        })?;
        parts.push((section, part));
    }
    Ok(parts)
}

impl LiveSettings {
    /// `now` follows from `written` and what was set in the console.
    #[must_use]
    pub fn new(written: Written, now: Settings) -> LiveSettings {
        LiveSettings(Arc::new(Inner { written, now: RwLock::new(Arc::new(now)), changing: Mutex::default() }))
    }

    /// The settings at this moment.
    #[must_use]
    pub fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a section says in the file.
    #[must_use]
    pub fn in_file(&self, section: Section) -> Part {
        self.0.written.part(section)
    }

    /// Sets a section, or with `None` goes back to the file; from now on and for good.
    ///
    /// # Errors
    /// [`SetError`]; nothing was changed, but for [`SetError::Untold`].
    pub async fn set(
        &self,
        section: Section,
        body: Option<Value>,
        store: &Store,
        requests: &Requests,
        author: &Author,
    ) -> Result<SectionRow, SetError> {
        let part = body.map(|body| Part::read(section, body)).transpose()?;
        let _alone = self.0.changing.lock().await;
        let others = stored(store).await.map_err(|error| StoreError::Unreadable(error.to_string()))?;
        let mut before = self.in_file(section);
        let mut written = self.0.written.clone();
        for (other, part) in others {
            if other == section {
                before = part;
            } else {
                written = written.with(part);
            }
        }
        // As it will be read again: with every default filled in.
        let (body, written) = match part {
            Some(part) => (Some(json(&part)?), written.with(part)),
            None => (None, written),
        };
        let Decided { engine, announcing } = written.decide()?;
        self.still_served(&engine, store).await?;
        let row = store.set_section(section.as_str(), body, &json(&before)?, author, clock::wall()).await?;
        info!(section = section.as_str(), version = row.version, by = row.changed_by, "settings were changed");
        store.announce_as(announcing);
        // Before the core: what it tells of queues then is understood.
        *self.0.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(engine.clone());
        requests.tell(Event::SettingsChanged(Box::new(engine))).await.map_err(SetError::Untold)?;
        Ok(row)
    }

    /// No queue goes of which an agent or a purpose is: they would be of none.
    async fn still_served(&self, after: &Settings, store: &Store) -> Result<(), SetError> {
        let before = self.now();
        let gone = |name: &str| {
            let of = |settings: &Settings| settings.queues.iter().any(|queue| queue.name == name);
            of(&before) && !of(after)
        };
        if before.queues.iter().all(|queue| !gone(&queue.name)) {
            return Ok(());
        }
        for agent in store.list_agents().await?.into_iter().filter(|agent| !agent.disabled) {
            if let Some(queue) = agent.queues.iter().find(|queue| gone(queue)) {
                return Err(SetError::InUse { queue: queue.clone(), who: agent.name });
            }
        }
        for Item { value: purpose, retired, .. } in store.list_items::<Purpose>().await? {
            if !retired && gone(&purpose.queue) {
                return Err(SetError::InUse { who: purpose.title(), queue: purpose.queue });
            }
        }
        Ok(())
    }
}

fn json(part: &Part) -> Result<Value, StoreError> {
    serde_json::to_value(part).map_err(|error| StoreError::Unreadable(error.to_string()))
}
