//! The worker with real gateways over real sockets, on both databases; and what gateways tell.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use std::sync::Arc;

use crate::domain::ids::SmsId;
use crate::domain::order::{Command, State as OrderState};
use crate::domain::phone::Phone;
use crate::domain::sms::{SmsReason, SmsState};
use crate::shell::clock::wall;
use crate::shell::config::Config;
use crate::shell::store::clients::tests::olga;
use crate::shell::store::orders::OrderChange;
use crate::shell::store::orders::tests::{assign, taxi};
use crate::shell::store::sms::{NewSms, SmsFilter, SmsRow};
use crate::shell::store::testing::{TestStore, on_both};

use super::*;

const SOON: Duration = Duration::from_secs(20);
const SECRET: &str = "0123456789abcdef0123456789";

/// A gateway that answers as the test wants; it tells what it was asked.
struct Gateway {
    address: SocketAddr,
    answer: Arc<Mutex<(u16, &'static str)>>,
    asked: mpsc::UnboundedReceiver<String>,
}

#[derive(Clone)]
struct Manner {
    answer: Arc<Mutex<(u16, &'static str)>>,
    asked: mpsc::UnboundedSender<String>,
}

async fn take(State(manner): State<Manner>, RawQuery(query): RawQuery, body: String) -> (StatusCode, &'static str) {
    let (status, text) = *manner.answer.lock().unwrap();
    let decoded = percent_encoding::percent_decode_str(&query.unwrap_or_default()).decode_utf8_lossy().into_owned();
    manner.asked.send(format!("{decoded}{body}")).unwrap();
    (StatusCode::from_u16(status).unwrap(), text)
}

impl Gateway {
    async fn open(status: u16, text: &'static str) -> Gateway {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, asked) = mpsc::unbounded_channel();
        let answer = Arc::new(Mutex::new((status, text)));
        let manner = Manner { answer: answer.clone(), asked: sender };
        let router = Router::new().fallback(take).with_state(manner);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Gateway { address, answer, asked }
    }

    fn answers(&self, status: u16, text: &'static str) {
        *self.answer.lock().unwrap() = (status, text);
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(SOON, self.asked.recv()).await.unwrap().unwrap()
    }

