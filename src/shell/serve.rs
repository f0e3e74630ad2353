//! `perezvon serve`: puts the parts together, runs them, and takes them apart in the right order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::engine::Engine;
use crate::engine::event::Event;
use crate::engine::ids::NodeId;

use super::asterisk::{Node, NodeConfig, NodeHandle};
use super::call_thread::CallThread;
use super::clock::Clock;
use super::config::Config;
use super::hints::Hints;
use super::live_settings::{self, LiveSettings};
use super::order_desk::{OrderDesk, Prompts};
use super::outlets::{Cards, World};
use super::recordings::asterisk::AsteriskRecordings;
use super::recordings::keeper::{self, Keeping};
use super::recordings::{Archive, Books, Vault};
use super::reports::mail;
use super::requests::Requests;
use super::store::agents::AgentRow;
use super::store::journal::{Journal, JournalHandle, JournalSettings};
use super::store::{Store, upkeep};
use super::traces::Traces;
use super::updates::Updates;
use super::voice::{Speaker, Voice};
use super::web::tls::TlsError;
use super::{
    callback_desk, driver, preorders, reminders, shutdown, sms, sounds, thoughtful, transcripts, web, webhooks,
};

/// Events waiting for the driver. It takes a few microseconds for each; a full channel means that something is very
/// wrong, and then the senders wait.
const EVENTS: usize = 16_384;
/// For the last facts to reach the database when the engine is stopped.
const LAST_FACTS: Duration = Duration::from_secs(10);

