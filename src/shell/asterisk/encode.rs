//! The core's requests as HTTP requests. Nothing is sent here.

use std::time::Duration;

use serde_json::json;

use crate::engine::command::{AriRequest, HangUpCause};
use crate::engine::event::{MonitorMode, Note};
use crate::engine::ids::Own;

use super::rest::{CHANNEL_DEADLINE, HttpRequest, NOT_IN_APPLICATION, RestError};

/// What of the configuration the requests need.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Name of the application.
    pub(super) app: String,
}

/// One HTTP request of perhaps several that carry out one [`AriRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What to send.
    pub(super) request: HttpRequest,
    /// A status outside 2xx that means that all this has been done before: the plan ends well here.
    pub(super) already: Option<u16>,
    /// Asterisk may not be ready for it in the first milliseconds; see [`Step::too_early`].
    pub(super) may_be_early: bool,
}

impl Step {
    fn new(request: HttpRequest) -> Step {
        Step { request, already: None, may_be_early: false }
    }

    fn unless(request: HttpRequest, already: u16) -> Step {
        Step { request, already: Some(already), may_be_early: false }
    }

    /// The channel that was just made has not entered the application yet (its own thread does that): to be sent again.
    pub(super) fn too_early(&self, error: &RestError) -> bool {
        let message = match error {
            RestError::Status { status: 409 | 422, message, .. } => message,
            _ => return false,
        };
        self.may_be_early && message == NOT_IN_APPLICATION
    }
}

/// All steps of a request, to be sent one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The steps.
    pub(super) steps: Vec<Step>,
    /// Sent when a step fails, so that nothing half-made is left behind.
    pub(super) undo: Option<HttpRequest>,
}

/// A request as a plan. `media` is what a playback plays.
pub(super) fn encode(request: &AriRequest, names: &Names, media: &[String]) -> Plan {
    let one = |request| Plan { steps: vec![Step::new(request)], undo: None };
    let unless = |request, already| Plan { steps: vec![Step::unless(request, already)], undo: None };
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
        AriRequest::Play { channel, playback, .. } => {
            one(HttpRequest::post(&["channels", channel.as_str(), "play", playback.as_str()])
                .json(&json!({ "media": media })))
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
                on_behalf_of.as_ref().map(|channel| channel.as_str()),
                show_number,
                &call.to_string(),
                *time_out,
            ),
            undo: Some(HttpRequest::delete(&["channels", channel.as_str()])),
        },
        AriRequest::Dial { channel, dial, number, show_number, memo, time_out } => {
            let variables = json!({
                MEMO: memo,
                // What the far phone shows is told as the connected line; the client's number names the recording.
                "CONNECTEDLINE(num,i)": dialling_signs(show_number),
                "CALLERID(num)": dialling_signs(number),
            });
            Plan {
                steps: dial_outside(names, channel.as_str(), dial, variables, *time_out),
                undo: Some(HttpRequest::delete(&["channels", channel.as_str()])),
            }
        }
        // One that is not in the application is in the dialplan already.
        AriRequest::Screen { channel, attempt, listen } => {
            one(HttpRequest::post(&["channels", channel.as_str(), "continue"])
                .query("context", if *listen { OUTBOUND_CONTEXT } else { DIALLED_CONTEXT })
                .query("extension", &attempt.to_string())
                .query("priority", "1"))
        }
        AriRequest::CreateBridge(bridge, note) => {
            // Asterisk mixes where a bridge may hold many; it has no other word for that than the one for video.
            let kind = match Own::parse(bridge.as_str()) {
                Some((_, Own::MixBridge)) => "mixing,video_sfu",
                Some((_, Own::TalkBridge | Own::ConsultBridge | Own::MonitorBridge(_)))
                | Some((_, Own::Leg(_) | Own::Outgoing | Own::Playback(_) | Own::Monitor(_) | Own::Snoop(_)))
                | None => "mixing",
            };
            let mut body = json!({ "type": kind });
            if let (Some(note), Some(body)) = (note, body.as_object_mut()) {
                body.insert("name".to_owned(), bridge_name(note).into());
            }
            unless(HttpRequest::post(&["bridges", bridge.as_str()]).json(&body), 409)
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
        AriRequest::Snoop { on, snoop, bridge, mode } => {
            let whisper = match mode {
                MonitorMode::Listen | MonitorMode::TakeOver => "none",
                // What goes out to the agent's phone; and what comes in from it, which the caller hears.
                MonitorMode::Whisper => "out",
                MonitorMode::Join => "both",
            };
            let make = HttpRequest::post(&["channels", on.as_str(), "snoop", snoop.as_str()])
                .query("app", &names.app)
                .query("spy", "both")
                .query("whisper", whisper)
                .within(CHANNEL_DEADLINE);
            let join = HttpRequest::post(&["bridges", bridge.as_str(), "addChannel"])
                .query("channel", snoop.as_str())
                .within(CHANNEL_DEADLINE);
            Plan {
                steps: vec![Step::new(make), Step { may_be_early: true, ..Step::new(join) }],
                undo: Some(HttpRequest::delete(&["channels", snoop.as_str()])),
            }
        }
        AriRequest::ToFallback { channel, dialled } => {
            one(HttpRequest::post(&["channels", channel.as_str(), "continue"])
                .query("context", FALLBACK_CONTEXT)
                .query("extension", fallback_extension(dialled))
                .query("priority", "1"))
        }
        AriRequest::SetFallbackAgents(agents) => one(HttpRequest::post(&["asterisk", "variable"])
            .json(&json!({ "variable": FALLBACK_AGENTS, "value": fallback_agents(agents) }))),
    }
}

