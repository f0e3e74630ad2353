//! The core's requests as HTTP requests. Nothing is sent here.

use std::time::Duration;

use serde_json::json;

use crate::engine::command::{AriRequest, HangUpCause};
use crate::speech::{Language, Phrase, fragments};

use super::rest::{CHANNEL_DEADLINE, HttpRequest};

/// What of the configuration the requests need.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Name of the application.
    pub(super) app: String,
    /// Folder of the sounds as Asterisk sees it, or an `http://` address.
    pub(super) sounds_dir: String,
}

/// One HTTP request of perhaps several that carry out one [`AriRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What to send.
    pub(super) request: HttpRequest,
    /// A status outside 2xx that means that all this has been done before: the plan ends well here.
    pub(super) already: Option<u16>,
}

/// All steps of a request, to be sent one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The steps.
    pub(super) steps: Vec<Step>,
    /// Sent when a step fails, so that nothing half-made is left behind.
    pub(super) undo: Option<HttpRequest>,
}

/// A request as a plan.
pub(super) fn encode(request: &AriRequest, names: &Names) -> Plan {
    let one = |request: HttpRequest| Plan { steps: vec![Step { request, already: None }], undo: None };
    let unless =
        |request: HttpRequest, already: u16| Plan { steps: vec![Step { request, already: Some(already) }], undo: None };
    match request {
        AriRequest::Answer(channel) => {
            one(HttpRequest::post(&["channels", channel.as_str(), "answer"]).within(CHANNEL_DEADLINE))
        }
        AriRequest::HangUp { channel, cause } => {
            one(HttpRequest::delete(&["channels", channel.as_str()]).query("reason_code", q850(*cause)))
        }
        AriRequest::SetMemo { channel, memo } => one(HttpRequest::post(&["channels", channel.as_str(), "variable"])
            .json(&json!({ "variable": MEMO, "value": memo }))
            .within(CHANNEL_DEADLINE)),
        AriRequest::Play { channel, playback, phrases, language } => {
            one(HttpRequest::post(&["channels", channel.as_str(), "play", playback.as_str()])
                .json(&json!({ "media": media(phrases, *language, &names.sounds_dir) })))
        }
        // Ended by itself in this very moment.
        AriRequest::StopPlayback(playback) => unless(HttpRequest::delete(&["playbacks", playback.as_str()]), 404),
        AriRequest::MusicOn(channel) => one(HttpRequest::post(&["channels", channel.as_str(), "moh"])),
        AriRequest::MusicOff(channel) => one(HttpRequest::delete(&["channels", channel.as_str(), "moh"])),
        AriRequest::RingbackOn(channel) => one(HttpRequest::post(&["channels", channel.as_str(), "ring"])),
        AriRequest::RingbackOff(channel) => one(HttpRequest::delete(&["channels", channel.as_str(), "ring"])),
        AriRequest::Ring { channel, dial, on_behalf_of, show_number, call, time_out } => Plan {
            steps: ring(
                names,
                channel.as_str(),
                dial,
                on_behalf_of.as_str(),
                show_number,
                &call.to_string(),
                *time_out,
            ),
            undo: Some(HttpRequest::delete(&["channels", channel.as_str()])),
        },
        AriRequest::CreateBridge(bridge) => {
            unless(HttpRequest::post(&["bridges", bridge.as_str()]).json(&json!({ "type": "mixing" })), 409)
        }
        AriRequest::Join { bridge, channels } => {
            let channels: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
            one(HttpRequest::post(&["bridges", bridge.as_str(), "addChannel"])
                .json(&json!({ "channel": channels }))
                .within(CHANNEL_DEADLINE))
        }
        AriRequest::Part { bridge, channel } => one(HttpRequest::post(&["bridges", bridge.as_str(), "removeChannel"])
            .json(&json!({ "channel": [channel.as_str()] }))
            .within(CHANNEL_DEADLINE)),
        AriRequest::DestroyBridge(bridge) => unless(HttpRequest::delete(&["bridges", bridge.as_str()]), 404),
        AriRequest::ToFallback(channel) => one(HttpRequest::post(&["channels", channel.as_str(), "continue"])
            .query("context", FALLBACK_CONTEXT)
            .query("extension", "s")
            .query("priority", "1")),
        AriRequest::SetFallbackAgents(agents) => one(HttpRequest::post(&["asterisk", "variable"])
            .json(&json!({ "variable": FALLBACK_AGENTS, "value": fallback_agents(agents) }))),
    }
}

