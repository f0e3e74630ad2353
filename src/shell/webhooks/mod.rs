//! Delivers what is in the outbox to the endpoints of outside programs, over and over until they take it.
//!
//! - A message goes after those before it in its lane (an order, a call) and not before they were taken. Lanes do not wait
//!   for each other, and endpoints do not either.
//! - What fails is tried again after a pause that doubles. An endpoint that fails in many lanes is taken for dead: it is
//!   tried with one message at a time, and all else follows when it takes one.
//! - The database knows what was taken; whatever was not written there before a crash is sent once more under the same id.
//!
//! One engine sends for one database, as one engine drives its calls.

mod client;
pub mod signature;
mod stats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::Rng as _;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::shell::clock::wall;
use crate::shell::store::outbox::{Attempt, Due, Outcome};
use crate::shell::store::webhooks::{EndpointId, EndpointRow};
use crate::shell::store::{Result, Store};

use client::{Client, Failure};
pub use client::{target, told};
pub use stats::Stats;

/// Lanes of which the messages are taken for the endpoint's own fault.
const DEAD: usize = 5;
/// For attempts under way when the engine is stopped.
const LAST_ATTEMPTS: Duration = Duration::from_secs(3);

/// How messages are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The outbox is looked into this often.
    pub every: Duration,
    /// The list of endpoints is read this often.
    pub refresh: Duration,
    /// For an endpoint to answer.
    pub timeout: Duration,
    /// Before the second attempt; doubled before each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// Before a dead endpoint is tried again, at most.
    pub longest_rest: Duration,
    /// Messages on their way to one endpoint at once.
    pub at_once: usize,
    /// Addresses of private networks may be sent to. Whoever may set endpoints can make the engine send requests from
    /// where it stands; that is administrators only, and programs of the office mostly stand in its own network.
    pub private_networks: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            every: Duration::from_millis(250),
            refresh: Duration::from_secs(1),
            timeout: Duration::from_secs(15),
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(600),
            longest_rest: Duration::from_secs(30),
            at_once: 8,
            private_networks: true,
        }
    }
}

/// Whether the sender has stopped.
pub struct Sender(tokio::task::JoinHandle<()>);

impl Sender {
    /// Waits until it has stopped after its cancellation; what is on its way by then is waited for, for a moment.
    pub async fn stopped(self) {
        if let Err(error) = self.0.await {
            tracing::error!("the sender of webhooks ended by a fault of its own, please report it: {error}");
        }
    }
}

/// Starts delivering.
///
/// # Errors
/// When the system's certificates cannot be read.
pub fn start(store: Store, settings: Settings, stats: Stats, cancel: CancellationToken) -> anyhow::Result<Sender> {
    let client = Client::new(settings.timeout, settings.private_networks)?;
    let (results, ended) = mpsc::channel(64);
    let work = Work {
        store,
        settings,
        stats,
        client,
        results,
        lines: BTreeMap::new(),
        unsettled: Vec::new(),
        troubled: false,
    };
    Ok(Sender(tokio::spawn(work.run(ended, cancel))))
}

/// What is known of an endpoint while it is served.
struct Line {
    row: EndpointRow,
    /// Lanes that have a message on its way.
    flying: BTreeSet<String>,
    /// Lanes that failed since the endpoint last took a message, as far as they matter.
    failing: BTreeSet<String>,
    /// Rests of the dead endpoint so far.
    rests: u32,
    /// Nothing is sent before.
    not_before: Instant,
}

impl Line {
    fn is_dead(&self) -> bool {
        self.failing.len() >= DEAD
    }

    /// How many messages may be sent now.
    fn room(&self, at_once: usize, now: Instant) -> usize {
        if self.row.disabled || now < self.not_before {
            return 0;
        }
        let most = if self.is_dead() { 1 } else { at_once };
        most.saturating_sub(self.flying.len())
    }
}

struct Work {
    store: Store,
    settings: Settings,
    stats: Stats,
    client: Client,
    results: mpsc::Sender<Attempt>,
    lines: BTreeMap<EndpointId, Line>,
    /// Attempts that the database does not know of yet; their lanes count as flying.
    unsettled: Vec<Attempt>,
    /// The database did not answer the last time.
    troubled: bool,
}

