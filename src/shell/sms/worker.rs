//! The one worker that sends.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::ids::SmsId;
use crate::domain::sms::{segments, transliterate};
use crate::engine::time::Wall;
use crate::shell::clock::wall;
use crate::shell::store::sms::SmsRow;
use crate::shell::store::sms_work::{SmsAttempt, SmsOutcome};
use crate::shell::store::{Result, Store};
use crate::shell::webhooks;

use super::provider::{Failure, Outgoing};
use super::{Settings, Stats};

/// For attempts under way when the engine is stopped.
const LAST_ATTEMPTS: Duration = Duration::from_secs(3);
/// The backlog is counted this often, and freed of what is of no use any more.
const COUNTED: Duration = Duration::from_secs(5);

/// Whether the worker has stopped.
pub struct Worker(tokio::task::JoinHandle<()>);

impl Worker {
    /// Waits until it has stopped after its cancellation; what is on its way by then is waited for, for a moment.
    pub async fn stopped(self) {
        if let Err(error) = self.0.await {
            tracing::error!("the sender of SMS ended by a fault of its own, please report it: {error}");
        }
    }
}

/// Starts sending what is queued.
#[must_use]
pub fn start(store: Store, settings: Arc<Settings>, stats: Stats, cancel: CancellationToken) -> Worker {
    let (results, ended) = mpsc::channel(64);
    let resting = settings.providers.iter().map(|_| None).collect();
    let senders = Arc::new(Senders { settings: settings.clone(), stats: stats.clone(), resting: Mutex::new(resting) });
    let work = Work {
        store,
        settings,
        stats,
        senders,
        results,
        flying: BTreeSet::new(),
        unsettled: Vec::new(),
        counted: None,
        troubled: false,
    };
    Worker(tokio::spawn(work.run(ended, cancel)))
}

struct Work {
    store: Store,
    settings: Arc<Settings>,
    stats: Stats,
    senders: Arc<Senders>,
    results: mpsc::Sender<SmsAttempt>,
    /// On their way, or their end not written down yet.
    flying: BTreeSet<SmsId>,
    /// Attempts that the database does not know of yet.
    unsettled: Vec<SmsAttempt>,
    counted: Option<Instant>,
    /// The database did not answer the last time.
    troubled: bool,
}

impl Work {
    async fn run(mut self, mut ended: mpsc::Receiver<SmsAttempt>, cancel: CancellationToken) {
        let mut ticks = interval(self.settings.pace.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let store = self.store.clone();
            tokio::select! {
                () = cancel.cancelled() => break,
                _ = ticks.tick() => {}
                () = store.sms_hurried() => {}
                Some(attempt) = ended.recv() => {
                    self.unsettled.push(attempt);
                    while let Ok(attempt) = ended.try_recv() {
                        self.unsettled.push(attempt);
                    }
                }
            }
            match self.turn().await {
                Ok(()) => self.troubled = false,
                Err(error) => {
                    if !self.troubled {
                        warn!("SMS wait for the database: {error}");
                    }
                    self.troubled = true;
                }
            }
        }
        self.finish(&mut ended).await;
    }

    /// What is on its way may arrive.
    async fn finish(mut self, ended: &mut mpsc::Receiver<SmsAttempt>) {
        let deadline = Instant::now() + LAST_ATTEMPTS;
        while self.unsettled.len() < self.flying.len() {
            let left = deadline.saturating_duration_since(Instant::now());
            match timeout(left, ended.recv()).await {
                Ok(Some(attempt)) => self.unsettled.push(attempt),
                Ok(None) | Err(_) => break,
            }
        }
        if let Err(error) = self.settle().await {
            warn!("the last SMS may be sent once more at the next start: {error}");
        }
    }

    async fn turn(&mut self) -> Result<()> {
        self.settle().await?;
        let now = wall();
        self.send_due(now).await?;
        if self.counted.is_none_or(|at| at.elapsed() >= COUNTED) {
            let expired = self.store.expire_sms(now).await?;
            if expired > 0 {
                warn!(expired, "SMS were not sent while they were of use");
                self.stats.expired(expired);
            }
            self.stats.show(self.store.sms_backlog().await?, now);
            self.counted = Some(Instant::now());
        }
        Ok(())
    }

