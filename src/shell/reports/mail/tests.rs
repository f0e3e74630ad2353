use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;
use crate::engine::settings::Settings;
use crate::shell::config::sections::Written;
use crate::shell::reports::ReportName;
use crate::shell::reports::schedule::Every;
use crate::shell::store::author::Author;
use crate::shell::store::testing::on_both;

/// A mail server that takes what the test says, and hands on what it was sent.
async fn server(refuse: Arc<Mutex<u32>>) -> (u16, mpsc::Receiver<String>) {
    listening(refuse, None).await
}

/// The same, speaking TLS from STARTTLS on to whoever logs in.
async fn listening(refuse: Arc<Mutex<u32>>, tls: Option<TlsAcceptor>) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (mails, inbox) = mpsc::channel(8);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(b"220 here\r\n").await;
            let Some(tls) = &tls else {
                speak(socket, &refuse, &mails, b"250 well\r\n").await;
                continue;
            };
            let mut buffer = [0; 200];
            for answer in [&b"250-here\r\n250 STARTTLS\r\n"[..], b"220 go on\r\n"] {
                let _ = socket.read(&mut buffer).await;
                let _ = socket.write_all(answer).await;
            }
            if let Ok(socket) = tls.accept(socket).await {
                speak(socket, &refuse, &mails, b"250-here\r\n250 AUTH PLAIN\r\n").await;
            }
        }
    });
    (port, inbox)
}

/// `\0reports\0secret`, as AUTH PLAIN has it.
const LOG_IN: &str = "AUTH PLAIN AHJlcG9ydHMAc2VjcmV0";

async fn speak<S>(socket: S, refuse: &Mutex<u32>, mails: &mpsc::Sender<String>, hello: &[u8])
where
    S: AsyncRead + AsyncWrite,
{
    let (reader, mut writer) = tokio::io::split(socket);
    let mut lines = BufReader::new(reader).lines();
    let mut mail: Option<String> = None;
    // Who need not log in has.
    let mut known = !hello.contains(&b'A');
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
            "EHLO" => hello,
            "AUTH" => {
                known = line == LOG_IN;
                if known { b"235 welcome\r\n" } else { b"535 who are you\r\n" }
            }
            "MAIL" if !known => b"530 log in first\r\n",
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

fn post(store: &Store, port: u16) -> Post {
    let from = "Перезвон <perezvon@office.example>".parse().unwrap();
    let mail = MailSettings { host: "127.0.0.1".into(), port, account: None, from, tls: MailTls::None, ca_file: None };
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

#[tokio::test]
async fn a_server_with_a_certificate_of_its_own_is_logged_in_to_over_tls_where_that_is_trusted() {
    on_both(async |t| {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), own.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
        let (port, mut inbox) = listening(Arc::default(), Some(TlsAcceptor::from(Arc::new(config)))).await;
        let sent_with = async |name: &str, ca_file: Option<PathBuf>, password: &str| {
            let account = Some(("reports".to_owned(), Secret::from(password.to_owned())));
            let from = "perezvon@office.example".parse().unwrap();
            let mail = MailSettings { host: "localhost".into(), port, account, from, tls: MailTls::StartTls, ca_file };
            let plan = Plan {
                report: ReportName::Days,
                recipients: vec!["head@office.example".to_owned()],
                every: Every::Day,
                day: 1,
                hour: 0,
                format: FileForm::Csv,
            };
            let long_ago = Wall(clock::wall().0 - 3 * LATEST_MS);
            let schedule = t.store.put_schedule(None, (name, &plan, true), &Author::engine(), long_ago).await.unwrap();
            Post { mail, ..post(&t.store, port) }.turn().await.unwrap();
            t.store.mailings_of(schedule.id).await.unwrap()[0].clone()
        };
        let trusted = Some(file.path().to_owned());
        let strange = sent_with("strange", None, "secret").await;
        assert!(strange.state == "pending" && strange.last_error.contains("certificate"), "{}", strange.last_error);
        let wrong = sent_with("wrong", trusted.clone(), "guess").await;
        assert!(wrong.state == "pending" && wrong.last_error.contains("who are you"), "{}", wrong.last_error);
        let nothing = sent_with("nothing", Some("/nowhere.pem".into()), "secret").await;
        assert!(nothing.last_error.contains("mail.ca_file /nowhere.pem"), "{}", nothing.last_error);
        assert!(inbox.try_recv().is_err());
        assert_eq!(sent_with("right", trusted, "secret").await.state, "sent");
        assert!(inbox.recv().await.unwrap().contains("To: head@office.example"));
    })
    .await;
}