impl Work {
    async fn run(mut self, mut ended: mpsc::Receiver<Attempt>, cancel: CancellationToken) {
        let mut ticks = interval(self.settings.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut refreshed: Option<Instant> = None;
        loop {
            tokio::select! {
                () = cancel.cancelled() => break,
                _ = ticks.tick() => {}
                Some(attempt) = ended.recv() => {
                    self.unsettled.push(attempt);
                    while let Ok(attempt) = ended.try_recv() {
                        self.unsettled.push(attempt);
                    }
                }
            }
            let stale = refreshed.is_none_or(|at| at.elapsed() >= self.settings.refresh);
            match self.turn(stale).await {
                Ok(()) => {
                    self.troubled = false;
                    if stale {
                        refreshed = Some(Instant::now());
                    }
                }
                Err(error) if !self.troubled => {
                    self.troubled = true;
                    warn!("webhooks wait for the database: {error}");
                }
                Err(_) => {}
            }
        }
        self.finish(&mut ended).await;
    }

    /// What is on its way may arrive.
    async fn finish(mut self, ended: &mut mpsc::Receiver<Attempt>) {
        let deadline = Instant::now() + LAST_ATTEMPTS;
        let flying: usize = self.lines.values().map(|line| line.flying.len()).sum();
        while self.unsettled.len() < flying {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, ended.recv()).await {
                Ok(Some(attempt)) => self.unsettled.push(attempt),
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = self.settle().await {
            warn!("what webhooks delivered last is sent once more at the next start: {error}");
        }
    }

    async fn turn(&mut self, refresh: bool) -> Result<()> {
        self.settle().await?;
        if refresh {
            self.refresh().await?;
        }
        let ids: Vec<EndpointId> = self.lines.keys().copied().collect();
        for id in ids {
            self.serve(id).await?;
        }
        Ok(())
    }

    async fn refresh(&mut self) -> Result<()> {
        let rows = self.store.list_endpoints().await?;
        self.stats.show(&rows, wall());
        let there: BTreeSet<EndpointId> = rows.iter().map(|row| row.id).collect();
        self.lines.retain(|id, line| there.contains(id) || !line.flying.is_empty());
        for row in rows {
            let id = row.id;
            let line = self.lines.entry(id).or_insert_with(|| Line {
                row: row.clone(),
                flying: BTreeSet::new(),
                failing: BTreeSet::new(),
                rests: 0,
                not_before: Instant::now(),
            });
            if line.row.version != row.version {
                // Whatever was wrong may be mended.
                line.failing.clear();
                line.rests = 0;
                line.not_before = Instant::now();
            }
            line.row = row;
        }
        Ok(())
    }

    /// Sends what an endpoint may be sent now.
    async fn serve(&mut self, id: EndpointId) -> Result<()> {
        let Some(line) = self.lines.get_mut(&id) else { return Ok(()) };
        let room = line.room(self.settings.at_once, Instant::now());
        if room == 0 {
            return Ok(());
        }
        // What is on its way is still due, as far as the database knows.
        let limit = u32::try_from(room + line.flying.len()).unwrap_or(1);
        // A dead endpoint is tried with what comes next: nobody waits ten minutes to find out that it lives.
        let ahead = if line.is_dead() { millis(self.settings.longest_pause) } else { 0 };
        let due = self.store.due_messages(id, wall().plus_ms(ahead), limit).await?;
        let fresh: Vec<Due> = due.into_iter().filter(|due| !line.flying.contains(&due.lane)).take(room).collect();
        for due in fresh {
            line.flying.insert(due.lane.clone());
            let (client, settings) = (self.client.clone(), self.settings.clone());
            let (row, results) = (line.row.clone(), self.results.clone());
            tokio::spawn(async move {
                // The receiver is gone when the engine is being stopped: the next start sends it again.
                let _ = results.send(attempt(client, settings, row, due).await).await;
            });
        }
        Ok(())
    }

    /// Writes down how attempts ended; only then their lanes may go on.
    async fn settle(&mut self) -> Result<()> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        self.store.settle_attempts(&self.unsettled).await?;
        let mut back = Vec::new();
        for attempt in std::mem::take(&mut self.unsettled) {
            self.stats.ended(attempt.endpoint, attempt.outcome == Outcome::Delivered);
            let Some(line) = self.lines.get_mut(&attempt.endpoint) else { continue };
            line.flying.remove(&attempt.lane);
            match attempt.outcome {
                Outcome::Delivered if line.is_dead() => {
                    info!(endpoint = attempt.endpoint.0, "the webhook endpoint takes messages again");
                    line.failing.clear();
                    line.rests = 0;
                    back.push((attempt.endpoint, attempt.at));
                }
                Outcome::Delivered => line.failing.clear(),
                Outcome::Failed { error, again: _, gone } => {
                    line.row.disabled |= gone;
                    line.fails(attempt.lane, &error, &self.settings);
                }
            }
        }
        for (endpoint, at) in back {
            self.store.hurry(endpoint, at).await?;
        }
        Ok(())
    }
}

impl Line {
    fn fails(&mut self, lane: String, error: &str, settings: &Settings) {
        if self.failing.is_empty() {
            warn!(endpoint = self.row.id.0, "a webhook was not delivered, it is tried again: {error}");
        }
        if self.failing.len() < DEAD {
            self.failing.insert(lane);
        }
        if self.is_dead() {
            let rest = pause(settings.first_pause, self.rests, settings.longest_rest);
            self.rests = self.rests.saturating_add(1);
            self.not_before = Instant::now() + rest;
        }
    }
}

async fn attempt(client: Client, settings: Settings, row: EndpointRow, due: Due) -> Attempt {
    let result = client.deliver(&row.url, &row.secret, &due, wall()).await;
    let at = wall();
    let outcome = match result {
        Ok(()) => Outcome::Delivered,
        Err(Failure { error, pause: asked, gone }) => {
            let own = pause(settings.first_pause, due.attempts, settings.longest_pause);
            let again = at.plus_ms(millis(own.max(asked.unwrap_or_default())));
            Outcome::Failed { error, again, gone }
        }
    };
    Attempt { endpoint: row.id, id: due.id, lane: due.lane, outcome, at }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The pause after so many attempts before: doubled with each, and up to a fifth longer, so that what failed together
/// does not come back together.
pub fn pause(first: Duration, before: u32, longest: Duration) -> Duration {
    let pause = first.saturating_mul(1u32 << before.min(20)).min(longest);
    pause.mul_f64(1.0 + rand::rng().random_range(0.0..0.2))
}
