//! Sends the reports that are due, by SMTP. What a mail server does not take is tried again, with a pause that doubles.
//! A mail carries the same `Message-ID` in every attempt: where the engine dies between the server's answer and writing
//! it down, the second copy is known for one.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::engine::time::Wall;
use crate::shell::clock;
use crate::shell::live_settings::LiveSettings;
use crate::shell::store::reports::Span;
use crate::shell::store::schedules::{MailingRow, ScheduleRow};
use crate::shell::store::{Secret, Store, StoreError};
use crate::speech::Language;

use super::report;
use super::schedule::{FileForm, Plan, local};
use super::sheet::SheetError;

/// A mail is this much late at most.
const EVERY: Duration = Duration::from_secs(5);
/// For a mail server to take a mail.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between attempts: the first pause, and the longest.
const PAUSES_MS: (i64, i64) = (60_000, 3_600_000);
/// What was due longer ago (the engine was away) is not sent any more.
const LATEST_MS: i64 = 24 * 3_600_000;

/// How the mail server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte on.
    Tls,
    /// From the command STARTTLS on; without it nothing is sent.
    StartTls,
    /// In the clear.
    None,
}

/// `[mail]`, checked.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Name of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Log-in and password, where it wants any.
    pub account: Option<(String, Secret)>,
    /// The sender.
    pub from: Mailbox,
    /// How it is spoken to.
    pub tls: MailTls,
    /// PEM of a certificate to trust beside those of the system: that of a company, or of the server itself.
    pub ca_file: Option<PathBuf>,
}

/// What reports count: see `config::Reports`, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Counting {
    /// Answered within this is in time.
    pub within_ms: i64,
    /// Who hung up earlier is not counted as abandoned.
    pub short_ms: i64,
}

/// Why a mail was not sent.
#[derive(Debug, thiserror::Error)]
enum MailError {
    #[error("the report could not be reckoned: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sheet(#[from] SheetError),
    #[error("the mail could not be put together: {0}")]
    Message(#[from] lettre::error::Error),
    #[error("the sender or a recipient is no e-mail address: {0}")]
    Address(#[from] lettre::address::AddressError),
    #[error("the mail server did not take it: {0}")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("the mail server did not take it within {} s", PATIENCE.as_secs())]
    Late,
    #[error("mail.ca_file {0} cannot be read as a certificate in PEM: {1}")]
    Certificate(PathBuf, String),
    #[error("the schedule has a moment that no calendar knows")]
    Calendar,
}

/// Sends what is due until it is cancelled.
pub fn start(store: Store, mail: MailSettings, counting: Counting, settings: LiveSettings, cancel: CancellationToken) {
    tokio::spawn(async move {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let post = Post { store, mail, counting, settings };
        let mut troubled = false;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => {}
            }
            match post.turn().await {
                Ok(()) => troubled = false,
                Err(error) => {
                    if !troubled {
                        warn!("reports by e-mail wait for the database: {error}");
                    }
                    troubled = true;
                }
            }
        }
    });
}

struct Post {
    store: Store,
    mail: MailSettings,
    counting: Counting,
    settings: LiveSettings,
}

impl Post {
    async fn turn(&self) -> Result<(), StoreError> {
        let now = clock::wall();
        let offset = self.settings.now().utc_offset_minutes;
        let schedules = self.store.report_schedules().await?;
        for schedule in schedules.iter().filter(|schedule| schedule.enabled) {
            let due = schedule.plan.last_due(now, offset);
            // What was due before the schedule was set is not wanted.
            let due = due.filter(|due| *due >= schedule.changed_at && due.0 > now.0 - LATEST_MS);
            if let Some(due) = due {
                self.store.want_mailing(schedule.id, due, now).await?;
            }
        }
        for mailing in self.store.mailings_due(now).await? {
            if let Some(schedule) = schedules.iter().find(|schedule| schedule.id == mailing.schedule) {
                self.deliver(schedule, &mailing, offset).await?;
            }
        }
        Ok(())
    }

