//! SMPP 3.4: a line of our own to a network's SMS centre (SMSC), over which SMS go out and receipts and SMS come in. The
//! line is kept up as long as the engine runs; `session` is one connection, `message` translates.

mod joiner;
mod message;
mod session;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusmpp::pdus::SubmitSm;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::shell::store::Secret;
use crate::shell::webhooks;

use super::Inbound;
use super::provider::{Accepted, Failure, Outgoing};

use joiner::Joiner;
use session::Session;

/// SMS that wait for the line at once; further ones are told to come again.
const WAITING: usize = 64;
/// For the connection and the log-in.
const CONNECT: Duration = Duration::from_secs(10);
/// For the answer to one part, its wait for the line included.
const ANSWER: Duration = Duration::from_secs(30);
/// Between attempts to connect, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// A line that lasted so long was a good one: the pauses begin anew.
const GOOD: Duration = Duration::from_secs(60);

/// How to speak to an SMSC.
#[derive(Clone, Debug)]
pub struct Account {
    /// `host:port`.
    pub address: String,
    /// Log-in, at most 15 characters.
    pub system_id: String,
    /// At most 8 characters.
    pub password: Secret,
    /// What some SMSC want; mostly empty.
    pub system_type: String,
    /// The sender that clients see: a number or a name; empty for the SMSC's own.
    pub from: String,
    /// Silence after which the line is tried.
    pub enquire: Duration,
}

/// One part on its way.
struct Job {
    part: Box<SubmitSm>,
    done: oneshot::Sender<Result<String, Failure>>,
}

/// An SMSC. Clones share the line.
#[derive(Clone, Debug)]
pub struct Smpp {
    account: Arc<Account>,
    jobs: mpsc::Sender<Job>,
    inbox: Arc<Mutex<Option<mpsc::Receiver<Job>>>>,
    /// Why there is no line now.
    down: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Smpp {
    /// Nothing is connected before it is started.
    #[must_use]
    pub fn new(account: Account) -> Smpp {
        let (jobs, inbox) = mpsc::channel(WAITING);
        Smpp {
            account: Arc::new(account),
            jobs,
            inbox: Arc::new(Mutex::new(Some(inbox))),
            down: Arc::new(Mutex::new(Some("the line is not up yet".to_owned()))),
        }
    }

    /// Keeps the line up until `cancel`; what comes over it goes to `inbound` under this name. The first call counts.
    pub(super) fn start(&self, name: &str, inbound: Inbound, cancel: CancellationToken) {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(inbox) = inbox {
            tokio::spawn(self.clone().keep_up(name.to_owned(), inbox, inbound, cancel));
        }
    }

    /// Hands over all parts, one after another.
    pub(super) async fn send(&self, sms: &Outgoing) -> Result<Accepted, Failure> {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(why) = down {
            return Err(Failure::for_now(why));
        }
        let mut references = Vec::new();
        for part in message::parts(sms, &self.account.from)? {
            let (done, answer) = oneshot::channel();
            let sent = self.jobs.try_send(Job { part: Box::new(part), done });
            sent.map_err(|_| Failure::for_now("too many SMS wait for the line"))?;
            let answer = timeout(ANSWER, answer).await;
            let lost = || Failure::for_now("the line broke before the answer came");
            let reference = match answer {
                Ok(answer) => answer.map_err(|_| lost())??,
                Err(_) => return Err(Failure::for_now(format!("no answer within {} s", ANSWER.as_secs()))),
            };
            if !reference.is_empty() {
                references.push(reference);
            }
        }
        Ok(Accepted { references })
    }

    /// Logs in and out again.
    pub(super) async fn probe(&self) -> Result<String, String> {
        let mut session = self.connect().await?;
        session.unbind().await;
        Ok(format!("{} takes the log-in", self.account.address))
    }

    async fn connect(&self) -> Result<Session<TcpStream>, String> {
        let address = &self.account.address;
        let work = async {
            let stream =
                TcpStream::connect(address).await.map_err(|error| format!("{address} cannot be reached: {error}"))?;
            // Small requests that somebody waits for.
            let _ = stream.set_nodelay(true);
            Session::bind(stream, &self.account).await
        };
        timeout(CONNECT, work)
            .await
            .unwrap_or_else(|_| Err(format!("{address} does not answer within {} s", CONNECT.as_secs())))
    }

    async fn keep_up(self, name: String, mut inbox: mpsc::Receiver<Job>, inbound: Inbound, cancel: CancellationToken) {
        // Parts of one SMS that comes in may arrive over two lines.
        let mut joiner = Joiner::default();
        let mut failures = 0;
        while !cancel.is_cancelled() {
            let began = Instant::now();
            let why = match cancel.run_until_cancelled(self.connect()).await {
                None => break,
                Some(Err(why)) => why,
                Some(Ok(session)) => {
                    info!(provider = name, "the line to the SMSC is up");
                    self.set_down(None);
                    session.run(&name, &mut inbox, &inbound, &mut joiner, &cancel).await
                }
            };
            if cancel.is_cancelled() {
                break;
            }
            if began.elapsed() >= GOOD {
                failures = 0;
            }
            if failures == 0 {
                warn!(provider = name, "the line to the SMSC is down, it is tried again and again: {why}");
            }
            self.set_down(Some(why));
            // What waited for the line does not know it: another gateway may take it.
            while let Ok(job) = inbox.try_recv() {
                drop(job);
            }
            let pause = webhooks::pause(PAUSES.0, failures, PAUSES.1);
            failures += 1;
            let _ = cancel.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    fn set_down(&self, why: Option<String>) {
        *self.down.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}