    async fn send_due(&mut self, now: Wall) -> Result<()> {
        let room = self.settings.pace.at_once.saturating_sub(self.flying.len());
        if room == 0 {
            return Ok(());
        }
        // What is on its way is still due, as far as the database knows.
        let limit = u32::try_from(room + self.flying.len()).unwrap_or(1);
        for row in self.store.due_sms(now, limit).await? {
            if self.flying.len() >= self.settings.pace.at_once || !self.flying.insert(row.id) {
                continue;
            }
            let (senders, results) = (self.senders.clone(), self.results.clone());
            tokio::spawn(async move {
                let attempt = senders.attempt(row, now).await;
                // The receiver is gone when the engine is being stopped: the next start sends it again.
                let _ = results.send(attempt).await;
            });
        }
        Ok(())
    }

    /// Writes down how attempts ended; only then they may be tried again.
    async fn settle(&mut self) -> Result<()> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let ends = self.store.settle_sms(&self.unsettled).await?;
        ends.iter().for_each(|end| self.stats.ended(end));
        for attempt in self.unsettled.drain(..) {
            self.flying.remove(&attempt.id);
        }
        Ok(())
    }
}

/// What attempts share.
struct Senders {
    settings: Arc<Settings>,
    stats: Stats,
    /// Until when a gateway that failed is asked last, by its place in the list.
    resting: Mutex<Vec<Option<Instant>>>,
}

impl Senders {
    /// Tries the gateways one after another.
    async fn attempt(&self, row: SmsRow, now: Wall) -> SmsAttempt {
        let id = row.id;
        let outcome = match self.hopeless(&row) {
            Some(error) => SmsOutcome::Failed { provider: String::new(), error: error.to_owned() },
            None => self.try_all(row, now).await,
        };
        if let SmsOutcome::Failed { provider, error } = &outcome {
            warn!(sms = id.0, provider, "an SMS cannot be sent: {error}");
        }
        SmsAttempt { id, outcome, at: wall() }
    }

    fn hopeless(&self, row: &SmsRow) -> Option<&'static str> {
        if self.settings.providers.is_empty() {
            return Some("no gateway is set: add one to [sms] in the configuration");
        }
        let allowed = self.settings.allows(&row.number);
        (!allowed).then_some("the number is not among sms.allowed_numbers")
    }

    async fn try_all(&self, row: SmsRow, now: Wall) -> SmsOutcome {
        let text = if self.settings.transliterate { transliterate(&row.text) } else { row.text };
        let segments = segments(&text);
        let parts = u32::try_from(segments.parts.len()).unwrap_or(u32::MAX);
        let valid = row.expires.map_or(Duration::from_secs(3600), |expires| expires.since(now));
        let reference = format!("{}-{}", row.id, row.attempts);
        let sms = Outgoing { id: row.id, reference, to: row.number, text, segments, valid };
        let (mut errors, mut refusals) = (Vec::new(), Vec::new());
        for at in self.order() {
            let Some(provider) = self.settings.providers.get(at) else { continue };
            let name = &provider.name;
            match provider.send(&sms).await {
                Ok(accepted) => {
                    self.rest(at, false);
                    self.stats.tried(name, "sent");
                    self.stats.sent(name, parts);
                    return SmsOutcome::Sent { provider: name.clone(), parts, references: accepted.references };
                }
                Err(Failure { error, refused: true }) => {
                    self.stats.tried(name, "refused");
                    errors.push(format!("{name}: {error}"));
                    refusals.push(name.clone());
                }
                Err(Failure { error, refused: false }) => {
                    if self.rest(at, true) {
                        warn!(provider = name, "the SMS gateway fails: {error}");
                    }
                    self.stats.tried(name, "failed");
                    errors.push(format!("{name}: {error}"));
                }
            }
        }
        let error = errors.join("; ");
        match refusals.pop() {
            // Who could not be asked may still take it.
            Some(provider) if refusals.len() + 1 == errors.len() => SmsOutcome::Failed { provider, error },
            Some(_) | None => {
                let pace = &self.settings.pace;
                let pause = webhooks::pause(pace.first_pause, row.attempts, pace.longest_pause);
                let due = wall().plus_ms(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
                SmsOutcome::Again { error, due }
            }
        }
    }

    /// The order in which gateways are asked: as configured, those that rest last.
    fn order(&self) -> Vec<usize> {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let rests = |until: &Option<Instant>| until.is_some_and(|until| until > now);
        let mut order: Vec<_> = resting.iter().enumerate().map(|(at, until)| (rests(until), at)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, at)| at).collect()
    }

    /// Notes that a gateway failed, or works; answers whether that is news.
    fn rest(&self, at: usize, fails: bool) -> bool {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = resting.get_mut(at) else { return false };
        let was = until.is_some();
        *until = fails.then(|| Instant::now() + self.settings.pace.rest);
        if was && !fails {
            info!(provider = self.settings.providers.get(at).map(|p| p.name.as_str()), "the SMS gateway works again");
        }
        was != fails
    }
}
