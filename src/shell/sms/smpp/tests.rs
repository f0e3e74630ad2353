//! A line to an SMSC over a real socket. The SMSC is a small one of our own, made of the same codec: it logs in, takes,
//! reports and hands over as SMPP 3.4 wants, and breaks when told to.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{BindTransceiverResp, DeliverSm, SubmitSmResp};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::OctetString;
use rusmpp::values::{DataCoding, EsmClass};
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;

use crate::domain::ids::SmsId;
use crate::domain::phone::Phone;
use crate::domain::sms::{SmsReason, SmsState};
use crate::shell::clock::wall;
use crate::shell::sms::provider::{Line, Provider};
use crate::shell::sms::tests::when;
use crate::shell::sms::{Clock, Pace, Settings, Stats, keep_lines, start};
use crate::shell::store::sms::{NewSms, SmsFilter};
use crate::shell::store::testing::{TestStore, on_both};

use super::session::text;
use super::*;

const SOON: Duration = Duration::from_secs(20);

/// One connection of the SMSC's side.
struct Centre {
    framed: Framed<TcpStream, CommandCodec>,
    sequence: u32,
}

impl Centre {
    async fn accept(listener: &TcpListener) -> Centre {
        let (stream, _) = timeout(SOON, listener.accept()).await.unwrap().unwrap();
        Centre { framed: Framed::new(stream, CommandCodec::new()), sequence: 1_000 }
    }

    /// Takes the log-in, or not.
    async fn log_in(&mut self, status: CommandStatus) {
        let command = self.next().await;
        let Some(Pdu::BindTransceiver(bind)) = command.pdu() else { panic!("{command:?}") };
        assert_eq!((bind.system_id.as_str(), bind.password.as_str()), ("taxi", "secret"));
        self.answer(status, &command, BindTransceiverResp::default()).await;
    }

    /// What comes next, apart from questions whether we live.
    async fn next(&mut self) -> Command {
        loop {
            let command = timeout(SOON, self.framed.next()).await.unwrap().unwrap().unwrap();
            if command.pdu() != Some(&Pdu::EnquireLink) {
                return command;
            }
            self.answer(CommandStatus::EsmeRok, &command, Pdu::EnquireLinkResp).await;
        }
    }

    async fn answer(&mut self, status: CommandStatus, to: &Command, pdu: impl Into<Pdu>) {
        self.framed.send(Command::new(status, to.sequence_number(), pdu)).await.unwrap();
    }

    /// Takes a part under this id, or not; gives it.
    async fn take(&mut self, id: &str, status: CommandStatus) -> SubmitSm {
        let command = self.next().await;
        let Some(Pdu::SubmitSm(part)) = command.pdu().cloned() else { panic!("{command:?}") };
        self.answer(status, &command, SubmitSmResp::new(text(id).unwrap(), Vec::new())).await;
        part
    }

    /// Delivers something and waits for the answer to it.
    async fn deliver(&mut self, class: u8, coding: DataCoding, octets: &[u8]) -> CommandStatus {
        let sms = DeliverSm::builder()
            .source_addr(text("79001234567").unwrap())
            .esm_class(EsmClass::from(class))
            .data_coding(coding)
            .short_message(OctetString::from_vec(octets.to_vec()).unwrap())
            .build();
        self.sequence += 1;
        self.framed.send(Command::new(CommandStatus::EsmeRok, self.sequence, sms)).await.unwrap();
        let answer = self.next().await;
        assert_eq!(answer.sequence_number(), self.sequence, "{answer:?}");
        answer.status()
    }
}

struct World {
    listener: TcpListener,
    settings: Arc<Settings>,
    cancel: CancellationToken,
}

/// `enquire`: silence after which the line is tried; the centre answers only while it waits for something.
async fn world(t: &TestStore, enquire: Duration) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smpp = Smpp::new(Account {
        address: listener.local_addr().unwrap().to_string(),
        system_id: "taxi".into(),
        password: "secret".to_owned().into(),
        system_type: String::new(),
        from: "Taxi".into(),
        enquire,
    });
    let pace = Pace { every: Duration::from_millis(20), first_pause: Duration::from_millis(100), ..Pace::default() };
    let settings = Arc::new(Settings {
        providers: vec![Provider { name: "smsc".into(), line: Line::Smpp(smpp) }],
        transliterate: false,
        allowed_numbers: vec!["+7".into()],
        secret: None,
        answers_per_hour: 10,
        pace,
    });
    let cancel = CancellationToken::new();
    let clock = Clock { utc_offset_minutes: 180 };
    let inbound = Inbound::new(t.store.clone(), settings.clone(), Stats::default(), clock);
    keep_lines(&settings, &inbound, &cancel);
    World { listener, settings, cancel }
}

async fn queue(t: &TestStore, key: &str, words: &str) -> SmsId {
    let to = Phone::parse("+79001234567");
    let new = NewSms { key: key.into(), to, text: words.into(), client: None, order: None, reason: SmsReason::Answer };
    t.store.queue_sms(&new, wall()).await.unwrap().unwrap()
}

fn receipt(id: &str, word: &str) -> Vec<u8> {
    format!("id:{id} sub:001 dlvrd:001 submit date:2611221030 done date:2611221031 stat:{word} err:000 text:").into()
}

