//! Gateways that take an SMS as some HTTP request: what it looks like is the administrator's word.

use regex::Regex;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, StatusCode, Url};

use crate::shell::store::Secret;

use super::gateway::{self, in_query};
use super::provider::{Accepted, Failure, Outgoing};

/// What a template may name, in braces.
pub const NAMES: [&str; 8] = ["to", "digits", "text", "id", "from", "username", "password", "reports"];

/// How text stands in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// In the values of a form, and in URLs.
    Form,
    /// In JSON's strings.
    Json,
    /// In XML.
    Xml,
    /// As it is.
    Plain,
}

impl Escape {
    /// By the body's media type.
    #[must_use]
    pub fn of(media_type: &str) -> Escape {
        let media_type = media_type.to_ascii_lowercase();
        if media_type.contains("json") {
            Escape::Json
        } else if media_type.contains("xml") {
            Escape::Xml
        } else if media_type.contains("urlencoded") {
            Escape::Form
        } else {
            Escape::Plain
        }
    }

    fn write(self, value: &str) -> String {
        match self {
            Escape::Form => in_query(value),
            Escape::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
            }
            Escape::Xml => value
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&apos;"),
            Escape::Plain => value.to_owned(),
        }
    }
}

/// A request as it is sent for each SMS.
#[derive(Clone, Debug)]
pub struct Template {
    /// `GET`, `POST`, ….
    pub method: Method,
    /// With names in braces in path or query.
    pub url: String,
    /// As they are; with names in braces too.
    pub headers: Vec<(String, String)>,
    /// With names in braces.
    pub body: Option<String>,
    /// `{username}`.
    pub username: String,
    /// `{password}`.
    pub password: Secret,
    /// `{from}`.
    pub from: String,
    /// `{reports}`: where reports are to go; with the name of the attempt already in it.
    pub reports: Option<String>,
    /// The answer's body must hold this, beside a status of 2xx.
    pub accepted: Option<Regex>,
    /// Where in the answer the gateway's own id is: the first group, or all of it.
    pub reference: Option<Regex>,
    /// The connections.
    pub client: Client,
}

impl Template {
    fn value(&self, name: &str, sms: &Outgoing) -> Option<String> {
        Some(match name {
            "to" => sms.to.clone(),
            "digits" => sms.to.trim_start_matches('+').to_owned(),
            "text" => sms.text.clone(),
            "id" => sms.reference.clone(),
            "from" => self.from.clone(),
            "username" => self.username.clone(),
            "password" => self.password.reveal().to_owned(),
            "reports" => match &self.reports {
                Some(reports) => format!("{reports}?reference={}", in_query(&sms.reference)),
                None => String::new(),
            },
            _ => return None,
        })
    }

    fn fill(&self, text: &str, sms: &Outgoing, escape: Escape) -> String {
        filled(text, |name| self.value(name, sms).map(|value| escape.write(&value)))
    }

    pub(super) async fn send(&self, sms: &Outgoing) -> Result<Accepted, Failure> {
        let url = Url::parse(&self.fill(&self.url, sms, Escape::Form));
        let url = url.map_err(|error| Failure::for_now(format!("its url cannot be read: {error}")))?;
        let mut headers = HeaderMap::new();
        let mut escape = Escape::Plain;
        for (name, value) in &self.headers {
            if name.eq_ignore_ascii_case("content-type") {
                escape = Escape::of(value);
            }
            let wrong = |_| Failure::for_now(format!("the header {name} cannot be sent"));
            let filled = self.fill(value, sms, Escape::Plain);
            let value = filled.parse().map_err(|_| ()).map_err(wrong)?;
            headers.append(
                reqwest::header::HeaderName::from_bytes(name.as_bytes()).map_err(|_| ()).map_err(wrong)?,
                value,
            );
        }
        let mut request = self.client.request(self.method.clone(), url).headers(headers);
        if let Some(body) = &self.body {
            request = request.body(self.fill(body, sms, escape));
        }
        let answer = gateway::ask(request).await?;
        if !answer.status.is_success() {
            let told = answer.told();
            return Err(match answer.status {
                StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                    Failure::for_good(told)
                }
                _ => Failure::for_now(told),
            });
        }
        if self.accepted.as_ref().is_some_and(|accepted| !accepted.is_match(&answer.body)) {
            return Err(Failure::for_now(format!("{}: `accepted` does not match", answer.told())));
        }
        let named = self.reference.as_ref().and_then(|reference| {
            let found = reference.captures(&answer.body)?;
            Some(found.get(1).or(found.get(0))?.as_str().to_owned())
        });
        // Reports may name either.
        let own = self.reports.iter().map(|_| sms.reference.clone());
        Ok(Accepted { references: named.map_or_else(|| own.collect(), |named| vec![named]) })
    }

    pub(super) async fn probe(&self) -> Result<String, String> {
        let plain = filled(&self.url, |_| Some(String::new()));
        let url = Url::parse(&plain).map_err(|error| format!("its url cannot be read: {error}"))?;
        gateway::listens(&url).await
    }
}

/// The text with values in place of names in braces; what is no name stays.
pub fn filled(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut done, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('{') {
        done.push_str(before);
        match after.split_once('}').and_then(|(name, behind)| Some((value(name)?, behind))) {
            Some((value, behind)) => {
                done.push_str(&value);
                rest = behind;
            }
            None => {
                done.push('{');
                rest = after;
            }
        }
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_escaped_by_where_they_stand() {
        let value = |name: &str| (name == "text").then(|| "«А» & \"Б\"\n".to_owned());
        let with =
            |template: &str, escape: Escape| filled(template, |name| value(name).map(|text| escape.write(&text)));
        assert_eq!(with("a={text}&b={x}", Escape::Form), "a=%C2%AB%D0%90%C2%BB%20%26%20%22%D0%91%22%0A&b={x}");
        assert_eq!(with("{\"t\":\"{text}\",\"n\":{}}", Escape::Json), "{\"t\":\"«А» & \\\"Б\\\"\\n\",\"n\":{}}");
        assert_eq!(with("<t>{text}</t>", Escape::Xml), "<t>«А» &amp; &quot;Б&quot;\n</t>");
        assert_eq!(with("{text", Escape::Plain), "{text");
        assert_eq!(Escape::of("application/json; charset=utf-8"), Escape::Json);
        assert_eq!(Escape::of("application/x-www-form-urlencoded"), Escape::Form);
    }
}
