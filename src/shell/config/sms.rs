//! `[sms]`, checked.

use std::collections::BTreeSet;
use std::time::Duration;

use regex::Regex;
use reqwest::{Client, Method, Url};

use crate::shell::sms::http::{NAMES, Template, filled};
use crate::shell::sms::kannel::Kannel;
use crate::shell::sms::provider::{Line, Provider};
use crate::shell::sms::smpp::{Account, Smpp};
use crate::shell::sms::{Pace, Settings, client};
use crate::shell::webhooks::target;

use super::ConfigError;
use super::build::{is_name, secret, wrong};
use super::raw::{self, SmsProvider};

/// Nobody guesses a secret of so many letters.
const SHORTEST_SECRET: usize = 20;

pub(super) fn sms(raw: raw::Sms) -> Result<Settings, ConfigError> {
    if !(1..=100).contains(&raw.answers_per_hour) {
        return wrong("sms.answers_per_hour", raw.answers_per_hour, "use 1 to 100");
    }
    for (index, start) in raw.allowed_numbers.iter().enumerate() {
        let digits = start.strip_prefix('+').unwrap_or_default();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            let why = "give the beginning of a number with its country code: `+` and digits, such as +7";
            return wrong(format!("sms.allowed_numbers[{index}]"), start, why);
        }
    }
    let secret = secret("sms.secret", raw.secret, raw.secret_file)?;
    if let Some(secret) = &secret {
        let text = secret.reveal();
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if text.len() < SHORTEST_SECRET || !plain {
            let why = format!("use {SHORTEST_SECRET} letters, digits, `-` and `_` or more: openssl rand -hex 20");
            return wrong("sms.secret", "…", why);
        }
    }
    let base = match (&raw.report_url, &secret) {
        (None, _) => None,
        (Some(url), None) => {
            return wrong("sms.report_url", url, "set sms.secret or sms.secret_file too: it stands in the address");
        }
        (Some(url), Some(secret)) => match target(url) {
            Ok(_) => Some((url.trim_end_matches('/').to_owned(), secret.reveal().to_owned())),
            Err(why) => return wrong("sms.report_url", url, why),
        },
    };
    let reports =
        |name: &str| base.as_ref().map(|(url, secret)| format!("{url}/api/v1/sms/gateways/{name}/{secret}/report"));
    let client = if raw.providers.is_empty() { None } else { Some(connections()?) };
    let mut names = BTreeSet::new();
    let mut providers = Vec::new();
    for (index, one) in raw.providers.into_iter().enumerate() {
        let key = |name: &str| format!("sms.providers[{index}].{name}");
        if !is_name(&one.name) {
            return wrong(key("name"), one.name, "use 1 to 40 letters, digits, `-` and `_`");
        }
        if !names.insert(one.name.clone()) {
            return wrong(key("name"), one.name, "another gateway has this name");
        }
        let Some(client) = client.clone() else { continue };
        providers.push(provider(one, reports, client, key)?);
    }
    Ok(Settings {
        providers,
        transliterate: raw.transliterate,
        allowed_numbers: raw.allowed_numbers,
        secret,
        answers_per_hour: raw.answers_per_hour,
        pace: Pace::default(),
    })
}

fn connections() -> Result<Client, ConfigError> {
    client().or_else(|error| {
        wrong(
            "sms.providers",
            "…",
            format!("the system's certificates cannot be read ({error}): install ca-certificates"),
        )
    })
}

fn provider(
    raw: SmsProvider,
    reports: impl Fn(&str) -> Option<String>,
    client: Client,
    key: impl Fn(&str) -> String,
) -> Result<Provider, ConfigError> {
    let name = raw.name.clone();
    let reports = reports(&name);
    let line = match raw.kind.as_str() {
        "kannel" => Line::Kannel(kannel(raw, reports, client, key)?),
        "http" => Line::Http(template(raw, reports, client, key)?),
        "smpp" => Line::Smpp(smpp(raw, key)?),
        _ => return wrong(key("kind"), raw.kind, "use \"kannel\", \"smpp\" or \"http\""),
    };
    Ok(Provider { name, line })
}

