//! Who wants which sentence: one synthesis for all who ask for the same, callers who wait before sentences that are
//! prepared, and the processes and programs that do it, restarted when they do not behave.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::speech::Language;

use super::cache::{Cache, Growing, Name};
use super::command;
use super::process::{Process, ProcessError, Start};
use super::protocol::Task;
use super::settings::{Engine, RhVoice, Settings, Template};
use super::stats::Stats;

/// Sentences that callers wait for; more cannot be said before their deadlines.
const URGENT: usize = 64;
/// Sentences that are prepared for later.
const LATER: usize = 512;
/// A sentence taken up within this finds the machine at leisure: it may be played while it is still being said.
const AT_ONCE: Duration = Duration::from_millis(10);
/// So much of a sentence must be there before it is played. The voice speaks twenty times faster than it is listened
/// to: what is ahead grows from the first moment.
const LEAD: Duration = Duration::from_millis(60);
/// A sentence that could not be said is not tried again before this.
const REFUSED: Duration = Duration::from_secs(60);
/// Of those remembered.
const MOST_REFUSED: usize = 1_000;
/// Before a process is started again; each time twice as long until one has said a sentence.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Times that a sentence is tried when a process breaks over it.
const TRIES: u32 = 2;
/// Between two looks at what lies in the folders.
const SCAN: Duration = Duration::from_secs(300);

/// How far a sentence is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing to be heard yet.
    Waiting,
    /// It can be played while the rest is still being said.
    Begun(PathBuf),
    /// It is kept.
    Whole(PathBuf),
}

/// A sentence that somebody asked for.
pub(super) enum Wanted {
    /// It was said before.
    Kept(PathBuf),
    /// It will be there soon. Closed without [`Stage::Whole`]: it could not be said.
    Coming(watch::Receiver<Stage>),
}

/// A folder of sentences and those that are on their way into it.
pub(super) struct Shelf {
    pub(super) cache: Cache,
    coming: Mutex<HashMap<Name, Coming>>,
    refused: Mutex<HashMap<Name, Instant>>,
}

struct Coming {
    stage: watch::Receiver<Stage>,
    slot: Weak<Slot>,
    /// It stands in the line of those that callers wait for.
    urgent: bool,
}

/// A job stands in one line or in both; who takes it first has it.
type Slot = Mutex<Option<Job>>;

struct Job {
    shelf: Arc<Shelf>,
    name: Name,
    language: Language,
    text: String,
    asked: Instant,
    /// As long as its caller waits for it; none where nobody does.
    until: Option<Instant>,
    tries: u32,
    stage: watch::Sender<Stage>,
}

impl Drop for Job {
    fn drop(&mut self) {
        lock(&self.shelf.coming).remove(&self.name);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one is held; if it ever did, what is in it is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    pub(super) fn new(cache: Cache) -> Shelf {
        Shelf { cache, coming: Mutex::default(), refused: Mutex::default() }
    }

    fn was_refused(&self, name: Name) -> bool {
        let mut refused = lock(&self.refused);
        let since = refused.get(&name).map(Instant::elapsed);
        match since {
            Some(since) if since < REFUSED => return true,
            Some(_) => refused.remove(&name),
            None => None,
        };
        false
    }

    fn refuse(&self, name: Name) {
        let mut refused = lock(&self.refused);
        if refused.len() >= MOST_REFUSED {
            refused.clear();
        }
        refused.insert(name, Instant::now());
    }
}

/// Where sentences are asked for.
pub(super) struct Desk {
    urgent: mpsc::Sender<Arc<Slot>>,
    later: mpsc::Sender<Arc<Slot>>,
    engine: Engine,
    /// Processes and programs that are ready to speak.
    ready: AtomicUsize,
    pub(super) stats: Stats,
}

/// The other ends of the two lines.
struct Lines {
    urgent: mpsc::Receiver<Arc<Slot>>,
    later: mpsc::Receiver<Arc<Slot>>,
}

impl Desk {
    /// Starts those who speak. `None` where nobody does. Must be called inside a tokio runtime.
    pub(super) fn start(settings: &Settings, cancel: &CancellationToken) -> Option<Arc<Desk>> {
        let mouth = match &settings.engine {
            Engine::RhVoice(rhvoice) => Mouth::Process(Start::new(rhvoice), rhvoice.clone()),
            Engine::Command(template) => Mouth::Command(template.clone()),
            Engine::None => return None,
        };
        Some(Desk::with(settings, mouth, cancel))
    }

    /// With a process that is not RHVoice.
    #[cfg(test)]
    pub(super) fn fake(settings: &Settings, start: Start, cancel: &CancellationToken) -> Arc<Desk> {
        let voices = [Language::Ru, Language::En].map(|language| (language, "Elena".to_owned()));
        let rhvoice = RhVoice {
            library: "none".into(),
            data: String::new(),
            settings: String::new(),
            voices: voices.into_iter().collect(),
        };
        Desk::with(settings, Mouth::Process(start, rhvoice), cancel)
    }

