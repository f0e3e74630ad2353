//! The console: the page at `/` and the files that it is made of, under `/console/<version>/`. They lie in the binary,
//! and the version is the digest of all of them: a browser keeps a file for ever and asks for none twice. In a debug
//! build they are read from the disk each time and kept nowhere, so that a change is seen at the next reload.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest as _, Sha256};

use super::layers;

#[derive(RustEmbed)]
#[folder = "src/shell/web/console/"]
#[exclude = "*.md"]
struct Files;

/// The page itself, with `@VERSION@` where the version of the files goes.
const PAGE: &str = "index.html";
/// The page of a link that plays a recording, likewise.
const SHARED: &str = "shared.html";
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Digest of all files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    if cfg!(debug_assertions) {
        return "dev".to_owned();
    }
    let mut digest = Sha256::new();
    for name in Files::iter() {
        digest.update(name.as_bytes());
        digest.update(Files::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    hex(digest.finalize().iter().take(8))
});

/// A file by its name and digest.
type Key = (String, [u8; 32]);

/// Files as they were packed for the way.
static PACKED: LazyLock<Mutex<BTreeMap<Key, Bytes>>> = LazyLock::new(Mutex::default);

fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The dispatchers' console.
#[utoipa::path(get, path = "/", tag = "about", responses((status = 200, body = String, content_type = "text/html")))]
pub(super) async fn page(headers: HeaderMap, uri: Uri) -> Response {
    let Some(file) = Files::get(PAGE) else { return layers::not_found(uri).await.into_response() };
    let text = String::from_utf8_lossy(&file.data).replace("@VERSION@", &VERSION);
    let tag = format!("\"{}\"", hex(Sha256::digest(text.as_bytes()).iter().take(8)));
    if is_known(&headers, &tag) {
        return not_modified(&tag, ASK_AGAIN);
    }
    let head = [(header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (header::ETAG, tag)];
    (head, [(header::CACHE_CONTROL, ASK_AGAIN)], text).into_response()
}

/// The page of a link that plays a recording.
pub(super) fn shared_page() -> Response {
    let text = Files::get(SHARED).map(|file| String::from_utf8_lossy(&file.data).replace("@VERSION@", &VERSION));
    let head = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (head, text.unwrap_or_default()).into_response()
}

/// One file. An older version's address answers with the file of today: a page that is open over an upgrade goes on.
pub(super) async fn file(Path((version, name)): Path<(String, String)>, headers: HeaderMap, uri: Uri) -> Response {
    let Some(file) = Files::get(&name).filter(|_| name != PAGE && name != SHARED) else {
        return layers::not_found(uri).await.into_response();
    };
    let digest = file.metadata.sha256_hash();
    let tag = format!("\"{}\"", hex(digest.iter().take(8)));
    let kept = if version == *VERSION && !cfg!(debug_assertions) { FOR_EVER } else { ASK_AGAIN };
    if is_known(&headers, &tag) {
        return not_modified(&tag, kept);
    }
    let head = [
        (header::CONTENT_TYPE, media_type(&name).to_owned()),
        (header::ETAG, tag),
        (header::CACHE_CONTROL, kept.to_owned()),
        (header::VARY, "accept-encoding".to_owned()),
    ];
    let packs = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    if packs.is_some_and(|value| value.contains("gzip"))
        && is_text(&name)
        && let Some(packed) = packed(&name, digest, &file)
    {
        return (head, [(header::CONTENT_ENCODING, "gzip")], packed).into_response();
    }
    (head, file.data.into_owned()).into_response()
}

fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag))
}