#[tokio::test]
async fn parts_go_out_receipts_and_questions_come_in_and_the_line_comes_up_again() {
    on_both(async |t| {
        let w = world(&t, Duration::from_secs(60)).await;
        let worker = start(t.store.clone(), w.settings.clone(), Stats::default(), w.cancel.clone());
        let mut centre = Centre::accept(&w.listener).await;
        centre.log_in(CommandStatus::EsmeRok).await;
        let id = queue(&t, "1", &"Машина ждёт вас. ".repeat(6)).await;
        let first = centre.take("a1", CommandStatus::EsmeRok).await;
        let second = centre.take("a2", CommandStatus::EsmeRok).await;
        assert_eq!((first.destination_addr.as_str(), first.data_coding), ("79001234567", DataCoding::Ucs2));
        assert_eq!(first.short_message().len() + second.short_message().len(), 12 + 2 * 101);
        let row = when(&t, id, SmsState::Sent).await;
        assert_eq!((row.parts, row.provider.as_str()), (2, "smsc"));
        let coding = DataCoding::McSpecific;
        assert_eq!(centre.deliver(4, coding, &receipt("a2", "DELIVRD")).await, CommandStatus::EsmeRok);
        assert_eq!(centre.deliver(4, coding, &receipt("a1", "ENROUTE")).await, CommandStatus::EsmeRok);
        assert_eq!(t.store.get_sms(id).await.unwrap().unwrap().state, SmsState::Sent);
        centre.deliver(4, coding, &receipt("a1", "DELIVRD")).await;
        when(&t, id, SmsState::Delivered).await;
        // A question in two parts, the second first.
        let octets = |text: &str| crate::domain::sms::Encoding::Ucs2.octets(text);
        centre.deliver(0x40, DataCoding::Ucs2, &[&[5, 0, 3, 9, 2, 2], &octets("машина?")[..]].concat()).await;
        centre.deliver(0x40, DataCoding::Ucs2, &[&[5, 0, 3, 9, 2, 1], &octets("Где ")[..]].concat()).await;
        let answer = centre.take("a3", CommandStatus::EsmeRok).await;
        let told = crate::domain::sms::Encoding::Ucs2.text(&answer.short_message().clone().into_vec());
        assert!(told.starts_with("У вас нет активного заказа."), "{told}");
        let filter = SmsFilter { incoming: Some(true), ..SmsFilter::default() };
        let came = t.store.list_sms(&filter, None, 10).await.unwrap().items;
        assert_eq!(came.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["Где машина?"]);
        // The line breaks with a part on its way: it is sent again over the next one.
        let id = queue(&t, "2", "Ok").await;
        let command = centre.next().await;
        assert!(matches!(command.pdu(), Some(Pdu::SubmitSm(_))), "{command:?}");
        drop(centre);
        let mut centre = Centre::accept(&w.listener).await;
        centre.log_in(CommandStatus::EsmeRok).await;
        assert_eq!(centre.take("b1", CommandStatus::EsmeRok).await.short_message().clone().into_vec(), b"Ok");
        assert!(when(&t, id, SmsState::Sent).await.attempts >= 2);
        w.cancel.cancel();
        worker.stopped().await;
        assert_eq!(centre.next().await.pdu(), Some(&Pdu::Unbind));
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_for_good_a_full_centre_is_not_and_a_silent_one_is_left() {
    on_both(async |t| {
        let w = world(&t, Duration::from_secs(2)).await;
        let worker = start(t.store.clone(), w.settings.clone(), Stats::default(), w.cancel.clone());
        let mut wrong = Centre::accept(&w.listener).await;
        wrong.log_in(CommandStatus::EsmeRinvpaswd).await;
        let waits = queue(&t, "1", "Ok").await;
        let mut centre = Centre::accept(&w.listener).await;
        centre.log_in(CommandStatus::EsmeRok).await;
        centre.take("", CommandStatus::EsmeRthrottled).await;
        centre.take("c1", CommandStatus::EsmeRok).await;
        when(&t, waits, SmsState::Sent).await;
        let refused = queue(&t, "2", "Ok").await;
        centre.take("", CommandStatus::EsmeRinvdstadr).await;
        assert!(when(&t, refused, SmsState::Failed).await.error.contains("refuses"));
        // It does not answer any more: another line is made.
        let mut again = Centre::accept(&w.listener).await;
        again.log_in(CommandStatus::EsmeRok).await;
        w.cancel.cancel();
        worker.stopped().await;
        drop(centre);
    })
    .await;
}

#[tokio::test]
async fn what_is_no_smpp_ends_the_line_and_nothing_else() {
    let t = crate::shell::store::testing::sqlite().await;
    let w = world(&t, Duration::from_secs(60)).await;
    for octets in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0, 0, 0, 3, 1], &[0xff; 64], &[0, 0, 0, 16, 0, 0, 0, 9]]
    {
        let (mut stream, _) = timeout(SOON, w.listener.accept()).await.unwrap().unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, octets).await.unwrap();
    }
    let mut centre = Centre::accept(&w.listener).await;
    centre.log_in(CommandStatus::EsmeRok).await;
    w.cancel.cancel();
}