    fn kannel(&self, name: &str) -> String {
        format!(
            "[[sms.providers]]\nname = '{name}'\nkind = 'kannel'\nurl = 'http://{}/cgi-bin/sendsms'\n\
             username = 'u'\npassword = 'p&p'\n",
            self.address
        )
    }
}

/// As the configuration says, but faster.
fn settings(sms: &str, providers: &[String]) -> Arc<Settings> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("perezvon.toml");
    let head = format!("[sms]\nsecret = '{SECRET}'\nreport_url = 'http://127.0.0.1:1'\n{sms}\n");
    std::fs::write(&path, head + &providers.concat()).unwrap();
    let mut settings = Config::read(Some(&path), []).unwrap().sms;
    settings.pace.every = Duration::from_millis(20);
    settings.pace.first_pause = Duration::from_millis(50);
    settings.pace.rest = Duration::from_millis(300);
    Arc::new(settings)
}

fn sms(key: &str, to: &str, text: &str) -> NewSms {
    let to = Phone::parse(to);
    NewSms { key: key.into(), to, text: text.into(), client: None, order: None, reason: SmsReason::Answer }
}

/// Waits until the SMS is as it should be.
async fn until(t: &TestStore, id: SmsId, so: impl Fn(&SmsRow) -> bool) -> SmsRow {
    tokio::time::timeout(SOON, async {
        loop {
            let row = t.store.get_sms(id).await.unwrap().unwrap();
            if so(&row) {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("SMS {id} never became so"))
}

pub(super) async fn when(t: &TestStore, id: SmsId, state: SmsState) -> SmsRow {
    until(t, id, |row| row.state == state).await
}

fn inbound(t: &TestStore, settings: &Arc<Settings>) -> Inbound {
    Inbound::new(t.store.clone(), settings.clone(), Stats::default(), Clock { utc_offset_minutes: 180 })
}

#[tokio::test]
async fn what_is_queued_reaches_kannel_and_its_report_tells_the_end() {
    on_both(async |t| {
        let mut kannel = Gateway::open(202, "0: Accepted for delivery").await;
        let settings = settings("", &[kannel.kannel("main")]);
        let cancel = CancellationToken::new();
        let worker = start(t.store.clone(), settings.clone(), Stats::default(), cancel.clone());
        let text = "Вас ждёт белая Kia Rio, А123ВС77. Бесплатное ожидание 5 мин. Позвоните, если её не видно.";
        let id = t.store.queue_sms(&sms("1", "89001234567", text), wall()).await.unwrap().unwrap();
        let asked = kannel.next().await;
        for part in [
            "username=u&password=p&p&to=+79001234567",
            &format!("text={text}"),
            "coding=2",
            "charset=UTF-8",
            "validity=1",
            "dlr-mask=19",
            &format!("/api/v1/sms/gateways/main/{SECRET}/report?reference={id}-0&state=%d"),
        ] {
            assert!(asked.contains(part), "{part} in {asked}");
        }
        let row = when(&t, id, SmsState::Sent).await;
        assert_eq!((row.parts, row.provider.as_str(), row.attempts), (2, "main", 1));
        let inbound = inbound(&t, &settings);
        inbound.report("main", &format!("{id}-0"), "8").await.unwrap();
        assert_eq!(t.store.get_sms(id).await.unwrap().unwrap().state, SmsState::Sent);
        inbound.report("main", &format!("{id}-0"), "1").await.unwrap();
        when(&t, id, SmsState::Delivered).await;
        let failing = t.store.queue_sms(&sms("2", "89001234567", "ok"), wall()).await.unwrap().unwrap();
        assert!(kannel.next().await.contains("coding=0"));
        when(&t, failing, SmsState::Sent).await;
        inbound.report("main", &format!("{failing}-0"), "16").await.unwrap();
        assert!(when(&t, failing, SmsState::Failed).await.error.contains("16"));
        cancel.cancel();
        worker.stopped().await;
        assert!(kannel.asked.try_recv().is_err());
    })
    .await;
}

#[tokio::test]
async fn the_second_gateway_takes_what_the_first_does_not_and_both_failing_it_is_tried_again() {
    on_both(async |t| {
        let mut first = Gateway::open(503, "busy").await;
        let mut second = Gateway::open(200, "{\"message\":{\"id\":\"abc-7\"}}").await;
        let http = format!(
            "[[sms.providers]]\nname = 'second'\nkind = 'http'\nurl = 'http://{}/send'\n\
             headers = {{ 'Content-Type' = 'application/json' }}\nbody = '{{\"to\":\"{{digits}}\",\"text\":\"{{text}}\"}}'\n\
             reference = '\"id\":\"([^\"]+)\"'\n",
            second.address
        );
        let settings = settings("transliterate = true", &[first.kannel("first"), http]);
        let cancel = CancellationToken::new();
        let worker = start(t.store.clone(), settings.clone(), Stats::default(), cancel.clone());
        let id = t.store.queue_sms(&sms("1", "+79001234567", "Ваша «Лада»"), wall()).await.unwrap().unwrap();
        first.next().await;
        assert_eq!(second.next().await, "{\"to\":\"79001234567\",\"text\":\"Vasha \\\"Lada\\\"\"}");
        let row = when(&t, id, SmsState::Sent).await;
        assert_eq!((row.provider.as_str(), row.parts), ("second", 1));
        inbound(&t, &settings).report("second", "abc-7", "DELIVRD").await.unwrap();
        when(&t, id, SmsState::Delivered).await;
        // Both fail: it waits, and comes again until one takes it.
        second.answers(500, "no money");
        let id = t.store.queue_sms(&sms("2", "+79001234567", "Ждём"), wall()).await.unwrap().unwrap();
        // The one that failed rests: it is asked last.
        second.next().await;
        first.next().await;
        let row = until(&t, id, |row| row.attempts > 0).await;
        assert!(row.error.contains("no money") && row.error.contains("busy"), "{}", row.error);
        first.answers(202, "0: Accepted for delivery");
        let row = when(&t, id, SmsState::Sent).await;
        assert!(row.attempts >= 2 && row.provider == "first", "{row:?}");
        cancel.cancel();
        worker.stopped().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_sent_fails_and_says_why() {
    on_both(async |t| {
        let kannel = Gateway::open(403, "Not routable. Do not try again.").await;
        let settings = settings("", &[kannel.kannel("main")]);
        let cancel = CancellationToken::new();
        let worker = start(t.store.clone(), settings, Stats::default(), cancel.clone());
        let refused = t.store.queue_sms(&sms("1", "+79001234567", "x"), wall()).await.unwrap().unwrap();
        let abroad = t.store.queue_sms(&sms("2", "+375291234567", "x"), wall()).await.unwrap().unwrap();
        assert!(when(&t, refused, SmsState::Failed).await.error.contains("Not routable"));
        assert!(when(&t, abroad, SmsState::Failed).await.error.contains("allowed_numbers"));
        // Wrong log-ins are mended by people: it is tried again.
        kannel.answers(403, "Authorization failed for sendsms");
        let again = t.store.queue_sms(&sms("3", "+79001234567", "x"), wall()).await.unwrap().unwrap();
        kannel.answers(403, "Authorization failed for sendsms");
        until(&t, again, |row| row.attempts >= 2).await;
        kannel.answers(202, "0: Accepted for delivery");
        when(&t, again, SmsState::Sent).await;
        cancel.cancel();
        worker.stopped().await;
        let nobody = Arc::new(Settings { providers: Vec::new(), ..(*self::settings("", &[])).clone() });
        let cancel = CancellationToken::new();
        let worker = start(t.store.clone(), nobody, Stats::default(), cancel.clone());
        let id = t.store.queue_sms(&sms("4", "+79001234567", "x"), wall()).await.unwrap().unwrap();
        assert!(when(&t, id, SmsState::Failed).await.error.contains("no gateway"));
        cancel.cancel();
        worker.stopped().await;
    })
    .await;
}

fn asks(text: &str, id: &str) -> Incoming {
    Incoming { from: "79001234567".into(), text: text.into(), id: id.into() }
}

#[tokio::test]
async fn a_client_who_writes_is_answered_by_how_the_order_stands() {
    on_both(async |t| {
        let s = &t.store;
        let settings = settings("answers_per_hour = 4", &[]);
        let inbound = inbound(&t, &Arc::new(Settings { providers: Vec::new(), ..(*settings).clone() }));
        let answer = async |text: &str, id: &str| {
            let came = inbound.receive("main", asks(text, id)).await.unwrap()?;
            let row = s.get_sms(came).await.unwrap().unwrap();
            match row.answer {
                Some(answer) => Some(s.get_sms(answer).await.unwrap().unwrap().text),
                None => Some(format!("{:?}", row.state)),
            }
        };
        let none = "У вас нет активного заказа. Чтобы заказать машину, позвоните нам.";
        assert_eq!(answer("Где машина?", "1").await.as_deref(), Some(none));
        assert_eq!(answer("Где машина?", "1").await, None);
        let order = s.create_order(taxi("+79001234567"), &olga(), wall()).await.unwrap();
        s.change_order(order.id, assign(), &olga(), wall()).await.unwrap();
        let told = answer("где машина", "2").await.unwrap();
        assert!(told.starts_with("К вам едет"), "{told}");
        assert_eq!(answer("Спасибо!", "3").await.as_deref(), Some("Received"));
        assert_eq!(answer("не отменяйте", "4").await.as_deref(), Some("Received"));
        assert_eq!(answer("cancel", "5").await.as_deref(), Some("Your order is cancelled."));
        let row = s.get_order(order.id).await.unwrap().unwrap();
        assert_eq!(row.order.state, OrderState::Cancelled);
        let trip = s.create_order(taxi("+79001234567"), &olga(), wall()).await.unwrap();
        for step in [assign(), OrderChange::Command(Command::Arrive), OrderChange::Command(Command::Start)] {
            s.change_order(trip.id, step, &olga(), wall()).await.unwrap();
        }
        assert_eq!(answer("Отмена", "6").await.as_deref(), Some("Поездка уже началась, отменить её нельзя."));
        // Four answers an hour and no more: two robots do not talk all night.
        assert_eq!(answer("где", "7").await.as_deref(), Some("Received"));
        let unread = SmsFilter { incoming: Some(true), state: Some(SmsState::Received), ..SmsFilter::default() };
        assert_eq!(s.list_sms(&unread, None, 10).await.unwrap().items.len(), 3);
        let all = s.timeline(row.order.client.unwrap(), &[crate::shell::store::timeline::Kind::Sms], None, 50);
        // The first came before there was a card; one told that the car waits.
        assert_eq!(all.await.unwrap().items.len(), 10);
    })
    .await;
}

#[tokio::test]
async fn of_several_orders_none_is_cancelled_unasked_and_a_blocked_number_is_not_answered() {
    on_both(async |t| {
        let s = &t.store;
        let inbound = inbound(&t, &settings("", &[]));
        let one = s.create_order(taxi("+79001234567"), &olga(), wall()).await.unwrap();
        s.create_order(taxi("+79001234567"), &olga(), wall()).await.unwrap();
        let came = inbound.receive("main", asks("отмена", "")).await.unwrap().unwrap();
        let answer = s.get_sms(came).await.unwrap().unwrap().answer.unwrap();
        let text = s.get_sms(answer).await.unwrap().unwrap().text;
        assert!(text.contains("несколько заказов (2)"), "{text}");
        assert_eq!(s.get_order(one.id).await.unwrap().unwrap().order.state, OrderState::Searching);
        s.block_number("+79001234567", "", "olga", wall()).await.unwrap();
        let came = inbound.receive("main", asks("где", "")).await.unwrap().unwrap();
        assert_eq!(s.get_sms(came).await.unwrap().unwrap().state, SmsState::Received);
        let advert =
            Incoming { from: "MegaFon".into(), text: "Где скидки? Отмена".into(), id: String::new() };
        let came = inbound.receive("main", advert).await.unwrap().unwrap();
        let row = s.get_sms(came).await.unwrap().unwrap();
        assert_eq!((row.number.as_str(), row.state), ("MegaFon", SmsState::Received));
    })
    .await;
}

#[test]
fn only_who_knows_the_secret_speaks_for_a_gateway() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let t = crate::shell::store::testing::sqlite().await;
        let gateway = "[[sms.providers]]\nname = 'main'\nkind = 'kannel'\npassword = 'p'\n".to_owned();
        let known = inbound(&t, &settings("", &[gateway]));
        assert!(known.knows("main", SECRET));
        assert!(!known.knows("other", SECRET) && !known.knows("main", "") && !known.knows("main", &SECRET[1..]));
        let nobody = Arc::new(Settings { secret: None, ..(*settings("", &[])).clone() });
        assert!(!inbound(&t, &nobody).knows("main", ""));
    });
}