fn not_modified(tag: &str, kept: &'static str) -> Response {
    let mut response = (StatusCode::NOT_MODIFIED, [(header::CACHE_CONTROL, kept)]).into_response();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Packed once, then kept: there are some hundred files of a few kilobytes.
fn packed(name: &str, digest: [u8; 32], file: &EmbeddedFile) -> Option<Bytes> {
    let key = (name.to_owned(), digest);
    if let Some(known) = PACKED.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Some(known.clone());
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(7));
    encoder.write_all(&file.data).ok()?;
    let packed = Bytes::from(encoder.finish().ok()?);
    PACKED.lock().unwrap_or_else(PoisonError::into_inner).insert(key, packed.clone());
    Some(packed)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

fn is_text(name: &str) -> bool {
    media_type(name) != "application/octet-stream"
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;
    use serde_json::Value;

    use super::*;

    fn text(name: &str) -> String {
        String::from_utf8(Files::get(name).unwrap().data.into_owned()).unwrap()
    }

    fn words(language: &str) -> BTreeMap<String, Value> {
        serde_json::from_str(&text(&format!("locales/{language}.json"))).unwrap()
    }

    fn own_scripts() -> impl Iterator<Item = (String, String)> {
        let names = Files::iter().filter(|name| name.ends_with(".js") && !name.starts_with("vendor/"));
        names.map(|name| (name.to_string(), text(&name)))
    }

    #[test]
    fn both_languages_have_the_same_words() {
        let [ru, en] = ["ru", "en"].map(|language| words(language).into_keys().collect::<BTreeSet<_>>());
        assert_eq!(ru.symmetric_difference(&en).collect::<Vec<_>>(), Vec::<&String>::new());
        for (language, forms) in [("ru", &["one", "few", "many", "other"][..]), ("en", &["one", "other"])] {
            for (key, value) in words(language).iter().filter(|(_, value)| value.is_object()) {
                assert!(
                    forms.iter().all(|form| value[form].is_string()),
                    "{language}: {key} lacks a form of the plural"
                );
            }
        }
    }

    #[test]
    fn no_word_is_missing_that_a_view_uses() {
        let known = words("ru");
        let whole = Regex::new(r"\bt\(\s*'([^']+)'").unwrap();
        let beginning = Regex::new(r"\bt\(\s*`([^`$]*)\$\{").unwrap();
        let group = Regex::new(r"\bword\(\s*'([^']+)'").unwrap();
        for (name, script) in own_scripts() {
            for key in whole.captures_iter(&script) {
                assert!(known.contains_key(&key[1]), "{name}: there is no word for {}", &key[1]);
            }
            let beginnings = beginning.captures_iter(&script).map(|found| found[1].to_owned());
            let groups = group.captures_iter(&script).map(|found| format!("{}.", &found[1]));
            for key in beginnings.chain(groups) {
                assert!(known.keys().any(|word| word.starts_with(&key)), "{name}: there are no words {key}…");
            }
        }
    }

    #[test]
    fn no_text_for_people_stands_in_a_script() {
        let cyrillic = Regex::new("[А-Яа-яЁё]{3,}").unwrap();
        for (name, script) in own_scripts() {
            let code = script.lines().filter(|line| !line.trim_start().starts_with("//"));
            let shown: Vec<&str> = code.filter(|line| cyrillic.is_match(line) && !line.contains("RegExp")).collect();
            assert_eq!(shown, Vec::<&str>::new(), "{name}");
        }
    }

    #[test]
    fn every_import_leads_to_a_file_and_no_file_is_too_long() {
        let import = Regex::new(r"(?:from|import\()\s*'(\.[^']+)'").unwrap();
        for (name, script) in own_scripts() {
            assert!(script.lines().count() <= 600, "{name}");
            for path in import.captures_iter(&script) {
                let mut at: Vec<&str> = name.split('/').collect();
                at.pop();
                for part in path[1].split('/') {
                    match part {
                        "." => {}
                        ".." => drop(at.pop()),
                        part => at.push(part),
                    }
                }
                assert!(Files::get(&at.join("/")).is_some(), "{name}: {} is not there", &path[1]);
            }
        }
    }

    #[tokio::test]
    async fn a_file_is_packed_for_those_who_unpack_and_not_sent_twice() {
        let path = || Path((VERSION.clone(), "app.js".to_owned()));
        let uri = || Uri::from_static("/console/x/app.js");
        let plain = file(path(), HeaderMap::new(), uri()).await;
        assert_eq!(plain.status(), StatusCode::OK);
        assert!(plain.headers().get(header::CONTENT_ENCODING).is_none());
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
        let packed = file(path(), headers.clone(), uri()).await;
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        headers.insert(header::IF_NONE_MATCH, packed.headers()[header::ETAG].clone());
        assert_eq!(file(path(), headers, uri()).await.status(), StatusCode::NOT_MODIFIED);
        let absent = file(Path(("x".to_owned(), "absent.js".to_owned())), HeaderMap::new(), uri()).await;
        assert_eq!(absent.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn the_page_asks_nobody_else_and_holds_no_script() {
        let page = page(HeaderMap::new(), Uri::from_static("/")).await;
        assert_eq!(page.headers()[header::CACHE_CONTROL], ASK_AGAIN);
        let body = axum::body::to_bytes(page.into_body(), 100_000).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(!body.contains("@VERSION@") && body.contains(&format!("/console/{}/app.js", *VERSION)), "{body}");
        assert!(!body.contains("//") || !Regex::new("(src|href)=\"(https?:)?//").unwrap().is_match(&body));
        assert!(!body.contains("<style") && !Regex::new("<script[^>]*>[^<]").unwrap().is_match(&body));
    }

    #[test]
    fn what_the_page_preloads_is_there() {
        let href = Regex::new("href=\"/console/@VERSION@/([^\"]+)\"").unwrap();
        let page = text(PAGE);
        let wanted: Vec<&str> =
            href.captures_iter(&page).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect();
        assert!(wanted.len() > 10, "{wanted:?}");
        for name in wanted {
            assert!(Files::get(name).is_some(), "{name}");
        }
    }

    #[test]
    fn the_first_view_is_small() {
        let first = Files::iter().filter(|name| {
            // Views that are opened later are fetched later.
            !(name.starts_with("locales/en") || *name == "vendor/jssip.js")
        });
        let sum: usize = first.map(|name| packed(&name, [1; 32], &Files::get(&name).unwrap()).unwrap().len()).sum();
        assert!(sum < 200_000, "{sum} bytes without the telephone");
    }
}
