//! Both databases for the tests of this module, each test with tables of its own, and a line to PostgreSQL that can
//! be cut.

use std::io::Write as _;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::engine::command::Fact;
use crate::engine::ids::{CallId, NodeId};
use crate::engine::time::Wall;
use crate::engine::view::Disposition;

use super::Store;
use super::outbox::Message;
use super::recordings::{ArchivedFile, NewRecording, RecordingState};

/// Where PostgreSQL is; each test makes a schema there.
const POSTGRES: &str = "PEREZVON_TEST_POSTGRES";

/// A store of a test; its folder goes with it.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) url: String,
}

/// A fresh SQLite.
pub(crate) async fn sqlite() -> TestStore {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}/test.db", folder.path().display());
    TestStore { store: Store::open(&url).await.expect("SQLite opens"), folder, url }
}

/// A fresh schema of PostgreSQL. Without one configured the test says that it is skipped; in CI it fails, since a
/// check that cannot fail is none.
pub(super) async fn postgres() -> Option<TestStore> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static SKIPPED: Once = Once::new();
    let Ok(base) = std::env::var(POSTGRES) else {
        assert!(std::env::var_os("CI").is_none(), "{POSTGRES} must name a PostgreSQL in CI");
        // Past the test harness, which swallows what a passing test prints.
        SKIPPED.call_once(|| {
            let text = format!("SKIPPED on PostgreSQL: set {POSTGRES}=postgres://USER@HOST/DATABASE to run it too\n");
            std::io::stderr().write_all(text.as_bytes()).expect("the standard error");
        });
        return None;
    };
    let schema = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    sqlx::any::install_default_drivers();
    let admin = sqlx::AnyPool::connect(&base).await.expect("PostgreSQL of the tests answers");
    for sql in [format!("DROP SCHEMA IF EXISTS {schema} CASCADE"), format!("CREATE SCHEMA {schema}")] {
        sqlx::query(&sql).execute(&admin).await.expect("a schema of its own");
    }
    admin.close().await;
    let joint = if base.contains('?') { '&' } else { '?' };
    let url = format!("{base}{joint}options[search_path]={schema}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    Some(TestStore { store: Store::open(&url).await.expect("PostgreSQL opens"), folder, url })
}

/// Runs a test on both databases.
pub(crate) async fn on_both(test: impl AsyncFn(TestStore)) {
    test(sqlite().await).await;
    if let Some(postgres) = postgres().await {
        test(postgres).await;
    }
}

/// A talk of two seconds that is over, and its recording `<n>.wav`; the recording's number.
pub(crate) async fn archived_talk(store: &Store, call: CallId, n: u64, number: &str, outgoing: bool, at: Wall) -> i64 {
    let name = format!("perezvon/c.1/office-{n}.1_79001234567");
    let arrived = Fact::CallArrived {
        call,
        node: NodeId(0),
        channel: "c".into(),
        recording: name.clone(),
        number: number.into(),
        dialled: "100".into(),
        by_fallback: false,
        outgoing,
        at,
    };
    let talked = Duration::from_secs(2);
    let (disposition, cause, waited) = (Disposition::CompleteCaller, 16, Duration::ZERO);
    let ended = Fact::CallEnded { call, disposition, cause, waited, talked, agent: None, at };
    assert_eq!(store.write_facts(&[arrived, ended]).await.expect("the call is written"), []);
    let (path, sha256) = (format!("{n}.wav"), "00".to_owned());
    let file = ArchivedFile { path, sha256, bytes: 1, duration: talked, channels: 2, left_rms: 1, right_rms: 1 };
    let (state, problem, pauses) = (RecordingState::Stored, String::new(), Vec::new());
    let new = NewRecording { call, node: NodeId(0), name, file: Some(file), state, problem, pauses, at };
    store.save_recording(new).await.expect("the recording is written")
}

/// Something that happened to an order, for the outbox.
pub(crate) fn order_message(order: i64, version: i64, at: Wall) -> Message {
    Message {
        id: format!("order-{order}-{version}"),
        lane: format!("order:{order}"),
        event: "order.edited".to_owned(),
        at,
        data: serde_json::json!({"order": order, "version": version}),
    }
}

/// Puts a message into the outbox, in a transaction of its own.
pub(crate) async fn put_message(store: &Store, message: &Message) {
    let mut tx = store.begin().await.expect("a transaction");
    tx.enqueue(message).await.expect("the outbox takes it");
    tx.commit().await.expect("the commit");
}

/// What a [`Line`] does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Passes them on.
    Open,
    /// Holds them: the other side seems to hang.
    Frozen,
    /// Ends connections and takes no new ones.
    Cut,
}

/// A line between a store and its PostgreSQL.
pub(super) struct Line {
    pub(super) url: String,
    mode: watch::Sender<Mode>,
}

impl Line {
    /// Listens on a port of its own and passes on to the server of this URL.
    pub(super) async fn to(url: &str) -> Line {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (login, rest) = rest.split_once('@').map_or((String::new(), rest), |(l, r)| (format!("{l}@"), r));
        let (server, path) = rest.split_once('/').expect("a URL with a database");
        let server = if server.contains(':') { server.to_owned() } else { format!("{server}:5432") };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("the port").port();
        let (mode, watched) = watch::channel(Mode::Open);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *watched.borrow() != Mode::Cut {
                    let server = TcpStream::connect(&server).await.expect("PostgreSQL of the tests answers");
                    let ((from, to), (answers, back)) = (client.into_split(), server.into_split());
                    tokio::spawn(pass(from, back, watched.clone()));
                    tokio::spawn(pass(answers, to, watched.clone()));
                }
            }
        });
        Line { url: format!("{scheme}://{login}127.0.0.1:{port}/{path}"), mode }
    }

    /// From now on.
    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mode: watch::Receiver<Mode>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = tokio::select! {
            count = from.read(&mut bytes) => count.unwrap_or(0),
            _ = mode.wait_for(|mode| *mode == Mode::Cut) => 0,
        };
        let open = mode.wait_for(|mode| *mode != Mode::Frozen).await.is_ok_and(|mode| *mode == Mode::Open);
        if count == 0 || !open || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