    /// Somebody can speak at this moment.
    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed) > 0
    }

    fn with(settings: &Settings, mouth: Mouth, cancel: &CancellationToken) -> Arc<Desk> {
        let (urgent, urgent_line) = mpsc::channel(URGENT);
        let (later, later_line) = mpsc::channel(LATER);
        let desk = Arc::new(Desk {
            urgent,
            later,
            engine: settings.engine.clone(),
            ready: AtomicUsize::new(0),
            stats: Stats::default(),
        });
        let lines = Arc::new(tokio::sync::Mutex::new(Lines { urgent: urgent_line, later: later_line }));
        for _ in 0..settings.workers {
            let work = work(desk.clone(), lines.clone(), mouth.clone());
            let cancel = cancel.clone();
            tokio::spawn(async move { cancel.run_until_cancelled_owned(work).await });
        }
        desk
    }

    /// Asks for a sentence, for which a caller waits `until` then, or nobody yet. Never waits. `None`: it was refused a
    /// moment ago, there are too many, or (where a caller waits for it) nobody can speak at the moment.
    pub(super) fn want(
        &self,
        shelf: &Arc<Shelf>,
        language: Language,
        text: &str,
        until: Option<Instant>,
    ) -> Option<Wanted> {
        let urgent = until.is_some();
        let name = shelf.cache.name(&[&self.engine.signature(language), language.as_str(), text]);
        if let Some(path) = shelf.cache.get(name) {
            return Some(Wanted::Kept(path));
        }
        if shelf.was_refused(name) || (urgent && !self.is_ready()) {
            return None;
        }
        let mut coming = lock(&shelf.coming);
        if let Some(found) = coming.get_mut(&name) {
            if let Some(slot) = found.slot.upgrade().filter(|_| urgent) {
                if let Some(job) = lock(&slot).as_mut() {
                    job.until = job.until.max(until);
                }
                found.urgent = found.urgent || self.urgent.try_send(slot).is_ok();
            }
            return Some(Wanted::Coming(found.stage.clone()));
        }
        let (sender, stage) = watch::channel(Stage::Waiting);
        let shelf = shelf.clone();
        let job = Job {
            shelf: shelf.clone(),
            name,
            language,
            text: text.to_owned(),
            asked: Instant::now(),
            until,
            tries: 0,
            stage: sender,
        };
        let slot = Arc::new(Mutex::new(Some(job)));
        coming.insert(name, Coming { stage: stage.clone(), slot: Arc::downgrade(&slot), urgent });
        drop(coming);
        let line = if urgent { &self.urgent } else { &self.later };
        // Without room the job is dropped here, and takes itself off the shelf's list.
        line.try_send(slot).ok().map(|()| Wanted::Coming(stage))
    }
}

impl Engine {
    /// All that decides how a sentence sounds, besides its words.
    fn signature(&self, language: Language) -> String {
        match self {
            Engine::RhVoice(rhvoice) => format!("rhvoice {} {}", super::FORM, rhvoice.voice(language)),
            Engine::Command(template) => format!("command {} {}", super::FORM, template.words.join("\0")),
            Engine::None => String::new(),
        }
    }
}

impl RhVoice {
    pub(super) fn voice(&self, language: Language) -> &str {
        self.voices.get(&language).map_or("", String::as_str)
    }
}

/// Who speaks, one sentence at a time.
#[derive(Clone)]
enum Mouth {
    Process(Start, RhVoice),
    Command(Template),
}

impl Lines {
    /// The next job: those that callers wait for first. `None`: the desk is gone.
    async fn next(&mut self, desk: &Desk) -> Option<(Arc<Slot>, Job)> {
        loop {
            let (slot, urgent) = tokio::select! {
                biased;
                Some(slot) = self.urgent.recv() => (slot, true),
                Some(slot) = self.later.recv() => (slot, false),
                else => return None,
            };
            let Some(job) = lock(&slot).take() else { continue };
            if urgent && job.until.is_some_and(|until| until < Instant::now()) {
                // Its caller hears the shipped sounds by now: others first, but the next caller shall find it.
                if let Some(coming) = lock(&job.shelf.coming).get_mut(&job.name) {
                    coming.urgent = false;
                }
                put_back(&desk.later, slot, job);
                continue;
            }
            return Some((slot, job));
        }
    }
}

fn put_back(line: &mpsc::Sender<Arc<Slot>>, slot: Arc<Slot>, job: Job) {
    *lock(&slot) = Some(job);
    if let Err(error) = line.try_send(slot) {
        // No room: nobody gets it. Taken out first, as a job that is dropped takes a lock.
        let job = lock(&error.into_inner()).take();
        drop(job);
    }
}

