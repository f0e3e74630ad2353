//! The sender with a real receiver over real sockets, on both databases.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode as Status};
use axum::response::{IntoResponse as _, Response as Answer};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::shell::store::testing::{TestStore, on_both, order_message, put_message};
use crate::shell::store::webhooks::EndpointChange;

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A message as it came in.
#[derive(Clone, Debug)]
struct Got {
    id: String,
    order: i64,
    version: i64,
    seconds: i64,
    signature: String,
    body: String,
}

/// How the receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Takes,
    /// Fails for this order only.
    Fails(i64),
    /// Does not answer at all.
    Stalls,
    /// 410.
    Gone,
}

#[derive(Clone)]
struct Receiver {
    manner: Arc<Mutex<Manner>>,
    came: mpsc::UnboundedSender<(bool, Got)>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Answer {
    let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let json: Value = serde_json::from_str(&body).unwrap();
    let got = Got {
        id: text(signature::ID),
        order: json["data"]["order"].as_i64().unwrap(),
        version: json["data"]["version"].as_i64().unwrap(),
        seconds: text(signature::TIMESTAMP).parse().unwrap(),
        signature: text(signature::SIGNATURE),
        body,
    };
    let manner = *receiver.manner.lock().unwrap();
    let fails = matches!(manner, Manner::Fails(order) if order == got.order);
    let taken = manner == Manner::Takes || (matches!(manner, Manner::Fails(_)) && !fails);
    receiver.came.send((taken, got)).unwrap();
    match manner {
        Manner::Stalls => std::future::pending().await,
        Manner::Gone => Status::GONE.into_response(),
        Manner::Fails(_) if fails => (Status::INTERNAL_SERVER_ERROR, "no such car").into_response(),
        Manner::Takes | Manner::Fails(_) => Status::NO_CONTENT.into_response(),
    }
}

/// A program outside.
struct Outside {
    address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    came: mpsc::UnboundedReceiver<(bool, Got)>,
}

impl Outside {
    async fn open(manner: Manner) -> Outside {
        Outside::at("127.0.0.1:0".parse().unwrap(), manner).await
    }

    async fn at(address: SocketAddr, manner: Manner) -> Outside {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, came) = mpsc::unbounded_channel();
        let manner = Arc::new(Mutex::new(manner));
        let router = Router::new().fallback(receive).with_state(Receiver { manner: manner.clone(), came: sender });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Outside { address, manner, came }
    }

    fn set(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    async fn next(&mut self) -> (bool, Got) {
        timeout(SOON, self.came.recv()).await.expect("a message comes in time").unwrap()
    }

    /// The next messages that were taken.
    async fn take(&mut self, count: usize) -> Vec<Got> {
        let mut taken = Vec::new();
        while taken.len() < count {
            if let (true, got) = self.next().await {
                taken.push(got);
            }
        }
        taken
    }
}

async fn endpoint(t: &TestStore, address: SocketAddr) -> EndpointRow {
    let new = EndpointChange {
        url: Some(format!("http://{address}/hook?token=1")),
        events: Some(BTreeSet::from(["*".to_owned()])),
        ..EndpointChange::default()
    };
    t.store.add_endpoint(new, wall()).await.unwrap()
}

fn quick() -> Settings {
    Settings {
        every: Duration::from_millis(5),
        refresh: Duration::from_millis(5),
        timeout: Duration::from_millis(300),
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(100),
        longest_rest: Duration::from_millis(30),
        ..Settings::default()
    }
}

struct Running(Sender, CancellationToken);

impl Running {
    fn new(t: &TestStore, settings: Settings) -> Running {
        let cancel = CancellationToken::new();
        Running(start(t.store.clone(), settings, Stats::default(), cancel.clone()).unwrap(), cancel)
    }

    async fn stop(self) {
        self.1.cancel();
        self.0.stopped().await;
    }
}

async fn put(t: &TestStore, orders: std::ops::Range<i64>, versions: std::ops::Range<i64>) {
    for version in versions {
        for order in orders.clone() {
            put_message(&t.store, &order_message(order, version, wall())).await;
        }
    }
}

async fn health(t: &TestStore, row: &EndpointRow) -> crate::shell::store::webhooks::Health {
    t.store.get_endpoint(row.id).await.unwrap().unwrap().health
}

/// Asks until it is so.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    let all = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, all).await.expect("it comes about in time");
}

fn versions(got: &[Got], order: i64) -> Vec<i64> {
    got.iter().filter(|got| got.order == order).map(|got| got.version).collect()
}

