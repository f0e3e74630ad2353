//! The journal: how many calls a second it writes, batched, on both databases. A call counts when all that is told of it is
//! on the disk; ten facts each, as of a caller who waits, is offered once and talks.
//!
//!     deploy/bench journal [CALLS]        so many calls, 50,000 without
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod databases;

use std::time::{Duration, Instant};

use perezvon::engine::command::Fact;
use perezvon::engine::ids::{AgentId, CallId, NodeId, QueueId};
use perezvon::engine::time::Wall;
use perezvon::engine::view::{Disposition, OfferOutcome};
use perezvon::shell::store::Store;
use perezvon::shell::store::journal::{Journal, JournalSettings};
use tokio_util::sync::CancellationToken;

const CALLS: u64 = 50_000;
const AGENTS: u64 = 200;
/// Facts that wait at most: no more come before they are written.
const WAITING: u64 = 100_000;
const START: i64 = 1_800_000_000_000;
/// Nothing is waited for longer.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let calls = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(CALLS);
    databases::on_both(async |database, url| measure(database, url, calls).await);
}

async fn measure(database: &str, url: &str, calls: u64) {
    let store = Store::open(url).await.expect("the database opens");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cancel = CancellationToken::new();
    let journal =
        Journal::start(store.clone(), JournalSettings::new(folder.path().join("bench.spill")), cancel.clone());
    let began = Instant::now();
    for number in 0..calls {
        life(number).into_iter().for_each(|fact| journal.write(fact));
        while journal.state().backlog > WAITING {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert!(journal.flush(PATIENCE).await, "not written in time: {:?}", journal.state());
    let seconds = began.elapsed().as_secs_f64();
    let state = journal.state();
    assert_eq!((state.rejected, state.lost, state.spilled_bytes), (0, 0, 0), "all of it is in the database: {state:?}");
    println!("journal.calls_per_second.{database} {:.0} calls/s", calls as f64 / seconds);
    cancel.cancel();
    journal.finished().await;
    store.close().await;
}

/// What is told of one call.
fn life(number: u64) -> [Fact; 10] {
    let arrived = Wall(START + i64::try_from(number).expect("not so many") * 10);
    let at = |ms| Wall(arrived.0 + ms);
    let call = CallId::next(CallId(0), arrived);
    let agent = AgentId(u32::try_from(number % AGENTS).expect("not so many") + 1);
    let (leg, channel) = (1, format!("pz-{call}-l1").into());
    [
        Fact::CallArrived {
            call,
            node: NodeId(0),
            channel: format!("bench-1800000000.{number}").into(),
            recording: format!("perezvon/bench-1800000000.{number}_79000000000"),
            number: format!("+7900{:07}", number % 10_000_000),
            dialled: "74951234567".to_owned(),
            by_fallback: false,
            outgoing: false,
            at: arrived,
        },
        Fact::CallQueued { call, queue: QueueId(0), queue_name: "main".to_owned(), priority: 1, at: at(2) },
        Fact::LegStarted { call, leg, channel, agent: Some(agent), number: None, at: at(3000) },
        Fact::OfferMade { call, offer: leg, agent, at: at(3000) },
        Fact::OfferRinging { call, offer: leg, at: at(3020) },
        Fact::LegAnswered { call, leg, at: at(6000) },
        Fact::OfferEnded { call, offer: leg, outcome: OfferOutcome::Answered, at: at(6003) },
        Fact::CallBridged { call, leg, agent: Some(agent), at: at(6003) },
        Fact::LegEnded { call, leg, cause: 16, at: at(36_000) },
        Fact::CallEnded {
            call,
            disposition: Disposition::CompleteAgent,
            cause: 16,
            waited: Duration::from_millis(6001),
            talked: Duration::from_millis(30_000),
            agent: Some(agent),
            at: at(36_002),
        },
    ]
}
