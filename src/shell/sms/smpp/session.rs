//! One connection to an SMSC (SMPP 3.4, sections 2 and 4): log-in as a transceiver, parts out, receipts and SMS in, and a
//! question now and then whether the other side still lives.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{BindTransceiver, DeliverSm, DeliverSmResp};
use rusmpp::tokio_codec::CommandCodec;
use rusmpp::types::COctetString;
use rusmpp::values::InterfaceVersion;
use rusmpp::{Command, CommandStatus, Pdu};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::joiner::Joiner;
use super::message::{self, Told};
use super::{Account, Failure, Inbound, Job};

/// Parts that wait for their answers at once.
const WINDOW: usize = 10;
/// For an answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Nothing that an SMSC sends comes near.
const LONGEST: usize = 16 * 1024;
/// For a write: a peer that does not read is gone.
const WRITE: Duration = Duration::from_secs(10);

/// A part that waits for its answer.
struct Pending {
    done: oneshot::Sender<Result<String, Failure>>,
    until: Instant,
}

/// A connection that is logged in.
pub(super) struct Session<S> {
    framed: Framed<S, CommandCodec>,
    sequence: u32,
    pending: BTreeMap<u32, Pending>,
    enquire: Duration,
    /// Something came last.
    heard: Instant,
    /// It was asked whether it lives, and has not said anything since.
    asked: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Logs in.
    ///
    /// # Errors
    /// What went wrong, as a sentence.
    pub(super) async fn bind(stream: S, account: &Account) -> Result<Session<S>, String> {
        let framed = Framed::new(stream, CommandCodec::new().with_max_length(LONGEST));
        let mut session = Session {
            framed,
            sequence: 0,
            pending: BTreeMap::new(),
            enquire: account.enquire,
            heard: Instant::now(),
            asked: false,
        };
        let too_long = |what: &str| format!("{what} is longer than SMPP takes, or has a character that is not ASCII");
        let bind = BindTransceiver::builder()
            .system_id(text(&account.system_id).ok_or_else(|| too_long("username"))?)
            .password(text(account.password.reveal()).ok_or_else(|| too_long("password"))?)
            .system_type(text(&account.system_type).ok_or_else(|| too_long("system_type"))?)
            .interface_version(InterfaceVersion::Smpp3_4)
            .build();
        let sequence = session.write(bind).await?;
        loop {
            let answer = session.framed.next().await.ok_or("the SMSC closed the connection at the log-in")?;
            let answer = answer.map_err(|error| format!("the SMSC does not speak SMPP: {error}"))?;
            if answer.sequence_number() != sequence {
                continue;
            }
            return match answer.status() {
                CommandStatus::EsmeRok => Ok(session),
                status => Err(format!("the SMSC refuses the log-in ({status:?}): check username and password")),
            };
        }
    }

