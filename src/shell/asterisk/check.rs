//! Is this Asterisk fit and well configured? For `perezvon check`.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::NodeConfig;
use super::rest::{HttpRequest, Rest, RestError};

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub what: &'static str,
    /// What was found, and what to do.
    pub text: String,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Good,
    /// It works, but should be changed.
    Warning,
    /// It will not work.
    Bad,
}

/// Version of Asterisk as far as it matters.
type Version = (u32, u32, u32);

/// The branches in which what we rely on came in.
const NEEDED_20: Version = (20, 14, 0);
const NEEDED_21: Version = (21, 9, 0);
const NEEDED_22: Version = (22, 4, 0);
/// The release of 22 with the security fixes known when this was written.
const RECOMMENDED: Version = (22, 10, 1);
/// More between the clocks than this, and times in the journal and in Asterisk's log do not fit together.
const CLOCK_DIFFERENCE_MS: i64 = 2_000;
/// A name that no agent's phone has: a phone's name may not hold an underscore.
const TRIAL: &str = "perezvon_check";

const MODULES: [&str; 18] = [
    "app_mixmonitor",
    "app_stasis",
    "bridge_simple",
    "chan_pjsip",
    "res_ari_applications",
    "res_ari_asterisk",
    "res_ari_bridges",
    "res_ari_channels",
    "res_ari_endpoints",
    "res_ari_events",
    "res_ari_playbacks",
    "res_ari_recordings",
    "res_http_websocket",
    "res_musiconhold",
    "res_pjsip",
    "res_stasis",
    "res_stasis_playback",
    "res_stasis_recording",
];

/// Looks at one Asterisk, without disturbing an engine that drives it.
pub async fn check(config: &NodeConfig) -> Vec<Finding> {
    let rest = match Rest::new(config) {
        Ok(rest) => rest,
        Err(error) => return vec![finding(Level::Bad, "configuration", error.to_string())],
    };
    let (reached, usable) = reach(&rest, config).await;
    let mut findings = vec![reached];
    if !usable {
        return findings;
    }
    findings.push(rights(&rest, &config.username).await);
    findings.push(modules(&rest).await);
    findings.push(dynamic_configuration(&rest).await);
    findings.push(application(&rest, &config.app).await);
    findings.push(clock(&rest).await);
    if let Some(trunk) = &config.trunk {
        findings.push(trunk_endpoint(&rest, trunk).await);
    }
    if let Some(dir) = &config.recordings_dir {
        let (level, text) = match recordings_folder(&rest, dir).await {
            Ok(text) => (Level::Good, text),
            // What cannot be done there is done over ARI.
            Err(why) => (Level::Warning, format!("{why}; see to asterisk.nodes.recordings_dir, ARI is used meanwhile")),
        };
        findings.push(finding(level, "recordings", text));
    }
    findings
}

fn finding(level: Level, what: &'static str, text: impl Into<String>) -> Finding {
    Finding { level, what, text: text.into() }
}

/// Connection, credentials and version; and whether to go on.
async fn reach(rest: &Rest, config: &NodeConfig) -> (Finding, bool) {
    #[derive(Deserialize)]
    struct Info {
        system: System,
    }
    #[derive(Deserialize)]
    struct System {
        version: String,
    }
    let bad = |text: String| (finding(Level::Bad, "connection", text), false);
    let request = HttpRequest::get(&["asterisk", "info"]).query("only", "system");
    match rest.fetch::<Info>(&request).await {
        Ok(info) => (version(&info.system.version), true),
        Err(RestError::Status { status: 401, .. }) => bad(format!(
            "{} does not take user {:?} with this password: compare with ari.conf",
            config.url, config.username
        )),
        Err(RestError::Status { status: 404, .. }) => {
            bad(format!("{} answers but knows no ARI: load res_ari and enable it in ari.conf", config.url))
        }
        Err(error) => bad(format!("{error}. Is Asterisk running, with http.conf enabled at {}?", config.url)),
    }
}

fn version(text: &str) -> Finding {
    let Some(version) = parse_version(text) else {
        return finding(Level::Warning, "version", format!("{text:?} cannot be compared; 22.10.1 or later is wanted"));
    };
    let enough = match version.0 {
        20 => version >= NEEDED_20,
        21 => version >= NEEDED_21,
        _ => version >= NEEDED_22,
    };
    if !enough {
        finding(
            Level::Bad,
            "version",
            format!("{text} is too old: 20.14, 21.9 or 22.4 is the least, 22.10.1 is recommended"),
        )
    } else if version < RECOMMENDED {
        finding(Level::Warning, "version", format!("{text} works; 22.10.1 has security fixes that this one lacks"))
    } else {
        finding(Level::Good, "version", text)
    }
}