    async fn deliver(&self, schedule: &ScheduleRow, mailing: &MailingRow, offset: i32) -> Result<(), StoreError> {
        let name = &schedule.name;
        match self.send(schedule, mailing, offset).await {
            Ok(()) => {
                info!(schedule = schedule.id, recipients = schedule.plan.recipients.len(), "report {name:?} sent");
                self.store.mailing_sent(mailing.id, clock::wall()).await
            }
            Err(failure) => {
                let now = clock::wall();
                let pause = PAUSES_MS.0.saturating_mul(1 << mailing.attempts.clamp(0, 20)).min(PAUSES_MS.1);
                let next = Wall(now.0 + pause);
                if self.store.mailing_failed(mailing, &failure.to_string(), next, now).await? {
                    error!(schedule = schedule.id, "report {name:?} is given up: {failure}");
                } else {
                    warn!(schedule = schedule.id, "report {name:?} is sent again in {} s: {failure}", pause / 1000);
                }
                Ok(())
            }
        }
    }

    async fn send(&self, schedule: &ScheduleRow, mailing: &MailingRow, offset: i32) -> Result<(), MailError> {
        let plan = &schedule.plan;
        let (from, to) = plan.span(mailing.due_at, offset).ok_or(MailError::Calendar)?;
        let Counting { within_ms, short_ms } = self.counting;
        let span = Span { from, to, utc_offset_minutes: offset, within_ms, short_ms };
        let sheet = report(&self.store, plan.report, span, clock::wall()).await?.sheet();
        let language = self.settings.now().language;
        let (file, ending, media) = match plan.format {
            FileForm::Csv => (sheet.csv()?, "csv", "text/csv; charset=utf-8"),
            FileForm::Xlsx => {
                let media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
                (sheet.xlsx(language)?, "xlsx", media)
            }
        };
        let span = days(from, to, offset).ok_or(MailError::Calendar)?;
        let attached = Attached { name: format!("{}-{span}.{ending}", plan.report.as_str()), bytes: file, media };
        let subject = format!("{}: {span}", schedule.name);
        let id = format!("<report-{}-{}-{}@perezvon>", schedule.id, schedule.version, mailing.due_at.0);
        let message = message(&self.mail, plan, &subject, id, attached, language)?;
        let server = self.mail.transport().await?;
        tokio::time::timeout(PATIENCE, server.send(message)).await.map_err(|_| MailError::Late)??;
        Ok(())
    }
}

impl MailSettings {
    /// Made for each mail: there are a few a day.
    async fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
        let tls = match self.tls {
            MailTls::Tls => Tls::Wrapper(self.trusted().await?),
            MailTls::StartTls => Tls::Required(self.trusted().await?),
            MailTls::None => Tls::None,
        };
        let server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host).port(self.port).tls(tls);
        let server = server.timeout(Some(PATIENCE / 2));
        Ok(match &self.account {
            Some((user, password)) => {
                server.credentials(Credentials::new(user.clone(), password.reveal().to_owned())).build()
            }
            None => server.build(),
        })
    }

    async fn trusted(&self) -> Result<TlsParameters, MailError> {
        let mut trusted = TlsParameters::builder(self.host.clone());
        if let Some(file) = &self.ca_file {
            let told = |cause: &dyn std::error::Error| MailError::Certificate(file.clone(), cause.to_string());
            let pem = tokio::fs::read(file).await.map_err(|cause| told(&cause))?;
            trusted = trusted.add_root_certificate(Certificate::from_pem(&pem).map_err(|cause| told(&cause))?);
        }
        Ok(trusted.build()?)
    }
}

struct Attached {
    name: String,
    bytes: Vec<u8>,
    media: &'static str,
}

/// The first and the last day of a span, as file names have it.
fn days(from: Wall, to: Wall, offset: i32) -> Option<String> {
    let first = local(from, offset)?.date();
    let last = local(Wall(to.0 - 1), offset)?.date();
    Some(if first == last { first.to_string() } else { format!("{first}-{last}") })
}

fn message(
    mail: &MailSettings,
    plan: &Plan,
    subject: &str,
    id: String,
    attached: Attached,
    language: Language,
) -> Result<Message, MailError> {
    let mut message = Message::builder().from(mail.from.clone()).subject(subject).message_id(Some(id));
    for recipient in &plan.recipients {
        message = message.to(recipient.parse()?);
    }
    let text = match language {
        Language::Ru => "Отчёт во вложении. Прислал Перезвон по расписанию, которое ведут администраторы.",
        Language::En => "The report is attached. Perezvon sent it by a schedule that administrators keep.",
    };
    // The media types are written above and can be read.
    let media = ContentType::parse(attached.media).unwrap_or(ContentType::TEXT_PLAIN);
    let file = Attachment::new(attached.name).body(attached.bytes, media);
    Ok(message.multipart(MultiPart::mixed().singlepart(SinglePart::plain(text.to_owned())).singlepart(file))?)
}

#[cfg(test)]
mod tests;