/// Runs the engine until SIGTERM or SIGINT. Calls in progress stay with Asterisk and are taken up at the next start.
///
/// # Errors
/// What keeps the engine from starting: folders, the database, the port.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let clock = Clock::default();
    config.prepare_folders()?;
    let listener = web::bind(config.web.listen).await?;
    let vault = Vault::new(&config.recording)?;
    let store = Store::open(config.database.url.reveal()).await?;
    // Before all that asks for them. An engine that cannot read them would serve callers in another way than was set.
    let config = with_console(config, &store).await?;
    let settings = LiveSettings::new(config.written.clone(), config.engine.clone());
    let tls = tls(&config)?;
    store.announce_as(config.announcing.clone());
    let agents = store.list_agents().await.context("the agents could not be read from the database")?;
    let last_call = store.last_call().await.context("the last call could not be read from the database")?;

    let cancel = CancellationToken::new();
    shutdown::on_signals(cancel.clone())?;
    // What takes the engine's last words is stopped after the engine.
    let after = CancellationToken::new();
    let (events, mut inbox) = mpsc::channel(EVENTS);
    // On the threads of everything else: synthesis is no work for the thread of the calls.
    let speaker = Speaker::start(config.speech.clone(), cancel.clone());
    let voices: Vec<Voice> = config.asterisk.iter().map(|node| speaker.voice(&node.sounds_dir)).collect();
    let calls = CallThread::new().context("the thread of the calls cannot be set up")?;
    let nodes = {
        let _there = calls.enter();
        start_nodes(&config, &agents, &voices, &events, &cancel)?
    };
    let journal = Journal::start(store.clone(), JournalSettings::new(spill_file(&config, &store)), after.clone());
    let archive = Archive::start(
        vault.clone(),
        std::iter::zip(&nodes, &config.asterisk)
            .map(|((_, node), config)| AsteriskRecordings::new(node.recordings(), config.recordings_dir.as_deref()))
            .collect(),
        Books::new(store.clone(), journal.clone()),
        cancel.clone(),
    );
    transcripts::start(store.clone(), config.transcripts.clone(), vault.clone(), cancel.clone());
    upkeep::start(store.clone(), cancel.clone());
    preorders::start(store.clone(), cancel.clone());
    reminders::start(store.clone(), config.reminder, cancel.clone());
    thoughtful::start(store.clone(), config.engine.utc_offset_minutes, cancel.clone());
    let requests = Requests::new(events.clone());
    let updates = Updates::default();
    store.announce_to(updates.clone());
    let metrics = Arc::new(web::Metrics::default());
    let told = webhooks::Stats::default();
    metrics.register(|registry| told.register(registry));
    metrics.register(|registry| speaker.register(registry));
    let hooks = webhooks::start(store.clone(), config.webhooks.clone(), told, cancel.clone())
        .context("webhooks cannot be sent: the system's certificates cannot be read")?;
    let (texts_in, texts_out) = start_sms(&config, &store, &metrics, &cancel);
    start_mail(&config, &store, &settings, &cancel);
    let mut engine = Engine::new(config.engine.clone(), last_call);
    metrics.register(|registry| archive.register(registry));
    let mut world = World {
        nodes: nodes.iter().map(|(_, node)| node.clone()).collect(),
        requests: requests.clone(),
        updates: updates.clone(),
        journal: journal.clone(),
        archive: archive.clone(),
        metrics: metrics.clone(),
        traces: traces(&config, &cancel)?,
        places: callback_desk::Places::new(store.clone(), events.clone()),
        cards: Cards::new(store.clone(), events.clone()),
        orders: OrderDesk::start(
            store.clone(),
            events.clone(),
            Prompts { voices, settings: settings.clone() },
            cancel.clone(),
        ),
    };
    // Before any event of an Asterisk: its snapshot is understood only by one who knows whose phones these are.
    let profiles = agents.into_iter().filter(|agent| !agent.disabled).map(AgentRow::into_profile);
    driver::prime(&mut engine, clock, profiles.map(Event::AgentChanged), &mut world);
    callback_desk::start(store.clone(), events.clone(), cancel.clone());
    let greetings = store.greetings().await.context("the greetings of purposes could not be read")?;
    driver::prime(&mut engine, clock, [Event::Greetings(greetings)], &mut world);
    let pending = callback_desk::pending(&store).await.context("pending callbacks could not be read")?;
    driver::prime(&mut engine, clock, pending, &mut world);

    let state = web::WebState::new(web::Parts {
        store: store.clone(),
        requests,
        updates,
        nodes: nodes.iter().map(|(name, _)| name.clone()).collect(),
        sip_sockets: config.asterisk.iter().map(NodeConfig::sip_socket).collect(),
        phones: Arc::new(nodes),
        journal: journal.clone(),
        metrics,
        config: config.web.clone(),
        settings,
        metering: config.metering.clone(),
        hints: Hints::start(store.clone(), cancel.clone()),
        sms: texts_in,
        recording: config.recording.clone(),
        vault: vault.clone(),
        archive: archive.stats(),
        reports: config.reports,
        sentences: config.speech.cache_dir.clone(),
        cancel: cancel.clone(),
    });
    tokio::spawn(web::tell_consoles(state.clone()));
    let serving = tokio::spawn(web::serve(listener, web::router(state), tls, cancel.clone()));
    tokio::spawn(web::housekeep(store.clone(), vault.clone(), cancel.clone()));
    let keeping = Keeping { utc_offset_minutes: config.engine.utc_offset_minutes, ..config.recording.keeping };
    keeper::start(store.clone(), vault, keeping, archive.stats(), cancel.clone());
    info!(address = %config.web.listen, database = store.name(), "ready");

    let (stop, farewell) = (cancel.clone(), after.clone());
    let driving = async move { driver::run(&mut engine, clock, &mut inbox, &mut world, stop).await };
    let driven = calls.run(driving, async move { farewell.cancelled().await });
    let whole = driven.context("the thread of the calls cannot be started")?.await.is_ok();
    cancel.cancel();
    if serving.await.is_err() {
        error!("the web server ended by a fault of its own; please report it with the log before this line");
    }
    // What it had in hand is taken up again by the sweep of the next start.
    archive.stopped().await;
    hooks.stopped().await;
    texts_out.stopped().await;
    last_words(&journal, &after).await;
    store.close().await;
    anyhow::ensure!(
        whole,
        "the engine ended by a fault of its own; please report it with the log before this line. Calls stay with \
         Asterisk and are taken up when it is started again"
    );
    info!("stopped");
    Ok(())
}

/// The configuration with what was set in the console laid over.
///
/// # Errors
/// What was set there cannot be read, or does not fit the file any more; the message says how to take it back.
pub(super) async fn with_console(config: Config, store: &Store) -> anyhow::Result<Config> {
    let stored = live_settings::stored(store).await?;
    let names: Vec<_> = stored.iter().map(|(section, _)| section.as_str()).collect();
    let parts = stored.into_iter().map(|(_, part)| part);
    config.with_console(parts).with_context(|| {
        format!(
            "what was set in the console ({}) does not fit the configuration file; change the file, or go back to it \
             with `perezvon settings reset SECTION`",
            names.join(", ")
        )
    })
}