    /// Works until the line breaks or `cancel`; tells why it ended. What waits for an answer is given back as failed.
    pub(super) async fn run(
        mut self,
        name: &str,
        jobs: &mut mpsc::Receiver<Job>,
        inbound: &Inbound,
        joiner: &mut Joiner,
        cancel: &CancellationToken,
    ) -> String {
        let mut ticks = interval(self.enquire.min(Duration::from_secs(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let room = self.pending.len() < WINDOW;
            let step = tokio::select! {
                () = cancel.cancelled() => {
                    self.unbind().await;
                    return "the engine is being stopped".to_owned();
                }
                came = self.framed.next() => match came {
                    None => Err("the SMSC closed the connection".to_owned()),
                    Some(Err(error)) => Err(format!("what the SMSC sent cannot be read: {error}")),
                    Some(Ok(command)) => self.take(command, name, inbound, joiner).await,
                },
                Some(job) = jobs.recv(), if room => self.submit(job).await,
                _ = ticks.tick() => self.look_round(name, inbound, joiner).await,
            };
            if let Err(why) = step {
                return why;
            }
        }
    }

    async fn submit(&mut self, job: Job) -> Result<(), String> {
        let sequence = self.write(*job.part).await?;
        self.pending.insert(sequence, Pending { done: job.done, until: Instant::now() + ANSWER });
        Ok(())
    }

    /// What is overdue, and whether the other side lives.
    async fn look_round(&mut self, name: &str, inbound: &Inbound, joiner: &mut Joiner) -> Result<(), String> {
        let now = Instant::now();
        // Dropped, they tell their sender that the answer will not come.
        self.pending.retain(|_, pending| pending.until > now && !pending.done.is_closed());
        for incoming in joiner.overdue(now) {
            if let Err(error) = inbound.receive(name, incoming).await {
                warn!(provider = name, "an SMS of which parts are missing is lost: {error}");
            }
        }
        let silent = now.duration_since(self.heard);
        if silent >= self.enquire * 2 && self.asked {
            return Err("the SMSC does not answer any more".to_owned());
        }
        if silent >= self.enquire && !self.asked {
            self.asked = true;
            self.write(Pdu::EnquireLink).await?;
        }
        Ok(())
    }

    async fn take(
        &mut self,
        command: Command,
        name: &str,
        inbound: &Inbound,
        joiner: &mut Joiner,
    ) -> Result<(), String> {
        (self.heard, self.asked) = (Instant::now(), false);
        let (status, sequence) = (command.status(), command.sequence_number());
        match command.pdu() {
            Some(Pdu::DeliverSm(sms)) => {
                let status = match deliver(sms, name, inbound, joiner).await {
                    Ok(()) => CommandStatus::EsmeRok,
                    // The SMSC keeps it and tries again.
                    Err(error) => {
                        warn!(provider = name, "what the SMSC tells cannot be kept now: {error}");
                        CommandStatus::EsmeRxTAppn
                    }
                };
                self.answer(status, sequence, DeliverSmResp::default()).await
            }
            Some(Pdu::EnquireLink) => self.answer(CommandStatus::EsmeRok, sequence, Pdu::EnquireLinkResp).await,
            Some(Pdu::Unbind) => {
                self.answer(CommandStatus::EsmeRok, sequence, Pdu::UnbindResp).await?;
                Err("the SMSC ended the session".to_owned())
            }
            Some(Pdu::SubmitSmResp(answer)) => {
                let reference = answer.message_id().as_str().trim().to_owned();
                self.answered(sequence, status, reference);
                Ok(())
            }
            // An answer with an error may have no body.
            Some(_) | None => {
                self.answered(sequence, status, String::new());
                Ok(())
            }
        }
    }

    fn answered(&mut self, sequence: u32, status: CommandStatus, reference: String) {
        let Some(pending) = self.pending.remove(&sequence) else { return };
        let result = match status {
            CommandStatus::EsmeRok => Ok(reference),
            CommandStatus::EsmeRinvdstadr
            | CommandStatus::EsmeRinvdstton
            | CommandStatus::EsmeRinvdstnpi
            | CommandStatus::EsmeRinvmsglen => Err(Failure::for_good(format!("the SMSC refuses it ({status:?})"))),
            // Throttled, full, out of order, or a word of the SMSC's own.
            status => Err(Failure::for_now(format!("the SMSC does not take it now ({status:?})"))),
        };
        // Whoever sent it may have given up.
        let _ = pending.done.send(result);
    }

    /// Logs out, as far as the other side takes part in it.
    pub(super) async fn unbind(&mut self) {
        if self.write(Pdu::Unbind).await.is_ok() {
            let _ = timeout(Duration::from_secs(1), self.framed.next()).await;
        }
    }

    async fn write(&mut self, pdu: impl Into<Pdu>) -> Result<u32, String> {
        // 1 to 0x7FFFFFFF (section 5.1.4).
        self.sequence = self.sequence % 0x7fff_ffff + 1;
        let sequence = self.sequence;
        self.answer(CommandStatus::EsmeRok, sequence, pdu).await?;
        Ok(sequence)
    }

    async fn answer(&mut self, status: CommandStatus, sequence: u32, pdu: impl Into<Pdu>) -> Result<(), String> {
        let command = Command::new(status, sequence, pdu);
        match timeout(WRITE, self.framed.send(command)).await {
            Ok(sent) => sent.map_err(|error| format!("the line broke: {error}")),
            Err(_) => Err("the SMSC does not read any more".to_owned()),
        }
    }
}

async fn deliver(
    sms: &DeliverSm,
    name: &str,
    inbound: &Inbound,
    joiner: &mut Joiner,
) -> crate::shell::store::Result<()> {
    match message::told(sms) {
        Told::Receipt { reference, word } => inbound.report(name, &reference, &word).await,
        Told::Part(part) => match joiner.add(part, Instant::now()) {
            Some(incoming) => inbound.receive(name, incoming).await.map(drop),
            None => Ok(()),
        },
        Told::Nothing => {
            debug!(provider = name, "the SMSC tells something that is neither an SMS nor a receipt");
            Ok(())
        }
    }
}

/// A text as SMPP keeps it; none if it does not fit.
pub(super) fn text<const MOST: usize>(text: &str) -> Option<COctetString<1, MOST>> {
    COctetString::try_from(text.to_owned()).ok()
}