/// The channel variable in which the engine notes what it needs to adopt the call.
pub(super) const MEMO: &str = "PEREZVON";
/// The dialplan's context for the time without an engine.
const FALLBACK_CONTEXT: &str = "perezvon-fallback";
/// The dialplan's context that finds out who answered an outgoing call.
const OUTBOUND_CONTEXT: &str = "perezvon-outbound";
/// Where it only arms the recording.
const DIALLED_CONTEXT: &str = "perezvon-dialled";
/// The global variable that names the phones which that context rings.
const FALLBACK_AGENTS: &str = "PEREZVON_FALLBACK_AGENTS";
/// Longer ones are no numbers.
const LONGEST_NUMBER: usize = 40;

/// A note as the name of a bridge. The id of a channel holds no new line: Asterisk takes it from a line of its settings.
fn bridge_name(note: &Note) -> String {
    format!("{}\n{}", note.channel, note.memo)
}

/// Reads [`bridge_name`].
pub(super) fn bridge_note(name: &str) -> Option<Note> {
    let (channel, memo) = name.split_once('\n')?;
    Some(Note { channel: channel.into(), memo: memo.to_owned() })
}

fn q850(cause: HangUpCause) -> &'static str {
    match cause {
        HangUpCause::Normal => "16",
        HangUpCause::Rejected => "21",
        HangUpCause::NoAnswer => "19",
        HangUpCause::AnsweredElsewhere => "26",
    }
}

/// The number to show is told as the connected line, and then no `caller`: it would put the caller's own over it. Only
/// where there is no number to show, the caller's channel gives what the phone shows (its number is hidden, then).
fn ring(
    names: &Names,
    channel: &str,
    dial: &str,
    caller: Option<&str>,
    show_number: &str,
    call: &str,
    time_out: Duration,
) -> Vec<Step> {
    let number = dialling_signs(show_number);
    let mut variables = serde_json::Map::new();
    variables.insert("PJSIP_HEADER(add,X-Call-Id)".to_owned(), call.into());
    let mut ring = HttpRequest::post(&["channels", channel, "dial"]).query("timeout", &seconds(time_out));
    if number.is_empty() {
        if let Some(caller) = caller {
            ring = ring.query("caller", caller);
        }
    } else {
        variables.insert("CONNECTEDLINE(num,i)".to_owned(), number.into());
    }
    let mut body = json!({"endpoint": dial, "app": names.app, "channelId": channel, "variables": variables});
    if let (Some(caller), Some(body)) = (caller, body.as_object_mut()) {
        // Gives the formats of the caller's channel: no transcoding where the phone has them too.
        body.insert("originator".to_owned(), caller.into());
    }
    let create = HttpRequest::post(&["channels", "create"]).json(&body);
    // A channel that exists has been dialled, and dialling it again would end it.
    vec![Step::unless(create, 409), Step { may_be_early: true, ..Step::new(ring) }]
}