/// Sends calls to the OpenTelemetry collector, where one is configured.
fn traces(config: &Config, cancel: &CancellationToken) -> anyhow::Result<Option<Traces>> {
    let endpoint = config.telemetry.otlp_endpoint.as_deref();
    let started = endpoint.map(|endpoint| Traces::start(endpoint, cancel.clone())).transpose();
    started.context("traces cannot be sent: the system's certificates cannot be read")
}

/// Sends reports by e-mail, where a mail server is configured.
fn start_mail(config: &Config, store: &Store, settings: &LiveSettings, cancel: &CancellationToken) {
    if let Some(server) = config.mail.clone() {
        let ms = |seconds: u32| i64::from(seconds) * 1000;
        let counting = mail::Counting { within_ms: ms(config.reports.within), short_ms: ms(config.reports.short) };
        mail::start(store.clone(), server, counting, settings.clone(), cancel.clone());
    }
}

/// The console's certificate. Where nobody but this machine can come, the console is served without one as well.
fn tls(config: &Config) -> anyhow::Result<Option<TlsAcceptor>> {
    match config.web.tls.acceptor(config.web.listen) {
        Ok(acceptor) => Ok(Some(acceptor)),
        Err(error @ TlsError::Own { .. }) if config.web.listen.ip().is_loopback() => {
            warn!("https is not served: {error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Starts sending SMS; answers also who takes what gateways tell.
fn start_sms(
    config: &Config,
    store: &Store,
    metrics: &web::Metrics,
    cancel: &CancellationToken,
) -> (sms::Inbound, sms::Worker) {
    let (settings, stats) = (Arc::new(config.sms.clone()), sms::Stats::default());
    metrics.register(|registry| stats.register(registry));
    let clock = sms::Clock { utc_offset_minutes: config.engine.utc_offset_minutes };
    let inbound = sms::Inbound::new(store.clone(), settings.clone(), stats.clone(), clock);
    sms::keep_lines(&settings, &inbound, cancel);
    (inbound, sms::start(store.clone(), settings, stats, cancel.clone()))
}

/// What was said until now reaches the database, or the file for the time without one.
async fn last_words(journal: &JournalHandle, after: &CancellationToken) {
    after.cancel();
    if tokio::time::timeout(LAST_FACTS, journal.finished()).await.is_err() {
        let backlog = journal.state().backlog;
        error!(backlog, "stopped before all facts of calls were written: the database did not take them in time");
    }
}

/// Where facts go while the database is away: beside it, or for a database elsewhere beside the recordings.
fn spill_file(config: &Config, store: &Store) -> PathBuf {
    match store.file() {
        Some(file) => file.with_extension("spill"),
        None => config.recording.dir.join("journal.spill"),
    }
}

fn start_nodes(
    config: &Config,
    agents: &[AgentRow],
    voices: &[Voice],
    events: &mpsc::Sender<Event>,
    cancel: &CancellationToken,
) -> anyhow::Result<Vec<(String, NodeHandle)>> {
    let mut started = Vec::with_capacity(config.asterisk.len());
    for (at, (node, voice)) in config.asterisk.iter().zip(voices).enumerate() {
        lay_out_sounds(node);
        let id = NodeId(u16::try_from(at).context("more Asterisks than can be numbered")?);
        let handle = Node::start(id, node.clone(), voice.clone(), events.clone(), cancel.clone())?;
        let own = agents.iter().filter(|agent| agent.node == id && !agent.disabled);
        handle.set_phones(own.map(web::phone_account));
        started.push((node.name.clone(), handle));
    }
    Ok(started)
}

fn lay_out_sounds(node: &NodeConfig) {
    let folder = node.sounds_dir.as_str();
    if folder.contains("://") {
        // Asterisk fetches them from a web server that somebody else fills.
        return;
    }
    match sounds::lay_out(Path::new(folder)) {
        Ok(written) => info!(node = node.name, written, folder, "sounds laid out"),
        Err(cause) => warn!(
            node = node.name,
            "the sounds could not be written to {folder}: {cause}; callers hear no prompts unless Asterisk finds them \
             there. Give the engine's user the right, or set asterisk.nodes.sounds_dir"
        ),
    }
}