/// The first three numbers: `22.10.1+dfsg-1` gives 22, 10, 1.
fn parse_version(text: &str) -> Option<Version> {
    let start = text.find(|sign: char| sign.is_ascii_digit())?;
    let numbers = text.get(start..)?.split(|sign: char| !sign.is_ascii_digit());
    let mut numbers = numbers.map_while(|number| number.parse::<u32>().ok());
    Some((numbers.next()?, numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
}

async fn rights(rest: &Rest, username: &str) -> Finding {
    let request =
        HttpRequest::post(&["asterisk", "variable"]).json(&json!({ "variable": "PEREZVON_CHECK", "value": "" }));
    match rest.send(&request).await {
        Ok(_) => finding(Level::Good, "rights", "may write"),
        Err(RestError::Status { status: 403, .. }) => {
            finding(Level::Bad, "rights", format!("user {username:?} may only read: set read_only = no in ari.conf"))
        }
        Err(error) => finding(Level::Bad, "rights", error.to_string()),
    }
}

async fn modules(rest: &Rest) -> Finding {
    #[derive(Deserialize)]
    struct Module {
        name: String,
        #[serde(default)]
        status: String,
    }
    let running: BTreeSet<String> = match rest.fetch::<Vec<Module>>(&HttpRequest::get(&["asterisk", "modules"])).await {
        Ok(modules) => modules
            .into_iter()
            .filter(|module| module.status == "Running")
            .map(|module| module.name.trim_end_matches(".so").to_owned())
            .collect(),
        Err(error) => return finding(Level::Bad, "modules", error.to_string()),
    };
    let missing: Vec<_> = MODULES.into_iter().filter(|name| !running.contains(*name)).collect();
    if missing.is_empty() {
        finding(Level::Good, "modules", "all that are needed are loaded")
    } else {
        finding(Level::Bad, "modules", format!("not loaded: {}; load them in modules.conf", missing.join(", ")))
    }
}

/// Makes and removes an object that does nothing.
async fn dynamic_configuration(rest: &Rest) -> Finding {
    let target = ["asterisk", "config", "dynamic", "res_pjsip", "aor", TRIAL];
    let fields = json!({ "fields": [{ "attribute": "max_contacts", "value": "1" }] });
    let made = rest.send(&HttpRequest::put(&target).json(&fields)).await;
    let removed = rest.send(&HttpRequest::delete(&target)).await;
    match made.and(removed) {
        Ok(_) => finding(Level::Good, "agents' phones", "can be added"),
        Err(error) => finding(
            Level::Bad,
            "agents' phones",
            format!(
                "cannot be added: {error}; give auth, aor and endpoint a second wizard (astdb or memory) in sorcery.conf"
            ),
        ),
    }
}

async fn application(rest: &Rest, app: &str) -> Finding {
    match rest.send(&HttpRequest::get(&["applications", app])).await {
        Ok(_) => finding(Level::Good, "application", format!("{app} is known: an engine is connected, or was")),
        Err(RestError::Status { status: 404, .. }) => finding(Level::Good, "application", format!("{app} is free")),
        Err(error) => finding(Level::Bad, "application", error.to_string()),
    }
}

async fn clock(rest: &Rest) -> Finding {
    #[derive(Deserialize)]
    struct Ping {
        timestamp: DateTime<Utc>,
    }
    let before = Utc::now();
    match rest.fetch::<Ping>(&HttpRequest::get(&["asterisk", "ping"])).await {
        Ok(ping) => {
            let middle = before + (Utc::now() - before) / 2;
            let difference = (ping.timestamp - middle).num_milliseconds();
            if difference.abs() > CLOCK_DIFFERENCE_MS {
                let text = format!("Asterisk's differs by {difference} ms: run NTP on both machines");
                finding(Level::Warning, "clock", text)
            } else {
                finding(Level::Good, "clock", format!("differs by {difference} ms"))
            }
        }
        Err(error) => finding(Level::Warning, "clock", error.to_string()),
    }
}

async fn trunk_endpoint(rest: &Rest, trunk: &str) -> Finding {
    match rest.send(&HttpRequest::get(&["endpoints", "PJSIP", trunk])).await {
        Ok(_) => finding(Level::Good, "trunk", format!("{trunk} exists")),
        Err(RestError::Status { status: 404, .. }) => {
            finding(Level::Bad, "trunk", format!("PJSIP has no endpoint {trunk:?}: add it to pjsip.conf"))
        }
        Err(error) => finding(Level::Bad, "trunk", error.to_string()),
    }
}

/// Lays an empty recording there and asks Asterisk for it.
async fn recordings_folder(rest: &Rest, dir: &Path) -> Result<String, String> {
    let place = dir.display();
    let name = format!("perezvon-check-{}", std::process::id());
    let trial = dir.join(format!("{name}.raw"));
    std::fs::read_dir(dir).map_err(|why| format!("{place} cannot be read: {why}"))?;
    // A file that is there already, or a link that somebody laid, is left alone.
    std::fs::File::create_new(&trial).map_err(|why| format!("nothing may be removed in {place}: {why}"))?;
    let seen = rest.send(&HttpRequest::get(&["recordings", "stored", &name])).await;
    let removed = std::fs::remove_file(&trial);
    match seen {
        Ok(_) => removed.map(|()| format!("read in {place}")).map_err(|why| format!("{}: {why}", trial.display())),
        Err(RestError::Status { status: 404, .. }) => {
            Err(format!("{place} is not the folder `recording` of this Asterisk's astspooldir"))
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::fake::{Answer, Fake};
    use super::*;

    #[test]
    fn versions_are_judged_by_their_branch() {
        let level = |text: &str| version(text).level;
        for good in ["22.10.1+dfsg+~cs6.17.60671434-1", "22.11.0", "23.0.0"] {
            assert_eq!(level(good), Level::Good, "{good}");
        }
        for old in ["22.4.0", "20.14.1", "21.9.0", "22.10.0", "GIT-master", ""] {
            assert_eq!(level(old), Level::Warning, "{old}");
        }
        for unfit in ["22.3.9", "20.13.0", "21.8.5", "18.26.0", "16.2"] {
            assert_eq!(level(unfit), Level::Bad, "{unfit}");
        }
    }

    async fn told(rule: impl FnMut(&str) -> Option<Answer> + Send + 'static) -> Vec<(Level, &'static str)> {
        let fake = Fake::start().await;
        fake.answer(rule);
        let config = NodeConfig { trunk: Some("trunk".to_owned()), ..fake.config.clone() };
        check(&config).await.into_iter().map(|finding| (finding.level, finding.what)).collect()
    }

    fn healthy(request: &str) -> Answer {
        let modules: Vec<_> =
            MODULES.iter().map(|name| json!({ "name": format!("{name}.so"), "status": "Running" })).collect();
        match request {
            "GET /asterisk/info?only=system" => Answer::new(200, r#"{"system":{"version":"22.10.1"}}"#),
            "GET /asterisk/modules" => Answer::new(200, &json!(modules).to_string()),
            "GET /asterisk/ping" => Answer::new(200, &json!({ "timestamp": Utc::now() }).to_string()),
            "GET /applications/perezvon" => Answer::refusal(404, "Application not found"),
            _ => Answer::new(200, "{}"),
        }
    }

    #[tokio::test]
    async fn a_healthy_asterisk_is_good_in_every_line() {
        let lines = told(|request| Some(healthy(request))).await;
        assert_eq!(lines.len(), 7);
        assert!(lines.iter().all(|(level, _)| *level == Level::Good), "{lines:?}");
    }

    #[tokio::test]
    async fn the_folder_of_recordings_must_be_the_one_that_asterisk_sees() {
        let dir = tempfile::tempdir().unwrap();
        let fake = Fake::start().await;
        let seen = |here: PathBuf| {
            let config = NodeConfig { recordings_dir: Some(here), ..fake.config.clone() };
            async move { check(&config).await.pop().map(|finding| (finding.what, finding.level, finding.text)).unwrap() }
        };
        let trial = dir.path().to_owned();
        fake.answer(move |request| {
            let asked = request.strip_prefix("GET /recordings/stored/");
            let there = asked.is_none_or(|name| trial.join(format!("{name}.raw")).exists());
            Some(if there { healthy(request) } else { Answer::refusal(404, "Recording not found") })
        });
        let (what, level, _) = seen(dir.path().to_owned()).await;
        assert_eq!((what, level), ("recordings", Level::Good));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let other = tempfile::tempdir().unwrap();
        for (wrong, said) in [(other.path().to_owned(), "is not the folder"), (dir.path().join("no"), "cannot be read")]
        {
            let (what, level, text) = seen(wrong).await;
            assert_eq!((what, level), ("recordings", Level::Warning));
            assert!(text.contains(said) && text.contains("asterisk.nodes.recordings_dir"), "{text}");
        }
    }

    #[tokio::test]
    async fn each_fault_is_found_where_it_lies() {
        for (fault, answer, what, level) in [
            ("POST /asterisk/variable", Answer::refusal(403, "Write access denied"), "rights", Level::Bad),
            (
                "GET /asterisk/modules",
                Answer::new(200, r#"[{"name":"app_stasis.so","status":"Not Running"}]"#),
                "modules",
                Level::Bad,
            ),
            ("PUT", Answer::refusal(403, "Could not create/overwrite object"), "agents' phones", Level::Bad),
            (
                "GET /asterisk/ping",
                Answer::new(200, r#"{"timestamp":"2020-01-01T00:00:00.000+0000"}"#),
                "clock",
                Level::Warning,
            ),
            ("GET /endpoints/PJSIP/trunk", Answer::refusal(404, "Endpoint not found"), "trunk", Level::Bad),
        ] {
            let lines =
                told(move |request| Some(if request.starts_with(fault) { answer.clone() } else { healthy(request) }))
                    .await;
            let found: Vec<_> = lines.into_iter().filter(|(level, _)| *level != Level::Good).collect();
            assert_eq!(found, [(level, what)]);
        }
        let wrong_password = told(|_| Some(Answer::refusal(401, "Authentication required"))).await;
        assert_eq!(wrong_password, [(Level::Bad, "connection")]);
    }
}