/// The channel is made in the application, so that all its events are told from the first on, and the subscription keeps
/// it so while the dialplan has it.
fn dial_outside(
    names: &Names,
    channel: &str,
    dial: &str,
    variables: serde_json::Value,
    time_out: Duration,
) -> Vec<Step> {
    let create = HttpRequest::post(&["channels", "create"]).json(&json!({
        "endpoint": dial,
        "app": names.app,
        "channelId": channel,
        "variables": variables,
    }));
    let subscribe = HttpRequest::post(&["applications", &names.app, "subscription"])
        .query("eventSource", &format!("channel:{channel}"));
    let ring = HttpRequest::post(&["channels", channel, "dial"]).query("timeout", &seconds(time_out));
    // A channel that exists has been dialled, and dialling it again would end it.
    vec![Step::unless(create, 409), Step::new(subscribe), Step { may_be_early: true, ..Step::new(ring) }]
}

/// Whole seconds, rounded up.
fn seconds(span: Duration) -> String {
    (span.as_secs().max(1) + u64::from(span.subsec_nanos() > 0)).to_string()
}

/// What of a text may stand in a number.
fn dialling_signs(text: &str) -> String {
    text.chars().filter(|sign| is_dialling_sign(*sign)).take(LONGEST_NUMBER).collect()
}

/// What may stand in a number that is shown on a phone.
fn is_dialling_sign(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "+*#-._".contains(sign)
}

/// The number that was dialled, where the dialplan there has an extension for it: two characters or more of these.
fn fallback_extension(dialled: &str) -> &str {
    let known = |sign: char| sign.is_ascii_alphanumeric() || "+*#".contains(sign);
    if dialled.chars().nth(1).is_some() && dialled.chars().all(known) { dialled } else { "s" }
}