#[tokio::test]
async fn messages_are_signed_and_come_in_the_order_of_each_order() {
    on_both(async |t| {
        let mut outside = Outside::open(Manner::Takes).await;
        let row = endpoint(&t, outside.address).await;
        put(&t, 1..6, 1..9).await;
        let running = Running::new(&t, quick());
        let got = outside.take(40).await;
        for order in 1..6 {
            assert_eq!(versions(&got, order), (1..9).collect::<Vec<_>>(), "order {order}");
        }
        for one in &got {
            let signed = signature::sign(row.secret.reveal(), &one.id, one.seconds, &one.body);
            assert_eq!(signed.as_deref(), Some(one.signature.as_str()));
            assert!((wall().0 / 1000 - one.seconds).abs() < 60);
        }
        until(async || health(&t, &row).await.delivered == 40).await;
        assert_eq!(health(&t, &row).await.pending, 0);
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_fails_holds_up_nobody_else_and_keeps_its_order_and_ids() {
    on_both(async |t| {
        let mut outside = Outside::open(Manner::Fails(3)).await;
        let row = endpoint(&t, outside.address).await;
        put(&t, 1..8, 1..4).await;
        let running = Running::new(&t, quick());
        let others = outside.take(18).await;
        assert_eq!(versions(&others, 3), Vec::<i64>::new());
        let (_, failed) = outside.next().await;
        assert_eq!((failed.order, failed.version), (3, 1));
        until(async || health(&t, &row).await.failures > 2).await;
        let seen = health(&t, &row).await;
        assert_eq!((seen.pending, seen.last_error.contains("500")), (3, true), "{seen:?}");
        assert!(seen.last_error.contains("no such car"), "{seen:?}");
        outside.set(Manner::Takes);
        let rest = outside.take(3).await;
        assert_eq!(versions(&rest, 3), [1, 2, 3]);
        assert_eq!(rest[0].id, failed.id);
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_stalls_is_given_up_in_time_and_gets_all_when_it_comes_back() {
    on_both(async |t| {
        let mut outside = Outside::open(Manner::Stalls).await;
        let row = endpoint(&t, outside.address).await;
        put(&t, 1..21, 1..3).await;
        let running = Running::new(&t, quick());
        until(async || health(&t, &row).await.failures >= 8).await;
        assert!(health(&t, &row).await.last_error.contains("no answer in time"));
        outside.set(Manner::Takes);
        let got = outside.take(40).await;
        for order in 1..21 {
            assert_eq!(versions(&got, order), [1, 2], "order {order}");
        }
        until(async || health(&t, &row).await.pending == 0).await;
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_dead_endpoint_keeps_nobody_waiting_and_gets_all_after_a_restart_of_either_side() {
    on_both(async |t| {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = nobody.local_addr().unwrap();
        drop(nobody);
        let mut alive = Outside::open(Manner::Takes).await;
        let (dead, other) = (endpoint(&t, address).await, endpoint(&t, alive.address).await);
        put(&t, 1..31, 1..3).await;
        let running = Running::new(&t, quick());
        assert_eq!(alive.take(60).await.len(), 60);
        until(async || health(&t, &dead).await.failures >= 10).await;
        let seen = health(&t, &dead).await;
        assert!(seen.pending == 60 && seen.last_error.contains("cannot be reached"), "{seen:?}");
        assert!(!seen.last_error.contains("token"), "{seen:?}");
        running.stop().await;
        // What happens while no sender runs is kept too.
        put(&t, 1..31, 3..4).await;
        let mut back = Outside::at(address, Manner::Takes).await;
        let running = Running::new(&t, quick());
        let got = back.take(90).await;
        for order in 1..31 {
            assert_eq!(versions(&got, order), [1, 2, 3], "order {order}");
        }
        until(async || health(&t, &dead).await.pending == 0 && health(&t, &other).await.pending == 0).await;
        assert_eq!(health(&t, &dead).await.failures, 0);
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn who_answers_gone_is_not_asked_again_until_somebody_enables_it() {
    on_both(async |t| {
        let mut outside = Outside::open(Manner::Gone).await;
        let row = endpoint(&t, outside.address).await;
        put(&t, 1..2, 1..3).await;
        let running = Running::new(&t, quick());
        until(async || t.store.get_endpoint(row.id).await.unwrap().unwrap().disabled).await;
        outside.set(Manner::Takes);
        let enabled = EndpointChange { disabled: Some(false), ..EndpointChange::default() };
        t.store.change_endpoint(row.id, enabled, None, wall()).await.unwrap();
        assert_eq!(versions(&outside.take(2).await, 1), [1, 2]);
        running.stop().await;
    })
    .await;
}

#[tokio::test]
async fn private_networks_are_left_alone_where_the_office_wants_it_so() {
    let t = crate::shell::store::testing::sqlite().await;
    let mut outside = Outside::open(Manner::Takes).await;
    let row = endpoint(&t, outside.address).await;
    let by_name = format!("http://localhost:{}/", outside.address.port());
    let named = EndpointChange {
        url: Some(by_name),
        events: Some(BTreeSet::from(["*".to_owned()])),
        ..EndpointChange::default()
    };
    let named = t.store.add_endpoint(named, wall()).await.unwrap();
    put(&t, 1..2, 1..2).await;
    let running = Running::new(&t, Settings { private_networks: false, ..quick() });
    for row in [&row, &named] {
        until(async || health(&t, row).await.last_error.contains("private network")).await;
    }
    assert!(outside.came.try_recv().is_err());
    running.stop().await;
}