/// The channel variable in which the engine notes what it needs to adopt the call.
pub(super) const MEMO: &str = "PEREZVON";
/// The dialplan's context for the time without an engine.
const FALLBACK_CONTEXT: &str = "perezvon-fallback";
/// The global variable that names the phones which that context rings.
const FALLBACK_AGENTS: &str = "PEREZVON_FALLBACK_AGENTS";
/// Longer ones are no numbers.
const LONGEST_NUMBER: usize = 40;

fn q850(cause: HangUpCause) -> &'static str {
    match cause {
        HangUpCause::Normal => "16",
        HangUpCause::Rejected => "21",
        HangUpCause::NoAnswer => "19",
        HangUpCause::AnsweredElsewhere => "26",
    }
}

fn media(phrases: &[Phrase], language: Language, sounds_dir: &str) -> Vec<String> {
    let folder = sounds_dir.trim_end_matches('/');
    let by_http = folder.starts_with("http://") || folder.starts_with("https://");
    // A file is named without its ending, so that Asterisk picks the best format; a web address with it.
    let ending = if by_http { ".wav" } else { "" };
    let uri = |fragment| format!("sound:{folder}/{language}/{fragment}{ending}");
    phrases.iter().flat_map(|phrase| fragments(phrase, language)).map(uri).collect()
}

/// The number to show is told as the connected line, and then no `caller`: it would put the caller's own over it. Only
/// where there is no number to show, the caller's channel gives what the phone shows (its number is hidden, then).
fn ring(
    names: &Names,
    channel: &str,
    dial: &str,
    caller: &str,
    show_number: &str,
    call: &str,
    time_out: Duration,
) -> Vec<Step> {
    let seconds = time_out.as_secs().max(1) + u64::from(time_out.subsec_nanos() > 0);
    let number: String = show_number.chars().filter(|sign| is_dialling_sign(*sign)).take(LONGEST_NUMBER).collect();
    let mut variables = serde_json::Map::new();
    variables.insert("PJSIP_HEADER(add,X-Call-Id)".to_owned(), call.into());
    let mut ring = HttpRequest::post(&["channels", channel, "dial"]).query("timeout", &seconds.to_string());
    if number.is_empty() {
        ring = ring.query("caller", caller);
    } else {
        variables.insert("CONNECTEDLINE(num,i)".to_owned(), number.into());
    }
    let create = HttpRequest::post(&["channels", "create"]).json(&json!({
        "endpoint": dial,
        "app": names.app,
        "channelId": channel,
        // Gives the formats of the caller's channel: no transcoding where the phone has them too.
        "originator": caller,
        "variables": variables,
    }));
    // A channel that exists has been dialled, and dialling it again would end it.
    vec![Step { request: create, already: Some(409) }, Step { request: ring, already: None }]
}

/// What may stand in a number that is shown on a phone.
fn is_dialling_sign(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "+*#-._".contains(sign)
}

fn fallback_agents(agents: &[String]) -> String {
    if agents.is_empty() {
        // An empty variable would leave the queue the members that it had.
        return "none".to_owned();
    }
    let device = |agent: &String| if agent.contains('/') { agent.clone() } else { format!("PJSIP/{agent}") };
    agents.iter().map(device).collect::<Vec<_>>().join(",")
}