fn fallback_agents(agents: &[String]) -> String {
    if agents.is_empty() {
        // An empty variable would leave the queue the members that it had.
        return "none".to_owned();
    }
    let device = |agent: &String| if agent.contains('/') { agent.clone() } else { format!("PJSIP/{agent}") };
    agents.iter().map(device).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::{BridgeId, CallId, ChannelId, PlaybackId};
    use crate::speech::{Language, Phrase};

    fn plan(request: &AriRequest) -> Plan {
        encode(request, &Names { app: "perezvon".to_owned() }, &["sound:/s/a".to_owned(), "sound:/s/b".to_owned()])
    }

    /// Each step as `METHOD target body`, with the status that counts as done and the deadline where it is not usual.
    fn told(request: &AriRequest) -> String {
        let line = |request: &HttpRequest| {
            let body = request.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned()).unwrap_or_default();
            format!("{} {} {body}", request.method, request.target).trim_end().to_owned()
        };
        let plan = plan(request);
        let mut lines: Vec<String> = Vec::new();
        for step in &plan.steps {
            let already = step.already.map(|status| format!(" ({status} is fine)")).unwrap_or_default();
            let slow = if step.request.deadline == CHANNEL_DEADLINE { " (slow)" } else { "" };
            lines.push(format!("{}{already}{slow}", line(&step.request)));
        }
        lines.extend(plan.undo.as_ref().map(|undo| format!("else {}", line(undo))));
        lines.join("\n")
    }

    fn caller() -> ChannelId {
        "pz1-17.1".into()
    }

    #[test]
    fn requests_about_one_channel_are_what_asterisk_documents() {
        for (request, expected) in [
            (AriRequest::Answer(caller()), "POST /channels/pz1-17.1/answer (slow)"),
            (
                AriRequest::HangUp { channel: caller(), cause: HangUpCause::AnsweredElsewhere },
                "DELETE /channels/pz1-17.1?reason_code=26",
            ),
            (
                AriRequest::SetMemo { channel: caller(), memo: "1 q=0 \"x\"".to_owned() },
                r#"POST /channels/pz1-17.1/variable {"value":"1 q=0 \"x\"","variable":"PEREZVON"} (slow)"#,
            ),
            (AriRequest::MusicOn(caller()), "POST /channels/pz1-17.1/moh"),
            (AriRequest::MusicOff(caller()), "DELETE /channels/pz1-17.1/moh"),
            (AriRequest::RingbackOn(caller()), "POST /channels/pz1-17.1/ring"),
            (AriRequest::RingbackOff(caller()), "DELETE /channels/pz1-17.1/ring"),
            (
                AriRequest::ToFallback { channel: caller(), dialled: "+74951234567".to_owned() },
                "POST /channels/pz1-17.1/continue?context=perezvon-fallback&extension=%2B74951234567&priority=1",
            ),
            (
                AriRequest::ToFallback { channel: caller(), dialled: "7".to_owned() },
                "POST /channels/pz1-17.1/continue?context=perezvon-fallback&extension=s&priority=1",
            ),
        ] {
            assert_eq!(told(&request), expected);
        }
    }

    #[test]
    fn a_playback_is_all_sounds_in_order() {
        let request = AriRequest::Play {
            channel: caller(),
            playback: PlaybackId::from("pz-0123456789abcdef-p1"),
            phrases: vec![Phrase::Greeting],
            language: Language::Ru,
        };
        assert_eq!(
            told(&request),
            r#"POST /channels/pz1-17.1/play/pz-0123456789abcdef-p1 {"media":["sound:/s/a","sound:/s/b"]}"#
        );
        let stop = AriRequest::StopPlayback(PlaybackId::from("pz-0123456789abcdef-p1"));
        assert_eq!(told(&stop), "DELETE /playbacks/pz-0123456789abcdef-p1 (404 is fine)");
    }

    #[test]
    fn ringing_makes_the_channel_dials_it_once_and_clears_up_after_a_failure() {
        let ring = |show_number: &str| AriRequest::Ring {
            channel: "pz-0123456789abcdef-l1".into(),
            dial: "PJSIP/agent-101".to_owned(),
            on_behalf_of: Some(caller()),
            show_number: show_number.to_owned(),
            call: CallId(0x0123_4567_89ab_cdef),
            time_out: Duration::from_millis(15_500),
        };
        assert_eq!(
            told(&ring("+7900\"<sip:1>\r\n")),
            "POST /channels/create {\"app\":\"perezvon\",\"channelId\":\"pz-0123456789abcdef-l1\",\
             \"endpoint\":\"PJSIP/agent-101\",\"originator\":\"pz1-17.1\",\
             \"variables\":{\"CONNECTEDLINE(num,i)\":\"+7900sip1\",\"PJSIP_HEADER(add,X-Call-Id)\":\"0123456789abcdef\"}} \
             (409 is fine)\n\
             POST /channels/pz-0123456789abcdef-l1/dial?timeout=16\n\
             else DELETE /channels/pz-0123456789abcdef-l1"
        );
        let hidden = told(&ring(""));
        assert!(hidden.contains("/dial?timeout=16&caller=pz1-17.1"), "{hidden}");
        assert!(!hidden.contains("CONNECTEDLINE"), "{hidden}");
    }

    #[test]
    fn an_outside_number_is_dialled_with_all_its_events_and_screened_by_the_dialplan() {
        let channel = || ChannelId::from("pz-0123456789abcdef-o");
        let dial = AriRequest::Dial {
            channel: channel(),
            dial: "PJSIP/+79001234567@trunk".to_owned(),
            number: "+79001234567".to_owned(),
            show_number: "74951234567".to_owned(),
            memo: "o;17".to_owned(),
            time_out: Duration::from_secs(45),
        };
        assert_eq!(
            told(&dial),
            "POST /channels/create {\"app\":\"perezvon\",\"channelId\":\"pz-0123456789abcdef-o\",\
             \"endpoint\":\"PJSIP/+79001234567@trunk\",\"variables\":{\"CALLERID(num)\":\"+79001234567\",\
             \"CONNECTEDLINE(num,i)\":\"74951234567\",\"PEREZVON\":\"o;17\"}} (409 is fine)\n\
             POST /applications/perezvon/subscription?eventSource=channel%3Apz-0123456789abcdef-o\n\
             POST /channels/pz-0123456789abcdef-o/dial?timeout=45\n\
             else DELETE /channels/pz-0123456789abcdef-o"
        );
        let screen = AriRequest::Screen { channel: channel(), attempt: CallId(0x0123_4567_89ab_cdef), listen: true };
        assert_eq!(
            told(&screen),
            "POST /channels/pz-0123456789abcdef-o/continue?context=perezvon-outbound&extension=0123456789abcdef&priority=1"
        );
    }

    #[test]
    fn bridges_are_made_once_and_may_be_gone_already() {
        let bridge = || BridgeId::from("pz-0123456789abcdef-b");
        let channels = vec![caller(), "pz-0123456789abcdef-l1".into()];
        for (request, expected) in [
            (
                AriRequest::CreateBridge(bridge(), None),
                r#"POST /bridges/pz-0123456789abcdef-b {"type":"mixing"} (409 is fine)"#,
            ),
            (
                AriRequest::CreateBridge(
                    bridge(),
                    Some(Note { channel: caller(), memo: "1;0123456789abcdef;5".to_owned() }),
                ),
                r#"POST /bridges/pz-0123456789abcdef-b {"name":"pz1-17.1\n1;0123456789abcdef;5","type":"mixing"} (409 is fine)"#,
            ),
            (
                AriRequest::CreateBridge("pz-0123456789abcdef-m".into(), None),
                r#"POST /bridges/pz-0123456789abcdef-m {"type":"mixing,video_sfu"} (409 is fine)"#,
            ),
            (
                AriRequest::Join { bridge: bridge(), channels },
                r#"POST /bridges/pz-0123456789abcdef-b/addChannel {"channel":["pz1-17.1","pz-0123456789abcdef-l1"]} (slow)"#,
            ),
            (
                AriRequest::Part { bridge: bridge(), channel: caller() },
                r#"POST /bridges/pz-0123456789abcdef-b/removeChannel {"channel":["pz1-17.1"]} (slow)"#,
            ),
            (AriRequest::DestroyBridge(bridge()), "DELETE /bridges/pz-0123456789abcdef-b (404 is fine)"),
        ] {
            assert_eq!(told(&request), expected);
        }
    }

    #[test]
    fn a_supervisor_is_heard_by_whom_the_mode_says() {
        let snoop = |mode| {
            told(&AriRequest::Snoop {
                on: "pz-0123456789abcdef-l1".into(),
                snoop: "pz-0123456789abcdef-s1".into(),
                bridge: "pz-0123456789abcdef-w2".into(),
                mode,
            })
        };
        assert_eq!(
            snoop(MonitorMode::Listen),
            "POST /channels/pz-0123456789abcdef-l1/snoop/pz-0123456789abcdef-s1?app=perezvon&spy=both&whisper=none (slow)\n\
             POST /bridges/pz-0123456789abcdef-w2/addChannel?channel=pz-0123456789abcdef-s1 (slow)\n\
             else DELETE /channels/pz-0123456789abcdef-s1"
        );
        assert!(snoop(MonitorMode::Whisper).contains("whisper=out"));
        assert!(snoop(MonitorMode::Join).contains("whisper=both"));
    }

    #[test]
    fn the_fallback_learns_the_phones_as_the_dialplan_reads_them() {
        let told =
            |agents: &[&str]| told(&AriRequest::SetFallbackAgents(agents.iter().map(ToString::to_string).collect()));
        assert_eq!(
            told(&["agent-1", "PJSIP/agent-2"]),
            r#"POST /asterisk/variable {"value":"PJSIP/agent-1,PJSIP/agent-2","variable":"PEREZVON_FALLBACK_AGENTS"}"#
        );
        assert!(told(&[]).contains(r#""value":"none""#));
    }

    #[test]
    fn ids_with_odd_signs_stay_one_segment_of_the_path() {
        let request = AriRequest::Answer("a/b?c=d #;2".into());
        assert_eq!(told(&request), "POST /channels/a%2Fb%3Fc%3Dd%20%23%3B2/answer (slow)");
    }

    #[test]
    fn a_note_is_read_back_from_the_name_of_a_bridge() {
        for memo in ["1;0123456789abcdef;5;;0;of two words;;0;", "two\nlines", ""] {
            let note = Note { channel: caller(), memo: memo.to_owned() };
            assert_eq!(bridge_note(&bridge_name(&note)), Some(note));
        }
        for name in ["", "a bridge of somebody else"] {
            assert_eq!(bridge_note(name), None);
        }
    }
}