fn kannel(
    raw: SmsProvider,
    reports: Option<String>,
    client: Client,
    key: impl Fn(&str) -> String,
) -> Result<Kannel, ConfigError> {
    let url = url(&key("url"), raw.url.as_deref().unwrap_or("http://127.0.0.1:13013/cgi-bin/sendsms"))?;
    if url.query().is_some() {
        return wrong(key("url"), "…", "leave out what stands behind the question mark: the engine writes it");
    }
    let Some(password) = secret(&key("password"), raw.password, raw.password_file)? else {
        return wrong(key("password"), "", "give the password of Kannel's sendsms-user, best as password_file");
    };
    let username = raw.username.unwrap_or_default();
    Ok(Kannel { url, username, password, from: raw.from, reports, client })
}

fn smpp(raw: SmsProvider, key: impl Fn(&str) -> String) -> Result<Smpp, ConfigError> {
    let url = raw.url.unwrap_or_default();
    let address = url.strip_prefix("smpp://").unwrap_or_default().trim_end_matches('/');
    let port = address.rsplit_once(':').and_then(|(host, port)| port.parse::<u16>().ok().filter(|_| !host.is_empty()));
    if port.is_none() || address.contains(['/', '@', '?', ' ']) {
        return wrong(key("url"), url, "write it as smpp://host:port; 2775 is the usual port");
    }
    let password = secret(&key("password"), raw.password, raw.password_file)?.unwrap_or_else(|| String::new().into());
    let (username, system_type) = (raw.username.unwrap_or_default(), raw.system_type.unwrap_or_default());
    let from = raw.from.unwrap_or_default();
    for (name, value, most) in [
        ("username", username.as_str(), 15),
        ("password", password.reveal(), 8),
        ("system_type", system_type.as_str(), 12),
        ("from", from.as_str(), 20),
    ] {
        if value.len() > most || !value.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return wrong(key(name), "…", format!("SMPP takes at most {most} letters, digits and signs of ASCII"));
        }
    }
    let enquire = Duration::from_secs(30);
    Ok(Smpp::new(Account { address: address.to_owned(), system_id: username, password, system_type, from, enquire }))
}

fn template(
    raw: SmsProvider,
    reports: Option<String>,
    client: Client,
    key: impl Fn(&str) -> String,
) -> Result<Template, ConfigError> {
    let Some(text) = raw.url else {
        return wrong(key("url"), "", "give the gateway's address, such as https://host/send?to={to}&text={text}");
    };
    url(&key("url"), &filled(&text, |_| Some("x".to_owned())))?;
    let method = raw.method.as_deref().unwrap_or("POST").to_ascii_uppercase();
    let method = match method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        _ => return wrong(key("method"), method, "use GET, POST or PUT"),
    };
    let headers: Vec<_> = raw.headers.into_iter().collect();
    let body = raw.body.clone().unwrap_or_default();
    let whole = headers.iter().fold(format!("{text} {body}"), |whole, (_, value)| format!("{whole} {value}"));
    if !whole.contains("{text}") {
        return wrong(key("body"), body, "neither url nor body holds {text}: nothing would be sent");
    }
    if !whole.contains("{to}") && !whole.contains("{digits}") {
        return wrong(key("body"), body, format!("nobody is named: use {}", names()));
    }
    let pattern = |name: &str, text: Option<String>| match text.as_deref().map(Regex::new).transpose() {
        Ok(pattern) => Ok(pattern),
        Err(error) => wrong(key(name), text.unwrap_or_default(), format!("it is no regular expression: {error}")),
    };
    let (accepted, reference) = (pattern("accepted", raw.accepted)?, pattern("reference", raw.reference)?);
    let password = secret(&key("password"), raw.password, raw.password_file)?;
    Ok(Template {
        method,
        url: text,
        headers,
        body: raw.body,
        username: raw.username.unwrap_or_default(),
        password: password.unwrap_or_else(|| String::new().into()),
        from: raw.from.unwrap_or_default(),
        reports,
        accepted,
        reference,
        client,
    })
}

fn names() -> String {
    NAMES.map(|name| format!("{{{name}}}")).join(", ")
}

fn url(key: &str, text: &str) -> Result<Url, ConfigError> {
    // It may hold a password.
    target(text).or_else(|_| wrong(key, "…", "write it as http://host:port/path"))
}
