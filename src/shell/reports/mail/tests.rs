use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::engine::settings::Settings;
use crate::shell::config::sections::Written;
use crate::shell::reports::ReportName;
use crate::shell::reports::schedule::Every;
use crate::shell::store::author::Author;
use crate::shell::store::testing::on_both;

/// A mail server that takes what the test says, and hands on what it was sent.
async fn server(refuse: Arc<Mutex<u32>>) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, inbox) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (reader, mut writer) = socket.split();
            let mut lines = BufReader::new(reader).lines();
            let _ = writer.write_all(b"220 here\r\n").await;
            let mut mail: Option<String> = None;
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(text) = &mut mail {
                    if line == "." {
                        let _ = mails.send(mail.take().unwrap()).await;
                        let _ = writer.write_all(b"250 taken\r\n").await;
                    } else {
                        text.push_str(&line);
                        text.push('\n');
                    }
                    continue;
                }
                let refused = line.starts_with("MAIL") && {
                    let mut left = refuse.lock().unwrap();
                    let refused = *left > 0;
                    *left = left.saturating_sub(1);
                    refused
                };
                let answer: &[u8] = match line.split([' ', ':']).next().unwrap_or_default() {
                    _ if refused => b"451 later\r\n",
                    "DATA" => {
                        mail = Some(String::new());
                        b"354 go on\r\n"
                    }
                    "QUIT" => b"221 bye\r\n",
                    _ => b"250 well\r\n",
                };
                let _ = writer.write_all(answer).await;
            }
        }
    });
    (port, inbox)
}

fn post(store: &Store, port: u16) -> Post {
    let from = "Перезвон <perezvon@office.example>".parse().unwrap();
    let mail = MailSettings { host: "127.0.0.1".into(), port, account: None, from, tls: MailTls::None };
    let settings = Settings { utc_offset_minutes: 180, ..Settings::default() };
    let settings = LiveSettings::new(Written::default(), settings);
    Post { store: store.clone(), mail, counting: Counting { within_ms: 20_000, short_ms: 0 }, settings }
}

#[tokio::test]
async fn a_report_that_the_server_refuses_is_sent_again_and_arrives_once_with_its_file() {
    on_both(async |t| {
        let (s, author) = (&t.store, Author::engine());
        let (port, mut inbox) = server(Arc::new(Mutex::new(1))).await;
        let recipients = vec!["head@office.example".to_owned(), "boss@office.example".to_owned()];
        let plan =
            Plan { report: ReportName::Queues, recipients, every: Every::Day, day: 1, hour: 0, format: FileForm::Csv };
        let long_ago = Wall(clock::wall().0 - 3 * LATEST_MS);
        let schedule = s.put_schedule(None, ("Утро начальника", &plan, true), &author, long_ago).await.unwrap();
        let post = post(s, port);
        post.turn().await.unwrap();
        let first = s.mailings_of(schedule.id).await.unwrap()[0].clone();
        assert_eq!((first.state.as_str(), first.attempts), ("pending", 1));
        assert!(first.last_error.contains("did not take it"), "{}", first.last_error);
        assert!(first.next_at.0 >= clock::wall().0 + PAUSES_MS.0 / 2);
        // Its pause is over; the engine was started anew meanwhile.
        post.deliver(&s.report_schedule(schedule.id).await.unwrap().unwrap(), &first, 180).await.unwrap();
        let mail = inbox.recv().await.unwrap();
        let headers: BTreeMap<_, _> = mail.lines().filter_map(|line| line.split_once(": ")).collect();
        assert_eq!(headers["To"], "head@office.example, boss@office.example");
        assert!(headers["Message-ID"].starts_with(&format!("<report-{}-1-", schedule.id)), "{mail}");
        assert!(mail.contains("filename=\"queues-") && mail.contains(".csv\""), "{mail}");
        // As it is, or in base64.
        assert!(mail.contains("key,calls,queued,") || mail.contains("a2V5LGNhbGxzLHF1ZXVlZCw"), "{mail}");
        for _ in 0..2 {
            super::tests::post(s, port).turn().await.unwrap();
        }
        assert!(inbox.try_recv().is_err(), "it was sent twice");
        let shown = s.report_schedule(schedule.id).await.unwrap().unwrap().last.unwrap();
        assert_eq!((shown.state.as_str(), shown.attempts), ("sent", 2));
    })
    .await;
}

#[tokio::test]
async fn what_was_due_before_the_schedule_was_set_is_not_sent() {
    on_both(async |t| {
        let (port, _inbox) = server(Arc::default()).await;
        let recipients = vec!["head@office.example".to_owned()];
        let plan =
            Plan { report: ReportName::Days, recipients, every: Every::Day, day: 1, hour: 0, format: FileForm::Xlsx };
        let set = t.store.put_schedule(None, ("Ночь", &plan, true), &Author::engine(), clock::wall()).await.unwrap();
        post(&t.store, port).turn().await.unwrap();
        assert_eq!(t.store.mailings_of(set.id).await.unwrap(), []);
    })
    .await;
}
