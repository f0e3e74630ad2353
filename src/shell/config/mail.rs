//! `[mail]`, checked.

use std::path::PathBuf;

use lettre::message::Mailbox;

use crate::shell::reports::mail::{MailSettings, MailTls};

use super::ConfigError;
use super::build::{secret, wrong};
use super::raw;

pub(super) fn mail(raw: raw::Mail) -> Result<Option<MailSettings>, ConfigError> {
    let password = secret("mail.password", raw.password, raw.password_file)?;
    let Some(host) = raw.host else { return Ok(None) };
    if host.is_empty() || host.len() > 253 || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b)) {
        return wrong("mail.host", host, "use the name or the address of the mail server");
    }
    let (tls, usual) = match raw.tls.as_str() {
        "starttls" => (MailTls::StartTls, 587),
        "tls" => (MailTls::Tls, 465),
        "none" => (MailTls::None, 25),
        _ => return wrong("mail.tls", raw.tls, "use \"starttls\", \"tls\" or \"none\""),
    };
    let Some(from) = raw.from else {
        return wrong("mail.from", "", "set the sender's address too, such as Perezvon <reports@office.example>");
    };
    let Ok(sender) = from.parse::<Mailbox>() else {
        return wrong("mail.from", from, "it is not an e-mail address");
    };
    let account = match (raw.user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(user), None) => return wrong("mail.user", user, "set mail.password_file too"),
        (None, Some(_)) => return wrong("mail.user", "", "set it too, beside the password"),
    };
    let ca_file = raw.ca_file.map(PathBuf::from);
    if let (Some(file), MailTls::None) = (&ca_file, tls) {
        return wrong("mail.ca_file", file.display().to_string(), "it is of no use with mail.tls = \"none\"");
    }
    Ok(Some(MailSettings { host, port: raw.port.unwrap_or(usual), account, from: sender, tls, ca_file }))
}