async fn work(desk: Arc<Desk>, lines: Arc<tokio::sync::Mutex<Lines>>, mouth: Mouth) {
    match mouth {
        Mouth::Process(start, rhvoice) => run_processes(&desk, &lines, &start, &rhvoice).await,
        Mouth::Command(template) => run_commands(&desk, &lines, &template).await,
    }
}

/// One process after another, each until it breaks.
async fn run_processes(desk: &Desk, lines: &tokio::sync::Mutex<Lines>, start: &Start, rhvoice: &RhVoice) {
    let mut pause = FIRST_PAUSE;
    let mut told = String::new();
    loop {
        let why = match Process::start(start).await {
            Ok(process) => {
                debug!("a voice is ready");
                desk.ready.fetch_add(1, Ordering::Relaxed);
                let said = desk.stats.said.get();
                let why = serve(desk, lines, process, rhvoice).await;
                desk.ready.fetch_sub(1, Ordering::Relaxed);
                if desk.stats.said.get() > said {
                    pause = FIRST_PAUSE;
                    told.clear();
                }
                why
            }
            Err(why) => why,
        };
        desk.stats.restarts.inc();
        let why = why.to_string();
        // Once is enough of the same words.
        if told == why {
            debug!(why, "no voice");
        } else {
            warn!("{why}; callers hear the shipped sounds, without names and streets, until it speaks again");
            told = why;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Says sentence after sentence with a process until it breaks; why it did.
async fn serve(
    desk: &Desk,
    lines: &tokio::sync::Mutex<Lines>,
    mut process: Process,
    rhvoice: &RhVoice,
) -> ProcessError {
    loop {
        let next = tokio::select! {
            next = async { lines.lock().await.next(desk).await } => next,
            why = process.ended() => return why,
        };
        // The desk lives as long as those who work at it.
        let Some((slot, mut job)) = next else { std::future::pending().await };
        let task = Task { voice: rhvoice.voice(job.language).to_owned(), text: job.text.clone() };
        let Err(error) = say(&mut process, &task, &job).await else {
            desk.stats.said.inc();
            continue;
        };
        desk.stats.failed.inc();
        job.tries += 1;
        if error.leaves_process_well() || job.tries >= TRIES || *job.stage.borrow() != Stage::Waiting {
            warn!(why = %error, "a sentence was not said");
            job.shelf.refuse(job.name);
            drop(job);
        } else {
            put_back(&desk.urgent, slot, job);
        }
        if !error.leaves_process_well() {
            return error;
        }
    }
}

async fn say(process: &mut Process, task: &Task, job: &Job) -> Result<(), ProcessError> {
    let at_leisure = job.asked.elapsed() < AT_ONCE;
    let mut growing = job.shelf.cache.begin(job.name).await.map_err(ProcessError::NotKept)?;
    let mut sentence = process.ask(task).await?;
    while let Some(samples) = sentence.next().await? {
        growing.append(&samples).await.map_err(ProcessError::Disk)?;
        if at_leisure && growing.length() >= LEAD && *job.stage.borrow() == Stage::Waiting {
            job.stage.send_replace(Stage::Begun(growing.play()));
        }
    }
    keep(job, growing).await.map_err(ProcessError::NotKept)
}

async fn keep(job: &Job, growing: Growing) -> std::io::Result<()> {
    let path = job.shelf.cache.keep(job.name, growing).await?;
    job.stage.send_replace(Stage::Whole(path));
    Ok(())
}

async fn run_commands(desk: &Desk, lines: &tokio::sync::Mutex<Lines>, template: &Template) {
    desk.ready.fetch_add(1, Ordering::Relaxed);
    loop {
        let next = lines.lock().await.next(desk).await;
        let Some((_, job)) = next else { std::future::pending().await };
        match run_command(template, &job).await {
            Ok(()) => {
                desk.stats.said.inc();
            }
            Err(why) => {
                desk.stats.failed.inc();
                warn!(why, "a sentence was not said");
                job.shelf.refuse(job.name);
            }
        }
    }
}

async fn run_command(template: &Template, job: &Job) -> Result<(), String> {
    let disk = |error: std::io::Error| ProcessError::Disk(error).to_string();
    let mut growing = job.shelf.cache.begin(job.name).await.map_err(disk)?;
    let out = growing.beside("out.wav");
    let sound = command::say(template, &job.text, job.language, &out).await.map_err(|error| error.to_string())?;
    growing.append(&sound.samples).await.map_err(disk)?;
    keep(job, growing).await.map_err(disk)
}

/// Looks through a folder now and then.
pub(super) fn tidy(shelf: Arc<Shelf>, cancel: CancellationToken) {
    let look = async move {
        loop {
            let shelf = shelf.clone();
            // A scan that failed as a whole (the runtime ends) is no loss.
            let _ = tokio::task::spawn_blocking(move || shelf.cache.scan()).await;
            sleep(SCAN).await;
        }
    };
    tokio::spawn(async move { cancel.run_until_cancelled_owned(look).await });
}
