//! Who writes orders, cards and money over the API, looking at which version, and what a refusal looks like: the
//! domain's own words, in the language of whoever asks.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::domain::history::{ActorKind, By, Source};
use crate::domain::rejected::{Class, Rejected};
use crate::engine::event::Actor;
use crate::shell::store::author::{Author, ChangeError};
use crate::shell::store::contacts::ContactAuthor;
use crate::speech::Language;

use super::WebState;
use super::access::{Identity, Who};
use super::problem::Problem;

/// Whoever asks for a change.
pub(super) struct Writer {
    identity: Identity,
    /// For refusals.
    language: Language,
    /// The version of the header `If-Match`.
    if_match: Option<u64>,
}

impl FromRequestParts<WebState> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &WebState) -> Result<Self, Problem> {
        let identity = Identity::from_request_parts(parts, state).await?;
        let if_match = if_match(&parts.headers)?;
        Ok(Writer { identity, language: language(&parts.headers, state.settings.now().language), if_match })
    }
}

impl Writer {
    /// The author of a change, for the version in the body or in `If-Match`; for whatever version there is without one.
    ///
    /// # Errors
    /// When the two name different versions.
    pub(super) fn author(&self, version: Option<u64>) -> Result<Author, Problem> {
        let expected = match (version, self.if_match) {
            (Some(body), Some(header)) if body != header => {
                let detail = format!("the body says version {body}, the header If-Match {header}: send one of them");
                return Err(Problem::bad_request("two_versions", detail));
            }
            (body, header) => body.or(header),
        };
        let named = self.identity.named();
        let name = match &named {
            Actor::Person(name) | Actor::Program(name) => name.clone(),
            Actor::Agent(_) | Actor::Engine => String::new(),
        };
        let (kind, source) = match &self.identity.who {
            Who::Person { .. } if self.identity.sees_all() => (ActorKind::Office, Source::Dispatcher),
            Who::Person { .. } => (ActorKind::Dispatcher, Source::Dispatcher),
            Who::Program { driver: true, .. } => (ActorKind::Driver, Source::Driver),
            Who::Program { driver: false, .. } => (ActorKind::Program, Source::Api),
        };
        let by = By { expected, ..By::new(kind, name, source) };
        Ok(Author { by, actor: named, address: self.identity.address.to_string() })
    }

    /// The author of a change of a contact, as [`author`](Self::author).
    ///
    /// # Errors
    /// When the body and `If-Match` name different versions.
    pub(super) fn contact_author(&self, version: Option<u64>) -> Result<ContactAuthor, Problem> {
        Ok(ContactAuthor { author: self.author(version)?, is: self.identity.persons() })
    }

    /// A refusal of the domain.
    pub(super) fn rejected(&self, rejected: &Rejected) -> Problem {
        let status = match rejected.class() {
            Class::Conflict => StatusCode::CONFLICT,
            Class::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Class::Forbidden => StatusCode::FORBIDDEN,
        };
        Problem::new(status, rejected.code(), rejected.text(self.language))
    }

    /// Why a change was not made; a stale version is told with what there is now.
    pub(super) fn refused<T: Shown>(&self, author: &Author, error: ChangeError<T>) -> Problem {
        match error {
            ChangeError::Stale { current } => {
                let expected = author.by.expected.unwrap_or_default();
                let mut problem = self.rejected(&Rejected::Stale { expected, current: current.version() });
                problem.current = serde_json::to_value(current.shown()).ok().map(Box::new);
                problem
            }
            ChangeError::Rejected(rejected) => self.rejected(&rejected),
            ChangeError::Store(error) => error.into(),
        }
    }

    /// The language of whoever asks.
    pub(super) fn language(&self) -> Language {
        self.language
    }

    /// Refuses whoever is no supervisor.
    pub(super) fn supervisor(&self) -> Result<(), Problem> {
        if self.identity.sees_all() { Ok(()) } else { Err(self.rejected(&Rejected::NotAllowed)) }
    }
}

/// A row that the API shows, with a version.
pub(super) trait Shown {
    /// Its shape in JSON.
    type Shape: Serialize;

    /// For `If-Match`.
    fn version(&self) -> u64;

    /// As a GET shows it.
    fn shown(&self) -> Self::Shape;
}

/// An answer with its version in the header `ETag`.
pub(super) fn tagged<T: Serialize>(version: u64, body: T) -> impl IntoResponse {
    ([(header::ETAG, etag(version))], axum::Json(body))
}

fn etag(version: u64) -> HeaderValue {
    // Digits in quotes are always a header's value.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// The version of `If-Match: "7"`; none for `*`.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let version = quoted.and_then(|digits| digits.parse().ok());
    version.map(Some).ok_or_else(|| {
        Problem::bad_request("wrong_if_match", "If-Match: send the ETag of the last answer, such as \"7\", or *")
    })
}

/// The first language of `Accept-Language` by preference that the engine speaks (RFC 9110, 12.5.4).
pub(super) fn language(headers: &HeaderMap, otherwise: Language) -> Language {
    let texts = headers.get_all(header::ACCEPT_LANGUAGE).into_iter().filter_map(|value| value.to_str().ok());
    let mut best: Option<(f32, Language)> = None;
    for range in texts.flat_map(|text| text.split(',')) {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default().trim();
        let quality = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        let spoken = Language::parse(tag.split('-').next().unwrap_or_default());
        // Of equals the first counts.
        if let Some(spoken) = spoken.filter(|_| quality > 0.0 && best.is_none_or(|(known, _)| quality > known)) {
            best = Some((quality, spoken));
        }
    }
    best.map_or(otherwise, |(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_language_that_is_spoken_is_chosen() {
        for (header, expected) in [
            ("ru", Language::Ru),
            ("de, en-GB;q=0.5", Language::En),
            ("en;q=0.3, ru-RU;q=0.8", Language::Ru),
            ("en;q=0", Language::Ru),
            ("*", Language::Ru),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, header.parse().unwrap());
            assert_eq!(language(&headers, Language::Ru), expected, "{header}");
        }
    }

    #[test]
    fn a_version_stands_in_quotes() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, text.parse().unwrap());
            if_match(&headers)
        };
        assert_eq!(with("\"7\"").unwrap(), Some(7));
        assert_eq!(with("*").unwrap(), None);
        assert!(with("7").is_err() && with("\"x\"").is_err() && with("W/\"7\"").is_err());
        assert_eq!(etag(7), "\"7\"");
    }
}
